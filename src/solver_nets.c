/* Which nets a solver has: Caffe's rules for net, train_net, test_net and their states.
 */
#include <stdlib.h>
#include <string.h>

#include "solver_state.h"
#include "text.h"

/* Where a net's description comes from. */
typedef struct {
    const char *path;                  /* a file, or */
    const Caffe__NetParameter *inside; /* a message of the solver */
    const char *field; /* the solver's field: "net", "test_net_param", ... */
} net_origin;

/* ---- The state that filters the layers --------------------------------------------- */

static void add_stage(Caffe__NetState *state, const char *stage)
{
    state->stage = lcl_resize(state->stage, state->n_stage + 1, sizeof *state->stage);
    state->stage[state->n_stage++] = lcl_strdup(stage);
}

static void merge_state(Caffe__NetState *to, const Caffe__NetState *from)
{
    if (!from)
        return;
    if (from->has_phase) {
        to->has_phase = true;
        to->phase = from->phase;
    }
    if (from->has_level) {
        to->has_level = true;
        to->level = from->level;
    }
    for (size_t i = 0; i < from->n_stage; i++)
        add_stage(to, from->stage[i]);
}

/* The net's state becomes: phase, then its own state, then `over` on top. */
static void set_state(Caffe__NetParameter *net, Caffe__Phase phase,
                      const Caffe__NetState *over)
{
    Caffe__NetState *state = lcl_proto_new(&caffe__net_state__descriptor);

    state->has_phase = true;
    state->phase = phase;
    merge_state(state, net->state);
    merge_state(state, over);
    if (net->state)
        lcl_proto_free(&net->state->base);
    net->state = state;
}

/* ---- One net ----------------------------------------------------------------------- */

/* Says so where the file is missing here but lies beside the solver's file. */
static lcl_status hint_folder(const lcl_solver *s, const char *path, lcl_status status,
                              lcl_error *err)
{
    char *folder = lcl_dirname(lcl_proto_name(s->source));
    char *beside = lcl_path_join(folder, path);

    if (status == LCL_EIO && !lcl_file_exists(path) && lcl_file_exists(beside))
        lcl_hint(err, status,
                 "paths in a solver are relative to the working directory; this one is "
                 "right in %s: run from there",
                 folder);
    free(beside);
    free(folder);
    return status;
}

static lcl_status read_net(const lcl_solver *s, const net_origin *origin, lcl_proto **out,
                           lcl_error *err)
{
    if (origin->inside) {
        *out = lcl_proto_copy(s->source, &origin->inside->base);
        return LCL_OK;
    }
    lcl_status status =
        lcl_proto_read_text(out, &caffe__net_parameter__descriptor, origin->path,
                            s->options.unknown, s->log, err);
    return status == LCL_OK ? status : hint_folder(s, origin->path, status, err);
}

/* Options of a net on the solver's device. seed_step keeps the random numbers of a solver's
 * nets apart. */
static lcl_net_options net_options(const lcl_solver *s, size_t seed_step)
{
    return (lcl_net_options){
        .gemm = s->options.gemm,
        .seed =
            s->param->random_seed < 0 ? -1 : s->param->random_seed + (int64_t)seed_step,
        .block = s->options.block,
        .residency = s->options.residency,
        .fuse = !s->param->debug_info,
        .log = s->log,
        .share = s->net,
    };
}

static lcl_status create_net(const lcl_solver *s, const net_origin *origin,
                             Caffe__Phase phase, const Caffe__NetState *over,
                             lcl_device *dev, lcl_net_options options, lcl_net **out,
                             lcl_error *err)
{
    lcl_proto *document;

    LCL_TRY(read_net(s, origin, &document, err));
    Caffe__NetParameter *net = (void *)lcl_proto_root(document);
    set_state(net, phase, over);
    options.phase = net->state->phase;
    lcl_status status = lcl_net_create(out, dev, document, &options, err);
    lcl_proto_destroy(document);
    return status;
}

static lcl_status load_weights_field(const lcl_solver *s, lcl_net *net, lcl_error *err)
{
    for (size_t i = 0; i < s->param->n_weights; i++)
        LCL_TRY(lcl_solver_finetune(net, s->param->weights[i], s->log, err));
    return LCL_OK;
}

/* ---- The train net ----------------------------------------------------------------- */

static lcl_status fail_at(const lcl_solver *s, const char *field, const char *message,
                          lcl_error *err)
{
    return lcl_proto_fail(s->source, s->param, field, err, LCL_EPROTO, "%s", message);
}

static lcl_status find_train_net(const lcl_solver *s, net_origin *origin, lcl_error *err)
{
    const Caffe__SolverParameter *p = s->param;
    const net_origin origins[] = {{NULL, p->train_net_param, "train_net_param"},
                                  {p->train_net, NULL, "train_net"},
                                  {NULL, p->net_param, "net_param"},
                                  {p->net, NULL, "net"}};
    size_t n = 0;

    for (size_t i = 0; i < LCL_COUNT(origins); i++) {
        if (!origins[i].path && !origins[i].inside)
            continue;
        *origin = origins[i];
        n++;
    }
    if (n == 1)
        return LCL_OK;
    if (n == 0)
        return fail_at(
            s, NULL,
            "SolverParameter must specify a train net using one of these fields: "
            "net, net_param, train_net, train_net_param",
            err);
    return fail_at(s, origin->field,
                   "SolverParameter must not contain more than one of these fields "
                   "specifying a train_net: net, net_param, train_net, train_net_param",
                   err);
}

static lcl_status create_train_net(lcl_solver *s, lcl_error *err)
{
    net_origin origin = {0};

    LCL_TRY(find_train_net(s, &origin, err));
    if (origin.inside)
        LCL_LOG(s->log, "Creating training net specified in %s.", origin.field);
    else
        LCL_LOG(s->log, "Creating training net from %s file: %s", origin.field,
                origin.path);
    lcl_net_options options = net_options(s, 0);
    options.n_others = s->options.n_more_devices;
    LCL_TRY(create_net(s, &origin, CAFFE__PHASE__TRAIN, s->param->train_state, s->dev,
                       options, &s->net, err));
    return load_weights_field(s, s->net, err);
}

/* ---- The test nets ----------------------------------------------------------------- */

/* Fields that must agree on the number of test nets. */
static lcl_status check_test_fields(const lcl_solver *s, lcl_error *err)
{
    const Caffe__SolverParameter *p = s->param;
    size_t own = p->n_test_net_param + p->n_test_net;
    bool generic = p->net_param || p->net;

    if (generic ? p->n_test_iter < own : p->n_test_iter != own)
        return fail_at(s, "test_iter",
                       "test_iter must be specified for each test network", err);
    if (p->n_test_state > 0 && p->n_test_state != p->n_test_iter)
        return fail_at(s, "test_state",
                       "test_state must be unspecified or specified once per test net",
                       err);
    if (p->n_test_iter > 0 && p->test_interval <= 0)
        return fail_at(s, "test_interval",
                       "test_interval must be greater than 0 where there are test nets",
                       err);
    for (size_t i = 0; i < p->n_test_iter; i++)
        if (p->test_iter[i] < 0)
            return fail_at(s, "test_iter", "test_iter must not be negative", err);
    return LCL_OK;
}

/* Own test nets come first, messages before files; the generic net gives the others. */
static net_origin test_origin(const Caffe__SolverParameter *p, size_t i)
{
    if (i < p->n_test_net_param)
        return (net_origin){NULL, p->test_net_param[i], "test_net_param"};
    i -= p->n_test_net_param;
    if (i < p->n_test_net)
        return (net_origin){p->test_net[i], NULL, "test_net"};
    if (p->net_param)
        return (net_origin){NULL, p->net_param, "net_param"};
    return (net_origin){p->net, NULL, "net"};
}

static lcl_status create_test_net(lcl_solver *s, size_t i, lcl_error *err)
{
    const Caffe__SolverParameter *p = s->param;
    net_origin origin = test_origin(p, i);
    const Caffe__NetState *over = p->n_test_state > 0 ? p->test_state[i] : NULL;

    if (origin.inside)
        LCL_LOG(s->log, "Creating test net (#%zu) specified by %s", i, origin.field);
    else
        LCL_LOG(s->log, "Creating test net (#%zu) specified by %s file: %s", i,
                origin.field, origin.path);
    LCL_TRY(create_net(s, &origin, CAFFE__PHASE__TEST, over, s->dev,
                       net_options(s, i + 1), &s->test_nets[i], err));
    s->n_test_nets = i + 1;
    return load_weights_field(s, s->test_nets[i], err);
}

/* ---- The train net on further devices ------------------------------------------------ */

/* Its copies would write to one file. */
static lcl_status check_outputs(const lcl_solver *s, lcl_error *err)
{
    for (size_t i = 0; i < lcl_net_n_layers(s->net); i++)
        if (strcmp(lcl_net_layer(s->net, i)->type->name, "HDF5Output") == 0)
            return lcl_layer_fail(lcl_net_layer(s->net, i), NULL, NULL, err, LCL_EUSAGE,
                                  "writes a file, which only one device can do");
    return LCL_OK;
}

static lcl_status create_copies(const lcl_solver *s, lcl_net **copies, lcl_error *err)
{
    const size_t n = s->options.n_more_devices;
    net_origin origin;

    LCL_TRY(check_outputs(s, err));
    LCL_TRY(find_train_net(s, &origin, err));
    for (size_t i = 0; i < n; i++) {
        lcl_net_options options = net_options(s, s->n_test_nets + i + 1);
        options.turn = i + 1;
        options.n_others = n;
        options.log = NULL;
        options.share = NULL;
        LCL_TRY(create_net(s, &origin, CAFFE__PHASE__TRAIN, s->param->train_state,
                           s->options.more_devices[i], options, &copies[i], err));
    }
    LCL_LOG(s->log,
            "Training on %zu devices: the mean of their gradients is learned from.",
            n + 1);
    return LCL_OK;
}

static lcl_status create_replicas(lcl_solver *s, lcl_error *err)
{
    const size_t n = s->options.n_more_devices;

    if (n == 0)
        return LCL_OK;
    lcl_net **copies = lcl_alloc(n, sizeof(lcl_net *));
    lcl_status status = create_copies(s, copies, err);
    if (status == LCL_OK)
        return lcl_replicas_create(&s->replicas, s->net, copies, n, err);
    for (size_t i = 0; i < n; i++)
        lcl_net_destroy(copies[i]);
    free(copies);
    return status;
}

lcl_status lcl_solver_create_nets(lcl_solver *s, lcl_error *err)
{
    LCL_TRY(create_train_net(s, err));
    LCL_TRY(check_test_fields(s, err));
    s->test_nets = lcl_alloc(s->param->n_test_iter + 1, sizeof *s->test_nets);
    for (size_t i = 0; i < s->param->n_test_iter; i++)
        LCL_TRY(create_test_net(s, i, err));
    return create_replicas(s, err);
}
