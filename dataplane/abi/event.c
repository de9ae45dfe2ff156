/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/event.h"

#include "abi/decimal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Once something did not fit, `full` stays and nothing more is written. */
struct text {
	char *p;
	size_t n, cap;
	bool full;
};

static void
put_bytes(struct text *t, const char *s, size_t n)
{
	if (t->full || n > t->cap - t->n) {
		t->full = true;
		return;
	}
	memcpy(t->p + t->n, s, n);
	t->n += n;
}

static void
put(struct text *t, const char *s)
{
	put_bytes(t, s, strlen(s));
}

__attribute__((format(printf, 2, 3))) static void
putf(struct text *t, const char *fmt, ...)
{
	char buf[192];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof buf)
		t->full = true;
	else
		put_bytes(t, buf, (size_t)n);
}

/* Bytes of the UTF-8 character at s (NUL-terminated), 0 if there is none: overlong, surrogate, beyond
 * U+10FFFF, cut. */
static unsigned
utf8_bytes(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, second_min, second_max, n;
	} forms[] = {{0x01, 0x7f, 0, 0, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		for (unsigned k = 1; k < forms[i].n; k++) {
			if (s[k] < (k == 1 ? forms[i].second_min : 0x80) ||
				s[k] > (k == 1 ? forms[i].second_max : 0xbf))
				return 0;
		}
		return forms[i].n;
	}
	return 0;
}

static void
put_string(struct text *t, const char *s)
{
	put(t, "\"");
	while (*s) {
		unsigned char c = (unsigned char)*s;
		unsigned n = utf8_bytes((const unsigned char *)s);
		if (c == '"' || c == '\\')
			putf(t, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			putf(t, "\\u%04x", c);
		else if (n > 0)
			put_bytes(t, s, n);
		else
			put(t, "\xef\xbf\xbd");
		s += n > 0 ? n : 1;
	}
	put(t, "\"");
}

static void
put_hex(struct text *t, const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	put(t, "\"0x");
	if (t->full || 2 * n > t->cap - t->n) {
		t->full = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		t->p[t->n++] = digit[p[i] >> 4];
		t->p[t->n++] = digit[p[i] & 15];
	}
	put(t, "\"");
}

static void
put_hex_or_null(struct text *t, bool has, const uint8_t *p, size_t n)
{
	if (has)
		put_hex(t, p, n);
	else
		put(t, "null");
}

static void
put_decimal(struct text *t, const uint8_t be[32])
{
	char digits[DECIMAL_TEXT_MAX];
	decimal_write(be, 32, digits);
	putf(t, "\"%s\"", digits);
}

static void
put_u64(struct text *t, const char *key, bool has, uint64_t v)
{
	if (has)
		putf(t, "\"%s\":\"%" PRIu64 "\"", key, v);
	else
		putf(t, "\"%s\":null", key);
}

/* RFC 3339, UTC, nanoseconds. */
static void
put_time(struct text *t, uint64_t ns)
{
	time_t s = (time_t)(ns / 1000000000u);
	struct tm tm;
	gmtime_r(&s, &tm);
	putf(t, "\"%04d-%02d-%02dT%02d:%02d:%02d.%09" PRIu64 "Z\"", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ns % 1000000000u);
}

void
event_id(const uint8_t epoch[8], uint32_t ring_id, uint64_t seq, char *out)
{
	for (unsigned i = 0; i < 8; i++)
		snprintf(out + 2 * i, 3, "%02x", epoch[i]);
	snprintf(out + 16, 48, "-%" PRIu32 "-%" PRIu64, ring_id, seq);
}

static void
put_envelope(
	struct text *t, const struct event_context *x, const char *type, const char *id, uint64_t time_ns)
{
	put(t, "{\"specversion\":\"1.0\",\"type\":");
	put_string(t, type);
	put(t, ",\"source\":");
	put_string(t, x->source);
	put(t, ",\"id\":");
	put_string(t, id);
	put(t, ",\"time\":");
	if (time_ns != 0)
		put_time(t, time_ns);
	else
		put(t, "null");
	put(t, ",\"datacontenttype\":\"application/json\",\"cursor\":");
	if (x->cursor != NULL)
		put_string(t, x->cursor);
	else
		put(t, "null");
}

static const char *const flag_names[TRUST_BIT_COUNT] = {
#define _(id, name, help) [TRUST_BIT_##id] = name,
	TRUST_FLAGS(_)
#undef _
};

/* The elements of a list: one string for each flag of `set`. */
static void
put_flags(struct text *t, uint32_t set, const char *comma)
{
	for (unsigned i = 0; i < TRUST_BIT_COUNT; i++) {
		if (set & 1u << i) {
			putf(t, "%s\"%s\"", comma, flag_names[i]);
			comma = ",";
		}
	}
}

static const char *const vet_fact_names[VET_FACT_COUNT] = {
#define _(id, name, help) [VET_FACT_##id] = name,
	EVENT_VET_FACTS(_)
#undef _
};

const char *
event_vet_fact_name(unsigned fact)
{
	return fact < VET_FACT_COUNT ? vet_fact_names[fact] : "";
}

int
event_vet_check(const struct event_vet *v)
{
	bool ok = v->node <= VET_NODE_MAX && v->accepted <= VET_ANSWER_MAX && v->nonce <= VET_ANSWER_MAX && v->funds <= VET_ANSWER_MAX &&
		  v->fee <= VET_ANSWER_MAX && v->simulation <= VET_ANSWER_MAX && v->fact < VET_FACT_COUNT && v->pad == 0;
	return ok ? 0 : -EINVAL;
}

static bool
is_verdict(const struct event_context *x)
{
	return x->vet != NULL && x->vet->node > VET_ASKED;
}

/* Why the grade is what it is: the rule, and each flag that kept it below what the rule asks for. */
static void
put_reasons(struct text *t, const struct event_context *x, const struct alert_record *r)
{
	put(t, ",\"reasons\":[\"rule\"");
	if (r->grade_wanted > r->grade) {
		putf(t, ",\"lowered_from_%s\"", alert_grade_name(r->grade_wanted));
		put_flags(t, r->trust & TRUST_BELOW_PAUSE, ",");
		if (!(r->has & HAS_FROM))
			put(t, ",\"no_sender\"");
		if (x->vet != NULL && x->vet->node == VET_ASKED)
			put(t, ",\"node_asked\"");
		else if (is_verdict(x) && x->vet->fact != VET_FACT_NOTHING)
			putf(t, ",\"%s\"", event_vet_fact_name(x->vet->fact));
	}
	put(t, "]");
}

static void
put_rule(struct text *t, const struct event_context *x, const struct alert_record *r)
{
	putf(t, ",\"rule\":{\"id\":\"%" PRIu32 "\",\"rev\":\"%" PRIu32 "\",\"name\":", r->rule_id,
		r->rule_rev);
	if (x->rule.name != NULL && x->rule.id == r->rule_id && x->rule.rev == r->rule_rev)
		put_string(t, x->rule.name);
	else
		put(t, "null");
	putf(t, ",\"class\":\"%s\",\"severity\":\"%s\"}", alert_class_name(r->class_),
		alert_severity_name(r->severity));
}

static void
put_word(struct text *t, const char *key, const struct alert_record *r, const uint8_t word[32])
{
	putf(t, ",\"%s\":", key);
	if (r->has & HAS_HASH)
		put_decimal(t, word);
	else
		put(t, "null");
}

static void
put_transaction(struct text *t, const struct alert_record *r)
{
	bool known = r->has & HAS_HASH;
	put(t, ",\"transaction\":{\"hash\":");
	put_hex_or_null(t, known, r->hash, 32);
	put(t, ",\"from\":");
	put_hex_or_null(t, r->has & HAS_FROM, r->from, 20);
	put(t, ",\"to\":");
	put_hex_or_null(t, r->has & HAS_TO, r->to, 20);
	put(t, ",\"created\":");
	put_hex_or_null(t, r->has & HAS_CREATED, r->created, 20);
	put(t, ",\"selector\":");
	put_hex_or_null(t, r->has & HAS_SELECTOR, r->selector, 4);
	put(t, ",");
	put_u64(t, "type", known, r->tx_type);
	put(t, ",");
	put_u64(t, "chain_id", r->has & HAS_CHAIN_ID, r->chain_id);
	put(t, ",");
	put_u64(t, "nonce", r->has & HAS_NONCE, r->nonce);
	put(t, ",");
	put_u64(t, "gas", known, r->gas);
	put_word(t, "value", r, r->value);
	put_word(t, "fee_cap", r, r->fee_cap);
	put_word(t, "tip_cap", r, r->tip_cap);
	put(t, ",");
	put_u64(t, "raw_len", r->raw_len != 0, r->raw_len);
	put(t, ",");
	put_u64(t, "data_len", known, r->data_len);
	put(t, "}");
}

static void
put_lists(struct text *t, const struct alert_record *r)
{
	put(t, ",\"related\":[");
	for (uint32_t i = 0; i < r->n_related; i++) {
		putf(t, "%s{\"role\":\"%s\",\"hash\":", i ? "," : "", alert_role_name(r->related[i].role));
		put_hex(t, r->related[i].hash, 32);
		put(t, "}");
	}
	put(t, "],\"protocols\":[");
	for (uint32_t i = 0; i < r->n_protocols; i++) {
		put(t, i ? "," : "");
		put_hex(t, r->protocols[i], 20);
	}
	put(t, "],\"flags\":[");
	put_flags(t, r->trust, "");
	put(t, "]");
}

/* The elements of a list: the name of each bit of `set`. */
static void
put_names(struct text *t, const char *key, uint64_t set, const char *(*name)(unsigned bit))
{
	const char *comma = "";
	putf(t, ",\"%s\":[", key);
	for (unsigned bit = 0; bit < 64; bit++) {
		if (set >> bit & 1) {
			putf(t, "%s\"%s\"", comma, name(bit));
			comma = ",";
		}
	}
	put(t, "]");
}

static void
put_detection(struct text *t, const struct alert_record *r)
{
	bool scored = r->has & HAS_SCORE;
	put_names(t, "why", r->reasons, alert_reason_name);
	put_names(t, "providers", r->providers, alert_provider_name);
	put(t, ",");
	put_u64(t, "score", scored, r->score);
	put(t, ",");
	put_u64(t, "learned", scored, r->learned);
	put_names(t, "lacks", r->lacks, alert_lack_name);
	put(t, ",\"touches\":[");
	for (uint32_t i = 0, n = 0; i < r->n_protocols; i++) {
		if (r->touches[i] == 0)
			continue;
		put(t, n++ ? ",{\"address\":" : "{\"address\":");
		put_hex(t, r->protocols[i], 20);
		put_names(t, "how", r->touches[i], alert_touch_name);
		put(t, "}");
	}
	put(t, "],\"armed\":");
	put_hex_or_null(t, r->has & HAS_ARMED, r->armed, 20);
	put(t, ",\"pool\":");
	put_hex_or_null(t, r->has & HAS_POOL, r->pool, 20);
	put(t, ",\"incident\":{");
	put_u64(t, "transactions", true, r->n_same > 1 ? r->n_same : 1);
	put(t, ",");
	put_u64(t, "victims", r->n_victims != 0, r->n_victims);
	putf(t, ",\"state\":\"%s\"}", alert_ending_name(r->ending));
}

static void
put_endpoint(struct text *t, const uint8_t ip[16], uint16_t port)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char a[INET6_ADDRSTRLEN];
	if (memcmp(ip, mapped, sizeof mapped) == 0) {
		inet_ntop(AF_INET, ip + 12, a, sizeof a);
		putf(t, "\"%s:%u\"", a, port);
	} else {
		inet_ntop(AF_INET6, ip, a, sizeof a);
		putf(t, "\"[%s]:%u\"", a, port);
	}
}

static void
put_way(struct text *t, const struct alert_record *r)
{
	putf(t, ",\"carrier\":\"%s\",\"direction\":\"%s\",\"node\":\"%s\",\"flow\":", alert_carrier_name(r->carrier),
		alert_direction_name(r->direction), alert_node_name(r->node));
	if (r->src_port != 0 || r->dst_port != 0) {
		put(t, "{\"src\":");
		put_endpoint(t, r->src_ip, r->src_port);
		put(t, ",\"dst\":");
		put_endpoint(t, r->dst_ip, r->dst_port);
		put(t, "}");
	} else {
		put(t, "null");
	}
	if (r->bundle_len != 0)
		putf(t, ",\"bundle\":{\"len\":\"%" PRIu32 "\",\"pos\":\"%" PRIu32 "\"}", r->bundle_len,
			r->bundle_pos);
	else
		put(t, ",\"bundle\":null");
}

static void
put_vet(struct text *t, const struct event_vet *v)
{
	static const char *const nodes[] = {"none", "asked", "yes", "no", "unknown"};
	static const char *const answers[] = {"unchecked", "yes", "no"};
	if (v == NULL || v->node == VET_NONE || event_vet_check(v) != 0) {
		put(t, ",\"vet\":null");
		return;
	}
	putf(t, ",\"vet\":{\"node\":\"%s\",\"accepted\":\"%s\",\"nonce\":\"%s\",\"funds\":\"%s\",\"fee\":\"%s\",\"simulation\":\"%s\"",
		nodes[v->node], answers[v->accepted], answers[v->nonce], answers[v->funds], answers[v->fee], answers[v->simulation]);
	if (v->fact != VET_FACT_NOTHING)
		putf(t, ",\"fact\":\"%s\"", event_vet_fact_name(v->fact));
	else
		put(t, ",\"fact\":null");
	putf(t, ",\"took_us\":\"%" PRIu64 "\"}", v->took_us);
}

static void
put_times(struct text *t, const struct event_context *x, const struct alert_record *r)
{
	put(t, ",\"times\":{");
	bool announced = r->t_announced_ns != 0 && r->t_announced_ns <= r->t_wire_ns;
	put_u64(t, "announced_ns", announced, r->t_announced_ns);
	put(t, ",");
	put_u64(t, "lead_ns", announced, r->t_wire_ns - r->t_announced_ns);
	put(t, ",");
	put_u64(t, "wire_ns", r->t_wire_ns != 0, r->t_wire_ns);
	put(t, ",");
	put_u64(t, "emitted_ns", !x->deterministic && r->t_emitted_ns != 0, r->t_emitted_ns);
	put(t, ",");
	put_u64(t, "journaled_ns", !x->deterministic && x->t_journaled_ns != 0, x->t_journaled_ns);
	bool armed = r->t_armed_ns != 0 && r->t_armed_ns <= r->t_wire_ns;
	put(t, ",");
	put_u64(t, "armed_ns", armed, r->t_armed_ns);
	put(t, ",");
	put_u64(t, "warning_ns", armed, r->t_wire_ns - r->t_armed_ns);
	put(t, ",");
	put_u64(t, "ended_ns", r->t_ended_ns != 0, r->t_ended_ns);
	put(t, "}");
}

static const char *
type_of(uint8_t kind)
{
	switch (kind) {
	case ALERT_KIND_RETRACT:
		return "sentinel.retract.v1";
	case ALERT_KIND_DRILL:
		return "sentinel.drill.v1";
	default:
		return "sentinel.alert.v1";
	}
}

int
event_alert(char *out, size_t cap, const struct event_context *x, const struct alert_record *r,
	struct span evidence)
{
	struct text t = {out, 0, cap, false};
	char id[64], vetted[72];
	event_id(x->epoch, x->ring_id, r->seq, id);
	snprintf(vetted, sizeof vetted, "%s-vetted", id);
	put_envelope(&t, x, type_of(r->kind), is_verdict(x) ? vetted : id, r->t_wire_ns);
	put(&t, ",\"dedupekey\":");
	put_hex(&t, r->dedupekey, 32);
	put(&t, ",\"supersedes\":");
	if (is_verdict(x)) {
		put_string(&t, id);
	} else if (r->has & HAS_SUPERSEDES) {
		event_id(x->epoch, r->supersedes_ring, r->supersedes_seq, id);
		put_string(&t, id);
	} else {
		put(&t, "null");
	}
	putf(&t, ",\"data\":{\"grade\":\"%s\"", alert_grade_name(r->grade));
	put_reasons(&t, x, r);
	put_rule(&t, x, r);
	put_transaction(&t, r);
	put_lists(&t, r);
	put_detection(&t, r);
	put_way(&t, r);
	putf(&t, ",\"generation\":\"%" PRIu64 "\",\"durable\":%s", r->generation,
		x->durable ? "true" : "false");
	put_vet(&t, x->vet);
	put_times(&t, x, r);
	put(&t, ",\"evidence\":");
	put_hex_or_null(&t, evidence.len > 0, evidence.p, evidence.len);
	put(&t, "}}");
	return t.full ? -ENOSPC : (int)t.n;
}

int
event_loss(
	char *out, size_t cap, const struct event_context *x, uint64_t from, uint64_t to, const char *reason)
{
	struct text t = {out, 0, cap, false};
	char id[64], loss_id[72];
	event_id(x->epoch, x->ring_id, from, id);
	snprintf(loss_id, sizeof loss_id, "%s-loss", id);
	put_envelope(&t, x, "sentinel.loss.v1", loss_id, x->t_journaled_ns);
	putf(&t,
		",\"data\":{\"ring\":\"%" PRIu32 "\",\"from\":\"%" PRIu64 "\",\"to\":\"%" PRIu64
		"\",\"reason\":",
		x->ring_id, from, to);
	put_string(&t, reason);
	put(&t, "}}");
	return t.full ? -ENOSPC : (int)t.n;
}

int
event_silence(char *out, size_t cap, const struct event_context *x, uint64_t seq, const struct event_silence *e)
{
	static const char *const missing[] = {"both", "from_node", "to_node"};
	struct text t = {out, 0, cap, false};
	char id[64], notice[72];
	event_id(x->epoch, EVENT_NOTICE_RING, seq, id);
	snprintf(notice, sizeof notice, "%s-notice", id);
	put_envelope(&t, x, "sentinel.silence.v1", notice, x->t_journaled_ns);
	put(&t, ",\"data\":{\"node\":");
	if (e->node != NULL)
		put_string(&t, e->node);
	else
		put(&t, "null");
	put(&t, ",\"feed\":");
	if (e->feed != NULL)
		put_string(&t, e->feed);
	else
		put(&t, "null");
	putf(&t, ",\"state\":\"%s\",\"missing\":\"%s\",", e->ended ? "ended" : "began", missing[e->direction < 3 ? e->direction : 0]);
	put_u64(&t, "since_ns", true, e->since_ns);
	put(&t, ",");
	put_u64(&t, "usual_ms", true, e->usual_ms);
	put(&t, ",");
	put_u64(&t, "lasted_ms", e->ended, e->lasted_ms);
	put(&t, "}}");
	return t.full ? -ENOSPC : (int)t.n;
}
