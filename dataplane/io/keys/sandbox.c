/* SPDX-License-Identifier: BSD-3-Clause */
/* The system calls that sentinel-keys may make once it has begun. It holds secrets of nodes and may place probes, so what it could be made to do by the
 * dataplane ends here. Programs are understood by a process of its own (reader.h), which has the lines without probes, and no capability. */
#include "io/keys/privileges.h"

#include "abi/confine_lines.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define PROBE(call, why, ...) {call, 0, CONFINE_SOME, PRIVILEGES_PROBES, "probes", {__VA_ARGS__}, why}

/* clang-format off */
static const struct confine_call calls[] = {
	/* the loop */
	USUAL("poll", "waits for sessions, for writes to programs, and for the dataplane"),
	RARE("restart_syscall", "a wait that a stop signal or a debugger has interrupted goes on"),
	RARE("clock_gettime", "the time, on machines whose clock cannot be read without the kernel"),
	USUAL("write", "what is said on stderr; sessions go into a memory file"),
	/* key logs and programs */
	SOME("openat", "a key log or a program that has taken another's place; never to write or to make one", CONFINE_NONE_OF(2, "flags", O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)),
	SOME("newfstatat", "whether one has"),
	RARE("fstat", "the same, by other C libraries"),
	RARE("stat", "the same"),
	SOME("pread64", "what they have in them"),
	SOME("geteuid", "whether the key log still belongs to nobody else"),
	USUAL("close", "one that has been read; a connection, a memory file, a probe that has served"),
	/* the channel */
	USUAL("socket", "the dataplane is looked for again", CONFINE_INT(0, "family", AF_UNIX)),
	USUAL("connect", "the same"),
	USUAL("getsockopt", "who listens there", CONFINE_INT(2, "option", SO_PEERCRED)),
	USUAL("sendmsg", "what goes to it, with a memory file"),
	USUAL("recvmsg", "what it says to that"),
	SOME("memfd_create", "the memory file with sessions"),
	SOME("mmap", "memory for a program that is read, and for lines; never to be executed", CONFINE_NONE_OF(2, "prot", PROT_EXEC)),
	SOME("munmap", "the same is given back"),
	RARE("mremap", "a large block of the heap grows"),
	SOME("brk", "the heap grows or shrinks"),
	RARE("madvise", "the heap gives pages back"),
	SOME("fallocate", "room in the memory file"),
	SOME("fcntl", "the memory file is sealed", CONFINE_INT(1, "cmd", F_ADD_SEALS)),
	RARE("getrandom", "the heap's own seed"),
	/* systemd */
	SOME("sendto", "readiness and state to systemd, through a socket that was connected before", CONFINE_ARG(4, "address", NULL)),
	/* probes */
	PROBE("read", "that somebody writes to a program; the kind of event that a probe is"),
	PROBE("capset", "the capabilities that placing a probe takes, turned on and off again"),
	PROBE("perf_event_open", "a probe in a program that is newer"),
	PROBE("ioctl", "it is turned on", CONFINE_INT(1, "request", PERF_EVENT_IOC_ENABLE)),
	PROBE("ioctl", "it is turned off", CONFINE_INT(1, "request", PERF_EVENT_IOC_DISABLE)),
	PROBE("bpf", "it is joined to the program that reads the secrets", CONFINE_INT(0, "cmd", BPF_LINK_CREATE)),
	PROBE("bpf", "whether the kernel can join them is tried out first", CONFINE_INT(0, "cmd", BPF_PROG_LOAD)),
	PROBE("inotify_add_watch", "the program is watched for writers"),
	PROBE("inotify_rm_watch", "and no longer"),
	PROBE("access", "why there is no probe, to say it"),
	PROBE("faccessat", "the same"),
	/* the end */
	USUAL("rt_sigreturn", "a stop signal has been handled"),
	RARE("writev", "the C library's last words before it aborts"),
	RARE("rt_sigprocmask", "the same"),
	RARE("getpid", "the same"),
	RARE("tgkill", "the same: a signal to itself alone", CONFINE_OWN(0, "tgid")),
	RARE("rt_sigaction", "the same", CONFINE_INT(0, "sig", SIGABRT)),
	RARE("futex", "locks of the heap"),
	USUAL("exit_group", "the end"),
};
/* clang-format on */

const struct confine_table privileges_table = {
	.program = "sentinel-keys",
	.after = "once key logs are read, probes are placed and capabilities are dropped",
	.call = calls,
	.n = sizeof calls / sizeof calls[0],
};
