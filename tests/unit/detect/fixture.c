/* SPDX-License-Identifier: BSD-3-Clause */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fixture: %s\n", what);
	abort();
}

void
loaded_open(struct loaded *l, const char *yaml)
{
	loaded_open_beside(l, yaml, NULL, NULL);
}

void
loaded_open_beside(struct loaded *l, const char *yaml, const char *weights, const char *templates)
{
	char err[512];
	struct rule_set *s = rule_set_new();
	rule_set_parse(s, "fixture.yaml", yaml, strlen(yaml));
	if (weights != NULL)
		rule_set_parse_weights(s, "fixture.weights", weights, strlen(weights));
	if (templates != NULL)
		rule_set_parse_templates(s, "fixture.templates", templates, strlen(templates));
	rule_set_lint(s, false);
	for (uint32_t i = 0; i < s->n_diags && s->n_errors > 0; i++)
		fprintf(stderr, "%u:%u: %s\n", s->diags[i].at.line, s->diags[i].at.column, s->diags[i].text);
	if (s->n_errors > 0)
		fputs(yaml, stderr);
	need(rule_set_compile(s, 1, &l->bytes, &l->n) == 0, "the rules do not compile");
	rule_set_free(s);
	l->rules = ruleset_load((struct span){l->bytes, (uint32_t)l->n}, err, sizeof err);
	need(l->rules != NULL, err);
	l->detect = detect_new(l->rules);
	need(l->detect != NULL, "no matcher");
}

void
loaded_close(struct loaded *l)
{
	detect_free(l->detect);
	ruleset_free(l->rules);
	free(l->bytes);
}

void
tx_make(struct made_tx *m, const struct tx_fields *f)
{
	int n = tx_build(f, m->raw, sizeof m->raw);
	need(n > 0, "the transaction does not build");
	need(tx_decode((struct span){m->raw, (uint32_t)n}, &m->t) == 0, "the transaction does not decode");
}

bool
found(struct loaded *l, const struct tx *t, uint32_t bundle_len, uint32_t id)
{
	struct finding f[DETECT_FINDINGS_MAX];
	int n = detect_tx(l->detect, t, bundle_len, f);
	need(n >= 0, "detect_tx failed");
	for (int i = 0; i < n; i++) {
		struct ruleset_rule r;
		ruleset_rule(l->rules, f[i].rule_index, &r);
		if (r.id == id)
			return true;
	}
	return false;
}

size_t
rlp_put(uint8_t *out, const void *p, size_t n, bool list)
{
	uint8_t head[9], base = list ? 0xc0 : 0x80;
	size_t h = 1, len = 0;
	if (!list && n == 1 && *(const uint8_t *)p < 0x80) {
		*out = *(const uint8_t *)p;
		return 1;
	}
	if (n < 56) {
		head[0] = (uint8_t)(base + n);
	} else {
		for (size_t v = n; v > 0; v >>= 8)
			len++;
		head[0] = (uint8_t)(base + 55 + len);
		for (size_t i = 0; i < len; i++)
			head[1 + i] = (uint8_t)(n >> 8 * (len - 1 - i));
		h = 1 + len;
	}
	memmove(out + h, p, n);
	memcpy(out, head, h);
	return h + n;
}

size_t
access_put(uint8_t *out, const uint8_t address[20], const uint8_t *keys, unsigned n_keys)
{
	uint8_t body[2048], inner[2048];
	size_t n = 0, k = rlp_put(body, address, 20, false);
	for (unsigned i = 0; i < n_keys; i++)
		n += rlp_put(inner + n, keys + 32 * i, 32, false);
	k += rlp_put(body + k, inner, n, true);
	return rlp_put(out, body, k, true);
}

size_t
auth_put(uint8_t *out, uint8_t chain, const uint8_t address[20])
{
	uint8_t body[256], word[32];
	memset(word, 0x77, sizeof word);
	size_t k = rlp_put(body, &chain, chain != 0, false);
	k += rlp_put(body + k, address, 20, false);
	k += rlp_put(body + k, "", 0, false); /* nonce 0 */
	k += rlp_put(body + k, "\x01", 1, false);
	k += rlp_put(body + k, word, 32, false);
	k += rlp_put(body + k, word, 32, false);
	return rlp_put(out, body, k, true);
}

uint32_t
unhex(const char *hex, uint8_t *out)
{
	uint32_t n = 0;
	for (; hex[0] && hex[1]; hex += 2) {
		unsigned v;
		need(sscanf(hex, "%2x", &v) == 1, "not hex");
		out[n++] = (uint8_t)v;
	}
	return n;
}
