/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/bundle.h"

#include "abi/alert.h"

#include <nettle/sha2.h>
#include <stdarg.h>
#include <stdio.h>

struct check {
	struct bundle *b;
	char *err;
	size_t cap;
};

static bool __attribute__((format(printf, 2, 3))) bad(const struct check *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (c->cap > 0)
		vsnprintf(c->err, c->cap, fmt, ap);
	va_end(ap);
	return false;
}

static const struct {
	const char *name;
	uint32_t size;
} sections[SECTION_COUNT] = {
#define _(id, type) [SECTION_##id] = {#id, sizeof(type)},
	BUNDLE_SECTIONS(_)
#undef _
};

static const struct {
	const char *name;
	uint16_t least, most;
} fields[FIELD_COUNT] = {
#define _(id, text, lo, hi) [FIELD_##id] = {text, lo, hi},
	RULE_FIELDS(_)
#undef _
};

const char *
rule_field_name(unsigned field)
{
	return field < FIELD_COUNT ? fields[field].name : NULL;
}

static const char *const events[EVENT_COUNT] = {
#define _(id, name, what) [EVENT_##id] = name,
	RULE_EVENTS(_)
#undef _
};

static const struct {
	const char *name;
	uint32_t events;
} scalars[SCALAR_COUNT] = {
#define _(id, text, where) [SCALAR_##id] = {text, where},
	RULE_SCALARS(_)
#undef _
};

const char *
rule_event_name(unsigned event)
{
	return event < EVENT_COUNT ? events[event] : NULL;
}

const char *
rule_scalar_name(unsigned scalar)
{
	return scalar < SCALAR_COUNT ? scalars[scalar].name : NULL;
}

bool
rule_scalar_known(unsigned scalar, unsigned event)
{
	return scalar < SCALAR_COUNT && event < EVENT_COUNT && (scalars[scalar].events >> event & 1);
}

bool
rule_may_pause(unsigned class_, unsigned event)
{
	return class_ != CLASS_SWAP && class_ != CLASS_SANDWICH && class_ != CLASS_DISPLACEMENT &&
	       event != EVENT_SANDWICH && event != EVENT_SANDWICH_FRONT && event != EVENT_DISPLACEMENT;
}

const char *
rule_status_name(unsigned status)
{
	return status == STATUS_STABLE ? "stable" : status == STATUS_EXPERIMENTAL ? "experimental" : NULL;
}

int
rule_field_db(unsigned field)
{
	switch (field) {
	case FIELD_INPUT:
		return DB_OF_CALLS;
	case FIELD_INIT_CODE:
	case FIELD_PUSH_SELECTOR:
	case FIELD_PUSH_ADDRESS:
		return DB_OF_CREATIONS;
	default:
		return -1;
	}
}

void
bundle_digest(struct span bytes, uint8_t out[32])
{
	const size_t at = offsetof(struct bundle_header, digest);
	static const uint8_t zeros[32];
	struct sha256_ctx ctx;
	sha256_init(&ctx);
	sha256_update(&ctx, at, bytes.p);
	sha256_update(&ctx, sizeof zeros, zeros);
	sha256_update(&ctx, bytes.len - at - sizeof zeros, bytes.p + at + sizeof zeros);
	sha256_digest(&ctx, 32, out);
}

const char *
bundle_text(const struct bundle *b, uint32_t at)
{
	return (const char *)b->bytes.p + b->h.section[SECTION_TEXT].at + at;
}

const uint8_t *
bundle_bytes(const struct bundle *b, uint32_t at)
{
	return b->bytes.p + b->h.section[SECTION_BYTES].at + at;
}

struct span
bundle_db(const struct bundle *b, enum bundle_db which)
{
	const struct bundle_section *s =
		&b->h.section[which == DB_OF_CALLS ? SECTION_DB_CALLS : SECTION_DB_CREATIONS];
	return (struct span){b->bytes.p + s->at, s->n};
}

static bool
is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static bool
check_header(const struct check *c)
{
	struct bundle *b = c->b;
	const struct bundle_header *h = &b->h;
	uint8_t digest[32];
	if (b->bytes.len < sizeof *h)
		return bad(c, "not a rule bundle: %u bytes", b->bytes.len);
	memcpy(&b->h, b->bytes.p, sizeof b->h);
	if (memcmp(h->magic, BUNDLE_MAGIC, sizeof h->magic) != 0)
		return bad(c, "not a rule bundle");
	if (h->version != BUNDLE_VERSION || h->header_len != sizeof *h)
		return bad(c, "bundle version %u: this program reads version %u (compile the rules again)",
			h->version, BUNDLE_VERSION);
	if (h->total_len != b->bytes.len || b->bytes.len > BUNDLE_LEN_MAX)
		return bad(c, "%u bytes of a bundle of %llu", b->bytes.len, (unsigned long long)h->total_len);
	bundle_digest(b->bytes, digest);
	if (memcmp(digest, h->digest, sizeof digest) != 0)
		return bad(
			c, "the content does not have the digest that the header names: damaged or changed");
	if (h->generation == 0)
		return bad(c, "generation 0");
	const char *end = memchr(h->platform, 0, sizeof h->platform);
	if (end == NULL || !is_zero((const uint8_t *)end, (size_t)(h->platform + sizeof h->platform - end)))
		return bad(c, "the platform string does not end");
	return true;
}

/* Sections lie in order, without overlap, at multiples of 8, with nothing but zeros between: one layout for
 * one content. */
static bool
check_layout(const struct check *c)
{
	const struct bundle *b = c->b;
	uint64_t at = sizeof b->h;
	for (int i = 0; i < SECTION_COUNT; i++) {
		uint64_t want = (at + 7) & ~(uint64_t)7;
		const struct bundle_section *s = &b->h.section[i];
		if (s->at != want || s->at > b->bytes.len || s->n > (b->bytes.len - s->at) / sections[i].size)
			return bad(c, "section %s is not where it belongs", sections[i].name);
		if (!is_zero(b->bytes.p + at, want - at))
			return bad(c, "bytes before section %s", sections[i].name);
		at = want + (uint64_t)s->n * sections[i].size;
	}
	if (at != b->bytes.len)
		return bad(c, "bytes after the last section");
	return true;
}

static bool
text_ok(const struct bundle *b, uint32_t at)
{
	uint32_t n = bundle_count(b, SECTION_TEXT);
	return at < n; /* the section ends with a NUL */
}

static bool
check_values(const struct check *c)
{
	const struct bundle *b = c->b;
	uint32_t n_bytes = bundle_count(b, SECTION_BYTES);
	for (uint32_t i = 0; i < bundle_count(b, SECTION_VALUE); i++) {
		struct bundle_value v = bundle_get_VALUE(b, i);
		if (v.field == FIELD_NONE || v.field >= FIELD_COUNT)
			return bad(c, "value %u: unknown field", i);
		if (v.len < fields[v.field].least || v.len > fields[v.field].most ||
			(v.field == FIELD_ARG && v.len != 20 && v.len != 32))
			return bad(c, "value %u: %u bytes for field %s", i, v.len, fields[v.field].name);
		if (v.at > n_bytes || v.len > n_bytes - v.at)
			return bad(c, "value %u: outside the bytes", i);
	}
	return true;
}

static bool
check_groups(const struct check *c)
{
	const struct bundle *b = c->b;
	uint32_t next = 0, refs = bundle_count(b, SECTION_GROUP_VALUE),
		 n_values = bundle_count(b, SECTION_VALUE);
	for (uint32_t i = 0; i < bundle_count(b, SECTION_GROUP); i++) {
		struct bundle_group g = bundle_get_GROUP(b, i);
		if (g.first_value != next || g.n_values == 0 || g.n_values > PATTERN_VALUES_MAX ||
			g.n_values > refs - next)
			return bad(c, "group %u: outside the values", i);
		for (uint32_t k = 0, last = 0; k < g.n_values; k++) {
			uint32_t v = bundle_get_GROUP_VALUE(b, next + k);
			if (v >= n_values || (k > 0 && v <= last) || bundle_get_VALUE(b, v).field != g.field)
				return bad(c, "group %u: wrong value", i);
			last = v;
		}
		next += g.n_values;
	}
	return next == refs || bad(c, "values of no group");
}

static bool
check_literal(const struct check *c, uint32_t i, const struct bundle_window *w, uint32_t *next)
{
	const struct bundle *b = c->b;
	struct bundle_literal l = bundle_get_LITERAL(b, i);
	uint32_t n_bytes = bundle_count(b, SECTION_BYTES), refs = bundle_count(b, SECTION_LITERAL_VALUE);
	if (l.len < LITERAL_LEN_MIN || l.len > LITERAL_LEN_MAX || l.at > n_bytes || l.len > n_bytes - l.at)
		return bad(c, "literal %u: outside the bytes", i);
	if (l.window_at > l.len || w->len > l.len - l.window_at)
		return bad(c, "literal %u: its window is not in it", i);
	if (l.first_value != *next || l.n_values == 0 || l.n_values > refs - *next)
		return bad(c, "literal %u: outside the values", i);
	for (uint32_t k = 0; k < l.n_values; k++) {
		uint32_t v = bundle_get_LITERAL_VALUE(b, *next + k);
		if (v >= bundle_count(b, SECTION_VALUE) ||
			rule_field_db(bundle_get_VALUE(b, v).field) != (int)w->db)
			return bad(c, "literal %u: wrong value", i);
	}
	*next += l.n_values;
	return true;
}

/* Hyperscan looks for one byte string on behalf of all literals of a window. */
static bool
same_window(const struct check *c, uint32_t first, uint32_t i, uint32_t len)
{
	struct bundle_literal a = bundle_get_LITERAL(c->b, first), l = bundle_get_LITERAL(c->b, i);
	const uint8_t *x = bundle_bytes(c->b, a.at + a.window_at),
		      *y = bundle_bytes(c->b, l.at + l.window_at);
	return memcmp(x, y, len) == 0 || bad(c, "literal %u: its window differs", i);
}

static bool
check_windows(const struct check *c)
{
	const struct bundle *b = c->b;
	uint32_t next = 0, next_ref = 0, n = bundle_count(b, SECTION_LITERAL), db = 0, used[DB_COUNT] = {0};
	for (uint32_t i = 0; i < bundle_count(b, SECTION_WINDOW); i++) {
		struct bundle_window w = bundle_get_WINDOW(b, i);
		if (w.db >= DB_COUNT || w.db < db || w.len < LITERAL_LEN_MIN || w.len > WINDOW_LEN_MAX)
			return bad(c, "window %u: out of range", i);
		if (w.first_literal != next || w.n_literals == 0 || w.n_literals > n - next)
			return bad(c, "window %u: outside the literals", i);
		for (uint32_t k = 0; k < w.n_literals; k++)
			if (!check_literal(c, next + k, &w, &next_ref) ||
				!same_window(c, next, next + k, w.len))
				return false;
		db = w.db;
		used[db]++;
		next += w.n_literals;
	}
	if (next != n || next_ref != bundle_count(b, SECTION_LITERAL_VALUE))
		return bad(c, "literals of no window");
	for (int i = 0; i < DB_COUNT; i++)
		if ((used[i] > 0) != (bundle_db(b, (enum bundle_db)i).len > 0))
			return bad(c, "database %d and its windows disagree", i);
	return true;
}

static bool
check_program(const struct check *c, const struct bundle_rule *r)
{
	const struct bundle *b = c->b;
	struct bundle_op ops[PROGRAM_LEN_MAX];
	memcpy(ops, b->bytes.p + b->h.section[SECTION_OP].at + (size_t)r->first_op * sizeof *ops,
		r->n_ops * sizeof *ops);
	if (r->event != EVENT_TRANSACTION && r->n_ops == 0)
		return true;
	const char *what = bundle_program_check(ops, r->n_ops, r->n_slots, bundle_count(b, SECTION_CONST));
	if (what == NULL)
		what = bundle_program_check_event(ops, r->n_ops, (enum rule_event)r->event);
	return what == NULL || bad(c, "rule %u: %s", r->id, what);
}

static bool
check_head(const struct check *c, const struct bundle_rule *r)
{
	const struct bundle *b = c->b;
	if (!text_ok(b, r->pack) || !text_ok(b, r->name) || !text_ok(b, r->description))
		return bad(c, "rule %u: outside the text", r->id);
	if (r->class_ - 1u >= CLASS_MAX || r->severity - 1u >= SEVERITY_MAX || r->grade - 1u >= GRADE_MAX ||
		r->status - 1u >= STATUS_MAX)
		return bad(c, "rule %u: class, severity, grade or status out of range", r->id);
	if (r->status == STATUS_EXPERIMENTAL && r->grade != GRADE_WATCH)
		return bad(c, "rule %u: experimental and graded above watch", r->id);
	if (r->event >= EVENT_COUNT || !is_zero(r->pad, sizeof r->pad))
		return bad(c, "rule %u: on an unknown event", r->id);
	if (r->grade == GRADE_PAUSE && !rule_may_pause(r->class_, r->event))
		return bad(c, "rule %u: of its kind none may pause", r->id);
	if (r->event != EVENT_TRANSACTION && r->n_slots > 0)
		return bad(c, "rule %u: patterns, and not on transactions", r->id);
	return true;
}

static bool
check_rule(const struct check *c, const struct bundle_rule *r, uint32_t slot, uint32_t op)
{
	const struct bundle *b = c->b;
	if (!check_head(c, r))
		return false;
	if (r->first_slot != slot || r->n_slots > RULE_PATTERNS_MAX ||
		r->n_slots > bundle_count(b, SECTION_SLOT) - slot)
		return bad(c, "rule %u: outside the slots", r->id);
	if (r->first_op != op || r->n_ops > PROGRAM_LEN_MAX || r->n_ops > bundle_count(b, SECTION_OP) - op)
		return bad(c, "rule %u: outside the programs", r->id);
	for (uint32_t k = 0; k < r->n_slots; k++) {
		struct bundle_slot s = bundle_get_SLOT(b, slot + k);
		if (s.group >= bundle_count(b, SECTION_GROUP) || !text_ok(b, s.name) ||
			(s.flags & ~(uint32_t)SLOT_FLAGS))
			return bad(c, "rule %u: wrong slot", r->id);
		struct bundle_value v = bundle_get_VALUE(
			b, bundle_get_GROUP_VALUE(b, bundle_get_GROUP(b, s.group).first_value));
		if ((s.flags & SLOT_PROTOCOL) && v.len != 20)
			return bad(c, "rule %u: a protocol is not an address", r->id);
	}
	return check_program(c, r);
}

static bool
check_rules(const struct check *c)
{
	const struct bundle *b = c->b;
	uint32_t slot = 0, op = 0, last_id = 0;
	if (bundle_count(b, SECTION_RULE) > RULES_MAX)
		return bad(c, "more than %u rules", RULES_MAX);
	for (uint32_t i = 0; i < bundle_count(b, SECTION_RULE); i++) {
		struct bundle_rule r = bundle_get_RULE(b, i);
		if (r.id <= last_id || r.id > 1u << 31 || r.rev == 0)
			return bad(c, "rule table: id %u after id %u", r.id, last_id);
		if (!check_rule(c, &r, slot, op))
			return false;
		slot += r.n_slots;
		op += r.n_ops;
		last_id = r.id;
	}
	return (slot == bundle_count(b, SECTION_SLOT) && op == bundle_count(b, SECTION_OP)) ||
	       bad(c, "slots of no rule");
}

static bool
check_vectors(const struct check *c)
{
	const struct bundle *b = c->b;
	uint32_t n_text = bundle_count(b, SECTION_TEXT);
	uint64_t numbers[SCALAR_COUNT];
	for (uint32_t i = 0; i < bundle_count(b, SECTION_VECTOR); i++) {
		struct bundle_vector v = bundle_get_VECTOR(b, i);
		if (v.rule >= bundle_count(b, SECTION_RULE) || v.expect > 1 || v.at > n_text ||
			v.len > n_text - v.at || v.facts_at > n_text || v.facts_len > n_text - v.facts_at)
			return bad(c, "vector %u: out of range", i);
		const struct span facts = {(const uint8_t *)bundle_text(b, v.facts_at), v.facts_len};
		bool of_event = bundle_get_RULE(b, v.rule).event != EVENT_TRANSACTION;
		if (of_event != (v.len == 0) || (of_event && v.facts_len == 0) ||
			(v.facts_len > 0 && !bundle_facts_read(facts, numbers)))
			return bad(c, "vector %u: not what its rule is asked about", i);
	}
	return true;
}

static bool
check_model(const struct check *c)
{
	const struct bundle *b = c->b;
	const uint32_t at = b->h.section[SECTION_MODEL].at;
	struct bundle_model m;
	if (bundle_count(b, SECTION_MODEL) == 0)
		return true;
	if (bundle_count(b, SECTION_MODEL) > 1)
		return bad(c, "more than one model");
	memcpy(&m, b->bytes.p + at, sizeof m);
	if (m.scale == 0 || m.threshold == 0 || m.threshold > MODEL_SCORE_MAX || m.pad != 0)
		return bad(c, "model: scale or threshold out of range");
	for (uint32_t i = 0; i < MODEL_WEIGHTS; i++)
		if (m.weight[i] < 0)
			return bad(c, "model: weight %u is negative", i);
	return true;
}

static bool
check_templates(const struct check *c)
{
	const struct bundle *b = c->b;
	const uint8_t *p = b->bytes.p + b->h.section[SECTION_TEMPLATE].at;
	uint32_t n = bundle_count(b, SECTION_TEMPLATE);
	if (n > TEMPLATES_MAX)
		return bad(c, "more than %u templates", TEMPLATES_MAX);
	for (uint32_t i = 1; i < n; i++)
		if (memcmp(p + (size_t)(i - 1) * 32, p + (size_t)i * 32, 32) >= 0)
			return bad(c, "template %u: out of order", i);
	return true;
}

bool
bundle_open(struct bundle *b, struct span bytes, char *err, size_t err_cap)
{
	const struct check c = {b, err, err_cap};
	memset(b, 0, sizeof *b);
	b->bytes = bytes;
	if (!check_header(&c) || !check_layout(&c))
		return false;
	uint32_t n_text = bundle_count(b, SECTION_TEXT);
	if (n_text == 0 || *bundle_text(b, n_text - 1) != 0)
		return bad(&c, "the text does not end");
	return check_values(&c) && check_groups(&c) && check_windows(&c) && check_rules(&c) &&
	       check_vectors(&c) && check_model(&c) && check_templates(&c);
}
