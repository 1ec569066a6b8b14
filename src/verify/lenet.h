/* LeNet on a few images, for checks of whole nets. */
#ifndef LCL_VERIFY_LENET_H
#define LCL_VERIFY_LENET_H

#include "lcl/net.h"
#include "verify/verify.h"

/* A net with its images and labels in place. {0} may be closed. */
typedef struct {
    lcl_proto *source;
    lcl_net *net;
} lcl_verify_net;

/* The net of `text`, which it frees; always with the same parameters. Of the options it takes
 * phase, block, fuse and residency. */
lcl_status lcl_verify_net_open(lcl_verify_net *n, const lcl_verify *v, char *text,
                               lcl_net_options options, lcl_error *err);
void lcl_verify_net_close(lcl_verify_net *n);
/* LeNet with LCL_LENET_IMAGES images. */
lcl_status lcl_verify_lenet_open(lcl_verify_net *n, const lcl_verify *v, int block,
                                 bool fuse, lcl_error *err);

#endif
