/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keys/reader.h"

#include "abi/log.h"
#include "io/keys/privileges.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int asked = -1; /* the socket between the two */

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* ---- the one that reads ---- */

/* The file that is asked about; -1: nobody asks any more. */
static int
next_file(int from)
{
	char byte;
	union control c = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = sizeof c.bytes};
	int fd = -1;
	ssize_t n;
	while ((n = recvmsg(from, &h, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		;
	const struct cmsghdr *m = n == 1 ? CMSG_FIRSTHDR(&h) : NULL;
	if (m != NULL && m->cmsg_type == SCM_RIGHTS && m->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(m), sizeof fd);
	return fd;
}

static _Noreturn void
serve(int to, bool sandbox)
{
	struct reader_answer a;
	char err[256];
	int fd;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (privileges_none(sandbox, err, sizeof err) != 0) {
		log_say(NULL, LOG_FAULT, "%s", err);
		_exit(1);
	}
	while ((fd = next_file(to)) >= 0) {
		memset(&a, 0, sizeof a);
		a.rc = program_read(fd, &a.program, a.err, sizeof a.err);
		close(fd);
		struct iovec iov = {&a, sizeof a};
		struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
		if (sendmsg(to, &h, MSG_NOSIGNAL) != (ssize_t)sizeof a)
			break;
	}
	_exit(0);
}

/* ---- the one that asks ---- */

int
reader_start(bool sandbox, char *err, size_t cap)
{
	int pair[2];
	signal(SIGCHLD, SIG_IGN);
	int rc = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
	pid_t pid = rc == 0 ? fork() : -1;
	if (pid < 0) {
		rc = errno;
		snprintf(err, cap, "cannot start the process that reads programs: %s", strerror(rc));
		return -rc;
	}
	close(pair[pid != 0]);
	if (pid == 0)
		serve(pair[1], sandbox);
	asked = pair[0];
	return 0;
}

static bool
ask(int fd, struct reader_answer *a)
{
	char byte = 0;
	union control c = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.bytes, .msg_controllen = sizeof c.bytes};
	c.align = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
	memcpy(CMSG_DATA(&c.align), &fd, sizeof fd);
	if (asked < 0 || sendmsg(asked, &h, MSG_NOSIGNAL) != 1)
		return false;
	struct pollfd p = {asked, POLLIN, 0};
	int rc;
	while ((rc = poll(&p, 1, READER_PATIENCE_MS)) < 0 && errno == EINTR)
		;
	iov = (struct iovec){a, sizeof *a};
	h = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
	return rc == 1 && recvmsg(asked, &h, MSG_DONTWAIT) == (ssize_t)sizeof *a && (h.msg_flags & MSG_TRUNC) == 0;
}

int
reader_program(int fd, struct program *p, char *err, size_t cap)
{
	struct reader_answer a;
	struct program_id before, after;
	*p = (struct program){.row = -1};
	int rc = program_id(fd, &before);
	if (rc != 0) {
		snprintf(err, cap, "cannot be read: %s", strerror(-rc));
		return rc;
	}
	if (!ask(fd, &a) || !reader_believe(&a, &before)) {
		if (asked >= 0)
			close(asked);
		asked = -1;
		snprintf(err, cap, "was not understood in time, or ended the process that reads programs: no other is probed until sentinel-keys is started again");
		return -EPIPE;
	}
	*p = a.program;
	snprintf(err, cap, "%s", a.err);
	if (a.rc == 0 && (program_id(fd, &after) != 0 || !program_same(&before, &after))) {
		snprintf(err, cap, "is being written just now");
		return -EAGAIN;
	}
	return a.rc;
}
