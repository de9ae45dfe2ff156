/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/numa.h"

#include <stdio.h>

bool
numa_far(int a, int b)
{
	return a >= 0 && b >= 0 && a != b;
}

int
numa_home(int port_socket, int worker_socket)
{
	return port_socket >= 0 ? port_socket : worker_socket >= 0 ? worker_socket : -1;
}

bool
numa_sentence(const char *kind, const char *name, int socket, const char *who, uint32_t cpu, int cpu_socket, char *out, size_t cap)
{
	if (!numa_far(socket, cpu_socket))
		return false;
	snprintf(out, cap, "%s %s is on NUMA socket %d and the %s's CPU %u on socket %d: give the %s a CPU of socket %d (`lscpu -e` lists them)", kind, name,
		socket, who, cpu, cpu_socket, who, socket);
	return true;
}
