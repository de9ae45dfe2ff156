/* SPDX-License-Identifier: BSD-3-Clause */
/* privileges: what sentinel-keys keeps of root's rights once it has begun. */
#ifndef IO_KEYS_PRIVILEGES_H
#define IO_KEYS_PRIVILEGES_H

#include "abi/confine.h"

/* privileges_drop keeps, with probes, CAP_DAC_READ_SEARCH (programs and key logs of the node's user) and CAP_SYS_PTRACE (to open another user's
 * /proc/PID/exe), and for privileges_placing CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN; without probes only the first. Everything else is out of every
 * set, also of the bounding set, and cannot come back. No core file, no memory for debuggers. A process that is
 * not root has nothing to drop. 0, or -errno with a sentence in err. */
int privileges_drop(bool probes, char *err, size_t cap);

/* privileges_none leaves a process nothing: no capability, nothing that it may open (where there is Landlock), and of the system calls (sandbox) those
 * of a process without probes. 0, or -errno with err. */
int privileges_none(bool sandbox, char *err, size_t cap);

/* privileges_table: the system calls that may be made after privileges_drop; privileges_confine lets it hold. kinds: PRIVILEGES_PROBES, or 0. A build with
 * sanitizers runs without, and says so. 0, or -errno with err. */
#define PRIVILEGES_PROBES 1u
extern const struct confine_table privileges_table;
int privileges_confine(unsigned kinds, char *err, size_t cap);

/* privileges_placing turns on what placing a probe takes, and off again behind it; a node that is replaced while this runs is probed anew. Kernels
 * since July 2025 ask for CAP_SYS_ADMIN, also stable ones: a probe at a wrong offset ends the process that it is in. */
void privileges_placing(bool on);

#endif
