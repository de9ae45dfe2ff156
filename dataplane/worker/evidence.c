/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/evidence.h"

#include "worker/worker_private.h"

#include <string.h>

_Static_assert(sizeof(struct evidence) == 64 && offsetof(struct evidence_flow, turn) == 64, "what is needed most lies in one cache line");

#define BY_MAC UINT32_MAX
#define NOT_YET (TRUST_NOT_ACKED | TRUST_OVERLAP_CONFLICT)
/* What no acknowledgement makes good. */
#define NEVER \
	(TRUST_GAP_BEFORE | TRUST_MIDSTREAM | TRUST_ONE_DIRECTION | TRUST_TRUNCATED | TRUST_AHEAD | TRUST_MAC_UNVERIFIED | TRUST_INVALID)
#define OF_ANSWER_KEY 0x9e3779b97f4a7c15u
#define ROOM_EIGHTHS 2u
#define SWEEP_STEPS 2u /* flows with plain crossings that are looked at each burst, at least */
#define OLDEST_STEPS 16u /* flows looked at to take one's place */

size_t
evidence_bytes(uint32_t n_flows)
{
	return (size_t)EVIDENCE_ENTRIES * sizeof(struct evidence) + ((size_t)n_flows + 1) * sizeof(struct evidence_flow) +
	       2 * (size_t)EVIDENCE_KNOWN * sizeof(uint64_t);
}

void
evidence_init(struct evidence_table *t, void *mem, uint32_t n_flows, uint64_t grace_ns, uint64_t answer_grace_ns)
{
	memset(t, 0, sizeof *t);
	t->entries = mem;
	t->flows = (struct evidence_flow *)(void *)(t->entries + EVIDENCE_ENTRIES);
	t->found = (uint64_t *)(void *)(t->flows + n_flows + 1);
	t->proven = t->found + EVIDENCE_KNOWN;
	t->grace_ns[0] = grace_ns != 0 ? grace_ns : EVIDENCE_GRACE_NS;
	t->grace_ns[1] = answer_grace_ns != 0 ? answer_grace_ns : EVIDENCE_ANSWER_GRACE_NS;
	for (uint32_t i = n_flows; i > 0; i--) {
		t->flows[i].younger = t->flows_free;
		t->flows_free = i;
	}
	for (uint32_t i = EVIDENCE_ENTRIES - 1; i > 0; i--) {
		t->entries[i].next = t->free;
		t->free = i;
	}
}

/* ---- fingerprints that are remembered ---- */

static uint64_t *
place_of(uint64_t *table, uint64_t key)
{
	return &table[(key >> 20) & (EVIDENCE_KNOWN - 1)];
}

static bool
knows(uint64_t *table, uint64_t key)
{
	return *place_of(table, key) == key;
}

static uint64_t
key_of(uint64_t fingerprint, bool of_answer)
{
	return of_answer ? fingerprint ^ OF_ANSWER_KEY : fingerprint;
}

/* ---- what is told ---- */

static void
send(struct worker *w)
{
	struct evidence_table *t = &w->evidence;
	uint32_t n = t->n_out, bytes = (uint32_t)(sizeof(struct fact_evidence) + n * sizeof t->out[0]);
	if (n == 0)
		return;
	struct fact_evidence *m = t->urgent ? pipe_reserve(&w->pipe, bytes) : pipe_reserve_soft(&w->pipe, bytes, ROOM_EIGHTHS);
	w->ctr[t->urgent ? CTR_EVIDENCE_LOST : CTR_FACTS_LEFT_OUT] += m == NULL ? n : 0;
	t->n_out = 0;
	t->urgent = false;
	if (m == NULL)
		return;
	m->kind = FACT_EVIDENCE;
	m->n = n;
	m->t_ns = w->now_ns;
	memcpy(m->item, t->out, n * sizeof t->out[0]);
	pipe_commit(&w->pipe);
}

/* What has no findings interests nobody but who follows lives. */
static void
tell(struct worker *w, const struct fact_evidence_item *item, bool found)
{
	struct evidence_table *t = &w->evidence;
	if (!found && !w->lives)
		return;
	t->out[t->n_out++] = *item;
	t->urgent |= found;
	if (t->n_out == EVIDENCE_BATCH)
		send(w);
}

/* ---- queues ---- */

static void
push(struct evidence_table *t, struct evidence_queue *q, struct evidence *e)
{
	uint32_t i = (uint32_t)(e - t->entries);
	e->next = 0;
	if (q->last != 0)
		t->entries[q->last].next = i;
	else
		q->first = i;
	q->last = i;
}

static struct evidence *
pop(struct evidence_table *t, struct evidence_queue *q)
{
	struct evidence *e = &t->entries[q->first];
	q->first = e->next;
	if (q->first == 0)
		q->last = 0;
	return e;
}

static struct evidence *
pop_wait(struct evidence_table *t, struct evidence_flow *v, unsigned dir)
{
	v->n_waits[dir]--;
	return pop(t, &v->waits[dir]);
}

static struct evidence *
pop_grace(struct evidence_table *t, struct evidence_queue *q)
{
	struct evidence *e = pop(t, q);
	t->flows[e->of].n_grace[e->dir]--;
	return e;
}

static void
push_grace(struct evidence_table *t, struct evidence *e, uint64_t now_ns)
{
	e->due_ns = now_ns + t->grace_ns[e->of_answer];
	t->flows[e->of].n_grace[e->dir]++;
	push(t, &t->grace[e->of_answer], e);
}

/* ---- flows ---- */

static void
flow_unlink(struct evidence_table *t, struct evidence_flow *v)
{
	if (v->older != 0)
		t->flows[v->older].younger = v->younger;
	else
		t->used.first = v->younger;
	if (v->younger != 0)
		t->flows[v->younger].older = v->older;
	else
		t->used.last = v->older;
}

static void
flow_append(struct evidence_table *t, struct evidence_flow *v)
{
	uint32_t i = (uint32_t)(v - t->flows);
	v->older = t->used.last;
	v->younger = 0;
	if (t->used.last != 0)
		t->flows[t->used.last].younger = i;
	else
		t->used.first = i;
	t->used.last = i;
}

static struct evidence_flow *
flow_of(struct evidence_table *t, const struct flow *f)
{
	return f->app32 == 0 ? NULL : &t->flows[f->app32];
}

static bool
has_entries(const struct evidence_flow *v, unsigned dir)
{
	return v->n_waits[dir] + v->n_grace[dir] > 0;
}

static bool
has_plain(const struct evidence_flow *v, unsigned dir)
{
	return v->ring[dir].n > 0 || (dir == 1 && v->ring[EVIDENCE_OF_ANSWERS].n > 0);
}

static bool
is_idle(const struct evidence_flow *v)
{
	return !has_entries(v, 0) && !has_entries(v, 1) && !has_plain(v, 0) && !has_plain(v, 1) && v->n_refs == 0;
}

static void
flow_free(struct evidence_table *t, struct evidence_flow *v)
{
	struct flow *f = v->flow;
	uint32_t i = (uint32_t)(v - t->flows);
	if (f->app32 == i) { /* else its place is another flow's by now */
		f->app32 = 0;
		f->watch &= (uint8_t)~(STREAM_WATCH(0) | STREAM_WATCH(1) | STREAM_TRACKED);
	}
	flow_unlink(t, v);
	v->flow = NULL;
	v->turn++;
	v->younger = t->flows_free;
	t->flows_free = i;
}

/* A crossing of it has come to its end. */
static void
flow_rest(struct evidence_table *t, struct evidence_flow *v, unsigned dir)
{
	if (has_entries(v, dir))
		return;
	if (v->flow->app32 == (uint32_t)(v - t->flows))
		v->flow->watch &= (uint8_t)~STREAM_WATCH(dir);
	if (!has_plain(v, dir) && v->n_refs == 0)
		v->denied[dir] = UINT64_MAX;
	if (v->closed && is_idle(v))
		flow_free(t, v);
}

/* ---- an entry's end: it is in no queue any more ---- */

static void
give_back(struct evidence_table *t, struct evidence *e)
{
	e->next = t->free;
	t->free = (uint32_t)(e - t->entries);
	flow_rest(t, &t->flows[e->of], e->dir);
}

static __attribute__((noinline)) void
fail(struct worker *w, struct evidence *e, enum sentinel_counter why)
{
	struct fact_evidence_item item = {.fingerprint = e->fingerprint, .trust = e->trust | TRUST_NOT_ACKED, .of_answer = e->of_answer};
	item.trust |= why == CTR_EVIDENCE_BELIED ? TRUST_OVERLAP_CONFLICT : 0;
	w->ctr[why]++;
	tell(w, &item, true);
	give_back(&w->evidence, e);
}

static void
proven(struct worker *w, struct evidence_flow *v, unsigned dir, uint64_t end, const struct fact_evidence_item *item, bool found)
{
	uint64_t key = key_of(item->fingerprint, item->of_answer);
	w->ctr[CTR_EVIDENCE_PROVEN]++;
	if (v->settled[dir] < end)
		v->settled[dir] = end;
	*place_of(w->evidence.proven, key) = key;
	aside_proven(w, item);
	tell(w, item, found);
}

static void
prove(struct worker *w, struct evidence *e)
{
	struct fact_evidence_item item = {
		.fingerprint = e->fingerprint, .trust = e->trust & ~(uint32_t)NOT_YET, .acked = true, .of_answer = e->of_answer};
	proven(w, &w->evidence.flows[e->of], e->dir, e->end, &item, true);
	give_back(&w->evidence, e);
}

/* ---- plain ones ---- */

static unsigned
dir_of(unsigned kind)
{
	return kind == EVIDENCE_OF_0 ? 0 : 1;
}

static bool
denied(const struct evidence_flow *v, unsigned dir, uint64_t end, uint32_t noted)
{
	return end > v->denied[dir] && (int32_t)((uint32_t)(v->denied_ns[dir] >> 10) - noted) >= 0;
}

static void
list_busy(struct evidence_table *t, struct evidence_flow *v)
{
	uint32_t i = (uint32_t)(v - t->flows);
	v->busy = 0;
	if (t->busy.last != 0)
		t->flows[t->busy.last].busy = i;
	else
		t->busy.first = i;
	t->busy.last = i;
	t->n_busy++;
	v->listed = true;
}

/* What the receiver has acknowledged where he should be. */
static uint64_t
acked_by_net(const struct evidence_flow *v, unsigned dir)
{
	const struct flow *f = v->flow;
	if (v->closed)
		return v->acked[dir];
	return f->watch & (STREAM_LOOSE(dir) | STREAM_LOWERED(dir)) ? 0 : stream_acked(f, dir);
}

static void
note_plain(struct worker *w, struct evidence_flow *v, unsigned kind, uint64_t fingerprint, uint32_t trust)
{
	struct evidence_ring *r = &v->ring[kind];
	if (r->n == EVIDENCE_PLAIN)
		return;
	if (!has_plain(v, dir_of(kind)))
		v->flow->watch &= (uint8_t)~STREAM_LOWERED(dir_of(kind));
	r->of[(r->first + r->n++) % EVIDENCE_PLAIN] = (struct evidence_plain){fingerprint, w->end, trust, (uint32_t)(w->now_ns >> 10)};
	w->ctr[CTR_EVIDENCE_NOTED]++;
	if (!v->listed)
		list_busy(&w->evidence, v);
}

/* A place whose fingerprint is 0 is one that has been taken out. */
static void
ripe_one(struct worker *w, struct evidence_flow *v, unsigned kind, const struct evidence_plain *p)
{
	unsigned d = dir_of(kind);
	struct fact_evidence_item item = {
		.fingerprint = p->fingerprint, .trust = p->trust & ~(uint32_t)NOT_YET, .acked = true, .of_answer = kind == EVIDENCE_OF_ANSWERS};
	if (p->fingerprint == 0)
		return;
	if (p->end > v->disputed[d] || denied(v, d, p->end, p->noted))
		w->ctr[CTR_EVIDENCE_BELIED]++;
	else
		proven(w, v, d, p->end, &item, false);
}

static void
clear_plain(struct worker *w, struct evidence_flow *v, unsigned kind, uint64_t from, enum sentinel_counter why)
{
	struct evidence_ring *r = &v->ring[kind];
	while (r->n > 0 && r->of[(r->first + r->n - 1) % EVIDENCE_PLAIN].end > from) {
		w->ctr[why] += r->of[(r->first + r->n - 1) % EVIDENCE_PLAIN].fingerprint != 0;
		r->n--;
	}
}

/* All up to the mark, if its grace is over and no less was acknowledged in it; then the next mark. */
static void
ripen(struct worker *w, struct evidence_flow *v, unsigned kind, uint64_t now_ns)
{
	struct evidence_ring *r = &v->ring[kind];
	unsigned d = dir_of(kind);
	uint64_t grace = w->evidence.grace_ns[kind == EVIDENCE_OF_ANSWERS], acked = acked_by_net(v, d);
	bool end = now_ns == UINT64_MAX; /* of all time */
	if (r->n == 0 || (!end && r->mark_ns != 0 && now_ns < r->mark_ns + grace))
		return;
	if (end)
		r->mark = acked;
	while (r->n > 0 && (end || r->mark_ns != 0) && r->of[r->first].end <= r->mark) {
		ripe_one(w, v, kind, &r->of[r->first]);
		r->first = (r->first + 1) % EVIDENCE_PLAIN;
		r->n--;
	}
	r->mark = acked;
	r->mark_ns = r->n > 0 && acked >= r->of[r->first].end ? now_ns : 0;
}

/* True: it was there. */
static bool
take_plain(struct evidence_flow *v, unsigned kind, uint64_t fingerprint, uint64_t end)
{
	struct evidence_ring *r = &v->ring[kind];
	for (uint32_t i = 0; i < r->n; i++) {
		struct evidence_plain *p = &r->of[(r->first + i) % EVIDENCE_PLAIN];
		if (p->fingerprint != fingerprint || p->end != end)
			continue;
		p->fingerprint = 0;
		return true;
	}
	return false;
}

/* Plain ones get no second chance. */
static void
lowered(struct worker *w, struct evidence_flow *v)
{
	for (unsigned kind = 0; kind < EVIDENCE_KINDS && !v->closed; kind++)
		if (v->flow->watch & STREAM_LOWERED(dir_of(kind)))
			clear_plain(w, v, kind, 0, CTR_EVIDENCE_BELIED);
}

static void
sweep(struct worker *w, uint64_t now_ns)
{
	struct evidence_table *t = &w->evidence;
	uint32_t steps = now_ns == UINT64_MAX ? t->n_busy : SWEEP_STEPS + t->n_busy / 64;
	for (; steps > 0 && t->busy.first != 0; steps--) {
		struct evidence_flow *v = &t->flows[t->busy.first];
		t->busy.first = v->busy;
		if (t->busy.first == 0)
			t->busy.last = 0;
		t->n_busy--;
		v->listed = false;
		if (v->flow == NULL)
			continue;
		lowered(w, v);
		for (unsigned kind = 0; kind < EVIDENCE_KINDS; kind++)
			ripen(w, v, kind, now_ns);
		if (has_plain(v, 0) || has_plain(v, 1))
			list_busy(t, v);
		for (unsigned d = 0; d < 2 && v->flow != NULL; d++)
			flow_rest(t, v, d);
	}
}

/* ---- making room ---- */

static void
fail_waits(struct worker *w, struct evidence_flow *v, enum sentinel_counter why)
{
	struct evidence_table *t = &w->evidence;
	for (unsigned d = 0; d < 2; d++)
		while (v->n_waits[d] > 0)
			fail(w, pop_wait(t, v, d), why);
}

/* A flow that has been silent for long, with entries that wait, or with none in their grace: what was not acknowledged anybody can have
 * forged. */
static struct evidence_flow *
old_flow(struct evidence_table *t, bool waits)
{
	for (unsigned step = 0; step < OLDEST_STEPS && t->used.first != 0; step++) {
		struct evidence_flow *v = &t->flows[t->used.first];
		bool fits = waits ? v->n_waits[0] + v->n_waits[1] > 0 : v->n_grace[0] + v->n_grace[1] + v->n_refs == 0;
		if (fits && (!v->spoke || step == OLDEST_STEPS - 1))
			return v;
		v->spoke = false;
		flow_unlink(t, v);
		flow_append(t, v);
	}
	return NULL;
}

static __attribute__((noinline)) void
make_room(struct worker *w)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_flow *v = old_flow(t, true);
	if (v != NULL)
		fail(w, pop_wait(t, v, v->n_waits[0] == 0), CTR_EVIDENCE_EVICTED);
	else if (t->grace[1].first != 0 || t->grace[0].first != 0)
		fail(w, pop_grace(t, &t->grace[t->grace[1].first != 0]), CTR_EVIDENCE_EVICTED);
}

/* n_refs of a flow whose crossings are judged only later holds it; so does `closed` none that goes on. */
static __attribute__((noinline)) struct evidence_flow *
make_flow(struct worker *w, struct flow *f)
{
	struct evidence_table *t = &w->evidence;
	if (t->flows_free == 0) {
		struct evidence_flow *old = old_flow(t, false);
		if (old == NULL)
			return NULL;
		old->closed = false; /* freed here, and once */
		fail_waits(w, old, CTR_EVIDENCE_EVICTED);
		for (unsigned kind = 0; kind < EVIDENCE_KINDS; kind++)
			clear_plain(w, old, kind, 0, CTR_EVIDENCE_EVICTED);
		flow_free(t, old);
	}
	struct evidence_flow *v = &t->flows[t->flows_free];
	t->flows_free = v->younger;
	*v = (struct evidence_flow){.flow = f,
		.turn = v->turn,
		.listed = v->listed,
		.busy = v->busy,
		.disputed = {UINT64_MAX, UINT64_MAX},
		.denied = {UINT64_MAX, UINT64_MAX}};
	flow_append(t, v);
	f->app32 = (uint32_t)(v - t->flows);
	f->watch |= STREAM_TRACKED;
	return v;
}

static struct evidence_flow *
take_flow(struct worker *w, struct flow *f)
{
	struct evidence_flow *v = flow_of(&w->evidence, f);
	if (v == NULL)
		return make_flow(w, f);
	v->spoke = true;
	return v;
}

/* ---- crossings ---- */

/* What is being read now can be proven by what its receiver says. */
static bool
provable(const struct worker *w, uint32_t trust)
{
	return w->end_flow == w->flow && w->end_dir == w->dir && (trust & NEVER) == 0 && (w->flow->watch & STREAM_SULLIED) == 0;
}

static unsigned
kind_of(unsigned dir, bool of_answer)
{
	return of_answer ? EVIDENCE_OF_ANSWERS : dir == 0 ? EVIDENCE_OF_0 : EVIDENCE_OF_1;
}

/* Into its flow's queue, which is in the order of the stream; if it was acknowledged in the meantime, into its grace. */
static void
wait_for(struct worker *w, const struct evidence_ref *ref, uint64_t fingerprint, uint32_t trust, bool of_answer)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_flow *v = &t->flows[ref->of];
	struct evidence_queue *q = &v->waits[ref->dir];
	if (v->n_waits[ref->dir] == EVIDENCE_PER_FLOW)
		fail(w, pop_wait(t, v, ref->dir), CTR_EVIDENCE_EVICTED);
	if (t->free == 0)
		make_room(w);
	struct evidence *e = &t->entries[t->free];
	t->free = e->next;
	*e = (struct evidence){.fingerprint = fingerprint, .end = ref->end, .noted_ns = w->now_ns, .trust = trust, .of = ref->of,
		.dir = ref->dir, .of_answer = of_answer};
	if (!v->closed) {
		v->flow->watch |= (uint8_t)STREAM_WATCH(ref->dir);
		if (!has_entries(v, ref->dir)) /* else it knows better */
			v->acked[ref->dir] = acked_by_net(v, ref->dir);
	}
	if (v->acked[ref->dir] >= ref->end) {
		push_grace(t, e, w->now_ns);
		return;
	}
	v->n_waits[ref->dir]++;
	uint32_t before = 0, at = q->first, i = (uint32_t)(e - t->entries);
	if (q->last == 0 || t->entries[q->last].end <= e->end) {
		push(t, q, e);
		return;
	}
	for (; t->entries[at].end <= e->end; at = t->entries[at].next)
		before = at;
	e->next = at;
	if (before != 0)
		t->entries[before].next = i;
	else
		q->first = i;
}

void
evidence_note(struct worker *w, uint64_t fingerprint, uint32_t trust, bool of_answer, struct evidence_ref *keep)
{
	struct evidence_table *t = &w->evidence;
	unsigned d = w->dir;
	if (keep != NULL)
		keep->of = 0;
	if (w->probing || w->flow == NULL)
		return;
	if (w->conn != NULL && w->conn->side[d].proto == CONN_RLPX) {
		if (keep != NULL && !(trust & TRUST_MAC_UNVERIFIED))
			keep->of = BY_MAC;
		return;
	}
	if (!provable(w, trust) || (of_answer && d == 0))
		return;
	if (knows(t->proven, key_of(fingerprint, of_answer)))
		return;
	struct evidence_flow *v = take_flow(w, w->flow);
	if (v == NULL)
		return;
	struct evidence_ref ref = {w->flow->app32, v->turn, w->end, (uint8_t)d};
	if (keep != NULL) {
		*keep = ref;
		v->n_refs++;
	} else if (knows(t->found, fingerprint)) {
		w->ctr[CTR_EVIDENCE_NOTED]++;
		wait_for(w, &ref, fingerprint, trust, of_answer);
		return;
	}
	note_plain(w, v, kind_of(d, of_answer), fingerprint, trust);
}

/* Cannot be proven by its own flow; what has become of an earlier crossing proves this one too. */
static void
tell_at_once(struct worker *w, const struct evidence_ref *ref, uint64_t fingerprint, uint32_t trust, bool of_answer, bool told)
{
	struct fact_evidence_item item = {.fingerprint = fingerprint, .trust = trust, .of_answer = of_answer};
	if (ref->of == BY_MAC) {
		item.mac = true;
		item.trust &= ~(uint32_t)TRUST_NOT_ACKED;
		w->ctr[CTR_EVIDENCE_MAC]++;
	} else if (knows(w->evidence.proven, key_of(fingerprint, of_answer))) {
		item.acked = true;
		item.trust &= ~(uint32_t)(NOT_YET | NEVER | TRUST_INCLUDED); /* the earlier one may have been in no block */
	}
	tell(w, &item, told);
}

void
evidence_judged(struct worker *w, const struct evidence_ref *ref, uint64_t fingerprint, uint32_t trust, bool of_answer, enum evidence_verdict verdict)
{
	struct evidence_table *t = &w->evidence;
	bool told = verdict == EVIDENCE_TOLD;
	if (told)
		*place_of(t->found, fingerprint) = fingerprint;
	if (ref->of == 0 || ref->of == BY_MAC) {
		if (told || (ref->of == BY_MAC && verdict != EVIDENCE_NO_TRANSACTION))
			tell_at_once(w, ref, fingerprint, trust, of_answer, told);
		return;
	}
	struct evidence_flow *v = &t->flows[ref->of];
	if (verdict != EVIDENCE_NO_FINDINGS) {
		bool there = take_plain(v, kind_of(ref->dir, of_answer), fingerprint, ref->end);
		w->ctr[CTR_EVIDENCE_DROPPED] += there && !told;
		w->ctr[CTR_EVIDENCE_NOTED] += !there && told;
		if (told)
			wait_for(w, ref, fingerprint, trust, of_answer);
	} else if (knows(t->found, fingerprint)) { /* again, before the first is proven */
		bool there = take_plain(v, kind_of(ref->dir, of_answer), fingerprint, ref->end);
		w->ctr[CTR_EVIDENCE_NOTED] += !there;
		wait_for(w, ref, fingerprint, trust, of_answer);
	}
	if (v->closed) /* n_refs holds it */
		fail_waits(w, v, CTR_EVIDENCE_ENDED);
	v->n_refs--;
	for (unsigned d = 0; d < 2 && v->closed && v->flow != NULL; d++)
		flow_rest(t, v, d);
}

/* ---- what net tells ---- */

void
evidence_acked(struct worker *w, struct flow *f, unsigned dir, uint64_t off, bool in_place, uint64_t now_ns)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_flow *v = flow_of(t, f);
	if (v == NULL)
		return;
	if (off < v->acked[dir]) {
		v->acked[dir] = off;
		v->lowered_ns[dir] = now_ns;
		return;
	}
	if (!in_place || off == v->acked[dir])
		return;
	v->acked[dir] = off;
	while (v->n_waits[dir] > 0 && t->entries[v->waits[dir].first].end <= off)
		push_grace(t, pop_wait(t, v, dir), now_ns);
}

/* Soon after it came, a segment that says the sender is not that far may be late, or be seen twice: it counts against an acknowledgement, no
 * more. */
static void
deny(struct worker *w, struct evidence_flow *v, unsigned dir, uint64_t from, enum stream_belied why)
{
	struct evidence_table *t = &w->evidence;
	uint64_t until = why == BELIED_SENDER ? w->now_ns - t->grace_ns[0] : w->now_ns;
	if (v->denied[dir] > from)
		v->denied[dir] = from;
	v->denied_ns[dir] = until;
	if (why == BELIED_SENDER && v->acked[dir] > from)
		v->lowered_ns[dir] = w->now_ns;
}

void
evidence_belied(struct worker *w, struct flow *f, unsigned dir, uint64_t from, uint64_t to, enum stream_belied why)
{
	struct evidence_flow *v = flow_of(&w->evidence, f);
	if (v != NULL && to <= v->settled[dir])
		return;
	if (why != BELIED_OTHER_BYTES && why != BELIED_UNCOMPARED && why != BELIED_URGENT) {
		if (v != NULL)
			deny(w, v, dir, from, why);
		return;
	}
	w->ctr[CTR_EVIDENCE_SULLIED] += (f->watch & STREAM_SULLIED) == 0;
	f->watch |= STREAM_SULLIED;
	if (v == NULL)
		return;
	if (v->disputed[dir] > from)
		v->disputed[dir] = from;
	v->disputed[!dir] = 0; /* what one side says may be why the other is read as it is */
}

void
evidence_closed(struct worker *w, struct flow *f)
{
	struct evidence_flow *v = flow_of(&w->evidence, f);
	if (v == NULL)
		return;
	lowered(w, v);
	for (unsigned d = 0; d < 2; d++)
		if (!has_entries(v, d)) /* else it knows better */
			v->acked[d] = acked_by_net(v, d);
	fail_waits(w, v, CTR_EVIDENCE_ENDED);
	for (unsigned kind = 0; kind < EVIDENCE_KINDS; kind++)
		clear_plain(w, v, kind, v->acked[dir_of(kind)], CTR_EVIDENCE_ENDED);
	v->closed = true;
	if (is_idle(v))
		flow_free(&w->evidence, v);
}

/* ---- the end of a grace ---- */

static void
judge(struct worker *w, struct evidence *e, uint64_t now_ns)
{
	struct evidence_table *t = &w->evidence;
	const struct evidence_flow *v = &t->flows[e->of];
	unsigned d = e->dir;
	bool disturbed = e->end > v->acked[d] || (int64_t)(v->lowered_ns[d] - (e->due_ns - t->grace_ns[e->of_answer])) >= 0;
	if (e->end > v->disputed[d] || denied(v, d, e->end, (uint32_t)(e->noted_ns >> 10)) || (disturbed && e->tries == EVIDENCE_TRIES)) {
		fail(w, e, CTR_EVIDENCE_BELIED);
	} else if (disturbed) {
		e->tries++;
		push_grace(t, e, now_ns);
	} else {
		prove(w, e);
	}
}

/* What was told of it before is not known to the correlator. */
void
evidence_late(struct worker *w, uint64_t fingerprint, uint32_t trust, const struct fact_evidence_item *proof)
{
	const struct evidence_ref none = {0};
	if (proof == NULL) {
		evidence_judged(w, &none, fingerprint, trust, false, EVIDENCE_TOLD);
		return;
	}
	*place_of(w->evidence.found, fingerprint) = fingerprint;
	tell(w, proof, true);
}

void
evidence_tell(struct worker *w, uint64_t now_ns)
{
	struct evidence_table *t = &w->evidence;
	for (unsigned answer = 0; answer < 2; answer++)
		while (t->grace[answer].first != 0 && t->entries[t->grace[answer].first].due_ns <= now_ns)
			judge(w, pop_grace(t, &t->grace[answer]), now_ns);
	if (t->n_busy > 0)
		sweep(w, now_ns);
	if (t->n_out > 0)
		send(w);
}
