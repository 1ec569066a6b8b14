/* LeNet's first iterations in every mode there is: the losses are Caffe's, and a second run
 * writes the same bytes. A further mode is a line of the table. */
#include <math.h>

#include "program.h"

#define GOLDEN "tests/golden/"
#define FASHION "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
#define N_ITERATIONS 100

static const struct {
    const char *variables, *flags; /* of `lenet-cl train` */
} modes[] = {
    {"", ""},
    {"LCL_FUSE=0", ""},
    {"LCL_WINOGRAD=0", ""},
    {"LCL_FUSE=0 LCL_WINOGRAD=0", ""},
    {"LCL_BLOCK=1", ""},
    {"LCL_BLOCK=1 LCL_FUSE=0 LCL_WINOGRAD=0", ""},
    {"LCL_BLOCK=8", ""},
    {"LCL_BLOCK=32 LCL_VECTOR=4", ""},
    {"", "--gemm clblast"},
};

/* How far losses may be from Caffe's before an iteration. At first only the last of the six
 * digits in the log, and Winograd's transforms, round otherwise; then a ReLU or a pool that
 * decides the other way by a rounding error may have moved everything. Caffe itself, with
 * other BLAS kernels, moves by a quarter of the later bounds. */
static const struct {
    int before;
    double bound;
} bounds[] = {{10, 1e-5}, {50, 5e-3}, {N_ITERATIONS, 5e-2}};

/* ---- Training ---------------------------------------------------------------------- */

/* The net of the stored runs with its images, and a solver that shows every loss. */
static void setup(void)
{
    static const char source[] = "fashion_train_lmdb";
    lcl_error err;
    lcl_text net = {0};
    char *text, *at;

    make_folder();
    CHECK_OK(lcl_file_read(&text, NULL, GOLDEN "solvers/net_lenet.prototxt", 0, &err));
    ck_assert_ptr_nonnull(at = strstr(text, source));
    lcl_text_add_bytes(&net, text, (size_t)(at - text));
    lcl_text_printf(&net, FASHION "%s", at + strlen(source));
    put("net.prototxt", net.text);
    free(net.text);
    free(text);
    text =
        lcl_format("net: 'net.prototxt' base_lr: 0.01 momentum: 0.9 weight_decay: 0.0005 "
                   "lr_policy: 'inv' gamma: 0.0001 power: 0.75 display: 1 "
                   "max_iter: %d snapshot_prefix: 'lenet' random_seed: 1701",
                   N_ITERATIONS);
    put("solver.prototxt", text);
    free(text);
}

static void train(size_t mode)
{
    char *arguments = lcl_format("train solver.prototxt --weights "
                                 "$OLDPWD/" GOLDEN "lenet/init.caffemodel %s",
                                 modes[mode].flags);
    int code = lenet_cl_with(modes[mode].variables, arguments);
    char *log = get("err");

    ck_assert_msg(code == 0, "%s %s: %s", modes[mode].variables, arguments, log);
    free(log);
    free(arguments);
}

/* ---- Losses ------------------------------------------------------------------------ */

static double bound(int iteration)
{
    size_t i = 0;

    while (iteration >= bounds[i].before)
        i++;
    return bounds[i].bound;
}

/* The loss of the next "Iteration N (...), loss = X" of the log, which moves past it. */
static double next_loss(const char **log, int iteration)
{
    char *start = lcl_format("Iteration %d (", iteration);
    const char *line = strstr(*log, start);

    free(start);
    ck_assert_msg(line != NULL, "iteration %d is not in the log", iteration);
    const char *loss = strstr(line, "loss = ");
    ck_assert_ptr_nonnull(loss);
    *log = loss;
    return strtod(loss + strlen("loss = "), NULL);
}

static void check_losses(size_t mode)
{
    char *log = get("err"), *csv;
    const char *in_log = log;
    lcl_error err;

    CHECK_OK(lcl_file_read(&csv, NULL, GOLDEN "lenet/train.csv", 0, &err));
    const char *line = csv;
    for (int i = 0; i < N_ITERATIONS; i++) {
        ck_assert_ptr_nonnull(line = strchr(line, '\n'));
        line++; /* iteration,rate,loss */
        const double wanted = strtod(strchr(strchr(line, ',') + 1, ',') + 1, NULL);
        const double got = next_loss(&in_log, i), off = fabs(got - wanted) / wanted;
        ck_assert_msg(off <= bound(i),
                      "%s %s, iteration %d: loss %g, Caffe's %g: off by %.2g, bound %.2g",
                      modes[mode].variables, modes[mode].flags, i, got, wanted, off,
                      bound(i));
    }
    free(csv);
    free(log);
}

/* ---- The tests --------------------------------------------------------------------- */

static void run(const char *format, int n)
{
    char *command = lcl_format(format, program_folder, n, n);

    ck_assert_msg(system(command) == 0, "%s", command);
    free(command);
}

START_TEST(losses_are_caffes_and_runs_repeat)
{
    train((size_t)_i);
    check_losses((size_t)_i);
    run("cd %s && mkdir first && mv lenet_iter_%d.caffemodel lenet_iter_%d.solverstate "
        "first/",
        N_ITERATIONS);
    train((size_t)_i);
    run("cd %s && cmp lenet_iter_%d.caffemodel first/lenet_iter_%d.caffemodel",
        N_ITERATIONS);
    run("cd %s && cmp lenet_iter_%d.solverstate first/lenet_iter_%d.solverstate",
        N_ITERATIONS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("modes");
    TCase *tcase = tcase_create("modes");

    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, remove_folder);
    tcase_add_loop_test(tcase, losses_are_caffes_and_runs_repeat, 0,
                        (int)LCL_COUNT(modes));
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
