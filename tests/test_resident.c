/* Data sets on the device: batches have the bits that they have when the host makes them,
 * whatever the source, the transformation and the layout; what cannot lie there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datum.h"
#include "db_write.h"
#include "fault.h"
#include "net_text.h"
#include "text.h"

#define DATA "tests/golden/data/"
#define IMAGES DATA "mini-images-idx3-ubyte"
#define CHANNELS 3
#define HEIGHT 7
#define WIDTH 5
#define COUNT (CHANNELS * HEIGHT * WIDTH)

enum { N_BATCHES = 7 };

static lcl_error err;
static char folder[] = "/tmp/lcl-resident-XXXXXX";

/* ---- Databases --------------------------------------------------------------------- */

/* Whether record i is of floats. */
typedef bool of_floats(int i);

static bool never(int i)
{
    (void)i;
    return false;
}

static bool always(int i)
{
    (void)i;
    return true;
}

static bool from_the_ninth_on(int i)
{
    return i >= 9;
}

/* n records of CHANNELS x HEIGHT x WIDTH, with other values each, at folder/name; new path. */
static char *write_database(const char *kind, const char *name, int n, of_floats *floats)
{
    char *path = lcl_path_join(folder, name), key[16];
    lcl_db_writer *w;

    CHECK_OK(lcl_db_create(&w, kind, path, true, &err));
    for (int i = 0; i < n; i++) {
        uint8_t bytes[COUNT];
        float *values = testing_values((unsigned)i, COUNT);
        for (int k = 0; k < COUNT; k++)
            bytes[k] = (uint8_t)(i * 41 + k * 7);
        const lcl_record record = {.channels = CHANNELS,
                                   .height = HEIGHT,
                                   .width = WIDTH,
                                   .bytes = floats(i) ? NULL : bytes,
                                   .floats = floats(i) ? values : NULL,
                                   .label = i - 3};
        size_t size;
        uint8_t *value = lcl_datum_encode(&record, &size);
        snprintf(key, sizeof key, "%08d", i);
        CHECK_OK(lcl_db_put(w, key, value, size, &err));
        free(value);
        free(values);
    }
    CHECK_OK(lcl_db_finish(w, &err));
    lcl_db_destroy(w);
    return path;
}

/* Two image files as they are, which decode to the same size. */
static char *write_encoded(void)
{
    static const char *const files[] = {"tests/data/images/color.jpg",
                                        "tests/data/images/color.png"};
    char *path = lcl_path_join(folder, "encoded"), *bytes;
    lcl_db_writer *w;
    size_t size;

    CHECK_OK(lcl_db_create(&w, "lmdb", path, true, &err));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(lcl_file_read(&bytes, &size, files[i], 0, &err));
        const lcl_record record = {
            .encoded = (const uint8_t *)bytes, .encoded_size = size, .label = i};
        uint8_t *value = lcl_datum_encode(&record, &size);
        CHECK_OK(lcl_db_put(w, i ? "1" : "0", value, size, &err));
        free(value);
        free(bytes);
    }
    CHECK_OK(lcl_db_finish(w, &err));
    lcl_db_destroy(w);
    return path;
}

/* A mean of the records' size at folder/mean; new path. */
static char *write_mean(void)
{
    char *path = lcl_path_join(folder, "mean");
    float *values = testing_values(77, COUNT);
    Caffe__BlobProto blob = CAFFE__BLOB_PROTO__INIT;
    uint8_t *bytes;
    size_t size;

    blob.has_channels = blob.has_height = blob.has_width = blob.has_num = true;
    blob.num = 1;
    blob.channels = CHANNELS;
    blob.height = HEIGHT;
    blob.width = WIDTH;
    blob.n_data = COUNT;
    blob.data = values;
    CHECK_OK(lcl_proto_encode(&bytes, &size, &blob.base, &err));
    CHECK_OK(lcl_file_write(path, bytes, size, &err));
    free(bytes);
    free(values);
    return path;
}

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char *command = lcl_format("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
}

/* ---- Comparing --------------------------------------------------------------------- */

/* What a case is made of. */
typedef struct {
    const char *source, *data, *transform; /* more fields of their messages */
    int batch, block;
    Caffe__Phase phase;
    bool labels;
} setting;

static lcl_net *open_net(const setting *s, lcl_residency residency, lcl_log *log)
{
    const lcl_net_options options = {.phase = s->phase,
                                     .seed = 5,
                                     .block = s->block,
                                     .residency = residency,
                                     .log = log};
    char *text = lcl_format("layer { name: 'd' type: 'Data' top: 'data' %s data_param { "
                            "source: '%s' batch_size: %d %s } transform_param { %s } }",
                            s->labels ? "top: 'label'" : "", s->source, s->batch, s->data,
                            s->transform);
    lcl_proto *source = parse_net(text);
    lcl_net *net = NULL;

    CHECK_OK(lcl_net_create(&net, testing_device(), source, &options, &err));
    lcl_proto_destroy(source);
    free(text);
    return net;
}

/* The blob as it lies on the device, lanes without an image too; new. */
static float *read_stored(lcl_net *net, const char *name, size_t *count)
{
    const lcl_blob *b = lcl_net_blob(net, name);
    float *values = lcl_alloc(*count = lcl_blob_stored(b), sizeof *values);

    CHECK_OK(lcl_buffer_read(b->dev, b->data, 0, *count * sizeof *values, values, &err));
    return values;
}

static void check_blob(const setting *s, lcl_net *a, lcl_net *b, const char *name)
{
    size_t n, n_b;
    float *x = read_stored(a, name, &n), *y = read_stored(b, name, &n_b);

    ck_assert_uint_eq(n, n_b);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(memcmp(&x[i], &y[i], sizeof *x) == 0,
                      "%s %s batch %d block %d { %s }: value %zu of %s is %g, not %g",
                      s->source, s->data, s->batch, s->block, s->transform, i, name,
                      (double)y[i], (double)x[i]);
    free(x);
    free(y);
}

/* Batches of the host and of the device, in turn. */
static void check_same(const setting *s, lcl_residency residency)
{
    lcl_net *host = open_net(s, LCL_RESIDENT_OFF, NULL);
    lcl_net *device = open_net(s, residency, NULL);

    for (int i = 0; i < N_BATCHES; i++) {
        CHECK_OK(lcl_net_forward(host, &err));
        CHECK_OK(lcl_net_forward(device, &err));
        check_blob(s, host, device, "data");
        if (s->labels)
            check_blob(s, host, device, "label");
    }
    lcl_net_destroy(host);
    lcl_net_destroy(device);
}

static void check_layouts(setting s)
{
    static const int blocks[] = {1, 4, 16};

    for (size_t b = 0; b < LCL_COUNT(blocks); b++) {
        s.block = blocks[b];
        check_same(&s, LCL_RESIDENT_ON);
    }
}

START_TEST(sources_and_batches)
{
    static const char *const sources[] = {IMAGES, DATA "mini_lmdb", DATA "mini_leveldb"};
    static const int batches[] = {1, 3, 8, 17};

    for (size_t s = 0; s < LCL_COUNT(sources); s++)
        for (size_t b = 0; b < LCL_COUNT(batches); b++)
            for (int labels = 0; labels < 2; labels++)
                check_layouts((setting){.source = sources[s],
                                        .data = b % 2 ? "rand_skip: 30" : "prefetch: 1",
                                        .transform = "scale: 0.00390625",
                                        .batch = batches[b],
                                        .labels = labels});
}
END_TEST

START_TEST(transformations)
{
    char *mean = write_mean();
    char *mean_file =
        lcl_format("mean_file: '%s' scale: 0.3 crop_size: 4 mirror: true", mean);
    const char *const transforms[] = {
        "",
        "scale: 0.1 mean_value: 11.5",
        "mean_value: 1 mean_value: 20.25 mean_value: 3",
        "crop_size: 3",
        "crop_size: 5 mean_value: 2",
        "mirror: true",
        "mirror: true crop_size: 2 mean_value: 1 mean_value: 2 mean_value: 3 scale: 7",
        mean_file,
    };
    char *sources[] = {write_database("lmdb", "bytes", 11, never),
                       write_database("leveldb", "floats", 11, always)};

    for (size_t t = 0; t < LCL_COUNT(transforms); t++)
        for (size_t s = 0; s < LCL_COUNT(sources); s++)
            for (int phase = 0; phase < 2; phase++)
                check_layouts(
                    (setting){.source = sources[s],
                              .data = "",
                              .transform = transforms[t],
                              .batch = 6,
                              .phase = phase ? CAFFE__PHASE__TEST : CAFFE__PHASE__TRAIN,
                              .labels = true});
    free(sources[0]);
    free(sources[1]);
    free(mean_file);
    free(mean);
}
END_TEST

START_TEST(encoded_images)
{
    char *source = write_encoded();

    check_layouts((setting){.source = source,
                            .data = "",
                            .transform = "mirror: true crop_size: 20 force_gray: true",
                            .batch = 5,
                            .labels = true});
    free(source);
}
END_TEST

/* The buffer for a LevelDB, whose length nobody knows, grows as records come. */
START_TEST(unknown_length)
{
    char *source = write_database("leveldb", "many", 50, never);

    check_same(&(setting){.source = source,
                          .data = "rand_skip: 60",
                          .transform = "mirror: true",
                          .batch = 9,
                          .block = 4,
                          .labels = true},
               LCL_RESIDENT_ON);
    check_same(
        &(setting){.source = source, .data = "", .transform = "", .batch = 1, .block = 1},
        LCL_RESIDENT_ON);
    free(source);
}
END_TEST

/* "Restarting data prefetching" as often as the records come round. */
START_TEST(restarts_are_logged)
{
    const setting s = {
        .source = IMAGES, .data = "", .transform = "", .batch = 6, .block = 1};
    memory_log m;
    int n = 0;

    open_log(&m);
    lcl_net *net = open_net(&s, LCL_RESIDENT_ON, m.log);
    for (int i = 0; i < 8; i++) /* 48 of 8 records */
        CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_device_finish(testing_device(), &err));
    lcl_net_destroy(net);
    char *text = close_log(&m);
    for (const char *at = text; (at = strstr(at, "Restarting data")); at++)
        n++;
    ck_assert_int_eq(n, 5);
    free(text);
}
END_TEST

/* ---- What cannot lie there --------------------------------------------------------- */

START_TEST(mixed_records)
{
    char *source = write_database("lmdb", "mixed", 12, from_the_ninth_on);
    const setting s = {.source = source,
                       .data = "rand_skip: 3",
                       .transform = "mirror: true crop_size: 4",
                       .batch = 4,
                       .block = 4,
                       .labels = true};

    check_same(&s, LCL_RESIDENT_AUTO);
    lcl_net *net = open_net(&s, LCL_RESIDENT_ON, NULL);
    lcl_status status = LCL_OK;
    for (int i = 0; i < 3 && status == LCL_OK; i++)
        status = lcl_net_forward(net, &err);
    ck_assert_int_eq(status, LCL_EDATA);
    ck_assert_msg(strstr(err.message, "is of floats and the first one of bytes") &&
                      strstr(err.hint, "--resident off"),
                  "%s (%s)", err.message, err.hint);
    lcl_net_destroy(net);
    free(source);
}
END_TEST

/* The n-th allocation fails, while the net is built or while records come. */
START_TEST(no_memory)
{
    char *source = write_database("leveldb", "grows", 50, never);
    const setting s = {.source = source,
                       .data = "",
                       .transform = "mirror: true",
                       .batch = 3,
                       .block = 4,
                       .labels = true};
    lcl_net *host = open_net(&s, LCL_RESIDENT_OFF, NULL);
    lcl_net *device = open_net(&s, LCL_RESIDENT_AUTO, NULL);

    for (int i = 0; i < 30; i++) {
        if (i == 10)
            lcl_device_fault(testing_device(), LCL_FAULT_ALLOC, 1);
        CHECK_OK(lcl_net_forward(host, &err));
        CHECK_OK(lcl_net_forward(device, &err));
        check_blob(&s, host, device, "data");
        check_blob(&s, host, device, "label");
    }
    ck_assert_msg(!lcl_device_faulty(testing_device(), LCL_FAULT_ALLOC),
                  "the buffer did not grow");
    lcl_net_destroy(host);
    lcl_net_destroy(device);
    free(source);
}
END_TEST

START_TEST(no_memory_when_asked_for)
{
    const char *text = "layer { name: 'd' type: 'Data' top: 'data' top: 'label' "
                       "data_param { source: '" IMAGES "' batch_size: 4 } }";
    lcl_proto *source = parse_net(text);
    lcl_net_options options = {.residency = LCL_RESIDENT_ON};
    lcl_net *net = NULL;

    /* The first two are the tops'. */
    lcl_device_fault(testing_device(), LCL_FAULT_ALLOC, 3);
    CHECK_FAILS(lcl_net_create(&net, testing_device(), source, &options, &err),
                LCL_EDEVICE, "no memory for the data set");
    options.residency = LCL_RESIDENT_AUTO;
    lcl_device_fault(testing_device(), LCL_FAULT_ALLOC, 3);
    CHECK_OK(lcl_net_create(&net, testing_device(), source, &options, &err));
    CHECK_OK(lcl_net_forward(net, &err));
    lcl_net_destroy(net);
    lcl_proto_destroy(source);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resident");
    TCase *same = tcase_create("same"), *without = tcase_create("without");

    tcase_add_checked_fixture(same, make_folder, remove_folder);
    tcase_add_test(same, sources_and_batches);
    tcase_add_test(same, transformations);
    tcase_add_test(same, encoded_images);
    tcase_add_test(same, unknown_length);
    tcase_add_test(same, restarts_are_logged);
    suite_add_tcase(suite, same);
    tcase_add_checked_fixture(without, make_folder, remove_folder);
    tcase_add_test(without, mixed_records);
    tcase_add_test(without, no_memory);
    tcase_add_test(without, no_memory_when_asked_for);
    suite_add_tcase(suite, without);
    return testing_run(suite);
}
