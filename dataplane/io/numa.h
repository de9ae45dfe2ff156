/* SPDX-License-Identifier: BSD-3-Clause */
/* numa: who is near whom. A frame that is written by a port of one socket and read by a core of another crosses the bus between them, each time. */
#ifndef IO_NUMA_H
#define IO_NUMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* numa_far: whether these two sockets are different ones. Below 0: not known, or a machine without NUMA; then nothing is far. */
bool numa_far(int a, int b);

/* numa_home: the socket on which a port's buffers lie: the port's, else the worker's; -1: anywhere. */
int numa_home(int port_socket, int worker_socket);

/* numa_sentence says in err what is wrong if a worker's CPU is far from its port, or a CPU of the correlator from a worker: true if anything is. kind: "port" and
 * its name, for example. */
bool numa_sentence(const char *kind, const char *name, int socket, const char *who, uint32_t cpu, int cpu_socket, char *out, size_t cap);

#endif
