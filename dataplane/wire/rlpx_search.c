/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/rlpx_search.h"

#include "wire/rlpx_ctr.h"
#include "wire/rlpx_frame.h"

#include <string.h>

_Static_assert(RLPX_SEARCH_BYTES < UINT16_MAX, "slots hold places");

/* Ciphertext and keystream are as good as random, and who can choose them holds the key: no keyed hash is
 * needed to be even. A peer who does choose them costs its own search a longer look-up, of at most PROBES. */
#define PROBES 64u

static uint64_t
word_at(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return v;
}

static uint32_t
slot_of(uint64_t v)
{
	return (uint32_t)(v >> 40) & (RLPX_SEARCH_SLOTS - 1);
}

static uint32_t
bit_of(uint64_t v)
{
	return (uint32_t)v & (RLPX_SEARCH_FILTER_BITS - 1);
}

/* Bytes 3..10 of the keystream block that makes a header of what lies at p. */
static uint64_t
wanted_word(const uint8_t *p)
{
	return word_at(p + 3) ^ word_at(rlpx_frame_known + 3);
}

void
rlpx_search_fill(struct rlpx_search *s)
{
	s->state = RLPX_SEARCH_IDLE;
	s->n_keys = s->key = 0;
	s->blocks = 0;
	memset(s->filter, 0, sizeof s->filter);
	memset(s->slots, 0, sizeof s->slots);
	uint32_t step = s->phase == RLPX_ANY_PHASE ? 1 : RLPX_BLOCK;
	uint32_t at = s->phase == RLPX_ANY_PHASE ? 0 : (uint32_t)(s->phase - s->from) & (RLPX_BLOCK - 1);
	for (; at + RLPX_BLOCK <= s->len; at += step) {
		uint64_t v = wanted_word(s->bytes + at);
		uint32_t slot = slot_of(v), probes = 0;
		while (s->slots[slot] != 0 && ++probes < PROBES)
			slot = (slot + 1) & (RLPX_SEARCH_SLOTS - 1);
		if (probes == PROBES)
			continue;
		s->slots[slot] = (uint16_t)(at + 1);
		s->filter[bit_of(v) / 64] |= 1ull << (bit_of(v) % 64);
	}
}

bool
rlpx_search_add(struct rlpx_search *s, const struct aes256_ctx *key, uint64_t first, uint64_t end)
{
	if (s->n_keys == RLPX_SEARCH_KEYS || first >= end)
		return false;
	s->aes[s->n_keys] = *key;
	s->first[s->n_keys] = first;
	s->end[s->n_keys++] = end;
	return true;
}

void
rlpx_search_start(struct rlpx_search *s)
{
	s->next = s->first[0];
	s->state = s->n_keys > 0 && s->len >= RLPX_BLOCK ? RLPX_SEARCH_RUNNING : RLPX_SEARCH_NONE;
}

static bool
looked_up(struct rlpx_search *s, uint64_t block, const uint8_t *keystream)
{
	uint64_t v = word_at(keystream + 3);
	uint32_t slot = slot_of(v);
	for (uint32_t probes = 0; probes < PROBES && s->slots[slot] != 0; probes++) {
		uint32_t at = s->slots[slot] - 1u;
		uint8_t header[RLPX_BLOCK];
		for (unsigned i = 0; i < RLPX_BLOCK; i++)
			header[i] = s->bytes[at + i] ^ keystream[i];
		uint32_t size = (uint32_t)header[0] << 16 | (uint32_t)header[1] << 8 | header[2];
		if (size > 0 && memcmp(header + 3, rlpx_frame_known + 3, 13) == 0) {
			s->found_at = s->from + at;
			s->found_block = block;
			return true;
		}
		slot = (slot + 1) & (RLPX_SEARCH_SLOTS - 1);
	}
	return false;
}

/* Up to RLPX_CTR_BLOCKS blocks of the session under way. */
static bool
run_some(struct rlpx_search *s)
{
	uint8_t keystream[16 * RLPX_CTR_BLOCKS];
	uint64_t left = s->end[s->key] - s->next;
	uint32_t n = left < RLPX_CTR_BLOCKS ? (uint32_t)left : RLPX_CTR_BLOCKS;
	rlpx_ctr_blocks(&s->aes[s->key], s->next, n, keystream);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t bit = bit_of(word_at(keystream + 16 * i + 3));
		if ((s->filter[bit / 64] >> (bit % 64) & 1) && looked_up(s, s->next + i, keystream + 16 * i))
			return true;
	}
	s->next += n;
	s->blocks += n;
	return false;
}

static void
next_session(struct rlpx_search *s)
{
	if (++s->key == s->n_keys)
		s->state = RLPX_SEARCH_NONE;
	else
		s->next = s->first[s->key];
}

enum rlpx_search_state
rlpx_search_run(struct rlpx_search *s, uint64_t blocks)
{
	uint64_t start = s->blocks;
	while (s->state == RLPX_SEARCH_RUNNING && s->blocks - start < blocks) {
		if (run_some(s))
			s->state = RLPX_SEARCH_FOUND;
		else if (s->next == s->end[s->key])
			next_session(s);
	}
	return s->state;
}
