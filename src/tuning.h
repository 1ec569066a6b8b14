/* The record of a device's tiles: a JSON file that `lenet-cl tune` writes and that is read when
 * the device is opened. LCL_TUNING=0 turns records off, LCL_TUNING=FILE names one for all
 * devices; else it lies in the folder of the cache of compiled programs (program_cache.h), one
 * file for each device, driver and platform.
 *
 *     {
 *      "schema": "lenet-cl tuning", "schema_version": 1,
 *      "lenet_cl": "0.1.0",                        of this version
 *      "device": ..., "vendor": ..., "version": ..., "driver": ..., "platform": ...,
 *      "tiles": {"gemm": 28},                      what differs from the default
 *      "tried": {"gemm": [16, 20, 24, 28]}         values that need not be tried again
 *     }
 */
#ifndef LCL_TUNING_H
#define LCL_TUNING_H

#include "tile.h"

#define LCL_TUNING_SCHEMA "lenet-cl tuning"
#define LCL_TUNING_SCHEMA_VERSION 1

typedef struct {
    bool is_set[LCL_N_TILES]; /* false: the default */
    int values[LCL_N_TILES];
    uint32_t tried[LCL_N_TILES]; /* a bit for each allowed value, by its index */
} lcl_tuning;

/* The record's path, new; NULL where records are off or there is no folder for them. */
char *lcl_tuning_path(const lcl_device_info *info);
/* Everything unset where there is no such file. A damaged record, or one of another device
 * or version, is LCL_EDATA; *out is unset then too. */
lcl_status lcl_tuning_read(lcl_tuning *out, const lcl_device_info *info, const char *path,
                           lcl_error *err);
/* Writes the whole file or leaves it as it was; makes folders on the way. */
lcl_status lcl_tuning_write(const lcl_tuning *tuning, const lcl_device_info *info,
                            const char *path, lcl_error *err);

/* Sets the tiles of a device that was just opened; what is wrong with its record becomes the
 * device's warning. */
void lcl_tuning_apply(lcl_device *dev);

#endif
