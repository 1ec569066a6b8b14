/* Fusion: layers that take over what follows them, and the net's steps without the rest. */
#ifndef LCL_FUSE_H
#define LCL_FUSE_H

#include "net_parts.h"

/* Offers each layer the layers after it, by the table of patterns in fuse.c, and notes in
 * net->layers whose forward and backward passes are taken over. */
lcl_status lcl_fuse(lcl_net *net, lcl_error *err);
/* Undoes it. */
lcl_status lcl_unfuse(lcl_net *net, lcl_error *err);

/* No step writes the blob any more. */
bool lcl_is_fused_away(const lcl_net *net, size_t blob);

#endif
