/* SPDX-License-Identifier: BSD-3-Clause */
/* A transaction that decodes: its spans lie in the input and follow each other, its consensus form is part of
 * the input, and its fields built again give those very bytes. One that does not decode has one of the known
 * errors. */
#include "eth/rlp.h"
#include "eth/tx.h"
#include "eth/tx_build.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(x)                 \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

static void
inside(struct span outer, struct span s)
{
	CHECK(s.len == 0 || (s.p >= outer.p && s.p + s.len <= outer.p + outer.len));
}

static void
check_int(struct span outer, struct span s, uint32_t max)
{
	inside(outer, s);
	CHECK(s.len <= max && (s.len == 0 || s.p[0] != 0));
}

static void
check_fields(struct span raw, const struct tx *t)
{
	CHECK(t->type <= TX_7702 && (t->to.len == 0 || t->to.len == 20));
	CHECK(t->to.len == 20 || t->type < TX_4844);
	inside(raw, t->envelope);
	const struct span envelope = t->envelope;
	const struct span ints[] = {
		t->chain_id_be, t->tip_cap, t->fee_cap, t->blob_fee_cap, t->value, t->v, t->r, t->s};
	for (unsigned i = 0; i < sizeof ints / sizeof *ints; i++)
		check_int(envelope, ints[i], 32);
	const struct span spans[] = {
		t->to, t->data, t->access_list, t->blob_hashes, t->auth_list, t->unsigned_payload, t->scan};
	for (unsigned i = 0; i < sizeof spans / sizeof *spans; i++)
		inside(envelope, spans[i]);
	inside(raw, t->commitments);
	inside(t->unsigned_payload, t->scan);
	CHECK(t->scan.p + t->scan.len == t->unsigned_payload.p + t->unsigned_payload.len);
	const struct span scanned[] = {t->to, t->data, t->access_list, t->blob_hashes, t->auth_list};
	for (unsigned i = 0; i < sizeof scanned / sizeof *scanned; i++)
		inside(t->scan, scanned[i]);
	CHECK(t->has_chain_id || t->type == TX_LEGACY);
	CHECK(t->n_blobs * 33 == t->blob_hashes.len);
	CHECK((t->network_version == 0 && t->commitments.len == 0) || t->type == TX_4844);
	CHECK(t->network_version != 0 || t->n_sidecar_blobs + t->n_commitments + t->n_proofs == 0);
}

/* The consensus form stands in the input: all of it, or what a network form wraps. */
static void
check_bytes(struct span raw, const struct tx *t)
{
	uint32_t n = tx_consensus_len(t);
	uint8_t *copy = malloc(n), *built = malloc(n), be[32];
	struct tx again;
	CHECK(copy != NULL && built != NULL);
	tx_consensus_copy(t, copy);
	if (t->network_version == 0)
		CHECK(n == raw.len && memcmp(copy, raw.p, n) == 0);
	const struct tx_fields f = {.type = t->type,
		.chain_id = t->chain_id_be,
		.nonce = t->nonce,
		.gas = t->gas,
		.tip_cap = t->tip_cap,
		.fee_cap = t->fee_cap,
		.to = t->to,
		.value = t->value,
		.data = t->data,
		.access_list = t->access_list,
		.blob_hashes = t->blob_hashes,
		.auth_list = t->auth_list,
		.blob_fee_cap = t->blob_fee_cap,
		.v = t->v,
		.r = t->r,
		.s = t->s};
	bool no_signature = t->r.len == 0 && t->s.len == 0; /* tx_build fills one in */
	if (!no_signature)
		CHECK(tx_build(&f, built, n) == (int)n && memcmp(built, copy, n) == 0);
	CHECK(tx_decode((struct span){copy, n}, &again) == 0 && again.network_version == 0);
	CHECK(again.nonce == t->nonce && again.gas == t->gas && again.chain_id == t->chain_id &&
		again.n_access == t->n_access && again.n_auth == t->n_auth && again.n_blobs == t->n_blobs &&
		again.data.len == t->data.len);
	uint32_t len = tx_chain_id(t, be);
	CHECK(len <= 32 && (len == 0 || be[0] != 0) && (len <= 8 || t->chain_id == UINT64_MAX));
	free(built);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tx t;
	uint8_t hash[32], sighash[32], from[20];
	if (size > TX_NETWORK_BYTES_MAX + 1)
		return 0;
	const struct span raw = {data, (uint32_t)size};
	int rc = tx_decode(raw, &t);
	CHECK(rc <= 0 && rc > -TX_ERR_COUNT);
	CHECK(strcmp(tx_strerror(rc), "unknown error") != 0);
	if (rc != 0)
		return 0;
	check_fields(raw, &t);
	check_bytes(raw, &t);
	tx_hash(&t, hash);
	tx_sighash(&t, sighash);
	const char *rules = tx_rules(&t, 1);
	bool signed_ = tx_signature_check(&t) == 0 && tx_sender(&t, from) == 0;
	const char *why = tx_valid(&t, 1);
	CHECK(rules != NULL ? why == rules : (why == NULL) == signed_);
	return 0;
}
