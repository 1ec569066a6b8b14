/* How Winograd convolution (cl/winograd.cl) lays out transformed tiles: as matrices whose rows
 * are channels, one for each of POS points, cut into panels of GROUPS groups of tiles. A group is
 * B floats: one tile of each of IB = B images, or TILES_A_GROUP tiles of each of IB < B images; V
 * of them are a work-item's vector, number LANE of LANES. So a panel is [channel][group][lane],
 * and a point is PANELS panels:
 *   vector `group` of `channel` is at ((point * PANELS + panel) * channels + channel) * GROUPS + group.
 * Tiles are numbered through: number n * TILES + t is tile t of block n. */
#define TILES_A_GROUP (B / IB)
#define TILES_A_PANEL (GROUPS * TILES_A_GROUP)
/* Groups of a point; odd, so that the points of a tile do not all fall into one set of the cache. */
#define POINT(channels) ((size_t)(PANELS * (channels) * GROUPS | 1))
/* A panel's first group of a channel, in vectors of this work-item. */
#define PANEL(channels, point, panel, channel) \
    (((point) * POINT(channels) + ((size_t)(panel) * (channels) + (channel)) * GROUPS) * LANES + LANE)
