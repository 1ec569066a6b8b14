/* Builds programs of cl/<file>.cl on a device, keeps them, and runs their kernels. The
 * sources are embedded at build time; those in the folder LCL_CL_DIR, where set, come
 * first. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_state.h"
#include "text.h"

#include "kernels.inc"

#define PROGRAM_SOURCE_LIMIT ((size_t)1 << 24)
#define PROGRAM_MAX_FILES 16   /* of one program */
#define PROGRAM_GROUP_SIZE 128 /* work-items of a group on a GPU, where nobody asks */

/* ---- Sources -------------------------------------------------------------- */

/* cl/<file>.cl out of the folder LCL_CL_DIR; *out stays NULL where it has none. */
static lcl_status program_read_folder(char **out, const char *folder, const char *file,
                                      lcl_error *err)
{
    char *path = lcl_format("%s/%s.cl", folder, file);
    lcl_status status = LCL_OK;

    if (!lcl_file_exists(folder)) {
        status = lcl_fail(err, LCL_EIO, folder, "no folder of this name (LCL_CL_DIR)");
        lcl_hint(err, status, "unset LCL_CL_DIR to use the kernels of this build");
    } else if (lcl_file_exists(path)) {
        status = lcl_file_read(out, NULL, path, PROGRAM_SOURCE_LIMIT, err);
    }
    free(path);
    return status;
}

/* cl/<file>.cl as it is; free(*out). `where` asked for it. */
static lcl_status program_read(char **out, const char *file, const char *where,
                               lcl_error *err)
{
    const char *folder = getenv("LCL_CL_DIR");

    *out = NULL;
    if (folder && folder[0] != '\0')
        LCL_TRY(program_read_folder(out, folder, file, err));
    for (size_t i = 0; !*out && i < LCL_COUNT(embedded_sources); i++)
        if (strcmp(embedded_sources[i].name, file) == 0)
            *out = lcl_strdup((const char *)embedded_sources[i].text);
    return *out ? LCL_OK
                : lcl_fail(err, LCL_EDEVICE, where,
                           "this build has no kernel file cl/%s.cl", file);
}

/* A program's text while it is put together. */
typedef struct {
    lcl_text text;
    char files[PROGRAM_MAX_FILES][64];
    int n_files;
} program_text;

/* The name in a line `#include "name.cl"`; false where the line is another one. */
static bool program_include(const char *line, char name[64])
{
    return line[0] == '#' && sscanf(line, "# include \"%63[A-Za-z0-9_].cl\"", name) == 1;
}

/* Appends cl/<file>.cl and what it includes, each file once, with #line marks so that the
 * compiler names our files and lines. `where` asked for it. */
static lcl_status program_add_file(program_text *t, const char *file, const char *where,
                                   lcl_error *err)
{
    char *source = NULL, name[64], place[96];
    lcl_status status = LCL_OK;
    int number = 1;

    for (int i = 0; i < t->n_files; i++)
        if (strcmp(t->files[i], file) == 0)
            return LCL_OK;
    if (t->n_files == PROGRAM_MAX_FILES)
        return lcl_fail(err, LCL_EDEVICE, where, "more than %d files in one program",
                        PROGRAM_MAX_FILES);
    snprintf(t->files[t->n_files++], sizeof t->files[0], "%s", file);
    LCL_TRY(program_read(&source, file, where, err));

    lcl_text_printf(&t->text, "#line 1 \"cl/%s.cl\"\n", file);
    for (char *line = source, *end; *line && status == LCL_OK; line = end, number++) {
        end = line + strcspn(line, "\n");
        end += *end == '\n';
        if (program_include(line, name)) {
            snprintf(place, sizeof place, "cl/%.63s.cl:%d", file, number);
            status = program_add_file(t, name, place, err);
            lcl_text_printf(&t->text, "#line %d \"cl/%s.cl\"\n", number + 1, file);
        } else {
            lcl_text_add_bytes(&t->text, line, (size_t)(end - line));
        }
    }
    lcl_text_add(&t->text, "\n");
    free(source);
    return status;
}

/* ---- Building ------------------------------------------------------------- */

static char *program_log(cl_program program, cl_device_id id)
{
    size_t size = 0;
    cl_int rc = clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    char *log = lcl_alloc(size + 1, 1);

    if (rc == CL_SUCCESS)
        clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, size, log, NULL);
    return log;
}

/* The first line of a build log that tells of an error (else its first line), cut out. */
static char *program_first_error(char *log)
{
    char *line = log;

    for (char *at = log; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        char *found = strstr(at, "error");

        if (found && found < at + strcspn(at, "\n")) {
            line = at;
            break;
        }
    }
    line[strcspn(line, "\n")] = '\0';
    return line;
}

/* Where a compiler's message points to; line 0 where it does not say. */
typedef struct {
    char file[64];
    int line, column;
} program_place;

/* The place in a message such as "cl/relu.cl:12:5: error: ..." or "error: cl/relu.cl:12:
 * ..."; *text moves past it. */
static program_place program_find_place(const char **text)
{
    const char *start = strstr(*text, "cl/");
    program_place place = {0};
    int end = 0;

    if (!start)
        return place;
    if (sscanf(start, "cl/%63[A-Za-z0-9_].cl:%d%n", place.file, &place.line, &end) < 2)
        return (program_place){0};
    start += end;
    if (sscanf(start, ":%d%n", &place.column, &end) == 1)
        start += end;
    *text = start + strspn(start, ": ");
    return place;
}

/* The source line at `place`, with a caret below, as the error's excerpt. */
static void program_excerpt(lcl_error *err, const program_place *place)
{
    char *source = NULL;
    const char *line;
    int length;

    if (!err || program_read(&source, place->file, NULL, NULL) != LCL_OK)
        return;
    line = source;
    for (int i = 1; i < place->line && *line; i++) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    length = (int)strcspn(line, "\n");
    if (length > 0 && length < 200 && place->column >= 1 && place->column <= length + 1)
        snprintf(err->excerpt, sizeof err->excerpt, "%.*s\n%*s^", length, line,
                 place->column - 1, "");
    free(source);
}

static lcl_status program_build_failed(lcl_device *dev, cl_program program,
                                       const char *file, const char *options, cl_int rc,
                                       lcl_error *err)
{
    char *log = program ? program_log(program, dev->info.id) : lcl_strdup("");
    const char *text = program_first_error(log);
    program_place place = program_find_place(&text);
    char where[96];
    lcl_status status;

    if (place.line > 0)
        snprintf(where, sizeof where, "cl/%s.cl:%d", place.file, place.line);
    else
        snprintf(where, sizeof where, "cl/%.63s.cl", file);
    status = lcl_fail(err, LCL_EDEVICE, where, "%s on %s with options '%.200s': %.400s",
                      lcl_cl_name(rc), dev->info.name, options,
                      text[0] ? text : "the driver gives no reason");
    if (place.line > 0)
        program_excerpt(err, &place);
    free(log);
    return lcl_hint(err, status,
                    "the device's compiler did not take this kernel; please report it "
                    "with the output of 'lenet-cl devices'");
}

/* `macros`: lines that precede the files. */
static lcl_status program_build(cl_program *out, lcl_device *dev, const char *file,
                                const char *options, const char *macros, lcl_error *err)
{
    program_text t = {0};
    lcl_status status;
    cl_program program = NULL;
    cl_int rc = CL_SUCCESS;

    lcl_text_add(&t.text, macros);
    status = program_add_file(&t, "lanes", NULL, err);
    if (status == LCL_OK)
        status = program_add_file(&t, file, NULL, err);
    if (status == LCL_OK) {
        const char *text = t.text.text;

        program = clCreateProgramWithSource(dev->context, 1, &text, NULL, &rc);
        if (rc == CL_SUCCESS)
            rc = lcl_device_faulty(dev, LCL_FAULT_BUILD)
                     ? CL_BUILD_PROGRAM_FAILURE
                     : clBuildProgram(program, 1, &dev->info.id, options, NULL, NULL);
        if (rc != CL_SUCCESS)
            status = program_build_failed(dev, program, file, options, rc, err);
    }
    free(t.text.text);
    if (status != LCL_OK) {
        if (program)
            clReleaseProgram(program);
        return status;
    }
    *out = program;
    return LCL_OK;
}

/* The device's program of that key (file, options and, from the second line on, macros),
 * built where there is none yet. */
static lcl_status program_get(lcl_program **out, lcl_device *dev, const char *file,
                              const char *key, lcl_error *err)
{
    cl_program program = NULL;
    char *options;
    lcl_status status;

    for (size_t i = 0; i < dev->n_programs; i++) {
        if (strcmp(dev->programs[i].key, key) == 0) {
            *out = &dev->programs[i];
            return LCL_OK;
        }
    }
    options = lcl_strdup(key + strlen(file) + 1);
    char *macros = options + strcspn(options, "\n");
    *macros++ = '\0';
    status = program_build(&program, dev, file, options, macros, err);
    free(options);
    LCL_TRY(status);
    dev->programs = lcl_resize(dev->programs, dev->n_programs + 1, sizeof *dev->programs);
    *out = &dev->programs[dev->n_programs++];
    **out = (lcl_program){.key = lcl_strdup(key), .program = program};
    return LCL_OK;
}

static lcl_status program_get_kernel(cl_kernel *out, lcl_program *p, const char *file,
                                     const char *name, lcl_error *err)
{
    cl_int rc = CL_SUCCESS;

    for (size_t i = 0; i < p->n_kernels; i++) {
        if (strcmp(p->kernels[i].name, name) == 0) {
            *out = p->kernels[i].kernel;
            return LCL_OK;
        }
    }
    cl_kernel kernel = clCreateKernel(p->program, name, &rc);
    if (rc != CL_SUCCESS) {
        char *where = lcl_format("cl/%s.cl", file);
        lcl_status status = lcl_fail(err, LCL_EDEVICE, where, "no kernel '%s': %s", name,
                                     lcl_cl_name(rc));

        free(where);
        return status;
    }
    p->kernels = lcl_resize(p->kernels, p->n_kernels + 1, sizeof *p->kernels);
    p->kernels[p->n_kernels++] =
        (lcl_program_kernel){.name = lcl_strdup(name), .kernel = kernel};
    *out = kernel;
    return LCL_OK;
}

lcl_status lcl_kernel_get(cl_kernel *out, lcl_device *dev, const char *file,
                          const char *kernel, const lcl_define *defines, size_t n_defines,
                          lcl_error *err)
{
    lcl_text key = {0};
    lcl_program *program = NULL;
    lcl_status status;

    lcl_text_printf(&key, "%s -cl-std=CL1.2", file);
    for (size_t i = 0; i < n_defines; i++)
        if (!defines[i].text)
            lcl_text_printf(&key, " -D%s=%ld", defines[i].name, defines[i].value);
    lcl_text_add(&key, "\n");
    for (size_t i = 0; i < n_defines; i++)
        if (defines[i].text)
            lcl_text_printf(&key, "#define %s %s\n", defines[i].name, defines[i].text);
    status = program_get(&program, dev, file, key.text, err);
    free(key.text);
    LCL_TRY(status);
    return program_get_kernel(out, program, file, kernel, err);
}

void lcl_device_release_programs(lcl_device *dev)
{
    for (size_t i = 0; i < dev->n_programs; i++) {
        lcl_program *p = &dev->programs[i];

        for (size_t j = 0; j < p->n_kernels; j++) {
            clReleaseKernel(p->kernels[j].kernel);
            free(p->kernels[j].name);
        }
        clReleaseProgram(p->program);
        free(p->kernels);
        free(p->key);
    }
    free(dev->programs);
    dev->programs = NULL;
    dev->n_programs = 0;
}

/* ---- Running -------------------------------------------------------------- */

void lcl_program_group(size_t limit, const size_t global[3], size_t group[3])
{
    group[0] = global[0] < limit ? global[0] : limit;
    while (global[0] % group[0] != 0)
        group[0]--;
    group[1] = group[2] = 1;
    while (global[1] % (2 * group[1]) == 0 && 2 * group[1] * group[0] <= limit &&
           2 * group[1] * group[0] <= PROGRAM_GROUP_SIZE)
        group[1] *= 2;
}

/* The group of a kernel that leaves it to the device. */
static void program_choose_group(const lcl_device *dev, cl_kernel kernel,
                                 const size_t global[3], size_t group[3])
{
    size_t limit = dev->info.largest_work_group, of_kernel = 0;

    if (lcl_device_is_cpu(dev))
        return;
    if (clGetKernelWorkGroupInfo(kernel, dev->info.id, CL_KERNEL_WORK_GROUP_SIZE,
                                 sizeof of_kernel, &of_kernel, NULL) == CL_SUCCESS &&
        of_kernel > 0 && of_kernel < limit)
        limit = of_kernel;
    lcl_program_group(limit > 0 ? limit : 1, global, group);
}

static lcl_status program_run_failed(cl_kernel kernel, const char *what, cl_int rc,
                                     lcl_error *err)
{
    char name[96] = "?";

    clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
    return lcl_fail(err, LCL_EDEVICE, NULL, "kernel %s: %s: %s", name, what,
                    lcl_cl_name(rc));
}

lcl_status lcl_kernel_run(lcl_device *dev, cl_kernel kernel, lcl_range global,
                          lcl_range local, const lcl_arg *args, size_t n_args,
                          lcl_error *err)
{
    size_t sizes[3] = {global.x ? global.x : 1, global.y ? global.y : 1,
                       global.z ? global.z : 1};
    size_t group[3] = {local.x ? local.x : 1, local.y ? local.y : 1,
                       local.z ? local.z : 1};
    cl_int rc;

    for (size_t i = 0; i < n_args; i++) {
        rc = clSetKernelArg(kernel, (cl_uint)i, args[i].size, args[i].value);
        if (rc != CL_SUCCESS) {
            char what[32];

            snprintf(what, sizeof what, "argument %zu", i);
            return program_run_failed(kernel, what, rc, err);
        }
    }
    if (local.x == 0 && local.y == 0 && local.z == 0)
        program_choose_group(dev, kernel, sizes, group);
    if (lcl_device_faulty(dev, LCL_FAULT_RUN))
        rc = CL_OUT_OF_RESOURCES;
    else
        rc = clEnqueueNDRangeKernel(dev->queue, kernel, 3, NULL, sizes, group, 0, NULL,
                                    NULL);
    return rc == CL_SUCCESS ? LCL_OK : program_run_failed(kernel, "starting it", rc, err);
}
