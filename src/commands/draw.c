/* lenet-cl draw: a picture of a net, as DOT or, through Graphviz, as SVG. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "commands/draw_dot.h"
#include "commands/net_args.h"
#include "net_graph.h"

extern char **environ;

/* ---- Graphviz ---------------------------------------------------------------------- */

static lcl_status fail_io(lcl_error *err)
{
    return lcl_fail(err, LCL_EIO, "", "a temporary file: %s", strerror(errno));
}

/* Runs `dot -Tsvg` from one file to another. */
static lcl_status run_dot(FILE *from, FILE *to, lcl_error *err)
{
    char *const words[] = {"dot", "-Tsvg", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 0, code;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(from), 0);
    posix_spawn_file_actions_adddup2(&actions, fileno(to), 1);
    code = posix_spawnp(&child, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0) {
        lcl_fail(err, LCL_EIO, "dot", "Graphviz's program cannot be started: %s",
                 strerror(code));
        return lcl_hint(
            err, LCL_EIO,
            "SVG needs Graphviz: apt-get install graphviz; or write the graph "
            "itself, -o net.dot");
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return fail_io(err);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return lcl_fail(err, LCL_EIO, "dot", "Graphviz failed to draw the net");
    return LCL_OK;
}

static lcl_status read_all(FILE *from, lcl_text *out, lcl_error *err)
{
    char part[4096];
    size_t n;

    rewind(from);
    while ((n = fread(part, 1, sizeof part, from)) > 0)
        lcl_text_add_bytes(out, part, n);
    return ferror(from) ? fail_io(err) : LCL_OK;
}

/* Through files: neither side can wait for the other. */
static lcl_status make_svg(const lcl_text *dot, lcl_text *svg, lcl_error *err)
{
    FILE *from = tmpfile(), *to = from ? tmpfile() : NULL;
    lcl_status status = LCL_OK;

    if (!to || fwrite(dot->text, 1, dot->length, from) != dot->length ||
        fflush(from) != 0)
        status = fail_io(err);
    if (status == LCL_OK) {
        rewind(from);
        status = run_dot(from, to, err);
    }
    if (status == LCL_OK)
        status = read_all(to, svg, err);
    if (from)
        fclose(from);
    if (to)
        fclose(to);
    return status;
}

/* ---- The command ------------------------------------------------------------------- */

typedef struct {
    const char *out; /* NULL: standard output */
    const char *rankdir;
    bool svg;
    lcl_log *log;
} job;

/* The graph without shapes, where no net can be built. */
static lcl_status draw_graph(lcl_text *dot, const lcl_proto *model,
                             const lcl_net_options *options, const job *j, lcl_error *err)
{
    lcl_proto *copy = lcl_proto_copy(model, lcl_proto_root(model));
    lcl_status status = lcl_proto_upgrade_net(copy, NULL, err);

    if (status == LCL_OK)
        status = lcl_net_graph_build(copy, options, err);
    if (status == LCL_OK)
        lcl_draw_dot(dot, (Caffe__NetParameter *)lcl_proto_root(copy), NULL, j->rankdir);
    lcl_proto_destroy(copy);
    return status;
}

static lcl_status draw_net(lcl_text *dot, const lcl_proto *model,
                           const lcl_net_options *options, const job *j, lcl_error *err)
{
    lcl_device *dev = lcl_device_create_blank();
    lcl_net *net = NULL;
    lcl_error why = {0};
    lcl_status status = lcl_net_create(&net, dev, model, options, &why);

    if (status == LCL_OK) {
        lcl_draw_dot(dot, lcl_net_param_proto(net), net, j->rankdir);
    } else if (status == LCL_EUSAGE) {
        *err = why;
    } else {
        status = draw_graph(dot, model, options, j, err);
        if (status == LCL_OK)
            LCL_WARN(j->log, "Drawn without shapes: %s: %s%s%s", why.where, why.message,
                     *why.hint ? "; " : "", why.hint);
    }
    lcl_net_destroy(net);
    lcl_device_close(dev);
    return status;
}

static lcl_status write_out(const lcl_text *text, const job *j, lcl_error *err)
{
    if (j->out)
        return lcl_file_write(j->out, text->text, text->length, err);
    if (fwrite(text->text, 1, text->length, stdout) == text->length &&
        fflush(stdout) == 0)
        return LCL_OK;
    return lcl_fail(err, LCL_EIO, "standard output", "%s", strerror(errno));
}

static lcl_status draw(const lcl_args *args, const lcl_proto *model, const job *j,
                       lcl_error *err)
{
    lcl_shape_args shape;
    lcl_text dot = {0}, svg = {0};
    lcl_status status = lcl_args_shape(args, &shape, err);

    if (status == LCL_OK)
        status = draw_net(&dot, model, &shape.options, j, err);
    if (status == LCL_OK && j->svg)
        status = make_svg(&dot, &svg, err);
    if (status == LCL_OK)
        status = write_out(j->svg ? &svg : &dot, j, err);
    free(dot.text);
    free(svg.text);
    lcl_shape_args_free(&shape);
    return status;
}

static lcl_status check_args(const lcl_args *args, job *j, lcl_error *err)
{
    static const char *const rankdirs[] = {"TB", "LR", "BT", "RL"};
    bool known = false;

    j->out = lcl_args_get(args, "out");
    j->rankdir = lcl_args_get(args, "rankdir");
    for (size_t i = 0; i < LCL_COUNT(rankdirs); i++)
        known |= strcmp(j->rankdir, rankdirs[i]) == 0;
    if (!known)
        return lcl_fail(err, LCL_EUSAGE, "--rankdir", "it is TB, LR, BT or RL, not '%s'",
                        j->rankdir);
    j->svg = j->out && lcl_has_suffix(j->out, ".svg");
    if (j->out && !j->svg && !lcl_has_suffix(j->out, ".dot") &&
        !lcl_has_suffix(j->out, ".gv")) {
        lcl_fail(err, LCL_EUSAGE, "--out", "'%s' is neither a .svg nor a .dot file",
                 j->out);
        return lcl_hint(err, LCL_EUSAGE,
                        "Graphviz makes other formats of a .dot file: dot -Tpdf net.dot");
    }
    return LCL_OK;
}

static int run(const lcl_args *args, lcl_error *err)
{
    job j;
    lcl_proto *model = NULL;
    lcl_status status = check_args(args, &j, err);

    if (status != LCL_OK)
        return lcl_exit_code(status);
    j.log = lcl_log_create(stderr);
    status = lcl_args_read_model(args, j.log, &model, err);
    if (status == LCL_OK)
        status = draw(args, model, &j, err);
    lcl_proto_destroy(model);
    lcl_log_destroy(j.log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"out", "FILE.svg|FILE.dot", NULL, "write here, not DOT to standard output; also -o"},
    {"rankdir", "TB|LR|BT|RL", "TB", "from top to bottom, left to right, ..."},
    LCL_SHAPE_OPTIONS("TRAIN"),
};

const lcl_command lcl_command_draw = {
    .name = "draw",
    .operands = "",
    .summary = "draws a net, as SVG or DOT",
    .help =
        "Draws a net as a graph: a box for each layer with its options, layers that work "
        "in\n"
        "place in the box they work in, edges with the shapes of the blobs. SVG is made "
        "by\n"
        "Graphviz's program dot, which must be installed; DOT, its language, needs "
        "nothing.\n"
        "Data need not be there: see 'lenet-cl summary --help'. Where shapes cannot be\n"
        "known, the net is drawn without.\n\n"
        "  lenet-cl draw --model lenet_train_test.prototxt --input-shape 64,1,28,28 \\\n"
        "      -o lenet.svg",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 0,
    .run = run,
};
