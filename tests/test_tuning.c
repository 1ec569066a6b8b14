/* Tiles, records of them, and the search for faster ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/tune.h"
#include "fault.h"
#include "testing.h"
#include "text.h"
#include "tuning.h"

static char folder[] = "/tmp/lcl-test-tuning-XXXXXX";
static char path[64];

static const lcl_device_info *info(void)
{
    return lcl_device_get_info(testing_device());
}

static void forget(void)
{
    unlink(path);
    setenv("LCL_TUNING", path, 1);
}

static void write_text(const char *text)
{
    lcl_error err = {0};

    CHECK_OK(lcl_file_write(path, text, strlen(text), &err));
}

/* The record's text with `old` replaced by `new`; new string. */
static char *replaced(const char *old, const char *new)
{
    lcl_error err = {0};
    char *text = NULL;
    size_t size;

    CHECK_OK(lcl_file_read(&text, &size, path, 0, &err));
    const char *at = strstr(text, old);
    ck_assert_msg(at != NULL, "no '%s' in %s", old, text);
    char *out = lcl_format("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    free(text);
    return out;
}

static lcl_tuning some_tuning(void)
{
    lcl_tuning t = {0};

    t.is_set[LCL_TILE_GEMM] = true;
    t.values[LCL_TILE_GEMM] = 20;
    t.tried[LCL_TILE_GEMM] = 0x14;
    t.tried[LCL_TILE_BLOCK] = 1;
    return t;
}

/* ---- Tiles ------------------------------------------------------------------------- */

START_TEST(test_tiles)
{
    lcl_device *dev = testing_device();

    for (lcl_tile t = 0; t < LCL_N_TILES; t++) {
        const lcl_tile_info *i = lcl_tile_describe(t);
        ck_assert_int_eq(lcl_tile_find(i->name), t);
        ck_assert(i->n_allowed >= 2 && i->n_allowed <= 32);
        for (size_t k = 1; k < i->n_allowed; k++)
            ck_assert_int_lt(i->allowed[k - 1], i->allowed[k]);
        ck_assert(i->cpu == 0 || lcl_tile_index(t, i->cpu) < i->n_allowed);
        ck_assert_uint_lt(lcl_tile_index(t, i->other), i->n_allowed);
        ck_assert_int_eq(lcl_tile_get(dev, t), lcl_tile_default(dev, t));
    }
    ck_assert_int_eq(lcl_tile_find("nonesuch"), LCL_N_TILES);
    ck_assert_uint_eq(lcl_tile_index(LCL_TILE_GEMM, 23),
                      lcl_tile_describe(LCL_TILE_GEMM)->n_allowed);
    lcl_tile_set(dev, LCL_TILE_GEMM, 16);
    ck_assert_int_eq(lcl_tile_get(dev, LCL_TILE_GEMM), 16);
    ck_assert(lcl_tile_take_change(dev, LCL_TILE_GEMM));
    ck_assert(!lcl_tile_take_change(dev, LCL_TILE_GEMM));
    lcl_tile_set(dev, LCL_TILE_GEMM, lcl_tile_default(dev, LCL_TILE_GEMM));
}
END_TEST

/* ---- Records ----------------------------------------------------------------------- */

START_TEST(test_round_trip)
{
    const lcl_tuning t = some_tuning();
    lcl_tuning back;
    lcl_error err = {0};

    forget();
    CHECK_OK(lcl_tuning_read(&back, info(), path, &err));
    ck_assert(!back.is_set[LCL_TILE_GEMM] && back.tried[LCL_TILE_BLOCK] == 0);
    CHECK_OK(lcl_tuning_write(&t, info(), path, &err));
    CHECK_OK(lcl_tuning_read(&back, info(), path, &err));
    for (lcl_tile i = 0; i < LCL_N_TILES; i++) {
        ck_assert_int_eq(back.is_set[i], t.is_set[i]);
        ck_assert_int_eq(back.values[i], t.values[i]);
        ck_assert_uint_eq(back.tried[i], t.tried[i]);
    }
}
END_TEST

/* What the record at `path` is refused for; nothing of it is used. */
static void check_refused(const char *message)
{
    lcl_tuning back;
    lcl_error err = {0};

    CHECK_FAILS(lcl_tuning_read(&back, info(), path, &err), LCL_EDATA, message);
    for (lcl_tile i = 0; i < LCL_N_TILES; i++)
        ck_assert(!back.is_set[i] && back.tried[i] == 0);
}

START_TEST(test_damaged)
{
    static const char *const cases[][3] = {
        {"\"schema\"", "\"scheme\"", "schema"},
        {"lenet-cl tuning", "lenet-cl bench", "no tuning record that this version reads"},
        {"\"schema_version\": 1", "\"schema_version\": 2", "that this version reads"},
        {"\"lenet_cl\": \"", "\"lenet_cl\": \"9", "another version of lenet-cl"},
        {"\"driver\": \"", "\"driver\": \"x", "another device or driver"},
        {"\"gemm\": 20", "\"gemm\": 21", "tile \"gemm\" has a value that it cannot take"},
        {"\"gemm\": 20", "\"gemm\": \"20\"", "cannot take"},
        {"\"gemm\": 20", "\"gemm\": -1", "cannot take"},
        {"\"gemm\": 20", "\"gem\": 20", "there is no tile \"gem\""},
        {"\"gemm\": 20", "\"gemm\": 20, \"gemm\": 24", "duplicate"},
        {"\"tiles\": {", "\"tiles\": [{", ""},
    };
    const lcl_tuning t = some_tuning();
    lcl_error err = {0};

    forget();
    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        CHECK_OK(lcl_tuning_write(&t, info(), path, &err));
        char *text = replaced(cases[i][0], cases[i][1]);
        write_text(text);
        free(text);
        check_refused(cases[i][2]);
    }
    CHECK_OK(lcl_tuning_write(&t, info(), path, &err));
    char *text = replaced("\"tried\"", "");
    text[strlen(text) / 2] = '\0';
    write_text(text);
    free(text);
    check_refused("");
    write_text("");
    check_refused("");
}
END_TEST

static lcl_device *open_device(void)
{
    const lcl_device_choice choice = {getenv("LCL_PLATFORM"), getenv("LCL_DEVICE"),
                                      LCL_PREFER_ANY};
    lcl_device *dev = NULL;
    lcl_error err = {0};

    CHECK_OK(lcl_device_open(&dev, &choice, &err));
    return dev;
}

START_TEST(test_opening)
{
    const lcl_tuning t = some_tuning();
    lcl_error err = {0};

    forget();
    CHECK_OK(lcl_tuning_write(&t, info(), path, &err));
    lcl_device *dev = open_device();
    ck_assert_int_eq(lcl_tile_get(dev, LCL_TILE_GEMM), 20);
    ck_assert_ptr_null(lcl_device_warning(dev));
    lcl_device_close(dev);

    setenv("LCL_TUNING", "0", 1);
    ck_assert_ptr_null(lcl_tuning_path(info()));
    dev = open_device();
    ck_assert_int_eq(lcl_tile_get(dev, LCL_TILE_GEMM),
                     lcl_tile_default(dev, LCL_TILE_GEMM));
    lcl_device_close(dev);

    forget();
    write_text("{ half of");
    dev = open_device();
    ck_assert_int_eq(lcl_tile_get(dev, LCL_TILE_GEMM),
                     lcl_tile_default(dev, LCL_TILE_GEMM));
    ck_assert_ptr_nonnull(lcl_device_warning(dev));
    ck_assert_ptr_nonnull(strstr(lcl_device_warning(dev), path));
    lcl_device_close(dev);
}
END_TEST

START_TEST(test_place)
{
    lcl_error err = {0};
    const lcl_tuning t = some_tuning();

    unsetenv("LCL_TUNING");
    char *deep = lcl_format("%s/a/b", folder);
    setenv("LCL_CACHE_DIR", deep, 1);
    char *place = lcl_tuning_path(info());
    ck_assert_msg(strncmp(place, deep, strlen(deep)) == 0, "%s", place);
    CHECK_OK(lcl_tuning_write(&t, info(), place, &err));
    ck_assert(lcl_file_exists(place));
    free(place);
    free(deep);
    unsetenv("LCL_CACHE_DIR");
}
END_TEST

/* ---- Searching --------------------------------------------------------------------- */

/* A record in which only `untried` of one tile is left to be tried. */
static void write_all_but(lcl_tile tile, int present, int untried)
{
    lcl_tuning t = {0};
    lcl_error err = {0};

    for (lcl_tile i = 0; i < LCL_N_TILES; i++)
        t.tried[i] = UINT32_MAX >> (32 - lcl_tile_describe(i)->n_allowed);
    t.tried[tile] &= ~(UINT32_C(1) << lcl_tile_index(tile, untried));
    t.is_set[tile] = true;
    t.values[tile] = present;
    CHECK_OK(lcl_tuning_write(&t, info(), path, &err));
}

/* Tunes, with what it printed in `text`. */
static lcl_tune_result search(lcl_tune_options options, char text[4096])
{
    lcl_tune_result result;
    lcl_error err = {0};

    options.out = tmpfile();
    options.gemm = LCL_GEMM_OWN;
    ck_assert_ptr_nonnull(options.out);
    CHECK_OK(lcl_tune(testing_device(), path, &options, &result, &err));
    rewind(options.out);
    text[fread(text, 1, 4095, options.out)] = '\0';
    fclose(options.out);
    return result;
}

static int recorded(lcl_tile tile)
{
    lcl_tuning t;
    lcl_error err = {0};

    CHECK_OK(lcl_tuning_read(&t, info(), path, &err));
    return t.is_set[tile] ? t.values[tile] : lcl_tile_default(testing_device(), tile);
}

START_TEST(test_keeps_a_faster_one)
{
    char text[4096];

    if (!lcl_device_is_cpu(testing_device()))
        return; /* who knows what is faster there */
    const int best = lcl_tile_default(testing_device(), LCL_TILE_BACKWARD_DATA);
    lcl_tune_result r = {0};
    /* Beside other work the gain, of a third, may drown in the noise: then it is not kept. */
    for (int i = 0; i < 5 && r.n_kept == 0; i++) {
        forget();
        write_all_but(LCL_TILE_BACKWARD_DATA, 4, best);
        r = search((lcl_tune_options){.seconds = 100}, text);
    }
    ck_assert_msg(r.n_tried == 1 && r.n_kept == 1 && r.n_left == 0, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "kept"));
    ck_assert_int_eq(recorded(LCL_TILE_BACKWARD_DATA), best);
    ck_assert_int_eq(lcl_tile_get(testing_device(), LCL_TILE_BACKWARD_DATA), best);
}
END_TEST

START_TEST(test_never_keeps_a_wrong_one)
{
    char text[4096];

    forget();
    const int best = lcl_tile_default(testing_device(), LCL_TILE_BACKWARD_DATA);
    write_all_but(LCL_TILE_BACKWARD_DATA, 4, best);
    lcl_device_break_tile(testing_device(), LCL_TILE_BACKWARD_DATA, best);
    const lcl_tune_result r = search((lcl_tune_options){.seconds = 100}, text);
    lcl_device_break_tile(testing_device(), LCL_N_TILES, 0);
    ck_assert_msg(r.n_tried == 1 && r.n_kept == 0 && r.n_left == 0, "%s", text);
    ck_assert_msg(strstr(text, "wrong: its results are wrong by") != NULL, "%s", text);
    ck_assert_int_eq(recorded(LCL_TILE_BACKWARD_DATA), 4);
    ck_assert_int_eq(lcl_tile_get(testing_device(), LCL_TILE_BACKWARD_DATA), 4);
}
END_TEST

START_TEST(test_never_keeps_a_slower_one)
{
    char text[4096];

    forget();
    write_all_but(LCL_TILE_BACKWARD_DATA, 24, 4);
    const lcl_tune_result r = search((lcl_tune_options){.seconds = 100}, text);
    ck_assert_msg(r.n_tried == 1 && r.n_kept == 0, "%s", text);
    ck_assert_int_eq(recorded(LCL_TILE_BACKWARD_DATA), 24);
}
END_TEST

static bool at_once(void)
{
    return true;
}

START_TEST(test_stops_and_goes_on)
{
    char text[4096];

    forget();
    write_all_but(LCL_TILE_BACKWARD_DATA, 24, 4);
    lcl_tune_result r =
        search((lcl_tune_options){.seconds = 100, .stopped = at_once}, text);
    ck_assert_uint_eq(r.n_tried, 0);
    ck_assert_uint_eq(r.n_left, 1);
    r = search((lcl_tune_options){.seconds = 0}, text);
    ck_assert_uint_eq(r.n_tried, 0);
    ck_assert_uint_eq(r.n_left, 1);
    r = search((lcl_tune_options){.seconds = 100}, text);
    ck_assert_uint_eq(r.n_tried, 1);
    ck_assert_uint_eq(r.n_left, 0);
    r = search((lcl_tune_options){.seconds = 0, .restart = true}, text);
    ck_assert_uint_gt(r.n_left, 20);
}
END_TEST

START_TEST(test_command)
{
    const char *words[] = {"--seconds", "2", NULL}, *bad[] = {"--seconds", "-1", NULL};
    lcl_error err = {0};
    lcl_tuning t;

    forget();
    ck_assert_int_eq(testing_command(&lcl_command_tune, words, &err), 0);
    CHECK_OK(lcl_tuning_read(&t, info(), path, &err));
    uint32_t tried = 0;
    for (lcl_tile i = 0; i < LCL_N_TILES; i++)
        tried |= t.tried[i];
    ck_assert_uint_ne(tried, 0);
    ck_assert_int_eq(testing_command(&lcl_command_tune, bad, &err), 2);
    setenv("LCL_TUNING", "0", 1);
    err = (lcl_error){0};
    ck_assert_int_eq(testing_command(&lcl_command_tune, words, &err), 2);
    ck_assert_str_eq(err.where, "LCL_TUNING");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tuning");
    TCase *tc = tcase_create("tuning");

    setenv("LCL_TUNING", "0", 1);
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/record.json", folder);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, test_tiles);
    tcase_add_test(tc, test_round_trip);
    tcase_add_test(tc, test_damaged);
    tcase_add_test(tc, test_opening);
    tcase_add_test(tc, test_place);
    tcase_add_test(tc, test_keeps_a_faster_one);
    tcase_add_test(tc, test_never_keeps_a_wrong_one);
    tcase_add_test(tc, test_never_keeps_a_slower_one);
    tcase_add_test(tc, test_stops_and_goes_on);
    tcase_add_test(tc, test_command);
    suite_add_tcase(suite, tc);
    const int code = testing_run(suite);
    char *command = lcl_format("rm -r %s", folder);
    const int removed = system(command);
    free(command);
    return code != 0 ? code : removed != 0;
}
