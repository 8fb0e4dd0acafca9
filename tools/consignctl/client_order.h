/*
 * client_order: the request of an export job from the options of `export create`. Pure.
 */
#ifndef CONSIGN_TOOLS_CLIENT_ORDER_H
#define CONSIGN_TOOLS_CLIENT_ORDER_H

#include <stdbool.h>

#include "lib/jsonio.h"

struct client_order {
    const char *dataset, *fields, *merge_policy, *from; /* NULL: not given */
    const char *const *segment;
    int segments;
    bool per_segment, events;
};

/* Puts what the order says into the request: into what --body gave, or an empty object. Members that it does not speak
 * of stay as they are; schema is added when there is none. False: a member on the way to one is no object. */
bool client_order_fill(struct json_object *request, const struct client_order *order);

#endif
