/* LeNet for the benchmarks: prototxts and something to train on. */
#include "bench/lenet.h"

#include <stdlib.h>
#include <string.h>

#include "bench/reference.h"
#include "text.h"

double lcl_lenet_forward_flop(void)
{
    return 2.0 * (20 * 24 * 24 * 25 + 50 * 8 * 8 * 20 * 25 + 500 * 800 + 10 * 500);
}

/* Three passes of each layer, but no gradient of the images. */
double lcl_lenet_training_flop(void)
{
    return 3 * lcl_lenet_forward_flop() - 2.0 * 20 * 24 * 24 * 25;
}

/* ---- Images ------------------------------------------------------------------------ */

void lcl_lenet_image(size_t i, uint8_t pixels[LCL_LENET_PIXELS], int *label)
{
    float values[LCL_LENET_PIXELS];

    lcl_bench_fill(values, LCL_LENET_PIXELS, (unsigned)i + 100);
    for (size_t p = 0; p < LCL_LENET_PIXELS; p++)
        pixels[p] = (uint8_t)((values[p] + 1) * 127);
    *label = (int)(i * 7 % LCL_LENET_CLASSES);
}

enum { COPIES = 64 };

static lcl_status write_file(const char *folder, const char *name, const uint8_t *bytes,
                             size_t size, char **path, lcl_error *err)
{
    *path = lcl_path_join(folder, name);
    return lcl_file_write(*path, bytes, size, err);
}

lcl_status lcl_lenet_write_images(const char *folder, char **path, lcl_error *err)
{
    static const uint8_t image_header[] = {0, 0, 8, 3,  0, 0, 4, 0,
                                           0, 0, 0, 28, 0, 0, 0, 28};
    static const uint8_t label_header[] = {0, 0, 8, 1, 0, 0, 4, 0};
    static_assert(COPIES * LCL_LENET_IMAGES == 4 << 8, "the headers say so");
    const size_t n = COPIES * LCL_LENET_IMAGES;
    uint8_t *images = lcl_alloc(sizeof image_header + n * LCL_LENET_PIXELS, 1);
    uint8_t *labels = lcl_alloc(sizeof label_header + n, 1);
    char *label_path = NULL;

    memcpy(images, image_header, sizeof image_header);
    memcpy(labels, label_header, sizeof label_header);
    for (size_t i = 0; i < n; i++) {
        int label;
        lcl_lenet_image(i % LCL_LENET_IMAGES,
                        images + sizeof image_header + i * LCL_LENET_PIXELS, &label);
        labels[sizeof label_header + i] = (uint8_t)label;
    }
    lcl_status status = write_file(folder, "bench-labels-idx1-ubyte", labels,
                                   sizeof label_header + n, &label_path, err);
    if (status == LCL_OK)
        status = write_file(folder, "bench-images-idx3-ubyte", images,
                            sizeof image_header + n * LCL_LENET_PIXELS, path, err);
    free(label_path);
    free(images);
    free(labels);
    return status;
}

/* ---- Prototxts --------------------------------------------------------------------- */

#define PARAMS "param { lr_mult: 1 } param { lr_mult: 2 } "
#define FILLERS "weight_filler { type: 'xavier' } bias_filler { type: 'constant' } "
#define POOL "pooling_param { pool: MAX kernel_size: 2 stride: 2 } }\n"

static const char body[] =
    "layer { name: 'conv1' type: 'Convolution' bottom: 'data' top: 'conv1' " PARAMS
    "convolution_param { num_output: 20 kernel_size: 5 " FILLERS "} }\n"
    "layer { name: 'pool1' type: 'Pooling' bottom: 'conv1' top: 'pool1' " POOL
    "layer { name: 'conv2' type: 'Convolution' bottom: 'pool1' top: 'conv2' " PARAMS
    "convolution_param { num_output: 50 kernel_size: 5 " FILLERS "} }\n"
    "layer { name: 'pool2' type: 'Pooling' bottom: 'conv2' top: 'pool2' " POOL
    "layer { name: 'ip1' type: 'InnerProduct' bottom: 'pool2' top: 'ip1' " PARAMS
    "inner_product_param { num_output: 500 " FILLERS "} }\n"
    "layer { name: 'relu1' type: 'ReLU' bottom: 'ip1' top: 'ip1' }\n"
    "layer { name: 'ip2' type: 'InnerProduct' bottom: 'ip1' top: 'ip2' " PARAMS
    "inner_product_param { num_output: 10 " FILLERS "} }\n";

char *lcl_lenet_deploy(int n)
{
    return lcl_format("name: 'LeNet'\n"
                      "layer { name: 'data' type: 'Input' top: 'data'\n"
                      "  input_param { shape { dim: %d dim: 1 dim: 28 dim: 28 } } }\n"
                      "%slayer { name: 'prob' type: 'Softmax' bottom: 'ip2' top: 'prob' "
                      "}\n",
                      n, body);
}

static const char loss[] =
    "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'ip2' bottom: 'label' top: "
    "'loss' }\n";

char *lcl_lenet_input_net(int n)
{
    return lcl_format("name: 'LeNet'\n"
                      "layer { name: 'data' type: 'Input' top: 'data' top: 'label'\n"
                      "  input_param { shape { dim: %d dim: 1 dim: 28 dim: 28 }\n"
                      "    shape { dim: %d } } }\n%s%s",
                      n, n, body, loss);
}

static void add_data(lcl_text *t, const char *phase, const char *source, int batch)
{
    lcl_text_printf(t,
                    "layer { name: 'data' type: 'Data' top: 'data' top: 'label'\n"
                    "  include { phase: %s } transform_param { scale: 0.00390625 }\n"
                    "  data_param { source: '%s' batch_size: %d } }\n",
                    phase, source, batch);
}

char *lcl_lenet_net(const char *source, int batch, const char *test_source)
{
    lcl_text t = {0};

    lcl_text_add(&t, "name: 'LeNet'\n");
    add_data(&t, "TRAIN", source, batch);
    if (test_source)
        add_data(&t, "TEST", test_source, 100);
    lcl_text_add(&t, body);
    if (test_source)
        lcl_text_add(&t,
                     "layer { name: 'accuracy' type: 'Accuracy' bottom: 'ip2' bottom: "
                     "'label' top: 'accuracy' include { phase: TEST } }\n");
    lcl_text_add(&t, loss);
    return t.text;
}

char *lcl_lenet_solver(const char *net, int max_iter)
{
    const bool tests = strstr(net, "phase: TEST") != NULL;

    return lcl_format("base_lr: 0.01 momentum: 0.9 weight_decay: 0.0005\n"
                      "lr_policy: 'inv' gamma: 0.0001 power: 0.75\n"
                      "random_seed: 1 max_iter: %d snapshot_after_train: false\n%s"
                      "net_param {\n%s}\n",
                      max_iter,
                      tests ? "test_iter: 100 test_interval: 1000000000 "
                              "test_initialization: false\n"
                            : "",
                      net);
}
