/* Caffe's Datum: the message that a database's values are. */
#ifndef LCL_DATUM_H
#define LCL_DATUM_H

#include "caffe.pb-c.h"
#include "source.h"

/* Decodes a value into *datum (lcl_datum_free it) and points *record into it. On failure
 * *reason says what is wrong with the value and *datum is NULL. */
bool lcl_datum_decode(Caffe__Datum **datum, lcl_record *record, const void *bytes,
                      size_t size, const char **reason);
/* Frees *datum, which may be NULL, and makes it NULL. */
void lcl_datum_free(Caffe__Datum **datum);
/* The error of the source's current record, of that key. */
lcl_status lcl_datum_fail(const lcl_source *s, const void *key, size_t key_size,
                          const char *reason, lcl_error *err);
/* What Caffe's tools store for a record; free() it. */
uint8_t *lcl_datum_encode(const lcl_record *record, size_t *size);

/* channels * height * width; false where one is not positive or the product overflows. */
bool lcl_record_size(const lcl_record *record, size_t *size);

#endif
