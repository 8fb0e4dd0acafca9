/*
 * routes: every path that the service offers, in one table (contract.md section 1).
 */
#ifndef CONSIGN_RESPONDER_ROUTES_H
#define CONSIGN_RESPONDER_ROUTES_H

#include <stdio.h>

#include "responder/call.h"

enum route_gate {
    ROUTE_TENANT, /* token, key, org, sandbox and right must agree */
    ROUTE_PUBLIC, /* anybody */
    ROUTE_OPS     /* only by the operators' listener; does not exist elsewhere */
};

enum route_body {
    ROUTE_BODY_NONE,   /* read to its end and ignored */
    ROUTE_BODY_JSON,   /* at most 1 MiB, Content-Type application/json */
    ROUTE_BODY_PATCH,  /* as JSON; the type of RFC 6902 section 6 is taken too */
    ROUTE_BODY_FORM,   /* at most 64 KiB, application/x-www-form-urlencoded */
    ROUTE_BODY_STREAM  /* the handler reads it piece by piece */
};

struct route {
    enum method method; /* METHOD_GET serves HEAD too */
    const char *pattern; /* `*` stands for one variable segment */
    enum route_gate gate;
    unsigned right; /* of ROUTE_TENANT; 0: any */
    enum route_body body;
    enum fault (*handle)(struct call *c);
    const char *name; /* for the log and metrics */
};

enum route_match { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

/* Finds the route of the call's path and method; fills in call->route and call->segment. One slash
 * at the end makes no difference. ROUTE_NO_METHOD: *allow is the value of the Allow header. */
enum route_match routes_match(struct call *c, const char **allow);

/* How many routes there are; the number of one of them, from 0, or that count for NULL; the name of one by its number. */
int routes_count(void);
int routes_number(const struct route *route);
const char *routes_name(int number);

/* Writes the table of routes as Markdown. */
void routes_print_table(FILE *out);

#endif
