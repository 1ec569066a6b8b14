/* Reports as JSON, in the schema that bench/README.md describes. */
#include "bench/report_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json_file.h"
#include "text.h"

/* ---- Writing ----------------------------------------------------------------------- */

/* Numbers that count nothing are left out. */
static void set_number(json_t *object, const char *key, double value)
{
    if (value > 0)
        json_object_set_new(object, key, json_real(value));
}

static json_t *time_to_json(const lcl_bench_time *time)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "min", time->min, "median", time->median,
                     "spread", time->spread, "repeats", (json_int_t)time->repeats);
}

static json_t *row_to_json(const lcl_bench_device *device, const lcl_bench_row *row)
{
    json_t *object = json_pack("{s:s, s:s, s:s}", "group", row->group, "name", row->name,
                               "variant", row->variant);

    if (row->skipped)
        json_object_set_new(object, "skipped", json_string(row->skipped));
    if (row->wrong)
        json_object_set_new(object, "wrong", json_true());
    if (row->time.repeats > 0)
        json_object_set_new(object, "seconds", time_to_json(&row->time));
    set_number(object, "flop", row->flop);
    set_number(object, "bytes", row->bytes);
    set_number(object, "images", row->images);
    if (row->error >= 0)
        json_object_set_new(object, "error", json_real(row->error));
    set_number(object, "of_peak", lcl_bench_share(device, row));
    return object;
}

static json_t *device_to_json(const lcl_bench_device *d)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < d->n_rows; i++)
        json_array_append_new(rows, row_to_json(d, &d->rows[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:s, s:s, s:s, s:b, "
                     "s:{s:f, s:f}, s:o}",
                     "name", d->name, "kind", d->kind, "vendor", d->vendor, "version",
                     d->version, "driver", d->driver, "platform", d->platform,
                     "compute_units", d->compute_units, "clock_mhz", d->clock_mhz,
                     "memory", d->memory, "lenet_cl", d->lenet_cl, "date", d->date,
                     "host", d->host, "quick", d->quick, "peak", "flops", d->flops,
                     "bandwidth", d->bandwidth, "rows", rows);
}

lcl_status lcl_bench_write_json(const lcl_bench_report *report, const char *path,
                                lcl_error *err)
{
    json_t *devices = json_array();

    for (size_t i = 0; i < report->n_devices; i++)
        json_array_append_new(devices, device_to_json(&report->devices[i]));
    json_t *root =
        json_pack("{s:s, s:i, s:o}", "schema", LCL_BENCH_SCHEMA, "schema_version",
                  LCL_BENCH_SCHEMA_VERSION, "devices", devices);
    return lcl_json_write(root, path, "the report", err);
}

/* ---- Reading ----------------------------------------------------------------------- */

/* The file being read. */
typedef struct {
    const char *path;
    lcl_error *err;
} reader;

static lcl_status fail_schema(const reader *r, const char *what, const json_error_t *why)
{
    return lcl_fail(r->err, LCL_EDATA, r->path, "%s: %s", what, why->text);
}

static char *copy_text(const char *text)
{
    return text ? lcl_strdup(text) : NULL;
}

static lcl_status read_time(const reader *r, json_t *object, lcl_bench_time *time)
{
    json_error_t why;
    json_int_t repeats = 0;

    if (json_unpack_ex(object, &why, 0, "{s:F, s:F, s:F, s:I}", "min", &time->min,
                       "median", &time->median, "spread", &time->spread, "repeats",
                       &repeats) != 0)
        return fail_schema(r, "a row's seconds", &why);
    if (repeats < 1 || time->min <= 0)
        return lcl_fail(r->err, LCL_EDATA, r->path,
                        "a row's seconds: repeats and min must be more than 0");
    time->repeats = (size_t)repeats;
    return LCL_OK;
}

static lcl_status read_row(const reader *r, json_t *object, lcl_bench_device *device)
{
    json_error_t why;
    json_t *seconds = NULL;
    const char *group, *name, *variant, *skipped = NULL;
    double flop = 0, bytes = 0, images = 0, error = -1;
    int wrong = 0;

    if (json_unpack_ex(object, &why, 0,
                       "{s:s, s:s, s:s, s?s, s?b, s?o, s?F, s?F, s?F, s?F}", "group",
                       &group, "name", &name, "variant", &variant, "skipped", &skipped,
                       "wrong", &wrong, "seconds", &seconds, "flop", &flop, "bytes",
                       &bytes, "images", &images, "error", &error) != 0)
        return fail_schema(r, "a row", &why);
    if (!lcl_bench_group_find(group))
        return lcl_fail(r->err, LCL_EDATA, r->path, "a row is of no known group: '%s'",
                        group);
    lcl_bench_row *row = lcl_bench_add_row(device, group, name, variant);
    row->skipped = copy_text(skipped);
    row->wrong = wrong != 0;
    row->flop = flop;
    row->bytes = bytes;
    row->images = images;
    row->error = error;
    return seconds ? read_time(r, seconds, &row->time) : LCL_OK;
}

static lcl_status read_device(const reader *r, json_t *object, lcl_bench_device *d)
{
    json_error_t why;
    json_t *rows, *row;
    size_t i;
    int quick = 0;
    struct {
        const char *key;
        char **text;
    } const texts[] = {
        {"name", &d->name},         {"kind", &d->kind},     {"vendor", &d->vendor},
        {"version", &d->version},   {"driver", &d->driver}, {"platform", &d->platform},
        {"lenet_cl", &d->lenet_cl}, {"date", &d->date},     {"host", &d->host}};

    for (i = 0; i < LCL_COUNT(texts); i++) {
        const char *text;
        if (json_unpack_ex(object, &why, 0, "{s:s}", texts[i].key, &text) != 0)
            return fail_schema(r, "a device", &why);
        *texts[i].text = lcl_strdup(text);
    }
    if (json_unpack_ex(object, &why, 0, "{s:F, s:F, s:F, s:b, s:{s:F, s:F}, s:o}",
                       "compute_units", &d->compute_units, "clock_mhz", &d->clock_mhz,
                       "memory", &d->memory, "quick", &quick, "peak", "flops", &d->flops,
                       "bandwidth", &d->bandwidth, "rows", &rows) != 0)
        return fail_schema(r, "a device", &why);
    d->quick = quick != 0;
    if (!json_is_array(rows))
        return lcl_fail(r->err, LCL_EDATA, r->path, "a device's rows are no array");
    json_array_foreach(rows, i, row) LCL_TRY(read_row(r, row, d));
    return LCL_OK;
}

static lcl_status read_root(const reader *r, json_t *root, lcl_bench_report *report)
{
    json_t *devices, *device;
    size_t i;
    const char *schema = "";
    int version = 0;

    if (json_unpack(root, "{s:s, s:i}", "schema", &schema, "schema_version", &version) !=
            0 ||
        strcmp(schema, LCL_BENCH_SCHEMA) != 0)
        return lcl_fail(r->err, LCL_EDATA, r->path, "is no report of 'lenet-cl bench'");
    if (version != LCL_BENCH_SCHEMA_VERSION)
        return lcl_fail(r->err, LCL_EDATA, r->path,
                        "has schema version %d; this program reads version %d", version,
                        LCL_BENCH_SCHEMA_VERSION);
    devices = json_object_get(root, "devices");
    if (json_array_size(devices) == 0)
        return lcl_fail(r->err, LCL_EDATA, r->path, "has no devices");
    json_array_foreach(devices, i, device)
        LCL_TRY(read_device(r, device, lcl_bench_add_device(report)));
    return LCL_OK;
}

lcl_status lcl_bench_read_json(lcl_bench_report *report, const char *path, lcl_error *err)
{
    const reader r = {path, err};
    json_error_t why;
    char *text, where[256];
    size_t size;

    LCL_TRY(lcl_file_read(&text, &size, path, 64 << 20, err));
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (!root) {
        snprintf(where, sizeof where, "%.200s:%d:%d", path, why.line, why.column);
        return lcl_fail(err, LCL_EDATA, where, "is no JSON: %s", why.text);
    }
    lcl_status status = read_root(&r, root, report);
    json_decref(root);
    return status;
}
