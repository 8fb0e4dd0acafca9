/*
 * load_batch: the batches of `consignctl load` in the database. See load_batch.h.
 */
#include "consignctl/load_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/ctl.h"
#include "consignctl/load_inbox.h"

#define LOAD_CLIENT "consignctl"
#define LOAD_ATTEMPTS_MAX 1000 /* of one piece, each after one that failed */

static void batch_end(const struct load_target *t)
{
    ctl_script(t->conn, "commit", "COMMIT");
}

void load_batch_find_dataset(struct load_target *t)
{
    PGresult *orgs = ctl_query(t->conn, "SELECT o.org FROM consign.org o ORDER BY o.org", 0, NULL);
    const char *const params[] = {t->dataset};
    bool found = false;
    for (int i = 0; i < PQntuples(orgs) && !found; i++) {
        ctl_begin_tenant(t->conn, PQgetvalue(orgs, i, 0));
        PGresult *row = ctl_query(t->conn, "SELECT d.org, d.sandbox, d.class FROM consign.dataset d WHERE d.dataset = $1",
                                  1, params);
        found = PQntuples(row) == 1;
        if (found) {
            snprintf(t->org, sizeof t->org, "%s", PQgetvalue(row, 0, 0));
            snprintf(t->sandbox, sizeof t->sandbox, "%s", PQgetvalue(row, 0, 1));
            if (strcmp(PQgetvalue(row, 0, 2), "profile_union") == 0)
                ctl_fail("dataset %s is exported into, records cannot be loaded into it", t->dataset);
        }
        PQclear(row);
        batch_end(t);
    }
    PQclear(orgs);
    if (!found)
        ctl_fail("no such dataset: %s", t->dataset);
}

/* The id of the piece's batch of the nth attempt. */
static void batch_name(const struct load_target *t, const struct load_piece *piece, int attempt,
                       char out[LOAD_BATCH_ID])
{
    char digest[CRYPTO_SHA256_HEX], number[16];
    const char *const parts[] = {LOAD_CLIENT, t->org, t->sandbox, t->dataset, t->format, t->delimiter,
                                 t->encoding, t->again, number, piece->digest};
    struct crypto_digest *sum = crypto_digest_new();
    if (sum == NULL)
        ctl_fail("no memory");
    snprintf(number, sizeof number, "%d", attempt);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        crypto_digest_add(sum, parts[i], strlen(parts[i]) + 1);
    crypto_digest_end(sum, digest);
    crypto_digest_free(sum);
    memcpy(out, digest, LOAD_BATCH_ID - 1);
    out[LOAD_BATCH_ID - 1] = '\0';
}

/* Whether there is such a batch; reads it. In a transaction. */
static bool batch_read(const struct load_target *t, struct load_batch *batch)
{
    const char *const params[] = {t->org, t->sandbox, batch->id};
    PGresult *row = ctl_query(t->conn,
                              "SELECT b.status, coalesce(b.output_records, 0), coalesce(b.failed_records, 0),"
                              " coalesce(b.errors, '') FROM consign.batch b"
                              " WHERE b.org = $1::int AND b.sandbox = $2::int AND b.batch = $3", 3, params);
    bool found = PQntuples(row) == 1;
    if (found) {
        const char *status = PQgetvalue(row, 0, 0);
        batch->state = strcmp(status, "loading") == 0      ? LOAD_OPEN
                       : strcmp(status, "processing") == 0 ? LOAD_WAITING
                       : strcmp(status, "success") == 0    ? LOAD_DONE
                                                           : LOAD_FAILED;
        batch->records = strtoll(PQgetvalue(row, 0, 1), NULL, 10);
        batch->refused = strtoll(PQgetvalue(row, 0, 2), NULL, 10);
        snprintf(batch->reason, sizeof batch->reason, "%s %s", status, PQgetvalue(row, 0, 3));
    }
    PQclear(row);
    return found;
}

void load_batch_look(const struct load_target *t, struct load_batch *batch)
{
    ctl_begin_tenant(t->conn, t->org);
    if (!batch_read(t, batch))
        ctl_fail("batch %s has disappeared", batch->id);
    batch_end(t);
}

void load_batch_open(const struct load_target *t, const struct load_piece *piece, struct load_batch *batch, bool *old)
{
    *batch = (struct load_batch){.state = LOAD_FAILED};
    *old = true;
    ctl_begin_tenant(t->conn, t->org);
    for (int attempt = 0; *old && batch->state == LOAD_FAILED; attempt++) {
        if (attempt == LOAD_ATTEMPTS_MAX)
            ctl_fail("%s has failed too often", piece->path);
        batch_name(t, piece, attempt, batch->id);
        *old = batch_read(t, batch);
    }
    if (!*old) {
        const char *const params[] = {t->org, t->sandbox, batch->id, t->dataset, LOAD_CLIENT, t->format, t->delimiter};
        PQclear(ctl_query(t->conn, "SELECT consign.batch_create($1::int, $2::int, $3, $4, $5, NULL, NULL, $6, $7)", 7,
                          params));
        batch->state = LOAD_OPEN;
    }
    batch_end(t);
}

/* Whether the file stands in the batch already. */
static bool batch_has_file(const struct load_target *t, const struct load_batch *batch, const char *name)
{
    const char *const params[] = {t->org, t->sandbox, batch->id, name};
    ctl_begin_tenant(t->conn, t->org);
    PGresult *row = ctl_query(t->conn, "SELECT FROM consign.batch_upload u WHERE u.org = $1::int AND"
                              " u.sandbox = $2::int AND u.batch = $3 AND u.name = $4", 4, params);
    bool found = PQntuples(row) == 1;
    PQclear(row);
    batch_end(t);
    return found;
}

void load_batch_send(const struct load_target *t, const struct load_piece *piece, const char *name,
                     struct load_batch *batch)
{
    char object[CRYPTO_UUID_TEXT], bytes[24];
    bool there = batch_has_file(t, batch, name);
    if (!there)
        load_inbox_put(piece, (int)strtol(t->org, NULL, 10), (int)strtol(t->sandbox, NULL, 10), batch->id, object);
    snprintf(bytes, sizeof bytes, "%lld", (long long)piece->bytes);
    ctl_begin_tenant(t->conn, t->org);
    if (!there) {
        const char *const params[] = {t->org, t->sandbox, batch->id, t->dataset, name, object, bytes, t->encoding};
        PQclear(ctl_query(t->conn, "SELECT consign.batch_upload($1::int, $2::int, $3, $4, $5, $6, $7::bigint, $8)", 8,
                          params));
    }
    const char *const params[] = {t->org, t->sandbox, batch->id};
    PQclear(ctl_query(t->conn, "SELECT consign.batch_complete($1::int, $2::int, $3)", 3, params));
    batch_end(t);
    batch->state = LOAD_WAITING;
}

int load_batch_print_refused(const struct load_target *t, const struct load_batch *batch, int most)
{
    char limit[16];
    snprintf(limit, sizeof limit, "%d", most);
    const char *const params[] = {t->org, t->sandbox, batch->id, limit};
    ctl_begin_tenant(t->conn, t->org);
    PGresult *rows = ctl_query(t->conn, "SELECT e.file, e.line, e.byte_offset, e.code, e.reason FROM consign.batch_error e"
                               " WHERE e.org = $1::int AND e.sandbox = $2::int AND e.batch = $3"
                               " ORDER BY e.number LIMIT $4::int", 4, params);
    int count = PQntuples(rows);
    for (int i = 0; i < count; i++)
        printf("  %s line %s offset %s: %s: %s\n", PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1),
               PQgetvalue(rows, i, 2), PQgetvalue(rows, i, 3), PQgetvalue(rows, i, 4));
    PQclear(rows);
    batch_end(t);
    return count;
}
