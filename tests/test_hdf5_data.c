/* HDF5Data and HDF5Output: rows in the right order across files and layouts, and what is
 * refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hdf5_file.h"
#include "layer_fixture.h"
#include "testing.h"
#include "text.h"

static lcl_error err;
static char folder[] = "/tmp/test_hdf5_data_XXXXXX";

/* Writes n rows to <folder>/<name>: x (n x 2 x 3) and y (n_y), counted from `from`. */
static void write_file(const char *name, int n, int n_y, int width, int from)
{
    float values[600];
    lcl_hdf5 *f;
    char *path = lcl_path_join(folder, name);

    CHECK_OK(lcl_hdf5_create(&f, path, &err));
    for (int i = 0; i < n * 2 * width; i++)
        values[i] = (float)(from * 2 * width + i);
    CHECK_OK(lcl_hdf5_add(f, "x", 3, (int[]){n, 2, width}, values, &err));
    for (int i = 0; i < n_y; i++)
        values[i] = (float)(from + i);
    CHECK_OK(lcl_hdf5_add(f, "y", 1, &n_y, values, &err));
    CHECK_OK(lcl_hdf5_save(f, &err));
    lcl_hdf5_close(f);
    free(path);
}

static void write_list(const char *text)
{
    char *path = lcl_path_join(folder, "list.txt");

    CHECK_OK(lcl_file_write(path, text, strlen(text), &err));
    free(path);
}

static const char *const names[] = {"a.h5",    "b.h5",     "uneven.h5",
                                    "wide.h5", "list.txt", "out.h5"};

static void make_files(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    write_file("a.h5", 5, 5, 3, 0);
    write_file("b.h5", 3, 3, 3, 5);
    write_file("uneven.h5", 3, 2, 3, 0);
    write_file("wide.h5", 3, 3, 4, 0);
    write_list("a.h5\n  b.h5 \n\n");
}

static void remove_files(void)
{
    for (size_t i = 0; i < LCL_COUNT(names); i++) {
        char *path = lcl_path_join(folder, names[i]);
        unlink(path);
        free(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
}

static lcl_status open_data(layer_fixture *f, const char *tops, const char *param,
                            int block)
{
    char *text = lcl_format("name: 'd' type: 'HDF5Data' %s hdf5_data_param { source: "
                            "'%s/list.txt' %s }",
                            tops, folder, param);
    lcl_status status =
        layer_fixture_open(f, text, NULL, block, 1, CAFFE__PHASE__TRAIN, &err);

    free(text);
    return status;
}

#define XY "top: 'x' top: 'y'"

START_TEST(rows_go_round_the_files)
{
    static const int blocks[] = {1, 4, 16};
    layer_fixture f;
    size_t row = 0;

    CHECK_OK(open_data(&f, XY, "batch_size: 3", blocks[_i]));
    ck_assert(f.tops[0]->n_axes == 3 && f.tops[0]->shape[0] == 3);
    ck_assert(f.tops[1]->n_axes == 1 && f.tops[1]->shape[0] == 3);
    for (int batch = 0; batch < 9; batch++) {
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        float *x = layer_fixture_read(f.tops[0], LCL_DATA),
              *y = layer_fixture_read(f.tops[1], LCL_DATA);
        for (size_t k = 0; k < 3; k++, row = (row + 1) % 8) {
            ck_assert(y[k] == (float)row);
            for (size_t i = 0; i < 6; i++)
                ck_assert(x[k * 6 + i] == (float)(row * 6 + i));
        }
        free(x);
        free(y);
    }
    layer_fixture_close(&f);
}
END_TEST

/* Every row once a round, its parts together, in another order each time. */
START_TEST(shuffled_rows_all_come)
{
    layer_fixture f;
    float *rounds[2];

    CHECK_OK(open_data(&f, XY, "batch_size: 8 shuffle: true", 1));
    for (int round = 0; round < 2; round++) {
        unsigned seen = 0;
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        float *x = layer_fixture_read(f.tops[0], LCL_DATA);
        rounds[round] = layer_fixture_read(f.tops[1], LCL_DATA);
        for (size_t k = 0; k < 8; k++) {
            ck_assert(x[k * 6] == 6 * rounds[round][k]);
            seen |= 1u << (unsigned)rounds[round][k];
        }
        ck_assert_uint_eq(seen, 0xff);
        free(x);
    }
    ck_assert(memcmp(rounds[0], rounds[1], 8 * sizeof(float)) != 0);
    free(rounds[0]);
    free(rounds[1]);
    layer_fixture_close(&f);
}
END_TEST

static const struct {
    const char *list, *tops, *param;
    lcl_status status;
    const char *message;
} refused[] = {
    {"a.h5", XY, "", LCL_EPROTO, "batch_size must be a number from 1"},
    {" \n", XY, "batch_size: 2", LCL_EDATA, "the list names no HDF5 file"},
    {"no.h5", XY, "batch_size: 2", LCL_EIO, "No such file"},
    {"list.txt", XY, "batch_size: 2", LCL_EDATA, "is not an HDF5 file"},
    {"a.h5", "top: 'z'", "batch_size: 2", LCL_EDATA, "has no data set 'z'"},
    {"uneven.h5", XY, "batch_size: 2", LCL_EDATA, "'y' has 2 rows, but 'x' has 3"},
    {"a.h5", XY " transform_param { scale: 2 }", "batch_size: 2", LCL_EPROTO,
     "does not transform data"},
    {"a.h5", XY, "batch_size: 2 source: ''", LCL_EPROTO, "specified multiple times"},
};

START_TEST(what_does_not_fit_is_refused)
{
    layer_fixture f;

    write_list(refused[_i].list);
    CHECK_FAILS(open_data(&f, refused[_i].tops, refused[_i].param, 1), refused[_i].status,
                refused[_i].message);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(a_list_that_is_missing_is_an_error)
{
    layer_fixture f;

    CHECK_FAILS(layer_fixture_open(&f,
                                   "name: 'd' type: 'HDF5Data' top: 'x' hdf5_data_param "
                                   "{ source: 'no/such.txt' batch_size: 1 }",
                                   NULL, 1, 1, CAFFE__PHASE__TRAIN, &err),
                LCL_EIO, "No such file");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, "name: 'd' type: 'HDF5Data' top: 'x'", NULL, 1, 1,
                                   CAFFE__PHASE__TRAIN, &err),
                LCL_EPROTO, "hdf5_data_param has no source");
    layer_fixture_close(&f);
}
END_TEST

/* The thread meets it; the forward pass that would use it says so. */
START_TEST(a_later_file_of_another_shape_is_an_error)
{
    layer_fixture f;

    write_list("a.h5 wide.h5");
    CHECK_OK(open_data(&f, XY, "batch_size: 4", 1));
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    CHECK_FAILS(lcl_layer_forward(f.layer, &err), LCL_EDATA,
                "rows of data set 'x' have another shape");
    layer_fixture_close(&f);
}
END_TEST

/* ---- HDF5Output -------------------------------------------------------------------- */

static lcl_status open_output(layer_fixture *f, const char *file,
                              const int shapes[][FIXTURE_MAX_AXES], int block)
{
    char *text = lcl_format("name: 'o' type: 'HDF5Output' bottom: 'a' bottom: 'b' "
                            "hdf5_output_param { file_name: '%s/%s' }",
                            folder, file);
    lcl_status status =
        layer_fixture_open(f, text, shapes, block, 1, CAFFE__PHASE__TEST, &err);

    free(text);
    return status;
}

static const int output_shapes[][FIXTURE_MAX_AXES] = {{3, 2, 5}, {3}};

START_TEST(batches_are_written_one_after_the_other)
{
    static const int blocks[] = {1, 4};
    layer_fixture f;
    float values[30], labels[3];
    lcl_hdf5 *file;
    lcl_hdf5_array data, label;
    char *path = lcl_path_join(folder, "out.h5");

    CHECK_OK(open_output(&f, "out.h5", output_shapes, blocks[_i]));
    for (int batch = 0; batch < 3; batch++) {
        for (int i = 0; i < 30; i++)
            values[i] = (float)(batch * 30 + i);
        for (int i = 0; i < 3; i++)
            labels[i] = (float)(batch * 3 + i);
        layer_fixture_write(f.bottoms[0], LCL_DATA, values);
        layer_fixture_write(f.bottoms[1], LCL_DATA, labels);
        CHECK_OK(lcl_layer_forward(f.layer, &err));
    }
    layer_fixture_close(&f);
    CHECK_OK(lcl_hdf5_open(&file, path, &err));
    CHECK_OK(lcl_hdf5_read(file, "data", &data, &err));
    CHECK_OK(lcl_hdf5_read(file, "label", &label, &err));
    lcl_hdf5_close(file);
    ck_assert(data.n_axes == 4 && data.shape[0] == 9 && data.shape[1] == 2 &&
              data.shape[2] == 5 && data.shape[3] == 1);
    ck_assert(label.n_axes == 4 && label.shape[0] == 9 && label.count == 9);
    for (size_t i = 0; i < data.count; i++)
        ck_assert(data.values[i] == (float)i);
    for (size_t i = 0; i < label.count; i++)
        ck_assert(label.values[i] == (float)i);
    free(data.values);
    free(label.values);
    free(path);
}
END_TEST

START_TEST(outputs_that_cannot_be_are_refused)
{
    static const int uneven[][FIXTURE_MAX_AXES] = {{3, 2, 5}, {2}};
    layer_fixture f;

    CHECK_FAILS(open_output(&f, "out.h5", uneven, 1), LCL_ESHAPE,
                "different numbers of images: 3 and 2");
    layer_fixture_close(&f);
    CHECK_FAILS(open_output(&f, "no/such/out.h5", output_shapes, 1), LCL_EIO, "");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f,
                                   "name: 'o' type: 'HDF5Output' bottom: 'a' bottom: 'b'",
                                   output_shapes, 1, 1, CAFFE__PHASE__TEST, &err),
                LCL_EPROTO, "has no file_name");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hdf5_data");
    TCase *tcase = tcase_create("hdf5_data");

    tcase_add_checked_fixture(tcase, make_files, remove_files);
    tcase_add_loop_test(tcase, rows_go_round_the_files, 0, 3);
    tcase_add_test(tcase, shuffled_rows_all_come);
    tcase_add_loop_test(tcase, what_does_not_fit_is_refused, 0, (int)LCL_COUNT(refused));
    tcase_add_test(tcase, a_list_that_is_missing_is_an_error);
    tcase_add_test(tcase, a_later_file_of_another_shape_is_an_error);
    tcase_add_loop_test(tcase, batches_are_written_one_after_the_other, 0, 2);
    tcase_add_test(tcase, outputs_that_cannot_be_are_refused);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
