/* SPDX-License-Identifier: BSD-3-Clause */
/* Deployments of attack code arm their address; calls of it, delegations to it and proxies of it are told, in
 * whatever order they come. */
#include "cases.h"

#include "abi/memory.h"
#include "eth/keccak.h"
#include "eth/rlp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct rig g;
static const uint8_t flash_code[] = {FLASH_CODE};
#define CODE_SPAN ((struct span){flash_code, sizeof flash_code})

static int
setup(void **state)
{
	begin(&g, TO_PAUSED);
	return 0;
}

static int
teardown(void **state)
{
	rig_stop(&g);
	return 0;
}

static void
created_by(const struct made *m, uint8_t out[20])
{
	tx_created(m->from, m->nonce, out);
}

static const struct watch_entry *
armed(const uint8_t *address)
{
	return watch_find(g.cor.watch, address, 1);
}

static struct made
deployment(uint8_t who, uint64_t nonce)
{
	struct made m = {.who = who, .nonce = nonce, .data = CODE_SPAN};
	make(&m);
	return m;
}

static struct made
call_of(const uint8_t *address, uint8_t who, uint64_t nonce)
{
	struct made m = {.who = who, .nonce = nonce, .address = address};
	make(&m);
	return m;
}

/* From real frames: the deployment, then the call, with the lead. */
static void
deployed_then_called(void **state)
{
	struct rig_flow f;
	uint8_t at[20];
	struct made d = {.data = CODE_SPAN};
	make(&d);
	created_by(&d, at);
	rig_open(&g, &f, 1);
	uint64_t seen = g.now_ns;
	rig_submit(&g, &f, bytes_of(&d));
	rig_drain(&g);
	assert_int_equal(g.alerts, 1);
	assert_int_equal(last(&g)->r.rule_id, 6);
	assert_int_equal(last(&g)->r.class_, CLASS_FLASH_DEPLOY);
	assert_true(last(&g)->r.has & HAS_ARMED);
	assert_memory_equal(last(&g)->r.armed, at, 20);
	assert_true(last(&g)->r.reasons & REASON(CALLBACK));
	assert_true(last(&g)->r.has & HAS_SCORE);
	assert_non_null(armed(at));
	g.now_ns += 5000 * MS;
	struct made c = call_of(at, 0, 9);
	rig_submit(&g, &f, bytes_of(&c));
	rig_drain(&g);
	assert_int_equal(g.alerts, 2);
	const struct alert_record *r = &last(&g)->r;
	assert_int_equal(r->rule_id, 7);
	assert_int_equal(r->class_, CLASS_ARMED_CALL);
	assert_int_equal(r->t_armed_ns, seen);
	assert_true(r->t_wire_ns - r->t_armed_ns > 5000 * MS);
	assert_true(r->reasons & REASON(ARMED));
	assert_int_equal(r->n_related, 1);
	assert_int_equal(r->related[0].role, ROLE_DEPLOY);
	assert_memory_equal(r->related[0].hash, d.hash, 32);
	rig_flush(&g);
}

/* The code holds a protected contract's address: the call that names nothing touches it. */
static void
protected_in_the_code(void **state)
{
	uint8_t code[sizeof flash_code + 20], at[20];
	memcpy(code, flash_code, sizeof flash_code);
	memset(code + sizeof flash_code, TO_PAUSED, 20);
	struct made d = {.who = 1, .data = {code, sizeof code}};
	make(&d);
	created_by(&d, at);
	cross(&g, &d);
	assert_true(last(&g)->r.reasons & REASON(TARGET));
	struct made c = call_of(at, 2, 0);
	cross(&g, &c);
	assert_int_equal(last(&g)->r.rule_id, 8);
	assert_int_equal(last(&g)->r.touches[0], TOUCH(ARMED));
	accepted_and_proven(&g, &c);
	assert_int_equal(last(&g)->r.grade, GRADE_PAUSE);
	/* another call of it, by somebody else: the same incident, and its own record */
	struct made e = call_of(at, 3, 5);
	cross(&g, &e);
	assert_memory_equal(last(&g)->r.dedupekey, g.alert[1].r.dedupekey, 32);
	accepted_and_proven(&g, &e);
	assert_memory_equal(last(&g)->r.hash, e.hash, 32);
	assert_memory_equal(last(&g)->r.from, e.from, 20);
	assert_int_equal(last(&g)->r.grade, GRADE_PAUSE);
}

/* Rules on events may ask for the transaction's own numbers. */
static void
numbers_of_the_call(void **state)
{
	uint8_t at[20];
	struct made d = deployment(1, 0);
	created_by(&d, at);
	cross(&g, &d);
	struct made c = {.who = 2, .address = at, .gas = 77777};
	make(&c);
	cross(&g, &c);
	assert_int_equal(last(&g)->r.rule_id, 13);
}

/* The call comes first, by another worker or in the wrong order. */
static void
called_before_it_is_deployed(void **state)
{
	uint8_t at[20];
	struct made d = deployment(1, 4);
	created_by(&d, at);
	struct made c = call_of(at, 2, 0), plain = {.to = TO_NOTHING};
	make(&plain);
	cross(&g, &c);
	cross(&g, &plain);
	assert_int_equal(g.alerts, 0);
	cross(&g, &d);
	assert_int_equal(g.alerts, 2);
	assert_int_equal(g.alert[0].r.rule_id, 6);
	assert_int_equal(g.alert[1].r.rule_id, 7);
	assert_memory_equal(g.alert[1].r.hash, c.hash, 32);
	assert_int_equal(g.alert[1].r.t_armed_ns, 0); /* no warning */
	node(&g, &c, true);
	assert_int_equal(last(&g)->lane, LANE_CRITICAL);
	cross(&g, &d); /* again: nothing more */
	assert_int_equal(g.alerts, 3);
}

/* A transaction as before EIP-155 is good on every chain. */
static void
without_a_chain(void **state)
{
	uint8_t at[20];
	struct made d = deployment(1, 0);
	created_by(&d, at);
	cross(&g, &d);
	struct made c = {.address = at, .no_chain = true};
	make(&c);
	cross(&g, &c);
	assert_int_equal(g.alerts, 2);
	assert_int_equal(last(&g)->r.class_, CLASS_ARMED_CALL);
}

/* ---- what becomes of deployments ---- */

static void
included_dropped_replaced(void **state)
{
	uint8_t at[3][20];
	struct made d[3], other = {.who = 3, .to = TO_NOTHING, .nonce = 0};
	for (unsigned i = 0; i < 3; i++) {
		d[i] = deployment((uint8_t)(1 + i), 0);
		created_by(&d[i], at[i]);
		cross(&g, &d[i]);
		assert_non_null(armed(at[i]));
	}
	make(&other);
	cross(&g, &other);
	const struct made *txs[] = {&d[0], &other};
	block(&g, 1, 0, NULL, 0);
	block(&g, 2, 1, txs, 2);
	assert_true(armed(at[0])->flags & WATCH_INCLUDED);
	assert_null(armed(at[2])); /* replaced */
	head(&g, 1);
	assert_false(armed(at[0])->flags & WATCH_INCLUDED);
	assert_non_null(armed(at[2])); /* lives again */
	head(&g, 2);
	assert_true(armed(at[0])->flags & WATCH_INCLUDED);
	assert_null(armed(at[2]));
	later(&g, 4 * HOUR_NS);
	assert_non_null(armed(at[0]));
	assert_null(armed(at[1])); /* dropped */
}

/* Speeding up the deployment of the same code, or of another one that is as bad: what loses does not disarm
 * what wins. */
static void
replaced_by_its_like(void **state)
{
	uint8_t at[20];
	struct made a = {.who = 1, .data = CODE_SPAN}, b = {.who = 1, .data = CODE_SPAN, .gas = 3000000};
	make(&a);
	make(&b);
	created_by(&a, at);
	cross(&g, &a);
	g.now_ns += 2 * HOUR_NS;
	cross(&g, &b);
	later(&g, HOUR_NS + 1000 * MS); /* the first is dropped for its age */
	assert_non_null(armed(at));
	const struct made *txs[] = {&b};
	block(&g, 1, 0, txs, 1);
	assert_true(armed(at)->flags & WATCH_INCLUDED);
	struct made c = call_of(at, 2, 0);
	cross(&g, &c);
	assert_int_equal(last(&g)->r.class_, CLASS_ARMED_CALL);
	assert_memory_equal(last(&g)->r.related[0].hash, b.hash, 32);
}

/* Decoys make the entry go before its block comes: then it is armed all the same, with what is known of it.
 */
static void
evicted_before_its_block(void **state)
{
	uint8_t at[20];
	struct made d = deployment(1, 0);
	created_by(&d, at);
	cross(&g, &d);
	for (unsigned i = 0; i < 600; i++) {
		struct made decoy = deployment((uint8_t)(2 + i % 200), 10 + i);
		cross(&g, &decoy);
	}
	assert_null(armed(at));
	const struct made *txs[] = {&d};
	block(&g, 1, 0, txs, 1);
	assert_non_null(armed(at));
	assert_int_equal(armed(at)->flags & (WATCH_INCLUDED | WATCH_FLASH), WATCH_INCLUDED | WATCH_FLASH);
	struct made c = call_of(at, 2, 0);
	cross(&g, &c);
	assert_int_equal(last(&g)->r.class_, CLASS_ARMED_CALL);
}

/* What a peer calls a block's deployments displaces nothing. */
static void
forged_blocks_arm_no_more_than_others(void **state)
{
	uint8_t at[20];
	struct made d = deployment(1, 0);
	created_by(&d, at);
	cross(&g, &d);
	const struct made *txs[] = {&d};
	block(&g, 1, 0, txs, 1);
	for (unsigned i = 0; i < 600; i++) {
		struct made decoy = deployment((uint8_t)(2 + i % 200), 10 + i);
		cross_as(&g, &decoy, CARRIER_RLPX_BLOCKBODY, TRUST_INCLUDED);
	}
	assert_non_null(armed(at));
	assert_int_equal(watch_population(g.cor.watch, true), 1);
	assert_int_equal(g.cc[CTR_WATCH_EVICTED_KEPT], 0);
}

static void
accepted_outlasts_decoys(void **state)
{
	uint8_t at[20];
	struct made d = deployment(1, 0);
	created_by(&d, at);
	cross(&g, &d);
	node(&g, &d, true);
	for (unsigned i = 0; i < 600; i++) {
		struct made decoy = deployment((uint8_t)(2 + i % 200), 10 + i);
		cross(&g, &decoy);
	}
	assert_non_null(armed(at));
}

static int
setup_no_time(void **state)
{
	rig_init(&g);
	g.with_lives = true;
	g.lives_txs = 4096;
	g.config.code_all = false;
	rig_start(&g);
	return 0;
}

/* Nobody can keep a deployment from being read for good: not once it is in a block, nor when it crosses
 * again. */
static void
no_time_for_its_code(void **state)
{
	static uint8_t filler[1500];
	uint8_t at[2][20];
	uint64_t now = g.now_ns;
	g.w->now_ns = now; /* nothing comes by wire */
	for (unsigned i = 0; g.c[CTR_CODES_SKIPPED] == 0; i++) {
		struct made decoy = {.who = 9, .nonce = 100 + i, .data = {filler, sizeof filler}};
		make(&decoy);
		cross(&g, &decoy);
		g.now_ns = now;
		assert_true(i < 10000);
	}
	struct made d[2];
	for (unsigned i = 0; i < 2; i++) {
		d[i] = deployment((uint8_t)(1 + i), 0);
		created_by(&d[i], at[i]);
		cross(&g, &d[i]);
		g.now_ns = now;
		assert_null(armed(at[i]));
	}
	assert_int_equal(g.alerts, 0);
	cross_as(&g, &d[0], CARRIER_ENGINE_BLOCK, TRUST_INCLUDED | TRUST_NOT_ACKED);
	assert_true(armed(at[0])->flags & WATCH_INCLUDED);
	g.w->now_ns = g.now_ns += 1000 * MS;
	cross(&g, &d[1]);
	assert_non_null(armed(at[1]));
	cross(&g, &d[1]);
	assert_int_equal(g.c[CTR_TX_DUPLICATE], 1);
}

/* ---- proxies ---- */

static void
proxy_of(const uint8_t *target, uint8_t out[55])
{
	static const uint8_t head[] = {0x3d, 0x60, 0x2d, 0x80, 0x60, 0x0a, 0x3d, 0x39, 0x81, 0xf3, 0x36, 0x3d,
		0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73};
	static const uint8_t tail[] = {
		0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3};
	memcpy(out, head, 20);
	memcpy(out + 20, target, 20);
	memcpy(out + 40, tail, 15);
}

static void
proxies(void **state)
{
	for (unsigned first = 0; first < 2; first++) {
		uint8_t at[20], proxy[20], code[55];
		struct made d = deployment((uint8_t)(1 + first), 0);
		created_by(&d, at);
		proxy_of(at, code);
		struct made p = {.who = (uint8_t)(5 + first), .data = {code, sizeof code}};
		make(&p);
		created_by(&p, proxy);
		cross(&g, first ? &p : &d);
		cross(&g, first ? &d : &p);
		assert_non_null(armed(at));
		assert_non_null(armed(proxy));
		assert_true(armed(proxy)->flags & WATCH_FLASH);
		struct made c = call_of(proxy, 9, first);
		cross(&g, &c);
		assert_int_equal(last(&g)->r.class_, CLASS_ARMED_CALL);
		assert_memory_equal(last(&g)->r.armed, proxy, 20);
	}
}

/* Each points at the next, deployed in the wrong order: what is looked at again is bounded. */
static void
a_chain_of_proxies(void **state)
{
	uint8_t code[100][55], at[100][20], bottom[20];
	struct made d = deployment(1, 0), p;
	created_by(&d, bottom);
	for (unsigned i = 0; i < 100; i++) {
		struct made who = {.nonce = i};
		memset(who.from, 7, 20);
		created_by(&who, at[i]);
	}
	for (unsigned i = 100; i-- > 0;) {
		proxy_of(i == 0 ? bottom : at[i - 1], code[i]);
		p = (struct made){.who = 7, .nonce = i, .data = {code[i], 55}};
		make(&p);
		cross(&g, &p);
	}
	cross(&g, &d);
	unsigned n = 0;
	for (unsigned i = 0; i < 100; i++)
		n += armed(at[i]) != NULL;
	assert_true(n >= 8 && n <= 64);
}

/* ---- EIP-7702 ---- */

/* One tuple; its authority is whoever the signature recovers. */
static uint32_t
tuple(uint8_t *out, uint8_t chain, const uint8_t *to, uint8_t salt, uint8_t authority[20])
{
	for (uint8_t k = salt;; k += 16) {
		uint8_t body[128], *b = body;
		*b++ = chain ? chain : 0x80;
		*b++ = 0x94;
		memcpy(b, to, 20);
		b += 20;
		*b++ = 0x80; /* nonce */
		*b++ = 0x80; /* parity */
		*b++ = 0xa0;
		memset(b, k + 1, 32);
		b += 32;
		*b++ = 0xa0;
		memset(b, 0x11, 32);
		b += 32;
		if (!tx_authority((struct span){body, (uint32_t)(b - body)}, authority))
			continue;
		out[0] = 0xf8;
		out[1] = (uint8_t)(b - body);
		memcpy(out + 2, body, (size_t)(b - body));
		return 2 + (uint32_t)(b - body);
	}
}

static void
delegations(void **state)
{
	uint8_t at[20], list[1024], authority[8][20];
	struct made d = deployment(1, 0);
	created_by(&d, at);
	cross(&g, &d);
	/* of this chain, of any, of another, and more than a few */
	static const uint8_t chain[8] = {1, 0, 2, 1, 1, 1, 1, 0};
	uint32_t n = 0;
	for (uint8_t i = 0; i < 8; i++)
		n += tuple(list + n, chain[i], at, i, authority[i]);
	struct made m = {.who = 4, .to = TO_NOTHING, .auth = {list, n}};
	make(&m);
	unsigned before = g.alerts;
	cross(&g, &m);
	assert_int_equal(g.alerts - before, 7);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(armed(authority[i]) != NULL, chain[i] != 2);
	assert_true(armed(authority[0])->flags & WATCH_DELEGATED);
	assert_int_equal(g.alert[before].r.rule_id, 9);
	assert_memory_equal(g.alert[before].r.armed, authority[0], 20);
	assert_true(g.alert[before].r.reasons & REASON(DELEGATION));
	struct made c = call_of(authority[7], 5, 0);
	cross(&g, &c);
	assert_int_equal(last(&g)->r.class_, CLASS_ARMED_CALL);
	/* included: all of them are kept */
	const struct made *txs[] = {&m};
	block(&g, 1, 0, txs, 1);
	for (unsigned i = 0; i < 8; i++)
		if (chain[i] != 2)
			assert_true(armed(authority[i])->flags & WATCH_INCLUDED);
}

/* Multicall3's aggregate3 of nine deployments by a factory, the last of which is the one that matters. */
static void
decoys_do_not_crowd_it_out(void **state)
{
	static const uint8_t multicall[20] = {0xca, 0x11, 0xbd, 0xe0, 0x59, 0x77, 0xb3, 0x63, 0x11, 0x67, 0x02, 0x88, 0x62, 0xbe, 0x2a, 0x17, 0x39, 0x76, 0xca, 0x11};
	static const uint8_t factory[20] = {0x4e, 0x59, 0xb4, 0x48, 0x47, 0xb3, 0x79, 0x57, 0x85, 0x88, 0x92, 0x0c, 0xa7, 0x8f, 0xbf, 0x26, 0xc0, 0xb4, 0x95, 0x6c};
	static const uint8_t decoy[] = {0x60, 1, 0xff, 0x33, 0xff}; /* destroys itself */
	uint8_t data[3072] = {0x82, 0xad, 0x56, 0xcb}, *heads = data + 4 + 64;
	unsigned n = TX_CODES_MAX + 1, at = 32 * n;
	data[4 + 31] = 32;
	data[4 + 63] = (uint8_t)n;
	for (unsigned i = 0; i < n; i++) {
		struct span code = i + 1 < n ? (struct span){decoy, sizeof decoy} : CODE_SPAN;
		uint8_t *call = heads + at;
		heads[32 * i + 30] = (uint8_t)(at >> 8);
		heads[32 * i + 31] = (uint8_t)at;
		memcpy(call + 12, factory, 20);
		call[63] = 1;
		call[95] = 96;
		call[127] = (uint8_t)(32 + code.len);
		call[128 + 31] = (uint8_t)i;
		memcpy(call + 160, code.p, code.len);
		at += 128 + (32 + code.len + 31) / 32 * 32;
	}
	struct made m = {.address = multicall, .data = {data, 4 + 64 + at}};
	make(&m);
	cross(&g, &m);
	assert_int_equal(g.c[CTR_CODES_READ], n);
	assert_int_equal(g.c[CTR_CODES_LEFT_OUT], 1);
	assert_int_equal(g.alerts, 1);
	assert_int_equal(last(&g)->r.class_, CLASS_FLASH_DEPLOY);
	assert_true(last(&g)->r.has & HAS_ARMED);
}

/* More tuples than are kept in mind: counted. */
static void
delegations_beyond_the_cap(void **state)
{
	uint8_t at[20] = {9}, list[130 * 65], authority[20];
	for (unsigned more = 0; more < 2; more++) {
		uint32_t n = 0;
		for (unsigned i = 0; i < 64 + more; i++)
			n += tuple(list + n, 1, at, (uint8_t)i, authority);
		struct made m = {.who = 4, .to = TO_NOTHING, .auth = {list, n}, .nonce = more};
		make(&m);
		cross(&g, &m);
		assert_int_equal(g.cc[CTR_MENTIONS_OVER], more);
	}
}

static void
delegated_before_it_is_deployed(void **state)
{
	uint8_t at[20], list[256], authority[20];
	struct made d = deployment(1, 0);
	created_by(&d, at);
	uint32_t n = tuple(list, 0, at, 3, authority);
	struct made m = {.who = 4, .to = TO_NOTHING, .auth = {list, n}}, c;
	make(&m);
	cross(&g, &m);
	c = call_of(authority, 5, 0);
	cross(&g, &c);
	assert_int_equal(g.alerts, 0);
	cross(&g, &d);
	assert_non_null(armed(authority));
	assert_int_equal(g.alerts, 3);
	assert_memory_equal(last(&g)->r.hash, c.hash, 32);
}

static void
authorities(void **state)
{
	uint8_t to[20] = {9}, item[256], authority[20], again[20];
	uint32_t n = tuple(item, 1, to, 1, authority);
	struct span good = {item + 2, n - 2};
	assert_true(tx_authority(good, again));
	assert_memory_equal(again, authority, 20);
	for (uint32_t cut = 0; cut < good.len; cut++) /* an exact copy of each beginning: overruns show */ {
		uint8_t *copy = malloc(cut ? cut : 1);
		memcpy(copy, good.p, cut);
		assert_false(tx_authority((struct span){copy, cut}, again));
		free(copy);
	}
	uint8_t bad[256];
	memcpy(bad, good.p, good.len);
	bad[23] = 2; /* parity: two */
	assert_false(tx_authority((struct span){bad, good.len}, again));
	bad[23] = 0x80;
	memset(bad + good.len - 32, 0x80, 32); /* s above half the order */
	assert_false(tx_authority((struct span){bad, good.len}, again));
	memcpy(bad, good.p, good.len);
	bad[good.len] = 0x80;
	assert_false(tx_authority((struct span){bad, good.len + 1}, again));
}

/* ---- operators' and remembered ones ---- */

static void
memory_pages(void **state)
{
	static uint8_t bytes[MEMORY_BYTES(2, 0)] __attribute__((aligned(64)));
	struct memory_page *p = (struct memory_page *)bytes;
	struct memory_armed *a;
	uint8_t theirs[20], before[20];
	memset(theirs, 0x51, 20);
	memset(before, 0x52, 20);
	*p = (struct memory_page){.magic = MEMORY_MAGIC,
		.version = MEMORY_VERSION,
		.header_bytes = sizeof *p,
		.armed_bytes = sizeof *a,
		.incident_bytes = sizeof(struct memory_incident),
		.n_armed = 2,
		.number = 1};
	a = (struct memory_armed *)(uintptr_t)memory_armed(p);
	a[0] = (struct memory_armed){.flags = MEMORY_OPERATOR, .since_ns = 5, .last_ns = 6};
	a[1] = (struct memory_armed){.since_ns = g.now_ns - 1000,
		.last_ns = g.now_ns - 1000,
		.chain_id = 1,
		.rule_id = 6,
		.reasons = REASON(ENTRY),
		.score = 500};
	memcpy(a[0].address, theirs, 20);
	memcpy(a[1].address, before, 20);
	struct made d = {.to = TO_NOTHING, .nonce = 99}; /* stands for the deployment */
	make(&d);
	memcpy(a[1].deploy_hash, d.hash, 32);
	assert_int_equal(memory_check(p, sizeof bytes), 0);
	for (unsigned twice = 0; twice < 2; twice++) {
		correlator_memory(&g.cor, NULL);
		correlator_poll(&g.cor, 1, g.now_ns);
		correlator_memory(&g.cor, p);
		correlator_poll(&g.cor, 1, g.now_ns);
		assert_true(armed(theirs)->flags & WATCH_OPERATOR);
		assert_int_equal(armed(before)->score, 500);
		assert_int_equal(watch_population(g.cor.watch, true), 1);
		assert_int_equal(watch_population(g.cor.watch, false), 1);
	}
	struct made c = call_of(theirs, 2, 0), e = call_of(before, 2, 1);
	cross(&g, &c);
	assert_int_equal(last(&g)->r.class_, CLASS_ARMED_CALL);
	assert_int_equal(last(&g)->r.t_armed_ns, 0);
	cross(&g, &e);
	assert_int_equal(last(&g)->r.t_armed_ns, a[1].since_ns);
	/* its block comes after the start */
	const struct made *txs[] = {&d};
	block(&g, 1, 0, txs, 1);
	assert_true(armed(before)->flags & WATCH_INCLUDED);
	/* operators take theirs from the list */
	p->n_armed = 1;
	a[0] = a[1];
	correlator_memory(&g.cor, NULL);
	correlator_poll(&g.cor, 1, g.now_ns);
	assert_null(armed(theirs));
	assert_true(armed(before)->flags & WATCH_INCLUDED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(deployed_then_called, setup, teardown),
		cmocka_unit_test_setup_teardown(protected_in_the_code, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_of_the_call, setup, teardown),
		cmocka_unit_test_setup_teardown(called_before_it_is_deployed, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(included_dropped_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(replaced_by_its_like, setup, teardown),
		cmocka_unit_test_setup_teardown(evicted_before_its_block, setup, teardown),
		cmocka_unit_test_setup_teardown(forged_blocks_arm_no_more_than_others, setup, teardown),
		cmocka_unit_test_setup_teardown(accepted_outlasts_decoys, setup, teardown),
		cmocka_unit_test_setup_teardown(no_time_for_its_code, setup_no_time, teardown),
		cmocka_unit_test_setup_teardown(proxies, setup, teardown),
		cmocka_unit_test_setup_teardown(a_chain_of_proxies, setup, teardown),
		cmocka_unit_test_setup_teardown(delegations, setup, teardown),
		cmocka_unit_test_setup_teardown(delegations_beyond_the_cap, setup, teardown),
		cmocka_unit_test_setup_teardown(delegated_before_it_is_deployed, setup, teardown),
		cmocka_unit_test_setup_teardown(decoys_do_not_crowd_it_out, setup, teardown),
		cmocka_unit_test(authorities),
		cmocka_unit_test_setup_teardown(memory_pages, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
