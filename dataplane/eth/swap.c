/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/swap.h"

#include "eth/swap/form.h"

static const char *const venue_names[] = {
#define _(id, name) name,
	SWAP_VENUES(_)
#undef _
};

static const struct swap_chain_id {
	uint64_t id;
	uint32_t chain;
} chain_ids[] = {
	{0, CHAIN_MAINNET}, /* not told */
	{1, CHAIN_MAINNET},
	{1337, CHAIN_MAINNET}, /* local forks */
	{31337, CHAIN_MAINNET},
	{10, CHAIN_OPTIMISM},
	{137, CHAIN_POLYGON},
	{8453, CHAIN_BASE},
	{42161, CHAIN_ARBITRUM},
};

static uint32_t
chain_of(uint64_t id)
{
	for (uint32_t i = 0; i < sizeof chain_ids / sizeof *chain_ids; i++)
		if (chain_ids[i].id == id)
			return chain_ids[i].chain;
	return CHAIN_OTHER;
}

const uint8_t *
swap_wrapped(const struct swap_reader *r)
{
	static const uint8_t mainnet[20] = {0xc0, 0x2a, 0xaa, 0x39, 0xb2, 0x23, 0xfe, 0x8d, 0x0a, 0x0e, 0x5c,
		0x4f, 0x27, 0xea, 0xd9, 0x08, 0x3c, 0x75, 0x6c, 0xc2};
	static const uint8_t op_stack[20] = {0x42, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06};
	static const uint8_t arbitrum[20] = {0x82, 0xaf, 0x49, 0x44, 0x7d, 0x8a, 0x07, 0xe3, 0xbd, 0x95, 0xbd,
		0x0d, 0x56, 0xf3, 0x52, 0x41, 0x52, 0x3f, 0xba, 0xb1};
	static const uint8_t polygon[20] = {0x0d, 0x50, 0x0b, 0x1d, 0x8e, 0x8e, 0xf3, 0x1e, 0x21, 0xc9, 0x9d,
		0x1d, 0xb9, 0xa6, 0x44, 0x4d, 0x3a, 0xdf, 0x12, 0x70};
	switch (r->chain) {
	case CHAIN_MAINNET:
		return mainnet;
	case CHAIN_OPTIMISM:
	case CHAIN_BASE:
		return op_stack;
	case CHAIN_ARBITRUM:
		return arbitrum;
	case CHAIN_POLYGON:
		return polygon;
	default:
		return NULL;
	}
}

const uint8_t *
swap_token(const struct swap_reader *r, const uint8_t *address)
{
	static const uint8_t ether[20] = {0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
		0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee};
	if (address != NULL && (swap_zero(address, 20) || memcmp(address, ether, 20) == 0))
		return swap_wrapped(r);
	return address;
}

const uint8_t *
swap_recipient(const struct swap_asked *a, const uint8_t *address)
{
	uint8_t last = address != NULL ? address[19] : 0;
	if (address == NULL || !swap_zero(address, 19) || last > 2)
		return address;
	if (last == 0)
		return (a->traits & ROUTER_ZERO_IS_SELF) ? a->to : NULL;
	if (!(a->traits & ROUTER_CONSTANTS))
		return address;
	return last == 2 ? a->to : NULL;
}

void
swap_deadline(struct swap_terms *t, const uint8_t *word)
{
	if (word == NULL)
		return;
	t->has_deadline = true;
	t->deadline = 0;
	for (uint32_t i = 24; i < 32; i++)
		t->deadline = t->deadline << 8 | word[i];
	if (!swap_zero(word, 24))
		t->deadline = UINT64_MAX;
}

static void
put(struct swap *s, uint32_t bit, uint8_t *field, const uint8_t *from, uint32_t n)
{
	if (from == NULL)
		return;
	memcpy(field, from, n);
	s->has = (uint16_t)(s->has | bit);
}

static void
put_terms(struct swap *s, const struct swap_hop *h, const struct swap_terms *t)
{
	bool first = h->hop == 0, last = h->hop + 1 == h->hops;
	if (t->exact_out ? last : first)
		put(s, t->exact_out ? SWAP_HAS_AMOUNT_OUT : SWAP_HAS_AMOUNT_IN,
			t->exact_out ? s->amount_out : s->amount_in, t->amount, 32);
	if (t->exact_out ? first : last)
		put(s, SWAP_HAS_LIMIT, s->limit, t->limit, 32);
	if (last)
		put(s, SWAP_HAS_RECIPIENT, s->recipient, t->recipient, 20);
	if (t->has_deadline) {
		s->deadline = t->deadline;
		s->has |= SWAP_HAS_DEADLINE;
	}
	s->exact_out = t->exact_out;
}

static void
put_direction(struct swap *s, const struct swap_hop *h)
{
	int order =
		h->direction < 0 && h->token_in && h->token_out ? memcmp(h->token_in, h->token_out, 20) : 0;
	if (h->direction < 0 && order == 0)
		return;
	s->zero_for_one = h->direction >= 0 ? h->direction != 0 : order < 0;
	s->has |= SWAP_HAS_DIRECTION;
}

bool
swap_emit(struct swap_reader *r, const struct swap_asked *a, const struct swap_hop *h,
	const struct swap_terms *terms)
{
	if (r->n == SWAPS_MAX) {
		r->over = true;
		return false;
	}
	struct swap *s = &r->out[r->n++];
	memset(s, 0, sizeof *s);
	s->venue = (uint8_t)h->venue;
	s->router = a->router;
	s->call = a->call;
	s->hop = (uint8_t)(h->hop < UINT8_MAX ? h->hop : UINT8_MAX);
	s->hops = (uint8_t)(h->hops < UINT8_MAX ? h->hops : UINT8_MAX);
	put(s, SWAP_HAS_POOL, s->pool, h->pool, 20);
	put(s, SWAP_HAS_TOKEN_IN, s->token_in, h->token_in, 20);
	put(s, SWAP_HAS_TOKEN_OUT, s->token_out, h->token_out, 20);
	put_direction(s, h);
	put_terms(s, h, terms);
	return true;
}

void
swap_generic(struct swap_reader *r, const struct swap_asked *a, const uint8_t *in, const uint8_t *out,
	const struct swap_terms *terms)
{
	struct swap_hop h = {
		.token_in = swap_token(r, in), .token_out = swap_token(r, out), .direction = -1, .hops = 1};
	swap_emit(r, a, &h, terms);
}

/* ---- which form ---- */

static uint64_t
load64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

static uint32_t
load32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

static bool
try_row(struct swap_reader *r, struct swap_asked *a, uint32_t row, uint32_t selector)
{
	const struct swap_router *w = &swap_routers[row];
	for (const struct swap_form *f = w->forms; f->read != NULL; f++) {
		if (f->selector != selector)
			continue;
		a->router = (uint8_t)row;
		a->v2 = w->v2;
		a->v3 = w->v3;
		a->traits = w->traits;
		f->read(r, a, f->arg);
		return true;
	}
	return false;
}

/* Rows known by address; where none has it, or not this form, the rows that go by selector. Those stand last.
 * Returns whether a router that is known by address was asked. */
static bool
read_call(struct swap_reader *r, struct swap_asked *a)
{
	uint64_t hi = 0, mid = 0;
	uint32_t lo = 0, selector = load32(a->data.p);
	if (a->to != NULL) {
		hi = load64(a->to);
		mid = load64(a->to + 8);
		lo = load32(a->to + 16);
	}
	for (uint32_t i = 0; i < swap_routers_n; i++) {
		const struct swap_router *w = &swap_routers[i];
		bool by_selector = (w->hi | w->mid | w->lo) == 0;
		if (!by_selector && (w->hi != hi || w->mid != mid || w->lo != lo || !(w->chains & r->chain)))
			continue;
		a->by_selector = by_selector;
		if (try_row(r, a, i, selector))
			return !by_selector;
	}
	return false;
}

static uint32_t
selector_bit(uint32_t selector)
{
	return (selector >> 18 ^ selector) & (SWAP_CACHE_SELECTORS - 1);
}

static __attribute__((noinline)) void
note_selectors(struct swap_cache *cache)
{
	for (uint32_t i = 0; i < swap_routers_n; i++) {
		for (const struct swap_form *f = swap_routers[i].forms; f->read != NULL; f++) {
			uint32_t bit = selector_bit(f->selector);
			cache->selectors[bit / 64] |= (uint64_t)1 << bit % 64;
		}
	}
	cache->has_selectors = true;
}

/* False: no row has a form with it. */
static inline bool
may_be_known(const struct swap_cache *cache, uint32_t selector)
{
	uint32_t bit = selector_bit(selector);
	return cache == NULL || (cache->selectors[bit / 64] >> bit % 64 & 1);
}

void
swap_dispatch(struct swap_reader *r, const struct swap_asked *outer, const uint8_t *to, struct span data,
	const uint8_t *value)
{
	if (outer->depth >= SWAP_DEPTH_MAX)
		r->over = true;
	if (data.len < 4 || outer->depth >= SWAP_DEPTH_MAX || !swap_step(r))
		return;
	struct swap_asked a = {.args = abi_args(data),
		.data = data,
		.to = to,
		.call = outer->call,
		.depth = (uint8_t)(outer->depth + 1),
		.value_known = value != NULL};
	if (value != NULL)
		memcpy(a.value, value, 32);
	read_call(r, &a);
}

/* ---- the calls of a transaction ---- */

#define MULTICALL_DEADLINE 0x5ae401dcu /* multicall(uint256 deadline, bytes[]) */

/* A contract that calls itself or delegates keeps the ether, and the deadline, of the call around it. */
static void
from_around(const struct calls *calls, uint32_t i, struct swap_asked *a)
{
	const struct call *c = &calls->call[i];
	for (uint32_t depth = 0;
		depth < CALLS_DEPTH_MAX && (c->kind == CALL_SELF || c->kind == CALL_DELEGATE) &&
		c->parent < calls->n && &calls->call[c->parent] != c;
		depth++) {
		c = &calls->call[c->parent];
		if (!a->has_deadline && c->data.len >= 36 && load32(c->data.p) == MULTICALL_DEADLINE) {
			struct swap_terms t = {0};
			swap_deadline(&t, c->data.p + 4);
			a->has_deadline = true;
			a->deadline = t.deadline;
		}
	}
	a->value_known = c == &calls->call[0] || c->value.len > 0;
	if (c->value.len > 0 && c->value.len <= 32)
		memcpy(a->value + 32 - c->value.len, c->value.p, c->value.len);
}

/* What a known router was asked for has been read whole, the calls inside with it; a contract known by a
 * selector may have been given that one to hide them. */
static bool
inside(const struct calls *calls, uint32_t i, uint64_t known)
{
	for (uint32_t depth = 0; depth < CALLS_DEPTH_MAX && calls->call[i].parent < i; depth++) {
		i = calls->call[i].parent;
		if (known >> i & 1)
			return true;
	}
	return false;
}

/* Most transactions are done with here. */
static inline bool
any_known(const struct calls *calls, struct swap_cache *cache)
{
	if (cache != NULL && !cache->has_selectors)
		note_selectors(cache);
	for (const struct call *c = calls->call; c < calls->call + calls->n; c++)
		if (c->data.len >= 4 && may_be_known(cache, load32(c->data.p)))
			return true;
	return false;
}

static __attribute__((noinline)) uint32_t
read_swaps(const struct tx *t, const struct calls *calls, struct swap_cache *cache,
	struct swap out[SWAPS_MAX], bool *over)
{
	struct swap_reader r = {.tx = t, .calls = calls, .cache = cache, .out = out, .steps = SWAP_STEPS_MAX};
	uint64_t known = 0;
	_Static_assert(CALLS_MAX <= 64, "a bit a call");
	r.chain = chain_of(t->has_chain_id ? t->chain_id : 0);
	for (uint32_t i = 0; i < calls->n && i < CALLS_MAX && !(r.over && r.n == SWAPS_MAX); i++) {
		const struct call *c = &calls->call[i];
		if (c->kind > CALL_DELEGATE || c->data.len < 4 || (i == 0 && t->to.len == 0) ||
			inside(calls, i, known))
			continue;
		struct swap_asked a = {.args = abi_args(c->data),
			.data = c->data,
			.to = c->to.len == 20 ? c->to.p : NULL,
			.call = (uint8_t)i};
		from_around(calls, i, &a);
		known |= (uint64_t)read_call(&r, &a) << i;
	}
	*over = r.over;
	return r.n;
}

uint32_t
swaps_of_cached(const struct tx *t, const struct calls *calls, struct swap_cache *cache,
	struct swap out[SWAPS_MAX], bool *over)
{
	*over = false;
	return any_known(calls, cache) ? read_swaps(t, calls, cache, out, over) : 0;
}

uint32_t
swaps_of(const struct tx *t, const struct calls *calls, struct swap out[SWAPS_MAX], bool *over)
{
	return swaps_of_cached(t, calls, NULL, out, over);
}

const char *
swap_router_name(unsigned router)
{
	return router < swap_routers_n ? swap_routers[router].name : NULL;
}

const char *
swap_venue_name(unsigned venue)
{
	return venue < SWAP_VENUE_COUNT ? venue_names[venue] : NULL;
}
