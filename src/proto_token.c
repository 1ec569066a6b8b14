/* Splits a prototxt into words, numbers, strings and symbols. */
#include "proto_token.h"

#include <stdlib.h>
#include <string.h>

typedef bool (*class_of)(char c);

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_alphanumeric(char c)
{
    return is_letter(c) || is_digit(c);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_escape(char c)
{
    return c != '\0' && strchr("abfnrtv\\?'\"", c) != NULL;
}

static unsigned digit_value(char c)
{
    return (unsigned)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
}

static char peek(const lcl_tokenizer *t)
{
    return t->next < t->length ? t->text[t->next] : '\0';
}

static bool take(lcl_tokenizer *t, char c)
{
    bool taken = t->next < t->length && t->text[t->next] == c;

    t->next += taken;
    return taken;
}

static bool take_one(lcl_tokenizer *t, class_of class)
{
    bool taken = t->next < t->length && class(t->text[t->next]);

    t->next += taken;
    return taken;
}

static bool take_all(lcl_tokenizer *t, class_of class)
{
    size_t start = t->next;

    while (take_one(t, class))
        ;
    return t->next > start;
}

/* Notes the first error. */
static void error_at(lcl_tokenizer *t, size_t offset, const char *what)
{
    if (t->error)
        return;
    t->error = what;
    t->error_offset = offset;
}

static void error(lcl_tokenizer *t, const char *what)
{
    error_at(t, t->next, what);
}

static void take_decimal(lcl_tokenizer *t, bool after_point, bool *is_float)
{
    take_all(t, is_digit);
    *is_float = after_point;
    if (!after_point && take(t, '.')) {
        *is_float = true;
        take_all(t, is_digit);
    }
    if (take(t, 'e') || take(t, 'E')) {
        *is_float = true;
        if (!take(t, '-'))
            take(t, '+');
        if (!take_all(t, is_digit))
            error(t, "\"e\" must be followed by exponent");
    }
    if (take(t, 'f') || take(t, 'F'))
        *is_float = true;
}

/* The rest of a number whose first character was taken. */
static lcl_token_kind take_number(lcl_tokenizer *t, char first)
{
    bool is_float = false;

    if (first == '0' && (take(t, 'x') || take(t, 'X'))) {
        if (!take_all(t, is_hex))
            error(t, "\"0x\" must be followed by hex digits");
    } else if (first == '0' && is_digit(peek(t))) {
        take_all(t, is_octal);
        if (is_digit(peek(t))) {
            error(t, "Numbers starting with leading zero must be in octal");
            take_all(t, is_digit);
        }
    } else {
        take_decimal(t, first == '.', &is_float);
    }

    if (is_letter(peek(t)))
        error(t, "Need space between number and identifier");
    else if (peek(t) == '.')
        error(t, is_float
                     ? "Already saw decimal point or exponent; can't have another one"
                     : "Hex and octal numbers must be integers");
    return is_float ? LCL_TOKEN_FLOAT : LCL_TOKEN_INTEGER;
}

static bool take_hex_digits(lcl_tokenizer *t, int n)
{
    while (n > 0 && take_one(t, is_hex))
        n--;
    return n == 0;
}

static void take_escape(lcl_tokenizer *t)
{
    if (take_one(t, is_escape) || take_one(t, is_octal))
        return;
    if (take(t, 'x')) {
        if (!take_hex_digits(t, 1))
            error(t, "Expected hex digits for escape sequence");
    } else if (take(t, 'u')) {
        if (!take_hex_digits(t, 4))
            error(t, "Expected four hex digits for \\u escape sequence");
    } else if (take(t, 'U')) {
        if (!take(t, '0') || !take(t, '0') || !(take(t, '0') || take(t, '1')) ||
            !take_hex_digits(t, 5))
            error(t, "Expected eight hex digits up to 10ffff for \\U escape sequence");
    } else {
        error(t, "Invalid escape sequence in string literal");
    }
}

static void take_string(lcl_tokenizer *t, char quote)
{
    while (!take(t, quote)) {
        if (peek(t) == '\0') {
            error(t, "Unexpected end of string");
            return;
        }
        if (peek(t) == '\n') {
            error(t, "String literals cannot cross line boundaries");
            return;
        }
        if (take(t, '\\'))
            take_escape(t);
        else
            t->next++;
    }
}

static bool is_of_comment(char c)
{
    return c != '\n' && c != '\0';
}

static void skip_space_and_comments(lcl_tokenizer *t)
{
    for (take_all(t, is_space); take(t, '#'); take_all(t, is_space))
        take_all(t, is_of_comment);
}

static lcl_token_kind take_token(lcl_tokenizer *t, const lcl_token *before)
{
    char c = t->text[t->next++];

    if (is_letter(c)) {
        take_all(t, is_alphanumeric);
        return LCL_TOKEN_IDENTIFIER;
    }
    if (c == '.' && is_digit(peek(t)) && before->kind == LCL_TOKEN_IDENTIFIER &&
        before->offset + before->length == t->token.offset)
        error_at(t, t->token.offset, "Need space between identifier and decimal point");
    if (is_digit(c) || (c == '.' && is_digit(peek(t))))
        return take_number(t, c);
    if (c == '"' || c == '\'') {
        take_string(t, c);
        return LCL_TOKEN_STRING;
    }
    if (c & 0x80)
        error_at(t, t->token.offset, "Interpreting non ascii codepoint");
    else if (c < ' ')
        error_at(t, t->token.offset, "Invalid control characters encountered in text");
    return LCL_TOKEN_SYMBOL;
}

bool lcl_tokenizer_next(lcl_tokenizer *t)
{
    lcl_token before = t->token;

    skip_space_and_comments(t);
    t->error = NULL;
    t->token = (lcl_token){LCL_TOKEN_END, t->next, 0};
    if (t->next == t->length)
        return true;
    t->token.kind = take_token(t, &before);
    t->token.length = t->next - t->token.offset;
    return !t->error;
}

bool lcl_token_is(const lcl_tokenizer *t, const char *word)
{
    return strlen(word) == t->token.length &&
           memcmp(t->text + t->token.offset, word, t->token.length) == 0;
}

bool lcl_token_integer(const lcl_tokenizer *t, uint64_t max, uint64_t *value)
{
    const char *digit = t->text + t->token.offset, *end = digit + t->token.length;
    unsigned base = 10;

    if (*digit == '0') {
        bool hex = t->token.length > 1 && (digit[1] | 0x20) == 'x';
        base = hex ? 16 : 8;
        digit += hex ? 2 : 0;
    }
    *value = 0;
    for (; digit < end; digit++) {
        unsigned d = digit_value(*digit);
        if (*value > (UINT64_MAX - d) / base)
            return false;
        *value = *value * base + d;
    }
    return *value <= max;
}

double lcl_token_double(const lcl_tokenizer *t)
{
    /* The byte after a number never belongs to one: the tokenizer saw to that. */
    return strtod(t->text + t->token.offset, NULL);
}

/* Reads up to n digits of the base. */
static uint32_t digits(const char **s, const char *end, int n, class_of class,
                       uint32_t base)
{
    uint32_t value = 0;

    for (; n > 0 && *s < end && class(**s); n--, ++*s)
        value = value * base + digit_value(**s);
    return value;
}

static void add_utf8(lcl_text *out, uint32_t code)
{
    char bytes[4];
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(first[n] | code);
    lcl_text_add_bytes(out, bytes, n);
}

/* \uXXXX or \UXXXXXXXX from after its letter; two \u surrogates make one character. */
static void add_unicode(lcl_text *out, const char **s, const char *end, int n)
{
    uint32_t code = digits(s, end, n, is_hex, 16);

    if (code >= 0xd800 && code < 0xdc00 && end - *s >= 6 && (*s)[0] == '\\' &&
        (*s)[1] == 'u') {
        const char *low = *s + 2;
        uint32_t trail = digits(&low, end, 4, is_hex, 16);
        if (trail >= 0xdc00 && trail < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (trail - 0xdc00);
            *s = low;
        }
    }
    add_utf8(out, code);
}

static void add_escape(lcl_text *out, const char **s, const char *end)
{
    static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
    char c = *(*s)++;

    if (c == 'u' || c == 'U') {
        add_unicode(out, s, end, c == 'u' ? 4 : 8);
        return;
    }
    if (is_octal(c)) {
        --*s;
        c = (char)digits(s, end, 3, is_octal, 8);
    } else if (c == 'x') {
        c = (char)digits(s, end, 2, is_hex, 16);
    } else if (strchr(names, c)) {
        c = values[strchr(names, c) - names];
    }
    lcl_text_add_bytes(out, &c, 1);
}

void lcl_token_string(const lcl_tokenizer *t, lcl_text *out)
{
    const char *s = t->text + t->token.offset + 1;
    const char *end = s + t->token.length - 2;

    while (s < end) {
        const char *plain = s;
        while (s < end && *s != '\\')
            s++;
        lcl_text_add_bytes(out, plain, (size_t)(s - plain));
        if (s < end) {
            s++;
            add_escape(out, &s, end);
        }
    }
}
