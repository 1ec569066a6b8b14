/* Tests of MemoryData beyond the golden cases: batches, misuse, bad options. */
#include "testing.h"

#include "net_text.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'MemoryData' "

static const char net_text[] =
    "layer { name: 'm' type: 'MemoryData' top: 'x' top: 'l' memory_data_param {"
    "  batch_size: 2 channels: 1 height: 2 width: 1 } }"
    "layer { name: 'd' type: 'DummyData' top: 'z' dummy_data_param { shape { dim: 1 } } "
    "}";

START_TEST(goes_round)
{
    static const float images[] = {1, 2, 3, 4, 5, 6, 7, 8}, labels[] = {0, 1, 2, 3};
    lcl_proto *source = parse_net(net_text);
    lcl_net_options options = {.phase = CAFFE__PHASE__TRAIN};
    lcl_net *net;
    lcl_error err;

    CHECK_OK(lcl_net_create(&net, testing_device(), source, &options, &err));
    CHECK_FAILS(lcl_net_forward(net, &err), LCL_EDATA, "nobody has given it images");
    CHECK_OK(lcl_net_feed(net, "m", images, labels, 4, &err));
    for (int i = 0; i < 5; i++) {
        CHECK_OK(lcl_net_forward(net, &err));
        float *x = layer_fixture_read(lcl_net_blob(net, "x"), LCL_DATA);
        float *l = layer_fixture_read(lcl_net_blob(net, "l"), LCL_DATA);
        for (int k = 0; k < 4; k++)
            ck_assert_float_eq(x[k], images[i % 2 * 4 + k]);
        ck_assert_float_eq(l[1], labels[i % 2 * 2 + 1]);
        free(x);
        free(l);
    }
    CHECK_FAILS(lcl_net_feed(net, "m", images, labels, 3, &err), LCL_EUSAGE,
                "whole batches of 2, not for 3");
    CHECK_FAILS(lcl_net_feed(net, "m", images, NULL, 4, &err), LCL_EUSAGE,
                "needs images and labels");
    CHECK_FAILS(lcl_net_feed(net, "d", images, labels, 4, &err), LCL_EUSAGE,
                "takes no images");
    CHECK_FAILS(lcl_net_feed(net, "q", images, labels, 4, &err), LCL_EUSAGE,
                "no layer 'q'");
    lcl_net_destroy(net);
    lcl_proto_destroy(source);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{0}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{0}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{0}};

    layer_fixture_refuses(LAYER "top: 'a' top: 'b'", shape0, LCL_EPROTO, "layer",
                          "batch_size is 0");
    layer_fixture_refuses(
        LAYER
        "top: 'a' top: 'b' memory_data_param { batch_size: 1 channels: 1\nheight: 0 }",
        shape1, LCL_EPROTO, "layer:2:1", "height is 0");
    layer_fixture_refuses(LAYER "\ntop: 'a' memory_data_param { batch_size: 1 }", shape2,
                          LCL_EPROTO, "layer:2:1", "takes 2 tops");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory_data");
    TCase *cases = tcase_create("memory_data");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, goes_round);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
