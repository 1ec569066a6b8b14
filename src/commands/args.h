/* Reading the command line: Caffe's flags with one or two dashes, anywhere on the line.
 */
#ifndef LCL_ARGS_H
#define LCL_ARGS_H

#include <stdio.h>

#include "commands/commands.h"

/* What the user asked for. HELP and VERSION go to stdout and succeed. */
typedef enum {
    LCL_ARGS_RUN,
    LCL_ARGS_HELP,
    LCL_ARGS_VERSION,
    LCL_ARGS_USAGE
} lcl_request;

/* NULL-terminated, in the order of commands/list.h. */
extern const lcl_command *const lcl_commands[];

/* Reads argv[1..argc) against the tables of `commands` (NULL-terminated). Flags may stand
 * before the command. USAGE: no command was given. Flags of glog that old scripts pass
 * are dropped with a warning to `warnings` (may be NULL). Strings are borrowed from argv.
 */
lcl_status lcl_args_parse(lcl_args **out, lcl_request *request, int argc, char **argv,
                          const lcl_command *const *commands, FILE *warnings,
                          lcl_error *err);
void lcl_args_destroy(lcl_args *args);
/* NULL where no command was named. */
const lcl_command *lcl_args_command(const lcl_args *args);

/* The help of one command, or of the program where it is NULL. */
void lcl_args_print_help(FILE *stream, const lcl_command *command,
                         const lcl_command *const *commands);
void lcl_args_print_version(FILE *stream);

/* What the flags, else LCL_PLATFORM and LCL_DEVICE, else `device` (may be NULL) ask for.
 */
lcl_status lcl_args_device_choice(const lcl_args *args, const char *device,
                                  lcl_preference prefer, lcl_device_choice *out,
                                  lcl_error *err);
/* lcl_args_open_device with a device to take where neither flag nor environment names one
 * (NULL: the preferred kind). */
lcl_status lcl_args_open_device_or(const lcl_args *args, const char *device,
                                   lcl_preference prefer, lcl_log *log, lcl_device **dev,
                                   lcl_error *err);

/* Devices to be used together. */
typedef struct {
    lcl_device **devices; /* array owned */
    size_t n;
} lcl_devices;

/* The same where the flags may name several, separated by commas, or "all" that can be used
 * (with --gpu: all GPUs). lcl_devices_close(out) also where it fails. */
lcl_status lcl_args_open_devices(const lcl_args *args, const char *device,
                                 lcl_preference prefer, lcl_log *log, lcl_devices *out,
                                 lcl_error *err);
void lcl_devices_close(lcl_devices *d);

#endif
