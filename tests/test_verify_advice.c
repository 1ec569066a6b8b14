/* What to do about checks that failed, for every way in which a device can be wrong. */
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "verify/advice.h"

/* One check; rows of one name that follow each other are one row. */
typedef struct {
    const char *group, *row;
    lcl_verify_mode mode;
    bool right;
} outcome;

#define BLOCKS                                                                           \
    {                                                                                    \
        .block = 16                                                                      \
    }
#define IMAGES                                                                           \
    {                                                                                    \
        .block = 1                                                                       \
    }
#define DIRECT                                                                           \
    {                                                                                    \
        .block = 16, .direct = true                                                      \
    }
#define FUSED                                                                            \
    {                                                                                    \
        .block = 16, .fused = true                                                       \
    }

static const struct {
    outcome outcomes[5];
    const char *wanted[3]; /* how the pieces of advice start */
} cases[] = {
    {{{"layers", "ReLU", BLOCKS, true}}, {NULL}},
    {{{"gemm", "own 1x1x1", {0}, true}, {"gemm", "clblast 1x1x1", {0}, false}},
     {"--gemm own: our own matrix products are right, CLBlast's are not (clblast 1x1x1). "
      "Run verify again with it"}},
    {{{"gemm", "own 1x1x1", {0}, false}, {"gemm", "clblast 1x1x1", {0}, true}},
     {"--gemm clblast: "}},
    {{{"gemm", "own 1x1x1", {0}, false}, {"gemm", "clblast 1x1x1", {0}, false}},
     {"No setting avoids the failures of own 1x1x1, clblast 1x1x1. Update"}},
    {{{"winograd", "3x3", BLOCKS, false}, {"winograd", "3x3", DIRECT, true}},
     {"LCL_WINOGRAD=0: "}},
    {{{"winograd", "3x3", BLOCKS, false}, {"winograd", "3x3", DIRECT, false}},
     {"No setting avoids the failures of 3x3."}},
    {{{"nets", "LeNet", BLOCKS, true}, {"nets", "LeNet", FUSED, false}},
     {"LCL_FUSE=0: "}},
    {{{"nets", "a, b", FUSED, true}, {"nets", "a, b", FUSED, false}}, {"LCL_FUSE=0: "}},
    {{{"layers", "ReLU", BLOCKS, false}, {"layers", "ReLU", IMAGES, true}},
     {"LCL_BLOCK=1: "}},
    {{{"layers", "ReLU", BLOCKS, true}, {"layers", "ReLU", IMAGES, false}},
     {"No setting avoids the failures of ReLU. Update the driver, which is Platform 1.2, "
      "or"}},
    {{{"data", "batches", BLOCKS, false}, {"data", "batches", IMAGES, false}},
     {"--resident off: batches are right that the host makes (batches)"}},
    {{{"repeats", "every layer", BLOCKS, false}},
     {"The same work gave other bits the second time"}},
    {{{"layers", "ReLU", BLOCKS, false},
      {"layers", "TanH", BLOCKS, false},
      {"layers", "TanH", IMAGES, true},
      {"repeats", "every layer", BLOCKS, false}},
     {"LCL_BLOCK=1: results are right image by image, only slower, but not in blocks of "
      "images (TanH)",
      "What then still fails of ReLU: update the driver, which is Platform 1.2",
      "The same work gave other bits"}},
};

static char **advise(const outcome *outcomes, size_t *n)
{
    lcl_verify_report report = {0};
    lcl_verify_device *d = lcl_verify_add_device(&report);

    snprintf(d->info.platform_name, sizeof d->info.platform_name, "Platform");
    snprintf(d->info.driver, sizeof d->info.driver, "1.2");
    for (; outcomes->group; outcomes++)
        *lcl_verify_add_check(d) = (lcl_verify_check){.group = outcomes->group,
                                                      .row = lcl_strdup(outcomes->row),
                                                      .mode = outcomes->mode,
                                                      .error = outcomes->right ? 0 : 1};
    char **advice = lcl_verify_advice(d, n);
    lcl_verify_report_free(&report);
    return advice;
}

START_TEST(fits_the_failures)
{
    const char *const *wanted = cases[_i].wanted;
    size_t n, n_wanted = 0;
    char **advice;

    unsetenv("LCL_CL_DIR");
    unsetenv("LCL_CACHE");
    advice = advise(cases[_i].outcomes, &n);
    while (n_wanted < LCL_COUNT(cases[_i].wanted) && wanted[n_wanted])
        n_wanted++;
    /* The last one is always about kept kernels. */
    ck_assert_uint_eq(n, n_wanted ? n_wanted + 1 : 0);
    for (size_t i = 0; i < n_wanted; i++)
        ck_assert_msg(strncmp(advice[i], wanted[i], strlen(wanted[i])) == 0,
                      "case %d: '%s' does not start with '%s'", _i, advice[i], wanted[i]);
    if (n > 0)
        ck_assert_ptr_nonnull(strstr(advice[n - 1], "LCL_CACHE=0"));
    lcl_list_free(advice, n);
}
END_TEST

START_TEST(names_the_environment)
{
    size_t n;

    setenv("LCL_CL_DIR", "/some/kernels", 1);
    setenv("LCL_CACHE", "0", 1);
    char **advice = advise(cases[1].outcomes, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert_ptr_nonnull(strstr(advice[1], "LCL_CL_DIR is set: the kernels of "
                                            "/some/kernels"));
    lcl_list_free(advice, n);
    unsetenv("LCL_CL_DIR");
    unsetenv("LCL_CACHE");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify_advice");
    TCase *tcase = tcase_create("verify_advice");

    tcase_add_loop_test(tcase, fits_the_failures, 0, (int)LCL_COUNT(cases));
    tcase_add_test(tcase, names_the_environment);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
