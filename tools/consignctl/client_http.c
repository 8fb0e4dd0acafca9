/*
 * client_http: one request and its answer. See client_http.h.
 */
#include "consignctl/client_http.h"

#include <stdio.h>

#include "consignctl/client.h"
#include "consignctl/client_curl.h"

_Static_assert(CLIENT_HTTP_REASON_BYTES >= CURL_ERROR_SIZE, "libcurl writes its reason there");

/* Takes a piece of the body; fewer bytes than came end the transfer. */
static size_t http_take(char *bytes, size_t one, size_t count, void *into)
{
    struct str *body = into;
    str_append(body, bytes, one * count);
    return body->overflow ? 0 : one * count;
}

enum client_reach client_http_send(const struct client_place *place, const struct client_request *request,
                                   struct client_answer *answer, char reason[CLIENT_HTTP_REASON_BYTES])
{
    static CURL *easy; /* kept for its connection */
    curl_off_t retry_after = 0;
    if (easy == NULL)
        easy = curl_easy_init();
    if (easy == NULL)
        client_fail(CLIENT_REFUSED, "no memory");
    *answer = (struct client_answer){.body = STR_INIT(request->most_bytes)};
    struct curl_slist *headers = client_curl_headers(request->headers, curl_slist_append(NULL, "Expect:"));
    client_curl_prepare(easy, place, request->path, headers, reason);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length);
    }
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->most_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer->body);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
    answer->retry_after_s = (int64_t)retry_after;
    curl_slist_free_all(headers);
    if (code == CURLE_OK)
        return CLIENT_REACHED;
    if (answer->body.overflow)
        client_fail(CLIENT_REFUSED, "%s %s: the answer is too long", request->method, request->path);
    if (reason[0] == '\0')
        snprintf(reason, CLIENT_HTTP_REASON_BYTES, "%s", curl_easy_strerror(code));
    return client_curl_may_pass(code) ? CLIENT_CUT : CLIENT_NEVER;
}

void client_http_free(struct client_answer *answer)
{
    str_free(&answer->body);
}
