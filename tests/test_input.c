/* Input: one shape for all tops or one for each, and tops that the caller reshapes. */
#include "net_text.h"
#include "text.h"

static lcl_status make(lcl_net **net, const char *input_param, lcl_error *err)
{
    char *text = lcl_format("layer { name: 'in' type: 'Input' top: 'a' top: 'b'\n"
                            "input_param { %s } }",
                            input_param);
    lcl_proto *p = parse_net(text);
    lcl_net_options options = {0};
    lcl_status status = lcl_net_create(net, testing_device(), p, &options, err);

    lcl_proto_destroy(p);
    free(text);
    return status;
}

START_TEST(shapes)
{
    lcl_net *net = NULL;
    lcl_error err;

    CHECK_OK(make(&net, "shape { dim: 5 dim: 2 }", &err));
    ck_assert_int_eq(lcl_net_blob(net, "a")->shape[1], 2);
    ck_assert_int_eq(lcl_net_blob(net, "b")->shape[1], 2);
    lcl_net_destroy(net);
    CHECK_OK(make(&net, "shape { dim: 5 dim: 2 } shape { }", &err));
    ck_assert_int_eq(lcl_net_blob(net, "a")->n_axes, 2);
    ck_assert_int_eq(lcl_net_blob(net, "b")->n_axes, 0);
    ck_assert_int_eq(lcl_net_blob(net, "b")->block, 1);
    lcl_net_destroy(net);
}
END_TEST

/* Running and reshaping the net leaves the caller's shape and values. */
START_TEST(keeps_what_the_caller_puts)
{
    lcl_net *net = NULL;
    const int shape[] = {3, 2};
    const float in[] = {1, 2, 3, 4, 5, 6};
    float out[6];
    lcl_blob *a;
    lcl_error err;

    CHECK_OK(make(&net, "shape { dim: 1 dim: 2 }", &err));
    a = lcl_net_blob(net, "a");
    CHECK_OK(lcl_blob_reshape(a, 2, shape, a->block, &err));
    CHECK_OK(lcl_blob_write(a, LCL_DATA, in, &err));
    CHECK_OK(lcl_net_reshape(net, &err));
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_backward(net, &err));
    ck_assert_int_eq(a->shape[0], 3);
    CHECK_OK(lcl_blob_read(a, LCL_DATA, out, &err));
    ck_assert(memcmp(in, out, sizeof in) == 0);
    lcl_net_destroy(net);
}
END_TEST

static const struct {
    const char *param, *where, *message;
} bad[] = {
    {"", "net.prototxt:2:1", "needs one shape, or one per top: 2 tops, but 0 shapes"},
    {"shape {} shape {} shape {}", "net.prototxt:2:15", "2 tops, but 3 shapes"},
    {"shape { dim: 5 dim: 0 }", "net.prototxt:2:23", "dimension 1 is 0"},
    {"shape { dim: -5 }", "net.prototxt:2:23", "dimension 0 is -5"},
    {"shape { dim: 4000000000 }", "net.prototxt:2:23", "dimension 0 is 4000000000"},
    {"shape { dim: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1] }",
     "net.prototxt:2:23", "no more than 32 dimensions, this has 33"},
};

START_TEST(bad_shapes)
{
    lcl_net *net = NULL;
    lcl_error err = {0};

    ck_assert_int_ne(make(&net, bad[_i].param, &err), LCL_OK);
    ck_assert_msg(strstr(err.message, bad[_i].message) != NULL, "%s", err.message);
    ck_assert_str_eq(err.where, bad[_i].where);
    ck_assert_ptr_null(net);
}
END_TEST

/* Shapes whose product overflows are refused before any memory is asked for. */
START_TEST(too_large)
{
    lcl_net *net = NULL;
    lcl_error err;

    CHECK_FAILS(make(&net, "shape { dim: [2000000000, 2000000000, 2000000000] }", &err),
                LCL_ESHAPE, "layer 'in': ");
    ck_assert_str_eq(err.where, "net.prototxt:1:1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("input");
    TCase *tcase = tcase_create("input");

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, shapes);
    tcase_add_test(tcase, keeps_what_the_caller_puts);
    tcase_add_loop_test(tcase, bad_shapes, 0, (int)LCL_COUNT(bad));
    tcase_add_test(tcase, too_large);
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
