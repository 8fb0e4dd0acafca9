/*
 * client_curl: how this program uses libcurl. See client_curl.h.
 */
#include "consignctl/client_curl.h"

#include <stdio.h>

#include "consignctl/client.h"

#define CURL_CONNECT_MS 10000L
#define CURL_SILENCE_S 45L /* without a byte for so long a connection counts as cut; more than a request that waits */

struct curl_slist *client_curl_headers(const char *const *headers, struct curl_slist *list)
{
    for (; headers != NULL && *headers != NULL; headers++) {
        struct curl_slist *longer = curl_slist_append(list, *headers);
        if (longer == NULL)
            client_fail(CLIENT_REFUSED, "no memory");
        list = longer;
    }
    return list;
}

void client_curl_prepare(CURL *easy, const struct client_place *place, const char *path, struct curl_slist *headers,
                         char *reason)
{
    char url[CLIENT_PLACE_URL_MAX + 4096];
    if (snprintf(url, sizeof url, "%s%s", place->url, path) >= (int)sizeof url)
        client_fail(CLIENT_REFUSED, "the path is too long");
    reason[0] = '\0';
    curl_easy_reset(easy); /* keeps the connection */
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "consignctl");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CURL_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, CURL_SILENCE_S);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, place->plain ? "http" : "https");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (place->plain)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (place->cacert != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, place->cacert);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* the system's folder would count as well */
    }
}

bool client_curl_may_pass(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return true;
    default:
        return false;
    }
}
