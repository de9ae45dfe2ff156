/* SPDX-License-Identifier: BSD-3-Clause */
/* notify: the few words that a service says to systemd (sd_notify(3)), through a socket that is connected at start, since a confined
 * process opens none later. All of it does nothing where there is no systemd. */
#ifndef ABI_NOTIFY_H
#define ABI_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* notify_open connects to $NOTIFY_SOCKET (a path, or @name). False: there is none, or it cannot be reached; the rest does nothing
 * then. */
bool notify_open(void);

/* notify_send says "READY=1", "STOPPING=1", "STATUS=..." (one assignment a line). Never waits: what systemd does not take is
 * dropped. */
__attribute__((format(printf, 1, 2))) void notify_send(const char *fmt, ...);

/* notify_watchdog_ns: how often at least systemd wants to hear WATCHDOG=1; 0: it does not. From the environment, for this process
 * alone ($WATCHDOG_PID). */
uint64_t notify_watchdog_ns(void);

#endif
