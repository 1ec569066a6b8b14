/* A box per layer, with its type and options; layers that work in place are further lines of
 * the box they work in; an edge per bottom, labelled with the blob's shape. */
#include "commands/draw_dot.h"

#include <stdlib.h>
#include <string.h>

#include "proto.h"

typedef Caffe__LayerParameter layer_message;

enum { LINE_LENGTH = 32 }; /* characters of options in a box's line, if it can be */

typedef struct {
    const Caffe__NetParameter *graph;
    const lcl_net *net; /* may be NULL */
    size_t *boxes;      /* of each layer: the layer in whose box it is; owned */
    lcl_text *out;
} drawing;

/* ---- Colours ----------------------------------------------------------------------- */

/* Light boxes with dark text; lines and labels in a grey that light and dark pages show. */
typedef struct {
    const char *fill, *border;
} colours;

static const colours data_colours = {"#d5ecd0", "#58924b"};
static const colours loss_colours = {"#f6cfcd", "#bb4a45"};
static const colours other_colours = {"#e7e7e7", "#7d7d7d"};

#define TEXT_COLOUR "#1c1c1c"
#define LINE_COLOUR "#808080"

static const struct {
    colours colours;
    const char *types[12];
} kinds[] = {
    {{"#cbdff4", "#3f79b8"},
     {"Convolution", "Deconvolution", "InnerProduct", "Embed", "LSTM", "RNN"}},
    {{"#fbe1c8", "#c67c30"}, {"Pooling", "SPP"}},
    {{"#e5dbf3", "#7f62b3"}, {"BatchNorm", "LRN", "MVN", "Scale", "Bias"}},
    {{"#fbf0c4", "#b1922c"},
     {"AbsVal", "BNLL", "Clip", "ELU", "PReLU", "ReLU", "Sigmoid", "Softmax", "Swish",
      "TanH", "Dropout"}},
    {{"#f6cfcd", "#bb4a45"}, {"Accuracy"}},
};

static colours colours_of(const char *type)
{
    const lcl_layer_type *known = lcl_layer_find(type);

    if (known && known->is_source)
        return data_colours;
    if (known && known->is_loss)
        return loss_colours;
    for (size_t i = 0; i < LCL_COUNT(kinds); i++)
        for (size_t k = 0; k < LCL_COUNT(kinds[i].types) && kinds[i].types[k]; k++)
            if (strcmp(type, kinds[i].types[k]) == 0)
                return kinds[i].colours;
    return other_colours;
}

/* ---- Text -------------------------------------------------------------------------- */

/* Text inside of an HTML-like label. */
static void add_escaped(lcl_text *t, const char *s)
{
    for (; *s; s++) {
        if (*s == '&')
            lcl_text_add(t, "&amp;");
        else if (*s == '<')
            lcl_text_add(t, "&lt;");
        else if (*s == '>')
            lcl_text_add(t, "&gt;");
        else
            lcl_text_add_bytes(t, s, 1);
    }
}

/* A string in double quotes. */
static void add_quoted(lcl_text *t, const char *s)
{
    lcl_text_add(t, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            lcl_text_add(t, "\\");
        lcl_text_add_bytes(t, s, 1);
    }
    lcl_text_add(t, "\"");
}

/* ---- Options ----------------------------------------------------------------------- */

/* What the layer is in the prototxt. */
static const layer_message *said_layer(const drawing *d, size_t i)
{
    const lcl_net_stand_in *original = d->net ? lcl_net_layer_stand_in(d->net, i) : NULL;

    return original ? original->layer : d->graph->layer[i];
}

static const char *type_of(const layer_message *l)
{
    return l->type ? l->type : "";
}

static bool is_worth_a_line(const char *line)
{
    static const char *const not [] = {
        "engine:",      "backend:",    "prefetch:",      "mean_file:",
        "root_folder:", "mean_value:", "propagate_down:"};

    for (size_t i = 0; i < LCL_COUNT(not ); i++)
        if (strncmp(line, not [i], strlen(not [i])) == 0)
            return false;
    return true;
}

/* A tag around text, which must not be empty. */
static void add_tagged(lcl_text *t, const char *open, const char *s, const char *close)
{
    lcl_text_add(t, open);
    add_escaped(t, *s ? s : "?");
    lcl_text_add(t, close);
}

static void add_small(lcl_text *t, const char *s)
{
    add_tagged(t, "<FONT POINT-SIZE=\"10\">", s, "</FONT>");
}

/* Puts the line of options out, if there is any. */
static void end_line(lcl_text *out, lcl_text *line)
{
    if (line->length == 0)
        return;
    lcl_text_add(out, "<BR/>");
    add_small(out, line->text);
    line->length = 0;
}

static void add_option(lcl_text *out, lcl_text *line, const char *option)
{
    if (line->length > 0 && line->length + strlen(option) + 2 > LINE_LENGTH)
        end_line(out, line);
    lcl_text_printf(line, "%s%s", line->length ? ", " : "", option);
}

/* The last part of a path in quotes: `source: "a/b"` as `source: b`. */
static char *without_folders(const char *option, size_t length)
{
    char *copy = lcl_format("%.*s", (int)length, option);
    char *value = strstr(copy, ": \"");

    if (!value || copy[length - 1] != '"')
        return copy;
    copy[length - 1] = '\0';
    const char *slash = strrchr(value, '/');
    char *text =
        lcl_format("%.*s: %s", (int)(value - copy), copy, slash ? slash + 1 : value + 3);
    free(copy);
    return text;
}

/* The fields of an option message that are values, not messages. */
static void add_message(lcl_text *out, lcl_text *line, const ProtobufCMessage *m)
{
    char *text = lcl_proto_print(m), *at = text;
    int depth = 0;

    while (*at) {
        const size_t length = strcspn(at, "\n");
        if (at[length - 1] == '{') {
            depth++;
        } else if (at[length - 1] == '}') {
            depth--;
        } else if (depth == 0 && is_worth_a_line(at)) {
            char *option = without_folders(at, length);
            add_option(out, line, option);
            free(option);
        }
        at += length + (at[length] == '\n');
    }
    free(text);
}

/* "<BR/>num_output: 20, kernel_size: 5" of all *_param messages. */
static void add_options(lcl_text *out, const layer_message *l)
{
    const ProtobufCMessageDescriptor *type = l->base.descriptor;
    lcl_text line = {0};

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        if (f->type != PROTOBUF_C_TYPE_MESSAGE || !lcl_has_suffix(f->name, "_param") ||
            lcl_field_count(&l->base, f) == 0)
            continue;
        add_message(out, &line,
                    *(ProtobufCMessage *const *)lcl_field_value(&l->base, f, 0));
    }
    end_line(out, &line);
    free(line.text);
}

/* ---- Boxes ------------------------------------------------------------------------- */

static bool is_split(const layer_message *l)
{
    return strcmp(type_of(l), "Split") == 0;
}

static bool is_in_place(const layer_message *l)
{
    return l->n_bottom == 1 && l->n_top == 1 && strcmp(l->bottom[0], l->top[0]) == 0;
}

/* The layer before layer `end` that made what it reads as `*blob`, and the top's number.
 * Through splits; *blob is then the split blob's name. */
static size_t find_maker(const drawing *d, size_t end, const char **blob, size_t *top)
{
    for (size_t i = end; i-- > 0;) {
        const layer_message *l = d->graph->layer[i];
        for (size_t k = 0; k < l->n_top; k++) {
            if (strcmp(l->top[k], *blob) != 0)
                continue;
            if (is_split(l)) {
                *blob = l->bottom[0];
                return find_maker(d, i, blob, top);
            }
            *top = k;
            return i;
        }
    }
    return end;
}

static void find_boxes(drawing *d)
{
    for (size_t i = 0; i < d->graph->n_layer; i++) {
        const layer_message *l = d->graph->layer[i];
        const char *blob = l->n_bottom ? l->bottom[0] : NULL;
        size_t top;
        d->boxes[i] = is_in_place(l) ? d->boxes[find_maker(d, i, &blob, &top)] : i;
    }
}

static void add_box(const drawing *d, size_t box)
{
    const layer_message *l = said_layer(d, box);
    const colours c = colours_of(type_of(l));
    lcl_text *out = d->out;

    lcl_text_printf(out, "  layer%zu [fillcolor=\"%s\" color=\"%s\" label=<", box, c.fill,
                    c.border);
    add_tagged(out, "<B>", l->name, "</B><BR/>");
    add_escaped(out, type_of(l));
    add_options(out, l);
    for (size_t i = box + 1; i < d->graph->n_layer; i++) {
        const layer_message *inside = d->graph->layer[i];
        if (d->boxes[i] != box)
            continue;
        lcl_text_add(out, "<BR/>");
        add_escaped(out, type_of(inside));
        lcl_text_add(out, " ");
        add_small(out, inside->name);
        add_options(out, inside);
    }
    lcl_text_add(out, ">];\n");
}

/* ---- Edges ------------------------------------------------------------------------- */

/* "64x20x24x24", with "label: " before it where the layer has several tops; nothing where
 * nothing is known. */
static char *edge_label(const drawing *d, const layer_message *maker, const char *blob)
{
    const lcl_blob *b = d->net ? lcl_net_blob(d->net, blob) : NULL;
    lcl_text t = {0};

    lcl_text_add(&t, " "); /* off the line */
    if (maker->n_top > 1)
        lcl_text_printf(&t, "%s%s", blob, b ? ": " : "");
    for (int i = 0; b && i < b->n_axes; i++)
        lcl_text_printf(&t, "%s%d", i ? "x" : "", b->shape[i]);
    return t.text;
}

static void add_edge(const drawing *d, size_t maker, const char *blob, const char *to,
                     size_t index)
{
    char *label = edge_label(d, d->graph->layer[maker], blob);

    lcl_text_printf(d->out, "  layer%zu -> %s%zu [label=", d->boxes[maker], to, index);
    add_quoted(d->out, label);
    lcl_text_add(d->out, "];\n");
    free(label);
}

static void add_edges(const drawing *d, size_t i)
{
    const layer_message *l = d->graph->layer[i];

    for (size_t k = 0; k < l->n_bottom; k++) {
        const char *blob = l->bottom[k];
        size_t top, maker = find_maker(d, i, &blob, &top);
        add_edge(d, maker, blob, "layer", i);
    }
}

static bool is_read(const drawing *d, size_t maker, const char *blob)
{
    for (size_t i = maker + 1; i < d->graph->n_layer; i++)
        for (size_t k = 0; k < d->graph->layer[i]->n_bottom; k++)
            if (strcmp(d->graph->layer[i]->bottom[k], blob) == 0)
                return true;
    return false;
}

/* Tops that no layer reads, but those of losses: a name at the end of an edge. */
static void add_outputs(const drawing *d, size_t i, size_t *n)
{
    const layer_message *l = d->graph->layer[i];
    const lcl_layer_type *known = lcl_layer_find(type_of(l));

    if (is_split(l) || (known && known->is_loss))
        return;
    for (size_t k = 0; k < l->n_top; k++) {
        if (is_read(d, i, l->top[k]))
            continue;
        lcl_text_printf(d->out,
                        "  output%zu [shape=plaintext style=\"\" fontcolor=\"%s\" "
                        "label=",
                        *n, LINE_COLOUR);
        add_quoted(d->out, l->top[k]);
        lcl_text_add(d->out, "];\n");
        add_edge(d, i, l->top[k], "output", (*n)++);
    }
}

/* ---- The graph --------------------------------------------------------------------- */

static void add_head(const drawing *d, const char *rankdir)
{
    const Caffe__NetParameter *g = d->graph;
    const char *phase = g->state->phase == CAFFE__PHASE__TEST ? "TEST" : "TRAIN";
    char *title =
        lcl_format("%s%s(%s)", g->name ? g->name : "", g->name ? " " : "", phase);

    lcl_text_add(d->out, "digraph ");
    add_quoted(d->out, g->name ? g->name : "net");
    lcl_text_printf(
        d->out,
        " {\n  graph [rankdir=%s bgcolor=transparent ranksep=0.4 nodesep=0.3 labelloc=t "
        "fontname=\"Helvetica\" fontsize=16 fontcolor=\"%s\" label=",
        rankdir, LINE_COLOUR);
    add_quoted(d->out, title);
    lcl_text_printf(d->out,
                    "];\n"
                    "  node [shape=box style=\"rounded,filled\" fontname=\"Helvetica\" "
                    "fontsize=12 fontcolor=\"%s\" margin=\"0.15,0.08\"];\n"
                    "  edge [fontname=\"Helvetica\" fontsize=10 color=\"%s\" "
                    "fontcolor=\"%s\" arrowsize=0.7];\n",
                    TEXT_COLOUR, LINE_COLOUR, LINE_COLOUR);
    free(title);
}

void lcl_draw_dot(lcl_text *out, const Caffe__NetParameter *graph, const lcl_net *net,
                  const char *rankdir)
{
    drawing d = {.graph = graph,
                 .net = net,
                 .boxes = lcl_alloc(graph->n_layer, sizeof *d.boxes),
                 .out = out};
    size_t n_outputs = 0;

    find_boxes(&d);
    add_head(&d, rankdir);
    for (size_t i = 0; i < graph->n_layer; i++)
        if (d.boxes[i] == i && !is_split(graph->layer[i])) {
            add_box(&d, i);
            add_edges(&d, i);
        }
    for (size_t i = 0; i < graph->n_layer; i++)
        add_outputs(&d, i, &n_outputs);
    lcl_text_add(out, "}\n");
    free(d.boxes);
}
