/* The command line: finds the command, its flags and operands; help; the device flags. */
#include "commands/args.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "device_list.h"
#include "text.h"

#define PROGRAM "lenet-cl"

struct lcl_args {
    const lcl_command *command;
    const char **values; /* one per option of the command: NULL where not given */
    const char **operands;
    size_t n_operands;
};

const lcl_command *const lcl_commands[] = {
#define COMMAND(x) &lcl_command_##x,
#include "commands/list.h"
#undef COMMAND
    NULL,
};

/* Flags of Caffe's logging library, which scripts carry along. */
static const lcl_option ignored_flags[] = {
    {"logtostderr", NULL, NULL, ""},
    {"alsologtostderr", NULL, NULL, ""},
    {"colorlogtostderr", NULL, NULL, ""},
    {"log_prefix", NULL, NULL, ""},
    {"log_dir", "DIR", NULL, ""},
    {"log_link", "NAME", NULL, ""},
    {"minloglevel", "N", NULL, ""},
    {"stderrthreshold", "N", NULL, ""},
    {"v", "N", NULL, ""},
    {"vmodule", "LIST", NULL, ""},
    {"max_log_size", "N", NULL, ""},
    {"logbufsecs", "N", NULL, ""},
    {"logbuflevel", "N", NULL, ""},
    {"stop_logging_if_full_disk", NULL, NULL, ""},
};

/* Flags of the program itself. */
static const char *const help_flags[] = {"h", "help", "helpshort", "helpfull"};

/* Names that other programs use for our commands. */
static const struct {
    const char *name, *command;
} aliases[] = {{"device_query", "devices"}};

/* Short forms of flags, for the commands that have the long one. */
static const struct {
    const char *name, *flag;
} short_flags[] = {{"o", "out"}};

/* One flag as it stands on the line. */
typedef struct {
    char *name;        /* owned; without dashes and value */
    const char *value; /* behind '=' or the next word; NULL: none */
    const char *word;  /* as typed */
} flag;

typedef struct {
    flag *flags;
    size_t n_flags;
    const char **words; /* the command and its operands */
    size_t n_words;
} line;

/* '-' and '_' are the same in names. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
            return false;
    return *a == *b;
}

static const lcl_option *find_option(const lcl_option *options, size_t n,
                                     const char *name)
{
    for (size_t i = 0; i < LCL_COUNT(short_flags); i++)
        if (strcmp(name, short_flags[i].name) == 0)
            name = short_flags[i].flag;
    for (size_t i = 0; i < n; i++)
        if (same_name(options[i].name, name))
            return &options[i];
    return NULL;
}

static const lcl_option *command_option(const lcl_command *command, const char *name)
{
    return find_option(command->options, command->n_options, name);
}

static const lcl_option *ignored_flag(const char *name)
{
    return find_option(ignored_flags, LCL_COUNT(ignored_flags), name);
}

/* The option of that name of `command`, if it is known yet, else of the first that has it. */
static const lcl_option *any_option(const lcl_command *command,
                                    const lcl_command *const *commands, const char *name)
{
    const lcl_option *own = command ? command_option(command, name) : NULL;

    if (own)
        return own;
    for (; *commands; commands++) {
        const lcl_option *option = command_option(*commands, name);
        if (option)
            return option;
    }
    return ignored_flag(name);
}

static bool is_help(const char *name)
{
    for (size_t i = 0; i < LCL_COUNT(help_flags); i++)
        if (strcmp(name, help_flags[i]) == 0)
            return true;
    return false;
}

static void free_line(line *l)
{
    for (size_t i = 0; i < l->n_flags; i++)
        free(l->flags[i].name);
    free(l->flags);
    free(l->words);
}

static const lcl_command *find_command(const lcl_command *const *commands,
                                       const char *name)
{
    for (size_t i = 0; i < LCL_COUNT(aliases); i++)
        if (strcmp(name, aliases[i].name) == 0)
            name = aliases[i].command;
    for (; *commands; commands++)
        if (strcmp((*commands)->name, name) == 0)
            return *commands;
    return NULL;
}

/* Splits argv into flags with their values and words. A flag that no table knows takes no
 * value; it is reported once the command is known. Where commands disagree on whether a flag
 * takes a value, the one named before it decides. */
static void split_line(line *l, int argc, char **argv, const lcl_command *const *commands)
{
    bool flags_end = false;

    l->flags = lcl_alloc((size_t)argc, sizeof *l->flags);
    l->words = lcl_alloc((size_t)argc, sizeof *l->words);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (flags_end || word[0] != '-' || word[1] == '\0') {
            l->words[l->n_words++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            flags_end = true;
            continue;
        }
        const char *name = word + (word[1] == '-' ? 2 : 1);
        const char *equals = strchr(name, '=');
        flag *f = &l->flags[l->n_flags++];
        f->word = word;
        f->name = lcl_strdup(name);
        if (equals) {
            f->name[equals - name] = '\0';
            f->value = equals + 1;
        }
        const lcl_option *option = any_option(
            l->n_words ? find_command(commands, l->words[0]) : NULL, commands, f->name);
        if (!equals && option && option->value && i + 1 < argc)
            f->value = argv[++i];
    }
}

static lcl_status unknown_command(const lcl_command *const *commands, const char *name,
                                  lcl_error *err)
{
    const char *names[64];
    size_t n = 0;

    for (; *commands && n < LCL_COUNT(names); commands++)
        names[n++] = (*commands)->name;
    const char *near = lcl_nearest(name, names, n);
    lcl_fail(err, LCL_EUSAGE, "", "unknown command '%s'", name);
    if (near)
        return lcl_hint(err, LCL_EUSAGE, "did you mean '%s'?", near);
    return lcl_hint(err, LCL_EUSAGE, "'" PROGRAM " --help' lists the commands");
}

static lcl_status unknown_flag(const lcl_command *command,
                               const lcl_command *const *commands, const flag *f,
                               lcl_error *err)
{
    const char *names[64];
    size_t n = 0;

    for (size_t i = 0; i < command->n_options && n < LCL_COUNT(names); i++)
        names[n++] = command->options[i].name;
    lcl_fail(err, LCL_EUSAGE, "", "'%s' has no flag %s", command->name, f->word);
    const char *near = lcl_nearest(f->name, names, n);
    if (near)
        return lcl_hint(err, LCL_EUSAGE, "did you mean --%s?", near);
    for (; *commands; commands++)
        if (command_option(*commands, f->name))
            return lcl_hint(err, LCL_EUSAGE,
                            "it is a flag of '%s'; '" PROGRAM " %s --help' lists this "
                            "command's",
                            (*commands)->name, command->name);
    return lcl_hint(err, LCL_EUSAGE, "'" PROGRAM " %s --help' lists its flags",
                    command->name);
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"1", "t", "true", "y", "yes", "on"};
    static const char *const no[] = {"0", "f", "false", "n", "no", "off"};

    for (size_t i = 0; i < LCL_COUNT(yes); i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *out = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* Sets the option's value from a flag: --name, --name=true and so on for a switch. */
static lcl_status set_option(lcl_args *args, const lcl_option *option, const flag *f,
                             lcl_error *err)
{
    const char **value = &args->values[option - args->command->options];
    bool on = true;

    if (option->value && !f->value) {
        lcl_fail(err, LCL_EUSAGE, "", "flag %s needs a value", f->word);
        return lcl_hint(err, LCL_EUSAGE, "write --%s %s", option->name, option->value);
    }
    if (option->value) {
        *value = f->value;
        return LCL_OK;
    }
    if (f->value && !parse_bool(f->value, &on))
        return lcl_fail(err, LCL_EUSAGE, "",
                        "flag --%s: expected true or false, got '%s'", option->name,
                        f->value);
    *value = on ? "true" : "false";
    return LCL_OK;
}

/* --nofoo for a switch foo. */
static const lcl_option *negated_option(const lcl_command *command, const flag *f)
{
    if (strncmp(f->name, "no", 2) != 0 || f->value)
        return NULL;
    const lcl_option *option = command_option(command, f->name + 2);
    return option && !option->value ? option : NULL;
}

static bool is_ignored(const flag *f)
{
    if (ignored_flag(f->name))
        return true;
    if (strncmp(f->name, "no", 2) != 0 || f->value)
        return false;
    const lcl_option *option = ignored_flag(f->name + 2);
    return option && !option->value;
}

static lcl_status apply_flag(lcl_args *args, const lcl_command *const *commands,
                             const flag *f, FILE *warnings, lcl_error *err)
{
    const lcl_option *option = command_option(args->command, f->name);

    if (option)
        return set_option(args, option, f, err);
    option = negated_option(args->command, f);
    if (option) {
        args->values[option - args->command->options] = "false";
        return LCL_OK;
    }
    if (!is_ignored(f))
        return unknown_flag(args->command, commands, f, err);
    if (warnings)
        fprintf(warnings,
                PROGRAM ": warning: %s is a flag of Caffe's logging library; "
                        "ignored (the log goes to stderr)\n",
                f->word);
    return LCL_OK;
}

static lcl_status take_operands(lcl_args *args, const line *l, lcl_error *err)
{
    size_t n = l->n_words - 1;
    int most = args->command->max_operands;

    if (most >= 0 && n > (size_t)most) {
        lcl_fail(err, LCL_EUSAGE, "", "'%s' has no use for '%s'", args->command->name,
                 l->words[1 + most]);
        return lcl_hint(err, LCL_EUSAGE, "usage: " PROGRAM " %s [FLAGS] %s",
                        args->command->name, args->command->operands);
    }
    args->operands = lcl_alloc(n + 1, sizeof *args->operands);
    for (size_t i = 0; i < n; i++)
        args->operands[i] = l->words[i + 1];
    args->n_operands = n;
    return LCL_OK;
}

/* --help, --version and the word "help" come before everything else. */
static bool special_request(const line *l, lcl_request *request)
{
    for (size_t i = 0; i < l->n_flags; i++) {
        if (is_help(l->flags[i].name)) {
            *request = LCL_ARGS_HELP;
            return true;
        }
        if (strcmp(l->flags[i].name, "version") == 0) {
            *request = LCL_ARGS_VERSION;
            return true;
        }
    }
    return false;
}

/* Without a command only flags that no command knows are an error. */
static lcl_status check_lone_flags(const line *l, const lcl_command *const *commands,
                                   lcl_error *err)
{
    for (size_t i = 0; i < l->n_flags; i++) {
        const flag *f = &l->flags[i];
        if (!any_option(NULL, commands, f->name) && !is_ignored(f)) {
            lcl_fail(err, LCL_EUSAGE, "", "unknown flag %s", f->word);
            return lcl_hint(err, LCL_EUSAGE, "'" PROGRAM " --help' shows the usage");
        }
    }
    return LCL_OK;
}

static lcl_status read_line(lcl_args *args, lcl_request *request, const line *l,
                            const lcl_command *const *commands, FILE *warnings,
                            lcl_error *err)
{
    bool special = special_request(l, request);

    if (l->n_words == 0) {
        if (special)
            return LCL_OK;
        *request = LCL_ARGS_USAGE;
        return check_lone_flags(l, commands, err);
    }
    args->command = find_command(commands, l->words[0]);
    if (!args->command)
        return special && *request == LCL_ARGS_VERSION
                   ? LCL_OK
                   : unknown_command(commands, l->words[0], err);
    if (special)
        return LCL_OK;
    *request = LCL_ARGS_RUN;
    args->values = lcl_alloc(args->command->n_options + 1, sizeof *args->values);
    for (size_t i = 0; i < l->n_flags; i++)
        LCL_TRY(apply_flag(args, commands, &l->flags[i], warnings, err));
    return take_operands(args, l, err);
}

lcl_status lcl_args_parse(lcl_args **out, lcl_request *request, int argc, char **argv,
                          const lcl_command *const *commands, FILE *warnings,
                          lcl_error *err)
{
    lcl_args *args = lcl_alloc(1, sizeof *args);
    line l = {0};

    split_line(&l, argc, argv, commands);
    lcl_status status = read_line(args, request, &l, commands, warnings, err);
    free_line(&l);
    if (status != LCL_OK) {
        lcl_args_destroy(args);
        return status;
    }
    *out = args;
    return LCL_OK;
}

void lcl_args_destroy(lcl_args *args)
{
    if (!args)
        return;
    free(args->values);
    free(args->operands);
    free(args);
}

const lcl_command *lcl_args_command(const lcl_args *args)
{
    return args->command;
}

size_t lcl_args_n_operands(const lcl_args *args)
{
    return args->n_operands;
}

const char *lcl_args_operand(const lcl_args *args, size_t i)
{
    assert(i < args->n_operands);
    return args->operands[i];
}

static const char *given_value(const lcl_args *args, const char *name,
                               const lcl_option **option)
{
    *option = command_option(args->command, name);
    assert(*option && "the command's table has no such option");
    return args->values[*option - args->command->options];
}

const char *lcl_args_get(const lcl_args *args, const char *option)
{
    const lcl_option *found;
    const char *value = given_value(args, option, &found);
    return value ? value : found->default_value;
}

bool lcl_args_given(const lcl_args *args, const char *option)
{
    const lcl_option *found;
    return given_value(args, option, &found) != NULL;
}

bool lcl_args_switch(const lcl_args *args, const char *option)
{
    const char *value = lcl_args_get(args, option);
    return value && strcmp(value, "true") == 0;
}

lcl_status lcl_args_int(const lcl_args *args, const char *option, long min, long max,
                        long *out, lcl_error *err)
{
    const char *text = lcl_args_get(args, option);
    char *end = NULL;

    errno = 0;
    long value = text ? strtol(text, &end, 10) : 0;
    if (!text || end == text || *end != '\0')
        return lcl_fail(err, LCL_EUSAGE, "",
                        "flag --%s: expected a whole number, got '%s'", option,
                        text ? text : "");
    if (errno == ERANGE || value < min || value > max)
        return lcl_fail(err, LCL_EUSAGE, "", "flag --%s: %s is not between %ld and %ld",
                        option, text, min, max);
    *out = value;
    return LCL_OK;
}

/* ---- Device flags ------------------------------------------------------------------ */

static const char *not_empty(const char *text)
{
    return text && *text ? text : NULL;
}

/* --device, --gpu, LCL_DEVICE, or the caller's, in this order. */
static lcl_status chosen_device(const lcl_args *args, const char *fallback,
                                const char **device, lcl_error *err)
{
    const char *gpu = not_empty(lcl_args_get(args, "gpu"));

    *device = not_empty(lcl_args_get(args, "device"));
    if (*device && gpu && strcmp(*device, gpu) != 0)
        return lcl_fail(err, LCL_EUSAGE, "",
                        "--device %s and --gpu %s contradict each other", *device, gpu);
    if (!*device)
        *device = gpu;
    if (!*device)
        *device = not_empty(getenv("LCL_DEVICE"));
    if (!*device)
        *device = fallback;
    return LCL_OK;
}

static lcl_status device_choice(const lcl_args *args, const char *device,
                                lcl_preference prefer, lcl_device_choice *out,
                                lcl_error *err)
{
    *out = (lcl_device_choice){.prefer = prefer};
    LCL_TRY(chosen_device(args, device, &out->device, err));
    out->platform = not_empty(lcl_args_get(args, "platform"));
    if (!out->platform)
        out->platform = not_empty(getenv("LCL_PLATFORM"));
    return LCL_OK;
}

lcl_status lcl_args_device_choice(const lcl_args *args, const char *device,
                                  lcl_preference prefer, lcl_device_choice *out,
                                  lcl_error *err)
{
    LCL_TRY(device_choice(args, device, prefer, out, err));
    if (!out->device || (!strchr(out->device, ',') && strcmp(out->device, "all") != 0))
        return LCL_OK;
    lcl_fail(err, LCL_EUSAGE, "", "device %s: '%s' takes one device", out->device,
             args->command->name);
    return lcl_hint(err, LCL_EUSAGE,
                    "'" PROGRAM " devices' lists them; 'train' takes several");
}

static lcl_status open_device(const lcl_device_choice *choice, lcl_log *log,
                              lcl_device **dev, lcl_error *err)
{
    LCL_TRY(lcl_device_open(dev, choice, err));
    const lcl_device_info *info = lcl_device_get_info(*dev);
    LCL_LOG(log, "Using device %d: %s, %s (%s)", info->index, info->name,
            info->platform_name, lcl_device_reason(*dev));
    if (lcl_device_warning(*dev))
        LCL_WARN(log, "%s", lcl_device_warning(*dev));
    return LCL_OK;
}

lcl_status lcl_args_open_device_or(const lcl_args *args, const char *device,
                                   lcl_preference prefer, lcl_log *log, lcl_device **dev,
                                   lcl_error *err)
{
    lcl_device_choice choice;

    LCL_TRY(lcl_args_device_choice(args, device, prefer, &choice, err));
    return open_device(&choice, log, dev, err);
}

/* The numbers of all usable devices that `choice`, which says "all", means. */
static lcl_status list_all(const lcl_args *args, const lcl_device_choice *choice,
                           lcl_text *names, lcl_error *err)
{
    const bool gpus =
        !not_empty(lcl_args_get(args, "device")) && not_empty(lcl_args_get(args, "gpu"));
    const lcl_device_choice one = {choice->platform, gpus ? "gpu" : NULL, choice->prefer};
    lcl_device_info *list;
    char reason[160];
    size_t n, chosen;

    LCL_TRY(lcl_device_list(&list, &n, err));
    lcl_status status =
        lcl_device_choose(list, n, &one, &chosen, reason, sizeof reason, err);
    for (size_t i = 0; i < n && status == LCL_OK; i++)
        if (lcl_device_choose(&list[i], 1, &one, &chosen, reason, sizeof reason, NULL) ==
            LCL_OK)
            lcl_text_printf(names, "%s%d", names->length ? "," : "",
                            choice->platform ? list[i].device : list[i].index);
    free(list);
    return status;
}

lcl_status lcl_args_open_devices(const lcl_args *args, const char *device,
                                 lcl_preference prefer, lcl_log *log, lcl_devices *out,
                                 lcl_error *err)
{
    lcl_device_choice choice;
    lcl_text all = {0};
    lcl_status status = LCL_OK;

    *out = (lcl_devices){0};
    LCL_TRY(device_choice(args, device, prefer, &choice, err));
    if (choice.device && strcmp(choice.device, "all") == 0) {
        LCL_TRY(list_all(args, &choice, &all, err));
        choice.device = all.text;
    }
    size_t n_names;
    char **names = lcl_list_split(choice.device, &n_names);
    out->devices = lcl_alloc(n_names + 1, sizeof(lcl_device *));
    for (size_t i = 0; (i < n_names || i == 0) && status == LCL_OK; i++) {
        choice.device = n_names > 0 ? names[i] : NULL;
        status = open_device(&choice, log, &out->devices[i], err);
        out->n += status == LCL_OK;
    }
    lcl_list_free(names, n_names);
    free(all.text);
    return status;
}

void lcl_devices_close(lcl_devices *d)
{
    for (size_t i = 0; i < d->n; i++)
        lcl_device_close(d->devices[i]);
    free(d->devices);
}

lcl_status lcl_args_open_device(const lcl_args *args, lcl_preference prefer, lcl_log *log,
                                lcl_device **dev, lcl_error *err)
{
    return lcl_args_open_device_or(args, NULL, prefer, log, dev, err);
}

lcl_status lcl_args_gemm(const lcl_args *args, lcl_gemm_backend *out, lcl_error *err)
{
    return lcl_gemm_backend_parse(out, lcl_args_get(args, "gemm"), err);
}

/* ---- Help -------------------------------------------------------------------------- */

static void print_option(FILE *stream, const lcl_option *option)
{
    char left[80];

    snprintf(left, sizeof left, "--%s%s%s", option->name, option->value ? " " : "",
             option->value ? option->value : "");
    fprintf(stream, "  %-34s %s", left, option->help);
    if (option->default_value)
        fprintf(stream, " (default: %s)", option->default_value);
    fputc('\n', stream);
}

static void print_command_help(FILE *stream, const lcl_command *command)
{
    fprintf(stream, "usage: " PROGRAM " %s [FLAGS] %s\n\n%s\n", command->name,
            command->operands, command->help);
    if (command->n_options > 0)
        fputs("\nFlags (one or two dashes, before or after operands):\n", stream);
    for (size_t i = 0; i < command->n_options; i++)
        print_option(stream, &command->options[i]);
}

void lcl_args_print_help(FILE *stream, const lcl_command *command,
                         const lcl_command *const *commands)
{
    if (command) {
        print_command_help(stream, command);
        return;
    }
    fputs("usage: " PROGRAM " COMMAND [FLAGS] [OPERANDS]\n\nCommands:\n", stream);
    for (; *commands; commands++)
        fprintf(stream, "  %-16s %s\n", (*commands)->name, (*commands)->summary);
    fputs("\n'" PROGRAM " COMMAND --help' explains one command; '" PROGRAM
          " --version' prints the version.\n"
          "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad prototxt or model, 4 no "
          "usable\n"
          "device, 130 and 143 stopped by SIGINT or SIGTERM after the snapshot.\n",
          stream);
}

void lcl_args_print_version(FILE *stream)
{
    fputs(PROGRAM " " LCL_VERSION "\n", stream);
}

int lcl_exit_code(lcl_status status)
{
    switch (status) {
    case LCL_OK: return 0;
    case LCL_EUSAGE: return 2;
    case LCL_EPROTO:
    case LCL_ESHAPE: return 3;
    case LCL_ENODEVICE: return 4;
    case LCL_ESIGNAL: return 130;
    case LCL_EIO:
    case LCL_EDEVICE:
    case LCL_EDATA: break;
    }
    return 1;
}
