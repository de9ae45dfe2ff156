/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of the dataplane, of control and of sentinel-keys: what they must not let through is tried, each in a process of its own under the real
 * filter; what they list is a call, with a reason, once. */
#include "io/sandbox.h"

#include "control/sandbox.h"
#include "io/keys/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DATAPLANE 1u
#define KEYS 4u
#define ALL 7u
#define TABLES 3u

static const struct confine_table *const table[TABLES] = {&sandbox_table, &control_sandbox_table, &privileges_table};

struct forbidden {
	const char *name;
	long nr, arg[6];
	unsigned of; /* the tables that must stop it */
};

/* Arguments are harmless: should a filter have a hole, nothing happens but that the test fails. */
static const struct forbidden forbidden[] = {
	{"open", SYS_open, {0, O_RDONLY}, ALL},
	{"openat", SYS_openat, {AT_FDCWD, 0, O_RDONLY}, DATAPLANE},
	{"openat2", SYS_openat2, {AT_FDCWD}, ALL},
	{"open_by_handle_at", SYS_open_by_handle_at, {-1}, ALL},
	{"creat", SYS_creat, {0}, ALL},
	{"memfd_secret", 447, {-1}, ALL},
	{"unlink", SYS_unlink, {0}, DATAPLANE | KEYS},
	{"unlinkat", SYS_unlinkat, {-1, 0, 0}, ALL},
	{"rename", SYS_rename, {0, 0}, DATAPLANE | KEYS},
	{"link", SYS_link, {0, 0}, ALL},
	{"symlink", SYS_symlink, {0, 0}, ALL},
	{"mkdir", SYS_mkdir, {0, 0}, ALL},
	{"mknod", SYS_mknod, {0, 0, 0}, ALL},
	{"chmod", SYS_chmod, {0, 0}, ALL},
	{"chown", SYS_chown, {0, 0, 0}, ALL},
	{"truncate", SYS_truncate, {0, 0}, ALL},
	{"ftruncate", SYS_ftruncate, {-1, 0}, DATAPLANE},
	{"getdents64", SYS_getdents64, {-1}, DATAPLANE},
	{"stat", SYS_newfstatat, {AT_FDCWD, 0, 0, 0}, DATAPLANE},
	{"chroot", SYS_chroot, {0}, ALL},
	{"pivot_root", SYS_pivot_root, {0, 0}, ALL},
	{"mount", SYS_mount, {0, 0, 0, 0, 0}, ALL},
	{"umount2", SYS_umount2, {0, 0}, ALL},
	{"move_mount", SYS_move_mount, {-1}, ALL},
	{"fsopen", SYS_fsopen, {0, 0}, ALL},
	{"socket of IP", SYS_socket, {AF_INET, SOCK_STREAM, 0}, DATAPLANE | KEYS},
	{"socket of Unix", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, DATAPLANE},
	{"socket of packets", SYS_socket, {AF_PACKET, SOCK_RAW, 0}, ALL},
	{"socket of virtual machines", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}, ALL},
	{"socket of netlink beside routes", SYS_socket, {AF_NETLINK, SOCK_RAW, 12}, ALL},
	{"connect", SYS_connect, {-1, 0, 0}, DATAPLANE},
	{"bind", SYS_bind, {-1, 0, 0}, DATAPLANE},
	{"listen", SYS_listen, {-1, 0}, ALL},
	{"accept", SYS_accept, {-1, 0, 0}, ALL},
	{"sendto somebody", SYS_sendto, {-1, 0, 0, 0, 1, 0}, DATAPLANE},
	{"setsockopt", SYS_setsockopt, {-1}, DATAPLANE},
	{"getsockopt of another level", SYS_getsockopt, {-1, 6, 1}, DATAPLANE},
	{"execve", SYS_execve, {0, 0, 0}, ALL},
	{"execveat", SYS_execveat, {-1, 0, 0, 0, 0}, ALL},
	{"fork", SYS_fork, {0}, ALL},
	{"clone of a process", SYS_clone, {SIGCHLD}, ALL},
	{"clone of a thread", SYS_clone, {CLONE_VM | CLONE_THREAD}, DATAPLANE | KEYS},
	{"clone3", SYS_clone3, {0, 0}, DATAPLANE},
	{"unshare", SYS_unshare, {0}, ALL},
	{"setns", SYS_setns, {-1, 0}, ALL},
	{"ptrace", SYS_ptrace, {0, 0, 0, 0}, ALL},
	{"process_vm_readv", SYS_process_vm_readv, {1}, ALL},
	{"process_vm_writev", SYS_process_vm_writev, {1}, ALL},
	{"pidfd_getfd", SYS_pidfd_getfd, {-1}, ALL},
	{"kcmp", SYS_kcmp, {1, 1}, ALL},
	{"kill", SYS_kill, {1, 0}, ALL},
	{"tgkill of another", SYS_tgkill, {1, 1, 0}, ALL},
	{"tkill", SYS_tkill, {1, 0}, ALL},
	{"rt_sigaction", SYS_rt_sigaction, {SIGSYS, 0, 0, 8}, ALL},
	{"bpf", SYS_bpf, {BPF_PROG_LOAD, 0, 0}, ALL},
	{"perf_event_open", SYS_perf_event_open, {0}, ALL},
	{"io_uring_setup", SYS_io_uring_setup, {0, 0}, ALL},
	{"userfaultfd", SYS_userfaultfd, {0}, ALL},
	{"keyctl", SYS_keyctl, {0}, ALL},
	{"add_key", SYS_add_key, {0}, ALL},
	{"init_module", SYS_init_module, {0}, ALL},
	{"finit_module", SYS_finit_module, {-1}, ALL},
	{"kexec_load", SYS_kexec_load, {0}, ALL},
	{"reboot", SYS_reboot, {0}, ALL},
	{"swapon", SYS_swapon, {0}, ALL},
	{"setuid", SYS_setuid, {0}, ALL},
	{"setresuid", SYS_setresuid, {0, 0, 0}, ALL},
	{"setgroups", SYS_setgroups, {0, 0}, ALL},
	{"capset", SYS_capset, {0, 0}, ALL},
	{"prctl", SYS_prctl, {PR_SET_DUMPABLE, 1}, ALL},
	{"seccomp", SYS_seccomp, {0}, ALL},
	{"personality", SYS_personality, {0}, ALL},
	{"iopl", SYS_iopl, {3}, ALL},
	{"setrlimit", SYS_setrlimit, {7, 0}, ALL},
	{"prlimit64 that sets", SYS_prlimit64, {0, 7, 1, 0}, ALL},
	{"ioctl", SYS_ioctl, {-1, TIOCSTI, 0}, ALL},
	{"mmap to execute", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}, ALL},
	{"mprotect to execute", SYS_mprotect, {0, 0, PROT_EXEC}, ALL},
	{"pkey_mprotect", SYS_pkey_mprotect, {0, 0, 0, -1}, ALL},
	{"shmat", SYS_shmat, {-1}, ALL},
	{"modify_ldt", SYS_modify_ldt, {0}, ALL},
	{"fcntl beside seals", SYS_fcntl, {-1, F_SETOWN, 0}, DATAPLANE},
	{"dup", SYS_dup, {-1}, ALL},
	{"splice", SYS_splice, {-1}, ALL},
	{"settimeofday", SYS_settimeofday, {0, 0}, ALL},
	{"clock_settime", SYS_clock_settime, {-1, 0}, ALL},
	{"sethostname", SYS_sethostname, {0, 0}, ALL},
	{"sched_setscheduler", SYS_sched_setscheduler, {0, 0, 0}, ALL},
	{"sched_setaffinity", SYS_sched_setaffinity, {0, 0, 0}, ALL},
	{"poll", SYS_poll, {0, 0, 0}, DATAPLANE},
	{"timerfd_settime", SYS_timerfd_settime, {-1}, DATAPLANE},
};

static char said[1024];

static int
try(const struct confine_table *t, unsigned kinds, const struct forbidden *f)
{
	int fd[2], status;
	char err[256];
	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], STDERR_FILENO);
		if (confine_drop(NULL, err, sizeof err) != 0 || confine_calls(t, kinds, err, sizeof err) != 0)
			_exit(1);
		syscall(f->nr, f->arg[0], f->arg[1], f->arg[2], f->arg[3], f->arg[4], f->arg[5]);
		_exit(0);
	}
	close(fd[1]);
	ssize_t n = read(fd[0], said, sizeof said - 1);
	said[n > 0 ? n : 0] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
what_a_table_must_stop_it_stops(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
		for (unsigned k = 0; k < TABLES; k++) {
			const struct confine_table *t = table[k];
			if ((forbidden[i].of & 1u << k) == 0)
				continue;
			int rc = try(t, 0, &forbidden[i]);
			if (rc != CONFINE_EXIT)
				print_error("%s lets %s through\n", t->program, forbidden[i].name);
			assert_int_equal(rc, CONFINE_EXIT);
			char number[32];
			snprintf(number, sizeof number, " (%ld)", forbidden[i].nr);
			assert_non_null(strstr(said, number));
		}
	}
}

/* Placing probes takes much; making maps for programs of the kernel is over by then. */
static void
probes_make_no_maps(void **state)
{
	const struct forbidden load = {"bpf", SYS_bpf, {BPF_MAP_CREATE, 0, 0}, KEYS}, exec = {"execve", SYS_execve, {0, 0, 0}, KEYS},
			       ioctl_other = {"ioctl", SYS_ioctl, {-1, TIOCSTI, 0}, KEYS}, probe = {"perf_event_open", SYS_perf_event_open, {0}, KEYS};
	(void)state;
	assert_int_equal(try(&privileges_table, PRIVILEGES_PROBES, &load), CONFINE_EXIT);
	assert_int_equal(try(&privileges_table, PRIVILEGES_PROBES, &exec), CONFINE_EXIT);
	assert_int_equal(try(&privileges_table, PRIVILEGES_PROBES, &ioctl_other), CONFINE_EXIT);
	assert_int_equal(try(&privileges_table, PRIVILEGES_PROBES, &probe), 0);
}

/* A kind opens what it needs, and no other does. */
static void
kinds_of_ports_open_their_own(void **state)
{
	(void)state;
	const struct {
		unsigned kind;
		struct forbidden call;
	} own[] = {{SANDBOX_AF_XDP, {"ioctl", SYS_ioctl, {-1, SIOCGIFCONF, 0}, 0}},
		{SANDBOX_PCI, {"clone", SYS_clone, {CLONE_VM | CLONE_THREAD, 0, 0}, 0}},
		{SANDBOX_AF_XDP, {"poll", SYS_poll, {0, 0, 0}, 0}},
		{SANDBOX_AF_XDP, {"getsockopt", SYS_getsockopt, {-1, 283, 7}, 0}},
		{SANDBOX_AF_PACKET, {"getsockopt", SYS_getsockopt, {-1, 263, 6}, 0}},
		{SANDBOX_PCI, {"ioctl", SYS_ioctl, {-1, 0x3b6e, 0}, 0}}, /* VFIO_DEVICE_SET_IRQS */
		{SANDBOX_VERBS, {"ioctl", SYS_ioctl, {-1, 0xc0181b01, 0}, 0}}, /* RDMA_VERBS_IOCTL */
		{SANDBOX_VERBS, {"socket", SYS_socket, {AF_INET, SOCK_DGRAM, 0}, 0}},
		{SANDBOX_VERBS, {"openat", SYS_openat, {AT_FDCWD, 0, 0}, 0}}};
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		assert_int_equal(try(&sandbox_table, own[i].kind, &own[i].call), 0);
		assert_int_equal(try(&sandbox_table, ~(own[i].kind | SANDBOX_PCAP), &own[i].call), CONFINE_EXIT);
	}
}

static int
refused_with(const struct confine_table *t, unsigned kinds, long nr, long arg)
{
	int status;
	char err[256];
	pid_t pid = fork();
	if (pid == 0) {
		if (confine_drop(NULL, err, sizeof err) != 0 || confine_calls(t, kinds, err, sizeof err) != 0)
			_exit(255);
		_exit(syscall(nr, arg, 0, 0) < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
what_libraries_may_ask_is_answered(void **state)
{
	(void)state;
	assert_int_equal(refused_with(&sandbox_table, 0, SYS_memfd_create, 0), EPERM);
	assert_int_equal(refused_with(&sandbox_table, SANDBOX_VERBS, SYS_socket, AF_INET), EPERM);
	assert_int_equal(refused_with(&sandbox_table, SANDBOX_VERBS, SYS_openat, AT_FDCWD), EPERM);
	assert_int_equal(refused_with(&sandbox_table, SANDBOX_PCI, SYS_clone3, 0), ENOSYS);
	assert_int_equal(refused_with(&sandbox_table, SANDBOX_PCI, SYS_clone, CLONE_VM | CLONE_THREAD), EAGAIN);
	assert_int_equal(refused_with(&control_sandbox_table, 0, SYS_clone3, 0), ENOSYS);
}

static int
dies_by(const struct confine_table *t, void (*how)(void))
{
	int status;
	char err[256];
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* the test library has one of its own */
		if (confine_drop(NULL, err, sizeof err) != 0 || confine_calls(t, 0, err, sizeof err) != 0)
			_exit(1);
		how();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSIGNALED(status))
		print_error("it ended with %d\n", WEXITSTATUS(status));
	return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void
fault(void)
{
	volatile char *volatile nowhere = NULL;
	nowhere[8] = 1;
}

/* A broken process dies of what broke it. */
static void
faults_are_told_as_such(void **state)
{
	(void)state;
	assert_int_equal(dies_by(&sandbox_table, abort), SIGABRT);
	assert_int_equal(dies_by(&control_sandbox_table, abort), SIGABRT);
	assert_int_equal(dies_by(&sandbox_table, fault), SIGSEGV);
}

static bool
same_line(const struct confine_call *a, const struct confine_call *b)
{
	bool same = strcmp(a->name, b->name) == 0 && a->kinds == b->kinds && a->refuse == b->refuse;
	for (unsigned i = 0; i < CONFINE_ARGS_MAX; i++)
		same = same && a->arg[i].op == b->arg[i].op && a->arg[i].index == b->arg[i].index && a->arg[i].value == b->arg[i].value &&
		       a->arg[i].mask == b->arg[i].mask;
	return same;
}

static void
tables_are_in_order(void **state)
{
	(void)state;
	for (unsigned k = 0; k < TABLES; k++) {
		const struct confine_table *t = table[k];
		assert_true(t->n > 20);
		for (unsigned i = 0; i < t->n; i++) {
			const struct confine_call *c = &t->call[i];
			assert_true(seccomp_syscall_resolve_name(c->name) >= 0);
			assert_true(strlen(c->why) >= 7);
			assert_null(strpbrk(c->why, "\t\n"));
			assert_true((c->kinds == 0) == (c->kinds_text == NULL));
			for (unsigned j = 0; j < i; j++)
				assert_false(same_line(c, &t->call[j]));
		}
	}
}

static void
drivers_have_their_kind(void **state)
{
	(void)state;
	assert_int_equal(sandbox_kind("net_af_xdp"), SANDBOX_AF_XDP);
	assert_int_equal(sandbox_kind("net_af_packet"), SANDBOX_AF_PACKET);
	assert_int_equal(sandbox_kind("net_ring"), 0);
	assert_int_equal(sandbox_kind("net_pcap"), SANDBOX_PCAP);
	assert_int_equal(sandbox_kind("mlx5_pci"), SANDBOX_VERBS);
	assert_int_equal(sandbox_kind("net_ice"), SANDBOX_PCI);
	assert_int_equal(sandbox_kind("net_i40e"), SANDBOX_PCI);
}

int
main(void)
{
	const struct CMUnitTest all[] = {cmocka_unit_test(tables_are_in_order), cmocka_unit_test(drivers_have_their_kind),
		cmocka_unit_test(what_a_table_must_stop_it_stops), cmocka_unit_test(kinds_of_ports_open_their_own), cmocka_unit_test(probes_make_no_maps),
		cmocka_unit_test(what_libraries_may_ask_is_answered), cmocka_unit_test(faults_are_told_as_such)};
	const struct CMUnitTest sanitized[] = {cmocka_unit_test(tables_are_in_order), cmocka_unit_test(drivers_have_their_kind)};
	return confine_sanitized() ? cmocka_run_group_tests(sanitized, NULL, NULL) : cmocka_run_group_tests(all, NULL, NULL);
}
