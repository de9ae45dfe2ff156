/* SPDX-License-Identifier: BSD-3-Clause */
/* What somebody who has read all of the source may try, a test each: for a pause that nothing justifies, and for an attack that nobody is told of. Pools that are hidden are in
 * test_attack_pools.c; what control asks a node about (no funds, a nonce that is not due, a simulation) in tests/e2e/all/live_pause.py. */
#include "cases.h"
#include "words.h"

#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

static struct rig g;
static struct words said;
static const uint8_t flash_code[] = {FLASH_CODE};
#define FLASH ((struct span){flash_code, sizeof flash_code})

static int
setup(void **state)
{
	begin(&g, TO_PAUSED);
	said.n = said.nodes = 0;
	return 0;
}

static int
teardown(void **state)
{
	rig_stop(&g);
	return 0;
}

/* Any size. */
static uint8_t large[CODE_BYTES_MAX];
static uint8_t raw_bytes[CODE_BYTES_MAX + 512];

static struct span
build(struct span data, const uint8_t *to, uint64_t nonce)
{
	static const uint8_t chain[] = {1}, price[] = {9};
	struct tx_fields f = {.type = 2, .chain_id = {chain, 1}, .nonce = nonce, .gas = 9000000, .tip_cap = {price, 1}, .fee_cap = {price, 1}, .to = {to, to ? 20 : 0}, .data = data};
	int n = tx_build(&f, raw_bytes, sizeof raw_bytes);
	assert_true(n > 0);
	return (struct span){raw_bytes, (uint32_t)n};
}

static void
crosses(struct span raw, uint8_t who)
{
	struct claim c = {.has = CLAIM_FROM};
	struct crossing where = {.claim = &c, .carrier = CARRIER_HTTP_JSONRPC, .direction = DIR_C2S, .trust = TRUST_NOT_ACKED, .t_wire_ns = g.now_ns};
	memset(c.from, who, 20);
	worker_raw(g.w, raw, &where);
	g.now_ns += 1000;
	rig_drain(&g);
}

static struct made
attack_deployed(uint8_t who, uint8_t at[20])
{
	struct made d = {.who = who, .data = FLASH};
	make(&d);
	tx_created(d.from, d.nonce, at);
	cross(&g, &d);
	return d;
}

/* A call that names the protected contract. */
static struct made
attack_call(const uint8_t at[20], uint8_t who, uint64_t nonce)
{
	static uint8_t data[36];
	memset(data + 16, TO_PAUSED, 20);
	struct made c = {.who = who, .nonce = nonce, .address = at, .data = {data, sizeof data}};
	make(&c);
	return c;
}

static uint8_t
graded(const struct made *m)
{
	uint8_t best = 0;
	for (uint32_t i = 0; i < g.alerts; i++)
		if (memcmp(g.alert[i].r.hash, m->hash, 32) == 0 && g.alert[i].r.grade > best)
			best = g.alert[i].r.grade;
	return best;
}

static unsigned
pauses(void)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < g.alerts; i++)
		n += g.alert[i].r.grade == GRADE_PAUSE;
	return n;
}

static void
must_pause(const struct made *c)
{
	cross(&g, c);
	accepted_and_proven(&g, c);
	assert_int_equal(graded(c), GRADE_PAUSE);
}

/* ---- codes ---- */

static bool
attacks(const char *name)
{
	static const char *const honest[] = {"Benign-", "Base-", "Lender-", "Receive-"};
	for (unsigned i = 0; i < sizeof honest / sizeof *honest; i++)
		if (strncmp(name, honest[i], strlen(honest[i])) == 0)
			return false;
	return true;
}

static uint32_t
from_hex(const char *hex, uint8_t *out)
{
	uint32_t n = 0;
	for (char two[3] = {0}; hex[0] != '\n' && hex[0] != '\0'; hex += 2) {
		memcpy(two, hex, 2);
		out[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

/* Of each compiled code: fn(name, bytes in `large`). */
static unsigned
each_code(void (*fn)(const char *name, uint32_t n))
{
	static char line[2 * sizeof large];
	char name[64];
	unsigned n = 0;
	FILE *f = fopen(CODES, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "# %63[^\n]", name) != 1 || fgets(line, sizeof line, f) == NULL)
			continue;
		fn(name, from_hex(line, large));
		n++;
	}
	fclose(f);
	return n;
}

static unsigned found;

static void
pauses_when_called(const char *name, uint32_t n)
{
	uint8_t at[20], who[20];
	rig_stop(&g);
	setup(NULL);
	memset(who, 7, 20);
	tx_created(who, 0, at);
	crosses(build((struct span){large, n}, NULL, 0), 7);
	struct made c = attack_call(at, 9, 0);
	cross(&g, &c);
	accepted_and_proven(&g, &c);
	if (graded(&c) != (attacks(name) ? GRADE_PAUSE : 0))
		fail_msg("%s: grade %u", name, graded(&c));
	found += attacks(name);
}

/* Selectors hashed at run time, kept in storage, XORed, pushed in any form; dispatchers of any compiler or none; nested, behind factories, in constructors. */
static void
encoding_tricks(void **state)
{
	found = 0;
	assert_true(each_code(pauses_when_called) >= 40);
	assert_true(found >= 30);
}

static struct code_reader *reader;
static uint8_t benign[4096];
static uint32_t n_benign;

static void
keep_benign(const char *name, uint32_t n)
{
	if (strncmp(name, "Benign-", 7) != 0)
		return;
	memcpy(benign, large, n);
	n_benign = n;
}

/* Nothing that it can do is hidden, and no feature of the learned score, which only adds up, goes. */
static void
not_washed(const char *name, uint32_t n)
{
	static uint64_t grams[CODE_GRAMS / 64];
	struct code_facts before, after;
	code_read(reader, (struct span){large, n}, &before);
	memcpy(grams, code_grams(reader), sizeof grams);
	for (unsigned times = 0; times < 16; times++, n += n_benign)
		memcpy(large + n, benign, n_benign);
	code_read(reader, (struct span){large, n}, &after);
	bool less = after.score < before.score || (before.flash && !after.flash) || (before.entries & ~after.entries) || (before.callbacks & ~after.callbacks);
	for (unsigned i = 0; i < CODE_GRAMS / 64; i++)
		less |= (grams[i] & ~code_grams(reader)[i]) != 0;
	if (less)
		fail_msg("%s is washed", name);
}

static void
appended_benign_code(void **state)
{
	reader = code_new();
	assert_non_null(reader);
	each_code(keep_benign);
	assert_true(n_benign > 0);
	assert_true(each_code(not_washed) >= 40);
	code_free(reader);
}

/* A published artifact in which one byte is another: of those that are executed, none leaves its hash as it was. Arguments behind it do. */
static void
template_mimicry(void **state)
{
	struct code_facts published, mimic;
	reader = code_new();
	code_read(reader, FLASH, &published);
	for (uint32_t i = 0; i < sizeof flash_code; i++) {
		memcpy(large, flash_code, sizeof flash_code);
		large[i] ^= 1;
		code_read(reader, (struct span){large, sizeof flash_code}, &mimic);
		assert_memory_not_equal(mimic.hash, published.hash, 32);
	}
	code_free(reader);
}

/* And whose code is a published one is armed all the same. */
static void
template_is_armed(void **state)
{
	uint8_t at[20];
	struct made d = {.who = 3, .data = FLASH};
	make(&d);
	tx_created(d.from, 0, at);
	struct tx_msg *m = message(&g, FACT_TX, tx_msg_bytes(1, 0, 0, 0, d.n));
	struct tx_code *code = (struct tx_code *)(uintptr_t)tx_msg_codes(m);
	reader = code_new();
	m->n_codes = 1;
	code_read(reader, FLASH, &code->facts);
	code->facts.template_ = true;
	m->raw_len = m->tx_bytes = d.n;
	m->where.carrier = CARRIER_HTTP_JSONRPC;
	m->where.t_wire_ns = g.now_ns;
	m->claim.has = CLAIM_FROM;
	memcpy(m->claim.from, d.from, 20);
	memcpy((uint8_t *)(uintptr_t)tx_msg_raw(m).p, d.raw, d.n);
	sent(&g);
	code_free(reader);
	struct made c = attack_call(at, 9, 0);
	must_pause(&c);
	assert_true(last(&g)->r.reasons & REASON(TEMPLATE));
}

/* ---- segments ---- */

static void
say_accepted(struct rig_flow *f, const struct made *m)
{
	struct text t = {0};
	text_add(&t, "HTTP/1.1 200 OK\r\nContent-Length: 102\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x");
	text_hex(&t, (struct span){m->hash, 32});
	text_add(&t, "\"}");
	rig_say(&g, f, 1, text_span(&t));
	text_free(&t);
}

/* By himself, on a connection of which he only sees the frames; beside it a true attack. A million of them, of every kind: tests/captures/worker/forge. */
static void
forged_segments(void **state)
{
	struct rig_flow f, forger, beside;
	uint8_t at[20];
	attack_deployed(1, at);
	struct made bait = attack_call(at, 2, 0), c = attack_call(at, 3, 0);
	rig_open(&g, &f, 1);
	rig_open(&g, &beside, 2);
	forger = f;
	say(&g, &forger, bytes_of(&bait));
	ack(&g, &forger, 1);
	say_accepted(&forger, &bait);
	ack(&g, &forger, 0);
	say(&g, &beside, bytes_of(&c));
	ack(&g, &beside, 1);
	ack(&g, &f, 0); /* the true client, who has not said that much */
	rig_answer(&g, &f);
	say_accepted(&beside, &c);
	ack(&g, &beside, 0);
	wait(&g, &said, 2 * MS);
	wait(&g, &said, 300 * MS);
	assert_int_equal(graded(&bait), GRADE_PAGE);
	assert_int_equal(graded(&c), GRADE_PAUSE);
	rig_flush(&g);
}

/* A client on the LAN submits what the node refuses, and says yes to himself in its name. (One who runs a node of his own is told from the operator's by asking that:
 * tests/e2e/all/live_pause.py.) */
static void
colluding_client(void **state)
{
	struct rig_flow f;
	uint8_t at[20];
	attack_deployed(1, at);
	struct made bait = attack_call(at, 2, 0);
	rig_open(&g, &f, 1);
	say(&g, &f, bytes_of(&bait));
	ack(&g, &f, 1);
	struct rig_flow true_node = f;
	say_accepted(&f, &bait);
	ack(&g, &f, 0);
	wait(&g, &said, 20 * MS);
	rig_answer(&g, &true_node); /* the node's own word */
	for (unsigned i = 0; i < 20; i++) {
		ack(&g, &f, 0);
		wait(&g, &said, 50 * MS);
	}
	assert_int_equal(graded(&bait), GRADE_PAGE);
	assert_true(last(&g)->r.lacks & LACK(ACCEPTED));
	rig_flush(&g);
}

/* ---- transactions that nobody will mine ---- */

/* The node refuses it: nothing on the critical lane, and control is told once that it may ask. */
static void
unfunded_bait(void **state)
{
	uint8_t at[20];
	attack_deployed(1, at);
	struct made bait = attack_call(at, 2, 0);
	cross(&g, &bait);
	node(&g, &bait, false);
	proof(&g, &bait, false, true, 0);
	proof(&g, &bait, true, true, 0);
	assert_int_equal(graded(&bait), GRADE_PAGE);
	for (uint32_t i = 0; i < g.alerts; i++)
		assert_int_equal(g.alert[i].lane, LANE_NORMAL);
	assert_true(alerts_on(&g, &bait, NULL) <= 2);
}

/* The node takes it and lets it wait for ever. What the box cannot know is named in the alert, for control to ask; and the true call beside it, of the same incident, comes to
 * its own pause, whichever is proven first. */
static void
gapped_bait(void **state)
{
	for (unsigned first = 0; first < 2; first++) {
		uint8_t at[20];
		attack_deployed((uint8_t)(1 + first), at);
		struct made bait = attack_call(at, 5, 1000), c = attack_call(at, 6, 0);
		const struct made *one = first ? &bait : &c, *other = first ? &c : &bait;
		const struct rig_alert *a = NULL;
		cross(&g, one);
		cross(&g, other);
		node(&g, other, true);
		node(&g, one, true);
		proof(&g, one, false, true, 0);
		proof(&g, other, false, true, 0);
		proof(&g, one, true, true, 0);
		proof(&g, other, true, true, 0);
		assert_int_equal(graded(&bait), GRADE_PAUSE);
		assert_int_equal(graded(&c), GRADE_PAUSE);
		alerts_on(&g, &bait, &a);
		assert_int_equal(a->r.lacks, LACKS_UNCHECKED);
		assert_int_equal(a->r.nonce, 1000);
		rig_stop(&g);
		setup(NULL);
	}
}

/* Bundles that no builder need take: told, never paused for, and the call that comes then is. */
static void
bundle_spam(void **state)
{
	struct rig_flow f;
	struct text b = {0}, t = {0};
	uint8_t at[20];
	attack_deployed(1, at);
	rig_open(&g, &f, 1);
	for (unsigned i = 0; i < 400; i++) {
		struct made bait = attack_call(at, 0, i);
		b.n = t.n = 0;
		text_add(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x");
		text_hex(&b, bytes_of(&bait));
		text_add(&b, "\"]}]}");
		text_post(&t, "", &b);
		rig_say(&g, &f, 0, text_span(&t));
		ack(&g, &f, 1);
		say_accepted(&f, &bait); /* a bundle's hash, of his choice */
		ack(&g, &f, 0);
		wait(&g, &said, MS);
	}
	wait(&g, &said, 300 * MS);
	assert_int_equal(pauses(), 0);
	struct made c = attack_call(at, 9, 0);
	must_pause(&c);
	text_free(&b);
	text_free(&t);
	rig_flush(&g);
}

/* ---- games ---- */

static void
included(uint8_t number, const struct made *m)
{
	const struct made *txs[] = {m};
	block(&g, number, (uint8_t)(number - 1), txs, 1);
}

/* Nothing is given up for a rival that is in no block; what a block decides closes, and what replaces an innocent one is seen for itself. */
static void
replacement_games(void **state)
{
	uint8_t at[20];
	struct made d = attack_deployed(1, at);
	node(&g, &d, true);
	struct made rival = {.who = 1, .to = TO_NOTHING}; /* of the same nonce, which no node takes */
	make(&rival);
	cross(&g, &rival);
	node(&g, &rival, false);
	struct made innocent = {.who = 2, .to = TO_NOTHING}, c = attack_call(at, 2, 0);
	make(&innocent);
	cross(&g, &innocent);
	node(&g, &innocent, true);
	must_pause(&c);
	struct made back_out = {.who = 2, .to = TO_NOTHING, .gas = 77};
	make(&back_out);
	cross(&g, &back_out);
	node(&g, &back_out, true);
	assert_int_equal(last(&g)->r.ending, ENDING_OPEN);
	included(1, &back_out);
	assert_memory_equal(last(&g)->r.hash, c.hash, 32);
	assert_int_equal(last(&g)->r.ending, ENDING_REPLACED);
	assert_int_equal(last(&g)->r.kind, ALERT_KIND_RETRACT);
	struct made again = attack_call(at, 3, 0); /* the contract stays armed */
	must_pause(&again);
}

/* Many times what both tables hold of deployments that cost nothing, then of ones that a node took: what is in a block stays armed, and what a node took outlasts what none did. */
static void
watch_set_eviction(void **state)
{
	uint8_t mined[20], taken[20], other[20];
	struct made d = attack_deployed(1, mined);
	node(&g, &d, true);
	included(1, &d);
	struct made e = attack_deployed(2, taken);
	node(&g, &e, true);
	for (unsigned i = 0; i < 1000; i++) {
		struct made decoy = {.data = FLASH, .nonce = 10 + i};
		make(&decoy);
		cross(&g, &decoy);
	}
	struct made c = attack_call(taken, 3, 0);
	must_pause(&c);
	for (unsigned i = 0; i < 300; i++) {
		struct made decoy = {.data = FLASH, .nonce = 5000 + i};
		make(&decoy);
		cross(&g, &decoy);
		node(&g, &decoy, true);
	}
	c = attack_call(mined, 3, 1);
	must_pause(&c);
	(void)other;
}

/* Calls of the armed contract from keys that hold nothing, which every node refuses, in one second: few records, none of them on the critical lane, and the real one is the first there. */
static void
decoy_flood(void **state)
{
	uint8_t at[20];
	attack_deployed(1, at);
	uint32_t before = g.alerts;
	unsigned n = 3000;
	for (unsigned i = 0; i < n; i++) {
		struct made decoy = attack_call(at, 0, i);
		cross(&g, &decoy);
		proof(&g, &decoy, false, true, 0);
	}
	assert_int_equal(pauses(), 0);
	assert_true(g.alerts - before < 2 * 256 + n / 8);
	for (uint32_t i = 0; i < g.alerts; i++)
		assert_int_equal(g.alert[i].lane, LANE_NORMAL);
	struct made c = attack_call(at, 9, 0);
	uint32_t next = g.alerts;
	cross(&g, &c);
	node(&g, &c, true);
	bool critical = false;
	for (uint32_t i = next; i < g.alerts && !critical; i++)
		critical = g.alert[i].lane == LANE_CRITICAL && memcmp(g.alert[i].r.hash, c.hash, 32) == 0;
	assert_true(critical);
	proof(&g, &c, false, true, 0);
	proof(&g, &c, true, true, 0);
	assert_int_equal(graded(&c), GRADE_PAUSE);
}

/* aggregate((address,bytes)[]): `decoys` calls of one address each, then the armed one. */
static struct span
padded(const uint8_t at[20], unsigned decoys)
{
	uint8_t *p = large;
	memset(large, 0, sizeof large);
	memcpy(p, (const uint8_t[]){0x25, 0x2d, 0xba, 0x42}, 4);
	uint8_t *args = p + 4, *heads = args + 64, *tail = heads + 32 * (decoys + 1);
	args[31] = 0x20;
	args[62] = (uint8_t)((decoys + 1) >> 8);
	args[63] = (uint8_t)(decoys + 1);
	for (unsigned i = 0; i <= decoys; i++) {
		uint32_t off = (uint32_t)(tail - heads);
		for (unsigned b = 0; b < 4; b++)
			heads[32 * i + 28 + b] = (uint8_t)(off >> (24 - 8 * b));
		if (i == decoys) {
			memcpy(tail + 12, at, 20);
		} else {
			memset(tail + 12, 0x99, 20);
			tail[30] = (uint8_t)(i >> 8);
			tail[31] = (uint8_t)i;
		}
		tail[63] = 0x40;
		tail[95] = 32;
		memset(tail + 96 + 12, i == decoys ? TO_PAUSED : 0x98, 20);
		tail += 128;
	}
	return (struct span){large, (uint32_t)(tail - large)};
}

static uint8_t
told_of(unsigned decoys)
{
	uint8_t at[20], executor[20];
	rig_stop(&g);
	setup(NULL);
	attack_deployed(1, at);
	uint32_t before = g.alerts;
	memset(executor, 0x55, 20);
	crosses(build(padded(at, decoys), executor, 3), 4);
	return g.alerts > before ? last(&g)->r.grade : 0;
}

/* Calls that come first take the room of those that count, and do not hide them. */
static void
padded_calls(void **state)
{
	static const unsigned decoys[] = {0, 1, 15, 16, 62, 63, 64, 65, 500};
	for (unsigned i = 0; i < sizeof decoys / sizeof *decoys; i++) {
		assert_int_equal(told_of(decoys[i]), GRADE_PAGE);
		assert_true(last(&g)->r.reasons & REASON(ARMED));
		assert_int_equal(g.cc[CTR_CALLS_SEARCHED], decoys[i] > 62);
	}
}

#define ON(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON(encoding_tricks),
		ON(appended_benign_code),
		ON(template_mimicry),
		ON(template_is_armed),
		ON(forged_segments),
		ON(colluding_client),
		ON(unfunded_bait),
		ON(gapped_bait),
		ON(bundle_spam),
		ON(replacement_games),
		ON(watch_set_eviction),
		ON(decoy_flood),
		ON(padded_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
