/* SPDX-License-Identifier: BSD-3-Clause */
/* What is given up is given up: each case in a process of its own, which tells by its exit status and what it wrote. */
#include "abi/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* 77 in a child: this machine cannot show it */
#define CANNOT 77

static char said[4096];

/* Runs it in a child; returns the exit status, or 1000 + the signal. What it wrote to stderr is in said. */
static int
in_child(int (*work)(void *), void *arg)
{
	int pipe_fd[2], status;
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(pipe_fd[1], STDERR_FILENO);
		close(pipe_fd[0]);
		close(pipe_fd[1]);
		_exit(work(arg));
	}
	close(pipe_fd[1]);
	size_t n = 0;
	for (ssize_t k; (k = read(pipe_fd[0], said + n, sizeof said - 1 - n)) > 0;)
		n += (size_t)k;
	said[n] = '\0';
	close(pipe_fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- system calls ---- */

static const struct confine_call few[] = {
	{"write", 0, CONFINE_USUAL, 0, NULL, {{0}}, "to say it"},
	{"exit_group", 0, CONFINE_USUAL, 0, NULL, {{0}}, "to end"},
	{"clock_nanosleep", 0, CONFINE_USUAL, 0, NULL, {{0}}, "to wait"},
	{"mmap", 0, CONFINE_USUAL, 0, NULL, {CONFINE_NONE_OF(2, "prot", PROT_EXEC)}, "memory"},
	{"fcntl", 0, CONFINE_USUAL, 0, NULL, {CONFINE_INT(1, "cmd", F_GETFD), CONFINE_INT(0, "fd", 2)}, "a flag"},
	{"tgkill", 0, CONFINE_USUAL, 0, NULL, {CONFINE_OWN(0, "tgid")}, "oneself"},
	{"getppid", EPERM, CONFINE_USUAL, 0, NULL, {{0}}, "refused"},
	{"getuid", 0, CONFINE_USUAL, 2, "KIND", {{0}}, "of a kind"},
};
static const struct confine_table few_table = {"prog", "now", few, sizeof few / sizeof few[0]};

static int
confined(unsigned kinds)
{
	char err[256];
	int rc = confine_drop(NULL, err, sizeof err);
	if (rc == 0)
		rc = confine_calls(&few_table, kinds, err, sizeof err);
	if (rc != 0)
		fprintf(stderr, "%s\n", err);
	return rc;
}

static int
what_is_allowed(void *arg)
{
	(void)arg;
	if (confined(2) != 0)
		return 1;
	bool ok = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
	ok = ok && fcntl(2, F_GETFD) == 0;
	ok = ok && syscall(SYS_getppid) == -1 && errno == EPERM;
	ok = ok && syscall(SYS_getuid) >= 0;
	return ok ? 0 : 2;
}

enum attempt { OPEN, EXEC_MEMORY, OTHER_FD, OTHER_CMD, OTHER_PROCESS, OTHER_KIND, BEYOND_NAMES };

static int
attempt(void *arg)
{
	if (confined(1) != 0)
		return 1;
	switch (*(const enum attempt *)arg) {
	case OPEN:
		return open("/dev/null", O_RDONLY) >= 0 ? 3 : 4;
	case EXEC_MEMORY:
		return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ? 3 : 4;
	case OTHER_FD:
		return fcntl(1, F_GETFD) >= 0 ? 3 : 4;
	case OTHER_CMD:
		return fcntl(2, F_GETFL) >= 0 ? 3 : 4;
	case OTHER_PROCESS:
		return syscall(SYS_tgkill, 1, 1, 0) == 0 ? 3 : 4;
	case OTHER_KIND:
		return syscall(SYS_getuid) >= 0 ? 3 : 4;
	case BEYOND_NAMES:
		return syscall(100000) == 0 ? 3 : 4;
	}
	return 5;
}

static void
calls_are_those_of_the_table(void **state)
{
	(void)state;
	assert_int_equal(in_child(what_is_allowed, NULL), 0);
	static const char *const named[] = {"openat (", "mmap (", "fcntl (", "fcntl (", "tgkill (", "getuid (", "number (100000)"};
	for (enum attempt a = OPEN; a <= BEYOND_NAMES; a++) {
		assert_int_equal(in_child(attempt, &a), CONFINE_EXIT);
		assert_int_equal(strncmp(said, "prog: its sandbox has stopped the system call ", 46), 0);
		assert_non_null(strstr(said, named[a]));
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1); /* one line */
	}
}

static void *
open_later(void *arg)
{
	nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	while (!__atomic_load_n((bool *)arg, __ATOMIC_ACQUIRE))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	_exit(open("/dev/null", O_RDONLY) >= 0 ? 3 : 4);
}

static int
elder_thread(void *arg)
{
	static bool go;
	pthread_t t;
	(void)arg;
	if (pthread_create(&t, NULL, open_later, &go) != 0 || confined(0) != 0)
		return 1;
	__atomic_store_n(&go, true, __ATOMIC_RELEASE);
	for (;;)
		nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	return 1;
}

static void
threads_that_were_there_are_confined_too(void **state)
{
	(void)state;
	assert_int_equal(in_child(elder_thread, NULL), CONFINE_EXIT);
	assert_non_null(strstr(said, "openat ("));
}

/* Under a table that allows all sending: what each socket may still do. */
static const struct confine_call sending[] = {
	{"write", 0, CONFINE_USUAL, 0, NULL, {{0}}, "to say it"},
	{"sendmsg", 0, CONFINE_USUAL, 0, NULL, {{0}}, "to send"},
	{"sendto", 0, CONFINE_USUAL, 0, NULL, {{0}}, "to send"},
	{"exit_group", 0, CONFINE_USUAL, 0, NULL, {{0}}, "to end"},
};
static const struct confine_table sending_table = {"prog", "now", sending, 4};

enum voice { CHANNEL_SENDMSG, NOTIFY_SEND, STDERR_WRITE, NOTIFY_SENDMSG, UDP_SENDMSG, UDP_SENDTO, UDP_WRITE, LONE_UNIX_SENDMSG };

static int
speak(void *arg)
{
	char err[256];
	int seq[2], dgram[2], udp = socket(AF_INET, SOCK_DGRAM, 0), lone = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct iovec iov = {"x", 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, seq) != 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, dgram) != 0 || udp < 0 || lone < 0)
		return 1;
	if (confine_drop(NULL, err, sizeof err) != 0 || confine_mute(err, sizeof err) != 0 || confine_calls(&sending_table, 0, err, sizeof err) != 0)
		return 2;
	switch (*(const enum voice *)arg) {
	case CHANNEL_SENDMSG:
		return sendmsg(seq[0], &m, 0) == 1 ? 0 : 3;
	case NOTIFY_SEND:
		return send(dgram[0], "x", 1, 0) == 1 ? 0 : 3;
	case STDERR_WRITE:
		return write(2, "x", 1) == 1 ? 0 : 3;
	case NOTIFY_SENDMSG:
		return sendmsg(dgram[0], &m, 0) == 1 ? 0 : 3;
	case UDP_SENDMSG:
		return sendmsg(udp, &m, 0) == 1 ? 0 : 3;
	case UDP_SENDTO:
		return send(udp, "x", 1, 0) == 1 ? 0 : 3;
	case UDP_WRITE:
		return write(udp, "x", 1) == 1 ? 0 : 3;
	case LONE_UNIX_SENDMSG:
		return sendmsg(lone, &m, 0) == 1 ? 0 : 3;
	}
	return 4;
}

static void
sockets_that_only_look_are_mute(void **state)
{
	(void)state;
	for (enum voice v = CHANNEL_SENDMSG; v <= LONE_UNIX_SENDMSG; v++)
		assert_int_equal(in_child(speak, &v), v <= STDERR_WRITE ? 0 : CONFINE_EXIT);
}

static void
a_table_is_printed_with_its_conditions(void **state)
{
	char *text;
	size_t n;
	(void)state;
	FILE *f = open_memstream(&text, &n);
	assert_int_equal(confine_print(&few_table, f), 0);
	fclose(f);
	assert_non_null(strstr(text, "\nwrite\t-\tto say it\n"));
	assert_non_null(strstr(text, "\nmmap\tprot without PROT_EXEC\tmemory\n"));
	assert_non_null(strstr(text, "\nfcntl\tcmd = F_GETFD, fd = 2\ta flag\n"));
	assert_non_null(strstr(text, "\ngetppid\tanswered with EPERM\trefused\n"));
	assert_non_null(strstr(text, "\ngetuid\tonly with KIND\tof a kind\n"));
	free(text);
}

static void
a_line_that_is_no_call_is_refused(void **state)
{
	static const struct confine_call wrong[] = {{"no_such_call", 0, CONFINE_USUAL, 0, NULL, {{0}}, "?"}};
	static const struct confine_table t = {"prog", "now", wrong, 1};
	char err[256];
	(void)state;
	assert_int_equal(confine_calls(&t, 0, err, sizeof err), -EINVAL);
	assert_non_null(strstr(err, "no_such_call"));
}

/* ---- privileges ---- */

static void *
wait_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* In every thread, /proc says: the ids, no capability in any set. */
static bool
threads_have_nothing(uid_t uid, bool bounding)
{
	char path[64], text[8192], want[64];
	bool ok = true;
	unsigned n = 0;
	for (pid_t tid = getpid(); tid < getpid() + 64; tid++) {
		snprintf(path, sizeof path, "/proc/self/task/%d/status", (int)tid);
		FILE *f = fopen(path, "r");
		if (f == NULL)
			continue;
		text[fread(text, 1, sizeof text - 1, f)] = '\0';
		fclose(f);
		n++;
		snprintf(want, sizeof want, "\nUid:\t%u\t%u\t%u\t%u\n", uid, uid, uid, uid);
		ok &= strstr(text, want) != NULL && strstr(text, "\nNoNewPrivs:\t1\n") != NULL;
		ok &= strstr(text, "\nCapEff:\t0000000000000000\n") != NULL && strstr(text, "\nCapPrm:\t0000000000000000\n") != NULL;
		ok &= strstr(text, "\nCapInh:\t0000000000000000\n") != NULL && strstr(text, "\nCapAmb:\t0000000000000000\n") != NULL;
		ok &= !bounding || strstr(text, "\nCapBnd:\t0000000000000000\n") != NULL;
	}
	return ok && n >= 3;
}

static int
drop_to(void *arg)
{
	const char *user = arg;
	char err[256];
	pthread_t t[2];
	uid_t uid = geteuid();
	gid_t gid;
	bool root = uid == 0;
	for (unsigned i = 0; i < 2; i++)
		if (pthread_create(&t[i], NULL, wait_for_ever, NULL) != 0)
			return 1;
	if (user != NULL && confine_user(user, &uid, &gid) != 0)
		return CANNOT;
	if (confine_drop(user, err, sizeof err) != 0) {
		fprintf(stderr, "%s", err);
		return 2;
	}
	if (setuid(0) == 0 && uid != 0)
		return 3;
	if (root && open("/proc/1/mem", O_RDWR) >= 0)
		return 4;
	return threads_have_nothing(uid, root) ? 0 : 5;
}

static void
every_thread_loses_its_rights(void **state)
{
	(void)state;
	assert_int_equal(in_child(drop_to, NULL), 0);
	if (geteuid() == 0)
		assert_int_equal(in_child(drop_to, "nobody"), 0);
}

static void
users_that_are_no_refuge_are_refused(void **state)
{
	char err[256];
	uid_t uid;
	gid_t gid;
	(void)state;
	assert_int_equal(confine_user("no-such-user-here", &uid, &gid), -ENOENT);
	assert_int_equal(confine_drop("no-such-user-here", err, sizeof err), -ENOENT);
	assert_non_null(strstr(err, "no-such-user-here"));
	assert_int_equal(confine_drop("root", err, sizeof err), -EINVAL);
	if (geteuid() != 0) {
		assert_int_equal(in_child(drop_to, "nobody"), 2);
		assert_non_null(strstr(said, "as root"));
	}
}

static int
limit(void *arg)
{
	char err[256];
	int highest = 4095, last = -1;
	struct rlimit core, files;
	(void)arg;
	while (highest > 0 && fcntl(highest, F_GETFD) < 0)
		highest--;
	if (confine_limits(5, err, sizeof err) != 0)
		return 1;
	for (int fd; (fd = dup(0)) >= 0;)
		last = fd;
	if (errno != EMFILE || last != highest + 5 || getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max != (rlim_t)highest + 6)
		return 2;
	return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0 ? 0 : 3;
}

static void
limits_leave_room_for_what_was_asked(void **state)
{
	(void)state;
	assert_int_equal(in_child(limit, NULL), 0);
}

/* ---- paths ---- */

static char folder[64];

static int
write_to(const char *name, int flags)
{
	char path[160];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = open(path, flags, 0600);
	int rc = fd < 0 ? -errno : write(fd, "x", 1) == 1 ? 0 : -EIO;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int
keep_to_paths(void *arg)
{
	char err[256], in[96], out[96];
	(void)arg;
	snprintf(in, sizeof in, "%s/in", folder);
	snprintf(out, sizeof out, "%s/out", folder);
	const struct confine_path p[] = {{in, CONFINE_WRITE}, {"/etc", CONFINE_READ}, {"/no/such/folder", CONFINE_READ}};
	int rc = confine_paths(p, 3, err, sizeof err);
	if (rc == 0)
		return CANNOT;
	if (rc < 0)
		return 1;
	if (write_to("in/new", O_CREAT | O_WRONLY) != 0 || write_to("in/new", O_RDWR) != 0)
		return 2;
	if (write_to("out/new", O_CREAT | O_WRONLY) != -EACCES || write_to("out/old", O_RDWR) != -EACCES || open(out, O_RDONLY) >= 0)
		return 3;
	if (open("/etc/passwd", O_RDONLY) < 0 || open("/etc/passwd", O_RDWR) >= 0)
		return 4;
	if (mkdir(in, 0700) == 0 || symlink("x", "link") == 0)
		return 5;
	snprintf(in + strlen(in), 8, "/sock");
	return mknod(in, S_IFIFO | 0600, 0) == 0 ? 6 : 0;
}

static void
paths_outside_are_out_of_reach(void **state)
{
	char path[96];
	(void)state;
	strcpy(folder, "/tmp/confine-XXXXXX");
	assert_non_null(mkdtemp(folder));
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, i ? "in" : "out");
		assert_int_equal(mkdir(path, 0700), 0);
	}
	assert_int_equal(write_to("out/old", O_CREAT | O_WRONLY), 0);
	int rc = in_child(keep_to_paths, NULL);
	snprintf(path, sizeof path, "rm -r %s", folder);
	assert_int_equal(system(path), 0);
	if (rc == CANNOT)
		skip();
	assert_int_equal(rc, 0);
}

int
main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_table_is_printed_with_its_conditions),
		cmocka_unit_test(every_thread_loses_its_rights),
		cmocka_unit_test(users_that_are_no_refuge_are_refused),
		cmocka_unit_test(paths_outside_are_out_of_reach),
		cmocka_unit_test(a_line_that_is_no_call_is_refused),
		cmocka_unit_test(calls_are_those_of_the_table),
		cmocka_unit_test(threads_that_were_there_are_confined_too),
		cmocka_unit_test(sockets_that_only_look_are_mute),
		cmocka_unit_test(limits_leave_room_for_what_was_asked),
	};
	const struct CMUnitTest sanitized[] = {
		cmocka_unit_test(a_table_is_printed_with_its_conditions),
		cmocka_unit_test(users_that_are_no_refuge_are_refused),
		cmocka_unit_test(paths_outside_are_out_of_reach),
		cmocka_unit_test(a_line_that_is_no_call_is_refused),
	};
	return confine_sanitized() ? cmocka_run_group_tests(sanitized, NULL, NULL) : cmocka_run_group_tests(all, NULL, NULL);
}
