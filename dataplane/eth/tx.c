/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/tx.h"

#include "eth/rlp.h"

#include <string.h>

#define BLOB_BYTES 131072u
#define KZG_BYTES 48u

/* Fields come one after the other from p; the first error stays and everything after it reads as empty. All
 * of it is inlined into two callers, so that p and err live in registers. */
struct fields {
	const uint8_t *p, *end;
	int err;
};

#define INLINE static inline __attribute__((always_inline))

INLINE struct rlp_item
field(struct fields *f)
{
	struct rlp_item it = {{f->p, 0}, 0, false};
	struct span in = {f->p, (uint32_t)(f->end - f->p)};
	if (__builtin_expect(f->err != 0, 0))
		return it;
	if (__builtin_expect(rlp_next(&in, &it), 1))
		f->p = in.p;
	else
		f->err = in.len == 0 ? TX_ERR_FIELDS : TX_ERR_RLP;
	return it;
}

INLINE struct span
field_int(struct fields *f, uint32_t max)
{
	struct rlp_item it = field(f);
	if (__builtin_expect(f->err != 0, 0))
		return it.payload;
	if (it.list)
		f->err = TX_ERR_RLP;
	else if (it.payload.len > max)
		f->err = TX_ERR_FIELD_SIZE;
	else if (it.payload.len > 0 && it.payload.p[0] == 0)
		f->err = TX_ERR_LEADING_ZERO;
	return it.payload;
}

/* s.len <= 8. Fields follow most integers, so that eight bytes can be read at once and the rest shifted out.
 */
INLINE uint64_t
be64(struct span s, const uint8_t *end)
{
	uint64_t v = 0;
	if (s.len > 0 && end - s.p >= 8) {
		memcpy(&v, s.p, 8);
		return __builtin_bswap64(v) >> (64 - 8 * s.len);
	}
	for (uint32_t i = 0; i < s.len; i++)
		v = v << 8 | s.p[i];
	return v;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "be64 swaps");

INLINE uint64_t
field_u64(struct fields *f)
{
	struct span s = field_int(f, 8);
	return f->err == 0 ? be64(s, f->end) : 0;
}

INLINE struct span
field_string(struct fields *f)
{
	struct rlp_item it = field(f);
	if (f->err == 0 && it.list)
		f->err = TX_ERR_RLP;
	return it.payload;
}

INLINE struct span
field_list(struct fields *f)
{
	struct rlp_item it = field(f);
	if (f->err == 0 && !it.list)
		f->err = TX_ERR_RLP;
	return it.payload;
}

/* The recipient opens the bytes that rules look into: at its first byte, or at its header if there is none.
 */
INLINE void
field_to(struct fields *f, struct tx *t, bool may_create)
{
	const uint8_t *start = f->p;
	struct rlp_item it = field(f);
	if (f->err == 0 && (it.list || (it.payload.len != 20 && (it.payload.len != 0 || !may_create))))
		f->err = TX_ERR_TO;
	t->to = it.payload;
	t->scan.p = it.payload.len ? it.payload.p : start;
}

static bool
is_string_of(const struct rlp_item *it, uint32_t len)
{
	return !it->list && it->payload.len == len;
}

/* [[address, [key, ...]], ...] */
static bool
access_list_ok(struct span list, uint32_t *n)
{
	for (; list.len > 0; (*n)++) {
		struct rlp_item entry, address, keys, key;
		if (!rlp_next(&list, &entry) || !entry.list || !rlp_next(&entry.payload, &address) ||
			!is_string_of(&address, 20) || !rlp_next(&entry.payload, &keys) || !keys.list ||
			entry.payload.len != 0)
			return false;
		while (keys.payload.len > 0)
			if (!rlp_next(&keys.payload, &key) || !is_string_of(&key, 32))
				return false;
	}
	return true;
}

static bool
strings_of(struct span list, uint32_t each, uint32_t *n)
{
	struct rlp_item it;
	for (*n = 0; list.len > 0; (*n)++)
		if (!rlp_next(&list, &it) || !is_string_of(&it, each))
			return false;
	return true;
}

/* [[chain_id, address, nonce, y_parity, r, s], ...] */
static bool
auth_list_ok(struct span list, uint32_t *n)
{
	for (; list.len > 0; (*n)++) {
		struct rlp_item entry;
		if (!rlp_next(&list, &entry) || !entry.list)
			return false;
		struct fields a = {entry.payload.p, entry.payload.p + entry.payload.len, 0};
		field_int(&a, 32);
		struct span address = field_string(&a);
		field_u64(&a);
		field_int(&a, 1);
		field_int(&a, 32);
		field_int(&a, 32);
		if (a.err != 0 || address.len != 20 || a.p != a.end)
			return false;
	}
	return true;
}

INLINE void
field_signature(struct fields *f, struct tx *t)
{
	t->v = field_int(f, 32);
	t->r = field_int(f, 32);
	t->s = field_int(f, 32);
	if (f->err == 0 && f->p != f->end)
		f->err = TX_ERR_FIELDS;
}

/* EIP-155: v = 35 or 36 + 2 * chain id. 27 and 28 name no chain, and less means nothing. */
static void
chain_of_legacy(struct tx *t)
{
	if (t->v.len <= 8) {
		uint64_t v = be64(t->v, t->v.p + t->v.len);
		t->has_chain_id = v >= 35;
		t->chain_id = v >= 35 ? (v - 35) / 2 : 0;
		return;
	}
	uint8_t be[32];
	t->has_chain_id = true;
	uint32_t len = tx_chain_id(t, be);
	t->chain_id = len <= 8 ? be64((struct span){be, len}, be + sizeof be) : UINT64_MAX;
}

static int
decode_legacy(struct span payload, struct tx *t)
{
	struct fields f = {payload.p, payload.p + payload.len, 0};
	t->nonce = field_u64(&f);
	t->fee_cap = t->tip_cap = field_int(&f, 32);
	t->gas = field_u64(&f);
	field_to(&f, t, true);
	t->value = field_int(&f, 32);
	t->data = field_string(&f);
	t->unsigned_payload = (struct span){payload.p, (uint32_t)(f.p - payload.p)};
	t->scan.len = (uint32_t)(f.p - t->scan.p);
	field_signature(&f, t);
	if (f.err == 0)
		chain_of_legacy(t);
	return f.err;
}

INLINE void
field_lists(struct fields *f, struct tx *t)
{
	t->access_list = field_list(f);
	if (f->err == 0 && t->access_list.len > 0 && !access_list_ok(t->access_list, &t->n_access))
		f->err = TX_ERR_ACCESS_LIST;
	if (t->type == TX_4844) {
		t->blob_fee_cap = field_int(f, 32);
		t->blob_hashes = field_list(f);
		if (f->err == 0 && !strings_of(t->blob_hashes, 32, &t->n_blobs))
			f->err = TX_ERR_BLOB_HASHES;
	} else if (t->type == TX_7702) {
		t->auth_list = field_list(f);
		if (f->err == 0 && !auth_list_ok(t->auth_list, &t->n_auth))
			f->err = TX_ERR_AUTH_LIST;
	}
}

static int
decode_typed(struct span payload, struct tx *t)
{
	struct fields f = {payload.p, payload.p + payload.len, 0};
	t->chain_id_be = field_int(&f, 32);
	t->nonce = field_u64(&f);
	struct span price = field_int(&f, 32);
	t->tip_cap = price;
	t->fee_cap = t->type == TX_2930 ? price : field_int(&f, 32);
	t->gas = field_u64(&f);
	field_to(&f, t, t->type == TX_2930 || t->type == TX_1559);
	t->value = field_int(&f, 32);
	t->data = field_string(&f);
	field_lists(&f, t);
	t->unsigned_payload = (struct span){payload.p, (uint32_t)(f.p - payload.p)};
	t->scan.len = (uint32_t)(f.p - t->scan.p);
	field_signature(&f, t);
	t->has_chain_id = true;
	t->y_parity_only = true;
	t->chain_id = t->chain_id_be.len <= 8 ? be64(t->chain_id_be, f.end) : UINT64_MAX;
	return f.err;
}

/* What follows the transaction in the network form: [version 1,] blobs, commitments, proofs. */
static bool
sidecar_ok(struct span in, struct tx *t)
{
	struct rlp_item first, blobs, proofs, commitments;
	if (!rlp_next(&in, &first))
		return false;
	blobs = first;
	t->network_version = 1;
	if (!first.list) {
		if (first.payload.len != 1 || first.payload.p[0] != 1 || !rlp_next(&in, &blobs))
			return false;
		t->network_version = 2;
	}
	if (!rlp_next(&in, &commitments) || !rlp_next(&in, &proofs) || in.len != 0)
		return false;
	t->commitments = commitments.payload;
	return blobs.list && commitments.list && proofs.list &&
	       strings_of(blobs.payload, BLOB_BYTES, &t->n_sidecar_blobs) &&
	       strings_of(commitments.payload, KZG_BYTES, &t->n_commitments) &&
	       strings_of(proofs.payload, KZG_BYTES, &t->n_proofs);
}

static int
decode_list(struct span in, struct tx *t)
{
	struct span all = in;
	struct rlp_item list, inner;
	if (!rlp_next(&in, &list) || !list.list)
		return TX_ERR_RLP;
	if (in.len > 0)
		return TX_ERR_TRAILING;
	t->envelope = all;
	if (t->type == TX_LEGACY)
		return decode_legacy(list.payload, t);
	if (t->type == TX_4844 && list.payload.len > 0 && list.payload.p[0] >= 0xc0) {
		struct span rest = list.payload;
		if (!rlp_next(&rest, &inner))
			return TX_ERR_RLP;
		t->envelope = (struct span){list.payload.p, inner.header + inner.payload.len};
		if (!sidecar_ok(rest, t))
			return TX_ERR_SIDECAR;
		list = inner;
	}
	return decode_typed(list.payload, t);
}

int
tx_decode(struct span raw, struct tx *t)
{
	memset(t, 0, sizeof *t);
	if (raw.len == 0)
		return -TX_ERR_EMPTY;
	if (raw.len > TX_NETWORK_BYTES_MAX)
		return -TX_ERR_OVERSIZE;
	if (raw.p[0] >= 0xc0)
		return -decode_list(raw, t);
	if (raw.p[0] < TX_2930 || raw.p[0] > TX_7702)
		return -TX_ERR_TYPE;
	t->type = raw.p[0];
	return -decode_list((struct span){raw.p + 1, raw.len - 1}, t);
}

/* The transaction in an RLP string, as peers write one of a type in a list. */
static struct span
out_of_string(struct span raw)
{
	struct span rest = raw;
	struct rlp_item string;
	bool is_one = raw.len > 0 && raw.p[0] >= 0x80 && raw.p[0] < 0xc0 && rlp_next(&rest, &string);
	return is_one && string.payload.len > 0 && string.payload.p[0] < 0x80 ? string.payload : raw;
}

struct span
tx_within(struct span raw)
{
	raw = out_of_string(raw);
	uint32_t type = raw.len > 0 && raw.p[0] < 0xc0;
	struct span rest = {raw.p + type, raw.len - type};
	struct rlp_item list;
	if (raw.len == 0 || !rlp_next(&rest, &list) || !list.list)
		return raw;
	return (struct span){raw.p, raw.len - rest.len};
}

const char *
tx_strerror(int err)
{
	static const char *const text[TX_ERR_COUNT] = {[TX_OK] = "no error",
#define _(id, what) [TX_ERR_##id] = what,
		TX_ERRORS(_)
#undef _
	};
	unsigned e = (unsigned)(err < 0 ? -err : err);
	return e < TX_ERR_COUNT ? text[e] : "unknown error";
}

uint32_t
tx_consensus_len(const struct tx *t)
{
	return t->envelope.len + (t->type != TX_LEGACY);
}

void
tx_consensus_copy(const struct tx *t, uint8_t *out)
{
	if (t->type != TX_LEGACY)
		*out++ = t->type;
	memcpy(out, t->envelope.p, t->envelope.len);
}
