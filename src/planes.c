/* Images as records. */
#include "planes.h"

#include "text.h"

lcl_record lcl_planes_record(lcl_planes *p, const lcl_image *image, int label)
{
    size_t size = (size_t)image->channels * (size_t)image->height * (size_t)image->width;

    if (size > p->capacity) {
        p->bytes = lcl_resize(p->bytes, size, 1);
        p->capacity = size;
    }
    lcl_image_to_planes(image, p->bytes);
    return (lcl_record){.channels = image->channels,
                        .height = image->height,
                        .width = image->width,
                        .bytes = p->bytes,
                        .label = label};
}

lcl_status lcl_planes_decode(lcl_planes *p, const lcl_record *in, lcl_image_color color,
                             lcl_record *out, lcl_error *err)
{
    lcl_image image;

    *out = *in;
    if (!in->encoded)
        return LCL_OK;
    LCL_TRY(lcl_image_decode(&image, in->encoded, in->encoded_size, color,
                             "an encoded record", err));
    *out = lcl_planes_record(p, &image, in->label);
    lcl_image_free(&image);
    return LCL_OK;
}
