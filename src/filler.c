/* Caffe's fillers; see filler.h. fan_in is the number of values that make one output. */
#include "filler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* What a filler works on, and where it reports a bad option. */
typedef struct {
    float *values;
    size_t count;
    int n_axes;
    const int *shape;
    const Caffe__FillerParameter *param;
    lcl_rng *rng;
    const char **bad_field;
    lcl_error *err;
} fill_args;

static lcl_status filler_bad(const fill_args *f, const char *field, const char *what)
{
    if (f->bad_field)
        *f->bad_field = field;
    return lcl_fail(f->err, LCL_EPROTO, NULL, "filler '%s': %s", f->param->type, what);
}

static void filler_uniform_values(const fill_args *f, float low, float high)
{
    for (size_t i = 0; i < f->count; i++)
        f->values[i] = lcl_rng_uniform(f->rng, low, high);
}

static void filler_gaussian_values(const fill_args *f, float mean, float std)
{
    for (size_t i = 0; i < f->count; i++)
        f->values[i] = lcl_rng_gaussian(f->rng, mean, std);
}

static lcl_status filler_constant(const fill_args *f)
{
    for (size_t i = 0; i < f->count; i++)
        f->values[i] = f->param->value;
    return LCL_OK;
}

static lcl_status filler_uniform(const fill_args *f)
{
    if (!(f->param->min <= f->param->max))
        return filler_bad(f, "min", "min must not be above max");
    filler_uniform_values(f, f->param->min, f->param->max);
    return LCL_OK;
}

/* With `sparse`, each output keeps about that many of its weights. */
static lcl_status filler_gaussian(const fill_args *f)
{
    int sparse = f->param->sparse;

    if (!(f->param->std > 0.0f))
        return filler_bad(f, "std", "std must be above 0");
    if (sparse < -1)
        return filler_bad(f, "sparse", "sparse must be -1 (off) or more");
    if (sparse >= 0 && (f->n_axes < 1 || sparse > f->shape[0]))
        return filler_bad(f, "sparse",
                          "sparse must not be above the number of outputs (axis 0)");
    filler_gaussian_values(f, f->param->mean, f->param->std);
    if (sparse >= 0) {
        float kept = (float)sparse / (float)f->shape[0];

        for (size_t i = 0; i < f->count; i++)
            if (lcl_rng_uniform(f->rng, 0.0f, 1.0f) >= kept)
                f->values[i] = 0.0f;
    }
    return LCL_OK;
}

/* Positive weights that sum to 1 in each output. */
static lcl_status filler_positive_unitball(const fill_args *f)
{
    size_t outputs = f->n_axes > 0 ? (size_t)f->shape[0] : 1;
    size_t count = outputs ? f->count / outputs : 0;

    filler_uniform_values(f, 0.0f, 1.0f);
    for (size_t i = 0; i < outputs && count > 0; i++) {
        float *row = f->values + i * count;
        double sum = 0.0;

        for (size_t j = 0; j < count; j++)
            sum += (double)row[j];
        for (size_t j = 0; j < count && sum > 0.0; j++)
            row[j] = (float)((double)row[j] / sum);
    }
    return LCL_OK;
}

/* The fan that variance_norm names. */
static float filler_fan(const fill_args *f)
{
    float count = (float)f->count;
    float fan_in = f->n_axes > 0 ? count / (float)f->shape[0] : count;
    float fan_out = f->n_axes > 1 ? count / (float)f->shape[1] : count;

    switch (f->param->variance_norm) {
    case CAFFE__FILLER_PARAMETER__VARIANCE_NORM__FAN_OUT: return fan_out;
    case CAFFE__FILLER_PARAMETER__VARIANCE_NORM__AVERAGE: return (fan_in + fan_out) / 2;
    default: return fan_in;
    }
}

static lcl_status filler_xavier(const fill_args *f)
{
    float scale = sqrtf(3.0f / filler_fan(f));

    filler_uniform_values(f, -scale, scale);
    return LCL_OK;
}

static lcl_status filler_msra(const fill_args *f)
{
    filler_gaussian_values(f, 0.0f, sqrtf(2.0f / filler_fan(f)));
    return LCL_OK;
}

/* Weights of a deconvolution that interpolates. */
static lcl_status filler_bilinear(const fill_args *f)
{
    if (f->n_axes != 4 || f->shape[2] != f->shape[3])
        return filler_bad(f, "type", "it needs weights of 4 axes and a square kernel");
    size_t width = (size_t)f->shape[3];
    float half = (float)((width + 1) / 2);
    float centre = (float)(width - 1) / (2.0f * half);

    for (size_t i = 0; i < f->count; i++) {
        float x = (float)(i % width), y = (float)(i / width % width);

        f->values[i] =
            (1.0f - fabsf(x / half - centre)) * (1.0f - fabsf(y / half - centre));
    }
    return LCL_OK;
}

static const struct {
    const char *name;
    lcl_status (*fill)(const fill_args *f);
} fillers[] = {
    {"constant", filler_constant}, {"uniform", filler_uniform},
    {"gaussian", filler_gaussian}, {"positive_unitball", filler_positive_unitball},
    {"xavier", filler_xavier},     {"msra", filler_msra},
    {"bilinear", filler_bilinear},
};

const char *lcl_filler_name(size_t i)
{
    return i < LCL_COUNT(fillers) ? fillers[i].name : NULL;
}

static lcl_status filler_unknown(const fill_args *f)
{
    const char *names[LCL_COUNT(fillers)];
    lcl_text all = {0};

    for (size_t i = 0; i < LCL_COUNT(fillers); i++) {
        names[i] = fillers[i].name;
        lcl_text_printf(&all, "%s%s", i ? ", " : "", fillers[i].name);
    }
    if (f->bad_field)
        *f->bad_field = "type";
    const char *nearest = lcl_nearest(f->param->type, names, LCL_COUNT(names));
    lcl_status status =
        lcl_fail(f->err, LCL_EPROTO, NULL, "unknown filler '%s'; there are %s",
                 f->param->type, all.text);
    free(all.text);
    return nearest ? lcl_hint(f->err, status, "did you mean '%s'?", nearest) : status;
}

lcl_status lcl_filler_fill(float *values, int n_axes, const int *shape,
                           const Caffe__FillerParameter *filler, lcl_rng *rng,
                           const char **bad_field, lcl_error *err)
{
    static const Caffe__FillerParameter zeros = CAFFE__FILLER_PARAMETER__INIT;
    fill_args f = {values, 1,         n_axes, shape, filler ? filler : &zeros,
                   rng,    bad_field, err};

    for (int i = 0; i < n_axes; i++)
        f.count *= (size_t)shape[i];
    if (!values)
        f.count = 0;
    for (size_t i = 0; i < LCL_COUNT(fillers); i++) {
        if (strcmp(fillers[i].name, f.param->type) != 0)
            continue;
        if (f.param->sparse != -1 && fillers[i].fill != filler_gaussian)
            return filler_bad(&f, "sparse", "only the gaussian filler can be sparse");
        return fillers[i].fill(&f);
    }
    return filler_unknown(&f);
}
