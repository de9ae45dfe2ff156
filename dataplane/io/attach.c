/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/attach.h"

#include "abi/channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO_PATIENCE_NS 1000000000u

static void
hang_up(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int
attach_open(struct attach *a, const char *path, char *err, size_t err_cap)
{
	*a = (struct attach){.listen_fd = -1, .pending_fd = -1, .control_fd = -1};
	if (strlen(path) >= sizeof a->path) {
		snprintf(err, err_cap, "the socket path %s is longer than %zu characters", path, sizeof a->path - 1);
		return -ENAMETOOLONG;
	}
	int fd = channel_listen(path);
	if (path[0] == '\0')
		snprintf(err, err_cap, "--channel is empty; name the socket where control shall attach");
	else if (fd == -EADDRINUSE)
		snprintf(err, err_cap, "%s is taken: another dataplane answers there, or it is not a socket; stop that one or choose another --channel",
			path);
	else if (fd == -ENOENT)
		snprintf(err, err_cap, "cannot listen on %s: its folder does not exist; make it, or choose another --channel", path);
	else if (fd < 0)
		snprintf(err, err_cap, "cannot listen on %s: %s; make its folder writable for this user, or choose another --channel", path,
			strerror(-fd));
	if (fd < 0)
		return fd;
	a->listen_fd = fd;
	strcpy(a->path, path);
	return 0;
}

static int
send_ring(int fd, const struct ring_producer *p)
{
	struct channel_msg m = {.type = CHANNEL_RING};
	const int fds[3] = {p->ring_fd, p->evidence_fd, p->cursor_fd};
	m.u.ring.ring_id = p->h->ring_id;
	m.u.ring.lane = p->h->lane;
	return channel_send(fd, &m, fds, 3);
}

static int
send_offer(int fd, const struct attach_offer *o, uint32_t version)
{
	struct channel_msg m = {.type = CHANNEL_WELCOME};
	m.u.welcome.version = version;
	m.u.welcome.n_rings = o->n_rings;
	m.u.welcome.pid = (uint32_t)getpid();
	memcpy(m.u.welcome.epoch, o->epoch, sizeof o->epoch);
	int rc = channel_send(fd, &m, NULL, 0);
	for (uint32_t i = 0; i < o->n_rings && rc == 0; i++)
		rc = send_ring(fd, &o->rings[i]);
	m = (struct channel_msg){.type = CHANNEL_STATS};
	if (rc == 0)
		rc = channel_send(fd, &m, &o->stats_fd, 1);
	m = (struct channel_msg){.type = CHANNEL_BUNDLE_META};
	m.u.bundle.generation = o->generation;
	m.u.bundle.bytes = o->bundle_bytes;
	if (rc == 0)
		rc = channel_send(fd, &m, &o->bundle_fd, 1);
	return rc;
}

static bool
speaks_our_version(const struct channel_msg *m)
{
	return m->type == CHANNEL_HELLO && m->u.hello.version_min <= m->u.hello.version_max && m->u.hello.version_min <= CHANNEL_VERSION_MAX &&
	       m->u.hello.version_max >= CHANNEL_VERSION_MIN;
}

static void
serve_pending(struct attach *a, const struct attach_offer *o, uint64_t now_ns)
{
	struct channel_msg m;
	int fds[CHANNEL_FDS_MAX];
	unsigned n_fds;
	int rc = channel_recv(a->pending_fd, &m, fds, CHANNEL_FDS_MAX, &n_fds);
	if (rc == 0 && now_ns - a->pending_since_ns < HELLO_PATIENCE_NS)
		return;
	bool ours = rc == 1 && speaks_our_version(&m);
	while (n_fds > 0)
		close(fds[--n_fds]);
	uint32_t version = ours && m.u.hello.version_max < CHANNEL_VERSION_MAX ? m.u.hello.version_max : CHANNEL_VERSION_MAX;
	if (!ours || send_offer(a->pending_fd, o, version) != 0) {
		hang_up(&a->pending_fd);
		return;
	}
	hang_up(&a->control_fd);
	a->control_fd = a->pending_fd;
	a->pending_fd = -1;
	a->version = version;
	a->attached++;
}

/* A page that is not as it must be is left aside: that control still drains the rings. */
static void
take_memory(struct attach *a, const struct attach_offer *o, int fd)
{
	size_t bytes;
	const struct memory_page *page = memory_map(fd, &bytes);
	a->memories++;
	if (page == NULL)
		a->memories_refused++;
	else if (o->memory != NULL)
		o->memory(o->memory_ctx, page, bytes);
	else
		memory_unmap(page, bytes);
}

/* Control has nothing to say but its memory: whatever else comes, the end included, is the end. */
static void
watch_control(struct attach *a, const struct attach_offer *o)
{
	struct channel_msg m;
	int fds[CHANNEL_FDS_MAX];
	unsigned n_fds;
	int rc = channel_recv(a->control_fd, &m, fds, CHANNEL_FDS_MAX, &n_fds);
	bool memory = rc == 1 && m.type == CHANNEL_MEMORY && a->version >= CHANNEL_VERSION_MEMORY;
	if (memory)
		take_memory(a, o, fds[0]);
	while (n_fds > 0)
		close(fds[--n_fds]);
	if (rc != 0 && !memory)
		hang_up(&a->control_fd);
}

void
attach_poll(struct attach *a, const struct attach_offer *offer, uint64_t now_ns)
{
	int fd = accept4(a->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		hang_up(&a->pending_fd);
		a->pending_fd = fd;
		a->pending_since_ns = now_ns;
	}
	if (a->pending_fd >= 0)
		serve_pending(a, offer, now_ns);
	if (a->control_fd >= 0)
		watch_control(a, offer);
}

void
attach_close(struct attach *a)
{
	hang_up(&a->pending_fd);
	hang_up(&a->control_fd);
	hang_up(&a->listen_fd);
	if (a->path[0] != '\0')
		unlink(a->path);
	a->path[0] = '\0';
}
