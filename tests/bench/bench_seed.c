/*
 * bench_seed: writes the records of the engine's benchmark to stdout, one JSON object a line.
 *
 * Two systems know every person, crm and web, with bodies of about 1.2 KB that overlap and disagree;
 * events are page views and purchases of about 400 bytes. A record is made from its number alone, so any
 * slice of the store can be written by itself; compilers may differ in the values, for they order arguments. An
 * identity graph has two or three identities: CRMID and Email from crm, for every other person an ECID from web. Called
 * by tests/bench/engine.py.
 *
 * Usage: bench_seed crm|web|event FIRST COUNT PERSONS. crm comes in the order of persons; web and event
 * don't, as in a store that filled over time. script/export.mjs knows the shape too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

#define FLUSH_BYTES ((size_t)1 << 20)
#define STRIDE UINT64_C(7368787) /* a prime: multiples of it visit every person once, in no order */

static uint64_t state;

/* splitmix64, begun anew for each record */
static uint32_t draw(uint32_t below)
{
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) >> 32) % below;
}

static const char *pick(const char *const *list, uint32_t count)
{
    return list[draw(count)];
}

static const char *const FIRST[] = {
    "Zo\xc3\xab", "Mikhail", "\xe5\xb0\x8f\xe9\x9b\xaa", "Ana", "J\xc3\xbcrgen", "Ifeoma",
    "Maria",      "Wei",     "Fran\xc3\xa7ois",          "Olga"};
static const char *const CITY[] = {"Basel", "Lyon", "\xc5\x81\xc3\xb3\x64\xc5\xba", "Osaka", "Saint Paul",
                                   "Porto", "Graz"};
static const char *const TIER[] = {"bronze", "silver", "gold", "platinum"};
static const char *const STATUS[] = {"realized", "existing", "exited"};
static const char *const PAGE[] = {"home", "search", "category/tea", "basket", "account", "blog/first-flush"};
static const char *const SEGMENT[] = {"7a93d2ff-a220-4bae-9a4e-5f3c35032be3", "1f2b7c80-5d4e-4b1a-9c6d-2e8f90ab13cd",
                                      "15971e0f-317c-4390-9038-8a0498eb356f", "b4e0c2a1-6f3d-4c58-8e97-0d1a2b3c4d5e",
                                      "c9d8e7f6-a5b4-4392-8170-6f5e4d3c2b1a", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"};

static void append_time(struct str *out, const char *name)
{
    str_printf(out, "\"%s\":\"20%02u-%02u-%02uT%02u:%02u:%02u.%03uZ\"", name, 18 + draw(7), 1 + draw(12), 1 + draw(28),
               draw(24), draw(60), draw(60), draw(1000));
}

/* three of the six segments, beginning with the first or the fourth */
static void append_segments(struct str *out, unsigned from)
{
    str_printf(out, "\"segmentMembership\":{\"ups\":{");
    for (unsigned i = 0; i < 3; i++) {
        str_printf(out, "%s\"%s\":{", i > 0 ? "," : "", SEGMENT[from + i]);
        append_time(out, "lastQualificationTime");
        str_printf(out, ",\"status\":\"%s\"}", pick(STATUS, 3));
    }
    str_printf(out, "}}");
}

static void append_address(struct str *out)
{
    str_printf(
        out,
        "\"homeAddress\":{\"street1\":\"%u High Street\",\"city\":\"%s\",\"postalCode\":\"%05u\",\"country\":\"CH\","
        "\"_schema\":{\"latitude\":%u.%06u,\"longitude\":%u.%06u}},",
        1 + draw(300), pick(CITY, 7), draw(100000), draw(90), draw(1000000), draw(180), draw(1000000));
}

static void append_crm(struct str *out, uint64_t person)
{
    str_printf(out,
               "{\"identityMap\":{\"CRMID\":[{\"id\":\"c%09" PRIu64 "\",\"primary\":true}],"
               "\"Email\":[{\"id\":\"p%" PRIu64 "@mail.example\",\"primary\":false}]},",
               person, person);
    str_printf(out, "\"person\":{\"name\":{\"firstName\":\"%s\",\"lastName\":\"Family%u\",\"courtesyTitle\":\"Dr\"},",
               pick(FIRST, 10), draw(50000));
    str_printf(out, "\"birthDate\":\"19%02u-%02u-%02u\",\"gender\":\"not_specified\"},", 40 + draw(60), 1 + draw(12),
               1 + draw(28));
    str_printf(out,
               "\"personalEmail\":{\"address\":\"p%" PRIu64 "@mail.example\",\"primary\":true,\"status\":\"active\"},",
               person);
    append_address(out);
    str_printf(out, "\"_tenant\":{\"loyalty\":{\"tier\":\"%s\",\"points\":%u,\"balance\":%u.%02u,\"active\":%s,",
               pick(TIER, 4), draw(100000), draw(10000), draw(100), draw(2) == 0 ? "true" : "false");
    append_time(out, "since");
    str_printf(out, "},\"interests\":[\"news\",\"offers\",\"tea%u\"],\"orders\":[", draw(50));
    for (unsigned i = 0; i < 2; i++) {
        str_printf(out, "%s{\"sku\":\"TEA-%04u\",\"quantity\":%u,\"price\":%u.%02u,", i > 0 ? "," : "", draw(2000),
                   1 + draw(5), draw(100), draw(100));
        append_time(out, "at");
        str_printf(out, "}");
    }
    str_printf(out, "],\"note\":\"said \\\"yes\\\" on %u visits of %u\",\"churned\":false},", draw(40), 40 + draw(40));
    append_segments(out, 0);
    str_printf(out, "}\n");
}

static void append_web(struct str *out, uint64_t person)
{
    str_printf(out, "{\"identityMap\":{\"CRMID\":[{\"id\":\"c%09" PRIu64 "\",\"primary\":true}],", person);
    if (person % 2 == 1)
        str_printf(out, "\"ECID\":[{\"id\":\"%019" PRIu64 "%019" PRIu64 "\",\"primary\":false}]},", person, person * 7);
    else
        str_printf(out, "\"Email\":[{\"id\":\"p%" PRIu64 "@mail.example\",\"authenticatedState\":\"authenticated\"}]},",
                   person);
    str_printf(out, "\"person\":{\"name\":{\"firstName\":\"%s\",\"lastName\":\"Family%u\"}},", pick(FIRST, 10),
               draw(50000));
    str_printf(out, "\"personalEmail\":{\"address\":\"web%" PRIu64 "@mail.example\",\"status\":\"pending\"},", person);
    append_address(out);
    str_printf(out, "\"timeZone\":\"Europe/Zurich\",\"_tenant\":{\"loyalty\":{\"points\":%u,", draw(100000));
    append_time(out, "since");
    str_printf(out, "},\"web\":{\"visits\":%u,\"score\":%u.%u,\"optIn\":%s,", draw(500), draw(100), draw(1000),
               draw(2) == 0 ? "true" : "false");
    append_time(out, "lastVisit");
    str_printf(out,
               ",\"device\":\"Mozilla/5.0 (X11; Linux x86_64; rv:1%02u.0) Gecko/20100101 Firefox/1%02u.0\"},"
               "\"stores\":[",
               draw(30), draw(30));
    for (unsigned i = 0; i < 3; i++) {
        str_printf(out, "%s{\"id\":%u,\"visits\":%u,", i > 0 ? "," : "", draw(500), draw(40));
        append_time(out, "last");
        str_printf(out, "}");
    }
    str_printf(out, "],\"interests\":[\"web\",\"tea%u\"]},", draw(50));
    append_segments(out, 3);
    str_printf(out, "}\n");
}

static void append_event(struct str *out, uint64_t number, uint64_t persons)
{
    uint64_t person = (((uint64_t)draw(UINT32_MAX) << 20) ^ draw(UINT32_MAX)) % persons;
    unsigned price = 1 + draw(200), cents = draw(100);
    str_printf(out, "{\"_id\":\"e%012" PRIu64 "\",", number);
    append_time(out, "timestamp");
    str_printf(out, ",\"identityMap\":{\"CRMID\":[{\"id\":\"c%09" PRIu64 "\",\"primary\":true}]},", person);
    str_printf(out, "\"environment\":{\"browserDetails\":{\"name\":\"Firefox\",\"version\":\"1%02u.0\"}},", draw(30));
    if (number % 4 == 0)
        str_printf(out,
                   "\"eventType\":\"commerce.purchases\",\"commerce\":{\"order\":{\"purchaseID\":\"O-%" PRIu64 "\","
                   "\"currencyCode\":\"EUR\",\"priceTotal\":%u.%02u}},\"productListItems\":[{\"SKU\":\"TEA-%04u\","
                   "\"quantity\":%u,\"priceTotal\":%u.%02u}]}\n",
                   number, price, cents, draw(2000), 1 + draw(5), price, cents);
    else
        str_printf(out,
                   "\"eventType\":\"web.webpagedetails.pageViews\",\"web\":{\"webPageDetails\":{\"name\":\"%s\","
                   "\"URL\":\"https://shop.example.com/%s?visit=%u\",\"pageViews\":{\"value\":1}}}}\n",
                   pick(PAGE, 6), pick(PAGE, 6), draw(1000000));
}

int main(int argc, char **argv)
{
    struct str out = STR_INIT(SIZE_MAX);
    const char *kind = argc == 5 ? argv[1] : "";
    if (strcmp(kind, "crm") != 0 && strcmp(kind, "web") != 0 && strcmp(kind, "event") != 0) {
        fprintf(stderr, "usage: bench_seed crm|web|event FIRST COUNT PERSONS\n");
        return 2;
    }
    uint64_t first = strtoull(argv[2], NULL, 10), count = strtoull(argv[3], NULL, 10);
    uint64_t persons = strtoull(argv[4], NULL, 10);
    if (persons == 0)
        return 2;
    for (uint64_t number = first; number < first + count; number++) {
        state = number * 8 + (unsigned char)kind[0] % 8u;
        if (kind[0] == 'c')
            append_crm(&out, number % persons);
        else if (kind[0] == 'w')
            append_web(&out, number * STRIDE % persons);
        else
            append_event(&out, number, persons);
        if (out.length >= FLUSH_BYTES || number + 1 == first + count) {
            if (fwrite(out.data, 1, out.length, stdout) != out.length)
                return 1;
            out.length = 0;
        }
    }
    str_free(&out);
    return fflush(stdout) == 0 ? 0 : 1;
}
