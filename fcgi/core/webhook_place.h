/*
 * webhook_place: where webhooks may be sent: the operator's list of hosts (setting webhook.hosts) and the classes of addresses.
 *
 * The list has entries `HOST`, `HOST:PORT` or `HOST=PREFIX`, with commas or blanks between. A host is a name or an address
 * and stands for itself alone, with that port (443 without one). A name leads to public addresses only, or with a prefix
 * (10.1.0.0/16, fd00::/8) to that network only; an address in the list is allowed itself, whatever class it is of.
 * `http://ADDRESS:PORT` of loopback allows that without TLS; nothing else goes without it.
 *
 * SECURITY: who may make a name point elsewhere must not reach the service's own network by it, so the address is asked
 * again at the moment a connection is opened, and not when the name is looked up. Pure. Callers: consignctl webhook, the
 * spooler's sender.
 */
#ifndef CONSIGN_CORE_WEBHOOK_PLACE_H
#define CONSIGN_CORE_WEBHOOK_PLACE_H

#include <stdbool.h>
#include <sys/socket.h>

#define WEBHOOK_URL_MAX 2049  /* of an endpoint, with terminator */
#define WEBHOOK_HOST_MAX 254 /* with terminator */

/* What of a URL decides where a request goes. */
struct webhook_url {
    bool tls;
    char host[WEBHOOK_HOST_MAX]; /* a name in lower case, or an address in its usual form without brackets */
    int port;
};

/* A network; family 0: none. */
struct webhook_prefix {
    int family;
    unsigned char bytes[16];
    int bits;
};

/* Reads the URL of an endpoint: https, or http to an address of loopback; no user, no fragment; printable ASCII. False:
 * *rule says what it breaks (a constant). */
bool webhook_url_read(const char *text, struct webhook_url *out, const char **rule);

/* Whether the list can be read. False: *rule says why not (a constant). */
bool webhook_hosts_valid(const char *list, const char **rule);

/* Whether a valid list has the URL's host; then *inside is the network that its addresses must lie in, family 0: any public
 * one. */
bool webhook_hosts_allow(const char *list, const struct webhook_url *url, struct webhook_prefix *inside);

/* Whether a connection may be opened to an address: it lies inside, or without a network it is a public one. Another
 * family than IPv4 and IPv6 may not. IPv4 written as IPv6 (::ffff:0:0/96) is IPv4. */
bool webhook_address_allowed(const struct sockaddr *address, const struct webhook_prefix *inside);

#endif
