/* A launch of almost nothing. */

/* Counts launches, each work-item at a place of its own. */
kernel void bench_count(global int *counts, int first)
{
    counts[first + get_global_id(0)]++;
}
