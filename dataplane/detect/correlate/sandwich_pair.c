/* SPDX-License-Identifier: BSD-3-Clause */
/* Public pairs: which two transactions may be the legs around which others, and what speaks for it. */
#include "detect/correlate/sandwich_private.h"

/* ---- fees ---- */

static enum fee_order
compare(uint64_t a, uint64_t b)
{
	return a < b ? FEE_BELOW : a > b ? FEE_ABOVE : FEE_EQUAL;
}

static uint64_t
paid(const struct sandwich *s, const struct entry *e)
{
	uint64_t room = e->cap - s->base_fee;
	return e->tip < room ? e->tip : room;
}

enum fee_order
sandwich_fees(const struct sandwich *s, const struct entry *a, const struct entry *b)
{
	if (!(a->flags & b->flags & ENTRY_PRICED))
		return FEE_UNSURE;
	if (s->base_fee != 0) {
		if (a->cap < s->base_fee || b->cap < s->base_fee)
			return FEE_UNSURE;
		return compare(paid(s, a), paid(s, b));
	}
	enum fee_order tip = compare(a->tip, b->tip), cap = compare(a->cap, b->cap);
	if (tip == FEE_EQUAL || tip == cap || cap == FEE_EQUAL)
		return tip == FEE_EQUAL ? cap : tip;
	return FEE_UNSURE;
}

/* What the fees of a and b are compared by: prices where both have one, else tips. */
static uint64_t
worth(const struct sandwich *s, const struct entry *e, const struct entry *other)
{
	if ((e->flags & other->flags & ENTRY_LEGACY) || s->base_fee == 0)
		return e->tip;
	return paid(s, e);
}

static bool
is_hair(const struct sandwich *s, const struct entry *front, const struct entry *v)
{
	uint64_t f = worth(s, front, v), w = worth(s, v, front);
	return f > w && f - w <= 1000 && w >= 100000 * (f - w);
}

static bool
is_tight(const struct sandwich *s, const struct entry *a, const struct entry *b, unsigned shift)
{
	uint64_t x = worth(s, a, b), y = worth(s, b, a);
	return (x > y ? x - y : y - x) <= y >> shift;
}

static bool
is_copy(const struct entry *back, const struct entry *v)
{
	return back->tip == v->tip && back->cap == v->cap && v->tip % 10000000 != 0 &&
	       (back->flags & ENTRY_LEGACY) == (v->flags & ENTRY_LEGACY);
}

/* ---- whose ---- */

bool
sandwich_same_from(const struct entry *a, const struct entry *b)
{
	return (a->flags & b->flags & ENTRY_FROM) && memcmp(a->from, b->from, 20) == 0;
}

bool
sandwich_ask(struct sandwich *s, struct entry *e)
{
	uint8_t from[20];
	if (e->flags & ENTRY_FROM)
		return true;
	if ((e->flags & ENTRY_ASKED) || s->sender == NULL || s->senders_left == 0)
		return false;
	s->senders_left--;
	e->flags |= ENTRY_ASKED;
	s->counts[SANDWICH_N_SENDERS_ASKED]++;
	if (!s->sender(s->ctx, e->ref, from)) {
		s->counts[SANDWICH_N_SENDERS_UNKNOWN]++;
		return false;
	}
	sandwich_know_sender(s, e, from);
	return true;
}

/* ---- one pool's transactions ---- */

#define SECOND_NS 1000000000ull

struct look {
	uint32_t n;
	bool filled;
	struct {
		struct entry *e;
		const struct touch *t;
		uint64_t tip;
	} at[SANDWICH_CHAIN_MAX];
};

/* Those of the key that came at most age_ns ago: newest first, so that what is older ends it. */
static void
look_at(struct sandwich *s, uint64_t key, uint64_t now_ns, uint64_t age_ns, struct look *l)
{
	l->n = 0;
	l->filled = true;
	uint32_t i = s->by_key[key & s->key_mask];
	for (unsigned walked = 0; i != NIL; i = s->touches[i].by_key.next) {
		if (++walked > SANDWICH_CHAIN_MAX) {
			s->counts[SANDWICH_N_CHAIN_CUT]++;
			return;
		}
		const struct touch *t = &s->touches[i];
		if (t->t_ns + age_ns + SECOND_NS < now_ns)
			return; /* and so is what comes after it: times go back a little at most */
		if (t->key != key || sandwich_apart(t->t_ns, now_ns) > age_ns)
			continue;
		l->at[l->n].tip = t->tip;
		l->at[l->n].e = &s->txs[t->tx];
		l->at[l->n++].t = t;
	}
}

/* ---- a pair ---- */

struct pair {
	struct entry *front, *back;
	const struct touch *f, *b; /* their touches of the key */
	bool same_sender, same_contract;
	bool packed;	   /* both are of unknown form */
	bool nonces_apart; /* known, and not one after the other */
	bool dark;	   /* of no victim is the form known */
	uint8_t dir;	   /* the front's; 0: not known */
	uint32_t evidence; /* that does not depend on the victim */
};

static bool
equal(const struct amount *a, const struct amount *b)
{
	return a->v == b->v && a->low == b->low && a->v > 1e6;
}

/* Amounts of decoded legs: 0 says nothing, -1 speaks against it. */
static int
weigh_amounts(const struct touch *f, const struct touch *b, uint32_t *evidence)
{
	bool bought = (f->how & TOUCH_OUT) && (b->how & TOUCH_IN) && f->out.v > 0;
	bool paid_back = (f->how & TOUCH_IN) && (b->how & TOUCH_OUT) && f->in.v > 0;
	if ((bought && equal(&f->out, &b->in)) || (paid_back && equal(&f->in, &b->out)))
		*evidence |= SANDWICH_HAS(AMOUNT_ECHO);
	else if (bought && b->in.v >= f->out.v && b->in.v <= f->out.v * 1.25)
		*evidence |= SANDWICH_HAS(AMOUNT_NEAR);
	if (bought && (f->how & TOUCH_OUT_EXACT) && (b->in.v > 2 * f->out.v || b->in.v < f->out.v / 2))
		return -1;
	if (bought && (b->how & TOUCH_IN_EXACT) && b->in.v < f->out.v / 2)
		return -1;
	if (paid_back && b->out.v > 2 * f->in.v)
		return -1;
	return 0;
}

static bool
nonces_fit(const struct pair *p)
{
	if (!p->same_sender || !(p->front->flags & p->back->flags & ENTRY_NONCE))
		return true;
	return p->front->nonce < p->back->nonce;
}

/* front and back are in the order of their fees. False: they cannot be legs. */
static bool
make_pair(struct pair *p)
{
	const struct entry *front = p->front, *back = p->back;
	p->same_sender = sandwich_same_from(front, back);
	p->packed = front->flags & back->flags & ENTRY_PACKED;
	p->same_contract = (front->flags & back->flags & ENTRY_VIA) && sandwich_to_same(front, back);
	p->dir = p->f->dir != 0 ? p->f->dir : p->b->dir != 0 ? 3 - p->b->dir : 0;
	p->evidence = 0;
	if ((p->f->dir != 0 && p->f->dir == p->b->dir) || !nonces_fit(p))
		return false;
	bool strangers = (front->flags & back->flags & ENTRY_FROM) && !p->same_sender;
	if (strangers && !p->same_contract)
		return false;
	if (p->f->dir != 0 && p->b->dir != 0) {
		p->evidence |= SANDWICH_HAS(OPPOSITE);
		if (weigh_amounts(p->f, p->b, &p->evidence) < 0)
			return false;
	}
	if (sandwich_apart(front->t_ns, back->t_ns) <= SANDWICH_TOGETHER_NS)
		p->evidence |= SANDWICH_HAS(TOGETHER);
	if (p->packed && p->same_contract && front->selector != back->selector)
		p->evidence |= SANDWICH_HAS(SELECTOR);
	bool nonces = front->flags & back->flags & ENTRY_NONCE, next = back->nonce == front->nonce + 1;
	p->nonces_apart = nonces && !next;
	if (p->same_sender && nonces && next)
		p->evidence |= SANDWICH_HAS(NONCES);
	return true;
}

static void
look_into(const struct sandwich *s, struct pair *p)
{
	if (((p->front->flags | p->back->flags) & ENTRY_SEARCH) &&
		sandwich_echo(s, sandwich_data(s, p->front), sandwich_data(s, p->back)))
		p->evidence |= SANDWICH_HAS(AMOUNT_ECHO);
}

/* The victim's tokens stand the one way in the front's calldata and the other way in the back's. */
static bool
reversed(const struct sandwich *s, const struct pair *p, const struct touch *v)
{
	if (!p->packed || !(v->how & TOUCH_TOKENS))
		return false;
	struct span f = sandwich_data(s, p->front), b = sandwich_data(s, p->back);
	const uint8_t *fi = sandwich_in(f, v->token_in),
		      *fo = fi != NULL ? sandwich_in(f, v->token_out) : NULL;
	const uint8_t *bi = fo != NULL ? sandwich_in(b, v->token_in) : NULL;
	const uint8_t *bo = bi != NULL ? sandwich_in(b, v->token_out) : NULL;
	return bo != NULL && (fi < fo) != (bi < bo);
}

static unsigned
points(uint32_t evidence)
{
	unsigned n = 0;
#define _(id, worth, help) n += evidence & SANDWICH_HAS(id) ? worth : 0;
	SANDWICH_EVIDENCE(_)
#undef _
	return n;
}

/* Fees alone put it there, and the evidence that they are. */
static bool
around(const struct sandwich *s, const struct pair *p, const struct entry *v, uint32_t *evidence)
{
	if (sandwich_fees(s, p->front, v) != FEE_ABOVE)
		return false;
	enum fee_order behind = sandwich_fees(s, p->back, v);
	if (behind != FEE_BELOW && behind != FEE_EQUAL)
		return false;
	*evidence = p->evidence;
	if (is_hair(s, p->front, v))
		*evidence |= SANDWICH_HAS(FEE_HAIR);
	if (is_tight(s, p->front, v, p->f->how & p->b->how & TOUCH_SWAP_OF ? 12 : 9) &&
		is_tight(s, p->back, v, 9))
		*evidence |= SANDWICH_HAS(FEE_TIGHT);
	if (is_copy(p->back, v))
		*evidence |= SANDWICH_HAS(FEE_COPY);
	return true;
}

static bool
is_victim(const struct pair *p, const struct entry *v, const struct touch *t)
{
	if (v == p->front || v == p->back)
		return false;
	/* a victim of unknown form: only of legs that decode */
	if (!(t->how & TOUCH_SWAP_OF) && !(p->f->how & p->b->how & TOUCH_SWAP_OF))
		return false;
	if (p->dir != 0 && t->dir != 0 && t->dir != p->dir)
		return false;
	if (sandwich_same_from(p->front, v) || sandwich_same_from(p->back, v))
		return false;
	return true;
}

/* Fees that are derived from the victim's, or legs that show what they are: points alone are not enough, for
 * each of them comes about by chance. */
static bool
enough(const struct pair *p, uint32_t evidence)
{
	bool hair = evidence & SANDWICH_HAS(FEE_HAIR), tight = evidence & SANDWICH_HAS(FEE_TIGHT);
	bool echo = evidence & SANDWICH_HAS(AMOUNT_ECHO), turned = evidence & SANDWICH_HAS(REVERSED);
	bool ways = turned || (evidence & SANDWICH_HAS(SELECTOR)) ||
		    ((evidence & SANDWICH_HAS(OPPOSITE)) && (evidence & SANDWICH_HAS(TOGETHER)) &&
			    !p->nonces_apart);
	bool at_once = evidence & (SANDWICH_HAS(TOGETHER) | SANDWICH_HAS(SELECTOR) | SANDWICH_HAS(NONCES));
	if (!echo && !at_once)
		return false;
	if (!hair && (p->dark || !echo || !(tight ? ways : turned)))
		return false;
	if (!p->same_sender && (!p->same_contract || !(echo || turned)))
		return false;
	return points(evidence) >= SANDWICH_SCORE_MIN;
}

/* The pair's senders are asked for once everything else holds. */
static bool
settle_senders(struct sandwich *s, struct pair *p, uint32_t evidence)
{
	if (p->same_sender)
		return enough(p, evidence);
	struct pair hoped = *p;
	hoped.same_sender = true;
	bool unknown = !(p->front->flags & p->back->flags & ENTRY_FROM);
	if (unknown && enough(&hoped, evidence) && sandwich_ask(s, p->front) && sandwich_ask(s, p->back))
		p->same_sender = sandwich_same_from(p->front, p->back);
	return nonces_fit(p) && enough(p, evidence);
}

static void
tell_pair(struct sandwich *s, const struct pair *p, struct told *t, uint64_t now_ns)
{
	t->kind = SANDWICH_PUBLIC;
	t->score = (uint8_t)points(t->evidence);
	t->contract = p->same_contract;
	t->attacker_known = true;
	t->attacker = p->same_contract ? p->front->to : p->front->from;
	t->key = p->f->address;
	t->token = p->f->how & TOUCH_TOKEN_KEY;
	t->reasons = REASON(FEE_ORDER);
	if ((p->f->how & p->b->how & TOUCH_SWAP_OF) == 0)
		t->reasons |= REASON(PACKED);
	t->front = p->front;
	t->back = p->back;
	sandwich_tell(s, t, now_ns);
}

/* Is anything between the two by tip, hanging on the front by a hair, or on both? Cheap, and true of few
 * pairs. */
static bool
promising(const struct sandwich *s, const struct look *l, const struct pair *p)
{
	uint64_t high = p->front->tip, low = p->back->tip;
	bool both = p->front->flags & p->back->flags & ENTRY_SEARCH;
	bool near = both || s->base_fee != 0 || (high - low) <= high >> 7;
	for (uint32_t i = 0; i < l->n; i++) {
		uint64_t tip = l->at[i].tip;
		if (s->base_fee != 0 || (tip <= high && tip >= low && (near || high - tip <= 1000)))
			if (is_victim(p, l->at[i].e, l->at[i].t))
				return true;
	}
	return false;
}

static bool
gather(struct sandwich *s, const struct look *l, struct pair *p, struct told *t,
	const struct entry *around_what)
{
	bool among = around_what == NULL;
	unsigned best = 0;
	int turned = -1; /* not looked at yet: the tokens are the same for all */
	p->dark = true;
	for (uint32_t i = 0; i < l->n; i++) {
		uint32_t evidence;
		struct entry *v = l->at[i].e;
		if (!is_victim(p, v, l->at[i].t) || !around(s, p, v, &evidence))
			continue;
		if (l->at[i].t->how & TOUCH_SWAP_OF)
			p->dark = false;
		else if (!(evidence & SANDWICH_HAS(FEE_HAIR)))
			continue;
		among |= v == around_what;
		if (turned < 0)
			turned = reversed(s, p, l->at[i].t);
		if (turned > 0)
			evidence |= SANDWICH_HAS(REVERSED);
		if (points(evidence) > best) {
			best = points(evidence);
			t->evidence = evidence;
		}
		if (t->n_victims++ == 0)
			t->pool = sandwich_pool_of(s, v, l->at[i].t);
		if (t->n_listed < SANDWICH_VICTIMS)
			t->victims[t->n_listed++] = v;
	}
	return among;
}

/* Weighs a and b as the legs around what is in l (and around_what, if not NULL, among it). True: told. */
static bool
weigh(struct sandwich *s, struct look *l, struct entry *a, const struct touch *at, struct entry *b,
	const struct touch *bt, uint64_t now_ns, const struct entry *around_what)
{
	enum fee_order order = sandwich_fees(s, a, b);
	if (a == b || (order != FEE_ABOVE && order != FEE_BELOW) || s->pairs_left == 0 ||
		sandwich_apart(a->t_ns, b->t_ns) > s->pair_ns)
		return false;
	struct pair p = order == FEE_ABOVE ? (struct pair){.front = a, .back = b, .f = at, .b = bt}
					   : (struct pair){.front = b, .back = a, .f = bt, .b = at};
	if (!make_pair(&p))
		return false;
	if (!l->filled)
		look_at(s, at->key, now_ns, s->window_ns, l);
	if (!promising(s, l, &p))
		return false;
	if (--s->pairs_left == 0)
		s->counts[SANDWICH_N_PAIRS_CUT]++;
	s->counts[SANDWICH_N_PAIRS]++;
	look_into(s, &p);
	struct told t = {0};
	bool among = gather(s, l, &p, &t, around_what);
	if (t.n_victims == 0 || !among)
		return false;
	if (!settle_senders(s, &p, t.evidence)) {
		s->counts[SANDWICH_N_PAIRS_WEAK]++;
		return false;
	}
	tell_pair(s, &p, &t, now_ns);
	return true;
}

/* ---- what e completes ---- */

/* Other touches of the same key and the same sender, or contract. */
static bool
pairs_of(struct sandwich *s, struct look *l, struct entry *e, const struct touch *t, unsigned by,
	uint64_t now_ns, const struct entry *around_what)
{
	uint32_t i = t->who[by] != 0 ? s->by_who[by][t->who[by] & s->key_mask] : NIL;
	bool told = false;
	for (unsigned n = 0; i != NIL && n < SANDWICH_PAIRS_MAX; n++) {
		const struct touch *x = &s->touches[i];
		i = x->by_who[by].next;
		if (x != t && x->key == t->key && x->who[by] == t->who[by])
			told |= weigh(s, l, e, t, &s->txs[x->tx], x, now_ns, around_what);
	}
	return told;
}

/* Decoded legs one of whose senders is not known: opposite ways, and fees tight around something. */
static bool
strangers_of(struct sandwich *s, struct look *l, const struct look *near, struct entry *e,
	const struct touch *t, uint64_t now_ns, const struct entry *around_what)
{
	bool told = false;
	if (!(t->how & TOUCH_SWAP_OF) || t->dir == 0)
		return false;
	for (uint32_t i = 0; i < near->n && s->pairs_left != 0; i++) {
		const struct touch *x = near->at[i].t;
		struct entry *other = near->at[i].e;
		if (!(x->how & TOUCH_SWAP_OF) || x->dir != 3 - t->dir ||
			(e->flags & other->flags & ENTRY_FROM) ||
			(other->flags & (ENTRY_FROM | ENTRY_ASKED)) == ENTRY_ASKED)
			continue;
		told |= weigh(s, l, e, t, other, x, now_ns, around_what);
	}
	return told;
}

/* e came between legs that were there. */
static bool
as_victim(struct sandwich *s, struct look *l, const struct look *near, const struct entry *e, uint64_t now_ns)
{
	bool told = false;
	for (uint32_t i = 0; i < near->n && s->pairs_left != 0; i++) {
		struct entry *x = near->at[i].e;
		const struct touch *t = near->at[i].t;
		/* of each pair the back leg */
		if (x == e || (s->base_fee == 0 && near->at[i].tip > e->tip))
			continue;
		enum fee_order order = sandwich_fees(s, x, e);
		if (order != FEE_BELOW && order != FEE_EQUAL)
			continue;
		told |= pairs_of(s, l, x, t, BY_SENDER, now_ns, e);
		if (x->flags & ENTRY_VIA)
			told |= pairs_of(s, l, x, t, BY_CONTRACT, now_ns, e);
		if (!(x->flags & ENTRY_FROM) && is_tight(s, x, e, 9))
			told |= strangers_of(s, l, near, x, t, now_ns, e);
	}
	return told;
}

/* ---- a front alone ---- */

/* Its contract is one that others than its sender call on the same pool. */
static bool
is_shared(const struct sandwich *s, const struct entry *e, const struct touch *t)
{
	uint32_t i =
		t->who[BY_CONTRACT] != 0 ? s->by_who[BY_CONTRACT][t->who[BY_CONTRACT] & s->key_mask] : NIL;
	for (unsigned n = 0; i != NIL && n < SANDWICH_PAIRS_MAX; n++) {
		const struct touch *x = &s->touches[i];
		i = x->by_who[BY_CONTRACT].next;
		if (x != t && x->who[BY_CONTRACT] == t->who[BY_CONTRACT] &&
			!sandwich_same_from(e, &s->txs[x->tx]))
			return true;
	}
	return false;
}

static bool
partial(struct sandwich *s, struct entry *front, const struct touch *f, struct entry *v,
	const struct touch *vt, uint64_t now_ns)
{
	if ((s->base_fee == 0 && (f->tip < vt->tip || f->tip - vt->tip > 1000)) || front == v ||
		!(front->flags & ENTRY_PACKED) || !(vt->how & TOUCH_SWAP_OF) || (vt->how & TOUCH_NESTED) ||
		sandwich_same_from(front, v) || (f->dir != 0 && vt->dir != 0 && f->dir != vt->dir) ||
		front->t_ns < v->t_ns || front->t_ns - v->t_ns > s->pair_ns || !is_hair(s, front, v) ||
		sandwich_fees(s, front, v) != FEE_ABOVE || is_shared(s, front, f))
		return false;
	struct told t = {.kind = SANDWICH_PARTIAL,
		.contract = true,
		.attacker_known = true,
		.attacker = front->to,
		.key = f->address,
		.token = f->how & TOUCH_TOKEN_KEY,
		.pool = sandwich_pool_of(s, v, vt),
		.reasons = REASON(FEE_ORDER) | REASON(PARTIAL) | REASON(PACKED),
		.evidence = SANDWICH_HAS(FEE_HAIR),
		.score = 3,
		.front = front,
		.victims = {v},
		.n_listed = 1,
		.n_victims = 1};
	sandwich_tell(s, &t, now_ns);
	return true;
}

void
sandwich_public(struct sandwich *s, struct entry *e)
{
	struct look near, all;
	uint64_t now_ns = e->t_ns;
	bool told = false;
	for (uint32_t i = e->touches; i != NIL; i = s->touches[i].of_tx) {
		const struct touch *t = &s->touches[i];
		if ((t->how & TOUCH_TOKEN_KEY) && told)
			return; /* the pool has said it */
		all.filled = false;
		bool here = pairs_of(s, &all, e, t, BY_SENDER, now_ns, NULL);
		here |= pairs_of(s, &all, e, t, BY_CONTRACT, now_ns, NULL);
		look_at(s, t->key, now_ns, s->pair_ns, &near);
		if (near.n < 2)
			continue;
		here |= strangers_of(s, &all, &near, e, t, now_ns, NULL);
		if (e->flags & ENTRY_SWAPS)
			here |= as_victim(s, &all, &near, e, now_ns);
		for (uint32_t k = 0; !here && k < near.n; k++)
			here = partial(s, e, t, near.at[k].e, near.at[k].t, now_ns) ||
			       partial(s, near.at[k].e, near.at[k].t, e, t, now_ns);
		told |= here;
	}
}
