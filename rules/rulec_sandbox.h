/* SPDX-License-Identifier: BSD-3-Clause */
/* rulec_sandbox: what the compiler gives up before it reads rules that somebody sent: it reads files, writes beside its output, and
 * ends. */
#ifndef RULES_RULEC_SANDBOX_H
#define RULES_RULEC_SANDBOX_H

#include "abi/confine.h"

extern const struct confine_table rulec_sandbox_table;

/* rulec_sandbox_enter: output is where the bundle goes, NULL or "-" for nowhere but standard output. 0, or -errno with err. */
int rulec_sandbox_enter(const char *output, char *err, size_t cap);

#endif
