/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/txfields.h"

#include "eth/keccak.h"
#include "eth/rlp.h"
#include "eth/tx_build.h"

#include <string.h>

const char *
txfields_name(enum txfields_state s)
{
	static const char *const names[] = {
#define _(id, text) text,
		TXFIELDS_STATES(_)
#undef _
	};
	return names[s];
}

static bool
has(const struct answer_tx *t, enum answer_member m)
{
	return (t->has & TXM_BIT(m)) != 0;
}

static struct span
stripped(struct span s)
{
	while (s.len > 0 && s.p[0] == 0) {
		s.p++;
		s.len--;
	}
	return s;
}

/* A quantity of at most `max` bytes. */
static bool
quantity(const struct answer_tx *t, enum answer_member m, uint32_t max, struct span *out)
{
	*out = stripped(answer_tx_member(t, m));
	return out->len <= max;
}

static bool
u64(const struct answer_tx *t, enum answer_member m, uint64_t *out)
{
	struct span s;
	if (!has(t, m) || !quantity(t, m, 8, &s))
		return false;
	*out = 0;
	for (uint32_t i = 0; i < s.len; i++)
		*out = *out << 8 | s.p[i];
	return true;
}

static unsigned
type_of(const struct answer_tx *t)
{
	uint64_t type;
	if (u64(t, TXM_TYPE, &type))
		return type > TX_7702 ? TX_7702 + 1 : (unsigned)type;
	if (has(t, TXM_TYPE))
		return TX_7702 + 1;
	return has(t, TXM_AUTH)				       ? TX_7702
	       : has(t, TXM_BLOBS) || has(t, TXM_BLOB_FEE_CAP) ? TX_4844
	       : has(t, TXM_FEE_CAP)			       ? TX_1559
	       : has(t, TXM_ACCESS)			       ? TX_2930
							       : TX_LEGACY;
}

/* ---- lists ---- */

static struct span
access_payload(struct span in, struct rlp_out *room)
{
	struct rlp_out o = {room->p + room->n, 0, room->cap - room->n, false};
	while (in.len >= ANSWER_ENTRY && !o.full) {
		uint32_t keys;
		memcpy(&keys, in.p + 20, 4);
		if (keys > (in.len - ANSWER_ENTRY) / 32)
			break;
		size_t entry = rlp_list_begin(&o);
		rlp_put_string(&o, (struct span){in.p, 20});
		in.p += ANSWER_ENTRY;
		in.len -= ANSWER_ENTRY;
		size_t list = rlp_list_begin(&o);
		for (; keys > 0; keys--, in.p += 32, in.len -= 32)
			rlp_put_string(&o, (struct span){in.p, 32});
		rlp_list_end(&o, list);
		rlp_list_end(&o, entry);
	}
	room->full |= o.full || in.len > 0;
	room->n += o.n;
	return (struct span){o.p, (uint32_t)o.n};
}

static struct span
auth_payload(struct span in, struct rlp_out *room)
{
	struct rlp_out o = {room->p + room->n, 0, room->cap - room->n, false};
	for (; in.len >= ANSWER_AUTH && !o.full; in.p += ANSWER_AUTH, in.len -= ANSWER_AUTH) {
		size_t tuple = rlp_list_begin(&o);
		for (unsigned i = 0; i < ANSWER_SLOTS; i++) {
			const uint8_t *slot = in.p + i * ANSWER_SLOT;
			struct span s = {slot + 1, slot[0] < ANSWER_SLOT ? slot[0] : ANSWER_SLOT - 1};
			if (i == SLOT_ADDRESS)
				rlp_put_string(&o, s);
			else
				rlp_put_int(&o, s);
		}
		rlp_list_end(&o, tuple);
	}
	room->full |= o.full || in.len > 0;
	room->n += o.n;
	return (struct span){o.p, (uint32_t)o.n};
}

static struct span
blobs_payload(struct span in, struct rlp_out *room)
{
	struct rlp_out o = {room->p + room->n, 0, room->cap - room->n, false};
	for (; in.len >= 32 && !o.full; in.p += 32, in.len -= 32)
		rlp_put_string(&o, (struct span){in.p, 32});
	room->full |= o.full || in.len > 0;
	room->n += o.n;
	return (struct span){o.p, (uint32_t)o.n};
}

static bool
take_lists(const struct answer_tx *t, struct tx_fields *f, uint8_t *out)
{
	struct rlp_out room = {out + TXFIELDS_ROOM / 2, 0, TXFIELDS_ROOM / 2, false};
	if (f->type != TX_LEGACY)
		f->access_list = access_payload(answer_tx_member(t, TXM_ACCESS), &room);
	if (f->type == TX_4844)
		f->blob_hashes = blobs_payload(answer_tx_member(t, TXM_BLOBS), &room);
	if (f->type == TX_7702)
		f->auth_list = auth_payload(answer_tx_member(t, TXM_AUTH), &room);
	return !room.full;
}

/* ---- members ---- */

static bool
take_fees(const struct answer_tx *t, struct tx_fields *f)
{
	bool dynamic = f->type >= TX_1559;
	enum answer_member price = dynamic ? TXM_FEE_CAP : TXM_GAS_PRICE;
	if (!has(t, price) || (dynamic && !has(t, TXM_TIP_CAP)) ||
		(f->type == TX_4844 && !has(t, TXM_BLOB_FEE_CAP)))
		return false;
	return quantity(t, price, 32, &f->fee_cap) && quantity(t, TXM_TIP_CAP, 32, &f->tip_cap) &&
	       quantity(t, TXM_BLOB_FEE_CAP, 32, &f->blob_fee_cap);
}

static bool
take_members(const struct answer_tx *t, struct tx_fields *f)
{
	f->to = answer_tx_member(t, TXM_TO);
	f->data = answer_tx_member(t, has(t, TXM_INPUT) ? TXM_INPUT : TXM_DATA);
	if (f->type != TX_LEGACY && !has(t, TXM_CHAIN_ID))
		return false;
	return (f->to.len == 0 || f->to.len == 20) && u64(t, TXM_NONCE, &f->nonce) &&
	       u64(t, TXM_GAS, &f->gas) && has(t, TXM_VALUE) && quantity(t, TXM_VALUE, 32, &f->value) &&
	       quantity(t, TXM_CHAIN_ID, 32, &f->chain_id) && take_fees(t, f);
}

/* Typed transactions carry a parity, which some nodes give as v alone. */
static bool
take_signature(const struct answer_tx *t, struct tx_fields *f)
{
	enum answer_member v = f->type != TX_LEGACY && has(t, TXM_Y_PARITY) ? TXM_Y_PARITY : TXM_V;
	return quantity(t, v, 32, &f->v) && quantity(t, TXM_R, 32, &f->r) && quantity(t, TXM_S, 32, &f->s);
}

static bool
built_has_hash(const struct answer_tx *t, const uint8_t *bytes, uint32_t len)
{
	uint8_t hash[32];
	struct span said = t->m[TXM_HASH], part = {bytes, len};
	keccak256(&part, 1, hash);
	return memcmp(hash, said.p, 32) == 0;
}

/* v = chain id * 2 + 35 + parity into out, as 40 bytes big-endian. false: it does not fit. */
static bool
v_of_parity(struct span chain, unsigned parity, uint8_t out[40])
{
	unsigned carry = 35 + parity;
	memset(out, 0, 40);
	if (chain.len > 32)
		return false;
	for (uint32_t i = 0; i < 40; i++) {
		if (i < chain.len)
			carry += chain.p[chain.len - 1 - i] * 2u;
		out[39 - i] = (uint8_t)carry;
		carry >>= 8;
	}
	return true;
}

/* Nodes other than geth give a legacy transaction's v as its parity, or hide the chain in 27 and 28. */
static int
build_again(const struct answer_tx *t, struct tx_fields *f, uint8_t *out)
{
	uint8_t v[40];
	unsigned given = f->v.len == 0 ? 0 : f->v.len == 1 ? f->v.p[0] : 255;
	unsigned parity = given >= 27 ? given - 27 : given;
	if (f->type != TX_LEGACY || parity > 1)
		return -1;
	if (has(t, TXM_CHAIN_ID) && f->chain_id.len > 0) {
		if (!v_of_parity(f->chain_id, parity, v))
			return -1;
		f->v = stripped((struct span){v, sizeof v});
	} else if (given <= 1) {
		v[0] = (uint8_t)(27 + parity);
		f->v = (struct span){v, 1};
	} else {
		return -1;
	}
	return tx_build(f, out, TXFIELDS_ROOM / 2);
}

enum txfields_state
txfields_build(const struct answer_tx *t, uint8_t *out, uint32_t *len)
{
	struct tx_fields f = {0};
	unsigned type = type_of(t);
	*len = 0;
	if (t->state != 0)
		return t->state == 2 ? TXFIELDS_OVERSIZE : t->state == 1 ? TXFIELDS_FIELD : TXFIELDS_LOST;
	if (type > TX_7702)
		return TXFIELDS_TYPE;
	f.type = (uint8_t)type;
	if (!take_signature(t, &f))
		return TXFIELDS_FIELD;
	if (f.r.len == 0 && f.s.len == 0)
		return TXFIELDS_UNSIGNED;
	if (!take_members(t, &f) || (has(t, TXM_HASH) && t->m[TXM_HASH].len != 32))
		return TXFIELDS_FIELD;
	if (!take_lists(t, &f, out))
		return TXFIELDS_OVERSIZE;
	int n = tx_build(&f, out, TXFIELDS_ROOM / 2);
	if (n <= 0)
		return TXFIELDS_OVERSIZE;
	if (!has(t, TXM_HASH)) {
		*len = (uint32_t)n;
		return TXFIELDS_UNVERIFIED;
	}
	if (!built_has_hash(t, out, (uint32_t)n)) {
		n = build_again(t, &f, out);
		if (n <= 0 || !built_has_hash(t, out, (uint32_t)n))
			return TXFIELDS_MISMATCH;
	}
	*len = (uint32_t)n;
	return TXFIELDS_OK;
}
