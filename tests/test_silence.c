/* Tests of Silence beyond the golden cases: alone and in a net. */
#include "testing.h"

#include "net_text.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Silence' "

START_TEST(gradient_is_zero)
{
    static const int shapes[][FIXTURE_MAX_AXES] = {{3, 2}, {5}};
    static const float ones[6] = {1, 1, 1, 1, 1, 1};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, LAYER "bottom: 'a' bottom: 'b'", shapes, 16, 16,
                                CAFFE__PHASE__TRAIN, &err));
    for (int i = 0; i < 2; i++)
        layer_fixture_write(f.bottoms[i], LCL_DIFF, ones);
    f.layer->propagate[1] = false;
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    float *a = layer_fixture_read(f.bottoms[0], LCL_DIFF),
          *b = layer_fixture_read(f.bottoms[1], LCL_DIFF);
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq(a[i], 0);
    ck_assert_float_eq(b[4], 1);
    free(a);
    free(b);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(no_outputs_left)
{
    lcl_proto *source =
        parse_net("layer { name: 'in' type: 'Input' top: 'x' top: 't' input_param { "
                  "shape { dim: 5 dim: 2 } } }"
                  "layer { name: 'quiet' type: 'Silence' bottom: 'x' bottom: 't' }");
    lcl_net_options options = {.phase = CAFFE__PHASE__TRAIN};
    lcl_net *net;
    lcl_error err;

    CHECK_OK(lcl_net_create(&net, testing_device(), source, &options, &err));
    ck_assert_uint_eq(lcl_net_n_outputs(net), 0);
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_backward(net, &err));
    lcl_net_destroy(net);
    lcl_proto_destroy(source);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses(LAYER "bottom: 'x'\ntop: 'y'", shape0, LCL_EPROTO, "layer:2:1",
                          "takes 0 tops");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("silence");
    TCase *cases = tcase_create("silence");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient_is_zero);
    tcase_add_test(cases, no_outputs_left);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
