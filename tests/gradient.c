/* Checks a layer's gradients against central differences, as Caffe's GradientChecker
 * does. */
#include "gradient.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"
#include "text.h"

#define UNTOUCHED 7.0f /* in diffs before backward */

/* A layer with its blobs, and what its gradient is checked by. */
typedef struct {
    const gradient_case *c;
    layer_fixture f;
    float *values[FIXTURE_MAX_ENDS];  /* of bottoms */
    float *weights[FIXTURE_MAX_ENDS]; /* of tops in the objective, and their diffs */
} check;

/* ---- Setting up -------------------------------------------------------------------- */

static void make_values(check *k, int i)
{
    lcl_blob *b = k->f.bottoms[i];
    size_t count = lcl_blob_count(b);

    k->values[i] = lcl_alloc(count, sizeof(float));
    for (size_t j = 0; j < count; j++)
        k->values[i][j] =
            k->c->value ? k->c->value(i, j) : testing_value((unsigned)i + 1, j);
    layer_fixture_write(b, LCL_DATA, k->values[i]);
}

/* Weights of a top in the objective: of a loss its loss weight; else random, or none. */
static void make_weights(check *k, int t)
{
    size_t count = lcl_blob_count(k->f.tops[t]);

    k->weights[t] = lcl_alloc(count, sizeof(float));
    for (size_t i = 0; i < count; i++)
        if (k->f.layer->type->is_loss)
            k->weights[t][i] = k->f.layer->loss_weights[t];
        else if (!(k->c->fixed_tops >> t & 1))
            k->weights[t][i] = testing_value(50u + (unsigned)t, i);
}

static void make_param(check *k, int p)
{
    lcl_blob *b = k->f.layer->params[p];
    size_t count = lcl_blob_count(b);
    float *values = lcl_alloc(count, sizeof(float));

    for (size_t i = 0; i < count; i++)
        values[i] = testing_value(100u + (unsigned)p, i);
    layer_fixture_write(b, LCL_DATA, values);
    free(values);
}

static void set_up(check *k, const gradient_case *c, int block, int vector)
{
    lcl_error err;

    *k = (check){.c = c};
    CHECK_OK(
        layer_fixture_open(&k->f, c->layer, c->bottoms, block, vector, c->phase, &err));
    for (int i = 0; i < k->f.n_bottoms; i++)
        make_values(k, i);
    for (int t = 0; t < k->f.n_tops; t++)
        make_weights(k, t);
    for (int p = 0; p < k->f.layer->n_params; p++)
        make_param(k, p);
}

static void tear_down(check *k)
{
    layer_fixture_close(&k->f);
    for (int i = 0; i < FIXTURE_MAX_ENDS; i++) {
        free(k->weights[i]);
        free(k->values[i]);
    }
}

/* ---- Running ----------------------------------------------------------------------- */

static void forward(check *k)
{
    lcl_error err;

    if (k->f.in_place)
        layer_fixture_write(k->f.bottoms[0], LCL_DATA, k->values[0]);
    CHECK_OK(lcl_layer_forward(k->f.layer, &err));
}

static double objective(check *k)
{
    double sum = 0;

    forward(k);
    for (int t = 0; t < k->f.n_tops; t++) {
        float *values = layer_fixture_read(k->f.tops[t], LCL_DATA);
        for (size_t i = 0; i < lcl_blob_count(k->f.tops[t]); i++)
            if (k->weights[t][i] != 0)
                sum += (double)k->weights[t][i] * (double)values[i];
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

static void backward(check *k)
{
    lcl_error err;

    forward(k);
    for (int i = 0; i < k->f.n_bottoms; i++)
        fill_diff(k->f.bottoms[i]);
    for (int t = 0; t < k->f.n_tops; t++)
        layer_fixture_write(k->f.tops[t], LCL_DIFF, k->weights[t]);
    CHECK_OK(lcl_layer_backward(k->f.layer, &err));
}

/* ---- Checks ------------------------------------------------------------------------ */

static void check_element(check *k, lcl_blob *b, float *values, size_t i, float analytic,
                          const char *what)
{
    float step = k->c->step > 0 ? k->c->step : 1e-2f, x = values[i];
    double threshold = k->c->threshold > 0 ? (double)k->c->threshold : 1e-3;

    values[i] = x + step;
    layer_fixture_write(b, LCL_DATA, values);
    double above = objective(k);
    values[i] = x - step;
    layer_fixture_write(b, LCL_DATA, values);
    double below = objective(k);
    values[i] = x;
    layer_fixture_write(b, LCL_DATA, values);

    double estimate = (above - below) / (2 * (double)step), a = (double)analytic;
    double scale = fmax(fmax(fabs(a), fabs(estimate)), 1);
    ck_assert_msg(fabs(a - estimate) <= threshold * scale,
                  "block %d, vector %d: %s[%zu]: gradient %g, difference quotient %g",
                  k->f.env.block, k->f.env.vector, what, i, a, estimate);
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

static void check_bottoms(check *k)
{
    float *diffs[FIXTURE_MAX_ENDS] = {0};

    backward(k);
    for (int i = 0; i < k->f.n_bottoms; i++)
        if (k->f.layer->propagate[i]) {
            diffs[i] = layer_fixture_read(k->f.bottoms[i], LCL_DIFF);
            check_unused_lanes(k->f.bottoms[i]);
        }
    for (int i = 0; i < k->f.n_bottoms; i++)
        for (size_t j = 0; diffs[i] && j < lcl_blob_count(k->f.bottoms[i]); j++)
            if (!near_kink(k->c, k->values[i][j]))
                check_element(k, k->f.bottoms[i], k->values[i], j, diffs[i][j],
                              k->f.bottoms[i]->name);
    for (int i = 0; i < k->f.n_bottoms; i++)
        free(diffs[i]);
}

static void check_param(check *k, int p)
{
    lcl_blob *b = k->f.layer->params[p];
    size_t count = lcl_blob_count(b);
    char what[32];

    snprintf(what, sizeof what, "parameter %d", p);
    fill_diff(b);
    backward(k);
    float *diff = layer_fixture_read(b, LCL_DIFF),
          *values = layer_fixture_read(b, LCL_DATA);
    for (size_t i = 0; i < count; i++)
        check_element(k, b, values, i, diff[i], what);
    k->f.layer->accumulate[p] = true;
    backward(k);
    k->f.layer->accumulate[p] = false;
    float *twice = layer_fixture_read(b, LCL_DIFF);
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

static void check_no_propagation(check *k)
{
    lcl_layer *l = k->f.layer;

    for (int i = 0; i < k->f.n_bottoms; i++)
        l->propagate[i] = false;
    for (int p = 0; p < l->n_params; p++) {
        l->param_propagate[p] = false;
        fill_diff(l->params[p]);
    }
    backward(k);
    for (int i = 0; i < k->f.n_bottoms && !k->f.in_place; i++)
        check_untouched(k->f.bottoms[i]);
    for (int p = 0; p < l->n_params; p++)
        check_untouched(l->params[p]);
}

void gradient_check_block(const gradient_case *c, int block, int vector)
{
    check k;

    set_up(&k, c, block, vector);
    check_bottoms(&k);
    for (int p = 0; p < k.f.layer->n_params; p++)
        if (k.f.layer->param_propagate[p])
            check_param(&k, p);
    check_no_propagation(&k);
    tear_down(&k);
}

void gradient_check(const gradient_case *c)
{
    gradient_check_block(c, 1, 1);
    gradient_check_block(c, 16, 16);
    gradient_check_block(c, 8, 4);
}
