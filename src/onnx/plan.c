/* Which layers of a net are to be written, and what goes in and comes out. */
#include <stdlib.h>
#include <string.h>

#include "onnx/onnx.h"
#include "text.h"

static size_t n_steps(const lcl_onnx *x)
{
    return lcl_net_n_layers(x->net);
}

/* ---- Values ------------------------------------------------------------------------ */

/* The blob's value as the layers so far leave it. */
static size_t value_of(const lcl_onnx *x, const lcl_blob *blob)
{
    size_t i = x->n_values;

    while (x->values[--i].blob != blob)
        continue;
    return i;
}

static void list_bottoms(lcl_onnx *x, lcl_onnx_step *s)
{
    size_t n = (size_t)s->layer->n_bottoms;

    s->bottoms = lcl_alloc(n, sizeof *s->bottoms);
    for (size_t i = 0; i < n; i++)
        s->bottoms[i] = x->values[value_of(x, s->layer->net_bottoms[i])].same;
}

static void list_tops(lcl_onnx *x, lcl_onnx_step *s)
{
    const lcl_layer *l = s->layer;
    bool split = strcmp(l->type->name, "Split") == 0, learned = l->n_params > 0;
    size_t n = (size_t)l->n_tops;

    for (int i = 0; i < l->n_bottoms; i++)
        learned |= x->values[s->bottoms[i]].learned;
    s->tops = lcl_alloc(n, sizeof *s->tops);
    x->values = lcl_resize(x->values, x->n_values + n, sizeof *x->values);
    for (size_t i = 0; i < n; i++) {
        size_t v = s->tops[i] = x->n_values++;
        bool is_loss = s->type->is_loss && i == 0;
        x->values[v] =
            (lcl_onnx_value){.blob = l->net_tops[i],
                             .shape = is_loss ? l->net_bottoms[0] : l->net_tops[i],
                             .same = split ? s->bottoms[0] : v,
                             .layer = (size_t)(s - x->steps),
                             .is_loss = is_loss,
                             .learned = learned};
    }
}

static void list_steps(lcl_onnx *x)
{
    x->steps = lcl_alloc(n_steps(x), sizeof *x->steps);
    for (size_t i = 0; i < n_steps(x); i++) {
        lcl_onnx_step *s = &x->steps[i];
        s->layer = lcl_net_layer(x->net, i);
        s->type = lcl_onnx_find(s->layer->type->name);
        list_bottoms(x, s);
        list_tops(x, s);
    }
}

/* ---- Outputs ----------------------------------------------------------------------- */

int lcl_onnx_n_taken(const lcl_onnx_step *s)
{
    int n = s->layer->n_bottoms, limit = s->type->n_bottoms;

    return limit > 0 && limit < n ? limit : n;
}

static bool is_split(const lcl_onnx_step *s)
{
    return strcmp(s->type->info.type, "Split") == 0;
}

/* Counts the readers of every value. Where these are layers that become nothing, `ends` says
 * whether an output is what remains. */
static void count_readers(lcl_onnx *x, bool *ends, bool *read)
{
    for (size_t i = 0; i < n_steps(x); i++) {
        const lcl_onnx_step *s = &x->steps[i];
        for (int k = 0; k < s->layer->n_bottoms && !is_split(s); k++) {
            lcl_onnx_value *v = &x->values[s->bottoms[k]];
            read[s->bottoms[k]] = true;
            if (s->type->role == LCL_ONNX_NOTHING)
                ends[s->bottoms[k]] |=
                    k < s->type->n_predictions && (k == 0 || v->learned);
            else if (k < lcl_onnx_n_taken(s)) {
                v->n_readers++;
                v->reader = i;
            }
        }
    }
}

bool lcl_onnx_is_input(const lcl_onnx *x, const lcl_onnx_value *v)
{
    return x->steps[v->layer].type->role == LCL_ONNX_INPUT;
}

/* A loss with a second top has its predictions there. */
static bool is_second_best(const lcl_onnx *x, const lcl_onnx_value *v)
{
    return v->is_loss && x->steps[v->layer].layer->n_tops > 1;
}

static void find_outputs(lcl_onnx *x)
{
    bool *ends = lcl_alloc(x->n_values, sizeof *ends);
    bool *read = lcl_alloc(x->n_values, sizeof *read);

    count_readers(x, ends, read);
    for (size_t i = 0; i < x->n_values; i++) {
        lcl_onnx_value *v = &x->values[i];
        bool made = x->steps[v->layer].type->role == LCL_ONNX_NODES && v->same == i;
        v->wanted =
            made && !is_second_best(x, v) && v->n_readers == 0 && (!read[i] || ends[i]);
    }
    free(ends);
    free(read);
}

/* Everything that the outputs depend on. */
static bool find_needed(lcl_onnx *x)
{
    bool any = false;

    for (size_t i = 0; i < x->n_values; i++)
        any |= x->values[i].needed = x->values[i].wanted;
    for (size_t i = n_steps(x); i-- > 0;) {
        lcl_onnx_step *s = &x->steps[i];
        for (int k = 0; k < s->layer->n_tops; k++)
            s->needed |= x->values[s->tops[k]].needed;
        for (int k = 0; k < lcl_onnx_n_taken(s) && s->needed; k++)
            x->values[s->bottoms[k]].needed = true;
    }
    return any;
}

/* ---- Names ------------------------------------------------------------------------- */

/* "prob" as in deployed nets, unless there are several, or a blob of that name. */
static const char *name_of_predictions(lcl_onnx *x, const lcl_onnx_value *v)
{
    size_t n = 0;

    for (size_t i = 0; i < x->n_values; i++)
        n += x->values[i].is_loss && x->values[i].wanted;
    if (n == 1 && !lcl_net_blob(x->net, "prob"))
        return lcl_onnx_name(x, "prob");
    char *wanted = lcl_format("%s/prob", x->steps[v->layer].layer->param->name);
    const char *name = lcl_onnx_name(x, wanted);
    free(wanted);
    return name;
}

/* Inputs have their blobs' names, and so has the last value of each other blob. */
static void name_values(lcl_onnx *x)
{
    for (size_t i = 0; i < x->n_values; i++)
        if (x->values[i].needed && lcl_onnx_is_input(x, &x->values[i]))
            x->values[i].name = lcl_onnx_name(x, x->values[i].blob->name);
    for (size_t i = 0; i < x->n_values; i++) {
        lcl_onnx_value *v = &x->values[i];
        if (v->needed && !v->name && !v->is_loss && value_of(x, v->blob) == i)
            v->name = lcl_onnx_name(x, v->blob->name);
    }
    for (size_t i = 0; i < x->n_values; i++)
        if (x->values[i].is_loss && x->values[i].wanted)
            x->values[i].name = name_of_predictions(x, &x->values[i]);
}

lcl_status lcl_onnx_plan(lcl_onnx *x, const lcl_net *net, lcl_error *err)
{
    *x = (lcl_onnx){.net = net, .graph = lcl_proto_new(&onnx__graph_proto__descriptor)};
    if (lcl_net_param_proto(net)->state->phase != CAFFE__PHASE__TEST)
        return lcl_fail(err, LCL_EUSAGE, NULL,
                        "only the TEST phase of a net can be written as ONNX");
    list_steps(x);
    find_outputs(x);
    if (!find_needed(x))
        return lcl_fail(
            err, LCL_EPROTO, NULL,
            "net '%s' has no outputs but data, losses and accuracies, which are "
            "left out",
            lcl_net_name(net));
    name_values(x);
    return LCL_OK;
}

void lcl_onnx_release(lcl_onnx *x)
{
    for (size_t i = 0; x->steps && i < n_steps(x); i++) {
        free(x->steps[i].bottoms);
        free(x->steps[i].tops);
    }
    free(x->steps);
    free(x->values);
    lcl_list_free(x->names, x->n_names);
    lcl_proto_free(&x->graph->base);
}
