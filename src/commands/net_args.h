/* The flags of commands for one net: those that run it and those that look at it. */
#ifndef LCL_NET_ARGS_H
#define LCL_NET_ARGS_H

#include "commands/args.h"
#include "lcl/net.h"

/* To be spliced into the table of options. */
#define LCL_STATE_OPTIONS                                                                \
    {"level", "N", NULL, "level of the net's state"},                                    \
        {"stage", "A,B", NULL, "stages of the net's state"},                             \
    {                                                                                    \
        "allow-unknown", NULL, NULL,                                                     \
            "warn of unknown prototxt fields, go on without them"                        \
    }

#define LCL_RESIDENT_OPTION                                                              \
    {                                                                                    \
        "resident", "auto|on|off", "auto", "keep Data layers' records on the device"     \
    }

/* The options of commands that take a net's shapes only; `default_phase` if none is given. */
#define LCL_SHAPE_OPTIONS(default_phase)                                                 \
    {"model", "FILE", NULL, "the net's prototxt"},                                       \
        {"phase", "TRAIN|TEST", default_phase, "phase of the net"},                      \
        {"input-shape", "[TOP=]N,C,H,W", NULL,                                           \
         "shape of an input, say where the data are missing"},                           \
        LCL_STATE_OPTIONS

/* What --level and --stage say. */
typedef struct {
    bool has_level;
    int level;
    char **stages; /* owned */
    size_t n_stages;
} lcl_state_args;

lcl_status lcl_args_state(const lcl_args *args, lcl_state_args *out, lcl_error *err);
void lcl_state_args_free(lcl_state_args *state);
lcl_unknown lcl_args_unknown(const lcl_args *args);
lcl_status lcl_args_residency(const lcl_args *args, lcl_residency *out, lcl_error *err);

/* What --phase says. */
lcl_status lcl_args_phase(const lcl_args *args, Caffe__Phase *out, lcl_error *err);

/* Reads the net of --model, which must be given. */
lcl_status lcl_args_read_model(const lcl_args *args, lcl_log *log, lcl_proto **out,
                               lcl_error *err);

/* The device of the flags and the net of --model on it, with the weights of --weights if
 * given. *dev may be set on failure too: close it in any case. */
lcl_status lcl_args_open_net(const lcl_args *args, Caffe__Phase phase, lcl_log *log,
                             lcl_device **dev, lcl_net **net, lcl_error *err);

/* What LCL_SHAPE_OPTIONS say of a net on a blank device. */
typedef struct {
    lcl_net_options options; /* points into the rest, which is owned */
    lcl_state_args state;
    lcl_net_input *inputs;
    char **pieces; /* of --input-shape */
    size_t n_pieces;
} lcl_shape_args;

/* Free it on failure, too. */
lcl_status lcl_args_shape(const lcl_args *args, lcl_shape_args *out, lcl_error *err);
void lcl_shape_args_free(lcl_shape_args *shape);
/* The net that they say on a blank device. *dev may be set on failure too: close it in any
 * case. */
lcl_status lcl_args_blank_net(const lcl_args *args, lcl_log *log, lcl_device **dev,
                              lcl_net **net, lcl_error *err);

#endif
