/* What recurrent cells share. A step has n vectors, ROW for each of its streams; arrays over
 * all STEPS hold them step after step. What a cell takes from the step before, h times cont,
 * lies in `conted` over all steps, and for the next product in `conted_step`. */
#define STREAM(i) ((i) / ROW)
#define CONT(t) cont[(t) * (n / ROW) + STREAM(i)]

#ifdef BEGIN
kernel void recurrent_begin(int n, int chunk, global const float *cont,
                            global const vec *h_before, global vec *conted,
                            global vec *conted_step)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++)
        conted[i] = conted_step[i] = CONT(0) * h_before[i];
}
#endif

/* Hands h of step t on to the next. */
#define HAND_ON(t, h)                                                                    \
    if ((t) + 1 < STEPS)                                                                 \
    conted[((t) + 1) * n + i] = conted_step[i] = CONT((t) + 1) * (h)

/* The gradient of h in step t: dh from the layers above, and what the next step gives. */
#define GRADIENT_OF_H(t)                                                                 \
    (dh[(t) * n + i] + ((t) + 1 < STEPS ? CONT((t) + 1) * d_conted[i] : (vec)0))
