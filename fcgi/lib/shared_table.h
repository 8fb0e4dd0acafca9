/*
 * shared_table: what one process of a pool has found out, for all of them: values of one size, each under a SHA-256.
 *
 * The memory is a table of fixed size without locks. A writer just writes; a reader takes a copy and trusts it only if
 * its checksum holds, so a half-written entry, whoever died or raced over it, is no entry. The checksum is keyed and
 * only our own processes write: it guards against accidents.
 */
#ifndef CONSIGN_LIB_SHARED_TABLE_H
#define CONSIGN_LIB_SHARED_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/crypto.h"
#include "lib/fault.h" /* MUST_CHECK */

struct shared_table;

/* Makes a table in memory that children share and that is never given back. `slots` is a power of two, 2 or more; value_bytes is
 * the size of each value. NULL: there is no memory. */
struct shared_table *shared_table_new(size_t slots, size_t value_bytes);

/* Copies the value of a key whose entry has not ended at `now` (in the caller's unit of time). False: there is none, and what
 * `value` holds means nothing. */
bool shared_table_get(struct shared_table *table, const unsigned char key[CRYPTO_SHA256_BYTES], int64_t now,
                      void *value) MUST_CHECK;

/* Enters a value until a moment (more than 0), over the key's own entry, or that of its places which ends first. All its bytes count, also those
 * between members: the caller zeroes them. */
void shared_table_put(struct shared_table *table, const unsigned char key[CRYPTO_SHA256_BYTES], int64_t until,
                      const void *value);

/* How many entries have not ended. Reads the whole table. */
int shared_table_count(const struct shared_table *table, int64_t now);

#endif
