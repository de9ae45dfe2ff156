/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/confine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FDS_MAX 96u
#define FDS_LOOKED_AT 65536u

/* libseccomp knows no "none of these": a filter of its own, which the kernel asks too; the stricter answer counts. */
struct voices {
	int silent[FDS_MAX], bound[FDS_MAX]; /* bound: to their peer */
	unsigned n_silent, n_bound;
};

static int
option(int fd, int name)
{
	int value = -1;
	socklen_t n = sizeof value;
	return getsockopt(fd, SOL_SOCKET, name, &value, &n) == 0 ? value : -1;
}

static bool
sort(struct voices *v, int fd)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof peer;
	int domain = option(fd, SO_DOMAIN), type = option(fd, SO_TYPE);
	if (domain < 0 || (domain == AF_UNIX && (type == SOCK_SEQPACKET || type == SOCK_STREAM)))
		return true;
	bool bound = domain == AF_UNIX && getpeername(fd, (struct sockaddr *)&peer, &n) == 0;
	unsigned *count = bound ? &v->n_bound : &v->n_silent;
	if (*count == FDS_MAX)
		return false;
	(bound ? v->bound : v->silent)[(*count)++] = fd;
	return true;
}

static unsigned
add(struct sock_filter *f, unsigned n, struct sock_filter one)
{
	f[n] = one;
	return n + 1;
}

static unsigned
trap_if_one_of(struct sock_filter *f, unsigned n, const int *fd, unsigned n_fd)
{
	n = add(f, n, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])));
	for (unsigned i = 0; i < n_fd; i++) {
		n = add(f, n, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fd[i], 0, 1));
		n = add(f, n, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
	}
	return n;
}

/* Calls of another architecture are the table's to refuse. */
static unsigned
make(struct sock_filter *f, const struct voices *v)
{
	static const long always[] = {SYS_write, SYS_writev, SYS_pwrite64, SYS_pwritev, SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_sendfile, SYS_splice};
	const unsigned calls = sizeof always / sizeof always[0];
	const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
				 number = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	unsigned n = add(f, 0, number);
	/* a send: to what follows; anything else: allowed */
	for (unsigned i = 0; i < calls; i++)
		n = add(f, n, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)always[i], (uint8_t)(calls - i), 0));
	n = add(f, n, allow);
	n = trap_if_one_of(f, n, v->silent, v->n_silent);
	n = add(f, n, number);
	n = add(f, n, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 1, 0));
	n = add(f, n, allow);
	n = trap_if_one_of(f, n, v->bound, v->n_bound);
	return add(f, n, allow);
}

int
confine_mute(char *err, size_t cap)
{
	struct voices v = {.n_silent = 0};
	struct sock_filter f[4 * FDS_MAX + 64];
	struct rlimit files;
	rlim_t highest = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FDS_LOOKED_AT ? files.rlim_cur : FDS_LOOKED_AT;
	for (rlim_t fd = 0; fd < highest; fd++) {
		if (!sort(&v, (int)fd)) {
			snprintf(err, cap, "more than %u sockets that must not send", FDS_MAX);
			return -E2BIG;
		}
	}
	struct sock_fprog program = {(unsigned short)make(f, &v), f};
	long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
	if (rc == 0)
		return 0;
	snprintf(err, cap, "the kernel does not take the list of sockets that must not send: %s; it needs CONFIG_SECCOMP_FILTER", rc > 0 ? "a thread refuses" : strerror(errno));
	return rc > 0 ? -EBUSY : -errno;
}
