/* Images: pixels are OpenCV's, read and resized; damaged files are errors. The files of
 * tests/data/images and the arrays beside them, what OpenCV reads in them, were made with
 * OpenCV 4. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"
#include "image_list.h"
#include "npy.h"
#include "testing.h"
#include "text.h"

#define FOLDER "tests/data/images/"

static lcl_error err;

static void check_array(const lcl_image *image, const char *name)
{
    char *path = lcl_format(FOLDER "%s.npy", name);
    lcl_npy wanted;

    CHECK_OK(lcl_npy_read(&wanted, path, &err));
    ck_assert_msg(wanted.shape[0] == image->height && wanted.shape[1] == image->width &&
                      wanted.shape[2] == image->channels,
                  "%s: %d x %d x %d", name, image->height, image->width, image->channels);
    for (size_t i = 0; i < wanted.count; i++)
        ck_assert_msg(wanted.values[i] == (float)image->pixels[i],
                      "%s: value %zu is %d, not %g", name, i, image->pixels[i],
                      (double)wanted.values[i]);
    free(wanted.values);
    free(path);
}

/* ---- Reading ----------------------------------------------------------------------- */

static const struct {
    const char *file, *name;
} files[] = {{"color.jpg", "color_jpg"},
             {"gray.jpg", "gray_jpg"},
             {"color.png", "color_png"},
             {"alpha.png", "alpha_png"},
             {"palette.png", "palette_png"}};

START_TEST(pixels_are_opencvs)
{
    static const char *const modes[] = {"asis", "gray", "color"};

    for (int color = LCL_IMAGE_AS_IS; color <= LCL_IMAGE_COLOR; color++) {
        char *path = lcl_format(FOLDER "%s", files[_i].file);
        char *name = lcl_format("%s_%s", files[_i].name, modes[color]);
        lcl_image image;
        CHECK_OK(lcl_image_read(&image, path, (lcl_image_color)color, &err));
        check_array(&image, name);
        lcl_image_free(&image);
        free(path);
        free(name);
    }
}
END_TEST

/* Every length of the file but the whole is an error; changed bytes do not crash. */
START_TEST(damaged_images_are_errors)
{
    char *path = lcl_format(FOLDER "%s", files[_i].file), *bytes;
    size_t size;
    lcl_image image;

    CHECK_OK(lcl_file_read(&bytes, &size, path, 0, &err));
    for (size_t n = 0; n + 12 < size; n++) {
        err = (lcl_error){0};
        lcl_status status =
            lcl_image_decode(&image, bytes, n, LCL_IMAGE_COLOR, "cut.img", &err);
        ck_assert_msg(status == LCL_EDATA, "%zu of %zu bytes", n, size);
        ck_assert_str_eq(err.where, "cut.img");
        ck_assert(err.message[0] && !image.pixels);
    }
    for (size_t i = 0; i < size; i++)
        for (int bit = 0; bit < 8; bit += 3) {
            bytes[i] ^= (char)(1 << bit);
            if (lcl_image_decode(&image, bytes, size, LCL_IMAGE_GRAY, "bad", &err) ==
                LCL_OK)
                lcl_image_free(&image);
            bytes[i] ^= (char)(1 << bit);
        }
    free(bytes);
    free(path);
}
END_TEST

START_TEST(other_files_are_errors)
{
    lcl_image image;

    CHECK_FAILS(lcl_image_read(&image, "no/such.png", LCL_IMAGE_COLOR, &err), LCL_EIO,
                "No such file");
    CHECK_FAILS(lcl_image_read(&image, "tests/test_image.c", LCL_IMAGE_COLOR, &err),
                LCL_EDATA, "neither a JPEG nor a PNG");
    CHECK_FAILS(lcl_image_decode(&image, "", 0, LCL_IMAGE_COLOR, "x", &err), LCL_EDATA,
                "neither a JPEG nor a PNG");
}
END_TEST

/* ---- Writing ----------------------------------------------------------------------- */

START_TEST(png_keeps_every_pixel)
{
    static const char *const paths[] = {FOLDER "color.png", FOLDER "gray.jpg",
                                        FOLDER "alpha.png"};

    for (size_t i = 0; i < LCL_COUNT(paths); i++) {
        lcl_image image, again;
        uint8_t *bytes;
        size_t size;
        CHECK_OK(lcl_image_read(&image, paths[i], LCL_IMAGE_AS_IS, &err));
        CHECK_OK(lcl_image_encode(&image, ".png", &bytes, &size, &err));
        CHECK_OK(lcl_image_decode(&again, bytes, size, LCL_IMAGE_AS_IS, "again", &err));
        ck_assert(again.channels == image.channels && again.height == image.height &&
                  again.width == image.width);
        ck_assert(memcmp(again.pixels, image.pixels,
                         (size_t)(image.height * image.width * image.channels)) == 0);
        free(bytes);
        lcl_image_free(&image);
        lcl_image_free(&again);
    }
}
END_TEST

START_TEST(jpeg_keeps_pixels_nearly)
{
    static const char *const paths[] = {FOLDER "color.jpg", FOLDER "gray.jpg"};
    lcl_image image, again;
    uint8_t *bytes;
    size_t size;

    for (size_t i = 0; i < LCL_COUNT(paths); i++) {
        double off = 0;
        CHECK_OK(lcl_image_read(&image, paths[i], LCL_IMAGE_AS_IS, &err));
        CHECK_OK(lcl_image_encode(&image, "jpg", &bytes, &size, &err));
        CHECK_OK(lcl_image_decode(&again, bytes, size, LCL_IMAGE_AS_IS, "again", &err));
        int n = image.height * image.width * image.channels;
        ck_assert(again.channels == image.channels && again.height == image.height);
        for (int k = 0; k < n; k++)
            off += abs(again.pixels[k] - image.pixels[k]);
        ck_assert_msg(off / n < 4, "off by %g", off / n);
        free(bytes);
        lcl_image_free(&image);
        lcl_image_free(&again);
    }
    CHECK_OK(lcl_image_read(&image, FOLDER "alpha.png", LCL_IMAGE_AS_IS, &err));
    CHECK_FAILS(lcl_image_encode(&image, "jpg", &bytes, &size, &err), LCL_EDATA,
                "transparent");
    CHECK_FAILS(lcl_image_encode(&image, "bmp", &bytes, &size, &err), LCL_EUSAGE,
                "not as 'bmp'");
    lcl_image_free(&image);
}
END_TEST

/* ---- Resizing ---------------------------------------------------------------------- */

START_TEST(sizes_are_opencvs)
{
    static const int sizes[][2] = {{28, 28}, {10, 17}, {9, 40}, {42, 68}, {1, 1}};
    lcl_image image;

    for (size_t i = 0; i < LCL_COUNT(sizes); i++) {
        char *name = lcl_format("resized_%dx%d", sizes[i][0], sizes[i][1]);
        CHECK_OK(lcl_image_read(&image, FOLDER "color.png", LCL_IMAGE_COLOR, &err));
        lcl_image_resize(&image, sizes[i][0], sizes[i][1]);
        check_array(&image, name);
        lcl_image_free(&image);
        free(name);
    }
    CHECK_OK(lcl_image_read(&image, FOLDER "color.png", LCL_IMAGE_COLOR, &err));
    lcl_image part = lcl_image_resize_part(&image, 3, 5, 11, 15, 6, 8);
    check_array(&part, "part");
    lcl_image_free(&part);
    lcl_image_resize(&image, image.height, image.width);
    check_array(&image, "color_png_color");
    lcl_image_free(&image);
}
END_TEST

START_TEST(planes_follow_each_other)
{
    uint8_t pixels[] = {1, 2, 3, 4, 5, 6}, planes[6];
    const lcl_image image = {3, 1, 2, pixels};

    lcl_image_to_planes(&image, planes);
    ck_assert_mem_eq(planes, ((uint8_t[]){1, 4, 2, 5, 3, 6}), 6);
}
END_TEST

/* ---- Lists ------------------------------------------------------------------------- */

static lcl_status read_list(const char *text, lcl_image_entry **entries, size_t *n)
{
    char path[] = "/tmp/test_image_XXXXXX";
    int file = mkstemp(path);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    err = (lcl_error){0};
    lcl_status status = lcl_image_list_read(entries, n, path, &err);
    unlink(path);
    return status;
}

START_TEST(lists_are_read)
{
    lcl_image_entry *entries;
    size_t n;

    ck_assert_int_eq(
        read_list("a.jpg 3\r\n\n  \nsome folder/b c.png   -1\nd\t7  \ne 0", &entries, &n),
        LCL_OK);
    ck_assert_uint_eq(n, 4);
    ck_assert_str_eq(entries[0].path, "a.jpg");
    ck_assert_int_eq(entries[0].label, 3);
    ck_assert_str_eq(entries[1].path, "some folder/b c.png");
    ck_assert_int_eq(entries[1].label, -1);
    ck_assert_str_eq(entries[2].path, "d");
    ck_assert_int_eq(entries[2].label, 7);
    ck_assert_int_eq(entries[3].label, 0);
    lcl_image_list_free(entries, n);
}
END_TEST

START_TEST(wrong_lists_are_errors)
{
    static const struct {
        const char *text, *message;
    } lists[] = {
        {"", "names no image"},
        {"\n \n", "names no image"},
        {"a.jpg 1\nb.jpg\n", "line 2 has no label: 'b.jpg'"},
        {"a.jpg one", "line 1 has no label"},
        {"a.jpg 1.5", "line 1 has no label"},
        {"a.jpg 99999999999", "line 1 has no label"},
    };
    lcl_image_entry *entries;
    size_t n;

    for (size_t i = 0; i < LCL_COUNT(lists); i++) {
        ck_assert_int_eq(read_list(lists[i].text, &entries, &n), LCL_EDATA);
        ck_assert_msg(strstr(err.message, lists[i].message) != NULL, "%s", err.message);
        ck_assert(!entries && !n);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image");
    TCase *tcase = tcase_create("image");

    tcase_add_loop_test(tcase, pixels_are_opencvs, 0, (int)LCL_COUNT(files));
    tcase_add_loop_test(tcase, damaged_images_are_errors, 0, (int)LCL_COUNT(files));
    tcase_add_test(tcase, other_files_are_errors);
    tcase_add_test(tcase, png_keeps_every_pixel);
    tcase_add_test(tcase, jpeg_keeps_pixels_nearly);
    tcase_add_test(tcase, sizes_are_opencvs);
    tcase_add_test(tcase, planes_follow_each_other);
    tcase_add_test(tcase, lists_are_read);
    tcase_add_test(tcase, wrong_lists_are_errors);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
