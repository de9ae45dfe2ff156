/* SPDX-License-Identifier: BSD-3-Clause */
/* First byte odd: the rest is a transaction; taken apart into members as a node would give them it is put
 * together to the same bytes, and with one member changed it is not OK. Even: the rest are members of any
 * kind; whatever is built lies in its room, and is OK only with the hash that was said. */
#include "eth/keccak.h"
#include "eth/rlp.h"
#include "eth/txfields.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int ok)
{
	if (!ok)
		abort();
}

static uint8_t memory[1 << 20];
static size_t used;

static void
set(struct answer_tx *t, enum answer_member m, struct span s)
{
	t->m[m] = s;
	t->has |= TXM_BIT(m);
}

static uint8_t *
take(size_t n)
{
	uint8_t *p = memory + used;
	require(used + n <= sizeof memory);
	memset(p, 0, n);
	used += n;
	return p;
}

static void
set_u64(struct answer_tx *t, enum answer_member m, uint64_t v)
{
	uint8_t *p = take(8);
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
	set(t, m, (struct span){p, 8});
}

static struct rlp_item
item(struct span *in)
{
	struct rlp_item it;
	require(rlp_next(in, &it));
	return it;
}

static void
set_access(struct answer_tx *t, struct span list)
{
	uint8_t *from = memory + used;
	while (list.len > 0) {
		struct span entry = item(&list).payload;
		uint8_t *head = take(ANSWER_ENTRY);
		memcpy(head, item(&entry).payload.p, 20);
		struct span keys = item(&entry).payload;
		uint32_t n = 0;
		for (; keys.len > 0; n++)
			memcpy(take(32), item(&keys).payload.p, 32);
		memcpy(head + 20, &n, 4);
	}
	set(t, TXM_ACCESS, (struct span){from, (uint32_t)(memory + used - from)});
}

static void
set_auths(struct answer_tx *t, struct span list)
{
	uint8_t *from = memory + used;
	while (list.len > 0) {
		struct span tuple = item(&list).payload;
		uint8_t *slots = take(ANSWER_AUTH);
		for (unsigned i = 0; i < ANSWER_SLOTS; i++) {
			struct span s = item(&tuple).payload;
			require(s.len <= 32);
			slots[i * ANSWER_SLOT] = (uint8_t)s.len;
			memcpy(slots + i * ANSWER_SLOT + 1, s.p, s.len);
		}
	}
	set(t, TXM_AUTH, (struct span){from, (uint32_t)(memory + used - from)});
}

static void
set_blobs(struct answer_tx *t, struct span list)
{
	uint8_t *from = memory + used;
	while (list.len > 0)
		memcpy(take(32), item(&list).payload.p, 32);
	set(t, TXM_BLOBS, (struct span){from, (uint32_t)(memory + used - from)});
}

static void
take_apart(const struct tx *x, struct answer_tx *t, uint8_t hash[32])
{
	set(t, TXM_HASH, (struct span){hash, 32});
	set_u64(t, TXM_TYPE, x->type);
	set_u64(t, TXM_NONCE, x->nonce);
	set_u64(t, TXM_GAS, x->gas);
	set(t, TXM_VALUE, x->value);
	set(t, TXM_INPUT, x->data);
	if (x->to.len > 0)
		set(t, TXM_TO, x->to);
	if (x->type != TX_LEGACY)
		set(t, TXM_CHAIN_ID, x->chain_id_be);
	set(t, x->type >= TX_1559 ? TXM_FEE_CAP : TXM_GAS_PRICE, x->fee_cap);
	if (x->type >= TX_1559)
		set(t, TXM_TIP_CAP, x->tip_cap);
	if (x->type != TX_LEGACY)
		set_access(t, x->access_list);
	if (x->type == TX_4844) {
		set(t, TXM_BLOB_FEE_CAP, x->blob_fee_cap);
		set_blobs(t, x->blob_hashes);
	}
	if (x->type == TX_7702)
		set_auths(t, x->auth_list);
	set(t, x->type != TX_LEGACY ? TXM_Y_PARITY : TXM_V, x->v);
	set(t, TXM_R, x->r);
	set(t, TXM_S, x->s);
}

static void
round_trip(const uint8_t *data, size_t size)
{
	struct tx x;
	struct answer_tx t = {0};
	uint8_t hash[32], *out = malloc(TXFIELDS_ROOM);
	uint32_t len;
	if (size > TX_BYTES_MAX - 64 || tx_decode((struct span){data, (uint32_t)size}, &x) != 0) {
		free(out);
		return;
	}
	tx_hash(&x, hash);
	take_apart(&x, &t, hash);
	enum txfields_state s = txfields_build(&t, out, &len);
	if (x.r.len == 0 && x.s.len == 0) {
		require(s == TXFIELDS_UNSIGNED && len == 0);
	} else {
		uint8_t *raw = malloc(size);
		tx_consensus_copy(&x, raw);
		require(s == TXFIELDS_OK && len == tx_consensus_len(&x) && memcmp(out, raw, len) == 0);
		free(raw);
		hash[size % 32] ^= 1;
		require(txfields_build(&t, out, &len) == TXFIELDS_MISMATCH && len == 0);
		t.has &= ~TXM_BIT(TXM_HASH);
		require(txfields_build(&t, out, &len) == TXFIELDS_UNVERIFIED && len == tx_consensus_len(&x));
	}
	free(out);
}

/* A byte of which member, two of its length, the member. Lists are of any length, as no scanner would make
 * them. */
static void
any_members(const uint8_t *data, size_t size)
{
	struct answer_tx t = {0};
	uint8_t *out = malloc(TXFIELDS_ROOM), *copy = malloc(size + 1), hash[32];
	uint32_t len = 1;
	memcpy(copy, data, size);
	for (size_t i = 0; i + 3 <= size;) {
		size_t n = (size_t)copy[i + 1] << 8 | copy[i + 2];
		unsigned m = copy[i] % TXM_COUNT;
		i += 3;
		n = n > size - i ? size - i : n;
		set(&t, m, (struct span){copy + i, (uint32_t)n});
		i += n;
	}
	enum txfields_state s = txfields_build(&t, out, &len);
	require(s < TXFIELDS_STATE_COUNT && txfields_name(s) != NULL);
	require((len > 0) == (s == TXFIELDS_OK || s == TXFIELDS_UNVERIFIED) && len <= TX_BYTES_MAX);
	if (s == TXFIELDS_OK) {
		struct span part = {out, len};
		keccak256(&part, 1, hash);
		require(memcmp(hash, t.m[TXM_HASH].p, 32) == 0);
	}
	free(out);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	used = 0;
	if (size < 1 || size > 1u << 17)
		return 0;
	if (data[0] & 1)
		round_trip(data + 1, size - 1);
	else
		any_members(data + 1, size - 1);
	return 0;
}
