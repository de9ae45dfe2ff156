/* SPDX-License-Identifier: BSD-3-Clause */
/* Channel: messages and fds over the socket, and every way a peer can get them wrong. No fd may leak. */
#include "abi/channel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	char dir[64], path[80];
	int end[2];
	unsigned fds;
};

static unsigned
fds_open(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	strcpy(f->dir, "/tmp/sentinel-channel-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof f->path, "%s/c", f->dir);
	f->fds = fds_open();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, f->end), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	close(f->end[0]);
	close(f->end[1]);
	assert_int_equal(fds_open(), f->fds);
	unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

/* Sends what channel_send would not. */
static void
send_raw(int fd, const void *bytes, size_t n, unsigned n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t)bytes, n};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	if (n_fds > 0) {
		h.msg_control = &control;
		h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (unsigned i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof fd);
	}
	assert_int_equal(sendmsg(fd, &h, MSG_NOSIGNAL), n);
}

static struct channel_msg
message(uint16_t type, uint16_t n_fds)
{
	struct channel_msg m;
	memset(&m, 0, sizeof m);
	m.magic = CHANNEL_MAGIC;
	m.type = type;
	m.n_fds = n_fds;
	return m;
}

static const unsigned fds_of[] = {[CHANNEL_HELLO] = 0,
	[CHANNEL_WELCOME] = 0,
	[CHANNEL_RING] = 3,
	[CHANNEL_STATS] = 1,
	[CHANNEL_BUNDLE_META] = 1,
	[CHANNEL_MEMORY] = 1,
	[CHANNEL_KEYS] = 1,
	[CHANNEL_PROFILE] = 1,
	[CHANNEL_SAID] = 0};
_Static_assert(sizeof fds_of / sizeof fds_of[0] == CHANNEL_TYPE_MAX + 1, "every type");

static void
every_type_arrives(void **state)
{
	struct fixture *f = *state;
	for (uint16_t type = CHANNEL_HELLO; type <= CHANNEL_TYPE_MAX; type++) {
		struct channel_msg m = {.type = type}, got;
		int send_fds[3] = {f->end[0], f->end[1], STDERR_FILENO}, fds[3] = {-1, -1, -1};
		unsigned n = 99;
		for (unsigned i = 0; i < sizeof m.u.bytes; i++)
			m.u.bytes[i] = (uint8_t)(i * type);
		assert_int_equal(channel_send(f->end[0], &m, send_fds, fds_of[type]), 0);
		assert_int_equal(channel_recv(f->end[1], &got, fds, 3, &n), 1);
		assert_int_equal(n, fds_of[type]);
		assert_int_equal(got.type, type);
		assert_memory_equal(&got.u, &m.u, sizeof m.u);
		for (unsigned i = 0; i < n; i++) {
			struct stat a, b;
			assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
			assert_int_equal(fstat(fds[i], &a), 0);
			assert_int_equal(fstat(send_fds[i], &b), 0);
			assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
			close(fds[i]);
		}
	}
}

static void
assert_refused(struct fixture *f, unsigned max)
{
	struct channel_msg got;
	int fds[4];
	unsigned n = 99, open = fds_open();
	assert_int_equal(channel_recv(f->end[1], &got, fds, max, &n), -EPROTO);
	assert_int_equal(n, 0);
	assert_int_equal(fds_open(), open);
}

static void
wrong_sizes(void **state)
{
	struct fixture *f = *state;
	char bytes[200] = {0};
	struct channel_msg m = message(CHANNEL_STATS, 1);
	memcpy(bytes, &m, sizeof m);
	for (size_t n = 1; n <= sizeof bytes; n++) {
		if (n == sizeof m)
			continue;
		send_raw(f->end[0], bytes, n, 1);
		assert_refused(f, 3);
	}
}

static void
wrong_fds(void **state)
{
	struct fixture *f = *state;
	for (uint16_t type = CHANNEL_HELLO; type <= CHANNEL_TYPE_MAX; type++) {
		for (unsigned sent = 0; sent <= 16; sent++) {
			for (uint16_t claimed = 0; claimed <= 4; claimed++) {
				if (sent == fds_of[type] && claimed == sent)
					continue;
				struct channel_msg m = message(type, claimed);
				send_raw(f->end[0], &m, sizeof m, sent);
				assert_refused(f, 3);
			}
		}
	}
}

/* The caller has room for fewer than were sent: none is kept, even if its room is what the type calls for. */
static void
more_fds_than_room(void **state)
{
	struct fixture *f = *state;
	struct channel_msg stats = message(CHANNEL_STATS, 1), ring = message(CHANNEL_RING, 3);
	send_raw(f->end[0], &stats, sizeof stats, 2);
	assert_refused(f, 1);
	send_raw(f->end[0], &stats, sizeof stats, 1);
	assert_refused(f, 0);
	for (unsigned max = 0; max < 3; max++) {
		send_raw(f->end[0], &ring, sizeof ring, 3);
		assert_refused(f, max);
	}
}

static void
wrong_words(void **state)
{
	struct fixture *f = *state;
	struct channel_msg m = message(CHANNEL_HELLO, 0);
	m.magic ^= 1;
	send_raw(f->end[0], &m, sizeof m, 0);
	assert_refused(f, 3);
	static const uint16_t types[] = {0, CHANNEL_TYPE_MAX + 1, 255, 256, UINT16_MAX};
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		m = message(types[i], 0);
		send_raw(f->end[0], &m, sizeof m, 0);
		assert_refused(f, 3);
		m = message(types[i], 3);
		send_raw(f->end[0], &m, sizeof m, 3);
		assert_refused(f, 3);
	}
}

static void
nothing_and_the_end(void **state)
{
	struct fixture *f = *state;
	struct channel_msg m = message(CHANNEL_HELLO, 0), got;
	int fds[3];
	unsigned n = 1;
	assert_int_equal(channel_recv(f->end[1], &got, fds, 3, &n), 0);
	assert_int_equal(n, 0);
	/* What was sent before the end still comes. */
	assert_int_equal(channel_send(f->end[0], &m, NULL, 0), 0);
	shutdown(f->end[0], SHUT_RDWR);
	assert_int_equal(channel_recv(f->end[1], &got, fds, 3, &n), 1);
	assert_int_equal(channel_recv(f->end[1], &got, fds, 3, &n), -EPIPE);
	assert_int_equal(channel_send(f->end[1], &m, NULL, 0), -EPIPE);
	assert_int_equal(channel_recv(-1, &got, fds, 3, &n), -EBADF);
}

/* An empty packet with fds: the end, and the fds are not kept. */
static void
empty_packet(void **state)
{
	struct fixture *f = *state;
	struct channel_msg got;
	int fds[3];
	unsigned n;
	send_raw(f->end[0], "", 0, 2);
	assert_int_equal(channel_recv(f->end[1], &got, fds, 3, &n), -EPIPE);
}

static void
a_peer_that_does_not_read(void **state)
{
	struct fixture *f = *state;
	struct channel_msg m = message(CHANNEL_RING, 3);
	const int fds[3] = {f->end[0], f->end[0], f->end[0]};
	int rc = 0;
	for (unsigned i = 0; i < 100000 && rc == 0; i++)
		rc = channel_send(f->end[0], &m, fds, 3);
	assert_true(rc == -EAGAIN || rc == -ETOOMANYREFS);
	assert_int_equal(channel_send(f->end[0], &m, fds, 4), -EINVAL);
}

static void
listens_and_connects(void **state)
{
	struct fixture *f = *state;
	struct channel_msg m = message(CHANNEL_HELLO, 0), got;
	int fds[3];
	unsigned n;
	struct stat st;
	assert_int_equal(channel_connect(f->path), -ENOENT);
	mode_t mask = umask(0);
	int listener = channel_listen(f->path);
	umask(mask);
	assert_true(listener >= 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0660);
	assert_true(fcntl(listener, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(listener, F_GETFL) & O_NONBLOCK);
	assert_int_equal(accept4(listener, NULL, NULL, 0), -1);
	int c = channel_connect(f->path);
	assert_true(c >= 0);
	assert_true(fcntl(c, F_GETFL) & O_NONBLOCK);
	int s = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(s >= 0);
	assert_int_equal(channel_send(c, &m, NULL, 0), 0);
	assert_int_equal(channel_recv(s, &got, fds, 3, &n), 1);
	close(c);
	assert_int_equal(channel_recv(s, &got, fds, 3, &n), -EPIPE);
	close(s);
	close(listener);
}

static void
live_is_refused_stale_is_replaced(void **state)
{
	struct fixture *f = *state;
	int first = channel_listen(f->path);
	assert_true(first >= 0);
	assert_int_equal(channel_listen(f->path), -EADDRINUSE);
	int c = channel_connect(f->path); /* and the live one still answers */
	assert_true(c >= 0);
	close(c);
	close(first);
	assert_int_equal(channel_connect(f->path), -ECONNREFUSED);
	int second = channel_listen(f->path);
	assert_true(second >= 0);
	c = channel_connect(f->path);
	assert_true(c >= 0);
	close(c);
	close(second);
}

/* Whose backlog is full is alive all the same. */
static void
busy_is_not_stale(void **state)
{
	struct fixture *f = *state;
	int listener = channel_listen(f->path), c[64], n = 0;
	assert_true(listener >= 0);
	while (n < 64 && (c[n] = channel_connect(f->path)) >= 0)
		n++;
	assert_true(n < 64);
	assert_int_equal(c[n], -EAGAIN);
	assert_int_equal(channel_listen(f->path), -EADDRINUSE);
	while (n > 0)
		close(c[--n]);
	close(listener);
}

static void
other_files_are_left_alone(void **state)
{
	struct fixture *f = *state;
	char target[96];
	int fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(channel_listen(f->path), -EADDRINUSE);
	assert_int_equal(access(f->path, F_OK), 0);
	unlink(f->path);
	/* A link to a stale socket is not the socket. */
	snprintf(target, sizeof target, "%s/t", f->dir);
	close(channel_listen(target));
	assert_int_equal(symlink(target, f->path), 0);
	assert_int_equal(channel_listen(f->path), -EADDRINUSE);
	assert_int_equal(access(target, F_OK), 0);
	unlink(target);
	unlink(f->path);
	/* A socket of another kind, with somebody behind it. */
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	strcpy(a.sun_path, f->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(channel_listen(f->path), -EADDRINUSE);
	close(fd);
}

static void
bad_paths(void **state)
{
	char longest[200];
	memset(longest, 'x', sizeof longest);
	longest[199] = '\0';
	assert_int_equal(channel_listen(longest), -ENAMETOOLONG);
	assert_int_equal(channel_connect(longest), -ENAMETOOLONG);
	assert_int_equal(channel_listen(""), -ENAMETOOLONG);
	assert_int_equal(channel_listen("/nonexistent/folder/c"), -ENOENT);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_type_arrives),
		T(wrong_sizes),
		T(wrong_fds),
		T(more_fds_than_room),
		T(wrong_words),
		T(nothing_and_the_end),
		T(empty_packet),
		T(a_peer_that_does_not_read),
		T(listens_and_connects),
		T(live_is_refused_stale_is_replaced),
		T(busy_is_not_stale),
		T(other_files_are_left_alone),
		T(bad_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
