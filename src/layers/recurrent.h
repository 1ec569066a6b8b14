/* What LSTM and RNN share: all but a step of their cells. */
#ifndef LCL_RECURRENT_H
#define LCL_RECURRENT_H

#include "elementwise.h"
#include "lcl/layer.h"

/* A kind of cells. Its kernels are <file>_forward and <file>_backward of cl/<file>.cl. */
typedef struct {
    const char *file;
    int n_gates;  /* rows of weights that each cell has */
    int n_hidden; /* states handed on: h, or h and c */
    bool output;  /* the top is tanh(W_ho h + b_o), not h */
} lcl_cell;

/* Arrays over all steps, or of one step where the name says so. */
enum {
    LCL_RNN_GATES,         /* what the input gives; then as the cell leaves it */
    LCL_RNN_HIDDEN,        /* h */
    LCL_RNN_CELL,          /* c */
    LCL_RNN_FIRST_HIDDEN,  /* h before the first step */
    LCL_RNN_FIRST_CELL,    /* c before the first step */
    LCL_RNN_CONTED,        /* h of the step before, or 0 where a sequence begins */
    LCL_RNN_CONTED_STEP,   /* ... of one step */
    LCL_RNN_FROM_HIDDEN,   /* what it gives; of one step */
    LCL_RNN_FROM_STATIC,   /* what the static input gives; of one step */
    LCL_RNN_OUT,           /* tanh(W_ho h + b_o) */
    LCL_RNN_D_GATES,       /* gradients of the gates' inputs */
    LCL_RNN_D_GATES_STEP,  /* ... of one step */
    LCL_RNN_D_GATES_SUM,   /* ... summed over the steps */
    LCL_RNN_D_CONTED_STEP, /* gradients of what their names say */
    LCL_RNN_D_CELL_STEP,
    LCL_RNN_D_OUT,
    LCL_RNN_D_HIDDEN,
    LCL_RNN_N_BUFFERS
};

typedef struct {
    const lcl_cell *cell;
    bool has_static, exposed;
    size_t steps, streams, units; /* T, N, num_output */
    size_t inputs, static_inputs;
    lcl_elements step, all; /* h of one step, of all */
    lcl_kernel *begin, *forward, *backward, *output, *output_backward; /* borrowed */
    lcl_kernel *add_rows;                                              /* borrowed */
    cl_mem buffers[LCL_RNN_N_BUFFERS];                                 /* owned */
} lcl_recurrent;

lcl_status lcl_recurrent_setup(lcl_layer *l, const lcl_cell *cell, lcl_error *err);
lcl_status lcl_recurrent_reshape(lcl_layer *l, lcl_error *err);
lcl_status lcl_recurrent_forward(lcl_layer *l, lcl_error *err);
lcl_status lcl_recurrent_backward(lcl_layer *l, lcl_error *err);
double lcl_recurrent_flops(const lcl_layer *l);
void lcl_recurrent_destroy(lcl_layer *l);

#endif
