/* Fused steps give what the layers by themselves give, for every pattern and in every layout;
 * and layers whose blobs somebody else reads stay by themselves. */
#include <ctype.h>
#include <math.h>

#include "net_text.h"
#include "text.h"

/* Data of N images (N is replaced), `body`, and a loss over blob "out" of 5 classes. */
#define HEAD(shape)                                                                      \
    "layer { name: 'in' type: 'Input' top: 'data' top: 'label' input_param { "           \
    "shape { " shape " } shape { dim: N } } }\n"
#define LOSS                                                                             \
    "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'out' bottom: 'label' top: "   \
    "'loss' }\n"
#define WEIGHTS "weight_filler { type: 'xavier' } bias_filler { type: 'uniform' }"
#define CONV(name, bottom, top, more)                                                    \
    "layer { name: '" name "' type: 'Convolution' bottom: '" bottom "' top: '" top       \
    "' convolution_param { " WEIGHTS " " more " } }\n"
#define RELU(name, blob)                                                                 \
    "layer { name: '" name "' type: 'ReLU' bottom: '" blob "' top: '" blob "' }\n"
#define POOL(name, bottom, top, more)                                                    \
    "layer { name: '" name "' type: 'Pooling' bottom: '" bottom "' top: '" top           \
    "' pooling_param { pool: MAX " more " } }\n"
#define IP(name, bottom, top, n)                                                         \
    "layer { name: '" name "' type: 'InnerProduct' bottom: '" bottom "' top: '" top      \
    "' inner_product_param { num_output: " n " " WEIGHTS " } }\n"
#define FIRST CONV("first", "data", "a", "num_output: 9 kernel_size: 1")
#define END(blob) IP("end", blob, "out", "5") LOSS

typedef struct {
    const char *text;
    size_t n_forward; /* steps left of the forward pass when fused; 0: not asked */
    const char *gone; /* a blob that is not computed any more */
} fuse_case;

#define PLANE "dim: N dim: 3 dim: 8 dim: 12"

static const fuse_case cases[] = {
    /* Direct: few channels. */
    {HEAD(PLANE) FIRST CONV("c", "a", "c", "num_output: 5 kernel_size: 3 pad: 1")
         POOL("p", "c", "p", "kernel_size: 2 stride: 2") END("p"),
     5, "c"},
    {HEAD(PLANE) FIRST CONV("c", "a", "c", "num_output: 4 kernel_size: 3 pad: 1 group: 1")
         RELU("r", "c") POOL("p", "c", "p", "kernel_size: 2 stride: 2") END("p"),
     5, "c"},
    {HEAD(PLANE) FIRST CONV("c", "a", "c", "num_output: 6 kernel_size: 3 group: 3")
         POOL("p", "c", "p", "kernel_h: 3 kernel_w: 1 stride_h: 3 stride_w: 1")
             RELU("r", "p") END("p"),
     5, "c"},
    {HEAD(PLANE)
         FIRST CONV("c", "a", "c", "num_output: 4 kernel_size: 5 stride: 2 pad: 2")
             POOL("p", "c", "p", "kernel_size: 2 stride: 2") END("p"),
     5, "c"},
    /* Winograd. */
    {HEAD(PLANE) FIRST CONV("c", "a", "c", "num_output: 17 kernel_size: 3 pad: 1")
         POOL("p", "c", "p", "kernel_size: 2 stride: 2") END("p"),
     5, "c"},
    {HEAD(PLANE) FIRST CONV("c", "a", "c", "num_output: 8 kernel_size: 5") RELU("r", "c")
         POOL("p", "c", "p", "kernel_size: 4 stride: 4") END("p"),
     5, "c"},
    {HEAD(PLANE)
         FIRST CONV("c", "a", "c", "num_output: 8 kernel_size: 3 bias_term: false")
             RELU("r", "c") END("c"),
     5, NULL},
    {HEAD(PLANE) FIRST CONV("c", "a", "c", "num_output: 8 kernel_size: 3 pad: 2")
         POOL("p", "c", "p", "kernel_size: 2 stride: 2") RELU("r", "p") END("p"),
     5, "c"},
    /* InnerProduct. */
    {HEAD("dim: N dim: 37") IP("i", "data", "a", "33") RELU("r", "a")
         IP("j", "a", "b", "9") RELU("s", "b") END("b"),
     5, NULL},
    /* What cannot be fused: windows that overlap or stick out, a slope, a blob read twice,
     * pools of other kinds. */
    {HEAD(PLANE) FIRST CONV("c", "a", "c", "num_output: 8 kernel_size: 3 pad: 1")
         POOL("p", "c", "p", "kernel_size: 3 stride: 2") END("p"),
     6, NULL},
    {HEAD(PLANE) FIRST CONV("c", "a", "c", "num_output: 4 kernel_size: 2")
         POOL("p", "c", "p", "kernel_size: 2 stride: 2") END("p"),
     6, NULL},
    {HEAD(PLANE) FIRST CONV(
         "c", "a", "c",
         "num_output: 4 kernel_size: 3 pad: 1") "layer { name: 'p' type: 'Pooling' "
                                                "bottom: 'c' top: 'p' pooling_param { "
                                                "pool: AVE "
                                                "kernel_size: 2 stride: 2 } }\n" END("p"),
     6, NULL},
    {HEAD(PLANE)
         FIRST CONV("c", "a", "c",
                    "num_output: 4 kernel_size: 3 pad: 1") "layer { name: 'r' type: "
                                                           "'ReLU' bottom: 'c' top: 'c' "
                                                           "relu_param { negative_slope: "
                                                           "0.1 } }\n" END("c"),
     6, NULL},
};

static lcl_net *create(const char *text, const char *batch, const char *block,
                       const char *vector, bool fuse)
{
    lcl_error err;
    lcl_net_options options = {.phase = CAFFE__PHASE__TRAIN, .seed = 7, .fuse = fuse};
    lcl_text with_batch = {0};
    lcl_net *net = NULL;

    for (const char *c = text; *c; c++) {
        if (*c == 'N' && c[-1] == ' ' && !isalpha((unsigned char)c[1]))
            lcl_text_add(&with_batch, batch);
        else
            lcl_text_add_bytes(&with_batch, c, 1);
    }
    lcl_proto *p = parse_net(with_batch.text);
    setenv("LCL_BLOCK", block, 1);
    setenv("LCL_VECTOR", vector, 1);
    CHECK_OK(lcl_net_create(&net, testing_device(), p, &options, &err));
    unsetenv("LCL_BLOCK");
    unsetenv("LCL_VECTOR");
    lcl_proto_destroy(p);
    free(with_batch.text);
    return net;
}

static void fill(lcl_net *net)
{
    lcl_error err;
    lcl_blob *data = lcl_net_blob(net, "data"), *label = lcl_net_blob(net, "label");
    size_t n = lcl_blob_count(data), n_labels = lcl_blob_count(label);
    float *values = lcl_alloc(n, sizeof *values);

    for (size_t i = 0; i < n; i++)
        values[i] = testing_value(3, i);
    CHECK_OK(lcl_blob_write(data, LCL_DATA, values, &err));
    for (size_t i = 0; i < n_labels; i++)
        values[i] = (float)(i * 7 % 5);
    CHECK_OK(lcl_blob_write(label, LCL_DATA, values, &err));
    free(values);
}

static float *diff_of(const lcl_net *net, size_t param, size_t *count)
{
    lcl_error err;
    const lcl_blob *b = lcl_net_param_at(net, param)->blob;
    float *values = lcl_alloc(*count = lcl_blob_count(b), sizeof *values);

    CHECK_OK(lcl_blob_read(b, LCL_DIFF, values, &err));
    return values;
}

static void compare(lcl_net *plain, lcl_net *fused, int number, const char *block)
{
    lcl_error err;
    float loss[2];

    CHECK_OK(lcl_net_loss(plain, &loss[0], &err));
    CHECK_OK(lcl_net_loss(fused, &loss[1], &err));
    ck_assert_msg(fabsf(loss[0] - loss[1]) < 1e-5f * fabsf(loss[0]),
                  "case %d B %s: loss %g fused, %g not", number, block, (double)loss[1],
                  (double)loss[0]);
    for (size_t p = 0; p < lcl_net_n_params(plain); p++) {
        size_t count;
        float *want = diff_of(plain, p, &count), *got = diff_of(fused, p, &count);
        float largest = 0, worst = 0;
        for (size_t i = 0; i < count; i++) {
            largest = fmaxf(largest, fabsf(want[i]));
            worst = fmaxf(worst, fabsf(want[i] - got[i]));
        }
        ck_assert_msg(worst <= 1e-5f * largest,
                      "case %d B %s: param %zu is off by %g of %g", number, block, p,
                      (double)worst, (double)largest);
        ck_assert_float_gt(largest, 0);
        free(want);
        free(got);
    }
}

/* A single image's convolutions may be of a kind that takes no pools: its steps are not
 * counted. */
static void run_case(int number, const char *batch, const char *block, const char *vector)
{
    const fuse_case *t = &cases[number];
    lcl_error err;
    lcl_net *nets[] = {create(t->text, batch, block, vector, false),
                       create(t->text, batch, block, vector, true)};
    size_t steps = 0;

    for (size_t i = 0; i < lcl_net_n_layers(nets[1]); i++)
        steps += !lcl_net_layer_is_fused_away(nets[1], i);
    if (strcmp(block, "1") != 0)
        ck_assert_uint_eq(steps, t->n_forward);
    if (t->gone && strcmp(block, "1") != 0)
        ck_assert_ptr_null(lcl_net_blob(nets[1], t->gone));
    for (int i = 0; i < 2; i++) {
        fill(nets[i]);
        /* Twice: nothing may be left over from the pass before. */
        for (int pass = 0; pass < 2; pass++) {
            CHECK_OK(lcl_net_forward(nets[i], &err));
            CHECK_OK(lcl_net_backward(nets[i], &err));
        }
    }
    compare(nets[0], nets[1], number, block);
    lcl_net_destroy(nets[0]);
    lcl_net_destroy(nets[1]);
}

START_TEST(fused_as_plain)
{
    run_case(_i, "17", "16", "16");
    run_case(_i, "5", "8", "4");
    run_case(_i, "1", "1", "1");
}
END_TEST

START_TEST(off_by_environment)
{
    setenv("LCL_FUSE", "0", 1);
    lcl_net *net = create(cases[0].text, "2", "16", "16", true);
    unsetenv("LCL_FUSE");
    ck_assert_ptr_nonnull(lcl_net_blob(net, "c"));
    lcl_net_destroy(net);
}
END_TEST

START_TEST(fused_again_after_reshape)
{
    lcl_error err;
    lcl_net *net = create(cases[0].text, "2", "16", "16", true);
    const int shape[] = {2, 3, 8, 12}, odd[] = {3, 3, 8, 12};

    ck_assert_ptr_null(lcl_net_blob(net, "c"));
    CHECK_OK(lcl_blob_reshape(lcl_net_blob(net, "data"), 4, odd,
                              lcl_net_blob(net, "data")->block, &err));
    CHECK_OK(lcl_blob_reshape(lcl_net_blob(net, "data"), 4, shape,
                              lcl_net_blob(net, "data")->block, &err));
    CHECK_OK(lcl_net_reshape(net, &err));
    ck_assert_ptr_null(lcl_net_blob(net, "c"));
    fill(net);
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_backward(net, &err));
    lcl_net_destroy(net);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fuse");
    TCase *tcase = tcase_create("fuse");

    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, fused_as_plain, 0, (int)LCL_COUNT(cases));
    tcase_add_test(tcase, off_by_environment);
    tcase_add_test(tcase, fused_again_after_reshape);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
