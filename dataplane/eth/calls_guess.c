/* SPDX-License-Identifier: BSD-3-Clause */
/* What an encoder writes for a tuple is told by its layout: the first dynamic member's offset is the size of
 * the head, tails follow in the order of their offsets without a hole, the last ends where the tuple ends,
 * padding is zero. Bytes at random, or arguments of another shape, do not look so. */
#include "eth/calls_private.h"

#include <string.h>

#define HEAD_MAX 16u /* words */
#define OFFSET_BITS 0x3e0u /* that an offset of a head's length may have */
#define TAILS_MAX 8u
#define ITEMS_MAX CALLS_MAX
#define RECIPIENT_AND_SELECTOR 24u /* bytes */
#define PAYLOADS_MAX 4u		   /* bytes in bytes */
#define NESTING_MAX 3u		   /* list of tuples, in a tuple, in the arguments */

enum tail_kind { TAIL_BYTES, TAIL_WORDS, TAIL_BYTES_LIST, TAIL_OTHER };

/* A dynamic member: where its offset stands in the head, and what is at it. */
struct tail {
	enum tail_kind kind;
	uint32_t word;
	uint32_t at; /* of its first byte, item or offset */
	uint32_t n;  /* bytes, or items */
};

struct guess {
	struct walk *w;
	struct span all;
};

/* A tuple of which the layout is known. */
struct tuple {
	uint32_t begin, head; /* words */
	struct tail tail[TAILS_MAX];
	uint32_t n;
};

static bool tuple(const struct guess *g, uint32_t begin, uint32_t end, unsigned nesting);

/* The word at `at` as a number; UINT32_MAX: larger than any offset or length. */
static uint32_t
number(const struct guess *g, uint32_t at)
{
	uint64_t part[4];
	memcpy(part, g->all.p + at, 32);
	uint64_t v = __builtin_bswap64(part[3]);
	return (part[0] | part[1] | part[2]) != 0 || v > TX_NETWORK_BYTES_MAX ? UINT32_MAX : (uint32_t)v;
}

/* The same of a word that is looked at for the first time. */
static uint32_t
small(const struct guess *g, uint32_t at)
{
	return calls_read(g->w, 32) ? number(g, at) : UINT32_MAX;
}

/* Numbers of tokens are below 2^96, and addresses above, but for those that were sought with as many zeros;
 * above 2^128 there is hardly a number. */
static bool
is_above(const struct guess *g, uint32_t at, unsigned bytes)
{
	static const uint8_t zeros[12];
	const uint8_t *p = g->all.p + at;
	return memcmp(p, zeros, 12) == 0 && memcmp(p + 12, zeros, 20 - bytes) != 0;
}
#define ADDRESS_LIKELY 16u
#define ADDRESS_PERHAPS 12u

/* Whole calldata of a function with an ABI, by its length; what begins with zeros is an argument. */
static bool
is_calldata(struct span s)
{
	return s.len % 32 == 4 && memcmp(s.p, "\0\0", 3) != 0;
}

/* [begin, end) is bytes and their padding. */
static bool
padded_bytes(const struct guess *g, uint32_t begin, uint32_t end, uint32_t *len)
{
	uint32_t n, room = end - begin - 32;
	if (end - begin < 32 || (n = small(g, begin)) > room || room - n >= 32 || room % 32 != 0 ||
		!calls_read(g->w, room - n))
		return false;
	for (uint32_t i = begin + 32 + n; i < end; i++)
		if (g->all.p[i] != 0)
			return false;
	*len = n;
	return true;
}

/* n dynamic items, whose offsets begin at `begin`. */
static bool
items(const struct guess *g, uint32_t begin, uint32_t end, uint32_t n, unsigned nesting, struct tail *out)
{
	uint32_t at = 32 * n, len;
	bool bytes = true;
	if (n > ITEMS_MAX || small(g, begin) != at)
		return false;
	for (unsigned pass = 0; pass < 2; pass++) {
		uint32_t i = 0;
		for (at = 32 * n; i < n; i++) {
			uint32_t next = i + 1 < n ? small(g, begin + 32 * (i + 1)) : end - begin;
			if (next <= at || next > end - begin || next % 32 != 0)
				return false;
			if (bytes ? !padded_bytes(g, begin + at, begin + next, &len)
				  : !tuple(g, begin + at, begin + next, nesting))
				break;
			at = next;
		}
		if (i == n) {
			*out = (struct tail){bytes ? TAIL_BYTES_LIST : TAIL_OTHER, out->word, begin, n};
			return true;
		}
		bytes = false;
		if (nesting == 0)
			return false;
	}
	return false;
}

static bool
tail(const struct guess *g, uint32_t begin, uint32_t end, unsigned nesting, struct tail *out)
{
	uint32_t before = g->w->out->n, len, n, room = end - begin - 32;
	uint64_t carried = g->w->carried;
	if (end - begin < 32)
		return false;
	if (padded_bytes(g, begin, end, &len)) {
		*out = (struct tail){TAIL_BYTES, out->word, begin + 32, len};
		return true;
	}
	n = small(g, begin);
	if (n > 0 && n <= room / 32) {
		if (n * 32 == room) {
			*out = (struct tail){TAIL_WORDS, out->word, begin + 32, n};
			return true;
		}
		if (items(g, begin + 32, end, n, nesting, out))
			return true;
		g->w->out->n = before;
		g->w->carried = carried;
		if (room % (32 * n) == 0) {
			*out = (struct tail){TAIL_OTHER, out->word, begin + 32, n};
			return true;
		}
	}
	*out = (struct tail){TAIL_OTHER, out->word, begin, 1};
	return nesting == NESTING_MAX - 1 &&
	       tuple(g, begin, end, nesting); /* structs only stand in the arguments themselves */
}

static bool
is_offset(const struct tuple *t, uint32_t word)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->tail[i].word == word)
			return true;
	return false;
}

/* The address whose bytes these are: the nearest one before them, or else the first after them. UINT32_MAX:
 * none. */
static uint32_t
address_of(const struct guess *g, const struct tuple *t, uint32_t word)
{
	for (unsigned bytes = ADDRESS_LIKELY; bytes >= ADDRESS_PERHAPS;
		bytes -= ADDRESS_LIKELY - ADDRESS_PERHAPS) {
		for (uint32_t i = word; i-- > 0;)
			if (is_above(g, t->begin + 32 * i, bytes) && !is_offset(t, i))
				return i;
		for (uint32_t i = word + 1; i < t->head; i++)
			if (is_above(g, t->begin + 32 * i, bytes) && !is_offset(t, i))
				return i;
	}
	return UINT32_MAX;
}

/* A word that says how much ether goes along. What is 0 or 1 says so of nothing, or is a flag. */
static bool
is_value(const struct guess *g, uint32_t at)
{
	static const uint8_t zeros[31];
	const uint8_t *p = g->all.p + at;
	return memcmp(p, zeros, 16) == 0 && (memcmp(p, zeros, 31) != 0 || p[31] > 1);
}

static void
call_of_bytes(const struct guess *g, const struct tuple *t, const struct tail *b)
{
	uint32_t a = address_of(g, t, b->word);
	const uint8_t *to = a == UINT32_MAX ? NULL : g->all.p + t->begin + 32 * a + 12, *value = NULL;
	if (to != NULL && b->n >= 4) {
		if (a + 1 < b->word && !is_offset(t, a + 1) && is_value(g, t->begin + 32 * (a + 1)))
			value = to + 20;
		calls_add(g->w, CALL_PLAIN, to, value, (struct span){g->all.p + b->at, b->n});
	} else if (b->n >= RECIPIENT_AND_SELECTOR) {
		calls_payload(g->w, (struct span){g->all.p + b->at, b->n});
	}
}

static bool
all_above(const struct guess *g, const struct tail *words, unsigned bytes)
{
	for (uint32_t i = 0; i < words->n; i++)
		if (!is_above(g, words->at + 32 * i, bytes))
			return false;
	return calls_read(g->w, 32 * (uint64_t)words->n);
}

/* The array that has the length of this list of bytes and is not `but`: the nearest one before it, or else
 * after it. bytes > 0: of addresses only. */
static const struct tail *
beside(const struct guess *g, const struct tuple *t, const struct tail *b, const struct tail *but,
	unsigned bytes)
{
	const struct tail *found = NULL;
	for (const struct tail *k = t->tail; k < t->tail + t->n; k++) {
		if (k->kind != TAIL_WORDS || k->n != b->n || k == but || (k > b && found != NULL))
			continue;
		if (bytes == 0 || all_above(g, k, bytes))
			found = k;
	}
	return found;
}

static struct span
item_of(const struct guess *g, const struct tail *b, uint32_t i)
{
	uint32_t at = b->at + number(g, b->at + 32 * i);
	return (struct span){g->all.p + at + 32, number(g, at)};
}

/* Items without recipients beside them: calls of the contract itself if they all look like calldata, or else
 * recipients and calls are in the items. */
static void
calls_of_items(const struct guess *g, const struct tail *b)
{
	const struct span self = g->w->out->call[g->w->parent].to;
	uint32_t own = 0;
	for (uint32_t i = 0; i < b->n; i++)
		own += is_calldata(item_of(g, b, i));
	for (uint32_t i = 0; i < b->n; i++) {
		struct span data = item_of(g, b, i);
		if (own == b->n)
			calls_add(g->w, CALL_SELF, self.len == 20 ? self.p : NULL, NULL, data);
		else if (!is_calldata(data) && data.len >= RECIPIENT_AND_SELECTOR)
			calls_payload(g->w, data);
	}
}

static void
calls_of_list(const struct guess *g, const struct tuple *t, const struct tail *b)
{
	const struct tail *to = beside(g, t, b, NULL, ADDRESS_LIKELY), *value;
	if (to == NULL)
		to = beside(g, t, b, NULL, ADDRESS_PERHAPS);
	uint32_t one = to == NULL ? address_of(g, t, b->word) : UINT32_MAX;
	for (uint32_t i = 0; i < b->n && one != UINT32_MAX; i++)
		if (!is_calldata(item_of(g, b, i)))
			one = UINT32_MAX;
	if (to == NULL && one == UINT32_MAX) {
		calls_of_items(g, b);
		return;
	}
	value = beside(g, t, b, to, 0);
	for (uint32_t i = 0; i < b->n; i++) {
		struct span data = item_of(g, b, i);
		const uint8_t *p = g->all.p + (to != NULL ? to->at + 32 * i : t->begin + 32 * one) + 12,
			      *v = NULL;
		if (value != NULL && is_value(g, value->at + 32 * i))
			v = g->all.p + value->at + 32 * i;
		if (data.len >= 4)
			calls_add(g->w, CALL_PLAIN, p, v, data);
	}
}

/* The tuple, if word `first` of it is the first offset, `at`. */
static bool
tuple_from(const struct guess *g, uint32_t begin, uint32_t end, uint32_t first, uint32_t at, unsigned nesting)
{
	struct tuple t;
	uint32_t word = first;
	t.begin = begin;
	t.head = at / 32;
	t.n = 0;
	for (uint32_t k = first + 1; k <= t.head; k++) {
		uint32_t next = k < t.head ? small(g, begin + 32 * k) : end - begin;
		if (next <= at || next > end - begin || next % 32 != 0 || (k < t.head && next == end - begin))
			continue;
		if (t.n == TAILS_MAX)
			return false;
		t.tail[t.n].word = word;
		if (!tail(g, begin + at, begin + next, nesting - 1, &t.tail[t.n])) {
			if (k < t.head)
				continue;
			return false;
		}
		t.n++;
		at = next;
		word = k;
	}
	for (uint32_t i = 0; i < t.n; i++) {
		if (t.tail[i].kind == TAIL_BYTES)
			call_of_bytes(g, &t, &t.tail[i]);
		else if (t.tail[i].kind == TAIL_BYTES_LIST)
			calls_of_list(g, &t, &t.tail[i]);
	}
	return true;
}

static bool
tuple(const struct guess *g, uint32_t begin, uint32_t end, unsigned nesting)
{
	uint32_t words = (end - begin) / 32, before = g->w->out->n;
	uint64_t carried = g->w->carried;
	if ((end - begin) % 32 != 0 || words < 3)
		return false;
	if (words > HEAD_MAX)
		words = HEAD_MAX;
	if (!calls_read(g->w, 32 * words))
		return false;
	const uint8_t *word = g->all.p + begin;
	for (uint32_t i = 0; i < words; i++, word += 32) {
		uint64_t part[4];
		memcpy(&part[3], word + 24, 8);
		/* most words are no offset by their last bytes alone */
		if (part[3] & __builtin_bswap64(~(uint64_t)OFFSET_BITS))
			continue;
		uint32_t v = (uint32_t)__builtin_bswap64(part[3]);
		if (v < 32 * (i + 1) || v > 32 * HEAD_MAX || v >= end - begin)
			continue;
		memcpy(part, word, 24);
		/* but for a struct in the arguments every tail begins with a length that fits in */
		if ((part[0] | part[1] | part[2]) != 0 ||
			(nesting != NESTING_MAX && number(g, begin + v) > end - begin - v - 32))
			continue;
		if (tuple_from(g, begin, end, i, v, nesting))
			return true;
		g->w->out->n = before;
		g->w->carried = carried;
	}
	return false;
}

/* Lists that are packed: what stands before the data of each call. */
static const struct packed {
	uint8_t operation, value, length; /* bytes */
} packed_forms[] = {{1, 32, 32}, {0, 32, 32}, {0, 0, 32}, {1, 0, 32}, {0, 0, 2}, {0, 0, 3}, {0, 0, 4},
	{0, 32, 2}, {0, 32, 3}, {0, 32, 4}, {1, 32, 2}, {1, 32, 4}, {1, 0, 2}, {1, 0, 4}, {0, 16, 2},
	{0, 12, 2}};
#define PACKED_FORMS (sizeof packed_forms / sizeof *packed_forms)

/* No words are told from addresses here: few zeros must do. */
static bool
is_packed_address(const uint8_t *p)
{
	unsigned zeros = 0;
	for (unsigned i = 0; i < 20; i++)
		zeros += p[i] == 0;
	return zeros < 7;
}

/* Is there room for one call in it? Most bytes are told from such lists by this, and cheaply. */
static inline bool
packed_begins(struct span l, const struct packed *f)
{
	static const uint32_t mask[] = {[2] = 0xffff, [3] = 0xffffff, [4] = UINT32_MAX};
	uint32_t head = f->operation + 20u + f->value + f->length, len;
	if (l.len < head + 4)
		return false;
	memcpy(&len, l.p + head - 4, 4);
	len = __builtin_bswap32(len) & mask[f->length < 4 ? f->length : 4];
	return len >= 4 && len <= l.len - head;
}

/* Is all of it such a list? If so, and if asked to, its calls are added. */
static bool
packed_as(const struct guess *g, struct span l, const struct packed *f, bool add)
{
	uint32_t head = f->operation + 20u + f->value + f->length, n = 0;
	while (l.len > 0) {
		static const uint8_t zeros[32];
		uint64_t len = 0;
		if (l.len < head + 4 || (n > 0 && !calls_read(g->w, head)) || ++n > CALLS_MAX)
			return false;
		const uint8_t *to = l.p + f->operation, *value = to + 20, *length = value + f->value;
		if ((f->operation && l.p[0] > 1) || !is_packed_address(to) ||
			(f->value == 32 && memcmp(value, zeros, 16) != 0) ||
			(f->length > 4 && memcmp(length, zeros, f->length - 4u) != 0))
			return false;
		for (uint32_t i = f->length > 4 ? f->length - 4u : 0; i < f->length; i++)
			len = len << 8 | length[i];
		if (len < 4 || len > l.len - head)
			return false;
		if (add && calls_add(g->w, f->operation && l.p[0] == 1 ? CALL_DELEGATE : CALL_PLAIN, to,
				   f->value == 32 ? value : NULL,
				   (struct span){l.p + head, (uint32_t)len}) == NULL)
			return true;
		l = (struct span){l.p + head + len, l.len - head - (uint32_t)len};
	}
	return n > 0;
}

static bool
packed(const struct guess *g, struct span l)
{
	/* what begins as ABI words do has too many zeros where the first address would be */
	if (l.len < 26 || memcmp(l.p + 4, "\0\0\0\0\0\0\0", 8) == 0)
		return false;
	const bool begins[2] = {is_packed_address(l.p), l.p[0] <= 1 && is_packed_address(l.p + 1)};
	for (const struct packed *f = packed_forms; f < packed_forms + PACKED_FORMS && (begins[0] || begins[1]); f++)
		if (begins[f->operation] && packed_begins(l, f) && packed_as(g, l, f, false))
			return packed_as(g, l, f, true);
	return false;
}

/* A recipient, perhaps a value, and calldata: ERC-7579's single execution, without a length. */
static bool
recipient_and_call(const struct guess *g, struct span s)
{
	static const uint8_t zeros[16];
	struct span plain = {s.p + 20, s.len - 20}, paid = {s.p + 52, s.len - 52};
	if (s.len < RECIPIENT_AND_SELECTOR || !is_calldata(plain) || !is_packed_address(s.p))
		return false;
	if (s.len >= 56 && memcmp(s.p + 20, zeros, 16) == 0 && is_calldata(paid))
		return calls_add(g->w, CALL_PLAIN, s.p, s.p + 20, paid) != NULL;
	return calls_add(g->w, CALL_PLAIN, s.p, NULL, plain) != NULL;
}

/* Bytes whose receiver is not in the calldata: arguments without a selector, a packed list, a recipient in
 * front, or else a call without one. */
void
calls_payload(struct walk *w, struct span bytes)
{
	const struct guess g = {w, bytes};
	uint32_t before = w->out->n;
	bool inside = false;
	if (bytes.len % 32 == 0 && w->payloads < PAYLOADS_MAX) {
		w->payloads++;
		inside = tuple(&g, 0, bytes.len, NESTING_MAX) && w->out->n > before;
		w->payloads--;
	}
	if (inside || packed(&g, bytes) || recipient_and_call(&g, bytes))
		return;
	if (bytes.len >= 36 && is_calldata(bytes))
		calls_add(w, CALL_PLAIN, NULL, NULL, bytes);
}

void
calls_guess(struct walk *w, struct span data)
{
	const struct guess g = {w, data};
	uint32_t before = w->out->n, skip = data.len % 32;
	if ((skip == 4 || skip == 0) && tuple(&g, skip, data.len, NESTING_MAX) && w->out->n > before)
		return;
	/* neither has room for its first address */
	if (memcmp(data.p + 4, "\0\0\0\0\0\0\0\0\0\0\0", 12) == 0)
		return;
	if (!packed(&g, (struct span){data.p + 4, data.len - 4}))
		packed(&g, data);
}
