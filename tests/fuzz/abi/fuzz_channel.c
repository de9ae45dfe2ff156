/* SPDX-License-Identifier: BSD-3-Clause */
/* The first byte: how many fds go with the message (low nibble) and how many the receiver has room for
 * (high); the rest is the message. No fd may be left over, and what is taken must be a message. */
#include "abi/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FDS_MAX 15

static int end[2], first_free;

static void
open_once(void)
{
	static int opened;
	if (opened++)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, end) != 0)
		abort();
	first_free = dup(end[0]);
	close(first_free);
}

static void
send_raw(const uint8_t *data, size_t size, unsigned n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t)data, size};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	if (n_fds > 0) {
		h.msg_control = &control;
		h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (unsigned i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &end[0], sizeof(int));
	}
	if (sendmsg(end[0], &h, MSG_NOSIGNAL) < 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct channel_msg m, checked;
	int fds[CHANNEL_FDS_MAX];
	open_once();
	if (size < 2 || size > 4096)
		return 0;
	unsigned sent = data[0] & 15, room = data[0] >> 4;
	unsigned n = 99;
	if (room > CHANNEL_FDS_MAX)
		room = CHANNEL_FDS_MAX;
	data++;
	size--;
	send_raw(data, size, sent);
	int rc = channel_recv(end[1], &m, fds, room, &n);
	memset(&checked, 0, sizeof checked);
	memcpy(&checked, data, size < sizeof checked ? size : sizeof checked);
	int valid = channel_msg_check(&checked, size);
	assert(valid == 0 || valid == -EPROTO);
	if (rc == 1) {
		assert(valid == 0 && n == sent && n == m.n_fds && n <= room);
		assert(memcmp(&m, &checked, sizeof m) == 0);
		for (unsigned i = 0; i < n; i++)
			assert(fcntl(fds[i], F_GETFD) == FD_CLOEXEC && close(fds[i]) == 0);
	} else {
		assert(rc == -EPROTO && n == 0);
		assert(valid != 0 || sent != checked.n_fds || sent > room);
	}
	int probe = dup(end[0]);
	assert(probe == first_free); /* the lowest number is free again: nothing leaked */
	close(probe);
	return 0;
}
