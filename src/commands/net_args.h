/* The flags of commands that run one net: test and time. */
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

/* The device of the flags and the net of --model on it, with the weights of --weights if
 * given. *dev may be set on failure too: close it in any case. */
lcl_status lcl_args_open_net(const lcl_args *args, Caffe__Phase phase, lcl_log *log,
                             lcl_device **dev, lcl_net **net, lcl_error *err);

#endif
