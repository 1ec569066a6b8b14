/* For tests of commands: lenet-cl run as a program in a folder of its own, its files, what it
 * prints. */
#ifndef LCL_PROGRAM_H
#define LCL_PROGRAM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"
#include "text.h"

static char program_folder[] = "/tmp/lcl-test-XXXXXX";

static inline void make_folder(void)
{
    strcpy(program_folder + strlen(program_folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(program_folder));
}

static inline void remove_folder(void)
{
    char *command = lcl_format("rm -r %s", program_folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
}

static inline void put(const char *name, const char *text)
{
    char *path = lcl_path_join(program_folder, name);
    lcl_error err;

    CHECK_OK(lcl_file_write(path, text, strlen(text), &err));
    free(path);
}

/* free() it. */
static inline char *get(const char *name)
{
    char *path = lcl_path_join(program_folder, name), *text;
    size_t size;
    lcl_error err;

    CHECK_OK(lcl_file_read(&text, &size, path, 0, &err));
    free(path);
    return text;
}

static inline bool exists(const char *name)
{
    char *path = lcl_path_join(program_folder, name);
    bool found = lcl_file_exists(path);

    free(path);
    return found;
}

/* Runs `lenet-cl ARGUMENTS` in the folder, with variables like "PATH=/none" (may be "") in its
 * environment; its output goes to the files out and err. $OLDPWD is the repository's root.
 * Returns its exit code. */
static inline int lenet_cl_with(const char *variables, const char *arguments)
{
    char *command = lcl_format("cd %s && %s \"$LENET_CL\" %s >out 2>err", program_folder,
                               variables, arguments);
    int status = system(command);

    free(command);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static inline int lenet_cl(const char *arguments)
{
    return lenet_cl_with("", arguments);
}

static inline void check_file(const char *name, const char *text)
{
    char *got = get(name);

    ck_assert_str_eq(got, text);
    free(got);
}

/* What of a long output a failed check shows. */
static inline const char *end_of(const char *text)
{
    const size_t length = strlen(text);

    return length > 2000 ? text + length - 2000 : text;
}

static inline void check_contains(const char *name, const char *text)
{
    char *got = get(name);

    ck_assert_msg(strstr(got, text) != NULL, "'%s' is not in '%s'", text, end_of(got));
    free(got);
}

static inline void check_lacks(const char *name, const char *text)
{
    char *got = get(name);

    ck_assert_msg(strstr(got, text) == NULL, "'%s' is in '%s'", text, end_of(got));
    free(got);
}

#endif
