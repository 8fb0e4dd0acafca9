/*
 * registry_request: what a client may register: a schema. Caller: registry_schemas.
 */
#ifndef CONSIGN_RESPONDER_REGISTRY_REQUEST_H
#define CONSIGN_RESPONDER_REGISTRY_REQUEST_H

#include "responder/call.h"

/* All texts live in the arena of the call. */
struct registry_request {
    const char *title;
    const char *class;    /* profile or experienceevent */
    const char *document; /* as the client sent it, without the members that the service makes */
};

/* The text of a class as the $id of its base schema. */
const char *registry_class_id(const char *class);

/* Reads the body of the call. The class is that of the base schema that `allOf` refers to, or `meta:class` where there
 * is no such reference; both must agree. References to other resources below REGISTRY_XDM (standard field groups) are
 * taken and add nothing. FAULT_MALFORMED with the pointer, FAULT_MEMORY. */
enum fault registry_request_read(struct call *c, struct registry_request *out) MUST_CHECK;

/* A string member; *out is NULL when absent. Another type, and JSON null, is refused. */
enum fault registry_text(struct call *c, struct json_object *parent, const char *name, const char **out) MUST_CHECK;

#endif
