/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands beside the packs in files of lines: weights of the learned score, hashes of known templates. */
#include "rules/set.h"

#define LINE_WORDS_MAX 4u
#define WORD_LEN_MAX 200u

struct word {
	const char *p;
	uint32_t len, column;
};

struct lines {
	struct rule_set *s;
	const char *file, *p, *end;
	uint32_t line;
	struct word word[LINE_WORDS_MAX];
	uint32_t n;
};

static struct place
place_of(const struct lines *l, uint32_t word)
{
	return (struct place){l->file, l->line, word < l->n ? l->word[word].column : 1};
}

/* The next line that says something, in words; false at the end. Of a line of too many words the rest is passed over after a
 * diagnostic. */
static bool
line_next(struct lines *l)
{
	while (l->p < l->end) {
		const char *first = l->p, *eol = memchr(l->p, '\n', (size_t)(l->end - l->p));
		const char *stop = eol ? eol : l->end;
		uint32_t column = 1;
		l->p = eol ? eol + 1 : l->end;
		l->line++;
		l->n = 0;
		for (const char *c = first; c < stop && *c != '#';) {
			const char *word = c;
			while (c < stop && *c != ' ' && *c != '\t' && *c != '\r' && *c != '#')
				c++;
			uint32_t chars = 0;
			for (const char *u = word; u < c; u++)
				chars += ((uint8_t)*u & 0xc0) != 0x80;
			if (c == word) {
				c++;
				column++;
				continue;
			}
			if (l->n == LINE_WORDS_MAX) {
				diag_error(l->s, (struct place){l->file, l->line, column}, "more words than belong in a line");
				break;
			}
			l->word[l->n++] = (struct word){word, (uint32_t)(c - word), column};
			column += chars;
		}
		if (l->n > 0)
			return true;
	}
	return false;
}

static bool
word_is(const struct word *w, const char *text)
{
	return w->len == strlen(text) && memcmp(w->p, text, w->len) == 0;
}

static int
shown(const struct word *w)
{
	return w->len < 80 ? (int)w->len : 80;
}

/* Word i of the line as a decimal number. */
static bool
number(const struct lines *l, uint32_t i, int64_t least, int64_t most, int64_t *out)
{
	const struct word *w = &l->word[i];
	uint32_t k = w->len > 0 && *w->p == '-';
	int64_t v = 0;
	bool ok = w->len > k && w->len - k <= 18 && !(w->p[k] == '0' && w->len > 1);
	for (; ok && k < w->len; k++) {
		ok = w->p[k] >= '0' && w->p[k] <= '9';
		v = 10 * v + (w->p[k] - '0');
	}
	v = *w->p == '-' ? -v : v;
	if (!ok)
		diag_error(l->s, place_of(l, i), "`%.*s` is no number (decimal, without leading zeros)", shown(w), w->p);
	else if (v < least || v > most)
		diag_error(l->s, place_of(l, i), "%.*s is out of range (%lld to %lld)", shown(w), w->p, (long long)least,
			(long long)most);
	*out = v;
	return ok && v >= least && v <= most;
}

static bool
words_are(const struct lines *l, uint32_t n, const char *form)
{
	if (l->n == n)
		return true;
	diag_error(l->s, place_of(l, l->n < n ? 0 : n), "a line here is `%s`", form);
	return false;
}

enum head { HEAD_MODEL, HEAD_GRAMS, HEAD_BIAS, HEAD_SCALE, HEAD_THRESHOLD, HEAD_COUNT };
static const struct {
	const char *name;
	int64_t least, most;
} heads[HEAD_COUNT] = {
	[HEAD_MODEL] = {"model", 1, 1},
	[HEAD_GRAMS] = {"grams", MODEL_WEIGHTS, MODEL_WEIGHTS},
	[HEAD_BIAS] = {"bias", INT32_MIN, INT32_MAX},
	[HEAD_SCALE] = {"scale", 1, UINT32_MAX},
	[HEAD_THRESHOLD] = {"threshold", 1, MODEL_SCORE_MAX},
};

struct weights {
	struct lines l;
	struct bundle_model *m;
	int64_t head[HEAD_COUNT];
	bool given[HEAD_COUNT];
	int64_t last; /* bucket */
};

static void
weight_read(struct weights *w)
{
	int64_t bucket, weight;
	if (!words_are(&w->l, 2, "BUCKET WEIGHT") || !number(&w->l, 0, 0, MODEL_WEIGHTS - 1, &bucket))
		return;
	if (*w->l.word[1].p == '-') {
		diag_error(w->l.s, place_of(&w->l, 1),
			"a negative weight: whatever is added to code must not lower its score");
		return;
	}
	if (!number(&w->l, 1, 1, INT16_MAX, &weight))
		return;
	if (bucket <= w->last) {
		diag_error(w->l.s, place_of(&w->l, 0), bucket == w->last ? "bucket %lld a second time"
									  : "bucket %lld after a higher one (ascending)",
			(long long)bucket);
		return;
	}
	w->last = bucket;
	w->m->weight[bucket] = (int16_t)weight;
}

static void
head_read(struct weights *w)
{
	const struct word *name = &w->l.word[0];
	unsigned i = 0;
	while (i < HEAD_COUNT && !word_is(name, heads[i].name))
		i++;
	if (i == HEAD_COUNT)
		diag_error(w->l.s, place_of(&w->l, 0), "unknown word `%.*s` (model, grams, bias, scale, threshold)",
			shown(name), name->p);
	else if (w->given[i])
		diag_error(w->l.s, place_of(&w->l, 0), "`%s` a second time", heads[i].name);
	else if (w->last >= 0)
		diag_error(w->l.s, place_of(&w->l, 0), "`%s` belongs before the weights", heads[i].name);
	else if (words_are(&w->l, 2, "NAME NUMBER"))
		number(&w->l, 1, heads[i].least, heads[i].most, &w->head[i]);
	if (i < HEAD_COUNT)
		w->given[i] = true;
}

void
rule_set_parse_weights(struct rule_set *s, const char *file, const char *text, size_t n)
{
	const char *name = arena_copy(&s->arena, file, strlen(file));
	struct weights w = {.l = {.s = s, .file = name, .p = text, .end = text + n}, .last = -1};
	const struct place whole = {name, 1, 1};
	if (s->model != NULL) {
		diag_error(s, whole, "a second file of weights: a set has one model, that of %s", s->model_at.file);
		return;
	}
	w.m = ARENA_NEW(&s->arena, struct bundle_model);
	while (line_next(&w.l)) {
		const char c = *w.l.word[0].p;
		if ((c >= '0' && c <= '9') || c == '-')
			weight_read(&w);
		else
			head_read(&w);
	}
	for (unsigned i = 0; i < HEAD_COUNT; i++)
		if (!w.given[i])
			diag_error(s, whole, "weights without `%s`", heads[i].name);
	w.m->bias = (int32_t)w.head[HEAD_BIAS];
	w.m->scale = (uint32_t)w.head[HEAD_SCALE];
	w.m->threshold = (uint32_t)w.head[HEAD_THRESHOLD];
	s->model = w.m;
	s->model_at = whole;
}

static bool
hash_read(const struct lines *l, uint8_t out[32])
{
	const struct word *w = &l->word[0];
	bool ok = w->len == 66 && w->p[0] == '0' && w->p[1] == 'x';
	for (uint32_t i = 0; ok && i < 64; i++) {
		char c = w->p[2 + i];
		int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		ok = d >= 0;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | (d & 15));
	}
	if (!ok)
		diag_error(l->s, place_of(l, 0), "`%.*s` is no hash (0x and 64 hex digits in lower case)", shown(w), w->p);
	return ok;
}

/* package@version: what was read, by whom it can be read again. */
static bool
origin_is_good(const struct lines *l)
{
	const struct word *w = &l->word[1];
	const char *at = NULL;
	for (uint32_t i = 1; i + 1 < w->len; i++) /* a scope begins with one too */
		if (w->p[i] == '@')
			at = w->p + i;
	if (at == NULL || w->len > WORD_LEN_MAX) {
		diag_error(l->s, place_of(l, 1), "`%.*s` is no PACKAGE@VERSION", shown(w), w->p);
		return false;
	}
	return true;
}

void
rule_set_parse_templates(struct rule_set *s, const char *file, const char *text, size_t n)
{
	struct lines l = {
		.s = s, .file = arena_copy(&s->arena, file, strlen(file)), .p = text, .end = text + n};
	while (line_next(&l)) {
		struct template t = {.at = place_of(&l, 0)};
		if (!words_are(&l, 3, "0xHASH PACKAGE@VERSION CONTRACT") || !hash_read(&l, t.t.hash) || !origin_is_good(&l))
			continue;
		if (s->n_templates == TEMPLATES_MAX) {
			diag_error(s, t.at, "more than %u templates in a set", TEMPLATES_MAX);
			return;
		}
		*ARENA_PUSH(&s->arena, s->templates, s->n_templates, s->cap_templates) = t;
	}
}
