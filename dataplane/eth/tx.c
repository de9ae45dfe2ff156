/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/tx.h"

#include "eth/rlp.h"

#include <string.h>

#define BLOB_BYTES 131072u
#define KZG_BYTES 48u

/* Fields come one after the other from `in`; the first error stays and everything after it reads as empty. */
struct fields {
	struct span in;
	int err;
};

static inline struct rlp_item
field(struct fields *f)
{
	struct rlp_item it = {{f->in.p, 0}, 0, false};
	if (f->err == 0 && !rlp_next(&f->in, &it))
		f->err = f->in.len == 0 ? TX_ERR_FIELDS : TX_ERR_RLP;
	return it;
}

static inline struct span
field_int(struct fields *f, uint32_t max)
{
	struct rlp_item it = field(f);
	if (f->err != 0)
		return it.payload;
	if (it.list)
		f->err = TX_ERR_RLP;
	else if (it.payload.len > max)
		f->err = TX_ERR_FIELD_SIZE;
	else if (it.payload.len > 0 && it.payload.p[0] == 0)
		f->err = TX_ERR_LEADING_ZERO;
	return it.payload;
}

static inline uint64_t
be64(struct span s)
{
	uint64_t v = 0;
	for (uint32_t i = 0; i < s.len; i++)
		v = v << 8 | s.p[i];
	return v;
}

static inline uint64_t
field_u64(struct fields *f)
{
	struct span s = field_int(f, 8);
	return f->err == 0 ? be64(s) : 0;
}

static inline struct span
field_string(struct fields *f)
{
	struct rlp_item it = field(f);
	if (f->err == 0 && it.list)
		f->err = TX_ERR_RLP;
	return it.payload;
}

static inline struct span
field_list(struct fields *f)
{
	struct rlp_item it = field(f);
	if (f->err == 0 && !it.list)
		f->err = TX_ERR_RLP;
	return it.payload;
}

/* The recipient opens the bytes that rules look into: at its first byte, or at its header if there is none. */
static void
field_to(struct fields *f, struct tx *t, bool may_create)
{
	const uint8_t *start = f->in.p;
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
static void
field_access_list(struct fields *f, struct tx *t)
{
	struct span list = t->access_list = field_list(f);
	while (f->err == 0 && list.len > 0) {
		struct rlp_item entry, address, keys, key;
		bool ok = rlp_next(&list, &entry) && entry.list && rlp_next(&entry.payload, &address) &&
			  is_string_of(&address, 20) && rlp_next(&entry.payload, &keys) && keys.list && entry.payload.len == 0;
		while (ok && keys.payload.len > 0)
			ok = rlp_next(&keys.payload, &key) && is_string_of(&key, 32);
		if (!ok)
			f->err = TX_ERR_ACCESS_LIST;
		t->n_access++;
	}
}

static void
field_blob_hashes(struct fields *f, struct tx *t)
{
	struct span list = t->blob_hashes = field_list(f);
	while (f->err == 0 && list.len > 0) {
		struct rlp_item hash;
		if (!rlp_next(&list, &hash) || !is_string_of(&hash, 32))
			f->err = TX_ERR_BLOB_HASHES;
		t->n_blobs++;
	}
}

/* [[chain_id, address, nonce, y_parity, r, s], ...] */
static bool
auth_ok(struct rlp_item *entry)
{
	struct fields a = {entry->payload, entry->list ? 0 : TX_ERR_RLP};
	field_int(&a, 32);
	if (field_string(&a).len != 20)
		return false;
	field_u64(&a);
	field_int(&a, 1);
	field_int(&a, 32);
	field_int(&a, 32);
	return a.err == 0 && a.in.len == 0;
}

static void
field_auth_list(struct fields *f, struct tx *t)
{
	struct span list = t->auth_list = field_list(f);
	while (f->err == 0 && list.len > 0) {
		struct rlp_item entry;
		if (!rlp_next(&list, &entry) || !auth_ok(&entry))
			f->err = TX_ERR_AUTH_LIST;
		t->n_auth++;
	}
}

static void
field_signature(struct fields *f, struct tx *t)
{
	t->v = field_int(f, 32);
	t->r = field_int(f, 32);
	t->s = field_int(f, 32);
	if (f->err == 0 && f->in.len > 0)
		f->err = TX_ERR_FIELDS;
}

static int
decode_legacy(struct span payload, struct tx *t)
{
	struct fields f = {payload, 0};
	t->nonce = field_u64(&f);
	t->fee_cap = t->tip_cap = field_int(&f, 32);
	t->gas = field_u64(&f);
	field_to(&f, t, true);
	t->value = field_int(&f, 32);
	t->data = field_string(&f);
	t->unsigned_payload = (struct span){payload.p, (uint32_t)(f.in.p - payload.p)};
	t->scan.len = (uint32_t)(t->data.p + t->data.len - t->scan.p);
	field_signature(&f, t);
	if (f.err != 0)
		return f.err;
	if (t->v.len > 8) {
		t->has_chain_id = true;
		t->chain_id = UINT64_MAX;
	} else if (be64(t->v) >= 35) {
		t->has_chain_id = true;
		t->chain_id = (be64(t->v) - 35) / 2;
	}
	return 0;
}

static int
decode_typed(struct span payload, struct tx *t)
{
	struct fields f = {payload, 0};
	t->chain_id_be = field_int(&f, 32);
	t->nonce = field_u64(&f);
	t->tip_cap = t->fee_cap = field_int(&f, 32);
	if (t->type != TX_2930)
		t->fee_cap = field_int(&f, 32);
	t->gas = field_u64(&f);
	field_to(&f, t, t->type == TX_2930 || t->type == TX_1559);
	t->value = field_int(&f, 32);
	t->data = field_string(&f);
	field_access_list(&f, t);
	if (t->type == TX_4844) {
		t->blob_fee_cap = field_int(&f, 32);
		field_blob_hashes(&f, t);
	} else if (t->type == TX_7702) {
		field_auth_list(&f, t);
	}
	t->unsigned_payload = (struct span){payload.p, (uint32_t)(f.in.p - payload.p)};
	t->scan.len = (uint32_t)(f.in.p - t->scan.p);
	field_signature(&f, t);
	t->has_chain_id = true;
	t->y_parity_only = true;
	t->chain_id = t->chain_id_be.len <= 8 ? be64(t->chain_id_be) : UINT64_MAX;
	return f.err;
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

/* What follows the transaction in the network form: [version 1,] blobs, commitments, proofs. */
static bool
sidecar_ok(struct span in, struct tx *t)
{
	struct rlp_item it;
	uint32_t commitments, proofs;
	t->network_version = 1;
	if (!rlp_next(&in, &it))
		return false;
	if (!it.list) {
		if (it.payload.len != 1 || it.payload.p[0] != 1 || !rlp_next(&in, &it))
			return false;
		t->network_version = 2;
	}
	if (!it.list || !strings_of(it.payload, BLOB_BYTES, &t->n_sidecar_blobs))
		return false;
	if (!rlp_next(&in, &it) || !it.list || !strings_of(it.payload, KZG_BYTES, &commitments))
		return false;
	return rlp_next(&in, &it) && it.list && strings_of(it.payload, KZG_BYTES, &proofs) && in.len == 0;
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

const char *
tx_strerror(int err)
{
	static const char *const text[TX_ERR_COUNT] = {
		[TX_OK] = "no error",
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
