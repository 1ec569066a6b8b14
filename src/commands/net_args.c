/* Opens the device and the net that the flags name. */
#include "commands/net_args.h"

#include <limits.h>

#include "text.h"

lcl_status lcl_args_state(const lcl_args *args, lcl_state_args *out, lcl_error *err)
{
    long level = 0;

    *out = (lcl_state_args){.has_level = lcl_args_given(args, "level")};
    if (out->has_level)
        LCL_TRY(lcl_args_int(args, "level", INT_MIN, INT_MAX, &level, err));
    out->level = (int)level;
    out->stages = lcl_list_split(lcl_args_get(args, "stage"), &out->n_stages);
    return LCL_OK;
}

void lcl_state_args_free(lcl_state_args *state)
{
    lcl_list_free(state->stages, state->n_stages);
}

lcl_unknown lcl_args_unknown(const lcl_args *args)
{
    return lcl_args_switch(args, "allow-unknown") ? LCL_UNKNOWN_IS_WARNED
                                                  : LCL_UNKNOWN_IS_ERROR;
}

static lcl_status create_net(const lcl_args *args, const lcl_proto *model,
                             Caffe__Phase phase, lcl_log *log, lcl_device *dev,
                             lcl_net **net, lcl_error *err)
{
    lcl_state_args state;
    lcl_gemm_backend gemm;

    LCL_TRY(lcl_args_gemm(args, &gemm, err));
    LCL_TRY(lcl_args_state(args, &state, err));
    const lcl_net_options options = {
        .phase = phase,
        .has_level = state.has_level,
        .level = state.level,
        .stages = (const char *const *)state.stages,
        .n_stages = state.n_stages,
        .gemm = gemm,
        .seed = -1,
        .fuse = true,
        .log = log,
    };
    lcl_status status = lcl_net_create(net, dev, model, &options, err);
    lcl_state_args_free(&state);
    return status;
}

static lcl_status load_weights(const lcl_args *args, lcl_net *net, lcl_error *err)
{
    const char *weights = lcl_args_get(args, "weights");

    return weights && *weights ? lcl_net_load(net, weights, err) : LCL_OK;
}

lcl_status lcl_args_open_net(const lcl_args *args, Caffe__Phase phase, lcl_log *log,
                             lcl_device **dev, lcl_net **net, lcl_error *err)
{
    lcl_proto *model;

    LCL_TRY(lcl_proto_read_text(&model, &caffe__net_parameter__descriptor,
                                lcl_args_get(args, "model"), lcl_args_unknown(args), log,
                                err));
    lcl_status status = lcl_args_open_device(args, LCL_PREFER_ANY, log, dev, err);
    if (status == LCL_OK)
        status = create_net(args, model, phase, log, *dev, net, err);
    if (status == LCL_OK)
        status = load_weights(args, *net, err);
    lcl_proto_destroy(model);
    return status;
}
