/* What a command is, how its arguments are read, and the list of commands. */
#ifndef LCL_COMMANDS_H
#define LCL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "lcl/blas.h"
#include "lcl/device.h"
#include "lcl/error.h"
#include "lcl/log.h"

/* --name VALUE, --name=VALUE, -name VALUE (Caffe's style); a switch where value is NULL
 * (--name, --noname, --name=true). */
typedef struct {
    const char *name;          /* "iterations" */
    const char *value;         /* "N" in the help text; NULL: a switch */
    const char *default_value; /* NULL: none */
    const char *help;          /* one line */
} lcl_option;

typedef struct lcl_args lcl_args;

typedef struct {
    const char *name; /* "train", or "proto" with its own sub-commands as positionals */
    const char *operands; /* "[SOLVER]" for the usage line */
    const char *summary;  /* one line */
    const char *help;     /* what the command does, with an example; printed by --help */
    const lcl_option *options;
    size_t n_options;
    int max_operands;
    /* Returns the exit code; where *err is filled, main prints it. */
    int (*run)(const lcl_args *args, lcl_error *err);
} lcl_command;

/* 0 done, 1 failed, 2 usage, 3 bad prototxt or model, 4 no usable device. */
int lcl_exit_code(lcl_status status);

size_t lcl_args_n_operands(const lcl_args *args);
const char *lcl_args_operand(const lcl_args *args, size_t i);
/* The value given, else the default, else NULL. */
const char *lcl_args_get(const lcl_args *args, const char *option);
/* Given on the command line. */
bool lcl_args_given(const lcl_args *args, const char *option);
bool lcl_args_switch(const lcl_args *args, const char *option);
lcl_status lcl_args_int(const lcl_args *args, const char *option, long min, long max,
                        long *out, lcl_error *err);

/* The options of every command that uses a device, to be spliced into its table. */
/* clang-format off */
#define LCL_DEVICE_OPTIONS                                                               \
    {"platform", "N|NAME", NULL, "OpenCL platform: number or part of its name"},         \
        {"device", "N|NAME|cpu|gpu|UUID", NULL, "OpenCL device"},                        \
        {"gpu", "N", NULL, "Caffe's flag: the same as --device N"},                      \
        {"gemm", "auto|clblast|own", "auto", "who multiplies matrices"}
/* clang-format on */

/* Opens the device of the options, else of LCL_PLATFORM / LCL_DEVICE, else the preferred
 * kind, and logs which one it is and why. */
lcl_status lcl_args_open_device(const lcl_args *args, lcl_preference prefer, lcl_log *log,
                                lcl_device **dev, lcl_error *err);
lcl_status lcl_args_gemm(const lcl_args *args, lcl_gemm_backend *out, lcl_error *err);

#define COMMAND(x) extern const lcl_command lcl_command_##x;
#include "commands/list.h"
#undef COMMAND

#endif
