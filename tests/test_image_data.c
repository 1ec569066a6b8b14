/* Layers that read image files: ImageData, WindowData, and Data with encoded records. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datum.h"
#include "db_write.h"
#include "image.h"
#include "layer_fixture.h"
#include "testing.h"
#include "text.h"

#define IMAGES "tests/data/images/"
#define HEIGHT 21 /* of the images there */
#define WIDTH 34

static lcl_error err;
static char folder[] = "/tmp/test_image_data_XXXXXX";
static char *list; /* of images or windows, in the folder */

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    list = lcl_path_join(folder, "list.txt");
}

static void remove_folder(void)
{
    char *command = lcl_format("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0);
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    free(command);
    free(list);
}

static void write_list(const char *text)
{
    CHECK_OK(lcl_file_write(list, text, strlen(text), &err));
}

/* A layer of `type` with tops "data" and "label"; %s in `param` stands for the list. */
static lcl_status open_layer(layer_fixture *f, const char *type, const char *param,
                             int block)
{
    const char *place = strstr(param, "%s");
    char *before = lcl_format("%.*s", place ? (int)(place - param) : 0, param);
    char *text = lcl_format("name: 'images' type: '%s' top: 'data' top: 'label' %s%s%s",
                            type, before, place ? list : "", place ? place + 2 : param);
    lcl_status status =
        layer_fixture_open(f, text, NULL, block, 1, CAFFE__PHASE__TRAIN, &err);

    free(before);
    free(text);
    return status;
}

static lcl_image read_image(const char *name, lcl_image_color color)
{
    char *path = lcl_format(IMAGES "%s", name);
    lcl_image image;

    CHECK_OK(lcl_image_read(&image, path, color, &err));
    free(path);
    return image;
}

/* Image i of a batch is this one. */
static void check_image(const float *data, size_t i, const lcl_image *image)
{
    size_t size = (size_t)(image->channels * image->height * image->width);
    uint8_t *planes = lcl_alloc(size, 1);

    lcl_image_to_planes(image, planes);
    for (size_t k = 0; k < size; k++)
        ck_assert_msg(data[i * size + k] == (float)planes[k], "image %zu, value %zu", i,
                      k);
    free(planes);
}

/* ---- ImageData --------------------------------------------------------------------- */

#define SOURCE "image_data_param { source: '%s' root_folder: '" IMAGES "' "

START_TEST(images_come_in_the_lists_order)
{
    static const int blocks[] = {1, 4, 16};
    static const char *const names[] = {"color.png", "gray.jpg", "color.jpg"};
    static const float labels[] = {4, 7, -2};
    layer_fixture f;

    write_list("color.png 4\ngray.jpg 7\ncolor.jpg -2\n");
    CHECK_OK(open_layer(&f, "ImageData", SOURCE "batch_size: 2 }", blocks[_i]));
    ck_assert(f.tops[0]->n_axes == 4 && f.tops[0]->shape[0] == 2 &&
              f.tops[0]->shape[1] == 3 && f.tops[0]->shape[2] == HEIGHT &&
              f.tops[0]->shape[3] == WIDTH);
    ck_assert(f.tops[1]->n_axes == 1 && f.tops[1]->shape[0] == 2);
    for (size_t batch = 0; batch < 6; batch++) {
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        float *data = layer_fixture_read(f.tops[0], LCL_DATA),
              *label = layer_fixture_read(f.tops[1], LCL_DATA);
        for (size_t i = 0; i < 2; i++) {
            size_t k = (batch * 2 + i) % 3;
            lcl_image image = read_image(names[k], LCL_IMAGE_COLOR);
            check_image(data, i, &image);
            ck_assert(label[i] == labels[k]);
            lcl_image_free(&image);
        }
        free(data);
        free(label);
    }
    layer_fixture_close(&f);
}
END_TEST

START_TEST(images_are_resized_and_grey)
{
    layer_fixture f;
    lcl_image image = read_image("color.png", LCL_IMAGE_GRAY);

    write_list("color.png 0\n");
    lcl_image_resize(&image, 8, 9);
    CHECK_OK(open_layer(
        &f, "ImageData",
        SOURCE "batch_size: 1 new_height: 8 new_width: 9 is_color: false }", 1));
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    ck_assert(f.tops[0]->shape[1] == 1 && f.tops[0]->shape[2] == 8 &&
              f.tops[0]->shape[3] == 9);
    float *data = layer_fixture_read(f.tops[0], LCL_DATA);
    check_image(data, 0, &image);
    free(data);
    lcl_image_free(&image);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(images_are_transformed)
{
    layer_fixture f;
    lcl_image image = read_image("color.png", LCL_IMAGE_COLOR);

    write_list("color.png 0\n");
    CHECK_OK(open_layer(&f, "ImageData",
                        SOURCE "batch_size: 1 } transform_param { scale: 0.5 mean_value: "
                               "10 mean_value: 20 mean_value: 30 }",
                        1));
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *data = layer_fixture_read(f.tops[0], LCL_DATA);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < HEIGHT * WIDTH; i++)
            ck_assert(data[c * HEIGHT * WIDTH + i] ==
                      0.5f * (float)(image.pixels[i * 3 + c] - 10 * (c + 1)));
    free(data);
    lcl_image_free(&image);
    layer_fixture_close(&f);
}
END_TEST

/* Every image once a round, in different orders. */
START_TEST(shuffled_images_all_come)
{
    layer_fixture f;
    lcl_text text = {0};
    float *rounds[2];

    for (int i = 0; i < 20; i++)
        lcl_text_printf(&text, "gray.jpg %d\n", i);
    write_list(text.text);
    free(text.text);
    CHECK_OK(open_layer(&f, "ImageData", SOURCE "batch_size: 20 shuffle: true }", 1));
    for (int round = 0; round < 2; round++) {
        unsigned seen = 0;
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        rounds[round] = layer_fixture_read(f.tops[1], LCL_DATA);
        for (int i = 0; i < 20; i++)
            seen |= 1u << (unsigned)rounds[round][i];
        ck_assert_uint_eq(seen, (1u << 20) - 1);
    }
    ck_assert(memcmp(rounds[0], rounds[1], 20 * sizeof(float)) != 0);
    free(rounds[0]);
    free(rounds[1]);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(the_first_images_are_skipped)
{
    layer_fixture f;
    lcl_text text = {0};

    for (int i = 0; i < 1000; i++)
        lcl_text_printf(&text, "gray.jpg %d\n", i);
    write_list(text.text);
    free(text.text);
    CHECK_OK(open_layer(&f, "ImageData", SOURCE "batch_size: 2 rand_skip: 1000 }", 1));
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *label = layer_fixture_read(f.tops[1], LCL_DATA);
    ck_assert(label[0] > 0 && (label[1] == label[0] + 1 || label[0] == 999));
    free(label);
    layer_fixture_close(&f);
    write_list("gray.jpg 0\n");
    CHECK_FAILS(open_layer(&f, "ImageData", SOURCE "rand_skip: 1000000 }", 1), LCL_EDATA,
                "not enough images to skip");
    layer_fixture_close(&f);
}
END_TEST

static const struct {
    const char *list, *param;
    lcl_status status;
    const char *message;
} refused_images[] = {
    {"color.png 0", "", LCL_EPROTO, "image_data_param has no source"},
    {"color.png 0", SOURCE "batch_size: 0 }", LCL_EPROTO, "batch_size"},
    {"color.png 0", SOURCE "new_height: 3 }", LCL_EPROTO, "must be set together"},
    {"", SOURCE "}", LCL_EDATA, "names no image"},
    {"none.png 0", SOURCE "}", LCL_EIO, "No such file"},
    {"../tiny/net.prototxt 0", SOURCE "}", LCL_EDATA, "neither a JPEG nor a PNG"},
    {"color.png 0", "image_data_param { source: '/no/such/list' }", LCL_EIO,
     "No such file"},
    {"color.png 0", SOURCE "} transform_param { crop_size: 30 }", LCL_ESHAPE,
     "crop_size 30 is larger"},
};

START_TEST(what_does_not_fit_is_refused)
{
    layer_fixture f;

    write_list(refused_images[_i].list);
    CHECK_FAILS(open_layer(&f, "ImageData", refused_images[_i].param, 1),
                refused_images[_i].status, refused_images[_i].message);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(an_image_of_another_size_is_an_error)
{
    layer_fixture f;
    char *path = lcl_path_join(folder, "small.png");
    uint8_t pixels[12] = {0}, *bytes;
    const lcl_image small = {3, 2, 2, pixels};
    size_t size;

    CHECK_OK(lcl_image_encode(&small, "png", &bytes, &size, &err));
    CHECK_OK(lcl_file_write(path, bytes, size, &err));
    char *text = lcl_format(IMAGES "color.png 0\n%s 1\n", path);
    write_list(text);
    CHECK_OK(open_layer(&f, "ImageData", "image_data_param { source: '%s' }", 1));
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    CHECK_FAILS(lcl_layer_forward(f.layer, &err), LCL_EDATA,
                "a record is 3 x 2 x 2 and the first one 3 x 21 x 34");
    layer_fixture_close(&f);
    free(text);
    free(bytes);
    free(path);
}
END_TEST

/* ---- Encoded records --------------------------------------------------------------- */

/* A database of the image file as it is; cut off after `most` bytes. */
static char *write_encoded(const char *name, size_t most)
{
    char *path = lcl_path_join(folder, "db"), *file = lcl_format(IMAGES "%s", name),
         *bytes;
    lcl_record record = {.label = 5};
    lcl_db_writer *w;
    size_t size;

    CHECK_OK(lcl_file_read(&bytes, &record.encoded_size, file, 0, &err));
    record.encoded = (const uint8_t *)bytes;
    if (record.encoded_size > most)
        record.encoded_size = most;
    uint8_t *value = lcl_datum_encode(&record, &size);
    CHECK_OK(lcl_db_create(&w, "lmdb", path, true, &err));
    CHECK_OK(lcl_db_put(w, "0", value, size, &err));
    CHECK_OK(lcl_db_finish(w, &err));
    lcl_db_destroy(w);
    free(value);
    free(bytes);
    free(file);
    return path;
}

static lcl_status open_db(layer_fixture *f, const char *path, const char *rest, int block)
{
    char *text =
        lcl_format("name: 'd' type: 'Data' top: 'data' top: 'label' data_param { "
                   "source: '%s' batch_size: 3 } %s",
                   path, rest);
    lcl_status status =
        layer_fixture_open(f, text, NULL, block, 1, CAFFE__PHASE__TEST, &err);

    free(text);
    return status;
}

START_TEST(encoded_records_are_decoded)
{
    static const struct {
        const char *file, *rest;
        lcl_image_color color;
    } cases[] = {
        {"color.jpg", "", LCL_IMAGE_COLOR},
        {"gray.jpg", "", LCL_IMAGE_GRAY},
        {"alpha.png", "", LCL_IMAGE_AS_IS},
        {"gray.jpg", "transform_param { force_color: true }", LCL_IMAGE_COLOR},
        {"color.png", "transform_param { force_gray: true }", LCL_IMAGE_GRAY},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        char *path = write_encoded(cases[i].file, SIZE_MAX);
        lcl_image image = read_image(cases[i].file, cases[i].color);
        layer_fixture f;
        CHECK_OK(open_db(&f, path, cases[i].rest, i % 2 ? 16 : 1));
        ck_assert_int_eq(f.tops[0]->shape[1], image.channels);
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        float *data = layer_fixture_read(f.tops[0], LCL_DATA),
              *label = layer_fixture_read(f.tops[1], LCL_DATA);
        for (size_t k = 0; k < 3; k++)
            check_image(data, k, &image);
        ck_assert(label[0] == 5 && label[2] == 5);
        free(data);
        free(label);
        layer_fixture_close(&f);
        lcl_image_free(&image);
        free(path);
    }
}
END_TEST

START_TEST(damaged_encoded_records_are_errors)
{
    layer_fixture f;
    char *path = write_encoded("color.jpg", 300);

    CHECK_FAILS(open_db(&f, path, "", 1), LCL_EDATA,
                "an encoded record (label 5) cannot be decoded");
    layer_fixture_close(&f);
    CHECK_FAILS(
        open_db(&f, path, "transform_param { force_gray: true force_color: true }", 1),
        LCL_EPROTO, "exclude each other");
    layer_fixture_close(&f);
    free(path);
}
END_TEST

/* ---- WindowData -------------------------------------------------------------------- */

#define WINDOWS(rest)                                                                    \
    "window_data_param { source: '%s' root_folder: '" IMAGES "' batch_size: 4 "          \
    "fg_fraction: 0.5 " rest " } "
#define CROP "transform_param { crop_size: 6 }"
/* A window with an object of class 3, and one without. */
static const char two_windows[] = "# 0\ncolor.png\n3 21 34\n2\n3 0.8 5 3 19 13\n"
                                  "9 0.1 0 0 11 11\n";

/* The batch's images `first` and `first` + 1 are the part of color.png, warped. */
static void check_part(const float *data, size_t first, int y, int x, int height,
                       int width)
{
    lcl_image image = read_image("color.png", LCL_IMAGE_COLOR);
    lcl_image part = lcl_image_resize_part(&image, y, x, height, width, 6, 6);

    check_image(data, first, &part);
    check_image(data, first + 1, &part);
    lcl_image_free(&image);
    lcl_image_free(&part);
}

START_TEST(windows_are_warped)
{
    layer_fixture f;

    write_list(two_windows);
    CHECK_OK(open_layer(&f, "WindowData", WINDOWS("") CROP, _i ? 16 : 1));
    ck_assert(f.tops[0]->shape[0] == 4 && f.tops[0]->shape[1] == 3 &&
              f.tops[0]->shape[2] == 6 && f.tops[0]->shape[3] == 6);
    for (int batch = 0; batch < 3; batch++) {
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        float *data = layer_fixture_read(f.tops[0], LCL_DATA),
              *label = layer_fixture_read(f.tops[1], LCL_DATA);
        check_part(data, 0, 0, 0, 12, 12);
        check_part(data, 2, 3, 5, 11, 15);
        ck_assert(label[0] == 0 && label[1] == 0 && label[2] == 3 && label[3] == 3);
        free(data);
        free(label);
    }
    layer_fixture_close(&f);
}
END_TEST

/* Worked out by hand: crop 6 with a pad of 1 shows 6/4 of the window. The window 0 0 11 11
 * becomes -3 -3 15 15, of which 0 0 15 15 lies in the image: 16 of 19 pixels, 5 of 6 after
 * warping, with 1 of zeros left and above. */
START_TEST(context_beyond_the_image_is_zero)
{
    layer_fixture f;
    lcl_image image = read_image("color.png", LCL_IMAGE_COLOR);
    lcl_image part = lcl_image_resize_part(&image, 0, 0, 16, 16, 5, 5);

    write_list(two_windows);
    CHECK_OK(open_layer(&f, "WindowData", WINDOWS("context_pad: 1") CROP, 1));
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *data = layer_fixture_read(f.tops[0], LCL_DATA);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < 6; y++)
            for (int x = 0; x < 6; x++) {
                float wanted = y && x ? part.pixels[((y - 1) * 5 + x - 1) * 3 + c] : 0;
                ck_assert(data[(c * 6 + y) * 6 + x] == wanted);
            }
    free(data);
    lcl_image_free(&image);
    lcl_image_free(&part);
    layer_fixture_close(&f);
}
END_TEST

/* A square around the window 5 3 19 13 (15 x 11): 15 x 15 about the same centre (12.5, 8.5),
 * from 5 1 to 20 16. */
START_TEST(windows_can_be_squares)
{
    layer_fixture f;

    write_list(two_windows);
    CHECK_OK(open_layer(&f, "WindowData", WINDOWS("crop_mode: 'square'") CROP, 1));
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *data = layer_fixture_read(f.tops[0], LCL_DATA);
    check_part(data, 2, 1, 5, 16, 16);
    free(data);
    layer_fixture_close(&f);
}
END_TEST

/* Mirrored windows are the others' mirror images, and means are taken off. */
START_TEST(windows_are_mirrored_and_scaled)
{
    layer_fixture f;
    lcl_image image = read_image("color.png", LCL_IMAGE_COLOR);
    lcl_image part = lcl_image_resize_part(&image, 3, 5, 11, 15, 6, 6);
    int n_mirrored = 0;

    write_list(two_windows);
    CHECK_OK(open_layer(
        &f, "WindowData",
        WINDOWS(
            "") "transform_param { crop_size: 6 mirror: true scale: 2 mean_value: 7 }",
        1));
    for (int batch = 0; batch < 20; batch++) {
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        float *data = layer_fixture_read(f.tops[0], LCL_DATA);
        const float *last = data + 3 * 108;
        bool mirrored = last[0] != 2 * (float)(part.pixels[0] - 7);
        n_mirrored += mirrored;
        for (int i = 0; i < 108; i++) {
            int c = i / 36, y = i / 6 % 6, x = mirrored ? 5 - i % 6 : i % 6;
            ck_assert(last[i] == 2 * (float)(part.pixels[(y * 6 + x) * 3 + c] - 7));
        }
        free(data);
    }
    ck_assert(n_mirrored > 0 && n_mirrored < 20);
    lcl_image_free(&image);
    lcl_image_free(&part);
    layer_fixture_close(&f);
}
END_TEST

static const struct {
    const char *list, *param;
    lcl_status status;
    const char *message;
} refused_windows[] = {
    {two_windows, "", LCL_EPROTO, "window_data_param has no source"},
    {two_windows, WINDOWS(""), LCL_EPROTO, "needs transform_param { crop_size }"},
    {two_windows, WINDOWS("context_pad: 3") CROP, LCL_EPROTO, "leaves nothing"},
    {two_windows, WINDOWS("fg_threshold: 0.9") CROP, LCL_EDATA,
     "0 windows with an object"},
    {two_windows, WINDOWS("bg_threshold: 0.05") CROP, LCL_EDATA,
     "1 windows with an object and 0 without"},
    {two_windows, WINDOWS("fg_threshold: 0.05") CROP, LCL_EDATA, "and 0 without"},
    {"", WINDOWS("") CROP, LCL_EDATA, "names no image"},
    {"0\ncolor.png", WINDOWS("") CROP, LCL_EDATA, "line 1: expected '#', found '0'"},
    {"# 0\ncolor.png\n3 21 x", WINDOWS("") CROP, LCL_EDATA,
     "line 3: expected an image's width, found 'x'"},
    {"# 0\ncolor.png\n3 21 34\n1\n3 0.8 5 3 19", WINDOWS("") CROP, LCL_EDATA,
     "expected a window's y2, but it ends"},
    {"# 0\ncolor.png\n3 21 34\n1\n3 much 5 3 19", WINDOWS("") CROP, LCL_EDATA,
     "expected a window's overlap, found 'much'"},
    {"# 0\ncolor.png\n2 21 34\n0", WINDOWS("") CROP, LCL_EDATA, "not 1 or 3"},
    {"# 0\ncolor.png\n3 21 34\n1\n0 0.8 5 3 19 13", WINDOWS("") CROP, LCL_EDATA,
     "classes of objects are numbers from 1"},
};

START_TEST(windows_that_do_not_fit_are_refused)
{
    layer_fixture f;

    write_list(refused_windows[_i].list);
    CHECK_FAILS(open_layer(&f, "WindowData", refused_windows[_i].param, 1),
                refused_windows[_i].status, refused_windows[_i].message);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(windows_outside_are_errors)
{
    static const char *const windows[] = {"5 3 40 13", "-2 3 10 13", "9 3 8 13",
                                          "500000000 5 -500000000 7", "40 3 50 9"};
    static const char *const params[] = {WINDOWS("") CROP,
                                         WINDOWS("context_pad: 2") CROP};
    layer_fixture f;

    for (size_t i = 0; i < LCL_COUNT(windows); i++)
        for (size_t k = 0; k < LCL_COUNT(params); k++) {
            char *text = lcl_format("# 0\ncolor.png\n3 21 34\n2\n1 0.9 %s\n1 0 %s\n",
                                    windows[i], windows[i]);
            write_list(text);
            free(text);
            CHECK_OK(open_layer(&f, "WindowData", params[k], 1));
            err = (lcl_error){0};
            lcl_status status = lcl_layer_forward(f.layer, &err);
            if (k == 0)
                ck_assert_int_eq(status, LCL_EDATA);
            ck_assert(status == LCL_OK ||
                      strstr(err.message, "does not lie in the image"));
            layer_fixture_close(&f);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image_data");
    TCase *tcase = tcase_create("image_data");

    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_loop_test(tcase, images_come_in_the_lists_order, 0, 3);
    tcase_add_test(tcase, images_are_resized_and_grey);
    tcase_add_test(tcase, images_are_transformed);
    tcase_add_test(tcase, shuffled_images_all_come);
    tcase_add_test(tcase, the_first_images_are_skipped);
    tcase_add_loop_test(tcase, what_does_not_fit_is_refused, 0,
                        (int)LCL_COUNT(refused_images));
    tcase_add_test(tcase, an_image_of_another_size_is_an_error);
    tcase_add_test(tcase, encoded_records_are_decoded);
    tcase_add_test(tcase, damaged_encoded_records_are_errors);
    tcase_add_loop_test(tcase, windows_are_warped, 0, 2);
    tcase_add_test(tcase, context_beyond_the_image_is_zero);
    tcase_add_test(tcase, windows_can_be_squares);
    tcase_add_test(tcase, windows_are_mirrored_and_scaled);
    tcase_add_loop_test(tcase, windows_that_do_not_fit_are_refused, 0,
                        (int)LCL_COUNT(refused_windows));
    tcase_add_test(tcase, windows_outside_are_errors);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
