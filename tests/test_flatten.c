/* Tests of Flatten beyond the golden cases: gradients, shared memory, bad options. */
#include "testing.h"

#include "net_text.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Flatten' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'x' top: 'y' ", .bottoms = {{3, 2, 3, 5}}},
        {.layer = LAYER "bottom: 'x' top: 'y' flatten_param { axis: 2 }",
         .bottoms = {{17, 2, 2, 2}}},
        {.layer = LAYER "bottom: 'x' top: 'y' flatten_param { axis: 0 end_axis: 1 }",
         .bottoms = {{5, 2, 3}}},
        {.layer = LAYER "bottom: 'x' top: 'y' flatten_param { axis: -2 end_axis: -2 }",
         .bottoms = {{2, 3, 2}}},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(shares_memory_in_a_net)
{
    static const char text[] =
        "layer { name: 'in' type: 'Input' top: 'x' top: 't' input_param {"
        "  shape { dim: 5 dim: 1 dim: 4 dim: 4 } shape { dim: 5 dim: 2 } } }"
        "layer { name: 'pool' type: 'Convolution' bottom: 'x' top: 'p'"
        "  convolution_param { num_output: 2 kernel_size: 3 } }"
        "layer { name: 'flat' type: 'Flatten' bottom: 'p' top: 'f' }"
        "layer { name: 'ip' type: 'InnerProduct' bottom: 'f' top: 'y'"
        "  inner_product_param { num_output: 2 } }"
        "layer { name: 'loss' type: 'EuclideanLoss' bottom: 'y' bottom: 't' top: 'l' }";
    const int larger[4] = {40, 1, 4, 4}, targets[2] = {40, 2};
    lcl_net_options options = {.phase = CAFFE__PHASE__TRAIN, .seed = 1};
    lcl_proto *source = parse_net(text);
    lcl_net *net;
    lcl_error err;

    CHECK_OK(lcl_net_create(&net, testing_device(), source, &options, &err));
    lcl_blob *p = lcl_net_blob(net, "p"), *f = lcl_net_blob(net, "f");
    ck_assert_ptr_eq(p->data, f->data);
    ck_assert_ptr_nonnull(p->diff);
    ck_assert_ptr_eq(p->diff, f->diff);
    CHECK_OK(lcl_blob_reshape(lcl_net_blob(net, "x"), 4, larger, 16, &err));
    CHECK_OK(lcl_blob_reshape(lcl_net_blob(net, "t"), 2, targets, 16, &err));
    CHECK_OK(lcl_net_reshape(net, &err));
    ck_assert_ptr_eq(p->data, f->data);
    ck_assert_ptr_eq(p->diff, f->diff);
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_backward(net, &err));
    lcl_net_destroy(net);
    lcl_proto_destroy(source);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' flatten_param {\naxis: 3 }", shape0,
                          LCL_ESHAPE, "layer:2:1", "axis 3 does not exist");
    layer_fixture_refuses(
        LAYER "bottom: 'x' top: 'y' flatten_param { axis: 1\nend_axis: 0 }", shape1,
        LCL_ESHAPE, "layer:2:1", "end_axis 0 comes before axis 1");
    layer_fixture_refuses(LAYER "bottom: 'x'\ntop: 'x'", shape2, LCL_EPROTO, "layer:2:1",
                          "cannot work in place");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flatten");
    TCase *cases = tcase_create("flatten");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, shares_memory_in_a_net);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
