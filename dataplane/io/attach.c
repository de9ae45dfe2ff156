/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/attach.h"

#include "abi/channel.h"
#include "abi/shm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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
	*a = (struct attach){.listen_fd = -1, .pending_fd = -1, .control_fd = -1, .keys_fd = -1, .uid = geteuid()};
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
send_welcome(int fd, const struct attach_offer *o, uint32_t version)
{
	struct channel_msg m = {.type = CHANNEL_WELCOME};
	m.u.welcome.version = version;
	m.u.welcome.n_rings = o->n_rings;
	m.u.welcome.pid = (uint32_t)getpid();
	memcpy(m.u.welcome.epoch, o->epoch, sizeof o->epoch);
	return channel_send(fd, &m, NULL, 0);
}

static int
send_offer(int fd, const struct attach_offer *o, uint32_t version)
{
	int rc = send_welcome(fd, o, version);
	for (uint32_t i = 0; i < o->n_rings && rc == 0; i++)
		rc = send_ring(fd, &o->rings[i]);
	struct channel_msg m = {.type = CHANNEL_STATS};
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

/* Secrets are taken from nobody who could not write the key log itself: root, or whoever started this (not whom it became then). */
static bool
may_bring_keys(const struct attach *a, int fd)
{
	struct ucred who;
	socklen_t n = sizeof who;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && (who.uid == 0 || who.uid == a->uid);
}

static int
admit_keys(struct attach *a, const struct attach_offer *o, uint32_t version)
{
	if (version < CHANNEL_VERSION_ROLES || !may_bring_keys(a, a->pending_fd))
		return -EPERM;
	int rc = send_welcome(a->pending_fd, o, version);
	if (rc == 0) {
		hang_up(&a->keys_fd);
		a->keys_fd = a->pending_fd;
	}
	return rc;
}

static int
admit_control(struct attach *a, const struct attach_offer *o, uint32_t version)
{
	int rc = send_offer(a->pending_fd, o, version);
	if (rc == 0) {
		hang_up(&a->control_fd);
		a->control_fd = a->pending_fd;
		a->version = version;
		a->attached++;
	}
	return rc;
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
	rc = -EPROTO;
	if (ours && m.u.hello.role == CHANNEL_ROLE_CONTROL)
		rc = admit_control(a, o, version);
	else if (ours && m.u.hello.role == CHANNEL_ROLE_KEYS)
		rc = admit_keys(a, o, version);
	if (rc != 0)
		hang_up(&a->pending_fd);
	a->pending_fd = -1;
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

static int
answer(int fd, uint64_t number, int status)
{
	struct channel_msg m = {.type = CHANNEL_SAID};
	m.u.said.number = number;
	m.u.said.status = (uint32_t)status;
	return channel_send(fd, &m, NULL, 0);
}

/* 0, or -errno: the end of that peer. */
static int
take_keys(struct attach *a, const struct attach_offer *o, const struct channel_msg *m, int fd)
{
	size_t n;
	const char *text = shm_map_fixed(fd, CHANNEL_KEYS_BYTES_MAX, &n);
	int rc = text == NULL || o->keys == NULL ? -EINVAL : o->keys(o->keys_ctx, text, n);
	if (text != NULL)
		munmap((void *)(uintptr_t)text, n);
	a->keys++;
	a->keys_refused += rc != 0;
	return answer(a->keys_fd, m->u.blob.number, rc == 0 ? CHANNEL_OK : CHANNEL_REFUSED);
}

static int
take_profile(struct attach *a, const struct attach_offer *o, const struct channel_msg *m, int fd)
{
	char said[sizeof o->stats->said.text] = "this dataplane takes no profile while it runs";
	size_t n;
	int status = CHANNEL_REFUSED;
	const char *text = shm_map_fixed(fd, CHANNEL_PROFILE_BYTES_MAX, &n);
	if (text == NULL)
		snprintf(said, sizeof said, "the profile did not come as a sealed text of at most %u bytes", CHANNEL_PROFILE_BYTES_MAX);
	else if (o->profile != NULL)
		status = o->profile(o->profile_ctx, text, n, said, sizeof said);
	if (text != NULL)
		munmap((void *)(uintptr_t)text, n);
	a->profiles++;
	a->profiles_refused += status == CHANNEL_REFUSED;
	if (o->stats != NULL) {
		struct stats_said *s = &o->stats->said;
		memcpy(s->text, said, sizeof s->text);
		s->status = (uint32_t)status;
		atomic_store_explicit(&s->number, m->u.blob.number, memory_order_release);
	}
	return answer(a->control_fd, m->u.blob.number, status);
}

/* 0, or -errno: whatever control says but its memory and profiles is its end. */
static int
heed_control(struct attach *a, const struct attach_offer *o, const struct channel_msg *m, int fd)
{
	if (m->type == CHANNEL_PROFILE && a->version >= CHANNEL_VERSION_ROLES)
		return take_profile(a, o, m, fd);
	if (m->type != CHANNEL_MEMORY || a->version < CHANNEL_VERSION_MEMORY)
		return -EPROTO;
	take_memory(a, o, fd);
	return 0;
}

static int
heed_keys(struct attach *a, const struct attach_offer *o, const struct channel_msg *m, int fd)
{
	return m->type == CHANNEL_KEYS ? take_keys(a, o, m, fd) : -EPROTO;
}

static void
watch(struct attach *a, const struct attach_offer *o, int *peer,
	int (*heed)(struct attach *, const struct attach_offer *, const struct channel_msg *, int))
{
	struct channel_msg m;
	int fds[CHANNEL_FDS_MAX];
	unsigned n_fds;
	int rc = channel_recv(*peer, &m, fds, CHANNEL_FDS_MAX, &n_fds);
	if (rc == 0)
		return;
	bool heeded = rc == 1 && heed(a, o, &m, n_fds > 0 ? fds[0] : -1) == 0;
	while (n_fds > 0)
		close(fds[--n_fds]);
	if (!heeded)
		hang_up(peer);
}

void
attach_poll(struct attach *a, const struct attach_offer *offer, uint64_t now_ns)
{
	if (a->pending_fd >= 0)
		serve_pending(a, offer, now_ns); /* before another takes its place: control and keys may come at once */
	int fd = accept4(a->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		hang_up(&a->pending_fd);
		a->pending_fd = fd;
		a->pending_since_ns = now_ns;
		serve_pending(a, offer, now_ns);
	}
	if (a->control_fd >= 0)
		watch(a, offer, &a->control_fd, heed_control);
	if (a->keys_fd >= 0)
		watch(a, offer, &a->keys_fd, heed_keys);
}

void
attach_close(struct attach *a)
{
	hang_up(&a->pending_fd);
	hang_up(&a->control_fd);
	hang_up(&a->keys_fd);
	hang_up(&a->listen_fd);
	if (a->path[0] != '\0')
		unlink(a->path);
	a->path[0] = '\0';
}
