/*
 * schema: a tenant's schema, compiled, and the check of a record against it.
 *
 * Pure. Callers: profile/record (each record of a dataset with a registered schema), the registry (documents that
 * are posted, properties that descriptors name), the reader of CSV files (types of columns).
 *
 * The document is JSON Schema as the reference's registry takes it: an object with `properties`, and these keywords
 * below it: type (string integer number boolean object array null, or a list of them), meta:xdmType (string integer
 * long short byte int number double boolean date date-time object array map; decides when it is there), format
 * (date, date-time), enum (strings, numbers, booleans, null), minimum, maximum, minLength, maxLength (characters),
 * properties, required, items, additionalProperties (an object: the values of a map). A keyword rules values of its
 * type only. A definition without a type takes any value. `$ref` is taken for ids below https://ns.adobe.com/xdm/, and
 * adds nothing. All other keywords are passed over; so are members of a record that the schema does not name.
 */
#ifndef CONSIGN_PROFILE_SCHEMA_H
#define CONSIGN_PROFILE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/spec.h"
#include "lib/arena.h"
#include "lib/fault.h"
#include "lib/jscan.h"
#include "profile/schema_number.h"

#define SCHEMA_DEPTH_MAX 32u       /* of definitions; the document itself is depth 0 */
#define SCHEMA_NODES_MAX 5000u     /* definitions of a document */
#define SCHEMA_ENUM_MAX 1000u      /* values of one enum */
#define SCHEMA_VALUES_MAX 10000u   /* values of all enums of a document */
#define SCHEMA_IDENTITIES_MAX 100u /* descriptors of a schema */
#define SCHEMA_NAME_MAX 255u       /* bytes of a member's name */
#define SCHEMA_NAMESPACE_MAX 255u  /* bytes of an identity namespace */
#define SCHEMA_DOCUMENT_MAX (1024u * 1024u)

/* An arena of this many bytes holds any schema. */
#define SCHEMA_ARENA_BYTES (4u * 1024u * 1024u)

/* Bytes at the front of a reason that the place of the value takes at most. */
#define SCHEMA_POINTER_MAX 100u

/* What a value may be: a set of these. */
enum schema_type {
    SCHEMA_STRING = 1,
    SCHEMA_INTEGER = 2, /* any JSON number with an integral value */
    SCHEMA_NUMBER = 4,
    SCHEMA_BOOLEAN = 8,
    SCHEMA_DATE = 16,     /* a string: full-date of RFC 3339 */
    SCHEMA_DATETIME = 32, /* a string: date-time of RFC 3339 */
    SCHEMA_OBJECT = 64,   /* and map */
    SCHEMA_ARRAY = 128,
    SCHEMA_NULL = 256 /* only elements of arrays need it: a member that is null is an absent one */
};

/* A scalar of an enum. */
struct schema_value {
    enum jscan_type type;
    const char *text; /* of strings, plain UTF-8 */
    uint32_t length;
    struct schema_number number; /* of numbers */
};

/* One definition. Its members stand side by side, in order of name (bytes). 0 is none (node 0 is the document). */
struct schema_node {
    const char *name; /* plain UTF-8; of members */
    uint32_t name_length;
    uint32_t types;   /* a set of enum schema_type; 0: any */
    uint32_t member;  /* the first member */
    uint32_t members; /* how many */
    uint32_t required_members; /* how many of them must be there */
    uint32_t element; /* of arrays */
    uint32_t value;   /* of maps: of members without a definition of their own */
    uint32_t min_length;
    uint32_t max_length; /* UINT32_MAX: no bound */
    uint32_t values;     /* of the enum; 0: none */
    uint32_t definition; /* on the document's tape, while it is read */
    const struct schema_value *value_of; /* in an order of schema_enum's */
    struct schema_number minimum, maximum; /* digits NULL: no bound */
    uint16_t identity;                     /* 1 + which of the schema's identities it is; 0: none */
    uint8_t integer_bits;                  /* of integers: 8, 16, 32 or 64 */
    bool required;
};

/* A member that holds an identity. */
struct schema_identity {
    const char *property; /* as given: /_tenant/identities/crmId */
    const char *ns;       /* plain UTF-8, 1 to SCHEMA_NAMESPACE_MAX bytes */
    uint32_t ns_length;
    bool primary;
};

/* Read-only to callers; lies in the arena whole. */
struct schema {
    struct schema_node *node; /* node[0] is the document */
    uint32_t count;
    struct schema_identity identity[SCHEMA_IDENTITIES_MAX];
    uint32_t identities;
    uint32_t primary; /* 1 + which identity is the primary one; 0: none */
};

/* Compiles `length` bytes of a document, and `identities`: JSON text [{"property","namespace","primary"}], NULL for
 * none. Of the document's own members only type, properties and required are read. FAULT_MALFORMED with *refusal: for
 * the document a pointer into it, for an identity /xdm:sourceProperty, /xdm:namespace or /xdm:isPrimary (the property
 * names no string, integer or number member that is reached through objects only; or a second primary). FAULT_MEMORY:
 * the arena is exhausted. Texts of *refusal live in the arena or are constants. */
enum fault schema_read(struct arena *a, const char *document, size_t length, const char *identities,
                       const struct schema **out, struct spec_refusal *refusal) MUST_CHECK;

/* The types of the member at a dot path (plain UTF-8), through objects and maps: a set of enum schema_type; 0 when the
 * schema does not say (also when `schema` is NULL). */
unsigned schema_types_at(const struct schema *schema, const char *path, size_t length);

/* Checks the object on the tape, in one walk, allocating nothing. at[i] becomes the tape's node of the value of the
 * schema's identity i, 0 when it is absent or null; a value that is neither a string nor a number is given too, and
 * not checked. False: `reason` (of `size` bytes, at least RECORD_REASON_MAX) begins with the JSON pointer of the value
 * at fault, cut to SCHEMA_POINTER_MAX bytes, and goes on with the rule: "/_tenant/points must be an integer". */
bool schema_check(const struct schema *schema, const struct jscan *scan, uint32_t at[SCHEMA_IDENTITIES_MAX],
                  char *reason, size_t size) __attribute__((warn_unused_result));

#endif
