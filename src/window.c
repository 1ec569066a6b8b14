/* Copies between an array and boxes of it, whatever the number of axes. */
#include "window.h"

#include <assert.h>
#include <stdlib.h>

#include "text.h"

enum { LEVELS = 4 /* that a kernel walks; those outside are runs of it */ };

/* Axes that a box cuts, the innermost first; those that it has whole are part of the next. */
typedef struct {
    size_t whole, part, offset;
} level;

static size_t find_levels(level *levels, const lcl_blob *whole, const lcl_blob *part,
                          const int *offset)
{
    size_t block = (size_t)whole->block, n = 1;

    levels[0] = (level){block, block, 0};
    for (int i = whole->n_axes - 1; i >= 0; i--) {
        level here = {(size_t)whole->shape[i], (size_t)part->shape[i], (size_t)offset[i]};
        level *inside = &levels[n - 1];
        if (i == 0 && block > 1)
            here = (level){lcl_blob_n_blocks(whole), lcl_blob_n_blocks(part), 0};
        if (inside->part == inside->whole)
            *inside = (level){here.whole * inside->whole, here.part * inside->part,
                              here.offset * inside->whole};
        else
            levels[n++] = here;
    }
    return n;
}

/* A number whose divisors divide all that the innermost level asks for. */
static size_t common_run(const level *l)
{
    size_t run = l->part | l->whole | l->offset;

    return run & (~run + 1); /* its lowest bit: only powers of two matter */
}

lcl_status lcl_window_of(lcl_window *w, const lcl_blob *whole, const lcl_blob *part,
                         const int *offset, lcl_error *err)
{
    level levels[LCL_MAX_AXES + 1 + LEVELS];
    size_t n = find_levels(levels, whole, part, offset);
    size_t strides[LCL_MAX_AXES + 1 + LEVELS], stride = 1, count = 1, start = 0;

    assert(whole->block == part->block && whole->n_axes == part->n_axes);
    while (n < LEVELS)
        levels[n++] = (level){1, 1, 0};
    for (size_t i = 0; i < n; i++) {
        strides[i] = stride;
        start += levels[i].offset * stride;
        stride *= levels[i].whole;
        count *= i < LEVELS ? levels[i].part : 1;
    }
    w->elements = lcl_elements_in_runs(whole->dev, count, common_run(&levels[0]));
    size_t v = (size_t)w->elements.vector;
    w->start = start / v;
    for (size_t i = 0; i < LEVELS; i++) {
        w->shape.s[i] = (cl_int)(levels[i].part / (i == 0 ? v : 1));
        w->stride.s[i] = (cl_int)(i == 0 ? 1 : strides[i] / v);
    }
    w->n_outer = n - LEVELS;
    for (size_t i = 0; i < w->n_outer; i++) {
        w->outer_shape[i] = levels[LEVELS + i].part;
        w->outer_stride[i] = strides[LEVELS + i] / v;
    }
    LCL_TRY(lcl_elements_kernel(&w->elements, whole->dev, &w->get_kernel, "window",
                                "window_get", err));
    return lcl_elements_kernel(&w->elements, whole->dev, &w->put_kernel, "window",
                               "window_put", err);
}

/* Where outer index `i` of the box lies in the whole. */
static size_t outer_start(const lcl_window *w, size_t i)
{
    size_t start = w->start;

    for (size_t k = 0; k < w->n_outer; k++) {
        start += i % w->outer_shape[k] * w->outer_stride[k];
        i /= w->outer_shape[k];
    }
    return start;
}

static lcl_status copy(const lcl_window *w, lcl_device *dev, lcl_kernel *kernel,
                       cl_mem whole, cl_mem part, lcl_error *err)
{
    size_t n = 1;

    for (size_t k = 0; k < w->n_outer; k++)
        n *= w->outer_shape[k];
    for (size_t i = 0; i < n; i++) {
        cl_int whole_start = (cl_int)outer_start(w, i);
        cl_int part_start = (cl_int)(i * (size_t)w->elements.n);
        const lcl_arg args[] = {LCL_ARG(w->shape),    LCL_ARG(w->stride),
                                LCL_ARG(whole_start), LCL_ARG(part_start),
                                LCL_ARG(whole),       LCL_ARG(part)};
        LCL_TRY(lcl_elements_run(&w->elements, dev, kernel, args, 6, err));
    }
    return LCL_OK;
}

lcl_status lcl_window_get(const lcl_window *w, lcl_device *dev, cl_mem whole, cl_mem part,
                          lcl_error *err)
{
    return copy(w, dev, w->get_kernel, whole, part, err);
}

lcl_status lcl_window_put(const lcl_window *w, lcl_device *dev, cl_mem whole, cl_mem part,
                          lcl_error *err)
{
    return copy(w, dev, w->put_kernel, whole, part, err);
}

/* ---- A blob cut along an axis ------------------------------------------------------ */

static lcl_status find_axis(const lcl_layer *l, const lcl_pieces_axis *a, int *axis,
                            lcl_error *err)
{
    const lcl_blob *x = l->bottoms[0];

    if (a->has_axis && a->has_dim)
        return lcl_layer_fail(l, a->message, a->dim_name, err, LCL_EPROTO,
                              "give axis or %s, not both", a->dim_name);
    if (!a->has_dim)
        return lcl_layer_axis(l, x, a->axis, a->message, "axis", axis, err);
    return lcl_layer_axis(l, x, a->dim < LCL_MAX_AXES ? (int)a->dim : LCL_MAX_AXES,
                          a->message, a->dim_name, axis, err);
}

lcl_status lcl_pieces_set_up(lcl_pieces *p, lcl_layer *l, int n, const lcl_pieces_axis *a,
                             lcl_error *err)
{
    LCL_TRY(find_axis(l, a, &p->axis, err));
    l->plain = p->axis == 0;
    p->windows = lcl_alloc((size_t)n, sizeof *p->windows);
    return LCL_OK;
}

lcl_status lcl_pieces_find(lcl_pieces *p, const lcl_blob *whole, lcl_blob *const *pieces,
                           int n, lcl_error *err)
{
    int offset[LCL_MAX_AXES] = {0};

    for (int i = 0; i < n; i++) {
        LCL_TRY(lcl_window_of(&p->windows[i], whole, pieces[i], offset, err));
        offset[p->axis] += pieces[i]->shape[p->axis];
    }
    return LCL_OK;
}

void lcl_pieces_release(lcl_pieces *p)
{
    free(p->windows);
    p->windows = NULL;
}
