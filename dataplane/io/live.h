/* SPDX-License-Identifier: BSD-3-Clause */
/* live: the dataplane process proper. Reads its options and the box profile, starts EAL, builds workers, correlator and rings as the
 * topology says, launches the lcores, and then only housekeeps: serves control's attach channel, copies port counters, keeps
 * the clock, watches for the end. */
#ifndef IO_LIVE_H
#define IO_LIVE_H

/* live_main returns the exit status: 0 after a clean end (a signal, or a file source read and consumed), 1 if it could
 * not start, 2 for a wrong command line. */
int live_main(int argc, char **argv);

#endif
