/* SPDX-License-Identifier: BSD-3-Clause */
/* vet: asks the operator's node about alerts that would pause, in a thread of its own. Up to VET_NODES_MAX
 * nodes are asked at the same time, the first definite answer counts; what a node does not know yet is asked
 * again until the deadline, since a transaction crosses the wire before the node has it. Every alert that is
 * taken gets exactly one verdict, at the latest at its deadline, also while no node answers or many alerts
 * wait: those that a node has accepted already go first, and one that is to be asked about again is put aside
 * meanwhile, so that decoys which no node knows do not hold up the others. */
#ifndef CONTROL_VET_H
#define CONTROL_VET_H

#include "abi/event.h"
#include "abi/span.h"
#include "control/batch.h"
#include "control/vet_answer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VET_NODES_MAX 4u
#define VET_DEADLINE_MS 250u
#define VET_DEADLINE_MS_MAX 10000u
#define VET_JOBS_MAX 1024u	       /* waiting, asked, or answered and not fetched */
#define VET_JOBS_OTHER 768u	       /* of these, for alerts that no node has accepted yet */
#define VET_LANES 16u		       /* asked at the same time */
#define VET_LANES_OTHER 8u	       /* of these, for alerts that no node has accepted yet */
#define VET_EVIDENCE_BYTES (32u << 20) /* of all jobs; beyond it a verdict comes without */

struct vet;

struct vet_options {
	const char *node[VET_NODES_MAX]; /* "http://HOST[:PORT][/PATH]", or "unix:PATH" of a socket that
					    speaks HTTP */
	unsigned n_nodes;
	uint64_t deadline_ms;
};

/* One alert. */
struct vet_job {
	struct vet_job *next;
	uint8_t epoch[8];
	uint32_t ring_id;
	char rule_name[RULE_NAME_MAX];
	bool urgent; /* came as pause */
	uint64_t asked_ns, deadline_ns;
	struct event_vet vet; /* the verdict */
	/* vet's own */
	struct vet_facts facts[VET_NODES_MAX]; /* what each node has said so far */
	bool heard[VET_NODES_MAX];	       /* it has said something */
	uint8_t rounds;
	uint64_t again_ns;	    /* while it is put aside: until then */
	struct alert_record record; /* as asked about; with the verdict, grade and lacks are as it has them */
	uint32_t evidence_len;
	uint8_t evidence[];
};

struct vet_status {
	unsigned nodes;
	uint64_t deadline_ms, waiting, running;
	uint64_t asked, yes, no, unknown; /* yes + no + unknown = asked at rest */
	uint64_t not_asked;		  /* there was no room: told as without a node */
	uint64_t requests,
		failures;	  /* to nodes; failures: no connection, no HTTP 200, too long, out of time */
	uint64_t last_us, max_us; /* from question to verdict */
};

/* vet_start: with no nodes too (then jobs end at once, unknown). NULL: err says in a sentence what is wrong,
 * an option (errno EINVAL) or the system. */
struct vet *vet_start(const struct vet_options *o, char *err, size_t cap);
/* vet_stop ends what runs; jobs that were not fetched are gone. NULL is allowed. */
void vet_stop(struct vet *v);
bool vet_has_nodes(const struct vet *v);
/* vet_needs_names: a node is given by the name of a host, not by an address or a socket. */
bool vet_needs_names(const struct vet_options *o);

/* vet_submit takes a copy of the entry (of a record that vet_wanted). false: there is no room, it will not be
 * asked about. */
bool vet_submit(struct vet *v, const struct entry *e, const uint8_t *evidence);
/* vet_submit_late: of one that was asked about before control was started: too old to be asked again, the
 * verdict is "unknown". */
bool vet_submit_late(struct vet *v, const struct entry *e, const uint8_t *evidence);
/* vet_fetch: the next verdict, to be freed with free; NULL: none yet. */
struct vet_job *vet_fetch(struct vet *v);
/* vet_busy: some verdict has not been fetched. */
bool vet_busy(struct vet *v);
void vet_status_get(struct vet *v, struct vet_status *s);

#endif
