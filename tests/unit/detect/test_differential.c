/* SPDX-License-Identifier: BSD-3-Clause */
/* Random rule sets against random transactions: rules are made as trees, written as YAML, compiled, loaded
 * and run; the same trees evaluated over the reference must give the same findings. Bytes come from small
 * pools, so that things nearly match. */
#include "fixture.h"
#include "reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SETS 40
#define RULES 24
#define TXS 250
#define PATTERNS 6
#define VALUES 5
#define NODES 64

static uint64_t state = 20261125;

static uint32_t
rnd(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % below;
}

struct pat {
	enum rule_field field;
	unsigned n;
	uint8_t value[VALUES][36];
	uint32_t len[VALUES];
	bool protocol;
};

enum kind { K_PATTERN, K_COUNT, K_COMPARE, K_CREATION, K_BUNDLE, K_NOT, K_AND, K_OR, K_OF };
struct node {
	enum kind kind;
	unsigned a, b, n; /* pattern; operands; count; scalar, comparison, constant */
	unsigned list[PATTERNS], n_list;
};

struct gen {
	struct pat pat[PATTERNS]; /* the last is an exception, if any */
	unsigned n_pat;
	bool exception;
	unsigned severity, grade;
	struct node node[NODES];
	unsigned n_node, root;
};

static struct gen gens[RULES];

static const char *const constants[] = {"0", "1", "2", "3", "0x24", "100", "21000", "0xffffffffffffffff",
	"18446744073709551616", "0x8000000000000000000000000000000000000000000000000000000000000000",
	"115792089237316195423570985008687907853269984665640564039457584007913129639935"};
static const uint8_t constant_be[][33] = {"", "\1", "\2", "\3", "\x24", "\x64", "\x52\x08",
	"\xff\xff\xff\xff\xff\xff\xff\xff", "\1\0\0\0\0\0\0\0\0",
	"\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	"\xff\xff\xff\xff\xff\xff\xff"};
static const uint8_t constant_len[] = {0, 1, 1, 1, 1, 1, 2, 8, 9, 32, 32};
#define CONSTANTS (sizeof constant_len)

static void
random_bytes(uint8_t *p, uint32_t n)
{
	static const uint8_t common[] = {0x00, 0x01, 0x63, 0x60, 0x1b, 0x7f, 0xff, 0xe1, 0x80};
	for (uint32_t i = 0; i < n; i++)
		p[i] = rnd(4) ? common[rnd(sizeof common)] : (uint8_t)rnd(256);
}

static void
random_value(struct pat *p, unsigned i)
{
	static const uint32_t lens[FIELD_COUNT] = {0, 20, 4, 0, 20, 0, 4, 20, 20, 20};
	uint8_t *v = p->value[i];
	uint32_t len = lens[p->field];
	if (len == 0)
		len = 3 + rnd(18);
	if (p->field == FIELD_ARG && rnd(2))
		len = 32;
	random_bytes(v, len);
	if (p->field == FIELD_PUSH_ADDRESS && rnd(2))
		memset(v, 0, rnd(16));
	if (p->field == FIELD_PUSH_SELECTOR && rnd(2))
		v[3] &= (uint8_t)(0xff << rnd(8));
	v[1] |= 2; /* neither all zero nor too wide */
	v[len - 1] |= p->field == FIELD_PUSH_ADDRESS;
	p->len[i] = len;
}

/* Values are shared between patterns and rules half the time. */
static void
random_pattern(struct pat *p, unsigned so_far)
{
	p->field = (enum rule_field)(1 + rnd(FIELD_COUNT - 1));
	p->n = 1 + rnd(VALUES);
	for (unsigned i = 0; i < p->n; i++) {
		random_value(p, i);
		if (so_far > 0 && rnd(2)) {
			const struct gen *g = &gens[rnd(so_far)];
			const struct pat *q = &g->pat[rnd(g->n_pat)];
			unsigned k = rnd(q->n);
			if (q->field == p->field) {
				memcpy(p->value[i], q->value[k], sizeof q->value[k]);
				p->len[i] = q->len[k];
			}
		}
		for (unsigned k = 0; k < i; k++)
			if (p->len[k] == p->len[i] && memcmp(p->value[k], p->value[i], p->len[i]) == 0)
				p->n = i; /* ends the pattern before the double */
	}
}

static unsigned
random_tree(struct gen *g, unsigned n_pat, unsigned depth)
{
	unsigned at = g->n_node++;
	struct node *n = &g->node[at];
	memset(n, 0, sizeof *n);
	n->kind = depth == 0 || g->n_node > NODES - 8 ? (enum kind)rnd(K_NOT) : (enum kind)rnd(K_OF + 1);
	if (n->kind == K_PATTERN || n->kind == K_COUNT)
		n->a = rnd(n_pat);
	if (n->kind == K_COUNT)
		n->n = 1 + rnd(g->pat[n->a].n);
	if (n->kind == K_COMPARE) {
		do
			n->a = rnd(SCALAR_COUNT);
		while (!rule_scalar_known(n->a, EVENT_TRANSACTION) ||
			n->a == SCALAR_CODE_LEARNED); /* which may not pause alone */
		n->b = rnd(COMPARE_COUNT);
		n->n = rnd(CONSTANTS);
	}
	if (n->kind == K_OF) {
		for (unsigned i = 0; i < n_pat; i++)
			if (rnd(2) || (i == n_pat - 1 && n->n_list == 0))
				n->list[n->n_list++] = i;
		n->n = 1 + rnd(n->n_list);
	}
	if (n->kind == K_NOT || n->kind == K_AND || n->kind == K_OR)
		n->a = random_tree(g, n_pat, depth - 1);
	if (n->kind == K_AND || n->kind == K_OR)
		n->b = random_tree(g, n_pat, depth - 1);
	return at;
}

static void
random_rule(struct gen *g, unsigned so_far)
{
	memset(g, 0, sizeof *g);
	g->n_pat = 1 + rnd(PATTERNS);
	g->exception = g->n_pat > 1 && rnd(3) == 0;
	g->severity = 1 + rnd(5);
	g->grade = 1 + rnd(3);
	for (unsigned i = 0; i < g->n_pat; i++) {
		random_pattern(&g->pat[i], so_far);
		bool addresses = !(g->exception && i == g->n_pat - 1);
		for (unsigned k = 0; k < g->pat[i].n; k++)
			addresses &= g->pat[i].len[k] == 20;
		g->pat[i].protocol = addresses && rnd(2);
	}
	unsigned named = g->n_pat - g->exception;
	unsigned left = random_tree(g, named, 3);
	struct node all = {.kind = K_OF, .n_list = named, .n = 1 + rnd(named)};
	for (unsigned i = 0; i < named; i++)
		all.list[i] = i;
	g->node[g->n_node++] = all; /* uses every pattern */
	g->root = g->n_node++;
	g->node[g->root] = (struct node){.kind = rnd(2) ? K_AND : K_OR, .a = left, .b = g->n_node - 2};
}

static void
write_tree(FILE *f, const struct gen *g, unsigned at, unsigned around)
{
	static const char *const compare[] = {"==", "!=", "<", "<=", ">", ">="};
	static const char *const scalars[] = {
#define _(id, name, events) name,
		RULE_SCALARS(_)
#undef _
	};
	const struct node *n = &g->node[at];
	unsigned binds = n->kind == K_OR ? 1 : n->kind == K_AND ? 2 : n->kind == K_NOT ? 3 : 4;
	bool parens = binds < around || rnd(6) == 0;
	fputs(parens ? "(" : "", f);
	if (n->kind == K_PATTERN)
		fprintf(f, "p%u", n->a);
	else if (n->kind == K_COUNT)
		fprintf(f, "count(p%u) >= %u", n->a, n->n);
	else if (n->kind == K_COMPARE)
		fprintf(f, "%s %s %s", scalars[n->a], compare[n->b], constants[n->n]);
	else if (n->kind == K_CREATION || n->kind == K_BUNDLE)
		fputs(n->kind == K_BUNDLE ? "bundle" : "creation", f);
	else if (n->kind == K_NOT) {
		fputs("not ", f);
		write_tree(f, g, n->a, 3);
	} else if (n->kind == K_OF) {
		if (n->n == n->n_list && rnd(2))
			fputs("all of (", f);
		else if (n->n == 1 && rnd(2))
			fputs("any of (", f);
		else
			fprintf(f, "%u of (", n->n);
		for (unsigned i = 0; i < n->n_list; i++)
			fprintf(f, "%sp%u", i ? ", " : "", n->list[i]);
		fputs(")", f);
	} else {
		write_tree(f, g, n->a, binds);
		fputs(n->kind == K_AND ? " and " : rnd(4) ? " or " : "\n        or ", f);
		write_tree(f, g, n->b, binds);
	}
	fputs(parens ? ")" : "", f);
}

static void
write_pattern(FILE *f, const struct pat *p, unsigned i)
{
	fprintf(f, "      p%u: {%s: [", i, rule_field_name(p->field));
	for (unsigned k = 0; k < p->n; k++) {
		fputs(k ? ", 0x" : "0x", f);
		for (uint32_t j = 0; j < p->len[k]; j++)
			fprintf(f, "%02x", p->value[k][j]);
	}
	fputs("]}\n", f);
}

static char *
write_set(void)
{
	static const char *const severities[] = {"", "info", "low", "medium", "high", "critical"};
	static const char *const grades[] = {"", "watch", "page", "pause"};
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	fputs("pack: random\nversion: 1\nrules:\n", f);
	for (unsigned i = 0; i < RULES; i++) {
		const struct gen *g = &gens[i];
		unsigned named = g->n_pat - g->exception, protocols = 0;
		fprintf(f,
			"  - id: %u\n    rev: 1\n    name: r%u\n    description: d\n    class: other\n    "
			"severity: %s\n"
			"    grade: %s\n    status: stable\n    match:\n",
			i + 1, i, severities[g->severity], grades[g->grade]);
		for (unsigned k = 0; k < named; k++)
			write_pattern(f, &g->pat[k], k);
		if (g->exception) {
			fputs("    except:\n", f);
			write_pattern(f, &g->pat[named], named);
		}
		fputs("    condition: >-\n        ", f);
		write_tree(f, g, g->root, 0);
		fputs("\n", f);
		for (unsigned k = 0; k < named; k++)
			if (g->pat[k].protocol)
				fprintf(f, "%sp%u", protocols++ ? ", " : "    protocols: [", k);
		fputs(protocols ? "]\n" : "", f);
		fputs("    vectors: [{match: true, tx: {}}, {match: false, tx: {input: 0x00}}]\n", f);
	}
	fclose(f);
	return text;
}

/* ---- transactions ---- */

static const struct pat *
any_pattern(void)
{
	const struct gen *g = &gens[rnd(RULES)];
	return &g->pat[rnd(g->n_pat)];
}

static uint32_t
piece(uint8_t *out)
{
	const struct pat *p = any_pattern();
	unsigned i = rnd(p->n);
	uint32_t n = 0, len = p->len[i], v, k;
	switch (rnd(9)) {
	case 0: /* padding */
		n = rnd(40);
		memset(out, rnd(2) ? 0 : 0xff, n);
		return n;
	case 1:
		n = rnd(24);
		random_bytes(out, n);
		return n;
	case 2: /* a word */
		memset(out, 0, 32);
		memcpy(out + 32 - (len < 32 ? len : 32), p->value[i], len < 32 ? len : 32);
		return 32;
	case 3: /* cut short */
		memcpy(out, p->value[i], len - 1);
		return len - 1;
	case 4: /* PUSH32 */
		memset(out, 0, 33);
		out[0] = 0x7f;
		memcpy(out + 1, p->value[i], 4 < len ? 4 : len);
		return rnd(6) ? 33 : 32;
	case 5: /* shifted */
		memcpy(&v, p->value[i], 3);
		v = (uint32_t)p->value[i][0] << 24 | (uint32_t)p->value[i][1] << 16 |
		    (uint32_t)p->value[i][2] << 8 | (len > 3 ? p->value[i][3] : 0);
		k = v ? (uint32_t)__builtin_ctz(v) : 0;
		v >>= k;
		for (int b = 3; b >= 0; b--)
			if (v >> 8 * b || n > 0)
				out[1 + n++] = (uint8_t)(v >> 8 * b);
		out[0] = (uint8_t)(0x5f + n);
		memcpy(out + 1 + n, (uint8_t[]){0x60, (uint8_t)(0xe0 + k), 0x1b}, 3);
		return 1 + n + 3;
	case 6: /* PUSH without leading zeros */
		while (n + 1 < len && p->value[i][n] == 0)
			n++;
		out[0] = (uint8_t)(0x5f + len - n);
		memcpy(out + 1, p->value[i] + n, len - n);
		return 1 + len - n;
	case 7: /* PUSH with them */
		out[0] = (uint8_t)(0x5f + len);
		memcpy(out + 1, p->value[i], len);
		return 1 + len;
	default:
		memcpy(out, p->value[i], len);
		return len;
	}
}

static struct span
random_constant(void)
{
	unsigned i = rnd(CONSTANTS);
	return (struct span){constant_be[i], constant_len[i]};
}

static void
random_address(uint8_t out[20])
{
	random_bytes(out, 20);
	for (int tries = 0; tries < 8; tries++) {
		const struct pat *p = any_pattern();
		unsigned i = rnd(p->n);
		if (p->len[i] == 20 && rnd(4)) {
			memcpy(out, p->value[i], 20);
			return;
		}
	}
}

static uint32_t
selector(uint8_t out[4])
{
	random_bytes(out, 4);
	for (int tries = 0; tries < 8; tries++) {
		const struct pat *p = any_pattern();
		if (p->field == FIELD_SELECTOR)
			memcpy(out, p->value[rnd(p->n)], 4);
	}
	return 4;
}

static void
put_word(uint8_t *out, uint32_t v)
{
	memset(out, 0, 32);
	for (unsigned i = 0; i < 4; i++)
		out[31 - i] = (uint8_t)(v >> 8 * i);
}

/* Calls inside: a Safe's multiSend of a few, of which some go to a deployer and create. */
static uint32_t
calls_inside(uint8_t *out)
{
	static const uint8_t multi_send[4] = {0x8d, 0x80, 0xff, 0x0a},
			     deployer[20] = {0x4e, 0x59, 0xb4, 0x48, 0x47, 0xb3, 0x79, 0x57, 0x85, 0x88, 0x92,
				     0x0c, 0xa7, 0x8f, 0xbf, 0x26, 0xc0, 0xb4, 0x95, 0x6c};
	uint32_t n = 4 + 64;
	for (unsigned k = 1 + rnd(3); k > 0; k--) {
		uint8_t *head = out + n;
		bool creates = rnd(3) == 0;
		head[0] = (uint8_t)rnd(2);
		random_address(head + 1);
		if (creates)
			memcpy(head + 1, deployer, 20);
		put_word(head + 21, rnd(2) * rnd(2000));
		n += 85;
		uint32_t data = n;
		if (creates) {
			put_word(out + n, rnd(1000));
			n += 32;
		} else if (rnd(2)) {
			n += selector(out + n);
		}
		for (unsigned pieces = rnd(6); pieces > 0; pieces--)
			n += piece(out + n);
		put_word(head + 53, n - data);
	}
	memcpy(out, multi_send, 4);
	put_word(out + 4, 32);
	put_word(out + 36, n - 68);
	return n;
}

static void
random_tx(struct made_tx *m)
{
	static uint8_t to[20], data[4096], access[4096], auth[4096], blobs[33 * 2], word[64], address[20];
	struct tx_fields f = {.type = (uint8_t)rnd(5), .nonce = rnd(4), .gas = rnd(2) ? 21000 : rnd(4)};
	uint32_t n = 0;
	size_t n_access = 0, n_auth = 0, n_blobs = 0;
	random_address(to);
	f.chain_id = random_constant();
	if (f.chain_id.len > 8)
		f.chain_id.len = 0;
	f.value = random_constant();
	f.fee_cap = random_constant();
	f.tip_cap = random_constant();
	f.to = (struct span){to, f.type < TX_4844 && rnd(2) ? 0 : 20};
	for (unsigned pieces = rnd(16); pieces > 0; pieces--) {
		if (n == 0 && rnd(2)) /* a selector first, then words */
			n = selector(data);
		n += piece(data + n);
	}
	if (f.to.len == 20 && rnd(4) == 0)
		n = calls_inside(data);
	f.data = (struct span){data, n};
	for (unsigned k = f.type > TX_LEGACY ? rnd(4) : 0; k > 0; k--) {
		random_address(address);
		random_address(word);
		random_address(word + 12);
		n_access += access_put(access + n_access, address, word, rnd(2));
	}
	for (unsigned k = f.type == TX_7702 ? rnd(4) : 0; k > 0; k--) {
		random_address(address);
		n_auth += auth_put(auth + n_auth, (uint8_t)rnd(2), address);
	}
	for (unsigned k = f.type == TX_4844 ? rnd(3) : 0; k > 0; k--)
		n_blobs += rlp_put(blobs + n_blobs, word, 32, false);
	f.access_list = (struct span){access, (uint32_t)n_access};
	f.auth_list = (struct span){auth, (uint32_t)n_auth};
	f.blob_hashes = (struct span){blobs, (uint32_t)n_blobs};
	tx_make(m, &f);
}

/* ---- the same by the reference ---- */

static unsigned
count(const struct tx *t, const struct pat *p)
{
	unsigned n = 0;
	for (unsigned i = 0; i < p->n; i++)
		n += reference_matches(t, p->field, p->value[i], p->len[i]);
	return n;
}

static const struct rule_facts *facts; /* what is known of the transaction besides */

static void
random_facts(void)
{
	static struct rule_facts f;
	for (unsigned i = 0; i < SCALAR_COUNT; i++)
		f.number[i] = rnd(2) ? rnd(3) : rnd(2000);
	facts = rnd(3) ? &f : NULL;
}

static bool
holds(const struct gen *g, unsigned at, const unsigned *hits, const struct tx *t, uint32_t bundle_len)
{
	const struct node *n = &g->node[at];
	uint8_t have[32], want[32] = {0};
	unsigned sum = 0;
	int c;
	switch (n->kind) {
	case K_PATTERN:
		return hits[n->a] > 0;
	case K_COUNT:
		return hits[n->a] >= n->n;
	case K_COMPARE:
		reference_scalar(t, (enum rule_scalar)n->a, bundle_len, facts, have);
		memcpy(want + 32 - constant_len[n->n], constant_be[n->n], constant_len[n->n]);
		c = memcmp(have, want, 32);
		return (bool[]){c == 0, c != 0, c<0, c <= 0, c> 0, c >= 0}[n->b];
	case K_CREATION:
		return t->to.len == 0;
	case K_BUNDLE:
		return bundle_len > 0;
	case K_NOT:
		return !holds(g, n->a, hits, t, bundle_len);
	case K_AND:
		return holds(g, n->a, hits, t, bundle_len) && holds(g, n->b, hits, t, bundle_len);
	case K_OR:
		return holds(g, n->a, hits, t, bundle_len) || holds(g, n->b, hits, t, bundle_len);
	default:
		for (unsigned i = 0; i < n->n_list; i++)
			sum += hits[n->list[i]] > 0;
		return sum >= n->n;
	}
}

static bool
is_protocol(const struct gen *g, const struct tx *t, const uint8_t address[20])
{
	for (unsigned k = 0; k < g->n_pat; k++)
		for (unsigned i = 0; g->pat[k].protocol && i < g->pat[k].n; i++)
			if (memcmp(g->pat[k].value[i], address, 20) == 0 &&
				reference_matches(t, g->pat[k].field, g->pat[k].value[i], 20))
				return true;
	return false;
}

static unsigned
count_protocols(const struct gen *g, const struct tx *t)
{
	uint8_t have[PATTERNS * VALUES][20];
	unsigned n = 0;
	for (unsigned k = 0; k < g->n_pat; k++) {
		for (unsigned i = 0; g->pat[k].protocol && i < g->pat[k].n; i++) {
			bool again = false;
			for (unsigned j = 0; j < n; j++)
				again |= memcmp(have[j], g->pat[k].value[i], 20) == 0;
			if (!again && reference_matches(t, g->pat[k].field, g->pat[k].value[i], 20))
				memcpy(have[n++], g->pat[k].value[i], 20);
		}
	}
	return n;
}

static void
check_protocols(const struct gen *g, const struct tx *t, const struct finding *f)
{
	unsigned want = count_protocols(g, t);
	assert_int_equal(f->n_protocols, want < ALERT_PROTOCOLS_MAX ? want : ALERT_PROTOCOLS_MAX);
	for (unsigned i = 0; i < f->n_protocols; i++) {
		assert_true(is_protocol(g, t, f->protocols[i]));
		for (unsigned k = 0; k < i; k++)
			assert_memory_not_equal(f->protocols[i], f->protocols[k], 20);
	}
}

static unsigned inside; /* findings in calls inside */

/* In which call does the rule hold first? UINT32_MAX: in none. */
static uint32_t
holds_in(struct loaded *l, const struct tx *t, uint32_t bundle_len, unsigned rule, unsigned *matched)
{
	const struct calls *calls = detect_calls(l->detect);
	const struct rule_facts *whole = facts;
	const struct gen *g = &gens[rule];
	uint32_t at = UINT32_MAX;
	for (uint32_t i = 0; i < calls->n && at == UINT32_MAX; i++) {
		unsigned hits[PATTERNS];
		struct rule_facts its;
		struct tx inner = reference_call(t, calls, i, whole, &its);
		facts = i > 0 ? &its : whole;
		for (unsigned k = 0; k < g->n_pat; k++) {
			hits[k] = count(&inner, &g->pat[k]);
			*matched += i == 0 && hits[k] > 0;
		}
		if (holds(g, g->root, hits, &inner, bundle_len) && !(g->exception && hits[g->n_pat - 1] > 0))
			at = i;
	}
	facts = whole;
	return at;
}

static unsigned
check_tx(struct loaded *l, const struct tx *t, uint32_t bundle_len)
{
	struct finding f[DETECT_FINDINGS_MAX];
	uint32_t got[RULES];
	unsigned matched = 0;
	memset(got, 0xff, sizeof got);
	detect_facts(l->detect, facts);
	int n = detect_tx(l->detect, t, bundle_len, f);
	assert_true(n >= 0);
	assert_int_equal(detect_over(l->detect), 0); /* fewer rules than fit */
	for (int i = 0; i < n; i++) {
		struct rule_facts its;
		assert_true(f[i].rule_index < RULES && got[f[i].rule_index] == UINT32_MAX);
		assert_true(f[i].call < detect_calls(l->detect)->n);
		got[f[i].rule_index] = f[i].call;
		inside += f[i].call > 0;
		const struct tx where = reference_call(t, detect_calls(l->detect), f[i].call, facts, &its);
		check_protocols(&gens[f[i].rule_index], &where, &f[i]);
		if (i > 0) { /* most important first */
			const struct gen *x = &gens[f[i - 1].rule_index], *y = &gens[f[i].rule_index];
			unsigned a = x->grade * 8 + x->severity, b = y->grade * 8 + y->severity;
			assert_true(a > b || (a == b && f[i - 1].rule_index < f[i].rule_index));
		}
	}
	for (unsigned i = 0; i < RULES; i++)
		assert_int_equal(got[i], holds_in(l, t, bundle_len, i, &matched));
	return matched;
}

static void
random_sets(void **unused)
{
	static struct made_tx m;
	unsigned matched = 0;
	for (unsigned set = 0; set < SETS; set++) {
		struct loaded l;
		for (unsigned i = 0; i < RULES; i++)
			random_rule(&gens[i], i);
		char *text = write_set();
		loaded_open(&l, text);
		assert_int_equal(ruleset_rules(l.rules), RULES);
		for (unsigned i = 0; i < TXS; i++) {
			random_tx(&m);
			random_facts();
			matched += check_tx(&l, &m.t, rnd(3));
		}
		loaded_close(&l);
		free(text);
	}
	print_message("%u transactions, %u patterns matched, %u findings in calls inside\n", SETS * TXS,
		matched, inside);
	assert_true(inside > SETS * TXS / 10);
	assert_true(matched > SETS * TXS); /* the pools do their work */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_sets)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
