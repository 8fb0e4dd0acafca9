/*
 * client_transfer: several files at a time. See client_transfer.h.
 *
 * A slot has one part from its first request until it is whole or wrong; between two tries it waits. libcurl writes what
 * comes straight into the partial file, no more than the manifest says.
 */
#include "consignctl/client_transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/client_curl.h"
#include "consignctl/client_problem.h"
#include "consignctl/client_show.h"
#include "consignctl/client_text.h"
#include "lib/clock.h"

#define TRANSFER_TURN_MS 100
#define TRANSFER_AGAIN_MOST 3 /* answers that make a part begin anew, or end it early */
#define TRANSFER_PROBLEM_BYTES 65536
#define TRANSFER_PROBLEM_TEXT 2048

struct slot {
    struct client_session *session;
    struct client_part *part; /* NULL: the slot is free */
    CURL *easy;
    struct curl_slist *headers;
    bool running;          /* else it waits until start_ms */
    int64_t start_ms;
    unsigned tries;        /* since a byte came */
    unsigned again;        /* answers that were none of this file; see TRANSFER_AGAIN_MOST */
    unsigned tokens;       /* the session's, when the request began */
    bool renewed;          /* the token, after the last answer */
    bool accepted;         /* the answer's body is the file's */
    bool too_long, misfit; /* it is more than the file has; it is not the rest that was asked for */
    bool too_often;        /* it begins the part anew once more */
    struct str problem;    /* the body of an answer that is no file */
    char reason[CURL_ERROR_SIZE];
};

struct transfer {
    struct client_session *session;
    CURLM *multi;
    struct slot slot[CLIENT_TRANSFER_MOST];
    int slots;
    int wrong;
    int64_t total_bytes;
    int64_t before_bytes; /* of them there when this run began */
    int64_t begun_ms;
};

static long slot_status(const struct slot *slot)
{
    long status = 0;
    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* The first bytes of an answer: whether they are the file's. */
static bool slot_accept(struct slot *slot)
{
    struct client_part *part = slot->part;
    struct curl_header *range = NULL;
    long status = slot_status(slot);
    if (status == 200 && part->done > 0) { /* the server does not know the range, or another file stands there now */
        slot->too_often = ++slot->again > TRANSFER_AGAIN_MOST;
        if (!slot->too_often)
            client_part_restart(part);
    }
    if (status == 206) {
        bool told = curl_easy_header(slot->easy, "Content-Range", 0, CURLH_HEADER, -1, &range) == CURLHE_OK;
        slot->misfit = !told || !client_text_is_rest(range->value, part->done, part->bytes);
    }
    slot->accepted = (status == 200 && !slot->too_often) || (status == 206 && !slot->misfit);
    return slot->accepted;
}

/* Takes a piece of the body; fewer bytes than came end the transfer. */
static size_t slot_take(char *bytes, size_t one, size_t count, void *into)
{
    struct slot *slot = into;
    size_t length = one * count;
    if (!slot->accepted && !slot_accept(slot)) {
        str_append(&slot->problem, bytes, length);
        return slot->misfit || slot->too_often || slot->problem.overflow ? 0 : length;
    }
    if ((int64_t)length > slot->part->bytes - slot->part->done) {
        slot->too_long = true;
        return 0;
    }
    client_part_add(slot->part, bytes, length);
    client_patience_good(&slot->session->patience, clock_monotonic_ms());
    slot->tries = 0;
    return length;
}

static void slot_start(struct transfer *t, struct slot *slot)
{
    struct client_part *part = slot->part;
    char range[64], if_range[CRYPTO_SHA256_HEX + 32];
    client_session_enter(t->session);
    slot->headers = client_curl_headers(t->session->header, NULL);
    if (part->done > 0) { /* the ETag is the SHA-256 (contract.md section 7) */
        const char *more[] = {if_range, NULL};
        snprintf(if_range, sizeof if_range, "If-Range: \"%s\"", part->sha256);
        slot->headers = client_curl_headers(more, slot->headers);
    }
    client_curl_prepare(slot->easy, &t->session->place, part->path, slot->headers, slot->reason);
    if (part->done > 0) {
        snprintf(range, sizeof range, "%" PRId64 "-", part->done);
        curl_easy_setopt(slot->easy, CURLOPT_RANGE, range);
    }
    curl_easy_setopt(slot->easy, CURLOPT_WRITEFUNCTION, slot_take);
    curl_easy_setopt(slot->easy, CURLOPT_WRITEDATA, slot);
    curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
    str_reset(&slot->problem);
    slot->accepted = slot->too_long = slot->misfit = slot->too_often = false;
    slot->tokens = t->session->tokens;
    slot->running = true;
    if (curl_multi_add_handle(t->multi, slot->easy) != CURLM_OK)
        client_fail(CLIENT_REFUSED, "no memory");
}

/* The part is done with. */
static void slot_release(struct slot *slot)
{
    slot->part = NULL;
    slot->tries = slot->again = 0;
    slot->renewed = false;
}

static _Noreturn void slot_give_up(const struct slot *slot, const char *reason)
{
    client_fail(CLIENT_GAVE_UP, "%s: gave up after %" PRId64 " of %" PRId64 " bytes: %s", slot->part->name, slot->part->done,
                slot->part->bytes, reason);
}

/* Tries again after a while. */
static void slot_wait(struct transfer *t, struct slot *slot, int64_t retry_after_s, const char *reason)
{
    int64_t now_ms = clock_monotonic_ms();
    unsigned random;
    crypto_random((unsigned char *)&random, sizeof random);
    int64_t pause = client_patience_pause(&t->session->patience, now_ms, slot->tries++, retry_after_s, random);
    if (pause < 0)
        slot_give_up(slot, reason);
    client_show_line("consignctl: %s: %s; trying again in %.1f s", slot->part->name, reason, (double)pause / 1000);
    slot->start_ms = now_ms + pause;
}

static void slot_wrong(struct transfer *t, struct slot *slot, const char *reason)
{
    client_show_line("consignctl: %s: %s; what was there of it is removed", slot->part->name, reason);
    t->wrong++;
    slot_release(slot);
}

/* All bytes are there. */
static void slot_finish(struct transfer *t, struct slot *slot)
{
    struct client_part *part = slot->part;
    if (!client_part_finish(part)) {
        slot_wrong(t, slot, "its SHA-256 is not the manifest's");
        return;
    }
    if (!client_show_is_terminal())
        client_show_line("%s  %" PRId64 " bytes%s", part->name, part->bytes, part->resumed > 0 ? ", resumed" : "");
    slot_release(slot);
}

/* An answer that was none of this file, or that ended before the file does: anew, but not for ever. */
static void slot_anew(struct transfer *t, struct slot *slot, bool from_the_start, const char *reason)
{
    if (++slot->again > TRANSFER_AGAIN_MOST) {
        client_part_remove(slot->part);
        slot_wrong(t, slot, reason);
        return;
    }
    if (from_the_start)
        client_part_restart(slot->part);
    slot_wait(t, slot, 0, reason);
}

/* The answer came to its end. */
static void slot_answered(struct transfer *t, struct slot *slot)
{
    struct client_part *part = slot->part;
    char text[TRANSFER_PROBLEM_TEXT];
    curl_off_t retry_after = 0;
    long status = slot_status(slot);
    if (status == 200 || status == 206) {
        if (part->done == part->bytes)
            slot_finish(t, slot);
        else
            slot_anew(t, slot, false, "it ends before the manifest says");
        return;
    }
    client_problem_text(text, sizeof text, status, slot->problem.data, slot->problem.length);
    curl_easy_getinfo(slot->easy, CURLINFO_RETRY_AFTER, &retry_after);
    if (status == 401 && !slot->renewed) {
        slot->renewed = true;
        /* another slot may have renewed it meanwhile */
        if (slot->tokens == t->session->tokens && !client_session_renew(t->session))
            client_fail(CLIENT_REFUSED, "%s: %s", part->name, text);
        slot->start_ms = 0;
    } else if (status == 416 && part->done > 0) {
        slot_anew(t, slot, true, text);
    } else if (status == 408 || status == 429 || status >= 500) {
        slot_wait(t, slot, (int64_t)retry_after, text);
    } else {
        client_fail(CLIENT_REFUSED, "%s: %s", part->name, text);
    }
}

/* A request has ended, one way or another. */
static void slot_end(struct transfer *t, struct slot *slot, CURLcode code)
{
    curl_multi_remove_handle(t->multi, slot->easy);
    curl_slist_free_all(slot->headers);
    slot->headers = NULL;
    slot->running = false;
    if (slot->accepted)
        slot->renewed = false;
    if (slot->too_long) {
        client_part_remove(slot->part);
        slot_wrong(t, slot, "it is longer than the manifest says");
    } else if (slot->too_often) {
        slot_give_up(slot, "it is sent from its start each time, and cut");
    } else if (slot->misfit) {
        slot_anew(t, slot, true, "another range came than was asked for");
    } else if (code == CURLE_OK || slot->problem.overflow) {
        slot_answered(t, slot);
    } else if (client_curl_may_pass(code)) {
        slot_wait(t, slot, 0, slot->reason[0] == '\0' ? curl_easy_strerror(code) : slot->reason);
    } else {
        client_fail(CLIENT_GAVE_UP, "%s: %s", slot->part->name,
                    slot->reason[0] == '\0' ? curl_easy_strerror(code) : slot->reason);
    }
}

/* Gives a free slot the part. What is all there already needs no request. */
static void slot_begin(struct transfer *t, struct slot *slot, struct client_part *part)
{
    client_part_open(part);
    client_patience_good(&t->session->patience, clock_monotonic_ms()); /* reading it took its time */
    t->before_bytes += part->done;
    slot->part = part;
    slot->start_ms = 0;
    if (part->done == part->bytes && part->done > 0)
        slot_finish(t, slot);
}

static void transfer_show(const struct transfer *t, const struct client_part *first)
{
    int64_t there = 0;
    int whole = 0, parts = 0;
    for (const struct client_part *part = first; part != NULL; part = part->next) {
        there += part->done;
        whole += part->whole;
        parts++;
    }
    double seconds = (double)(clock_monotonic_ms() - t->begun_ms) / 1000;
    double rate = seconds > 0 ? (double)(there - t->before_bytes) / seconds : 0;
    client_show_bar(t->total_bytes > 0 ? (double)there / (double)t->total_bytes : 1,
                    "%.1f of %.1f MB  %.1f MB/s  %d of %d files", (double)there / 1e6, (double)t->total_bytes / 1e6, rate / 1e6,
                    whole, parts);
}

/* Starts what can be started, of the parts from *next on; whether any slot has a part. */
static bool transfer_start(struct transfer *t, struct client_part **next)
{
    bool busy = false;
    for (int i = 0; i < t->slots; i++) {
        struct slot *slot = &t->slot[i];
        while (slot->part == NULL && *next != NULL) {
            if (!(*next)->whole)
                slot_begin(t, slot, *next);
            *next = (*next)->next;
        }
        if (slot->part != NULL && !slot->running && clock_monotonic_ms() >= slot->start_ms)
            slot_start(t, slot);
        busy = busy || slot->part != NULL;
    }
    return busy;
}

/* Moves bytes; waits for some when no request ended. */
static void transfer_turn(struct transfer *t)
{
    int running = 0, left = 0;
    bool ended = false;
    CURLMsg *message;
    if (curl_multi_perform(t->multi, &running) != CURLM_OK)
        client_fail(CLIENT_REFUSED, "libcurl failed");
    while ((message = curl_multi_info_read(t->multi, &left)) != NULL) {
        char *slot = NULL;
        CURLcode code = message->data.result; /* the message goes with its handle */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
        slot_end(t, (struct slot *)(void *)slot, code);
        ended = true;
    }
    if (!ended && curl_multi_poll(t->multi, NULL, 0, TRANSFER_TURN_MS, NULL) != CURLM_OK)
        client_fail(CLIENT_REFUSED, "libcurl failed");
}

int client_transfer_run(struct client_session *s, struct client_part *first, int at_a_time)
{
    struct client_part *next = first;
    struct transfer t = {.session = s, .multi = curl_multi_init(), .slots = at_a_time, .begun_ms = clock_monotonic_ms()};
    for (int i = 0; i < t.slots; i++) {
        t.slot[i] = (struct slot){
            .session = s, .easy = curl_easy_init(), .problem = STR_INIT(TRANSFER_PROBLEM_BYTES)};
        if (t.multi == NULL || t.slot[i].easy == NULL)
            client_fail(CLIENT_REFUSED, "no memory");
    }
    for (const struct client_part *part = first; part != NULL; part = part->next) {
        t.total_bytes += part->bytes;
        t.before_bytes += part->done;
    }
    while (transfer_start(&t, &next)) {
        if (client_patience_left(&s->patience, clock_monotonic_ms()) <= 0)
            client_fail(CLIENT_GAVE_UP, "gave up: there is no time left; the same command goes on");
        transfer_show(&t, first);
        transfer_turn(&t);
    }
    client_show_end();
    for (int i = 0; i < t.slots; i++) {
        curl_easy_cleanup(t.slot[i].easy);
        str_free(&t.slot[i].problem);
    }
    curl_multi_cleanup(t.multi);
    return t.wrong;
}
