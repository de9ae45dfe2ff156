/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/silence.h"

#include <stddef.h>
#include <string.h>

#define HOUR_NS (3600 * SILENCE_SECOND)
#define RATE_NS (10 * SILENCE_SECOND)
#define SIGNS_OF_LIFE 2u

/* ---- one watch ---- */

static bool
learned(const struct silence_watch *w, uint64_t now_ns)
{
	return w->first_ns != 0 && w->active >= SILENCE_LEARN_ACTIVE && now_ns - w->first_ns >= SILENCE_LEARN_NS;
}

/* After how long it alarms; 0: not known yet. */
static uint64_t
limit(const struct silence_watch *w, uint64_t now_ns)
{
	uint64_t longest_s = 0, ns;
	if (w->fixed_ns != 0)
		return w->first_ns != 0 || w->asked ? w->fixed_ns : 0;
	if (!learned(w, now_ns))
		return 0;
	for (unsigned i = 0; i < SILENCE_HOURS; i++)
		longest_s = w->longest_s[i] > longest_s ? w->longest_s[i] : longest_s;
	ns = longest_s * SILENCE_SECOND * SILENCE_FACTOR * (now_ns - w->first_ns < 24 * HOUR_NS ? 2 : 1);
	return ns < SILENCE_FLOOR_NS ? SILENCE_FLOOR_NS : ns > SILENCE_CEILING_NS ? SILENCE_CEILING_NS : ns;
}

static void
turn_hours(struct silence_watch *w, uint64_t now_ns)
{
	uint64_t hour = now_ns / HOUR_NS, by = hour - w->hour;
	if (by == 0)
		return;
	w->hour = hour;
	by = by < SILENCE_HOURS ? by : SILENCE_HOURS;
	memmove(w->longest_s + by, w->longest_s, (SILENCE_HOURS - by) * sizeof w->longest_s[0]);
	memset(w->longest_s, 0, by * sizeof w->longest_s[0]);
}

/* Whether a gap is to be left out of the baseline. */
static bool
strange(struct silence_watch *w, uint64_t now_ns)
{
	if (now_ns - w->strange_ns > SILENCE_HOURS * HOUR_NS)
		w->strange = 0;
	w->strange_ns = now_ns;
	w->strange += w->strange < SILENCE_STRANGE;
	return w->strange < SILENCE_STRANGE;
}

static void
learn(struct silence_watch *w, uint64_t now_ns)
{
	uint64_t gap_ns = now_ns - w->last_ns, most = limit(w, now_ns);
	turn_hours(w, now_ns);
	if (w->fixed_ns == 0 && most != 0 && gap_ns >= most) {
		if (strange(w, now_ns))
			return;
		gap_ns = most;
	}
	uint64_t s = (gap_ns + SILENCE_SECOND / 2) / SILENCE_SECOND;
	if (s > w->longest_s[0])
		w->longest_s[0] = (uint32_t)(s < UINT32_MAX ? s : UINT32_MAX);
}

/* Nobody looked for that long. */
static void
pass_over(struct silence_watch *w, uint64_t ns)
{
	w->last_ns += w->last_ns != 0 ? ns : 0;
}

/* ---- notices ---- */

static void
tell(struct silence *s, const struct silence_notice *n)
{
	if (s->now_ns - s->minute_ns >= 60 * SILENCE_SECOND) {
		s->minute_ns = s->now_ns;
		s->notices_minute = 0;
	}
	if (s->notices == SILENCE_NOTICES_MAX || s->notices_minute == SILENCE_NOTICES_MINUTE) {
		s->left_out++;
		return;
	}
	s->notices_minute++;
	s->notice[s->notices] = *n;
	if (n->node < STATS_NODES_MAX)
		memcpy(s->notice[s->notices].name, s->k.name[n->node], sizeof n->name);
	s->notices++;
}

bool
silence_take(struct silence *s, struct silence_notice *out)
{
	if (s->notices == 0)
		return false;
	*out = s->notice[0];
	s->notices--;
	memmove(s->notice, s->notice + 1, s->notices * sizeof s->notice[0]);
	return true;
}

static struct silence_notice
of_watch(const struct silence_watch *w, unsigned node, unsigned feed)
{
	return (struct silence_notice){.kind = SILENCE_OF, .node = (uint8_t)node, .feed = (uint8_t)feed, .since_ns = w->since_ns};
}

static void
begin(struct silence *s, struct silence_watch *w, unsigned node, unsigned feed, uint64_t usual_ns)
{
	w->silent = true;
	w->back = 0;
	w->began_ns = s->now_ns;
	w->since_ns = w->last_ns;
	struct silence_notice n = of_watch(w, node, feed);
	n.usual_ns = usual_ns;
	tell(s, &n);
}

static void
end(struct silence *s, struct silence_watch *w, unsigned node, unsigned feed)
{
	struct silence_notice n = of_watch(w, node, feed);
	w->silent = false;
	n.ended = true;
	n.usual_ns = limit(w, s->now_ns);
	n.lasted_ns = s->now_ns - w->since_ns;
	tell(s, &n);
}

/* ---- looking ---- */

/* A sample: payload came, or did not. may_begin: nothing wider is silent. Returns whether it is silent. */
static bool
see(struct silence *s, struct silence_watch *w, unsigned node, unsigned feed, uint64_t total, bool may_begin)
{
	uint64_t now_ns = s->now_ns, usual_ns;
	bool active = total != w->total && s->samples > 0; /* the first time nobody knows when it was */
	w->total = total;
	if (w->last_ns == 0)
		w->last_ns = now_ns; /* as if it had just spoken */
	if (active && w->first_ns == 0) {
		w->first_ns = w->last_ns = now_ns;
		w->hour = now_ns / HOUR_NS;
	}
	usual_ns = limit(w, now_ns);
	if (!active) {
		if (w->silent || !may_begin || usual_ns == 0 || now_ns - w->last_ns < usual_ns ||
			(w->began_ns != 0 && now_ns - w->began_ns < SILENCE_AGAIN_NS))
			return w->silent;
		begin(s, w, node, feed, usual_ns);
		return true;
	}
	w->active += w->active < UINT32_MAX;
	if (w->silent) {
		w->back = now_ns - w->last_ns < usual_ns ? (uint8_t)(w->back + 1) : 1;
		if (w->back >= SIGNS_OF_LIFE)
			end(s, w, node, feed);
	}
	learn(w, now_ns);
	w->last_ns = now_ns;
	return w->silent;
}

static void
see_ways(struct silence *s, unsigned node, const struct stats_node_feed sum[NODE_FEED_COUNT])
{
	struct silence_way *y = &s->k.way[node];
	uint64_t now[2] = {0}, more[2];
	for (unsigned f = NODE_FEED_UNREAD + 1; f < NODE_FEED_COUNT; f++)
		for (unsigned d = 0; d < 2; d++)
			now[d] += sum[f].segments[d];
	for (unsigned d = 0; d < 2; d++)
		more[d] = now[d] - y->segments[d];
	struct silence_notice n = {.kind = SILENCE_ONE_WAY, .node = (uint8_t)node, .feed = SILENCE_NODE, .usual_ns = ONE_WAY_NS};
	if ((more[0] > 0 && more[1] > 0) || y->both_ns == 0) {
		n.missing = y->missing;
		n.since_ns = y->both_ns;
		n.lasted_ns = s->now_ns - y->both_ns;
		n.ended = true;
		y->back += y->one_way && y->both_ns != 0;
		memcpy(y->segments, now, sizeof now);
		if (y->one_way && y->back < SIGNS_OF_LIFE)
			return; /* both_ns stays for the end's notice */
		if (y->one_way)
			tell(s, &n);
		y->one_way = false;
		y->both_ns = s->now_ns;
		return;
	}
	if (y->one_way || s->now_ns - y->both_ns < ONE_WAY_NS || more[0] + more[1] < ONE_WAY_SEGMENTS ||
		(y->began_ns != 0 && s->now_ns - y->began_ns < SILENCE_AGAIN_NS))
		return;
	y->one_way = true;
	y->back = 0;
	y->began_ns = s->now_ns;
	n.missing = y->missing = more[0] > 0;
	n.since_ns = y->both_ns;
	tell(s, &n);
}

static uint64_t
bytes_of(const struct stats_node_feed *f)
{
	return f->bytes[0] + f->bytes[1];
}

static void
keep_sample(struct silence *s, const struct stats_node_feed sum[STATS_NODES_MAX][NODE_FEED_COUNT])
{
	s->newest = s->samples == 0 ? 0 : (s->newest + 1) % SILENCE_SAMPLES;
	s->samples += s->samples < SILENCE_SAMPLES;
	s->sample_ns[s->newest] = s->now_ns;
	for (unsigned n = 0; n < s->n; n++)
		for (unsigned f = 0; f < NODE_FEED_COUNT; f++)
			s->sample[s->newest][n][f] = (struct silence_sample){bytes_of(&sum[n][f]), sum[n][f].crossed, sum[n][f].gap[0] + sum[n][f].gap[1]};
}

static void
unseen(struct silence *s, uint64_t ns)
{
	pass_over(&s->k.all, ns);
	for (unsigned n = 0; n < s->n; n++) {
		for (unsigned f = 0; f <= NODE_FEED_COUNT; f++)
			pass_over(&s->k.watch[n][f], ns);
		if (s->k.way[n].both_ns != 0)
			s->k.way[n].both_ns += ns;
	}
}

/* Feeds whose silence is told: those named, else all that can be read. */
static bool
wanted(const struct silence *s, unsigned node, unsigned feed)
{
	return s->feeds[node] != 0 ? s->feeds[node] >> feed & 1 : feed != NODE_FEED_UNREAD;
}

/* How many have ever spoken. */
static unsigned
heard(const struct silence *s)
{
	unsigned n = 0;
	for (unsigned i = 0; i < s->n; i++)
		n += s->k.watch[i][SILENCE_NODE].first_ns != 0;
	return n;
}

void
silence_look(struct silence *s, uint64_t now_ns, const struct stats_node_feed sum[STATS_NODES_MAX][NODE_FEED_COUNT])
{
	uint64_t total = 0, of_node[STATS_NODES_MAX] = {0};
	if (s->n == 0)
		return;
	if (now_ns - s->now_ns > SILENCE_UNSEEN_NS)
		unseen(s, now_ns - s->now_ns);
	s->now_ns = now_ns;
	for (unsigned n = 0; n < s->n; n++) {
		for (unsigned f = 0; f < NODE_FEED_COUNT; f++)
			of_node[n] += bytes_of(&sum[n][f]);
		total += of_node[n];
	}
	bool box = see(s, &s->k.all, SILENCE_ALL, SILENCE_NODE, total, s->n == 1 || heard(s) > 1);
	for (unsigned n = 0; n < s->n; n++) {
		bool node = see(s, &s->k.watch[n][SILENCE_NODE], n, SILENCE_NODE, of_node[n], !box && n > 0);
		for (unsigned f = 0; f < NODE_FEED_COUNT; f++)
			see(s, &s->k.watch[n][f], n, f, bytes_of(&sum[n][f]), !box && !node && n > 0 && wanted(s, n, f));
		if (n > 0)
			see_ways(s, n, sum[n]);
	}
	keep_sample(s, sum);
}

/* ---- coming and going ---- */

/* Counters begin anew, and what was heard before was heard until now. */
static void
carry(struct silence_watch *to, const struct silence_watch *from, uint64_t now_ns)
{
	if (from != NULL)
		*to = *from;
	to->total = 0;
	to->last_ns = now_ns;
}

static int
find(const struct silence_known *k, const char name[STATS_NODE_NAME_BYTES])
{
	for (unsigned n = 0; n < STATS_NODES_MAX; n++)
		if (memcmp(k->name[n], name, STATS_NODE_NAME_BYTES) == 0)
			return (int)n;
	return -1;
}

static void
take_node(struct silence *s, const struct silence_known *old, unsigned n, const struct stats_node *node, uint64_t now_ns)
{
	for (unsigned i = 0; i + 1 < sizeof s->k.name[n] && node->name[i] != '\0'; i++)
		s->k.name[n][i] = node->name[i] > ' ' && node->name[i] <= '~' && node->name[i] != '"' && node->name[i] != '\\' ? node->name[i] : '?';
	if (s->k.name[n][0] == '\0')
		s->k.name[n][0] = '?';
	s->feeds[n] = node->feeds;
	int was = find(old, s->k.name[n]);
	for (unsigned f = 0; f <= NODE_FEED_COUNT; f++) {
		struct silence_watch *w = &s->k.watch[n][f];
		carry(w, was >= 0 ? &old->watch[was][f] : NULL, now_ns);
		w->fixed_ns = n > 0 ? node->silence_s * SILENCE_SECOND : 0;
		w->asked = f == SILENCE_NODE || node->feeds >> f & 1;
	}
	if (was >= 0) {
		s->k.way[n] = old->way[was];
		s->k.way[n].segments[0] = s->k.way[n].segments[1] = 0;
		if (!s->k.way[n].one_way)
			s->k.way[n].both_ns = 0;
	}
}

/* The shortest that the profile says, if it says so of all. */
static uint64_t
fixed_of_all(const struct silence *s)
{
	uint64_t least = s->n > 1 ? UINT64_MAX : 0;
	for (unsigned n = 1; n < s->n; n++)
		least = s->k.watch[n][SILENCE_NODE].fixed_ns < least ? s->k.watch[n][SILENCE_NODE].fixed_ns : least;
	return least;
}

void
silence_attach(struct silence *s, uint64_t now_ns, const struct stats_node *node, unsigned n)
{
	struct silence_known old = s->k;
	memset(&s->k, 0, sizeof s->k);
	s->samples = 0;
	s->n = n < STATS_NODES_MAX ? n : STATS_NODES_MAX;
	s->now_ns = now_ns;
	carry(&s->k.all, &old.all, now_ns);
	for (unsigned i = 0; i < s->n; i++)
		take_node(s, &old, i, &node[i], now_ns);
	s->k.all.fixed_ns = fixed_of_all(s);
}

void
silence_gone(struct silence *s)
{
	s->n = 0;
	s->samples = 0;
}

/* ---- for status ---- */

enum silence_state
silence_state(const struct silence *s, unsigned node, unsigned feed, uint64_t *usual_ns)
{
	const struct silence_watch *w = node == SILENCE_ALL ? &s->k.all : &s->k.watch[node][feed];
	*usual_ns = limit(w, s->now_ns);
	return w->silent ? SILENCE_SILENT : w->first_ns == 0 ? SILENCE_NEVER : *usual_ns == 0 ? SILENCE_LEARNING : SILENCE_OK;
}

bool
silence_rates(const struct silence *s, unsigned node, unsigned feed, uint64_t *bytes_milli, uint64_t *txs_milli)
{
	uint32_t back = 0, at = s->newest;
	while (back + 1 < s->samples && s->sample_ns[s->newest] - s->sample_ns[at] < RATE_NS) {
		at = (at + SILENCE_SAMPLES - 1) % SILENCE_SAMPLES;
		back++;
	}
	uint64_t ms = back > 0 ? (s->sample_ns[s->newest] - s->sample_ns[at]) / 1000000u : 0;
	if (ms == 0)
		return false;
	const struct silence_sample *a = &s->sample[at][node][feed], *b = &s->sample[s->newest][node][feed];
	*bytes_milli = (uint64_t)((unsigned __int128)(b->bytes - a->bytes) * 1000000u / ms);
	*txs_milli = (uint64_t)((unsigned __int128)(b->crossed - a->crossed) * 1000000u / ms);
	return true;
}
