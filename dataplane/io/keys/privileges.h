/* SPDX-License-Identifier: BSD-3-Clause */
/* privileges: what sentinel-keys keeps of root's rights once it has begun. */
#ifndef IO_KEYS_PRIVILEGES_H
#define IO_KEYS_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

/* privileges_drop keeps, with probes, CAP_BPF and CAP_PERFMON (a replaced node is probed anew), CAP_SYS_PTRACE (to open another user's /proc/PID/exe), and
 * CAP_DAC_READ_SEARCH (programs and key logs of the node's user); without probes only the last. Everything else is out of every set, also of the bounding
 * set, and cannot come back. user: whom to become (NULL: nobody else). No core file, no memory for debuggers. A process that is not root has nothing to
 * drop. 0, or -errno with a sentence in err. */
int privileges_drop(const char *user, bool probes, char *err, size_t cap);

#endif
