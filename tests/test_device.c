/* Devices: listing, choosing, memory, programs, kernels, and what their failures say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_list.h"
#include "device_state.h"
#include "testing.h"
#include "text.h"

/* ---- Choosing among devices that need not exist ------------------------------------ */

enum { POCL_CPU, OLD_GPU, INTEL_CPU, INTEL_GPU, BIG_GPU, SECOND_GPU, N_MACHINE };

static const lcl_device_info machine[N_MACHINE] = {
    [POCL_CPU] = {.platform = 0,
                  .device = 0,
                  .index = 0,
                  .type = CL_DEVICE_TYPE_CPU,
                  .platform_name = "Portable Computing Language",
                  .name = "pthread-zen",
                  .usable = true,
                  .unified_memory = true},
    [OLD_GPU] = {.platform = 1,
                 .device = 0,
                 .index = 1,
                 .type = CL_DEVICE_TYPE_GPU,
                 .platform_name = "Clover",
                 .name = "Radeon HD 2400",
                 .why_not = "OpenCL 1.2 is needed, it has 'OpenCL 1.1'"},
    [INTEL_CPU] = {.platform = 2,
                   .device = 0,
                   .index = 2,
                   .type = CL_DEVICE_TYPE_CPU,
                   .platform_name = "Intel(R) OpenCL",
                   .name = "Core i7",
                   .usable = true,
                   .unified_memory = true},
    [INTEL_GPU] = {.platform = 2,
                   .device = 1,
                   .index = 3,
                   .type = CL_DEVICE_TYPE_GPU,
                   .platform_name = "Intel(R) OpenCL",
                   .name = "UHD Graphics",
                   .usable = true,
                   .unified_memory = true},
    [BIG_GPU] = {.platform = 3,
                 .device = 0,
                 .index = 4,
                 .type = CL_DEVICE_TYPE_GPU,
                 .platform_name = "NVIDIA CUDA",
                 .name = "GeForce GTX 1080",
                 .uuid = "0123456789abcdef0123456789abcdef",
                 .usable = true},
    [SECOND_GPU] = {.platform = 3,
                    .device = 1,
                    .index = 5,
                    .type = CL_DEVICE_TYPE_GPU,
                    .platform_name = "NVIDIA CUDA",
                    .name = "GeForce GTX 1080",
                    .uuid = "fedcba9876543210fedcba9876543210",
                    .usable = true},
};

START_TEST(test_choice)
{
    static const struct {
        lcl_device_choice choice;
        size_t chosen;
        const char *reason;
    } cases[] = {
        {{NULL, NULL, LCL_PREFER_ANY}, BIG_GPU, "GPU preferred, the first of 2"},
        {{"", "", LCL_PREFER_GPU}, BIG_GPU, "GPU preferred, the first of 2"},
        {{NULL, NULL, LCL_PREFER_CPU}, POCL_CPU, "CPU preferred, the first of 2"},
        {{NULL, "cpu", LCL_PREFER_ANY},
         POCL_CPU,
         "asked for: device 'cpu', the first of 2"},
        {{"intel", "CPU", LCL_PREFER_ANY},
         INTEL_CPU,
         "asked for: platform 'intel', device 'CPU'"},
        {{"2", NULL, LCL_PREFER_ANY}, INTEL_GPU, "asked for: platform '2'"},
        {{"2", NULL, LCL_PREFER_CPU}, INTEL_CPU, "asked for: platform '2'"},
        {{"3", "1", LCL_PREFER_ANY}, SECOND_GPU, "asked for: platform '3', device '1'"},
        {{NULL, "2", LCL_PREFER_GPU}, INTEL_CPU, "asked for: device '2'"},
        {{NULL, "uhd", LCL_PREFER_ANY}, INTEL_GPU, "asked for: device 'uhd'"},
        {{NULL, "FEDCBA98", LCL_PREFER_ANY}, SECOND_GPU, "asked for: device 'FEDCBA98'"},
        {{NULL, "01234567", LCL_PREFER_ANY}, BIG_GPU, "asked for: device '01234567'"},
        {{NULL, "fedcba98-7654-3210", LCL_PREFER_ANY},
         SECOND_GPU,
         "asked for: device 'fedcba98-7654-3210'"},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        lcl_error err;
        char reason[128] = "";
        size_t chosen = SIZE_MAX;

        CHECK_OK(lcl_device_choose(machine, N_MACHINE, &cases[i].choice, &chosen, reason,
                                   sizeof reason, &err));
        ck_assert_msg(chosen == cases[i].chosen, "case %zu: took %zu", i, chosen);
        ck_assert_str_eq(reason, cases[i].reason);
    }
}
END_TEST

static void check_reason(const lcl_device_info *list, size_t n, lcl_preference prefer,
                         const char *expected)
{
    lcl_error err;
    lcl_device_choice choice = {.prefer = prefer};
    char reason[128] = "";
    size_t chosen = SIZE_MAX;

    CHECK_OK(lcl_device_choose(list, n, &choice, &chosen, reason, sizeof reason, &err));
    ck_assert_str_eq(reason, expected);
}

START_TEST(test_reason_where_nothing_was_asked)
{
    check_reason(machine, 1, LCL_PREFER_ANY, "the only device");
    check_reason(machine, 1, LCL_PREFER_GPU, "the only device; no GPU");
    check_reason(machine, 2, LCL_PREFER_ANY, "the only usable device");
    check_reason(machine, 3, LCL_PREFER_GPU, "no usable GPU, the first of 2");
    check_reason(machine + INTEL_GPU, 2, LCL_PREFER_CPU, "no usable CPU");
    check_reason(machine + BIG_GPU, 2, LCL_PREFER_GPU, "the first of 2 alike");
}
END_TEST

START_TEST(test_choice_without_match)
{
    lcl_error err;
    char reason[128];
    size_t chosen;
    lcl_device_choice none[] = {{NULL, "amd", 0},
                                {"7", NULL, 0},
                                {NULL, "9", 0},
                                {"3", "2", 0},
                                {NULL, "0123456", 0}};
    lcl_device_choice old = {NULL, "Radeon", 0};

    for (size_t i = 0; i < LCL_COUNT(none); i++)
        CHECK_FAILS(
            lcl_device_choose(machine, N_MACHINE, &none[i], &chosen, reason,
                              sizeof reason, &err),
            LCL_ENODEVICE,
            "there are 0:0 pthread-zen (CPU); 1:0 Radeon HD 2400 (GPU, not usable: ");
    ck_assert_ptr_nonnull(strstr(err.hint, "lenet-cl devices"));
    CHECK_FAILS(
        lcl_device_choose(machine, N_MACHINE, &old, &chosen, reason, sizeof reason, &err),
        LCL_ENODEVICE, "Radeon HD 2400 cannot be used: OpenCL 1.2 is needed");
    CHECK_FAILS(lcl_device_choose(machine + OLD_GPU, 1, NULL, &chosen, reason,
                                  sizeof reason, &err),
                LCL_ENODEVICE, "no OpenCL device can be used: 1:0 Radeon");
}
END_TEST

/* ---- The device under test --------------------------------------------------------- */

START_TEST(test_list_has_our_device)
{
    const lcl_device_info *ours = lcl_device_get_info(testing_device());
    lcl_device_info *list = NULL;
    lcl_error err;
    size_t n = 0;

    CHECK_OK(lcl_device_list(&list, &n, &err));
    ck_assert_int_lt(ours->index, (int)n);
    ck_assert_str_eq(list[ours->index].name, ours->name);
    ck_assert(ours->usable);
    ck_assert_uint_gt(ours->compute_units, 0);
    ck_assert_uint_gt(ours->largest_allocation, 0);
    ck_assert_uint_ge(ours->alignment, 4);
    ck_assert_str_ne(lcl_device_reason(testing_device()), "");
    free(list);
}
END_TEST

START_TEST(test_open_and_close_a_second_one)
{
    char index[16];
    lcl_device_choice choice = {.device = index};
    lcl_device *dev = NULL;
    lcl_error err;

    snprintf(index, sizeof index, "%d", lcl_device_get_info(testing_device())->index);
    CHECK_OK(lcl_device_open(&dev, &choice, &err));
    CHECK_OK(lcl_device_finish(dev, &err));
    lcl_device_close(dev);
    lcl_device_close(NULL);
}
END_TEST

START_TEST(test_open_unknown)
{
    lcl_device_choice choice = {.device = "no such device"};
    lcl_device *dev = NULL;
    lcl_error err;

    CHECK_FAILS(lcl_device_open(&dev, &choice, &err), LCL_ENODEVICE,
                "no OpenCL device matches device 'no such device'");
    ck_assert_ptr_null(dev);
}
END_TEST

START_TEST(test_names_of_codes)
{
    ck_assert_str_eq(lcl_cl_name(CL_SUCCESS), "CL_SUCCESS");
    ck_assert_str_eq(lcl_cl_name(-5), "CL_OUT_OF_RESOURCES");
    ck_assert_str_eq(lcl_cl_name(-54), "CL_INVALID_WORK_GROUP_SIZE");
    ck_assert_str_eq(lcl_cl_name(-1001), "CL_PLATFORM_NOT_FOUND_KHR");
    ck_assert_str_eq(lcl_cl_name(-2046), "CLBlastInvalidLocalMemUsage");
    ck_assert_str_eq(lcl_cl_name(12345), "an OpenCL status without a name");
}
END_TEST

/* ---- Memory ------------------------------------------------------------------------ */

START_TEST(test_buffer_copies)
{
    lcl_device *dev = testing_device();
    float in[8] = {1, 2, 3, 4, 5, 6, 7, 8}, out[8];
    cl_mem a = NULL, b = NULL;
    lcl_error err;

    CHECK_OK(lcl_buffer_create(&a, dev, sizeof in, "a", &err));
    CHECK_OK(lcl_buffer_create(&b, dev, sizeof in, "b", &err));
    CHECK_OK(lcl_buffer_read(dev, a, 0, sizeof out, out, &err));
    for (int i = 0; i < 8; i++)
        ck_assert(out[i] == 0.0f);
    CHECK_OK(lcl_buffer_write(dev, a, 0, sizeof in, in, &err));
    CHECK_OK(lcl_buffer_fill(dev, a, 4, 8, 9.5f, &err));
    CHECK_OK(lcl_buffer_copy(dev, a, 4, b, 0, 28, &err));
    CHECK_OK(lcl_buffer_read(dev, b, 0, sizeof out, out, &err));
    ck_assert(out[0] == 9.5f && out[1] == 9.5f && out[2] == 4.0f && out[6] == 8.0f &&
              out[7] == 0.0f);
    CHECK_OK(lcl_buffer_copy(dev, a, 0, b, 0, 0, &err));
    CHECK_FAILS(lcl_buffer_read(dev, a, 0, 64, out, &err), LCL_EDEVICE,
                "reading 64 bytes: CL_INVALID_VALUE");
    lcl_buffer_release(&a);
    lcl_buffer_release(&b);
    ck_assert_ptr_null(a);
    lcl_buffer_release(&a);
}
END_TEST

START_TEST(test_buffer_of_no_bytes)
{
    cl_mem buffer = NULL;
    lcl_error err;
    char bytes[4];

    CHECK_OK(lcl_buffer_create(&buffer, testing_device(), 0, "nothing", &err));
    CHECK_OK(lcl_buffer_read(testing_device(), buffer, 0, 4, bytes, &err));
    lcl_buffer_release(&buffer);
}
END_TEST

START_TEST(test_too_large_buffer_says_what_there_is)
{
    lcl_device *dev = testing_device();
    size_t largest = (size_t)lcl_device_get_info(dev)->largest_allocation;
    cl_mem buffer = NULL;
    lcl_error err;
    char needed[64];

    snprintf(needed, sizeof needed, "no memory for data of blob 'x': %.1f MB needed",
             ((double)largest + 4.0) / 1048576.0);
    CHECK_FAILS(lcl_buffer_create(&buffer, dev, largest + 4, "data of blob 'x'", &err),
                LCL_EDEVICE, needed);
    ck_assert_ptr_nonnull(strstr(err.message, "MB in one piece"));
    ck_assert_ptr_nonnull(strstr(err.hint, "batch_size"));
    CHECK_FAILS(lcl_buffer_create(&buffer, dev, SIZE_MAX, "y", &err), LCL_EDEVICE,
                "no memory for y");
    ck_assert_ptr_null(buffer);
}
END_TEST

/* ---- Programs and kernels ---------------------------------------------------------- */

static const lcl_define scale_2[] = {{"SCALE", 2}}, scale_3[] = {{"SCALE", 3}};

/* For kernels that do not get so far. */
static lcl_status run_nothing(lcl_kernel *kernel, lcl_error *err)
{
    return lcl_kernel_run(testing_device(), kernel, (lcl_range){0}, (lcl_range){0}, NULL,
                          0, err);
}

START_TEST(test_programs_are_built_once)
{
    lcl_device *dev = testing_device();
    lcl_kernel *a = NULL, *b = NULL, *c = NULL, *other = NULL;
    lcl_error err;

    CHECK_OK(lcl_kernel_get(&a, dev, "device_test", "add", scale_2, 1, &err));
    CHECK_OK(lcl_kernel_get(&c, dev, "device_test", "add", scale_3, 1, &err));
    CHECK_OK(lcl_kernel_get(&other, dev, "device_test", "lanes", scale_2, 1, &err));
    CHECK_OK(lcl_device_build(dev, &err));
    lcl_device_fault(dev, LCL_FAULT_BUILD, 1);
    CHECK_OK(lcl_kernel_get(&b, dev, "device_test", "add", scale_2, 1, &err));
    CHECK_OK(lcl_device_build(dev, &err));
    lcl_device_fault(dev, LCL_FAULT_BUILD, 0);
    ck_assert_ptr_eq(a, b);
    ck_assert_ptr_ne(a, c);
    ck_assert_ptr_ne(a, other);
}
END_TEST

START_TEST(test_kernel_runs_over_its_range)
{
    lcl_device *dev = testing_device();
    float out[15], value = 0.5f;
    lcl_kernel *kernel = NULL;
    cl_mem x = NULL;
    lcl_error err;

    CHECK_OK(lcl_buffer_create(&x, dev, sizeof out, "x", &err));
    CHECK_OK(lcl_kernel_get(&kernel, dev, "device_test", "add", scale_3, 1, &err));
    lcl_arg args[] = {LCL_ARG(x), LCL_ARG(value)};
    CHECK_OK(
        lcl_kernel_run(dev, kernel, (lcl_range){5, 2, 0}, (lcl_range){0}, args, 2, &err));
    CHECK_OK(lcl_kernel_run(dev, kernel, (lcl_range){10, 0, 0}, (lcl_range){5, 1, 1},
                            args, 2, &err));
    CHECK_OK(lcl_buffer_read(dev, x, 0, sizeof out, out, &err));
    for (int i = 0; i < 15; i++)
        ck_assert(out[i] == (i < 10 ? 3.0f : 0.0f));
    lcl_buffer_release(&x);
}
END_TEST

START_TEST(test_groups_of_a_gpu)
{
    static const struct {
        size_t limit, global[3], group[3];
    } cases[] = {
        {256, {32, 12, 5}, {32, 4, 1}},   {256, {64, 576, 1}, {64, 2, 1}},
        {256, {1, 576, 1}, {1, 64, 1}},   {256, {1, 512, 1}, {1, 128, 1}},
        {1024, {512, 8, 1}, {512, 1, 1}}, {256, {1000, 3, 1}, {250, 1, 1}},
        {256, {2053, 4, 1}, {1, 4, 1}},   {1, {16, 16, 16}, {1, 1, 1}},
        {16, {8, 8, 1}, {8, 2, 1}},       {256, {16, 7, 4}, {16, 1, 1}},
    };
    size_t group[3];

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        lcl_program_group(cases[i].limit, 128, cases[i].global, group);
        ck_assert_msg(memcmp(group, cases[i].group, sizeof group) == 0,
                      "case %zu: %zu %zu %zu", i, group[0], group[1], group[2]);
    }
}
END_TEST

START_TEST(test_chosen_groups_divide_every_range)
{
    static const lcl_range ranges[] = {{1, 1, 1},   {7, 5, 3},    {1024, 6, 1},
                                       {16, 12, 2}, {2053, 1, 1}, {96, 7, 1}};
    lcl_device *dev = testing_device();
    bool cpu = lcl_device_is_cpu(dev);

    for (size_t i = 0; i < LCL_COUNT(ranges); i++) {
        size_t n = ranges[i].x * ranges[i].y * ranges[i].z;
        int *sizes = lcl_alloc(n, sizeof *sizes);
        lcl_kernel *kernel = NULL;
        cl_mem x = NULL;
        lcl_error err;

        CHECK_OK(lcl_buffer_create(&x, dev, n * sizeof *sizes, "x", &err));
        CHECK_OK(
            lcl_kernel_get(&kernel, dev, "device_test", "group_size", scale_2, 1, &err));
        CHECK_OK(lcl_kernel_run(dev, kernel, ranges[i], (lcl_range){0},
                                &(lcl_arg)LCL_ARG(x), 1, &err));
        CHECK_OK(lcl_buffer_read(dev, x, 0, n * sizeof *sizes, sizes, &err));
        for (size_t j = 0; j < n; j++)
            ck_assert_int_eq(sizes[j], sizes[0]);
        ck_assert(cpu ? sizes[0] == 1 : sizes[0] >= 1 && n % (size_t)sizes[0] == 0);
        lcl_buffer_release(&x);
        free(sizes);
    }
}
END_TEST

/* The prelude, for the widths in use: 21 images in blocks of B. */
START_TEST(test_lanes)
{
    static const long widths[][2] = {{1, 1},  {2, 2},  {4, 2},  {16, 16},
                                     {32, 4}, {16, 8}, {32, 1}, {64, 4}};
    lcl_device *dev = testing_device();

    for (size_t i = 0; i < LCL_COUNT(widths); i++) {
        long b = widths[i][0], v = widths[i][1];
        size_t blocks = (21 + (size_t)b - 1) / (size_t)b, n = blocks * (size_t)b;
        lcl_define defines[] = {{"B", b}, {"V", v}, {"SCALE", 1}};
        float *x = lcl_alloc(n, sizeof *x), *sums = lcl_alloc(n, sizeof *sums);
        cl_int n_images = 21;
        cl_mem lanes = NULL, totals = NULL;
        lcl_kernel *kernel = NULL;
        lcl_error err;

        CHECK_OK(lcl_buffer_create(&lanes, dev, n * sizeof *x, "lanes", &err));
        CHECK_OK(lcl_buffer_create(&totals, dev, n * sizeof *x, "sums", &err));
        CHECK_OK(lcl_kernel_get(&kernel, dev, "device_test", "lanes", defines, 3, &err));
        lcl_arg args[] = {LCL_ARG(lanes), LCL_ARG(n_images)};
        CHECK_OK(lcl_kernel_run(dev, kernel, (lcl_range){(size_t)(b / v), blocks, 1},
                                (lcl_range){0}, args, 2, &err));
        CHECK_OK(
            lcl_kernel_get(&kernel, dev, "device_test", "lane_sums", defines, 3, &err));
        lcl_arg more[] = {LCL_ARG(lanes), LCL_ARG(totals)};
        CHECK_OK(lcl_kernel_run(dev, kernel, (lcl_range){n / (size_t)v, 1, 1},
                                (lcl_range){0}, more, 2, &err));
        CHECK_OK(lcl_buffer_read(dev, lanes, 0, n * sizeof *x, x, &err));
        CHECK_OK(lcl_buffer_read(dev, totals, 0, n * sizeof *x, sums, &err));
        for (size_t j = 0; j < n; j++) {
            ck_assert_msg(x[j] == (j < 21 ? (float)(j % (size_t)v) : 0.0f),
                          "B %ld, V %ld: lane %zu holds %g", b, v, j, (double)x[j]);
            sums[j / (size_t)v] -= x[j];
        }
        for (size_t j = 0; j < n / (size_t)v; j++)
            ck_assert(sums[j] == 0.0f);
        lcl_buffer_release(&lanes);
        lcl_buffer_release(&totals);
        free(x);
        free(sums);
    }
}
END_TEST

START_TEST(test_build_error_names_file_and_line)
{
    lcl_kernel *kernel = NULL;
    lcl_error err;

    CHECK_OK(
        lcl_kernel_get(&kernel, testing_device(), "broken", "broken", scale_2, 1, &err));
    CHECK_FAILS(run_nothing(kernel, &err), LCL_EDEVICE, "CL_BUILD_PROGRAM_FAILURE");
    ck_assert_ptr_nonnull(strstr(err.message, "-DSCALE=2"));
    ck_assert_ptr_nonnull(strstr(err.message, "no_such_name"));
    /* Oclgrind's messages know nothing of #line. */
    if (strcmp(lcl_device_get_info(testing_device())->platform_name, "Oclgrind") == 0)
        return;
    ck_assert_str_eq(err.where, "cl/broken.cl:6");
    ck_assert_ptr_nonnull(strstr(err.excerpt, "x[get_global_id(0)] = no_such_name;\n"));
    ck_assert_str_ne(err.hint, "");
}
END_TEST

START_TEST(test_missing_files_and_kernels)
{
    lcl_device *dev = testing_device();
    lcl_kernel *kernel = NULL;
    lcl_error err;

    CHECK_FAILS(lcl_kernel_get(&kernel, dev, "no_file", "x", NULL, 0, &err), LCL_EDEVICE,
                "no kernel file cl/no_file.cl");
    CHECK_FAILS(lcl_kernel_get(&kernel, dev, "lost_include", "x", NULL, 0, &err),
                LCL_EDEVICE, "no kernel file cl/nowhere.cl");
    ck_assert_str_eq(err.where, "cl/lost_include.cl:3");
    CHECK_OK(lcl_kernel_get(&kernel, dev, "device_test", "no_kernel", scale_2, 1, &err));
    CHECK_FAILS(run_nothing(kernel, &err), LCL_EDEVICE,
                "no kernel 'no_kernel': CL_INVALID_KERNEL_NAME");
    ck_assert_str_eq(err.where, "cl/device_test.cl");
    setenv("LCL_CL_DIR", "/no/such/folder", 1);
    CHECK_FAILS(lcl_kernel_get(&kernel, dev, "random", "x", NULL, 0, &err), LCL_EIO,
                "no folder of this name");
    setenv("LCL_CL_DIR", "tests/cl", 1);
}
END_TEST

START_TEST(test_run_errors_name_the_kernel)
{
    lcl_device *dev = testing_device();
    lcl_kernel *kernel = NULL;
    char wrong = 0;
    lcl_arg argument = LCL_ARG(wrong);
    lcl_error err;

    CHECK_OK(lcl_kernel_get(&kernel, dev, "device_test", "add", scale_2, 1, &err));
    CHECK_FAILS(lcl_kernel_run(dev, kernel, (lcl_range){1, 1, 1}, (lcl_range){0},
                               &argument, 1, &err),
                LCL_EDEVICE, "kernel add: argument 0: CL_INVALID_");
}
END_TEST

/* ---- Failures on purpose ----------------------------------------------------------- */

START_TEST(test_faults)
{
    lcl_device *dev = testing_device();
    cl_mem a = NULL, b = NULL;
    lcl_kernel *kernel = NULL;
    lcl_define unbuilt = {"SCALE", 99};
    float value = 1;
    lcl_error err;

    lcl_device_fault(dev, LCL_FAULT_ALLOC, 2);
    CHECK_OK(lcl_buffer_create(&a, dev, 4, "a", &err));
    CHECK_FAILS(lcl_buffer_create(&b, dev, 4, "b", &err), LCL_EDEVICE,
                "CL_MEM_OBJECT_ALLOCATION_FAILURE");
    ck_assert_ptr_null(b);
    CHECK_OK(lcl_buffer_create(&b, dev, 4, "b", &err));

    lcl_device_fault(dev, LCL_FAULT_BUILD, 1);
    CHECK_OK(lcl_kernel_get(&kernel, dev, "device_test", "add", &unbuilt, 1, &err));
    CHECK_FAILS(run_nothing(kernel, &err), LCL_EDEVICE, "CL_BUILD_PROGRAM_FAILURE");
    ck_assert_str_eq(err.where, "cl/device_test.cl");

    lcl_arg args[] = {LCL_ARG(a), LCL_ARG(value)};
    lcl_device_fault(dev, LCL_FAULT_RUN, 1);
    CHECK_FAILS(
        lcl_kernel_run(dev, kernel, (lcl_range){1, 1, 1}, (lcl_range){0}, args, 2, &err),
        LCL_EDEVICE, "kernel add: starting it: CL_OUT_OF_RESOURCES");
    lcl_device_fault(dev, LCL_FAULT_COPY, 1);
    CHECK_FAILS(lcl_buffer_read(dev, a, 0, 4, &value, &err), LCL_EDEVICE,
                "reading 4 bytes: CL_OUT_OF_RESOURCES");
    CHECK_OK(lcl_buffer_read(dev, a, 0, 4, &value, &err));
    lcl_buffer_release(&a);
    lcl_buffer_release(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device");
    TCase *choice = tcase_create("choice"), *t = tcase_create("device");

    setenv("LCL_CL_DIR", "tests/cl", 1);
    tcase_add_test(choice, test_choice);
    tcase_add_test(choice, test_reason_where_nothing_was_asked);
    tcase_add_test(choice, test_choice_without_match);
    suite_add_tcase(suite, choice);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_list_has_our_device);
    tcase_add_test(t, test_open_and_close_a_second_one);
    tcase_add_test(t, test_open_unknown);
    tcase_add_test(t, test_names_of_codes);
    tcase_add_test(t, test_buffer_copies);
    tcase_add_test(t, test_buffer_of_no_bytes);
    tcase_add_test(t, test_too_large_buffer_says_what_there_is);
    tcase_add_test(t, test_programs_are_built_once);
    tcase_add_test(t, test_kernel_runs_over_its_range);
    tcase_add_test(t, test_groups_of_a_gpu);
    tcase_add_test(t, test_chosen_groups_divide_every_range);
    tcase_add_test(t, test_lanes);
    tcase_add_test(t, test_build_error_names_file_and_line);
    tcase_add_test(t, test_missing_files_and_kernels);
    tcase_add_test(t, test_run_errors_name_the_kernel);
    tcase_add_test(t, test_faults);
    suite_add_tcase(suite, t);
    return testing_run(suite);
}
