/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/status_latency.h"

#include "control/status_json.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* One stage and feed, of the dataplane that is attached, or control's. */
static void
gather(struct control *c, enum latency_stage stage, enum latency_feed feed, struct hist *sum)
{
	memset(sum, 0, sizeof *sum);
	if (stage >= LATENCY_STAGE_JOURNALED) {
		hist_merge(sum, &c->latency.stage[stage - LATENCY_STAGE_JOURNALED][feed]);
		return;
	}
	pthread_mutex_lock(&c->drain.lock);
	if (c->drain.attached)
		stats_latency(c->drain.d.stats, stage, feed, sum);
	pthread_mutex_unlock(&c->drain.lock);
}

static json_t *
buckets_of(const struct hist *h)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		if (h->bucket[i] != 0)
			json_array_append_new(list, json_pack("[i,o]", (int)i, status_json_num(h->bucket[i])));
	return list;
}

static json_t *
row(unsigned stage, unsigned feed, const struct hist *h, bool buckets)
{
	static const struct {
		const char *key;
		unsigned permille;
	} quantiles[] = {{"p50_ns", 500}, {"p90_ns", 900}, {"p99_ns", 990}, {"p999_ns", 999}};
	json_t *o = json_object();
	json_object_set_new(o, "feed", json_string(latency_feed_name(feed)));
	json_object_set_new(o, "stage", json_string(latency_stage_name(stage)));
	json_object_set_new(o, "count", status_json_num(hist_count(h)));
	for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
		json_object_set_new(o, quantiles[i].key, status_json_num(hist_quantile(h, quantiles[i].permille)));
	json_object_set_new(o, "max_ns", status_json_num(h->max_ns));
	json_object_set_new(o, "odd", status_json_num(h->odd));
	if (buckets)
		json_object_set_new(o, "buckets", buckets_of(h));
	return o;
}

json_t *
status_latency(struct control *c, bool buckets)
{
	json_t *list = json_array();
	for (unsigned feed = 0; feed < LATENCY_FEED_COUNT; feed++) {
		for (unsigned stage = 0; stage < LATENCY_STAGE_COUNT; stage++) {
			struct hist h;
			gather(c, (enum latency_stage)stage, (enum latency_feed)feed, &h);
			if (h.odd != 0 || hist_count(&h) != 0)
				json_array_append_new(list, row(stage, feed, &h, buckets));
		}
	}
	return list;
}

json_t *
status_latency_object(struct control *c)
{
	json_t *o = json_object();
	char epoch[17] = "";
	pthread_mutex_lock(&c->drain.lock);
	for (unsigned i = 0; c->drain.attached && i < sizeof c->drain.d.epoch; i++)
		snprintf(epoch + 2 * i, 3, "%02x", c->drain.d.epoch[i]);
	pthread_mutex_unlock(&c->drain.lock);
	json_object_set_new(o, "event", json_string("latency"));
	json_object_set_new(o, "epoch", epoch[0] != '\0' ? json_string(epoch) : json_null());
	json_object_set_new(o, "started_ns", status_json_num(c->started_ns));
	json_object_set_new(o, "time_ns", status_json_num(control_wall_ns()));
	json_object_set_new(o, "not_followed", status_json_num(atomic_load_explicit(&c->latency.unfollowed, memory_order_relaxed)));
	json_object_set_new(o, "latency", status_latency(c, true));
	return o;
}
