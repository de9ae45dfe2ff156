/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keys/sandbox.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define USUAL(call, why, ...) {call, 0, CONFINE_USUAL, 0, NULL, {__VA_ARGS__}, why}
#define SOME(call, why, ...) {call, 0, CONFINE_SOME, 0, NULL, {__VA_ARGS__}, why}
#define RARE(call, why, ...) {call, 0, CONFINE_RARE, 0, NULL, {__VA_ARGS__}, why}
#define PROBES(call, why, ...) {call, 0, CONFINE_SOME, KEYS_SANDBOX_PROBES, "--geth", {__VA_ARGS__}, why}

/* clang-format off */
static const struct confine_call calls[] = {
	/* waiting */
	USUAL("poll", "sessions, sockets and written programs are waited for"),
	RARE("restart_syscall", "the same, after a stop signal or a debugger"),
	RARE("clock_gettime", "the time, on machines whose clock cannot be read without the kernel"),
	RARE("clock_nanosleep", "a pause between attempts"),
	/* key logs, and programs of nodes */
	SOME("openat", "a key log that takes another's place; a node that is started again; how probes are placed"),
	USUAL("newfstatat", "whether a file is still the same, whose it is, how long"),
	RARE("fstat", "the same, by other C libraries"),
	SOME("geteuid", "whether a key log belongs to somebody else"),
	SOME("pread64", "what key logs have more; programs of nodes"),
	SOME("read", "which programs were written to; lists of processes"),
	SOME("lseek", "the same"),
	RARE("readlink", "which program a process runs"),
	PROBES("inotify_add_watch", "a program that is written in place is noticed before it runs"),
	PROBES("inotify_rm_watch", "the same ends"),
	USUAL("close", "a file or connection has served"),
	/* the dataplane */
	USUAL("socket", "to the dataplane", CONFINE_INT(0, "family", AF_UNIX)),
	USUAL("connect", "the same"),
	SOME("sendmsg", "the same: a memory file of sessions"),
	SOME("recvmsg", "the same: what became of it"),
	SOME("memfd_create", "sessions to hand over"),
	SOME("fallocate", "memory for them"),
	USUAL("write", "they are written; what is said on stderr"),
	SOME("fcntl", "they are sealed", CONFINE_INT(1, "cmd", F_ADD_SEALS)),
	RARE("fcntl", "flags of a file that a library has opened", CONFINE_INT(1, "cmd", F_GETFL)),
	RARE("fcntl", "a descriptor that a library wants above the first three", CONFINE_INT(1, "cmd", F_DUPFD_CLOEXEC)),
	SOME("sendto", "readiness to systemd, through a socket that was connected before", CONFINE_ARG(4, "address", NULL)),
	RARE("getpid", "which process this is"),
	/* probes */
	PROBES("perf_event_open", "a probe is placed in a program"),
	PROBES("ioctl", "the program in the kernel is tied to it", CONFINE_INT(1, "request", PERF_EVENT_IOC_SET_BPF)),
	PROBES("ioctl", "it begins", CONFINE_INT(1, "request", PERF_EVENT_IOC_ENABLE)),
	PROBES("ioctl", "it ends", CONFINE_INT(1, "request", PERF_EVENT_IOC_DISABLE)),
	PROBES("bpf", "the same, on kernels with links; no program or map is loaded any more", CONFINE_INT(0, "cmd", BPF_LINK_CREATE)),
	PROBES("capset", "the rights that probes take, for as long as one is placed"),
	PROBES("capget", "the same"),
	PROBES("prctl", "the same: which sets there are", CONFINE_INT(0, "option", PR_CAPBSET_READ)),
	PROBES("prctl", "the same", CONFINE_INT(0, "option", PR_CAP_AMBIENT), CONFINE_INT(1, "what", PR_CAP_AMBIENT_IS_SET)),
	/* memory */
	SOME("mmap", "the heap, programs of nodes; never to be executed", CONFINE_NONE_OF(2, "prot", PROT_EXEC)),
	USUAL("munmap", "the same is given back"),
	RARE("mremap", "a large block of the heap grows"),
	RARE("mprotect", "the heap grows or shrinks; nothing becomes executable", CONFINE_NONE_OF(2, "prot", PROT_EXEC)),
	SOME("brk", "the heap grows or shrinks"),
	RARE("madvise", "the heap gives pages back"),
	RARE("getrandom", "keys of tables"),
	/* the end */
	USUAL("rt_sigreturn", "a signal has been handled"),
	RARE("writev", "the C library's last words before it aborts"),
	RARE("rt_sigprocmask", "abort()"),
	RARE("gettid", "the same"),
	RARE("tgkill", "the same: a signal to itself alone", CONFINE_OWN(0, "tgid")),
	RARE("rt_sigaction", "the same", CONFINE_INT(0, "sig", SIGABRT)),
	USUAL("exit_group", "the end"),
};
/* clang-format on */

const struct confine_table keys_sandbox_table = {
	.program = "sentinel-keys",
	.after = "once its key logs and the nodes that run are found, and its probes are placed there",
	.call = calls,
	.n = sizeof calls / sizeof calls[0],
};

int
keys_sandbox_enter(bool probes, char *err, size_t cap)
{
	return confine_sanitized() ? 0 : confine_calls(&keys_sandbox_table, probes ? KEYS_SANDBOX_PROBES : 0, err, cap);
}
