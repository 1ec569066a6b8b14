/* "Did you mean": the name that a word is a misspelling of; see text.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static bool text_same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t text_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Fewest insertions, deletions, replacements and swaps of neighbours that make b of a.
 * `rows` has room for 3 * (strlen(b) + 1) numbers. */
static size_t text_distance(const char *a, const char *b, size_t *rows)
{
    size_t n = strlen(a), m = strlen(b);
    size_t *before = rows, *last = rows + m + 1, *now = rows + 2 * (m + 1);

    for (size_t j = 0; j <= m; j++)
        now[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *oldest = before;

        before = last;
        last = now;
        now = oldest;
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t replaced = last[j - 1] + !text_same_letter(a[i - 1], b[j - 1]);

            now[j] = text_min(replaced, text_min(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && text_same_letter(a[i - 1], b[j - 2]) &&
                text_same_letter(a[i - 2], b[j - 1]))
                now[j] = text_min(now[j], before[j - 2] + 1);
        }
    }
    return now[m];
}

/* The nearest name within *slips slips, which becomes their number; *sole tells whether no
 * other name is as near. */
static const char *text_nearest(const char *word, const char *const *names,
                                size_t n_names, size_t *slips, bool *sole)
{
    size_t length = strlen(word), limit = *slips;
    size_t *rows = lcl_alloc(3 * (length + limit + 1), sizeof *rows);
    const char *nearest = NULL;

    *sole = true;
    for (size_t i = 0; i < n_names; i++) {
        size_t other = strlen(names[i]);

        if (other > length + limit || other + limit < length)
            continue;
        size_t distance = text_distance(word, names[i], rows);
        if (distance > limit || distance >= length)
            continue;
        *sole = !nearest || distance < limit;
        if (*sole)
            nearest = names[i];
        limit = distance;
    }
    free(rows);
    *slips = limit;
    return nearest;
}

/* One slip in words below six letters, then one for each three letters, but at most `most`. */
static size_t text_slips(const char *word, size_t most)
{
    size_t length = strlen(word);

    return length < 3 ? 1 : text_min(length / 3, most);
}

const char *lcl_nearest(const char *word, const char *const *names, size_t n_names)
{
    size_t slips = text_slips(word, 3);
    bool sole;

    return text_nearest(word, names, n_names, &slips, &sole);
}

/* The digits of both are the same: conv1 is no misspelt conv2. */
static bool text_same_digits(const char *a, const char *b)
{
    static const char digits[] = "0123456789";

    for (;; a++, b++) {
        a += strcspn(a, digits);
        b += strcspn(b, digits);
        if (*a != *b)
            return false;
        if (*a == '\0')
            return true;
    }
}

const char *lcl_misspelt(const char *word, const char *const *names, size_t n_names,
                         size_t *slips)
{
    bool sole;

    *slips = text_slips(word, 2);
    const char *name = text_nearest(word, names, n_names, slips, &sole);
    return name && sole && text_same_digits(word, name) ? name : NULL;
}
