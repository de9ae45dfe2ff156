/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/evidence.h"

#include "worker/worker_private.h"

#include <string.h>

_Static_assert(sizeof(struct evidence) == 64 && sizeof(struct evidence_flow) == 192, "whole cache lines");

#define BY_MAC UINT32_MAX
#define NOT_YET (TRUST_NOT_ACKED | TRUST_OVERLAP_CONFLICT)
/* What no acknowledgement makes good. */
#define NEVER \
	(TRUST_GAP_BEFORE | TRUST_MIDSTREAM | TRUST_ONE_DIRECTION | TRUST_TRUNCATED | TRUST_AHEAD | TRUST_MAC_UNVERIFIED | TRUST_INVALID)
#define OF_ANSWER_KEY 0x9e3779b97f4a7c15u
#define ROOM_EIGHTHS 2u
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
	__builtin_prefetch(&t->entries[q->first]); /* it was noted long ago */
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
	t->n_plain[0] -= q == &t->grace[0][0];
	t->n_plain[1] -= q == &t->grace[1][0];
	return e;
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
	return f->app[2] == 0 ? NULL : &t->flows[f->app[2]];
}

static bool
is_idle(const struct evidence_flow *v)
{
	return (v->n_waits[0] | v->n_waits[1] | v->n_grace[0] | v->n_grace[1]) == 0;
}

static void
flow_free(struct evidence_table *t, struct evidence_flow *v)
{
	struct flow *f = v->flow;
	uint32_t i = (uint32_t)(v - t->flows);
	if (f->app[2] == i) { /* else its place is another flow's by now */
		f->app[2] = 0;
		f->watch &= (uint8_t)~STREAM_WATCHED;
	}
	flow_unlink(t, v);
	v->flow = NULL;
	v->younger = t->flows_free;
	t->flows_free = i;
}

/* A crossing of it has come to its end. */
static void
flow_rest(struct evidence_table *t, struct evidence_flow *v, unsigned dir)
{
	if (v->n_waits[dir] + v->n_grace[dir] > 0)
		return;
	if (v->flow->app[2] == (uint64_t)(v - t->flows))
		v->flow->watch &= (uint8_t)~STREAM_WATCH(dir);
	v->denied[dir] = UINT64_MAX;
	if (v->closed && is_idle(v))
		flow_free(t, v);
}

/* ---- an entry's end: it is in no queue any more ---- */

static void
give_back(struct evidence_table *t, struct evidence *e)
{
	e->turn++;
	e->next = t->free;
	t->free = (uint32_t)(e - t->entries);
	flow_rest(t, &t->flows[e->of], e->dir);
}

static __attribute__((noinline)) void
fail(struct worker *w, struct evidence *e, enum sentinel_counter why)
{
	w->ctr[why]++;
	if (e->found) {
		struct fact_evidence_item item = {
			.fingerprint = e->fingerprint, .trust = e->trust | TRUST_NOT_ACKED, .of_answer = e->of_answer};
		item.trust |= why == CTR_EVIDENCE_BELIED ? TRUST_OVERLAP_CONFLICT : 0;
		tell(w, &item, true);
	}
	give_back(&w->evidence, e);
}

/* The oldest without findings give way; the youngest may not have been judged yet. */
static void
push_grace(struct worker *w, struct evidence *e, uint64_t now_ns)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_queue *q = &t->grace[e->of_answer][e->found];
	e->due_ns = now_ns + t->grace_ns[e->of_answer];
	t->flows[e->of].n_grace[e->dir]++;
	t->n_plain[e->of_answer] += !e->found;
	push(t, q, e);
	if (!e->found && t->n_plain[e->of_answer] > EVIDENCE_PLAIN)
		fail(w, pop_grace(t, q), CTR_EVIDENCE_EVICTED);
}

static void
prove(struct worker *w, struct evidence *e)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_flow *v = &t->flows[e->of];
	struct fact_evidence_item item = {
		.fingerprint = e->fingerprint, .trust = e->trust & ~(uint32_t)NOT_YET, .acked = true, .of_answer = e->of_answer};
	uint64_t key = key_of(e->fingerprint, e->of_answer);
	w->ctr[CTR_EVIDENCE_PROVEN]++;
	if (v->settled[e->dir] < e->end)
		v->settled[e->dir] = e->end;
	*place_of(t->proven, key) = key;
	tell(w, &item, e->found);
	give_back(t, e);
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
		bool fits = waits ? v->n_waits[0] + v->n_waits[1] > 0 : v->n_grace[0] + v->n_grace[1] == 0;
		if (fits && (!v->spoke || step == OLDEST_STEPS - 1))
			return v;
		v->spoke = false;
		flow_unlink(t, v);
		flow_append(t, v);
	}
	return NULL;
}

static bool
evict_grace(struct worker *w, unsigned found)
{
	struct evidence_table *t = &w->evidence;
	for (unsigned answer = 2; answer-- > 0;) {
		if (t->grace[answer][found].first == 0)
			continue;
		fail(w, pop_grace(t, &t->grace[answer][found]), CTR_EVIDENCE_EVICTED);
		return true;
	}
	return false;
}

static __attribute__((noinline)) void
make_room(struct worker *w)
{
	struct evidence_table *t = &w->evidence;
	if (evict_grace(w, 0))
		return;
	struct evidence_flow *v = old_flow(t, true);
	if (v != NULL)
		fail_waits(w, v, CTR_EVIDENCE_EVICTED);
	else
		evict_grace(w, 1);
}

static __attribute__((noinline)) struct evidence_flow *
make_flow(struct worker *w, struct flow *f)
{
	struct evidence_table *t = &w->evidence;
	if (t->flows_free == 0) {
		struct evidence_flow *old = old_flow(t, false);
		if (old == NULL)
			return NULL;
		fail_waits(w, old, CTR_EVIDENCE_EVICTED);
		flow_free(t, old);
	}
	struct evidence_flow *v = &t->flows[t->flows_free];
	t->flows_free = v->younger;
	*v = (struct evidence_flow){.flow = f, .disputed = {UINT64_MAX, UINT64_MAX}, .denied = {UINT64_MAX, UINT64_MAX}};
	flow_append(t, v);
	f->app[2] = (uint64_t)(v - t->flows);
	return v;
}

static struct evidence_flow *
take_flow(struct worker *w, struct flow *f)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_flow *v = flow_of(t, f);
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

struct evidence_ref
evidence_note(struct worker *w, uint64_t fingerprint, uint32_t trust, bool of_answer)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_ref none = {0};
	unsigned d = w->dir;
	if (w->probing || w->flow == NULL)
		return none;
	if (w->conn != NULL && w->conn->side[d].proto == CONN_RLPX)
		return trust & TRUST_MAC_UNVERIFIED ? none : (struct evidence_ref){BY_MAC, 0};
	if (!provable(w, trust))
		return none;
	bool found = knows(t->found, fingerprint);
	if ((of_answer && !found && t->n_plain[1] >= EVIDENCE_PLAIN) || knows(t->proven, key_of(fingerprint, of_answer)))
		return none;
	struct evidence_flow *v = take_flow(w, w->flow);
	if (v == NULL)
		return none;
	if (v->n_waits[d] == EVIDENCE_PER_FLOW)
		fail(w, pop_wait(t, v, d), CTR_EVIDENCE_EVICTED);
	if (t->free == 0)
		make_room(w);
	if (t->free == 0)
		return none;
	struct evidence *e = &t->entries[t->free];
	struct evidence_ref ref = {t->free, e->turn};
	t->free = e->next;
	e->fingerprint = fingerprint;
	e->end = w->end;
	e->noted_ns = w->now_ns;
	e->trust = trust;
	e->of = (uint32_t)w->flow->app[2];
	e->dir = (uint8_t)d;
	e->of_answer = of_answer;
	e->found = found;
	e->tries = e->dropped = 0;
	push(t, &v->waits[d], e);
	v->n_waits[d]++;
	w->flow->watch |= (uint8_t)STREAM_WATCH(d);
	w->ctr[CTR_EVIDENCE_NOTED]++;
	return ref;
}

static struct evidence *
entry_of(struct evidence_table *t, struct evidence_ref ref)
{
	if (ref.slot == 0 || ref.slot == BY_MAC || t->entries[ref.slot].turn != ref.turn)
		return NULL;
	return &t->entries[ref.slot];
}

/* The crossing that was just judged; what has become of an earlier one proves this one too. */
void
evidence_judged(struct worker *w, struct evidence_ref ref, uint64_t fingerprint, const struct crossing *where, bool told)
{
	struct evidence_table *t = &w->evidence;
	struct fact_evidence_item item = {.fingerprint = fingerprint, .trust = where->trust};
	struct evidence *e = entry_of(t, ref);
	if (told)
		*place_of(t->found, fingerprint) = fingerprint;
	if (ref.slot == BY_MAC) {
		item.mac = true;
		item.trust &= ~(uint32_t)TRUST_NOT_ACKED;
		w->ctr[CTR_EVIDENCE_MAC]++;
		tell(w, &item, told);
	} else if (told && e != NULL) {
		e->found = 1; /* should it be in its grace already, it stays in the queue where it is */
	} else if (told) {
		item.acked = knows(t->proven, fingerprint);
		item.trust = item.acked ? where->trust & ~(uint32_t)(NOT_YET | NEVER) : where->trust;
		tell(w, &item, true);
	}
}

void
evidence_drop(struct worker *w, struct evidence_ref ref)
{
	struct evidence *e = entry_of(&w->evidence, ref);
	if (e != NULL)
		e->dropped = 1;
}

/* ---- what net tells ---- */

static __attribute__((noinline)) void
begin_grace(struct worker *w, struct evidence_flow *v, unsigned dir, uint64_t now_ns)
{
	struct evidence_table *t = &w->evidence;
	while (v->n_waits[dir] > 0 && t->entries[v->waits[dir].first].end <= v->acked[dir])
		push_grace(w, pop_wait(t, v, dir), now_ns);
}

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
	if (!in_place)
		return;
	v->acked[dir] = off;
	if (v->n_waits[dir] > 0 && t->entries[v->waits[dir].first].end <= off)
		begin_grace(w, v, dir, now_ns);
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
	fail_waits(w, v, CTR_EVIDENCE_ENDED);
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
	bool denied = e->end > v->denied[d] && (int64_t)(v->denied_ns[d] - e->noted_ns) >= 0;
	bool disturbed = e->end > v->acked[d] || (int64_t)(v->lowered_ns[d] - (e->due_ns - t->grace_ns[e->of_answer])) >= 0;
	if (e->dropped) {
		w->ctr[CTR_EVIDENCE_DROPPED]++;
		give_back(t, e);
	} else if (e->end > v->disputed[d] || denied || (disturbed && e->tries == EVIDENCE_TRIES)) {
		fail(w, e, CTR_EVIDENCE_BELIED);
	} else if (disturbed) {
		e->tries++;
		push_grace(w, e, now_ns);
	} else {
		prove(w, e);
	}
}

void
evidence_prefetch(const struct worker *w)
{
	const struct evidence_table *t = &w->evidence;
	for (unsigned answer = 0; answer < 2; answer++)
		__builtin_prefetch(&t->entries[t->grace[answer][0].first]);
}

void
evidence_tell(struct worker *w, uint64_t now_ns)
{
	struct evidence_table *t = &w->evidence;
	for (unsigned i = 0; i < 4; i++) {
		struct evidence_queue *q = &t->grace[i & 1][i >> 1];
		while (q->first != 0 && t->entries[q->first].due_ns <= now_ns)
			judge(w, pop_grace(t, q), now_ns);
	}
	if (t->n_out > 0)
		send(w);
}
