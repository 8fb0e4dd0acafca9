/*
 * observed_show: an observed schema as JSON Schema, for clients.
 *
 * What a dataset shows as `observableSchema`, and what the union of a class knows beyond the schemas that were
 * registered. Callers: responder/datasets, responder/registry_unions.
 *
 * A node becomes an object with `type`, `meta:xdmType` and what its kind has besides. Where values of several types
 * were seen it is the widest of them (contract.md section 6), nulls apart:
 *
 *   boolean              boolean, boolean
 *   integer              integer, long
 *   number, and integer  number, double
 *   datetime             string, date-time, `format` date-time
 *   string, and datetime string, string
 *   array                array, array, `items` when an element was seen
 *   object               object, object, `properties`; or object, map, `additionalProperties`; an object whose
 *                        members are not told apart (observed.h) has `additionalProperties` true
 *   null alone           null, null
 *   anything else        string, mixed: JSON text in a column of an export; nothing of what is below
 *
 * and nothing was seen at all: {}.
 */
#ifndef CONSIGN_CORE_OBSERVED_SHOW_H
#define CONSIGN_CORE_OBSERVED_SHOW_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/fault.h"

struct json_object;

/* Shows the stored text of observed.h. `counts`: each node also tells in `meta:count` how many values were seen,
 * nulls too. The tree is the caller's. FAULT_INTERNAL (logged) when the text is not of its form, FAULT_MEMORY. */
enum fault observed_show(const char *text, size_t length, bool counts, struct json_object **out) MUST_CHECK;

#endif
