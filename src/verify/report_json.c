/* Reports as JSON. */
#include "verify/report_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device_list.h"
#include "json_file.h"
#include "text.h"
#include "verify/advice.h"

static json_t *check_to_json(const lcl_verify_check *c)
{
    json_t *object = json_pack("{s:s, s:s, s:s, s:i, s:b, s:b}", "group", c->group, "row",
                               c->row, "name", c->name, "block", c->mode.block, "direct",
                               c->mode.direct, "fused", c->mode.fused);

    if (c->skipped)
        json_object_set_new(object, "skipped", json_string(c->skipped));
    else if (c->failure)
        json_object_set_new(object, "failure", json_string(c->failure));
    else {
        json_object_set_new(object, "where", json_string(c->where));
        /* JSON has no infinity. */
        json_object_set_new(object, "error", json_real(fmin(c->error, 1e30)));
        json_object_set_new(object, "limit", json_real(c->limit));
        json_object_set_new(object, "passed", json_boolean(lcl_verify_passed(c)));
    }
    return object;
}

static json_t *advice_to_json(const lcl_verify_device *d)
{
    json_t *list = json_array();
    size_t n;
    char **advice = lcl_verify_advice(d, &n);

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(advice[i]));
    lcl_list_free(advice, n);
    return list;
}

static json_t *device_to_json(const lcl_verify_device *d)
{
    const lcl_device_info *i = &d->info;
    const lcl_verify_counts n = lcl_verify_count(d);
    json_t *checks = json_array();

    for (size_t k = 0; k < d->n_checks; k++)
        json_array_append_new(checks, check_to_json(&d->checks[k]));
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:b, s:f, s:I, "
        "s:I, s:I, s:o, s:o}",
        "name", i->name, "kind", lcl_device_kind(i), "vendor", i->vendor, "platform",
        i->platform_name, "platform_version", i->platform_version, "version", i->version,
        "driver", i->driver, "lenet_cl", LCL_VERSION, "block", d->block, "vector",
        d->vector, "quick", d->quick, "seconds", d->seconds, "passed",
        (json_int_t)n.passed, "failed", (json_int_t)n.failed, "skipped",
        (json_int_t)n.skipped, "advice", advice_to_json(d), "checks", checks);
}

lcl_status lcl_verify_write_json(const lcl_verify_report *report, const char *path,
                                 lcl_error *err)
{
    json_t *devices = json_array();

    for (size_t i = 0; i < report->n_devices; i++)
        json_array_append_new(devices, device_to_json(&report->devices[i]));
    json_t *root = json_pack("{s:s, s:i, s:o}", "schema", "lenet-cl verify",
                             "schema_version", 1, "devices", devices);
    return lcl_json_write(root, path, "the report", err);
}
