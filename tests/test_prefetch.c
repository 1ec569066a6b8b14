/* The prefetch thread: order, bounds, errors, stopping at any time. */
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "prefetch.h"
#include "testing.h"

#define N_SLOTS 3

typedef struct {
    int slots[N_SLOTS]; /* what fill wrote */
    int next, fail_at;  /* numbers batches; the one that fails */
    atomic_int n_filled;
    long nanoseconds; /* each fill takes */
} feed;

static lcl_error err;

static void pause_for(long nanoseconds)
{
    struct timespec t = {0, nanoseconds};
    nanosleep(&t, NULL);
}

static lcl_status fill(void *context, size_t slot, lcl_error *error)
{
    feed *f = context;

    pause_for(f->nanoseconds);
    if (f->next == f->fail_at)
        return lcl_fail(error, LCL_EDATA, "batch", "number %d is broken", f->next);
    f->slots[slot] = f->next++;
    atomic_fetch_add(&f->n_filled, 1);
    return LCL_OK;
}

/* Takes 500 batches, holding `hold` of them at a time. */
static void run_through(feed *f, int hold)
{
    lcl_prefetch *p;
    size_t slot, held[N_SLOTS];
    bool waited;

    f->fail_at = -1;
    CHECK_OK(lcl_prefetch_start(&p, N_SLOTS, fill, f, &err));
    for (int i = 0; i < 500; i++) {
        CHECK_OK(lcl_prefetch_take(p, &slot, &waited, &err));
        ck_assert_int_eq(f->slots[slot], i);
        held[i % hold] = slot;
        if (i >= hold - 1)
            lcl_prefetch_give(p, held[(i + 1) % hold]);
    }
    lcl_prefetch_stop(p);
}

START_TEST(batches_come_in_order)
{
    for (int hold = 1; hold <= N_SLOTS; hold++)
        run_through(&(feed){0}, hold);
    run_through(&(feed){.nanoseconds = 20000}, 2);
}
END_TEST

START_TEST(reads_ahead_as_far_as_slots_go)
{
    feed f = {.fail_at = -1};
    lcl_prefetch *p;
    size_t slot;
    bool waited;

    CHECK_OK(lcl_prefetch_start(&p, N_SLOTS, fill, &f, &err));
    for (int i = 0; i < 1000 && atomic_load(&f.n_filled) < N_SLOTS; i++)
        pause_for(1000000);
    pause_for(5000000);
    ck_assert_int_eq(atomic_load(&f.n_filled), N_SLOTS);
    CHECK_OK(lcl_prefetch_take(p, &slot, &waited, &err));
    ck_assert(!waited);
    pause_for(5000000);
    ck_assert_int_eq(atomic_load(&f.n_filled), N_SLOTS); /* taken is not yet given */
    lcl_prefetch_give(p, slot);
    for (int i = 0; i < 1000 && atomic_load(&f.n_filled) < N_SLOTS + 1; i++)
        pause_for(1000000);
    ck_assert_int_eq(atomic_load(&f.n_filled), N_SLOTS + 1);
    lcl_prefetch_stop(p);
}
END_TEST

START_TEST(error_comes_after_the_good_batches)
{
    feed f = {.fail_at = 5};
    lcl_prefetch *p;
    size_t slot;
    bool waited;

    CHECK_OK(lcl_prefetch_start(&p, N_SLOTS, fill, &f, &err));
    for (int i = 0; i < 5; i++) {
        CHECK_OK(lcl_prefetch_take(p, &slot, &waited, &err));
        ck_assert_int_eq(f.slots[slot], i);
        lcl_prefetch_give(p, slot);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_FAILS(lcl_prefetch_take(p, &slot, &waited, &err), LCL_EDATA,
                    "number 5 is broken");
        ck_assert_str_eq(err.where, "batch");
    }
    lcl_prefetch_stop(p);
}
END_TEST

START_TEST(slow_source_is_waited_for)
{
    feed f = {.fail_at = -1, .nanoseconds = 20000000};
    lcl_prefetch *p;
    size_t slot;
    bool waited;

    CHECK_OK(lcl_prefetch_start(&p, 1, fill, &f, &err));
    CHECK_OK(lcl_prefetch_take(p, &slot, &waited, &err));
    ck_assert(waited && slot == 0);
    lcl_prefetch_stop(p);
}
END_TEST

START_TEST(stops_at_any_time)
{
    lcl_prefetch *p;

    lcl_prefetch_stop(NULL);
    for (int i = 0; i < 50; i++) {
        feed f = {.fail_at = i % 3 ? -1 : 1, .nanoseconds = i * 1000};
        CHECK_OK(lcl_prefetch_start(&p, N_SLOTS, fill, &f, &err));
        pause_for((50 - i) * 1000);
        lcl_prefetch_stop(p);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prefetch");
    TCase *tests = tcase_create("prefetch");

    tcase_add_test(tests, batches_come_in_order);
    tcase_add_test(tests, reads_ahead_as_far_as_slots_go);
    tcase_add_test(tests, error_comes_after_the_good_batches);
    tcase_add_test(tests, slow_source_is_waited_for);
    tcase_add_test(tests, stops_at_any_time);
    suite_add_tcase(suite, tests);
    return testing_run(suite);
}
