/* SPDX-License-Identifier: BSD-3-Clause */
/* Calldata of unknown form: addresses in it, at any alignment, whichever comes first; and what two legs'
 * calldata have in common. */
#include "detect/correlate/sandwich_private.h"

uint32_t
sandwich_filter_at(const struct sandwich *s, const uint8_t address[20])
{
	uint32_t w;
	memcpy(&w, address + 8, 4);
	return (w ^ (uint32_t)s->key[0]) * 0x9e3779b1u >> s->filter_shift;
}

/* The newest swap in flight with that key. */
static const struct touch *
swap_with(const struct sandwich *s, uint64_t key)
{
	uint32_t i = s->by_key[key & s->key_mask];
	for (unsigned n = 0; i != NIL && n < SANDWICH_CHAIN_MAX; i = s->touches[i].by_key.next, n++)
		if (s->touches[i].key == key && (s->touches[i].how & TOUCH_SWAP_OF))
			return &s->touches[i];
	return NULL;
}

void
sandwich_needles(struct sandwich *s, struct entry *e, struct span data)
{
	uint32_t n = data.len;
	if (n > SANDWICH_SCAN_MAX) {
		n = SANDWICH_SCAN_MAX;
		s->counts[SANDWICH_N_SCAN_CUT]++;
	}
	unsigned tries = 0;
	for (uint32_t at = 0; at + 20 <= n; at++) {
		if (s->filter[sandwich_filter_at(s, data.p + at)] == 0)
			continue;
		if (++tries > 256) {
			s->counts[SANDWICH_N_SCAN_CUT]++;
			return;
		}
		uint64_t key = sandwich_key_of(s, data.p + at);
		const struct touch *t = swap_with(s, key);
		if (t == NULL || sandwich_touch_of(s, e, key) != NULL)
			continue;
		if (sandwich_touch(s, e, key, data.p + at, t->how & TOUCH_TOKEN_KEY) == NULL)
			return;
		s->counts[SANDWICH_N_NEEDLES]++;
	}
}

/* ---- samples ---- */

/* Runs of zeros are in all calldata and tell nothing apart. */
static inline uint64_t
gram_hash(const struct sandwich *s, const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, GRAM);
	if (w == 0)
		return UINT64_MAX;
	w = (w ^ s->key[1]) * 0x9e3779b97f4a7c15u;
	w ^= w >> 32;
	w *= s->key[0] | 1;
	return w ^ w >> 29;
}

static void
gram_in(struct sandwich *s, const struct entry *e, uint64_t h, uint32_t at)
{
	uint32_t me = (uint32_t)s->gram_at++;
	uint32_t *head = &s->by_gram[h & s->gram_bucket_mask];
	s->grams[me & s->gram_mask] = (struct gram){(uint32_t)(h >> 32), (uint32_t)e->seq, at, *head};
	*head = me;
}

/* The piece with the least hash of every 20 bytes (the first of equals). */
void
sandwich_sample(struct sandwich *s, const struct entry *e)
{
	struct span d = sandwich_data(s, e);
	uint64_t h[SANDWICH_KEEP_MAX];
	if (d.len < 20)
		return;
	uint32_t n = d.len - GRAM + 1, least = NIL, last = NIL;
	for (uint32_t i = 0; i < n; i++)
		h[i] = gram_hash(s, d.p + i);
	for (uint32_t end = GRAMS_OF_ADDRESS; end <= n; end++) {
		uint32_t begin = end - GRAMS_OF_ADDRESS;
		if (least == NIL || least < begin) {
			least = begin;
			for (uint32_t i = begin + 1; i < end; i++)
				if (h[i] < h[least])
					least = i;
		} else if (h[end - 1] < h[least]) {
			least = end - 1;
		}
		if (least != last && h[least] != UINT64_MAX)
			gram_in(s, e, h[least], least);
		last = least;
	}
}

static void
seek(struct sandwich *s, const struct entry *v, const struct touch *t)
{
	uint32_t least = 0;
	for (uint32_t i = 1; i < GRAMS_OF_ADDRESS; i++)
		if (gram_hash(s, t->address + i) < gram_hash(s, t->address + least))
			least = i;
	uint64_t h = gram_hash(s, t->address + least), key = t->key;
	uint8_t address[20], how = t->how & TOUCH_TOKEN_KEY;
	memcpy(address, t->address, 20);
	uint32_t at = s->by_gram[h & s->gram_bucket_mask], now = (uint32_t)s->gram_at, age = 0;
	for (unsigned n = 0; n < GRAM_WALK_MAX; n++) {
		/* older and older, and not yet written over */
		if (now - at <= age || now - at > s->gram_mask + 1 || (uint64_t)(now - at) > s->gram_at)
			return;
		age = now - at;
		const struct gram *g = &s->grams[at & s->gram_mask];
		at = g->next;
		struct entry *x = &s->txs[g->seq & s->tx_mask];
		if (g->h != (uint32_t)(h >> 32) || (uint32_t)x->seq != g->seq || x == v ||
			(x->flags & (ENTRY_LIVE | ENTRY_LINKED)) != (ENTRY_LIVE | ENTRY_LINKED))
			continue;
		struct span d = sandwich_data(s, x);
		if (g->at < least || g->at - least + 20 > d.len ||
			memcmp(d.p + g->at - least, address, 20) != 0 || sandwich_touch_of(s, x, key) != NULL)
			continue;
		if (sandwich_touch(s, x, key, address, how) != NULL)
			s->counts[SANDWICH_N_NEEDLES]++;
	}
	s->counts[SANDWICH_N_CHAIN_CUT]++;
}

void
sandwich_seek(struct sandwich *s, const struct entry *v)
{
	uint64_t seq = v->seq;
	/* making touches may evict, v itself at the last: it is looked at again each time */
	for (uint32_t i = v->touches; i != NIL && v->seq == seq && (v->flags & ENTRY_LINKED);
		i = s->touches[i].of_tx)
		if (s->touches[i].how & TOUCH_SWAP_OF)
			seek(s, v, &s->touches[i]);
}

/* ---- two legs ---- */

const uint8_t *
sandwich_in(struct span data, const uint8_t address[20])
{
	return data.len >= 20 ? memmem(data.p, data.len, address, 20) : NULL;
}

#define ECHO_BYTES 512u
#define ECHO_SLOTS 1024u

static bool
is_zero(const uint8_t *a, const uint8_t *b, uint32_t at)
{
	static const uint8_t zero[8];
	return at >= 12 && memcmp(a, zero, 8) == 0 && memcmp(b, zero, 8) == 0;
}

/* The run of equal bytes around a[i] and b[k], as far as two zeros in a row: of 7 to 12 bytes it is an
 * amount, of more an address or text. */
static bool
is_amount(struct span a, uint32_t i, struct span b, uint32_t k)
{
	uint32_t n = 0, distinct = 0, seen[8] = {0};
	while (i > 0 && k > 0 && a.p[i - 1] == b.p[k - 1] && (a.p[i - 1] | a.p[i]) != 0) {
		i--;
		k--;
	}
	if (a.p[i] == 0) {
		i++;
		k++;
	}
	for (; i + n < a.len && k + n < b.len && a.p[i + n] == b.p[k + n] && n <= 12; n++) {
		uint8_t c = a.p[i + n];
		if (c == 0 && (i + n + 1 == a.len || a.p[i + n + 1] == 0))
			break;
		distinct += !(seen[c >> 5] >> (c & 31) & 1);
		seen[c >> 5] |= 1u << (c & 31);
	}
	if (n < 7 || n > 12 || distinct < 5)
		return false;
	/* at one place in both it may be a constant of the contract's, but in a word of its own */
	return i != k ||
	       (i % 32 != 4 && i >= 4 && (i + n - 4) % 32 == 0 && is_zero(a.p + i - 8, b.p + k - 8, i));
}

/* An amount is in both calldata; not a constant that both functions carry at the same place. */
bool
sandwich_echo(const struct sandwich *s, struct span a, struct span b)
{
	uint16_t slots[ECHO_SLOTS] = {0};
	uint32_t na = a.len < ECHO_BYTES ? a.len : ECHO_BYTES, nb = b.len < ECHO_BYTES ? b.len : ECHO_BYTES;
	bool alike = a.len >= 4 && b.len >= 4 && memcmp(a.p, b.p, 4) == 0;
	for (uint32_t i = 4; i + 7 <= na; i++) {
		uint64_t w = 0;
		memcpy(&w, a.p + i, 7);
		/* only where a number may begin */
		if (a.p[i] != 0)
			slots[(w ^ s->key[0]) * 0x9e3779b97f4a7c15u >> 54] = (uint16_t)i;
	}
	unsigned tries = 0;
	for (uint32_t k = 4; k + 7 <= nb && tries < 64; k++) {
		uint64_t w = 0;
		memcpy(&w, b.p + k, 7);
		uint32_t i = slots[(w ^ s->key[0]) * 0x9e3779b97f4a7c15u >> 54];
		if (i == 0 || b.p[k] == 0 || memcmp(a.p + i, b.p + k, 7) != 0)
			continue;
		tries++;
		if (!(alike && i == k) && is_amount(a, i, b, k))
			return true;
	}
	return false;
}
