/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/evidence.h"

#include "worker/worker_private.h"

#include <string.h>

_Static_assert(sizeof(struct evidence) == 64, "an entry is a cache line");

#define BY_MAC UINT32_MAX
#define NOT_YET (TRUST_NOT_ACKED | TRUST_OVERLAP_CONFLICT)
/* What no acknowledgement makes good. */
#define NEVER \
	(TRUST_GAP_BEFORE | TRUST_MIDSTREAM | TRUST_ONE_DIRECTION | TRUST_TRUNCATED | TRUST_AHEAD | TRUST_MAC_UNVERIFIED | TRUST_INVALID)
#define OF_ANSWER_KEY 0x9e3779b97f4a7c15u
#define ROOM_EIGHTHS 2u

size_t
evidence_bytes(uint32_t n_flows)
{
	return (size_t)EVIDENCE_ENTRIES * sizeof(struct evidence) + ((size_t)n_flows + 1) * sizeof(struct evidence_flow) +
	       2 * (size_t)EVIDENCE_KNOWN * sizeof(uint64_t);
}

/* Entries beyond the last one used have never been; list[0][0][FREE] holds those given back. */
void
evidence_init(struct evidence_table *t, void *mem, uint32_t n_flows, uint64_t grace_ns, uint64_t answer_grace_ns)
{
	memset(t, 0, sizeof *t);
	t->entries = mem;
	t->found = (uint64_t *)(void *)(t->entries + EVIDENCE_ENTRIES);
	t->proven = t->found + EVIDENCE_KNOWN;
	t->flows = (struct evidence_flow *)(void *)(t->proven + EVIDENCE_KNOWN);
	t->n_flows = n_flows;
	t->grace_ns[0] = grace_ns != 0 ? grace_ns : EVIDENCE_GRACE_NS;
	t->grace_ns[1] = answer_grace_ns != 0 ? answer_grace_ns : EVIDENCE_ANSWER_GRACE_NS;
	for (uint32_t i = n_flows; i > 0; i--) {
		t->flows[i].younger = t->unused.first;
		t->unused.first = i;
	}
	for (uint32_t i = EVIDENCE_ENTRIES - 1; i > 0; i--) {
		t->entries[i].younger = t->list[0][0][EVIDENCE_FREE].first;
		t->list[0][0][EVIDENCE_FREE].first = i;
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

/* ---- lists ---- */

static struct evidence_list *
list_of(struct evidence_table *t, const struct evidence *e)
{
	return &t->list[e->of_answer][e->found][e->state];
}

static void
list_remove(struct evidence_table *t, struct evidence *e)
{
	struct evidence_list *l = list_of(t, e);
	if (e->older != 0)
		t->entries[e->older].younger = e->younger;
	else
		l->first = e->younger;
	if (e->younger != 0)
		t->entries[e->younger].older = e->older;
	else
		l->last = e->older;
}

static void
list_append(struct evidence_table *t, struct evidence *e)
{
	struct evidence_list *l = list_of(t, e);
	uint32_t i = (uint32_t)(e - t->entries);
	e->older = l->last;
	e->younger = 0;
	if (l->last != 0)
		t->entries[l->last].younger = i;
	else
		l->first = i;
	l->last = i;
}

static void
set_state(struct evidence_table *t, struct evidence *e, enum evidence_state state)
{
	list_remove(t, e);
	e->state = (uint8_t)state;
	list_append(t, e);
}

/* ---- flows ---- */

static void
flow_remove_from(struct evidence_table *t, struct evidence_list *l, struct evidence_flow *v)
{
	if (v->older != 0)
		t->flows[v->older].younger = v->younger;
	else
		l->first = v->younger;
	if (v->younger != 0)
		t->flows[v->younger].older = v->older;
	else
		l->last = v->older;
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

static void
flow_free(struct evidence_table *t, struct evidence_flow *v)
{
	struct flow *f = v->flow;
	uint32_t i = (uint32_t)(v - t->flows);
	if (f->app[2] == i) { /* else its place is another flow's by now */
		f->app[2] = 0;
		f->watch &= (uint8_t)~STREAM_WATCHED;
	}
	flow_remove_from(t, &t->used, v);
	v->flow = NULL;
	v->younger = t->unused.first;
	t->unused.first = i;
}

/* ---- an entry's end ---- */

static void
unchain(struct evidence_table *t, struct evidence *e)
{
	struct evidence_flow *v = &t->flows[e->of];
	unsigned d = e->dir;
	uint32_t i = (uint32_t)(e - t->entries);
	if (v->waits[d] == i)
		v->waits[d] = e->next;
	if (e->prev != 0)
		t->entries[e->prev].next = e->next;
	else
		v->first[d] = e->next;
	if (e->next != 0)
		t->entries[e->next].prev = e->prev;
	else
		v->last[d] = e->prev;
	if (--v->n[d] == 0 && v->flow->app[2] == e->of)
		v->flow->watch &= (uint8_t)~STREAM_WATCH(d);
}

static void
give_back(struct evidence_table *t, struct evidence *e)
{
	struct evidence_flow *v = &t->flows[e->of];
	struct evidence_list *unused = &t->list[0][0][EVIDENCE_FREE];
	unchain(t, e);
	list_remove(t, e);
	t->n_plain -= !e->found;
	e->state = EVIDENCE_FREE;
	e->turn++;
	e->younger = unused->first;
	unused->first = (uint32_t)(e - t->entries);
	if (v->closed && v->n[0] == 0 && v->n[1] == 0)
		flow_free(t, v);
}

static void
fail(struct worker *w, struct evidence *e, enum sentinel_counter why)
{
	struct fact_evidence_item item = {.fingerprint = e->fingerprint,
		.trust = (e->trust & ~(uint32_t)NOT_YET) | (why == CTR_EVIDENCE_BELIED ? TRUST_OVERLAP_CONFLICT : 0) |
			 (e->state == EVIDENCE_GRACE ? 0 : TRUST_NOT_ACKED),
		.of_answer = e->of_answer};
	w->ctr[why]++;
	if (e->found)
		tell(w, &item, true);
	give_back(&w->evidence, e);
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

/* What waits without having been acknowledged goes first, for anybody can forge it; answers before submissions. */
static bool
evict(struct worker *w, unsigned found)
{
	struct evidence_table *t = &w->evidence;
	for (unsigned state = EVIDENCE_WAITS; state < EVIDENCE_STATES; state++) {
		for (unsigned answer = 2; answer-- > 0;) {
			uint32_t i = t->list[answer][found][state].first;
			if (i == 0)
				continue;
			fail(w, &t->entries[i], CTR_EVIDENCE_EVICTED);
			return true;
		}
	}
	return false;
}

static struct evidence *
take_entry(struct worker *w, bool found)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_list *unused = &t->list[0][0][EVIDENCE_FREE];
	if (!found && t->n_plain >= EVIDENCE_PLAIN)
		evict(w, false);
	if (unused->first == 0 && !evict(w, false))
		evict(w, true);
	struct evidence *e = &t->entries[unused->first];
	unused->first = e->younger;
	return e;
}

static void
fail_all(struct worker *w, struct evidence_flow *v, enum sentinel_counter why)
{
	struct evidence_table *t = &w->evidence;
	for (unsigned d = 0; d < 2; d++)
		while (v->first[d] != 0)
			fail(w, &t->entries[v->first[d]], why);
}

/* The flow's, at the young end of those used. */
static struct evidence_flow *
take_flow(struct worker *w, struct flow *f)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_flow *v = flow_of(t, f);
	if (v != NULL) {
		if (t->used.last != f->app[2]) {
			flow_remove_from(t, &t->used, v);
			flow_append(t, v);
		}
		return v;
	}
	if (t->unused.first == 0) {
		struct evidence_flow *old = &t->flows[t->used.first];
		old->closed = false; /* freed here, once */
		fail_all(w, old, CTR_EVIDENCE_EVICTED);
		flow_free(t, old);
	}
	v = &t->flows[t->unused.first];
	t->unused.first = v->younger;
	*v = (struct evidence_flow){.flow = f};
	flow_append(t, v);
	f->app[2] = (uint64_t)(v - t->flows);
	return v;
}

/* ---- crossings ---- */

struct evidence_ref
evidence_note(struct worker *w, uint64_t fingerprint, uint32_t trust, bool of_answer)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_ref none = {0};
	if (w->probing || w->flow == NULL)
		return none;
	if (w->conn != NULL && w->conn->side[w->dir].proto == CONN_RLPX)
		return trust & TRUST_MAC_UNVERIFIED ? none : (struct evidence_ref){BY_MAC, 0};
	if (w->end_flow != w->flow || w->end_dir != w->dir || (trust & NEVER) || (w->flow->watch & STREAM_SULLIED) ||
		knows(t->proven, key_of(fingerprint, of_answer)))
		return none;
	bool found = knows(t->found, fingerprint);
	struct evidence_flow *v = take_flow(w, w->flow);
	unsigned d = w->dir;
	if (v->n[d] == EVIDENCE_PER_FLOW)
		fail(w, &t->entries[v->first[d]], CTR_EVIDENCE_EVICTED);
	struct evidence *e = take_entry(w, found);
	uint32_t i = (uint32_t)(e - t->entries), turn = e->turn;
	*e = (struct evidence){.fingerprint = fingerprint, .end = w->end, .noted_ns = w->now_ns, .trust = trust, .of = (uint32_t)w->flow->app[2],
		.prev = v->last[d], .turn = turn, .state = EVIDENCE_WAITS, .dir = (uint8_t)d, .of_answer = of_answer, .found = found};
	if (v->last[d] != 0)
		t->entries[v->last[d]].next = i;
	else
		v->first[d] = i;
	v->last[d] = i;
	if (v->waits[d] == 0)
		v->waits[d] = i;
	v->n[d]++;
	w->flow->watch |= (uint8_t)STREAM_WATCH(d);
	t->n_plain += !found;
	list_append(t, e);
	w->ctr[CTR_EVIDENCE_NOTED]++;
	return (struct evidence_ref){i, turn};
}

static struct evidence *
entry_of(struct evidence_table *t, struct evidence_ref ref)
{
	if (ref.slot == 0 || ref.slot == BY_MAC || t->entries[ref.slot].turn != ref.turn)
		return NULL;
	return &t->entries[ref.slot];
}

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
	} else if (told && e != NULL && !e->found) {
		list_remove(t, e);
		e->found = true;
		t->n_plain--;
		list_append(t, e);
	} else if (told && e == NULL) {
		item.acked = knows(t->proven, fingerprint);
		item.trust = item.acked ? where->trust & ~(uint32_t)(NOT_YET | NEVER) : where->trust;
		tell(w, &item, true);
	}
}

void
evidence_drop(struct worker *w, struct evidence_ref ref)
{
	struct evidence *e = entry_of(&w->evidence, ref);
	if (e == NULL)
		return;
	w->ctr[CTR_EVIDENCE_DROPPED]++;
	give_back(&w->evidence, e);
}

/* ---- what net tells ---- */

/* Back to waiting; entries behind it wait already. */
static void
take_back(struct evidence_table *t, struct evidence *e)
{
	set_state(t, e, EVIDENCE_WAITS);
	t->flows[e->of].waits[e->dir] = (uint32_t)(e - t->entries);
}

void
evidence_acked(struct worker *w, struct flow *f, unsigned dir, uint64_t off, bool in_place, uint64_t now_ns)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_flow *v = flow_of(t, f);
	if (v == NULL)
		return;
	for (;;) { /* the receiver has less after all: an acknowledgement was forged, or this one is late */
		uint32_t i = v->waits[dir] != 0 ? t->entries[v->waits[dir]].prev : v->last[dir];
		if (i == 0 || t->entries[i].end <= off)
			break;
		take_back(t, &t->entries[i]);
	}
	while (in_place && v->waits[dir] != 0 && t->entries[v->waits[dir]].end <= off) {
		struct evidence *e = &t->entries[v->waits[dir]];
		e->due_ns = now_ns + t->grace_ns[e->of_answer];
		set_state(t, e, EVIDENCE_GRACE);
		v->waits[dir] = e->next;
	}
}

/* Soon after it came, a segment that says the sender is not that far is one that was late or came twice: it counts against an
 * acknowledgement, no more. */
static void
belie_from(struct worker *w, struct evidence_flow *v, unsigned dir, uint64_t from, enum stream_belied why)
{
	struct evidence_table *t = &w->evidence;
	uint32_t i = v->last[dir], prev;
	for (; i != 0 && t->entries[i].end > from; i = prev) {
		struct evidence *e = &t->entries[i];
		prev = e->prev;
		if (why != BELIED_SENDER || (int64_t)(w->now_ns - e->noted_ns) > (int64_t)t->grace_ns[0])
			fail(w, e, CTR_EVIDENCE_BELIED);
		else if (e->state == EVIDENCE_GRACE)
			take_back(t, e);
	}
}

void
evidence_belied(struct worker *w, struct flow *f, unsigned dir, uint64_t from, uint64_t to, enum stream_belied why)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_flow *v = flow_of(t, f);
	bool content = why == BELIED_OTHER_BYTES || why == BELIED_UNCOMPARED || why == BELIED_URGENT;
	if (v != NULL && to <= v->settled[dir])
		return;
	if (content && !(f->watch & STREAM_SULLIED)) {
		f->watch |= STREAM_SULLIED;
		w->ctr[CTR_EVIDENCE_SULLIED]++;
	}
	if (v == NULL)
		return;
	belie_from(w, v, dir, from, why);
	if (content) /* what one side says may be why the other is read as it is */
		belie_from(w, v, !dir, 0, why);
}

void
evidence_closed(struct worker *w, struct flow *f)
{
	struct evidence_table *t = &w->evidence;
	struct evidence_flow *v = flow_of(t, f);
	if (v == NULL)
		return;
	for (unsigned d = 0; d < 2; d++)
		while (v->waits[d] != 0)
			fail(w, &t->entries[v->waits[d]], CTR_EVIDENCE_ENDED);
	v->closed = true;
	if (v->n[0] == 0 && v->n[1] == 0)
		flow_free(t, v);
}

void
evidence_tell(struct worker *w, uint64_t now_ns)
{
	struct evidence_table *t = &w->evidence;
	uint32_t i;
	for (unsigned answer = 0; answer < 2; answer++)
		for (unsigned found = 2; found-- > 0;)
			while ((i = t->list[answer][found][EVIDENCE_GRACE].first) != 0 && t->entries[i].due_ns <= now_ns)
				prove(w, &t->entries[i]);
	send(w);
}
