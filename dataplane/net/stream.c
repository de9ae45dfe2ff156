/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/table.h"

#include <errno.h>
#include <string.h>

#define HISTORY_BYTES_DEFAULT 16384u
#define HISTORY_BUFFERS_DEFAULT 1024u
#define ACK_FRAMES_DEFAULT 32u
#define SLABS_MAX (1u << 24)
/* How many frames ahead headers are fetched. */
#define PREFETCH_BYTES 2048u
#define PREFETCH_AHEAD 8u
/* Bounds on the work of one call. */
#define EXPIRE_FRAME 4u
#define EXPIRE_HOLES 256u
#define EXPIRE_FLOWS 1024u
#define EXPIRE_DATAGRAMS 64u
#define FRAGMENT_DATAGRAMS_DEFAULT 1024u
#define FRAGMENT_BLOCKS_DEFAULT 2048u
#define FRAGMENT_AGE_DEFAULT 30000000000u

static struct stream_config
with_defaults(const struct stream_config *c)
{
	struct stream_config out = *c;
	if (out.history_bytes == 0)
		out.history_bytes = HISTORY_BYTES_DEFAULT;
	if (out.history_buffers == 0)
		out.history_buffers = HISTORY_BUFFERS_DEFAULT;
	if (out.gap_ack_frames == 0)
		out.gap_ack_frames = ACK_FRAMES_DEFAULT;
	if (out.fragment_datagrams == 0)
		out.fragment_datagrams = FRAGMENT_DATAGRAMS_DEFAULT;
	if (out.fragment_blocks == 0)
		out.fragment_blocks = FRAGMENT_BLOCKS_DEFAULT;
	if (out.fragment_age_ns == 0)
		out.fragment_age_ns = FRAGMENT_AGE_DEFAULT;
	return out;
}

static struct fragments_config
fragments_of(const struct stream_config *c)
{
	return (struct fragments_config){c->fragment_datagrams, c->fragment_blocks, c->fragment_age_ns};
}

static bool
config_good(const struct stream_config *c)
{
	struct fragments_config f = fragments_of(c);
	return flow_table_bytes(c->flows_max) != 0 && fragments_bytes(&f) != 0 && c->ooo_slabs > 0 && c->ooo_slabs <= SLABS_MAX &&
	       c->ooo_segments_dir > 0 && c->ooo_segments_dir <= UINT16_MAX && c->ooo_bytes_dir > 0 &&
	       c->ooo_bytes_dir <= WINDOW_AHEAD && c->gap_age_ns >> 10 > 0 && c->gap_age_ns <= 60000000000u &&
	       c->idle_ns > 0 && c->history_buffers <= SLABS_MAX && c->history_bytes >= 64 &&
	       c->history_bytes <= 1u << 20 && (c->history_bytes & (c->history_bytes - 1)) == 0;
}

static size_t
line(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

size_t
stream_bytes(const struct stream_config *config)
{
	struct stream_config c = with_defaults(config);
	if (!config_good(&c))
		return 0;
	struct fragments_config f = fragments_of(&c);
	return line(sizeof(struct stream_table)) + flow_table_bytes(c.flows_max) + fragments_bytes(&f) +
	       (size_t)c.ooo_slabs * OOO_SLAB_BYTES + history_bytes(c.history_buffers, c.history_bytes);
}

struct stream_table *
stream_init(void *mem, const struct stream_config *config, const struct stream_ops *ops, void *ctx, uint64_t *counters)
{
	struct stream_config c = with_defaults(config);
	if (mem == NULL || !config_good(&c)) {
		errno = EINVAL;
		return NULL;
	}
	struct stream_table *t = mem;
	memset(t, 0, sizeof *t);
	t->config = c;
	t->ops = *ops;
	t->ctx = ctx;
	t->ctr = counters;
	t->tally = t->no_tally;
	t->gap_age_ticks = (uint32_t)(c.gap_age_ns >> 10);
	t->hole_head = t->hole_tail = t->hole_look = NET_NONE;
	t->rules = (struct decode_rules){c.verify_checksum, c.vxlan_port};
	while (t->epoch_shift < 40 && c.idle_ns >> t->epoch_shift > 4096)
		t->epoch_shift++;
	uint8_t *p = (uint8_t *)mem + line(sizeof *t);
	flow_table_init(&t->flows, p, c.flows_max, c.hash_seed);
	p += flow_table_bytes(c.flows_max);
	struct fragments_config f = fragments_of(&c);
	fragments_init(&t->fragments, p, &f, t->flows.seed, counters);
	p += fragments_bytes(&f);
	ooo_init(&t->ooo, p, c.ooo_slabs);
	p += (size_t)c.ooo_slabs * OOO_SLAB_BYTES;
	history_init(&t->history, p, c.history_buffers, c.history_bytes);
	return t;
}

/* All of it: whoever reads a payload reads it from its first byte to its last, and memory is far away. */
static inline void
prefetch_frame(const struct span *frame)
{
	for (uint32_t at = 0; at < frame->len && at < PREFETCH_BYTES; at += 64)
		__builtin_prefetch(frame->p + at);
}

void
stream_tally(struct stream_table *t, uint64_t *tally)
{
	t->tally = tally;
}

void
stream_link(struct stream_table *t, enum net_link link)
{
	t->link = link;
}

void
stream_checksum(struct stream_table *t, bool verify)
{
	t->rules.verify_checksum = verify;
}

static void
decode_burst(struct stream_table *t, unsigned n, const struct span *frames, const uint32_t *wire_len)
{
	for (unsigned i = 0; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)
			prefetch_frame(&frames[i + PREFETCH_AHEAD]);
		t->ctr[CTR_FRAME_BYTES] += frames[i].len;
		t->verdict[i] = segment_decode(
			frames[i], wire_len[i], t->link, &t->rules, &t->segment[i], &t->part[i]);
		t->ctr[t->verdict[i]]++;
		if (t->verdict[i] != CTR_ACCEPTED)
			continue;
		t->ctr[CTR_TUNNELLED] += t->segment[i].tunnels != 0;
		t->hash[i] = flow_hash_of(&t->flows, &t->segment[i].ends);
		flow_prefetch_buckets(&t->flows, &t->hash[i]);
	}
	t->ctr[CTR_FRAMES] += n;
}

/* A fragment of this burst, in its turn. A datagram that becomes whole may be a fragment itself, in a tunnel or, by
 * somebody's design, without; one frame shall not set off a long chain of them. */
static void
take_fragment(struct stream_table *t, struct fragment *part, uint64_t now_ns)
{
	enum sentinel_counter r;
	struct segment s;
	struct datagram_whole whole;
	t->ctr[CTR_FRAGMENTS_HELD]--; /* decode_burst's word for it */
	unsigned depth = 0;
	do {
		if (depth++ == DECODE_TUNNELS_MAX) {
			r = CTR_UNDEC_NESTING;
			break;
		}
		r = fragments_add(&t->fragments, part, now_ns, &whole);
		if (r != CTR_ACCEPTED)
			break;
		struct decode_rules rules = t->rules;
		rules.verify_checksum |= whole.mixed;
		part->next = whole.next;
		r = segment_resume(part, whole.bytes, &rules, &s, part);
	} while (r == CTR_FRAGMENTS_HELD);
	t->ctr[r]++;
	if (r != CTR_ACCEPTED)
		return;
	t->ctr[CTR_TUNNELLED] += s.tunnels != 0;
	struct flow_hash h = flow_hash_of(&t->flows, &s.ends);
	stream_segment(t, &s, &h, now_ns);
}

static void
burst(struct stream_table *t, unsigned n, const struct span *frames, const uint32_t *wire_len, const uint64_t *now_ns)
{
	decode_burst(t, n, frames, wire_len);
	for (unsigned i = 0; i < n; i++) {
		if (t->verdict[i] == CTR_ACCEPTED)
			flow_prefetch(&t->flows, &t->hash[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		if (t->hole_head != NET_NONE)
			stream_holes_expire(t, EXPIRE_FRAME, now_ns[i]);
		if (t->verdict[i] == CTR_ACCEPTED)
			stream_segment(t, &t->segment[i], &t->hash[i], now_ns[i]);
		else if (t->verdict[i] == CTR_FRAGMENTS_HELD)
			take_fragment(t, &t->part[i], now_ns[i]);
	}
}

void
stream_frames(
	struct stream_table *t, unsigned n, const struct span *frames, const uint32_t *wire_len, const uint64_t *now_ns)
{
	for (unsigned done = 0; done < n; done += STREAM_BURST) {
		unsigned part = n - done < STREAM_BURST ? n - done : STREAM_BURST;
		burst(t, part, frames + done, wire_len + done, now_ns + done);
	}
}

static void
expire_flows(struct stream_table *t, enum flow_list list, uint64_t age_ns, uint64_t now_ns)
{
	for (unsigned i = 0; i < EXPIRE_FLOWS; i++) {
		struct flow *f = flow_oldest(&t->flows, list);
		if (f == NULL || (int64_t)(now_ns - f->last_ns) < (int64_t)age_ns)
			return;
		if (list != FLOW_CLOSED)
			stream_finish(t, f, STREAM_IDLE, now_ns);
		flow_remove(&t->flows, f);
	}
}

void
stream_housekeep(struct stream_table *t, uint64_t now_ns)
{
	stream_holes_expire(t, EXPIRE_HOLES, now_ns);
	fragments_expire(&t->fragments, EXPIRE_DATAGRAMS, now_ns);
	expire_flows(t, FLOW_CLOSED, CLOSED_NS, now_ns);
	expire_flows(t, FLOW_YOUNG, t->config.idle_ns, now_ns);
	expire_flows(t, FLOW_LIVE, t->config.idle_ns, now_ns);
}

void
stream_flush(struct stream_table *t, uint64_t now_ns)
{
	fragments_flush(&t->fragments);
	for (unsigned list = FLOW_CLOSED; list <= FLOW_LIVE; list++) {
		struct flow *f;
		while ((f = flow_oldest(&t->flows, list)) != NULL) {
			if (list != FLOW_CLOSED)
				stream_finish(t, f, STREAM_SHUTDOWN, now_ns);
			flow_remove(&t->flows, f);
		}
	}
}
