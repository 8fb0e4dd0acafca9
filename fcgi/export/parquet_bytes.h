/*
 * parquet_bytes: short runs of bytes, loaded and compared without a call.
 *
 * Values and names are a few bytes long, and there are dozens in a row. Callers: parquet_dictionary, parquet_shred,
 * parquet_statistics.
 */
#ifndef CONSIGN_EXPORT_PARQUET_BYTES_H
#define CONSIGN_EXPORT_PARQUET_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t parquet_bytes_word(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline uint64_t parquet_bytes_half(const char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline bool parquet_bytes_equal(const char *a, const char *b, size_t length)
{
    if (length > 64)
        return memcmp(a, b, length) == 0;
    if (length >= 8) {
        for (size_t at = 0; at + 8 < length; at += 8) {
            if (parquet_bytes_word(a + at) != parquet_bytes_word(b + at))
                return false;
        }
        return parquet_bytes_word(a + length - 8) == parquet_bytes_word(b + length - 8);
    }
    if (length >= 4)
        return parquet_bytes_half(a) == parquet_bytes_half(b) &&
               parquet_bytes_half(a + length - 4) == parquet_bytes_half(b + length - 4);
    for (size_t at = 0; at < length; at++) {
        if (a[at] != b[at])
            return false;
    }
    return true;
}

/* The first eight bytes as a number that is ordered as they are; what is missing counts as zeros. */
static inline uint64_t parquet_bytes_head(const char *bytes, size_t length)
{
    uint64_t word = 0;
    if (length >= 8)
        return be64toh(parquet_bytes_word(bytes));
    memcpy(&word, bytes, length);
    return be64toh(word);
}

#endif
