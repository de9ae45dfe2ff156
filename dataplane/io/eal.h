/* SPDX-License-Identifier: BSD-3-Clause */
/* eal: DPDK's environment as a topology wants it. */
#ifndef IO_EAL_H
#define IO_EAL_H

#include "worker/topology.h"

#include <stddef.h>

/* eal_start: 0, or -errno with a sentence and the next step in err. Once per process. */
int eal_start(const struct topology *t, char *err, size_t err_cap);

/* eal_alloc: zeroed memory for workers, 64-byte aligned: huge pages of the current socket if the topology has them, else ordinary
 * pages, touched so that no worker faults on them. NULL if there is none. */
void *eal_alloc(size_t bytes);
/* eal_alloc_near makes the following eal_alloc calls take memory near this lcore. */
void eal_alloc_near(unsigned lcore);

#endif
