/*
 * registry_page: pages of the schema registry's lists: {"results":[...],"_page":{...},"_links":{...}}.
 *
 * Oldest first. `_page.next` is the id to give as `start` for the next page, null on the last one.
 * Callers: registry_schemas, registry_descriptors, registry_unions.
 */
#ifndef CONSIGN_RESPONDER_REGISTRY_PAGE_H
#define CONSIGN_RESPONDER_REGISTRY_PAGE_H

#include "responder/call.h"

struct registry_page {
    int64_t limit;
    const char *start; /* a number of 40 digits; NULL: the first page */
};

/* Reads limit (1 to 100, default 20) and start, in any form of registry_read_id(). Other members are passed over. */
enum fault registry_page_read(struct call *c, struct registry_page *out) MUST_CHECK;

/* Answers `results`, an array that becomes the answer's. `resource` is "schemas" or "descriptors"; `next` the id of
 * the last one shown when there are more, else NULL. */
enum fault registry_page_answer(struct call *c, const struct registry_page *page, const char *resource,
                                struct json_object *results, const char *next) MUST_CHECK;

#endif
