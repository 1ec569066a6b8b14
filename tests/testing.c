/* The shared part of every test program. */
#include "testing.h"

#include <stdint.h>
#include <stdlib.h>

#include "commands/args.h"
#include "text.h"

static lcl_device *device;

lcl_device *testing_device(void)
{
    if (!device) {
        lcl_error err = {0};
        lcl_device_choice choice = {getenv("LCL_PLATFORM"), getenv("LCL_DEVICE"),
                                    LCL_PREFER_ANY};
        ck_assert_msg(lcl_device_open(&device, &choice, &err) == LCL_OK, "%s",
                      err.message);
    }
    return device;
}

void testing_close_device(void)
{
    lcl_device_close(device);
    device = NULL;
}

float testing_value(unsigned seed, size_t i)
{
    uint32_t x = (uint32_t)i * 2654435761u + seed * 40503u + 12345u;

    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    x *= 3266489917u;
    x ^= x >> 16;
    return (float)(x >> 8) / 8388608.0f - 1.0f;
}

int testing_command(const lcl_command *command, const char *const *words, lcl_error *err)
{
    const lcl_command *const commands[] = {command, NULL};
    char *argv[32] = {lcl_strdup("lenet-cl"), lcl_strdup(command->name)};
    int argc = 2, code = 2;
    lcl_args *args = NULL;
    lcl_request request;

    for (; *words; words++)
        argv[argc++] = lcl_strdup(*words);
    *err = (lcl_error){0};
    if (lcl_args_parse(&args, &request, argc, argv, commands, NULL, err) == LCL_OK)
        code = command->run(args, err);
    lcl_args_destroy(args);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    return code;
}

float *testing_values(unsigned seed, size_t n)
{
    float *values = lcl_alloc(n, sizeof *values);

    for (size_t i = 0; i < n; i++)
        values[i] = testing_value(seed, i);
    return values;
}

int testing_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    testing_close_device();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
