/*
 * parquet_levels: small numbers as runs: repetition and definition levels, indices into a dictionary.
 *
 * Parquet's RLE/bit-packing hybrid (Encodings.md of apache/parquet-format, RLE = 3): eight or more equal numbers
 * become a repeated run, everything else packed groups of eight. Encoded as the numbers come, so a column that is
 * null for a million rows holds a few bytes. Caller: parquet_column.
 */
#ifndef CONSIGN_EXPORT_PARQUET_LEVELS_H
#define CONSIGN_EXPORT_PARQUET_LEVELS_H

#include <stdint.h>

#include "export/parquet_buffer.h"

struct parquet_levels {
    struct parquet_buffer out; /* complete after parquet_levels_end() */
    uint64_t bits;             /* packed bits that do not fill a byte yet */
    uint64_t run;              /* how many of `value` came last, not encoded yet */
    size_t header;             /* where the packed run's header byte stands, while `packed` is not 0 */
    uint32_t value;
    uint16_t packed;           /* numbers in the packed run that is open */
    uint8_t bit_count;
    uint8_t width;             /* bits a number, at most 32 */
};

/* How many bits the numbers up to `most` need. */
static inline uint8_t parquet_levels_width(uint32_t most)
{
    uint8_t width = 0;
    for (; most != 0; most >>= 1)
        width++;
    return width;
}

/* Takes the run at hand into the encoding and begins another. */
void parquet_levels_turn(struct parquet_levels *levels, struct parquet_memory *memory, uint32_t value, uint64_t count);

/* Adds `count` times the number. */
static inline void parquet_levels_add(struct parquet_levels *levels, struct parquet_memory *memory, uint32_t value,
                                      uint64_t count)
{
    if (value == levels->value)
        levels->run += count;
    else
        parquet_levels_turn(levels, memory, value, count);
}

/* Encodes what is left. */
void parquet_levels_end(struct parquet_levels *levels, struct parquet_memory *memory);

/* Empty again, of the same width; memory beyond `keep` bytes is freed. */
void parquet_levels_reset(struct parquet_levels *levels, struct parquet_memory *memory, size_t keep);

#endif
