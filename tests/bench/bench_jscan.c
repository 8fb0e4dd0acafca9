/*
 * bench_jscan: the scan rate of jscan beside json-c's, in one run on the same documents.
 *
 * Documents are nested profiles of about 1.2 KB like the demo's. Each parser goes over the whole
 * set several times; the best pass counts, so that a busy machine disturbs the ratio less. Prints
 * one line a parser and the ratio. Usage: bench_jscan [documents]
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/jscan.h"
#include "lib/str.h"

#define PASSES 7
#define DOCUMENT_LIMITS ((struct jscan_limits){.depth = 16, .bytes = 1024 * 1024})

struct document {
    size_t begin;
    size_t length;
};

static uint64_t state = UINT64_C(88172645463325252);

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

static void append_identities(struct str *out, unsigned n)
{
    str_printf(out,
               "{\"identityMap\":{\"Email\":[{\"id\":\"user%u@mail.example\",\"primary\":true,"
               "\"authenticatedState\":\"authenticated\"}],\"ECID\":[{\"id\":\"%010u%010u\",\"primary\":false}],"
               "\"CRMID\":[{\"id\":\"crm-%u\"}]},",
               n, draw(UINT32_MAX), draw(UINT32_MAX), n);
}

static void append_person(struct str *out, unsigned n)
{
    static const char *const names[] = {"Zo\xc3\xab", "Mikhail",       "\xe5\xb0\x8f\xe9\x9b\xaa",
                                        "Ana",        "J\xc3\xbcrgen", "Ifeoma"};
    str_printf(out,
               "\"person\":{\"name\":{\"firstName\":\"%s\",\"lastName\":\"Family%u\",\"courtesyTitle\":\"Dr\"},"
               "\"birthYear\":%u,\"birthDate\":\"19%02u-%02u-%02u\",\"gender\":\"not_specified\"},"
               "\"personalEmail\":{\"address\":\"user%u@mail.example\",\"primary\":true,\"status\":\"active\","
               "\"label\":\"said \\\"yes\\\"\"},"
               "\"mobilePhone\":{\"number\":\"+41 79 %03u %02u %02u\",\"primary\":false},",
               names[draw(6)], n, 1940 + draw(60), 40 + draw(60), 1 + draw(12), 1 + draw(28), n, draw(1000), draw(100),
               draw(100));
}

static void append_rest(struct str *out, unsigned n)
{
    str_printf(out,
               "\"homeAddress\":{\"street1\":\"%u High Street\",\"city\":\"Basel\",\"postalCode\":\"%u\","
               "\"country\":\"CH\",\"_schema\":{\"latitude\":47.%06u,\"longitude\":7.%06u}},"
               "\"_tenant\":{\"loyalty\":{\"tier\":\"gold\",\"points\":%u,\"balance\":%u.%02u,\"since\":"
               "\"20%02u-03-04T05:06:07.000Z\"},\"preferences\":[\"news\",\"offers\",\"events\"],\"score\":%u.%u,"
               "\"churned\":false,\"notes\":null,\"stores\":[{\"id\":%u,\"visits\":%u},{\"id\":%u,\"visits\":%u}]},"
               "\"segmentMembership\":{\"ups\":{\"7a93d2ff-a220-4bae-9a4e-%012u\":{\"status\":\"realized\","
               "\"lastQualificationTime\":\"2024-05-06T07:08:09Z\"},\"15971e0f-317c-4390-9038-%012u\":"
               "{\"status\":\"exited\",\"lastQualificationTime\":\"2023-01-02T03:04:05Z\"}}}}",
               draw(300), 1000 + draw(9000), draw(1000000), draw(1000000), draw(100000), draw(10000), draw(100),
               10 + draw(14), draw(100), draw(1000), draw(500), draw(40), draw(500), draw(40), draw(1000), n);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pass_jscan(struct jscan *scan, const struct str *text, const struct document *document, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (jscan_document(scan, text->data + document[i].begin, document[i].length, DOCUMENT_LIMITS) != JSCAN_OK) {
            fprintf(stderr, "bench_jscan: a document was refused\n");
            exit(1);
        }
    }
}

static void pass_json_c(struct json_tokener *tokener, const struct str *text, const struct document *document,
                        unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        json_tokener_reset(tokener);
        json_object *object = json_tokener_parse_ex(tokener, text->data + document[i].begin, (int)document[i].length);
        if (object == NULL) {
            fprintf(stderr, "bench_jscan: json-c refused a document\n");
            exit(1);
        }
        json_object_put(object);
    }
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000;
    struct str text = STR_INIT(SIZE_MAX);
    struct document *document = calloc(count, sizeof *document);
    struct json_tokener *tokener = json_tokener_new();
    struct jscan scan = JSCAN_INIT;
    double best[2] = {1e9, 1e9};

    if (document == NULL || tokener == NULL || count == 0)
        return 1;
    for (unsigned i = 0; i < count; i++) {
        document[i].begin = text.length;
        append_identities(&text, i);
        append_person(&text, i);
        append_rest(&text, i);
        document[i].length = text.length - document[i].begin;
    }
    for (int pass = 0; pass < PASSES; pass++) {
        double start = seconds_now();
        pass_jscan(&scan, &text, document, count);
        double middle = seconds_now();
        pass_json_c(tokener, &text, document, count);
        double end = seconds_now();
        best[0] = middle - start < best[0] ? middle - start : best[0];
        best[1] = end - middle < best[1] ? end - middle : best[1];
    }
    double megabytes = (double)text.length / 1e6;
    printf("documents=%u mean_bytes=%zu\n", count, text.length / count);
    printf("parser=jscan rate_mb_s=%.0f\n", megabytes / best[0]);
    printf("parser=json-c rate_mb_s=%.0f\n", megabytes / best[1]);
    printf("ratio=%.1f\n", best[1] / best[0]);

    json_tokener_free(tokener);
    jscan_free(&scan);
    str_free(&text);
    free(document);
    return 0;
}
