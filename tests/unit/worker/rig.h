/* SPDX-License-Identifier: BSD-3-Clause */
/* rig: a worker and a correlator in one process, on the rules of rules.py, with hand-made flows to feed them. After every frame the accounts
 * must add up (identities 2 to 4), and after rig_drain identity 5 too; a failed check aborts, so that it serves unit tests and fuzzing. */
#ifndef RIG_H
#define RIG_H

#include "abi/identity.h"
#include "abi/stats.h"
#include "detect/detect.h"
#include "worker/correlator.h"
#include "worker/worker.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* The rules, by the byte that their recipient is made of. */
#define TO_PAGED 0x35	/* rule 1, page */
#define TO_PAUSED 0x22	/* rule 2, pause */
#define TO_WATCHED 0x11 /* rule 3, watch */
#define TO_BUNDLED 0x44 /* rule 4, watch: in a bundle of two or more */
#define TO_ASKED 0x46	/* rule 14, watch: if it deploys code that takes flash loans, which it does not */
#define TO_MANY 0x33	/* rules 100..139; 139 is page, the others watch */
/* Rules on events: 6 code that takes flash loans is deployed, page; 7 an armed contract is called, page, and 8 at a protected contract, pause; 9 somebody
 * delegates to one, page; 10 sandwich, page; 11 its front leg, watch; 12 displacement, watch; 13 an armed contract is called with gas of 77777, pause. */
#define TO_NOTHING 0x77
#define MANY_RULES 40u

#define RIG_ALERTS_MAX 4096
#define RIG_MEMORY_MAX 32

struct rig_alert {
	struct alert_record r;
	enum ring_lane lane;
	uint32_t evidence_len;
	uint8_t evidence[512]; /* its beginning */
};

struct rig {
	struct worker_config config; /* small; change it before rig_start */
	struct worker *w;
	struct correlator cor;
	struct stats_page *stats;
	const uint64_t *c; /* the worker's counters; the correlator's are in another lcore's place */
	const uint64_t *cc;
	uint64_t now_ns; /* of the next frame; each takes 1 us */
	uint32_t segment; /* payload bytes of one frame at most; 0: 1448 */
	bool unchecked; /* do not evaluate identities after each frame */
	bool with_lives; /* the correlator follows the lives of transactions; set it before rig_start */
	struct lives lives;
	void *lives_memory;
	size_t lives_bytes;
	/* the correlator's outlet */
	struct rig_alert *alert; /* RIG_ALERTS_MAX */
	uint32_t alerts;
	uint64_t seq[LANE_COUNT];
	bool outlet_full;
	/* what the worker reported last, and how often each */
	struct crossing_report last;
	uint32_t reports[3]; /* enum crossing_outcome */
	void *memory[RIG_MEMORY_MAX];
	size_t memory_bytes[RIG_MEMORY_MAX];
	uint32_t memories;
	void *correlator_memory;
	size_t correlator_bytes;
	const struct protect *protect; /* before rig_start, as the next */
	uint32_t incidents, armed, lives_txs; /* sizes of the correlator's tables */
};

/* rig_rules: the rule set, loaded once. */
const struct ruleset *rig_rules(void);

/* rig_init fills in the configuration; rig_start builds; rig_stop flushes, checks that nothing is left held and frees. */
void rig_init(struct rig *g);
void rig_start(struct rig *g);
void rig_stop(struct rig *g);
/* rig_new: both, with the usual configuration. */
void rig_new(struct rig *g);
/* rig_flush ends every flow and drains; nothing may be held by anybody then. rig_drain lets the correlator take all there is. */
void rig_flush(struct rig *g);
void rig_drain(struct rig *g);
/* rig_check evaluates identities first..last. */
void rig_check(const struct rig *g, enum identity_id first, enum identity_id last);
void rig_fail(const char *what) __attribute__((noreturn));

/* ---- flows ---- */

struct rig_flow {
	uint16_t port[2]; /* client, server */
	uint32_t isn[2];
	uint32_t sent[2]; /* stream bytes */
};

#define RIG_SYN 2u
#define RIG_FIN 1u
#define RIG_RST 4u
#define RIG_ACK 16u

/* rig_frame hands one segment to the worker: dir 0 from the client. */
void rig_frame(struct rig *g, const struct rig_flow *f, unsigned dir, uint32_t seq, unsigned flags, struct span payload);
/* rig_make only builds it into out[54 + payload]; returns its length. */
uint32_t rig_make(const struct rig_flow *f, unsigned dir, uint32_t seq, unsigned flags, struct span payload, uint8_t *out);
/* rig_open makes the three-way handshake; rig_join begins in mid-stream. */
void rig_open(struct rig *g, struct rig_flow *f, unsigned number);
void rig_join(struct rig_flow *f, unsigned number);
void rig_close(struct rig *g, struct rig_flow *f);
/* rig_say sends text in order; rig_at sends it at stream offset `off` and does not count it as sent. */
void rig_say(struct rig *g, struct rig_flow *f, unsigned dir, struct span text);
void rig_at(struct rig *g, const struct rig_flow *f, unsigned dir, uint32_t off, struct span text);
void rig_answer(struct rig *g, struct rig_flow *f);

/* ---- what is said ---- */

/* Text that grows; static lifetime of its bytes is the caller's. */
struct text {
	char *p;
	uint32_t n, cap;
};
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_hex(struct text *t, struct span raw);
void text_free(struct text *t);
struct span text_span(const struct text *t);
/* text_post: a whole request with this body. */
void text_post(struct text *out, const char *headers, const struct text *body);
/* text_raw: the body of an eth_sendRawTransaction. */
void text_raw(struct text *out, struct span raw);
/* rig_submit: a request with that body on f, and the node's answer. */
void rig_submit(struct rig *g, struct rig_flow *f, struct span raw);

/* rig_tx builds a transaction of type 2 to an address of twenty times `to`; its signature recovers nobody that signed. Free it. */
struct span rig_tx(uint8_t to, uint64_t nonce, uint32_t data_len);
/* The example of EIP-155: to TO_PAGED, with a true signature. */
extern const uint8_t rig_eip155[110];

#endif
