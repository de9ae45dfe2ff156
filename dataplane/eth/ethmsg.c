/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/ethmsg.h"

#include "eth/rlp.h"
#include "eth/tx.h"

#include <string.h>

#define HASH 32u
#define HEADER_FIELDS_MIN 15u

struct reader {
	ethmsg_sink sink;
	void *ctx;
	uint64_t *over;
	struct ethmsg_item item;
};

static bool
whole_list(struct span in, struct span *payload)
{
	struct rlp_item it;
	if (!rlp_next(&in, &it) || !it.list || in.len != 0)
		return false;
	*payload = it.payload;
	return true;
}

static bool
next_list(struct span *in, struct span *payload)
{
	struct rlp_item it;
	if (!rlp_next(in, &it) || !it.list)
		return false;
	*payload = it.payload;
	return true;
}

static bool
as_u64(const struct rlp_item *it, uint64_t *out)
{
	uint64_t v = 0;
	if (it->list || it->payload.len > 8 || (it->payload.len > 0 && it->payload.p[0] == 0))
		return false;
	for (uint32_t i = 0; i < it->payload.len; i++)
		v = v << 8 | it->payload.p[i];
	*out = v;
	return true;
}

static bool
next_u64(struct span *in, uint64_t *out)
{
	struct rlp_item it;
	return rlp_next(in, &it) && as_u64(&it, out);
}

static bool
is_hash(const struct rlp_item *it)
{
	return !it->list && it->payload.len == HASH;
}

/* ---- transactions ---- */

/* A transaction in a list: a list, or a string that begins with a type. */
static bool
tx_of(const struct rlp_item *it, struct span *raw)
{
	if (it->list) {
		*raw = (struct span){it->payload.p - it->header, it->header + it->payload.len};
		return true;
	}
	*raw = it->payload;
	return raw->len > 0 && raw->p[0] < 0x80;
}

static bool
count_txs(struct span list, uint32_t *n)
{
	struct rlp_item it;
	struct span raw;
	for (*n = 0; list.len > 0; (*n)++) {
		if (!rlp_next(&list, &it) || !tx_of(&it, &raw))
			return false;
	}
	return true;
}

static void
report_txs(struct reader *r, enum ethmsg_kind kind, struct span list, uint32_t n)
{
	struct rlp_item it;
	r->item.kind = kind;
	r->item.count = n;
	for (r->item.index = 0; r->item.index < ETHMSG_TXS_MAX && rlp_next(&list, &it); r->item.index++) {
		tx_of(&it, &r->item.raw);
		r->sink(r->ctx, &r->item);
	}
	*r->over += n > ETHMSG_TXS_MAX ? n - ETHMSG_TXS_MAX : 0;
	r->item.raw = (struct span){0};
}

static bool
transactions(struct reader *r, struct span payload)
{
	struct span list;
	uint32_t n;
	if (!whole_list(payload, &list) || !count_txs(list, &n))
		return false;
	report_txs(r, ETHMSG_TX, list, n);
	return true;
}

static bool
pooled(struct reader *r, struct span payload)
{
	struct span in, list;
	uint32_t n;
	if (!whole_list(payload, &in) || !next_u64(&in, &r->item.request) || !next_list(&in, &list) ||
		in.len != 0 || !count_txs(list, &n))
		return false;
	report_txs(r, ETHMSG_TX_POOLED, list, n);
	return true;
}

/* ---- hashes ---- */

static bool
count_hashes(struct span list, uint32_t *n)
{
	struct rlp_item it;
	for (*n = 0; list.len > 0; (*n)++) {
		if (!rlp_next(&list, &it) || !is_hash(&it))
			return false;
	}
	return true;
}

static bool
count_sizes(struct span list, uint32_t *n)
{
	uint64_t size;
	for (*n = 0; list.len > 0; (*n)++) {
		if (!next_u64(&list, &size) || size > UINT32_MAX)
			return false;
	}
	return true;
}

/* types: one byte for each hash; sizes: the payload of their list; both empty before eth/68. */
static void
report_hashes(struct reader *r, enum ethmsg_kind kind, struct span hashes, uint32_t n, struct span types,
	struct span sizes)
{
	struct rlp_item it;
	r->item.kind = kind;
	r->item.count = n;
	r->item.has_type = types.len > 0;
	for (r->item.index = 0; r->item.index < ETHMSG_HASHES_MAX && rlp_next(&hashes, &it);
		r->item.index++) {
		uint64_t size = 0;
		r->item.hash = it.payload.p;
		if (r->item.has_type) {
			next_u64(&sizes, &size);
			r->item.type = types.p[r->item.index];
			r->item.size = (uint32_t)size;
		}
		r->sink(r->ctx, &r->item);
	}
	*r->over += n > ETHMSG_HASHES_MAX ? n - ETHMSG_HASHES_MAX : 0;
	r->item.hash = NULL;
}

/* [types, [size, ...], [hash, ...]] and, from eth/72 on, the cells that are to be had (16 bytes). */
static bool
announcement_parts(struct span in, struct span *types, struct span *sizes, struct span *hashes, uint32_t *n)
{
	struct rlp_item it;
	uint32_t n_sizes;
	if (!rlp_next(&in, &it) || it.list || !next_list(&in, sizes) || !next_list(&in, hashes))
		return false;
	*types = it.payload;
	if (in.len > 0 && (!rlp_next(&in, &it) || it.list || it.payload.len > 16 || in.len != 0))
		return false;
	return count_sizes(*sizes, &n_sizes) && count_hashes(*hashes, n) && *n == n_sizes && *n == types->len;
}

static bool
announced(struct reader *r, struct span payload)
{
	struct span list, types = {0}, sizes = {0}, hashes;
	uint32_t n;
	if (!whole_list(payload, &list))
		return false;
	hashes = list;
	if (!count_hashes(list, &n) && !announcement_parts(list, &types, &sizes, &hashes, &n))
		return false;
	report_hashes(r, ETHMSG_ANNOUNCED, hashes, n, types, sizes);
	return true;
}

/* From eth/72 on the cells that are wanted follow the hashes. */
static bool
asked(struct reader *r, struct span payload)
{
	struct span in, hashes;
	struct rlp_item it;
	uint32_t n;
	if (!whole_list(payload, &in) || !next_u64(&in, &r->item.request) || !next_list(&in, &hashes) ||
		!count_hashes(hashes, &n))
		return false;
	if (in.len > 0 && (!rlp_next(&in, &it) || it.list || it.payload.len > 16 || in.len != 0))
		return false;
	report_hashes(r, ETHMSG_ASKED, hashes, n, (struct span){0}, (struct span){0});
	return true;
}

/* ---- blocks ---- */

static bool
block_hashes(struct reader *r, struct span payload)
{
	struct span list, entry;
	struct rlp_item hash;
	if (!whole_list(payload, &list))
		return false;
	r->item.kind = ETHMSG_BLOCK;
	for (struct span in = list; in.len > 0; r->item.count++) {
		uint64_t number;
		if (!next_list(&in, &entry) || !rlp_next(&entry, &hash) || !is_hash(&hash) ||
			!next_u64(&entry, &number) || entry.len != 0)
			return false;
	}
	for (; r->item.index < ETHMSG_HASHES_MAX && next_list(&list, &entry); r->item.index++) {
		if (!rlp_next(&entry, &hash) || !next_u64(&entry, &r->item.number))
			return false;
		r->item.hash = hash.payload.p;
		r->sink(r->ctx, &r->item);
	}
	*r->over += r->item.count > ETHMSG_HASHES_MAX ? r->item.count - ETHMSG_HASHES_MAX : 0;
	return true;
}

static bool
all_canonical(struct span in)
{
	struct rlp_item it;
	while (in.len > 0) {
		if (!rlp_next(&in, &it))
			return false;
	}
	return true;
}

/* [[header, [tx, ...], [uncle, ...], ...], difficulty, ...]: what chains add behind is theirs. */
static bool
new_block(struct reader *r, struct span payload)
{
	struct span in, block, txs, uncles;
	struct rlp_item header;
	uint32_t n;
	if (!whole_list(payload, &in) || !next_list(&in, &block) || !all_canonical(in) ||
		!rlp_next(&block, &header) || !header.list || !next_list(&block, &txs) ||
		!next_list(&block, &uncles) || !all_canonical(block) || !count_txs(txs, &n))
		return false;
	r->item.kind = ETHMSG_BLOCK;
	r->item.count = 1;
	r->item.header = (struct span){header.payload.p - header.header, header.header + header.payload.len};
	r->sink(r->ctx, &r->item);
	report_txs(r, ETHMSG_TX_MINED, txs, n);
	return true;
}

/* One body: [[tx, ...], [uncle, ...], ...]. */
static bool
body_txs(struct span *bodies, struct span *txs, uint32_t *n)
{
	struct span body, uncles;
	return next_list(bodies, &body) && next_list(&body, txs) && next_list(&body, &uncles) &&
	       all_canonical(body) && count_txs(*txs, n);
}

static bool
block_bodies(struct reader *r, struct span payload)
{
	struct span in, bodies, txs;
	uint32_t n;
	if (!whole_list(payload, &in) || !next_u64(&in, &r->item.request) || !next_list(&in, &bodies) ||
		in.len != 0)
		return false;
	for (struct span b = bodies; b.len > 0;) {
		if (!body_txs(&b, &txs, &n))
			return false;
	}
	while (bodies.len > 0) {
		body_txs(&bodies, &txs, &n);
		report_txs(r, ETHMSG_TX_MINED, txs, n);
	}
	return true;
}

/* ---- */

enum ethmsg_status
ethmsg_read(unsigned code, struct span payload, ethmsg_sink sink, void *ctx, uint64_t *over)
{
	static bool (*const readers[])(struct reader *, struct span) = {
		[ETHMSG_NEW_BLOCK_HASHES] = block_hashes,
		[ETHMSG_TRANSACTIONS] = transactions,
		[ETHMSG_BLOCK_BODIES] = block_bodies,
		[ETHMSG_NEW_BLOCK] = new_block,
		[ETHMSG_NEW_POOLED_HASHES] = announced,
		[ETHMSG_GET_POOLED] = asked,
		[ETHMSG_POOLED] = pooled,
	};
	struct reader r = {.sink = sink, .ctx = ctx, .over = over};
	if (code >= sizeof readers / sizeof readers[0] || readers[code] == NULL)
		return ETHMSG_OTHER;
	return readers[code](&r, payload) ? ETHMSG_OK : ETHMSG_MALFORMED;
}

static bool
first_decodes(struct span list)
{
	struct rlp_item it;
	struct span raw;
	struct tx t;
	return rlp_next(&list, &it) && tx_of(&it, &raw) && tx_decode(raw, &t) == 0;
}

static bool
is_block(struct span in)
{
	struct span block, header, txs, uncles;
	struct rlp_item it;
	uint32_t n = 0;
	if (!next_list(&in, &block) || !next_list(&block, &header) || !next_list(&block, &txs) ||
		!next_list(&block, &uncles))
		return false;
	for (; header.len > 0; n++) {
		if (!rlp_next(&header, &it) || (n == 0 && !is_hash(&it)))
			return false;
	}
	return n >= HEADER_FIELDS_MIN;
}

int
ethmsg_guess(struct span payload, bool *sure)
{
	struct span list, types, sizes, hashes, in;
	struct rlp_item hash;
	uint32_t n;
	uint64_t number;
	*sure = false;
	if (!whole_list(payload, &list) || list.len == 0)
		return -1;
	if (first_decodes(list)) {
		*sure = count_txs(list, &n);
		return *sure ? ETHMSG_TRANSACTIONS : -1;
	}
	in = list;
	if (next_u64(&in, &number) && next_list(&in, &hashes) && in.len == 0 && first_decodes(hashes)) {
		*sure = count_txs(hashes, &n);
		return *sure ? ETHMSG_POOLED : -1;
	}
	if (count_hashes(list, &n))
		return ETHMSG_NEW_POOLED_HASHES;
	if (announcement_parts(list, &types, &sizes, &hashes, &n))
		return n > 0 ? ETHMSG_NEW_POOLED_HASHES : -1;
	in = list;
	if (next_list(&in, &types) && rlp_next(&types, &hash) && is_hash(&hash) &&
		next_u64(&types, &number) && types.len == 0)
		return ETHMSG_NEW_BLOCK_HASHES;
	return is_block(list) ? ETHMSG_NEW_BLOCK : -1;
}
