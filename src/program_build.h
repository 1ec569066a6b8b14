/* Compiling one program. */
#ifndef LCL_PROGRAM_BUILD_H
#define LCL_PROGRAM_BUILD_H

#include "device_state.h"

typedef struct {
    const char *text;
    const char *file;    /* for messages: "relu" */
    const char *defines; /* for messages: "#define B 16\n#define V 16\n", or "" */
} lcl_program_source;

/* Several threads may build for one device at once. */
lcl_status lcl_program_build(cl_program *out, const lcl_device *dev,
                             const lcl_program_source *source, lcl_error *err);

/* What building it came to; `program` may be NULL. */
lcl_status lcl_program_failed(const lcl_device *dev, cl_program program,
                              const lcl_program_source *source, cl_int rc,
                              lcl_error *err);

#endif
