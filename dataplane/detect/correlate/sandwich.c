/* SPDX-License-Identifier: BSD-3-Clause */
/* The layout of the memory, what is told of transactions, and their fates. */
#include "detect/correlate/sandwich_private.h"

static const uint8_t mainnet[][20] = {
	/* WETH, USDC, USDT, DAI, WBTC */
	{0xc0, 0x2a, 0xaa, 0x39, 0xb2, 0x23, 0xfe, 0x8d, 0x0a, 0x0e, 0x5c, 0x4f, 0x27, 0xea, 0xd9, 0x08, 0x3c,
		0x75, 0x6c, 0xc2},
	{0xa0, 0xb8, 0x69, 0x91, 0xc6, 0x21, 0x8b, 0x36, 0xc1, 0xd1, 0x9d, 0x4a, 0x2e, 0x9e, 0xb0, 0xce, 0x36,
		0x06, 0xeb, 0x48},
	{0xda, 0xc1, 0x7f, 0x95, 0x8d, 0x2e, 0xe5, 0x23, 0xa2, 0x20, 0x62, 0x06, 0x99, 0x45, 0x97, 0xc1, 0x3d,
		0x83, 0x1e, 0xc7},
	{0x6b, 0x17, 0x54, 0x74, 0xe8, 0x90, 0x94, 0xc4, 0x4d, 0xa9, 0x8b, 0x95, 0x4e, 0xed, 0xea, 0xc4, 0x95,
		0x27, 0x1d, 0x0f},
	{0x22, 0x60, 0xfa, 0xc5, 0xe5, 0x54, 0x2a, 0x77, 0x3a, 0xa4, 0x4f, 0xbc, 0xfe, 0xdf, 0x7c, 0x19, 0x3b,
		0xc2, 0xc5, 0x99}};
#define N_MAINNET (sizeof mainnet / sizeof mainnet[0])

static bool
power_between(uint32_t n, uint32_t least, uint32_t most)
{
	return (n & (n - 1)) == 0 && n >= least && n <= most;
}

/* The next array behind *at. mem NULL: only sizes are asked for. */
static void *
carve(uint8_t *mem, size_t *at, size_t n, size_t each)
{
	size_t here = *at;
	*at = (here + n * each + 63) & ~(size_t)63;
	return mem != NULL ? mem + here : NULL;
}

static uint32_t
bits_of(uint32_t power)
{
	return (uint32_t)__builtin_ctz(power);
}

static size_t
layout(uint8_t *mem, const struct sandwich_config *c, struct sandwich *s)
{
	size_t at = 0, n = c->n_txs, filter = 16 * n < 65536 ? 65536 : 16 * n;
	carve(mem, &at, 1, sizeof *s);
	s->txs = carve(mem, &at, n, sizeof *s->txs);
	s->by_hash = carve(mem, &at, 2 * n, sizeof(uint32_t));
	s->touches = carve(mem, &at, 4 * n, sizeof *s->touches);
	s->by_key = carve(mem, &at, 4 * n, sizeof(uint32_t));
	for (unsigned by = 0; by < 2; by++)
		s->by_who[by] = carve(mem, &at, 4 * n, sizeof(uint32_t));
	s->filter = carve(mem, &at, filter, 1);
	s->fp_filter = carve(mem, &at, filter, 1);
	s->data = carve(mem, &at, 256 * n, 1);
	s->grams = carve(mem, &at, 8 * n, sizeof *s->grams);
	s->by_gram = carve(mem, &at, 8 * n, sizeof(uint32_t));
	s->by_fp = carve(mem, &at, n, sizeof(uint32_t));
	s->bundles = carve(mem, &at, c->n_bundles, sizeof *s->bundles);
	s->by_bundle = carve(mem, &at, c->n_bundles, sizeof(uint32_t));
	s->incidents = carve(mem, &at, c->n_incidents, sizeof *s->incidents);
	s->by_incident = carve(mem, &at, c->n_incidents, sizeof(uint32_t));
	s->tx_mask = (uint32_t)n - 1;
	s->hash_mask = (uint32_t)(2 * n) - 1;
	s->n_touches = (uint32_t)(4 * n);
	s->key_mask = s->n_touches - 1;
	s->filter_shift = 32 - bits_of((uint32_t)filter);
	s->data_mask = 256 * n - 1;
	s->gram_mask = s->gram_bucket_mask = (uint32_t)(8 * n) - 1;
	s->fp_mask = (uint32_t)n - 1;
	s->bundle_mask = c->n_bundles - 1;
	s->incident_mask = c->n_incidents - 1;
	return at;
}

size_t
sandwich_bytes(const struct sandwich_config *c)
{
	struct sandwich s;
	bool usable = power_between(c->n_txs, 16, 1u << 22) && power_between(c->n_bundles, 4, 1u << 16) &&
		      power_between(c->n_incidents, 4, 1u << 20) && c->n_common <= COMMON_MAX;
	return usable ? layout(NULL, c, &s) : 0;
}

struct sandwich *
sandwich_init(void *mem, const struct sandwich_config *c)
{
	struct sandwich *s = mem;
	memset(mem, 0, sandwich_bytes(c));
	layout(mem, c, s);
	memcpy(s->key, c->key, sizeof s->key);
	s->window_ns = c->window_ns;
	s->pair_ns = c->pair_ns;
	s->counts = c->counts;
	s->found = c->found;
	s->sender = c->sender;
	s->ctx = c->ctx;
	s->n_common = c->common != NULL ? c->n_common : N_MAINNET;
	memcpy(s->common, c->common != NULL ? c->common : mainnet, (size_t)s->n_common * 20);
	s->first = s->next = 1;
	s->bundle_at = s->incident_at = 1;
	uint32_t n = c->n_txs;
	memset(s->by_hash, 0xff, 2 * (size_t)n * sizeof(uint32_t));
	memset(s->by_key, 0xff, 4 * (size_t)n * sizeof(uint32_t));
	for (unsigned by = 0; by < 2; by++)
		memset(s->by_who[by], 0xff, 4 * (size_t)n * sizeof(uint32_t));
	memset(s->by_fp, 0xff, (size_t)n * sizeof(uint32_t));
	memset(s->by_bundle, 0xff, c->n_bundles * sizeof(uint32_t));
	memset(s->by_incident, 0xff, c->n_incidents * sizeof(uint32_t));
	s->free_touch = NIL;
	for (uint32_t i = s->n_touches; i-- > 0;) {
		s->touches[i].of_tx = s->free_touch;
		s->free_touch = i;
	}
	s->fp_base = (s->key[0] ^ s->key[1] << 1) | 1;
	s->fp_out = 1;
	for (unsigned i = 0; i < FP_WINDOW; i++)
		s->fp_out *= s->fp_base;
	return s;
}

/* ---- what is in a transaction ---- */

static uint64_t
wei(struct span be)
{
	uint64_t v = 0;
	for (uint32_t i = 0; i < be.len; i++) {
		if (v >> 56 != 0)
			return UINT64_MAX;
		v = v << 8 | be.p[i];
	}
	return v;
}

static struct amount
amount(const uint8_t be[32])
{
	struct amount a = {0, 0};
	for (unsigned i = 0; i < 32; i++)
		a.v = a.v * 256 + be[i];
	for (unsigned i = 24; i < 32; i++)
		a.low = a.low << 8 | be[i];
	return a;
}

/* A swap says in and out as exact amounts or as bounds, the first hop in and the last out. */
static void
amounts(struct touch *t, const struct swap *w)
{
	bool limited = w->has & SWAP_HAS_LIMIT;
	if (w->hop == 0 && (w->has & SWAP_HAS_AMOUNT_IN)) {
		t->in = amount(w->amount_in);
		t->how |= TOUCH_IN | TOUCH_IN_EXACT;
	} else if (w->hop == 0 && w->exact_out && limited) {
		t->in = amount(w->limit);
		t->how |= TOUCH_IN;
	}
	if (w->hop + 1 < w->hops)
		return;
	if (w->has & SWAP_HAS_AMOUNT_OUT) {
		t->out = amount(w->amount_out);
		t->how |= TOUCH_OUT | TOUCH_OUT_EXACT;
	} else if (!w->exact_out && limited) {
		t->out = amount(w->limit);
		t->how |= TOUCH_OUT;
	}
}

static bool
is_nested(const struct sandwich_tx *t, const struct swap *w)
{
	if (w->call == 0)
		return false;
	if (t->calls == NULL || w->call >= t->calls->n || t->to == NULL)
		return true;
	struct span to = t->calls->call[w->call].to;
	return to.len != 20 || memcmp(to.p, t->to, 20) != 0;
}

static void
fill(struct touch *t, const struct sandwich_tx *tx, const struct swap *w, uint8_t dir)
{
	t->dir = dir;
	if (is_nested(tx, w))
		t->how |= TOUCH_NESTED;
	if ((w->has & SWAP_HAS_TOKEN_IN) && (w->has & SWAP_HAS_TOKEN_OUT)) {
		t->how |= TOUCH_TOKENS;
		memcpy(t->token_in, w->token_in, 20);
		memcpy(t->token_out, w->token_out, 20);
	}
	amounts(t, w);
}

static void
take_pool(struct sandwich *s, struct entry *e, const struct sandwich_tx *tx, const struct swap *w)
{
	uint8_t dir = 0;
	if ((w->has & SWAP_HAS_TOKEN_IN) && (w->has & SWAP_HAS_TOKEN_OUT))
		dir = memcmp(w->token_in, w->token_out, 20) < 0 ? 1 : 2;
	uint64_t key = sandwich_key_of(s, w->pool);
	struct touch *t = sandwich_touch_of(s, e, key);
	if (t != NULL) { /* through it twice: both ways is none */
		if (t->dir != dir)
			t->dir = 0;
		return;
	}
	t = sandwich_touch(s, e, key, w->pool, TOUCH_SWAP_OF);
	if (t != NULL)
		fill(t, tx, w, dir);
}

static void
take_token(struct sandwich *s, struct entry *e, const struct sandwich_tx *tx, const struct swap *w, bool in)
{
	const uint8_t *token = in ? w->token_in : w->token_out;
	if (!(w->has & (in ? SWAP_HAS_TOKEN_IN : SWAP_HAS_TOKEN_OUT)) || sandwich_is_common(s, token))
		return;
	uint8_t dir = in ? 1 : 2;
	uint64_t key = sandwich_key_of(s, token);
	struct touch *t = sandwich_touch_of(s, e, key);
	if (t != NULL) {
		if (t->dir != dir)
			t->dir = 0;
		return;
	}
	t = sandwich_touch(s, e, key, token, TOUCH_SWAP_OF | TOUCH_TOKEN_KEY);
	if (t != NULL)
		fill(t, tx, w, dir);
}

static void
take_swaps(struct sandwich *s, struct entry *e, const struct sandwich_tx *t)
{
	uint64_t seq = e->seq;
	for (uint32_t i = 0; i < t->n_swaps && e->seq == seq; i++)
		if (t->swaps[i].has & SWAP_HAS_POOL)
			take_pool(s, e, t, &t->swaps[i]);
	for (uint32_t i = 0; i < t->n_swaps; i++) {
		take_token(s, e, t, &t->swaps[i], true);
		take_token(s, e, t, &t->swaps[i], false);
	}
	if (e->n_touches == 0)
		return;
	e->flags |= ENTRY_SWAPS;
	s->counts[SANDWICH_N_SWAPPING]++;
	/* a decodable swap may be there to hide what is not */
	bool pool = false, nested = false;
	for (uint32_t i = e->touches; i != NIL; i = s->touches[i].of_tx) {
		pool |= !(s->touches[i].how & TOUCH_TOKEN_KEY);
		nested |= s->touches[i].how & TOUCH_NESTED;
	}
	e->flags |= (nested ? ENTRY_VIA : 0) | (nested || !pool || t->swaps_over ? ENTRY_SEARCH : 0);
}

static void
describe(struct entry *e, const struct sandwich_tx *t)
{
	e->ref = t->ref;
	e->t_ns = t->t_ns;
	if (t->from != NULL) {
		memcpy(e->from, t->from, 20);
		e->flags |= ENTRY_FROM;
	}
	if (t->to != NULL) {
		memcpy(e->to, t->to, 20);
		e->flags |= ENTRY_TO;
	}
	if (t->has_nonce) {
		e->nonce = t->nonce;
		e->flags |= ENTRY_NONCE;
	}
	if (t->priced) {
		e->tip = wei(t->tip_cap);
		e->cap = wei(t->fee_cap);
		e->flags |= ENTRY_PRICED;
	}
	if (t->type == TX_LEGACY || t->type == TX_2930)
		e->flags |= ENTRY_LEGACY;
	if (t->data.len >= 4)
		memcpy(&e->selector, t->data.p, 4);
}

/* Its first crossing: what is in it, and its calldata. */
static void
examine(struct sandwich *s, struct entry *e, const struct sandwich_tx *t)
{
	e->flags &= ~(uint32_t)ENTRY_AWAITED;
	describe(e, t);
	take_swaps(s, e, t);
	if (!(e->flags & ENTRY_SWAPS) && t->to != NULL && t->data.len >= 20) {
		e->flags |= ENTRY_PACKED | ENTRY_VIA | ENTRY_SEARCH;
		s->counts[SANDWICH_N_PACKED]++;
	}
	sandwich_keep(s, e, t->data);
}

/* It is public from now on. */
static void
publish(struct sandwich *s, struct entry *e, const struct sandwich_tx *t)
{
	uint64_t seq = e->seq;
	e->flags |= ENTRY_PUBLIC;
	e->t_ns = t->t_ns;
	sandwich_link(s, e);
	if (e->flags & ENTRY_SEARCH) {
		sandwich_needles(s, e, t->data);
		sandwich_sample(s, e);
	}
	if (e->flags & ENTRY_SWAPS)
		sandwich_seek(s, e);
	if (e->seq == seq && (e->flags & ENTRY_LINKED))
		sandwich_public(s, e);
	sandwich_displace(s, e, t->data);
}

static void
begin(struct sandwich *s)
{
	s->senders_left = SANDWICH_SENDERS_MAX;
	s->pairs_left = SANDWICH_PAIRS_MAX;
}

void
sandwich_take(struct sandwich *s, const struct sandwich_tx *t)
{
	begin(s);
	s->counts[SANDWICH_N_TAKEN]++;
	sandwich_age(s, t->t_ns, 8);
	struct entry *e = sandwich_find(s, t->hash);
	bool known = e != NULL && !(e->flags & ENTRY_AWAITED);
	if (!known && t->bundle == 0 && e == NULL && t->n_swaps == 0 && t->data.len < 20) {
		s->counts[SANDWICH_N_IGNORED]++;
		return;
	}
	if (known)
		s->counts[SANDWICH_N_KNOWN]++;
	if (e == NULL)
		e = sandwich_make(s, t->hash, t->t_ns);
	if (!known)
		examine(s, e, t);
	if (known && t->from != NULL)
		sandwich_know_sender(s, e, t->from);
	uint64_t awaited = !known ? e->bundle : 0;
	if (t->bundle == 0 && !(e->flags & (ENTRY_PUBLIC | ENTRY_SETTLED)))
		publish(s, e, t);
	if (t->bundle != 0)
		sandwich_join(s, e, t->bundle, t->bundle_pos, t->bundle_len);
	if (awaited != 0) {
		struct bundle *b = sandwich_bundle(s, awaited, 0);
		if (b != NULL)
			sandwich_bundle_look(s, b);
	}
}

void
sandwich_bundle_hash(struct sandwich *s, const uint8_t hash[32], uint64_t bundle, uint16_t pos, uint16_t len,
	uint64_t t_ns)
{
	begin(s);
	struct entry *e = sandwich_find(s, hash);
	if (e == NULL) {
		e = sandwich_make(s, hash, t_ns);
		e->flags |= ENTRY_AWAITED;
		e->bundle = bundle;
	}
	sandwich_join(s, e, bundle, pos, len);
}

void
sandwich_bundle_lost(struct sandwich *s, uint64_t bundle, uint16_t len, uint64_t t_ns)
{
	(void)t_ns;
	begin(s);
	struct bundle *b = sandwich_bundle(s, bundle, len);
	if (b == NULL)
		return;
	b->told++;
	if (b->told == b->len)
		sandwich_bundle_look(s, b);
}

/* ---- fates ---- */

static void
end(struct sandwich *s, const uint8_t hash[32], uint8_t ending, uint64_t t_ns)
{
	struct entry *e = sandwich_find(s, hash);
	if (e == NULL || (e->flags & ENTRY_SETTLED))
		return;
	sandwich_settle(s, e);
	sandwich_gone(s, e, ending, t_ns);
}

void
sandwich_replaced(struct sandwich *s, const uint8_t hash[32], uint64_t t_ns)
{
	end(s, hash, SANDWICH_REPLACED, t_ns);
}

void
sandwich_dropped(struct sandwich *s, const uint8_t hash[32], uint64_t t_ns)
{
	end(s, hash, SANDWICH_DROPPED, t_ns);
}

void
sandwich_included(struct sandwich *s, const uint8_t hash[32], uint64_t block, uint32_t index, uint64_t t_ns)
{
	struct entry *e = sandwich_find(s, hash);
	if (e == NULL || (e->flags & ENTRY_INCLUDED))
		return;
	e->flags |= ENTRY_INCLUDED;
	e->block = block;
	e->index = index;
	sandwich_settle(s, e);
	sandwich_mined(s, e, t_ns);
}

void
sandwich_base_fee(struct sandwich *s, uint64_t wei_)
{
	s->base_fee = wei_;
}

uint32_t
sandwich_age(struct sandwich *s, uint64_t now_ns, uint32_t budget)
{
	uint32_t n = 0;
	while (n < budget && s->first < s->next) {
		uint64_t t = s->txs[s->first & s->tx_mask].t_ns;
		if (now_ns < t || now_ns - t <= s->window_ns)
			break;
		sandwich_forget(s);
		s->counts[SANDWICH_N_EXPIRED]++;
		n++;
	}
	return n;
}

uint32_t
sandwich_in_flight(const struct sandwich *s)
{
	return (uint32_t)(s->next - s->first);
}

static const char *const names[] = {
#define _(id, help) #id,
	SANDWICH_COUNTS(_)
#undef _
};
static const char *const helps[] = {
#define _(id, help) help,
	SANDWICH_COUNTS(_)
#undef _
};

const char *
sandwich_count_name(enum sandwich_count c)
{
	return c < SANDWICH_N_COUNT ? names[c] : NULL;
}

const char *
sandwich_count_help(enum sandwich_count c)
{
	return c < SANDWICH_N_COUNT ? helps[c] : NULL;
}
