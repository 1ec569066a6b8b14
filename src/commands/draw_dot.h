/* A net as a graph in Graphviz's language. */
#ifndef LCL_DRAW_DOT_H
#define LCL_DRAW_DOT_H

#include "lcl/net.h"
#include "text.h"

/* Adds the graph of the net `graph`, whose layers are filtered and whose blobs are split (see
 * net_graph.h), to `out`. `net` is the net built of it, which knows shapes; may be NULL.
 * `rankdir`: where the data flow, "TB", "LR", "BT" or "RL". */
void lcl_draw_dot(lcl_text *out, const Caffe__NetParameter *graph, const lcl_net *net,
                  const char *rankdir);

#endif
