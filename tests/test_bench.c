/* The benchmark: its arithmetic, its plain C answers, reports, pages, and the command. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/lenet.h"
#include "bench/reference.h"
#include "bench/report_html.h"
#include "bench/report_json.h"
#include "bench/report_text.h"
#include "testing.h"
#include "text.h"

static char folder[64];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/test_bench_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char *command = lcl_format("rm -r %s", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
}

/* A path in the folder; new. */
static char *path_of(const char *name)
{
    return lcl_path_join(folder, name);
}

static char *write_text(const char *name, const char *text)
{
    lcl_error err = {0};
    char *path = path_of(name);

    CHECK_OK(lcl_file_write(path, text, strlen(text), &err));
    return path;
}

static char *read_text(const char *path)
{
    lcl_error err = {0};
    char *text = NULL;
    size_t size;

    CHECK_OK(lcl_file_read(&text, &size, path, 0, &err));
    return text;
}

static void check_near(double found, double right)
{
    ck_assert_msg(fabs(found - right) <= 1e-9 * fabs(right), "%g is not %g", found,
                  right);
}

/* ---- Arithmetic -------------------------------------------------------------------- */

START_TEST(statistics_of_repeats)
{
    double odd[] = {5, 1, 3, 2, 4}, even[] = {4, 1, 3, 2}, one[] = {7};
    lcl_bench_time t = lcl_bench_statistics(odd, 5);

    check_near(t.min, 1);
    check_near(t.median, 3);
    check_near(t.spread, 2.0 / 3); /* from 2 to 4 */
    ck_assert_uint_eq(t.repeats, 5);
    t = lcl_bench_statistics(even, 4);
    check_near(t.median, 2.5);
    check_near(t.spread, (3.25 - 1.75) / 2.5);
    t = lcl_bench_statistics(one, 1);
    check_near(t.median, 7);
    ck_assert(t.spread == 0);
}
END_TEST

/* A device of 100 GFLOP/s and 10 GB/s. */
static lcl_bench_device *add_device(lcl_bench_report *report, const char *name)
{
    lcl_bench_device *d = lcl_bench_add_device(report);

    d->name = lcl_strdup(name);
    d->kind = lcl_strdup("GPU");
    d->vendor = lcl_strdup("Vendor & Sons");
    d->version = lcl_strdup("OpenCL 1.2");
    d->driver = lcl_strdup("1.0 <beta>");
    d->platform = lcl_strdup("Platform \"P\"");
    d->lenet_cl = lcl_strdup("0.1.0");
    d->date = lcl_strdup("2026-01-02T03:04:05Z");
    d->host = lcl_strdup("Processor, 4 threads, Linux");
    d->compute_units = 8;
    d->clock_mhz = 1500;
    d->memory = 8e9;
    d->flops = 100e9;
    d->bandwidth = 10e9;
    return d;
}

static lcl_bench_row *add_row(lcl_bench_device *d, const char *group, const char *name,
                              double seconds)
{
    lcl_bench_row *row = lcl_bench_add_row(d, group, name, "own");

    row->time = (lcl_bench_time){seconds, 1.25 * seconds, 0.125, 9};
    return row;
}

START_TEST(values_and_shares)
{
    lcl_bench_report report = {0};
    lcl_bench_device *d = add_device(&report, "D");
    lcl_bench_row *row = add_row(d, "gemm", "8x8x8", 0.5);

    row->flop = 25e9; /* a quarter of a second at the peak */
    row->bytes = 1e9; /* a tenth */
    check_near(lcl_bench_value(row), 50);
    check_near(lcl_bench_share(d, row), 0.5);
    row->bytes = 4e9; /* memory binds */
    check_near(lcl_bench_share(d, row), 0.8);
    row->skipped = lcl_strdup("no");
    ck_assert(lcl_bench_value(row) == 0 && lcl_bench_share(d, row) == 0);
    row = add_row(d, "launch", "dependent", 2e-6);
    check_near(lcl_bench_value(row), 2);
    ck_assert(lcl_bench_share(d, row) == 0);
    row = add_row(d, "training", "batch 64", 0.002);
    row->images = 64;
    check_near(lcl_bench_value(row), 32000);
    row->wrong = true;
    ck_assert(lcl_bench_value(row) == 0);
    ck_assert(lcl_bench_any_wrong(&report));
    row = add_row(d, "peak", "float", 1);
    row->flop = 1e9;
    ck_assert(lcl_bench_share(d, row) == 0);
    ck_assert(lcl_bench_value(NULL) == 0 && lcl_bench_ratio(NULL, row) == 0);
    lcl_bench_report_free(&report);
}
END_TEST

START_TEST(numbers_have_three_digits)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},         {0.012345, "0.0123"}, {1.2345, "1.23"},
                 {12.345, "12.3"}, {123.45, "123"},      {12345.6, "12346"}};
    char text[32];

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        lcl_bench_number_text(cases[i].value, text, sizeof text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

/* ---- Plain C ----------------------------------------------------------------------- */

/* With y = conv(x, w) and any g: sum g y = sum (gradient of x) x = sum (gradient of w) w. */
static void check_adjoint(lcl_bench_conv v)
{
    lcl_bench_conv_shape(&v);
    const size_t n_in = lcl_bench_conv_inputs(&v), n_weights = lcl_bench_conv_weights(&v);
    const size_t n_out = lcl_bench_conv_outputs(&v);
    float *x = lcl_alloc(n_in, sizeof *x), *w = lcl_alloc(n_weights, sizeof *w);
    float *g = lcl_alloc(n_out, sizeof *g);
    double out = 0, in = 0, weights = 0;

    lcl_bench_fill(x, n_in, 1);
    lcl_bench_fill(w, n_weights, 2);
    lcl_bench_fill(g, n_out, 3);
    v.input = x;
    v.weight = w;
    v.grad = g;
    for (size_t i = 0; i < n_out; i++)
        out += (double)g[i] * lcl_bench_conv_output_at(&v, i);
    for (size_t i = 0; i < n_in; i++)
        in += (double)x[i] * lcl_bench_conv_input_grad_at(&v, i);
    for (size_t i = 0; i < n_weights; i++)
        weights += (double)w[i] * lcl_bench_conv_weight_grad_at(&v, i);
    ck_assert_msg(fabs(out - in) < 1e-9 * fabs(out) + 1e-9, "%g, %g", out, in);
    ck_assert_msg(fabs(out - weights) < 1e-9 * fabs(out) + 1e-9, "%g, %g", out, weights);
    free(x);
    free(w);
    free(g);
}

START_TEST(convolution_by_definition)
{
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, w[] = {1, 10, 100, 1000};
    lcl_bench_conv v = {1, 1, 3, 3, 1, 2, 1, 0, 1, 0, 0, x, w, NULL};

    lcl_bench_conv_shape(&v);
    ck_assert_uint_eq(lcl_bench_conv_outputs(&v), 4);
    check_near(lcl_bench_conv_output_at(&v, 0), 1 + 20 + 400 + 5000);
    check_near(lcl_bench_conv_output_at(&v, 3), 5 + 60 + 800 + 9000);
    check_near(lcl_bench_conv_flop(&v), 2 * 4 * 4);
    check_adjoint((lcl_bench_conv){2, 3, 7, 6, 4, 3, 1, 1, 1});
    check_adjoint((lcl_bench_conv){1, 4, 9, 8, 6, 3, 2, 1, 2});
    check_adjoint((lcl_bench_conv){3, 2, 11, 11, 2, 5, 4, 2, 2});
}
END_TEST

static double loss_of(const lcl_lenet_weights *w)
{
    double sum = 0, prob[LCL_LENET_CLASSES];

    for (size_t i = 0; i < LCL_LENET_IMAGES; i++) {
        uint8_t pixels[LCL_LENET_PIXELS];
        float image[LCL_LENET_PIXELS];
        int label;
        lcl_lenet_image(i, pixels, &label);
        for (int p = 0; p < LCL_LENET_PIXELS; p++)
            image[p] = (float)pixels[p] / 256;
        lcl_lenet_forward(w, image, prob);
        sum -= log(prob[label]);
    }
    return sum / LCL_LENET_IMAGES;
}

/* One element of every parameter against central differences. */
START_TEST(lenet_gradients)
{
    lcl_lenet_weights w, grads;

    for (size_t p = 0; p < LCL_LENET_PARAMS; p++) {
        w.values[p] = lcl_alloc(lcl_lenet_counts[p], sizeof(float));
        lcl_bench_fill(w.values[p], lcl_lenet_counts[p], (unsigned)p);
        for (size_t i = 0; i < lcl_lenet_counts[p]; i++)
            w.values[p][i] *= 0.08f;
    }
    grads = lcl_lenet_gradients(&w);
    for (size_t p = 0; p < LCL_LENET_PARAMS; p++) {
        const size_t at = lcl_bench_pick(p, lcl_lenet_counts[p]);
        const float before = w.values[p][at];
        w.values[p][at] = before + 0.0009765625f;
        double above = loss_of(&w);
        w.values[p][at] = before - 0.0009765625f;
        double below = loss_of(&w), found = (double)grads.values[p][at];
        w.values[p][at] = before;
        double right = (above - below) / 0.001953125;
        ck_assert_msg(fabs(found - right) < 0.02 * fabs(right) + 2e-4,
                      "parameter %zu: %g, differences give %g", p, found, right);
    }
    lcl_lenet_weights_free(&w);
    lcl_lenet_weights_free(&grads);
}
END_TEST

START_TEST(errors_are_parts_of_the_largest)
{
    lcl_bench_error e = {0};

    lcl_bench_compare(&e, 10.5, 10);
    lcl_bench_compare(&e, -20, -20);
    check_near(lcl_bench_error_part(&e), 0.025);
    lcl_bench_compare(&e, NAN, 1);
    lcl_bench_compare(&e, 1, 1);
    ck_assert(lcl_bench_error_part(&e) >= 1e29);
}
END_TEST

/* ---- Measuring --------------------------------------------------------------------- */

typedef struct {
    int runs;
    double error;
    bool fails;
} fake;

static lcl_status run_fake(void *what, lcl_error *err)
{
    fake *f = what;

    f->runs++;
    return f->fails ? lcl_fail(err, LCL_EDEVICE, "", "too hot") : LCL_OK;
}

static lcl_status check_fake(void *what, double *error, lcl_error *err)
{
    (void)err;
    *error = ((fake *)what)->error;
    return LCL_OK;
}

START_TEST(wrong_results_are_not_timed)
{
    const lcl_bench_options options = {0};
    const lcl_bench_case c = {.name = "n",
                              .variant = "v",
                              .parts = 4,
                              .run = run_fake,
                              .check = check_fake,
                              .tolerance = 1e-3};
    lcl_bench_report report = {0};
    lcl_bench b = {.options = &options,
                   .dev = testing_device(),
                   .device = add_device(&report, "D"),
                   .group = lcl_bench_group_find("launch"),
                   .seconds = 0.01};
    fake right = {.error = 1e-4}, wrong = {.error = 1e-2}, nan = {.error = NAN},
         broken = {.fails = true};

    ck_assert(lcl_bench_do(&b, &c, &right));
    ck_assert(!lcl_bench_do(&b, &c, &wrong));
    ck_assert(!lcl_bench_do(&b, &c, &nan));
    ck_assert(!lcl_bench_do(&b, &c, &broken));
    const lcl_bench_row *rows = report.devices[0].rows;
    ck_assert(!rows[0].wrong && rows[0].time.min > 0 && rows[0].time.repeats >= 3);
    ck_assert(right.runs > 4);
    ck_assert(rows[1].wrong && rows[1].time.repeats == 0);
    ck_assert(rows[2].wrong);
    ck_assert_int_eq(wrong.runs, 1);
    ck_assert_str_eq(rows[3].skipped, "too hot");
    lcl_bench_report_free(&report);
}
END_TEST

static bool asks(const char *only, const char *group, const char *name, bool *by_name)
{
    size_t n;
    char **list = lcl_list_split(only, &n);
    const lcl_bench_options options = {.only = {list, n}};
    const lcl_bench b = {.options = &options, .group = lcl_bench_group_find(group)};
    bool wanted = lcl_bench_wants(&b, name);

    *by_name = lcl_bench_names(&b, name);
    lcl_list_free(list, n);
    return wanted;
}

static bool wants(const char *only, const char *group, const char *name)
{
    bool by_name;

    return asks(only, group, name, &by_name);
}

static bool names(const char *only, const char *group, const char *name)
{
    bool by_name;

    asks(only, group, name, &by_name);
    return by_name;
}

START_TEST(only_some_rows)
{
    ck_assert(wants(NULL, "gemm", "8x8x8"));
    ck_assert(wants("gemm", "gemm", "8x8x8"));
    ck_assert(wants("convolution/resnet", "convolution", "resnet_2_3x3"));
    ck_assert(!wants("convolution/resnet", "convolution", "vgg_conv1_2"));
    ck_assert(wants("convolution/resnet,convolution/vgg", "convolution", "vgg_conv1_2"));
    ck_assert(wants("convolution/resnet", "peak", "float"));
    ck_assert(names("gemm,convolution/resnet", "convolution", "resnet_2_3x3"));
    ck_assert(!names("convolution/resnet", "convolution", "vgg_conv1_2"));
    ck_assert(!names("convolution", "convolution", "vgg_conv1_2"));
}
END_TEST

/* ---- Reports ----------------------------------------------------------------------- */

/* Two devices; the second is twice as fast, skips a row and has one that the first has not. */
static void make_report(lcl_bench_report *report)
{
    lcl_bench_device *d = add_device(report, "First <one>");
    add_row(d, "gemm", "8x8x8", 0.5)->flop = 25e9;
    add_row(d, "launch", "dependent", 2e-6);
    d = add_device(report, "Second");
    d->quick = true;
    lcl_bench_row *row = add_row(d, "gemm", "8x8x8", 0.25);
    row->flop = 25e9;
    row->bytes = 1e6;
    row->error = 1e-7;
    row = lcl_bench_add_row(d, "launch", "dependent", "own");
    row->skipped = lcl_strdup("no \"queue\" & co");
    add_row(d, "training", "batch 64", 0.002)->images = 64;
    row = lcl_bench_add_row(d, "convolution", "c", "forward");
    row->wrong = true;
    row->error = 0.5;
}

static void check_same(const lcl_bench_row *a, const lcl_bench_row *b)
{
    ck_assert_str_eq(a->group, b->group);
    ck_assert_str_eq(a->name, b->name);
    ck_assert_str_eq(a->variant, b->variant);
    ck_assert_str_eq(a->skipped ? a->skipped : "", b->skipped ? b->skipped : "");
    ck_assert_int_eq(a->wrong, b->wrong);
    ck_assert_uint_eq(a->time.repeats, b->time.repeats);
    check_near(a->time.min, b->time.min);
    check_near(a->time.median, b->time.median);
    check_near(a->time.spread, b->time.spread);
    check_near(a->flop, b->flop);
    check_near(a->bytes, b->bytes);
    check_near(a->images, b->images);
    check_near(a->error, b->error);
}

START_TEST(json_comes_back)
{
    lcl_bench_report report = {0}, copy = {0};
    lcl_error err = {0};
    char *path = path_of("a.json");

    make_report(&report);
    CHECK_OK(lcl_bench_write_json(&report, path, &err));
    CHECK_OK(lcl_bench_read_json(&copy, path, &err));
    ck_assert_uint_eq(copy.n_devices, 2);
    for (size_t d = 0; d < 2; d++) {
        const lcl_bench_device *a = &report.devices[d], *b = &copy.devices[d];
        ck_assert_str_eq(a->name, b->name);
        ck_assert_str_eq(a->driver, b->driver);
        ck_assert_str_eq(a->host, b->host);
        ck_assert_str_eq(a->date, b->date);
        ck_assert_int_eq(a->quick, b->quick);
        check_near(a->flops, b->flops);
        check_near(a->memory, b->memory);
        ck_assert_uint_eq(a->n_rows, b->n_rows);
        for (size_t r = 0; r < a->n_rows; r++)
            check_same(&a->rows[r], &b->rows[r]);
    }
    CHECK_OK(lcl_bench_read_json(&copy, path, &err)); /* adds */
    ck_assert_uint_eq(copy.n_devices, 4);
    lcl_bench_report_free(&report);
    lcl_bench_report_free(&copy);
    free(path);
}
END_TEST

#define REPORT(version, rows)                                                            \
    "{\"schema\": \"lenet-cl bench\", \"schema_version\": " version                      \
    ", \"devices\": [{\"name\": \"d\", \"kind\": \"CPU\", \"vendor\": \"v\", "           \
    "\"version\": \"1\", \"driver\": \"1\", \"platform\": \"p\", \"compute_units\": 2, " \
    "\"clock_mhz\": 1, \"memory\": 1, \"lenet_cl\": \"0\", \"date\": \"d\", "            \
    "\"host\": \"h\", \"quick\": false, \"peak\": {\"flops\": 1, \"bandwidth\": 1}, "    \
    "\"rows\": [" rows "]}]}"
#define ROW(group, more)                                                                 \
    "{\"group\": \"" group "\", \"name\": \"n\", \"variant\": \"\"" more "}"

static const struct {
    const char *text, *message;
} bad_reports[] = {
    {"", "is no JSON"},
    {"{\"schema\": ", "is no JSON"},
    {"[]", "is no report of 'lenet-cl bench'"},
    {"{\"schema\": \"other\", \"schema_version\": 1}", "is no report"},
    {REPORT("7", ""), "has schema version 7; this program reads version 1"},
    {"{\"schema\": \"lenet-cl bench\", \"schema_version\": 1}", "has no devices"},
    {"{\"schema\": \"lenet-cl bench\", \"schema_version\": 1, \"devices\": [1]}",
     "a device"},
    {REPORT("1", "1"), "a row"},
    {REPORT("1", ROW("surfing", "")), "no known group: 'surfing'"},
    {REPORT("1", ROW("gemm", ", \"seconds\": 1")), "a row's seconds"},
    {REPORT("1", ROW("gemm", ", \"seconds\": {\"min\": 0, \"median\": 0, \"spread\": 0, "
                             "\"repeats\": 1}")),
     "must be more than 0"},
    {REPORT("1", ROW("gemm", ", \"flop\": \"many\"")), "a row"},
};

START_TEST(bad_reports_are_explained)
{
    lcl_bench_report report = {0};
    lcl_error err;
    char *path = write_text("bad.json", bad_reports[_i].text);

    CHECK_FAILS(lcl_bench_read_json(&report, path, &err), LCL_EDATA,
                bad_reports[_i].message);
    ck_assert(strstr(err.where, "bad.json"));
    lcl_bench_report_free(&report);
    free(path);
}
END_TEST

START_TEST(a_good_report_and_a_missing_one)
{
    lcl_bench_report report = {0};
    lcl_error err;
    char *path = write_text("good.json", REPORT("1", ROW("gemm", "")));

    CHECK_OK(lcl_bench_read_json(&report, path, &err));
    ck_assert_uint_eq(report.devices[0].n_rows, 1);
    ck_assert_int_eq(lcl_bench_read_json(&report, "/nonexistent.json", &err), LCL_EIO);
    lcl_bench_report_free(&report);
    free(path);
}
END_TEST

START_TEST(comparison_as_text)
{
    lcl_bench_report report = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    make_report(&report);
    lcl_bench_print_comparison(out, &report);
    fclose(out);
    ck_assert(strstr(text, "A  First <one> (GPU)"));
    ck_assert(strstr(text, "B  Second (GPU)"));
    ck_assert(
        strstr(text, "Matrix products, GFLOP/s                      A        B  times"));
    ck_assert(strstr(
        text, "  8x8x8                  own               50.0      100  2.00x\n"));
    ck_assert(strstr(text, "dependent              own               2.00  skipped"));
    ck_assert(strstr(text, "batch 64               own                  -    32000 "));
    ck_assert(strstr(text, "c                      forward              -    WRONG"));
    ck_assert(!strstr(text, "Start-up"));
    free(text);
    lcl_bench_report_free(&report);
}
END_TEST

/* ---- Pages ------------------------------------------------------------------------- */

/* Reads a tag's name at `p` behind '<' or '</'. */
static void tag_name(const char *p, char name[16])
{
    size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789");

    ck_assert_msg(n > 0 && n < 16, "no tag: %.20s", p);
    memcpy(name, p, n);
    name[n] = '\0';
}

/* Every tag is closed by its own end, but those that have none. */
static void check_well_formed(const char *page)
{
    char stack[32][16], name[16];
    size_t depth = 0;

    ck_assert(strncmp(page, "<!DOCTYPE html>", 15) == 0);
    for (const char *p = page + 15; (p = strchr(p, '<')) != NULL; p++) {
        const char *end = strchr(p, '>');
        ck_assert(end && memchr(p + 1, '<', (size_t)(end - p - 1)) == NULL);
        if (p[1] == '/') {
            tag_name(p + 2, name);
            ck_assert_msg(depth > 0 && strcmp(stack[depth - 1], name) == 0,
                          "</%s> closes <%s>", name, depth ? stack[depth - 1] : "");
            depth--;
            continue;
        }
        tag_name(p + 1, name);
        if (end[-1] == '/' || strcmp(name, "meta") == 0 || strcmp(name, "br") == 0)
            continue;
        ck_assert_uint_lt(depth, 32);
        strcpy(stack[depth++], name);
    }
    ck_assert_uint_eq(depth, 0);
}

static char *page_of(const lcl_bench_report *report)
{
    lcl_error err;
    char *path = path_of("page.html");

    CHECK_OK(lcl_bench_write_html(report, path, &err));
    char *page = read_text(path);
    free(path);
    return page;
}

START_TEST(pages_are_whole)
{
    lcl_bench_report report = {0}, one = {0};

    make_report(&report);
    char *page = page_of(&report);
    check_well_formed(page);
    ck_assert(strstr(page, "First &lt;one&gt;") && !strstr(page, "<one>"));
    ck_assert(strstr(page, "Vendor") == NULL || strstr(page, "&amp; Sons"));
    ck_assert(strstr(page, "prefers-color-scheme:dark"));
    ck_assert(strstr(page, "2.00x"));
    ck_assert(strstr(page, "not measured"));
    ck_assert(strstr(page, ">skipped<") && strstr(page, ">WRONG<"));
    ck_assert(!strstr(page, "<script") && !strstr(page, "http"));
    ck_assert(strstr(page, "<h2>Roofline</h2>"));
    free(page);

    lcl_bench_device *d = add_device(&one, "Only");
    d->flops = d->bandwidth = 0;
    add_row(d, "gemm", "8x8x8", 0.5)->flop = 25e9;
    lcl_bench_add_row(d, "start", "cold", "")->skipped = lcl_strdup("a < b");
    page = page_of(&one);
    check_well_formed(page);
    ck_assert(strstr(page, "skipped: a &lt; b"));
    ck_assert(!strstr(page, "Roofline"));
    free(page);
    lcl_bench_report_free(&report);
    lcl_bench_report_free(&one);
}
END_TEST

/* ---- The command ------------------------------------------------------------------- */

/* Runs `lenet-cl bench ARGS`: the exit code, and what it printed; free(*out). */
static int run(const char *arguments, char **out)
{
    const char *program = getenv("LENET_CL");
    char *line =
        lcl_format("%s bench %s 2>&1", program ? program : "build/lenet-cl", arguments);
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

static void check(const char *arguments, int code, const char *text)
{
    char *out;
    int got = run(arguments, &out);

    ck_assert_msg(got == code && strstr(out, text), "bench %s: %d\n%s", arguments, got,
                  out);
    free(out);
}

START_TEST(wrong_flags)
{
    check("--only gem", 2, "there is no group 'gem'");
    check("--only gem", 2, "did you mean 'gemm'?");
    check("--only qqqqqqqq", 2, "the groups are peak, bandwidth, launch");
    check("a.json", 2, "reports are compared with --compare");
    check("--compare", 2, "which reports are to be compared?");
    check("--compare /nonexistent.json", 1, "/nonexistent.json");
    check("--quick --device nothing-like-it", 4, "no OpenCL device matches");
}
END_TEST

START_TEST(a_device_is_measured_and_compared)
{
    char *arguments = lcl_format("--quick --only launch,gemm/64x500,inference/16 --json "
                                 "%s/r.json --html %s/r.html",
                                 folder, folder);
    lcl_bench_report report = {0};
    lcl_error err = {0};
    char *path = path_of("r.json");

    check(arguments, 0, "Kernel launches");
    free(arguments);
    CHECK_OK(lcl_bench_read_json(&report, path, &err));
    ck_assert_uint_eq(report.n_devices, 1);
    const lcl_bench_device *d = &report.devices[0];
    ck_assert_str_eq(d->name, lcl_device_get_info(testing_device())->name);
    ck_assert(d->quick && d->flops > 0 && d->bandwidth > 0);
    ck_assert(!lcl_bench_any_wrong(&report));
    const lcl_bench_row like = {.group = "gemm", .name = "64x500x800", .variant = "own"};
    const lcl_bench_row *row = lcl_bench_find_row(d, &like);
    ck_assert_ptr_nonnull(row);
    ck_assert(lcl_bench_value(row) > 0 && row->error >= 0 && row->error < 1e-4);
    lcl_bench_report_free(&report);

    arguments = lcl_format("--compare %s %s", path, path);
    check(arguments, 0, "1.00x");
    free(arguments);
    free(path);
    path = path_of("r.html");
    char *page = read_text(path);
    check_well_formed(page);
    free(page);
    free(path);
}
END_TEST

START_TEST(wrong_rows_fail_the_command)
{
    lcl_bench_report report = {0};
    lcl_error err = {0};
    char *path = path_of("wrong.json");

    make_report(&report);
    CHECK_OK(lcl_bench_write_json(&report, path, &err));
    char *arguments = lcl_format("--compare %s", path);
    check(arguments, 1, "some results are WRONG");
    free(arguments);
    free(path);
    lcl_bench_report_free(&report);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bench");
    TCase *t = tcase_create("bench");

    tcase_set_timeout(t, 300);
    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_add_test(t, statistics_of_repeats);
    tcase_add_test(t, values_and_shares);
    tcase_add_test(t, numbers_have_three_digits);
    tcase_add_test(t, convolution_by_definition);
    tcase_add_test(t, lenet_gradients);
    tcase_add_test(t, errors_are_parts_of_the_largest);
    tcase_add_test(t, wrong_results_are_not_timed);
    tcase_add_test(t, only_some_rows);
    tcase_add_test(t, json_comes_back);
    tcase_add_loop_test(t, bad_reports_are_explained, 0, (int)LCL_COUNT(bad_reports));
    tcase_add_test(t, a_good_report_and_a_missing_one);
    tcase_add_test(t, comparison_as_text);
    tcase_add_test(t, pages_are_whole);
    tcase_add_test(t, wrong_flags);
    tcase_add_test(t, a_device_is_measured_and_compared);
    tcase_add_test(t, wrong_rows_fail_the_command);
    suite_add_tcase(suite, t);
    return testing_run(suite);
}
