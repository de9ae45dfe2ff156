/* SPDX-License-Identifier: BSD-3-Clause */
/* sandbox: what sentinel-keys may still ask of the kernel once it has begun. It must go on opening (a node that is started again, a key log that
 * takes another's place) and placing probes, so its list is no proof against whoever takes it over, who would be root of few rights; but it
 * cannot execute, load a program into the kernel, or speak to anything but Unix sockets. */
#ifndef IO_KEYS_SANDBOX_H
#define IO_KEYS_SANDBOX_H

#include "abi/confine.h"

extern const struct confine_table keys_sandbox_table;

enum keys_sandbox_kind { KEYS_SANDBOX_PROBES = 1u << 0 };

/* keys_sandbox_enter installs the list; probes: lines for them as well. Builds with sanitizers go without. 0, or -errno with err.
 * Precondition: privileges_drop. */
int keys_sandbox_enter(bool probes, char *err, size_t cap);

#endif
