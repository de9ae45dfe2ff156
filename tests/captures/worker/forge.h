/* SPDX-License-Identifier: BSD-3-Clause */
/* forge: a worker and a correlator, and connections on which true clients and nodes and a forger speak. The recipient of what is forged is a protected contract, and the rule that
 * finds it may pause. */
#ifndef FORGE_H
#define FORGE_H

#include "rig.h"

#include "worker/worker_private.h"

struct forge;
typedef void (*forge_word)(struct forge *w, const struct fact_evidence_item *e);
typedef void (*forge_alert)(struct forge *w, const struct alert_record *r);

struct forge {
	struct rig g;
	struct rig_flow f; /* the connection of this round; `sent`: what its true sides have said */
	forge_word word;
	forge_alert alert;
	uint64_t rng, round, nonce, forgeries;
	unsigned connection;
	const char *way;
	uint64_t *forged; /* a set of fingerprints, the answers' with another key */
	struct text text; /* reused */
};

/* forge_start: 0, or -1. forge_round forges once or a few times on a connection of its own; forge_true lets a client submit tx and a node accept
 * it; attacked: on the connection of the one before, on which the forger has tried what does no harm to what is said later. forge_end: the time of all graces passes. */
int forge_start(struct forge *w, uint64_t seed, forge_word word, forge_alert alert);
void forge_round(struct forge *w);
void forge_true(struct forge *w, struct span tx, bool attacked);
void forge_end(struct forge *w);

bool forge_is_forged(const struct forge *w, uint64_t fingerprint, bool of_answer);
uint32_t forge_below(struct forge *w, uint32_t n);

#endif
