/* SPDX-License-Identifier: BSD-3-Clause */
/* Incidents: one attacker at one key, told once, updated as more is found, and ended by what becomes of its
 * transactions. */
#include "detect/correlate/sandwich_private.h"

static struct incident *
incident_at(const struct sandwich *s, uint64_t id)
{
	struct incident *i = &s->incidents[id & s->incident_mask];
	return id != 0 && i->id == id ? i : NULL;
}

static void
say(struct sandwich *s, const struct incident *i, bool update, uint64_t t_ns)
{
	struct sandwich_finding f = {.incident = i->id,
		.kind = i->kind,
		.ending = i->ending,
		.update = update,
		.attacker_is_contract = i->flags & INCIDENT_CONTRACT,
		.attacker_known = i->flags & INCIDENT_ATTACKER,
		.key_is_token = i->flags & INCIDENT_TOKEN,
		.has_pool = i->flags & INCIDENT_POOL,
		.reasons = i->reasons,
		.evidence = i->evidence,
		.score = i->score,
		.front = i->front_ref,
		.back = i->back_ref,
		.n_listed = i->n_listed,
		.n_victims = i->n_victims,
		.t_ns = t_ns};
	memcpy(f.attacker, i->attacker, 20);
	memcpy(f.key, i->key, 20);
	memcpy(f.pool, i->pool, 20);
	memcpy(f.victims, i->victim_refs, sizeof f.victims);
	if (s->found != NULL)
		s->found(s->ctx, &f);
}

static void
unchain(struct sandwich *s, struct incident *i)
{
	uint32_t *at = &s->by_incident[i->hash & s->incident_mask];
	while (&s->incidents[*at] != i)
		at = &s->incidents[*at].next;
	*at = i->next;
	i->id = 0;
}

static void
end(struct sandwich *s, struct incident *i, uint8_t ending, uint64_t t_ns)
{
	i->ending = ending;
	s->counts[SANDWICH_N_ENDED]++;
	say(s, i, true, t_ns);
	unchain(s, i);
}

static struct incident *
find(const struct sandwich *s, uint64_t hash)
{
	uint32_t at = s->by_incident[hash & s->incident_mask];
	while (at != NIL && s->incidents[at].hash != hash)
		at = s->incidents[at].next;
	return at != NIL ? &s->incidents[at] : NULL;
}

static struct incident *
make(struct sandwich *s, uint64_t hash)
{
	uint64_t id = s->incident_at++;
	struct incident *i = &s->incidents[id & s->incident_mask];
	if (i->id != 0) {
		s->counts[SANDWICH_N_INCIDENTS_EVICTED]++;
		unchain(s, i);
	}
	memset(i, 0, sizeof *i);
	i->id = id;
	i->hash = hash;
	uint32_t *head = &s->by_incident[hash & s->incident_mask];
	i->next = *head;
	*head = (uint32_t)(i - s->incidents);
	return i;
}

/* Which incident: the attacker and the key, or the front where the attacker is not known. */
static uint64_t
hash_of(const struct sandwich *s, const struct told *t)
{
	uint8_t w[53] = {t->kind == SANDWICH_DISPLACEMENT};
	memcpy(w + 1, t->key, 20);
	if (t->attacker_known)
		memcpy(w + 21, t->attacker, 20);
	else
		memcpy(w + 21, t->front->hash, 32);
	return sandwich_hash(s, w, sizeof w, 5);
}

static struct sandwich_ref
ref_of(const struct entry *e)
{
	struct sandwich_ref r = {.present = e != NULL};
	if (e != NULL) {
		memcpy(r.hash, e->hash, 32);
		r.ref = e->ref;
	}
	return r;
}

static void
belongs(struct entry *e, uint64_t id)
{
	if (e == NULL)
		return;
	for (unsigned k = 0; k < INCIDENTS_OF_TX; k++)
		if (e->incidents[k] == id)
			return;
	memmove(e->incidents + 1, e->incidents, (INCIDENTS_OF_TX - 1) * sizeof *e->incidents);
	e->incidents[0] = id;
}

static void
write(struct incident *i, const struct told *t)
{
	i->kind = t->kind;
	i->score = t->score;
	i->flags = (uint8_t)((t->contract ? INCIDENT_CONTRACT : 0) | (t->token ? INCIDENT_TOKEN : 0) |
			     (t->attacker_known ? INCIDENT_ATTACKER : 0) |
			     (t->pool != NULL ? INCIDENT_POOL : 0));
	if (t->pool != NULL)
		memcpy(i->pool, t->pool, 20);
	if (t->attacker_known)
		memcpy(i->attacker, t->attacker, 20);
	memcpy(i->key, t->key, 20);
	i->reasons = t->reasons;
	i->evidence = t->evidence;
	i->front = t->front->seq;
	i->back = t->back != NULL ? t->back->seq : 0;
	i->front_ref = ref_of(t->front);
	i->back_ref = ref_of(t->back);
	belongs(t->front, i->id);
	belongs(t->back, i->id);
	memset(i->victims, 0, sizeof i->victims);
	memset(i->victim_refs, 0, sizeof i->victim_refs);
	for (uint32_t k = 0; k < t->n_listed; k++) {
		i->victims[k] = t->victims[k]->seq;
		i->victim_refs[k] = ref_of(t->victims[k]);
		belongs(t->victims[k], i->id);
	}
	i->n_listed = t->n_listed;
	i->n_victims = t->n_victims;
}

static bool
has_victim(const struct incident *i, const struct entry *v)
{
	for (uint32_t k = 0; k < i->n_listed; k++)
		if (i->victims[k] == v->seq)
			return true;
	return false;
}

const uint8_t *
sandwich_pool_of(const struct sandwich *s, const struct entry *v, const struct touch *t)
{
	if (!(t->how & TOUCH_TOKEN_KEY))
		return t->address;
	if (!(t->how & TOUCH_TOKENS))
		return NULL;
	for (uint32_t i = v->touches; i != NIL; i = s->touches[i].of_tx) {
		const struct touch *p = &s->touches[i];
		if ((p->how & TOUCH_TOKENS) && !(p->how & TOUCH_TOKEN_KEY) &&
			memcmp(p->token_in, t->token_in, 20) == 0 &&
			memcmp(p->token_out, t->token_out, 20) == 0)
			return p->address;
	}
	return NULL;
}

static bool
stands(const struct sandwich *s, uint64_t seq)
{
	const struct entry *e = sandwich_at(s, seq);
	return seq == 0 || (e != NULL && !(e->flags & ENTRY_SETTLED));
}

/* Nothing in t that i has not told. Of several legs of one attacker those with the most victims are told, of
 * equals the newest. */
static bool
repeats(const struct sandwich *s, const struct incident *i, const struct told *t)
{
	uint64_t back = t->back != NULL ? t->back->seq : 0;
	if (t->kind == SANDWICH_PARTIAL && i->kind != SANDWICH_PARTIAL)
		return true;
	bool others = t->kind == i->kind && (t->front->seq != i->front || back != i->back);
	if (others && stands(s, i->front) && stands(s, i->back) && t->n_victims <= i->n_victims)
		return t->n_victims < i->n_victims || t->front->seq < i->front ||
		       (t->front->seq == i->front && back < i->back);
	if (t->kind != i->kind || t->front->seq != i->front || back != i->back || t->n_victims > i->n_victims)
		return false;
	for (uint32_t k = 0; k < t->n_listed; k++)
		if (!has_victim(i, t->victims[k]) && i->n_listed < SANDWICH_VICTIMS)
			return false;
	return true;
}

void
sandwich_tell(struct sandwich *s, const struct told *t, uint64_t t_ns)
{
	uint64_t hash = hash_of(s, t);
	struct incident *i = find(s, hash);
	if (i != NULL && sandwich_at(s, i->front) == NULL) {
		unchain(s, i); /* of an earlier time */
		s->counts[SANDWICH_N_INCIDENTS_EVICTED]++;
		i = NULL;
	}
	if (i != NULL && repeats(s, i, t)) {
		s->counts[SANDWICH_N_REPEATED]++;
		return;
	}
	bool update = i != NULL;
	if (!update || i->kind != t->kind)
		s->counts[t->kind == SANDWICH_PUBLIC	? SANDWICH_N_FOUND_PUBLIC
			  : t->kind == SANDWICH_BUNDLE	? SANDWICH_N_FOUND_BUNDLE
			  : t->kind == SANDWICH_PARTIAL ? SANDWICH_N_FOUND_PARTIAL
							: SANDWICH_N_FOUND_DISPLACEMENT]++;
	s->counts[update ? SANDWICH_N_UPDATED : SANDWICH_N_FOUND]++;
	if (!update)
		i = make(s, hash);
	write(i, t);
	say(s, i, update, t_ns);
}

/* ---- fates ---- */

static void
lose_back(struct sandwich *s, struct incident *i, uint64_t t_ns)
{
	i->back = 0;
	i->back_ref = (struct sandwich_ref){.present = false};
	i->kind = SANDWICH_PARTIAL;
	i->reasons |= REASON(PARTIAL);
	s->counts[SANDWICH_N_UPDATED]++;
	say(s, i, true, t_ns);
}

static void
lose_victim(struct sandwich *s, struct incident *i, const struct entry *e, uint8_t ending, uint64_t t_ns)
{
	for (uint32_t k = 0; k < i->n_listed; k++) {
		if (i->victims[k] != e->seq)
			continue;
		i->n_listed--;
		i->n_victims--;
		i->victims[k] = i->victims[i->n_listed];
		i->victim_refs[k] = i->victim_refs[i->n_listed];
		memset(&i->victim_refs[i->n_listed], 0, sizeof i->victim_refs[0]);
		if (i->n_listed == 0) {
			end(s, i, ending, t_ns);
		} else {
			s->counts[SANDWICH_N_UPDATED]++;
			say(s, i, true, t_ns);
		}
		return;
	}
}

void
sandwich_gone(struct sandwich *s, struct entry *e, uint8_t ending, uint64_t t_ns)
{
	for (unsigned k = 0; k < INCIDENTS_OF_TX; k++) {
		struct incident *i = incident_at(s, e->incidents[k]);
		if (i == NULL)
			continue;
		if (i->front == e->seq)
			end(s, i, ending, t_ns);
		else if (i->back == e->seq)
			lose_back(s, i, t_ns);
		else
			lose_victim(s, i, e, ending, t_ns);
	}
}

/* Order in one block; what is not included yet may still come anywhere. */
static bool
may_follow(const struct entry *a, const struct entry *b)
{
	if (a == NULL || b == NULL || !(a->flags & b->flags & ENTRY_INCLUDED))
		return true;
	return a->block == b->block && a->index < b->index;
}

static bool
in_block(const struct entry *e)
{
	return e != NULL && (e->flags & ENTRY_INCLUDED);
}

static uint8_t
decide(const struct sandwich *s, const struct incident *i)
{
	const struct entry *front = sandwich_at(s, i->front), *back = sandwich_at(s, i->back);
	bool any = i->n_victims > i->n_listed;
	if (i->kind == SANDWICH_DISPLACEMENT)
		return in_block(front) ? SANDWICH_HELD : SANDWICH_BROKEN;
	for (uint32_t k = 0; k < i->n_listed; k++) {
		const struct entry *v = sandwich_at(s, i->victims[k]);
		if (!may_follow(front, v) || (i->back != 0 && !may_follow(v, back)))
			continue;
		if (in_block(front) && in_block(v) && (i->back == 0 || in_block(back)))
			return SANDWICH_HELD;
		any = true;
	}
	return any && may_follow(front, back) ? SANDWICH_OPEN : SANDWICH_BROKEN;
}

void
sandwich_mined(struct sandwich *s, struct entry *e, uint64_t t_ns)
{
	for (unsigned k = 0; k < INCIDENTS_OF_TX; k++) {
		struct incident *i = incident_at(s, e->incidents[k]);
		if (i == NULL)
			continue;
		uint8_t ending = decide(s, i);
		if (ending != SANDWICH_OPEN)
			end(s, i, ending, t_ns);
	}
}
