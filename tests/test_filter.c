/* Tests of Filter beyond the golden cases: gradients, a batch that changes in a net, bad options. */
#include "testing.h"

#include "net_text.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Filter' "

#define NET                                                                              \
    "layer { name: 'in' type: 'Input' top: 'x' top: 't' top: 's' input_param {"          \
    "  shape { dim: 20 dim: 3 } shape { dim: 20 dim: 2 } shape { dim: 20 } } }"          \
    "layer { name: 'ip0' type: 'InnerProduct' bottom: 'x' top: 'h'"                      \
    "  inner_product_param { num_output: 4 weight_filler { type: 'xavier' } } }"         \
    "layer { name: 'f' type: 'Filter' bottom: 'h' bottom: 't' bottom: 's' top: 'hf'"     \
    "  top: 'tf' }"                                                                      \
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'hf' top: 'y'"                      \
    "  inner_product_param { num_output: 2 weight_filler { type: 'xavier' } } }"         \
    "layer { name: 'loss' type: 'EuclideanLoss' bottom: 'y' bottom: 'tf' top: 'l' }"

START_TEST(every_third_image)
{
    static const char layer[] =
        LAYER "bottom: 'a' bottom: 'b' bottom: 's' top: 'ya' top: 'yb'";
    static const int shapes[][FIXTURE_MAX_AXES] = {{20, 3}, {20, 2, 2}, {20}};
    static const int layouts[][2] = {{1, 1}, {16, 16}, {8, 4}};
    float x[80], s[20], dy[80];
    layer_fixture f;
    lcl_error err;

    for (size_t i = 0; i < 80; i++) {
        x[i] = testing_value(1, i);
        dy[i] = (float)i + 1;
    }
    for (size_t i = 0; i < 20; i++)
        s[i] = i % 3 == 0;
    for (size_t k = 0; k < LCL_COUNT(layouts); k++) {
        CHECK_OK(layer_fixture_open(&f, layer, shapes, layouts[k][0], layouts[k][1],
                                    CAFFE__PHASE__TRAIN, &err));
        layer_fixture_write(f.bottoms[0], LCL_DATA, x);
        layer_fixture_write(f.bottoms[1], LCL_DATA, x);
        layer_fixture_write(f.bottoms[2], LCL_DATA, s);
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        ck_assert_int_eq(f.tops[0]->shape[0], 7);
        ck_assert_int_eq(f.tops[1]->shape[0], 7);
        float *y = layer_fixture_read(f.tops[1], LCL_DATA);
        for (size_t i = 0; i < 28; i++)
            ck_assert_float_eq(y[i], x[i / 4 * 12 + i % 4]);
        layer_fixture_write(f.tops[0], LCL_DIFF, dy);
        layer_fixture_write(f.tops[1], LCL_DIFF, dy);
        CHECK_FAILS(lcl_layer_backward(f.layer, &err), LCL_EPROTO,
                    "cannot backpropagate to the selector");
        f.layer->propagate[2] = false;
        CHECK_OK(lcl_layer_backward(f.layer, &err));
        float *dx = layer_fixture_read(f.bottoms[0], LCL_DIFF);
        for (size_t i = 0; i < 60; i++)
            ck_assert_float_eq(dx[i], i / 3 % 3 == 0 ? dy[i / 9 * 3 + i % 3] : 0);
        free(y);
        free(dx);
        layer_fixture_close(&f);
    }
}
END_TEST

START_TEST(shapes_the_layers_behind)
{
    static const int counts[] = {20, 1, 7, 20};
    lcl_proto *source = parse_net(NET);
    lcl_net_options options = {
        .phase = CAFFE__PHASE__TRAIN, .seed = 1, .block = 16, .fuse = true};
    float s[20] = {0}, x[60], loss;
    lcl_net *net;
    lcl_error err;

    CHECK_OK(lcl_net_create(&net, testing_device(), source, &options, &err));
    for (size_t i = 0; i < 60; i++)
        x[i] = testing_value(1, i);
    layer_fixture_write(lcl_net_blob(net, "x"), LCL_DATA, x);
    CHECK_FAILS(lcl_net_forward(net, &err), LCL_EDATA, "is 0 for all images");
    for (size_t k = 0; k < LCL_COUNT(counts); k++) {
        for (int i = 0; i < 20; i++)
            s[i] = i < counts[k] ? 2 : 0;
        layer_fixture_write(lcl_net_blob(net, "s"), LCL_DATA, s);
        CHECK_OK(lcl_net_forward(net, &err));
        ck_assert_int_eq(lcl_net_blob(net, "y")->shape[0], counts[k]);
        CHECK_OK(lcl_net_backward(net, &err));
        CHECK_OK(lcl_net_loss(net, &loss, &err));
        ck_assert_float_gt(loss, 0);
        float *dh = layer_fixture_read(lcl_net_blob(net, "h"), LCL_DIFF);
        for (int i = 0; i < 80; i++)
            ck_assert(i / 4 < counts[k] || dh[i] == 0);
        ck_assert_float_ne(dh[0], 0);
        free(dh);
    }
    lcl_net_destroy(net);
    lcl_proto_destroy(source);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{4, 3}, {4, 2}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{4, 3}, {5}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{4, 3}, {4}};

    layer_fixture_refuses(LAYER "bottom: 'x'\nbottom: 's' top: 'y'", shape0, LCL_ESHAPE,
                          "layer:1:26", "must have one value an image");
    layer_fixture_refuses(LAYER "bottom: 'x'\nbottom: 's' top: 'y'", shape1, LCL_ESHAPE,
                          "layer:1:26", "'x' has 4 images, but the selector, 's', has 5");
    layer_fixture_refuses(LAYER "bottom: 'x'\nbottom: 's'\ntop: 'y' top: 'z'", shape2,
                          LCL_EPROTO, "layer:3:1",
                          "takes a top for each bottom but the last");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("filter");
    TCase *cases = tcase_create("filter");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, every_third_image);
    tcase_add_test(cases, shapes_the_layers_behind);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
