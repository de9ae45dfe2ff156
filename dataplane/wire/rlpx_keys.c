/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/rlpx_keys.h"

#include "wire/rlpx_ctr.h"
#include "wire/rlpx_frame.h"

#include <string.h>

#define NONE UINT32_MAX
#define CHAIN_MAX 64u /* sessions looked at for one pair of endpoints */

struct rlpx_keys {
	uint64_t first_number, seed;
	uint32_t n, mask; /* of the buckets */
			  /* then sessions[n], by_ends[mask + 1], by_first[mask + 1] */
};

#define SESSIONS_AT ((sizeof(struct rlpx_keys) + 15) & ~(size_t)15)

static uint32_t
bucket_count(uint32_t n)
{
	uint32_t b = 16;
	while (b < 2 * n)
		b *= 2;
	return b;
}

size_t
rlpx_keys_bytes(uint32_t n)
{
	return SESSIONS_AT + n * sizeof(struct rlpx_session) + 2 * sizeof(uint32_t) * (size_t)bucket_count(n);
}

static struct rlpx_session *
sessions(const struct rlpx_keys *t)
{
	return (struct rlpx_session *)((uintptr_t)t + SESSIONS_AT);
}

static uint32_t *
by_ends(const struct rlpx_keys *t)
{
	return (uint32_t *)(sessions(t) + t->n);
}

static uint32_t *
by_first(const struct rlpx_keys *t)
{
	return by_ends(t) + t->mask + 1;
}

static uint64_t
mix(uint64_t v)
{
	v ^= v >> 32;
	v *= 0xd6e8feb86659fd93u;
	v ^= v >> 32;
	v *= 0xd6e8feb86659fd93u;
	return v ^ v >> 32;
}

/* Sums of this over the known endpoints do not depend on their order. */
static uint64_t
hash_end(const struct rlpx_keys *t, const struct rlpx_endpoint *e)
{
	uint64_t a, b;
	if (e->port == 0)
		return 0;
	memcpy(&a, e->ip, 8);
	memcpy(&b, e->ip + 8, 8);
	return mix(mix(mix(a ^ t->seed) ^ b) ^ e->port);
}

/* The 13 known bytes, as the keystream has them. */
static uint64_t
hash_first(const uint8_t keystream[16])
{
	uint64_t v;
	memcpy(&v, keystream + 3, 8);
	return mix(v);
}

struct rlpx_keys *
rlpx_keys_build(void *mem, const struct rlpx_key *list, uint32_t n, uint64_t first_number, uint64_t seed)
{
	if (n > RLPX_KEYS_MAX)
		return NULL;
	struct rlpx_keys *t = mem;
	*t = (struct rlpx_keys){first_number, seed, n, bucket_count(n) - 1};
	memset(by_ends(t), 0xff, 2 * sizeof(uint32_t) * (size_t)(t->mask + 1));
	for (uint32_t i = 0; i < n; i++) {
		struct rlpx_session *s = sessions(t) + i;
		s->key = list[i];
		aes256_set_encrypt_key(&s->aes, s->key.aes);
		rlpx_ctr_blocks(&s->aes, 0, 1, s->first);
		uint64_t h = hash_end(t, &s->key.end[0]) + hash_end(t, &s->key.end[1]);
		uint32_t *bucket = &by_ends(t)[h & t->mask];
		s->next_of_ends = *bucket;
		*bucket = i;
		bucket = &by_first(t)[hash_first(s->first) & t->mask];
		s->next_of_first = *bucket;
		*bucket = i;
	}
	return t;
}

uint32_t
rlpx_keys_count(const struct rlpx_keys *t)
{
	return t->n;
}

uint64_t
rlpx_keys_end(const struct rlpx_keys *t)
{
	return t->first_number + t->n;
}

const struct rlpx_session *
rlpx_keys_at(const struct rlpx_keys *t, uint32_t index)
{
	return sessions(t) + index;
}

static bool
same_end(const struct rlpx_endpoint *known, const struct rlpx_endpoint *e)
{
	return known->port == 0 || (known->port == e->port && memcmp(known->ip, e->ip, 16) == 0);
}

static bool
is_between(const struct rlpx_key *k, const struct rlpx_endpoint end[2])
{
	if (k->end[0].port == 0 && k->end[1].port == 0)
		return false;
	return (same_end(&k->end[0], &end[0]) && same_end(&k->end[1], &end[1])) ||
	       (same_end(&k->end[0], &end[1]) && same_end(&k->end[1], &end[0]));
}

uint32_t
rlpx_keys_of_ends(
	const struct rlpx_keys *t, const struct rlpx_endpoint end[2], uint32_t out[RLPX_KEYS_OF_MAX])
{
	uint64_t a = hash_end(t, &end[0]), b = hash_end(t, &end[1]);
	const uint64_t hashes[3] = {a + b, a, b};
	uint32_t n = 0;
	for (unsigned h = 0; h < 3; h++) {
		uint32_t looked = 0;
		for (uint32_t i = by_ends(t)[hashes[h] & t->mask];
			i != NONE && looked < CHAIN_MAX && n < RLPX_KEYS_OF_MAX;
			i = sessions(t)[i].next_of_ends, looked++) {
			bool listed = false;
			for (uint32_t k = 0; k < n; k++)
				listed |= out[k] == i;
			if (!listed && is_between(&sessions(t)[i].key, end))
				out[n++] = i;
		}
	}
	return n;
}

const struct rlpx_session *
rlpx_keys_of_first(const struct rlpx_keys *t, const uint8_t header[16])
{
	uint8_t keystream[16];
	for (unsigned i = 0; i < 16; i++)
		keystream[i] = header[i] ^ rlpx_frame_known[i];
	for (uint32_t i = by_first(t)[hash_first(keystream) & t->mask]; i != NONE;
		i = sessions(t)[i].next_of_first) {
		if (memcmp(sessions(t)[i].first + 3, keystream + 3, 13) == 0)
			return sessions(t) + i;
	}
	return NULL;
}
