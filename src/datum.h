/* Caffe's Datum: the message that a database's values are. */
#ifndef LCL_DATUM_H
#define LCL_DATUM_H

#include "caffe.pb-c.h"
#include "source.h"

/* Decodes a value into *datum (free it with caffe__datum__free_unpacked) and points
 * *record into it. On failure *reason says what is wrong with the value and *datum is
 * NULL. */
bool lcl_datum_decode(Caffe__Datum **datum, lcl_record *record, const void *bytes,
                      size_t size, const char **reason);
/* What Caffe's tools store for a record of bytes; free() it. */
uint8_t *lcl_datum_encode(const lcl_record *record, size_t *size);

/* channels * height * width; false where one is not positive or the product overflows. */
bool lcl_record_size(const lcl_record *record, size_t *size);

#endif
