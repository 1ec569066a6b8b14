/* The program as people run it: train, test, time; exit codes, signals, resuming. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "testing.h"
#include "text.h"

#define MINI "tests/golden/data/mini-images-idx3-ubyte"

static const char net_text[] =
    "name: 'mini'\n"
    "layer { name: 'data' type: 'Data' top: 'data' top: 'label'\n"
    "  transform_param { scale: 0.00390625 } data_param { source: '" MINI
    "' batch_size: 8 } }\n"
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip'\n"
    "  inner_product_param { num_output: 10 weight_filler { type: 'xavier' } } }\n"
    "layer { name: 'accuracy' type: 'Accuracy' bottom: 'ip' bottom: 'label' top: "
    "'accuracy'\n"
    "  include { phase: TEST } }\n"
    "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'ip' bottom: 'label' top: "
    "'loss' }\n";

/* ---- Running the program ----------------------------------------------------------- */

static char folder[64];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/test_train_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char *command = lcl_format("rm -r %s", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
}

static void write_file(const char *name, const char *text)
{
    lcl_error err = {0};
    char *path = lcl_path_join(folder, name);

    CHECK_OK(lcl_file_write(path, text, strlen(text), &err));
    free(path);
}

static char *read_file(const char *name)
{
    lcl_error err = {0};
    char *path = lcl_path_join(folder, name), *text = NULL;
    size_t size;

    CHECK_OK(lcl_file_read(&text, &size, path, 0, &err));
    free(path);
    return text;
}

static bool exists(const char *name)
{
    char *path = lcl_path_join(folder, name);
    bool found = lcl_file_exists(path);

    free(path);
    return found;
}

/* Net and solver.prototxt; `more` are further solver fields. */
static void write_solver(const char *more)
{
    write_file("net.prototxt", net_text);
    char *text =
        lcl_format("net: '%s/net.prototxt' snapshot_prefix: '%s/s'\n"
                   "base_lr: 0.1 lr_policy: 'fixed' momentum: 0.9 random_seed: 1\n%s\n",
                   folder, folder, more);
    write_file("solver.prototxt", text);
    free(text);
}

/* Starts `lenet-cl ARGS` (shell words; %F stands for the folder), output to out and err. */
static pid_t start(const char *arguments)
{
    const char *program = getenv("LENET_CL");
    lcl_text command = {0};

    ck_assert_msg(program != NULL, "LENET_CL must name the program");
    lcl_text_printf(&command, "exec '%s' ", program);
    for (const char *p = arguments; *p; p++) {
        if (strncmp(p, "%F", 2) == 0) {
            lcl_text_add(&command, folder);
            p++;
        } else {
            lcl_text_add_bytes(&command, p, 1);
        }
    }
    lcl_text_printf(&command, " >%s/out 2>%s/err", folder, folder);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command.text, (char *)NULL);
        _exit(127);
    }
    free(command.text);
    return pid;
}

static int wait_for(pid_t pid)
{
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int run(const char *arguments)
{
    return wait_for(start(arguments));
}

static bool file_has(const char *name, const char *piece)
{
    char *text = exists(name) ? read_file(name) : lcl_strdup("");
    bool found = strstr(text, piece) != NULL;

    free(text);
    return found;
}

#define CHECK_FILE(name, piece)                                                          \
    do {                                                                                 \
        char *text_ = read_file(name);                                                   \
        ck_assert_msg(strstr(text_, piece) != NULL, "'%s' is not in:\n%.1500s", piece,   \
                      text_);                                                            \
        free(text_);                                                                     \
    } while (0)

/* Waits until the running program has logged `piece`. */
static void wait_for_line(const char *piece)
{
    const struct timespec pause = {0, 20000000};

    for (int i = 0; i < 3000; i++) {
        if (file_has("err", piece))
            return;
        nanosleep(&pause, NULL);
    }
    ck_abort_msg("'%s' was not logged in a minute", piece);
}

/* ---- Training ---------------------------------------------------------------------- */

START_TEST(train_resume_test_and_time)
{
    make_folder();
    write_solver("max_iter: 6 display: 2 snapshot: 3 test_iter: 1 test_interval: 6");
    ck_assert_int_eq(run("train %F/solver.prototxt"), 0);
    CHECK_FILE("err", "] Using device ");
    CHECK_FILE("err", "] Starting Optimization\n");
    CHECK_FILE("err", "] Iteration 4, lr = 0.1\n");
    CHECK_FILE("err", "] Optimization Done.\n");
    ck_assert(exists("s_iter_3.solverstate"));
    ck_assert(exists("s_iter_6.caffemodel"));

    ck_assert_int_eq(
        run("train -solver %F/solver.prototxt -snapshot %F/s_iter_3.solverstate"), 0);
    CHECK_FILE("err", "] Resuming from ");
    CHECK_FILE("err", "] Iteration 4 (");
    ck_assert(!file_has("err", "] Iteration 2 ("));

    ck_assert_int_eq(
        run("--solver=%F/solver.prototxt train --weights %F/s_iter_6.caffemodel"), 0);
    CHECK_FILE("err", "] Finetuning from ");

    ck_assert_int_eq(
        run("test -model %F/net.prototxt -weights=%F/s_iter_6.caffemodel -iterations 2"),
        0);
    CHECK_FILE("err", "] Running for 2 iterations.\n");
    CHECK_FILE("err", "] Batch 0, accuracy = ");
    CHECK_FILE("err", "] Batch 1, loss = ");
    CHECK_FILE("err", "] Loss: ");
    CHECK_FILE("err", "] accuracy = ");
    CHECK_FILE("err", " (* 1 = ");

    ck_assert_int_eq(run("time --model %F/net.prototxt --iterations 2"), 0);
    CHECK_FILE("err", "] *** Benchmark begins ***\n");
    CHECK_FILE("err", "] Iteration: 2 forward-backward time: ");
    CHECK_FILE("err", "]         ip\tforward: ");
    CHECK_FILE("err", "]         ip\tbackward: ");
    CHECK_FILE("err", "] Average Forward-Backward: ");
    CHECK_FILE("err", "] *** Benchmark ends ***\n");
    remove_folder();
}
END_TEST

START_TEST(profiles)
{
    make_folder();
    write_solver("max_iter: 3 test_iter: 1 test_interval: 3");
    ck_assert_int_eq(run("train %F/solver.prototxt --profile %F/trace.json"), 0);
    CHECK_FILE("out", " GFLOP/s and ");
    CHECK_FILE("out", "\nip forward ");
    CHECK_FILE("out", "\nip backward ");
    CHECK_FILE("out", "\nip test ");
    CHECK_FILE("out", "\nupdate ");
    CHECK_FILE("trace.json", "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n");
    CHECK_FILE("trace.json", "{\"name\": \"ip backward\", \"ph\": \"X\"");
    CHECK_FILE("trace.json", "\n]}\n");

    ck_assert_int_eq(run("time --model %F/net.prototxt --iterations 2 --profile"), 0);
    CHECK_FILE("out", "\nip forward ");
    ck_assert(!file_has("out", "\nip test "));
    ck_assert_int_eq(run("time --model %F/net.prototxt --iterations 1"), 0);
    ck_assert(!file_has("out", "\nip forward "));

    ck_assert_int_ne(
        run("train %F/solver.prototxt --profile %F/no/such/folder/trace.json"), 0);
    CHECK_FILE("err", "no/such/folder/trace.json");
    remove_folder();
}
END_TEST

/* ---- Signals ----------------------------------------------------------------------- */

#define LONG_RUN "max_iter: 100000000 display: 10 snapshot_after_train: "

START_TEST(sigint_snapshots_and_stops)
{
    make_folder();
    write_solver(LONG_RUN "true");
    pid_t pid = start("train %F/solver.prototxt");
    wait_for_line("] Iteration 20 (");
    kill(pid, SIGINT);
    ck_assert_int_eq(wait_for(pid), 130);
    CHECK_FILE("err", "] Snapshotting solver state to binary proto file ");
    CHECK_FILE("err", "] Optimization stopped early.\n");
    remove_folder();
}
END_TEST

START_TEST(sigterm_snapshots_in_any_case)
{
    make_folder();
    write_solver(LONG_RUN "false");
    pid_t pid = start("train %F/solver.prototxt");
    wait_for_line("] Iteration 20 (");
    kill(pid, SIGTERM);
    ck_assert_int_eq(wait_for(pid), 143);
    CHECK_FILE("err", "] Snapshotting solver state to binary proto file ");
    remove_folder();
}
END_TEST

START_TEST(sighup_snapshots_and_goes_on)
{
    make_folder();
    write_solver(LONG_RUN "false");
    pid_t pid = start("train %F/solver.prototxt --sigint_effect=snapshot");
    wait_for_line("] Iteration 20 (");
    kill(pid, SIGHUP);
    wait_for_line("] Snapshotting solver state to binary proto file ");
    kill(pid, SIGINT);
    wait_for_line("] Iteration 2000 (");
    ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0); /* still training */
    kill(pid, SIGTERM);
    ck_assert_int_eq(wait_for(pid), 143);
    remove_folder();
}
END_TEST

/* Killed while it snapshots again and again: what is there can be resumed from. */
START_TEST(kill_leaves_whole_snapshots)
{
    make_folder();
    write_solver("max_iter: 100000000 display: 0 snapshot: 1");
    for (int i = 0; i < 3; i++) {
        const struct timespec pause = {0, 30000000 + i * 17000000};
        pid_t pid = start("train %F/solver.prototxt");
        wait_for_line("_iter_20.solverstate");
        nanosleep(&pause, NULL);
        kill(pid, SIGKILL);
        ck_assert_int_eq(wait_for(pid), -SIGKILL);
        char *check =
            lcl_format("for f in %s/s_iter_*.solverstate; do n=${f%%.solverstate}; "
                       "test -s $f -a -s $n.caffemodel || exit 1; "
                       "test $(stat -c %%s $f) -ge $(stat -c %%s "
                       "%s/s_iter_1.solverstate) || exit 2; "
                       "test $(stat -c %%s $n.caffemodel) -eq $(stat -c %%s "
                       "%s/s_iter_1.caffemodel) || "
                       "exit 3; done",
                       folder, folder, folder);
        ck_assert_int_eq(system(check), 0);
        free(check);
        ck_assert_int_eq(run("test -model %F/net.prototxt -iterations 1 "
                             "-weights $(ls -t %F/s_iter_*.caffemodel | head -n 1)"),
                         0);
    }
    remove_folder();
}
END_TEST

/* ---- Mistakes ---------------------------------------------------------------------- */

static const struct {
    const char *arguments;
    int code;
    const char *message;
} mistakes[] = {
    {"", 2, NULL},
    {"trian %F/solver.prototxt", 2, "did you mean 'train'?"},
    {"train", 2, "Need a solver definition to train."},
    {"train a b", 2, "'train' has no use for 'b'"},
    {"train a --solver b", 2, "two solvers"},
    {"train a --snapshot x --weights y", 2,
     "Give a snapshot to resume training or weights to finetune but not both."},
    {"train a --sigint_effect=die", 2, "expected snapshot, stop or none, got 'die'"},
    {"train a --iterations 5", 2, "'train' has no flag --iterations"},
    {"train %F/missing.prototxt", 1, "hint"},
    {"train %F/broken.prototxt", 3, "broken.prototxt:1:"},
    {"train %F/solver.prototxt --snapshot %F/s.caffemodel", 3, "holds weights"},
    {"train %F/solver.prototxt --weights %F/s.solverstate", 2, "solver's state"},
    {"train %F/solver.prototxt --device nonesuch", 4, "nonesuch"},
    {"train %F/solver.prototxt --device 0,nonesuch", 4, "nonesuch"},
    {"tune --gpu 0,1", 2, "'tune' takes one device"},
    {"devices --device all", 2, "'devices' takes one device"},
    {"train %F/solver.prototxt --gemm fast", 2, "fast"},
    {"train %F/solver.prototxt --resident maybe", 2, "auto, on, off"},
    {"test --weights x", 2, "Need a model definition to score."},
    {"test --model x", 2, "Need model weights to score."},
    {"test --model x --weights y --iterations 0", 2, "--iterations"},
    {"time", 2, "Need a model definition to time."},
    {"time --model x --phase train", 2, "phase must be"},
};

/* One device named twice, and all that there are. */
START_TEST(train_on_several_devices)
{
    static const char *const flags[] = {"--device 0,0", "--gpu 0,0", "--device all"};

    for (size_t i = 0; i < LCL_COUNT(flags); i++) {
        make_folder();
        write_solver("max_iter: 3 display: 1");
        char *arguments = lcl_format("train %%F/solver.prototxt %s", flags[i]);
        ck_assert_int_eq(run(arguments), 0);
        if (strstr(flags[i], "0,0"))
            CHECK_FILE("err", "] Training on 2 devices: ");
        CHECK_FILE("err", "] Optimization Done.\n");
        free(arguments);
        remove_folder();
    }
}
END_TEST

START_TEST(mistakes_are_explained)
{
    make_folder();
    write_solver("max_iter: 1");
    write_file("broken.prototxt", "nte: 'x'");
    ck_assert_msg(run(mistakes[_i].arguments) == mistakes[_i].code, "%s",
                  mistakes[_i].arguments);
    if (!mistakes[_i].message)
        CHECK_FILE("out", "usage: lenet-cl COMMAND");
    else if (strcmp(mistakes[_i].message, "hint") != 0)
        CHECK_FILE("err", mistakes[_i].message);
    if (mistakes[_i].message)
        CHECK_FILE("err", "lenet-cl: ");
    remove_folder();
}
END_TEST

START_TEST(unknown_fields_can_be_allowed)
{
    make_folder();
    write_solver("max_iter: 1 warmup_iter: 5");
    ck_assert_int_eq(run("train %F/solver.prototxt"), 3);
    CHECK_FILE("err", "warmup_iter");
    ck_assert_int_eq(run("train %F/solver.prototxt --allow-unknown"), 0);
    CHECK_FILE("err", "warmup_iter");
    remove_folder();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_command");
    TCase *tc = tcase_create("train_command");

    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, train_resume_test_and_time);
    tcase_add_test(tc, train_on_several_devices);
    tcase_add_test(tc, profiles);
    tcase_add_test(tc, sigint_snapshots_and_stops);
    tcase_add_test(tc, sigterm_snapshots_in_any_case);
    tcase_add_test(tc, sighup_snapshots_and_goes_on);
    tcase_add_test(tc, kill_leaves_whole_snapshots);
    tcase_add_loop_test(tc, mistakes_are_explained, 0, (int)LCL_COUNT(mistakes));
    tcase_add_test(tc, unknown_fields_can_be_allowed);
    suite_add_tcase(suite, tc);
    return testing_run(suite);
}
