/* What every test program shares: Check's main, the device under test, and checks that print
 * the error of a failed call. */
#ifndef LCL_TESTING_H
#define LCL_TESTING_H

#include <check.h>

#include "commands/commands.h"
#include "lcl/device.h"
#include "lcl/error.h"

/* Fails the test with where, message and hint unless `call`, which must end in `&err`, is
 * LCL_OK. Needs an `lcl_error err` in scope, and clears it. */
#define CHECK_OK(call)                                                                   \
    do {                                                                                 \
        err = (lcl_error){0};                                                            \
        lcl_status check_ok_ = (call);                                                   \
        ck_assert_msg(check_ok_ == LCL_OK, "%s: %s: %s (%s)", #call, err.where,          \
                      err.message, err.hint);                                            \
    } while (0)

/* The call fails with `status` and its message contains `text`. */
#define CHECK_FAILS(call, status_, text)                                                 \
    do {                                                                                 \
        err = (lcl_error){0};                                                            \
        lcl_status check_fails_ = (call);                                                \
        ck_assert_int_eq(check_fails_, status_);                                         \
        ck_assert_msg(strstr(err.message, text) != NULL, "'%s' is not in '%s'", text,    \
                      err.message);                                                      \
    } while (0)

/* The device of LCL_PLATFORM / LCL_DEVICE, opened on first use and shared by the program's
 * tests (run with CK_FORK=no: OpenCL contexts do not survive a fork). */
lcl_device *testing_device(void);
void testing_close_device(void);

/* Deterministic values in [-1, 1]: value i of stream `seed`. */
float testing_value(unsigned seed, size_t i);
/* The first n of them; free() them. */
float *testing_values(unsigned seed, size_t n);

/* Runs a command with the words given after its name (NULL ends them); its exit code, and
 * what it failed with in *err. */
int testing_command(const lcl_command *command, const char *const *words, lcl_error *err);

/* Runs the suite, closes the device, and returns main's exit code. */
int testing_run(Suite *suite);

#endif
