/* The rules by which proto_fix.c repairs a text where the reader stopped. */
#ifndef LCL_PROTO_FIX_RULES_H
#define LCL_PROTO_FIX_RULES_H

#include "proto_look.h"
#include "proto_parser.h"
#include "proto_repairs.h"

/* Where the reader stopped. */
typedef struct {
    const lcl_parser *p;
    const lcl_look *look; /* the text that p read, and what is open */
    lcl_repairs *repairs; /* of that text; a rule adds one */
    size_t refused;       /* no note ends before this byte of the text as it was */
} lcl_fault;

/* A rule makes one repair where it knows one, else returns false. */
typedef bool (*lcl_fix_rule)(lcl_fault *f);

/* text[from, to) becomes what is printed. Returns true. */
bool lcl_fix_replace(lcl_fault *f, size_t from, size_t to, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The reader stopped at a word that is no field of the message. */
bool lcl_fault_at_unknown(const lcl_parser *p);
/* How many closing braces are missing before the end, or the unknown word, at which it
 * stopped. */
int lcl_fault_missing_braces(const lcl_fault *f);

/* proto_fix_notes.c */
bool lcl_fix_note(lcl_fault *f);      /* // note, and a field that was on the next line */
bool lcl_fix_swallowed(lcl_fault *f); /* the same behind # */
bool lcl_fix_given_twice(lcl_fault *f); /* a field that was part of a note after all */

/* proto_fix_marks.c */
bool lcl_fix_look_alike(lcl_fault *f);    /* full-width, typographic and invisible */
bool lcl_fix_half_quoted(lcl_fault *f);   /* "text and a typographic quote */
bool lcl_fix_unclosed(lcl_fault *f);      /* "text without its second quote */
bool lcl_fix_sign(lcl_fault *f);          /* no colon or comma, or = */
bool lcl_fix_wrong_brace(lcl_fault *f);   /* > for } */
bool lcl_fix_missing_brace(lcl_fault *f); /* of either kind */
bool lcl_fix_surplus_brace(lcl_fault *f);
bool lcl_fix_stray(lcl_fault *f); /* ~ and the like */

/* proto_fix_words.c */
bool lcl_fix_unquoted(lcl_fault *f);
bool lcl_fix_quoted(lcl_fault *f);       /* a word or number in quotes */
bool lcl_fix_glued_number(lcl_fault *f); /* 50kernel_size */
bool lcl_fix_glued_word(lcl_fault *f);   /* MAXkernel_size */
bool lcl_fix_misspelt_field(lcl_fault *f);
bool lcl_fix_misspelt_value(lcl_fault *f);

#endif
