/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of bytes: proven if their receiver acknowledged them and nothing belied it, and never of forged ones. */
#include "words.h"

#include "eth/tx.h"

#include <setjmp.h>

#include <cmocka.h>

static const struct span nothing;
static struct rig g;
static struct words said;

static int
setup(void **state)
{
	rig_init(&g);
	rig_start(&g);
	said.n = said.nodes = 0;
	return 0;
}

static int
teardown(void **state)
{
	rig_stop(&g);
	return 0;
}

static struct span
string(const char *s)
{
	return (struct span){(const uint8_t *)s, (uint32_t)strlen(s)};
}

static void
acknowledged_is_proven(void **state)
{
	struct rig_flow f;
	struct span tx = rig_tx(TO_PAUSED, 1, 20);
	rig_open(&g, &f, 1);
	say(&g, &f, tx);
	wait(&g, &said, 50 * MS);
	assert_int_equal(said.n, 0);
	ack(&g, &f, 1);
	wait(&g, &said, MS / 2);
	assert_int_equal(said.n, 0); /* not yet */
	wait(&g, &said, MS / 2);
	assert_int_equal(said.n, 1);
	assert_int_equal(count(&g, &said, tx, false, true), 1);
	assert_int_equal(said.item[0].trust, 0);
	assert_true(said.item[0].acked && !said.item[0].mac);
	assert_int_equal(said.t_ns, g.now_ns);
	wait(&g, &said, 5000 * MS);
	assert_int_equal(said.n, 1);
	give_back(tx);
}

/* Its last segment counts, not its first. */
static void
acknowledged_in_part_is_not(void **state)
{
	struct rig_flow f;
	struct span tx = rig_tx(TO_PAUSED, 1, 2000);
	rig_open(&g, &f, 1);
	g.segment = 1000;
	say(&g, &f, tx);
	struct rig_flow part = f;
	part.sent[0] = f.sent[0] - 1;
	ack(&g, &part, 1);
	wait(&g, &said, 100 * MS);
	assert_int_equal(said.n, 0);
	ack(&g, &f, 1);
	wait(&g, &said, MS);
	assert_int_equal(count(&g, &said, tx, false, true), 1);
	give_back(tx);
}

/* Rules or not: who follows lives may ask for any. */
static void
without_findings_too(void **state)
{
	struct rig_flow f;
	struct span tx = rig_tx(TO_NOTHING, 1, 20);
	rig_open(&g, &f, 1);
	say(&g, &f, tx);
	ack(&g, &f, 1);
	wait(&g, &said, MS);
	assert_int_equal(count(&g, &said, tx, false, true), 1);
	struct span other = rig_tx(TO_NOTHING, 2, 20); /* but what fails is told only if it matters */
	say(&g, &f, other);
	rig_frame(&g, &f, 0, f.isn[0] + 1 + f.sent[0], RIG_RST, nothing);
	wait(&g, &said, 300 * MS);
	assert_int_equal(said.n, 1);
	assert_int_equal(g.c[CTR_EVIDENCE_ENDED], 1);
	give_back(tx);
	give_back(other);
}

static void
unacknowledged_is_not(void **state)
{
	struct rig_flow f;
	struct span tx = rig_tx(TO_PAUSED, 1, 20);
	rig_open(&g, &f, 1);
	say(&g, &f, tx);
	rig_frame(&g, &f, 0, f.isn[0] + 1 + f.sent[0], RIG_RST, nothing);
	wait(&g, &said, 5 * MS);
	assert_int_equal(said.n, 1);
	assert_int_equal(count(&g, &said, tx, false, false), 1);
	assert_int_equal(said.item[0].trust, TRUST_NOT_ACKED);
	give_back(tx);
}

/* It ends as it should within the grace, by FIN or RST. */
static void
closed_within_its_grace(void **state)
{
	for (unsigned rst = 0; rst < 2; rst++) {
		struct rig_flow f;
		struct span tx = rig_tx(TO_PAUSED, 1 + rst, 20);
		rig_open(&g, &f, 1 + rst);
		say(&g, &f, tx);
		ack(&g, &f, 1);
		if (rst)
			rig_frame(&g, &f, 0, f.isn[0] + 1 + f.sent[0], RIG_RST, nothing);
		else
			rig_close(&g, &f);
		assert_int_equal(g.c[CTR_FLOWS], 0);
		wait(&g, &said, MS);
		assert_int_equal(count(&g, &said, tx, false, true), 1);
		give_back(tx);
	}
	wait(&g, &said, 10000 * MS);
	assert_int_equal(g.w->evidence.used.first, 0);
}

/* ---- answers ---- */

static void
accept(struct rig_flow *f, struct span tx)
{
	struct text t = {0};
	struct tx decoded;
	uint8_t hash[32];
	assert_int_equal(tx_decode(tx, &decoded), 0);
	tx_hash(&decoded, hash);
	text_add(&t, "HTTP/1.1 200 OK\r\nContent-Length: 102\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x");
	text_hex(&t, (struct span){hash, 32});
	text_add(&t, "\"}");
	rig_say(&g, f, 1, text_span(&t));
	text_free(&t);
}

static void
answer_is_proven_later(void **state)
{
	struct rig_flow f;
	struct span tx = rig_tx(TO_PAUSED, 1, 20);
	rig_open(&g, &f, 1);
	say(&g, &f, tx);
	accept(&f, tx);
	ack(&g, &f, 0);
	listen(&g, &said);
	assert_int_equal(said.nodes, 1);
	assert_true(said.node.accepted);
	assert_int_equal(said.node.asked, seen_fingerprint(g.w->seen, tx));
	assert_int_equal(said.node.fingerprint, 0);
	assert_int_equal(said.node.trust, TRUST_NOT_ACKED);
	wait(&g, &said, 240 * MS);
	assert_int_equal(count(&g, &said, tx, false, true), 1);
	assert_int_equal(count(&g, &said, tx, true, true), 0);
	wait(&g, &said, 10 * MS);
	assert_int_equal(count(&g, &said, tx, true, true), 1);
	assert_int_equal(said.n, 2);
	give_back(tx);
}

/* Before its burst is over the submission has not been judged. */
static void
all_in_one_burst(void **state)
{
	static uint8_t bytes[4][2000];
	struct rig_flow f;
	struct text body = {0}, post = {0}, yes = {0};
	struct tx decoded;
	uint8_t hash[32];
	struct span tx = rig_tx(TO_PAUSED, 1, 20), frame[4];
	uint32_t len[4];
	uint64_t now[4];
	rig_open(&g, &f, 1);
	text_raw(&body, tx);
	text_post(&post, "", &body);
	tx_decode(tx, &decoded);
	tx_hash(&decoded, hash);
	text_add(&yes, "HTTP/1.1 200 OK\r\nContent-Length: 102\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x");
	text_hex(&yes, (struct span){hash, 32});
	text_add(&yes, "\"}");
	len[0] = rig_make(&f, 0, f.isn[0] + 1, RIG_ACK, text_span(&post), bytes[0]);
	f.sent[0] = post.n;
	len[1] = rig_make(&f, 1, f.isn[1] + 1, RIG_ACK, text_span(&yes), bytes[1]);
	f.sent[1] = yes.n;
	len[2] = rig_make(&f, 0, f.isn[0] + 1 + post.n, RIG_ACK, nothing, bytes[2]);
	len[3] = len[2];
	memcpy(bytes[3], bytes[2], len[2]);
	for (unsigned i = 0; i < 4; i++) {
		frame[i] = (struct span){bytes[i], len[i]};
		now[i] = g.now_ns + (i == 3 ? 300 * MS : 0); /* even if its graces are over by then */
	}
	worker_frames(g.w, 4, frame, len, now);
	g.now_ns = now[3];
	listen(&g, &said);
	assert_int_equal(said.nodes, 1);
	assert_int_equal(said.node.asked, seen_fingerprint(g.w->seen, tx));
	assert_int_equal(count(&g, &said, tx, false, true), 1);
	assert_int_equal(count(&g, &said, tx, true, true), 1);
	assert_int_equal(said.n, 2);
	text_free(&body);
	text_free(&post);
	text_free(&yes);
	give_back(tx);
}

/* The node's next word shows that it has not said this. */
static void
forged_answer(void **state)
{
	for (unsigned how = 0; how < 3; how++) {
		struct rig_flow f, beside;
		struct span tx = rig_tx(TO_PAUSED, 1 + how, 20), other = rig_tx(TO_PAUSED, 100 + how, 20);
		rig_open(&g, &f, 1 + 2 * how);
		rig_open(&g, &beside, 2 + 2 * how);
		say(&g, &f, tx);
		say(&g, &beside, other);
		accept(&beside, other);
		ack(&g, &beside, 0);
		struct rig_flow true_node = f;
		accept(&f, tx);
		ack(&g, &f, 0);
		wait(&g, &said, 40 * MS);
		if (how == 0)
			rig_answer(&g, &true_node); /* other bytes */
		else if (how == 1)
			ack(&g, &true_node, 1); /* an acknowledgement, numbered before them */
		else
			rig_frame(&g, &true_node, 1, true_node.isn[1] + 1, RIG_FIN | RIG_ACK, nothing);
		for (unsigned i = 0; i < 100; i++) { /* whatever he who forged acknowledges */
			ack(&g, &f, 0);
			wait(&g, &said, 50 * MS);
		}
		assert_int_equal(count(&g, &said, tx, true, true), 0);
		assert_int_equal(count(&g, &said, other, true, true), 1);
		give_back(tx);
		give_back(other);
	}
}

/* ---- disputes ---- */

static void
submit(struct rig_flow *f, struct span tx)
{
	say(&g, f, tx);
	ack(&g, f, 1);
	rig_answer(&g, f);
	ack(&g, f, 0);
}

/* A true transaction ends before the bytes in dispute; those behind do not. */
static void
what_ends_before_stays_good(void **state)
{
	struct rig_flow f;
	struct span first = rig_tx(TO_PAUSED, 1, 20), second = rig_tx(TO_PAUSED, 2, 20), third = rig_tx(TO_PAUSED, 3, 20);
	rig_open(&g, &f, 1);
	say(&g, &f, first);
	rig_at(&g, &f, 0, f.sent[0], string("PUT /forged"));
	say(&g, &f, second);
	ack(&g, &f, 1);
	wait(&g, &said, MS);
	assert_int_equal(count(&g, &said, first, false, true), 1);
	assert_int_equal(count(&g, &said, second, false, true), 0);
	submit(&f, third);
	wait(&g, &said, 300 * MS);
	assert_int_equal(count(&g, &said, third, false, true), 0);
	assert_int_equal(count(&g, &said, third, false, false), 1);
	assert_int_equal(g.c[CTR_EVIDENCE_SULLIED], 1);
	give_back(first);
	give_back(second);
	give_back(third);
}

/* What the receiver has long taken can be forged again: it harms nobody. */
static void
old_bytes_are_settled(void **state)
{
	struct rig_flow f;
	struct span first = rig_tx(TO_PAUSED, 1, 20), second = rig_tx(TO_PAUSED, 2, 20);
	rig_open(&g, &f, 1);
	say(&g, &f, first);
	ack(&g, &f, 1);
	wait(&g, &said, MS);
	assert_int_equal(count(&g, &said, first, false, true), 1);
	rig_at(&g, &f, 0, 0, string("PUT /forged"));
	assert_int_equal(g.c[CTR_OVERLAP_CONFLICTS], 1);
	assert_int_equal(g.c[CTR_EVIDENCE_SULLIED], 0);
	submit(&f, second);
	wait(&g, &said, 300 * MS);
	assert_int_equal(count(&g, &said, second, false, true), 1);
	assert_int_equal(said.item[said.n - 1].trust, 0);
	give_back(first);
	give_back(second);
}

/* Other bytes within the grace of the acknowledgement: the mirror may have shown it first. */
static void
dispute_within_the_grace(void **state)
{
	for (unsigned late = 0; late < 2; late++) {
		struct rig_flow f;
		struct span tx = rig_tx(TO_PAUSED, 1 + late, 20);
		rig_open(&g, &f, 1 + late);
		say(&g, &f, tx);
		ack(&g, &f, 1);
		wait(&g, &said, late ? MS : MS - 100000);
		rig_at(&g, &f, 0, 30, string("other"));
		wait(&g, &said, 300 * MS);
		assert_int_equal(count(&g, &said, tx, false, true), late);
		assert_int_equal(count(&g, &said, tx, false, false), !late);
		give_back(tx);
	}
}

/* What one side says decides how the other is read. */
static void
dispute_of_the_other_side(void **state)
{
	struct rig_flow f;
	struct span tx = rig_tx(TO_PAUSED, 1, 20);
	rig_open(&g, &f, 1);
	say(&g, &f, tx);
	ack(&g, &f, 1);
	struct rig_flow true_node = f;
	rig_say(&g, &f, 1, string("HTTP/1.1 101 Switching Protocols\r\n"));
	rig_answer(&g, &true_node);
	wait(&g, &said, 300 * MS);
	assert_int_equal(count(&g, &said, tx, false, true), 0);
	assert_int_equal(count(&g, &said, tx, false, false), 1);
	assert_true(said.item[0].trust & TRUST_OVERLAP_CONFLICT);
	give_back(tx);
}

/* A copy that comes to nothing first; the true one is a duplicate, and proven all the same. */
static void
duplicates_are_proven(void **state)
{
	struct rig_flow f, other;
	struct span tx = rig_tx(TO_PAUSED, 1, 20);
	rig_open(&g, &f, 1);
	rig_open(&g, &other, 2);
	say(&g, &f, tx); /* the forger's, never acknowledged */
	say(&g, &other, tx);
	assert_int_equal(g.c[CTR_TX_DUPLICATE], 1);
	ack(&g, &other, 1);
	wait(&g, &said, MS);
	assert_int_equal(count(&g, &said, tx, false, true), 1);
	rig_frame(&g, &f, 0, f.isn[0] + 1 + f.sent[0], RIG_RST, nothing);
	submit(&other, tx); /* what is proven is not told again */
	wait(&g, &said, MS);
	assert_int_equal(count(&g, &said, tx, false, true), 1);
	assert_int_equal(count(&g, &said, tx, false, false), 1);
	give_back(tx);
}

/* Nothing that is acknowledged later makes these good: it is said at once. */
static void
never_to_be_proven(void **state)
{
	struct rig_flow f;
	struct span tx = rig_tx(TO_PAUSED, 1, 20), blind = rig_tx(TO_PAUSED, 2, 20), hole = rig_tx(TO_PAUSED, 3, 20);
	rig_join(&f, 1);
	submit(&f, tx);
	listen(&g, &said);
	assert_int_equal(count(&g, &said, tx, false, false), 1);
	assert_true(said.item[0].trust & TRUST_MIDSTREAM);
	rig_join(&f, 2);
	rig_frame(&g, &f, 0, f.isn[0], RIG_SYN, nothing);
	say(&g, &f, blind);
	listen(&g, &said);
	assert_int_equal(count(&g, &said, blind, false, false), 1);
	assert_true(said.item[1].trust & TRUST_ONE_DIRECTION);
	rig_open(&g, &f, 3);
	f.sent[0] += 10; /* bytes that nobody sees */
	say(&g, &f, hole);
	for (unsigned i = 0; i < 50; i++) {
		ack(&g, &f, 1);
		g.now_ns += MS;
	}
	wait(&g, &said, 300 * MS);
	assert_int_equal(count(&g, &said, hole, false, false), 1);
	assert_true(said.item[2].trust & TRUST_GAP_BEFORE);
	assert_int_equal(said.n, 3);
	assert_int_equal(g.c[CTR_EVIDENCE_NOTED], 0);
	give_back(tx);
	give_back(blind);
	give_back(hole);
}

/* An acknowledgement that the receiver himself takes back, again and again. */
static void
acknowledgement_taken_back(void **state)
{
	struct rig_flow f;
	struct span tx = rig_tx(TO_PAUSED, 1, 20), forged = rig_tx(TO_PAUSED, 2, 20);
	rig_open(&g, &f, 1);
	say(&g, &f, tx);
	ack(&g, &f, 1);
	struct rig_flow before = f;
	before.sent[0] = 0;
	wait(&g, &said, MS / 2);
	ack(&g, &before, 1); /* late: the mirror's fault */
	wait(&g, &said, MS / 10);
	ack(&g, &f, 1);
	wait(&g, &said, MS / 2);
	assert_int_equal(said.n, 0);
	wait(&g, &said, 2 * MS);
	assert_int_equal(count(&g, &said, tx, false, true), 1);
	struct rig_flow true_node = f;
	say(&g, &f, forged);
	for (unsigned i = 0; i < 60; i++) {
		ack(&g, &f, 1);
		wait(&g, &said, MS / 4);
		ack(&g, &true_node, 1);
		wait(&g, &said, MS / 4);
	}
	assert_int_equal(count(&g, &said, forged, false, true), 0);
	assert_int_equal(count(&g, &said, forged, false, false), 1);
	give_back(tx);
	give_back(forged);
}

/* A number that is not where the receiver's bytes go on proves nothing, whoever it is by. */
static void
acknowledgement_out_of_place(void **state)
{
	static const uint8_t to[] = {TO_PAUSED, TO_NOTHING};
	for (unsigned i = 0; i < 2; i++) {
		struct rig_flow f;
		struct span tx = rig_tx(to[i], 1, 20);
		rig_open(&g, &f, 1 + i);
		rig_answer(&g, &f);
		ack(&g, &f, 0);
		say(&g, &f, tx);
		rig_at(&g, &f, 1, f.sent[1] + 100, nothing);
		rig_at(&g, &f, 1, f.sent[1] - 1, nothing);
		rig_at(&g, &f, 1, 0, nothing);
		wait(&g, &said, 100 * MS);
		wait(&g, &said, 100 * MS);
		assert_int_equal(count(&g, &said, tx, false, true), 0);
		ack(&g, &f, 1);
		wait(&g, &said, MS);
		wait(&g, &said, MS);
		assert_int_equal(count(&g, &said, tx, false, true), 1);
		give_back(tx);
	}
}

/* Those without findings, in each of the ways that speak against one; and in none. */
static void
plain_ones_are_belied(void **state)
{
	for (unsigned how = 0; how < 6; how++) {
		struct rig_flow f, before;
		struct span tx = rig_tx(TO_NOTHING, 1 + how, 20);
		rig_open(&g, &f, 1 + how);
		before = f;
		say(&g, &f, tx);
		ack(&g, &f, 1);
		wait(&g, &said, how == 3 ? 0 : MS / 2); /* looked at, and in its grace */
		if (how == 1)
			rig_at(&g, &f, 0, 30, string("other"));
		else if (how == 2)
			ack(&g, &before, 1); /* the receiver has less */
		else if (how == 3)
			rig_frame(&g, &f, 0, f.isn[0] + 1 + f.sent[0], RIG_RST, nothing); /* and is over: good all the same */
		else if (how == 4)
			rig_frame(&g, &f, 0, f.isn[0] + 1 + 30, RIG_FIN | RIG_ACK, nothing); /* soon: may be late itself */
		if (how == 5) {
			rig_frame(&g, &f, 0, f.isn[0] + 1 + f.sent[0], RIG_RST, nothing);
			rig_at(&g, &f, 0, 30, string("late"));
		}
		wait(&g, &said, MS);
		wait(&g, &said, MS);
		assert_int_equal(count(&g, &said, tx, false, true), how == 0 || how == 3 || how == 4);
		assert_int_equal(count(&g, &said, tx, false, false), 0);
		give_back(tx);
	}
}

/* ---- bounds ---- */

static void
more_than_wait_on_a_flow(void **state)
{
	struct rig_flow f;
	struct span tx[EVIDENCE_PER_FLOW + 10];
	rig_open(&g, &f, 1);
	for (unsigned i = 0; i < EVIDENCE_PER_FLOW + 10; i++)
		say(&g, &f, tx[i] = rig_tx(TO_PAUSED, i, 20));
	listen(&g, &said);
	assert_int_equal(g.c[CTR_EVIDENCE_EVICTED], 10);
	assert_int_equal(said.n, 10);
	ack(&g, &f, 1);
	wait(&g, &said, MS);
	assert_int_equal(g.c[CTR_EVIDENCE_PROVEN], EVIDENCE_PER_FLOW);
	for (unsigned i = 0; i < EVIDENCE_PER_FLOW + 10; i++) {
		assert_int_equal(count(&g, &said, tx[i], false, true), i >= 10);
		give_back(tx[i]);
	}
}

/* Forged flows without end take each other's places, and that of the oldest. */
static void
more_flows_than_are_followed(void **state)
{
	struct rig_flow f[80], true_one;
	struct span tx[80], last = rig_tx(TO_PAUSED, 1000, 20);
	for (unsigned i = 0; i < 80; i++) {
		rig_open(&g, &f[i], i);
		say(&g, &f[i], tx[i] = rig_tx(TO_PAUSED, i, 20));
	}
	listen(&g, &said);
	assert_int_equal(g.c[CTR_EVIDENCE_EVICTED], 16); /* 64 connections */
	assert_int_equal(count(&g, &said, tx[0], false, false), 1);
	rig_open(&g, &true_one, 100);
	submit(&true_one, last);
	wait(&g, &said, MS);
	assert_int_equal(count(&g, &said, last, false, true), 1);
	ack(&g, &f[79], 1);
	wait(&g, &said, MS);
	assert_int_equal(count(&g, &said, tx[79], false, true), 1);
	for (unsigned i = 0; i < 80; i++)
		give_back(tx[i]);
	give_back(last);
}

/* Those without findings crowd out each other, never one with. */
static void
crowd_without_findings(void **state)
{
	struct rig_flow f;
	struct text body = {0}, t = {0};
	struct span tx = rig_tx(TO_PAUSED, 100000, 20);
	rig_open(&g, &f, 1);
	text_add(&body, "[");
	for (unsigned i = 0; i < 50; i++) {
		struct span plain = rig_tx(TO_NOTHING, i, 20);
		text_raw(&body, plain);
		text_add(&body, ",");
		give_back(plain);
	}
	text_raw(&body, tx);
	text_add(&body, "]");
	text_post(&t, "", &body);
	rig_say(&g, &f, 0, text_span(&t));
	ack(&g, &f, 1);
	assert_int_equal(g.c[CTR_TX_SCANNED], 51);
	assert_int_equal(g.c[CTR_EVIDENCE_NOTED], EVIDENCE_PLAIN + 1);
	wait(&g, &said, MS);
	assert_int_equal(count(&g, &said, tx, false, true), 1);
	wait(&g, &said, MS);
	assert_int_equal(g.c[CTR_EVIDENCE_PROVEN], EVIDENCE_PLAIN + 1);
	text_free(&body);
	text_free(&t);
	give_back(tx);
}

/* ---- checksums ---- */

static void
put_checksum(uint8_t *frame, uint32_t n)
{
	uint32_t sum = 6 + n - 34;
	frame[50] = frame[51] = 0;
	for (uint32_t i = 26; i < n; i++)
		sum += (uint32_t)frame[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	frame[50] = (uint8_t)(~sum >> 8);
	frame[51] = (uint8_t)~sum;
}

static void
checked(const struct rig_flow *f, unsigned dir, uint32_t seq, unsigned flags, struct span payload, bool good)
{
	uint8_t frame[4000];
	uint32_t n = rig_make(f, dir, seq, flags, payload, frame);
	put_checksum(frame, n);
	frame[51] ^= !good;
	struct span s = {frame, n};
	worker_frames(g.w, 1, &s, &n, &g.now_ns);
	g.now_ns += 1000;
}

/* A segment that the node throws away: so does the box where it can trust the checksums it sees; elsewhere both versions are in dispute. */
static void
bad_checksums(void **state)
{
	for (unsigned verify = 0; verify < 2; verify++) {
		struct rig_flow f;
		struct text body = {0}, post = {0}, other = {0};
		struct span tx = rig_tx(TO_PAUSED, 1, 20), forged = rig_tx(TO_PAUSED, 2, 20);
		rig_stop(&g);
		rig_init(&g);
		g.config.stream.verify_checksum = verify;
		rig_start(&g);
		said.n = 0;
		rig_join(&f, 1);
		checked(&f, 0, f.isn[0], RIG_SYN, nothing, true);
		checked(&f, 1, f.isn[1], RIG_SYN | RIG_ACK, nothing, true);
		text_raw(&body, forged);
		text_post(&other, "", &body);
		checked(&f, 0, f.isn[0] + 1, RIG_ACK, text_span(&other), false);
		body.n = 0;
		text_raw(&body, tx);
		text_post(&post, "", &body);
		checked(&f, 0, f.isn[0] + 1, RIG_ACK, text_span(&post), true);
		f.sent[0] = post.n;
		checked(&f, 1, f.isn[1] + 1, RIG_ACK, nothing, true);
		wait(&g, &said, 300 * MS);
		assert_int_equal(count(&g, &said, forged, false, true), 0);
		assert_int_equal(count(&g, &said, tx, false, true), verify);
		assert_int_equal(g.c[CTR_UNDEC_CHECKSUM], verify);
		text_free(&body);
		text_free(&post);
		text_free(&other);
		give_back(tx);
		give_back(forged);
	}
}

#define ON(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON(acknowledged_is_proven),
		ON(acknowledged_in_part_is_not),
		ON(without_findings_too),
		ON(unacknowledged_is_not),
		ON(closed_within_its_grace),
		ON(answer_is_proven_later),
		ON(all_in_one_burst),
		ON(forged_answer),
		ON(what_ends_before_stays_good),
		ON(old_bytes_are_settled),
		ON(dispute_within_the_grace),
		ON(dispute_of_the_other_side),
		ON(duplicates_are_proven),
		ON(never_to_be_proven),
		ON(acknowledgement_taken_back),
		ON(acknowledgement_out_of_place),
		ON(plain_ones_are_belied),
		ON(more_than_wait_on_a_flow),
		ON(more_flows_than_are_followed),
		ON(crowd_without_findings),
		ON(bad_checksums),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
