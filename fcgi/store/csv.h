/*
 * csv: a row of a CSV file as the JSON text of a record.
 *
 * Pure. The header line names the members: unique, not empty, and dots nest objects ("person.name.first"; no member is
 * both a value and an object). A row has as many fields as the header. A field in quotes is taken as it is, two quotes
 * in it are one (RFC 4180); an empty field without quotes is an absent member, and an object without members is absent
 * too. A column that the schema takes for a number or a boolean becomes one where the field reads as one; any other
 * field becomes a string, and whether that may be is the record's question. Cutting the file into rows is upload's
 * task. Caller: store/ingest.
 */
#ifndef CONSIGN_STORE_CSV_H
#define CONSIGN_STORE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

#define CSV_COLUMNS_MAX 4096u
#define CSV_DEPTH_MAX 32u /* of objects that a name nests */
#define CSV_NAMES_BYTES (1024u * 1024u)
#define CSV_REASON_MAX 160u

enum csv_kind { CSV_STRING = 0, CSV_NUMBER = 1, CSV_BOOLEAN = 2 }; /* may be or'ed */

/* What the member at a dot path may be besides a string: a set of enum csv_kind. */
typedef unsigned csv_kind_of(void *arg, const char *path, size_t length);

struct csv_node;
struct csv_field;

/* One per loader, from file to file. */
struct csv {
    struct csv_node *node; /* node[0] is the record */
    uint32_t nodes, node_room;
    struct csv_field *field; /* of the row that was read last */
    uint32_t fields, columns;
    char delimiter;
    struct str names, plain; /* of the header; of the row, unquoted */
    struct str json;         /* what csv_row() made: valid until the next row */
    const char *code;            /* constant, after a refusal: "csv", or "size" of a row that is too long as a record */
    char reason[CSV_REASON_MAX]; /* in English, after a refusal */
};

/* A row's JSON text holds at most `most_bytes`. False: no memory. */
bool csv_init(struct csv *csv, size_t most_bytes) __attribute__((warn_unused_result));
void csv_free(struct csv *csv);

/* Reads the header of a file. False: it is no good, and reason says why. */
bool csv_header(struct csv *csv, const char *text, size_t length, char delimiter, csv_kind_of *kind, void *arg)
    __attribute__((warn_unused_result));

/* Makes json of one row. False: refused, and reason says why. */
bool csv_row(struct csv *csv, const char *text, size_t length) __attribute__((warn_unused_result));

#endif
