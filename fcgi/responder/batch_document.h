/*
 * batch_document: a batch row as clients see it (contract.md section 4).
 */
#ifndef CONSIGN_RESPONDER_BATCH_DOCUMENT_H
#define CONSIGN_RESPONDER_BATCH_DOCUMENT_H

#include "responder/call.h"

/* Builds the document of one row with the columns of enum batch_column. The tree is the caller's.
 * NULL: no memory. */
struct json_object *batch_document(struct call *c, const struct db_rows *rows, int row);

#endif
