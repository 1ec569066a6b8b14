/* Checks a layer's gradients against central differences, as Caffe's GradientChecker
 * does. */
#include "gradient.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "testing.h"
#include "text.h"

#define UNTOUCHED 7.0f /* in diffs before backward */

/* A layer with its blobs, and what its gradient is checked by. */
typedef struct {
    const gradient_case *c;
    lcl_device *dev;
    lcl_proto *proto;
    lcl_blas blas;
    lcl_rng rng;
    lcl_layer_env env;
    lcl_layer *layer;
    int n_bottoms, n_tops;
    lcl_blob *bottoms[GRADIENT_MAX_ENDS], *tops[GRADIENT_MAX_ENDS];
    float *values[GRADIENT_MAX_ENDS];  /* of bottoms */
    float *weights[GRADIENT_MAX_ENDS]; /* of tops in the objective, and their diffs */
} fixture;

static float *read_blob(const lcl_blob *b, lcl_which which)
{
    lcl_error err;
    float *values = lcl_alloc(lcl_blob_count(b) + 1, sizeof(float));

    CHECK_OK(lcl_blob_read(b, which, values, &err));
    return values;
}

static void write_blob(lcl_blob *b, lcl_which which, const float *values)
{
    lcl_error err;

    CHECK_OK(lcl_blob_write(b, which, values, &err));
}

/* ---- Setting up ----------------------------------------------------------------------
 */

static void make_bottom(fixture *f, int i, const char *name, int block)
{
    const int *shape = f->c->bottoms[i];
    lcl_error err;
    int n_axes = 0;

    while (n_axes < 5 && shape[n_axes] > 0)
        n_axes++;
    f->bottoms[i] = lcl_blob_create(f->dev, name);
    CHECK_OK(lcl_blob_reshape(f->bottoms[i], n_axes, shape, block, &err));
    CHECK_OK(lcl_blob_need_diff(f->bottoms[i], &err));
    size_t count = lcl_blob_count(f->bottoms[i]);
    f->values[i] = lcl_alloc(count, sizeof(float));
    for (size_t j = 0; j < count; j++)
        f->values[i][j] =
            f->c->value ? f->c->value(i, j) : testing_value((unsigned)i + 1, j);
    write_blob(f->bottoms[i], LCL_DATA, f->values[i]);
}

static lcl_blob *bottom_named(const fixture *f, const char *name)
{
    for (int i = 0; i < f->n_bottoms; i++)
        if (strcmp(f->bottoms[i]->name, name) == 0)
            return f->bottoms[i];
    return NULL;
}

static bool in_place(const fixture *f)
{
    return f->tops[0] == f->bottoms[0];
}

/* Weights of a top in the objective: of a loss its loss weight; else random, or none. */
static void make_weights(fixture *f, int t)
{
    size_t count = lcl_blob_count(f->tops[t]);

    f->weights[t] = lcl_alloc(count, sizeof(float));
    for (size_t i = 0; i < count; i++)
        if (f->layer->type->is_loss)
            f->weights[t][i] = f->layer->loss_weights[t];
        else if (!(f->c->fixed_tops >> t & 1))
            f->weights[t][i] = testing_value(50u + (unsigned)t, i);
}

static void make_params(fixture *f)
{
    lcl_error err;

    for (int p = 0; p < f->layer->n_params; p++) {
        lcl_blob *b = f->layer->params[p];
        size_t count = lcl_blob_count(b);
        float *values = lcl_alloc(count, sizeof(float));
        for (size_t i = 0; i < count; i++)
            values[i] = testing_value(100u + (unsigned)p, i);
        write_blob(b, LCL_DATA, values);
        free(values);
        CHECK_OK(lcl_blob_need_diff(b, &err));
    }
}

static void set_up(fixture *f, const gradient_case *c, int block, int vector)
{
    lcl_error err;

    *f = (fixture){.c = c, .dev = testing_device()};
    CHECK_OK(lcl_proto_parse_text(&f->proto, &caffe__layer_parameter__descriptor, "layer",
                                  c->layer, strlen(c->layer), LCL_UNKNOWN_IS_ERROR, NULL,
                                  &err));
    const Caffe__LayerParameter *param =
        (const Caffe__LayerParameter *)lcl_proto_root(f->proto);
    ck_assert_uint_le(param->n_bottom, GRADIENT_MAX_ENDS);
    ck_assert_uint_le(param->n_top, GRADIENT_MAX_ENDS);
    f->n_bottoms = (int)param->n_bottom;
    f->n_tops = (int)param->n_top;
    for (int i = 0; i < f->n_bottoms; i++)
        make_bottom(f, i, param->bottom[i], block);
    for (int t = 0; t < f->n_tops; t++) {
        f->tops[t] = bottom_named(f, param->top[t]);
        if (!f->tops[t])
            f->tops[t] = lcl_blob_create(f->dev, param->top[t]);
    }
    f->blas = (lcl_blas){f->dev, LCL_GEMM_AUTO};
    lcl_rng_init(&f->rng, 1);
    f->env = (lcl_layer_env){.dev = f->dev,
                             .blas = &f->blas,
                             .source = f->proto,
                             .rng = &f->rng,
                             .block = block,
                             .vector = vector,
                             .phase = c->phase};
    CHECK_OK(lcl_layer_create(&f->layer, param, &f->env, 0, f->bottoms, f->n_bottoms,
                              f->tops, f->n_tops, &err));
    make_params(f);
    for (int t = 0; t < f->n_tops; t++) {
        CHECK_OK(lcl_blob_need_diff(f->tops[t], &err));
        make_weights(f, t);
    }
}

static void tear_down(fixture *f)
{
    lcl_layer_destroy(f->layer);
    for (int t = 0; t < f->n_tops; t++) {
        free(f->weights[t]);
        if (!(t == 0 && in_place(f)))
            lcl_blob_destroy(f->tops[t]);
    }
    for (int i = 0; i < f->n_bottoms; i++) {
        free(f->values[i]);
        lcl_blob_destroy(f->bottoms[i]);
    }
    lcl_proto_destroy(f->proto);
}

/* ---- Running -------------------------------------------------------------------------
 */

static void forward(fixture *f)
{
    lcl_error err;

    if (in_place(f))
        write_blob(f->bottoms[0], LCL_DATA, f->values[0]);
    CHECK_OK(lcl_layer_forward(f->layer, &err));
}

static double objective(fixture *f)
{
    double sum = 0;

    forward(f);
    for (int t = 0; t < f->n_tops; t++) {
        float *values = read_blob(f->tops[t], LCL_DATA);
        for (size_t i = 0; i < lcl_blob_count(f->tops[t]); i++)
            if (f->weights[t][i] != 0)
                sum += (double)f->weights[t][i] * (double)values[i];
        free(values);
    }
    return sum;
}

static void fill_diff(lcl_blob *b)
{
    lcl_error err;

    CHECK_OK(lcl_buffer_fill(b->dev, b->diff, 0, lcl_blob_stored(b) * sizeof(float),
                             UNTOUCHED, &err));
}

/* Every stored diff of a blob, padding too. */
static float *stored_diff(const lcl_blob *b)
{
    lcl_error err;
    size_t size = lcl_blob_stored(b) * sizeof(float);
    float *values = lcl_alloc(size, 1);

    CHECK_OK(lcl_buffer_read(b->dev, b->diff, 0, size, values, &err));
    return values;
}

static void backward(fixture *f)
{
    lcl_error err;

    forward(f);
    for (int i = 0; i < f->n_bottoms; i++)
        fill_diff(f->bottoms[i]);
    for (int t = 0; t < f->n_tops; t++)
        write_blob(f->tops[t], LCL_DIFF, f->weights[t]);
    CHECK_OK(lcl_layer_backward(f->layer, &err));
}

/* ---- Checks --------------------------------------------------------------------------
 */

static void check_element(fixture *f, lcl_blob *b, float *values, size_t i,
                          float analytic, const char *what)
{
    float step = f->c->step > 0 ? f->c->step : 1e-2f, x = values[i];
    double threshold = f->c->threshold > 0 ? (double)f->c->threshold : 1e-3;

    values[i] = x + step;
    write_blob(b, LCL_DATA, values);
    double above = objective(f);
    values[i] = x - step;
    write_blob(b, LCL_DATA, values);
    double below = objective(f);
    values[i] = x;
    write_blob(b, LCL_DATA, values);

    double estimate = (above - below) / (2 * (double)step), a = (double)analytic;
    double scale = fmax(fmax(fabs(a), fabs(estimate)), 1);
    ck_assert_msg(fabs(a - estimate) <= threshold * scale,
                  "block %d, vector %d: %s[%zu]: gradient %g, difference quotient %g",
                  f->env.block, f->env.vector, what, i, a, estimate);
}

static bool near_kink(const gradient_case *c, float x)
{
    return c->kink_range > 0 && fabsf(fabsf(x) - c->kink) <= c->kink_range;
}

static void check_unused_lanes(const lcl_blob *b)
{
    float *diff = stored_diff(b);
    size_t block = (size_t)b->block, images = (size_t)lcl_blob_dim(b, 0);
    size_t count = lcl_blob_image_count(b), first = images / block * block;

    for (size_t lane = images - first; block > 1 && images > first && lane < block;
         lane++)
        for (size_t e = 0; e < count; e++)
            ck_assert_msg(diff[first * count + e * block + lane] == 0,
                          "the diff of '%s' in lane %zu, which holds no image, is %g",
                          b->name, lane, (double)diff[first * count + e * block + lane]);
    free(diff);
}

static void check_bottoms(fixture *f)
{
    float *diffs[GRADIENT_MAX_ENDS] = {0};

    backward(f);
    for (int i = 0; i < f->n_bottoms; i++)
        if (f->layer->propagate[i]) {
            diffs[i] = read_blob(f->bottoms[i], LCL_DIFF);
            check_unused_lanes(f->bottoms[i]);
        }
    for (int i = 0; i < f->n_bottoms; i++)
        for (size_t j = 0; diffs[i] && j < lcl_blob_count(f->bottoms[i]); j++)
            if (!near_kink(f->c, f->values[i][j]))
                check_element(f, f->bottoms[i], f->values[i], j, diffs[i][j],
                              f->bottoms[i]->name);
    for (int i = 0; i < f->n_bottoms; i++)
        free(diffs[i]);
}

static void check_param(fixture *f, int p)
{
    lcl_blob *b = f->layer->params[p];
    size_t count = lcl_blob_count(b);
    char what[32];

    snprintf(what, sizeof what, "parameter %d", p);
    fill_diff(b);
    backward(f);
    float *diff = read_blob(b, LCL_DIFF), *values = read_blob(b, LCL_DATA);
    for (size_t i = 0; i < count; i++)
        check_element(f, b, values, i, diff[i], what);
    f->layer->accumulate[p] = true;
    backward(f);
    f->layer->accumulate[p] = false;
    float *twice = read_blob(b, LCL_DIFF);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(fabsf(twice[i] - 2 * diff[i]) <= 1e-5f * (1 + fabsf(diff[i])),
                      "%s[%zu]: %g and as much again gives %g", what, i, (double)diff[i],
                      (double)twice[i]);
    free(twice);
    free(diff);
    free(values);
}

static void check_untouched(const lcl_blob *b)
{
    float *diff = stored_diff(b);

    for (size_t i = 0; i < lcl_blob_stored(b); i++)
        ck_assert_msg(diff[i] == UNTOUCHED, "the diff of '%s' was written at %zu",
                      b->name, i);
    free(diff);
}

static void check_no_propagation(fixture *f)
{
    lcl_layer *l = f->layer;

    for (int i = 0; i < f->n_bottoms; i++)
        l->propagate[i] = false;
    for (int p = 0; p < l->n_params; p++) {
        l->param_propagate[p] = false;
        fill_diff(l->params[p]);
    }
    backward(f);
    for (int i = 0; i < f->n_bottoms && !in_place(f); i++)
        check_untouched(f->bottoms[i]);
    for (int p = 0; p < l->n_params; p++)
        check_untouched(l->params[p]);
}

void gradient_check_block(const gradient_case *c, int block, int vector)
{
    fixture f;

    set_up(&f, c, block, vector);
    check_bottoms(&f);
    for (int p = 0; p < f.layer->n_params; p++)
        check_param(&f, p);
    check_no_propagation(&f);
    tear_down(&f);
}

void gradient_check(const gradient_case *c)
{
    gradient_check_block(c, 1, 1);
    gradient_check_block(c, 16, 16);
    gradient_check_block(c, 8, 4);
}
