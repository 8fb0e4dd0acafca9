/*
 * bare: the profile of an identity that has events only.
 *
 * It is the primary identity of its events and nothing else. Caller: export/run.
 */
#ifndef CONSIGN_EXPORT_BARE_H
#define CONSIGN_EXPORT_BARE_H

#include <stddef.h>

#include "lib/fault.h"
#include "lib/jscan.h"
#include "lib/str.h"

/* Appends {"identityMap":{"<ns>":[{"id":"<id>","primary":true}]}} for the primary identity of an event
 * that ingestion has accepted: the entry marked primary, or the only one. `scan` is working memory.
 * FAULT_INTERNAL (logged) when the body has none: ingestion refuses such events. */
enum fault bare_write_profile(struct jscan *scan, const char *event, size_t length, struct str *out) MUST_CHECK;

#endif
