/*
 * http: a request to another server. See http.h.
 */
#include "lib/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define HTTP_LOOK_MS 100
#define HTTP_EXPECT_MS 100 /* a server that refuses a large body may say so before it comes */
#define HTTP_NAME_MAX 256
#define HTTP_PIN_MAX 1024

struct http {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *pin; /* "host:port:address,..." */
    char pinned[HTTP_NAME_MAX + 8];
    int64_t pinned_ms;
};

/* A request under way. */
struct http_running {
    const struct http_request *request;
    struct http_answer *answer;
    CURL *easy;
    uint64_t sent;
    int64_t moved_ms; /* when bytes went last */
};

bool http_prepare(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

struct http *http_new(void)
{
    struct http *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->multi = curl_multi_init();
    h->easy = curl_easy_init();
    if (h->multi != NULL && h->easy != NULL)
        return h;
    http_free(h);
    return NULL;
}

void http_free(struct http *h)
{
    if (h == NULL)
        return;
    curl_easy_cleanup(h->easy);
    curl_multi_cleanup(h->multi);
    curl_slist_free_all(h->pin);
    free(h);
}

/* ---- names ---- */

/* Host and port of a URL. False: it is none. */
static bool http_read_url(const char *url, char host[HTTP_NAME_MAX], char port[8])
{
    CURLU *parts = curl_url();
    char *name = NULL, *number = NULL;
    bool good = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_PORT, &number, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                snprintf(host, HTTP_NAME_MAX, "%s", name) < HTTP_NAME_MAX && snprintf(port, 8, "%s", number) < 8;
    curl_free(name);
    curl_free(number);
    curl_url_cleanup(parts);
    return good;
}

/* The addresses of a name as libcurl's resolve list has them. */
static bool http_look_up(const char *host, const char *port, char out[HTTP_PIN_MAX])
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
    int status = getaddrinfo(host, port, &hints, &found);
    int length = snprintf(out, HTTP_PIN_MAX, "%s:%s:", host, port), first = length;
    if (status != 0) {
        log_event(LOG_WARN, "http", "what=resolve host=%s reason=\"%s\"", log_quote(host), gai_strerror(status));
        return false;
    }
    for (const struct addrinfo *one = found; one != NULL && length < HTTP_PIN_MAX; one = one->ai_next) {
        char text[64];
        if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
            length += snprintf(out + length, HTTP_PIN_MAX - (size_t)length, "%s%s", length == first ? "" : ",", text);
    }
    freeaddrinfo(found);
    return length > first && length < HTTP_PIN_MAX;
}

/* Makes sure that libcurl has no name to look up. */
static bool http_pin(struct http *h, const char *url)
{
    char host[HTTP_NAME_MAX], port[8], key[sizeof h->pinned], entry[HTTP_PIN_MAX];
    if (!http_read_url(url, host, port)) {
        log_event(LOG_ERROR, "http", "what=url reason=\"it has no host\"");
        return false;
    }
    snprintf(key, sizeof key, "%s:%s", host, port);
    bool same = strcmp(key, h->pinned) == 0;
    if (host[0] == '[' || host[strspn(host, "0123456789.")] == '\0') { /* an address */
        snprintf(h->pinned, sizeof h->pinned, "%s", key);
        return true;
    }
    if (same && clock_monotonic_ms() - h->pinned_ms < HTTP_RESOLVED_MS)
        return true;
    bool found = http_look_up(host, port, entry);
    h->pinned_ms = clock_monotonic_ms();
    if (!found)
        return same; /* the old addresses, when there are some: not every request is to wait for a resolver that is down */
    curl_slist_free_all(h->pin);
    h->pin = curl_slist_append(NULL, entry);
    snprintf(h->pinned, sizeof h->pinned, "%s", key);
    return h->pin != NULL;
}

/* ---- bytes ---- */

static size_t http_send(char *out, size_t size, size_t count, void *arg)
{
    struct http_running *run = arg;
    const struct http_request *r = run->request;
    size_t room = size * count, left = (size_t)(r->length - run->sent), length = room < left ? room : left;
    ssize_t got = (ssize_t)length;
    if (r->from_file)
        got = pread(r->file, out, length, (off_t)(r->offset + run->sent));
    else if (length > 0)
        memcpy(out, r->body + run->sent, length);
    if (got < 0 || (size_t)got != length) /* the file is shorter than it was */
        return CURL_READFUNC_ABORT;
    run->sent += length;
    run->moved_ms = clock_monotonic_ms();
    return length;
}

/* Asked for when a kept connection turns out to be closed. */
static int http_rewind(void *arg, curl_off_t offset, int origin)
{
    struct http_running *run = arg;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    run->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t http_receive(char *bytes, size_t size, size_t count, void *arg)
{
    struct http_running *run = arg;
    const struct http_request *r = run->request;
    size_t length = size * count;
    long status = 0;
    run->moved_ms = clock_monotonic_ms();
    curl_easy_getinfo(run->easy, CURLINFO_RESPONSE_CODE, &status);
    if (r->take != NULL && status >= 200 && status < 300)
        return r->take(r->take_arg, bytes, length) ? length : 0;
    str_append(&run->answer->body, bytes, length);
    return length;
}

/* ---- a request ---- */

/* A line without a value, by which libcurl leaves out a header of its own, must not be among them: version 7.88 signs it. */
static struct curl_slist *http_lines(const struct http_request *r, bool *good)
{
    struct curl_slist *list = NULL;
    *good = true;
    for (const char *const *line = r->header; *good && line != NULL && *line != NULL; line++) {
        struct curl_slist *longer = curl_slist_append(list, *line);
        *good = longer != NULL;
        list = longer != NULL ? longer : list;
    }
    return list;
}

static bool http_set_method(CURL *e, const struct http_request *r)
{
    if (strcmp(r->method, "HEAD") == 0)
        return curl_easy_setopt(e, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (strcmp(r->method, "PUT") == 0)
        return curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->length) == CURLE_OK;
    if (strcmp(r->method, "POST") == 0)
        return curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->length) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body == NULL ? "" : r->body) == CURLE_OK;
    return curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK;
}

static bool http_set(struct http *h, struct http_running *run, struct curl_slist *lines, char error[CURL_ERROR_SIZE])
{
    const struct http_request *r = run->request;
    CURL *e = h->easy;
    curl_easy_reset(e); /* connections stay */
    bool good = curl_easy_setopt(e, CURLOPT_URL, r->url) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_EXPECT_100_TIMEOUT_MS, (long)HTTP_EXPECT_MS) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_RESOLVE, h->pin) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_HTTPHEADER, lines) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_READFUNCTION, http_send) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_READDATA, run) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, http_rewind) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_SEEKDATA, run) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, http_receive) == CURLE_OK &&
                curl_easy_setopt(e, CURLOPT_WRITEDATA, run) == CURLE_OK && http_set_method(e, r);
    if (good && *r->ca_file != '\0')
        good = curl_easy_setopt(e, CURLOPT_CAINFO, r->ca_file) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
    if (good && r->sigv4 != NULL)
        good = curl_easy_setopt(e, CURLOPT_AWS_SIGV4, r->sigv4) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_USERNAME, r->user) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_PASSWORD, r->secret) == CURLE_OK;
    return good;
}

/* Drives the transfer to its end. */
static enum http_outcome http_drive(struct http *h, struct http_running *run, CURLcode *result)
{
    const struct http_request *r = run->request;
    int running = 1;
    CURLMcode status = curl_multi_perform(h->multi, &running);
    while (status == CURLM_OK && running > 0) {
        if (r->stop.asked != NULL && r->stop.asked(r->stop.arg))
            return HTTP_STOPPED;
        if (clock_monotonic_ms() - run->moved_ms > r->silence_ms) {
            *result = CURLE_OPERATION_TIMEDOUT;
            return HTTP_CUT;
        }
        status = curl_multi_poll(h->multi, NULL, 0, HTTP_LOOK_MS, NULL);
        if (status == CURLM_OK)
            status = curl_multi_perform(h->multi, &running);
    }
    *result = CURLE_FAILED_INIT;
    int left;
    for (const CURLMsg *m = curl_multi_info_read(h->multi, &left); m != NULL; m = curl_multi_info_read(h->multi, &left)) {
        if (m->msg == CURLMSG_DONE)
            *result = m->data.result;
    }
    return *result == CURLE_OK ? HTTP_ANSWERED : HTTP_CUT;
}

static void http_read_answer(CURL *easy, struct http_answer *answer)
{
    struct curl_header *tag;
    curl_off_t length = -1;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    answer->status = (int)status;
    answer->length = length;
    if (curl_easy_header(easy, "ETag", 0, CURLH_HEADER, -1, &tag) == CURLHE_OK && strlen(tag->value) < HTTP_TAG_MAX)
        snprintf(answer->tag, HTTP_TAG_MAX, "%s", tag->value);
}

enum http_outcome http_call(struct http *h, const struct http_request *r, struct http_answer *answer)
{
    char error[CURL_ERROR_SIZE] = "";
    bool good;
    CURLcode result = CURLE_OUT_OF_MEMORY;
    enum http_outcome outcome = HTTP_CUT;
    *answer = (struct http_answer){.length = -1, .body = STR_INIT(r->answer_most + 1)};
    struct http_running run = {.request = r, .answer = answer, .easy = h->easy, .moved_ms = clock_monotonic_ms()};
    if (!http_pin(h, r->url))
        return HTTP_CUT;
    struct curl_slist *lines = http_lines(r, &good);
    if (good && http_set(h, &run, lines, error) && curl_multi_add_handle(h->multi, h->easy) == CURLM_OK) {
        outcome = http_drive(h, &run, &result);
        if (outcome == HTTP_ANSWERED)
            http_read_answer(h->easy, answer);
        curl_multi_remove_handle(h->multi, h->easy);
    }
    if (outcome == HTTP_CUT)
        log_event(LOG_WARN, "http", "what=call method=%s host=%s reason=%s", r->method, log_quote(h->pinned),
                  log_quote(error[0] != '\0' ? error : curl_easy_strerror(result)));
    curl_slist_free_all(lines);
    return outcome;
}
