/* Learning rates against those Caffe printed, to the last bit, and wrong policies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learning_rate.h"
#include "lcl/solver.h"
#include "testing.h"
#include "text.h"

#define GOLDEN "tests/golden/solvers/"

static lcl_proto *parse_solver(const char *text)
{
    lcl_error err = {0};
    lcl_proto *proto = NULL;

    CHECK_OK(lcl_proto_parse_text(&proto, &caffe__solver_parameter__descriptor, "solver",
                                  text, strlen(text), LCL_UNKNOWN_IS_ERROR, NULL, &err));
    return proto;
}

static const char *const policies[] = {
    "policy_fixed",     "policy_step", "policy_exp",     "policy_inv",
    "policy_multistep", "policy_poly", "policy_sigmoid", "lenet_sgd"};

START_TEST(rates_are_caffes)
{
    lcl_error err = {0};
    lcl_proto *proto = NULL;
    char path[128], line[128];
    int step = 0, n = 0;

    snprintf(path, sizeof path, GOLDEN "%s/solver.prototxt", policies[_i]);
    CHECK_OK(lcl_proto_read_text(&proto, &caffe__solver_parameter__descriptor, path,
                                 LCL_UNKNOWN_IS_ERROR, NULL, &err));
    CHECK_OK(lcl_learning_rate_check(proto, &err));
    snprintf(path, sizeof path, GOLDEN "%s/train.csv", policies[_i]);
    FILE *csv = fopen(path, "r");
    ck_assert_ptr_nonnull(csv);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, csv));
    while (fgets(line, sizeof line, csv)) {
        char *end;
        int iteration = (int)strtol(line, &end, 10);
        float wanted = strtof(end + 1, NULL), rate;
        CHECK_OK(lcl_learning_rate((const void *)lcl_proto_root(proto), iteration, &step,
                                   &rate, &err));
        ck_assert_msg(rate == wanted, "%s, iteration %d: %.9g, not %.9g", policies[_i],
                      iteration, (double)rate, (double)wanted);
        n++;
    }
    ck_assert_int_eq(n, 50);
    fclose(csv);
    lcl_proto_destroy(proto);
}
END_TEST

START_TEST(multistep_takes_one_step_an_iteration)
{
    lcl_error err = {0};
    lcl_proto *proto = parse_solver("base_lr: 1 gamma: 0.5 lr_policy: 'multistep'"
                                    "stepvalue: 2 stepvalue: 3 stepvalue: 4");
    const Caffe__SolverParameter *p = (const void *)lcl_proto_root(proto);
    int step = 0;
    float rate;

    CHECK_OK(lcl_learning_rate(p, 100, &step, &rate, &err));
    ck_assert_float_eq(rate, 0.5f);
    CHECK_OK(lcl_learning_rate(p, 101, &step, &rate, &err));
    ck_assert_float_eq(rate, 0.25f);
    CHECK_OK(lcl_learning_rate(p, 102, &step, &rate, &err));
    CHECK_OK(lcl_learning_rate(p, 103, &step, &rate, &err));
    ck_assert_float_eq(rate, 0.125f);
    ck_assert_int_eq(step, 3);
    lcl_proto_destroy(proto);
}
END_TEST

static const struct {
    const char *text, *message, *where, *hint;
} bad[] = {
    {"lr_policy: 'sigmod'", "\"sigmod\": unknown learning rate policy", "solver:1:1",
     "\"sigmoid\""},
    {"base_lr: 1\n lr_policy: 'Step'", "\"Step\": unknown", "solver:2:2", "\"step\""},
    {"lr_policy: 'cosine'", "\"cosine\": unknown", "solver:1:1", "multistep, poly"},
    {"base_lr: 1", "lr_policy is missing", "solver", "multistep, poly"},
    {"lr_policy: 'step'", "stepsize is missing", "solver", ""},
    {"lr_policy: 'step' stepsize: 0", "stepsize must be greater than 0", "solver:1:19",
     ""},
    {"lr_policy: 'inv' gamma: -1", "gamma must not be negative", "solver:1:18", ""},
    {"lr_policy: 'exp' gamma: nan", "gamma must not be negative", "solver:1:18", ""},
};

START_TEST(wrong_fields_are_errors)
{
    lcl_error err = {0};
    lcl_proto *proto = parse_solver(bad[_i].text);
    int step = 0;
    float rate;

    CHECK_FAILS(lcl_learning_rate_check(proto, &err), LCL_EPROTO, bad[_i].message);
    ck_assert_msg(strstr(err.where, bad[_i].where) == err.where, "%s", err.where);
    ck_assert_msg(strstr(err.hint, bad[_i].hint) != NULL, "%s", err.hint);
    CHECK_FAILS(
        lcl_learning_rate((const void *)lcl_proto_root(proto), 0, &step, &rate, &err),
        LCL_EPROTO, bad[_i].message);
    lcl_proto_destroy(proto);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("learning_rate");
    TCase *tc = tcase_create("learning_rate");

    tcase_add_loop_test(tc, rates_are_caffes, 0, (int)LCL_COUNT(policies));
    tcase_add_test(tc, multistep_takes_one_step_an_iteration);
    tcase_add_loop_test(tc, wrong_fields_are_errors, 0, (int)LCL_COUNT(bad));
    suite_add_tcase(suite, tc);
    return testing_run(suite);
}
