/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/latency_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- from control's answer ---- */

static uint64_t
number(const json_t *v)
{
	const char *s = json_string_value(v);
	return s != NULL ? strtoull(s, NULL, 10) : 0;
}

static void
take_text(const json_t *o, const char *key, char out[40])
{
	const char *s = json_string_value(json_object_get(o, key));
	snprintf(out, 40, "%s", s != NULL ? s : "");
}

static int
index_of(const char *name, const char *(*name_of)(unsigned), unsigned n)
{
	for (unsigned i = 0; name != NULL && i < n; i++)
		if (strcmp(name, name_of(i)) == 0)
			return (int)i;
	return -1;
}

static void
take_row(const json_t *o, struct latency_rows *out)
{
	int feed = index_of(json_string_value(json_object_get(o, "feed")), latency_feed_name, LATENCY_FEED_COUNT);
	int stage = index_of(json_string_value(json_object_get(o, "stage")), latency_stage_name, LATENCY_STAGE_COUNT);
	if (feed < 0 || stage < 0)
		return;
	struct hist *h = &out->hist[feed][stage];
	h->max_ns = number(json_object_get(o, "max_ns"));
	h->odd = number(json_object_get(o, "odd"));
	size_t i;
	json_t *b;
	json_array_foreach(json_object_get(o, "buckets"), i, b)
	{
		json_int_t at = json_integer_value(json_array_get(b, 0));
		if (json_is_integer(json_array_get(b, 0)) && at >= 0 && at < (json_int_t)HIST_BUCKETS)
			h->bucket[at] = number(json_array_get(b, 1));
	}
}

int
latency_rows_read(const json_t *answer, struct latency_rows *out)
{
	size_t i;
	json_t *row, *rows = json_object_get(answer, "latency");
	memset(out, 0, sizeof *out);
	if (!json_is_array(rows))
		return -EINVAL;
	take_text(answer, "epoch", out->epoch);
	take_text(answer, "started_ns", out->started);
	out->time_ns = number(json_object_get(answer, "time_ns"));
	out->not_followed = number(json_object_get(answer, "not_followed"));
	json_array_foreach(rows, i, row) take_row(row, out);
	return 0;
}

void
latency_rows_since(struct latency_rows *now, const struct latency_rows *before)
{
	bool same[2] = {strcmp(now->epoch, before->epoch) == 0, strcmp(now->started, before->started) == 0};
	for (unsigned f = 0; f < LATENCY_FEED_COUNT; f++)
		for (unsigned s = 0; s < LATENCY_STAGE_COUNT; s++)
			if (same[s >= LATENCY_STAGE_JOURNALED])
				hist_since(&now->hist[f][s], &before->hist[f][s]);
	if (same[1])
		now->not_followed -= before->not_followed < now->not_followed ? before->not_followed : now->not_followed;
}

/* ---- the table ---- */

static const unsigned permille[] = {500, 900, 990, 999};
#define QUANTILES (sizeof permille / sizeof permille[0])

/* Three digits and a unit. */
static void
print_ns(FILE *out, uint64_t ns)
{
	static const struct {
		double ns;
		const char *unit;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
	size_t i = 0;
	while (i < 3 && (double)ns < units[i].ns)
		i++;
	double v = (double)ns / units[i].ns;
	fprintf(out, "  %6.*f %-2s", v >= 100 || i == 3 ? 0 : v >= 10 ? 1 : 2, v, units[i].unit);
}

static void
print_row(FILE *out, unsigned feed, unsigned stage, const struct hist *h)
{
	uint64_t n = hist_count(h);
	fprintf(out, "%-10s %-10s %12" PRIu64, latency_feed_name(feed), latency_stage_name(stage), n);
	for (size_t i = 0; i < QUANTILES && n > 0; i++)
		print_ns(out, hist_quantile(h, permille[i]));
	if (n > 0)
		print_ns(out, h->max_ns);
	if (h->odd > 0)
		fprintf(out, "  and %" PRIu64 " with times that cannot be", h->odd);
	fputc('\n', out);
}

void
latency_rows_table(const struct latency_rows *r, double seconds, FILE *out)
{
	unsigned rows = 0;
	if (seconds > 0)
		fprintf(out, "from the wire, in the last %.1f s\n", seconds);
	else
		fputs("from the wire, since the start\n", out);
	fprintf(out, "%-10s %-10s %12s  %9s  %9s  %9s  %9s  %9s\n", "feed", "stage", "count", "p50   ", "p90   ", "p99   ", "p99.9   ", "longest  ");
	for (unsigned f = 0; f < LATENCY_FEED_COUNT; f++) {
		for (unsigned s = 0; s < LATENCY_STAGE_COUNT; s++) {
			const struct hist *h = &r->hist[f][s];
			if (hist_count(h) == 0 && h->odd == 0)
				continue;
			print_row(out, f, s, h);
			rows++;
		}
	}
	if (rows == 0)
		fputs("nothing yet\n", out);
	if (r->not_followed > 0)
		fprintf(out, "%" PRIu64 " more were delivered and are not acknowledged yet, or long after\n", r->not_followed);
}

/* ---- JSON ---- */

static void
set(json_t *o, const char *key, uint64_t v)
{
	char s[24];
	snprintf(s, sizeof s, "%" PRIu64, v);
	json_object_set_new(o, key, json_string(s));
}

json_t *
latency_rows_json(const struct latency_rows *r, uint64_t interval_ns)
{
	static const char *const keys[QUANTILES] = {"p50_ns", "p90_ns", "p99_ns", "p999_ns"};
	json_t *o = json_pack("{s:s}", "event", "latency"), *rows = json_array();
	set(o, "time_ns", r->time_ns);
	if (interval_ns != 0)
		set(o, "interval_ns", interval_ns);
	set(o, "not_followed", r->not_followed);
	for (unsigned f = 0; f < LATENCY_FEED_COUNT; f++) {
		for (unsigned s = 0; s < LATENCY_STAGE_COUNT; s++) {
			const struct hist *h = &r->hist[f][s];
			if (hist_count(h) == 0 && h->odd == 0)
				continue;
			json_t *row = json_pack("{s:s,s:s}", "feed", latency_feed_name(f), "stage", latency_stage_name(s));
			set(row, "count", hist_count(h));
			for (size_t i = 0; i < QUANTILES; i++)
				set(row, keys[i], hist_quantile(h, permille[i]));
			set(row, "max_ns", h->max_ns);
			set(row, "odd", h->odd);
			json_array_append_new(rows, row);
		}
	}
	json_object_set_new(o, "latency", rows);
	return o;
}

/* ---- Prometheus ---- */

void
latency_rows_prometheus(const struct latency_rows *r, FILE *out)
{
	static const struct {
		uint64_t ns;
		const char *le;
	} edges[] = {{10000, "0.00001"}, {25000, "0.000025"}, {50000, "0.00005"}, {100000, "0.0001"}, {250000, "0.00025"}, {500000, "0.0005"},
		{1000000, "0.001"}, {2500000, "0.0025"}, {5000000, "0.005"}, {10000000, "0.01"}, {25000000, "0.025"}, {50000000, "0.05"},
		{100000000, "0.1"}, {250000000, "0.25"}, {1000000000, "1"}, {10000000000, "10"}};
	fputs("# HELP sentinel_latency_seconds Time from the wire to a stage.\n# TYPE sentinel_latency_seconds histogram\n", out);
	for (unsigned f = 0; f < LATENCY_FEED_COUNT; f++) {
		for (unsigned s = 0; s < LATENCY_STAGE_COUNT; s++) {
			const struct hist *h = &r->hist[f][s];
			if (hist_count(h) == 0)
				continue;
			char labels[64];
			snprintf(labels, sizeof labels, "feed=\"%s\",stage=\"%s\"", latency_feed_name(f), latency_stage_name(s));
			for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
				fprintf(out, "sentinel_latency_seconds_bucket{%s,le=\"%s\"} %" PRIu64 "\n", labels, edges[i].le, hist_below(h, edges[i].ns));
			fprintf(out, "sentinel_latency_seconds_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", labels, hist_count(h));
			fprintf(out, "sentinel_latency_seconds_sum{%s} %.9f\n", labels, (double)hist_sum_ns(h) / 1e9);
			fprintf(out, "sentinel_latency_seconds_count{%s} %" PRIu64 "\n", labels, hist_count(h));
		}
	}
	fputs("# HELP sentinel_latency_odd_total Times that cannot be: a clock was set, or a capture of another day is read.\n"
	      "# TYPE sentinel_latency_odd_total counter\n",
		out);
	for (unsigned f = 0; f < LATENCY_FEED_COUNT; f++)
		for (unsigned s = 0; s < LATENCY_STAGE_COUNT; s++)
			if (hist_count(&r->hist[f][s]) != 0 || r->hist[f][s].odd != 0)
				fprintf(out, "sentinel_latency_odd_total{feed=\"%s\",stage=\"%s\"} %" PRIu64 "\n", latency_feed_name(f),
					latency_stage_name(s), r->hist[f][s].odd);
}
