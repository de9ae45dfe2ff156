/* SPDX-License-Identifier: BSD-3-Clause */
/* A good bundle with edits, its digest made right again and its databases put back (their own
 * checksum is no defence): refused with a message, or it loads and judges without leaving its tables.
 * Input: edits of 7 bytes: place (3, little-endian), how (1: 0 set byte, 1 set word, 2 add to word, 3 cut
 * here), value (3). */
#include "detect/model.h"
#include "detect/ruleset_event.h"
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char yaml[] =
	"pack: fuzz\nversion: 1\nrules:\n"
	"  - {id: 1, rev: 1, name: a, description: d, class: other, severity: low, grade: watch, status: "
	"stable,\n"
	"     match: {t: {to: [0x1111111111111111111111111111111111111111, "
	"0x2222222222222222222222222222222222222222]},\n"
	"             s: {selector: 0xab9c4b5d}, i: {input: [0xc0ffee, 0xdecade]}, w: {arg: "
	"0x3333333333333333333333333333333333333333}},\n"
	"     condition: t and (w or s or count(i) >= 2) and not (value > 5), protocols: [t],\n"
	"     except: {x: {access_list: 0x4444444444444444444444444444444444444444}, w2: {authorization: "
	"0x4444444444444444444444444444444444444444}},\n"
	"     vectors: [{match: true, tx: {}}, {match: false, tx: {raw: 0x00}}]}\n"
	"  - {id: 2, rev: 1, name: b, description: d, class: other, severity: low, grade: watch, status: "
	"experimental,\n"
	"     match: {c: {push_selector: [0x5cffe9de, 0x00991403]}, p: {push_address: "
	"0x1111111111111111111111111111111111111111}},\n"
	"     condition: \"creation and 1 of (c, p)\", protocols: [p],\n"
	"     vectors: [{match: true, tx: {}}, {match: false, tx: {raw: 0x00}}]}\n"
	"  - {id: 3, rev: 1, name: c, description: d, class: armed_call, severity: low, grade: pause, "
	"status: stable,\n"
	"     on: armed_call, condition: code_score > 5 and value < 7 or protected > 0 and not bundle,\n"
	"     vectors: [{match: true, facts: {protected: 1}}, {match: false, facts: {}}]}\n"
	"  - {id: 4, rev: 1, name: e, description: d, class: sandwich, severity: low, grade: page, status: "
	"stable,\n"
	"     on: sandwich, vectors: [{match: true, facts: {victims: 3, armed: 1}}]}\n";
static const char weights[] =
	"model 1\ngrams 65536\nbias -900\nscale 100\nthreshold 800\n0 7\n100 900\n65535 32767\n";
static const char templates[] = "0x0000000000000000000000000000000000000000000000000000000000000001 p@1 A\n"
				"0x1100000000000000000000000000000000000000000000000000000000000002 p@1 B\n"
				"0xff00000000000000000000000000000000000000000000000000000000000003 p@1 C\n";

static uint8_t *good;
static size_t good_len;
static struct bundle good_view;
static struct made_tx call, creation;

static void
need(bool ok)
{
	if (!ok)
		abort();
}

static void
set_up(void)
{
	static uint8_t data[128], to[20], list[64];
	struct loaded l;
	char err[256];
	loaded_open_beside(&l, yaml, weights, templates);
	good = l.bytes;
	good_len = l.n;
	need(bundle_open(&good_view, (struct span){good, (uint32_t)good_len}, err, sizeof err));
	struct tx_fields f = {.type = TX_2930};
	memset(to, 0x11, sizeof to);
	f.to = (struct span){to, 20};
	unhex("ab9c4b5d00000000000000000000000033333333333333333333333333333333c0ffeedecade3333333333", data);
	f.data = (struct span){data, 64};
	f.access_list = (struct span){list, (uint32_t)access_put(list, to, NULL, 0)};
	tx_make(&call, &f);
	f.to.len = 0;
	f.data.len = unhex("635cffe9de7e991403731111111111111111111111111111111111111111", data);
	tx_make(&creation, &f);
	need(found(&l, &call.t, 0, 1) && found(&l, &creation.t, 0, 2));
	detect_free(l.detect);
	ruleset_free(l.rules);
}

static size_t
edit(uint8_t *p, size_t n, const uint8_t *e)
{
	uint32_t value = e[4] | (uint32_t)e[5] << 8 | (uint32_t)(int32_t)(int8_t)e[6] << 16, word;
	size_t at = (e[0] | (size_t)e[1] << 8 | (size_t)e[2] << 16) % n;
	if (e[3] % 4 == 0)
		p[at] = (uint8_t)value;
	if (e[3] % 4 == 3 && at > 0)
		return at;
	at &= ~(size_t)3;
	if ((e[3] % 4 == 1 || e[3] % 4 == 2) && at + 4 <= n) {
		memcpy(&word, p + at, 4);
		word = e[3] % 4 == 1 ? value : word + value;
		memcpy(p + at, &word, 4);
	}
	return n;
}

static void
put_back_databases(uint8_t *p, size_t n)
{
	for (int i = 0; i < DB_COUNT; i++) {
		struct span db = bundle_db(&good_view, (enum bundle_db)i);
		size_t at = (size_t)(db.p - good);
		if (at + db.len <= n)
			memcpy(p + at, db.p, db.len);
	}
}

/* Rules on events, the model and the templates. */
static void
judge_rest(const struct ruleset *r)
{
	struct rule_facts f = {{0}, NULL};
	uint64_t grams[CODE_GRAMS / 64] = {0};
	uint32_t n = 0, last = 0;
	for (int e = 0; e < EVENT_COUNT; e++) {
		const uint32_t *rules;
		uint32_t k = ruleset_on(r, (enum rule_event)e, &rules);
		n += k;
		for (uint32_t i = 0; i < k; i++) {
			struct ruleset_rule rule;
			need(rules[i] < ruleset_rules(r));
			ruleset_rule(r, rules[i], &rule);
			need(rule.event == e);
			need(rule.grade < GRADE_PAUSE || rule_may_pause(rule.class_, rule.event));
			for (unsigned v = 0; e != EVENT_TRANSACTION && v < 4; v++) {
				for (unsigned s = 0; s < SCALAR_COUNT; s++)
					f.number[s] = v & 1 ? 1 + s : 0;
				f.tx = v & 2 ? &call.t : NULL;
				ruleset_event_holds(r, rules[i], &f);
			}
		}
	}
	need(n == ruleset_rules(r));
	for (unsigned i = 0; i < CODE_GRAMS; i += 61) {
		grams[i / 64] |= 1ull << (i % 64);
		uint32_t score = model_score(ruleset_model(r), grams);
		need(score >= last && score <= ALERT_SCORE_MAX);
		last = score;
	}
	ruleset_template(r, good_view.h.digest);
}

static void
judge(const struct ruleset *r)
{
	struct finding f[DETECT_FINDINGS_MAX];
	struct ruleset_rule rule;
	struct detect *d = detect_new(r);
	need(d != NULL);
	for (int round = 0; round < 2; round++) {
		int n = detect_tx(d, round ? &creation.t : &call.t, (uint32_t)round, f);
		need(n >= 0 && n <= DETECT_FINDINGS_MAX);
		for (int i = 0; i < n; i++) {
			need(f[i].n_protocols <= ALERT_PROTOCOLS_MAX && f[i].rule_index < ruleset_rules(r));
			ruleset_rule(r, f[i].rule_index, &rule);
			need(strlen(rule.name) < good_len);
		}
	}
	detect_free(d);
	judge_rest(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char err[512] = "";
	if (good == NULL)
		set_up();
	uint8_t *p = malloc(good_len);
	size_t n = good_len;
	memcpy(p, good, n);
	for (size_t i = 0; i + 7 <= size && i < 7 * 16; i += 7)
		n = edit(p, n, data + i);
	uint8_t *exact = malloc(n);
	memcpy(exact, p, n);
	free(p);
	put_back_databases(exact, n);
	if (n >= sizeof(struct bundle_header))
		bundle_digest(
			(struct span){exact, (uint32_t)n}, exact + offsetof(struct bundle_header, digest));
	struct ruleset *r = ruleset_load((struct span){exact, (uint32_t)n}, err, sizeof err);
	if (r == NULL) {
		need(err[0] != 0);
	} else {
		uint32_t index;
		bool expect;
		struct span text;
		judge(r);
		for (uint32_t i = 0; i < ruleset_vectors(r); i++) {
			ruleset_vector(r, i, &index, &expect, &text);
			struct rule_facts facts;
			ruleset_vector_facts(r, i, &facts);
			need(index < ruleset_rules(r) && text.p >= exact && text.p + text.len <= exact + n);
		}
		ruleset_free(r);
	}
	free(exact);
	return 0;
}
