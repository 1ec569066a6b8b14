/* The kernels of a device: asked for one by one, built together, run. See
 * lcl_kernel_get. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profile_state.h"
#include "program_build.h"
#include "program_source.h"
#include "text.h"

#define PROGRAM_MAX_BUNDLES 8

/* ---- Asking ------------------------------------------------------------------------ */

/* The kernel's file and name in a first line, then its defines. */
static char *program_key(const char *file, const char *kernel, const lcl_define *defines,
                         size_t n_defines)
{
    lcl_text key = {0};

    lcl_text_printf(&key, "%s %s\n", file, kernel);
    for (size_t i = 0; i < n_defines; i++) {
        if (defines[i].text)
            lcl_text_printf(&key, "#define %s %s\n", defines[i].name, defines[i].text);
        else
            lcl_text_printf(&key, "#define %s %ld\n", defines[i].name, defines[i].value);
    }
    return key.text;
}

static const char *program_defines(const char *key)
{
    return key + strcspn(key, "\n") + 1;
}

static lcl_kernel *program_find(const lcl_device *dev, const char *key, uint64_t hash)
{
    for (size_t i = 0; i < dev->n_kernels; i++)
        if (dev->kernels[i]->hash == hash && strcmp(dev->kernels[i]->key, key) == 0)
            return dev->kernels[i];
    return NULL;
}

static lcl_kernel *program_add(lcl_device *dev, const char *file, const char *kernel,
                               const char *key, uint64_t hash, const char *text)
{
    lcl_kernel *k = lcl_alloc(1, sizeof *k);

    *k = (lcl_kernel){.key = lcl_strdup(key),
                      .hash = hash,
                      .file = lcl_strdup(file),
                      .name = lcl_strdup(kernel),
                      .source = lcl_format("%s%s", program_defines(key), text)};
    dev->kernels = lcl_resize(dev->kernels, dev->n_kernels + 1, sizeof(lcl_kernel *));
    dev->kernels[dev->n_kernels++] = k;
    return k;
}

lcl_status lcl_kernel_get(lcl_kernel **out, lcl_device *dev, const char *file,
                          const char *kernel, const lcl_define *defines, size_t n_defines,
                          lcl_error *err)
{
    *out = NULL;
    if (lcl_device_is_blank(dev))
        return LCL_OK;
    char *key = program_key(file, kernel, defines, n_defines), *text = NULL;
    const uint64_t hash = lcl_hash(0, key, strlen(key));
    lcl_kernel *found = program_find(dev, key, hash);
    lcl_status status = LCL_OK;

    if (!found)
        status = lcl_source_expand(&text, file, err);
    if (!found && status == LCL_OK)
        found = program_add(dev, file, kernel, key, hash, text);
    if (found)
        *out = found;
    free(text);
    free(key);
    return status;
}

void lcl_device_release_programs(lcl_device *dev)
{
    for (size_t i = 0; i < dev->n_kernels; i++) {
        lcl_kernel *k = dev->kernels[i];

        if (k->kernel)
            clReleaseKernel(k->kernel);
        free(k->key);
        free(k->file);
        free(k->name);
        free(k->source);
        free(k);
    }
    for (size_t i = 0; i < dev->n_programs; i++)
        clReleaseProgram(dev->programs[i]);
    free(dev->kernels);
    free(dev->programs);
    dev->kernels = NULL;
    dev->programs = NULL;
    dev->n_kernels = dev->n_programs = 0;
}

/* ---- Building together ------------------------------------------------------------- */

/* Programs that one thread builds as one. */
typedef struct {
    const lcl_device *dev;
    lcl_bundled *programs; /* owned */
    size_t n_programs;
    cl_program built;
} program_bundle;

/* The program of the kernel's source in a bundle, or n_programs where it has none. */
static size_t bundle_find(const program_bundle *b, const lcl_kernel *k)
{
    size_t i = 0;

    while (i < b->n_programs && strcmp(b->programs[i].text, k->source) != 0)
        i++;
    return i;
}

static void bundle_add(program_bundle *b, const lcl_kernel *k)
{
    const size_t i = bundle_find(b, k);

    if (i == b->n_programs) {
        b->programs = lcl_resize(b->programs, i + 1, sizeof *b->programs);
        b->programs[b->n_programs++] = (lcl_bundled){.text = k->source};
    }
    lcl_bundled *p = &b->programs[i];
    p->kernels = lcl_resize(p->kernels, p->n_kernels + 1, sizeof *p->kernels);
    p->kernels[p->n_kernels++] = k->name;
}

/* The bundle that has the kernel's program, else the smallest one. */
static program_bundle *bundle_choose(program_bundle *bundles, size_t n,
                                     const lcl_kernel *k)
{
    program_bundle *smallest = bundles;

    for (size_t i = 0; i < n; i++) {
        if (bundle_find(&bundles[i], k) < bundles[i].n_programs)
            return &bundles[i];
        if (bundles[i].n_programs < smallest->n_programs)
            smallest = &bundles[i];
    }
    return smallest;
}

/* One per core; but PoCL's compiler has a lock around it and would only start twice, and
 * Oclgrind's crashes. */
static size_t bundle_count(const lcl_device *dev)
{
    static const char *const single[] = {"Portable Computing Language", "Oclgrind"};
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);

    for (size_t i = 0; i < LCL_COUNT(single); i++)
        if (strcmp(dev->info.platform_name, single[i]) == 0)
            return 1;
    return cores < 1                     ? 1
           : cores < PROGRAM_MAX_BUNDLES ? (size_t)cores
                                         : PROGRAM_MAX_BUNDLES;
}

static void *bundle_build(void *bundle)
{
    program_bundle *b = bundle;
    char *text = lcl_bundle_text(b->programs, b->n_programs);

    lcl_program_build(&b->built, b->dev, &(lcl_program_source){text, "", ""}, NULL);
    free(text);
    return NULL;
}

static void bundles_build(program_bundle *bundles, size_t n)
{
    pthread_t threads[PROGRAM_MAX_BUNDLES];
    bool started[PROGRAM_MAX_BUNDLES] = {0};

    for (size_t i = 1; i < n && bundles[i].n_programs > 0; i++)
        started[i] = pthread_create(&threads[i], NULL, bundle_build, &bundles[i]) == 0;
    for (size_t i = 0; i < n && bundles[i].n_programs > 0; i++)
        if (!started[i])
            bundle_build(&bundles[i]);
    for (size_t i = 1; i < n; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
}

static void program_keep(lcl_device *dev, cl_program program)
{
    dev->programs = lcl_resize(dev->programs, dev->n_programs + 1, sizeof(cl_program));
    dev->programs[dev->n_programs++] = program;
}

/* Gives kernels that wait theirs out of the bundles. */
static void bundles_hand_out(lcl_device *dev, program_bundle *bundles, size_t n)
{
    cl_int rc;

    for (size_t i = 0; i < dev->n_kernels; i++) {
        lcl_kernel *k = dev->kernels[i];
        if (k->tried)
            continue;
        k->tried = true;
        const program_bundle *b = bundle_choose(bundles, n, k);
        if (!b->built)
            continue;
        char *name = lcl_bundle_name(k->name, bundle_find(b, k));
        cl_kernel kernel = clCreateKernel(b->built, name, &rc);
        if (rc == CL_SUCCESS)
            k->kernel = kernel;
        free(name);
    }
}

static void program_drop_sources(lcl_device *dev)
{
    for (size_t i = 0; i < dev->n_kernels; i++) {
        lcl_kernel *k = dev->kernels[i];
        if (k->kernel) {
            free(k->source);
            k->source = NULL;
        }
    }
}

static void bundles_free(lcl_device *dev, program_bundle *bundles, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bundles[i].built)
            program_keep(dev, bundles[i].built);
        for (size_t j = 0; j < bundles[i].n_programs; j++)
            free(bundles[i].programs[j].kernels);
        free(bundles[i].programs);
    }
}

/* A bundle may fail where its programs do not; then, or where one of them is at fault, its
 * kernels stay without and build_alone has the last word. */
static lcl_status build_waiting(lcl_device *dev, lcl_error *err)
{
    program_bundle bundles[PROGRAM_MAX_BUNDLES] = {0};
    const size_t n = bundle_count(dev);
    const lcl_kernel *first = NULL;

    for (size_t i = 0; i < n; i++)
        bundles[i].dev = dev;
    for (size_t i = 0; i < dev->n_kernels; i++) {
        const lcl_kernel *k = dev->kernels[i];
        if (k->tried)
            continue;
        first = first ? first : k;
        bundle_add(bundle_choose(bundles, n, k), k);
    }
    const bool fault = first && lcl_device_faulty(dev, LCL_FAULT_BUILD);
    if (!fault) {
        bundles_build(bundles, n);
        bundles_hand_out(dev, bundles, n);
        program_drop_sources(dev);
    }
    bundles_free(dev, bundles, n);
    return fault ? lcl_program_failed(dev, NULL,
                                      &(lcl_program_source){"", first->file,
                                                            program_defines(first->key)},
                                      CL_BUILD_PROGRAM_FAILURE, err)
                 : LCL_OK;
}

static lcl_status build_alone(lcl_device *dev, lcl_kernel *k, lcl_error *err)
{
    const lcl_program_source source = {k->source, k->file, program_defines(k->key)};
    cl_program program;
    cl_int rc;

    LCL_TRY(lcl_program_build(&program, dev, &source, err));
    program_keep(dev, program);
    k->kernel = clCreateKernel(program, k->name, &rc);
    if (rc != CL_SUCCESS) {
        char where[96];

        k->kernel = NULL;
        snprintf(where, sizeof where, "cl/%.63s.cl", k->file);
        return lcl_fail(err, LCL_EDEVICE, where, "no kernel '%s': %s", k->name,
                        lcl_cl_name(rc));
    }
    program_drop_sources(dev);
    return LCL_OK;
}

static lcl_status need_kernel(lcl_device *dev, lcl_kernel *k, lcl_error *err)
{
    if (!k->kernel && !k->tried)
        LCL_TRY(build_waiting(dev, err));
    return k->kernel ? LCL_OK : build_alone(dev, k, err);
}

lcl_status lcl_device_build(lcl_device *dev, lcl_error *err)
{
    for (size_t i = 0; i < dev->n_kernels; i++)
        LCL_TRY(need_kernel(dev, dev->kernels[i], err));
    return LCL_OK;
}

lcl_status lcl_kernel_cl(cl_kernel *out, lcl_device *dev, lcl_kernel *kernel,
                         lcl_error *err)
{
    LCL_TRY(need_kernel(dev, kernel, err));
    *out = kernel->kernel;
    return LCL_OK;
}

/* ---- Running ----------------------------------------------------------------------- */

void lcl_program_group(size_t limit, size_t good, const size_t global[3], size_t group[3])
{
    group[0] = global[0] < limit ? global[0] : limit;
    while (global[0] % group[0] != 0)
        group[0]--;
    group[1] = group[2] = 1;
    while (global[1] % (2 * group[1]) == 0 && 2 * group[1] * group[0] <= limit &&
           2 * group[1] * group[0] <= good)
        group[1] *= 2;
}

/* The group of a kernel that leaves it to the device. */
static void program_choose_group(const lcl_device *dev, const lcl_kernel *kernel,
                                 const size_t global[3], size_t group[3])
{
    size_t limit = dev->info.largest_work_group, of_kernel = 0;

    if (lcl_device_is_cpu(dev))
        return;
    if (clGetKernelWorkGroupInfo(kernel->kernel, dev->info.id, CL_KERNEL_WORK_GROUP_SIZE,
                                 sizeof of_kernel, &of_kernel, NULL) == CL_SUCCESS &&
        of_kernel > 0 && of_kernel < limit)
        limit = of_kernel;
    lcl_program_group(limit > 0 ? limit : 1, (size_t)lcl_tile_get(dev, LCL_TILE_GROUP),
                      global, group);
}

static lcl_status program_run_failed(const lcl_kernel *kernel, const char *what,
                                     cl_int rc, lcl_error *err)
{
    return lcl_fail(err, LCL_EDEVICE, NULL, "kernel %s: %s: %s", kernel->name, what,
                    lcl_cl_name(rc));
}

lcl_status lcl_kernel_run(lcl_device *dev, lcl_kernel *kernel, lcl_range global,
                          lcl_range local, const lcl_arg *args, size_t n_args,
                          lcl_error *err)
{
    size_t sizes[3] = {global.x ? global.x : 1, global.y ? global.y : 1,
                       global.z ? global.z : 1};
    size_t group[3] = {local.x ? local.x : 1, local.y ? local.y : 1,
                       local.z ? local.z : 1};
    cl_int rc;

    if (lcl_device_is_dry(dev) || lcl_device_is_broken(dev))
        return LCL_OK;
    LCL_TRY(need_kernel(dev, kernel, err));
    for (size_t i = 0; i < n_args; i++) {
        rc = clSetKernelArg(kernel->kernel, (cl_uint)i, args[i].size, args[i].value);
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
        rc = clEnqueueNDRangeKernel(dev->queue, kernel->kernel, 3, NULL, sizes, group, 0,
                                    NULL, lcl_profile_slot(dev, kernel->name));
    return rc == CL_SUCCESS ? LCL_OK : program_run_failed(kernel, "starting it", rc, err);
}
