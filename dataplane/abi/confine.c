/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/confine.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREAD_PATIENCE_MS 2000
#define SECUREBITS                                                                                                            \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED |            \
		SECBIT_KEEP_CAPS_LOCKED)

bool
confine_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
	return true;
#else
	return false;
#endif
#else
	return false;
#endif
}

/* ---- something in every thread ----
 *
 * Capabilities belong to threads, and a thread can change its own alone. Those that EAL and libraries have started are asked by a
 * signal, as glibc does for setresuid. */

static void (*thread_work)(void);
static _Atomic unsigned threads_done;

static void
on_thread_signal(int sig)
{
	int before = errno;
	(void)sig;
	thread_work();
	atomic_fetch_add(&threads_done, 1);
	errno = before;
}

/* Signals every other thread once. Returns how many, or -errno. */
static int
signal_threads(int sig)
{
	pid_t self = (pid_t)syscall(SYS_gettid), pid = getpid();
	int n = 0;
	DIR *d = opendir("/proc/self/task");
	if (d == NULL)
		return -errno;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		pid_t tid = (pid_t)atoi(e->d_name);
		if (tid > 0 && tid != self && syscall(SYS_tgkill, pid, tid, sig) == 0)
			n++;
	}
	closedir(d);
	return n;
}

static int
in_every_thread(void (*work)(void))
{
	int sig = SIGRTMAX - 1, rc = 0;
	struct sigaction before, a = {.sa_handler = on_thread_signal, .sa_flags = SA_RESTART};
	sigfillset(&a.sa_mask);
	thread_work = work;
	atomic_store(&threads_done, 0);
	if (sigaction(sig, &a, &before) != 0)
		return -errno;
	work();
	int n = signal_threads(sig);
	for (int ms = 0; n > 0 && atomic_load(&threads_done) < (unsigned)n; ms++) {
		if (ms == THREAD_PATIENCE_MS) {
			rc = -ETIMEDOUT;
			break;
		}
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	if (rc == 0)
		sigaction(sig, &before, NULL);
	return n < 0 ? n : rc;
}

/* What cannot be given up because one does not have the right to is not there to be feared: confine_drop looks afterwards. */
static void
drop_sets(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];
	for (unsigned long cap = 0; cap < 64; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0);
	if (syscall(SYS_capget, &h, d) == 0) {
		d[0].inheritable = d[1].inheritable = 0;
		syscall(SYS_capset, &h, d);
	}
}

static void
drop_all(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[2] = {{0}, {0}};
	syscall(SYS_capset, &h, none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* ---- who one is ---- */

int
confine_user(const char *name, uid_t *uid, gid_t *gid)
{
	errno = 0;
	const struct passwd *p = getpwnam(name);
	if (p == NULL)
		return errno != 0 ? -errno : -ENOENT;
	*uid = p->pw_uid;
	*gid = p->pw_gid;
	return 0;
}

static int
become(uid_t uid, gid_t gid, char *err, size_t cap)
{
	if (setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0)
		return 0;
	int rc = -errno;
	snprintf(err, cap, "cannot change to another user: %s; start it as root, or without --user", strerror(-rc));
	return rc;
}

static bool
status_has(const char *text, const char *key, const char *value)
{
	const char *at = strstr(text, key);
	return at != NULL && strncmp(at + strlen(key), value, strlen(value)) == 0;
}

static int
look_at_thread(const char *tid, char *err, size_t cap)
{
	static const char nothing[] = "\t0000000000000000\n";
	char path[64], text[8192];
	snprintf(path, sizeof path, "/proc/self/task/%.16s/status", tid);
	FILE *f = fopen(path, "re");
	size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f != NULL)
		fclose(f);
	text[n] = '\0';
	if (n > 0 && status_has(text, "\nCapInh:", nothing) && status_has(text, "\nCapPrm:", nothing) &&
		status_has(text, "\nCapEff:", nothing) && status_has(text, "\nCapAmb:", nothing) && status_has(text, "\nNoNewPrivs:", "\t1"))
		return 0;
	snprintf(err, cap, "thread %.16s has kept privileges that it had to give up", tid);
	return -EPERM;
}

static int
look_at_threads(char *err, size_t cap)
{
	int rc = 0;
	DIR *d = opendir("/proc/self/task");
	if (d == NULL) {
		rc = -errno;
		snprintf(err, cap, "cannot look at the threads of this process: %s; is /proc mounted?", strerror(-rc));
		return rc;
	}
	for (struct dirent *e; rc == 0 && (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			rc = look_at_thread(e->d_name, err, cap);
	closedir(d);
	return rc;
}

int
confine_drop(const char *user, char *err, size_t cap)
{
	uid_t uid = 0;
	gid_t gid = 0;
	int rc = user != NULL ? confine_user(user, &uid, &gid) : 0;
	if (rc != 0) {
		snprintf(err, cap, "there is no user %s on this machine (systemd-sysusers makes those of the package)", user);
		return rc;
	}
	if (user != NULL && uid == 0) {
		snprintf(err, cap, "--user %s is root; name a user that owns nothing", user);
		return -EINVAL;
	}
	rc = in_every_thread(drop_sets);
	if (rc == 0 && user != NULL && (uid != geteuid() || uid != getuid() || gid != getegid())) {
		if (become(uid, gid, err, cap) != 0)
			return -EPERM;
	} else if (rc == 0 && geteuid() == 0) {
		setgroups(0, NULL); /* may be refused in a user namespace, where groups give nothing either */
	}
	if (rc == 0)
		rc = in_every_thread(drop_all);
	if (rc != 0) {
		snprintf(err, cap, "cannot give up privileges in every thread: %s", strerror(-rc));
		return rc;
	}
	return look_at_threads(err, cap);
}

/* ---- limits ---- */

static rlim_t
open_files(void)
{
	rlim_t highest = 2;
	DIR *d = opendir("/proc/self/fd");
	if (d == NULL)
		return 1024;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		rlim_t fd = (rlim_t)atoi(e->d_name);
		highest = fd > highest && fd != (rlim_t)dirfd(d) ? fd : highest;
	}
	closedir(d);
	return highest + 1;
}

int
confine_limits(unsigned files, char *err, size_t cap)
{
	struct rlimit nofile;
	const struct rlimit none = {0, 0};
	if (getrlimit(RLIMIT_NOFILE, &nofile) != 0)
		nofile.rlim_max = RLIM_INFINITY;
	rlim_t n = open_files() + files;
	nofile.rlim_cur = nofile.rlim_max = n < nofile.rlim_max ? n : nofile.rlim_max;
	if (setrlimit(RLIMIT_CORE, &none) == 0 && setrlimit(RLIMIT_NPROC, &none) == 0 && setrlimit(RLIMIT_NOFILE, &nofile) == 0 &&
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
		return 0;
	int rc = -errno;
	snprintf(err, cap, "cannot limit itself: %s", strerror(-rc));
	return rc;
}
