/* Every layer type, one line each: LAYER(x) is lcl_layer_x in layers/x.c. */
LAYER(convolution)
LAYER(inner_product)
LAYER(data)
LAYER(input)
LAYER(split)
LAYER(relu)
LAYER(pooling)
