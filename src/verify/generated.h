/* What the files share that compute cases in plain C. */
#ifndef LCL_VERIFY_GENERATED_H
#define LCL_VERIFY_GENERATED_H

#include "golden_files.h"

/* The case's layer.prototxt, a name and `text`: what else the layer has. */
void lcl_generate_layer(lcl_golden_files *files, const char *folder, const char *text);
/* Repeatable values in [-1, 1): stream `seed`; new. */
float *lcl_generate_values(size_t n, unsigned seed);
/* Adds the array and frees it. `shape` ends at a 0. */
void lcl_generate_array(lcl_golden_files *files, const char *folder, const char *kind,
                        int i, float *values, const int *shape);

#endif
