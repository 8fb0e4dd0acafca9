/*
 * parquet_schema: the columns of an export as Parquet sees them.
 *
 * Every node of a row schema is optional. An array is the three-level LIST (`list`, `element`), a map the MAP of
 * `key_value` with a required `key` and a `value` (LogicalTypes.md of apache/parquet-format). Definition levels
 * follow from that: a member is one level below its group; an array's or map's elements are two levels below it,
 * one for that there is an element, one for that it is not null. Callers: parquet_shred, parquet_file.
 */
#ifndef CONSIGN_EXPORT_PARQUET_SCHEMA_H
#define CONSIGN_EXPORT_PARQUET_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/parquet_column.h"
#include "export/parquet_thrift.h"
#include "export/rowschema.h"
#include "lib/fault.h"

/* Beside each node of the row schema, under the same index. */
struct parquet_node {
    uint32_t parent;
    uint32_t column;    /* of a scalar; of a map: its keys' */
    uint8_t definition; /* level when the value is there */
    uint8_t repetition; /* of what is below: of a list or map, the level at which its next element comes */

    /* What comes from the rows, for parquet_shred. */
    uint8_t pending_repetition;
    uint8_t pending_definition;
    uint64_t pending; /* times that nothing was here, which the columns below do not know yet */
    uint64_t seen;    /* the group instance that had it last */
    uint32_t first;   /* of a group: the member that came first the last time, */
    uint32_t follows; /* of a member: the one that came after it: rows tend to keep an order, 0 not known yet */
};

struct parquet_schema {
    const struct rowschema *rows; /* the caller's */
    struct parquet_node *node;
    struct parquet_column *column; /* depth first, keys before values */
    uint32_t *owner;               /* of a column: its node */
    uint32_t columns;
};

/* FAULT_MEMORY; FAULT_INTERNAL (logged): a row schema that is none, or nested too deep. Released with
 * parquet_schema_close(), also after a fault. */
enum fault parquet_schema_open(struct parquet_schema *schema, const struct rowschema *rows) MUST_CHECK;
void parquet_schema_close(struct parquet_schema *schema, struct parquet_pages *pages);

/* Writes the field of struct FileMetaData that lists the nodes. */
void parquet_schema_write(const struct parquet_schema *schema, struct parquet_thrift *thrift, int id);

/* Writes the field of struct ColumnMetaData that is the column's path. */
void parquet_schema_write_path(const struct parquet_schema *schema, uint32_t column, struct parquet_thrift *thrift,
                               int id);

/* Writes the path of a node for the log, as dots and names. */
void parquet_schema_name(const struct parquet_schema *schema, uint32_t node, char *out, size_t size);

#endif
