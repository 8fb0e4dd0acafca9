/*
 * parquet_dictionary: the different values of one column of a row group, each with its number.
 *
 * The values lie as the dictionary page wants them (PLAIN): fixed ones as they are, others after their
 * length. Caller: parquet_column.
 *
 * SECURITY: clients choose the values. The hash is fast, keyed, and not made to resist a clever client; a
 * value that finds too many others in its way is refused instead, so no choice of values costs more than
 * a bounded number of looks each.
 */
#ifndef CONSIGN_EXPORT_PARQUET_DICTIONARY_H
#define CONSIGN_EXPORT_PARQUET_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/parquet_buffer.h"
#include "lib/siphash.h"

#define PARQUET_DICTIONARY_COUNT_MAX 65534u /* a number fits 16 bits */
#define PARQUET_DICTIONARY_FIXED 8u         /* bytes of a fixed value */

struct parquet_dictionary {
    struct parquet_buffer bytes;  /* the values */
    struct parquet_buffer offset; /* uint32_t each: where a value begins in `bytes`; not for fixed ones */
    struct parquet_buffer table;  /* uint64_t each: 0, or 16 bits of the hash, number + 1, and 32 bits of where it
                                   * begins, which spares a look into `offset` far away */
    uint32_t slots;               /* a power of two */
    uint32_t count;
    bool fixed;
};

/* The number of a value, which is added when it is new (*fresh). -1: the dictionary does not take it, because it
 * would grow beyond `bound` bytes or for another reason; it is unchanged then. */
int32_t parquet_dictionary_number(struct parquet_dictionary *dictionary, struct parquet_memory *memory,
                                  const struct siphash_key *key, size_t bound, const char *value, size_t length,
                                  bool *fresh);

/* Appends the value with that number as PLAIN. */
void parquet_dictionary_copy(const struct parquet_dictionary *dictionary, struct parquet_memory *memory,
                             uint32_t number, struct parquet_buffer *out);

/* Empty again; memory is freed. */
void parquet_dictionary_free(struct parquet_dictionary *dictionary, struct parquet_memory *memory);

#endif
