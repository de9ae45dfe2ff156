/* SPDX-License-Identifier: BSD-3-Clause */
/* offline: the real worker and correlator without EAL, ports or rings, in one thread: `replay` over capture files, `run` over
 * transactions in a file, `check` of a bundle's vectors, `profile` of its cost. NDJSON on stdout, diagnostics on stderr. As any user. */
#ifndef IO_OFFLINE_H
#define IO_OFFLINE_H

/* offline_main: argv[0] is the verb. Returns the exit status. */
int offline_main(int argc, char **argv);

#endif
