/*
 * job_id: the numbers of export jobs. See job_id.h.
 */
#include "core/job_id.h"

#include "lib/crypto.h"
#include "lib/invariant.h"

#define JOB_ID_EPOCH_MS INT64_C(1577836800000) /* 2020-01-01T00:00:00Z */

int64_t job_id_make(int64_t now_ms)
{
    unsigned char low[2];
    crypto_random(low, sizeof low);
    int64_t age_ms = now_ms - JOB_ID_EPOCH_MS;
    INVARIANT(age_ms > 0 && age_ms <= JOB_ID_MOST / 4096 - 1); /* until 2089 */
    return age_ms * 4096 + (low[0] & 15) * 256 + low[1];
}
