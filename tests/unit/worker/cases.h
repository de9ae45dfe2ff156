/* SPDX-License-Identifier: BSD-3-Clause */
/* cases: what tests of the correlator tell it: transactions of chosen senders through the worker, and a
 * node's word, proof and blocks as the messages that workers send. */
#ifndef CASES_H
#define CASES_H

#include "rig.h"

#include "abi/counters.h"
#include "detect/protect.h"
#include "eth/tx.h"
#include "eth/tx_build.h"
#include "worker/worker_private.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define need(what) ((what) ? (void)0 : rig_fail(#what))

#define MS 1000000ull
#define HOUR_NS (3600ull * 1000 * MS)

/* Init code whose contract serves Aave's callback and calls its flashLoanSimple. */
#define FLASH_CODE                                                                                        \
	0x61, 0x00, 0x26, 0x80, 0x60, 0x0b, 0x5f, 0x39, 0x5f, 0xf3, 0x00, 0x5f, 0x35, 0x60, 0xe0, 0x1c,   \
		0x80, 0x63, 0x1b, 0x11, 0xd0, 0xff, 0x14, 0x61, 0x00, 0x24, 0x57, 0x63, 0x42, 0xb0, 0xb7, \
		0x7c, 0x60, 0xe0, 0x1b, 0x5f, 0x52, 0x5f, 0x5f, 0x60, 0x04, 0x5f, 0x33, 0x5a, 0xf1, 0x00, \
		0x5b, 0x00

/* A transaction as a test wants it; zeros are defaults. Its bytes live in `raw`. */
struct made {
	uint8_t who; /* of whom: his address is twenty times this; 0: whom the signature recovers */
	uint8_t to;  /* twenty times this; 0: `address`, or a creation */
	const uint8_t *address;
	uint64_t nonce, gas;
	struct span data, auth;
	bool no_chain; /* as before EIP-155 */
	uint32_t n;
	uint8_t raw[8192], hash[32], from[20];
};

static inline void
make(struct made *m)
{
	static const uint8_t chain[] = {1}, price[] = {9}, odd[] = {1}, old[] = {28};
	uint8_t to[20], r[32] = {0x42}, s[32] = {0x21};
	struct tx t;
	memset(to, m->to, 20);
	if (m->address != NULL)
		memcpy(to, m->address, 20);
	bool creation = m->to == 0 && m->address == NULL;
	for (unsigned k = 0;; k++) {
		r[30] = (uint8_t)(k >> 8);
		r[31] = (uint8_t)k;
		struct tx_fields f = {.type = m->no_chain	? 0
					      : m->auth.len > 0 ? 4
								: 2,
			.chain_id = {chain, !m->no_chain},
			.nonce = m->nonce,
			.gas = m->gas ? m->gas : 1000000u + m->who,
			/* who is no part of the bytes */ .tip_cap = {price, 1},
			.fee_cap = {price, 1},
			.to = {to, creation ? 0 : 20},
			.data = m->data,
			.auth_list = m->auth,
			.v = {m->no_chain ? old : odd, 1},
			.r = {r, 32},
			.s = {s, 32}};
		int n = tx_build(&f, m->raw, sizeof m->raw);
		need(n > 0);
		m->n = (uint32_t)n;
		need(tx_decode((struct span){m->raw, m->n}, &t) == 0);
		if (tx_sender(&t, m->from) == 0)
			break;
	}
	if (m->who != 0)
		memset(m->from, m->who, 20);
	tx_hash(&t, m->hash);
}

static inline struct span
bytes_of(const struct made *m)
{
	return (struct span){m->raw, m->n};
}

/* It crosses; the correlator takes it. */
static inline void
cross_as(struct rig *g, const struct made *m, enum carrier carrier, uint32_t trust)
{
	struct claim who = {.has = m->who != 0 ? CLAIM_FROM : 0};
	struct crossing where = {.claim = m->who != 0 ? &who : NULL,
		.carrier = (uint8_t)carrier,
		.direction = DIR_C2S,
		.trust = trust,
		.t_wire_ns = g->now_ns};
	memset(who.from, m->who, 20);
	worker_raw(g->w, bytes_of(m), &where);
	g->now_ns += 1000;
	rig_drain(g);
}

static inline void
cross(struct rig *g, const struct made *m)
{
	cross_as(g, m, CARRIER_HTTP_JSONRPC, TRUST_NOT_ACKED);
}

/* ---- what workers say besides ---- */

static inline void *
message(struct rig *g, unsigned kind, size_t bytes)
{
	uint32_t *m = pipe_reserve(worker_pipe(g->w), (uint32_t)bytes);
	need(m != NULL);
	memset(m, 0, bytes);
	*m = kind;
	return m;
}

static inline void
sent(struct rig *g)
{
	pipe_commit(worker_pipe(g->w));
	g->now_ns += 1000;
	rig_drain(g);
}

static inline void
node(struct rig *g, const struct made *m, bool accepted)
{
	struct fact_node *f = message(g, FACT_NODE, sizeof *f);
	f->accepted = accepted;
	f->t_ns = g->now_ns;
	f->asked = f->fingerprint = seen_fingerprint(g->w->seen, bytes_of(m));
	memcpy(f->hash, m->hash, 32);
	sent(g);
}

static inline void
proof(struct rig *g, const struct made *m, bool of_answer, bool acked, uint32_t trust)
{
	struct fact_evidence *f = message(g, FACT_EVIDENCE, sizeof *f + sizeof f->item[0]);
	f->n = 1;
	f->t_ns = g->now_ns;
	f->item[0] = (struct fact_evidence_item){.fingerprint = seen_fingerprint(g->w->seen, bytes_of(m)),
		.trust = trust,
		.acked = acked,
		.of_answer = of_answer};
	sent(g);
}

/* A node accepts it, and all is proven. */
static inline void
accepted_and_proven(struct rig *g, const struct made *m)
{
	node(g, m, true);
	proof(g, m, false, true, 0);
	proof(g, m, true, true, 0);
}

/* A payload with these transactions upon the block `parent` (0: none), number and hash of `number`. */
static inline void
block(struct rig *g, uint8_t number, uint8_t parent, const struct made *const *txs, unsigned n)
{
	struct fact_block *f = message(g, FACT_BLOCK_OPEN, sizeof *f);
	f->t_ns = g->now_ns;
	f->handle = number;
	sent(g);
	for (unsigned i = 0; i < n; i++) {
		struct fact_tx *x = message(g, FACT_BLOCK_TX, sizeof *x);
		x->t_ns = g->now_ns;
		x->handle = number;
		memcpy(x->hash, txs[i]->hash, 32);
		sent(g);
	}
	f = message(g, FACT_BLOCK_CLOSE, sizeof *f);
	f->t_ns = g->now_ns;
	f->handle = number;
	f->whole = f->has_hash = f->has_parent = f->has_number = true;
	f->number = number;
	memset(f->hash, number, 32);
	memset(f->parent, parent, 32);
	sent(g);
}

/* A forkchoice. */
static inline void
head(struct rig *g, uint8_t number)
{
	struct fact_block *f = message(g, FACT_HEAD, sizeof *f);
	f->t_ns = g->now_ns;
	f->has_hash = true;
	memset(f->hash, number, 32);
	sent(g);
}

/* So much time passes, and something comes that is of no interest. */
static inline void
later(struct rig *g, uint64_t ns)
{
	static uint64_t nonce;
	struct made m = {.to = TO_NOTHING, .nonce = ++nonce};
	g->now_ns += ns;
	make(&m);
	for (unsigned i = 0; i < 4; i++, nonce++) { /* what is old ends a few at a time */
		m.nonce = nonce;
		make(&m);
		cross(g, &m);
	}
}

/* Nothing comes for a while: what waits is told. */
static inline void
idle(struct rig *g, uint64_t ns)
{
	later(g, ns);
	for (unsigned i = 0; i < 64; i++)
		correlator_poll(&g->cor, 1, g->now_ns);
	rig_drain(g);
}

/* ---- the rig ---- */

static inline const struct protect *
guard(uint8_t byte)
{
	static void *mem;
	uint8_t address[1][20];
	memset(address[0], byte, 20);
	if (mem == NULL)
		mem = malloc(protect_bytes());
	need(mem != NULL);
	return protect_init(mem, (const uint8_t(*)[20])address, 1);
}

/* With lives, and one protected contract (0: none). */
static inline void
begin(struct rig *g, uint8_t protected_)
{
	rig_init(g);
	g->with_lives = true;
	g->lives_txs = 4096;
	g->protect = protected_ != 0 ? guard(protected_) : NULL;
	rig_start(g);
}

static inline const struct rig_alert *
last(const struct rig *g)
{
	need(g->alerts > 0);
	return &g->alert[g->alerts - 1];
}

/* Alerts on this transaction; *a: the last of them. */
static inline unsigned
alerts_on(const struct rig *g, const struct made *m, const struct rig_alert **a)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < g->alerts; i++) {
		if (memcmp(g->alert[i].r.hash, m->hash, 32) != 0)
			continue;
		n++;
		if (a != NULL)
			*a = &g->alert[i];
	}
	return n;
}

#endif
