/* `convert` of image files, CIFAR-10, pairs of MNIST, and to LevelDB. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "idx.h"
#include "image.h"
#include "planes.h"
#include "source.h"
#include "testing.h"
#include "text.h"

#define DATA "tests/golden/data/"
#define IMAGES DATA "mini-images-idx3-ubyte"
#define LABELS DATA "mini-labels-idx1-ubyte"
#define FILES "tests/data/images/"

static lcl_error err;
static char folder[64], list[96], target[96];

static void make_folder(void)
{
    strcpy(folder, "/tmp/lcl-convert-images-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(list, sizeof list, "%s/list.txt", folder);
    snprintf(target, sizeof target, "%s/db", folder);
}

static void remove_folder(void)
{
    char *command = lcl_format("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
}

#define CONVERT(...)                                                                     \
    testing_command(&lcl_command_convert, (const char *const[]){__VA_ARGS__, NULL}, &err)

static void write_file(const char *path, const void *bytes, size_t size)
{
    CHECK_OK(lcl_file_write(path, bytes, size, &err));
}

static void write_list(const char *text)
{
    write_file(list, text, strlen(text));
}

/* The next record of a database is this image, stored as values or encoded without loss. */
static void check_next(lcl_source *s, const char *file, lcl_image_color color, int label)
{
    char *path = lcl_format(FILES "%s", file);
    lcl_image image;
    lcl_planes wanted = {0}, found = {0};
    lcl_record stored, got;
    bool wrapped;

    CHECK_OK(lcl_image_read(&image, path, color, &err));
    lcl_record want = lcl_planes_record(&wanted, &image, label);
    CHECK_OK(lcl_source_next(s, &stored, &wrapped, &err));
    CHECK_OK(lcl_planes_decode(&found, &stored, color, &got, &err));
    ck_assert(!wrapped);
    ck_assert_int_eq(got.label, label);
    ck_assert(got.channels == want.channels && got.height == want.height &&
              got.width == want.width);
    ck_assert_mem_eq(got.bytes, want.bytes,
                     (size_t)(want.channels * want.height * want.width));
    free(wanted.bytes);
    free(found.bytes);
    lcl_image_free(&image);
    free(path);
}

/* ---- Imageset ---------------------------------------------------------------------- */

START_TEST(images_are_stored_in_order)
{
    static const char *const backends[] = {"lmdb", "leveldb"};
    lcl_source *s;

    write_list("color.png 3\nmissing.png 4\ngray.jpg 5\ncolor.jpg 0\n");
    ck_assert_int_eq(CONVERT("imageset", FILES, list, target, "--backend", backends[_i]),
                     0);
    CHECK_OK(lcl_source_open(&s, target, &err));
    ck_assert_str_eq(lcl_source_kind_name(s), backends[_i]);
    check_next(s, "color.png", LCL_IMAGE_COLOR, 3);
    check_next(s, "gray.jpg", LCL_IMAGE_COLOR, 5);
    check_next(s, "color.jpg", LCL_IMAGE_COLOR, 0);
    ck_assert_uint_eq(lcl_source_count(s), 3);
    lcl_source_close(s);
}
END_TEST

START_TEST(images_can_be_grey_and_resized)
{
    lcl_source *s;
    lcl_record r;
    bool wrapped;

    write_list("color.png 1\ngray.jpg 2\n");
    ck_assert_int_eq(CONVERT("imageset", "--gray", FILES, list, target), 0);
    CHECK_OK(lcl_source_open(&s, target, &err));
    check_next(s, "color.png", LCL_IMAGE_GRAY, 1);
    lcl_source_close(s);
    ck_assert_int_eq(CONVERT("imageset", FILES, list, target, "--force", "-resize_height",
                             "28", "-resize_width=28", "--check_size"),
                     0);
    CHECK_OK(lcl_source_open(&s, target, &err));
    CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
    ck_assert(r.channels == 3 && r.height == 28 && r.width == 28);
    lcl_source_close(s);
}
END_TEST

/* The file itself where it fits, else encoded anew. */
START_TEST(images_are_stored_encoded)
{
    lcl_source *s;
    lcl_record r;
    bool wrapped;
    char *file;
    size_t size;

    write_list("color.jpg 1\nalpha.png 2\n");
    ck_assert_int_eq(CONVERT("imageset", "--encoded", FILES, list, target), 0);
    CHECK_OK(lcl_source_open(&s, target, &err));
    CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
    CHECK_OK(lcl_file_read(&file, &size, FILES "color.jpg", 0, &err));
    ck_assert_uint_eq(r.encoded_size, size);
    ck_assert_mem_eq(r.encoded, file, size);
    free(file);
    check_next(s, "alpha.png", LCL_IMAGE_COLOR, 2);
    lcl_source_close(s);
    ck_assert_int_eq(
        CONVERT("imageset", "--encode_type", "png", "--force", FILES, list, target), 0);
    CHECK_OK(lcl_source_open(&s, target, &err));
    CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
    ck_assert_mem_eq(r.encoded, "\x89PNG", 4);
    lcl_source_rewind(s);
    check_next(s, "color.jpg", LCL_IMAGE_COLOR, 1);
    lcl_source_close(s);
}
END_TEST

START_TEST(images_are_shuffled_by_the_seed)
{
    lcl_text text = {0};
    int orders[3][12];
    unsigned seen = 0;
    static const char *const seeds[] = {"5", "5", "6"};

    for (int i = 0; i < 12; i++)
        lcl_text_printf(&text, "gray.jpg %d\n", i);
    write_list(text.text);
    free(text.text);
    for (int k = 0; k < 3; k++) {
        lcl_source *s;
        lcl_record r;
        bool wrapped;
        ck_assert_int_eq(CONVERT("imageset", "--shuffle", "--seed", seeds[k], "--force",
                                 FILES, list, target),
                         0);
        CHECK_OK(lcl_source_open(&s, target, &err));
        for (int i = 0; i < 12; i++) {
            CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
            orders[k][i] = r.label;
            seen |= 1u << r.label;
        }
        lcl_source_close(s);
    }
    ck_assert_uint_eq(seen, (1u << 12) - 1);
    ck_assert_mem_eq(orders[0], orders[1], sizeof orders[0]);
    ck_assert_mem_ne(orders[0], orders[2], sizeof orders[0]);
}
END_TEST

START_TEST(what_cannot_be_converted_is_told)
{
    write_list("nothing.png 0\n");
    ck_assert_int_eq(CONVERT("imageset", FILES, list, target), 1);
    ck_assert(strstr(err.message, "none of the 1 images can be read"));
    ck_assert(!lcl_file_exists(target));
    write_list("color.png\n");
    ck_assert_int_eq(CONVERT("imageset", FILES, list, target), 1);
    ck_assert(strstr(err.message, "line 1 has no label"));
    ck_assert_int_eq(CONVERT("imageset", FILES, "no/list", target), 1);
    ck_assert_int_eq(CONVERT("imageset", FILES, list, target, "--resize_width", "5"), 2);
    ck_assert(strstr(err.message, "must be given together"));
    write_list("color.png 0\n");
    ck_assert_int_eq(CONVERT("imageset", FILES, list, target, "--encode_type", "gif"), 2);
    ck_assert(strstr(err.message, "not as 'gif'"));
}
END_TEST

START_TEST(sizes_are_checked_where_asked)
{
    char *root = lcl_format("%s/", folder), *small = lcl_format("%s/small.png", folder);
    char *color = lcl_format("%s/color.png", folder), *png;
    uint8_t pixel[3] = {0}, *bytes;
    size_t size;

    CHECK_OK(lcl_image_encode(&(lcl_image){3, 1, 1, pixel}, "png", &bytes, &size, &err));
    write_file(small, bytes, size);
    CHECK_OK(lcl_file_read(&png, &size, FILES "color.png", 0, &err));
    write_file(color, png, size);
    write_list("small.png 1\nsmall.png 2\ncolor.png 0\n");
    ck_assert_int_eq(CONVERT("imageset", root, list, target, "--check_size"), 1);
    ck_assert(strstr(err.message, "is 3 x 21 x 34 and the first one 3 x 1 x 1"));
    ck_assert(!lcl_file_exists(target));
    ck_assert_int_eq(CONVERT("imageset", root, list, target), 0);
    free(png);
    free(root);
    free(color);
    free(bytes);
    free(small);
}
END_TEST

/* ---- CIFAR-10 ---------------------------------------------------------------------- */

#define CIFAR_RECORD 3073

/* Files of two records each, numbered through, in the published files' format. */
static void write_cifar(size_t cut)
{
    static const char *const names[] = {"data_batch_1.bin", "data_batch_2.bin",
                                        "data_batch_3.bin", "data_batch_4.bin",
                                        "data_batch_5.bin", "test_batch.bin"};
    static uint8_t bytes[2 * CIFAR_RECORD];

    for (size_t i = 0; i < LCL_COUNT(names); i++) {
        char *path = lcl_path_join(folder, names[i]);
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = k % CIFAR_RECORD ? (uint8_t)(k * 7 + i)
                                        : (uint8_t)(2 * i + k / CIFAR_RECORD) % 10;
        write_file(path, bytes, sizeof bytes - cut);
        free(path);
    }
}

START_TEST(cifars_files_become_two_databases)
{
    lcl_source *s;
    lcl_record r;
    bool wrapped;
    char *train = lcl_format("%s/cifar10_train_lmdb", folder);
    char *test = lcl_format("%s/cifar10_test_lmdb", folder);

    write_cifar(0);
    ck_assert_int_eq(CONVERT("cifar", folder, folder), 0);
    CHECK_OK(lcl_source_open(&s, train, &err));
    ck_assert_uint_eq(lcl_source_count(s), 10);
    for (size_t i = 0; i < 10; i++) {
        CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
        ck_assert(r.channels == 3 && r.height == 32 && r.width == 32);
        ck_assert_int_eq(r.label, (int)i);
        size_t k = i % 2 * CIFAR_RECORD + 1 + 2000;
        ck_assert_int_eq(r.bytes[2000], (uint8_t)(k * 7 + i / 2));
    }
    lcl_source_close(s);
    CHECK_OK(lcl_source_open(&s, test, &err));
    ck_assert_uint_eq(lcl_source_count(s), 2);
    lcl_source_close(s);
    ck_assert_int_eq(CONVERT("cifar", folder, folder), 1);
    ck_assert(strstr(err.message, "exists already"));
    write_cifar(1);
    ck_assert_int_eq(CONVERT("cifar", folder, folder, "--force"), 1);
    ck_assert(strstr(err.message, "6145 bytes are not CIFAR-10 records of 3073 bytes"));
    ck_assert_int_eq(CONVERT("cifar", "no/such", folder, "--force"), 1);
    ck_assert(strstr(err.message, "No such file"));
    CHECK_OK(lcl_source_open(&s, train, &err)); /* the old one is still there */
    lcl_source_close(s);
    free(train);
    free(test);
}
END_TEST

/* ---- MNIST ------------------------------------------------------------------------- */

START_TEST(leveldb_holds_what_caffes_holds)
{
    lcl_source *ours, *caffes;
    lcl_record a, b;
    bool wrapped;

    ck_assert_int_eq(CONVERT("mnist", IMAGES, LABELS, target, "--backend=leveldb"), 0);
    CHECK_OK(lcl_source_open(&ours, target, &err));
    CHECK_OK(lcl_source_open(&caffes, DATA "mini_leveldb", &err));
    for (int i = 0; i < 9; i++) {
        CHECK_OK(lcl_source_next(ours, &a, &wrapped, &err));
        CHECK_OK(lcl_source_next(caffes, &b, &wrapped, &err));
        ck_assert(a.label == b.label && wrapped == (i == 8));
        ck_assert_mem_eq(a.bytes, b.bytes, 784);
    }
    lcl_source_close(ours);
    lcl_source_close(caffes);
}
END_TEST

static bool is_image(const lcl_idx *idx, const uint8_t *bytes, int *label)
{
    for (size_t i = 0; i < idx->count; i++)
        if (memcmp(idx->pixels + i * 784, bytes, 784) == 0) {
            *label = idx->labels[i];
            return true;
        }
    return false;
}

START_TEST(pairs_tell_whether_digits_are_the_same)
{
    lcl_source *s;
    lcl_record r;
    lcl_idx idx;
    bool wrapped;
    int a = 0, b = 0;

    CHECK_OK(lcl_idx_read(&idx, IMAGES, LABELS, &err));
    ck_assert_int_eq(CONVERT("mnist-siamese", IMAGES, LABELS, target, "--seed", "1"), 0);
    CHECK_OK(lcl_source_open(&s, target, &err));
    ck_assert_uint_eq(lcl_source_count(s), 8);
    for (int i = 0; i < 8; i++) {
        CHECK_OK(lcl_source_next(s, &r, &wrapped, &err));
        ck_assert(r.channels == 2 && r.height == 28 && r.width == 28);
        ck_assert(is_image(&idx, r.bytes, &a) && is_image(&idx, r.bytes + 784, &b));
        ck_assert_int_eq(r.label, a == b);
    }
    lcl_source_close(s);
    lcl_idx_free(&idx);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("convert_images");
    TCase *tcase = tcase_create("convert_images");

    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_loop_test(tcase, images_are_stored_in_order, 0, 2);
    tcase_add_test(tcase, images_can_be_grey_and_resized);
    tcase_add_test(tcase, images_are_stored_encoded);
    tcase_add_test(tcase, images_are_shuffled_by_the_seed);
    tcase_add_test(tcase, what_cannot_be_converted_is_told);
    tcase_add_test(tcase, sizes_are_checked_where_asked);
    tcase_add_test(tcase, cifars_files_become_two_databases);
    tcase_add_test(tcase, leveldb_holds_what_caffes_holds);
    tcase_add_test(tcase, pairs_tell_whether_digits_are_the_same);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
