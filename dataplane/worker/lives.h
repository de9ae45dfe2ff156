/* SPDX-License-Identifier: BSD-3-Clause */
/* lives: the correlator's side of facts.h: hashes, senders, and what detect/life.h makes of them; and the last bundles, element by element.
 * Used by the correlator's lcore alone. */
#ifndef WORKER_LIVES_H
#define WORKER_LIVES_H

#include "abi/alert.h"
#include "abi/stats.h"
#include "detect/life.h"
#include "worker/facts.h"
#include "worker/protocols.h"
#include "worker/sighting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIVES_BUNDLES 64u
#define LIVES_BUNDLE_TXS 128u /* elements of a bundle that are known by their place */

struct lives_bundle {
	uint64_t handle; /* 0: none */
	uint32_t len;
	bool has[LIVES_BUNDLE_TXS];
	uint8_t hash[LIVES_BUNDLE_TXS][32];
};

struct lives {
	struct life *life;
	uint64_t *ctr;
	bool senders; /* recover them, 50 us each, to know replacements by */
	uint64_t now_ns;
	uint32_t bundle_turn;
	struct lives_bundle *bundles;
	struct stats_page *shares; /* where shares go; NULL: nowhere */
	uint32_t n_protocols;
	life_event event;
	void *ctx;
};

struct lives_config {
	uint32_t n_txs; /* remembered at a time */
	uint8_t key[16]; /* secret */
	const struct protocols *protocols; /* NULL: none */
	struct stats_page *shares; /* NULL: nowhere */
	bool senders;
	life_event event; /* NULL: nobody listens */
	void *ctx;
};

/* lives_bytes: memory for these; lives_init lays it out in mem (64-byte aligned). counters: CTR_COUNT words. */
size_t lives_bytes(const struct lives_config *c);
void lives_init(struct lives *l, void *mem, const struct lives_config *c, uint64_t *counters);

/* lives_pending: a transaction crossed in no block; its hash is known. */
void lives_pending(struct lives *l, struct sighting *s, bool hurry);

/* lives_take: one message of a pipe that is no transaction. hurry: there is no time for senders. */
void lives_take(struct lives *l, const void *message, bool hurry);

/* lives_age: some of what has lasted too long; shares are written. Cheap; every turn of the loop. */
void lives_age(struct lives *l);

/* lives_tell adds to an alert what is known of its transaction: when it was announced, what a node said, the others of its bundle. */
void lives_tell(const struct lives *l, struct alert_record *r, uint64_t bundle);

#endif
