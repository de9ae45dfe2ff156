/* SPDX-License-Identifier: BSD-3-Clause */
/* The fingerprint is universal hashing in three steps, each with a proof that needs only that the key is
 * unknown: NH over blocks of 1,024 bytes (Black et al., UMAC), a polynomial over 2^127 - 1 across blocks, and
 * a multilinear hash down to 64 bits that takes in the length (Lemire and Kaser). No step is a heuristic, so
 * nobody can look for two transactions that share a fingerprint without the key. The first two steps only
 * ever have to tell apart inputs of one length: the third is universal between lengths whatever they gave.
 * Hence no padding and no count of blocks; the last words of an input are its last 16 bytes, some of them
 * hashed twice. A block holds most transactions whole, and then there is nothing for the slow multiplication
 * of the second step to do. */
#include "detect/detect.h"

#include "abi/counters.h"
#include "eth/keccak.h"

#include <string.h>

#define BLOCK 1024u
#define BLOCK_WORDS (BLOCK / 8)
#define WAYS 8u
#define FINAL_WORDS 6u
#define TIME_SHIFT 24 /* ages in units of 16.8 ms: 32 bits last for 2.3 years */

typedef unsigned __int128 u128;

struct seen_set {
	uint64_t fp[WAYS]; /* 0: free */
	uint32_t at[WAYS];
	uint32_t pad[8];
};
_Static_assert(sizeof(struct seen_set) == 128, "two cache lines");

struct seen {
	uint64_t nh_key[BLOCK_WORDS];
	u128 poly_key;
	u128 final_key[FINAL_WORDS];
	uint64_t *ctr;
	uint32_t set_mask;
	uint32_t ttl;
	_Alignas(128) struct seen_set set[];
};

static uint32_t
sets_for(uint32_t entries)
{
	uint32_t n = 1;
	while (n < entries / WAYS && n < 1u << 28)
		n <<= 1;
	return n;
}

size_t
seen_bytes(uint32_t entries)
{
	return sizeof(struct seen) + 128 + (size_t)sets_for(entries) * sizeof(struct seen_set);
}

/* Key material as a stream: keccak256(key, label, i), i < 256. */
static void
expand(const uint8_t key[32], void *out, size_t n)
{
	uint8_t label[] = "sentinel.seen.v1 ", block[32];
	const struct span parts[] = {{key, 32}, {label, sizeof label - 1}};
	for (size_t at = 0; at < n; at += sizeof block) {
		keccak256(parts, 2, block);
		memcpy((uint8_t *)out + at, block, n - at < sizeof block ? n - at : sizeof block);
		label[sizeof label - 2]++;
	}
}

struct seen *
seen_init(void *mem, uint32_t entries, const uint8_t key[32], uint64_t ttl_ns, uint64_t *counters)
{
	struct seen *s = (struct seen *)(((uintptr_t)mem + 127) & ~(uintptr_t)127);
	struct {
		uint64_t nh[BLOCK_WORDS];
		u128 poly, final[FINAL_WORDS];
	} k;
	expand(key, &k, sizeof k);
	memset(s, 0, sizeof *s);
	memcpy(s->nh_key, k.nh, sizeof s->nh_key);
	memcpy(s->final_key, k.final, sizeof s->final_key);
	s->poly_key = k.poly >> 1;
	s->ctr = counters;
	s->set_mask = sets_for(entries) - 1;
	uint64_t ttl = ttl_ns >> TIME_SHIFT;
	s->ttl = ttl == 0 ? 1 : ttl > INT32_MAX ? INT32_MAX : (uint32_t)ttl;
	memset(s->set, 0, (size_t)(s->set_mask + 1) * sizeof *s->set);
	return s;
}

static inline u128
nh_pair(const uint64_t *key, const uint8_t *p)
{
	uint64_t w[2];
	memcpy(w, p, 16);
	return (u128)(w[0] + key[0]) * (w[1] + key[1]);
}

/* n in 1..BLOCK; the 16 bytes that end at p + n are readable. Two sums: carries of one do not wait for the
 * other's. */
static inline u128
nh(const uint64_t *key, const uint8_t *p, uint32_t n)
{
	const uint8_t *last = p + n - 16;
	u128 even = 0, odd = 0;
	for (; n > 32; n -= 32, p += 32, key += 4) {
		even += nh_pair(key, p);
		odd += nh_pair(key + 2, p + 16);
	}
	if (n > 16) {
		odd += nh_pair(key, p);
		key += 2;
	}
	return even + odd + nh_pair(key, last);
}

#define P127 (((u128)1 << 127) - 1)

/* 2^127 is 1: any v into 0..2^127, a value with two forms at most, which costs one bit of the bound. */
static inline u128
fold(u128 v)
{
	return (v & P127) + (v >> 127);
}

/* a * b mod 2^127 - 1 for a, b <= 2^127. 2^128 is 2; the middle is split at bit 63, where 2^64 times it
 * passes 2^127. */
static inline u128
mul_p127(u128 a, u128 b)
{
	uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
	u128 low = (u128)a0 * b0, mid = (u128)a1 * b0 + (u128)a0 * b1, high = (u128)a1 * b1;
	u128 t = fold(fold(low) + ((mid & (((u128)1 << 63) - 1)) << 64));
	t = fold(t + 2 * high);
	return fold(t + (mid >> 63));
}

static inline uint64_t
to_64(const u128 key[FINAL_WORDS], u128 acc, uint32_t len)
{
	u128 sum = key[0] + key[5] * len;
	for (unsigned i = 0; i < 4; i++)
		sum += key[1 + i] * (uint32_t)(acc >> (32 * i));
	return (uint64_t)(sum >> 64);
}

uint64_t
seen_fingerprint(const struct seen *s, struct span raw)
{
	uint8_t small[16] = {0};
	const uint8_t *p = raw.p;
	uint32_t left = raw.len;
	u128 acc = 0;
	if (left < sizeof small) {
		if (left > 0)
			memcpy(small, p, left);
		p = small;
		left = sizeof small;
	}
	for (bool first = true; left > 0; first = false) {
		uint32_t n = left < BLOCK ? left : BLOCK;
		u128 block = fold(fold(nh(s->nh_key, p, n))); /* < 2^127: the sum below fits */
		acc = first ? block : fold(mul_p127(acc, s->poly_key) + block);
		p += n;
		left -= n;
	}
	uint64_t fp = to_64(s->final_key, acc, raw.len);
	return fp ? fp : 1;
}

void
seen_prefetch(const struct seen *s, uint64_t fp)
{
	const struct seen_set *set = &s->set[fp & s->set_mask];
	__builtin_prefetch(set, 1);
	__builtin_prefetch(set->at, 1);
}

/* Frames of two workers' clocks may come a little out of order: the future has age 0. */
static inline uint32_t
age_of(uint32_t at, uint32_t now)
{
	int32_t age = (int32_t)(now - at);
	return age < 0 ? 0 : (uint32_t)age;
}

bool
seen_check_add(struct seen *s, uint64_t fp, uint64_t now_ns)
{
	struct seen_set *set = &s->set[fp & s->set_mask];
	uint32_t now = (uint32_t)(now_ns >> TIME_SHIFT), oldest = 0;
	unsigned victim = 0;
	for (unsigned i = 0; i < WAYS; i++) {
		uint32_t age = set->fp[i] ? age_of(set->at[i], now) : UINT32_MAX;
		if (set->fp[i] == fp) {
			bool fresh = age <= s->ttl;
			set->at[i] = now;
			return fresh;
		}
		if (age > oldest) {
			oldest = age;
			victim = i;
		}
	}
	s->ctr[CTR_SEEN_EVICTED] += set->fp[victim] != 0 && oldest <= s->ttl;
	set->fp[victim] = fp;
	set->at[victim] = now;
	return false;
}

bool
seen_check(const struct seen *s, uint64_t fp, uint64_t now_ns)
{
	const struct seen_set *set = &s->set[fp & s->set_mask];
	for (unsigned i = 0; i < WAYS; i++)
		if (set->fp[i] == fp)
			return age_of(set->at[i], (uint32_t)(now_ns >> TIME_SHIFT)) <= s->ttl;
	return false;
}

void
seen_forget(struct seen *s, uint64_t fp)
{
	struct seen_set *set = &s->set[fp & s->set_mask];
	for (unsigned i = 0; i < WAYS; i++)
		if (set->fp[i] == fp)
			set->fp[i] = 0;
}
