/*
 * client_place: where the service is, and how its TLS is looked at.
 */
#ifndef CONSIGN_TOOLS_CLIENT_PLACE_H
#define CONSIGN_TOOLS_CLIENT_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#define CLIENT_PLACE_URL_MAX 1024

struct client_place {
    char url[CLIENT_PLACE_URL_MAX]; /* no slash at its end */
    bool plain;                     /* http */
    const char *cacert;             /* a file; NULL: the system's */
};

/* Reads a URL, of which only scheme, host, port and path may be there. http only to this machine, unless `insecure_http`.
 * NULL, or what is wrong with it (a constant). */
const char *client_place_read(const char *url, bool insecure_http, struct client_place *out);

#endif
