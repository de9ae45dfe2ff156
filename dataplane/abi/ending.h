/* SPDX-License-Identifier: BSD-3-Clause */
/* ending: how a process that serves is asked to end. SIGTERM and SIGINT once: the orderly end; again: at once, with status 1, whatever
 * it was doing. SIGHUP: from the terminal that started it, an orderly end; in a service it does nothing, and is told of. SIGPIPE is
 * an error of a write. */
#ifndef ABI_ENDING_H
#define ABI_ENDING_H

#include <stdatomic.h>
#include <stdbool.h>

/* ending_watch installs the handlers; *stop, of static storage, becomes true when the orderly end is asked for. */
void ending_watch(_Atomic bool *stop);

/* ending_hangup: whether a SIGHUP that does nothing has come since it was last asked. */
bool ending_hangup(void);

#endif
