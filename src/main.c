/* The lenet-cl program: finds the command, runs it, prints its error, returns its exit
 * code. */
#include <stdio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "commands/args.h"

static void print_error(const lcl_error *err)
{
    fflush(stdout);
    fprintf(stderr, "lenet-cl: %s%s%s\n", err->where, err->where[0] ? ": " : "",
            err->message);
    if (err->excerpt[0])
        fprintf(stderr, "%s\n", err->excerpt);
    if (err->hint[0])
        fprintf(stderr, "hint: %s\n", err->hint);
}

static int run(const lcl_args *args, lcl_request request, lcl_error *err)
{
    switch (request) {
    case LCL_ARGS_VERSION: lcl_args_print_version(stdout); return 0;
    case LCL_ARGS_HELP:
        lcl_args_print_help(stdout, lcl_args_command(args), lcl_commands);
        return 0;
    case LCL_ARGS_USAGE: lcl_args_print_help(stdout, NULL, lcl_commands); return 2;
    case LCL_ARGS_RUN: break;
    }
    return lcl_args_command(args)->run(args, err);
}

int main(int argc, char **argv)
{
    lcl_error err = {0};
    lcl_args *args = NULL;
    lcl_request request = LCL_ARGS_RUN;

#ifdef __GLIBC__
    /* One heap: the drivers' threads compile kernels, and one of their own takes 10 MB more. */
    mallopt(M_ARENA_MAX, 1);
#endif
    lcl_status status =
        lcl_args_parse(&args, &request, argc, argv, lcl_commands, stderr, &err);
    int code = status == LCL_OK ? run(args, request, &err) : lcl_exit_code(status);

    if (err.message[0])
        print_error(&err);
    lcl_args_destroy(args);
    return code;
}
