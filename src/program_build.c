/* Compiles a program, and says where and why a driver's compiler did not take one. */
#include "program_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program_cache.h"
#include "program_source.h"

/* Without warnings: PoCL prints their number, and wide vectors passed to functions are one each. */
#define OPTIONS "-cl-std=CL1.2 -w"

static char *program_log(cl_program program, cl_device_id id)
{
    size_t size = 0;
    cl_int rc = clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    char *log = lcl_alloc(size + 1, 1);

    if (rc == CL_SUCCESS)
        clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, size, log, NULL);
    return log;
}

/* The first line of a build log that tells of an error (else its first line), cut out. */
static char *program_first_error(char *log)
{
    char *line = log;

    for (char *at = log; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        char *found = strstr(at, "error");

        if (found && found < at + strcspn(at, "\n")) {
            line = at;
            break;
        }
    }
    line[strcspn(line, "\n")] = '\0';
    return line;
}

/* Where a compiler's message points to; line 0 where it does not say. */
typedef struct {
    char file[64];
    int line, column;
} program_place;

/* The place in a message such as "cl/relu.cl:12:5: error: ..." or "error: cl/relu.cl:12:
 * ..."; *text moves past it. */
static program_place program_find_place(const char **text)
{
    const char *start = strstr(*text, "cl/");
    program_place place = {0};
    int end = 0;

    if (!start)
        return place;
    if (sscanf(start, "cl/%63[A-Za-z0-9_].cl:%d%n", place.file, &place.line, &end) < 2)
        return (program_place){0};
    start += end;
    if (sscanf(start, ":%d%n", &place.column, &end) == 1)
        start += end;
    *text = start + strspn(start, ": ");
    return place;
}

/* The source line at `place`, with a caret below, as the error's excerpt. */
static void program_excerpt(lcl_error *err, const program_place *place)
{
    char *source = NULL;
    const char *line;
    int length;

    if (!err || lcl_source_read(&source, place->file, NULL, NULL) != LCL_OK)
        return;
    line = source;
    for (int i = 1; i < place->line && *line; i++) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    length = (int)strcspn(line, "\n");
    if (length > 0 && length < 200 && place->column >= 1 && place->column <= length + 1)
        snprintf(err->excerpt, sizeof err->excerpt, "%.*s\n%*s^", length, line,
                 place->column - 1, "");
    free(source);
}

/* "-DB=16 -DV=16" of lines #define B 16 and so on. */
static char *program_settings(const char *defines)
{
    lcl_text out = {0};

    lcl_text_add(&out, "");
    for (const char *line = defines; *line; line += strcspn(line, "\n") + 1) {
        const char *name = line + strlen("#define ");
        const size_t length = strcspn(name, " ");
        const char *value = name + length + 1;

        lcl_text_printf(&out, "%s-D%.*s=%.*s", line == defines ? "" : " ", (int)length,
                        name, (int)strcspn(value, "\n"), value);
    }
    return out.text;
}

lcl_status lcl_program_failed(const lcl_device *dev, cl_program program,
                              const lcl_program_source *source, cl_int rc, lcl_error *err)
{
    char *log = program ? program_log(program, dev->info.id) : lcl_strdup("");
    const char *text = program_first_error(log);
    program_place place = program_find_place(&text);
    char where[96], *settings = program_settings(source->defines);
    lcl_status status;

    if (place.line > 0)
        snprintf(where, sizeof where, "cl/%s.cl:%d", place.file, place.line);
    else
        snprintf(where, sizeof where, "cl/%.63s.cl", source->file);
    status = lcl_fail(err, LCL_EDEVICE, where, "%s on %s with options '%.200s': %.400s",
                      lcl_cl_name(rc), dev->info.name, settings,
                      text[0] ? text : "the driver gives no reason");
    if (place.line > 0)
        program_excerpt(err, &place);
    free(settings);
    free(log);
    return lcl_hint(err, status,
                    "the device's compiler did not take this kernel; please report it "
                    "with the output of 'lenet-cl devices'");
}

lcl_status lcl_program_build(cl_program *out, const lcl_device *dev,
                             const lcl_program_source *source, lcl_error *err)
{
    const char *text = source->text;
    cl_int rc = CL_SUCCESS;
    cl_program program = lcl_cache_load(dev, text, OPTIONS);

    if (program) {
        *out = program;
        return LCL_OK;
    }
    program = clCreateProgramWithSource(dev->context, 1, &text, NULL, &rc);
    if (rc == CL_SUCCESS)
        rc = clBuildProgram(program, 1, &dev->info.id, OPTIONS, NULL, NULL);
    if (rc == CL_SUCCESS) {
        lcl_cache_store(dev, text, OPTIONS, program);
        *out = program;
        return LCL_OK;
    }
    lcl_status status = lcl_program_failed(dev, program, source, rc, err);
    if (program)
        clReleaseProgram(program);
    return status;
}
