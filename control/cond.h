/* SPDX-License-Identifier: BSD-3-Clause */
/* cond: condition variables whose timed waits end when they should though the system's clock is set meanwhile: until times are CLOCK_MONOTONIC's. */
#ifndef CONTROL_COND_H
#define CONTROL_COND_H

#include <pthread.h>
#include <time.h>

static inline void
cond_init_steady(pthread_cond_t *c)
{
	pthread_condattr_t a;
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(c, &a);
	pthread_condattr_destroy(&a);
}

#endif
