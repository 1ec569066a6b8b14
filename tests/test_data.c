/* The Data layer: the right records in the right order, whatever the layout and the
 * queue; errors of the files and of the prototxt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datum.h"
#include "idx.h"
#include "lcl/layer.h"
#include "db_write.h"
#include "rng.h"
#include "testing.h"
#include "text.h"

#define DATA "tests/golden/data/"
#define IMAGES DATA "mini-images-idx3-ubyte"
#define N_RECORDS 8
#define PIXELS 784

static lcl_error err;
static lcl_idx mini;
static lcl_residency residency; /* of the layers; the tests of records run with both */

static void read_mini(void)
{
    CHECK_OK(lcl_idx_read(&mini, IMAGES, NULL, &err));
}
static void free_mini(void)
{
    lcl_idx_free(&mini);
    residency = LCL_RESIDENT_AUTO;
}

/* A Data layer with its tops. */
typedef struct {
    lcl_proto *source;
    lcl_blas blas;
    lcl_rng rng;
    lcl_layer_env env;
    lcl_blob *tops[2];
    lcl_layer *layer;
} fixture;

/* Makes the layer of a prototxt's text; the status of lcl_layer_create. */
static lcl_status open_layer(fixture *f, const char *text, int block, Caffe__Phase phase)
{
    *f = (fixture){.env = {.dev = testing_device(), .block = block, .vector = 1}};
    CHECK_OK(lcl_proto_parse_text(&f->source, &caffe__layer_parameter__descriptor,
                                  "data.prototxt", text, strlen(text),
                                  LCL_UNKNOWN_IS_ERROR, NULL, &err));
    Caffe__LayerParameter *param = (Caffe__LayerParameter *)lcl_proto_root(f->source);
    lcl_rng_init(&f->rng, 7);
    f->blas.dev = f->env.dev;
    f->env.blas = &f->blas;
    f->env.source = f->source;
    f->env.rng = &f->rng;
    f->env.phase = phase;
    f->env.residency = residency;
    for (size_t i = 0; i < param->n_top; i++)
        f->tops[i] = lcl_blob_create(f->env.dev, param->top[i]);
    return lcl_layer_create(&f->layer, param, &f->env, 0, NULL, 0, f->tops,
                            (int)param->n_top, &err);
}

static void close_layer(fixture *f)
{
    lcl_layer_destroy(f->layer);
    lcl_blob_destroy(f->tops[0]);
    lcl_blob_destroy(f->tops[1]);
    lcl_proto_destroy(f->source);
}

/* Batch number `batch` is in the tops: records batch * size.., round and round. */
static void check_batch(const fixture *f, size_t batch, size_t size)
{
    float *data = lcl_alloc(size * PIXELS, sizeof *data),
          *label = lcl_alloc(size, sizeof *label);

    CHECK_OK(lcl_blob_read(f->tops[0], LCL_DATA, data, &err));
    if (f->tops[1])
        CHECK_OK(lcl_blob_read(f->tops[1], LCL_DATA, label, &err));
    for (size_t i = 0; i < size; i++) {
        size_t record = (batch * size + i) % N_RECORDS;
        if (f->tops[1])
            ck_assert(label[i] == mini.labels[record]);
        for (size_t p = 0; p < PIXELS; p++)
            ck_assert(data[i * PIXELS + p] == mini.pixels[record * PIXELS + p]);
    }
    free(data);
    free(label);
}

#define LAYER_TEXT(tops, param)                                                          \
    "name: 'mnist' type: 'Data' " tops " data_param { " param " }"
#define BOTH "top: 'data' top: 'label'"

/* ---- Records ----------------------------------------------------------------------- */

static void check_order(const char *source, const char *tops, int size, int block,
                        int prefetch)
{
    fixture f;
    char *text = lcl_format(LAYER_TEXT("%s", "source: '%s' batch_size: %d prefetch: %d"),
                            tops, source, size, prefetch);

    CHECK_OK(open_layer(&f, text, block, CAFFE__PHASE__TRAIN));
    ck_assert_int_eq(f.tops[0]->n_axes, 4);
    ck_assert_int_eq(f.tops[0]->shape[0], size);
    ck_assert_int_eq(f.tops[0]->block, block);
    if (f.tops[1])
        ck_assert(f.tops[1]->n_axes == 1 && f.tops[1]->shape[0] == size);
    for (size_t i = 0; i < 12; i++) {
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        check_batch(&f, i, (size_t)size);
    }
    close_layer(&f);
    free(text);
}

START_TEST(batches_go_round)
{
    static const int sizes[] = {1, 3, 8, 16, 17}, blocks[] = {1, 16, 32};

    residency = _i ? LCL_RESIDENT_ON : LCL_RESIDENT_OFF;
    for (size_t s = 0; s < LCL_COUNT(sizes); s++)
        for (size_t b = 0; b < LCL_COUNT(blocks); b++) {
            check_order(DATA "mini_lmdb", BOTH, sizes[s], blocks[b], 4);
            check_order(IMAGES, BOTH, sizes[s], blocks[b], 1);
            check_order(IMAGES, "top: 'data'", sizes[s], blocks[b], 2);
        }
}
END_TEST

/* Many batches enqueued without a wait in between: slots must not be reused too early. */
START_TEST(queue_may_run_behind)
{
    fixture f;
    enum { SIZE = 5, N = 40 };
    size_t bytes = SIZE * PIXELS * sizeof(float);
    cl_mem copies;

    residency = _i ? LCL_RESIDENT_ON : LCL_RESIDENT_OFF;
    CHECK_OK(
        open_layer(&f, LAYER_TEXT(BOTH, "source: '" IMAGES "' batch_size: 5 prefetch: 1"),
                   1, CAFFE__PHASE__TRAIN));
    CHECK_OK(lcl_buffer_create(&copies, f.env.dev, N * bytes, "copies", &err));
    for (size_t i = 0; i < N; i++) {
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        CHECK_OK(lcl_buffer_copy(f.env.dev, f.tops[0]->data, 0, copies, i * bytes, bytes,
                                 &err));
    }
    for (size_t i = 0; i < N; i++) {
        CHECK_OK(lcl_buffer_copy(f.env.dev, copies, i * bytes, f.tops[0]->data, 0, bytes,
                                 &err));
        lcl_blob *label = f.tops[1];
        f.tops[1] = NULL;
        check_batch(&f, i, SIZE);
        f.tops[1] = label;
    }
    lcl_buffer_release(&copies);
    close_layer(&f);
}
END_TEST

START_TEST(train_and_test_nets_share_a_database)
{
    fixture train, test;
    static const char text[] =
        LAYER_TEXT(BOTH, "source: '" DATA "mini_lmdb' batch_size: 3 backend: LEVELDB");

    residency = _i ? LCL_RESIDENT_ON : LCL_RESIDENT_OFF;
    CHECK_OK(open_layer(&train, text, 16, CAFFE__PHASE__TRAIN));
    CHECK_OK(open_layer(&test, text, 16, CAFFE__PHASE__TEST));
    for (size_t i = 0; i < 6; i++) {
        CHECK_OK(lcl_layer_forward(train.layer, &err));
        check_batch(&train, i, 3);
        if (i % 2)
            continue;
        CHECK_OK(lcl_layer_forward(test.layer, &err));
        check_batch(&test, i / 2, 3);
    }
    close_layer(&train);
    CHECK_OK(lcl_layer_forward(test.layer, &err));
    check_batch(&test, 3, 3);
    close_layer(&test);
}
END_TEST

START_TEST(rand_skip_starts_elsewhere)
{
    fixture f;
    float label;
    bool starts[N_RECORDS] = {false};
    int n_starts = 0;

    residency = _i ? LCL_RESIDENT_ON : LCL_RESIDENT_OFF;
    for (int seed = 0; seed < 40; seed++) {
        char *text = lcl_format(
            LAYER_TEXT(BOTH, "source: '" IMAGES "' batch_size: 1 rand_skip: %d"),
            1 + seed);
        CHECK_OK(open_layer(&f, text, 1, CAFFE__PHASE__TRAIN));
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        CHECK_OK(lcl_blob_read(f.tops[1], LCL_DATA, &label, &err));
        for (int i = 0; i < N_RECORDS; i++)
            starts[i] |= mini.labels[i] == label;
        close_layer(&f);
        free(text);
    }
    for (int i = 0; i < N_RECORDS; i++)
        n_starts += starts[i];
    ck_assert_int_gt(n_starts, 2);
}
END_TEST

/* ---- Errors ------------------------------------------------------------------------ */

static void check_refused(const char *text, lcl_status status, const char *message,
                          const char *where)
{
    fixture f;

    err = (lcl_error){0};
    ck_assert_int_eq(open_layer(&f, text, 1, CAFFE__PHASE__TRAIN), status);
    ck_assert_msg(strstr(err.message, message) != NULL, "'%s' is not in '%s'", message,
                  err.message);
    ck_assert_msg(strncmp(err.where, where, strlen(where)) == 0, "%s", err.where);
    f.layer = NULL;
    close_layer(&f);
}

START_TEST(wrong_params_are_errors)
{
    check_refused("name: 'd' type: 'Data' top: 'data'", LCL_EPROTO, "source",
                  "data.prototxt");
    check_refused(LAYER_TEXT(BOTH, "batch_size: 1"), LCL_EPROTO, "source",
                  "data.prototxt");
    check_refused(LAYER_TEXT(BOTH, "source: '" IMAGES "'"), LCL_EPROTO, "batch_size",
                  "data.prototxt");
    check_refused(LAYER_TEXT(BOTH, "source: '" IMAGES "' batch_size: 1 prefetch: 0"),
                  LCL_EPROTO, "prefetch is 0", "data.prototxt:1:");
    check_refused(LAYER_TEXT(BOTH, "source: 'nowhere' batch_size: 1"), LCL_EIO,
                  "No such file", "nowhere");
    check_refused("name: 'd' type: 'Data' top: 'data' "
                  "data_param { source: '" IMAGES "' batch_size: 1 }\n"
                  "transform_param { crop_size: 29 }",
                  LCL_ESHAPE, "crop_size 29", "data.prototxt:2:");
    check_refused(LAYER_TEXT(BOTH, "source: '" IMAGES "' batch_size: 2000000000"),
                  LCL_ESHAPE, "", "");
}
END_TEST

/* A database of `n` good records and a broken one, 3 x 2 in size. */
static void write_broken(const char *path, int n, const char *broken, size_t size)
{
    static const uint8_t pixels[6] = {1, 2, 3, 4, 5, 6};
    lcl_record record = {1, 3, 2, pixels, NULL, 0};
    lcl_db_writer *w;
    char key[16];
    size_t length;

    CHECK_OK(lcl_db_create(&w, "lmdb", path, true, &err));
    for (int i = 0; i < n; i++) {
        record.label = i;
        uint8_t *value = lcl_datum_encode(&record, &length);
        snprintf(key, sizeof key, "%08d", i);
        CHECK_OK(lcl_db_put(w, key, value, length, &err));
        free(value);
    }
    snprintf(key, sizeof key, "%08d", n);
    CHECK_OK(lcl_db_put(w, key, broken, size, &err));
    CHECK_OK(lcl_db_finish(w, &err));
    lcl_db_destroy(w);
}

START_TEST(broken_record_comes_out_in_forward)
{
    static const char other_size[] = {8, 1, 16, 2, 24, 3, 34, 6, 1, 2, 3, 4, 5, 6};
    char folder[] = "/tmp/lcl-data-XXXXXX";
    const struct {
        const char *value;
        size_t size;
        const char *message;
    } broken[] = {{"junk", 4, "key '00000007'"},
                  {other_size, sizeof other_size, "a record is 1 x 2 x 3"}};

    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *path = lcl_format("%s/db", folder);
    char *text = lcl_format(LAYER_TEXT(BOTH, "source: '%s' batch_size: 3"), path);
    for (size_t i = 0; i < LCL_COUNT(broken); i++) {
        fixture f;
        write_broken(path, 7, broken[i].value, broken[i].size);
        CHECK_OK(open_layer(&f, text, 16, CAFFE__PHASE__TRAIN));
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        CHECK_FAILS(lcl_layer_forward(f.layer, &err), LCL_EDATA, broken[i].message);
        close_layer(&f);
    }
    char *command = lcl_format("rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    free(command);
    free(path);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("data");
    TCase *records = tcase_create("records"), *errors = tcase_create("errors");

    tcase_add_checked_fixture(records, read_mini, free_mini);
    tcase_add_loop_test(records, batches_go_round, 0, 2);
    tcase_add_loop_test(records, queue_may_run_behind, 0, 2);
    tcase_add_loop_test(records, train_and_test_nets_share_a_database, 0, 2);
    tcase_add_loop_test(records, rand_skip_starts_elsewhere, 0, 2);
    suite_add_tcase(suite, records);
    tcase_add_test(errors, wrong_params_are_errors);
    tcase_add_test(errors, broken_record_comes_out_in_forward);
    suite_add_tcase(suite, errors);
    return testing_run(suite);
}
