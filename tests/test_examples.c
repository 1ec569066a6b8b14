/* The nets of examples/: their shapes and numbers of parameters are the published ones, what is
 * trained and what is used afterwards agree, each runs forward and backward, and some train. */
#include <math.h>

#include "lcl/solver.h"
#include "net_text.h"
#include "program.h"

enum { N_SHAPES = 10 };

/* Figures of the papers, and for what they leave open of the models published since. */
static const struct {
    const char *train, *deploy;   /* below examples/; deploy may be NULL */
    lcl_net_input input;          /* of the data layer */
    size_t learned;               /* parameters of the train net, */
    size_t statistics;            /* of them BatchNorm's */
    size_t deployed;              /* learned ones of the deploy net */
    bool runs;                    /* on the device, as the input says */
    const char *shapes[N_SHAPES]; /* blobs of the train net */
} nets[] = {
    {"mnist/lenet_train_test.prototxt",
     "mnist/lenet.prototxt",
     {NULL, 4, {5, 1, 28, 28}},
     431080,
     0,
     431080,
     true,
     {"conv1 5x20x24x24", "pool1 5x20x12x12", "conv2 5x50x8x8", "pool2 5x50x4x4",
      "ip1 5x500", "ip2 5x10"}},
    {"mnist/mnist_autoencoder.prototxt",
     NULL,
     {NULL, 4, {5, 1, 28, 28}},
     2837314, /* 784 - 1000 - 500 - 250 - 30 and back */
     0,
     0,
     true,
     {"flatdata 5x784", "encode1 5x1000", "encode2 5x500", "encode3 5x250",
      "encode4 5x30", "decode4 5x250", "decode3 5x500", "decode2 5x1000",
      "decode1 5x784"}},
    {"siamese/mnist_siamese_train_test.prototxt",
     "siamese/mnist_siamese.prototxt",
     {NULL, 4, {5, 2, 28, 28}},
     431102, /* LeNet and 10 x 2 + 2, once for both ways */
     0,
     431102,
     true,
     {"data 5x1x28x28", "data_p 5x1x28x28", "ip1 5x500", "ip1_p 5x500", "feat 5x2",
      "feat_p 5x2"}},
    {"cifar10/cifar10_quick_train_test.prototxt",
     "cifar10/cifar10_quick.prototxt",
     {NULL, 4, {5, 3, 32, 32}},
     145578,
     0,
     145578,
     true,
     {"conv1 5x32x32x32", "pool1 5x32x16x16", "conv2 5x32x16x16", "pool2 5x32x8x8",
      "conv3 5x64x8x8", "pool3 5x64x4x4", "ip1 5x64", "ip2 5x10"}},
    {"cifar10/cifar10_full_train_test.prototxt",
     "cifar10/cifar10_full.prototxt",
     {NULL, 4, {5, 3, 32, 32}},
     89578,
     0,
     89578,
     true,
     {"conv1 5x32x32x32", "norm1 5x32x16x16", "conv2 5x32x16x16", "norm2 5x32x8x8",
      "conv3 5x64x8x8", "pool3 5x64x4x4", "ip1 5x10"}},
    {"alexnet/train_val.prototxt",
     "alexnet/deploy.prototxt",
     {NULL, 4, {4, 3, 227, 227}},
     60965224,
     0,
     60965224,
     true,
     {"conv1 4x96x55x55", "pool1 4x96x27x27", "conv2 4x256x27x27", "pool2 4x256x13x13",
      "conv3 4x384x13x13", "conv4 4x384x13x13", "conv5 4x256x13x13", "pool5 4x256x6x6",
      "fc6 4x4096", "fc8 4x1000"}},
    {"caffenet/train_val.prototxt",
     "caffenet/deploy.prototxt",
     {NULL, 4, {4, 3, 227, 227}},
     60965224,
     0,
     60965224,
     false, /* AlexNet's layers in another order */
     {"conv1 4x96x55x55", "norm1 4x96x27x27", "conv2 4x256x27x27", "norm2 4x256x13x13",
      "conv5 4x256x13x13", "pool5 4x256x6x6", "fc7 4x4096", "fc8 4x1000"}},
    {"googlenet/train_val.prototxt",
     "googlenet/deploy.prototxt",
     {NULL, 4, {4, 3, 224, 224}},
     13378280, /* with the classifiers in the middle */
     0,
     6998552,
     true,
     {"conv1/7x7_s2 4x64x112x112", "conv2/3x3 4x192x56x56",
      "inception_3a/output 4x256x28x28", "inception_3b/output 4x480x28x28",
      "inception_4a/output 4x512x14x14", "inception_4d/output 4x528x14x14",
      "inception_4e/output 4x832x14x14", "inception_5b/output 4x1024x7x7",
      "pool5/7x7_s1 4x1024x1x1", "loss1/conv 4x128x4x4"}},
    {"vgg16/train_val.prototxt",
     "vgg16/deploy.prototxt",
     {NULL, 4, {1, 3, 224, 224}},
     138357544,
     0,
     138357544,
     true,
     {"conv1_2 1x64x224x224", "conv2_2 1x128x112x112", "conv3_3 1x256x56x56",
      "conv4_3 1x512x28x28", "conv5_3 1x512x14x14", "pool5 1x512x7x7", "fc6 1x4096",
      "fc7 1x4096", "fc8 1x1000"}},
    {"resnet18/train_val.prototxt",
     "resnet18/deploy.prototxt",
     {NULL, 4, {4, 3, 224, 224}},
     11689512,
     9620, /* means and variances of 4,800 channels, and 20 counts */
     11689512,
     true,
     {"conv1 4x64x112x112", "pool1 4x64x56x56", "res2b 4x64x56x56", "res3b 4x128x28x28",
      "res4b 4x256x14x14", "res5b 4x512x7x7", "pool5 4x512x1x1", "fc1000 4x1000"}},
    {"resnet50/train_val.prototxt",
     "resnet50/deploy.prototxt",
     {NULL, 4, {1, 3, 224, 224}},
     25557032,
     53173, /* of 26,560 channels, and 53 counts */
     25557032,
     true,
     {"conv1 1x64x112x112", "pool1 1x64x56x56", "res2c 1x256x56x56", "res3d 1x512x28x28",
      "res4f 1x1024x14x14", "res5c 1x2048x7x7", "pool5 1x2048x1x1", "fc1000 1x1000"}},
    {"squeezenet/train_val.prototxt",
     "squeezenet/deploy.prototxt",
     {NULL, 4, {4, 3, 227, 227}},
     1235496,
     0,
     1235496,
     true,
     {"conv1 4x64x113x113", "pool1 4x64x56x56", "fire3/concat 4x128x56x56",
      "fire5/concat 4x256x28x28", "fire7/concat 4x384x14x14", "fire9/concat 4x512x14x14",
      "conv10 4x1000x14x14", "pool10 4x1000x1x1"}},
    {"mobilenet/train_val.prototxt",
     "mobilenet/deploy.prototxt",
     {NULL, 4, {4, 3, 224, 224}},
     4231976,
     21915, /* of 10,944 channels, and 27 counts */
     4231976,
     true,
     {"conv1 4x32x112x112", "conv2_1/sep 4x64x112x112", "conv2_2/sep 4x128x56x56",
      "conv3_2/sep 4x256x28x28", "conv4_2/sep 4x512x14x14", "conv5_6/sep 4x1024x7x7",
      "conv6/sep 4x1024x7x7", "pool6 4x1024x1x1", "fc7 4x1000x1x1"}},
};

static lcl_proto *read_example(const char *name)
{
    char *path = lcl_format("examples/%s", name);
    lcl_proto *p = NULL;
    lcl_error err;

    CHECK_OK(lcl_proto_read_text(&p, &caffe__net_parameter__descriptor, path,
                                 LCL_UNKNOWN_IS_ERROR, NULL, &err));
    free(path);
    return p;
}

/* ---- Shapes and parameters --------------------------------------------------------- */

static lcl_net *shape_example(lcl_device *dev, const char *name, Caffe__Phase phase,
                              const char *stage, const lcl_net_input *input)
{
    lcl_proto *p = read_example(name);
    const lcl_net_options options = {.phase = phase,
                                     .stages = &stage,
                                     .n_stages = stage ? 1 : 0,
                                     .inputs = input,
                                     .n_inputs = input ? 1 : 0};
    lcl_net *net = NULL;
    lcl_error err;

    CHECK_OK(lcl_net_create(&net, dev, p, &options, &err));
    lcl_proto_destroy(p);
    return net;
}

static void count_params(const lcl_net *net, size_t *learned, size_t *fixed)
{
    *learned = *fixed = 0;
    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        const lcl_net_param *p = lcl_net_param_at(net, i);
        *(p->lr_mult != 0 ? learned : fixed) += lcl_blob_count(p->blob);
    }
}

/* `wanted` is "blob 1x2x3". */
static void check_shape(const lcl_net *net, const char *wanted)
{
    char *name = lcl_format("%.*s", (int)strcspn(wanted, " "), wanted);
    const lcl_blob *b = lcl_net_blob(net, name);
    lcl_text got = {0};

    ck_assert_msg(b != NULL, "no blob '%s'", name);
    for (int i = 0; i < b->n_axes; i++)
        lcl_text_printf(&got, "%s%d", i ? "x" : " ", b->shape[i]);
    ck_assert_str_eq(got.text, wanted + strlen(name));
    free(got.text);
    free(name);
}

static const lcl_net_param *find_param(const lcl_net *net, const lcl_net_param *like)
{
    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        const lcl_net_param *p = lcl_net_param_at(net, i);
        if (strcmp(p->layer, like->layer) == 0 && p->index == like->index)
            return p;
    }
    return NULL;
}

/* Every parameter that is used was trained. */
static void check_deploy(lcl_device *dev, const lcl_net *train, const char *deploy,
                         size_t deployed)
{
    lcl_net *net = shape_example(dev, deploy, CAFFE__PHASE__TEST, NULL, NULL);
    size_t learned, fixed;

    count_params(net, &learned, &fixed);
    ck_assert_uint_eq(learned, deployed);
    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        const lcl_net_param *p = lcl_net_param_at(net, i), *q = find_param(train, p);
        ck_assert_msg(q && lcl_blob_same_shape(p->blob, q->blob), "%s: %s %d", deploy,
                      p->layer, p->index);
    }
    ck_assert_uint_eq(lcl_net_n_outputs(net), 1);
    lcl_net_destroy(net);
}

START_TEST(sizes)
{
    lcl_device *dev = lcl_device_create_blank();
    lcl_net *train =
        shape_example(dev, nets[_i].train, CAFFE__PHASE__TRAIN, NULL, &nets[_i].input);
    lcl_net *test = shape_example(dev, nets[_i].train, CAFFE__PHASE__TEST, "test-on-test",
                                  &nets[_i].input);
    size_t learned, fixed;

    count_params(train, &learned, &fixed);
    ck_assert_uint_eq(learned, nets[_i].learned);
    ck_assert_uint_eq(fixed, nets[_i].statistics);
    for (int i = 0; i < N_SHAPES && nets[_i].shapes[i]; i++) {
        check_shape(train, nets[_i].shapes[i]);
        check_shape(test, nets[_i].shapes[i]);
    }
    if (nets[_i].deploy)
        check_deploy(dev, train, nets[_i].deploy, nets[_i].deployed);
    lcl_net_destroy(train);
    lcl_net_destroy(test);
    lcl_device_close(dev);
}
END_TEST

/* Their nets and the folders of their snapshots are there. */
START_TEST(solvers)
{
    FILE *list = popen("ls examples/*/*solver*.prototxt", "r");
    char path[256];
    int n = 0;
    lcl_error err;

    ck_assert_ptr_nonnull(list);
    for (; fgets(path, sizeof path, list); n++) {
        lcl_proto *p;
        path[strcspn(path, "\n")] = '\0';
        CHECK_OK(lcl_proto_read_text(&p, &caffe__solver_parameter__descriptor, path,
                                     LCL_UNKNOWN_IS_ERROR, NULL, &err));
        const Caffe__SolverParameter *s = (Caffe__SolverParameter *)lcl_proto_root(p);
        char *folder = lcl_dirname(s->snapshot_prefix);
        int step = 0;
        float rate;
        ck_assert_msg(lcl_file_exists(s->net), "%s: %s", path, s->net);
        ck_assert_msg(lcl_file_exists(folder), "%s: %s", path, folder);
        CHECK_OK(lcl_learning_rate(s, s->max_iter - 1, &step, &rate, &err));
        ck_assert_msg(rate > 0 && rate <= s->base_lr, "%s: %g", path, (double)rate);
        free(folder);
        lcl_proto_destroy(p);
    }
    ck_assert_int_eq(pclose(list), 0);
    ck_assert_int_ge(n, 16);
}
END_TEST

/* ---- Forward and backward ---------------------------------------------------------- */

static Caffe__BlobShape *new_shape(int n_axes, const int *shape)
{
    Caffe__BlobShape *s = lcl_proto_new(&caffe__blob_shape__descriptor);

    s->n_dim = (size_t)n_axes;
    s->dim = lcl_alloc(s->n_dim, sizeof *s->dim);
    for (size_t i = 0; i < s->n_dim; i++)
        s->dim[i] = shape[i];
    return s;
}

static Caffe__FillerParameter *new_filler(const char *type, float value, float std)
{
    Caffe__FillerParameter *f = lcl_proto_new(&caffe__filler_parameter__descriptor);

    if (f->type != caffe__filler_parameter__descriptor.fields[0].default_value)
        free(f->type);
    f->type = lcl_strdup(type);
    f->has_value = f->has_std = true;
    f->value = value;
    f->std = std;
    return f;
}

/* Makes a Data layer one of random images and labels of 1. */
static void make_dummy(Caffe__LayerParameter *l, const lcl_net_input *input)
{
    Caffe__DummyDataParameter *d =
        lcl_proto_new(&caffe__dummy_data_parameter__descriptor);

    free(l->type);
    l->type = lcl_strdup("DummyData");
    d->n_shape = d->n_data_filler = l->n_top;
    d->shape = lcl_alloc(l->n_top, sizeof *d->shape);
    d->data_filler = lcl_alloc(l->n_top, sizeof *d->data_filler);
    for (size_t i = 0; i < l->n_top; i++) {
        d->shape[i] = new_shape(i ? 1 : input->n_axes, input->shape);
        d->data_filler[i] =
            i ? new_filler("constant", 1, 0) : new_filler("gaussian", 0, 1);
    }
    l->dummy_data_param = d;
}

/* The largest magnitude. */
static float check_finite(const lcl_blob *b, lcl_which which)
{
    const size_t n = lcl_blob_count(b);
    float *values = lcl_alloc(n + 1, sizeof *values), largest = 0;
    lcl_error err;

    CHECK_OK(lcl_blob_read(b, which, values, &err));
    size_t bad = n; /* an assertion a value would take minutes */
    for (size_t i = 0; i < n; i++) {
        bad = isfinite(values[i]) || bad < n ? bad : i;
        largest = fmaxf(largest, fabsf(values[i]));
    }
    ck_assert_msg(bad == n, "%s[%zu] is %g", b->name, bad, (double)values[bad]);
    free(values);
    return largest;
}

/* Random images: loss and gradients are finite, and come down to the first weights. */
START_TEST(forward_and_backward)
{
    if (!nets[_i].runs)
        return;
    lcl_proto *p = read_example(nets[_i].train);
    Caffe__NetParameter *param = (Caffe__NetParameter *)lcl_proto_root(p);
    const lcl_net_options options = {
        .phase = CAFFE__PHASE__TRAIN, .seed = 1, .fuse = true};
    lcl_net *net;
    float loss;
    lcl_error err;

    for (size_t i = 0; i < param->n_layer; i++)
        if (strcmp(param->layer[i]->type, "Data") == 0)
            make_dummy(param->layer[i], &nets[_i].input);
    CHECK_OK(lcl_net_create(&net, testing_device(), p, &options, &err));
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_loss(net, &loss, &err));
    CHECK_OK(lcl_net_backward(net, &err));
    ck_assert_msg(isfinite(loss) && loss > 0, "%s: the loss is %g", nets[_i].train,
                  (double)loss);
    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        const lcl_net_param *q = lcl_net_param_at(net, i);
        const float largest = check_finite(q->blob, LCL_DIFF);
        ck_assert_msg(largest > 0 || i > 0, "%s: no gradient", nets[_i].train);
    }
    lcl_net_destroy(net);
    lcl_proto_destroy(p);
    testing_close_device(); /* its kernels are many */
}
END_TEST

/* ---- Training ---------------------------------------------------------------------- */

#define FASHION "/usr/share/datasets/fashion-mnist/"

/* Puts the example's file into the folder with edits: {what, by what, ...}, NULL-terminated. */
static void put_edited(const char *example, const char *name, const char *const *edits)
{
    char *path = lcl_format("examples/%s", example), *text;
    size_t size;
    lcl_error err;

    CHECK_OK(lcl_file_read(&text, &size, path, 0, &err));
    for (; edits[0]; edits += 2) {
        const size_t length = strlen(edits[0]);
        lcl_text out = {0};
        char *at = text, *found;
        ck_assert_msg(strstr(text, edits[0]) != NULL, "%s: %s", path, edits[0]);
        while ((found = strstr(at, edits[0])) != NULL) {
            lcl_text_add_bytes(&out, at, (size_t)(found - at));
            lcl_text_add(&out, edits[1]);
            at = found + length;
        }
        lcl_text_add(&out, at);
        free(text);
        text = out.text;
    }
    put(name, text);
    free(text);
    free(path);
}

/* The number behind the last `key` in the log. */
static double last_number(const char *key)
{
    char *log = get("err"), *found = NULL;

    for (char *at = log; (at = strstr(at, key)) != NULL; at += strlen(key))
        found = at;
    ck_assert_msg(found != NULL, "no '%s' in ...%s", key, end_of(log));
    const double number = strtod(found + strlen(key), NULL);
    free(log);
    return number;
}

static void train(void)
{
    const int code = lenet_cl("train solver.prototxt");
    char *log = get("err");

    ck_assert_msg(code == 0, "...%s", end_of(log));
    free(log);
}

/* 100 iterations of the example's own solver. */
START_TEST(lenet_trains)
{
    static const char *const net[] = {
        "examples/mnist/mnist_train_lmdb", FASHION "train-images-idx3-ubyte.gz",
        "examples/mnist/mnist_test_lmdb", FASHION "t10k-images-idx3-ubyte.gz", NULL};
    static const char *const solver[] = {"examples/mnist/lenet_train_test.prototxt",
                                         "net.prototxt",
                                         "examples/mnist/lenet",
                                         "lenet",
                                         "test_iter: 100",
                                         "test_iter: 20",
                                         "test_interval: 500",
                                         "test_interval: 100",
                                         "max_iter: 10000",
                                         "max_iter: 100",
                                         NULL};

    make_folder();
    put_edited("mnist/lenet_train_test.prototxt", "net.prototxt", net);
    put_edited("mnist/lenet_solver.prototxt", "solver.prototxt", solver);
    train();
    const double accuracy = last_number("accuracy = ");
    ck_assert_msg(accuracy > 0.65, "accuracy %g", accuracy);
    remove_folder();
}
END_TEST

/* Untrained, the cross entropy is about 900 and the squared error 110. */
START_TEST(autoencoder_trains)
{
    static const char *const net[] = {
        "examples/mnist/mnist_train_lmdb", FASHION "train-images-idx3-ubyte.gz",
        "examples/mnist/mnist_test_lmdb", FASHION "t10k-images-idx3-ubyte.gz", NULL};
    static const char *const solver[] = {"examples/mnist/mnist_autoencoder.prototxt",
                                         "net.prototxt",
                                         "examples/mnist/mnist_autoencoder",
                                         "autoencoder",
                                         "test_iter: 500",
                                         "test_iter: 10",
                                         "test_iter: 100",
                                         "test_iter: 10",
                                         "test_interval: 500",
                                         "test_interval: 300",
                                         "max_iter: 65000",
                                         "max_iter: 300 random_seed: 1",
                                         NULL};

    make_folder();
    put_edited("mnist/mnist_autoencoder.prototxt", "net.prototxt", net);
    put_edited("mnist/mnist_autoencoder_solver.prototxt", "solver.prototxt", solver);
    train();
    const double entropy = last_number("cross_entropy_loss = ");
    const double error = last_number("l2_error = ");
    ck_assert_msg(entropy > 0 && entropy < 300, "cross entropy %g", entropy);
    ck_assert_msg(error > 0 && error < 20, "squared error %g", error);
    check_contains("err", "Iteration 300, Testing net (#1)");
    remove_folder();
}
END_TEST

/* With pairs that convert made. Untrained, the loss is about 0.24. */
START_TEST(siamese_trains)
{
    static const char *const net[] = {"examples/siamese/mnist_siamese_train_lmdb",
                                      "pairs", "examples/siamese/mnist_siamese_test_lmdb",
                                      "pairs", NULL};
    static const char *const solver[] = {
        "examples/siamese/mnist_siamese_train_test.prototxt",
        "net.prototxt",
        "examples/siamese/mnist_siamese",
        "siamese",
        "test_iter: 100",
        "test_iter: 10",
        "test_interval: 500",
        "test_interval: 100",
        "max_iter: 50000",
        "max_iter: 100 random_seed: 1",
        NULL};

    make_folder();
    ck_assert_int_eq(lenet_cl("convert mnist-siamese --seed 1 " FASHION
                              "t10k-images-idx3-ubyte.gz " FASHION
                              "t10k-labels-idx1-ubyte.gz pairs"),
                     0);
    put_edited("siamese/mnist_siamese_train_test.prototxt", "net.prototxt", net);
    put_edited("siamese/mnist_siamese_solver.prototxt", "solver.prototxt", solver);
    train();
    const double loss = last_number("Test net output #0: loss = ");
    ck_assert_msg(loss > 0 && loss < 0.07, "loss %g", loss);
    remove_folder();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("examples");
    TCase *all = tcase_create("all");
    const int n = (int)LCL_COUNT(nets);

    tcase_add_loop_test(all, sizes, 0, n);
    tcase_add_test(all, solvers);
    tcase_add_test(all, lenet_trains);
    tcase_add_test(all, autoencoder_trains);
    tcase_add_test(all, siamese_trains);
    tcase_add_loop_test(all, forward_and_backward, 0, n);
    tcase_set_timeout(all, 600);
    suite_add_tcase(suite, all);
    return testing_run(suite);
}
