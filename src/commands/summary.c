/* lenet-cl summary: what the layers of a net make, learn, compute and need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/net_args.h"
#include "text.h"

enum { LAYER, TYPE, OUTPUT, PARAMETERS, FLOPS, MEMORY, N_COLUMNS };

static const struct {
    const char *title;
    bool right;
} columns[N_COLUMNS] = {
    [LAYER] = {"layer", false},   [TYPE] = {"type", false},
    [OUTPUT] = {"output", false}, [PARAMETERS] = {"parameters", true},
    [FLOPS] = {"FLOPs", true},    [MEMORY] = {"memory", true},
};

typedef struct {
    char *cells[N_COLUMNS]; /* owned; NULL: empty */
} table_row;

typedef struct {
    table_row *rows; /* owned */
    size_t n;
} table;

/* Of a layer, or of all. */
typedef struct {
    size_t params, learned, shared; /* numbers of values */
    size_t tops, gradients;         /* bytes */
    double flops;
} cost;

/* ---- Numbers ----------------------------------------------------------------------- */

/* "60,965,224" */
static char *with_commas(size_t n)
{
    char *digits = lcl_format("%zu", n);
    size_t length = strlen(digits);
    lcl_text t = {0};

    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            lcl_text_add(&t, ",");
        lcl_text_add_bytes(&t, digits + i, 1);
    }
    free(digits);
    return t.text;
}

/* Three digits or more and a prefix: "1.72 M", "431". */
static char *with_prefix(double n, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P"};
    size_t i = 0;

    while (n >= 999.5 && i + 1 < LCL_COUNT(prefixes)) {
        n /= 1000;
        i++;
    }
    const int decimals = i == 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
    const bool bare = !*prefixes[i] && !*unit;
    return lcl_format("%.*f%s%s%s", decimals, n, bare ? "" : " ", prefixes[i], unit);
}

/* ---- Costs ------------------------------------------------------------------------- */

static bool owns_param(const lcl_net *net, const lcl_blob *b, bool *learned)
{
    for (size_t i = 0; i < lcl_net_n_params(net); i++)
        if (lcl_net_param_at(net, i)->blob == b) {
            *learned = lcl_net_param_at(net, i)->lr_mult != 0;
            return true;
        }
    return false;
}

static cost cost_of(const lcl_net *net, size_t index)
{
    const lcl_layer *l = lcl_net_layer(net, index);
    cost c = {.flops = l->type->flops ? l->type->flops(l) : 0};

    for (int i = 0; i < l->n_params; i++) {
        const size_t n = lcl_blob_count(l->params[i]);
        bool learned = false;
        if (owns_param(net, l->params[i], &learned)) {
            c.params += n;
            c.learned += learned ? n : 0;
        } else {
            c.shared += n;
        }
    }
    for (int i = 0; i < l->n_tops; i++) {
        const bool is_bottom = i == 0 && l->n_bottoms && l->tops[0] == l->bottoms[0];
        if (!is_bottom && (!l->type->is_view || l->plain))
            c.tops += lcl_blob_count(l->net_tops[i]) * sizeof(float);
    }
    if (lcl_net_layer_needs_backward(net, index) && !l->type->is_loss)
        c.gradients = c.tops;
    return c;
}

static void add_cost(cost *sum, const cost *c)
{
    sum->params += c->params;
    sum->learned += c->learned;
    sum->tops += c->tops;
    sum->gradients += c->gradients;
    sum->flops += c->flops;
}

/* Images a batch, as far as one can see: of the first layer without bottoms. 0: no net. */
static size_t batch_size(const lcl_net *net)
{
    for (size_t i = 0; i < lcl_net_n_layers(net); i++) {
        const lcl_layer *l = lcl_net_layer(net, i);
        if (l->type->is_source && l->n_tops > 0)
            return (size_t)lcl_blob_dim(l->tops[0], 0);
    }
    return 0;
}

/* ---- The table --------------------------------------------------------------------- */

static table_row *add_row(table *t)
{
    t->rows = lcl_resize(t->rows, t->n + 1, sizeof *t->rows);
    t->rows[t->n] = (table_row){{NULL}};
    return &t->rows[t->n++];
}

static void fill_costs(table_row *row, const cost *c)
{
    if (c->params > 0)
        row->cells[PARAMETERS] = with_commas(c->params);
    else if (c->shared > 0)
        row->cells[PARAMETERS] = lcl_strdup("shared");
    if (c->flops > 0)
        row->cells[FLOPS] = with_prefix(c->flops, "");
    if (c->tops + c->params > 0)
        row->cells[MEMORY] =
            with_prefix((double)(c->tops + c->params * sizeof(float)), "B");
}

/* "64x20x24x24", and the top's name where it is not the layer's. */
static char *output_text(const lcl_layer *l, int i)
{
    const lcl_blob *b = l->net_tops[i];
    lcl_text t = {0};

    for (int k = 0; k < b->n_axes; k++)
        lcl_text_printf(&t, "%s%d", k ? "x" : "", b->shape[k]);
    if (b->n_axes == 0)
        lcl_text_add(&t, "1");
    if (i == 0 && l->n_bottoms && l->tops[0] == l->bottoms[0])
        lcl_text_printf(&t, " in place of %s", b->name);
    else if ((size_t)i < l->param->n_top && strcmp(b->name, l->param->name) != 0)
        lcl_text_printf(&t, " %s", b->name);
    return t.text;
}

static void add_layer(table *t, const lcl_net *net, size_t index, const cost *c)
{
    const lcl_layer *l = lcl_net_layer(net, index);
    const lcl_net_stand_in *original = lcl_net_layer_stand_in(net, index);
    table_row *row = add_row(t);

    row->cells[LAYER] = lcl_strdup(l->param->name);
    row->cells[TYPE] = lcl_strdup(original ? original->layer->type : l->type->name);
    fill_costs(row, c);
    for (int i = 0; i < l->n_tops; i++) {
        if (i > 0)
            row = add_row(t);
        row->cells[OUTPUT] = output_text(l, i);
    }
}

/* All layers but those that the net inserted; their sum into *sum. */
static void fill_table(table *t, const lcl_net *net, cost *sum)
{
    for (size_t i = 0; i < lcl_net_n_layers(net); i++) {
        cost c = cost_of(net, i);
        if (strcmp(lcl_net_layer(net, i)->type->name, "Split") == 0)
            continue;
        add_cost(sum, &c);
        add_layer(t, net, i, &c);
    }
    table_row *row = add_row(t);
    row->cells[LAYER] = lcl_strdup("all");
    fill_costs(row, sum);
}

static void print_cells(const char *const *cells, const int *widths)
{
    int spaces = 0;

    for (int i = 0; i < N_COLUMNS; i++) {
        const char *cell = cells[i] ? cells[i] : "";
        const int gap = widths[i] - (int)strlen(cell);
        if (columns[i].right)
            spaces += gap;
        if (*cell) {
            printf("%*s%s", spaces, "", cell);
            spaces = 0;
        }
        spaces += columns[i].right ? 2 : gap + 2;
    }
    putchar('\n');
}

static void print_table(const table *t)
{
    const char *titles[N_COLUMNS];
    int widths[N_COLUMNS];

    for (int i = 0; i < N_COLUMNS; i++) {
        titles[i] = columns[i].title;
        widths[i] = (int)strlen(titles[i]);
        for (size_t k = 0; k < t->n; k++) {
            const char *cell = t->rows[k].cells[i];
            if (cell && (int)strlen(cell) > widths[i])
                widths[i] = (int)strlen(cell);
        }
    }
    print_cells(titles, widths);
    for (size_t k = 0; k < t->n; k++)
        print_cells((const char *const *)t->rows[k].cells, widths);
}

static void free_table(table *t)
{
    for (size_t k = 0; k < t->n; k++)
        for (int i = 0; i < N_COLUMNS; i++)
            free(t->rows[k].cells[i]);
    free(t->rows);
}

/* ---- Below it ---------------------------------------------------------------------- */

static void print_params(const cost *sum)
{
    char *all = with_commas(sum->params), *learned = with_commas(sum->learned);
    char *bytes = with_prefix((double)sum->params * sizeof(float), "B");

    if (sum->learned == sum->params)
        printf("parameters  %s, all learned; %s\n", all, bytes);
    else
        printf(
            "parameters  %s, %s learned (the others are statistics or have lr_mult 0); "
            "%s\n",
            all, learned, bytes);
    free(all);
    free(learned);
    free(bytes);
}

static void print_sum(const lcl_net *net, const cost *sum)
{
    const size_t batch = batch_size(net);
    char *image = with_prefix(batch ? sum->flops / (double)batch : 0, "FLOP");
    char *all = with_prefix(sum->flops, "FLOP");
    char *tops = with_prefix((double)sum->tops, "B");
    char *both = with_prefix((double)(sum->tops + sum->gradients), "B");

    putchar('\n');
    print_params(sum);
    printf(
        "forward     %s an image, %s a batch of %zu (convolutions, inner products, LSTM, "
        "RNN)\n",
        image, all, batch);
    printf("outputs     %s, with their gradients %s\n", tops, both);
    free(image);
    free(all);
    free(tops);
    free(both);
}

static void print_notes(const lcl_net *net)
{
    for (size_t i = 0; i < lcl_net_n_layers(net); i++) {
        const lcl_net_stand_in *original = lcl_net_layer_stand_in(net, i);
        if (original && original->why)
            printf("%s: %s (--input-shape gives another)\n", original->layer->name,
                   original->why);
    }
}

static void print_summary(const lcl_net *net)
{
    const Caffe__NetParameter *p = lcl_net_param_proto(net);
    table t = {0};
    cost sum = {0};

    printf("%s, phase %s\n\n", *lcl_net_name(net) ? lcl_net_name(net) : "A net",
           p->state->phase == CAFFE__PHASE__TEST ? "TEST" : "TRAIN");
    fill_table(&t, net, &sum);
    print_table(&t);
    print_sum(net, &sum);
    print_notes(net);
    free_table(&t);
}

static int run(const lcl_args *args, lcl_error *err)
{
    lcl_device *dev = NULL;
    lcl_net *net = NULL;
    lcl_log *log = lcl_log_create(stderr);
    lcl_status status = lcl_args_blank_net(args, log, &dev, &net, err);

    if (status == LCL_OK)
        print_summary(net);
    lcl_net_destroy(net);
    lcl_device_close(dev);
    lcl_log_destroy(log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {LCL_SHAPE_OPTIONS("TRAIN")};

const lcl_command lcl_command_summary = {
    .name = "summary",
    .operands = "",
    .summary = "shapes, parameters, FLOPs and memory of a net's layers",
    .help =
        "Prints for each layer of a net the shapes it makes, its parameters, the\n"
        "floating-point operations of a forward pass (a multiplication and an addition "
        "are\n"
        "two), and the memory of its outputs and parameters. It computes nothing, so it\n"
        "needs neither an OpenCL device nor the data: where a data layer's files are\n"
        "missing, crop_size (new_height and new_width) or --input-shape say the "
        "shape.\n\n"
        "  lenet-cl summary --model lenet_train_test.prototxt --input-shape 64,1,28,28\n"
        "  lenet-cl summary --model deploy.prototxt --input-shape data=1,3,224,224",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 0,
    .run = run,
};
