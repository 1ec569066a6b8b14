/* Repairs of a text: what it reads like, where its bytes came from, and the report. */
#include <stdlib.h>
#include <string.h>

#include "proto_repairs.h"
#include "rng.h"
#include "testing.h"

static lcl_repairs r;

static void replace(size_t from, size_t to, const char *now)
{
    lcl_repairs_replace(&r, from, to, now, strlen(now));
}

static void check(const char *text, const char *report)
{
    lcl_text lines = {0};

    lcl_text_add(&lines, "");
    lcl_repairs_report(&r, "t", &lines);
    ck_assert_str_eq(r.text.text, text);
    ck_assert_str_eq(lines.text, report);
    free(lines.text);
}

START_TEST(apart_and_together)
{
    lcl_repairs_start(&r, "one two\nthree", 13);
    check("one two\nthree", "");
    replace(8, 13, "3");
    replace(0, 3, "1st");
    replace(3, 4, "");
    check("1sttwo\n3",
          "t:1:1: one -> 1st\nt:1:4: a space -> nothing\nt:2:1: three -> 3\n");
    replace(2, 4, "_");
    check("1s_wo\n3", "t:1:1: one t -> 1s_\nt:2:1: three -> 3\n");
    replace(7, 7, "!");
    check("1s_wo\n3!", "t:1:1: one t -> 1s_\nt:2:1: three -> 3\nt:2:6: nothing -> !\n");
    replace(6, 7, "three");
    check("1s_wo\nthree!", "t:1:1: one t -> 1s_\nt:2:6: nothing -> !\n");
    lcl_repairs_free(&r);
}
END_TEST

START_TEST(undo)
{
    lcl_repairs_start(&r, "abcdef", 6);
    replace(0, 1, "A");
    replace(3, 4, "D");
    replace(5, 6, "F");
    lcl_repairs_undo(&r, 3);
    check("Abcdef", "t:1:1: a -> A\n");
    ck_assert_ptr_nonnull(lcl_repairs_at(&r, 0));
    ck_assert_ptr_null(lcl_repairs_at(&r, 1));
    lcl_repairs_free(&r);
}
END_TEST

START_TEST(what_one_does_not_see)
{
    static const char text[] = "a\xc2\xa0\xef\xbb\xbf\x01\xff\n  b";

    lcl_repairs_start(&r, text, sizeof text - 1);
    replace(0, sizeof text - 1, " ");
    check(" ", "t:1:1: a<U+00A0><U+FEFF><U+0001><FF>\\nb -> a space\n");
    lcl_repairs_free(&r);
}
END_TEST

/* The origin of a byte outside the repairs is the same byte; inside, its repair's start. */
static void check_origins(const char *was)
{
    for (size_t i = 0; i <= r.text.length; i++) {
        const lcl_repair *repair = lcl_repairs_at(&r, i);
        size_t origin = lcl_repairs_origin(&r, i);
        if (repair)
            ck_assert_uint_eq(origin, repair->offset);
        else
            ck_assert_int_eq(r.text.text[i], was[origin]);
    }
}

/* Any repairs read like the same changes of a plain string. */
START_TEST(changes_by_chance)
{
    static const char *const pieces[] = {"", "x", "yy", "zzzz"};
    static const char was[] = "abcdefghijklmnopqrstuvwxyz";
    lcl_rng rng;

    lcl_rng_init(&rng, 7);
    for (int i = 0; i < 500; i++) {
        char *plain = lcl_strdup(was);
        lcl_repairs_start(&r, was, strlen(was));
        for (int k = 0; k < 12; k++) {
            size_t length = strlen(plain), from = lcl_rng_next(&rng) % (length + 1);
            size_t to = from + lcl_rng_next(&rng) % 4;
            const char *now = pieces[lcl_rng_next(&rng) % LCL_COUNT(pieces)];
            to = to < length ? to : length;
            char *next = lcl_format("%.*s%s%s", (int)from, plain, now, plain + to);
            free(plain);
            plain = next;
            replace(from, to, now);
            ck_assert_str_eq(r.text.text, plain);
            check_origins(was);
        }
        free(plain);
        lcl_repairs_free(&r);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto_repairs");
    TCase *all = tcase_create("all");

    tcase_add_test(all, apart_and_together);
    tcase_add_test(all, undo);
    tcase_add_test(all, what_one_does_not_see);
    tcase_add_test(all, changes_by_chance);
    suite_add_tcase(suite, all);
    return testing_run(suite);
}
