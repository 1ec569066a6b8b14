/* One layer made from prototxt, over blobs of its own. */
#ifndef LCL_LAYER_FIXTURE_H
#define LCL_LAYER_FIXTURE_H

#include "lcl/layer.h"
#include "rng.h"

#define FIXTURE_MAX_ENDS 5
#define FIXTURE_MAX_AXES 5

typedef struct {
    lcl_proto *proto;
    lcl_blas blas;
    lcl_rng rng;
    lcl_layer_env env;
    lcl_layer *layer; /* NULL where it could not be made */
    int n_bottoms, n_tops;
    lcl_blob *bottoms[FIXTURE_MAX_ENDS], *tops[FIXTURE_MAX_ENDS]; /* with diffs */
    bool in_place;
} layer_fixture;

/* The layer of prototxt `text` (named "layer" in errors) over bottoms of `shapes`, of which
 * each ends at a 0. A first top with the first bottom's name works in place. Close it after a
 * failure too. */
lcl_status layer_fixture_open(layer_fixture *f, const char *text,
                              const int shapes[][FIXTURE_MAX_AXES], int block, int vector,
                              Caffe__Phase phase, lcl_error *err);
void layer_fixture_close(layer_fixture *f);

/* The layer cannot be made in blocks of 16: `text` is in the message, `where` its place. */
void layer_fixture_refuses(const char *layer, const int shapes[][FIXTURE_MAX_AXES],
                           lcl_status status, const char *where, const char *text);

/* All values of a blob; free() them. */
float *layer_fixture_read(const lcl_blob *b, lcl_which which);
void layer_fixture_write(lcl_blob *b, lcl_which which, const float *values);
/* The values of stream `seed` (testing_values) in all of a blob. */
void layer_fixture_fill(lcl_blob *b, lcl_which which, unsigned seed);

#endif
