/* SPDX-License-Identifier: BSD-3-Clause */
/* sandbox: what sentinel-control gives up. Two steps: paths (Landlock) before its threads start, since they inherit it; capabilities and
 * the list of system calls once the journal is open, consumers can connect and the priority is taken. It has files to write and
 * sockets to serve, so its list is longer than the dataplane's; it cannot execute, trace, mount, load or become anything. */
#ifndef CONTROL_SANDBOX_H
#define CONTROL_SANDBOX_H

#include "abi/confine.h"
#include "control/control.h"

extern const struct confine_table control_sandbox_table;

/* control_sandbox_paths confines this thread and those it starts later to the journal's folder, the folder of the socket, and
 * reading what name resolution needs. It says so where the kernel cannot. 0, or -errno with err. */
int control_sandbox_paths(const struct control_options *o, char *err, size_t cap);

/* control_sandbox_resolver, between the two: what looking names of nodes up takes is loaded, if a node is given by name. Takes a second at most. */
void control_sandbox_resolver(const struct control_options *o);

/* control_sandbox_enter: capabilities, then the list, in all threads. 0, or -errno with err. */
int control_sandbox_enter(const struct control_options *o, char *err, size_t cap);

#endif
