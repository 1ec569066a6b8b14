/* Caffe's learning rate policies: base_lr as a function of the iteration. Each computes
 * in the precision Caffe's does, so that the rates are equal to the last bit. */
#include "learning_rate.h"

#include <math.h>
#include <string.h>

#include "lcl/solver.h"
#include "text.h"

typedef const Caffe__SolverParameter solver_param;

static float rate_fixed(solver_param *p, int iter, int *step)
{
    (void)iter;
    (void)step;
    return p->base_lr;
}

static float decayed(solver_param *p, int times)
{
    return (float)((double)p->base_lr * pow((double)p->gamma, times));
}

static float rate_step(solver_param *p, int iter, int *step)
{
    *step = iter / p->stepsize;
    return decayed(p, *step);
}

static float rate_exp(solver_param *p, int iter, int *step)
{
    (void)step;
    return decayed(p, iter);
}

static float rate_inv(solver_param *p, int iter, int *step)
{
    (void)step;
    return p->base_lr * powf(1.0f + p->gamma * (float)iter, -p->power);
}

/* At most one step an iteration, as Caffe takes them. */
static float rate_multistep(solver_param *p, int iter, int *step)
{
    if ((size_t)*step < p->n_stepvalue && iter >= p->stepvalue[*step])
        ++*step;
    return decayed(p, *step);
}

static float rate_poly(solver_param *p, int iter, int *step)
{
    (void)step;
    return p->base_lr * powf(1.0f - (float)iter / (float)p->max_iter, p->power);
}

static float rate_sigmoid(solver_param *p, int iter, int *step)
{
    (void)step;
    return p->base_lr *
           (1.0f / (1.0f + expf(-p->gamma * ((float)iter - (float)p->stepsize))));
}

typedef struct {
    const char *name;
    float (*rate)(solver_param *p, int iter, int *step);
    bool needs_gamma, needs_stepsize;
} policy;

static const policy policies[] = {
    {"fixed", rate_fixed, false, false},
    {"step", rate_step, true, true},
    {"exp", rate_exp, true, false},
    {"inv", rate_inv, true, false},
    {"multistep", rate_multistep, true, false},
    {"poly", rate_poly, false, false},
    {"sigmoid", rate_sigmoid, true, true},
};

static const policy *find_policy(const char *name)
{
    for (size_t i = 0; i < LCL_COUNT(policies); i++)
        if (strcmp(policies[i].name, name) == 0)
            return &policies[i];
    return NULL;
}

/* What is wrong with the fields, and in which; NULL: nothing. */
static const char *find_fault(solver_param *p, const char **field)
{
    const char *name = p->lr_policy ? p->lr_policy : "";
    const policy *found = find_policy(name);

    *field = "lr_policy";
    if (!found)
        return name[0] ? "unknown learning rate policy" : "lr_policy is missing";
    *field = "gamma";
    if (found->needs_gamma && !(p->gamma >= 0))
        return "gamma must not be negative";
    *field = "stepsize";
    if (found->needs_stepsize && p->stepsize <= 0)
        return p->has_stepsize ? "stepsize must be greater than 0"
                               : "stepsize is missing";
    return NULL;
}

const char *lcl_learning_rate_policy(size_t i)
{
    return i < LCL_COUNT(policies) ? policies[i].name : NULL;
}

static lcl_status hint_policies(solver_param *p, lcl_status status, lcl_error *err)
{
    const char *names[LCL_COUNT(policies)];

    for (size_t i = 0; i < LCL_COUNT(policies); i++)
        names[i] = policies[i].name;
    const char *near =
        p->lr_policy ? lcl_nearest(p->lr_policy, names, LCL_COUNT(names)) : NULL;
    if (near)
        return lcl_hint(err, status, "did you mean \"%s\"?", near);
    return lcl_hint(err, status,
                    "policies: fixed, step, exp, inv, multistep, poly, sigmoid");
}

static const char *policy_name(solver_param *p)
{
    return p->lr_policy ? p->lr_policy : "";
}

lcl_status lcl_learning_rate_check(const lcl_proto *source, lcl_error *err)
{
    solver_param *p = (solver_param *)lcl_proto_root(source);
    const char *field;
    const char *fault = find_fault(p, &field);

    if (!fault)
        return LCL_OK;
    lcl_status status = lcl_proto_fail(source, p, field, err, LCL_EPROTO,
                                       "lr_policy \"%s\": %s", policy_name(p), fault);
    return strcmp(field, "lr_policy") == 0 ? hint_policies(p, status, err) : status;
}

lcl_status lcl_learning_rate(const Caffe__SolverParameter *param, int iter,
                             int *current_step, float *rate, lcl_error *err)
{
    const char *field;
    const char *fault = find_fault(param, &field);

    if (fault)
        return lcl_fail(err, LCL_EPROTO, "", "lr_policy \"%s\": %s", policy_name(param),
                        fault);
    *rate = find_policy(param->lr_policy)->rate(param, iter, current_step);
    return LCL_OK;
}
