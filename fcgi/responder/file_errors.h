/*
 * file_errors: the records of an uploaded batch that were refused, as clients see them: one a line, under
 * /batches/{b}/meta?path=row_errors. (In pages of JSON: files.c, /failed.) Caller: files.
 */
#ifndef CONSIGN_RESPONDER_FILE_ERRORS_H
#define CONSIGN_RESPONDER_FILE_ERRORS_H

#include "responder/call.h"
#include "responder/query.h"

#define FILE_ERRORS_PATH "row_errors"

/* {file, line, byteOffset, code, reason, record} of a row of STMT_ERROR_LIST. */
struct json_object *file_errors_entry(struct call *c, const struct db_rows *rows, int row);

/* Answers the refused records from `start` (a row offset) on, one JSON object a line, at most 1000 and about 2 MiB. When
 * more follow, the header Link names them (rel="next", RFC 8288). FAULT_NOT_FOUND: the batch refused none. */
enum fault file_errors_send(struct call *c, const struct query *query) MUST_CHECK;

#endif
