/* Records of tuned tiles as JSON; see tuning.h. */
#include "tuning.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "device_state.h"
#include "json_file.h"
#include "program_cache.h"
#include "text.h"

#define SIZE_LIMIT ((size_t)1 << 20) /* bytes of a record */

/* ---- Where ------------------------------------------------------------------------- */

char *lcl_tuning_path(const lcl_device_info *info)
{
    const char *wanted = getenv("LCL_TUNING");

    if (wanted && *wanted)
        return strcmp(wanted, "0") == 0 ? NULL : lcl_strdup(wanted);
    char *folder = lcl_cache_folder();
    if (!folder)
        return NULL;
    char *key = lcl_device_key(info);
    char *path = lcl_format("%s/tuning-%016llx.json", folder,
                            (unsigned long long)lcl_hash(0, key, strlen(key)));
    free(key);
    free(folder);
    return path;
}

/* ---- Reading ----------------------------------------------------------------------- */

static lcl_status fail_record(const char *path, const char *what, lcl_error *err)
{
    lcl_fail(err, LCL_EDATA, path, "%s", what);
    return lcl_hint(err, LCL_EDATA, "'lenet-cl tune --restart' makes a new one");
}

/* The place of one of a tile's values. */
static lcl_status read_value(lcl_tile tile, const json_t *value, size_t *index,
                             const char *path, lcl_error *err)
{
    const json_int_t number = json_integer_value(value);

    *index = lcl_tile_describe(tile)->n_allowed;
    if (json_is_integer(value) && number >= 0 && number <= 1 << 20)
        *index = lcl_tile_index(tile, (int)number);
    if (*index < lcl_tile_describe(tile)->n_allowed)
        return LCL_OK;
    return lcl_fail(err, LCL_EDATA, path, "tile \"%s\" has a value that it cannot take",
                    lcl_tile_describe(tile)->name);
}

static lcl_status read_tiles(lcl_tuning *out, json_t *tiles, json_t *tried,
                             const char *path, lcl_error *err)
{
    const char *name;
    json_t *value, *list;
    size_t i, index;

    json_object_foreach(tiles, name, value)
    {
        const lcl_tile tile = lcl_tile_find(name);
        if (tile == LCL_N_TILES)
            return lcl_fail(err, LCL_EDATA, path, "there is no tile \"%s\"", name);
        LCL_TRY(read_value(tile, value, &index, path, err));
        out->is_set[tile] = true;
        out->values[tile] = lcl_tile_describe(tile)->allowed[index];
    }
    json_object_foreach(tried, name, list)
    {
        const lcl_tile tile = lcl_tile_find(name);
        if (tile == LCL_N_TILES)
            return lcl_fail(err, LCL_EDATA, path, "there is no tile \"%s\"", name);
        json_array_foreach(list, i, value)
        {
            LCL_TRY(read_value(tile, value, &index, path, err));
            out->tried[tile] |= UINT32_C(1) << index;
        }
    }
    return LCL_OK;
}

static bool is_of_device(const lcl_device_info *info, const char *device,
                         const char *vendor, const char *version, const char *driver,
                         const char *platform)
{
    return strcmp(device, info->name) == 0 && strcmp(vendor, info->vendor) == 0 &&
           strcmp(version, info->version) == 0 && strcmp(driver, info->driver) == 0 &&
           strcmp(platform, info->platform_version) == 0;
}

static lcl_status read_root(lcl_tuning *out, json_t *root, const lcl_device_info *info,
                            const char *path, lcl_error *err)
{
    const char *schema, *ours, *device, *vendor, *version, *driver, *platform;
    json_t *tiles, *tried;
    json_error_t e;
    int schema_version;

    if (json_unpack_ex(root, &e, 0, "{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}",
                       "schema", &schema, "schema_version", &schema_version, "lenet_cl",
                       &ours, "device", &device, "vendor", &vendor, "version", &version,
                       "driver", &driver, "platform", &platform, "tiles", &tiles, "tried",
                       &tried) != 0)
        return fail_record(path, e.text, err);
    if (strcmp(schema, LCL_TUNING_SCHEMA) != 0 ||
        schema_version != LCL_TUNING_SCHEMA_VERSION)
        return fail_record(path, "is no tuning record that this version reads", err);
    if (strcmp(ours, LCL_VERSION) != 0)
        return fail_record(path, "is a tuning record of another version of lenet-cl",
                           err);
    if (!is_of_device(info, device, vendor, version, driver, platform))
        return fail_record(path, "is the tuning record of another device or driver", err);
    return read_tiles(out, tiles, tried, path, err);
}

lcl_status lcl_tuning_read(lcl_tuning *out, const lcl_device_info *info, const char *path,
                           lcl_error *err)
{
    char *text = NULL;
    size_t size = 0;
    json_error_t e;

    *out = (lcl_tuning){0};
    if (!lcl_file_exists(path))
        return LCL_OK;
    LCL_TRY(lcl_file_read(&text, &size, path, SIZE_LIMIT, err));
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &e);
    free(text);
    if (!root)
        return fail_record(path, e.text, err);
    const lcl_status status = read_root(out, root, info, path, err);
    if (status != LCL_OK)
        *out = (lcl_tuning){0};
    json_decref(root);
    return status;
}

void lcl_tuning_apply(lcl_device *dev)
{
    char *path = lcl_tuning_path(&dev->info);
    lcl_tuning tuning = {0};
    lcl_error err = {0};

    if (path && lcl_tuning_read(&tuning, &dev->info, path, &err) != LCL_OK)
        dev->warning =
            lcl_format("%s: %s; the default tiles are used", path, err.message);
    for (lcl_tile t = 0; t < LCL_N_TILES; t++)
        if (tuning.is_set[t])
            lcl_tile_set(dev, t, tuning.values[t]);
    free(path);
}

/* ---- Writing ----------------------------------------------------------------------- */

static json_t *tiles_to_json(const lcl_tuning *tuning)
{
    json_t *tiles = json_object();

    for (lcl_tile t = 0; t < LCL_N_TILES; t++)
        if (tuning->is_set[t])
            json_object_set_new(tiles, lcl_tile_describe(t)->name,
                                json_integer(tuning->values[t]));
    return tiles;
}

static json_t *tried_to_json(const lcl_tuning *tuning)
{
    json_t *tried = json_object();

    for (lcl_tile t = 0; t < LCL_N_TILES; t++) {
        const lcl_tile_info *info = lcl_tile_describe(t);
        if (tuning->tried[t] == 0)
            continue;
        json_t *list = json_array();
        for (size_t i = 0; i < info->n_allowed; i++)
            if (tuning->tried[t] & UINT32_C(1) << i)
                json_array_append_new(list, json_integer(info->allowed[i]));
        json_object_set_new(tried, info->name, list);
    }
    return tried;
}

lcl_status lcl_tuning_write(const lcl_tuning *tuning, const lcl_device_info *info,
                            const char *path, lcl_error *err)
{
    json_t *root = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "schema", LCL_TUNING_SCHEMA,
        "schema_version", LCL_TUNING_SCHEMA_VERSION, "lenet_cl", LCL_VERSION, "device",
        info->name, "vendor", info->vendor, "version", info->version, "driver",
        info->driver, "platform", info->platform_version, "tiles", tiles_to_json(tuning),
        "tried", tried_to_json(tuning));

    lcl_cache_make_folders(path);
    return lcl_json_write(root, path, "the record", err);
}
