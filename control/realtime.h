/* SPDX-License-Identifier: BSD-3-Clause */
/* realtime: what keeps the way from a ring to a consumer's socket from waiting for whoever runs with an ordinary priority. With --realtime
 * the drain has REALTIME_DRAIN, the threads that deliver REALTIME_DELIVER, all others an ordinary one; locks that they share lend the
 * waiter's priority to their holder (PTHREAD_PRIO_INHERIT), SQLite's too. */
#ifndef CONTROL_REALTIME_H
#define CONTROL_REALTIME_H

#include <pthread.h>
#include <stdint.h>

#define REALTIME_DRAIN 10
#define REALTIME_DELIVER 9

/* realtime_mutex_init: a mutex that lends; an ordinary one where the system has none. */
void realtime_mutex_init(pthread_mutex_t *m);
/* realtime_sqlite: SQLite's mutexes lend. Before anything else of SQLite's is called, once in a process; 0 or -EBUSY: it goes on without. */
int realtime_sqlite(void);
/* realtime_take: SCHED_FIFO for the calling thread; those that it starts do not have it. 0 or -errno. */
int realtime_take(int priority);
/* realtime_give: the same for a thread that has been started, which need not have run yet: it may not be allowed to ask for it later. */
int realtime_give(pthread_t thread, int priority);
/* realtime_leave_room: a turn that began at began_ns (monotonic) was not the last of a long run: whoever has no real-time priority gets as
 * long as it took, 5 ms at most. */
void realtime_leave_room(uint64_t began_ns, uint64_t now_ns);

#endif
