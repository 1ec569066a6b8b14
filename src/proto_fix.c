/* Repairs a text rule by rule where the reader stops, until it reads to the end; see
 * proto_fix.h. */
#include "proto_fix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto_fix_rules.h"

#define REPAIRS_AT_A_PLACE 16 /* more lead nowhere */
#define REPAIRS_IN_ALL 10000

/* Tried in this order: the characters at the fault before the words around it, and what
 * makes sense of a word before what deletes something. */
static const lcl_fix_rule rules[] = {
    lcl_fix_half_quoted,   lcl_fix_look_alike,     lcl_fix_note,
    lcl_fix_unclosed,      lcl_fix_unquoted,       lcl_fix_quoted,
    lcl_fix_glued_number,  lcl_fix_glued_word,     lcl_fix_sign,
    lcl_fix_wrong_brace,   lcl_fix_swallowed,      lcl_fix_missing_brace,
    lcl_fix_surplus_brace, lcl_fix_misspelt_field, lcl_fix_misspelt_value,
    lcl_fix_stray,         lcl_fix_given_twice,
};

typedef struct {
    const ProtobufCMessageDescriptor *type;
    const char *name;
    const lcl_proto_names *known;
    size_t n_known;
    lcl_repairs repairs;
    size_t refused;   /* see lcl_fault */
    size_t furthest;  /* byte of the text as it was where the reader stopped */
    int here, in_all; /* repairs since it came so far, and since the start */
    lcl_error *err;
} fixer;

bool lcl_fix_replace(lcl_fault *f, size_t from, size_t to, const char *format, ...)
{
    lcl_text now = {0};
    va_list args;

    lcl_text_add(&now, "");
    va_start(args, format);
    lcl_text_vprintf(&now, format, args);
    va_end(args);
    lcl_repairs_replace(f->repairs, from, to, now.text, now.length);
    free(now.text);
    return true;
}

/* ---- Names ------------------------------------------------------------------------- */

/* The string that is the value of the field whose name stands at `place`. */
static bool find_string(const lcl_proto *doc, size_t place, lcl_token *string)
{
    lcl_tokenizer t = {.text = doc->text, .length = doc->length, .next = place};

    if (place == LCL_NO_PLACE)
        return false;
    lcl_tokenizer_next(&t);
    lcl_tokenizer_next(&t);
    if (lcl_token_is(&t, ":"))
        lcl_tokenizer_next(&t);
    *string = t.token;
    return string->kind == LCL_TOKEN_STRING;
}

/* The known name that `word` is or is a misspelling of, or NULL. */
static const char *meant(const lcl_proto_names *known, const char *word)
{
    size_t n = 0, slips;

    while (known->name(n))
        n++;
    const char **names = lcl_alloc(n, sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = known->name(i);
    const char *name = lcl_misspelt(word, names, n, &slips);
    free(names);
    return name;
}

static bool fix_name(fixer *f, const lcl_proto *doc, const ProtobufCMessage *message,
                     const lcl_proto_names *known)
{
    const ProtobufCFieldDescriptor *field =
        lcl_field_find(message->descriptor, known->field, strlen(known->field));
    const char *word = *(char *const *)lcl_field_at(message, field), *name;
    lcl_token string;

    if (!word || !find_string(doc, lcl_proto_place(doc, message, field->id), &string) ||
        string.length != strlen(word) + 2)
        return false;
    name = meant(known, word);
    if (!name || strcmp(name, word) == 0)
        return false;
    lcl_repairs_replace(&f->repairs, string.offset + 1, string.offset + string.length - 1,
                        name, strlen(name));
    return true;
}

/* Repairs the first misspelt name in `message`. */
static bool fix_names(fixer *f, const lcl_proto *doc, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;

    for (size_t i = 0; i < f->n_known; i++)
        if (f->known[i].type == type && fix_name(f, doc, message, &f->known[i]))
            return true;
    for (unsigned i = 0; i < type->n_fields; i++) {
        size_t n = type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE
                       ? lcl_field_count(message, &type->fields[i])
                       : 0;
        for (size_t k = 0; k < n; k++)
            if (fix_names(
                    f, doc,
                    *(ProtobufCMessage **)lcl_field_value(message, &type->fields[i], k)))
                return true;
    }
    return false;
}

/* ---- Faults ------------------------------------------------------------------------ */

/* The error that the reader stopped with, told by the text as it was. */
static lcl_status fail(const fixer *f, const lcl_parser *p)
{
    const lcl_repairs *r = &f->repairs;
    size_t line, column, word = lcl_repairs_origin(r, p->word.offset), width = 0;

    lcl_text_position(r->was, lcl_repairs_origin(r, p->place), &line, &column);
    if (!f->err)
        return LCL_EPROTO;
    snprintf(f->err->where, sizeof f->err->where, "%s:%zu:%zu", f->name, line, column);
    while (lcl_is_word(r->was[word + width]))
        width++;
    f->err->excerpt[0] = '\0';
    lcl_text_excerpt(r->was, r->was_length, word, width ? width : 1, f->err);
    return LCL_EPROTO;
}

static bool leads_on(fixer *f, const lcl_parser *p)
{
    size_t origin = lcl_repairs_origin(&f->repairs, p->place);

    if (origin > f->furthest) {
        f->furthest = origin;
        f->here = 0;
    }
    return f->here++ < REPAIRS_AT_A_PLACE && f->in_all++ < REPAIRS_IN_ALL;
}

static bool apply_rule(fixer *f, const lcl_parser *p)
{
    lcl_look look = {p->t.text, p->t.length, {f->type}, p->depth};
    lcl_fault fault = {p, &look, &f->repairs, f->refused};

    for (int i = 0; i < p->depth; i++)
        look.open[i + 1] = p->open[i].type;
    for (size_t i = 0; i < LCL_COUNT(rules); i++)
        if (rules[i](&fault)) {
            if (fault.refused != f->refused)
                f->furthest = 0;
            f->refused = fault.refused;
            return true;
        }
    return false;
}

/* ---- The whole --------------------------------------------------------------------- */

/* Makes the places of a document that was read from the repaired text those of the text as
 * it was. */
static void restore_places(lcl_proto *doc, const lcl_repairs *r)
{
    for (size_t i = 0; i < doc->capacity; i++)
        if (doc->places[i].message && doc->places[i].offset != LCL_NO_PLACE)
            doc->places[i].offset = lcl_repairs_origin(r, doc->places[i].offset);
    free(doc->text);
    doc->text = lcl_alloc(r->was_length + 1, 1);
    memcpy(doc->text, r->was, r->was_length);
    doc->length = r->was_length;
}

static lcl_status check(const fixer *f, lcl_proto *doc)
{
    restore_places(doc, &f->repairs);
    if (f->type == &caffe__net_parameter__descriptor)
        return lcl_proto_upgrade_net(doc, NULL, f->err);
    if (f->type == &caffe__solver_parameter__descriptor)
        return lcl_proto_upgrade_solver_type(doc, NULL, f->err);
    return LCL_OK;
}

/* Reads the text once and makes a repair where there is one to be made. */
static lcl_status step(fixer *f, bool *done)
{
    lcl_parser p = {.unknown = LCL_UNKNOWN_IS_ERROR, .err = f->err};
    const lcl_text *text = &f->repairs.text;
    char *copy = lcl_alloc(text->length + 1, 1);

    memcpy(copy, text->text, text->length);
    if (f->err)
        *f->err = (lcl_error){0};
    lcl_status status = lcl_parser_read(&p, f->type, f->name, copy, text->length);
    if (status == LCL_OK) {
        *done = !fix_names(f, p.doc, p.doc->root) || f->in_all++ == REPAIRS_IN_ALL;
        status = *done ? check(f, p.doc) : LCL_OK;
    } else {
        status = leads_on(f, &p) && apply_rule(f, &p) ? LCL_OK : fail(f, &p);
    }
    lcl_proto_destroy(p.doc);
    return status;
}

lcl_status lcl_proto_fix(lcl_text *fixed, lcl_text *report,
                         const ProtobufCMessageDescriptor *type, const char *name,
                         const char *text, size_t length, const lcl_proto_names *known,
                         size_t n_known, lcl_error *err)
{
    fixer f = {
        .type = type, .name = name, .known = known, .n_known = n_known, .err = err};
    lcl_status status = LCL_OK;
    bool done = false;

    *fixed = *report = (lcl_text){0};
    lcl_repairs_start(&f.repairs, text, length);
    while (status == LCL_OK && !done)
        status = step(&f, &done);
    if (status == LCL_OK) {
        lcl_text_add(report, "");
        lcl_repairs_report(&f.repairs, name, report);
        *fixed = f.repairs.text;
        f.repairs.text = (lcl_text){0};
    }
    lcl_repairs_free(&f.repairs);
    return status;
}
