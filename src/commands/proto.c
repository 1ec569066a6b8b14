/* lenet-cl proto: converts, checks, repairs and upgrades Caffe's files. */
#include "commands/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filler.h"
#include "lcl/layer.h"
#include "lcl/proto.h"
#include "learning_rate.h"
#include "proto_fix.h"
#include "text.h"
#include "update.h"

static const struct {
    const char *name;
    const ProtobufCMessageDescriptor *type;
} types[] = {
    {"net", &caffe__net_parameter__descriptor},
    {"solver", &caffe__solver_parameter__descriptor},
    {"state", &caffe__solver_state__descriptor},
    {"blob", &caffe__blob_proto__descriptor},
    {"datum", &caffe__datum__descriptor},
};

typedef struct {
    const ProtobufCMessageDescriptor *type;
    const char *path; /* "-": standard input */
    const char *out;  /* NULL: standard output */
    lcl_unknown unknown;
    lcl_log *log;
} job;

/* ---- Input and output -------------------------------------------------------------- */

static lcl_status read_stdin(char **bytes, size_t *size, lcl_error *err)
{
    lcl_text all = {0};
    char block[65536];
    size_t n;

    lcl_text_add(&all, "");
    while ((n = fread(block, 1, sizeof block, stdin)) > 0)
        lcl_text_add_bytes(&all, block, n);
    if (ferror(stdin)) {
        free(all.text);
        return lcl_fail(err, LCL_EIO, "stdin", "cannot read standard input");
    }
    *bytes = all.text;
    *size = all.length;
    return LCL_OK;
}

static bool is_text(const char *bytes, size_t size)
{
    size_t n = size < 512 ? size : 512;

    for (size_t i = 0; i < n; i++)
        if (bytes[i] >= 0 && bytes[i] < ' ' && !(bytes[i] >= '\t' && bytes[i] <= '\r'))
            return false;
    return true;
}

typedef enum { TEXT, BINARY, EITHER } form;

static const char *name_of(const job *j)
{
    return strcmp(j->path, "-") == 0 ? "stdin" : j->path;
}

static lcl_status read_bytes(const job *j, char **bytes, size_t *size, lcl_error *err)
{
    return strcmp(j->path, "-") == 0 ? read_stdin(bytes, size, err)
                                     : lcl_file_read(bytes, size, j->path, 0, err);
}

static lcl_status read_message(lcl_proto **p, const job *j, form wanted, lcl_error *err)
{
    char *bytes;
    size_t size;

    LCL_TRY(read_bytes(j, &bytes, &size, err));
    bool text = wanted == TEXT || (wanted == EITHER && is_text(bytes, size));
    lcl_status status =
        text ? lcl_proto_parse_text(p, j->type, name_of(j), bytes, size, j->unknown,
                                    j->log, err)
             : lcl_proto_parse_binary(p, j->type, name_of(j), bytes, size, err);
    free(bytes);
    return status;
}

static lcl_status write_bytes(const job *j, const void *bytes, size_t size,
                              lcl_error *err)
{
    if (j->out)
        return lcl_file_write(j->out, bytes, size, err);
    if ((size && fwrite(bytes, size, 1, stdout) != 1) || fflush(stdout) != 0)
        return lcl_fail(err, LCL_EIO, "stdout", "cannot write standard output");
    return LCL_OK;
}

static lcl_status write_text(const job *j, const lcl_proto *p, lcl_error *err)
{
    char *text = lcl_proto_print(lcl_proto_root(p));
    lcl_status status = write_bytes(j, text, strlen(text), err);

    free(text);
    return status;
}

/* --- the five things it does
 * ------------------------------------------------------------ */

static lcl_status encode(const job *j, lcl_error *err)
{
    lcl_proto *p;
    uint8_t *bytes;
    size_t size;

    if (!j->out && isatty(STDOUT_FILENO))
        return lcl_hint(err,
                        lcl_fail(err, LCL_EUSAGE, "",
                                 "a binary message is no text for a "
                                 "terminal"),
                        "add --out FILE, or send the output to a file or program");
    LCL_TRY(read_message(&p, j, TEXT, err));
    lcl_status status = lcl_proto_encode(&bytes, &size, lcl_proto_root(p), err);
    if (status == LCL_OK) {
        status = write_bytes(j, bytes, size, err);
        free(bytes);
    }
    lcl_proto_destroy(p);
    return status;
}

static lcl_status decode(const job *j, lcl_error *err)
{
    lcl_proto *p;

    LCL_TRY(read_message(&p, j, BINARY, err));
    lcl_status status = write_text(j, p, err);
    lcl_proto_destroy(p);
    return status;
}

static lcl_status read_upgraded(lcl_proto **p, const job *j, lcl_error *err)
{
    lcl_status status = LCL_OK;

    LCL_TRY(read_message(p, j, EITHER, err));
    if (j->type == &caffe__net_parameter__descriptor)
        status = lcl_proto_upgrade_net(*p, j->log, err);
    else if (j->type == &caffe__solver_parameter__descriptor)
        status = lcl_proto_upgrade_solver_type(*p, j->log, err);
    if (status != LCL_OK)
        lcl_proto_destroy(*p);
    return status;
}

static lcl_status check(const job *j, lcl_error *err)
{
    lcl_proto *p;

    LCL_TRY(read_upgraded(&p, j, err));
    printf("%s: ok\n", lcl_proto_name(p));
    lcl_proto_destroy(p);
    return LCL_OK;
}

static lcl_status upgrade(const job *j, lcl_error *err)
{
    lcl_proto *p;

    LCL_TRY(read_upgraded(&p, j, err));
    lcl_status status = write_text(j, p, err);
    lcl_proto_destroy(p);
    return status;
}

static const char *layer_name(size_t i)
{
    return lcl_layer_types[i] ? lcl_layer_types[i]->name : NULL;
}

static lcl_status fix(const job *j, lcl_error *err)
{
    static const lcl_proto_names known[] = {
        {&caffe__layer_parameter__descriptor, "type", layer_name},
        {&caffe__filler_parameter__descriptor, "type", lcl_filler_name},
        {&caffe__solver_parameter__descriptor, "type", lcl_update_type_name},
        {&caffe__solver_parameter__descriptor, "lr_policy", lcl_learning_rate_policy},
    };
    lcl_text fixed, report;
    char *bytes;
    size_t size;

    if (j->unknown == LCL_UNKNOWN_IS_WARNED)
        return lcl_fail(
            err, LCL_EUSAGE, "",
            "fix takes no --allow-unknown: it repairs fields or refuses them");
    LCL_TRY(read_bytes(j, &bytes, &size, err));
    lcl_status status = lcl_proto_fix(&fixed, &report, j->type, name_of(j), bytes, size,
                                      known, LCL_COUNT(known), err);
    free(bytes);
    if (status == LCL_OK)
        status = write_bytes(j, fixed.text, fixed.length, err);
    if (status == LCL_OK)
        fputs(report.text, stderr);
    free(fixed.text);
    free(report.text);
    return status;
}

static const struct {
    const char *name;
    lcl_status (*run)(const job *j, lcl_error *err);
} actions[] = {{"encode", encode},
               {"decode", decode},
               {"check", check},
               {"fix", fix},
               {"upgrade", upgrade}};

/* --- the command
 * ------------------------------------------------------------------------ */

static lcl_status find_type(job *j, const char *name, lcl_error *err)
{
    for (size_t i = 0; i < LCL_COUNT(types); i++)
        if (name && strcmp(name, types[i].name) == 0) {
            j->type = types[i].type;
            return LCL_OK;
        }
    lcl_fail(err, LCL_EUSAGE, "", "--type is '%s'", name ? name : "");
    return lcl_hint(err, LCL_EUSAGE, "it is one of net, solver, state, blob, datum");
}

static lcl_status run_action(job *j, const lcl_args *args, lcl_error *err)
{
    if (lcl_args_n_operands(args) != 2)
        return lcl_hint(
            err, lcl_fail(err, LCL_EUSAGE, "", "an action and one file are needed"),
            "lenet-cl proto check --type net lenet.prototxt");
    LCL_TRY(find_type(j, lcl_args_get(args, "type"), err));
    const char *name = lcl_args_operand(args, 0);
    j->path = lcl_args_operand(args, 1);
    for (size_t i = 0; i < LCL_COUNT(actions); i++)
        if (strcmp(name, actions[i].name) == 0)
            return actions[i].run(j, err);
    lcl_fail(err, LCL_EUSAGE, "", "there is no action '%s'", name);
    return lcl_hint(err, LCL_EUSAGE, "it is one of encode, decode, check, fix, upgrade");
}

static int run(const lcl_args *args, lcl_error *err)
{
    job j = {.out = lcl_args_get(args, lcl_args_given(args, "o") ? "o" : "out"),
             .unknown = lcl_args_switch(args, "allow-unknown") ? LCL_UNKNOWN_IS_WARNED
                                                               : LCL_UNKNOWN_IS_ERROR,
             .log = lcl_log_create(stderr)};
    lcl_status status = run_action(&j, args, err);

    lcl_log_destroy(j.log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"type", "net|solver|state|blob|datum", "net", "what the file holds"},
    {"out", "FILE", NULL, "write here, not to standard output"},
    {"o", "FILE", NULL, "the same as --out"},
    {"allow-unknown", NULL, NULL, "skip fields that Caffe does not have, with a warning"},
};

const lcl_command lcl_command_proto = {
    .name = "proto",
    .operands = "encode|decode|check|fix|upgrade FILE",
    .summary = "converts, checks, repairs and upgrades prototxts and models",
    .help =
        "encode writes a prototxt as a binary message, decode a binary message as text,\n"
        "check says whether Caffe would take the file, fix repairs a listing that was "
        "pasted\n"
        "from a web page (lost newlines, // notes, typographic quotes, misspelt names) "
        "and\n"
        "says what it changed, and upgrade writes an old net or solver (text or binary) "
        "in\n"
        "today's form, as text:\n"
        "  lenet-cl proto check --type solver lenet_solver.prototxt\n"
        "  lenet-cl proto fix --type net pasted.txt -o lenet.prototxt\n"
        "  lenet-cl proto decode --type net lenet.caffemodel\n"
        "FILE may be - for standard input.",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 2,
    .run = run,
};
