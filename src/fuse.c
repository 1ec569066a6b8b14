/* Which runs of layers may become one step, and that no one misses the blobs between them.
 * How a layer computes such a step is its own business: lcl_layer_type.fuse. */
#include "fuse.h"

#include <string.h>

#include "text.h"

#define LONGEST 3

/* Longer runs first: the first that fits is taken. */
static const char *const patterns[][LONGEST] = {
    {"Convolution", "ReLU", "Pooling"}, {"Convolution", "Pooling", "ReLU"},
    {"Convolution", "Pooling"},         {"Convolution", "ReLU"},
    {"InnerProduct", "ReLU"},
};

/* Layer `first` begins the run, layers up to `end` (not included) are in it. */
static bool has_types(const lcl_net *net, size_t first, size_t end,
                      const char *const *pattern)
{
    for (size_t i = first; i < end; i++)
        if (strcmp(net->layers[i].layer->type->name, pattern[i - first]) != 0)
            return false;
    return true;
}

static bool in_own_layout(const lcl_layer *l)
{
    for (int i = 0; i < l->n_bottoms; i++)
        if (l->bottoms[i] != l->net_bottoms[i])
            return false;
    for (int i = 0; i < l->n_tops; i++)
        if (l->tops[i] != l->net_tops[i])
            return false;
    return true;
}

/* Each layer of the run reads just the one top of the one before. */
static bool is_chain(const lcl_net *net, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        const net_layer *l = &net->layers[i];
        if (l->n_tops != 1 || !in_own_layout(l->layer) || l->layer->loss_weights[0] != 0)
            return false;
        if (i > first &&
            (l->n_bottoms != 1 || l->bottoms[0] != net->layers[i - 1].tops[0]))
            return false;
    }
    return true;
}

/* A blob that the run makes and that is not its result. */
static bool is_inner(const lcl_net *net, size_t first, size_t end, size_t blob)
{
    if (blob == net->layers[end - 1].tops[0])
        return false;
    for (size_t i = first; i < end; i++)
        if (blob == net->layers[i].tops[0])
            return true;
    return false;
}

static bool is_missed(const lcl_net *net, size_t first, size_t end)
{
    for (size_t i = 0; i < net->n_layers; i++) {
        const net_layer *l = &net->layers[i];
        for (size_t j = 0; (i < first || i >= end) && j < l->n_bottoms; j++)
            if (is_inner(net, first, end, l->bottoms[j]))
                return true;
    }
    return false;
}

/* Offers the run to its first layer; *taken says whether it took it. */
static lcl_status offer(lcl_net *net, size_t first, size_t end, bool *taken,
                        lcl_error *err)
{
    lcl_layer *l = net->layers[first].layer, *next[LONGEST];
    lcl_fused fused = LCL_FUSED_NOTHING;

    for (size_t i = first + 1; i < end; i++)
        next[i - first - 1] = net->layers[i].layer;
    LCL_TRY(l->type->fuse(l, next, end - first - 1, &fused, err));
    *taken = fused != LCL_FUSED_NOTHING;
    net->layers[first].fuses = *taken;
    for (size_t i = first + 1; i < end && *taken; i++) {
        net->layers[i].forward_taken = true;
        net->layers[i].backward_taken = fused == LCL_FUSED_BOTH;
    }
    return LCL_OK;
}

lcl_status lcl_fuse(lcl_net *net, lcl_error *err)
{
    for (size_t i = 0; i < net->n_layers; i++) {
        bool taken = net->layers[i].forward_taken || !net->layers[i].layer->type->fuse;
        for (size_t p = 0; p < LCL_COUNT(patterns) && !taken; p++) {
            const size_t length = patterns[p][LONGEST - 1] ? LONGEST : LONGEST - 1;
            const size_t end = i + length;
            if (end <= net->n_layers && has_types(net, i, end, patterns[p]) &&
                is_chain(net, i, end) && !is_missed(net, i, end))
                LCL_TRY(offer(net, i, end, &taken, err));
        }
    }
    return LCL_OK;
}

lcl_status lcl_unfuse(lcl_net *net, lcl_error *err)
{
    lcl_fused fused;

    for (size_t i = 0; i < net->n_layers; i++) {
        net_layer *l = &net->layers[i];
        if (l->fuses)
            LCL_TRY(l->layer->type->fuse(l->layer, NULL, 0, &fused, err));
        l->fuses = l->forward_taken = l->backward_taken = false;
    }
    return LCL_OK;
}

bool lcl_is_fused_away(const lcl_net *net, size_t blob)
{
    for (size_t i = 0; i < net->n_layers; i++) {
        size_t end = i + 1;
        while (net->layers[i].fuses && end < net->n_layers &&
               net->layers[end].forward_taken)
            end++;
        if (end > i + 1 && is_inner(net, i, end, blob))
            return true;
    }
    return false;
}
