/* Reports as JSON. */
#ifndef LCL_VERIFY_REPORT_JSON_H
#define LCL_VERIFY_REPORT_JSON_H

#include "verify/report.h"

/* {"schema": "lenet-cl verify", "schema_version": 1, "devices": [{"name", "kind", "vendor",
 * "platform", "platform_version", "version", "driver", "lenet_cl", "block", "vector",
 * "quick", "seconds", "passed", "failed", "skipped", "advice": ["..."], "checks": [{"group",
 * "row", "name", "block", "direct", "fused", "where", "error", "limit", "passed", or
 * "failure" or "skipped" with the reason}]}]}. Written whole or not at all. */
lcl_status lcl_verify_write_json(const lcl_verify_report *report, const char *path,
                                 lcl_error *err);

#endif
