/* TransformationParameter: every option against a plain reference, and what it refuses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layers/transform.h"
#include "rng.h"
#include "testing.h"
#include "text.h"

#define C 2
#define H 7
#define W 5
#define COUNT (C * H * W)
#define MEAN_FILE "mean.binaryproto"

static lcl_error err;
static uint8_t bytes[COUNT];
static float floats[COUNT], mean_image[COUNT];

/* The layer of a Data layer, as far as a transform looks at it. */
typedef struct {
    lcl_rng rng;
    lcl_layer_env env;
    Caffe__TransformationParameter param;
    Caffe__LayerParameter layer_param;
    lcl_layer layer;
} fixture;

static void start(fixture *f, Caffe__Phase phase, int64_t seed)
{
    *f = (fixture){.param = CAFFE__TRANSFORMATION_PARAMETER__INIT,
                   .layer_param = CAFFE__LAYER_PARAMETER__INIT};
    lcl_rng_init(&f->rng, seed);
    f->env = (lcl_layer_env){.rng = &f->rng, .block = 1, .vector = 1};
    static char name[] = "data", type[] = "Data";
    f->layer_param.name = name;
    f->layer_param.type = type;
    f->layer_param.transform_param = &f->param;
    f->layer.env = &f->env;
    f->layer.dev = testing_device();
    f->layer.phase = phase;
    f->layer.param = &f->layer_param;
    static const lcl_layer_type layer_type = {.name = "Data"};
    f->layer.type = &layer_type;
}

static void make_values(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        bytes[i] = (uint8_t)(i * 37 % 256);
        floats[i] = testing_value(1, i);
        mean_image[i] = 100 * testing_value(2, i);
    }
}

static const lcl_record byte_record = {C, H, W, bytes, NULL, 3};
static const lcl_record float_record = {C, H, W, NULL, floats, 3};

/* What comes out at (c, y, x) of a crop at (top, left). */
static float expected(const fixture *f, const lcl_record *r, bool with_image, int c,
                      int y, int x)
{
    const Caffe__TransformationParameter *p = &f->param;
    int at = (c * H + y) * W + x;
    float value = r->bytes ? r->bytes[at] : r->floats[at];
    float mean = p->n_mean_value ? p->mean_value[p->n_mean_value > 1 ? c : 0] : 0;

    return (value - (with_image ? mean_image[at] : mean)) * p->scale;
}

/* `out` is the record's crop at (top, left), mirrored or not. */
static bool matches(const fixture *f, const lcl_record *r, bool with_image,
                    const float *out, const int shape[3], int top, int left, bool mirror)
{
    for (int c = 0; c < shape[0]; c++)
        for (int y = 0; y < shape[1]; y++)
            for (int x = 0; x < shape[2]; x++) {
                int from = mirror ? shape[2] - 1 - x : x;
                float want = expected(f, r, with_image, c, top + y, left + from);
                if (out[(c * shape[1] + y) * shape[2] + x] != want)
                    return false;
            }
    return true;
}

/* Runs once and looks for the crop and mirror that it was. */
static void run_once(const fixture *f, lcl_transform *t, const lcl_record *r,
                     bool with_image, int *top, int *left, bool *mirror)
{
    float out[COUNT + 1];
    int shape[3];

    CHECK_OK(lcl_transform_set_shape(t, r, shape, &err));
    int count = shape[0] * shape[1] * shape[2];
    out[count] = 12345;
    CHECK_OK(lcl_transform_run(t, r, out, &err));
    ck_assert(out[count] == 12345);
    for (*top = 0; *top <= H - shape[1]; ++*top)
        for (*left = 0; *left <= W - shape[2]; ++*left)
            for (int m = 0; m < 2; m++)
                if (matches(f, r, with_image, out, shape, *top, *left, m)) {
                    *mirror = m;
                    return;
                }
    ck_abort_msg("the values are of no crop of the record");
}

static void check_plain(fixture *f, bool with_image)
{
    const lcl_record *const records[] = {&byte_record, &float_record};
    lcl_transform *t;

    CHECK_OK(lcl_transform_create(&t, &f->layer, &err));
    for (size_t i = 0; i < LCL_COUNT(records); i++) {
        int top, left;
        bool mirror;
        run_once(f, t, records[i], with_image, &top, &left, &mirror);
        ck_assert(top == 0 && left == 0 && !mirror);
    }
    lcl_transform_destroy(t);
}

START_TEST(mean_and_scale)
{
    float means[C] = {72.94f, -3.5f};
    fixture f;

    start(&f, CAFFE__PHASE__TEST, 1);
    check_plain(&f, false);
    f.param.scale = 0.00390625f;
    check_plain(&f, false);
    f.param.mean_value = means;
    f.param.n_mean_value = 1;
    check_plain(&f, false);
    f.param.n_mean_value = 2;
    check_plain(&f, false);
    f.layer_param.transform_param = NULL;
    f.param = (Caffe__TransformationParameter)CAFFE__TRANSFORMATION_PARAMETER__INIT;
    check_plain(&f, false);
}
END_TEST

START_TEST(test_crop_is_in_the_middle)
{
    for (unsigned crop = 1; crop <= W; crop++) {
        fixture f;
        lcl_transform *t;
        int top, left;
        bool mirror;
        start(&f, CAFFE__PHASE__TEST, 1);
        f.param.crop_size = crop;
        CHECK_OK(lcl_transform_create(&t, &f.layer, &err));
        run_once(&f, t, &byte_record, false, &top, &left, &mirror);
        ck_assert_int_eq(top, (H - (int)crop) / 2);
        ck_assert_int_eq(left, (W - (int)crop) / 2);
        lcl_transform_destroy(t);
    }
}
END_TEST

/* Counts the crops and mirrors of n runs with this seed. */
static void draw(unsigned counts[4][2][2], int64_t seed, int n)
{
    fixture f;
    lcl_transform *t;

    start(&f, CAFFE__PHASE__TRAIN, seed);
    f.param.crop_size = 4;
    f.param.mirror = 1;
    CHECK_OK(lcl_transform_create(&t, &f.layer, &err));
    for (int i = 0; i < n; i++) {
        int top, left;
        bool mirror;
        run_once(&f, t, &byte_record, false, &top, &left, &mirror);
        counts[top][left][mirror]++;
    }
    lcl_transform_destroy(t);
}

START_TEST(train_crop_and_mirror_are_random)
{
    unsigned a[4][2][2] = {0}, b[4][2][2] = {0}, c[4][2][2] = {0};

    draw(a, 1, 1600);
    draw(b, 1, 1600);
    draw(c, 2, 1600);
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert_mem_ne(a, c, sizeof a);
    for (int i = 0; i < 16; i++) {
        unsigned n = a[i / 4][i / 2 % 2][i % 2];
        ck_assert_msg(n > 60 && n < 140, "crop %d came %u times of 1600", i, n);
    }
}
END_TEST

static void write_mean(int n_axes, const int64_t *shape, size_t count)
{
    int64_t dims[4];
    Caffe__BlobShape blob_shape = CAFFE__BLOB_SHAPE__INIT;
    Caffe__BlobProto blob = CAFFE__BLOB_PROTO__INIT;

    memcpy(dims, shape, (size_t)n_axes * sizeof *dims);
    blob_shape.dim = dims;
    blob_shape.n_dim = (size_t)n_axes;
    blob.shape = &blob_shape;
    blob.data = mean_image;
    blob.n_data = count;
    uint8_t *out = lcl_alloc(caffe__blob_proto__get_packed_size(&blob), 1);
    size_t size = caffe__blob_proto__pack(&blob, out);
    CHECK_OK(lcl_file_write(MEAN_FILE, out, size, &err));
    free(out);
}

static char home[4096], folder[64];

static void enter_folder(void)
{
    ck_assert_ptr_nonnull(getcwd(home, sizeof home));
    strcpy(folder, "/tmp/lcl-transform-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
    unlink(MEAN_FILE);
    ck_assert_int_eq(chdir(home), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static char mean_name[] = MEAN_FILE;

START_TEST(mean_image_is_cropped_with_the_record)
{
    static const int64_t four[] = {1, C, H, W};
    fixture f;
    lcl_transform *t;
    unsigned n_elsewhere = 0;

    write_mean(4, four, COUNT);
    start(&f, CAFFE__PHASE__TEST, 1);
    f.param.mean_file = mean_name;
    f.param.scale = 0.5f;
    check_plain(&f, true);
    write_mean(3, four + 1, COUNT);
    check_plain(&f, true);
    start(&f, CAFFE__PHASE__TRAIN, 5);
    f.param.mean_file = mean_name;
    f.param.crop_size = 3;
    f.param.mirror = 1;
    CHECK_OK(lcl_transform_create(&t, &f.layer, &err));
    for (int i = 0; i < 50; i++) {
        int top, left;
        bool mirror;
        run_once(&f, t, &byte_record, true, &top, &left, &mirror);
        n_elsewhere += top != (H - 3) / 2;
    }
    ck_assert_uint_gt(n_elsewhere, 20);
    lcl_transform_destroy(t);
}
END_TEST

/* Making the transform or fitting it to the record fails. */
static void check_refused(const fixture *f, lcl_status status, const char *text)
{
    lcl_transform *t;
    int shape[3];

    err = (lcl_error){0};
    lcl_status got = lcl_transform_create(&t, &f->layer, &err);
    if (got == LCL_OK) {
        got = lcl_transform_set_shape(t, &byte_record, shape, &err);
        lcl_transform_destroy(t);
    }
    ck_assert_msg(got == status, "%d: %s", got, err.message);
    ck_assert_msg(strstr(err.message, text) != NULL, "'%s' is not in '%s'", text,
                  err.message);
}

START_TEST(wrong_means_are_errors)
{
    static const int64_t turned[] = {1, C, W, H}, flat[] = {COUNT}, two[] = {2, C, H, W};
    float means[3] = {1, 2, 3};
    fixture f;

    start(&f, CAFFE__PHASE__TEST, 1);
    f.param.mean_file = mean_name;
    check_refused(&f, LCL_EIO, "");
    write_mean(4, turned, COUNT);
    check_refused(&f, LCL_ESHAPE, "2 x 5 x 7");
    write_mean(1, flat, COUNT);
    check_refused(&f, LCL_ESHAPE, "axes");
    write_mean(4, two, COUNT);
    check_refused(&f, LCL_EPROTO, MEAN_FILE);
    write_mean(4, turned, COUNT - 1);
    check_refused(&f, LCL_EPROTO, MEAN_FILE);
    CHECK_OK(lcl_file_write(MEAN_FILE, "no message", 10, &err));
    check_refused(&f, LCL_EPROTO, "");
    f.param.mean_value = means;
    f.param.n_mean_value = 1;
    check_refused(&f, LCL_EPROTO, "exclude each other");
    f.param.mean_file = NULL;
    f.param.n_mean_value = 3;
    check_refused(&f, LCL_ESHAPE, "3 mean_values for 2 channels");
}
END_TEST

START_TEST(records_of_other_sizes_are_errors)
{
    fixture f;
    lcl_transform *t;
    float out[COUNT];
    int shape[3];
    lcl_record other = byte_record;

    start(&f, CAFFE__PHASE__TEST, 1);
    f.param.crop_size = W + 1;
    check_refused(&f, LCL_ESHAPE, "larger than the records");
    f.param.crop_size = 0;
    CHECK_OK(lcl_transform_create(&t, &f.layer, &err));
    CHECK_OK(lcl_transform_set_shape(t, &byte_record, shape, &err));
    other.height = W;
    other.width = H;
    CHECK_FAILS(lcl_transform_run(t, &other, out, &err), LCL_EDATA, "2 x 5 x 7");
    lcl_transform_destroy(t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transform");
    TCase *values = tcase_create("values"), *files = tcase_create("files");

    tcase_add_checked_fixture(values, make_values, NULL);
    tcase_add_test(values, mean_and_scale);
    tcase_add_test(values, test_crop_is_in_the_middle);
    tcase_add_test(values, train_crop_and_mirror_are_random);
    tcase_add_test(values, records_of_other_sizes_are_errors);
    suite_add_tcase(suite, values);
    tcase_add_checked_fixture(files, make_values, NULL);
    tcase_add_checked_fixture(files, enter_folder, leave_folder);
    tcase_add_test(files, mean_image_is_cropped_with_the_record);
    tcase_add_test(files, wrong_means_are_errors);
    suite_add_tcase(suite, files);
    return testing_run(suite);
}
