/* SPDX-License-Identifier: BSD-3-Clause */
#include "forge.h"

#include "eth/tx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_BITS 23u
#define US 1000u
#define MS 1000000u
#define ANSWER_KEY 0x5555555555555555u
#define CONNECTIONS 50000u

static const struct span nothing;

uint32_t
forge_below(struct forge *w, uint32_t n)
{
	w->rng = w->rng * 6364136223846793005ull + 1442695040888963407ull;
	return n ? (uint32_t)((w->rng >> 33) % n) : 0;
}

/* ---- what was forged ---- */

static uint64_t *
slot_of(const struct forge *w, uint64_t key)
{
	uint32_t i = (uint32_t)(key * 0x9e3779b97f4a7c15u >> (64 - SET_BITS));
	while (w->forged[i] != 0 && w->forged[i] != key)
		i = (i + 1) & ((1u << SET_BITS) - 1);
	return &w->forged[i];
}

static void
set_forged(struct forge *w, struct span tx, bool of_answer)
{
	uint64_t key = seen_fingerprint(w->g.w->seen, tx) ^ (of_answer ? ANSWER_KEY : 0);
	*slot_of(w, key) = key;
	w->forgeries++;
}

bool
forge_is_forged(const struct forge *w, uint64_t fingerprint, bool of_answer)
{
	uint64_t key = fingerprint ^ (of_answer ? ANSWER_KEY : 0);
	return *slot_of(w, key) == key;
}

/* ---- the worker ---- */

static int
outlet(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence)
{
	struct forge *w = ctx;
	r->seq = ++w->g.seq[lane];
	if (alert_record_check(r) != 0)
		rig_fail("a record that no consumer would take");
	(void)evidence;
	w->alert(w, r);
	return 0;
}

static void
listen(struct forge *w)
{
	uint32_t bytes;
	void *m;
	while ((m = pipe_peek(worker_pipe(w->g.w), &bytes)) != NULL) {
		const struct fact_evidence *e = m;
		for (uint32_t i = 0; e->kind == FACT_EVIDENCE && i < e->n; i++)
			w->word(w, &e->item[i]);
		correlator_poll(&w->g.cor, 1, w->g.now_ns);
	}
}

static void
wait(struct forge *w, uint64_t ns)
{
	w->g.now_ns += ns;
	worker_housekeep(w->g.w, w->g.now_ns);
	listen(w);
}

int
forge_start(struct forge *w, uint64_t seed, forge_word word, forge_alert alert)
{
	uint8_t vault[1][20];
	void *mem = malloc(protect_bytes());
	memset(vault, TO_PAUSED, sizeof vault);
	rig_init(&w->g);
	w->g.protect = mem == NULL ? NULL : protect_init(mem, vault, 1);
	w->g.with_lives = true;
	w->g.unchecked = true;
	w->g.config.conns_max = 512;
	w->g.config.stream.history_buffers = 1024;
	rig_start(&w->g);
	w->rng = seed;
	w->word = word;
	w->alert = alert;
	w->g.cor.reporter.outlet = outlet;
	w->g.cor.reporter.outlet_ctx = w;
	w->forged = calloc((size_t)1 << SET_BITS, sizeof *w->forged);
	return w->forged == NULL ? -1 : 0;
}

void
forge_end(struct forge *w)
{
	wait(w, 2000ull * MS);
	worker_flush(w->g.w, w->g.now_ns);
	listen(w);
	correlator_finish(&w->g.cor, w->g.now_ns);
	rig_check(&w->g, ID_FRAMES, ID_FINDINGS);
}

/* ---- segments ---- */

/* At stream offset off, acknowledging up to ack; by whoever. */
static void
segment(struct forge *w, unsigned dir, uint32_t off, unsigned flags, struct span bytes, uint32_t ack)
{
	struct rig_flow f = w->f;
	f.sent[!dir] = ack;
	rig_frame(&w->g, &f, dir, f.isn[dir] + 1 + off, flags, bytes);
	listen(w);
}

static void
truly(struct forge *w, unsigned dir, unsigned flags, struct span bytes)
{
	segment(w, dir, w->f.sent[dir], flags, bytes, w->f.sent[!dir]);
	w->f.sent[dir] += bytes.len;
}

static void
true_ack(struct forge *w, unsigned dir)
{
	truly(w, dir, RIG_ACK, nothing);
}

static void
pause_us(struct forge *w, uint32_t most)
{
	w->g.now_ns += (uint64_t)forge_below(w, most + 1) * US;
}

/* ---- what is said ---- */

static struct span
post(struct forge *w, struct text *out, struct span tx)
{
	w->text.n = out->n = 0;
	text_raw(&w->text, tx);
	text_post(out, "", &w->text);
	return text_span(out);
}

/* A request of the true client: of a transaction that is nobody's alarm. */
static struct span
harmless(struct forge *w, struct text *out)
{
	struct span tx = rig_tx(TO_NOTHING, w->nonce++, 10 + forge_below(w, 400));
	struct span s = post(w, out, tx);
	free((void *)(uintptr_t)tx.p);
	return s;
}

/* By a rule, or only for whoever follows lives. */
static uint8_t
alarming(struct forge *w)
{
	return forge_below(w, 2) ? TO_PAUSED : TO_NOTHING;
}

static struct span
forgery(struct forge *w, struct text *out)
{
	struct span tx = rig_tx(alarming(w), w->nonce++, 10 + forge_below(w, 400));
	struct span s = post(w, out, tx);
	set_forged(w, tx, false);
	free((void *)(uintptr_t)tx.p);
	return s;
}

static struct span
acceptance(struct text *out, struct span tx)
{
	struct tx t;
	uint8_t hash[32];
	out->n = 0;
	if (tx_decode(tx, &t) != 0)
		rig_fail("no transaction");
	tx_hash(&t, hash);
	text_add(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 102\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x");
	text_hex(out, (struct span){hash, 32});
	text_add(out, "\"}");
	return text_span(out);
}

static struct span
refusal(void)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 74\r\n\r\n"
				   "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"nonce too low\"}}";
	return (struct span){(const uint8_t *)text, sizeof text - 1};
}

static void
in_pieces(struct forge *w, unsigned dir, struct span s)
{
	while (s.len > 0) {
		uint32_t n = forge_below(w, 3) ? s.len : 1 + forge_below(w, s.len);
		truly(w, dir, RIG_ACK, (struct span){s.p, n});
		s.p += n;
		s.len -= n;
	}
}

static void
open_connection(struct forge *w)
{
	rig_open(&w->g, &w->f, w->connection++ % CONNECTIONS);
	pause_us(w, 300);
}

/* The true sides go on: a request, its acknowledgement, an answer and its. */
static void
exchange(struct forge *w, struct text *t)
{
	in_pieces(w, 0, harmless(w, t));
	pause_us(w, 60);
	true_ack(w, 1);
	pause_us(w, 400);
	truly(w, 1, RIG_ACK, refusal());
	pause_us(w, 60);
	true_ack(w, 0);
}

static void
accepted(struct forge *w, struct text *t, struct span tx)
{
	in_pieces(w, 0, post(w, t, tx));
	pause_us(w, 100);
	true_ack(w, 1);
	wait(w, 3 * MS);
	truly(w, 1, RIG_ACK, acceptance(t, tx));
	pause_us(w, 100);
	true_ack(w, 0);
}

/* Other bytes for what was proven both ways, and bytes too far away: nothing of it is in the way of what comes later. */
static void
harry(struct forge *w)
{
	struct text other = {0};
	wait(w, 300 * MS);
	struct span forged = forgery(w, &other);
	for (unsigned i = 0; i < 3; i++) {
		uint32_t n = 1 + forge_below(w, 60);
		segment(w, 0, forge_below(w, 40), RIG_ACK, (struct span){forged.p, n}, w->f.sent[1]);
		segment(w, 0, w->f.sent[0] + (100u << 20), RIG_ACK, forged, w->f.sent[1]);
		segment(w, 1, forge_below(w, 40), RIG_ACK, (struct span){forged.p, n}, w->f.sent[0]);
	}
	text_free(&other);
}

void
forge_true(struct forge *w, struct span tx, bool attacked)
{
	struct text t = {0};
	w->way = "true";
	if (attacked)
		harry(w);
	else
		open_connection(w);
	accepted(w, &t, tx);
	text_free(&t);
}

/* ---- ways to forge ---- */

/* Before the true bytes, with or without ACK, shorter or longer. */
static void
before(struct forge *w, struct text *a, struct text *b)
{
	struct span forged = forgery(w, a);
	segment(w, 0, w->f.sent[0], forge_below(w, 4) ? RIG_ACK : 0, forged, w->f.sent[1]);
	pause_us(w, 5000);
	exchange(w, b);
}

static void
after(struct forge *w, struct text *a, struct text *b)
{
	struct span s = harmless(w, b), forged = forgery(w, a);
	uint32_t at = w->f.sent[0];
	in_pieces(w, 0, s);
	pause_us(w, 60);
	if (forge_below(w, 2))
		true_ack(w, 1);
	pause_us(w, 5000);
	segment(w, 0, at, RIG_ACK, forged, w->f.sent[1]);
	pause_us(w, 60);
	true_ack(w, 1);
	exchange(w, b);
}

/* Begins within true bytes, agreeing with them or not, and goes on where they end. */
static void
overlapping(struct forge *w, struct text *a, struct text *b)
{
	struct text t = {0};
	struct span s = harmless(w, b);
	uint32_t back = 1 + forge_below(w, s.len);
	in_pieces(w, 0, s);
	text_add(&t, "%.*s", (int)back, (const char *)s.p + s.len - back);
	struct span forged = forgery(w, a);
	text_add(&t, "%.*s", (int)forged.len, (const char *)forged.p);
	if (forge_below(w, 2))
		t.p[forge_below(w, back)] ^= 1;
	segment(w, 0, w->f.sent[0] - back, RIG_ACK, text_span(&t), w->f.sent[1]);
	pause_us(w, 60);
	true_ack(w, 1);
	pause_us(w, 900);
	exchange(w, b);
	text_free(&t);
}

/* Ahead of its turn; the true bytes come in the hole before it, and over it. */
static void
ahead(struct forge *w, struct text *a, struct text *b)
{
	struct span s = harmless(w, b), forged = forgery(w, a);
	segment(w, 0, w->f.sent[0] + s.len, RIG_ACK, forged, w->f.sent[1]);
	pause_us(w, 3000);
	in_pieces(w, 0, s);
	pause_us(w, 60);
	true_ack(w, 1);
	pause_us(w, 900);
	exchange(w, b);
}

static void
misplaced(struct forge *w, struct text *a, struct text *b)
{
	static const uint32_t far[] = {100u << 20, 0u - (100u << 20), 1u << 31, 3u << 20, 0u - (3u << 20)};
	uint32_t off = forge_below(w, 2) ? far[forge_below(w, 5)] : forge_below(w, 2) ? 1 + forge_below(w, 2000) : 0u - 1 - forge_below(w, 2000);
	struct span forged = forgery(w, a);
	if (forge_below(w, 2))
		exchange(w, b);
	for (unsigned i = 1 + forge_below(w, 6); i > 0; i--) {
		segment(w, 0, w->f.sent[0] + off, RIG_ACK, forged, w->f.sent[1]);
		off += forged.len;
	}
	pause_us(w, 500);
	exchange(w, b);
	exchange(w, b);
}

/* And its acknowledgement, in the right place or nearly; the true sides speak within a grace, one or both. */
static void
with_ack(struct forge *w, struct text *a, struct text *b)
{
	struct span forged = forgery(w, a);
	segment(w, 0, w->f.sent[0], RIG_ACK, forged, w->f.sent[1]);
	for (unsigned i = 1 + forge_below(w, 3); i > 0; i--) {
		pause_us(w, 100);
		uint32_t off = w->f.sent[1] + (forge_below(w, 4) ? 0 : forge_below(w, 2000) - 1000);
		segment(w, 1, off, RIG_ACK, nothing, w->f.sent[0] + forged.len + (forge_below(w, 4) ? 0 : forge_below(w, 3000)));
	}
	pause_us(w, 500);
	if (forge_below(w, 2))
		true_ack(w, forge_below(w, 2));
	exchange(w, b);
}

/* The same, and the connection seems to be over before its true sides go on. */
static void
with_end(struct forge *w, struct text *a, struct text *b)
{
	struct span forged = forgery(w, a);
	uint32_t end = w->f.sent[0] + forged.len;
	bool acked = forge_below(w, 2), fin = forge_below(w, 2);
	segment(w, 0, w->f.sent[0], RIG_ACK, forged, w->f.sent[1]);
	if (acked)
		segment(w, 1, w->f.sent[1], RIG_ACK, nothing, end);
	if (fin) {
		segment(w, 0, end, RIG_FIN | RIG_ACK, nothing, w->f.sent[1]);
		segment(w, 1, w->f.sent[1], RIG_FIN | RIG_ACK, nothing, end + acked);
	} else if (forge_below(w, 2)) {
		segment(w, 0, end, RIG_RST, nothing, 0);
	} else {
		segment(w, 1, w->f.sent[1], RIG_RST, nothing, 0);
	}
	pause_us(w, 500);
	exchange(w, b);
}

/* The acknowledgement of the true bytes is shown before they are. */
static void
askew(struct forge *w, struct text *a, struct text *b)
{
	struct span forged = forgery(w, a), s = harmless(w, b);
	segment(w, 0, w->f.sent[0], RIG_ACK, forged, w->f.sent[1]);
	pause_us(w, 3000);
	segment(w, 1, w->f.sent[1], RIG_ACK, nothing, w->f.sent[0] + (forge_below(w, 2) ? forged.len : s.len));
	pause_us(w, 800);
	in_pieces(w, 0, s);
	true_ack(w, 1);
	exchange(w, b);
}

/* A true client whose transaction the node refuses says yes for it, and acknowledges himself. */
static void
answer(struct forge *w, struct text *a, struct text *b)
{
	struct span tx = rig_tx(alarming(w), w->nonce++, 10 + forge_below(w, 400));
	struct span s = post(w, b, tx), no = refusal();
	set_forged(w, tx, true);
	in_pieces(w, 0, s);
	pause_us(w, 100);
	bool early = forge_below(w, 2);
	if (early)
		true_ack(w, 1);
	struct span yes = acceptance(a, tx);
	segment(w, 1, w->f.sent[1], RIG_ACK, yes, w->f.sent[0]);
	for (unsigned i = 1 + forge_below(w, 4); i > 0; i--) {
		pause_us(w, 20000);
		segment(w, 0, w->f.sent[0], RIG_ACK, nothing, w->f.sent[1] + yes.len);
		if (!early && i == 1)
			true_ack(w, 1);
	}
	pause_us(w, forge_below(w, 2) ? 2000 : 100000);
	truly(w, 1, RIG_ACK, no);
	pause_us(w, 60);
	true_ack(w, 0);
	free((void *)(uintptr_t)tx.p);
}

/* More is forged than is kept to be compared with. */
static void
flood(struct forge *w, struct text *a, struct text *b)
{
	struct text pad = {0};
	struct span forged = forgery(w, a);
	uint32_t at = w->f.sent[0];
	segment(w, 0, at, RIG_ACK, forged, w->f.sent[1]);
	text_add(&pad, "%*s", 1400, "x");
	for (unsigned i = 0; i < 4 + forge_below(w, 6); i++)
		segment(w, 0, at + forged.len + i * 1400, RIG_ACK, text_span(&pad), w->f.sent[1]);
	pause_us(w, 2000);
	exchange(w, b);
	exchange(w, b);
	text_free(&pad);
}

/* A client alone, of whom the node knows nothing. */
static void
half(struct forge *w, struct text *a, struct text *b)
{
	rig_join(&w->f, w->connection++ % CONNECTIONS);
	segment(w, 0, 0u - 1, RIG_SYN, nothing, 0);
	if (forge_below(w, 2))
		segment(w, 0, 0, RIG_ACK, nothing, 0);
	segment(w, 0, 0, RIG_ACK, forgery(w, a), 0);
	pause_us(w, 300);
	if (forge_below(w, 2))
		segment(w, 1, 0u - 1, RIG_RST | RIG_ACK, nothing, 0);
	pause_us(w, 3000);
	(void)b;
}

/* Both sides of a whole exchange: a submission, its acknowledgement, an acceptance and its. The true sides have something to say before its graces are over. */
static void
conversation(struct forge *w, struct text *a, struct text *b)
{
	struct span tx = rig_tx(TO_PAUSED, w->nonce++, 10 + forge_below(w, 400)), s = post(w, a, tx);
	uint32_t asked = s.len;
	set_forged(w, tx, false);
	set_forged(w, tx, true);
	segment(w, 0, w->f.sent[0], RIG_ACK, s, w->f.sent[1]);
	pause_us(w, 60);
	struct span yes = acceptance(a, tx);
	segment(w, 1, w->f.sent[1], RIG_ACK, yes, w->f.sent[0] + asked);
	pause_us(w, 60);
	segment(w, 0, w->f.sent[0] + asked, RIG_ACK, nothing, w->f.sent[1] + yes.len);
	pause_us(w, 500);
	if (forge_below(w, 2))
		true_ack(w, forge_below(w, 2));
	exchange(w, b);
	free((void *)(uintptr_t)tx.p);
}

/* All of it, in any order, while the true sides go on. */
static void
anything(struct forge *w, struct text *a, struct text *b)
{
	struct span forged = forgery(w, a);
	for (unsigned i = 2 + forge_below(w, 6); i > 0; i--) {
		uint32_t at = w->f.sent[0] + (forge_below(w, 3) ? 0 : forge_below(w, 600) - 300);
		switch (forge_below(w, 7)) {
		case 0:
		case 1:
			segment(w, 0, at, RIG_ACK, forged, w->f.sent[1]);
			break;
		case 2:
			segment(w, 1, w->f.sent[1], RIG_ACK, nothing, w->f.sent[0] + forged.len);
			break;
		case 3: {
			uint32_t n = 1 + forge_below(w, forged.len), from = forge_below(w, forged.len - n + 1);
			segment(w, 0, w->f.sent[0] + from, RIG_ACK, (struct span){forged.p + from, n}, w->f.sent[1]);
			break;
		}
		case 4:
			segment(w, forge_below(w, 2), w->f.sent[0], forge_below(w, 2) ? RIG_FIN | RIG_ACK : RIG_RST, nothing, w->f.sent[1]);
			break;
		case 5:
			segment(w, 1, w->f.sent[1], RIG_ACK, refusal(), w->f.sent[0] + forged.len);
			break;
		default:
			exchange(w, b);
			break;
		}
		pause_us(w, 100);
	}
	exchange(w, b);
	exchange(w, b);
}

static const struct {
	const char *name;
	void (*go)(struct forge *w, struct text *a, struct text *b);
} ways[] = {{"before", before}, {"after", after}, {"overlapping", overlapping}, {"ahead", ahead}, {"misplaced", misplaced}, {"with_ack", with_ack},
	{"with_end", with_end}, {"askew", askew}, {"answer", answer}, {"flood", flood}, {"half", half}, {"conversation", conversation}, {"anything", anything}};

void
forge_round(struct forge *w)
{
	static struct text a, b;
	unsigned i = forge_below(w, sizeof ways / sizeof *ways);
	w->way = ways[i].name;
	if (ways[i].go != half)
		open_connection(w);
	if (ways[i].go != half && forge_below(w, 2))
		exchange(w, &b);
	ways[i].go(w, &a, &b);
	wait(w, forge_below(w, 8) ? 2 * MS : 300 * MS);
}
