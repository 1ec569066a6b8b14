/* The verify command as a user runs it: it passes on a device that computes right, finds
 * kernels that do not, and says what to do about them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_state.h"
#include "lcl/layer.h"
#include "npy.h"
#include "program.h"
#include "verify/verify.h"

#define GOLDEN "$OLDPWD/tests/golden/layers/"

static void put_array(const char *name, float value)
{
    char *path = lcl_path_join(program_folder, name);
    const int shape[1] = {1};
    lcl_error err;

    CHECK_OK(lcl_npy_write(path, &value, 1, shape, &err));
    free(path);
}

static void shell(const char *format)
{
    char *command = lcl_format(format, program_folder);

    ck_assert_msg(system(command) == 0, "%s", command);
    free(command);
}

/* Three cases: right, wrong, and of a layer type that nobody has. */
static void setup(void)
{
    make_folder();
    shell("cd %s && mkdir -p cases/a_right cases/b_wrong cases/c_unknown");
    put("cases/a_right/layer.prototxt", "type: 'ReLU' bottom: 'x' top: 'y'");
    put_array("cases/a_right/bottom_0.npy", 2);
    put_array("cases/a_right/top_0.npy", 2);
    put("cases/b_wrong/layer.prototxt", "type: 'ReLU' bottom: 'x' top: 'y'");
    put_array("cases/b_wrong/bottom_0.npy", 2);
    put_array("cases/b_wrong/top_0.npy", 2.5f);
    put("cases/c_unknown/layer.prototxt", "type: 'NoSuch' bottom: 'x' top: 'y'");
}

static void check_exits(int wanted, int code)
{
    char *out = get("out"), *err = get("err");

    ck_assert_msg(code == wanted, "exit code %d, not %d: %s%s", code, wanted, out, err);
    free(out);
    free(err);
}

/* ---- Stored cases ------------------------------------------------------------------ */

START_TEST(passed)
{
    check_exits(0, lenet_cl("verify --cases " GOLDEN "softmaxloss_spatial"));
    check_contains("out", "  softmaxloss_spatial ");
    check_contains("out", "\n1 passed, 0 failed\n");
    check_exits(0, lenet_cl("verify --block 8 --vector 2 " GOLDEN "relu " GOLDEN
                            "pooling_max_mask"));
    check_contains("out", "\n2 passed, 0 failed\n");
}
END_TEST

START_TEST(failed)
{
    check_exits(1, lenet_cl("verify --cases cases --block 4"));
    check_contains("out", "\n1 passed, 2 failed\n");
    check_contains("out", "\n  b_wrong (top_0, B 4): off by 2.0e-01 of the largest "
                          "magnitude, allowed 1e-06\n");
    check_contains("out", "\n  c_unknown (B 4): ");
    check_exits(1, lenet_cl("verify --cases cases --skip-unknown"));
    check_contains("out", "\n1 passed, 1 failed, 1 skipped\n");
    check_contains("out", "no layer type 'NoSuch'");
}
END_TEST

START_TEST(usage)
{
    check_exits(2, lenet_cl("verify --block 3 " GOLDEN "relu"));
    check_contains("err", "powers of two");
    check_exits(1, lenet_cl("verify --cases no/such/folder"));
    check_contains("err", "no/such/folder");
    check_exits(2, lenet_cl("verify --only layer/ReLU"));
    check_contains("err", "did you mean 'layers'?");
    check_exits(1, lenet_cl("verify --only layers/ReLU --report no/such/folder"));
    check_contains("err", "no/such");
}
END_TEST

/* ---- The built-in set -------------------------------------------------------------- */

static bool has_row(const lcl_verify_device *d, const char *group, const char *row)
{
    for (size_t i = 0; i < d->n_checks; i++)
        if (strcmp(d->checks[i].group, group) == 0 && strcmp(d->checks[i].row, row) == 0)
            return true;
    return false;
}

/* Only what reads or takes values without computing anything may be missing. */
static void check_layers(const lcl_verify_device *d)
{
    static const char *const computes_nothing[] = {"Data",     "Input",      "ImageData",
                                                   "HDF5Data", "HDF5Output", "WindowData",
                                                   "Silence",  "MemoryData"};

    for (size_t i = 0; lcl_layer_types[i]; i++) {
        const char *type = lcl_layer_types[i]->name;
        bool nothing = false;
        for (size_t k = 0; k < LCL_COUNT(computes_nothing); k++)
            nothing = nothing || strcmp(type, computes_nothing[k]) == 0;
        ck_assert_msg(nothing || has_row(d, "layers", type), "no case of %s", type);
    }
}

/* By whatever file: some include others' kernels. */
static bool was_asked_for(const lcl_device *dev, const char *kernel)
{
    for (size_t i = 0; i < dev->n_kernels; i++)
        if (strcmp(dev->kernels[i]->name, kernel) == 0)
            return true;
    return false;
}

static size_t check_kernels_of(const lcl_device *dev, const char *name)
{
    static const char mark[] = "\nkernel void ";
    char *path = lcl_format("cl/%s.cl", name), *text;
    lcl_error err;
    size_t n = 0;

    CHECK_OK(lcl_file_read(&text, NULL, path, 0, &err));
    for (char *at = text; (at = strstr(at, mark)); n++) {
        char kernel[64];
        at += strlen(mark);
        ck_assert_int_eq(sscanf(at, "%63[a-z0-9_]", kernel), 1);
        ck_assert_msg(was_asked_for(dev, kernel), "%s: kernel %s is not verified", path,
                      kernel);
    }
    free(text);
    free(path);
    return n;
}

/* Every kernel of cl/ ran, but those that measure. */
static void check_kernels(const lcl_device *dev)
{
    DIR *dir = opendir("cl");
    size_t n = 0;

    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char name[64];
        if (sscanf(entry->d_name, "%63[a-z0-9_].cl", name) == 1 &&
            lcl_has_suffix(entry->d_name, ".cl") && strcmp(name, "bench") != 0 &&
            strcmp(name, "peak") != 0)
            n += check_kernels_of(dev, name);
    }
    closedir(dir);
    ck_assert_uint_gt(n, 80);
}

START_TEST(everything_is_verified)
{
    const lcl_verify_options options = {0};
    lcl_verify_report report = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    lcl_error err;

    CHECK_OK(lcl_verify_run(testing_device(), &options, out, NULL, &report, &err));
    fclose(out);
    ck_assert_uint_eq(report.n_devices, 1);
    ck_assert_msg(!lcl_verify_any_failed(&report), "%s", text);
    ck_assert_uint_gt(lcl_verify_count(&report.devices[0]).passed, 900);
    ck_assert(strstr(text, "\nThis device computes right: ") != NULL);
    check_layers(&report.devices[0]);
    check_kernels(testing_device());
    lcl_verify_report_free(&report);
    free(text);
}
END_TEST

START_TEST(quick_and_only)
{
    check_exits(0, lenet_cl("verify --quick --only layers/ReLU,updates"));
    check_contains("out", ", quick: only a few small cases");
    check_contains("out", "\n  ReLU ");
    check_contains("out", "\n  AdaDelta ");
    check_lacks("out", "\n  Pooling ");
    check_contains("out", "\nThis device computes right: ");
}
END_TEST

START_TEST(all_devices)
{
    check_exits(0, lenet_cl("verify --all-devices --only layers/AbsVal"));
    check_contains("out", "\n6 passed, 0 failed\n");
}
END_TEST

START_TEST(reports)
{
    check_exits(0, lenet_cl("verify --only layers/AbsVal --report report.txt"));
    char *out = get("out");
    check_file("report.txt", out);
    free(out);
    check_exits(1, lenet_cl("verify --cases cases --report report.json"));
    check_contains("report.json", "\"failed\": 2");
    check_contains("report.json", "\"failure\": ");
    check_contains("report.json", "\"advice\": [");
}
END_TEST

/* ---- Wrong kernels ----------------------------------------------------------------- */

/* The first `from` after `after` in cl/<file>.cl becomes `to`. */
typedef struct {
    const char *file, *after, *from, *to;
    const char *only;   /* what is verified */
    const char *failed; /* what must be among the failures */
    const char *advice;
} broken_kernel;

static const broken_kernel broken[] = {
    {"relu", "relu_forward", "> 0", "< 0", "layers/ReLU", "\n  ReLU (relu, top_0, B ",
     "No setting avoids the failures of ReLU"},
    {"unary", "unary_backward", "dy[i] *", "dy[i] +", "layers/TanH",
     "\n  TanH (tanh_formula, bottom_diff_0, B ", "No setting avoids"},
    {"reduce", "reduce_parts", "sum += ", "sum = ", "sums", "\n  bias (param_diff_0, B ",
     "No setting"},
    {"update", "STEP(nesterov)", "1 + momentum", "1 - momentum", "updates",
     "\n  Nesterov (parameters)", "No setting avoids the failures of Nesterov. "},
    {"winograd_tiles", " void output_tiles(", "+ b)", "- 1)", "winograd",
     "\n  3x3 (top_0, B ", "LCL_WINOGRAD=0: convolutions are right without"},
    {"gemm", "kernel void gemm_outer(", "mad(f, x[j], sum[i][j])", "f * x[j]", "gemm/own",
     "\n  own 7x33x17 (A B", "No setting"},
    {"blob", "kernel void blob_convert", "+", "-", "layouts", "\n  blocks of ",
     "No setting"},
    {"data", "kernel void data_batch", "* scale", "+ scale", "data", "\n  batches (",
     "--resident off: batches are right"},
    {"relu", "relu_forward", "{", "{ no such thing;", "layers/ReLU",
     ": cl/relu.cl:", "No setting"},
};

static void spoil(const broken_kernel *b)
{
    char *name = lcl_format("cl/%s.cl", b->file);
    lcl_text changed = {0};

    shell("cp -r cl %s/");
    char *text = get(name), *at = strstr(text, b->after);
    ck_assert_msg(at && (at = strstr(at, b->from)), "%s has changed", name);
    lcl_text_add_bytes(&changed, text, (size_t)(at - text));
    lcl_text_printf(&changed, "%s%s", b->to, at + strlen(b->from));
    put(name, changed.text);
    free(changed.text);
    free(text);
    free(name);
}

START_TEST(wrong_kernels_are_found)
{
    const broken_kernel *b = &broken[_i];
    char *arguments = lcl_format("verify --only %s", b->only);

    spoil(b);
    check_exits(1, lenet_cl_with("LCL_CL_DIR=cl", arguments));
    check_contains("out", b->failed);
    check_contains("out", b->advice);
    check_contains("out", "LCL_CL_DIR is set");
    free(arguments);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify");
    TCase *cases = tcase_create("verify");

    tcase_set_timeout(cases, 600);
    tcase_add_checked_fixture(cases, setup, remove_folder);
    tcase_add_test(cases, passed);
    tcase_add_test(cases, failed);
    tcase_add_test(cases, usage);
    tcase_add_test(cases, everything_is_verified);
    tcase_add_test(cases, quick_and_only);
    tcase_add_test(cases, all_devices);
    tcase_add_test(cases, reports);
    tcase_add_loop_test(cases, wrong_kernels_are_found, 0, (int)LCL_COUNT(broken));
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
