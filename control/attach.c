/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/attach.h"

#include "abi/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKOFF_MIN_NS 10000000u
#define BACKOFF_MAX_NS 500000000u
#define ENDING_NS 1000000000u /* a dataplane whose connection is gone may listen for a moment yet */
#define PATIENCE_NS 60000000000u /* for the whole offer, once connected: a dataplane that starts takes its time for memory and ports */

int
attach_init(struct attach *a, const char *path)
{
	*a = (struct attach){.fd = -1, .backoff_ns = BACKOFF_MIN_NS};
	if (strlen(path) >= sizeof a->path)
		return -ENAMETOOLONG;
	strcpy(a->path, path);
	a->pending = calloc(1, sizeof *a->pending);
	return a->pending != NULL ? 0 : -ENOMEM;
}

void
dataplane_free(struct dataplane *d)
{
	for (uint32_t i = 0; i < d->n_rings; i++)
		ring_detach(&d->ring[i]);
	stats_detach(d->stats);
	rule_names_free(d->names);
	*d = (struct dataplane){0};
}

static void
hang_up(struct attach *a, uint64_t now_ns)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	a->whole = a->welcome = a->stats = false;
	dataplane_free(a->pending);
	a->retry_at_ns = now_ns + a->backoff_ns;
	a->backoff_ns = a->backoff_ns * 2 < BACKOFF_MAX_NS ? a->backoff_ns * 2 : BACKOFF_MAX_NS;
}

void
attach_end(struct attach *a)
{
	if (a->pending != NULL)
		hang_up(a, 0);
	rule_names_free(a->names);
	free(a->pending);
	*a = (struct attach){.fd = -1};
}

static enum attach_event
refuse(struct attach *a, uint64_t now_ns, const char *why)
{
	bool say = !a->said_refused || strcmp(a->why, why) != 0;
	snprintf(a->why, sizeof a->why, "%s", why);
	a->said_refused = true;
	hang_up(a, now_ns);
	return say ? ATTACH_REFUSED : ATTACH_NOTHING;
}

static void
try_connect(struct attach *a, uint64_t now_ns)
{
	int fd = channel_connect(a->path);
	struct channel_msg hello = {
		.type = CHANNEL_HELLO, .u.hello = {CHANNEL_VERSION_MIN, CHANNEL_VERSION_MAX, CHANNEL_ROLE_CONTROL}};
	a->last_errno = fd < 0 ? -fd : 0;
	a->fd = fd < 0 ? -1 : fd;
	if (a->fd < 0 || channel_send(a->fd, &hello, NULL, 0) != 0) {
		hang_up(a, now_ns);
		return;
	}
	a->deadline_ns = now_ns + PATIENCE_NS;
}

/* ---- the offer, in its order ---- */

static const char *
take_welcome(struct attach *a, const struct channel_msg *m)
{
	if (a->welcome)
		return "it greeted twice";
	if (m->u.welcome.version < CHANNEL_VERSION_MIN || m->u.welcome.version > CHANNEL_VERSION_MAX)
		return "it speaks another version; start a dataplane and a control of the same release";
	if (m->u.welcome.n_rings == 0 || m->u.welcome.n_rings > ATTACH_RINGS_MAX)
		return "it offers more rings than can be taken, or none";
	a->welcome = true;
	a->version = m->u.welcome.version;
	a->n_rings = m->u.welcome.n_rings;
	a->pending->pid = m->u.welcome.pid;
	memcpy(a->pending->epoch, m->u.welcome.epoch, sizeof a->pending->epoch);
	return NULL;
}

static bool
goes_before(const struct ring_consumer *a, const struct ring_consumer *b)
{
	return a->lane != b->lane ? a->lane < b->lane : a->ring_id < b->ring_id;
}

static const char *
take_ring(struct attach *a, const struct channel_msg *m, const int fds[3])
{
	struct dataplane *d = a->pending;
	struct ring_consumer c;
	if (!a->welcome || d->n_rings == a->n_rings)
		return "a ring came out of order";
	if (ring_attach(&c, fds[0], fds[1], fds[2]) != 0)
		return "a ring cannot be read by this version, or is not sealed as it must be";
	bool fits = c.ring_id == m->u.ring.ring_id && c.lane == m->u.ring.lane &&
		    memcmp(c.epoch, d->epoch, sizeof c.epoch) == 0;
	for (uint32_t i = 0; i < d->n_rings; i++)
		fits = fits && d->ring[i].ring_id != c.ring_id;
	if (!fits) {
		ring_detach(&c);
		return "a ring is not what it was announced as";
	}
	uint32_t at = d->n_rings++;
	for (; at > 0 && goes_before(&c, &d->ring[at - 1]); at--)
		d->ring[at] = d->ring[at - 1];
	d->ring[at] = c;
	return NULL;
}

static const char *
take_stats(struct attach *a, int fd)
{
	struct dataplane *d = a->pending;
	if (!a->welcome || a->stats || d->n_rings != a->n_rings)
		return "the stats page came out of order";
	d->stats = stats_attach(fd);
	a->stats = d->stats != NULL;
	return a->stats
		       ? NULL
		       : "its stats page cannot be read; start a dataplane and a control of the same release";
}

static const char *
take_bundle(struct attach *a, const struct channel_msg *m, int fd)
{
	if (!a->stats)
		return "the rules came out of order";
	rule_names_free(a->names);
	a->names = rule_names_load(fd);
	a->generation = m->u.bundle.generation;
	return NULL;
}

static const char *
take_said(struct attach *a, const struct channel_msg *m)
{
	if (m->u.said.status > CHANNEL_STATUS_MAX)
		return "it gives an answer that this version does not know";
	a->said_number = m->u.said.number;
	a->said_status = m->u.said.status;
	return NULL;
}

static const char *
take(struct attach *a, const struct channel_msg *m, const int *fds)
{
	if (a->whole && m->type == CHANNEL_SAID && a->version >= CHANNEL_VERSION_ROLES)
		return take_said(a, m);
	if (a->whole && m->type != CHANNEL_BUNDLE_META)
		return "it sent what only a greeting may hold";
	switch (m->type) {
	case CHANNEL_WELCOME:
		return take_welcome(a, m);
	case CHANNEL_RING:
		return take_ring(a, m, fds);
	case CHANNEL_STATS:
		return take_stats(a, fds[0]);
	case CHANNEL_BUNDLE_META:
		return take_bundle(a, m, fds[0]);
	default:
		return "it greets as a control, not as a dataplane";
	}
}

static enum attach_event
ended(struct attach *a, uint64_t now_ns, int rc)
{
	bool was_whole = a->whole;
	if (!was_whole && rc == -EPIPE && !a->welcome && a->gone && now_ns - a->gone_at_ns < ENDING_NS) {
		hang_up(a, now_ns);
		return ATTACH_NOTHING;
	}
	if (!was_whole && rc == -EPIPE && !a->welcome)
		return refuse(a, now_ns,
			"it hung up without a word: it ended while it started, and its own messages say why (journalctl -u sentinel-dataplane); or, "
			"if it still runs, it is of another release");
	if (!was_whole && rc == -EPIPE)
		return refuse(a, now_ns,
			"it hung up while greeting; start a dataplane and a control of the same release");
	if (!was_whole)
		return refuse(a, now_ns, "it does not speak the channel's language");
	hang_up(a, now_ns);
	a->gone = true;
	a->gone_at_ns = now_ns;
	return ATTACH_GONE;
}

/* The whole offer is the caller's now. */
static enum attach_event
hand_over(struct attach *a, struct dataplane *out)
{
	a->whole = true;
	a->said_refused = false;
	a->backoff_ns = BACKOFF_MIN_NS;
	*out = *a->pending;
	*a->pending = (struct dataplane){0};
	out->names = a->names;
	out->generation = a->generation;
	a->names = NULL;
	return ATTACH_CAME;
}

enum attach_event
attach_poll(struct attach *a, uint64_t now_ns, struct dataplane *out)
{
	if (a->fd < 0 && now_ns >= a->retry_at_ns)
		try_connect(a, now_ns);
	while (a->fd >= 0) {
		struct channel_msg m;
		int fds[CHANNEL_FDS_MAX];
		unsigned n_fds;
		int rc = channel_recv(a->fd, &m, fds, CHANNEL_FDS_MAX, &n_fds);
		if (rc == 0 && !a->whole && now_ns >= a->deadline_ns)
			return refuse(a, now_ns, "it took the connection but does not answer");
		if (rc == 0)
			return ATTACH_NOTHING;
		if (rc < 0)
			return ended(a, now_ns, rc);
		const char *why = take(a, &m, fds);
		while (n_fds > 0)
			close(fds[--n_fds]);
		if (why != NULL && a->whole) {
			hang_up(a, now_ns);
			return ATTACH_GONE;
		}
		if (why != NULL)
			return refuse(a, now_ns, why);
		if (m.type == CHANNEL_SAID)
			return ATTACH_SAID;
		if (m.type == CHANNEL_BUNDLE_META)
			return a->whole ? ATTACH_BUNDLE : hand_over(a, out);
	}
	return ATTACH_NOTHING;
}

bool
attach_takes_memory(const struct attach *a)
{
	return a->fd >= 0 && a->whole && a->version >= CHANNEL_VERSION_MEMORY;
}

int
attach_remember(struct attach *a, int fd, uint64_t number, uint64_t bytes)
{
	struct channel_msg m = {.type = CHANNEL_MEMORY, .u.memory = {number, bytes}};
	return attach_takes_memory(a) ? channel_send(a->fd, &m, &fd, 1) : -ENOTCONN;
}

bool
attach_takes_profile(const struct attach *a)
{
	return a->fd >= 0 && a->whole && a->version >= CHANNEL_VERSION_ROLES;
}

int
attach_profile(struct attach *a, int fd, uint64_t number, uint64_t bytes)
{
	struct channel_msg m = {.type = CHANNEL_PROFILE, .u.blob = {number, bytes}};
	return attach_takes_profile(a) ? channel_send(a->fd, &m, &fd, 1) : -ENOTCONN;
}
