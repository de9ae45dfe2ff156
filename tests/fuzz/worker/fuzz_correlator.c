/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes to what workers tell a correlator with small tables: transactions and mutations of them, nodes'
 * words, proofs, blocks, memory pages, an outlet that is full. After each message the accounts add up
 * (identity 5), tables are what they say, and the alerts made are held to a plain model: whatever pauses was
 * accepted or came in a proven block, was proven, touches a protected contract and was found by a rule that
 * may; whatever is on the critical lane was accepted or included; an update is of the incident of the record
 * that it supersedes. */
#include "cases.h"

#include "abi/memory.h"
#include "detect/correlate/sandwich.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define POOL 48u
#define STEPS_MAX 160u

static struct rig g;
static const uint8_t *in;
static size_t left;

/* What is known of a transaction in the plainest way. */
static struct actor {
	struct made m;
	bool accepted, answered, bytes, included, block, touches;
} pool[POOL];
static unsigned n_pool, looked_at;

static unsigned
next(void)
{
	if (left == 0)
		return 0;
	left--;
	return *in++;
}

/* ---- what must hold ---- */

static const struct actor *
actor_of(const uint8_t hash[32])
{
	for (unsigned i = 0; i < n_pool; i++)
		if (memcmp(pool[i].m.hash, hash, 32) == 0)
			return &pool[i];
	return NULL;
}

static void
check_pause(const struct alert_record *r)
{
	const struct actor *a = actor_of(r->hash);
	need(a != NULL);
	need((a->accepted && a->answered) || (a->included && a->block));
	need(a->bytes);
	need(a->touches || r->class_ == CLASS_ARMED_CALL);
	need(r->grade_wanted == GRADE_PAUSE && (r->lacks & ~LACKS_UNCHECKED) == 0 &&
		!(r->trust & TRUST_BELOW_PAUSE));
	need(r->class_ != CLASS_SANDWICH && r->class_ != CLASS_DISPLACEMENT && r->class_ != CLASS_SWAP);
}

static void
check_alert(uint32_t at)
{
	const struct rig_alert *a = &g.alert[at];
	const struct actor *who = actor_of(a->r.hash);
	if (a->r.grade == GRADE_PAUSE)
		check_pause(&a->r);
	if (a->lane == LANE_CRITICAL) {
		bool nameless = !(a->r.has & HAS_HASH) && a->r.ending == ENDING_INCLUDED;
		need(a->r.grade >= GRADE_PAGE && (who != NULL || nameless));
		need(nameless || who->accepted || who->included);
	}
	if (!(a->r.has & HAS_SUPERSEDES))
		return;
	bool found = false;
	for (uint32_t i = 0; i < at && !found; i++)
		if ((uint32_t)g.alert[i].lane == a->r.supersedes_ring &&
			g.alert[i].r.seq == a->r.supersedes_seq) {
			found = true;
			need(memcmp(g.alert[i].r.dedupekey, a->r.dedupekey, 32) == 0);
		}
	need(found);
}

static void
check_tables(void)
{
	const struct reporter *p = &g.cor.reporter;
	uint32_t busy = 0;
	for (uint32_t i = 0; i < STORM_GROUPS; i++) {
		const struct storm_group *s = &p->storms->group[i];
		need(s->waiting < STORM_HASHES && (s->used || s->waiting == 0));
		busy += s->waiting > 0;
	}
	need(busy == p->storms->busy);
	for (uint32_t i = 0; i < p->incidents.n; i++) {
		const struct incident *x = &p->incidents.slots[i];
		if (!x->used)
			continue;
		need(!x->remembered || !x->held);
		need(x->held || !x->lost);
		need(x->remembered || memcmp(x->key, x->last.dedupekey, sizeof x->key) == 0);
		need(x->remembered || x->held || (x->seq > 0 && x->ring < LANE_COUNT));
		need(x->grade <= GRADE_MAX);
	}
	for (uint32_t i = 0; i < p->suspects.n; i++) {
		const struct suspect *t = &p->suspects.slot[i];
		need(p->suspects.by_fingerprint[i] <= p->suspects.n);
		need(t->n_incidents <= SUSPECT_INCIDENTS && t->n_created <= SUSPECT_CREATED_MAX);
		for (uint32_t k = 0; k < t->n_incidents; k++)
			need(t->incident[k].slot < p->incidents.n);
	}
	need(watch_population(g.cor.watch, true) <= g.armed &&
		watch_population(g.cor.watch, false) <= g.armed);
	need(sandwich_check(g.cor.sandwich) == NULL);
	need(life_check(g.lives.life) == NULL);
}

static void
check(void)
{
	if (g.alerts == RIG_ALERTS_MAX)
		rig_fail("more alerts than are looked at");
	for (; looked_at < g.alerts; looked_at++)
		check_alert(looked_at);
}

/* ---- what is told ---- */

static const uint8_t flash[] = {FLASH_CODE};

/* A new one: of few senders, recipients, nonces. */
static void
invent(void)
{
	static const uint8_t to[] = {TO_PAUSED, TO_PAGED, TO_WATCHED, TO_MANY, TO_NOTHING};
	static uint8_t data[POOL][128], address[POOL][20];
	struct actor *a = &pool[n_pool];
	uint8_t *d = data[n_pool];
	unsigned kind = next(), what = next(), other = next();
	*a = (struct actor){.m = {.who = kind & 3,
				    .nonce = kind >> 2 & 7,
				    .gas = what & 64 ? 77777 : 0,
				    .no_chain = kind >> 7}};
	memset(d, 0, 128);
	if (kind & 32) { /* a creation, perhaps with the protected address in it, or a proxy */
		memcpy(d, flash, sizeof flash);
		memset(d + sizeof flash, TO_PAUSED, 20);
		a->m.data = (struct span){d, sizeof flash + (what & 1 ? 20 : 0)};
		a->touches = what & 1;
		d[sizeof flash - 1] = (uint8_t)(what >> 1 & 3);
	} else if (kind & 64 && n_pool > 0) { /* a call of what another creates */
		const struct made *m = &pool[other % n_pool].m;
		tx_created(m->from, m->nonce, address[n_pool]);
		a->m.address = address[n_pool];
	} else {
		a->m.to = to[what % (sizeof to / sizeof *to)];
		a->touches = a->m.to == TO_PAUSED;
	}
	if (!(kind & 32) && what & 128) {
		memset(d + 16, other & 1 ? TO_PAUSED : 0x61, 20);
		a->m.data = (struct span){d, 36};
		a->touches |= other & 1;
	}
	make(&a->m);
	if (actor_of(a->m.hash) == NULL)
		n_pool++;
}

static struct actor *
one(void)
{
	return n_pool > 0 ? &pool[next() % n_pool] : NULL;
}

#define BELOW(trust) \
	((trust)&TRUST_BELOW_PAUSE & ~(uint32_t)(TRUST_INVALID | TRUST_SENDER_SKIPPED | TRUST_TRUNCATED))

static uint32_t
some_trust(void)
{
	static const uint32_t trust[] = {TRUST_NOT_ACKED, 0, TRUST_GAP_BEFORE | TRUST_NOT_ACKED,
		TRUST_MAC_UNVERIFIED, TRUST_OVERLAP_CONFLICT, TRUST_NOT_ACKED | TRUST_BUNDLE,
		TRUST_INCLUDED | TRUST_NOT_ACKED, TRUST_INCLUDED};
	return trust[next() & 7];
}

static void
tell_tx(struct actor *a)
{
	static const uint8_t carriers[] = {CARRIER_HTTP_JSONRPC, CARRIER_RLPX_TRANSACTIONS,
		CARRIER_RLPX_BLOCKBODY, CARRIER_ENGINE_BLOCK};
	uint32_t trust = some_trust();
	enum carrier carrier = carriers[next() & 3];
	if (carrier == CARRIER_RLPX_BLOCKBODY)
		trust |= TRUST_INCLUDED;
	seen_forget(g.w->seen, seen_fingerprint(g.w->seen, bytes_of(&a->m)));
	a->bytes |= BELOW(trust) == 0;
	a->included |= (trust & TRUST_INCLUDED) && carrier != CARRIER_RLPX_BLOCKBODY;
	cross_as(&g, &a->m, carrier, trust);
}

static void
tell_proof(struct actor *a)
{
	struct fact_evidence *f = message(&g, FACT_EVIDENCE, sizeof *f + sizeof f->item[0]);
	unsigned how = next();
	struct fact_evidence_item e = {.fingerprint = seen_fingerprint(g.w->seen, bytes_of(&a->m)),
		.trust = how & 8    ? some_trust()
			 : how & 16 ? TRUST_INCLUDED
				    : 0,
		.acked = how & 1,
		.mac = how & 2,
		.of_answer = how & 4};
	bool clean = fact_evidence_clean(&e);
	f->n = 1;
	f->t_ns = g.now_ns;
	f->item[0] = e;
	a->answered |= clean && e.of_answer;
	a->bytes |= clean && !e.of_answer;
	a->block |= clean && !e.of_answer && e.acked && (e.trust & TRUST_INCLUDED);
	sent(&g);
}

/* Two branches of few blocks. */
static void
tell_block(void)
{
	const struct made *txs[4];
	unsigned number = next() & 15, parent = next() & 15, n = next() & 3, k = 0;
	for (unsigned i = 0; i < n && n_pool > 0; i++) {
		struct actor *a = one();
		a->included = true;
		txs[k++] = &a->m;
	}
	block(&g, (uint8_t)(1 + number), (uint8_t)parent, txs, k);
}

/* A byte of it is another; it is nobody's then, and not followed. */
static void
tell_mutation(const struct actor *a)
{
	uint8_t raw[sizeof a->m.raw];
	struct crossing where = {
		.carrier = CARRIER_HTTP_JSONRPC, .trust = TRUST_NOT_ACKED, .t_wire_ns = g.now_ns};
	memcpy(raw, a->m.raw, a->m.n);
	for (unsigned i = next() & 3; i < 4; i++)
		raw[(next() * 7 + i) % a->m.n] ^= (uint8_t)(1 + next());
	worker_raw(g.w, (struct span){raw, a->m.n}, &where);
	rig_drain(&g);
}

/* One that is too long to travel, with a finding. */
static void
tell_nameless(void)
{
	struct tx_msg *m = message(&g, FACT_TX, tx_msg_bytes(0, 0, 1, 0, 0));
	m->n_findings = 1;
	m->tx_bytes = TX_BYTES_MAX + 1;
	m->where = (struct crossing){
		.carrier = CARRIER_HTTP_JSONRPC, .trust = some_trust(), .t_wire_ns = g.now_ns};
	g.stats->lcore[0].c[CTR_FINDINGS]++;
	sent(&g);
}

static void
tell_memory(void)
{
	static uint8_t bytes[MEMORY_BYTES(2, 2)] __attribute__((aligned(64)));
	struct memory_page *p = (struct memory_page *)bytes;
	unsigned how = next();
	memset(bytes, 0, sizeof bytes);
	*p = (struct memory_page){.magic = MEMORY_MAGIC,
		.version = MEMORY_VERSION,
		.header_bytes = sizeof *p,
		.armed_bytes = sizeof(struct memory_armed),
		.incident_bytes = sizeof(struct memory_incident),
		.n_armed = how & 1,
		.n_incidents = g.alerts > 0 ? how >> 1 & 1 : 0,
		.number = 1};
	struct memory_armed *a = (struct memory_armed *)(uintptr_t)memory_armed(p);
	struct memory_incident *i = (struct memory_incident *)(uintptr_t)memory_incidents(p);
	const struct actor *who = one();
	if (who != NULL) {
		tx_created(who->m.from, who->m.nonce, a->address);
		memcpy(a->deploy_hash, who->m.hash, 32);
	}
	a->address[0] |= 1;
	a->chain_id = how >> 2 & 1;
	a->flags = how >> 3 & 7 & (MEMORY_INCLUDED | MEMORY_OPERATOR);
	a->since_ns = a->last_ns = g.now_ns;
	if (p->n_incidents > 0) {
		const struct rig_alert *told = &g.alert[next() % g.alerts];
		memcpy(i->dedupekey, told->r.dedupekey, 32);
		memcpy(i->hashes[0], told->r.hash, 8);
		i->n_hashes = 1;
		i->seq = told->r.seq;
		i->ring = told->lane;
		i->grade = told->r.grade;
		i->last_ns = g.now_ns;
	}
	correlator_memory(&g.cor, NULL);
	correlator_poll(&g.cor, 1, g.now_ns);
	correlator_memory(&g.cor, p);
	correlator_poll(&g.cor, 1, g.now_ns);
}

static void
pass_time(void)
{
	static const uint64_t by[] = {1000, MS, 100 * MS, 1000 * MS, 60000 * MS, HOUR_NS, 4 * HOUR_NS};
	unsigned how = next() & 7;
	if (how < 7)
		g.now_ns += by[how];
	else
		g.now_ns -= 50 * MS;
	for (unsigned i = 0; i < 40; i++)
		correlator_poll(&g.cor, 1, g.now_ns);
}

static void
step(void)
{
	unsigned what = next() & 15;
	struct actor *a = what < 9 ? one() : NULL;
	if (what < 9 && a == NULL)
		what = 9;
	if (what >= 9 && what < 11 && n_pool < POOL) {
		invent();
		tell_tx(&pool[n_pool - 1]);
		return;
	}
	switch (what) {
	case 0:
	case 1:
		tell_tx(a);
		break;
	case 2:
	case 3:
		a->accepted = true;
		node(&g, &a->m, true);
		break;
	case 4:
		node(&g, &a->m, false);
		break;
	case 5:
	case 6:
	case 7:
		tell_proof(a);
		break;
	case 8:
		tell_mutation(a);
		break;
	case 11:
		tell_block();
		break;
	case 12:
		head(&g, (uint8_t)(1 + (next() & 15)));
		break;
	case 13:
		pass_time();
		break;
	case 14:
		if (next() & 1)
			g.outlet_full = !g.outlet_full;
		else
			tell_memory();
		break;
	default:
		if (next() & 1)
			tell_nameless();
		else
			g.cor.patient = !g.cor.patient;
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = data;
	left = size;
	n_pool = looked_at = 0;
	rig_init(&g);
	g.config.conns_max = 4; /* nothing comes by wire */
	g.config.slabs[0] = 1;
	g.config.slabs[1] = g.config.slabs[2] = 0;
	g.config.inflates = g.config.rlpx_windows = 1;
	g.config.joins = 1;
	g.config.stream.flows_max = 64;
	g.config.stream.ooo_slabs = 16;
	g.config.stream.history_buffers = 4;
	g.with_lives = true;
	g.lives_txs = 64;
	g.incidents = 64;
	g.armed = 16;
	g.protect = guard(TO_PAUSED);
	rig_start(&g);
	for (unsigned i = 0; i < STEPS_MAX && left > 0; i++) {
		step();
		check();
		if (i % 32 == 31) /* walks everything */
			check_tables();
	}
	correlator_finish(&g.cor, g.now_ns);
	rig_drain(&g);
	check();
	check_tables();
	rig_stop(&g);
	return 0;
}
