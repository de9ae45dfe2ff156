/* SPDX-License-Identifier: BSD-3-Clause */
/* Forged segments on true connections, so many of them that no way to time or place one stays untried, and true attacks between them. The
 * forger sees everything, knows every number and writes as either side; what he cannot do is to keep the true sides from speaking. None of
 * what he forges may ever be proven, neither a transaction nor a node's answer, and nothing may be told with pause-grade for it; each true attack must be
 * proven, both ways, and come to pause-grade, those on connections that the forger has been at, too.
 *
 * usage: forge [ROUNDS [SEED]]    prints one line; exit 1 if a forgery was proven or paused for, or a true attack was not, with the round */
#include "forge.h"

#include "eth/tx.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRUE_ATTACKS 100u

static uint64_t proven_forged, plain_proven, paused_forged, alerts;
static struct {
	uint64_t fingerprint;
	uint8_t hash[32];
	bool request, answer, paused;
} attack[TRUE_ATTACKS];
static unsigned attacks;

static void
take_word(struct forge *w, const struct fact_evidence_item *e)
{
	if (!fact_evidence_clean(e))
		return;
	if (forge_is_forged(w, e->fingerprint, e->of_answer)) {
		proven_forged++;
		fprintf(stderr, "forge: round %" PRIu64 ", way %s: a forged %s was proven\n", w->round, w->way, e->of_answer ? "answer" : "submission");
	}
	plain_proven++;
	for (unsigned i = 0; i < attacks; i++) {
		attack[i].request |= attack[i].fingerprint == e->fingerprint && !e->of_answer;
		attack[i].answer |= attack[i].fingerprint == e->fingerprint && e->of_answer;
	}
}

static void
take_alert(struct forge *w, const struct alert_record *r)
{
	alerts++;
	if (r->grade < GRADE_PAUSE)
		return;
	for (unsigned i = 0; i < attacks; i++) {
		if (memcmp(attack[i].hash, r->hash, 32) == 0) {
			attack[i].paused = true;
			return;
		}
	}
	paused_forged++;
	fprintf(stderr, "forge: round %" PRIu64 ", way %s: a pause for what was forged\n", w->round, w->way);
}

static void
true_attack(struct forge *w, bool attacked)
{
	struct tx t;
	struct span tx = rig_tx(TO_PAUSED, w->nonce++, 20 + forge_below(w, 300));
	attack[attacks].fingerprint = seen_fingerprint(w->g.w->seen, tx);
	if (tx_decode(tx, &t) != 0)
		rig_fail("no transaction");
	tx_hash(&t, attack[attacks].hash);
	attacks++;
	forge_true(w, tx, attacked);
	free((void *)(uintptr_t)tx.p);
}

int
main(int argc, char **argv)
{
	static struct forge w;
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000, seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	if (forge_start(&w, seed, take_word, take_alert) != 0)
		return 1;
	for (w.round = 0; w.round < rounds; w.round++) {
		if (w.round * TRUE_ATTACKS >= attacks * rounds && attacks < TRUE_ATTACKS) {
			true_attack(&w, false);
			true_attack(&w, true);
		}
		forge_round(&w);
	}
	forge_end(&w);
	unsigned found = 0, paused = 0;
	for (unsigned i = 0; i < attacks; i++) {
		found += attack[i].request && attack[i].answer;
		paused += attack[i].paused;
	}
	printf("{\"forgeries\":%" PRIu64 ",\"forged_proven\":%" PRIu64 ",\"forged_paused\":%" PRIu64 ",\"attacks\":%u,\"attacks_proven\":%u,\"attacks_paused\":%u,\"others_proven\":%" PRIu64
	       ",\"alerts\":%" PRIu64 "}\n",
		w.forgeries, proven_forged, paused_forged, attacks, found, paused, plain_proven - proven_forged - 2 * found, alerts);
	return proven_forged == 0 && paused_forged == 0 && found == attacks && paused == attacks ? 0 : 1;
}
