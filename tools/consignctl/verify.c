/*
 * verify: reads back every published batch and compares it with what the catalog and its manifest say.
 *
 *   missing  a file (or all of a batch) that should be there        short    fewer bytes than were published
 *   changed  other bytes, or a manifest that says something else    stray    what nobody published
 *   unread   it can't be read (an error of the disk, or a store that breaks off or does not answer three times)
 *
 * One line a finding, then the figures. Stops nothing and changes nothing; it may run while the service does. A batch
 * that expires meanwhile is no finding, nor are its files for VERIFY_EXPIRED_MS, in which the sweep removes them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/ctl.h"
#include "consignctl/verify_lake.h"
#include "core/lake.h"
#include "lib/crypto.h"
#include "lib/jscan.h"
#include "lib/str.h"

#define VERIFY_MANIFEST "manifest.json"
#define VERIFY_MANIFEST_BYTES ((size_t)64 * 1024 * 1024)
#define VERIFY_EXPIRED_MS "60000"
#define VERIFY_LEVELS 5 /* org, sandbox, dataset, batch, attempt */

enum verify_finding { VERIFY_MISSING, VERIFY_SHORT, VERIFY_CHANGED, VERIFY_STRAY, VERIFY_UNREAD, VERIFY_FINDINGS };
static const char *const VERIFY_NAMES[] = {"missing", "short", "changed", "stray", "unread"};

struct verify {
    PGconn *conn;
    const struct verify_lake *lake;
    const char *const *batch; /* org, sandbox and id of the batch that is compared; NULL: none is */
    int64_t batches, files, bytes;
    int64_t found[VERIFY_FINDINGS];
};

/* Whether the batch that is compared has expired since it was listed: then nothing of it is a finding. */
static bool verify_expired(struct verify *v)
{
    if (v->batch == NULL)
        return false;
    PGresult *kept = ctl_query(v->conn, "SELECT FROM consign.batch b WHERE b.org = $1::int AND b.sandbox = $2::int"
                               " AND b.batch = $3 AND b.expired_ms IS NULL", 3, v->batch);
    bool expired = PQntuples(kept) == 0;
    PQclear(kept);
    return expired;
}

static void verify_report(struct verify *v, enum verify_finding finding, const char *path, const char *name)
{
    if (verify_expired(v))
        return;
    v->found[finding]++;
    printf("%s\t%s%s%s\n", VERIFY_NAMES[finding], path, *name != '\0' ? "/" : "", name);
}

/* Size and SHA-256 of what is read. */
struct verify_sum {
    struct crypto_digest *digest;
    int64_t size;
};

static void verify_sum_begin(void *arg)
{
    struct verify_sum *sum = arg;
    crypto_digest_free(sum->digest);
    *sum = (struct verify_sum){.digest = crypto_digest_new()};
    if (sum->digest == NULL)
        ctl_fail("no memory");
}

static bool verify_add(void *arg, const char *bytes, size_t length)
{
    struct verify_sum *sum = arg;
    crypto_digest_add(sum->digest, bytes, length);
    sum->size += (int64_t)length;
    return true;
}

/* Size and SHA-256 are only of a file that was read. */
static enum verify_read verify_read(struct verify *v, const char *path, const char *name, int64_t *size,
                                    char digest[CRYPTO_SHA256_HEX])
{
    struct verify_sum sum = {0};
    enum verify_read got = v->lake->read(path, name, &(struct verify_sink){verify_sum_begin, verify_add, &sum});
    if (got == VERIFY_READ)
        crypto_digest_end(sum.digest, digest);
    crypto_digest_free(sum.digest);
    *size = got == VERIFY_READ ? sum.size : 0;
    return got;
}

/* What the catalog says of a batch's files: name, rows, bytes, sha256. */
static void verify_files(struct verify *v, const char *path, const PGresult *files)
{
    for (int row = 0; row < PQntuples(files); row++) {
        char digest[CRYPTO_SHA256_HEX];
        int64_t size, expected = strtoll(PQgetvalue(files, row, 2), NULL, 10);
        const char *name = PQgetvalue(files, row, 0);
        enum verify_read got = verify_read(v, path, name, &size, digest);
        if (got != VERIFY_READ)
            verify_report(v, got == VERIFY_ABSENT ? VERIFY_MISSING : VERIFY_UNREAD, path, name);
        else if (size < expected)
            verify_report(v, VERIFY_SHORT, path, name);
        else if (size > expected || strcmp(digest, PQgetvalue(files, row, 3)) != 0)
            verify_report(v, VERIFY_CHANGED, path, name);
        v->files++;
        v->bytes += size;
    }
}

/* Whether the manifest's entry says of a file what the catalog says. */
static bool verify_entry(const struct jscan *scan, uint32_t entry, const PGresult *files)
{
    uint32_t name = jscan_member(scan, entry, "name"), sum = jscan_member(scan, entry, "sha256");
    uint32_t number[] = {jscan_member(scan, entry, "rows"), jscan_member(scan, entry, "bytes")};
    for (int row = 0; name != 0 && sum != 0 && row < PQntuples(files); row++) {
        bool same = true;
        if (!jscan_string_equals(scan, name, PQgetvalue(files, row, 0), strlen(PQgetvalue(files, row, 0))))
            continue;
        for (int i = 0; i < 2; i++)
            same = same && number[i] != 0 && scan->node[number[i]].type == JSCAN_INTEGER &&
                   jscan_integer(scan, number[i]) == strtoll(PQgetvalue(files, row, 1 + i), NULL, 10);
        return same && jscan_string_equals(scan, sum, PQgetvalue(files, row, 3), strlen(PQgetvalue(files, row, 3)));
    }
    return false;
}

static bool verify_manifest_text(const char *text, size_t length, const PGresult *files)
{
    struct jscan scan = JSCAN_INIT;
    struct jscan_limits limits = {.depth = 8, .bytes = (uint32_t)VERIFY_MANIFEST_BYTES};
    bool same = jscan_document(&scan, text, length, limits) == JSCAN_OK;
    uint32_t list = same ? jscan_member(&scan, 0, "files") : 0;
    same = list != 0 && scan.node[list].type == JSCAN_ARRAY && scan.node[list].count == (uint32_t)PQntuples(files);
    for (uint32_t entry = list + 1; same && entry < scan.node[list].next; entry = scan.node[entry].next)
        same = verify_entry(&scan, entry, files);
    jscan_free(&scan);
    return same;
}

static void verify_keep_begin(void *arg)
{
    str_reset(arg);
}

static bool verify_keep(void *arg, const char *bytes, size_t length)
{
    str_append(arg, bytes, length);
    return true;
}

static void verify_manifest(struct verify *v, const char *path, const PGresult *files)
{
    struct str text = STR_INIT(VERIFY_MANIFEST_BYTES);
    enum verify_read got = v->lake->read(path, VERIFY_MANIFEST, &(struct verify_sink){verify_keep_begin, verify_keep, &text});
    if (got != VERIFY_READ)
        verify_report(v, got == VERIFY_ABSENT ? VERIFY_MISSING : VERIFY_UNREAD, path, VERIFY_MANIFEST);
    else if (text.overflow || text.data == NULL || !verify_manifest_text(text.data, text.length, files))
        verify_report(v, VERIFY_CHANGED, path, VERIFY_MANIFEST);
    str_free(&text);
}

static bool verify_listed(const char *name, const PGresult *files)
{
    bool listed = strcmp(name, VERIFY_MANIFEST) == 0;
    for (int row = 0; !listed && row < PQntuples(files); row++)
        listed = strcmp(name, PQgetvalue(files, row, 0)) == 0;
    return listed;
}

/* The batch whose directory is listed. */
struct verify_folder {
    struct verify *v;
    const char *path;
    const PGresult *files;
};

static void verify_stray(void *arg, const char *name, bool directory)
{
    const struct verify_folder *f = arg;
    if (directory || !verify_listed(name, f->files))
        verify_report(f->v, VERIFY_STRAY, f->path, name);
}

static void verify_nothing(void *arg, const char *name, bool directory)
{
    (void)arg;
    (void)name;
    (void)directory;
}

/* One row of the catalog: sandbox, dataset, batch, attempt. */
static void verify_batch(struct verify *v, const char *org, const PGresult *batches, int row)
{
    char path[LAKE_PATH_MAX];
    const char *params[] = {org, PQgetvalue(batches, row, 0), PQgetvalue(batches, row, 2)};
    struct lake_batch place = {.org = (int)strtol(params[0], NULL, 10),
                               .sandbox = (int)strtol(params[1], NULL, 10),
                               .dataset = PQgetvalue(batches, row, 1),
                               .batch = params[2]};
    if (lake_attempt_relative(path, &place, PQgetvalue(batches, row, 3)) != FAULT_NONE)
        ctl_fail("batch %s: no path", params[2]);
    v->batch = params;
    v->batches++;
    if (!v->lake->list(path, verify_nothing, NULL)) {
        verify_report(v, VERIFY_MISSING, path, "");
        v->batch = NULL;
        return;
    }
    PGresult *files = ctl_query(v->conn, "SELECT f.name, f.records, f.bytes, f.sha256 FROM consign.batch_file f"
                                " WHERE f.org = $1::int AND f.sandbox = $2::int AND f.batch = $3", 3, params);
    struct verify_folder folder = {.v = v, .path = path, .files = files};
    verify_files(v, path, files);
    verify_manifest(v, path, files);
    (void)v->lake->list(path, verify_stray, &folder);
    PQclear(files);
    v->batch = NULL;
}

static void verify_org(struct verify *v, const char *org)
{
    const char *params[] = {org};
    ctl_begin_tenant(v->conn, org);
    PGresult *batches = ctl_query(v->conn, "SELECT b.sandbox, b.dataset, b.batch, b.attempt FROM consign.batch b"
                                  " WHERE b.org = $1::int AND b.kind = 'export' AND b.status = 'success'"
                                  " AND b.expired_ms IS NULL"
                                  " ORDER BY b.sandbox, b.batch", 1, params);
    for (int row = 0; row < PQntuples(batches); row++)
        verify_batch(v, org, batches, row);
    PQclear(batches);
    ctl_script(v->conn, "commit", "COMMIT");
}

/* A directory at the place of a published batch: whether the catalog, or an attempt at work, knows it. Asked after
 * it was seen: what was being published meanwhile is in the queue or in the catalog by then. */
static bool verify_known(struct verify *v, char part[VERIFY_LEVELS][64])
{
    const char *params[] = {part[0], part[1], part[2], part[3], part[4]};
    for (int i = 0; i < 2; i++) {
        if (*part[i] == '\0' || strlen(part[i]) > 9 || part[i][strspn(part[i], "0123456789")] != '\0')
            return false;
    }
    ctl_begin_tenant(v->conn, part[0]);
    PGresult *known = ctl_query(v->conn,
                                "SELECT FROM consign.work_queue q WHERE q.attempt = $5 UNION ALL"
                                " SELECT FROM consign.batch b WHERE b.org = $1::int AND b.sandbox = $2::int"
                                " AND b.dataset = $3 AND b.batch = $4 AND b.attempt = $5 AND b.status = 'success'"
                                " AND (b.expired_ms IS NULL OR b.expired_ms > consign.now_ms() - " VERIFY_EXPIRED_MS ")", 5,
                                params);
    bool yes = PQntuples(known) > 0;
    PQclear(known);
    ctl_script(v->conn, "commit", "COMMIT");
    return yes;
}

/* A directory of the lake that is `level` names deep, and the names that lead to it. */
struct verify_place {
    struct verify *v;
    const char *path;
    int level;
    char (*part)[64];
};

static void verify_walk(const struct verify_place *at);

/* One name in it: nobody published it, or it is walked on. */
static void verify_name(void *arg, const char *name, bool directory)
{
    const struct verify_place *at = arg;
    char below[LAKE_PATH_MAX];
    int length = snprintf(below, sizeof below, "%s%s%s", at->path, *at->path == '\0' ? "" : "/", name);
    bool good = directory && length > 0 && (size_t)length < sizeof below && strlen(name) < sizeof at->part[0];
    if (good)
        memcpy(at->part[at->level], name, strlen(name) + 1);
    if (good && at->level + 1 < VERIFY_LEVELS) {
        verify_walk(&(struct verify_place){at->v, below, at->level + 1, at->part});
    } else if (!good || !verify_known(at->v, at->part)) {
        char full[2 * LAKE_PATH_MAX];
        snprintf(full, sizeof full, "%s%s%s", at->v->lake->root, *at->path == '\0' ? "" : "/", at->path);
        verify_report(at->v, VERIFY_STRAY, full, name);
    }
}

static void verify_walk(const struct verify_place *at)
{
    (void)at->v->lake->list(at->path, verify_name, (void *)(uintptr_t)at);
}

int ctl_verify(const char *word, const struct ctl_options *options)
{
    (void)word;
    struct verify v = {.conn = ctl_connect_owner(), .lake = verify_lake_open()};
    char part[VERIFY_LEVELS][64] = {{0}};
    const char *params[] = {ctl_option(options, "org")};
    PGresult *orgs = ctl_query(v.conn, "SELECT o.org FROM consign.org o WHERE $1::text IS NULL OR o.ims_org_id = $1"
                               " ORDER BY o.org", 1, params);
    if (params[0] != NULL && PQntuples(orgs) == 0)
        ctl_fail("no such org");
    for (int row = 0; row < PQntuples(orgs); row++)
        verify_org(&v, PQgetvalue(orgs, row, 0));
    PQclear(orgs);
    if (params[0] == NULL)
        verify_walk(&(struct verify_place){&v, "", 0, part});
    printf("verify: batches=%" PRId64 " files=%" PRId64 " bytes=%" PRId64, v.batches, v.files, v.bytes);
    int64_t findings = 0;
    for (int i = 0; i < VERIFY_FINDINGS; i++) {
        printf(" %s=%" PRId64, VERIFY_NAMES[i], v.found[i]);
        findings += v.found[i];
    }
    putchar('\n');
    PQfinish(v.conn);
    return findings > 0;
}
