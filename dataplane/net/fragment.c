/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/fragment.h"

#include "net/flow.h"

#include <string.h>

#define REMEMBER_NS 1000000000u
#define EXPIRE_ADD 2u
#define LIMIT (1u << 20)

/* What became of a fragment's bytes. */
struct placed {
	uint32_t units; /* eights that were not covered before */
	bool fresh;	/* some are not those of the datagram before */
	bool differs;	/* some places are held with other bytes */
};

static uint32_t
buckets_for(uint32_t datagrams)
{
	uint32_t n = 2;
	while (n < datagrams)
		n *= 2;
	return n;
}

static size_t
line(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

size_t
fragments_bytes(const struct fragments_config *c)
{
	if (c->datagrams == 0 || c->datagrams > LIMIT || c->blocks < FRAGMENT_BLOCKS_MIN ||
		c->blocks > LIMIT || c->age_ns == 0)
		return 0;
	return line(c->datagrams * sizeof(struct datagram)) +
	       line(buckets_for(c->datagrams) * sizeof(uint32_t)) +
	       line(c->blocks * sizeof(struct fragment_block)) + line(c->blocks * sizeof(uint32_t)) +
	       line(DATAGRAM_MAX);
}

static void
list_append(struct fragments *t, uint32_t i, enum datagram_list list)
{
	struct datagram *d = &t->datagrams[i];
	d->list = (uint8_t)list;
	d->older = t->newest[list];
	d->newer = NET_NONE;
	if (d->older == NET_NONE)
		t->oldest[list] = i;
	else
		t->datagrams[d->older].newer = i;
	t->newest[list] = i;
}

static void
list_remove(struct fragments *t, uint32_t i)
{
	struct datagram *d = &t->datagrams[i];
	if (d->older == NET_NONE)
		t->oldest[d->list] = d->newer;
	else
		t->datagrams[d->older].newer = d->newer;
	if (d->newer == NET_NONE)
		t->newest[d->list] = d->older;
	else
		t->datagrams[d->newer].older = d->older;
}

void
fragments_init(struct fragments *t, void *mem, const struct fragments_config *c, const uint64_t seed[6],
	uint64_t *counters)
{
	uint8_t *p = mem;
	uint32_t buckets = buckets_for(c->datagrams);
	memset(t, 0, sizeof *t);
	t->datagrams = (struct datagram *)(void *)p;
	p += line(c->datagrams * sizeof(struct datagram));
	t->bucket = (uint32_t *)(void *)p;
	p += line(buckets * sizeof(uint32_t));
	t->blocks = (struct fragment_block *)(void *)p;
	p += line(c->blocks * sizeof(struct fragment_block));
	t->free_block = (uint32_t *)(void *)p;
	p += line(c->blocks * sizeof(uint32_t));
	t->whole = p;
	t->bucket_mask = buckets - 1;
	t->age_ns = c->age_ns;
	t->ctr = counters;
	memcpy(t->seed, seed, sizeof t->seed);
	for (uint32_t i = 0; i < buckets; i++)
		t->bucket[i] = NET_NONE;
	for (unsigned i = 0; i < DATAGRAM_LISTS; i++)
		t->oldest[i] = t->newest[i] = NET_NONE;
	for (uint32_t i = 0; i < c->datagrams; i++)
		list_append(t, i, DATAGRAM_FREE);
	for (uint32_t i = 0; i < c->blocks; i++)
		t->free_block[t->n_free++] = i;
}

static uint32_t *
bucket_of(const struct fragments *t, const uint64_t ip[2][2], uint32_t id, uint8_t proto)
{
	uint64_t h = flow_mix(ip[0][1] ^ t->seed[0], ip[0][0] ^ t->seed[1]) ^
		     flow_mix(ip[1][1] ^ t->seed[2], ip[1][0] ^ t->seed[3]);
	h = flow_mix(h ^ t->seed[4], ((uint64_t)proto << 32 | id) ^ t->seed[5]);
	return &t->bucket[h & t->bucket_mask];
}

static uint8_t
proto_of(const struct fragment *f)
{
	return f->ip6 ? 0 : f->next;
}

static struct datagram *
find(struct fragments *t, const struct fragment *f)
{
	uint8_t proto = proto_of(f);
	for (uint32_t i = *bucket_of(t, f->ip, f->id, proto); i != NET_NONE; i = t->datagrams[i].chain) {
		struct datagram *d = &t->datagrams[i];
		if (d->id == f->id && d->proto == proto && d->ip6 == f->ip6 &&
			memcmp(d->ip, f->ip, sizeof d->ip) == 0)
			return d;
	}
	return NULL;
}

/* Forgets a datagram; why: what the frames that wait in it are counted as. */
static void
discard(struct fragments *t, struct datagram *d, enum sentinel_counter why)
{
	uint32_t i = (uint32_t)(d - t->datagrams), *at = bucket_of(t, d->ip, d->id, d->proto);
	t->ctr[CTR_FRAGMENTS_HELD] -= d->held;
	t->ctr[why] += d->held;
	for (unsigned b = 0; b < FRAGMENT_BLOCKS_DATAGRAM; b++) {
		if (d->block[b] != NET_NONE)
			t->free_block[t->n_free++] = d->block[b];
	}
	while (*at != i)
		at = &t->datagrams[*at].chain;
	*at = d->chain;
	list_remove(t, i);
	list_append(t, i, DATAGRAM_FREE);
}

/* Gives up the datagram that has waited longest, but not `own`. There is one. */
static void
discard_oldest(struct fragments *t, const struct datagram *own, enum sentinel_counter why)
{
	for (unsigned list = DATAGRAM_WHOLE;; list = DATAGRAM_PENDING) {
		uint32_t i = t->oldest[list];
		if (i != NET_NONE && &t->datagrams[i] == own)
			i = own->newer;
		if (i != NET_NONE) {
			discard(t, &t->datagrams[i], why);
			return;
		}
		if (list == DATAGRAM_PENDING)
			return;
	}
}

static struct datagram *
make(struct fragments *t, const struct fragment *f, uint64_t now_ns)
{
	if (t->oldest[DATAGRAM_FREE] == NET_NONE)
		discard_oldest(t, NULL, CTR_UNDEC_FRAGMENT_DATAGRAMS);
	uint32_t i = t->oldest[DATAGRAM_FREE];
	struct datagram *d = &t->datagrams[i];
	list_remove(t, i);
	memset(d, 0, sizeof *d);
	memset(d->block, 0xff, sizeof d->block); /* NET_NONE */
	memcpy(d->ip, f->ip, sizeof d->ip);
	d->id = f->id;
	d->proto = proto_of(f);
	d->ip6 = f->ip6;
	d->since_ns = now_ns;
	uint32_t *bucket = bucket_of(t, d->ip, d->id, d->proto);
	d->chain = *bucket;
	*bucket = i;
	list_append(t, i, DATAGRAM_PENDING);
	return d;
}

static struct fragment_block *
block_of(struct fragments *t, struct datagram *d, uint32_t n)
{
	if (d->block[n] == NET_NONE) {
		while (t->n_free == 0)
			discard_oldest(t, d, CTR_UNDEC_FRAGMENT_BYTES);
		d->block[n] = t->free_block[--t->n_free];
		struct fragment_block *b = &t->blocks[d->block[n]];
		memset(b->covered, 0, sizeof b->covered);
		memset(b->echo, 0, sizeof b->echo);
	}
	return &t->blocks[d->block[n]];
}

/* Are units [from, from + n) free of bytes? If so they are marked as covered. */
static bool
claim(struct fragment_block *b, uint32_t from, uint32_t n)
{
	uint64_t mask[FRAGMENT_UNITS / 64] = {0}, taken = 0;
	for (uint32_t u = from; u < from + n;) {
		uint32_t bit = u % 64, k = 64 - bit < from + n - u ? 64 - bit : from + n - u;
		mask[u / 64] = (k == 64 ? UINT64_MAX : ((1ull << k) - 1)) << bit;
		u += k;
	}
	for (unsigned i = 0; i < FRAGMENT_UNITS / 64; i++)
		taken |= b->covered[i] & mask[i];
	if (taken != 0)
		return false;
	for (unsigned i = 0; i < FRAGMENT_UNITS / 64; i++)
		b->covered[i] |= mask[i];
	return true;
}

/* Puts n <= 8 bytes at unit u. known: the datagram before had a unit of this length here. */
static void
place_unit(
	struct fragment_block *b, uint32_t u, const uint8_t *bytes, uint32_t n, bool known, struct placed *r)
{
	uint64_t bit = 1ull << (u % 64), *covered = &b->covered[u / 64], *echo = &b->echo[u / 64];
	bool had = *covered & bit, same = (had || known) && memcmp(b->data + u * 8, bytes, n) == 0;
	if (had && (same || !(*echo & bit))) {
		r->differs |= !same;
		return;
	}
	memcpy(b->data + u * 8, bytes, n);
	r->units += !had;
	*covered |= bit;
	if (same) {
		*echo |= bit;
	} else {
		*echo &= ~bit;
		r->fresh = true;
	}
}

/* Puts n bytes at `from`, a multiple of 8, of a block of which the datagram before had `before` bytes. */
static void
place_block(struct fragment_block *b, uint32_t from, const uint8_t *bytes, uint32_t n, uint32_t before,
	struct placed *r)
{
	if (before == 0 && claim(b, from / 8, (n + 7) / 8)) {
		memcpy(b->data + from, bytes, n);
		r->units += (n + 7) / 8;
		r->fresh = true;
		return;
	}
	for (uint32_t at = from; n > 0;) {
		uint32_t k = n < 8 ? n : 8;
		place_unit(b, at / 8, bytes, k, k == 8 ? at + 8 <= before : at + k == before, r);
		at += k;
		bytes += k;
		n -= k;
	}
}

static struct placed
place(struct fragments *t, struct datagram *d, const struct fragment *f)
{
	struct placed r = {0, false, false};
	for (uint32_t done = 0; done < f->payload.len;) {
		uint32_t off = f->off + done, n = off / FRAGMENT_BLOCK_DATA, from = off % FRAGMENT_BLOCK_DATA;
		uint32_t k = FRAGMENT_BLOCK_DATA - from, left = f->payload.len - done;
		uint32_t start = n * FRAGMENT_BLOCK_DATA, before = d->before > start ? d->before - start : 0;
		if (k > left)
			k = left;
		place_block(block_of(t, d, n), from, f->payload.p + done, k, before, &r);
		done += k;
	}
	d->units += r.units;
	return r;
}

/* The next fragment begins the next datagram of this identification. */
static void
start_over(struct fragments *t, struct datagram *d)
{
	for (unsigned n = 0; n < FRAGMENT_BLOCKS_DATAGRAM; n++) {
		if (d->block[n] == NET_NONE)
			continue;
		struct fragment_block *b = &t->blocks[d->block[n]];
		memset(b->covered, 0, sizeof b->covered);
		memset(b->echo, 0, sizeof b->echo);
	}
	d->total = d->reach = d->units = d->held = 0;
	d->first = d->fresh = false;
}

static void
move(struct fragments *t, struct datagram *d, enum datagram_list list, uint64_t now_ns)
{
	uint32_t i = (uint32_t)(d - t->datagrams);
	list_remove(t, i);
	list_append(t, i, list);
	d->since_ns = now_ns;
}

static void
become_whole(struct fragments *t, struct datagram *d, uint64_t now_ns, struct datagram_whole *out)
{
	uint64_t echo = 0;
	for (uint32_t n = 0, at = 0; at < d->total; n++, at += FRAGMENT_BLOCK_DATA) {
		const struct fragment_block *b = &t->blocks[d->block[n]];
		uint32_t k = d->total - at < FRAGMENT_BLOCK_DATA ? d->total - at : FRAGMENT_BLOCK_DATA;
		memcpy(t->whole + at, b->data, k);
		for (unsigned i = 0; i < FRAGMENT_UNITS / 64; i++)
			echo |= b->echo[i];
	}
	*out = (struct datagram_whole){{t->whole, d->total}, d->next, echo != 0};
	t->ctr[CTR_FRAGMENTS_HELD] -= d->held;
	t->ctr[CTR_FRAGMENTS_JOINED] += d->held;
	d->before = d->total;
	start_over(t, d);
	move(t, d, DATAGRAM_WHOLE, now_ns);
}

static bool
possible(const struct datagram *d, const struct fragment *f)
{
	uint32_t end = f->off + f->payload.len;
	if (d->total != 0 && (end > d->total || (!f->more && end != d->total)))
		return false;
	return f->more || end >= d->reach;
}

enum sentinel_counter
fragments_add(struct fragments *t, const struct fragment *f, uint64_t now_ns, struct datagram_whole *out)
{
	uint32_t n = f->payload.len, end = f->off + n;
	fragments_expire(t, EXPIRE_ADD, now_ns);
	if (n == 0 || n > DATAGRAM_MAX || end > DATAGRAM_MAX || (f->more && n % 8 != 0))
		return CTR_UNDEC_FRAGMENT_BAD;
	struct datagram *d = find(t, f);
	if (d == NULL)
		d = make(t, f, now_ns);
	else if (!possible(d, f))
		return CTR_UNDEC_FRAGMENT_BAD;
	struct placed r = place(t, d, f);
	t->ctr[CTR_FRAGMENT_CONFLICTS] += r.differs;
	if (r.units == 0 && !r.fresh)
		return r.differs ? CTR_UNDEC_FRAGMENT_OVERLAP : CTR_FRAGMENTS_DUPLICATE;
	if (!f->more)
		d->total = end;
	if (d->reach < end)
		d->reach = end;
	if (f->off == 0 && !d->first) {
		d->first = true;
		d->next = f->next;
	}
	d->fresh |= r.fresh;
	bool whole = d->total != 0 && d->units == (d->total + 7) / 8;
	if (whole && d->fresh) {
		become_whole(t, d, now_ns, out);
		return CTR_ACCEPTED;
	}
	if (whole)
		start_over(t, d);
	if (!r.fresh)
		return CTR_FRAGMENTS_DUPLICATE;
	if (d->list == DATAGRAM_WHOLE)
		move(t, d, DATAGRAM_PENDING, now_ns);
	d->held++;
	return CTR_FRAGMENTS_HELD;
}

void
fragments_expire(struct fragments *t, unsigned n, uint64_t now_ns)
{
	const uint64_t age[] = {[DATAGRAM_PENDING] = t->age_ns, [DATAGRAM_WHOLE] = REMEMBER_NS};
	for (unsigned list = DATAGRAM_PENDING; list <= DATAGRAM_WHOLE; list++) {
		for (unsigned i = 0; i < n && t->oldest[list] != NET_NONE; i++) {
			struct datagram *d = &t->datagrams[t->oldest[list]];
			if ((int64_t)(now_ns - d->since_ns) < (int64_t)age[list])
				break;
			discard(t, d, CTR_UNDEC_FRAGMENT_AGE);
		}
	}
}

void
fragments_flush(struct fragments *t)
{
	for (unsigned list = DATAGRAM_PENDING; list <= DATAGRAM_WHOLE; list++) {
		while (t->oldest[list] != NET_NONE)
			discard(t, &t->datagrams[t->oldest[list]], CTR_UNDEC_FRAGMENT_AGE);
	}
}
