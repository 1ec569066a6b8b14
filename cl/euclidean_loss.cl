/* Half the squared distance of two blobs: the divisor is 2 N. */
#include "loss.cl"

kernel void euclidean_loss_forward(global const vec *a, global const vec *b,
                                   global vec *losses, global vec *counted, int n_images)
{
    vec sum = 0;

    FOR_EACH (i)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    losses[SUM_PLACE] = lane_exists(get_global_id(2), n_images) ? sum : (vec)0;
}

kernel void euclidean_loss_backward(global const vec *a, global const vec *b, global vec *dx,
                                    int n_images, float weight, global const float *divisor)
{
    vec scale =
        lane_exists(get_global_id(2), n_images) ? (vec)(2 * weight / divisor[0]) : (vec)0;

    FOR_EACH (i)
        dx[i] = scale * (a[i] - b[i]);
}
