/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sandbox.h"

#include "abi/confine_lines.h"
#include "abi/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define REFUSE(call, err, why, ...) {call, err, CONFINE_RARE, 0, NULL, {__VA_ARGS__}, why}

/* clang-format off */
static const struct confine_call calls[] = {
	/* waiting and threads */
	USUAL("clock_nanosleep", "the drain between its turns; the journal waits for a lock"),
	RARE("restart_syscall", "a sleep that a stop signal or a debugger has interrupted goes on"),
	RARE("clock_gettime", "the time, on machines whose clock cannot be read without the kernel"),
	USUAL("futex", "its threads wait for each other"),
	USUAL("poll", "consumers and nodes are waited for"),
	RARE("sched_yield", "a lock of the database or of the C library is busy"),
	RARE("sched_getaffinity", "the heap counts CPUs once, when a second thread first asks it for memory"),
	RARE("getrandom", "keys of hash tables; the database's temporary names"),
	SOME("rseq", "a thread begins"),
	SOME("set_robust_list", "the same"),
	USUAL("rt_sigprocmask", "the same"),
	SOME("clone", "a thread that looks a node's name up; no process", CONFINE_ALL_OF(0, "flags", CLONE_VM | CLONE_THREAD)),
	REFUSE("clone3", ENOSYS, "the C library then asks by clone, whose flags can be seen"),
	USUAL("exit", "a thread ends"),
	RARE("gettid", "which thread this is, for the C library's abort()"),
	RARE("tgkill", "a signal to itself alone, by abort()", CONFINE_OWN(0, "tgid")),
	RARE("rt_sigaction", "abort()", CONFINE_INT(0, "sig", SIGABRT)),
	SOME("rt_sigaction", "libcurl looks whether SIGPIPE is ignored, and ignores it", CONFINE_INT(0, "sig", SIGPIPE)),
	SOME("rt_sigreturn", "a signal has been handled"),
	USUAL("exit_group", "the end"),
	USUAL("getpid", "which process holds the database"),
	SOME("geteuid", "whether the database's files are root's"),
	/* memory */
	USUAL("mmap", "the heap, memory files, the journal's index; never to be executed", CONFINE_NONE_OF(2, "prot", PROT_EXEC)),
	USUAL("munmap", "the same is given back"),
	RARE("mremap", "a large block of the heap grows"),
	SOME("mprotect", "the heap of a thread grows; nothing becomes executable", CONFINE_NONE_OF(2, "prot", PROT_EXEC)),
	SOME("brk", "the heap grows or shrinks"),
	SOME("madvise", "the heap and ended threads give pages back"),
	SOME("memfd_create", "what it remembers goes to the dataplane as a sealed memory file"),
	SOME("fallocate", "memory for it"),
	/* files: of the journal's folder alone, by Landlock */
	USUAL("openat", "files of the journal; names of hosts"),
	USUAL("newfstatat", "how long they are"),
	RARE("fstat", "the same, by other C libraries"),
	USUAL("read", "wake-ups between threads; the files of host names"),
	USUAL("pread64", "reading the journal"),
	USUAL("pwrite64", "writing it"),
	USUAL("fdatasync", "making it durable"),
	RARE("fsync", "the same, with what the system knows about the file"),
	USUAL("fcntl", "locks of the database; seals of memory files; flags of sockets"),
	SOME("ftruncate", "its index and its log change size"),
	SOME("lseek", "host names; an append to a file"),
	USUAL("unlink", "an old journal file is retired; the socket at the end"),
	RARE("rename", "a store that cannot be read is put aside"),
	RARE("access", "whether a file of the database is there"),
	RARE("readlink", "whether a file's name is a link, which is not followed"),
	RARE("getcwd", "the full name of a journal that was named from here"),
	RARE("fchmod", "a file of the database gets the mode of its elder"),
	SOME("fchown", "the same with its owner, as root"),
	/* sockets */
	USUAL("accept4", "consumers and sentinelctl connect"),
	USUAL("recvfrom", "what they say, and what nodes answer"),
	USUAL("sendto", "what they are told; requests to nodes; readiness to systemd"),
	USUAL("recvmsg", "the dataplane's channel; the kernel's list of addresses"),
	USUAL("sendmsg", "the channel"),
	USUAL("close", "a file or connection has served"),
	USUAL("write", "wake-ups between threads; what is said on stderr; memory files"),
	RARE("writev", "the C library's last words before it aborts"),
	USUAL("socket", "to the dataplane, or to a node on this host", CONFINE_INT(0, "family", AF_UNIX)),
	SOME("socket", "to a node", CONFINE_INT(0, "family", AF_INET)),
	SOME("socket", "the same", CONFINE_INT(0, "family", AF_INET6)),
	SOME("socket", "which addresses this host has, for names of nodes", CONFINE_INT(0, "family", AF_NETLINK), CONFINE_INT(2, "protocol", NETLINK_ROUTE)),
	RARE("bind", "the same; an address of one's own is not served"),
	USUAL("connect", "to the dataplane and to nodes"),
	SOME("getsockname", "how a connection to a node is made"),
	SOME("getpeername", "the same"),
	SOME("setsockopt", "the same"),
	USUAL("getsockopt", "the same; who a consumer is"),
	RARE("sendmmsg", "a name server is asked"),
	RARE("ioctl", "how long its answer is", CONFINE_INT(1, "request", FIONREAD)),
	RARE("uname", "the name of this host, for names of nodes"),
	SOME("socketpair", "a thread that looks a name up tells that it has"),
	RARE("shutdown", "a connection ends"),
	RARE("prlimit64", "how many files may be open", CONFINE_ARG(2, "new", NULL)),
};
/* clang-format on */

const struct confine_table control_sandbox_table = {
	.program = "sentinel-control",
	.after = "once the journal is open, consumers can connect and the priority is taken, in all its threads",
	.call = calls,
	.n = sizeof calls / sizeof calls[0],
};

int
control_sandbox_paths(const struct control_options *o, char *err, size_t cap)
{
	char socket_path[512];
	struct stat st;
	if (o->no_sandbox || confine_sanitized())
		return 0;
	mkdir(o->journal, 0750);
	if (stat(o->journal, &st) != 0) /* who opens the journal says why */
		return 0;
	snprintf(socket_path, sizeof socket_path, "%s", o->socket);
	const struct confine_path paths[] = {
		{o->journal, CONFINE_WRITE},
		{dirname(socket_path), CONFINE_SOCKET},
		{"/dev/urandom", CONFINE_READ},
		{"/etc", CONFINE_READ}, /* hosts, resolv.conf, nsswitch.conf */
		{"/run/systemd/resolve", CONFINE_READ},
		{"/usr", CONFINE_READ}, /* libraries */
		{"/lib", CONFINE_READ},
		{"/lib64", CONFINE_READ},
		{"/proc/self", CONFINE_READ}, /* its own threads, when it gives privileges up */
		{"/sys/devices/system/cpu", CONFINE_READ},
	};
	int rc = confine_paths(paths, sizeof paths / sizeof paths[0], err, cap);
	if (rc == 0)
		log_say(NULL, LOG_NOTE, "the kernel has no Landlock (5.13 or later, lsm=landlock): which files it may open is up to their permissions alone");
	return rc < 0 ? rc : 0;
}

/* Names of hosts are looked up by libraries that the C library loads when first asked: not later, when nothing can be loaded. It asks them one after the
 * other while none has an answer, and a name server that is dead shall not keep control from its work: it gets a second, in this thread. The dot
 * at the end: not once more for each domain of resolv.conf. */
void
control_sandbox_resolver(const struct control_options *o)
{
	struct addrinfo *a;
	if (o->no_sandbox || confine_sanitized() || !vet_needs_names(&o->vet))
		return;
	if (getaddrinfo("localhost", NULL, NULL, &a) == 0)
		freeaddrinfo(a);
	if (res_init() != 0)
		return;
	const int retrans = _res.retrans, retry = _res.retry, nscount = _res.nscount;
	_res.retrans = _res.retry = 1;
	_res.nscount = nscount > 1 ? 1 : nscount;
	if (getaddrinfo("no-such-host.invalid.", NULL, NULL, &a) == 0)
		freeaddrinfo(a);
	_res.retrans = retrans;
	_res.retry = retry;
	_res.nscount = nscount;
}

int
control_sandbox_enter(const struct control_options *o, char *err, size_t cap)
{
	if (o->no_sandbox) {
		log_say(NULL, LOG_WARN, "NO SANDBOX: --no-sandbox leaves this process all its rights. For debugging only");
		return 0;
	}
	int rc = confine_drop(NULL, err, cap);
	if (rc != 0)
		return rc;
	if (confine_sanitized()) {
		log_say(NULL, LOG_WARN, "a build with sanitizers: no list of system calls");
		return 0;
	}
	if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
		rc = -errno;
		snprintf(err, cap, "cannot limit itself: %s", strerror(-rc));
		return rc;
	}
	return confine_calls(&control_sandbox_table, 0, err, cap);
}
