/* How long a whole process takes that trains LeNet for one iteration: kernels built, and
 * kernels found in a cache. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/folder.h"
#include "bench/lenet.h"
#include "text.h"

#define PROGRAM "/proc/self/exe"

extern char **environ;

/* Where drivers and this program keep built kernels. */
static const char *const caches[] = {
    "POCL_CACHE_DIR", "XDG_CACHE_HOME",        "LCL_CACHE_DIR",       "CUDA_CACHE_PATH",
    "NEO_CACHE_DIR",  "MESA_SHADER_CACHE_DIR", "AMD_COMGR_CACHE_DIR",
};

typedef struct {
    char *solver, *log; /* paths; owned */
    char platform[16], device[16];
    char **environment; /* owned, with its first LCL_COUNT(caches) strings */
} start_run;

static void make_environment(start_run *s, const char *cache)
{
    size_t n = 0, count = 0;

    while (environ[count])
        count++;
    s->environment = lcl_alloc(count + LCL_COUNT(caches) + 1, sizeof(char *));
    for (; n < LCL_COUNT(caches); n++)
        s->environment[n] = lcl_format("%s=%s", caches[n], cache);
    for (size_t i = 0; i < count; i++) {
        bool replaced = false;
        for (size_t k = 0; k < LCL_COUNT(caches) && !replaced; k++)
            replaced = strncmp(environ[i], caches[k], strlen(caches[k])) == 0 &&
                       environ[i][strlen(caches[k])] == '=';
        if (!replaced)
            s->environment[n++] = environ[i];
    }
}

/* The last line of what the process said. */
static lcl_status fail_child(const start_run *s, int status, lcl_error *err)
{
    char *text = NULL;
    size_t size;

    if (lcl_file_read(&text, &size, s->log, 1 << 20, NULL) == LCL_OK)
        while (size > 0 && text[size - 1] == '\n')
            text[--size] = '\0';
    const char *line = text ? strrchr(text, '\n') : NULL;
    lcl_fail(err, LCL_EDEVICE, "", "'lenet-cl train' ended with %s %d: %s",
             WIFSIGNALED(status) ? "signal" : "code",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
             line   ? line + 1
             : text ? text
                    : "");
    free(text);
    return LCL_EDEVICE;
}

static lcl_status run_process(const start_run *s, double *seconds, lcl_error *err)
{
    char *argv[] = {"lenet-cl", "train",           "--solver",
                    s->solver,  "--platform",      (char *)s->platform,
                    "--device", (char *)s->device, NULL};
    posix_spawn_file_actions_t files;
    pid_t pid;
    int status = 0;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, s->log, O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    double start = lcl_now();
    int code = posix_spawn(&pid, PROGRAM, &files, NULL, argv, s->environment);
    posix_spawn_file_actions_destroy(&files);
    if (code != 0)
        return lcl_fail(err, LCL_EIO, PROGRAM, "cannot be started: %s", strerror(code));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    *seconds = lcl_now() - start;
    return status == 0 ? LCL_OK : fail_child(s, status, err);
}

static lcl_status prepare(start_run *s, lcl_bench *b, lcl_error *err)
{
    const lcl_device_info *info = lcl_device_get_info(b->dev);
    char *images = NULL;

    LCL_TRY(lcl_bench_folder(&b->folder, err));
    make_environment(s, b->folder);
    snprintf(s->platform, sizeof s->platform, "%d", info->platform);
    snprintf(s->device, sizeof s->device, "%d", info->device);
    s->solver = lcl_path_join(b->folder, "solver.prototxt");
    s->log = lcl_path_join(b->folder, "train.log");
    lcl_status status = lcl_lenet_write_images(b->folder, &images, err);
    if (status == LCL_OK) {
        char *net = lcl_lenet_net(images, 64, NULL), *solver = lcl_lenet_solver(net, 1);
        status = lcl_file_write(s->solver, solver, strlen(solver), err);
        free(net);
        free(solver);
    }
    free(images);
    return status;
}

static void measure(lcl_bench *b, const start_run *s, const char *name, size_t repeats)
{
    double seconds[16];
    lcl_error err = {0};

    lcl_log_progress(b->log, "%s: %s", b->group->title, name);
    for (size_t i = 0; i < repeats; i++) {
        if (run_process(s, &seconds[i], &err) == LCL_OK)
            continue;
        lcl_bench_skip(b, name, "", err.message);
        return;
    }
    lcl_bench_add_time(b, name, "", lcl_bench_statistics(seconds, repeats), 0);
}

void lcl_bench_start(lcl_bench *b)
{
    start_run s = {0};
    lcl_error err = {0};

    if (prepare(&s, b, &err) == LCL_OK) {
        measure(b, &s, "cold", 1);
        measure(b, &s, "warm", b->options->quick ? 3 : 9);
    } else {
        lcl_bench_skip(b, "cold", "", err.message);
    }
    for (size_t i = 0; s.environment && i < LCL_COUNT(caches); i++)
        free(s.environment[i]);
    free(s.environment);
    free(s.solver);
    free(s.log);
}
