/* Opens the device and the net that the flags name. */
#include "commands/net_args.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

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

lcl_status lcl_args_phase(const lcl_args *args, Caffe__Phase *out, lcl_error *err)
{
    const char *name = lcl_args_get(args, "phase");

    if (strcmp(name, "TRAIN") != 0 && strcmp(name, "TEST") != 0)
        return lcl_fail(err, LCL_EUSAGE, "--phase",
                        "phase must be \"TRAIN\" or \"TEST\", not \"%s\"", name);
    *out = strcmp(name, "TEST") == 0 ? CAFFE__PHASE__TEST : CAFFE__PHASE__TRAIN;
    return LCL_OK;
}

lcl_status lcl_args_read_model(const lcl_args *args, lcl_log *log, lcl_proto **out,
                               lcl_error *err)
{
    if (!lcl_args_given(args, "model"))
        return lcl_fail(err, LCL_EUSAGE, "--model", "a net's prototxt is needed");
    return lcl_proto_read_text(out, &caffe__net_parameter__descriptor,
                               lcl_args_get(args, "model"), lcl_args_unknown(args), log,
                               err);
}

static void set_state(lcl_net_options *options, const lcl_state_args *state)
{
    options->has_level = state->has_level;
    options->level = state->level;
    options->stages = (const char *const *)state->stages;
    options->n_stages = state->n_stages;
}

lcl_status lcl_args_residency(const lcl_args *args, lcl_residency *out, lcl_error *err)
{
    static const char *const names[] = {"auto", "on", "off"};
    const char *name = lcl_args_get(args, "resident");

    for (size_t i = 0; i < LCL_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (lcl_residency)i;
            return LCL_OK;
        }
    }
    return lcl_fail(err, LCL_EUSAGE, "--resident", "'%s' is none of auto, on, off", name);
}

/* ---- Nets to run ------------------------------------------------------------------- */

static lcl_status create_net(const lcl_args *args, const lcl_proto *model,
                             Caffe__Phase phase, lcl_log *log, lcl_device *dev,
                             lcl_net **net, lcl_error *err)
{
    lcl_net_options options = {.phase = phase, .seed = -1, .fuse = true, .log = log};
    lcl_state_args state;

    LCL_TRY(lcl_args_gemm(args, &options.gemm, err));
    LCL_TRY(lcl_args_residency(args, &options.residency, err));
    LCL_TRY(lcl_args_state(args, &state, err));
    set_state(&options, &state);
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

    LCL_TRY(lcl_args_read_model(args, log, &model, err));
    lcl_status status = lcl_args_open_device(args, LCL_PREFER_ANY, log, dev, err);
    if (status == LCL_OK)
        status = create_net(args, model, phase, log, *dev, net, err);
    if (status == LCL_OK)
        status = load_weights(args, *net, err);
    lcl_proto_destroy(model);
    return status;
}

/* ---- Nets to look at --------------------------------------------------------------- */

static lcl_status read_dimension(const char *text, lcl_net_input *shape, lcl_error *err)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (end == text || *end || n < 1 || n > INT_MAX) {
        lcl_fail(err, LCL_EUSAGE, "--input-shape", "'%s' is not a dimension", text);
        return lcl_hint(err, LCL_EUSAGE,
                        "for example --input-shape 64,3,224,224, or by name "
                        "data=64,3,224,224,label=64");
    }
    if (shape->n_axes == LCL_MAX_AXES)
        return lcl_fail(err, LCL_EUSAGE, "--input-shape",
                        "a shape can have no more than %d dimensions", LCL_MAX_AXES);
    shape->shape[shape->n_axes++] = (int)n;
    return LCL_OK;
}

/* A piece is N or, where the shape of another top begins, TOP=N. */
static lcl_status read_inputs(lcl_shape_args *s, lcl_error *err)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_pieces; i++) {
        char *number = s->pieces[i], *equals = strrchr(number, '=');
        if (i == 0 || equals)
            s->inputs[n++] = (lcl_net_input){.top = equals ? s->pieces[i] : NULL};
        if (equals) {
            *equals = '\0';
            number = equals + 1;
        }
        LCL_TRY(read_dimension(number, &s->inputs[n - 1], err));
    }
    s->options.inputs = s->inputs;
    s->options.n_inputs = n;
    return LCL_OK;
}

lcl_status lcl_args_shape(const lcl_args *args, lcl_shape_args *out, lcl_error *err)
{
    *out = (lcl_shape_args){.options = {.seed = 1}};
    out->pieces = lcl_list_split(lcl_args_get(args, "input-shape"), &out->n_pieces);
    out->inputs = lcl_alloc(out->n_pieces, sizeof *out->inputs);
    LCL_TRY(read_inputs(out, err));
    LCL_TRY(lcl_args_phase(args, &out->options.phase, err));
    LCL_TRY(lcl_args_state(args, &out->state, err));
    set_state(&out->options, &out->state);
    return LCL_OK;
}

lcl_status lcl_args_blank_net(const lcl_args *args, lcl_log *log, lcl_device **dev,
                              lcl_net **net, lcl_error *err)
{
    lcl_shape_args shape;
    lcl_proto *model;

    LCL_TRY(lcl_args_read_model(args, log, &model, err));
    lcl_status status = lcl_args_shape(args, &shape, err);
    *dev = lcl_device_create_blank();
    if (status == LCL_OK)
        status = lcl_net_create(net, *dev, model, &shape.options, err);
    lcl_shape_args_free(&shape);
    lcl_proto_destroy(model);
    return status;
}

void lcl_shape_args_free(lcl_shape_args *shape)
{
    free(shape->inputs);
    lcl_list_free(shape->pieces, shape->n_pieces);
    lcl_state_args_free(&shape->state);
}
