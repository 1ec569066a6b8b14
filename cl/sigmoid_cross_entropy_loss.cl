/* Cross entropy of targets and the sigmoid of x. A target of IGNORE_LABEL (where HAS_IGNORE)
 * does not count. */
#include "loss.cl"

inline ivec counts(vec target, int n_images)
{
    ivec exists = lane_exists(get_global_id(2), n_images);
#if HAS_IGNORE
    return exists && to_ivec(target) != IGNORE_LABEL;
#else
    return exists;
#endif
}

kernel void sigmoid_cross_entropy_loss_forward(global const vec *x,
                                               global const vec *targets, global vec *losses,
                                               global vec *counted, int n_images)
{
    vec loss = 0, n = 0;

    FOR_EACH (i) {
        vec one = fmax(x[i], 0.0f) - x[i] * targets[i] + log_1_plus(exp(-fabs(x[i])));
        loss += counts(targets[i], n_images) ? one : (vec)0;
        n += counts(targets[i], n_images) ? (vec)1 : (vec)0;
    }
    losses[SUM_PLACE] = loss;
    counted[SUM_PLACE] = n;
}

kernel void sigmoid_cross_entropy_loss_backward(global const vec *x,
                                                global const vec *targets, global vec *dx,
                                                int n_images, float weight,
                                                global const float *divisor)
{
    vec scale = weight / divisor[0];

    FOR_EACH (i) {
        vec d = 1 / (1 + exp(-x[i])) - targets[i];
        dx[i] = counts(targets[i], n_images) ? d * scale : (vec)0;
    }
}
