/* Lists of windows in images, as R-CNN's scripts write them:
 *
 *     # 0
 *     path/of/image.jpg
 *     3 480 640            channels, height, width
 *     2                    windows: class, overlap with an object, x1 y1 x2 y2
 *     15 0.71 10 20 110 220
 *     0 0.1 5 5 60 60
 */
#ifndef LCL_WINDOW_LIST_H
#define LCL_WINDOW_LIST_H

#include <stddef.h>

#include "lcl/error.h"

typedef struct {
    size_t image; /* number of */
    int label;
    float overlap;
    int x1, y1, x2, y2; /* the last ones are in the window too */
} lcl_window;

typedef struct {
    char **images; /* paths; owned */
    size_t n_images;
    lcl_window *windows; /* owned */
    size_t n_windows;
    int channels; /* of the first image */
} lcl_window_list;

lcl_status lcl_window_list_read(lcl_window_list *out, const char *path, lcl_error *err);
void lcl_window_list_free(lcl_window_list *list);

#endif
