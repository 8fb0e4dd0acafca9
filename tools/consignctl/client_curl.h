/*
 * client_curl: how this program uses libcurl: what every request has in common, and which of its faults may pass.
 * Callers: client_http and client_transfer, which with client_place are the only other files that know libcurl.
 */
#ifndef CONSIGN_TOOLS_CLIENT_CURL_H
#define CONSIGN_TOOLS_CLIENT_CURL_H

#include <curl/curl.h>
#include <stdbool.h>

#include "consignctl/client_place.h"

/* Sets up a handle for one request to the path (with its query) of the place. `headers` are whole lines and must outlive
 * the transfer, as `reason` must (CURL_ERROR_SIZE bytes). The handle may have been used before.
 * SECURITY: the token goes to the place alone. Redirects are not followed, the scheme is the place's, TLS is verified, and
 * what is sent without TLS is sent through no proxy. */
void client_curl_prepare(CURL *easy, const struct client_place *place, const char *path, struct curl_slist *headers,
                         char *reason);

/* The headers as a list, to be freed by curl_slist_free_all(). `headers` ends with NULL. */
struct curl_slist *client_curl_headers(const char *const *headers, struct curl_slist *list);

/* Whether the same request may work a moment later: nobody listened, the connection was cut, it took too long. */
bool client_curl_may_pass(CURLcode code);

#endif
