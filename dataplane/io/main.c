/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/live.h"
#include "io/offline.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Captures are mapped; one that somebody cuts while it is read ends in this signal. */
static void
on_sigbus(int sig)
{
	static const char text[] = "sentinel-dataplane: a capture file was cut short while it was being read; read a copy that nobody changes\n";
	(void)sig;
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(1);
}

int
main(int argc, char **argv)
{
	sigaction(SIGBUS, &(struct sigaction){.sa_handler = on_sigbus}, NULL);
	if (argc >= 2 && strcmp(argv[1], "--offline") == 0)
		return offline_main(argc - 2, argv + 2);
	return live_main(argc, argv);
}
