/* Tests: runs the test nets and logs the mean of their outputs; signals while it runs. */
#include <stdlib.h>

#include "solver_state.h"
#include "text.h"

/* Sums over the batches of one test. */
typedef struct {
    lcl_reader *outputs, *losses; /* losses: NULL unless test_compute_loss */
    double *sums;                 /* owned */
    size_t n_sums;
    double loss;
} test_sums;

static lcl_status act(lcl_solver *s, lcl_action action, lcl_error *err)
{
    switch (action) {
    case LCL_GO_ON: break;
    case LCL_SNAPSHOT: return lcl_solver_snapshot(s, err);
    case LCL_SNAPSHOT_STOP: s->snapshot_wanted = true; /* fall through */
    case LCL_STOP: s->stopped = true; break;
    }
    return LCL_OK;
}

lcl_status lcl_solver_poll(lcl_solver *s, lcl_error *err)
{
    lcl_action action;

    if (!s->options.poll)
        return LCL_OK;
    while ((action = s->options.poll(s->options.context)) != LCL_GO_ON)
        LCL_TRY(act(s, action, err));
    return LCL_OK;
}

static lcl_status enqueue_batch(const lcl_solver *s, lcl_net *net, test_sums *t,
                                lcl_error *err)
{
    if (s->param->debug_info)
        LCL_TRY(lcl_solver_debug_forward(net, s->log, err));
    else
        LCL_TRY(lcl_net_forward(net, err));
    if (t->losses)
        LCL_TRY(lcl_reader_request(t->losses, err));
    return lcl_reader_request(t->outputs, err);
}

static lcl_status take_batch(test_sums *t, lcl_error *err)
{
    const float *values;
    size_t count;
    float loss;

    LCL_TRY(lcl_reader_take(t->outputs, &values, &count, err));
    if (count > t->n_sums) {
        t->sums = lcl_resize(t->sums, count, sizeof *t->sums);
        while (t->n_sums < count)
            t->sums[t->n_sums++] = 0;
    }
    for (size_t i = 0; i < count; i++)
        t->sums[i] += (double)values[i];
    if (!t->losses)
        return LCL_OK;
    LCL_TRY(lcl_reader_take_loss(t->losses, &loss, err));
    t->loss += (double)loss;
    return LCL_OK;
}

/* Runs the batches; the next one is enqueued before the last one's outputs are read. */
static lcl_status run_batches(lcl_solver *s, size_t id, test_sums *t, lcl_error *err)
{
    const int n = s->param->test_iter[id];

    for (int i = 0; i < n; i++) {
        LCL_TRY(lcl_solver_poll(s, err));
        if (s->stopped)
            return LCL_OK;
        LCL_TRY(enqueue_batch(s, s->test_nets[id], t, err));
        if (i > 0)
            LCL_TRY(take_batch(t, err));
    }
    return n > 0 ? take_batch(t, err) : LCL_OK;
}

static void log_sums(const lcl_solver *s, const test_sums *t, int n_batches)
{
    char line[512];

    if (t->losses)
        LCL_LOG(s->log, "Test loss: %g", t->loss / n_batches);
    for (size_t i = 0; i < t->n_sums; i++) {
        lcl_reader_line(t->outputs, i, t->sums[i] / n_batches, line, sizeof line);
        LCL_LOG(s->log, "    Test net output #%zu: %s", i, line);
    }
}

static lcl_status test_one(lcl_solver *s, size_t id, lcl_error *err)
{
    const lcl_net *net = s->test_nets[id];
    test_sums t = {.outputs = lcl_reader_of_outputs(net)};

    if (s->param->test_compute_loss)
        t.losses = lcl_reader_of_losses(net);
    LCL_LOG(s->log, "Iteration %d, Testing net (#%zu)", s->progress.iteration, id);
    lcl_status status = run_batches(s, id, &t, err);
    if (status == LCL_OK && s->stopped)
        LCL_LOG(s->log, "Test interrupted.");
    else if (status == LCL_OK)
        log_sums(s, &t, s->param->test_iter[id]);
    lcl_reader_destroy(t.outputs);
    lcl_reader_destroy(t.losses);
    free(t.sums);
    return status;
}

lcl_status lcl_solver_test(lcl_solver *s, lcl_error *err)
{
    for (size_t i = 0; i < s->n_test_nets && !s->stopped; i++)
        LCL_TRY(test_one(s, i, err));
    return LCL_OK;
}
