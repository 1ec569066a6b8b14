/* The error value: filled once, hinted once, never needed. */
#include <string.h>

#include "testing.h"

START_TEST(test_first_failure_wins)
{
    lcl_error err = {0};

    ck_assert_int_eq(lcl_fail(&err, LCL_EIO, "a.txt", "cannot open %d", 7), LCL_EIO);
    ck_assert_int_eq(lcl_fail(&err, LCL_EPROTO, "b.txt", "later"), LCL_EPROTO);
    ck_assert_int_eq(err.status, LCL_EIO);
    ck_assert_str_eq(err.where, "a.txt");
    ck_assert_str_eq(err.message, "cannot open 7");
    ck_assert_str_eq(err.hint, "");
}
END_TEST

START_TEST(test_hint_keeps_status_and_first_hint)
{
    lcl_error err = {0};

    lcl_fail(&err, LCL_ENODEVICE, NULL, "none");
    ck_assert_str_eq(err.where, "");
    ck_assert_int_eq(lcl_hint(&err, LCL_EIO, "install %s", "it"), LCL_ENODEVICE);
    lcl_hint(&err, LCL_EIO, "something else");
    ck_assert_str_eq(err.hint, "install it");
}
END_TEST

START_TEST(test_without_error_value)
{
    ck_assert_int_eq(lcl_fail(NULL, LCL_ESHAPE, "x", "y"), LCL_ESHAPE);
    ck_assert_int_eq(lcl_hint(NULL, LCL_ESHAPE, "z"), LCL_ESHAPE);
}
END_TEST

START_TEST(test_long_texts_are_cut)
{
    lcl_error err = {0};
    char longer[4000];

    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    lcl_fail(&err, LCL_EIO, longer, "%s", longer);
    lcl_hint(&err, LCL_EIO, "%s", longer);
    ck_assert_uint_eq(strlen(err.where), sizeof err.where - 1);
    ck_assert_uint_eq(strlen(err.message), sizeof err.message - 1);
    ck_assert_uint_eq(strlen(err.hint), sizeof err.hint - 1);
}
END_TEST

static lcl_status tried(lcl_status status, int *reached)
{
    LCL_TRY(status);
    *reached = 1;
    return LCL_OK;
}

START_TEST(test_try_returns_on_failure)
{
    int reached = 0;

    ck_assert_int_eq(tried(LCL_EDATA, &reached), LCL_EDATA);
    ck_assert_int_eq(reached, 0);
    ck_assert_int_eq(tried(LCL_OK, &reached), LCL_OK);
    ck_assert_int_eq(reached, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *t = tcase_create("error");

    tcase_add_test(t, test_first_failure_wins);
    tcase_add_test(t, test_hint_keeps_status_and_first_hint);
    tcase_add_test(t, test_without_error_value);
    tcase_add_test(t, test_long_texts_are_cut);
    tcase_add_test(t, test_try_returns_on_failure);
    suite_add_tcase(suite, t);
    return testing_run(suite);
}
