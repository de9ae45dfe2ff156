/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/realtime.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>

#define ROOM_NS_MAX 5000000u

static void
init_as(pthread_mutex_t *m, int type)
{
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, type);
	if (pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT) != 0 || pthread_mutex_init(m, &a) != 0)
		pthread_mutex_init(m, NULL);
	pthread_mutexattr_destroy(&a);
}

void
realtime_mutex_init(pthread_mutex_t *m)
{
	init_as(m, PTHREAD_MUTEX_DEFAULT);
}

int
realtime_take(int priority)
{
	struct sched_param p = {.sched_priority = priority};
	return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p) == 0 ? 0 : -errno;
}

int
realtime_give(pthread_t thread, int priority)
{
	return -pthread_setschedparam(thread, SCHED_FIFO, &(struct sched_param){.sched_priority = priority});
}

void
realtime_leave_room(uint64_t began_ns, uint64_t now_ns)
{
	uint64_t ns = now_ns - began_ns;
	nanosleep(&(struct timespec){.tv_nsec = (long)(ns < ROOM_NS_MAX ? ns : ROOM_NS_MAX)}, NULL);
}

/* ---- SQLite's mutexes ---- */

#define STATICS 16 /* SQLITE_MUTEX_STATIC_* count from 2 */

struct sqlite3_mutex {
	pthread_mutex_t m;
};

static struct sqlite3_mutex statics[STATICS];

static int
mutexes_init(void)
{
	static bool done;
	for (unsigned i = 0; !done && i < STATICS; i++)
		init_as(&statics[i].m, PTHREAD_MUTEX_NORMAL);
	done = true;
	return SQLITE_OK;
}

static int
mutexes_end(void)
{
	return SQLITE_OK;
}

static sqlite3_mutex *
mutex_alloc(int kind)
{
	if (kind != SQLITE_MUTEX_FAST && kind != SQLITE_MUTEX_RECURSIVE)
		return kind >= 2 && kind < 2 + STATICS ? &statics[kind - 2] : NULL;
	struct sqlite3_mutex *m = malloc(sizeof *m);
	if (m != NULL)
		init_as(&m->m, kind == SQLITE_MUTEX_RECURSIVE ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
	return m;
}

static void
mutex_free(sqlite3_mutex *m)
{
	pthread_mutex_destroy(&m->m);
	free(m);
}

static void
mutex_enter(sqlite3_mutex *m)
{
	pthread_mutex_lock(&m->m);
}

static int
mutex_try(sqlite3_mutex *m)
{
	return pthread_mutex_trylock(&m->m) == 0 ? SQLITE_OK : SQLITE_BUSY;
}

static void
mutex_leave(sqlite3_mutex *m)
{
	pthread_mutex_unlock(&m->m);
}

int
realtime_sqlite(void)
{
	static const sqlite3_mutex_methods methods = {.xMutexInit = mutexes_init, .xMutexEnd = mutexes_end, .xMutexAlloc = mutex_alloc,
		.xMutexFree = mutex_free, .xMutexEnter = mutex_enter, .xMutexTry = mutex_try, .xMutexLeave = mutex_leave};
	return sqlite3_config(SQLITE_CONFIG_MUTEX, &methods) == SQLITE_OK ? 0 : -EBUSY;
}
