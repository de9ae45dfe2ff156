/* SPDX-License-Identifier: BSD-3-Clause */
#include "detect/protect.h"

#include "eth/rlp.h"

#include <string.h>

#define SLOTS (4 * PROTECT_MAX)
#define FILTER_BITS (1u << 16)
#define PUSH0 0x5f

/* Addresses are recognised by their middle, which those with zeros at either end have too. */
#define MIDDLE 8u

struct protect {
	uint32_t n;
	uint8_t address[PROTECT_MAX][20];
	uint8_t zeros[PROTECT_MAX]; /* that it begins with, at most MIDDLE */
	uint16_t slot[SLOTS];	    /* index + 1, by the middle; linear probing */
	uint64_t filter[FILTER_BITS / 64];
};

struct touching {
	const struct protect *p;
	struct touched *out;
	uint32_t n;
	bool over;
};

static inline uint64_t
middle_hash(const uint8_t *address)
{
	uint64_t m;
	memcpy(&m, address + MIDDLE, sizeof m);
	m *= 0x9e3779b97f4a7c15u;
	return m ^ m >> 29;
}

static inline bool
may_be(const struct protect *p, uint64_t hash)
{
	uint32_t bit = (uint32_t)(hash >> 48);
	return p->filter[bit / 64] >> (bit % 64) & 1;
}

size_t
protect_bytes(void)
{
	return sizeof(struct protect);
}

struct protect *
protect_init(void *mem, const uint8_t (*addresses)[20], uint32_t n)
{
	static const uint8_t nobody[20];
	struct protect *p = mem;
	memset(p, 0, sizeof *p);
	for (uint32_t i = 0; i < n && p->n < PROTECT_MAX; i++) {
		const uint8_t *a = addresses[i];
		if (memcmp(a, nobody, 20) == 0 || protect_has(p, a))
			continue;
		uint64_t hash = middle_hash(a);
		uint32_t bit = (uint32_t)(hash >> 48), s = (uint32_t)hash % SLOTS;
		p->filter[bit / 64] |= 1ull << (bit % 64);
		while (p->slot[s] != 0)
			s = (s + 1) % SLOTS;
		memcpy(p->address[p->n], a, 20);
		while (p->zeros[p->n] < MIDDLE && a[p->zeros[p->n]] == 0)
			p->zeros[p->n]++;
		p->slot[s] = (uint16_t)++p->n;
	}
	return p;
}

uint32_t
protect_count(const struct protect *p)
{
	return p->n;
}

bool
protect_has(const struct protect *p, const uint8_t address[20])
{
	uint64_t hash = middle_hash(address);
	if (!may_be(p, hash))
		return false;
	for (uint32_t s = (uint32_t)hash % SLOTS; p->slot[s] != 0; s = (s + 1) % SLOTS)
		if (memcmp(p->address[p->slot[s] - 1], address, 20) == 0)
			return true;
	return false;
}

static void
touch(struct touching *t, const uint8_t *address, uint8_t how)
{
	uint32_t i = 0;
	while (i < t->n && memcmp(t->out[i].address, address, 20) != 0)
		i++;
	if (i == PROTECT_TOUCHED_MAX) {
		t->over = true;
		return;
	}
	if (i == t->n) {
		memcpy(t->out[i].address, address, 20);
		t->out[t->n++].how = 0;
	}
	t->out[i].how |= how;
}

static void
touch_exactly(struct touching *t, struct span address, uint8_t how)
{
	if (address.len == 20 && protect_has(t->p, address.p))
		touch(t, address.p, how);
}

/* Does the window, in code, hold the address without its leading zeros, behind the PUSH of so many bytes? */
static bool
pushed_short(const struct protect *p, uint32_t index, const uint8_t *window)
{
	unsigned zeros = p->zeros[index];
	return zeros > 0 && window[zeros - 1] == PUSH0 + 20 - zeros &&
	       memcmp(window + zeros, p->address[index] + zeros, 20 - zeros) == 0;
}

static void
touch_anywhere(struct touching *t, struct span bytes, bool code, uint8_t how)
{
	const struct protect *p = t->p;
	for (uint32_t i = 0; bytes.len >= 20 && i <= bytes.len - 20; i++) {
		const uint8_t *window = bytes.p + i;
		uint64_t hash = middle_hash(window);
		if (__builtin_expect(!may_be(p, hash), 1))
			continue;
		for (uint32_t s = (uint32_t)hash % SLOTS; p->slot[s] != 0; s = (s + 1) % SLOTS) {
			uint32_t k = p->slot[s] - 1u;
			if (memcmp(p->address[k], window, 20) == 0 || (code && pushed_short(p, k, window)))
				touch(t, p->address[k], how);
		}
	}
}

static void
touch_access_list(struct touching *t, struct span list)
{
	struct rlp_item entry, item;
	while (list.len > 0 && rlp_next(&list, &entry) && rlp_next(&entry.payload, &item))
		touch_exactly(t, item.payload, TOUCH(CALLDATA));
}

uint32_t
protect_touch(const struct protect *p, const struct tx *t, const struct calls *c,
	struct touched out[PROTECT_TOUCHED_MAX], bool *over)
{
	struct touching s = {p, out, 0, false};
	*over = false;
	if (p->n == 0)
		return 0;
	touch_exactly(&s, t->to, TOUCH(TO));
	for (uint32_t i = 1; i < c->n; i++)
		touch_exactly(&s, c->call[i].to, TOUCH(CALL));
	for (uint32_t i = 1; i < c->n; i++)
		if (call_creates(&c->call[i]))
			touch_anywhere(&s, c->call[i].data, true, TOUCH(CODE));
	touch_access_list(&s, t->access_list);
	touch_anywhere(&s, t->data, t->to.len == 0, t->to.len == 0 ? TOUCH(CODE) : TOUCH(CALLDATA));
	*over = s.over;
	return s.n;
}

uint32_t
protect_touch_code(
	const struct protect *p, struct span code, struct touched out[PROTECT_TOUCHED_MAX], bool *over)
{
	struct touching s = {p, out, 0, false};
	if (p->n > 0)
		touch_anywhere(&s, code, true, TOUCH(CODE));
	*over = s.over;
	return s.n;
}
