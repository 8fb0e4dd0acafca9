/*
 * client_place: where the service is. See client_place.h.
 *
 * SECURITY: the parser is libcurl's own, so that what is looked at here is what it will connect to.
 */
#include "consignctl/client_place.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>

/* Whether the host, as libcurl writes it, is this machine. */
static bool place_is_here(const char *host)
{
    struct in_addr address;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Whether the part is there. */
static bool place_has(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

/* The whole URL into *out, its last slashes off. */
static bool place_copy(CURLU *url, struct client_place *out)
{
    char *text = NULL;
    bool fits = curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK && strlen(text) < sizeof out->url;
    if (fits) {
        size_t length = strlen(text);
        while (length > 0 && text[length - 1] == '/')
            length--;
        memcpy(out->url, text, length);
        out->url[length] = '\0';
    }
    curl_free(text);
    return fits;
}

static const char *place_look(CURLU *url, bool insecure_http, struct client_place *out)
{
    char *scheme = NULL, *host = NULL;
    const char *wrong = NULL;
    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
        wrong = "is no URL";
    } else {
        out->plain = strcmp(scheme, "http") == 0;
        if (!out->plain && strcmp(scheme, "https") != 0)
            wrong = "must begin with https://";
        else if (place_has(url, CURLUPART_USER) || place_has(url, CURLUPART_PASSWORD) ||
                 place_has(url, CURLUPART_QUERY) || place_has(url, CURLUPART_FRAGMENT))
            wrong = "may have no user, query or fragment";
        else if (out->plain && !insecure_http && !place_is_here(host))
            wrong = "is http, and another machine: anybody on the way could read the token (--insecure-http sends it)";
        else if (!place_copy(url, out))
            wrong = "is too long";
    }
    curl_free(scheme);
    curl_free(host);
    return wrong;
}

const char *client_place_read(const char *url, bool insecure_http, struct client_place *out)
{
    CURLU *parsed = curl_url();
    const char *cacert = out->cacert;
    *out = (struct client_place){.cacert = cacert};
    if (parsed == NULL)
        return "cannot be read: no memory";
    const char *wrong = curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ? "is no URL"
                                                                                 : place_look(parsed, insecure_http, out);
    curl_url_cleanup(parsed);
    return wrong;
}
