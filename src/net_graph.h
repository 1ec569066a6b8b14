/* A net as a message: which layers a phase has, and who reads whose blobs. */
#ifndef LCL_NET_GRAPH_H
#define LCL_NET_GRAPH_H

#include "lcl/net.h"

/* Turns the upgraded NetParameter p into the one to build: its state is that of the
 * options, layers that their include and exclude rules keep out are gone, blobs that
 * several layers read go through Split layers (named as Caffe names them), and every
 * layer has a phase and a name. Logs each rule that did not match, and the net before
 * splits were inserted. */
lcl_status lcl_net_graph_build(lcl_proto *p, const lcl_net_options *options,
                               lcl_error *err);

#endif
