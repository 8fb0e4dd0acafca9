/*
 * verify: reads back every published batch and compares it with what the catalog and its manifest say.
 *
 *   missing  a file (or all of a batch) that should be there        short    fewer bytes than were published
 *   changed  other bytes, or a manifest that says something else    stray    what nobody published
 *
 * One line a finding, then the figures. Stops nothing and changes nothing; it may run while the service does. A batch
 * that expires meanwhile is no finding, nor are its files for VERIFY_EXPIRED_MS, in which the sweep removes them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consignctl/ctl.h"
#include "core/lake.h"
#include "lib/conf.h"
#include "lib/crypto.h"
#include "lib/jscan.h"

#define VERIFY_MANIFEST "manifest.json"
#define VERIFY_MANIFEST_BYTES ((size_t)64 * 1024 * 1024)
#define VERIFY_EXPIRED_MS "60000"
#define VERIFY_LEVELS 5 /* org, sandbox, dataset, batch, attempt */

enum verify_finding { VERIFY_MISSING, VERIFY_SHORT, VERIFY_CHANGED, VERIFY_STRAY, VERIFY_FINDINGS };
static const char *const VERIFY_NAMES[] = {"missing", "short", "changed", "stray"};

struct verify {
    PGconn *conn;
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

/* Size and SHA-256 of a file of the directory; false: it can't be opened or read. */
static bool verify_read(int directory, const char *name, int64_t *size, char digest[CRYPTO_SHA256_HEX])
{
    static char piece[1 << 20];
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct crypto_digest *sum = crypto_digest_new();
    ssize_t got = -1;
    if (sum == NULL)
        ctl_fail("no memory");
    *size = 0;
    while (fd >= 0 && (got = read(fd, piece, sizeof piece)) > 0) {
        crypto_digest_add(sum, piece, (size_t)got);
        *size += got;
    }
    crypto_digest_end(sum, digest);
    crypto_digest_free(sum);
    if (fd >= 0)
        close(fd);
    return got == 0;
}

/* What the catalog says of a batch's files: name, rows, bytes, sha256. */
static void verify_files(struct verify *v, int directory, const char *path, const PGresult *files)
{
    for (int row = 0; row < PQntuples(files); row++) {
        char digest[CRYPTO_SHA256_HEX];
        int64_t size, expected = strtoll(PQgetvalue(files, row, 2), NULL, 10);
        const char *name = PQgetvalue(files, row, 0);
        if (!verify_read(directory, name, &size, digest))
            verify_report(v, VERIFY_MISSING, path, name);
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

static void verify_manifest(struct verify *v, int directory, const char *path, const PGresult *files)
{
    struct stat about;
    char *text = NULL;
    int fd = openat(directory, VERIFY_MANIFEST, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0) {
        verify_report(v, VERIFY_MISSING, path, VERIFY_MANIFEST);
    } else {
        size_t length = (size_t)about.st_size < VERIFY_MANIFEST_BYTES ? (size_t)about.st_size : VERIFY_MANIFEST_BYTES;
        text = malloc(length + 1);
        if (text == NULL)
            ctl_fail("no memory");
        ssize_t got = read(fd, text, length);
        if (got < 0 || (size_t)got != length || !verify_manifest_text(text, length, files))
            verify_report(v, VERIFY_CHANGED, path, VERIFY_MANIFEST);
    }
    free(text);
    if (fd >= 0)
        close(fd);
}

static bool verify_listed(const char *name, const PGresult *files)
{
    bool listed = strcmp(name, VERIFY_MANIFEST) == 0;
    for (int row = 0; !listed && row < PQntuples(files); row++)
        listed = strcmp(name, PQgetvalue(files, row, 0)) == 0;
    return listed;
}

static void verify_strays(struct verify *v, int directory, const char *path, const PGresult *files)
{
    DIR *list = fdopendir(dup(directory));
    if (list == NULL)
        ctl_fail("%s: %s", path, strerror(errno));
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        bool self = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!self && !verify_listed(entry->d_name, files))
            verify_report(v, VERIFY_STRAY, path, entry->d_name);
    }
    closedir(list);
}

/* One row of the catalog: sandbox, dataset, batch, attempt. */
static void verify_batch(struct verify *v, const char *org, const PGresult *batches, int row)
{
    char path[LAKE_PATH_MAX], full[LAKE_PATH_MAX];
    const char *params[] = {org, PQgetvalue(batches, row, 0), PQgetvalue(batches, row, 2)};
    struct lake_batch place = {.org = (int)strtol(params[0], NULL, 10),
                               .sandbox = (int)strtol(params[1], NULL, 10),
                               .dataset = PQgetvalue(batches, row, 1),
                               .batch = params[2]};
    const char *attempt = PQgetvalue(batches, row, 3);
    if (lake_attempt_relative(path, &place, attempt) != FAULT_NONE ||
        lake_attempt_path(full, conf_text(CONF_LAKE_DIR), &place, attempt) != FAULT_NONE)
        ctl_fail("batch %s: no path", params[2]);
    int directory = open(full, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0 && (errno == EACCES || errno == EPERM))
        ctl_fail("%s: %s", path, strerror(errno));
    v->batch = params;
    v->batches++;
    if (directory < 0) {
        verify_report(v, VERIFY_MISSING, path, "");
        v->batch = NULL;
        return;
    }
    PGresult *files = ctl_query(v->conn, "SELECT f.name, f.records, f.bytes, f.sha256 FROM consign.batch_file f"
                                " WHERE f.org = $1::int AND f.sandbox = $2::int AND f.batch = $3", 3, params);
    verify_files(v, directory, path, files);
    verify_manifest(v, directory, path, files);
    verify_strays(v, directory, path, files);
    PQclear(files);
    close(directory);
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

static void verify_walk(struct verify *v, const char *path, int level, char part[VERIFY_LEVELS][64]);

/* One name of the lake that is `level` names deep: nobody published it, or it is walked on. */
static void verify_name(struct verify *v, const char *path, const char *name, int level, char part[VERIFY_LEVELS][64])
{
    char below[LAKE_PATH_MAX];
    struct stat about;
    int length = snprintf(below, sizeof below, "%s/%s", path, name);
    bool good = length > 0 && (size_t)length < sizeof below && strlen(name) < sizeof part[0];
    if (good && lstat(below, &about) != 0) {
        if (errno != ENOENT) /* what is gone by now was no stray */
            ctl_fail("%s: %s", below, strerror(errno));
        return;
    }
    good = good && S_ISDIR(about.st_mode);
    if (good)
        memcpy(part[level], name, strlen(name) + 1);
    if (good && level + 1 < VERIFY_LEVELS)
        verify_walk(v, below, level + 1, part);
    else if (!good || !verify_known(v, part))
        verify_report(v, VERIFY_STRAY, path, name);
}

/* Walks the lake below `path`, which is `level` names deep. */
static void verify_walk(struct verify *v, const char *path, int level, char part[VERIFY_LEVELS][64])
{
    struct dirent **entry;
    int count = scandir(path, &entry, NULL, alphasort);
    if (count < 0 && errno == ENOENT)
        return;
    if (count < 0)
        ctl_fail("%s: %s", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        const char *name = entry[i]->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && (level > 0 || strcmp(name, "tmp") != 0))
            verify_name(v, path, name, level, part);
        free(entry[i]);
    }
    free(entry);
}

int ctl_verify(const struct ctl_options *options)
{
    struct verify v = {.conn = ctl_connect_owner()};
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
        verify_walk(&v, conf_text(CONF_LAKE_DIR), 0, part);
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
