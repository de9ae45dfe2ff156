/* SPDX-License-Identifier: BSD-3-Clause */
/* What is asked of a node and what its answers mean: the table of decisions, quantities, and answers that are
 * none. */
#include "fixture.h"

#include "control/audit.h"
#include "control/vet.h"
#include "control/vet_answer.h"
#include "control/vetting.h"

#include <errno.h>

#define BIG (64ull << 20)
#define ASK (LACK(ACCEPTED) | LACKS_UNCHECKED)

static const uint8_t GUARDED[20] = {0x77, 0x77, 0x77};

static void
put_u64(uint8_t word[32], uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		word[31 - i] = (uint8_t)(v >> 8 * i);
}

static struct alert_record
asked(void)
{
	struct alert_record r = record_of(1, GRADE_PAGE);
	r.grade_wanted = GRADE_PAUSE;
	r.has |= HAS_FROM | HAS_NONCE | HAS_CHAIN_ID;
	r.lacks = ASK;
	r.chain_id = 1;
	r.nonce = 5;
	r.gas = 100;
	put_u64(r.value, 1000);
	put_u64(r.fee_cap, 10);
	memset(r.hash, 0xab, 32);
	memset(r.from, 0xcd, 20);
	r.n_protocols = 2;
	memcpy(r.protocols[1], GUARDED, 20);
	r.touches[1] = TOUCH(CALLDATA);
	return r;
}

static void
wanted(void **state)
{
	struct alert_record r = asked();
	assert_true(vet_wanted(&r));
	r.lacks = 0;
	assert_true(vet_wanted(&r));
	static const unsigned others[] = {LACK(RULE), LACK(PROTECTED), LACK(EVIDENCE), LACK(ACKED)};
	for (unsigned i = 0; i < 4; i++) {
		r.lacks = ASK | others[i];
		assert_false(vet_wanted(&r));
	}
	r = asked();
	r.grade_wanted = GRADE_PAGE;
	assert_false(vet_wanted(&r));
	r.grade = GRADE_PAUSE;
	assert_true(vet_wanted(&r));
	static const uint32_t names[] = {HAS_HASH, HAS_FROM, HAS_NONCE};
	for (unsigned i = 0; i < 3; i++) {
		r = asked();
		r.has &= ~names[i];
		assert_false(vet_wanted(&r));
	}
	static const struct {
		uint8_t kind, ending;
		bool wanted;
	} kinds[] = {{ALERT_KIND_RETRACT, ENDING_OPEN, false}, {ALERT_KIND_DRILL, ENDING_OPEN, false},
		{ALERT_KIND_ALERT, ENDING_INCLUDED, true}, {ALERT_KIND_ALERT, ENDING_REORGED, true},
		{ALERT_KIND_ALERT, ENDING_DROPPED, false}, {ALERT_KIND_ALERT, ENDING_REPLACED, false}};
	for (unsigned i = 0; i < 6; i++) {
		r = asked();
		r.kind = kinds[i].kind;
		r.ending = kinds[i].ending;
		assert_int_equal(vet_wanted(&r), kinds[i].wanted);
	}
}

static void
quantities(void **state)
{
	uint8_t q[32], want[32] = {0};
	assert_int_equal(vet_quantity("0x0", q), 0);
	assert_memory_equal(q, want, 32);
	want[31] = 0xbc;
	want[30] = 0x0a;
	assert_int_equal(vet_quantity("0xABc", q), 0);
	assert_memory_equal(q, want, 32);
	assert_int_equal(vet_quantity("0x0000abc", q), 0);
	assert_memory_equal(q, want, 32);
	memset(want, 0xff, 32);
	assert_int_equal(
		vet_quantity("0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", q), 0);
	assert_memory_equal(q, want, 32);
	static const char *const bad[] = {"", "0x", "0", "12", "x1", "0xg", "0x1 ", " 0x1", "-0x1",
		"0x1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(vet_quantity(bad[i], q), -EINVAL);
	assert_int_equal(vet_quantity(NULL, q), -EINVAL);
}

/* One answer to the first batch; NULL: that part is left out. */
struct answer {
	const char *chain, *tx, *latest, *pending, *balance, *block;
};

#define TX_HEAD                                                                                        \
	"{\"hash\":\"0xabababababababababababababababababababababababababababababababab\",\"from\":"   \
	"\"0xCDcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\","                                              \
	"\"to\":\"0x1111111111111111111111111111111111111111\",\"gas\":\"0x64\",\"gasPrice\":\"0xa\"," \
	"\"maxFeePerGas\":\"0xa\",\"input\":\"0x\","
#define TX TX_HEAD "\"nonce\":\"0x5\",\"blockNumber\":null}"
#define MINED TX_HEAD "\"nonce\":\"0x5\",\"blockNumber\":\"0x10\"}"
#define BLOCK(fee) "{\"number\":\"0x10\",\"baseFeePerGas\":\"" fee "\"}"

static const struct answer FINE = {
	"\"0x1\"", TX, "\"0x5\"", "\"0x6\"", "\"0x7d0\"", BLOCK("0xa")}; /* 2000 = 1000 + 100 * 10 */

static const char *
body_of(const struct answer *a)
{
	static char out[4096];
	const char *parts[] = {a->chain, a->tx, a->latest, a->pending, a->balance, a->block};
	size_t n = (size_t)snprintf(out, sizeof out, "[");
	for (unsigned i = 6; i > 0; i--) /* in whatever order */
		if (parts[i - 1] != NULL)
			n += (size_t)snprintf(out + n, sizeof out - n,
				"%s{\"jsonrpc\":\"2.0\",\"id\":%u,\"result\":%s}", n > 1 ? "," : "", i,
				parts[i - 1]);
	snprintf(out + n, sizeof out - n, "]");
	return out;
}

static void
decisions(void **state)
{
	const struct {
		const char *what;
		struct answer a;
		uint32_t lacks, trust;
		uint8_t grade, node, fact;
		uint32_t lacks_then;
	} table[] = {
		{"all well", FINE, ASK, 0, GRADE_PAUSE, VET_YES, 0, LACK(SIMULATION)},
		{"accepted before", FINE, LACKS_UNCHECKED, 0, GRADE_PAUSE, VET_YES, 0, LACK(SIMULATION)},
		{"mined", {FINE.chain, MINED, "\"0x6\"", "\"0x6\"", "\"0x0\"", BLOCK("0xff")}, ASK, 0,
			GRADE_PAUSE, VET_YES, 0, LACK(SIMULATION)},
		{"not known", {FINE.chain, "null", "\"0x5\"", "\"0x5\"", "\"0x7d0\"", FINE.block}, ASK, 0,
			GRADE_PAGE, VET_NO, VET_FACT_UNKNOWN_TX, LACK(ACCEPTED) | LACK(SIMULATION)},
		{"accepted before, not known now",
			{FINE.chain, "null", "\"0x5\"", "\"0x5\"", "\"0x7d0\"", FINE.block}, LACKS_UNCHECKED,
			0, GRADE_PAGE, VET_NO, VET_FACT_UNKNOWN_TX, LACK(ACCEPTED) | LACK(SIMULATION)},
		{"of a block that the node has not",
			{FINE.chain, "null", "\"0x5\"", "\"0x5\"", "\"0x0\"", FINE.block}, LACKS_UNCHECKED,
			TRUST_INCLUDED, GRADE_PAUSE, VET_UNKNOWN, VET_FACT_UNKNOWN_TX, LACKS_UNCHECKED},
		{"one wei short", {FINE.chain, TX, "\"0x5\"", NULL, "\"0x7cf\"", FINE.block}, ASK, 0,
			GRADE_PAGE, VET_NO, VET_FACT_UNFUNDED, LACK(FUNDS) | LACK(SIMULATION)},
		{"nonce used", {FINE.chain, TX, "\"0x6\"", "\"0x6\"", "\"0x7d0\"", FINE.block}, ASK, 0,
			GRADE_PAGE, VET_NO, VET_FACT_NONCE_USED, LACK(NONCE) | LACK(SIMULATION)},
		{"gap", {FINE.chain, TX, "\"0x3\"", "\"0x4\"", "\"0x7d0\"", FINE.block}, ASK, 0, GRADE_PAGE,
			VET_NO, VET_FACT_NONCE_GAP, LACK(NONCE) | LACK(SIMULATION)},
		{"gap, as far as is known", {FINE.chain, TX, "\"0x4\"", NULL, "\"0x7d0\"", FINE.block}, ASK,
			0, GRADE_PAGE, VET_NO, VET_FACT_NONCE_GAP, LACK(NONCE) | LACK(SIMULATION)},
		{"those before it wait", {FINE.chain, TX, "\"0x3\"", "\"0x5\"", "\"0x7d0\"", FINE.block}, ASK,
			0, GRADE_PAUSE, VET_YES, 0, LACK(SIMULATION)},
		{"fee below", {FINE.chain, TX, "\"0x5\"", NULL, "\"0x7d0\"", BLOCK("0xb")}, ASK, 0,
			GRADE_PAGE, VET_NO, VET_FACT_FEE_LOW, LACK(FEE) | LACK(SIMULATION)},
		{"no base fee", {FINE.chain, TX, "\"0x5\"", NULL, "\"0x7d0\"", "{\"number\":\"0x1\"}"}, ASK,
			0, GRADE_PAUSE, VET_YES, 0, LACK(SIMULATION)},
		{"known is all", {NULL, TX, NULL, NULL, NULL, NULL}, ASK, 0, GRADE_PAUSE, VET_YES, 0,
			LACKS_UNCHECKED},
		{"all but known", {FINE.chain, NULL, "\"0x5\"", NULL, "\"0x7d0\"", FINE.block}, ASK, 0,
			GRADE_PAGE, VET_UNKNOWN, VET_FACT_BAD_ANSWER, LACK(ACCEPTED) | LACK(SIMULATION)},
		{"all but known, accepted before",
			{FINE.chain, NULL, "\"0x5\"", NULL, "\"0x7d0\"", FINE.block}, LACKS_UNCHECKED, 0,
			GRADE_PAUSE, VET_YES, 0, LACK(SIMULATION)},
		{"another chain", {"\"0x2\"", TX, "\"0x9\"", NULL, "\"0x0\"", FINE.block}, ASK, 0, GRADE_PAGE,
			VET_UNKNOWN, VET_FACT_OTHER_CHAIN, ASK},
		{"another chain, accepted before", {"\"0x2\"", TX, "\"0x9\"", NULL, "\"0x0\"", FINE.block},
			LACKS_UNCHECKED, 0, GRADE_PAUSE, VET_UNKNOWN, VET_FACT_OTHER_CHAIN, LACKS_UNCHECKED},
		{"another transaction",
			{FINE.chain, TX_HEAD "\"nonce\":\"0x4\"}", "\"0x5\"", NULL, "\"0x7d0\"", FINE.block},
			ASK, 0, GRADE_PAGE, VET_UNKNOWN, VET_FACT_BAD_ANSWER,
			LACK(ACCEPTED) | LACK(SIMULATION)},
		{"nothing of use", {"7", "7", "7", "[]", "{}", "\"0x1\""}, LACKS_UNCHECKED, 0, GRADE_PAUSE,
			VET_UNKNOWN, VET_FACT_BAD_ANSWER, LACKS_UNCHECKED},
		{"nothing of use, never accepted", {"7", "7", "7", "[]", "{}", "\"0x1\""}, ASK, 0, GRADE_PAGE,
			VET_UNKNOWN, VET_FACT_BAD_ANSWER, ASK},
	};
	for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
		for (unsigned came = GRADE_PAGE; came <= GRADE_PAUSE; came++) {
			struct alert_record r = asked();
			struct vet_facts f = {0};
			struct event_vet v;
			r.grade = (uint8_t)came;
			r.lacks = table[i].lacks;
			r.trust = table[i].trust;
			const char *body = body_of(&table[i].a);
			vet_read_first(&f, &r, body, strlen(body));
			vet_conclude(&f, &r, &v);
			if (r.grade != table[i].grade || v.node != table[i].node || v.fact != table[i].fact ||
				r.lacks != table[i].lacks_then)
				fail_msg("%s: grade %u, node %u, fact %s, lacks %x", table[i].what, r.grade,
					v.node, event_vet_fact_name(v.fact), r.lacks);
			assert_int_equal(event_vet_check(&v), 0);
			assert_int_equal(alert_record_check(&r), 0);
			vet_facts_clear(&f);
		}
	}
}

static void
no_answer_at_all(void **state)
{
	struct event_vet v;
	struct alert_record r = asked();
	vet_conclude(NULL, &r, &v);
	assert_int_equal(v.node, VET_UNKNOWN);
	assert_int_equal(v.fact, VET_FACT_NO_ANSWER);
	assert_int_equal(r.grade, GRADE_PAGE); /* no node has ever accepted it */
	r.lacks = 0;
	vet_conclude(NULL, &r, &v);
	assert_int_equal(r.grade, GRADE_PAUSE);
	assert_int_equal(r.lacks, LACKS_UNCHECKED);
	r = asked();
	r.grade = GRADE_WATCH;
	vet_conclude(NULL, &r, &v);
	assert_int_equal(r.grade, GRADE_WATCH);
}

/* value + gas * fee at the ends of 256 bits. */
static void
costs(void **state)
{
	static const char all[] = "\"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"";
	struct answer a = FINE;
	struct vet_facts f = {0};
	struct alert_record r = asked();
	memset(r.value, 0xff, 32);
	a.balance = all;
	vet_read_first(&f, &r, body_of(&a), strlen(body_of(&a)));
	assert_int_equal(f.funds, VET_HOLDS); /* what does not fit is taken for the most there is */
	a.balance = "\"0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe\"";
	vet_read_first(&f, &r, body_of(&a), strlen(body_of(&a)));
	assert_int_equal(f.funds, VET_FAILS);
	memset(r.value, 0, 32);
	memset(r.fee_cap, 0, 32);
	r.fee_cap[15] = 1; /* 2^128 */
	r.gas = UINT64_MAX;
	a.balance = "\"0xffffffffffffffff00000000000000000000000000000000\"";
	vet_read_first(&f, &r, body_of(&a), strlen(body_of(&a)));
	assert_int_equal(f.funds, VET_HOLDS);
	a.balance = "\"0xfffffffffffffffeffffffffffffffffffffffffffffffff\"";
	vet_read_first(&f, &r, body_of(&a), strlen(body_of(&a)));
	assert_int_equal(f.funds, VET_FAILS);
	vet_facts_clear(&f);
}

/* The next block's base fee counts where the node tells it. */
static void
fees(void **state)
{
	static const struct {
		const char *fees;
		uint8_t answer;
	} table[] = {{"{\"baseFeePerGas\":[\"0xff\",\"0xa\"]}", VET_HOLDS},
		{"{\"baseFeePerGas\":[\"0x1\",\"0xb\"]}", VET_FAILS},
		{"{\"baseFeePerGas\":[\"0xff\"]}", VET_HOLDS},
		{"{\"baseFeePerGas\":[\"0xff\",7]}", VET_HOLDS}, {"{\"baseFeePerGas\":{}}", VET_HOLDS},
		{"null", VET_HOLDS}};
	struct vet_facts f = {0};
	struct alert_record r = asked();
	for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
		char body[4400];
		int n = snprintf(body, sizeof body, "%.*s,{\"id\":9,\"result\":%s}]",
			(int)strlen(body_of(&FINE)) - 1, body_of(&FINE), table[i].fees);
		vet_read_first(&f, &r, body, (size_t)n);
		assert_int_equal(f.fee, table[i].answer);
	}
	vet_facts_clear(&f);
}

static void
asking_again_helps(void **state)
{
	struct vet_facts f = {0};
	struct alert_record r = asked();
	const struct {
		struct answer a;
		bool final;
	} table[] = {{FINE, true}, {{FINE.chain, "null", "\"0x5\"", NULL, "\"0x7d0\"", FINE.block}, false},
		{{FINE.chain, "null", "\"0x5\"", NULL, "\"0x0\"", FINE.block}, true},
		{{FINE.chain, TX, "\"0x4\"", NULL, "\"0x7d0\"", FINE.block}, false},
		{{FINE.chain, TX, "\"0x4\"", NULL, "\"0x0\"", FINE.block}, true},
		{{FINE.chain, TX, "\"0x6\"", NULL, "\"0x7d0\"", FINE.block}, true},
		{{"\"0x2\"", TX, NULL, NULL, NULL, NULL}, true},
		{{"\"0x1\"", NULL, "\"0x5\"", NULL, NULL, NULL}, false},
		{{"7", NULL, NULL, NULL, NULL, NULL}, false}};
	for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *body = body_of(&table[i].a);
		vet_read_first(&f, &r, body, strlen(body));
		assert_int_equal(vet_is_final(&f, &r), table[i].final);
	}
	vet_facts_clear(&f);
}

static void
not_answers(void **state)
{
	static const char *const bodies[] = {"", "[", "{}", "null", "[]", "[null]", "[[]]", "[{\"id\":2}]",
		"[{\"id\":\"2\",\"result\":null}]", "[{\"id\":2.0,\"result\":null}]",
		"[{\"id\":2,\"error\":{\"code\":-1},\"result\":null}]",
		"[{\"id\":2,\"id\":2,\"result\":null}]", "{\"id\":2,\"result\":null}",
		"[{\"id\":200,\"result\":null}]", "\xff\xfe", "[{\"id\":2,\"result\":\"\\u0000\"}]"};
	struct alert_record r = asked();
	struct vet_facts f = {0};
	for (unsigned i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		vet_read_first(&f, &r, bodies[i], strlen(bodies[i]));
		assert_false(f.answered);
		assert_null(f.tx);
	}
	/* Of two answers to one question the first counts. */
	static const char twice[] = "[{\"id\":2,\"result\":null},{\"id\":2,\"result\":" TX "}]";
	vet_read_first(&f, &r, twice, strlen(twice));
	assert_true(f.answered && f.asked_tx && !f.known);
	char *deep = malloc(VET_ANSWER_BYTES_MAX + 1);
	memset(deep, '[', VET_ANSWER_BYTES_MAX + 1);
	vet_read_first(&f, &r, deep, VET_ANSWER_BYTES_MAX);
	assert_false(f.answered);
	memset(deep, ' ', VET_ANSWER_BYTES_MAX + 1);
	memcpy(deep, twice, strlen(twice));
	vet_read_first(&f, &r, deep, VET_ANSWER_BYTES_MAX);
	assert_true(f.answered);
	vet_read_first(&f, &r, deep, VET_ANSWER_BYTES_MAX + 1);
	assert_false(f.answered);
	free(deep);
	vet_facts_clear(&f);
}

#define TRACE(rest)                                                                     \
	"[{\"id\":7,\"result\":\"0x\"},{\"id\":8,\"result\":{\"type\":\"CALL\",\"to\":" \
	"\"0x1111111111111111111111111111111111111111\"" rest "}}]"
#define GUARDED_TEXT "\"0x7777770000000000000000000000000000000000\""

static void
simulations(void **state)
{
	static const struct {
		const char *body;
		uint8_t answer, fact;
	} table[] = {
		{TRACE(""), VET_FAILS, VET_FACT_UNTOUCHED},
		{TRACE(",\"calls\":[{\"to\":\"0x22\"},{\"calls\":[{\"to\":" GUARDED_TEXT "}]}]"), VET_HOLDS,
			0},
		{TRACE(",\"error\":\"out of gas\",\"calls\":[{\"to\":" GUARDED_TEXT "}]"), VET_FAILS,
			VET_FACT_REVERTS},
		{TRACE(",\"calls\":7"), VET_FAILS, VET_FACT_UNTOUCHED},
		{"[{\"id\":7,\"error\":{\"code\":3,\"message\":\"x\"}}]", VET_FAILS, VET_FACT_REVERTS},
		{"[{\"id\":7,\"error\":{\"code\":-32000,\"message\":\"execution reverted: no\"}}]", VET_FAILS,
			VET_FACT_REVERTS},
		{"[{\"id\":7,\"error\":{\"code\":-32000,\"message\":\"busy\"}}]", VET_UNCHECKED, 0},
		{"[{\"id\":7,\"result\":\"0x\"},{\"id\":8,\"error\":{\"code\":-32601,\"message\":\"no\"}}]",
			VET_UNCHECKED, 0},
		{"[{\"id\":8,\"result\":{}}]", VET_UNCHECKED, 0},
		{"[]", VET_UNCHECKED, 0},
		{"no", VET_UNCHECKED, 0},
	};
	struct alert_record r = asked();
	for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct vet_facts f = {0};
		struct event_vet v;
		const char *body = body_of(&FINE);
		vet_read_first(&f, &r, body, strlen(body));
		char *ask = vet_ask_simulation(&f);
		assert_non_null(ask);
		assert_non_null(strstr(ask, "maxFeePerGas"));
		assert_null(strstr(ask, "gasPrice"));
		free(ask);
		vet_read_simulation(&f, &r, table[i].body, strlen(table[i].body));
		assert_int_equal(f.simulation, table[i].answer);
		assert_int_equal(f.fact, table[i].fact);
		assert_false(vet_denies(&f)); /* told, and nothing more */
		struct alert_record then = r;
		vet_conclude(&f, &then, &v);
		assert_int_equal(then.grade, GRADE_PAUSE);
		assert_int_equal(then.lacks, table[i].answer == VET_HOLDS ? 0 : LACK(SIMULATION));
		vet_facts_clear(&f);
	}
	/* A contract that is called itself needs no trace. */
	struct vet_facts f = {0};
	memset(r.protocols[1], 0x11, 20);
	vet_read_first(&f, &r, body_of(&FINE), strlen(body_of(&FINE)));
	vet_read_simulation(
		&f, &r, "[{\"id\":7,\"result\":\"0x\"}]", strlen("[{\"id\":7,\"result\":\"0x\"}]"));
	assert_int_equal(f.simulation, VET_HOLDS);
	r.touches[1] = 0; /* not a protected one */
	vet_read_simulation(
		&f, &r, "[{\"id\":7,\"result\":\"0x\"}]", strlen("[{\"id\":7,\"result\":\"0x\"}]"));
	assert_int_equal(f.simulation, VET_UNCHECKED);
	vet_facts_clear(&f);
}

static void
requests(void **state)
{
	struct alert_record r = asked();
	json_error_t e;
	char *text = vet_ask_first(&r);
	json_t *list = json_loads(text, 0, &e);
	assert_int_equal(json_array_size(list), 7);
	assert_non_null(strstr(text, "0xabababababababababababababababababababababababababababababababab"));
	assert_non_null(strstr(text, "\"0xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\",\"pending\""));
	json_decref(list);
	free(text);
	assert_null(vet_ask_simulation(&(struct vet_facts){0}));
}

/* ---- in the journal ---- */

static void
add_asked(struct batch *b, uint64_t seq, unsigned grade)
{
	add_record(b, EPOCH_A, 3, seq, grade, 30);
	struct entry *e = &b->e[b->n - 1];
	e->record.grade_wanted = GRADE_PAUSE;
	e->record.has |= HAS_FROM | HAS_NONCE;
	e->record.lacks = LACKS_UNCHECKED;
	e->vet.node = VET_ASKED;
}

static struct journal_event *
event_at(struct journal *j, uint64_t cursor, unsigned min_grade)
{
	static struct journal_event e;
	static uint8_t evidence[64];
	uint64_t at = cursor - 1;
	struct journal_reader *r = journal_reader_new(j);
	int rc = journal_read(r, &at, min_grade, &e);
	if (rc == 1)
		memcpy(evidence, e.evidence, e.evidence_len);
	e.evidence = evidence;
	journal_reader_free(r);
	return rc == 1 && e.cursor == cursor ? &e : NULL;
}

static unsigned
fetch_all(struct vet *v, struct batch *b, struct journal *j, uint64_t now_ns)
{
	unsigned n = 0, got;
	while ((got = vetting_take(v, b)) > 0) {
		n += got;
		assert_int_equal(journal_commit(j, b, now_ns), 0);
	}
	return n;
}

/* Asked about and ended: the younger are asked again, the older are told that it is too late, the oldest
 * nothing; each once. */
static void
resumed(void **state)
{
	char *dir = folder_new(), err[256];
	struct journal *j = journal_of(dir, 30000, BIG); /* several files */
	struct batch b;
	const uint64_t now = 100000 * SECOND;
	const uint64_t when[] = {
		now - 5000 * SECOND, now - 3000 * SECOND, now - 61 * SECOND, now - 59 * SECOND, now};
	assert_int_equal(batch_new(&b), 0);
	for (uint64_t i = 0; i < 5; i++) {
		add_asked(&b, 2 * i + 1, GRADE_PAUSE);
		add_record(&b, EPOCH_A, 3, 2 * i + 2, GRADE_WATCH, 0);
		assert_int_equal(journal_commit(j, &b, when[i]), 0);
	}
	assert_null(event_at(j, 1, GRADE_PAUSE)); /* told as page */
	assert_int_equal(event_at(j, 1, GRADE_PAGE)->record.grade, GRADE_PAUSE);
	assert_true(count_files(dir) > 1);
	struct vet_options o = {.deadline_ms = 100};
	struct vet *v = vet_start(&o, err, sizeof err); /* no nodes: whoever would be asked is not */
	assert_non_null(v);
	assert_int_equal(vetting_resume(v, j, now), 4);
	assert_int_equal(fetch_all(v, &b, j, now), 4);
	assert_false(vet_busy(v));
	unsigned late = 0, asked_again = 0;
	for (uint64_t c = 11; c <= 14; c++) {
		struct journal_event *e = event_at(j, c, GRADE_WATCH);
		assert_non_null(e);
		assert_int_equal(e->vet.node, VET_UNKNOWN);
		assert_int_equal(e->evidence_len, 30);
		assert_int_equal(e->evidence[0], e->record.seq & 0xff);
		bool is_late = e->vet.fact == VET_FACT_TOO_LATE;
		assert_int_equal(e->record.grade, is_late ? GRADE_PAGE : GRADE_PAUSE);
		assert_int_equal(is_late, e->record.seq == 3 || e->record.seq == 5);
		late += is_late;
		asked_again += !is_late;
	}
	assert_int_equal(late, 2);
	assert_int_equal(asked_again, 2);
	assert_int_equal(vetting_resume(v, j, now), 0);
	vet_stop(v);
	assert_int_equal(journal_head(j), 14);
	struct journal_progress p;
	journal_ring(j, EPOCH_A, 3, &p);
	assert_int_equal(p.journaled, 10); /* the ring's own */
	struct journal_reader *r = journal_reader_new(j);
	struct position id;
	uint64_t cursor;
	assert_int_equal(position_parse("aa01020304050607-3-9-vetted", &id), 0);
	assert_int_equal(journal_find(r, &id, &cursor), 0);
	assert_true(cursor > 10);
	assert_int_equal(position_parse("aa01020304050607-3-9", &id), 0);
	assert_int_equal(journal_find(r, &id, &cursor), 0);
	assert_int_equal(cursor, 9);
	assert_int_equal(position_parse("aa01020304050607-3-1-vetted", &id), 0);
	assert_int_equal(journal_find(r, &id, &cursor), -ENOENT);
	journal_reader_free(r);
	journal_close(j);
	uint64_t entries;
	if (audit_verify(dir, &entries, err, sizeof err) != 0)
		fail_msg("%s", err);
	batch_free(&b);
	folder_free(dir);
}

/* The same verdict again is none: its id is there. The ring's place is where its own records have it. */
static void
once(void **state)
{
	char *dir = folder_new();
	struct journal *j = journal_of(dir, BIG, BIG);
	struct batch b;
	struct journal_progress p;
	assert_int_equal(batch_new(&b), 0);
	for (unsigned turn = 0; turn < 3; turn++) {
		add_asked(&b, 1, GRADE_PAUSE);
		for (unsigned i = 0; i < 2; i++) {
			add_asked(&b, 1, GRADE_PAUSE);
			b.e[b.n - 1].vet.node = VET_YES;
		}
		assert_int_equal(journal_commit(j, &b, SECOND), 0);
		assert_int_equal(journal_head(j), 2);
		journal_ring(j, EPOCH_A, 3, &p);
		assert_int_equal(p.journaled, 1);
		assert_int_equal(p.last_seq, 1);
	}
	/* One whose ring the journal has never heard of. */
	add_record(&b, EPOCH_B, 9, 5, GRADE_PAUSE, 0);
	b.e[0].vet.node = VET_YES;
	assert_int_equal(journal_commit(j, &b, SECOND), 0);
	journal_ring(j, EPOCH_B, 9, &p);
	assert_int_equal(p.last_seq + p.journaled + p.lost, 0);
	assert_int_equal(journal_head(j), 3);
	batch_free(&b);
	journal_close(j);
	folder_free(dir);
}

/* No verdict becomes a loss of its ring, whatever has to make room. */
static void
shed(void **state)
{
	struct batch b;
	assert_int_equal(batch_new(&b), 0);
	uint64_t seq = 0;
	for (unsigned turn = 0; turn < 20; turn++) {
		while (batch_room(&b) > 4) {
			seq++;
			add_record(&b, EPOCH_A, 0, seq, seq % 3 ? GRADE_PAUSE : GRADE_WATCH, 10);
			add_record(&b, EPOCH_A, 0, seq, seq % 2 ? GRADE_PAUSE : GRADE_PAGE, 10);
			b.e[b.n - 1].vet.node = VET_YES;
		}
		batch_shed(&b);
		assert_true(batch_room(&b) >= BATCH_ENTRIES / 4);
	}
	uint64_t next = 1;
	for (uint32_t i = 0; i < b.n; i++) {
		if (entry_is_verdict(&b.e[i])) {
			assert_int_equal(b.e[i].record.grade, GRADE_PAUSE);
			continue;
		}
		assert_int_equal(b.e[i].from, next);
		next = b.e[i].to + 1;
	}
	assert_int_equal(next, seq + 1);
	assert_true(b.verdicts_shed > 0);
	batch_free(&b);
}

/* ---- the thread, with nobody to talk to ---- */

static void
options(void **state)
{
	static const char *const bad[] = {
		"https://h", "h:8545", "", "http://", "http:///x y", "unix:x", "unix:", "file:///etc/passwd"};
	char err[256];
	for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct vet_options o = {.node = {bad[i]}, .n_nodes = 1, .deadline_ms = 100};
		errno = 0;
		assert_null(vet_start(&o, err, sizeof err));
		assert_int_equal(errno, EINVAL);
	}
}

static void
everyone_has_a_verdict(void **state)
{
	struct vet_options o = {.node = {"unix:/nonexistent/node.sock", "http://127.0.0.1:1/"},
		.n_nodes = 2,
		.deadline_ms = 60};
	char err[256];
	struct vet *v = vet_start(&o, err, sizeof err);
	struct batch b;
	unsigned taken = 0, got = 0, urgent = 0;
	assert_non_null(v);
	assert_int_equal(batch_new(&b), 0);
	for (uint64_t i = 1; i <= 900; i++) {
		add_asked(&b, i, i % 10 ? GRADE_PAGE : GRADE_PAUSE);
		if (i % 10)
			b.e[b.n - 1].record.lacks |= LACK(ACCEPTED);
	}
	vetting_ask(v, &b, 0);
	for (uint32_t i = 0; i < b.n; i++) {
		taken += b.e[i].vet.node == VET_ASKED;
		urgent += b.e[i].vet.node == VET_ASKED && b.e[i].record.grade == GRADE_PAUSE;
	}
	assert_int_equal(urgent, 90);
	assert_int_equal(taken, VET_JOBS_OTHER + 90);
	b.n = b.evidence_n = 0;
	while (vet_busy(v)) {
		unsigned n = vetting_take(v, &b);
		for (uint32_t i = 0; i < n; i++) {
			assert_int_equal(b.e[i].vet.node, VET_UNKNOWN);
			assert_int_equal(
				b.e[i].record.grade, b.e[i].record.seq % 10 ? GRADE_PAGE : GRADE_PAUSE);
			assert_int_equal(b.e[i].evidence_len, 30);
		}
		got += n;
		b.n = b.evidence_n = 0;
		usleep(1000);
	}
	assert_int_equal(got, taken);
	struct vet_status s;
	vet_status_get(v, &s);
	assert_int_equal(s.asked, taken);
	assert_int_equal(s.unknown, taken);
	assert_int_equal(s.not_asked, 900 - taken);
	assert_int_equal(s.waiting + s.running, 0);
	add_asked(&b, 1, GRADE_PAUSE); /* one that runs when it ends */
	vetting_ask(v, &b, 0);
	vet_stop(v);
	batch_free(&b);
}

/* The armed contract that is called is there, or about to be, or the call is one of nothing. */
static void
deployments(void **state)
{
#define DEPLOYED(from, nonce, price, block) \
	"{\"hash\":\"0xdededededededededededededededededededededededededededededededede\",\"from\":\"" from "\",\"nonce\":\"" nonce \
	"\",\"maxFeePerGas\":\"" price "\",\"blockNumber\":" block "}"
#define OWN "0xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
#define OTHER "0x2222222222222222222222222222222222222222"
	static const struct {
		const char *code, *deploy, *next;
		bool nothing;
	} table[] = {{"\"0x60\"", "null", NULL, false}, {"\"0x\"", "null", NULL, true}, {NULL, "null", NULL, false}, {"\"0x\"", NULL, NULL, false}, {"7", "null", NULL, false},
		{"\"0x\"", DEPLOYED(OWN, "0x4", "0xa", "null"), NULL, false}, {"\"0x\"", DEPLOYED(OWN, "0x4", "0x9", "null"), NULL, true},
		{"\"0x\"", DEPLOYED(OWN, "0x4", "0x9", "\"0x10\""), NULL, false}, {"\"0x\"", DEPLOYED(OWN, "0x6", "0xa", "null"), NULL, true},
		{"\"0x\"", DEPLOYED(OTHER, "0x4", "0xa", "null"), "\"0x5\"", false}, {"\"0x\"", DEPLOYED(OTHER, "0x5", "0xa", "null"), "\"0x5\"", true},
		{"\"0x\"", DEPLOYED(OTHER, "0x5", "0xa", "null"), NULL, false}, {"\"0x\"", DEPLOYED("0x22", "0x5", "0xa", "null"), NULL, false}, {"\"0x\"", "{}", NULL, false}};
	for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
		struct vet_facts f = {0};
		struct event_vet v;
		struct alert_record r = asked();
		char body[8192], more[256];
		r.class_ = CLASS_ARMED_CALL;
		r.has |= HAS_ARMED;
		r.n_related = 1;
		r.related[0].role = ROLE_DEPLOY;
		memset(r.related[0].hash, 0xde, 32);
		int n = snprintf(body, sizeof body, "%.*s", (int)strlen(body_of(&FINE)) - 1, body_of(&FINE));
		if (table[i].code != NULL)
			n += snprintf(body + n, sizeof body - (size_t)n, ",{\"id\":10,\"result\":%s}", table[i].code);
		if (table[i].deploy != NULL)
			n += snprintf(body + n, sizeof body - (size_t)n, ",{\"id\":11,\"result\":%s}", table[i].deploy);
		n += snprintf(body + n, sizeof body - (size_t)n, "]");
		vet_read_first(&f, &r, body, (size_t)n);
		if (table[i].next != NULL) {
			assert_false(vet_denies(&f));
			char *ask = vet_ask_simulation(&f);
			assert_non_null(strstr(ask, OTHER));
			free(ask);
			n = snprintf(more, sizeof more, "[{\"id\":12,\"result\":%s}]", table[i].next);
			vet_read_simulation(&f, &r, more, (size_t)n);
		}
		assert_int_equal(vet_denies(&f), table[i].nothing);
		vet_conclude(&f, &r, &v);
		assert_int_equal(v.node, table[i].nothing ? VET_NO : VET_YES);
		assert_int_equal(v.fact, table[i].nothing ? VET_FACT_NOTHING_THERE : VET_FACT_NOTHING);
		assert_int_equal(r.grade, table[i].nothing ? GRADE_PAGE : GRADE_PAUSE);
		vet_facts_clear(&f);
	}
	/* a call that is mined before its deployment was one of nothing */
	struct answer mined = {FINE.chain, MINED, "\"0x6\"", "\"0x6\"", "\"0x0\"", BLOCK("0xff")};
	struct vet_facts of_mined = {0};
	struct alert_record r = asked();
	char body[8192];
	r.class_ = CLASS_ARMED_CALL;
	r.has |= HAS_ARMED;
	r.n_related = 1;
	r.related[0].role = ROLE_DEPLOY;
	memset(r.related[0].hash, 0xde, 32);
	snprintf(body, sizeof body, "%.*s,{\"id\":10,\"result\":\"0x\"},{\"id\":11,\"result\":" DEPLOYED(OTHER, "0x5", "0xa", "null") "}]", (int)strlen(body_of(&mined)) - 1, body_of(&mined));
	vet_read_first(&of_mined, &r, body, strlen(body));
	assert_true(of_mined.mined && vet_denies(&of_mined));
	vet_facts_clear(&of_mined);
	r = asked(); /* of others nothing is asked */
	char *ask = vet_ask_first(&r);
	assert_null(strstr(ask, "eth_getCode"));
	free(ask);
}

static void
names(void **state)
{
	(void)state;
	static const struct {
		const char *node;
		bool named;
	} table[] = {{"http://127.0.0.1:8545", false}, {"http://127.1", false}, {"http://me:secret@10.0.0.7:8545/path", false}, {"http://[::1]:8545", false},
		{"http://[fe80::1%25eth0]:8545", false}, {"unix:/run/geth.ipc", false}, {"http://localhost:8545", true}, {"http://node:8545", true},
		{"http://10.0.0.7.example.org", true}, {"http://127.0.0.1@node", true}};
	struct vet_options o = {.n_nodes = 1, .deadline_ms = 50};
	for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
		o.node[0] = table[i].node;
		assert_int_equal(vet_needs_names(&o), table[i].named);
	}
	/* one is enough */
	o.node[0] = "unix:/run/geth.ipc";
	o.node[1] = "http://node";
	o.n_nodes = 2;
	assert_true(vet_needs_names(&o));
	o.n_nodes = 0;
	assert_false(vet_needs_names(&o));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(wanted), cmocka_unit_test(quantities),
		cmocka_unit_test(decisions),
		cmocka_unit_test(deployments), cmocka_unit_test(no_answer_at_all), cmocka_unit_test(costs),
		cmocka_unit_test(fees), cmocka_unit_test(asking_again_helps), cmocka_unit_test(not_answers),
		cmocka_unit_test(simulations), cmocka_unit_test(requests), cmocka_unit_test(resumed),
		cmocka_unit_test(once), cmocka_unit_test(shed), cmocka_unit_test(options), cmocka_unit_test(names),
		cmocka_unit_test(everyone_has_a_verdict)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
