/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ull << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ull << 14)
#endif

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FILES (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define OF_A_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

static const uint64_t access_bits[] = {[CONFINE_READ] = READ,
	[CONFINE_WRITE] = READ | FILES,
	[CONFINE_SOCKET] = LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE};

/* What the running kernel can forbid: each version knew more. */
static uint64_t
handled_by(long abi)
{
	uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1; /* of the first */
	if (abi >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all |= LANDLOCK_ACCESS_FS_TRUNCATE;
	return all;
}

static int
add_path(int ruleset, const struct confine_path *p, uint64_t handled)
{
	struct stat st;
	struct landlock_path_beneath_attr a = {.parent_fd = open(p->path, O_PATH | O_CLOEXEC)};
	if (a.parent_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	a.allowed_access = access_bits[p->access] & handled;
	if (fstat(a.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		a.allowed_access &= OF_A_FILE;
	int rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0) == 0 ? 0 : -errno;
	close(a.parent_fd);
	return rc == -EBADFD ? 0 : rc; /* a pipe or socket behind /proc/self/fd: no path leads there, none is confined */
}

int
confine_paths(const struct confine_path *p, unsigned n, char *err, size_t cap)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return 0;
	struct landlock_ruleset_attr attr = {.handled_access_fs = handled_by(abi)};
	int rc = 0, fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (fd < 0) {
		rc = -errno;
		snprintf(err, cap, "the kernel refuses to confine paths (Landlock): %s", strerror(-rc));
		return rc;
	}
	for (unsigned i = 0; i < n && rc == 0; i++) {
		rc = add_path(fd, &p[i], attr.handled_access_fs);
		if (rc != 0)
			snprintf(err, cap, "cannot confine itself to %s: %s", p[i].path, strerror(-rc));
	}
	if (rc == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, fd, 0) != 0)) {
		rc = -errno;
		snprintf(err, cap, "cannot confine itself to its paths: %s", strerror(-rc));
	}
	close(fd);
	return rc == 0 ? 1 : rc;
}
