/* Filters a net's layers by phase, level and stage, and inserts splits; see net_graph.h.
 */
#include "net_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

typedef Caffe__LayerParameter layer_message;

/* A top, as long as the layers are walked. */
typedef struct {
    const char *name;
    size_t layer;
    size_t n_uses, n_taken; /* by bottoms, and as a loss */
    float loss_weight;
} graph_top;

typedef struct {
    lcl_proto *p;
    Caffe__NetParameter *net;
    lcl_log *log;
    layer_message **dropped; /* kept until the end: addresses stay unique */
    size_t n_dropped;
    graph_top *tops; /* of all layers, in order */
    size_t n_tops;
    size_t *sources; /* of all bottoms, in order: index in tops */
} graph;

static const char *name_of(const layer_message *l)
{
    return l->name ? l->name : "";
}

/* ---- State and rules --------------------------------------------------------------- */

static void set_state(Caffe__NetParameter *net, const lcl_net_options *o)
{
    Caffe__NetState *s = net->state;

    if (!s)
        s = net->state = lcl_proto_new(&caffe__net_state__descriptor);
    s->has_phase = true;
    s->phase = o->phase;
    if (o->has_level) {
        s->has_level = true;
        s->level = o->level;
    }
    if (!o->n_stages)
        return;
    s->stage = lcl_resize(s->stage, s->n_stage + o->n_stages, sizeof *s->stage);
    for (size_t i = 0; i < o->n_stages; i++)
        s->stage[s->n_stage++] = lcl_strdup(o->stages[i]);
}

static bool has_stage(const Caffe__NetState *state, const char *stage)
{
    for (size_t i = 0; i < state->n_stage; i++)
        if (strcmp(state->stage[i], stage) == 0)
            return true;
    return false;
}

/* Says why not where it does not. */
static bool meets(const Caffe__NetState *s, const Caffe__NetStateRule *r,
                  const char *layer, lcl_log *log)
{
    if (r->has_phase && r->phase != s->phase) {
        LCL_LOG(log,
                "The NetState phase (%d) differed from the phase (%d) specified by a "
                "rule in layer %s",
                s->phase, r->phase, layer);
        return false;
    }
    if (r->has_min_level && s->level < r->min_level) {
        LCL_LOG(log,
                "The NetState level (%d) is above the min_level (%d) specified by a "
                "rule in layer %s",
                s->level, r->min_level, layer);
        return false;
    }
    if (r->has_max_level && s->level > r->max_level) {
        LCL_LOG(log,
                "The NetState level (%d) is above the max_level (%d) specified by a "
                "rule in layer %s",
                s->level, r->max_level, layer);
        return false;
    }
    for (size_t i = 0; i < r->n_stage; i++)
        if (!has_stage(s, r->stage[i])) {
            LCL_LOG(log,
                    "The NetState did not contain stage '%s' specified by a rule in "
                    "layer %s",
                    r->stage[i], layer);
            return false;
        }
    for (size_t i = 0; i < r->n_not_stage; i++)
        if (has_stage(s, r->not_stage[i])) {
            LCL_LOG(log,
                    "The NetState contained a not_stage '%s' specified by a rule in "
                    "layer %s",
                    r->not_stage[i], layer);
            return false;
        }
    return true;
}

static bool meets_any(const graph *g, const layer_message *l,
                      Caffe__NetStateRule *const *rules, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (meets(g->net->state, rules[i], name_of(l), g->log))
            return true;
    return false;
}

static lcl_status filter(graph *g, lcl_error *err)
{
    Caffe__NetParameter *net = g->net;
    size_t n = net->n_layer, kept = 0;

    for (size_t i = 0; i < n; i++) {
        const layer_message *l = net->layer[i];
        if (l->n_include && l->n_exclude)
            return lcl_proto_fail(g->p, l, "exclude", err, LCL_EPROTO,
                                  "layer '%s': Specify either include rules or exclude "
                                  "rules; not both",
                                  name_of(l));
    }
    g->dropped = lcl_alloc(n, sizeof *g->dropped);
    for (size_t i = 0; i < n; i++) {
        layer_message *l = net->layer[i];
        bool in = l->n_include ? meets_any(g, l, l->include, l->n_include)
                               : !meets_any(g, l, l->exclude, l->n_exclude);
        if (in)
            net->layer[kept++] = l;
        else
            g->dropped[g->n_dropped++] = l;
    }
    net->n_layer = kept;
    return LCL_OK;
}

static void log_net(const graph *g)
{
    char *text;

    if (!g->log)
        return;
    text = lcl_proto_print(&g->net->base);
    text[strlen(text) - 1] = '\0'; /* its last newline; there is always a state */
    LCL_LOG(g->log, "Initializing net from parameters: \n%s", text);
    free(text);
}

/* ---- Who reads what ---------------------------------------------------------------- */

/* The last top of that name so far; n_tops where there is none. */
static size_t find_top(const graph *g, const char *name)
{
    for (size_t i = g->n_tops; i-- > 0;)
        if (strcmp(g->tops[i].name, name) == 0)
            return i;
    return g->n_tops;
}

static const layer_message *find_maker(layer_message *const *layers, size_t n,
                                       const char *blob)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < layers[i]->n_top; j++)
            if (strcmp(layers[i]->top[j], blob) == 0)
                return layers[i];
    return NULL;
}

static lcl_status hint_blobs(const graph *g, const char *blob, lcl_error *err)
{
    const Caffe__NetParameter *net = g->net;
    const layer_message *later = find_maker(net->layer, net->n_layer, blob);
    const layer_message *out = find_maker(g->dropped, g->n_dropped, blob);
    const char **names, *near;

    if (later)
        return lcl_hint(err, LCL_EPROTO,
                        "layer '%s' makes it, but stands below: layers run in the order "
                        "of the file",
                        name_of(later));
    if (out)
        return lcl_hint(err, LCL_EPROTO,
                        "layer '%s' makes it, but its include and exclude rules keep it "
                        "out of phase %s",
                        name_of(out), net->state->phase ? "TEST" : "TRAIN");
    names = lcl_alloc(g->n_tops, sizeof *names);
    for (size_t i = 0; i < g->n_tops; i++)
        names[i] = g->tops[i].name;
    near = lcl_nearest(blob, names, g->n_tops);
    if (near)
        lcl_hint(err, LCL_EPROTO, "did you mean '%s'?", near);
    else
        lcl_hint(err, LCL_EPROTO, "no layer above has a top of that name");
    free(names);
    return LCL_EPROTO;
}

/* Fills tops and sources. */
static lcl_status find_uses(graph *g, lcl_error *err)
{
    const Caffe__NetParameter *net = g->net;
    size_t n_bottoms = 0, n_tops = 0, bottom = 0;

    for (size_t i = 0; i < net->n_layer; i++) {
        n_bottoms += net->layer[i]->n_bottom;
        n_tops += net->layer[i]->n_top;
    }
    g->tops = lcl_alloc(n_tops, sizeof *g->tops);
    g->sources = lcl_alloc(n_bottoms, sizeof *g->sources);
    for (size_t i = 0; i < net->n_layer; i++) {
        const layer_message *l = net->layer[i];
        for (size_t j = 0; j < l->n_bottom; j++) {
            size_t source = find_top(g, l->bottom[j]);
            if (source == g->n_tops) {
                lcl_proto_fail(g->p, l, "bottom", err, LCL_EPROTO,
                               "Unknown bottom blob '%s' (layer '%s', bottom index %zu)",
                               l->bottom[j], name_of(l), j);
                return hint_blobs(g, l->bottom[j], err);
            }
            g->sources[bottom++] = source;
            g->tops[source].n_uses++;
        }
        for (size_t j = 0; j < l->n_top; j++) {
            float weight = j < l->n_loss_weight ? l->loss_weight[j] : 0;
            g->tops[g->n_tops++] = (graph_top){.name = l->top[j],
                                               .layer = i,
                                               .loss_weight = weight,
                                               .n_uses = weight != 0};
        }
    }
    return LCL_OK;
}

/* ---- Splits ------------------------------------------------------------------------ */

/* "<blob>_<layer>_<idx>_split", the name of a split layer. */
static char *split_name(const char *blob, const char *layer, size_t index)
{
    return lcl_format("%s_%s_%zu_split", blob, layer, index);
}

static void clear_loss_weight(layer_message *l)
{
    free(l->loss_weight);
    l->loss_weight = NULL;
    l->n_loss_weight = 0;
}

/* The layer that copies top `index` of `l` to all who read it. A loss is read first. */
static layer_message *make_split(graph *g, layer_message *l, size_t index, graph_top *top)
{
    layer_message *s = lcl_proto_new(&caffe__layer_parameter__descriptor);

    s->name = split_name(l->top[index], name_of(l), index);
    s->type = lcl_strdup("Split");
    s->n_bottom = 1;
    s->bottom = lcl_alloc(1, sizeof *s->bottom);
    s->bottom[0] = lcl_strdup(l->top[index]);
    s->n_top = top->n_uses;
    s->top = lcl_alloc(s->n_top, sizeof *s->top);
    for (size_t k = 0; k < s->n_top; k++)
        s->top[k] = lcl_format("%s_%zu", s->name, k);
    if (top->loss_weight != 0) {
        s->n_loss_weight = s->n_top;
        s->loss_weight = lcl_alloc(s->n_top, sizeof *s->loss_weight);
        s->loss_weight[0] = top->loss_weight;
        clear_loss_weight(l);
        top->n_taken = 1;
    }
    lcl_proto_derive(g->p, s, l);
    return s;
}

/* Bottom j, which comes from `top`, now comes from top's split. */
static void use_split(const graph *g, layer_message *l, size_t j, graph_top *top)
{
    const layer_message *maker = g->net->layer[top->layer];
    size_t index = 0;
    char *split;

    while (strcmp(maker->top[index], top->name) != 0)
        index++;
    split = split_name(top->name, name_of(maker), index);
    free(l->bottom[j]);
    l->bottom[j] = lcl_format("%s_%zu", split, top->n_taken++);
    free(split);
}

static void insert_splits(graph *g)
{
    Caffe__NetParameter *net = g->net;
    layer_message **layers = lcl_alloc(net->n_layer + g->n_tops, sizeof *layers);
    size_t n = 0, bottom = 0, top = 0;

    for (size_t i = 0; i < net->n_layer; i++) {
        layer_message *l = net->layer[i];
        for (size_t j = 0; j < l->n_bottom; j++) {
            graph_top *source = &g->tops[g->sources[bottom++]];
            if (source->n_uses > 1)
                use_split(g, l, j, source);
        }
        layers[n++] = l;
        for (size_t j = 0; j < l->n_top; j++, top++)
            if (g->tops[top].n_uses > 1)
                layers[n++] = make_split(g, l, j, &g->tops[top]);
    }
    free(net->layer);
    net->layer = layers;
    net->n_layer = n;
}

/* ---- The rest ---------------------------------------------------------------------- */

static bool same_top(const layer_message *a, size_t i, const layer_message *b, size_t j)
{
    return strcmp(a->top[i], b->top[j]) == 0;
}

/* Top j of layer i has a maker already, and is not that layer's bottom j. */
static lcl_status fail_twice(const graph *g, const layer_message *l, size_t j,
                             const layer_message *maker, lcl_error *err)
{
    const char *blob = l->top[j];
    size_t n = strlen(blob);

    lcl_proto_fail(g->p, l, "top", err, LCL_EPROTO,
                   "Top blob '%s' produced by multiple sources (layers '%s' and '%s')",
                   blob, name_of(maker), name_of(l));
    for (size_t i = 0; i < l->n_bottom; i++)
        if (strncmp(l->bottom[i], blob, n) == 0 && strstr(l->bottom[i] + n, "_split_"))
            return lcl_hint(err, LCL_EPROTO,
                            "'%s' cannot work in place, as another layer reads '%s' too: "
                            "give its top a name of its own",
                            name_of(l), blob);
    return lcl_hint(err, LCL_EPROTO, "give each top a name of its own");
}

static lcl_status check_tops(const graph *g, lcl_error *err)
{
    const Caffe__NetParameter *net = g->net;

    for (size_t i = 0; i < net->n_layer; i++) {
        const layer_message *l = net->layer[i];
        for (size_t j = 0; j < l->n_top; j++) {
            const layer_message *maker = find_maker(net->layer, i, l->top[j]);
            if (j < l->n_bottom && strcmp(l->top[j], l->bottom[j]) == 0)
                continue;
            for (size_t k = 0; !maker && k < j; k++)
                if (same_top(l, k, l, j))
                    maker = l;
            if (maker)
                return fail_twice(g, l, j, maker, err);
        }
    }
    return LCL_OK;
}

static lcl_status check_propagate(const graph *g, lcl_error *err)
{
    for (size_t i = 0; i < g->net->n_layer; i++) {
        const layer_message *l = g->net->layer[i];
        if (l->n_propagate_down && l->n_propagate_down != l->n_bottom)
            return lcl_proto_fail(g->p, l, "propagate_down", err, LCL_EPROTO,
                                  "layer '%s': propagate_down must be given once per "
                                  "bottom (%zu) or not at all, but is given %zu times",
                                  name_of(l), l->n_bottom, l->n_propagate_down);
    }
    return LCL_OK;
}

static void complete_layers(graph *g)
{
    for (size_t i = 0; i < g->net->n_layer; i++) {
        layer_message *l = g->net->layer[i];
        if (!l->name)
            l->name = lcl_strdup("");
        if (!l->has_phase) {
            l->has_phase = true;
            l->phase = g->net->state->phase;
        }
    }
}

static void release(graph *g)
{
    for (size_t i = 0; i < g->n_dropped; i++)
        lcl_proto_free(&g->dropped[i]->base);
    free(g->dropped);
    free(g->tops);
    free(g->sources);
}

lcl_status lcl_net_graph_build(lcl_proto *p, const lcl_net_options *options,
                               lcl_error *err)
{
    graph g = {
        .p = p, .net = (Caffe__NetParameter *)lcl_proto_root(p), .log = options->log};
    lcl_status status;

    set_state(g.net, options);
    status = filter(&g, err);
    if (status == LCL_OK) {
        log_net(&g);
        status = find_uses(&g, err);
    }
    if (status == LCL_OK) {
        insert_splits(&g);
        status = check_tops(&g, err);
    }
    if (status == LCL_OK)
        status = check_propagate(&g, err);
    if (status == LCL_OK)
        complete_layers(&g);
    release(&g);
    return status;
}
