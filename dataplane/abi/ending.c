/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/ending.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static _Atomic bool *stop_flag;
static _Atomic bool hung_up;

static void
on_end(int sig)
{
	(void)sig;
	if (atomic_exchange_explicit(stop_flag, true, memory_order_relaxed) && sig != SIGHUP)
		_exit(1);
}

static void
on_hangup(int sig)
{
	(void)sig;
	atomic_store_explicit(&hung_up, true, memory_order_relaxed);
}

void
ending_watch(_Atomic bool *stop)
{
	stop_flag = stop;
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGINT, &(struct sigaction){.sa_handler = on_end}, NULL);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_end}, NULL);
	sigaction(SIGHUP, &(struct sigaction){.sa_handler = isatty(STDIN_FILENO) ? on_end : on_hangup}, NULL);
}

bool
ending_hangup(void)
{
	return atomic_exchange_explicit(&hung_up, false, memory_order_relaxed);
}
