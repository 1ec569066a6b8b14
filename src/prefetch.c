/* A thread fills a ring of slots; their order of filling, taking and giving is the same.
 */
#include "prefetch.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct lcl_prefetch {
    lcl_prefetch_fill fill;
    void *context;
    size_t n_slots;
    pthread_t thread;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    size_t n_filled, n_taken, n_given; /* so far; slot of number i is i % n_slots */
    bool stop;                         /* asked for */
    lcl_status status;                 /* of the fill that failed */
    lcl_error error;
};

/* Waits for a free slot; false: stop. */
static bool wait_free(lcl_prefetch *p)
{
    pthread_mutex_lock(&p->lock);
    while (!p->stop && p->n_filled - p->n_given == p->n_slots)
        pthread_cond_wait(&p->changed, &p->lock);
    bool go_on = !p->stop;
    pthread_mutex_unlock(&p->lock);
    return go_on;
}

static void *run(void *argument)
{
    lcl_prefetch *p = argument;
    lcl_status status = LCL_OK;
    lcl_error error = {0};

    while (status == LCL_OK && wait_free(p)) {
        /* Only this thread changes n_filled, so it may read it without the lock. */
        status = p->fill(p->context, p->n_filled % p->n_slots, &error);
        pthread_mutex_lock(&p->lock);
        if (status == LCL_OK) {
            p->n_filled++;
        } else {
            p->status = status;
            p->error = error;
        }
        pthread_cond_broadcast(&p->changed);
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

lcl_status lcl_prefetch_start(lcl_prefetch **out, size_t n_slots, lcl_prefetch_fill fill,
                              void *context, lcl_error *err)
{
    lcl_prefetch *p = lcl_alloc(1, sizeof *p);

    p->fill = fill;
    p->context = context;
    p->n_slots = n_slots;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    int code = pthread_create(&p->thread, NULL, run, p);
    if (code) {
        pthread_cond_destroy(&p->changed);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return lcl_fail(err, LCL_EIO, NULL, "cannot start the prefetch thread: %s",
                        strerror(code));
    }
    *out = p;
    return LCL_OK;
}

void lcl_prefetch_stop(lcl_prefetch *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

lcl_status lcl_prefetch_take(lcl_prefetch *p, size_t *slot, bool *waited, lcl_error *err)
{
    pthread_mutex_lock(&p->lock);
    *waited = p->n_taken == p->n_filled;
    while (p->n_taken == p->n_filled && p->status == LCL_OK)
        pthread_cond_wait(&p->changed, &p->lock);
    lcl_status status = p->n_taken < p->n_filled ? LCL_OK : p->status;
    if (status == LCL_OK)
        *slot = p->n_taken++ % p->n_slots;
    else if (err)
        *err = p->error;
    pthread_mutex_unlock(&p->lock);
    return status;
}

void lcl_prefetch_give(lcl_prefetch *p, size_t slot)
{
    (void)slot;
    pthread_mutex_lock(&p->lock);
    assert(slot == p->n_given % p->n_slots && p->n_given < p->n_taken);
    p->n_given++;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}
