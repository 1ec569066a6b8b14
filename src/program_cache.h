/* Compiled programs kept on disk, for drivers that keep none themselves. LCL_CACHE_DIR or
 * $XDG_CACHE_HOME/lenet-cl or ~/.cache/lenet-cl is the folder; LCL_CACHE=0 turns the cache
 * off, LCL_CACHE=1 on for any driver. Nothing that goes wrong here is an error. */
#ifndef LCL_PROGRAM_CACHE_H
#define LCL_PROGRAM_CACHE_H

#include "device_state.h"

/* The source compiled with the options, ready for use; NULL where the cache has not got it
 * whole. */
cl_program lcl_cache_load(const lcl_device *dev, const char *source, const char *options);

/* Keeps a program that was compiled from that source with those options. */
void lcl_cache_store(const lcl_device *dev, const char *source, const char *options,
                     cl_program program);

/* The folder, new; NULL where the environment names none. */
char *lcl_cache_folder(void);
/* Makes the folders on the way to the file `path`; false where that cannot be done. */
bool lcl_cache_make_folders(const char *path);
/* All that tells a device, its driver and platform from others; new. */
char *lcl_device_key(const lcl_device_info *info);

#endif
