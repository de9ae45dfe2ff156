/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/sandbox.h"

#include "abi/confine_lines.h"
#include "abi/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/vfio.h>
#include <linux/sockios.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILES_MORE 64u /* connections, and the memory files that come over them */

#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef SOL_PACKET
#define SOL_PACKET 263
#endif

#define PORT(call, kinds, why, ...) {call, 0, CONFINE_SOME, kinds, #kinds, {__VA_ARGS__}, why}
#define REFUSE(call, err, kinds, why) {call, err, CONFINE_RARE, kinds, kinds ? #kinds : NULL, {{0}}, why}

/* clang-format off */
static const struct confine_call calls[] = {
	/* the loops */
	USUAL("clock_nanosleep", "idle lcores of policy sleep, and the main lcore between its turns"),
	RARE("restart_syscall", "a sleep that a stop signal or a debugger has interrupted goes on"),
	RARE("clock_gettime", "the time, on machines whose clock cannot be read without the kernel"),
	RARE("futex", "locks of DPDK's and of the heap, when two threads meet there"),
	RARE("sched_getaffinity", "the heap counts CPUs once, when a second thread first asks it for memory"),
	RARE("getrandom", "seeds of tables that are made anew while it runs"),
	USUAL("read", "EAL's pipes between lcores; its alarm clock; interrupts of vfio"),
	USUAL("write", "EAL's pipes between lcores; what is said on stderr"),
	RARE("writev", "the C library's last words before it aborts"),
	/* the channel */
	USUAL("accept4", "control and sentinel-keys attach, at the socket that was opened before"),
	USUAL("recvmsg", "their messages, and sealed memory files that come with them"),
	USUAL("sendmsg", "rings, stats page and bundle go to them"),
	USUAL("getpid", "this process's id, which control is told"),
	SOME("getsockopt", "who it is that attaches", CONFINE_INT(1, "level", SOL_SOCKET), CONFINE_INT(2, "name", SO_PEERCRED)),
	USUAL("close", "a connection or memory file that has served"),
	SOME("fcntl", "whether a memory file that came is sealed", CONFINE_INT(1, "cmd", F_GET_SEALS)),
	SOME("newfstatat", "how long a memory file is that came, and the key log", CONFINE_INT(3, "flags", AT_EMPTY_PATH)),
	RARE("fstat", "the same, by other C libraries"),
	SOME("geteuid", "whether the key log still belongs to nobody else"),
	SOME("pread64", "the key log of RLPx sessions has grown, this host has other IPv6 addresses: files that were opened before"),
	SOME("mmap", "memory files that came are mapped; the heap grows; never to be executed", CONFINE_NONE_OF(2, "prot", PROT_EXEC)),
	USUAL("munmap", "the same is given back"),
	RARE("mremap", "a large block of the heap grows"),
	SOME("mprotect", "the heap of a thread grows; nothing becomes executable", CONFINE_NONE_OF(2, "prot", PROT_EXEC)),
	SOME("brk", "the heap grows or shrinks"),
	SOME("madvise", "the heap gives pages back; large tables ask for huge pages"),
	/* systemd */
	SOME("sendto", "readiness, state and watchdog to systemd, through a socket that was connected before", CONFINE_ARG(4, "address", NULL)),
	/* EAL's interrupt thread and ports */
	SOME("epoll_wait", "EAL's interrupt thread waits again"),
	RARE("epoll_create", "the same, when what it waits for has changed"),
	RARE("epoll_ctl", "the same"),
	PORT("timerfd_settime", SANDBOX_PCI | SANDBOX_VERBS, "EAL's alarm clock: a driver looks at its device later"),
	PORT("poll", SANDBOX_AF_XDP, "the kernel is woken to fill an empty queue"),
	PORT("poll", SANDBOX_PCAP, "the library of captures waits for the kernel's ring"),
	PORT("recvfrom", SANDBOX_AF_XDP, "the same, where it is asked to poll", CONFINE_ARG(1, "buffer", NULL)),
	PORT("getsockopt", SANDBOX_AF_XDP, "what the kernel dropped of a queue", CONFINE_INT(1, "level", SOL_XDP), CONFINE_INT(2, "name", XDP_STATISTICS)),
	PORT("getsockopt", SANDBOX_AF_PACKET, "what the kernel dropped of a queue", CONFINE_INT(1, "level", SOL_PACKET), CONFINE_INT(2, "name", PACKET_STATISTICS)),
	PORT("getsockopt", SANDBOX_PCAP, "the same", CONFINE_INT(1, "level", SOL_PACKET), CONFINE_INT(2, "name", PACKET_STATISTICS)),
	PORT("getsockname", SANDBOX_PCAP, "whether the interface is still there"),
	PORT("getsockopt", SANDBOX_PCAP, "why the interface gives an error", CONFINE_INT(1, "level", SOL_SOCKET), CONFINE_INT(2, "name", SO_ERROR)),
	PORT("ioctl", SANDBOX_AF_PACKET | SANDBOX_AF_XDP | SANDBOX_PCAP | SANDBOX_VERBS,
		"whether an interface of the kernel's is up, through a socket that was opened before and is connected to nothing",
		CONFINE_INT(1, "request", SIOCGIFFLAGS)),
	PORT("ioctl", SANDBOX_AF_PACKET | SANDBOX_AF_XDP | SANDBOX_PCAP | SANDBOX_VERBS, "whether it is still the one whose frames come, and its name now",
		CONFINE_INT(1, "request", SIOCGIFNAME)),
	PORT("ioctl", SANDBOX_AF_XDP, "this host's own addresses, which a steered interface leaves to it, through such a socket", CONFINE_INT(1, "request", SIOCGIFCONF)),
	PORT("ioctl", SANDBOX_PCI, "an interrupt of the device is armed again", CONFINE_INT(1, "request", VFIO_DEVICE_SET_IRQS)),
	PORT("ioctl", SANDBOX_VERBS, "commands to the device: statistics, queues", CONFINE_INT(1, "request", RDMA_VERBS_IOCTL)),
	REFUSE("memfd_create", EPERM, 0, "DPDK's heap would take more huge pages: it goes on with what it has"),
	REFUSE("socket", EPERM, SANDBOX_VERBS, "the driver would ask the kernel about the link: it is reported as unknown"),
	REFUSE("openat", EPERM, SANDBOX_PCAP, "the library of captures would read what the interface dropped from a file"),
	REFUSE("openat", EPERM, SANDBOX_VERBS, "the driver would read a counter from a file where the device has none: it stays 0"),
	REFUSE("clone3", ENOSYS, SANDBOX_PCI, "a driver would make a thread (ixgbe, which sets up a fibre link that is down): the C library then asks by clone"),
	REFUSE("clone", EAGAIN, SANDBOX_PCI, "the same: there is no thread to be had, the driver says so and goes on"),
	/* the end */
	USUAL("rt_sigreturn", "a signal has been handled (end, or nothing)"),
	RARE("rt_sigprocmask", "the same, by the C library's abort()"),
	RARE("gettid", "the same"),
	RARE("tgkill", "the same: a signal to itself alone", CONFINE_OWN(0, "tgid")),
	RARE("rt_sigaction", "the same", CONFINE_INT(0, "sig", SIGABRT)),
	RARE("exit", "a thread of a driver ends"),
	USUAL("exit_group", "the end"),
};
/* clang-format on */

const struct confine_table sandbox_table = {
	.program = "sentinel-dataplane",
	.after = "once ports, bundle, rings and channel are open, in all its threads, before it looks at the first frame",
	.call = calls,
	.n = sizeof calls / sizeof calls[0],
};

unsigned
sandbox_kind(const char *driver)
{
	static const struct {
		const char *driver;
		unsigned kind;
	} known[] = {{"net_af_packet", SANDBOX_AF_PACKET}, {"net_af_xdp", SANDBOX_AF_XDP}, {"mlx5_pci", SANDBOX_VERBS}, {"mlx5", SANDBOX_VERBS},
		{"net_mlx5", SANDBOX_VERBS}, {"net_mlx4", SANDBOX_VERBS}, {"net_ring", 0}, {"net_null", 0}, {"net_pcap", SANDBOX_PCAP}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(driver, known[i].driver) == 0)
			return known[i].kind;
	return SANDBOX_PCI;
}

static int
drop(const struct sandbox_options *o, char *err, size_t cap)
{
	uid_t uid;
	gid_t gid;
	const char *user = o->user;
	if (user == NULL && geteuid() == 0 && confine_user(SANDBOX_USER, &uid, &gid) == 0)
		user = SANDBOX_USER;
	int rc = confine_drop(user, err, cap);
	if (rc == 0 && geteuid() == 0)
		log_say(NULL, LOG_WARN, "goes on as root, without capabilities: there is no user " SANDBOX_USER "; --user names another");
	return rc;
}

int
sandbox_enter(const struct sandbox_options *o, unsigned kinds, bool *holds, char *err, size_t cap)
{
	*holds = false;
	if (o->off) {
		log_say(NULL, LOG_WARN, "NO SANDBOX: --no-sandbox leaves this process all its rights while it reads what anybody may send. For debugging only");
		return 0;
	}
	int rc = drop(o, err, cap);
	if (rc != 0)
		return rc;
	if (confine_sanitized()) {
		log_say(NULL, LOG_WARN, "a build with sanitizers: no list of system calls, no limits");
		return 0;
	}
	rc = confine_limits(FILES_MORE, err, cap);
	if (rc == 0)
		rc = confine_mute(err, cap);
	if (rc == 0)
		rc = confine_calls(&sandbox_table, kinds, err, cap);
	*holds = rc == 0;
	return rc;
}
