/* SPDX-License-Identifier: BSD-3-Clause */
/* sandbox_ports: what kinds of ports DPDK has, as the sandbox must know (the part of it that faces DPDK). */
#ifndef IO_SANDBOX_PORTS_H
#define IO_SANDBOX_PORTS_H

#include "io/sandbox.h"

/* sandbox_ports returns the kinds (enum sandbox_kind, or'ed) of all ports. Precondition: they are probed. */
unsigned sandbox_ports(void);

#endif
