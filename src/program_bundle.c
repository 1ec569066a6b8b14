/* Puts several programs into one source. A driver takes as long to start a compiler as to
 * compile one of our programs, or longer (PoCL 3.1: 24 programs of LeNet 2.7 s, one bundle of
 * them 1.0 s; from the driver's own cache 0.42 s and 0.04 s). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "program_source.h"

/* Pieces of a text, some of them again and again; owned. */
typedef struct {
    char **words;
    size_t n;
} word_list;

static bool has_word(const word_list *list, const char *start, size_t length)
{
    for (size_t i = 0; i < list->n; i++)
        if (strncmp(list->words[i], start, length) == 0 && !list->words[i][length])
            return true;
    return false;
}

static void add_word(word_list *list, const char *start, size_t length)
{
    if (has_word(list, start, length))
        return;
    lcl_list_add(&list->words, &list->n, lcl_format("%.*s", (int)length, start));
}

/* What a look at a program's text finds. */
typedef struct {
    const lcl_bundled *program;
    char *text;      /* the copy that is changed; owned */
    word_list names; /* functions, types and constants at file scope */
    word_list macros;
    int depth;              /* of brackets */
    char *kernel, *removed; /* where a kernel's first word is; where one that goes is */
} bundle_scan;

/* ---- Looking at a text ------------------------------------------------------------- */

static bool is_word_start(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static size_t word_length(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || s[n] == '_')
        n++;
    return n;
}

static bool is_word(const char *s, size_t length, const char *word)
{
    return strlen(word) == length && strncmp(s, word, length) == 0;
}

/* Spaces in place of all but the ends of lines. */
static void blank(char *start, const char *end)
{
    for (char *p = start; p < end; p++)
        if (*p != '\n')
            *p = ' ';
}

static void blank_comments(char *text)
{
    for (char *p = text; *p; p++) {
        char *end = NULL;

        if (p[0] == '/' && p[1] == '*')
            end = strstr(p + 2, "*/");
        else if (p[0] != '/' || p[1] != '/')
            continue;
        end = end ? end + 2 : p + strcspn(p, "\n");
        blank(p, end);
        p = end - 1;
    }
}

/* The end of a line that starts with '#', with those it goes on in. */
static char *directive(bundle_scan *s, char *line)
{
    char *word = line + 1 + strspn(line + 1, " \t"), *end = line;

    if (is_word(word, word_length(word), "define")) {
        word += strlen("define");
        word += strspn(word, " \t");
        add_word(&s->macros, word, word_length(word));
    }
    do {
        end += strcspn(end, "\n");
        end += *end == '\n';
    } while (*end && end - line >= 2 && end[-2] == '\\');
    return end;
}

static bool is_wanted(const lcl_bundled *p, const char *name, size_t length)
{
    for (size_t i = 0; i < p->n_kernels; i++)
        if (is_word(name, length, p->kernels[i]))
            return true;
    return false;
}

/* A word outside all brackets declares a name where one of these follows it. */
static char *file_scope_word(bundle_scan *s, char *word)
{
    const size_t length = word_length(word);
    const char *next = word + length + strspn(word + length, " \t\n");

    if (is_word(word, length, "kernel") || is_word(word, length, "__kernel")) {
        s->kernel = word;
    } else if (*next && strchr("([=;", *next) && strncmp(word, "__", 2) != 0) {
        if (s->kernel && !is_wanted(s->program, word, length))
            s->removed = s->kernel;
        else if (!has_word(&s->macros, word, length))
            add_word(&s->names, word, length);
        s->kernel = NULL;
    }
    return word + length;
}

static void bracket(bundle_scan *s, const char *p)
{
    s->depth += strchr("([{", *p) ? 1 : -1;
    if (*p == '}' && s->depth == 0 && s->removed) {
        blank(s->removed, p + 1);
        s->removed = NULL;
    }
}

static void scan(bundle_scan *s)
{
    char *p = s->text;
    bool line_start = true;

    blank_comments(s->text);
    while (*p) {
        if (line_start && *p == '#') {
            p = directive(s, p);
        } else if (is_word_start(*p)) {
            p = s->depth == 0 ? file_scope_word(s, p) : p + word_length(p);
            line_start = false;
        } else if (isdigit((unsigned char)*p)) {
            p += word_length(p);
            line_start = false;
        } else {
            if (strchr("([{}])", *p))
                bracket(s, p);
            if (!isspace((unsigned char)*p))
                line_start = false;
            else if (*p == '\n')
                line_start = true;
            p++;
        }
    }
}

/* ---- Putting them together --------------------------------------------------------- */

static void free_words(word_list *list)
{
    lcl_list_free(list->words, list->n);
}

static void add_program(lcl_text *out, const lcl_bundled *program, size_t index)
{
    bundle_scan s = {.program = program, .text = lcl_strdup(program->text)};

    scan(&s);
    for (size_t i = 0; i < s.names.n; i++) {
        char *name = lcl_bundle_name(s.names.words[i], index);

        lcl_text_printf(out, "#define %s %s\n", s.names.words[i], name);
        free(name);
    }
    lcl_text_add(out, s.text);
    for (size_t i = 0; i < s.names.n; i++)
        lcl_text_printf(out, "#undef %s\n", s.names.words[i]);
    for (size_t i = 0; i < s.macros.n; i++)
        lcl_text_printf(out, "#undef %s\n", s.macros.words[i]);
    free_words(&s.names);
    free_words(&s.macros);
    free(s.text);
}

char *lcl_bundle_name(const char *name, size_t index)
{
    return lcl_format("%s_%zu", name, index);
}

char *lcl_bundle_text(const lcl_bundled *programs, size_t n)
{
    lcl_text out = {0};

    for (size_t i = 0; i < n; i++)
        add_program(&out, &programs[i], i);
    return out.text;
}
