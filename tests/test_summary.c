/* lenet-cl summary: its table and sums, where it takes shapes from, what it refuses; and nets on
 * a blank device. */
#include "lcl/net.h"
#include "net_text.h"
#include "program.h"

static const char lenet[] =
    "LeNet, phase TRAIN\n"
    "\n"
    "layer  type             output                  parameters   FLOPs   memory\n"
    "mnist  Data             64x1x28x28 data                              201 kB\n"
    "                        64 label\n"
    "conv1  Convolution      64x20x24x24                    520  36.9 M  2.95 MB\n"
    "pool1  Pooling          64x20x12x12                                  737 kB\n"
    "conv2  Convolution      64x50x8x8                   25,050   205 M   919 kB\n"
    "pool2  Pooling          64x50x4x4                                    205 kB\n"
    "ip1    InnerProduct     64x500                     400,500  51.2 M  1.73 MB\n"
    "relu1  ReLU             64x500 in place of ip1\n"
    "ip2    InnerProduct     64x10                        5,010   640 k  22.6 kB\n"
    "loss   SoftmaxWithLoss  1                                               4 B\n"
    "all                                                431,080   294 M  6.77 MB\n"
    "\n"
    "parameters  431,080, all learned; 1.72 MB\n"
    "forward     4.59 MFLOP an image, 294 MFLOP a batch of 64 (convolutions, inner "
    "products, "
    "LSTM, RNN)\n"
    "outputs     5.04 MB, with their gradients 9.88 MB\n";

/* conv1: 2 x 64 x 20 x 24 x 24 x 25 = 36.9 M; conv2: 2 x 64 x 50 x 8 x 8 x 500 = 204.8 M. No
 * OpenCL device is needed. */
START_TEST(table_of_lenet)
{
    make_folder();
    ck_assert_int_eq(lenet_cl_with("OCL_ICD_VENDORS=/nonexistent",
                                   "summary --model "
                                   "$OLDPWD/examples/mnist/lenet_train_test.prototxt "
                                   "--input-shape 64,1,28,28"),
                     0);
    check_file("out", lenet);
    check_file("err", "");
    remove_folder();
}
END_TEST

/* ---- Shapes of data that are not there --------------------------------------------- */

#define TAIL                                                                             \
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'x' top: 'ip'\n"                    \
    "  inner_product_param { num_output: 2 } }\n"                                        \
    "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'ip' bottom: 'y' }\n"

static const struct {
    const char *layer;     /* its fields */
    const char *arguments; /* behind summary --model net */
    const char *output;    /* a part of it, with ' ' for any number of spaces */
} shapes[] = {
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }\n"
     "transform_param { crop_size: 8 mean_file: 'gone.binaryproto' }",
     "", "d Data 4x3x8x8 x 3.09 kB\n 4 y\n"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }\n"
     "transform_param { crop_size: 8 }",
     "",
     "d: 'gone' is missing; crop_size says the size, and 3 channels are assumed "
     "(--input-shape gives another)\n"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }\n"
     "transform_param { crop_size: 8 mean_value: 1 mean_value: 2 }",
     "", "d: 'gone' is missing; crop_size says the size (--input-shape gives another)\n"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }\n"
     "transform_param { crop_size: 8 mean_value: 1 mean_value: 2 }",
     "", "d Data 4x2x8x8 x"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }\n"
     "transform_param { crop_size: 8 force_gray: true }",
     "", "d Data 4x1x8x8 x"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }", "--input-shape 5,6,7",
     "d Data 5x6x7 x 860 B\n 5 y\n"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }",
     "--input-shape=x=5,6,y=5", "d Data 5x6 x 140 B\n 5 y\n"},
    {"type: 'ImageData' transform_param { crop_size: 6 }\n"
     "image_data_param { source: 'gone' batch_size: 3 new_height: 9 new_width: 7 }",
     "", "d ImageData 3x3x6x6 x"},
    {"type: 'ImageData' image_data_param { source: 'gone' batch_size: 3 new_height: 9\n"
     "  new_width: 7 is_color: false }",
     "", "d ImageData 3x1x9x7 x"},
    {"type: 'ImageData' image_data_param { source: 'gone' batch_size: 3 new_height: 9\n"
     "  new_width: 7 is_color: false }",
     "", "d: 'gone' is missing; new_height and new_width say the size (--input-shape"},
    {"type: 'WindowData' window_data_param { source: 'gone' batch_size: 3 }\n"
     "transform_param { crop_size: 5 }",
     "", "d WindowData 3x3x5x5 x"},
    {"type: 'HDF5Data' hdf5_data_param { source: 'gone' batch_size: 3 }",
     "--input-shape x=3,10,y=3", "d HDF5Data 3x10 x"},
    {"type: 'Input' input_param { shape { dim: 1 dim: 2 } shape { dim: 1 } }",
     "--input-shape y=6,x=6,4", "d Input 6x4 x"},
    {"type: 'Input' input_param { shape { dim: 8 } }", "--input-shape 8,4",
     "d Input 8x4 x 160 B\n 8 y\n"},
    /* Data that are there; the option comes first. */
    {"type: 'Data' data_param { source: 'mini-images-idx3-ubyte' batch_size: 4 }", "",
     "d Data 4x1x28x28 x"},
    {"type: 'Data' data_param { source: 'mini-images-idx3-ubyte' batch_size: 4 }\n"
     "transform_param { mean_file: 'gone' }",
     "", "d Data 4x1x28x28 x"},
    {"type: 'Data' data_param { source: 'mini-images-idx3-ubyte' batch_size: 4 }",
     "--input-shape 9,1,2,2", "d Data 9x1x2x2 x"},
};

/* One space for each run of spaces. */
static void squeeze(const char *name)
{
    char *text = get(name), *to = text;

    for (const char *at = text; *at; at++)
        if (*at != ' ' || at == text || at[-1] != ' ')
            *to++ = *at;
    *to = '\0';
    put(name, text);
    free(text);
}

static void put_net(const char *layer)
{
    char *text = lcl_format("layer { name: 'd' top: 'x' top: 'y' %s }\n" TAIL, layer);

    put("net", text);
    free(text);
}

START_TEST(shape_of_inputs)
{
    char *arguments = lcl_format("summary --model net %s", shapes[_i].arguments);

    make_folder();
    put_net(shapes[_i].layer);
    char *link =
        lcl_format("ln -s \"$PWD\"/tests/golden/data/mini-images-idx3-ubyte %s/ &&"
                   " ln -s \"$PWD\"/tests/golden/data/mini-labels-idx1-ubyte %s/",
                   program_folder, program_folder);
    ck_assert_int_eq(system(link), 0);
    int code = lenet_cl(arguments);
    if (code != 0)
        check_file("err", "");
    squeeze("out");
    check_contains("out", shapes[_i].output);
    remove_folder();
    free(link);
    free(arguments);
}
END_TEST

static const struct {
    const char *layer, *arguments;
    int code;
    const char *message;
} mistakes[] = {
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }", "", 1,
     "net:1:1: layer 'd' (Data): 'gone' is missing, and nothing else says the shape of "
     "its "
     "top 'x'"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }", "", 1,
     "hint: give it: --input-shape x=4,..."},
    {"type: 'HDF5Data' hdf5_data_param { source: 'gone' batch_size: 4 }",
     "--input-shape 4,10", 1, "the shape of its top 'y'"},
    {"type: 'Data' data_param { batch_size: 4 }", "", 3, "data_param has no source"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }", "--input-shape z=1,2", 2,
     "a shape is given for 'z', but no Input layer"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }",
     "--input-shape 64x1x28x28", 2, "'64x1x28x28' is not a dimension"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }", "--input-shape 4,0", 2,
     "'0' is not a dimension"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }", "--phase test", 2,
     "phase must be"},
    {"type: 'Data' data_param { source: 'gone' batch_size: 4 }", "--input-shape 4", 3,
     "layer 'ip'"},
    {"type: 'Input' input_param { shape { dim: 0 } }", "", 3, "dimension 0 is 0"},
};

START_TEST(mistakes_are_explained)
{
    char *arguments = lcl_format("summary --model net %s", mistakes[_i].arguments);

    make_folder();
    put_net(mistakes[_i].layer);
    int code = lenet_cl(arguments);
    check_contains("err", mistakes[_i].message);
    ck_assert_int_eq(code, mistakes[_i].code);
    check_file("out", "");
    ck_assert_int_eq(lenet_cl("summary"), 2);
    check_contains("err", "--model: a net's prototxt is needed");
    remove_folder();
    free(arguments);
}
END_TEST

/* ---- What is counted --------------------------------------------------------------- */

#define INPUT "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { %s } } }\n"

static const char twins[] =
    "layer { name: 'x' type: 'Input' top: 'x' top: 'x2'\n"
    "  input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }\n"
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'x' top: 'ip' param { name: 'w' }\n"
    "  inner_product_param { num_output: 5 bias_term: false } }\n"
    "layer { name: 'ip2' type: 'InnerProduct' bottom: 'x2' top: 'ip2' param { name: 'w' "
    "}\n"
    "  inner_product_param { num_output: 5 bias_term: false } }\n"
    "layer { name: 'bn' type: 'BatchNorm' bottom: 'x' top: 'bn' }\n"
    "layer { name: 'scale' type: 'Scale' bottom: 'bn' top: 'bn'\n"
    "  param { lr_mult: 0 } scale_param { bias_term: true } }\n"
    "layer { name: 'flat' type: 'Flatten' bottom: 'bn' top: 'flat' include { stage: 's' "
    "} }\n"
    "layer { name: 'out' type: 'HDF5Output' bottom: 'ip' bottom: 'ip2'\n"
    "  hdf5_output_param { file_name: 'out.h5' } include { phase: TEST } }\n";

/* 5 x 48 weights once; 3 + 3 + 1 statistics; 3 + 3 of the Scale, 3 of them fixed. A view takes no
 * memory. Nothing is written where the net writes. */
START_TEST(parameters_and_phases)
{
    make_folder();
    put("net", twins);
    ck_assert_int_eq(lenet_cl("summary --model net --stage s"), 0);
    squeeze("out");
    check_contains("out", "ip InnerProduct 2x5 240 960 1.00 kB\n");
    check_contains("out", "ip2 InnerProduct 2x5 shared 960 40 B\n");
    check_contains("out", "bn BatchNorm 2x3x4x4 7 412 B\n");
    check_contains("out", "scale Scale 2x3x4x4 in place of bn 6 24 B\n");
    check_contains("out", "flat Flatten 2x48\n");
    check_contains("out", "parameters 253, 243 learned (the others are");
    check_lacks("out", "Split");
    check_lacks("out", "HDF5Output");
    ck_assert_int_eq(lenet_cl("summary --model net --phase TEST"), 0);
    check_contains("out", "phase TEST");
    check_contains("out", "HDF5Output");
    check_lacks("out", "flat");
    ck_assert(!exists("out.h5"));
    remove_folder();
}
END_TEST

static const struct {
    const char *dims, *layer, *output;
} flops[] = {
    /* 2 x (2 x 4 outputs of 3 x 3) x (6 / 2 x 3 x 3 factors) */
    {"dim: 2 dim: 6 dim: 5 dim: 5",
     "type: 'Convolution' convolution_param { num_output: 4 kernel_size: 3 group: 2 }",
     "l Convolution 2x4x3x3 112 3.89 k"},
    /* 2 x (2 x 6 inputs of 5 x 5) x (4 x 2 x 2 factors) */
    {"dim: 2 dim: 6 dim: 5 dim: 5",
     "type: 'Deconvolution' convolution_param { num_output: 4 kernel_size: 2 stride: 2 }",
     "l Deconvolution 2x4x10x10 100 9.60 k"},
    {"dim: 2 dim: 6", "type: 'InnerProduct' inner_product_param { num_output: 4 }",
     "l InnerProduct 2x4 28 96"},
};

START_TEST(floating_point_operations)
{
    char *text = lcl_format(INPUT "layer { name: 'l' bottom: 'x' top: 'l' %s }",
                            flops[_i].dims, flops[_i].layer);

    make_folder();
    put("net", text);
    ck_assert_int_eq(lenet_cl("summary --model net"), 0);
    squeeze("out");
    check_contains("out", flops[_i].output);
    remove_folder();
    free(text);
}
END_TEST

/* T = 3 steps of N = 2 streams, 5 inputs, D = 4 cells: LSTM 4 D (5 + D), RNN D (5 + D + D). */
START_TEST(flops_of_recurrent_layers)
{
    static const char *const types[] = {"LSTM", "RNN"};
    static const char *const outputs[] = {"l LSTM 3x2x4 160 1.73 k ",
                                          "l RNN 3x2x4 60 624 "};

    make_folder();
    for (size_t i = 0; i < LCL_COUNT(types); i++) {
        char *text =
            lcl_format("layer { name: 'x' type: 'Input' top: 'x' top: 'c' input_param {\n"
                       "  shape { dim: 3 dim: 2 dim: 5 } shape { dim: 3 dim: 2 } } }\n"
                       "layer { name: 'l' type: '%s' bottom: 'x' bottom: 'c' top: 'l'\n"
                       "  recurrent_param { num_output: 4 } }",
                       types[i]);
        put("net", text);
        ck_assert_int_eq(lenet_cl("summary --model net"), 0);
        squeeze("out");
        check_contains("out", outputs[i]);
        free(text);
    }
    remove_folder();
}
END_TEST

/* ---- Nets on a blank device -------------------------------------------------------- */

/* A net that no device has memory for: 16 TB. */
static const char large[] =
    "layer { name: 'x' type: 'Input' top: 'x'\n"
    "  input_param { shape { dim: 1 dim: 2147483647 } } }\n"
    "layer { name: 'ip' type: 'InnerProduct' bottom: 'x' top: 'ip' inner_product_param "
    "{\n"
    "  num_output: 1 weight_filler { type: 'msra' } } }\n"
    "layer { name: 'big' type: 'Tile' bottom: 'x' top: 'big' tile_param { tiles: 1 } }\n";

START_TEST(blank_device_takes_no_memory)
{
    lcl_device *dev = lcl_device_create_blank();
    lcl_net_options options = {.phase = CAFFE__PHASE__TRAIN};
    lcl_proto *p = parse_net(large);
    lcl_net *net;
    lcl_error err;
    float value[1] = {1};

    ck_assert(lcl_device_is_blank(dev) && lcl_device_is_dry(dev));
    CHECK_OK(lcl_net_create(&net, dev, p, &options, &err));
    const lcl_blob *ip = lcl_net_blob(net, "ip");
    ck_assert_ptr_null(ip->data);
    ck_assert_ptr_null(lcl_net_param_data(net));
    ck_assert_uint_eq(lcl_blob_count(lcl_net_param_at(net, 0)->blob), 2147483647u);
    CHECK_OK(lcl_net_forward(net, &err));
    CHECK_OK(lcl_net_backward(net, &err));
    CHECK_OK(lcl_device_finish(dev, &err));
    CHECK_OK(lcl_blob_read(ip, LCL_DATA, value, &err));
    ck_assert(value[0] == 0);
    lcl_net_destroy(net);
    lcl_device_close(dev);
    lcl_proto_destroy(p);
}
END_TEST

/* Fillers are checked though nothing is filled. */
START_TEST(blank_device_checks_fillers)
{
    lcl_device *dev = lcl_device_create_blank();
    lcl_net_options options = {.phase = CAFFE__PHASE__TRAIN};
    lcl_net *net;
    lcl_error err;
    lcl_proto *p = parse_net(
        "layer { name: 'x' type: 'DummyData' top: 'x' dummy_data_param {\n"
        "  shape { dim: 3 dim: 4 } data_filler { type: 'positive_unitball' } } }\n"
        "layer { name: 'ip' type: 'InnerProduct' bottom: 'x' top: 'ip'\n"
        "  inner_product_param { num_output: 1 weight_filler { type: 'msr' } } }");

    CHECK_FAILS(lcl_net_create(&net, dev, p, &options, &err), LCL_EPROTO,
                "unknown filler 'msr'");
    lcl_device_close(dev);
    lcl_proto_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("summary");
    TCase *all = tcase_create("all");

    tcase_add_test(all, table_of_lenet);
    tcase_add_loop_test(all, shape_of_inputs, 0, (int)LCL_COUNT(shapes));
    tcase_add_loop_test(all, mistakes_are_explained, 0, (int)LCL_COUNT(mistakes));
    tcase_add_test(all, parameters_and_phases);
    tcase_add_loop_test(all, floating_point_operations, 0, (int)LCL_COUNT(flops));
    tcase_add_test(all, flops_of_recurrent_layers);
    tcase_add_test(all, blank_device_takes_no_memory);
    tcase_add_test(all, blank_device_checks_fillers);
    suite_add_tcase(suite, all);
    return testing_run(suite);
}
