/* Every filler against its formula, and what wrong options say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "filler.h"
#include "testing.h"
#include "text.h"

#define MAX_VALUES 200000

static float values[MAX_VALUES];
static Caffe__FillerParameter param;
static size_t count;

static lcl_status fill(int n_axes, const int *shape, const char **field, lcl_error *err)
{
    lcl_rng rng;

    count = 1;
    for (int i = 0; i < n_axes; i++)
        count *= (size_t)shape[i];
    ck_assert_uint_le(count, MAX_VALUES);
    lcl_rng_init(&rng, 7);
    return lcl_filler_fill(values, n_axes, shape, &param, &rng, field, err);
}

static void setup(void)
{
    caffe__filler_parameter__init(&param);
}

static void set_type(const char *type)
{
    param.type = (char *)(uintptr_t)type;
}

/* Mean, standard deviation, smallest and largest of the values. */
typedef struct {
    double mean, std, min, max;
} summary;

static summary summarise(void)
{
    summary s = {0, 0, INFINITY, -INFINITY};

    for (size_t i = 0; i < count; i++) {
        s.mean += (double)values[i] / (double)count;
        s.min = fmin(s.min, (double)values[i]);
        s.max = fmax(s.max, (double)values[i]);
    }
    for (size_t i = 0; i < count; i++)
        s.std += pow((double)values[i] - s.mean, 2) / (double)count;
    s.std = sqrt(s.std);
    return s;
}

static void check_uniform(double low, double high)
{
    summary s = summarise();
    double width = high - low;

    ck_assert(s.min >= low && s.max <= high);
    ck_assert_double_eq_tol(s.min, low, width * 0.001);
    ck_assert_double_eq_tol(s.max, high, width * 0.001);
    ck_assert_double_eq_tol(s.mean, (low + high) / 2, width * 0.005);
    ck_assert_double_eq_tol(s.std, width / sqrt(12), width * 0.005);
}

static void check_gaussian(double mean, double std)
{
    summary s = summarise();

    ck_assert_double_eq_tol(s.mean, mean, std * 0.01);
    ck_assert_double_eq_tol(s.std, std, std * 0.01);
    ck_assert(s.max > mean + 3.5 * std && s.min < mean - 3.5 * std);
}

static const int weights[] = {50, 40, 10, 5}; /* fan in 2000, fan out 2500 */

START_TEST(test_constant)
{
    lcl_error err;
    lcl_rng rng;

    lcl_rng_init(&rng, 1);
    CHECK_OK(fill(4, weights, NULL, &err));
    ck_assert(values[0] == 0.0f && values[99999] == 0.0f);
    param.value = 0.25f;
    CHECK_OK(fill(4, weights, NULL, &err));
    ck_assert(values[0] == 0.25f && values[99999] == 0.25f);
    CHECK_OK(lcl_filler_fill(values, 4, weights, NULL, &rng, NULL, &err));
    ck_assert(values[0] == 0.0f && values[99999] == 0.0f);
}
END_TEST

START_TEST(test_uniform)
{
    lcl_error err;
    const char *field = NULL;

    set_type("uniform");
    CHECK_OK(fill(4, weights, NULL, &err));
    check_uniform(0, 1);
    param.min = -2;
    param.max = 0.5f;
    CHECK_OK(fill(4, weights, NULL, &err));
    check_uniform(-2, 0.5);
    param.min = 1;
    CHECK_FAILS(fill(4, weights, &field, &err), LCL_EPROTO,
                "filler 'uniform': min must not be above max");
    ck_assert_str_eq(field, "min");
}
END_TEST

START_TEST(test_gaussian)
{
    lcl_error err;
    const char *field = NULL;

    set_type("gaussian");
    CHECK_OK(fill(4, weights, NULL, &err));
    check_gaussian(0, 1);
    param.mean = -3;
    param.std = 0.01f;
    CHECK_OK(fill(4, weights, NULL, &err));
    check_gaussian(-3, 0.01);
    param.std = 0;
    CHECK_FAILS(fill(4, weights, &field, &err), LCL_EPROTO, "std must be above 0");
    ck_assert_str_eq(field, "std");
}
END_TEST

START_TEST(test_sparse_gaussian)
{
    lcl_error err;
    const char *field = NULL;
    size_t n = 0;

    set_type("gaussian");
    param.sparse = 15; /* of 50 outputs: 30 % */
    CHECK_OK(fill(4, weights, NULL, &err));
    for (size_t i = 0; i < count; i++)
        n += values[i] != 0.0f;
    ck_assert_double_eq_tol((double)n / (double)count, 0.3, 0.01);
    param.sparse = 0;
    CHECK_OK(fill(4, weights, NULL, &err));
    ck_assert(values[0] == 0.0f && values[99999] == 0.0f);
    param.sparse = 51;
    CHECK_FAILS(fill(4, weights, &field, &err), LCL_EPROTO, "number of outputs");
    ck_assert_str_eq(field, "sparse");
    param.sparse = -2;
    CHECK_FAILS(fill(4, weights, NULL, &err), LCL_EPROTO, "-1 (off) or more");
    param.sparse = 3;
    set_type("xavier");
    field = NULL;
    CHECK_FAILS(fill(4, weights, &field, &err), LCL_EPROTO,
                "only the gaussian filler can be sparse");
    ck_assert_str_eq(field, "sparse");
}
END_TEST

START_TEST(test_positive_unitball)
{
    lcl_error err;

    set_type("positive_unitball");
    CHECK_OK(fill(4, weights, NULL, &err));
    for (size_t i = 0; i < 50; i++) {
        double sum = 0;

        for (size_t j = 0; j < 2000; j++) {
            ck_assert(values[i * 2000 + j] >= 0.0f);
            sum += (double)values[i * 2000 + j];
        }
        ck_assert_double_eq_tol(sum, 1.0, 1e-5);
    }
}
END_TEST

START_TEST(test_xavier_and_msra)
{
    static const struct {
        Caffe__FillerParameter__VarianceNorm norm;
        double fan;
    } cases[] = {{CAFFE__FILLER_PARAMETER__VARIANCE_NORM__FAN_IN, 2000},
                 {CAFFE__FILLER_PARAMETER__VARIANCE_NORM__FAN_OUT, 2500},
                 {CAFFE__FILLER_PARAMETER__VARIANCE_NORM__AVERAGE, 2250}};
    lcl_error err;

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        double scale = sqrt(3 / cases[i].fan);

        param.variance_norm = cases[i].norm;
        set_type("xavier");
        CHECK_OK(fill(4, weights, NULL, &err));
        check_uniform(-scale, scale);
        set_type("msra");
        CHECK_OK(fill(4, weights, NULL, &err));
        check_gaussian(0, sqrt(2 / cases[i].fan));
    }
}
END_TEST

START_TEST(test_fan_of_one_axis)
{
    static const int shape[] = {100000};
    lcl_error err;

    set_type("xavier");
    CHECK_OK(fill(1, shape, NULL, &err));
    check_uniform(-sqrt(3), sqrt(3)); /* fan in 1 */
    param.variance_norm = CAFFE__FILLER_PARAMETER__VARIANCE_NORM__FAN_OUT;
    CHECK_OK(fill(1, shape, NULL, &err));
    check_uniform(-sqrt(3.0 / 100000), sqrt(3.0 / 100000));
}
END_TEST

START_TEST(test_bilinear)
{
    static const int even[] = {2, 1, 4, 4}, odd[] = {1, 1, 3, 3}, oblong[] = {1, 1, 3, 4};
    static const float row4[] = {0.25f, 0.75f, 0.75f, 0.25f};
    static const float row3[] = {0.5f, 1.0f, 0.5f};
    lcl_error err;
    const char *field = NULL;

    set_type("bilinear");
    CHECK_OK(fill(4, even, NULL, &err));
    for (size_t i = 0; i < 32; i++)
        ck_assert_float_eq_tol(values[i], row4[i % 4] * row4[i / 4 % 4], 1e-6f);
    CHECK_OK(fill(4, odd, NULL, &err));
    for (size_t i = 0; i < 9; i++)
        ck_assert_float_eq_tol(values[i], row3[i % 3] * row3[i / 3], 1e-6f);
    CHECK_FAILS(fill(4, oblong, &field, &err), LCL_EPROTO, "square kernel");
    CHECK_FAILS(fill(3, even, &field, &err), LCL_EPROTO, "4 axes");
    ck_assert_str_eq(field, "type");
}
END_TEST

START_TEST(test_unknown_type)
{
    static const int shape[] = {4};
    lcl_error err;
    const char *field = NULL;

    set_type("guassion");
    CHECK_FAILS(fill(1, shape, &field, &err), LCL_EPROTO,
                "unknown filler 'guassion'; there are constant, uniform, ");
    ck_assert_str_eq(field, "type");
    ck_assert_str_eq(err.hint, "did you mean 'gaussian'?");
    set_type("banana");
    CHECK_FAILS(fill(1, shape, NULL, &err), LCL_EPROTO, "unknown filler");
    ck_assert_str_eq(err.hint, "");
}
END_TEST

START_TEST(test_empty_shape)
{
    static const char *const types[] = {"constant",         "uniform", "gaussian",
                                        "xavier",           "msra",    "bilinear",
                                        "positive_unitball"};
    static const int shape[] = {0, 3, 0, 0};
    lcl_error err;

    for (size_t i = 0; i < LCL_COUNT(types); i++) {
        set_type(types[i]);
        CHECK_OK(fill(4, shape, NULL, &err));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("filler");
    TCase *t = tcase_create("filler");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, test_constant);
    tcase_add_test(t, test_uniform);
    tcase_add_test(t, test_gaussian);
    tcase_add_test(t, test_sparse_gaussian);
    tcase_add_test(t, test_positive_unitball);
    tcase_add_test(t, test_xavier_and_msra);
    tcase_add_test(t, test_fan_of_one_axis);
    tcase_add_test(t, test_bilinear);
    tcase_add_test(t, test_unknown_type);
    tcase_add_test(t, test_empty_shape);
    suite_add_tcase(suite, t);
    return testing_run(suite);
}
