/*
 * parquet_statistics: the least and the greatest value of one column of a row group.
 *
 * In the order that the footer promises (TypeDefinedOrder): numbers by value, strings by their bytes. Long
 * strings are told by their beginning. Source: Statistics in parquet.thrift of apache/parquet-format.
 * Caller: parquet_column, parquet_file.
 */
#ifndef CONSIGN_EXPORT_PARQUET_STATISTICS_H
#define CONSIGN_EXPORT_PARQUET_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/parquet_thrift.h"

#define PARQUET_STATISTICS_BYTES 32u

struct parquet_bound {
    union {
        int64_t integer;
        double number;
        char bytes[PARQUET_STATISTICS_BYTES]; /* the beginning of a string */
    } value;
    uint64_t head;  /* of bytes, see parquet_bytes_head() */
    uint8_t length; /* of bytes */
    bool cut;       /* a string that begins with these bytes went on */
};

struct parquet_statistics {
    struct parquet_bound least;
    struct parquet_bound greatest;
    bool any;
};

/* Take a value in; one column sees one of these only. */
void parquet_statistics_integer(struct parquet_statistics *statistics, int64_t value);
void parquet_statistics_number(struct parquet_statistics *statistics, double value);
void parquet_statistics_bytes(struct parquet_statistics *statistics, const char *bytes, size_t length);

/* What the values are, for writing. */
enum parquet_order { PARQUET_ORDER_BOOLEAN, PARQUET_ORDER_INTEGER, PARQUET_ORDER_NUMBER, PARQUET_ORDER_BYTES };

/* Writes the members of struct Statistics: null_count, and the bounds where there are any. */
void parquet_statistics_write(const struct parquet_statistics *statistics, enum parquet_order order, uint64_t nulls,
                              struct parquet_thrift *thrift);

#endif
