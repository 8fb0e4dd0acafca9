/*
 * siphash: SipHash-1-3. See siphash.h.
 */
#include "lib/siphash.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>

#include "lib/invariant.h"

void siphash_draw_key(struct siphash_key *key)
{
    ssize_t got = getrandom(key, sizeof *key, 0);
    INVARIANT(got == (ssize_t)sizeof *key);
}

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static inline void mix_word(struct siphash *hash, uint64_t word)
{
    hash->v[3] ^= word;
    mix(hash->v);
    hash->v[0] ^= word;
}

void siphash_begin(struct siphash *hash, const struct siphash_key *key)
{
    hash->v[0] = key->half[0] ^ UINT64_C(0x736f6d6570736575);
    hash->v[1] = key->half[1] ^ UINT64_C(0x646f72616e646f6d);
    hash->v[2] = key->half[0] ^ UINT64_C(0x6c7967656e657261);
    hash->v[3] = key->half[1] ^ UINT64_C(0x7465646279746573);
    hash->word = 0;
    hash->total = 0;
}

void siphash_add(struct siphash *hash, const char *bytes, size_t length)
{
    while (length > 0) {
        if ((hash->total & 7) == 0 && length >= 8) {
            uint64_t word;
            memcpy(&word, bytes, 8);
            mix_word(hash, le64toh(word));
            hash->total += 8;
            bytes += 8;
            length -= 8;
            continue;
        }
        hash->word |= (uint64_t)(unsigned char)*bytes << (8 * (hash->total & 7));
        hash->total++;
        bytes++;
        length--;
        if ((hash->total & 7) == 0) {
            mix_word(hash, hash->word);
            hash->word = 0;
        }
    }
}

uint64_t siphash_end(struct siphash *hash)
{
    mix_word(hash, hash->word | hash->total << 56);
    hash->v[2] ^= 0xff;
    for (int round = 0; round < 3; round++)
        mix(hash->v);
    return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}
