/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keys/privileges.h"

#include "abi/log.h"

#include <cap-ng.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const unsigned placing[] = {CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN};
static bool few; /* privileges_drop has left no more than the few */

static int
keep_few(bool probes)
{
	const capng_type_t kept = CAPNG_PERMITTED | CAPNG_BOUNDING_SET;
	capng_clear(CAPNG_SELECT_ALL);
	capng_update(CAPNG_ADD, kept | CAPNG_EFFECTIVE, CAP_DAC_READ_SEARCH);
	if (probes)
		capng_update(CAPNG_ADD, kept | CAPNG_EFFECTIVE, CAP_SYS_PTRACE);
	for (unsigned i = 0; probes && i < sizeof placing / sizeof placing[0]; i++)
		capng_update(CAPNG_ADD, kept, placing[i]);
	few = probes;
	return capng_apply(CAPNG_SELECT_BOTH) == 0 ? 0 : -EPERM;
}

int
privileges_drop(bool probes, char *err, size_t cap)
{
	const struct rlimit none = {0, 0};
	int rc = 0;
	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		rc = -errno;
	if (rc == 0 && geteuid() == 0)
		rc = keep_few(probes);
	if (rc == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		rc = -errno;
	if (rc != 0)
		snprintf(err, cap, "cannot give up privileges: %s", strerror(-rc));
	return rc;
}

int
privileges_none(bool sandbox, char *err, size_t cap)
{
	const struct rlimit none = {0, 0};
	int rc = setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ? -errno : 0;
	capng_clear(CAPNG_SELECT_ALL);
	if (rc == 0 && geteuid() == 0 && capng_apply(CAPNG_SELECT_BOTH) != 0)
		rc = -EPERM;
	if (rc != 0) {
		snprintf(err, cap, "cannot give up privileges: %s", strerror(-rc));
		return rc;
	}
	rc = sandbox ? confine_paths(NULL, 0, err, cap) : 0;
	if (rc >= 0 && sandbox && !confine_sanitized())
		rc = confine_calls(&privileges_table, 0, err, cap);
	return rc < 0 ? rc : 0;
}

void
privileges_placing(bool on)
{
	for (unsigned i = 0; few && i < sizeof placing / sizeof placing[0]; i++)
		capng_update(on ? CAPNG_ADD : CAPNG_DROP, CAPNG_EFFECTIVE, placing[i]);
	if (few)
		capng_apply(CAPNG_SELECT_CAPS);
}

int
privileges_confine(unsigned kinds, char *err, size_t cap)
{
	if (confine_sanitized()) {
		log_say(NULL, LOG_WARN, "built with sanitizers: runs without the list of system calls");
		return 0;
	}
	return confine_calls(&privileges_table, kinds, err, cap);
}
