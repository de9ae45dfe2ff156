/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/status_nodes.h"

#include <inttypes.h>
#include <stdio.h>

static void
set(json_t *o, const char *key, uint64_t v)
{
	char s[24];
	snprintf(s, sizeof s, "%" PRIu64, v);
	json_object_set_new(o, key, json_string(s));
}

static void
set_signed(json_t *o, const char *key, int64_t v)
{
	char s[24];
	snprintf(s, sizeof s, "%" PRId64, v);
	json_object_set_new(o, key, json_string(s));
}

static void
set_milli(json_t *o, const char *key, bool known, uint64_t milli)
{
	char s[32];
	snprintf(s, sizeof s, "%" PRIu64 ".%03u", milli / 1000, (unsigned)(milli % 1000));
	json_object_set_new(o, key, known ? json_string(s) : json_null());
}

static void
set_watch(json_t *o, const struct silence *s, unsigned node, unsigned feed)
{
	static const char *const names[] = {"never", "learning", "ok", "silent"};
	const struct silence_watch *w = node == SILENCE_ALL ? &s->k.all : &s->k.watch[node][feed];
	uint64_t usual_ns;
	json_object_set_new(o, "state", json_string(names[silence_state(s, node, feed, &usual_ns)]));
	if (usual_ns != 0)
		set(o, "usual_ms", usual_ns / 1000000u);
	else
		json_object_set_new(o, "usual_ms", json_null());
	if (w->first_ns != 0)
		set(o, "last_seen_ms", (control_monotonic_ns() - w->last_ns) / 1000000u);
	else
		json_object_set_new(o, "last_seen_ms", json_null());
}

static json_t *
one_feed(const struct nodes_watch *w, unsigned node, unsigned feed)
{
	const struct stats_node_feed *f = &w->sum[node][feed];
	uint64_t bytes, txs;
	bool known = silence_rates(&w->silence, node, feed, &bytes, &txs);
	json_t *o = json_object();
	json_object_set_new(o, "feed", json_string(node_feed_name(feed)));
	set_watch(o, &w->silence, node, feed);
	set_milli(o, "bytes_per_s", known, bytes);
	set_milli(o, "tx_per_s", known, txs);
	set(o, "segments_from", f->segments[0]);
	set(o, "segments_to", f->segments[1]);
	set(o, "bytes_from", f->bytes[0]);
	set(o, "bytes_to", f->bytes[1]);
	set(o, "gap_from", f->gap[0]);
	set(o, "gap_to", f->gap[1]);
	set(o, "messages", f->messages);
	set(o, "crossed", f->crossed);
	set(o, "scanned", f->scanned);
	set(o, "duplicate", f->duplicate);
	set(o, "hashes", f->hashes);
	set(o, "hashes_scanned", f->hash_scanned);
	set(o, "hashes_duplicate", f->hash_duplicate);
	set(o, "connections", f->opened);
	set(o, "connections_open", f->opened > f->closed ? f->opened - f->closed : 0);
	return o;
}

static json_t *
one_node(const struct nodes_watch *w, unsigned node)
{
	const struct silence_way *y = &w->silence.k.way[node];
	json_t *o = json_object(), *feeds = json_array();
	json_object_set_new(o, "name", json_string(w->silence.k.name[node]));
	set_watch(o, &w->silence, node, SILENCE_NODE);
	json_object_set_new(o, "missing", y->one_way ? json_string(y->missing ? "to_node" : "from_node") : json_null());
	for (unsigned f = 0; f < NODE_FEED_COUNT; f++)
		if (w->sum[node][f].opened > 0 || w->silence.k.watch[node][f].first_ns != 0)
			json_array_append_new(feeds, one_feed(w, node, f));
	json_object_set_new(o, "feeds", feeds);
	return o;
}

json_t *
status_nodes(struct control *c)
{
	struct nodes_watch *w = &c->nodes;
	json_t *list = NULL;
	pthread_mutex_lock(&w->lock);
	if (w->silence.n > 0) {
		list = json_array();
		for (unsigned n = 0; n < w->silence.n; n++)
			json_array_append_new(list, one_node(w, n));
	}
	pthread_mutex_unlock(&w->lock);
	return list != NULL ? list : json_null();
}

json_t *
status_clock(struct control *c)
{
	struct drain *n = &c->drain;
	json_t *o = NULL;
	pthread_mutex_lock(&n->lock);
	if (n->attached) {
		const struct stats_clock *k = &n->d.stats->clock;
		o = json_object();
		set(o, "steps", __atomic_load_n(&k->steps, __ATOMIC_RELAXED));
		set_signed(o, "last_step_ns", __atomic_load_n(&k->last_step_ns, __ATOMIC_RELAXED));
		set(o, "last_step_at_ns", __atomic_load_n(&k->last_step_at_ns, __ATOMIC_RELAXED));
		set_signed(o, "shift_ns", __atomic_load_n(&k->shift_ns, __ATOMIC_RELAXED));
		set(o, "jumps", __atomic_load_n(&k->jumps, __ATOMIC_RELAXED));
		set_signed(o, "error_ns", __atomic_load_n(&k->error_ns, __ATOMIC_RELAXED));
		set_signed(o, "drift_ppb", __atomic_load_n(&k->drift_ppb, __ATOMIC_RELAXED));
	}
	pthread_mutex_unlock(&n->lock);
	return o != NULL ? o : json_null();
}
