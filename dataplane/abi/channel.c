/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/channel.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4

static int
address_of(const char *path, struct sockaddr_un *a)
{
	size_t n = strlen(path);
	if (n == 0 || n >= sizeof a->sun_path)
		return -ENAMETOOLONG;
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(a->sun_path, path, n);
	return 0;
}

static int
socket_new(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

int
channel_connect(const char *path)
{
	struct sockaddr_un a;
	int rc = address_of(path, &a);
	if (rc != 0)
		return rc;
	int fd = socket_new();
	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/* Stale: a socket file to which nobody listens. Everything else is left alone. */
static bool
is_stale(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return false;
	int fd = channel_connect(path);
	if (fd >= 0)
		close(fd);
	return fd == -ECONNREFUSED;
}

static int
bind_listen(int fd, const char *path, const struct sockaddr_un *a)
{
	/* The socket's own mode is what bind gives the file, so that it never is open to others. */
	if (fchmod(fd, 0600) != 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)a, sizeof *a) != 0) {
		if (errno != EADDRINUSE)
			return -errno;
		if (!is_stale(path))
			return -EADDRINUSE;
		if (unlink(path) != 0 || bind(fd, (const struct sockaddr *)a, sizeof *a) != 0)
			return -errno;
	}
	if (chmod(path, 0660) == 0 && listen(fd, BACKLOG) == 0)
		return 0;
	int err = errno;
	unlink(path);
	return -err;
}

int
channel_listen(const char *path)
{
	struct sockaddr_un a;
	int rc = address_of(path, &a);
	if (rc != 0)
		return rc;
	int fd = socket_new();
	if (fd < 0)
		return fd;
	rc = bind_listen(fd, path, &a);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	return fd;
}

union control_buf {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
};

int
channel_send(int fd, const struct channel_msg *m, const int *fds, unsigned n_fds)
{
	if (n_fds > CHANNEL_FDS_MAX)
		return -EINVAL;
	struct channel_msg copy = *m;
	copy.magic = CHANNEL_MAGIC;
	copy.n_fds = (uint16_t)n_fds;
	struct iovec iov = {&copy, sizeof copy};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	union control_buf control = {0};
	if (n_fds > 0) {
		h.msg_control = control.bytes;
		h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Takes the fds out of the control messages: the first `max` to fds[], the rest closed. Returns how many were
 * kept; *n_came is how many there were. */
static unsigned
take_fds(struct msghdr *h, int *fds, unsigned max, unsigned *n_came)
{
	unsigned n = 0;
	*n_came = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
			(*n_came)++;
			if (n < max)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

int
channel_msg_check(const struct channel_msg *m, size_t bytes)
{
	static const uint8_t fds_of[] = {[CHANNEL_HELLO] = 0,
		[CHANNEL_WELCOME] = 0,
		[CHANNEL_RING] = 3,
		[CHANNEL_STATS] = 1,
		[CHANNEL_BUNDLE_META] = 1,
		[CHANNEL_MEMORY] = 1,
		[CHANNEL_KEYS] = 1,
		[CHANNEL_PROFILE] = 1,
		[CHANNEL_SAID] = 0};
	if (bytes != sizeof *m || m->magic != CHANNEL_MAGIC || m->type < CHANNEL_HELLO ||
		m->type > CHANNEL_TYPE_MAX || m->n_fds != fds_of[m->type])
		return -EPROTO;
	return 0;
}

int
channel_recv(int fd, struct channel_msg *m, int *fds, unsigned max, unsigned *n_fds)
{
	struct iovec iov = {m, sizeof *m};
	union control_buf control = {0};
	/* Not CMSG_SPACE: its padding has room for one fd too many. */
	struct msghdr h = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_LEN(CHANNEL_FDS_MAX * sizeof(int))};
	*n_fds = 0;
	memset(m, 0, sizeof *m);
	ssize_t n;
	do
		n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	unsigned came, got = take_fds(&h, fds, max, &came);
	if (n > 0 && (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 && channel_msg_check(m, (size_t)n) == 0 &&
		came == m->n_fds && got == came) {
		*n_fds = got;
		return 1;
	}
	while (got > 0)
		close(fds[--got]);
	return n == 0 ? -EPIPE : -EPROTO;
}
