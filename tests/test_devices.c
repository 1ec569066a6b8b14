/* The devices command, run as a user runs it: LENET_CL is the program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "testing.h"
#include "text.h"

/* Runs `environment lenet-cl devices flags`; the exit code, and what it printed (both
 * streams; free() it). */
static int run(const char *environment, const char *flags, char **out)
{
    const char *program = getenv("LENET_CL");
    char *line = lcl_format("%s %s devices %s 2>&1", environment,
                            program ? program : "build/lenet-cl", flags);
    FILE *pipe = popen(line, "r");
    lcl_text t = {0};
    char part[1024];

    ck_assert_ptr_nonnull(pipe);
    lcl_text_add(&t, "");
    while (fgets(part, sizeof part, pipe))
        lcl_text_add(&t, part);
    int status = pclose(pipe);
    free(line);
    *out = t.text;
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void check(const char *environment, const char *flags, int code, const char *text)
{
    char *out;
    int got = run(environment, flags, &out);

    ck_assert_msg(got == code && strstr(out, text), "%s devices %s: %d\n%s", environment,
                  flags, got, out);
    free(out);
}

START_TEST(test_table_marks_the_chosen_one)
{
    const lcl_device_info *ours = lcl_device_get_info(testing_device());
    char *index = lcl_format("--device %d", ours->index);
    char *mark = lcl_format("* %-2d %d:%-2d", ours->index, ours->platform, ours->device);
    char *reason = lcl_format("* is taken: asked for: device '%d'.\n", ours->index);

    check("", index, 0, mark);
    check("", index, 0, reason);
    check("LCL_DEVICE=999", index, 0, ours->name);
    free(index);
    free(mark);
    free(reason);
}
END_TEST

START_TEST(test_json)
{
    char *name =
        lcl_format("\"name\": \"%s\"", lcl_device_get_info(testing_device())->name);
    char *out;

    check("", "--json", 0, name);
    check("", "-json", 0, "\"chosen\": true}");
    ck_assert_int_eq(run("", "--json", &out), 0);
    ck_assert(strncmp(out, "[\n  {\"index\": 0,", 16) == 0);
    ck_assert(strcmp(out + strlen(out) - 2, "]\n") == 0);
    free(out);
    free(name);
}
END_TEST

START_TEST(test_no_such_device)
{
    check("", "--device nothing-like-it", 4,
          "no OpenCL device matches device 'nothing-like-it'; there ");
    check("LCL_PLATFORM=99", "", 4, "matches platform '99'");
    check("", "--device nothing-like-it", 4, lcl_device_get_info(testing_device())->name);
}
END_TEST

START_TEST(test_no_driver)
{
    check("OCL_ICD_VENDORS=/nonexistent", "", 4,
          "no OpenCL driver (platform) is installed");
    check("OCL_ICD_VENDORS=/nonexistent", "", 4, "pocl-opencl-icd");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("devices");
    TCase *t = tcase_create("devices");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_table_marks_the_chosen_one);
    tcase_add_test(t, test_json);
    tcase_add_test(t, test_no_such_device);
    tcase_add_test(t, test_no_driver);
    suite_add_tcase(suite, t);
    return testing_run(suite);
}
