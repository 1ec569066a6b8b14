/* What may follow a convolution before its top is written: a max pool over windows of QH x QW
 * side by side that tile it, and (RELU) a ReLU. With a pool, `places` keeps which input each
 * window took, or NOWHERE where the ReLU cut it off, for the backward pass. */
#define POOLED (QH * QW > 1)
#define NOWHERE 255
typedef vec_of(uchar) place_t;

/* Writes window VALUE(0..QH, 0..QW) to y[at] and places[at]. The first of equals is taken. */
#define FINISH(VALUE, y, places, at)                                                         \
    {                                                                                        \
        vec best_ = VALUE(0, 0);                                                             \
        ivec place_ = (ivec)(0);                                                             \
        UNROLL for (int i_ = 0; i_ < QH * QW; i_++)                                          \
        {                                                                                    \
            const vec v_ = VALUE(i_ / QW, i_ % QW);                                          \
            place_ = select(place_, (ivec)(i_), v_ > best_);                                 \
            best_ = select(best_, v_, v_ > best_);                                           \
        }                                                                                    \
        if (RELU) {                                                                          \
            place_ = select((ivec)(NOWHERE), place_, best_ > (vec)(0.0f));                   \
            best_ = select(best_, (vec)(0.0f), best_ <= (vec)(0.0f));                                             \
        }                                                                                    \
        (y)[at] = best_;                                                                     \
        if (POOLED)                                                                          \
            (places)[at] = convert_vec(uchar)(place_);                                       \
    }

/* The gradient of row oy, column ox from that of its window at dq[at]. */
#define FROM_POOLED(dq, places, at, oy, ox)                                                  \
    (POOLED ? select((vec)(0.0f), (dq)[at],                                                  \
                     convert_vec(int)((places)[at]) ==                                       \
                         (ivec)((oy) % QH * QW + (ox) % QW))                                 \
            : (dq)[at])

/* What of the gradient of a window went anywhere. */
#define TAKEN(dq, places, at)                                                                \
    (POOLED && RELU ? select((dq)[at], (vec)(0.0f),                                          \
                             convert_vec(int)((places)[at]) == (ivec)(NOWHERE))              \
                    : (dq)[at])
