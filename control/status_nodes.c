/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/status_nodes.h"

#include "control/status_json.h"

#include <inttypes.h>
#include <stdio.h>

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
		status_json_set(o, "usual_ms", usual_ns / 1000000u);
	else
		json_object_set_new(o, "usual_ms", json_null());
	if (w->first_ns != 0)
		status_json_set(o, "last_seen_ms", (control_monotonic_ns() - w->last_ns) / 1000000u);
	else
		json_object_set_new(o, "last_seen_ms", json_null());
}

static json_t *
one_feed(const struct nodes_watch *w, unsigned node, unsigned feed)
{
	const struct stats_node_feed *f = &w->sum[node][feed];
	uint64_t bytes = 0, txs = 0;
	bool known = silence_rates(&w->silence, node, feed, &bytes, &txs);
	json_t *o = json_object();
	json_object_set_new(o, "feed", json_string(node_feed_name(feed)));
	set_watch(o, &w->silence, node, feed);
	set_milli(o, "bytes_per_s", known, bytes);
	set_milli(o, "tx_per_s", known, txs);
	status_json_set(o, "segments_from", f->segments[0]);
	status_json_set(o, "segments_to", f->segments[1]);
	status_json_set(o, "bytes_from", f->bytes[0]);
	status_json_set(o, "bytes_to", f->bytes[1]);
	status_json_set(o, "gap_from", f->gap[0]);
	status_json_set(o, "gap_to", f->gap[1]);
	status_json_set(o, "messages", f->messages);
	status_json_set(o, "crossed", f->crossed);
	status_json_set(o, "scanned", f->scanned);
	status_json_set(o, "duplicate", f->duplicate);
	status_json_set(o, "hashes", f->hashes);
	status_json_set(o, "hashes_scanned", f->hash_scanned);
	status_json_set(o, "hashes_duplicate", f->hash_duplicate);
	status_json_set(o, "connections", f->opened);
	status_json_set(o, "connections_open", f->opened > f->closed ? f->opened - f->closed : 0);
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
		status_json_set(o, "steps", __atomic_load_n(&k->steps, __ATOMIC_RELAXED));
		json_object_set_new(o, "last_step_ns", status_json_signed(__atomic_load_n(&k->last_step_ns, __ATOMIC_RELAXED)));
		status_json_set(o, "last_step_at_ns", __atomic_load_n(&k->last_step_at_ns, __ATOMIC_RELAXED));
		json_object_set_new(o, "shift_ns", status_json_signed(__atomic_load_n(&k->shift_ns, __ATOMIC_RELAXED)));
		status_json_set(o, "jumps", __atomic_load_n(&k->jumps, __ATOMIC_RELAXED));
		json_object_set_new(o, "error_ns", status_json_signed(__atomic_load_n(&k->error_ns, __ATOMIC_RELAXED)));
		json_object_set_new(o, "drift_ppb", status_json_signed(__atomic_load_n(&k->drift_ppb, __ATOMIC_RELAXED)));
	}
	pthread_mutex_unlock(&n->lock);
	return o != NULL ? o : json_null();
}
