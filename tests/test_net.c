/* Whole small nets: what they log, compute, share, load and save, and what they refuse.
 */
#include <math.h>
#include <unistd.h>

#include "net_text.h"
#include "layer_fixture.h"
#include "text.h"

#define INPUT(n)                                                                         \
    "layer { name: 'in' type: 'Input' top: 'x' input_param { shape { dim: " n " dim: 3 " \
    "} } }\n"
#define IP(name_, bottom_, top_, outputs, more)                                          \
    "layer { name: '" name_ "' type: 'InnerProduct' bottom: '" bottom_ "' top: '" top_   \
    "' inner_product_param { num_output: " outputs                                       \
    " weight_filler { type: 'uniform' min: -1 max: 1 } bias_filler { type: 'constant' "  \
    "value: 0.5 } } " more " }\n"

static const lcl_net_options train = {.phase = CAFFE__PHASE__TRAIN, .seed = 7};

static lcl_status try_net(lcl_net **net, const char *text, const lcl_net_options *options,
                          lcl_error *err)
{
    lcl_proto *p = parse_net(text);
    lcl_status status = lcl_net_create(net, testing_device(), p, options, err);

    lcl_proto_destroy(p);
    return status;
}

static lcl_net *make_net(const char *text, const lcl_net_options *options)
{
    lcl_net *net = NULL;
    lcl_error err;

    CHECK_OK(try_net(&net, text, options, &err));
    return net;
}

static void check_near(const float *got, const float *wanted, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabsf(got[i] - wanted[i]) <= 1e-5f * fmaxf(1, fabsf(wanted[i])),
                      "%s[%zu] is %g, not %g", what, i, (double)got[i],
                      (double)wanted[i]);
}

/* ---- Log --------------------------------------------------------------------------- */

static char *log_of(const char *text, lcl_net_options options)
{
    memory_log m;
    lcl_net *net;
    char *log, *start;

    open_log(&m);
    options.log = m.log;
    net = make_net(text, &options);
    lcl_net_destroy(net);
    log = close_log(&m);
    start = strstr(log, "Creating layer");
    ck_assert(start != NULL);
    memmove(log, start, strlen(start) + 1);
    return log;
}

START_TEST(logs_as_caffe)
{
    char *log = log_of(
        "name: 'n'" INPUT("5") IP("ip1", "x", "a", "4", "param { lr_mult: 1 }")
            IP("ip2", "a", "b", "2", "loss_weight: 0.5") IP("ip3", "a", "c", "1", ""),
        train);

    ck_assert_str_eq(log, "Creating layer in\n"
                          "Creating Layer in\n"
                          "in -> x\n"
                          "Setting up in\n"
                          "Top shape: 5 3 (15)\n"
                          "Memory required for data: 60\n"
                          "Creating layer ip1\n"
                          "Creating Layer ip1\n"
                          "ip1 <- x\n"
                          "ip1 -> a\n"
                          "Setting up ip1\n"
                          "Top shape: 5 4 (20)\n"
                          "Memory required for data: 140\n"
                          "Creating layer a_ip1_0_split\n"
                          "Creating Layer a_ip1_0_split\n"
                          "a_ip1_0_split <- a\n"
                          "a_ip1_0_split -> a_ip1_0_split_0\n"
                          "a_ip1_0_split -> a_ip1_0_split_1\n"
                          "Setting up a_ip1_0_split\n"
                          "Top shape: 5 4 (20)\n"
                          "Top shape: 5 4 (20)\n"
                          "Memory required for data: 300\n"
                          "Creating layer ip2\n"
                          "Creating Layer ip2\n"
                          "ip2 <- a_ip1_0_split_0\n"
                          "ip2 -> b\n"
                          "Setting up ip2\n"
                          "Top shape: 5 2 (10)\n"
                          "    with loss weight 0.5\n"
                          "Memory required for data: 340\n"
                          "Creating layer ip3\n"
                          "Creating Layer ip3\n"
                          "ip3 <- a_ip1_0_split_1\n"
                          "ip3 -> c\n"
                          "Setting up ip3\n"
                          "Top shape: 5 1 (5)\n"
                          "Memory required for data: 360\n"
                          "ip3 does not need backward computation.\n"
                          "ip2 needs backward computation.\n"
                          "a_ip1_0_split needs backward computation.\n"
                          "ip1 needs backward computation.\n"
                          "in does not need backward computation.\n"
                          "This network produces output b\n"
                          "This network produces output c\n"
                          "Network initialization done.\n");
    free(log);
}
END_TEST

#define LABELS                                                                           \
    "layer { name: 'labels' type: 'Input' top: 'label' input_param { shape { dim: 5 } "  \
    "} }\n"

/* In place, scalars, and tops that the net makes. */
START_TEST(logs_losses_as_caffe)
{
    char *log = log_of(
        INPUT("5")
            LABELS IP("ip", "x", "y", "4",
                      "") "layer { name: 'r' type: 'ReLU' bottom: 'y' top: 'y' }"
                          "layer { name: 'l' type: 'SoftmaxWithLoss' bottom: 'y' bottom: "
                          "'label' }",
        train);
    const char *start = strstr(log, "Creating Layer r\n");

    ck_assert(start != NULL);
    ck_assert_str_eq(start, "Creating Layer r\n"
                            "r <- y\n"
                            "r -> y (in-place)\n"
                            "Setting up r\n"
                            "Top shape: 5 4 (20)\n"
                            "Memory required for data: 240\n"
                            "Creating layer l\n"
                            "Creating Layer l\n"
                            "l <- y\n"
                            "l <- label\n"
                            "l -> (automatic)\n"
                            "Creating layer l\n"
                            "Setting up l\n"
                            "Top shape: (1)\n"
                            "    with loss weight 1\n"
                            "Memory required for data: 244\n"
                            "l needs backward computation.\n"
                            "r needs backward computation.\n"
                            "ip needs backward computation.\n"
                            "labels does not need backward computation.\n"
                            "in does not need backward computation.\n"
                            "Network initialization done.\n");
    free(log);
}
END_TEST

/* ---- Gradients --------------------------------------------------------------------- */

static const struct {
    const char *text;
    /* needs_backward of each layer as '1' or '0', and gradients that exist */
    const char *needs, *diffs;
} needs[] = {
    {INPUT("5") IP("a", "x", "y", "4", "") IP("b", "y", "z", "2", "loss_weight: 1"),
     "011", "y z"},
    {INPUT("5") IP("a", "x", "y", "4", "") IP("b", "y", "z", "2", ""), "000", ""},
    {INPUT("5") IP("a", "x", "y", "4", "param { lr_mult: 0 } param { lr_mult: 0 }")
         IP("b", "y", "z", "2", "loss_weight: 1"),
     "001", "z"},
    {INPUT("5") IP("a", "x", "y", "4", "")
         IP("b", "y", "z", "2", "loss_weight: 1 propagate_down: false"),
     "001", "z"},
    {INPUT("5") IP("a", "x", "y", "4", "propagate_down: true")
         IP("b", "y", "z", "2", "loss_weight: 1"),
     "011", "x y z"},
    {"force_backward: true " INPUT("5") IP(
         "b", "x", "z", "2", "loss_weight: 1 param { lr_mult: 0 } param { lr_mult: 0 }"),
     "11", "x z"},
};

START_TEST(backward_is_cut)
{
    lcl_net *net = make_net(needs[_i].text, &train);
    const char *names[] = {"x", "y", "z"};

    ck_assert_uint_eq(lcl_net_n_layers(net), strlen(needs[_i].needs));
    for (size_t i = 0; i < lcl_net_n_layers(net); i++)
        ck_assert_int_eq(lcl_net_layer_needs_backward(net, i), needs[_i].needs[i] == '1');
    for (size_t i = 0; i < LCL_COUNT(names); i++) {
        const lcl_blob *b = lcl_net_blob(net, names[i]);
        if (b)
            ck_assert_int_eq(b->diff != NULL, strchr(needs[_i].diffs, *names[i]) != NULL);
    }
    lcl_net_destroy(net);
}
END_TEST

/* y = w x + b goes to two losses, of weight 2 and 3, and to one that is none: the
 * gradient of y is 2 u' + 3 v', summed over what u and v make of it. */
START_TEST(gradients_through_a_split)
{
    lcl_net *net = make_net(INPUT("5") IP("a", "x", "y", "4", "propagate_down: true")
                                IP("u", "y", "p", "2", "loss_weight: 2")
                                    IP("none", "y", "q", "3", "")
                                        IP("v", "y", "r", "1", "loss_weight: 3"),
                            &train);
    lcl_error err;
    float loss, sum = 0, *u, *v, *p, *r, *dy, wanted[20];

    layer_fixture_fill(lcl_net_blob(net, "x"), LCL_DATA, 3);
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_backward(net, &err));
    CHECK_OK(lcl_net_loss(net, &loss, &err));
    p = layer_fixture_read(lcl_net_blob(net, "p"), LCL_DATA);
    r = layer_fixture_read(lcl_net_blob(net, "r"), LCL_DATA);
    for (int i = 0; i < 10; i++)
        sum += 2 * p[i];
    for (int i = 0; i < 5; i++)
        sum += 3 * r[i];
    check_near(&loss, &sum, 1, "loss");
    u = layer_fixture_read(lcl_net_param_at(net, 2)->blob, LCL_DATA);
    v = layer_fixture_read(lcl_net_param_at(net, 6)->blob, LCL_DATA);
    dy = layer_fixture_read(lcl_net_blob(net, "y"), LCL_DIFF);
    for (int n = 0; n < 5; n++)
        for (int i = 0; i < 4; i++)
            wanted[n * 4 + i] = 2 * (u[i] + u[4 + i]) + 3 * v[i];
    check_near(dy, wanted, 20, "dy");
    ck_assert_ptr_null(lcl_net_blob(net, "y_a_0_split_1")->diff);
    lcl_net_destroy(net);
    free(p);
    free(r);
    free(u);
    free(v);
    free(dy);
}
END_TEST

/* accumulate: the second backward adds; else it sets. */
START_TEST(accumulates_on_demand)
{
    lcl_net *net = make_net(INPUT("5") IP("a", "x", "y", "4", "loss_weight: 1"), &train);
    const lcl_blob *b;
    lcl_error err;
    float *once, *again, *twice;

    layer_fixture_fill(lcl_net_blob(net, "x"), LCL_DATA, 3);
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_backward(net, &err));
    b = lcl_net_param_at(net, 0)->blob;
    once = layer_fixture_read(b, LCL_DIFF);
    CHECK_OK(lcl_net_backward(net, &err));
    again = layer_fixture_read(b, LCL_DIFF);
    lcl_net_accumulate(net, true);
    CHECK_OK(lcl_net_backward(net, &err));
    twice = layer_fixture_read(b, LCL_DIFF);
    check_near(again, once, 12, "second");
    for (int i = 0; i < 12; i++) {
        ck_assert_float_ne(once[i], 0);
        once[i] *= 2;
    }
    check_near(twice, once, 12, "sum");
    lcl_net_destroy(net);
    free(once);
    free(again);
    free(twice);
}
END_TEST

/* Statistics are not learned, whatever the prototxt leaves out. */
START_TEST(statistics_have_no_rate)
{
    lcl_net *net =
        make_net(INPUT("5") "layer { name: 'n' type: 'BatchNorm' bottom: 'x' "
                            "top: 'y' }" IP("b", "y", "z", "2", "loss_weight: 1"),
                 &train);

    ck_assert_uint_eq(lcl_net_n_params(net), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_float_eq(lcl_net_param_at(net, i)->lr_mult, i < 3 ? 0 : 1);
    lcl_net_destroy(net);
}
END_TEST

/* ---- Shared parameters ------------------------------------------------------------- */

#define NAMED(a, b) "param { name: 'w' " a " } param { name: 'b' " b " }"

/* y = W x + b, z = W y + b: the gradient of W is the sum of both uses'. */
START_TEST(parameters_shared_by_name)
{
    lcl_net *net =
        make_net(INPUT("5") IP("a", "x", "y", "3", NAMED("lr_mult: 2", ""))
                     IP("c", "y", "z", "3", NAMED("", "decay_mult: 0") " loss_weight: 1"),
                 &train);
    const lcl_layer *a = lcl_net_layer(net, 1), *c = lcl_net_layer(net, 2);
    lcl_error err;
    float *x, *y, *w, *dw, wanted[9] = {0};

    ck_assert_uint_eq(lcl_net_n_params(net), 2);
    ck_assert_str_eq(lcl_net_param_at(net, 0)->layer, "a");
    ck_assert_float_eq(lcl_net_param_at(net, 0)->lr_mult, 2);
    ck_assert_float_eq(lcl_net_param_at(net, 1)->decay_mult, 0);
    ck_assert_ptr_eq(a->params[0]->data, c->params[0]->data);
    layer_fixture_fill(lcl_net_blob(net, "x"), LCL_DATA, 3);
    CHECK_OK(lcl_net_forward(net, &err));
    for (int pass = 0; pass < 2; pass++)
        CHECK_OK(lcl_net_backward(net, &err));
    x = layer_fixture_read(lcl_net_blob(net, "x"), LCL_DATA);
    y = layer_fixture_read(lcl_net_blob(net, "y"), LCL_DATA);
    w = layer_fixture_read(a->params[0], LCL_DATA);
    dw = layer_fixture_read(a->params[0], LCL_DIFF);
    for (int n = 0; n < 5; n++)
        for (int o = 0; o < 3; o++)
            for (int i = 0; i < 3; i++)
                wanted[o * 3 + i] +=
                    y[n * 3 + i] + (w[o] + w[3 + o] + w[6 + o]) * x[n * 3 + i];
    check_near(dw, wanted, 9, "dw");
    lcl_net_destroy(net);
    free(x);
    free(y);
    free(w);
    free(dw);
}
END_TEST

#define SHARE "param { name: 'w' share_mode: PERMISSIVE }"

START_TEST(permissive_sharing)
{
    lcl_net *net = make_net(
        INPUT("5")
            IP("a", "x", "y", "4",
               SHARE) "layer { name: 'c' type: 'InnerProduct' bottom: 'y' top: 'z' " SHARE
                      " inner_product_param { num_output: 3 } }",
        &train);
    const lcl_layer *a = lcl_net_layer(net, 1), *c = lcl_net_layer(net, 2);

    ck_assert_ptr_eq(a->params[0]->data, c->params[0]->data);
    ck_assert_int_eq(c->params[0]->shape[0], 3);
    lcl_net_destroy(net);
}
END_TEST

/* A test net reads what the train net has now. */
START_TEST(nets_share_parameters)
{
    lcl_net *a = make_net(
        INPUT("5") IP("ip", "x", "y", "4", "") IP("more", "y", "z", "2", ""), &train);
    lcl_net_options options = {.phase = CAFFE__PHASE__TEST, .share = a, .seed = 8};
    memory_log m;
    char *log;
    lcl_net *b;
    lcl_error err;
    float *ours, *theirs;

    open_log(&m);
    options.log = m.log;
    b = make_net(INPUT("2") IP("ip", "x", "y", "4", "") IP("own", "y", "z", "2", ""),
                 &options);
    log = close_log(&m);
    ck_assert(strstr(log, "Ignoring source layer more\n") != NULL);
    ck_assert(lcl_net_param_at(b, 0)->shared);
    ck_assert(!lcl_net_param_at(b, 2)->shared);
    layer_fixture_fill(lcl_net_param_at(a, 0)->blob, LCL_DATA, 9);
    layer_fixture_fill(lcl_net_blob(a, "x"), LCL_DATA, 3);
    layer_fixture_fill(lcl_net_blob(b, "x"), LCL_DATA, 3);
    CHECK_OK(lcl_net_forward(a, &err));
    CHECK_OK(lcl_net_forward(b, &err));
    theirs = layer_fixture_read(lcl_net_blob(a, "y"), LCL_DATA);
    lcl_net_destroy(a);
    ours = layer_fixture_read(lcl_net_blob(b, "y"), LCL_DATA);
    check_near(ours, theirs, 8, "y");
    ck_assert_ptr_null(lcl_net_param_diff(b));
    CHECK_OK(lcl_net_backward(b, &err));
    ck_assert_ptr_nonnull(lcl_net_param_diff(b));
    lcl_net_destroy(b);
    free(ours);
    free(theirs);
    free(log);
}
END_TEST

START_TEST(sharing_nets_must_match)
{
    lcl_net *a = make_net(INPUT("5") IP("ip", "x", "y", "4", ""), &train), *b;
    lcl_net_options options = {.phase = CAFFE__PHASE__TEST, .share = a};
    lcl_error err;

    CHECK_FAILS(try_net(&b, INPUT("5") IP("ip", "x", "y", "6", ""), &options, &err),
                LCL_ESHAPE,
                "Cannot share param 0 weights from layer 'ip'; shape mismatch.  Source "
                "param shape is 4 3 (12); target param shape is 6 3 (18)");
    CHECK_FAILS(try_net(&b,
                        "layer { name: 'ip' type: 'Input' top: 'x' input_param { shape { "
                        "dim: 1 } } }",
                        &options, &err),
                LCL_ESHAPE, "Incompatible number of blobs for layer ip");
    lcl_net_destroy(a);
}
END_TEST

/* ---- Memory of parameters ---------------------------------------------------------- */

START_TEST(parameters_lie_in_one_buffer)
{
    lcl_net *net = make_net(INPUT("5") IP("a", "x", "y", "4", "")
                                IP("b", "y", "z", "2", "loss_weight: 1"),
                            &train);
    size_t count = lcl_net_param_count(net), used = 0;
    float *all = lcl_alloc(count, sizeof *all), *one;
    lcl_error err;

    CHECK_OK(lcl_buffer_read(testing_device(), lcl_net_param_data(net), 0,
                             count * sizeof *all, all, &err));
    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        const lcl_net_param *p = lcl_net_param_at(net, i);
        size_t n = lcl_blob_count(p->blob);
        ck_assert_uint_ge(p->offset, used);
        for (size_t k = used; k < p->offset; k++)
            ck_assert_float_eq(all[k], 0);
        one = layer_fixture_read(p->blob, LCL_DATA);
        ck_assert(memcmp(one, all + p->offset, n * sizeof *all) == 0);
        ck_assert_float_ne(one[0], 0);
        free(one);
        used = p->offset + n;
    }
    ck_assert_uint_eq(lcl_net_n_params(net), 4);
    ck_assert_uint_le(used, count);
    ck_assert_ptr_nonnull(lcl_net_param_diff(net));
    lcl_net_destroy(net);
    free(all);
}
END_TEST

/* ---- Models ------------------------------------------------------------------------ */

#define SMALL                                                                            \
    "name: 'small' " INPUT("5") IP("a", "x", "y", "4", "")                               \
        IP("b", "y", "z", "2", "loss_weight: 1") IP("c", "y", "q", "2", "")

static lcl_proto *model_of(lcl_net *net, bool with_diff)
{
    Caffe__NetParameter *m = NULL;
    lcl_error err;

    CHECK_OK(lcl_net_to_proto(net, with_diff, &m, &err));
    return lcl_proto_adopt(&m->base, "saved");
}

START_TEST(saves_and_loads)
{
    lcl_net *net = make_net(SMALL, &train), *other;
    lcl_net_options options = {.phase = CAFFE__PHASE__TEST, .seed = 99};
    lcl_proto *model = model_of(net, true);
    const Caffe__NetParameter *m = (Caffe__NetParameter *)lcl_proto_root(model);
    char path[] = "/tmp/lcl_model_XXXXXX", *log;
    int file = mkstemp(path);
    memory_log log_memory;
    uint8_t *bytes = NULL;
    size_t size;
    lcl_error err;

    ck_assert_str_eq(m->name, "small");
    ck_assert_uint_eq(m->n_layer, 5);
    ck_assert_str_eq(m->layer[2]->type, "Split");
    ck_assert_uint_eq(m->layer[1]->n_blobs, 2);
    ck_assert_uint_eq(m->layer[1]->blobs[0]->n_data, 12);
    ck_assert_uint_eq(m->layer[1]->blobs[0]->n_diff, 12);
    ck_assert_uint_eq(m->layer[1]->blobs[0]->shape->n_dim, 2);
    ck_assert_int_eq(m->layer[1]->blobs[0]->shape->dim[1], 3);
    CHECK_OK(lcl_proto_encode(&bytes, &size, lcl_proto_root(model), &err));
    ck_assert_int_eq(write(file, bytes, size), (int)size);
    close(file);

    open_log(&log_memory);
    options.log = log_memory.log;
    other = make_net(
        INPUT("5") IP("b", "x", "y", "2", "")
            IP("a", "x", "q", "4",
               "") "layer { name: 'b2' type: 'InnerProduct' bottom: 'y' top: 'w' "
                   "inner_product_param { num_output: 2 } }",
        &(lcl_net_options){.seed = 3});
    CHECK_FAILS(lcl_net_load(other, path, &err), LCL_ESHAPE,
                "Cannot copy param 0 weights from layer 'b'; shape mismatch.  Source "
                "param shape is 2 4 (8); target param shape is 2 3 (6). To learn this "
                "layer's parameters from scratch rather than copying from a saved net, "
                "rename the layer.");
    lcl_net_destroy(other);
    other = make_net("layer { name: 'in' type: 'Input' top: 'x' input_param { shape { "
                     "dim: 5 dim: 3 } } }" IP("a", "x", "y", "4", ""),
                     &options);
    CHECK_OK(lcl_net_load(other, path, &err));
    for (size_t i = 0; i < 2; i++) {
        const lcl_blob *from = lcl_net_param_at(net, i)->blob;
        float *wanted = layer_fixture_read(from, LCL_DATA);
        float *got = layer_fixture_read(lcl_net_param_at(other, i)->blob, LCL_DATA);
        check_near(got, wanted, lcl_blob_count(from), "loaded");
        free(wanted);
        free(got);
    }
    log = close_log(&log_memory);
    ck_assert(strstr(log, "Ignoring source layer y_a_0_split\n"
                          "Ignoring source layer b\n"
                          "Ignoring source layer c\n") != NULL);
    unlink(path);
    lcl_net_destroy(net);
    lcl_net_destroy(other);
    lcl_proto_destroy(model);
    free(bytes);
    free(log);
}
END_TEST

static lcl_status load_text(lcl_net *net, const char *text, lcl_error *err)
{
    lcl_proto *p = parse_net(text);
    lcl_status status = lcl_net_load_proto(net, p, err);

    lcl_proto_destroy(p);
    return status;
}

#define BLOB(shape, values) "blobs { " shape " " values " }"
#define BIAS BLOB("shape { dim: 2 }", "data: [7, 8]")

/* Four legacy axes stand for the last axes of the parameter. */
START_TEST(loads_legacy_shapes)
{
    lcl_net *net = make_net(INPUT("5") IP("a", "x", "y", "2", ""), &train);
    const char *names[] = {"num: 1 channels: 1 height: 2 width: 3",
                           "num: 1 channels: 2 height: 1 width: 3",
                           "num: 2 channels: 3 height: 1 width: 1"};
    lcl_error err;
    float *got;

    CHECK_OK(
        load_text(net,
                  "layer { name: 'a' " BLOB("num: 1 channels: 1 height: 2 width: 3",
                                            "data: [1, 2, 3, 4, 5, 6]")
                      BLOB("num: 1 channels: 1 height: 1 width: 2", "data: [7, 8]") "}",
                  &err));
    got = layer_fixture_read(lcl_net_param_at(net, 0)->blob, LCL_DATA);
    check_near(got, (float[]){1, 2, 3, 4, 5, 6}, 6, "legacy");
    for (size_t i = 1; i < LCL_COUNT(names); i++) {
        char *text = lcl_format("layer { name: 'a' blobs { %s data: [1, 2, 3, 4, 5, 6] "
                                "} " BIAS "}",
                                names[i]);
        CHECK_FAILS(load_text(net, text, &err), LCL_ESHAPE, "shape mismatch");
        free(text);
    }
    lcl_net_destroy(net);
    free(got);
}
END_TEST

START_TEST(refuses_models)
{
    lcl_net *net = make_net(INPUT("5") IP("a", "x", "y", "2", ""), &train);
    lcl_error err;

    CHECK_FAILS(load_text(net, "layer { name: 'a' " BIAS "}", &err), LCL_ESHAPE,
                "Incompatible number of blobs for layer a: the model has 1, the net 2");
    CHECK_FAILS(load_text(net,
                          "layer { name: 'a' " BLOB("shape { dim: 2 dim: 3 }",
                                                    "data: [1, 2]") BIAS "}",
                          &err),
                LCL_EPROTO, "param 0 of layer 'a': a blob has 2 values");
    ck_assert_str_eq(err.where, "net.prototxt");
    CHECK_FAILS(lcl_net_load(net, "x.solverstate", &err), LCL_EUSAGE, "a solver's state");
    ck_assert(strstr(err.hint, "--snapshot") != NULL);
    CHECK_FAILS(lcl_net_load(net, "x.caffemodel.h5", &err), LCL_EIO, "No such file");
    CHECK_FAILS(lcl_net_load(net, "no/such.caffemodel", &err), LCL_EIO, "");
    ck_assert(strstr(err.where, "no/such.caffemodel") != NULL);
    lcl_net_destroy(net);
}
END_TEST

/* Values in the net's own message take the filler's place. */
START_TEST(blobs_in_the_message)
{
    lcl_net *net = make_net(
        INPUT("5") IP("a", "x", "y", "2",
                      BLOB("shape { dim: 2 dim: 3 }", "data: [1, 2, 3, 4, 5, 6]") BIAS),
        &train);
    float *got = layer_fixture_read(lcl_net_param_at(net, 0)->blob, LCL_DATA);
    lcl_error err;

    check_near(got, (float[]){1, 2, 3, 4, 5, 6}, 6, "stored");
    lcl_net_destroy(net);
    CHECK_FAILS(try_net(&net,
                        INPUT("5") IP("a", "x", "y", "2",
                                      BLOB("shape { dim: 2 }", "data: [1, 2]")),
                        &train, &err),
                LCL_ESHAPE, "parameter 0 has 6 values, but its blob has 2");
    free(got);
}
END_TEST

/* ---- Layout and shape -------------------------------------------------------------- */

static lcl_status block_of(const char *batch, int wanted, int *block, int *vector,
                           lcl_error *err)
{
    char *text = lcl_format("layer { name: 'in' type: 'Input' top: 'x' input_param { "
                            "shape { dim: %s dim: 3 } } }",
                            batch);
    lcl_net_options options = {.block = wanted};
    lcl_net *net = NULL;
    lcl_status status = try_net(&net, text, &options, err);

    if (status == LCL_OK) {
        *block = lcl_net_blob(net, "x")->block;
        *vector = lcl_layer_vector(lcl_net_layer(net, 0), *block);
        lcl_net_destroy(net);
    }
    free(text);
    return status;
}

/* Of a CPU with many images: one register of them, at least 8. */
static int cpu_block(void)
{
    const int vector = lcl_device_vector(testing_device());

    return vector > 8 ? vector : 8;
}

START_TEST(block_is_chosen)
{
    static const struct {
        const char *batch, *env_block, *env_vector;
        int wanted, block, vector;
    } t[] = {{"1", NULL, NULL, 0, 1, 1}, {"64", NULL, NULL, 8, 8, 0},
             {"3", "32", "4", 0, 32, 4}, {"64", "32", "4", 1, 1, 1},
             {"64", "8", "16", 0, 8, 8}, {"64", NULL, "2", 6, 6, 2},
             {"64", NULL, NULL, 0, 0, 0}};
    bool cpu = lcl_device_is_cpu(testing_device());
    lcl_error err;

    for (size_t i = 0; i < LCL_COUNT(t); i++) {
        int block = 0, vector = 0;
        if (t[i].env_block)
            setenv("LCL_BLOCK", t[i].env_block, 1);
        if (t[i].env_vector)
            setenv("LCL_VECTOR", t[i].env_vector, 1);
        CHECK_OK(block_of(t[i].batch, t[i].wanted, &block, &vector, &err));
        unsetenv("LCL_BLOCK");
        unsetenv("LCL_VECTOR");
        ck_assert_int_eq(block, t[i].block ? t[i].block : cpu ? cpu_block() : 32);
        if (t[i].vector)
            ck_assert_int_eq(vector, t[i].vector);
    }
}
END_TEST

/* On a CPU as many as hold the batch, at most a vector; elsewhere 1 or 32. */
START_TEST(block_suits_the_batch)
{
    static const struct {
        const char *batch;
        int cpu, other;
    } t[] = {{"2", 2, 1}, {"3", 4, 1}, {"4", 4, 32}, {"5", 8, 32}, {"9", 16, 32}};
    bool cpu = lcl_device_is_cpu(testing_device());
    lcl_error err;

    for (size_t i = 0; i < LCL_COUNT(t); i++) {
        int block = 0, vector = 0;
        CHECK_OK(block_of(t[i].batch, 0, &block, &vector, &err));
        const int most = cpu_block();
        ck_assert_int_eq(block, !cpu ? t[i].other : t[i].cpu < most ? t[i].cpu : most);
    }
}
END_TEST

START_TEST(block_is_checked)
{
    const char *names[] = {"LCL_BLOCK", "LCL_VECTOR"};
    const char *values[] = {"3", "0", "-4", "4x", "two", "2048"};
    lcl_error err;
    int block, vector;

    for (size_t i = 0; i < LCL_COUNT(names); i++)
        for (size_t j = 0; j < LCL_COUNT(values); j++) {
            setenv(names[i], values[j], 1);
            CHECK_FAILS(block_of("5", 0, &block, &vector, &err), LCL_EUSAGE,
                        "is not a power of two");
            ck_assert_str_eq(err.where, names[i]);
            unsetenv(names[i]);
        }
}
END_TEST

/* The same numbers whatever the layout, and after a reshape. */
START_TEST(layouts_agree)
{
    static const struct {
        int block;
        const char *vector;
    } layouts[] = {{1, "1"}, {16, "16"}, {32, "4"}, {8, "2"}};
    float first[2][17 * 2];

    for (size_t i = 0; i < LCL_COUNT(layouts); i++) {
        lcl_net_options options = {.seed = 5, .block = layouts[i].block};
        lcl_net *net;
        lcl_error err;
        setenv("LCL_VECTOR", layouts[i].vector, 1);
        net = make_net(INPUT("17") IP("a", "x", "y", "4", "")
                           IP("b", "y", "z", "2", "loss_weight: 1")
                               IP("c", "y", "q", "2", "loss_weight: 1"),
                       &options);
        unsetenv("LCL_VECTOR");
        for (int pass = 0; pass < 2; pass++) {
            lcl_blob *x = lcl_net_blob(net, "x"), *z = lcl_net_blob(net, "z");
            float *got;
            CHECK_OK(lcl_blob_reshape(x, 2, (int[]){pass ? 40 : 17, 3}, x->block, &err));
            CHECK_OK(lcl_net_reshape(net, &err));
            ck_assert_int_eq(z->shape[0], pass ? 40 : 17);
            layer_fixture_fill(x, LCL_DATA, 3);
            CHECK_OK(lcl_net_forward(net, &err));
            CHECK_OK(lcl_net_backward(net, &err));
            got = layer_fixture_read(z, LCL_DATA);
            if (i == 0)
                memcpy(first[pass], got, sizeof first[pass]);
            check_near(got, first[pass], 17 * 2, "z");
            free(got);
            got = layer_fixture_read(lcl_net_blob(net, "y"), LCL_DIFF);
            check_near(got + 4, got, 4, "each image's dy");
            ck_assert_float_ne(got[0], 0);
            free(got);
        }
        lcl_net_destroy(net);
    }
}
END_TEST

/* Softmax over the images, which a blocked layout cannot do: blocks of 16 give what plain
 * blobs give. */
START_TEST(plain_layers_in_a_net)
{
    static const int blocks[] = {1, 16, 32};
    float *data[LCL_COUNT(blocks)], *diff[LCL_COUNT(blocks)];

    for (size_t i = 0; i < LCL_COUNT(blocks); i++) {
        lcl_net_options options = {.seed = 5, .block = blocks[i]};
        lcl_net *net = make_net(
            INPUT("17") IP("a", "x", "y", "4",
                           "") "layer { name: 's' type: 'Softmax' bottom: 'y' top: 'p' "
                               "softmax_param { axis: 0 } }" IP("b", "p", "z", "2",
                                                                "loss_weight: 1"),
            &options);
        lcl_error err;
        layer_fixture_fill(lcl_net_blob(net, "x"), LCL_DATA, 3);
        CHECK_OK(lcl_net_forward(net, &err));
        CHECK_OK(lcl_net_backward(net, &err));
        data[i] = layer_fixture_read(lcl_net_blob(net, "p"), LCL_DATA);
        diff[i] = layer_fixture_read(lcl_net_blob(net, "y"), LCL_DIFF);
        check_near(data[i], data[0], 17 * 4, "p");
        check_near(diff[i], diff[0], 17 * 4, "dy");
        lcl_net_destroy(net);
    }
    for (size_t c = 0; c < 4; c++) {
        float sum = 0, one = 1;
        for (size_t n = 0; n < 17; n++)
            sum += data[0][n * 4 + c];
        check_near(&sum, &one, 1, "sum over images");
    }
    for (size_t i = 0; i < LCL_COUNT(blocks); i++) {
        free(data[i]);
        free(diff[i]);
    }
}
END_TEST

/* The loss falls along the gradient that split, in-place layer and loss give together. */
START_TEST(a_step_lowers_the_loss)
{
    lcl_net *net = make_net(
        INPUT("5") LABELS IP(
            "ip", "x", "y", "6",
            "") "layer { name: 'r' type: 'ReLU' bottom: 'y' top: 'y' }" IP("u", "y", "p",
                                                                           "3", "")
            IP("v", "y", "q", "3", "") "layer { name: 'l' type: 'SoftmaxWithLoss' "
                                       "bottom: 'p' bottom: 'label' "
                                       "top: 'l' }"
                                       "layer { name: 'm' type: 'SoftmaxWithLoss' "
                                       "bottom: 'q' bottom: 'label' "
                                       "top: 'm' loss_weight: 0.5 }",
        &train);
    const float labels[] = {0, 1, 2, 1, 0}, step = 1e-3f;
    float before, after, norm = 0, fall;
    lcl_error err;

    layer_fixture_fill(lcl_net_blob(net, "x"), LCL_DATA, 3);
    CHECK_OK(lcl_blob_write(lcl_net_blob(net, "label"), LCL_DATA, labels, &err));
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_backward(net, &err));
    CHECK_OK(lcl_net_loss(net, &before, &err));
    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        lcl_blob *b = lcl_net_param_at(net, i)->blob;
        float *w = layer_fixture_read(b, LCL_DATA), *dw = layer_fixture_read(b, LCL_DIFF);
        for (size_t k = 0; k < lcl_blob_count(b); k++) {
            w[k] -= step * dw[k];
            norm += dw[k] * dw[k];
        }
        CHECK_OK(lcl_blob_write(b, LCL_DATA, w, &err));
        free(w);
        free(dw);
    }
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_loss(net, &after, &err));
    fall = (before - after) / (step * norm);
    ck_assert_msg(fabsf(fall - 1) < 0.02f, "the loss fell by %g of what it should",
                  (double)fall);
    ck_assert_float_eq(lcl_net_output_loss_weight(net, 1), 0.5f);
    ck_assert_str_eq(lcl_net_output(net, 1)->name, "m");
    lcl_net_destroy(net);
}
END_TEST

START_TEST(reads_a_file)
{
    char path[] = "/tmp/lcl_net_XXXXXX";
    const char *text = INPUT("5") IP("a", "x", "y", "2", "");
    int file = mkstemp(path);
    lcl_net *net = NULL;
    lcl_error err;

    ck_assert_int_eq(write(file, text, strlen(text)), (int)strlen(text));
    close(file);
    CHECK_OK(lcl_net_read(&net, testing_device(), path, &train, &err));
    ck_assert_uint_eq(lcl_net_n_outputs(net), 1);
    ck_assert_str_eq(lcl_net_output(net, 0)->name, "y");
    ck_assert_float_eq(lcl_net_output_loss_weight(net, 0), 0);
    lcl_net_destroy(net);
    unlink(path);
    CHECK_FAILS(lcl_net_read(&net, testing_device(), path, &train, &err), LCL_EIO, "");
}
END_TEST

/* ---- Nets that do not fit ---------------------------------------------------------- */

static const struct {
    const char *text, *where, *message, *hint;
} bad[] = {
    {"layer { name: 'c'\n type: 'Convolutoin' top: 'x' }", "net.prototxt:2:2",
     "unknown layer type 'Convolutoin'", "did you mean 'Convolution'? There are: "},
    {"layer { name: 'c'\n type: 'Python' top: 'x' }", "net.prototxt:2:2",
     "Python layers cannot run here", "built-in"},
    {INPUT("5") "layer { name: 'a'\n type: 'InnerProduct' top: 'y' }", "net.prototxt:2:1",
     "layer 'a' (InnerProduct): takes 1 bottom, but has 0", ""},
    {INPUT("5") "layer { name: 'a' type: 'InnerProduct'\n bottom: 'x' }",
     "net.prototxt:2:1", "layer 'a' (InnerProduct): takes 1 top, but has 0", ""},
    {INPUT("5") INPUT("5"), "net.prototxt:2:34", "Top blob 'x' produced by multiple", ""},
    {INPUT("5") IP("a", "x", "x", "3", ""), "net.prototxt:2:52",
     "cannot work in place (top 'x' is a bottom)", ""},
    {INPUT("5") IP("a", "x", "y", "3", "param {} param {} param {}"),
     "net.prototxt:2:", "Too many params specified for layer a: 3, but it has 2", ""},
    {INPUT("5") IP("a", "x", "y", "3", "loss_weight: [1, 2]"), "net.prototxt:2:",
     "loss_weight must be given once per top (1) or not at all, but is given 2 times",
     ""},
    {INPUT("5") IP("a", "x", "y", "4", "param { name: 'w' }")
         IP("b", "y", "z", "4", "param { name: 'w' }"),
     "net.prototxt:3:",
     "Cannot share param 'w' owned by layer 'a' with layer 'b'; shape mismatch.  Owner "
     "layer param shape is 4 3 (12); sharing layer expects shape 4 4 (16)",
     ""},
    {INPUT("5") IP("a", "x", "y", "4", SHARE) IP("b", "y", "z", "4", SHARE),
     "net.prototxt:3:", "count mismatch.  Owner layer param shape is 4 3 (12)", ""},
    {INPUT("5") IP("a", "x", "y", "3", "param { name: 'w' lr_mult: 1 }")
         IP("b", "y", "z", "3", "param { name: 'w' lr_mult: 2 }"),
     "net.prototxt:3:", "Shared param 'w' has mismatched lr_mult (2, but 1 above)", ""},
    {INPUT("5") IP("a", "x", "y", "3", "param { name: 'w' decay_mult: 1 }")
         IP("b", "y", "z", "3", "param { name: 'w' decay_mult: 0 }"),
     "net.prototxt:3:", "Shared param 'w' has mismatched decay_mult", ""},
    {INPUT("5") "layer { name: 'a' type: 'InnerProduct' bottom: 'x' top: 'y'\n"
                "inner_product_param { num_output: 3 weight_filler { type: 'gauss' } } }",
     "net.prototxt:3:", "layer 'a' (InnerProduct): ", ""},
    {INPUT("5") IP("a", "x", "y", "3", "")
         IP("lab", "x", "label", "1", "") "layer { name: 'l' type: 'SoftmaxWithLoss' "
                                          "bottom: 'y' bottom: 'label' top: 'l' }",
     "net.prototxt:4:",
     "layer 'l' (SoftmaxWithLoss): cannot backpropagate to bottom 1, 'label' (labels)",
     ""},
    {INPUT("5") IP("a", "q", "y", "3", ""),
     "net.prototxt:2:", "Unknown bottom blob 'q' (layer 'a', bottom index 0)", ""},
};

START_TEST(bad_nets)
{
    lcl_net *net = NULL;
    lcl_error err = {0};

    ck_assert_int_ne(try_net(&net, bad[_i].text, &train, &err), LCL_OK);
    ck_assert_msg(strstr(err.message, bad[_i].message) != NULL, "%s", err.message);
    ck_assert_msg(strncmp(err.where, bad[_i].where, strlen(bad[_i].where)) == 0, "%s: %s",
                  err.where, err.message);
    ck_assert_msg(strstr(err.hint, bad[_i].hint) != NULL, "%s", err.hint);
    ck_assert_ptr_null(net);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net");
    TCase *tcase = tcase_create("net");

    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, logs_as_caffe);
    tcase_add_test(tcase, logs_losses_as_caffe);
    tcase_add_loop_test(tcase, backward_is_cut, 0, (int)LCL_COUNT(needs));
    tcase_add_test(tcase, gradients_through_a_split);
    tcase_add_test(tcase, statistics_have_no_rate);
    tcase_add_test(tcase, accumulates_on_demand);
    tcase_add_test(tcase, parameters_shared_by_name);
    tcase_add_test(tcase, permissive_sharing);
    tcase_add_test(tcase, nets_share_parameters);
    tcase_add_test(tcase, sharing_nets_must_match);
    tcase_add_test(tcase, parameters_lie_in_one_buffer);
    tcase_add_test(tcase, saves_and_loads);
    tcase_add_test(tcase, loads_legacy_shapes);
    tcase_add_test(tcase, refuses_models);
    tcase_add_test(tcase, blobs_in_the_message);
    tcase_add_test(tcase, block_is_chosen);
    tcase_add_test(tcase, block_suits_the_batch);
    tcase_add_test(tcase, block_is_checked);
    tcase_add_test(tcase, layouts_agree);
    tcase_add_test(tcase, plain_layers_in_a_net);
    tcase_add_test(tcase, a_step_lowers_the_loss);
    tcase_add_test(tcase, reads_a_file);
    tcase_add_loop_test(tcase, bad_nets, 0, (int)LCL_COUNT(bad));
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
