/*
 * schema_text: columns made by hand, for tests: from the text that rowschema_write() (export/rowschema.h) writes.
 *
 * The members stand in the order of the text. Callers: unit tests, tests/node/write_rows.
 */
#ifndef CONSIGN_TESTS_SCHEMA_TEXT_H
#define CONSIGN_TESTS_SCHEMA_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "export/rowschema.h"

/* False: no such text. Released with schema_text_free(). */
bool schema_text_read(struct rowschema *schema, const char *text, size_t length);

void schema_text_free(struct rowschema *schema);

#endif
