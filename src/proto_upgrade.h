/* The steps of the upgrade of old nets. */
#ifndef LCL_PROTO_UPGRADE_H
#define LCL_PROTO_UPGRADE_H

#include "proto.h"

/* Text of `layers { layer { type: "conv" ... } }` to `layers { type: CONVOLUTION ... }`.
 */
lcl_status lcl_upgrade_v0_net(lcl_proto *p, Caffe__NetParameter *net, lcl_log *log,
                              lcl_error *err);

/* Moves field `name` of `from` (where it is set) to field `to_name` of `to`, with its
 * place; a repeated target gets it added. */
void lcl_upgrade_move(lcl_proto *p, void *to, const char *to_name, void *from,
                      const char *name);
/* The sub-message `name` of `message`, made where it is missing, from where `origin` is.
 */
void *lcl_upgrade_part(lcl_proto *p, void *message, const char *name, const void *origin);

#endif
