/*
 * deliver: POST requests to endpoints. See deliver.h.
 */
#include "spooler/deliver.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/str.h"

#define DELIVER_CONNECT_MS 5000
#define DELIVER_ANSWER_MOST 65536 /* bytes of an answer, headers included */
#define DELIVER_HEADER_MAX 512

struct deliver_slot {
    CURL *easy; /* made once */
    bool used;
    bool refused;
    struct webhook_prefix inside;
    struct curl_slist *headers;
    size_t received;
    char reason[CURL_ERROR_SIZE];
};

static struct {
    CURLM *multi;
    const char *ca_file;
    int used;
    struct deliver_slot slot[DELIVER_MOST];
} deliver;

bool deliver_open(const char *ca_file)
{
    deliver.ca_file = ca_file;
    deliver.multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
    bool good = deliver.multi != NULL;
    for (int i = 0; good && i < DELIVER_MOST; i++) {
        deliver.slot[i].easy = curl_easy_init();
        good = deliver.slot[i].easy != NULL;
    }
    return good;
}

static void deliver_free(struct deliver_slot *s)
{
    curl_multi_remove_handle(deliver.multi, s->easy);
    curl_easy_reset(s->easy);
    curl_slist_free_all(s->headers);
    s->headers = NULL;
    s->used = false;
    deliver.used--;
}

void deliver_close(void)
{
    for (int i = 0; i < DELIVER_MOST; i++) {
        if (deliver.slot[i].used)
            deliver_free(&deliver.slot[i]);
        curl_easy_cleanup(deliver.slot[i].easy);
    }
    curl_multi_cleanup(deliver.multi);
    curl_global_cleanup();
}

int deliver_room(void)
{
    return DELIVER_MOST - deliver.used;
}

/* SECURITY: libcurl connects the socket that this gives, to this address. */
static curl_socket_t deliver_socket(void *slot, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct deliver_slot *s = slot;
    if (purpose != CURLSOCKTYPE_IPCXN || !webhook_address_allowed(&address->addr, &s->inside)) {
        s->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Bytes of an answer: headers and body are thrown away alike. Fewer than there were end the request. */
static size_t deliver_take(char *bytes, size_t size, size_t count, void *slot)
{
    struct deliver_slot *s = slot;
    (void)bytes;
    s->received += size * count;
    return s->received <= DELIVER_ANSWER_MOST ? size * count : 0;
}

static bool deliver_header(struct deliver_slot *s, const char *name, const char *value)
{
    char line[DELIVER_HEADER_MAX];
    int length = snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = length < (int)sizeof line ? curl_slist_append(s->headers, line) : NULL;
    if (longer != NULL)
        s->headers = longer;
    return longer != NULL;
}

static bool deliver_headers(struct deliver_slot *s, const struct deliver_request *r)
{
    char timestamp[24];
    struct curl_slist *no_expect;
    snprintf(timestamp, sizeof timestamp, "%" PRId64, r->timestamp_s);
    bool good = deliver_header(s, "Content-Type", "application/json") && deliver_header(s, "webhook-id", r->id) &&
                deliver_header(s, "webhook-timestamp", timestamp) && deliver_header(s, "webhook-signature", r->signature);
    no_expect = good ? curl_slist_append(s->headers, "Expect:") : NULL; /* a long body is sent at once too */
    return no_expect != NULL;
}

#define SET(option, value) (curl_easy_setopt(s->easy, option, value) == CURLE_OK)

/* SECURITY: each of these says what a request may not do. */
static bool deliver_bound(struct deliver_slot *s, const struct deliver_request *r)
{
    return SET(CURLOPT_PROTOCOLS_STR, r->tls ? "https" : "http") && SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PROXY, "") &&
           SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) && SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
           SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) && SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
           SET(CURLOPT_SSL_VERIFYHOST, 2L) && (*deliver.ca_file == '\0' || SET(CURLOPT_CAINFO, deliver.ca_file)) &&
           (*deliver.ca_file == '\0' || SET(CURLOPT_CAPATH, NULL)) &&
           SET(CURLOPT_OPENSOCKETFUNCTION, deliver_socket) && SET(CURLOPT_OPENSOCKETDATA, s) &&
           SET(CURLOPT_WRITEFUNCTION, deliver_take) && SET(CURLOPT_WRITEDATA, s) &&
           SET(CURLOPT_HEADERFUNCTION, deliver_take) && SET(CURLOPT_HEADERDATA, s) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, (long)DELIVER_CONNECT_MS) && SET(CURLOPT_TIMEOUT_MS, (long)DELIVER_LIMIT_MS) &&
           SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_QUICK_EXIT, 1L) && /* a name server that is silent is not waited for */
           SET(CURLOPT_FRESH_CONNECT, 1L) && SET(CURLOPT_FORBID_REUSE, 1L) && SET(CURLOPT_SSL_SESSIONID_CACHE, 0L) &&
           SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L) && SET(CURLOPT_CA_CACHE_TIMEOUT, 0L) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static bool deliver_fill(struct deliver_slot *s, const struct deliver_request *r)
{
    return deliver_bound(s, r) && deliver_headers(s, r) && SET(CURLOPT_URL, r->url) &&
           SET(CURLOPT_USERAGENT, "consign-webhook") && SET(CURLOPT_HTTPHEADER, s->headers) && SET(CURLOPT_POST, 1L) &&
           SET(CURLOPT_POSTFIELDSIZE, (long)strlen(r->body)) && SET(CURLOPT_COPYPOSTFIELDS, r->body) &&
           SET(CURLOPT_ERRORBUFFER, s->reason) && SET(CURLOPT_PRIVATE, s);
}

int deliver_begin(const struct deliver_request *r)
{
    int number = 0;
    while (number < DELIVER_MOST && deliver.slot[number].used)
        number++;
    if (number == DELIVER_MOST)
        return -1;
    struct deliver_slot *s = &deliver.slot[number];
    *s = (struct deliver_slot){.easy = s->easy, .used = true, .inside = r->inside};
    deliver.used++;
    if (deliver_fill(s, r) && curl_multi_add_handle(deliver.multi, s->easy) == CURLM_OK)
        return number;
    deliver_free(s);
    return -1;
}

void deliver_go_on(int timeout_ms)
{
    int running;
    (void)curl_multi_perform(deliver.multi, &running);
    if (running == deliver.used && curl_multi_poll(deliver.multi, NULL, 0, timeout_ms, NULL) == CURLM_OK)
        (void)curl_multi_perform(deliver.multi, &running);
}

bool deliver_next(struct deliver_result *out)
{
    int left;
    CURLMsg *message = curl_multi_info_read(deliver.multi, &left);
    if (message == NULL)
        return false;
    char *slot = NULL;
    long status = 0;
    CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    struct deliver_slot *s = (struct deliver_slot *)(void *)slot;
    *out = (struct deliver_result){.number = (int)(s - deliver.slot), .status = (int)status};
    out->refused = s->refused && status == 0;
    if (status == 0)
        snprintf(out->reason, sizeof out->reason, "%s", s->reason[0] != '\0' ? s->reason : curl_easy_strerror(code));
    deliver_free(s);
    return true;
}
