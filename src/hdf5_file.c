/* HDF5 files through libhdf5, which prints nothing and is used by one thread at a time. */
#include "hdf5_file.h"

#include <errno.h>
#include <hdf5.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

/* The best that HDF5's usual filter, deflate, can do. */
#define MAX_PACKING 1100
#define MAX_STRING 65536

struct lcl_hdf5 {
    hid_t file;
    char *path;
};

/* ---- The library ------------------------------------------------------------------- */

/* Not every build of libhdf5 locks itself. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

static void enter(void)
{
    pthread_mutex_lock(&library);
    /* Per thread: messages are ours to print. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void leave(void)
{
    pthread_mutex_unlock(&library);
}

static herr_t keep_innermost(unsigned n, const H5E_error2_t *e, void *out)
{
    if (n == 0 && e->desc)
        snprintf(out, 256, "%s", e->desc);
    return 0;
}

/* What the library says about its last failure. */
static lcl_status fail_hdf5(const char *path, lcl_status status, const char *what,
                            const char *name, lcl_error *err)
{
    char reason[256] = "";

    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, reason);
    return lcl_fail(err, status, path, "%s '%s'%s%s", what, name, *reason ? ": " : "",
                    reason);
}

/* ---- Opening ----------------------------------------------------------------------- */

static bool is_hdf5(const char *path)
{
    return lcl_file_exists(path) && H5Fis_hdf5(path) > 0;
}

bool lcl_hdf5_is(const char *path)
{
    enter();
    bool is = is_hdf5(path);
    leave();
    return is;
}

static lcl_status open_file(lcl_hdf5 *f, lcl_error *err)
{
    if (access(f->path, R_OK) != 0)
        return lcl_fail(err, LCL_EIO, f->path, "cannot open: %s", strerror(errno));
    if (!is_hdf5(f->path))
        return lcl_fail(err, LCL_EDATA, f->path, "is not an HDF5 file");
    f->file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    return f->file >= 0
               ? LCL_OK
               : fail_hdf5(f->path, LCL_EDATA, "cannot open HDF5 file", f->path, err);
}

/* The file stays in memory until it is saved. */
static lcl_status create_file(lcl_hdf5 *f, lcl_error *err)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);

    if (access >= 0 && H5Pset_fapl_core(access, 1 << 20, false) >= 0)
        f->file = H5Fcreate(f->path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    return f->file >= 0
               ? LCL_OK
               : fail_hdf5(f->path, LCL_EIO, "cannot make the HDF5 file", f->path, err);
}

static void close_file(lcl_hdf5 *f)
{
    if (f->file >= 0)
        H5Fclose(f->file);
    free(f->path);
    free(f);
}

static lcl_status make(lcl_hdf5 **out, const char *path,
                       lcl_status (*start)(lcl_hdf5 *, lcl_error *), lcl_error *err)
{
    lcl_hdf5 *f = lcl_alloc(1, sizeof *f);

    *f = (lcl_hdf5){H5I_INVALID_HID, lcl_strdup(path)};
    enter();
    lcl_status status = start(f, err);
    if (status == LCL_OK)
        *out = f;
    else
        close_file(f);
    leave();
    return status;
}

lcl_status lcl_hdf5_open(lcl_hdf5 **out, const char *path, lcl_error *err)
{
    return make(out, path, open_file, err);
}

lcl_status lcl_hdf5_create(lcl_hdf5 **out, const char *path, lcl_error *err)
{
    return make(out, path, create_file, err);
}

void lcl_hdf5_close(lcl_hdf5 *f)
{
    if (!f)
        return;
    enter();
    close_file(f);
    leave();
}

/* ---- What there is ----------------------------------------------------------------- */

/* H5Lexists wants every group on the way to be there; so do we, and take its failure for
 * a no. */
bool lcl_hdf5_has(const lcl_hdf5 *f, const char *name)
{
    enter();
    bool has = H5Lexists(f->file, name, H5P_DEFAULT) > 0;
    leave();
    return has;
}

bool lcl_hdf5_is_group(const lcl_hdf5 *f, const char *name)
{
    enter();
    hid_t object = H5Oopen(f->file, name, H5P_DEFAULT);
    bool is = object >= 0 && H5Iget_type(object) == H5I_GROUP;
    if (object >= 0)
        H5Oclose(object);
    leave();
    return is;
}

static char *link_name(hid_t group, hsize_t i)
{
    ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, NULL,
                                        0, H5P_DEFAULT);

    if (length < 0)
        return NULL;
    char *name = lcl_alloc((size_t)length + 1, 1);
    H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                       (size_t)length + 1, H5P_DEFAULT);
    return name;
}

static lcl_status list_group(const lcl_hdf5 *f, const char *group, char ***names,
                             size_t *n, lcl_error *err)
{
    hid_t g = H5Gopen2(f->file, group, H5P_DEFAULT);
    H5G_info_t info = {0};
    lcl_status status = LCL_OK;

    *names = NULL;
    *n = 0;
    if (g < 0)
        return fail_hdf5(f->path, LCL_EDATA, "the HDF5 file has no group", group, err);
    if (H5Gget_info(g, &info) < 0)
        status = fail_hdf5(f->path, LCL_EDATA, "cannot list group", group, err);
    while (status == LCL_OK && *n < info.nlinks) {
        char *name = link_name(g, *n);
        if (!name) {
            status = fail_hdf5(f->path, LCL_EDATA, "cannot list group", group, err);
            break;
        }
        lcl_list_add(names, n, name);
    }
    H5Gclose(g);
    if (status != LCL_OK)
        lcl_list_free(*names, *n);
    return status;
}

lcl_status lcl_hdf5_list(const lcl_hdf5 *f, const char *group, char ***names, size_t *n,
                         lcl_error *err)
{
    enter();
    lcl_status status = list_group(f, group, names, n, err);
    leave();
    return status;
}

/* ---- Reading ----------------------------------------------------------------------- */

/* A data set that is open, with its type and its space. */
typedef struct {
    hid_t set, type, space;
} dataset;

static void close_dataset(dataset *d)
{
    if (d->space >= 0)
        H5Sclose(d->space);
    if (d->type >= 0)
        H5Tclose(d->type);
    if (d->set >= 0)
        H5Dclose(d->set);
}

static lcl_status open_dataset(const lcl_hdf5 *f, const char *name, dataset *d,
                               lcl_error *err)
{
    *d = (dataset){H5Dopen2(f->file, name, H5P_DEFAULT), -1, -1};
    if (d->set >= 0) {
        d->type = H5Dget_type(d->set);
        d->space = H5Dget_space(d->set);
    }
    if (d->type >= 0 && d->space >= 0)
        return LCL_OK;
    bool there = d->set >= 0 || H5Lexists(f->file, name, H5P_DEFAULT) > 0;
    lcl_status status =
        there ? fail_hdf5(f->path, LCL_EDATA, "cannot open data set", name, err)
              : lcl_fail(err, LCL_EDATA, f->path, "the HDF5 file has no data set '%s'",
                         name);
    close_dataset(d);
    return status;
}

static bool is_number(hid_t type)
{
    H5T_class_t class = H5Tget_class(type);

    return class == H5T_FLOAT || class == H5T_INTEGER;
}

/* Sets shape and count; false where they are not for us. */
static bool get_shape(hid_t space, lcl_hdf5_array *a)
{
    hsize_t dims[H5S_MAX_RANK];
    H5S_class_t class = H5Sget_simple_extent_type(space);

    *a = (lcl_hdf5_array){.count = 1};
    if (class == H5S_SCALAR)
        return true;
    a->n_axes = class == H5S_SIMPLE ? H5Sget_simple_extent_dims(space, dims, NULL) : -1;
    if (a->n_axes < 0 || a->n_axes > LCL_HDF5_MAX_AXES)
        return false;
    for (int i = 0; i < a->n_axes; i++) {
        if (dims[i] > INT_MAX || !lcl_multiply(a->count, (size_t)dims[i], &a->count))
            return false;
        a->shape[i] = (int)dims[i];
    }
    return a->count <= SIZE_MAX / sizeof(float);
}

/* A damaged file may claim more values than its bytes can hold. */
static bool holds(const dataset *d, size_t count)
{
    size_t size = H5Tget_size(d->type), stored = (size_t)H5Dget_storage_size(d->set);

    return stored > SIZE_MAX / MAX_PACKING ||
           count / MAX_PACKING <= stored / size + 65536;
}

static lcl_status read_array(const lcl_hdf5 *f, const char *name, lcl_hdf5_array *out,
                             lcl_error *err)
{
    dataset d;
    lcl_status status = LCL_OK;

    LCL_TRY(open_dataset(f, name, &d, err));
    if (!is_number(d.type))
        status = lcl_fail(err, LCL_EDATA, f->path,
                          "data set '%s' does not hold integers or floats", name);
    else if (!get_shape(d.space, out))
        status = lcl_fail(err, LCL_EDATA, f->path,
                          "data set '%s' has no shape of at most %d axes", name,
                          LCL_HDF5_MAX_AXES);
    else if (!holds(&d, out->count))
        status = lcl_fail(err, LCL_EDATA, f->path,
                          "data set '%s' is damaged: %zu values do not fit in it", name,
                          out->count);
    if (status == LCL_OK) {
        out->values = lcl_alloc(out->count, sizeof *out->values);
        if (H5Dread(d.set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out->values) <
            0) {
            status = fail_hdf5(f->path, LCL_EDATA, "cannot read data set", name, err);
            free(out->values);
            out->values = NULL;
        }
    }
    close_dataset(&d);
    return status;
}

lcl_status lcl_hdf5_read(const lcl_hdf5 *f, const char *name, lcl_hdf5_array *out,
                         lcl_error *err)
{
    enter();
    *out = (lcl_hdf5_array){0};
    lcl_status status = read_array(f, name, out, err);
    leave();
    return status;
}

static lcl_status read_int(const lcl_hdf5 *f, const char *name, int *out, lcl_error *err)
{
    dataset d;
    lcl_status status = LCL_OK;

    LCL_TRY(open_dataset(f, name, &d, err));
    if (H5Tget_class(d.type) != H5T_INTEGER || H5Sget_simple_extent_npoints(d.space) != 1)
        status =
            lcl_fail(err, LCL_EDATA, f->path, "data set '%s' is not one integer", name);
    else if (H5Dread(d.set, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0)
        status = fail_hdf5(f->path, LCL_EDATA, "cannot read data set", name, err);
    close_dataset(&d);
    return status;
}

lcl_status lcl_hdf5_read_int(const lcl_hdf5 *f, const char *name, int *out,
                             lcl_error *err)
{
    enter();
    lcl_status status = read_int(f, name, out, err);
    leave();
    return status;
}

/* Strings of Caffe have their length in the type; those of other programs may vary. */
static char *read_chars(const dataset *d)
{
    hid_t memory = H5Tcopy(H5T_C_S1);
    bool varies = H5Tis_variable_str(d->type) > 0;
    size_t size = varies ? H5T_VARIABLE : H5Tget_size(d->type) + 1;
    char *text = NULL, *theirs = NULL;

    if (varies || size <= MAX_STRING) {
        text = varies ? NULL : lcl_alloc(size, 1);
        H5Tset_size(memory, size);
        H5Tset_cset(memory, H5Tget_cset(d->type));
        if (H5Dread(d->set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                    varies ? (void *)&theirs : text) < 0) {
            free(text);
            text = NULL;
        } else if (theirs) {
            text = lcl_strdup(theirs);
        }
        if (theirs)
            H5free_memory(theirs);
    }
    H5Tclose(memory);
    return text;
}

lcl_status lcl_hdf5_read_string(const lcl_hdf5 *f, const char *name, char **out,
                                lcl_error *err)
{
    dataset d;

    enter();
    *out = NULL;
    lcl_status status = open_dataset(f, name, &d, err);
    if (status == LCL_OK) {
        if (H5Tget_class(d.type) == H5T_STRING &&
            H5Sget_simple_extent_npoints(d.space) == 1)
            *out = read_chars(&d);
        if (!*out)
            status =
                lcl_fail(err, LCL_EDATA, f->path, "data set '%s' is not a string", name);
        close_dataset(&d);
    }
    leave();
    return status;
}

/* ---- Writing ----------------------------------------------------------------------- */

/* Properties of a link that make the groups on its way. */
static hid_t with_parents(void)
{
    hid_t link = H5Pcreate(H5P_LINK_CREATE);

    H5Pset_create_intermediate_group(link, 1);
    return link;
}

lcl_status lcl_hdf5_add_group(lcl_hdf5 *f, const char *name, lcl_error *err)
{
    enter();
    lcl_status status = LCL_OK;
    /* It is there already where another group's way went through it. */
    if (H5Lexists(f->file, name, H5P_DEFAULT) <= 0) {
        hid_t link = with_parents();
        hid_t group = H5Gcreate2(f->file, name, link, H5P_DEFAULT, H5P_DEFAULT);
        if (group >= 0)
            H5Gclose(group);
        else
            status = fail_hdf5(f->path, LCL_EDATA, "cannot make group", name, err);
        H5Pclose(link);
    }
    leave();
    return status;
}

/* Writes a data set of `space`, which it closes. */
static lcl_status add_dataset(lcl_hdf5 *f, const char *name, hid_t space, hid_t stored,
                              hid_t memory, const void *values, lcl_error *err)
{
    hid_t link = with_parents();
    hid_t set = H5Dcreate2(f->file, name, stored, space, link, H5P_DEFAULT, H5P_DEFAULT);
    lcl_status status = LCL_OK;

    if (set < 0 || H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        status = fail_hdf5(f->path, LCL_EDATA, "cannot write data set", name, err);
    if (set >= 0)
        H5Dclose(set);
    H5Pclose(link);
    H5Sclose(space);
    return status;
}

static void to_dims(int n_axes, const int *shape, hsize_t *dims)
{
    for (int i = 0; i < n_axes; i++)
        dims[i] = (hsize_t)shape[i];
}

lcl_status lcl_hdf5_add(lcl_hdf5 *f, const char *name, int n_axes, const int *shape,
                        const float *values, lcl_error *err)
{
    hsize_t dims[LCL_HDF5_MAX_AXES];

    to_dims(n_axes, shape, dims);
    enter();
    lcl_status status = add_dataset(f, name, H5Screate_simple(n_axes, dims, NULL),
                                    H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values, err);
    leave();
    return status;
}

/* As Caffe writes it: an array of one. */
lcl_status lcl_hdf5_add_int(lcl_hdf5 *f, const char *name, int value, lcl_error *err)
{
    const hsize_t one = 1;

    enter();
    lcl_status status = add_dataset(f, name, H5Screate_simple(1, &one, NULL),
                                    H5T_STD_I32LE, H5T_NATIVE_INT, &value, err);
    leave();
    return status;
}

lcl_status lcl_hdf5_add_string(lcl_hdf5 *f, const char *name, const char *value,
                               lcl_error *err)
{
    enter();
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(value) + 1);
    lcl_status status =
        add_dataset(f, name, H5Screate(H5S_SCALAR), type, type, value, err);
    H5Tclose(type);
    leave();
    return status;
}

static lcl_status get_image(const lcl_hdf5 *f, char **bytes, size_t *size, lcl_error *err)
{
    ssize_t length = -1;

    *bytes = NULL;
    if (H5Fflush(f->file, H5F_SCOPE_GLOBAL) >= 0)
        length = H5Fget_file_image(f->file, NULL, 0);
    if (length >= 0) {
        *size = (size_t)length;
        *bytes = lcl_alloc(*size, 1);
        length = H5Fget_file_image(f->file, *bytes, *size);
    }
    return length >= 0
               ? LCL_OK
               : fail_hdf5(f->path, LCL_EIO, "cannot make the HDF5 file", f->path, err);
}

lcl_status lcl_hdf5_save(lcl_hdf5 *f, lcl_error *err)
{
    char *bytes;
    size_t size = 0;

    enter();
    lcl_status status = get_image(f, &bytes, &size, err);
    leave();
    if (status == LCL_OK)
        status = lcl_file_write(f->path, bytes, size, err);
    free(bytes);
    return status;
}

/* ---- Appending --------------------------------------------------------------------- */

/* A data set without rows that may grow, in pieces of `dims`. */
static hid_t create_growing(hid_t file, const char *name, int n_axes, const hsize_t *dims)
{
    hsize_t start[LCL_HDF5_MAX_AXES], limit[LCL_HDF5_MAX_AXES];
    hid_t pieces = H5Pcreate(H5P_DATASET_CREATE);

    memcpy(start, dims, sizeof start);
    memcpy(limit, dims, sizeof limit);
    start[0] = 0;
    limit[0] = H5S_UNLIMITED;
    hid_t space = H5Screate_simple(n_axes, start, limit);
    H5Pset_chunk(pieces, n_axes, dims);
    hid_t set =
        H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, pieces, H5P_DEFAULT);
    H5Sclose(space);
    H5Pclose(pieces);
    return set;
}

/* The number of rows that the data set has; -1 where its rows are not those of dims. */
static hssize_t rows_of(hid_t set, int n_axes, const hsize_t *dims)
{
    hsize_t have[H5S_MAX_RANK];
    hid_t space = H5Dget_space(set);
    bool same = space >= 0 && H5Sget_simple_extent_ndims(space) == n_axes &&
                H5Sget_simple_extent_dims(space, have, NULL) == n_axes &&
                memcmp(have + 1, dims + 1, (size_t)(n_axes - 1) * sizeof *have) == 0;

    if (space >= 0)
        H5Sclose(space);
    return same ? (hssize_t)have[0] : -1;
}

/* Makes room for the rows after the first `n` and writes them there. */
static bool write_rows(hid_t set, hsize_t n, int n_axes, const hsize_t *dims,
                       const float *values)
{
    hsize_t whole[LCL_HDF5_MAX_AXES], offset[LCL_HDF5_MAX_AXES] = {n};

    memcpy(whole, dims, sizeof whole);
    whole[0] += n;
    if (H5Dset_extent(set, whole) < 0)
        return false;
    hid_t there = H5Dget_space(set), here = H5Screate_simple(n_axes, dims, NULL);
    bool ok = H5Sselect_hyperslab(there, H5S_SELECT_SET, offset, NULL, dims, NULL) >= 0 &&
              H5Dwrite(set, H5T_NATIVE_FLOAT, here, there, H5P_DEFAULT, values) >= 0;
    H5Sclose(there);
    H5Sclose(here);
    return ok;
}

static lcl_status append_rows(hid_t file, const char *path, const char *name, int n_axes,
                              const hsize_t *dims, const float *values, lcl_error *err)
{
    bool there = H5Lexists(file, name, H5P_DEFAULT) > 0;
    hid_t set = there ? H5Dopen2(file, name, H5P_DEFAULT)
                      : create_growing(file, name, n_axes, dims);
    lcl_status status = LCL_OK;

    if (set < 0)
        return fail_hdf5(path, LCL_EIO, "cannot make data set", name, err);
    hssize_t n = rows_of(set, n_axes, dims);
    if (n < 0)
        status = lcl_fail(err, LCL_ESHAPE, path, "data set '%s' has rows of another size",
                          name);
    else if (!write_rows(set, (hsize_t)n, n_axes, dims, values))
        status = fail_hdf5(path, LCL_EIO, "cannot write data set", name, err);
    if (H5Dclose(set) < 0 && status == LCL_OK)
        status = fail_hdf5(path, LCL_EIO, "cannot write data set", name, err);
    return status;
}

lcl_status lcl_hdf5_append(const char *path, const char *name, int n_axes,
                           const int *shape, const float *values, lcl_error *err)
{
    hsize_t dims[LCL_HDF5_MAX_AXES] = {0};

    to_dims(n_axes, shape, dims);
    enter();
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    lcl_status status = LCL_OK;
    if (file < 0) {
        status = fail_hdf5(path, LCL_EIO, "cannot open HDF5 file", path, err);
    } else {
        status = append_rows(file, path, name, n_axes, dims, values, err);
        if (H5Fclose(file) < 0 && status == LCL_OK)
            status = fail_hdf5(path, LCL_EIO, "cannot write HDF5 file", path, err);
    }
    leave();
    return status;
}
