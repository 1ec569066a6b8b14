/* Training: Caffe's Solve and Step. Nothing here waits for the device within an iteration
 * except where something is displayed, tested, clipped or snapshotted. */
#include "lcl/solver.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learning_rate.h"
#include "solver_state.h"
#include "text.h"

#define PROGRESS_SECONDS 0.25

/* ---- Creation ---------------------------------------------------------------------- */

static lcl_status check_at_least(const lcl_solver *s, const char *field, int value,
                                 int least, lcl_error *err)
{
    if (value >= least)
        return LCL_OK;
    return lcl_proto_fail(s->source, s->param, field, err, LCL_EPROTO,
                          "%s must be at least %d, not %d", field, least, value);
}

static lcl_status check_fields(const lcl_solver *s, lcl_error *err)
{
    const Caffe__SolverParameter *p = s->param;

    LCL_TRY(check_at_least(s, "average_loss", p->average_loss, 1, err));
    LCL_TRY(check_at_least(s, "iter_size", p->iter_size, 1, err));
    LCL_TRY(check_at_least(s, "max_iter", p->max_iter, 0, err));
    LCL_TRY(check_at_least(s, "display", p->display, 0, err));
    LCL_TRY(check_at_least(s, "snapshot", p->snapshot, 0, err));
    LCL_TRY(lcl_learning_rate_check(s->source, err));
    return lcl_snapshot_check(s->source, err);
}

/* --level and --stage act on the train net's state, as in Caffe. */
static void apply_state_options(Caffe__SolverParameter *p,
                                const lcl_solver_options *options)
{
    if (!options->has_level && options->n_stages == 0)
        return;
    if (!p->train_state)
        p->train_state = lcl_proto_new(&caffe__net_state__descriptor);
    Caffe__NetState *state = p->train_state;
    if (options->has_level) {
        state->has_level = true;
        state->level = options->level;
    }
    state->stage = lcl_resize(state->stage, state->n_stage + options->n_stages + 1,
                              sizeof *state->stage);
    for (size_t i = 0; i < options->n_stages; i++)
        state->stage[state->n_stage++] = lcl_strdup(options->stages[i]);
}

static void log_parameters(const lcl_solver *s)
{
    char *text = lcl_proto_print(&s->param->base);
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '\n')
        length--;
    LCL_LOG(s->log, "Initializing solver from parameters: \n%.*s", (int)length, text);
    free(text);
}

static lcl_status fill_solver(lcl_solver *s, lcl_error *err)
{
    LCL_TRY(lcl_proto_upgrade_solver(s->source, s->log, err));
    s->param = (const void *)lcl_proto_root(s->source);
    apply_state_options((void *)lcl_proto_root(s->source), &s->options);
    if (s->log)
        log_parameters(s);
    LCL_TRY(check_fields(s, err));
    LCL_TRY(lcl_solver_create_nets(s, err));
    LCL_TRY(lcl_update_create(&s->update, s->net, s->source, err));
    s->losses = lcl_reader_of_losses(s->net);
    s->outputs = lcl_reader_of_outputs(s->net);
    s->window = lcl_alloc((size_t)s->param->average_loss, sizeof *s->window);
    s->last_snapshot = -1;
    LCL_LOG(s->log, "Solver scaffolding done.");
    return LCL_OK;
}

lcl_status lcl_solver_create(lcl_solver **out, lcl_device *dev, const lcl_proto *source,
                             const lcl_solver_options *options, lcl_error *err)
{
    lcl_solver *s = lcl_alloc(1, sizeof *s);

    s->dev = dev;
    s->options = *options;
    s->log = options->log;
    s->source = lcl_proto_copy(source, lcl_proto_root(source));
    lcl_status status = fill_solver(s, err);
    if (status != LCL_OK) {
        lcl_solver_destroy(s);
        return status;
    }
    *out = s;
    return LCL_OK;
}

static void forget_markers(lcl_solver *s)
{
    for (size_t i = 0; i < LCL_MAX_IN_FLIGHT; i++) {
        if (s->in_flight[i])
            clReleaseEvent(s->in_flight[i]);
        s->in_flight[i] = NULL;
    }
}

void lcl_solver_destroy(lcl_solver *s)
{
    if (!s)
        return;
    forget_markers(s);
    lcl_reader_destroy(s->losses);
    lcl_reader_destroy(s->outputs);
    lcl_update_destroy(s->update);
    lcl_replicas_destroy(s->replicas);
    for (size_t i = 0; i < s->n_test_nets; i++)
        lcl_net_destroy(s->test_nets[i]);
    free(s->test_nets);
    lcl_net_destroy(s->net);
    lcl_proto_destroy(s->source);
    free(s->window);
    free(s);
}

lcl_net *lcl_solver_net(const lcl_solver *s)
{
    return s->net;
}

size_t lcl_solver_n_test_nets(const lcl_solver *s)
{
    return s->n_test_nets;
}

lcl_net *lcl_solver_test_net(const lcl_solver *s, size_t i)
{
    return s->test_nets[i];
}

int lcl_solver_iteration(const lcl_solver *s)
{
    return s->progress.iteration;
}

bool lcl_solver_stopped_early(const lcl_solver *s)
{
    return s->stopped;
}

float lcl_solver_loss(const lcl_solver *s)
{
    return s->displayed_loss;
}

/* ---- Weights and snapshots --------------------------------------------------------- */

lcl_status lcl_solver_finetune(lcl_net *net, const char *paths, lcl_log *log,
                               lcl_error *err)
{
    size_t n;
    char **list = lcl_list_split(paths, &n);
    lcl_status status = LCL_OK;

    for (size_t i = 0; i < n && status == LCL_OK; i++) {
        LCL_LOG(log, "Finetuning from %s", list[i]);
        status = lcl_net_load(net, list[i], err);
    }
    lcl_list_free(list, n);
    return status;
}

lcl_status lcl_solver_load_weights(lcl_solver *s, const char *paths, lcl_error *err)
{
    LCL_TRY(lcl_solver_finetune(s->net, paths, s->log, err));
    for (size_t i = 0; i < s->n_test_nets; i++)
        LCL_TRY(lcl_solver_finetune(s->test_nets[i], paths, s->log, err));
    return LCL_OK;
}

lcl_status lcl_solver_snapshot(lcl_solver *s, lcl_error *err)
{
    LCL_TRY(lcl_snapshot_write(s->net, s->update, s->source, s->progress, s->log, err));
    s->last_snapshot = s->progress.iteration;
    return LCL_OK;
}

lcl_status lcl_solver_restore(lcl_solver *s, const char *path, lcl_error *err)
{
    return lcl_snapshot_read(s->net, s->update, path, &s->progress, s->log, err);
}

/* ---- The loss, without waiting for it ---------------------------------------------- */

static bool divides(int interval, int iteration)
{
    return interval > 0 && iteration % interval == 0;
}

/* The losses that the next displayed line averages are the only ones read back. */
static bool loss_is_needed(const lcl_solver *s)
{
    const int display = s->param->display, iteration = s->progress.iteration;

    if (display <= 0)
        return false;
    int behind = iteration % display;
    return behind == 0 || display - behind < s->param->average_loss;
}

/* Adds one pass's loss; an iteration's is the mean of its passes. */
static void record_pass(lcl_solver *s, float loss, int n_passes)
{
    s->pass_sum += loss;
    if (++s->n_passes < n_passes)
        return;
    s->window[s->n_losses++ % (size_t)s->param->average_loss] =
        s->pass_sum / (float)n_passes;
    s->n_passes = 0;
    s->pass_sum = 0;
}

/* Takes requested losses until at most `most` are under way. */
static lcl_status take_losses(lcl_solver *s, size_t most, int n_passes, lcl_error *err)
{
    float loss;

    while (lcl_reader_n_requests(s->losses) > most) {
        LCL_TRY(lcl_reader_take_loss(s->losses, &loss, err));
        if (s->replicas)
            LCL_TRY(lcl_replicas_mean_loss(s->replicas, &loss, err));
        record_pass(s, loss, n_passes);
    }
    return LCL_OK;
}

static float smoothed_loss(const lcl_solver *s)
{
    size_t size = (size_t)s->param->average_loss;
    size_t n = s->n_losses < size ? s->n_losses : size;
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)s->window[i];
    return n > 0 ? (float)(sum / (double)n) : 0;
}

/* ---- What is shown ----------------------------------------------------------------- */

/* The lines of a displayed iteration, whose outputs and losses were requested. */
static lcl_status display_iteration(lcl_solver *s, lcl_error *err)
{
    const float *values;
    size_t count;
    char line[512];

    LCL_TRY(take_losses(s, 0, s->param->iter_size, err));
    LCL_TRY(lcl_reader_take(s->outputs, &values, &count, err));
    s->displayed_loss = smoothed_loss(s);
    double lapse = lcl_now() - s->display_time;
    int n = s->progress.iteration - s->last_display;
    LCL_LOG(s->log, "Iteration %d (%g iter/s, %gs/%d iters), loss = %g",
            s->progress.iteration, n / (lapse > 0 ? lapse : 1), lapse, s->param->display,
            (double)s->displayed_loss);
    s->display_time = lcl_now();
    s->last_display = s->progress.iteration;
    for (size_t i = 0; i < count; i++) {
        lcl_reader_line(s->outputs, i, (double)values[i], line, sizeof line);
        LCL_LOG(s->log, "    Train net output #%zu: %s", i, line);
    }
    return LCL_OK;
}

/* The rate is measured anew after what is no training: tests, the first iteration's builds. */
static void restart_rate(lcl_solver *s)
{
    s->rate_time = lcl_now();
    s->rate_iteration = s->progress.iteration;
}

/* "1:02:03" or "2:03". */
static void duration_text(long seconds, char *out, size_t size)
{
    if (seconds >= 3600)
        snprintf(out, size, "%ld:%02ld:%02ld", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    else
        snprintf(out, size, "%ld:%02ld", seconds / 60, seconds % 60);
}

/* A line at the bottom of a terminal, a few times a second. */
static void show_progress(lcl_solver *s)
{
    const double time = lcl_now();
    const int done = s->progress.iteration - s->rate_iteration;
    char eta[32];

    if (done <= 0 || !lcl_log_is_terminal(s->log) ||
        time - s->progress_time < PROGRESS_SECONDS)
        return;
    s->progress_time = time;
    double rate = done / (time - s->rate_time);
    duration_text(lround((s->param->max_iter - s->progress.iteration) / rate), eta,
                  sizeof eta);
    lcl_log_progress(s->log, "iteration %d/%d  %.0f it/s  ETA %s  loss %.4g",
                     s->progress.iteration, s->param->max_iter, rate, eta,
                     (double)s->displayed_loss);
}

/* ---- One iteration ----------------------------------------------------------------- */

/* Forward and backward; requests what will be shown. */
static lcl_status run_pass(lcl_solver *s, bool debug, bool last, bool display,
                           lcl_error *err)
{
    if (debug)
        LCL_TRY(lcl_solver_debug_forward(s->net, s->log, err));
    else
        LCL_TRY(lcl_net_forward(s->net, err));
    if (loss_is_needed(s))
        LCL_TRY(lcl_reader_request(s->losses, err));
    if (display && last)
        LCL_TRY(lcl_reader_request(s->outputs, err));
    if (debug)
        return lcl_solver_debug_backward(s->net, s->log, err);
    return lcl_net_backward(s->net, err);
}

/* Gradients of all passes of the iteration, added up; on several devices, their mean. */
static lcl_status run_passes(lcl_solver *s, bool debug, bool display, lcl_error *err)
{
    lcl_status status = LCL_OK;

    if (lcl_update_keeps_diff(s->update) && lcl_net_n_params(s->net) > 0)
        LCL_TRY(lcl_buffer_fill(s->dev, lcl_net_param_diff(s->net), 0,
                                lcl_net_param_count(s->net) * sizeof(float), 0, err));
    for (int i = 0; i < s->param->iter_size && status == LCL_OK; i++) {
        lcl_net_accumulate(s->net, i > 0);
        status = run_pass(s, debug, i + 1 == s->param->iter_size, display, err);
        if (s->replicas && status == LCL_OK)
            status = lcl_replicas_run_pass(s->replicas, i == 0, loss_is_needed(s), err);
    }
    lcl_net_accumulate(s->net, false);
    if (s->replicas && status == LCL_OK)
        status = lcl_replicas_mean_diff(s->replicas, err);
    return status;
}

static lcl_status apply_update(lcl_solver *s, bool display, bool debug, lcl_error *err)
{
    const int iteration = s->progress.iteration, step = s->progress.current_step;
    float rate;

    LCL_TRY(
        lcl_learning_rate(s->param, iteration, &s->progress.current_step, &rate, err));
    if (s->progress.current_step != step && strcmp(s->param->lr_policy, "multistep") == 0)
        LCL_LOG(s->log, "MultiStep Status: Iteration %d, step = %d", iteration,
                s->progress.current_step);
    if (display)
        LCL_LOG(s->log, "Iteration %d, lr = %g", iteration, (double)rate);
    LCL_TRY(lcl_update_run(s->update, iteration, rate, s->log, err));
    if (s->replicas)
        LCL_TRY(lcl_replicas_send_weights(s->replicas, err));
    if (debug)
        LCL_TRY(lcl_solver_debug_update(s->net, s->log, err));
    s->progress.iteration++;
    return LCL_OK;
}

/* Marks the iteration's end in the queue and waits for the one LCL_MAX_IN_FLIGHT ago, so
 * that the queue stays short and signals are seen soon. */
static lcl_status bound_queue(lcl_solver *s, lcl_error *err)
{
    cl_event *slot = &s->in_flight[s->n_markers++ % LCL_MAX_IN_FLIGHT];
    cl_int code = CL_SUCCESS;

    if (*slot) {
        code = clWaitForEvents(1, slot);
        clReleaseEvent(*slot);
        *slot = NULL;
    }
    if (code == CL_SUCCESS)
        code = clEnqueueMarkerWithWaitList(lcl_device_queue(s->dev), 0, NULL, slot);
    if (code == CL_SUCCESS)
        code = clFlush(lcl_device_queue(s->dev));
    if (code == CL_SUCCESS)
        return LCL_OK;
    return lcl_fail(err, LCL_EDEVICE, "", "waiting for iteration %d failed: %s",
                    s->progress.iteration, lcl_cl_name(code));
}

static lcl_status run_iteration(lcl_solver *s, lcl_error *err)
{
    const bool display = divides(s->param->display, s->progress.iteration);
    const bool debug = display && s->param->debug_info;
    const size_t waiting = LCL_MAX_IN_FLIGHT * (size_t)s->param->iter_size;

    LCL_TRY(run_passes(s, debug, display, err));
    if (display)
        LCL_TRY(display_iteration(s, err));
    LCL_TRY(apply_update(s, display, debug, err));
    LCL_TRY(bound_queue(s, err));
    return take_losses(s, waiting, s->param->iter_size, err);
}

/* ---- The loop ---------------------------------------------------------------------- */

static lcl_status start_clock(lcl_solver *s, lcl_error *err)
{
    LCL_TRY(take_losses(s, 0, s->param->iter_size, err));
    restart_rate(s);
    s->display_time = s->progress_time = s->rate_time;
    s->last_display = s->progress.iteration;
    s->n_losses = 0;
    return LCL_OK;
}

static bool test_is_due(const lcl_solver *s)
{
    return divides(s->param->test_interval, s->progress.iteration) &&
           (s->progress.iteration > 0 || s->param->test_initialization);
}

/* What is due after an iteration. */
static lcl_status end_iteration(lcl_solver *s, lcl_error *err)
{
    const int iteration = s->progress.iteration;

    show_progress(s);
    LCL_TRY(lcl_solver_poll(s, err));
    if (divides(s->param->snapshot, iteration) && s->last_snapshot != iteration)
        LCL_TRY(lcl_solver_snapshot(s, err));
    return LCL_OK;
}

lcl_status lcl_solver_step(lcl_solver *s, int n, lcl_error *err)
{
    const int first = s->progress.iteration;

    s->stopped = false;
    if (s->replicas)
        LCL_TRY(lcl_replicas_send_weights(s->replicas, err));
    LCL_TRY(start_clock(s, err));
    while (s->progress.iteration < first + n && !s->stopped) {
        const bool test = test_is_due(s);
        if (test)
            LCL_TRY(lcl_solver_test(s, err));
        if (s->stopped)
            break;
        LCL_TRY(run_iteration(s, err));
        if (test || s->progress.iteration == first + 1)
            restart_rate(s);
        LCL_TRY(end_iteration(s, err));
    }
    return LCL_OK;
}

/* The last snapshot, unless there is one of this very iteration. */
static lcl_status snapshot_at_end(lcl_solver *s, lcl_error *err)
{
    const int iteration = s->progress.iteration;

    if (s->last_snapshot == iteration)
        return LCL_OK;
    if (s->snapshot_wanted ||
        (s->param->snapshot_after_train && !divides(s->param->snapshot, iteration)))
        return lcl_solver_snapshot(s, err);
    return LCL_OK;
}

/* The loss after the last update, which the loop did not see. */
static lcl_status display_final(lcl_solver *s, lcl_error *err)
{
    LCL_TRY(take_losses(s, 0, s->param->iter_size, err));
    LCL_TRY(lcl_net_forward(s->net, err));
    LCL_TRY(lcl_reader_request(s->losses, err));
    LCL_TRY(take_losses(s, 0, 1, err));
    s->displayed_loss = smoothed_loss(s);
    LCL_LOG(s->log, "Iteration %d, loss = %g", s->progress.iteration,
            (double)s->displayed_loss);
    return LCL_OK;
}

static lcl_status solve(lcl_solver *s, lcl_error *err)
{
    LCL_TRY(lcl_solver_step(s, s->param->max_iter - s->progress.iteration, err));
    LCL_TRY(snapshot_at_end(s, err));
    if (s->stopped) {
        LCL_LOG(s->log, "Optimization stopped early.");
        return LCL_OK;
    }
    if (divides(s->param->display, s->progress.iteration))
        LCL_TRY(display_final(s, err));
    if (divides(s->param->test_interval, s->progress.iteration))
        LCL_TRY(lcl_solver_test(s, err));
    LCL_LOG(s->log, "Optimization Done.");
    return LCL_OK;
}

lcl_status lcl_solver_solve(lcl_solver *s, const char *resume, lcl_error *err)
{
    LCL_LOG(s->log, "Solving %s", lcl_net_name(s->net));
    LCL_LOG(s->log, "Learning Rate Policy: %s", s->param->lr_policy);
    s->snapshot_wanted = false;
    if (resume) {
        LCL_LOG(s->log, "Restoring previous solver status from %s", resume);
        LCL_TRY(lcl_solver_restore(s, resume, err));
    }
    lcl_status status = solve(s, err);
    lcl_log_progress(s->log, NULL);
    return status;
}
