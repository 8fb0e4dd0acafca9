/*
 * schema_check: a record against its schema, in one walk over its tape.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "profile/schema_internal.h"

#define SCHEMA_DATE_BYTES 10u      /* YYYY-MM-DD */
#define SCHEMA_ESCAPED_MAX 1024u   /* of a date that is written with escapes */

struct checker {
    const struct schema *schema;
    const struct jscan *scan;
    uint32_t *at;
    char *reason;
    size_t size;
};

/* Notes the broken rule of the value at `node`, or of its member `name`. Always false. */
static bool check_refuse(struct checker *c, uint32_t node, const char *name, const char *rule)
{
    char place[SCHEMA_POINTER_MAX + 1];
    schema_place(c->scan, node, name, place, sizeof place);
    snprintf(c->reason, c->size, "%s %s", place, rule);
    return false;
}

static const char *type_rule(const struct schema_node *s)
{
    switch (s->types & ~(uint32_t)SCHEMA_NULL) {
    case SCHEMA_STRING:
        return "must be a string";
    case SCHEMA_INTEGER:
        return "must be an integer";
    case SCHEMA_NUMBER:
        return "must be a number";
    case SCHEMA_BOOLEAN:
        return "must be a boolean";
    case SCHEMA_DATE:
        return "must be a date of RFC 3339";
    case SCHEMA_DATETIME:
        return "must be a date-time of RFC 3339 with an offset";
    case SCHEMA_OBJECT:
        return "must be an object";
    case SCHEMA_ARRAY:
        return "must be an array";
    default:
        return "has none of the types of its schema";
    }
}

/* Whether a string is one of the dates that the schema allows. */
static bool check_date(const struct checker *c, const struct schema_node *s, uint32_t node)
{
    char room[SCHEMA_ESCAPED_MAX], moment[] = "YYYY-MM-DDT00:00:00Z";
    size_t length;
    int64_t ms;
    const char *plain = schema_plain(c->scan, node, room, sizeof room, &length);
    if (plain == NULL)
        return false;
    if ((s->types & SCHEMA_DATETIME) != 0 && clock_parse_rfc3339(plain, length, &ms))
        return true;
    if ((s->types & SCHEMA_DATE) == 0 || length != SCHEMA_DATE_BYTES)
        return false;
    memcpy(moment, plain, SCHEMA_DATE_BYTES);
    return clock_parse_rfc3339(moment, sizeof moment - 1, &ms);
}

/* How many characters a string has: bytes that begin one, an escape as one, the second half of a pair as none. */
static uint32_t count_characters(const struct jscan *scan, uint32_t string)
{
    const struct jscan_node *node = &scan->node[string];
    const char *at = scan->text + node->begin, *end = scan->text + node->end;
    uint32_t count = 0;
    while (at < end) {
        if (*at != '\\') {
            count += ((unsigned char)*at++ & 0xc0) != 0x80;
            continue;
        }
        bool unit = at[1] == 'u';
        bool low = unit && (at[2] == 'd' || at[2] == 'D') && strchr("cdefCDEF", at[3]) != NULL;
        count += !low;
        at += unit ? 6 : 2;
    }
    return count;
}

static bool check_string(struct checker *c, const struct schema_node *s, uint32_t node)
{
    char rule[64];
    if (s->types != 0 && (s->types & SCHEMA_STRING) == 0 && !check_date(c, s, node))
        return check_refuse(c, node, NULL, type_rule(s));
    if (s->min_length == 0 && s->max_length == UINT32_MAX)
        return true;
    uint32_t count = count_characters(c->scan, node);
    if (count < s->min_length)
        snprintf(rule, sizeof rule, "must have at least %u characters", s->min_length);
    else if (count > s->max_length)
        snprintf(rule, sizeof rule, "must have at most %u characters", s->max_length);
    else
        return true;
    return check_refuse(c, node, NULL, rule);
}

static bool check_number(struct checker *c, const struct schema_node *s, uint32_t node)
{
    const struct jscan_node *value = &c->scan->node[node];
    bool bounded = s->minimum.digits != NULL || s->maximum.digits != NULL;
    if (s->types != 0 && (s->types & (SCHEMA_INTEGER | SCHEMA_NUMBER)) == 0)
        return check_refuse(c, node, NULL, type_rule(s));
    bool any = s->types == 0 || (s->types & SCHEMA_NUMBER) != 0;
    /* what is written as an integer fits 64 bits: jscan has seen to it */
    if (!bounded && (any || (value->type == JSCAN_INTEGER && s->integer_bits == 64)))
        return true;
    struct schema_number n = schema_number_read(c->scan->text + value->begin, value->end - value->begin);
    if (!any && !schema_number_is_integral(&n))
        return check_refuse(c, node, NULL, "must be an integer");
    if (!any && !schema_number_fits(&n, s->integer_bits)) {
        char rule[64];
        snprintf(rule, sizeof rule, "must be an integer of %u bits", (unsigned)s->integer_bits);
        return check_refuse(c, node, NULL, rule);
    }
    if (s->minimum.digits != NULL && schema_number_compare(&n, &s->minimum) < 0)
        return check_refuse(c, node, NULL, "must not be below the minimum of its schema");
    if (s->maximum.digits != NULL && schema_number_compare(&n, &s->maximum) > 0)
        return check_refuse(c, node, NULL, "must not be above the maximum of its schema");
    return true;
}

static bool check_enum(struct checker *c, const struct schema_node *s, uint32_t node)
{
    return s->values == 0 || schema_enum_has(s, c->scan, node) ||
           check_refuse(c, node, NULL, "is none of the values of its enum");
}

static bool check_value(struct checker *c, uint32_t place, uint32_t node);

/* Names the first required member that the object lacks. Always false. An object may have many members and a schema
 * many that are required: each is looked at once. */
static bool check_refuse_missing(struct checker *c, const struct schema_node *s, uint32_t object)
{
    const struct jscan *scan = c->scan;
    bool here[SCHEMA_NODES_MAX + 1] = {false};
    for (uint32_t name = object + 1; name < scan->node[object].next; name = scan->node[name + 1].next) {
        uint32_t member = schema_member_of(c->schema, (uint32_t)(s - c->schema->node), scan, name);
        here[member] = scan->node[name + 1].type != JSCAN_NULL;
    }
    for (uint32_t member = s->member; member < s->member + s->members; member++) {
        if (c->schema->node[member].required && !here[member])
            return check_refuse(c, object, c->schema->node[member].name, "is required");
    }
    return check_refuse(c, object, NULL, "lacks a required member");
}

static bool check_object(struct checker *c, const struct schema_node *s, uint32_t object)
{
    const struct jscan *scan = c->scan;
    uint32_t seen = 0;
    if (s->types != 0 && (s->types & SCHEMA_OBJECT) == 0)
        return check_refuse(c, object, NULL, type_rule(s));
    if (s->members == 0 && s->value == 0)
        return true;
    for (uint32_t name = object + 1; name < scan->node[object].next; name = scan->node[name + 1].next) {
        if (scan->node[name + 1].type == JSCAN_NULL)
            continue;
        uint32_t member = schema_member_of(c->schema, (uint32_t)(s - c->schema->node), scan, name);
        if (member == 0)
            member = s->value;
        if (member != 0 && !check_value(c, member, name + 1))
            return false;
        seen += member != 0 && c->schema->node[member].required;
    }
    return seen == s->required_members || check_refuse_missing(c, s, object);
}

static bool check_array(struct checker *c, const struct schema_node *s, uint32_t array)
{
    const struct jscan *scan = c->scan;
    if (s->types != 0 && (s->types & SCHEMA_ARRAY) == 0)
        return check_refuse(c, array, NULL, type_rule(s));
    for (uint32_t at = array + 1; s->element != 0 && at < scan->node[array].next; at = scan->node[at].next) {
        if (!check_value(c, s->element, at))
            return false;
    }
    return true;
}

static bool check_type(struct checker *c, const struct schema_node *s, uint32_t node)
{
    switch ((enum jscan_type)c->scan->node[node].type) {
    case JSCAN_NULL:
        return s->types == 0 || (s->types & SCHEMA_NULL) != 0 || check_refuse(c, node, NULL, type_rule(s));
    case JSCAN_FALSE:
    case JSCAN_TRUE:
        return s->types == 0 || (s->types & SCHEMA_BOOLEAN) != 0 || check_refuse(c, node, NULL, type_rule(s));
    case JSCAN_INTEGER:
    case JSCAN_NUMBER:
        return check_number(c, s, node);
    case JSCAN_STRING:
        return check_string(c, s, node);
    case JSCAN_ARRAY:
        return check_array(c, s, node);
    case JSCAN_OBJECT:
        return check_object(c, s, node);
    }
    return false;
}

static bool check_value(struct checker *c, uint32_t place, uint32_t node)
{
    const struct schema_node *s = &c->schema->node[place];
    enum jscan_type type = (enum jscan_type)c->scan->node[node].type;
    if (s->identity != 0) {
        c->at[s->identity - 1] = node;
        if (type != JSCAN_STRING && type != JSCAN_INTEGER && type != JSCAN_NUMBER)
            return true; /* the record says what is wrong with it as an identity */
    }
    return check_type(c, s, node) && check_enum(c, s, node);
}

bool schema_check(const struct schema *schema, const struct jscan *scan, uint32_t at[SCHEMA_IDENTITIES_MAX],
                  char *reason, size_t size)
{
    struct checker c = {.schema = schema, .scan = scan, .at = at, .reason = reason, .size = size};
    memset(at, 0, schema->identities * sizeof *at);
    return check_value(&c, 0, 0);
}
