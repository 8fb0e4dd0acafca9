/*
 * registry_id: the names of the schema registry's resources. Callers: registry_*.c, datasets.c.
 *
 * A schema is a number of 40 hex digits. Clients see https://ns.adobe.com/<tenant>/schemas/<number> as its $id and
 * _<tenant>.schemas.<number> as its meta:altId; <tenant> is made of the organisation's id. In paths and in references
 * these two and the bare number are the same schema.
 */
#ifndef CONSIGN_RESPONDER_REGISTRY_ID_H
#define CONSIGN_RESPONDER_REGISTRY_ID_H

#include "responder/call.h"

#define REGISTRY_DIGITS 40u
#define REGISTRY_XDM "https://ns.adobe.com/xdm/"
#define REGISTRY_CONTEXT REGISTRY_XDM "context/"
#define REGISTRY_PATH "/data/foundation/schemaregistry/tenant/"

/* The organisation's id up to its '@', in lower case, characters outside [a-z0-9_-] as '_'. In the arena; NULL: no
 * memory, as for all below. */
const char *registry_tenant(struct call *c);

/* $id and meta:altId of a schema. */
const char *registry_schema_id(struct call *c, const char *number);
const char *registry_alt_id(struct call *c, const char *number);

/* The number that an id in any of the three forms has; NULL: it is no id of this tenant's. Points into `text`. */
const char *registry_read_id(struct call *c, const char *text);

/* The members that schemas, unions and descriptors have in common. */
void registry_add_tenant(struct call *c, struct json_object *object);

#endif
