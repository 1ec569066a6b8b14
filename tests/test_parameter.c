/* Tests of Parameter beyond the golden cases: gradients, in a net, bad options. */
#include "testing.h"

#include "net_text.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Parameter' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "top: 'y' parameter_param { shape { dim: 3 dim: 5 } }",
         .bottoms = {{0}}},
        {.layer = LAYER "top: 'y' parameter_param { shape { dim: 1 } }",
         .bottoms = {{0}}},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(learns_in_a_net)
{
    lcl_proto *source = parse_net(
        "layer { name: 'in' type: 'Input' top: 't' input_param { shape { dim: 5 dim: 2 } "
        "} }"
        "layer { name: 'p' type: 'Parameter' top: 'y' parameter_param { shape { dim: 5 "
        "dim: 2 } } }"
        "layer { name: 'loss' type: 'EuclideanLoss' bottom: 'y' bottom: 't' top: 'l' }");
    lcl_net_options options = {.phase = CAFFE__PHASE__TRAIN, .block = 16};
    static const float t[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    lcl_net *net;
    lcl_error err;

    CHECK_OK(lcl_net_create(&net, testing_device(), source, &options, &err));
    ck_assert_uint_eq(lcl_net_n_params(net), 1);
    layer_fixture_write(lcl_net_blob(net, "t"), LCL_DATA, t);
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_backward(net, &err));
    float *diff = layer_fixture_read(lcl_net_param_at(net, 0)->blob, LCL_DIFF);
    for (int i = 0; i < 10; i++)
        ck_assert_float_eq_tol(diff[i], -t[i] / 5, 1e-6f);
    free(diff);
    lcl_net_destroy(net);
    lcl_proto_destroy(source);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{0}};

    layer_fixture_refuses(LAYER "top: 'y' parameter_param { shape {\ndim: 0 } }", shape0,
                          LCL_ESHAPE, "layer:2:1", "dimension 0 is 0");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("parameter");
    TCase *cases = tcase_create("parameter");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, learns_in_a_net);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
