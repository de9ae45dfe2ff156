/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/lives.h"

#include "abi/counters.h"
#include "eth/tx.h"

#include <string.h>

#define PENDING_TTL_NS (3ull * 3600 * 1000000000) /* geth's, core/txpool/legacypool Lifetime */
#define ANNOUNCED_TTL_NS (600ull * 1000000000)
#define AGE_BUDGET 16u

#define _(id, help) _Static_assert((int)CTR_LIFE_##id == (int)CTR_LIFE_ANNOUNCED + (int)LIFE_N_##id, "counters.h has life.h's counts, in order");
LIFE_COUNTS(_)
#undef _
_Static_assert(PROTOCOLS_MAX <= LIFE_PROTOCOLS_MAX && PROTOCOLS_ADDRESSES_MAX <= LIFE_ADDRESSES_MAX, "every protocol of a profile has its share");
_Static_assert(PROTOCOLS_MAX <= STATS_PROTOCOLS_MAX, "and its place on the stats page");

static struct life_config
life_config_of(const struct lives_config *c)
{
	struct life_config k = {
		.n_txs = c->n_txs,
		.n_blocks = LIFE_BLOCKS_DEFAULT,
		.n_links = 2 * c->n_txs,
		.pending_ttl_ns = PENDING_TTL_NS,
		.announced_ttl_ns = ANNOUNCED_TTL_NS,
		.event = c->event,
		.ctx = c->ctx,
	};
	memcpy(k.key, c->key, sizeof k.key);
	return k;
}

static size_t
bundles_bytes(void)
{
	return (LIVES_BUNDLES * sizeof(struct lives_bundle) + 63) & ~(size_t)63;
}

size_t
lives_bytes(const struct lives_config *c)
{
	struct life_config k = life_config_of(c);
	return bundles_bytes() + life_bytes(&k);
}

/* Addresses grouped by protocol, as life wants them. */
static uint32_t
protocols_of(const struct protocols *p, struct life_protocol out[PROTOCOLS_MAX], uint8_t addresses[PROTOCOLS_ADDRESSES_MAX][20])
{
	uint32_t used = 0;
	for (uint32_t i = 0; p != NULL && i < p->n; i++) {
		memcpy(out[i].name, p->name[i], sizeof out[i].name);
		out[i].addresses = (const uint8_t (*)[20])addresses + used;
		out[i].n_addresses = 0;
		for (uint32_t k = 0; k < p->n_addresses; k++) {
			if (p->address[k].protocol != i)
				continue;
			memcpy(addresses[used++], p->address[k].address, 20);
			out[i].n_addresses++;
		}
	}
	return p != NULL ? p->n : 0;
}

void
lives_init(struct lives *l, void *mem, const struct lives_config *c, uint64_t *counters)
{
	struct life_protocol protocols[PROTOCOLS_MAX];
	uint8_t addresses[PROTOCOLS_ADDRESSES_MAX][20];
	struct life_config k = life_config_of(c);
	memset(l, 0, sizeof *l);
	memset(mem, 0, bundles_bytes());
	l->bundles = mem;
	l->ctr = counters;
	l->senders = c->senders;
	l->shares = c->shares;
	l->n_protocols = k.n_protocols = protocols_of(c->protocols, protocols, addresses);
	k.protocols = protocols;
	k.counts = &counters[CTR_LIFE_ANNOUNCED];
	l->life = life_init((uint8_t *)mem + bundles_bytes(), &k);
	for (uint32_t i = 0; l->shares != NULL && i < l->n_protocols; i++)
		memcpy(l->shares->protocol[i].name, protocols[i].name, sizeof l->shares->protocol[i].name);
	if (l->shares != NULL)
		__atomic_store_n(&l->shares->protocols, l->n_protocols, __ATOMIC_RELEASE);
}

/* ---- what a transaction's bytes say ---- */

struct known {
	struct life_seen seen;
	uint8_t hash[32], sender[20];
	struct tx tx;
};

/* The sender is looked for only if nobody knows it yet. */
static const uint8_t *
sender_for(struct lives *l, const struct tx *tx, const uint8_t hash[32], bool hurry, uint8_t out[20])
{
	const struct life_tx *t = life_find(l->life, hash);
	if (!l->senders || (t != NULL && (t->has & LIFE_HAS_SENDER)))
		return NULL;
	if (hurry) {
		l->ctr[CTR_SENDERS_NOT_FOR_LIVES]++;
		return NULL;
	}
	l->ctr[CTR_SENDERS_FOR_LIVES]++;
	return tx_sender(tx, out) == 0 ? out : NULL;
}

void
lives_pending(struct lives *l, struct sighting *s, bool hurry)
{
	struct life_seen seen = {.hash = s->hash, .fingerprint = s->m->fingerprint};
	uint64_t t_ns = s->m->where.t_wire_ns;
	if (t_ns > l->now_ns)
		l->now_ns = t_ns;
	if (s->decoded) {
		seen.nonce = s->tx.nonce;
		seen.has_nonce = !(s->m->claim.has & CLAIM_NO_NONCE);
		seen.to = s->tx.to.len == 20 ? s->tx.to.p : NULL;
	}
	if (s->decoded && !s->named) {
		seen.sender = sender_for(l, &s->tx, s->hash, hurry, s->from);
		s->named = s->has_from = seen.sender != NULL;
	} else if (s->has_from) {
		seen.sender = s->from;
	}
	life_pending(l->life, &seen, t_ns);
}

bool
fact_tx_hash(const struct fact_tx *f, uint8_t out[32])
{
	struct tx t;
	if (f->raw_len == 0)
		memcpy(out, f->hash, 32);
	else if (tx_decode((struct span){f->raw, f->raw_len}, &t) == 0)
		tx_hash(&t, out);
	else
		return false;
	return true;
}

static bool
know(struct lives *l, const struct fact_tx *f, struct known *k, bool hurry)
{
	k->seen = (struct life_seen){.hash = k->hash, .fingerprint = f->fingerprint};
	if (f->raw_len == 0) {
		memcpy(k->hash, f->hash, 32);
		return true;
	}
	if (tx_decode((struct span){f->raw, f->raw_len}, &k->tx) != 0) {
		l->ctr[CTR_FACTS_ODD]++;
		return false;
	}
	tx_hash(&k->tx, k->hash);
	k->seen.nonce = k->tx.nonce;
	k->seen.has_nonce = true;
	if (k->tx.to.len == 20)
		k->seen.to = k->tx.to.p;
	if (f->kind != FACT_BUNDLE) /* a bundle's elements are known by their hashes */
		k->seen.sender = sender_for(l, &k->tx, k->hash, hurry, k->sender);
	return true;
}

/* ---- bundles ---- */

static struct lives_bundle *
bundle_of(const struct lives *l, uint64_t handle)
{
	for (unsigned i = 0; i < LIVES_BUNDLES; i++)
		if (l->bundles[i].handle == handle)
			return &l->bundles[i];
	return NULL;
}

static void
take_bundle(struct lives *l, const struct fact_tx *f)
{
	struct known k;
	struct lives_bundle *b = bundle_of(l, f->handle);
	if (b == NULL) {
		b = &l->bundles[l->bundle_turn++ % LIVES_BUNDLES];
		memset(b->has, 0, sizeof b->has);
		b->handle = f->handle;
		b->len = f->len;
		l->ctr[CTR_BUNDLES]++;
	}
	if (f->raw_len == 0) {
		const struct life_tx *t = life_find(l->life, f->hash);
		bool joined = t != NULL && (t->has & LIFE_HAS_PENDING);
		l->ctr[joined ? CTR_BUNDLE_HASHES_JOINED : CTR_BUNDLE_HASHES_UNKNOWN]++;
	}
	if (f->pos >= LIVES_BUNDLE_TXS || !know(l, f, &k, true))
		return;
	b->has[f->pos] = true;
	memcpy(b->hash[f->pos], k.hash, 32);
}

/* The nearest others, as many as an alert holds. */
static void
tell_bundle(const struct lives *l, struct alert_record *r, uint64_t handle)
{
	const struct lives_bundle *b = handle != 0 ? bundle_of(l, handle) : NULL;
	for (uint32_t away = 1; b != NULL && away < LIVES_BUNDLE_TXS && r->n_related < ALERT_RELATED_MAX; away++) {
		for (int side = -1; side <= 1 && r->n_related < ALERT_RELATED_MAX; side += 2) {
			int64_t pos = (int64_t)r->bundle_pos + side * (int64_t)away;
			if (pos < 0 || pos >= LIVES_BUNDLE_TXS || !b->has[pos])
				continue;
			struct alert_related *other = &r->related[r->n_related++];
			other->role = ROLE_BUNDLE;
			memcpy(other->hash, b->hash[pos], 32);
		}
	}
}

/* ---- facts ---- */

static void
take_tx(struct lives *l, const struct fact_tx *f, bool hurry)
{
	struct known k;
	if (f->kind == FACT_BUNDLE) {
		take_bundle(l, f);
		return;
	}
	if (!know(l, f, &k, hurry)) {
		if (f->kind == FACT_BLOCK_TX)
			life_block_unread(l->life, f->handle);
		return;
	}
	if (f->kind == FACT_MINED)
		life_mined(l->life, &k.seen, f->has_block ? f->block : NULL, f->t_ns);
	else
		life_block_tx(l->life, f->handle, &k.seen, f->t_ns);
}

static void
close_block(struct lives *l, const struct fact_block *f)
{
	static const uint8_t kind[] = {[FACT_NEW_PAYLOAD] = LIFE_BLOCK_NEW, [FACT_OFFERED] = LIFE_BLOCK_OFFERED, [FACT_TOLD] = LIFE_BLOCK_TOLD};
	struct life_block_id id = {.number = f->number};
	id.has = (uint8_t)((f->has_hash ? LIFE_HAS_HASH : 0) | (f->has_parent ? LIFE_HAS_PARENT : 0) | (f->has_number ? LIFE_HAS_NUMBER : 0));
	memcpy(id.hash, f->hash, 32);
	memcpy(id.parent, f->parent, 32);
	life_block_close(l->life, f->handle, (enum life_block_kind)kind[f->source], f->whole ? &id : NULL, f->t_ns);
}

static void
take_block(struct lives *l, const struct fact_block *f)
{
	switch (f->kind) {
	case FACT_BLOCK_OPEN:
		life_block_open(l->life, f->handle, f->t_ns);
		break;
	case FACT_BLOCK_UNREAD:
		life_block_unread(l->life, f->handle);
		break;
	case FACT_BLOCK_CLOSE:
		close_block(l, f);
		break;
	case FACT_BLOCK_JUDGED:
		life_block_judged(l->life, f->hash, f->valid, f->t_ns);
		break;
	default:
		life_head(l->life, f->hash, f->t_ns);
		break;
	}
	if (f->t_ns > l->now_ns)
		l->now_ns = f->t_ns;
}

static void
take_announced(struct lives *l, const struct fact_announced *f)
{
	life_announced(l->life, f->hash, f->type, f->size, f->t_ns);
}

static void
take_node(struct lives *l, const struct fact_node *f)
{
	life_judged(l->life, f->accepted ? f->hash : NULL, f->fingerprint, f->accepted, f->reason, f->t_ns);
}

void
lives_take(struct lives *l, const void *message, bool hurry)
{
	uint32_t kind = *(const uint32_t *)message;
	switch (kind) {
	case FACT_EVIDENCE:
		break;
	case FACT_ANNOUNCED:
		take_announced(l, message);
		break;
	case FACT_NODE:
		take_node(l, message);
		break;
	case FACT_MINED:
	case FACT_BUNDLE:
	case FACT_BLOCK_TX:
		take_tx(l, message, hurry);
		break;
	default:
		take_block(l, message);
		break;
	}
}

void
lives_age(struct lives *l)
{
	life_age(l->life, l->now_ns, AGE_BUDGET);
	for (uint32_t i = 0; l->shares != NULL && i < l->n_protocols; i++) {
		struct life_share s = life_share(l->life, (int)i, NULL);
		struct stats_protocol *p = &l->shares->protocol[i];
		__atomic_store_n(&p->included, s.included, __ATOMIC_RELAXED);
		__atomic_store_n(&p->announced_only, s.announced_only, __ATOMIC_RELAXED);
		__atomic_store_n(&p->never_seen, s.never_seen, __ATOMIC_RELAXED);
	}
}

void
lives_tell(const struct lives *l, struct alert_record *r, uint64_t bundle)
{
	const struct life_tx *t = r->has & HAS_HASH ? life_find(l->life, r->hash) : NULL;
	if (t != NULL && (t->has & LIFE_HAS_ANNOUNCED) && t->announced_ns <= r->t_wire_ns)
		r->t_announced_ns = t->announced_ns;
	if (t != NULL)
		r->node = t->verdict;
	tell_bundle(l, r, bundle);
}
