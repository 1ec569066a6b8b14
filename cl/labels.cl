/* Labels of CHANNELS classes, one for each of the POSITIONS of a block. A label of IGNORE_LABEL
 * (where HAS_IGNORE) does not count. */
#define LABEL(labels, p) to_ivec(labels[(get_global_id(2) * POSITIONS + (p)) * LANES + LANE])

inline ivec is_channel(ivec label) { return label >= 0 && label < CHANNELS; }

/* Labels that count: of images that exist, and not ignored. */
inline ivec counts(ivec label, int n_images)
{
    ivec exists = lane_exists(get_global_id(2), n_images);
#if HAS_IGNORE
    return exists && label != IGNORE_LABEL;
#else
    return exists;
#endif
}
