/* SPDX-License-Identifier: BSD-3-Clause */
/* control: what the parts of sentinel-control share. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "control/blind.h"
#include "control/drain.h"
#include "control/journal.h"
#include "control/profile.h"
#include "control/latency.h"
#include "control/nodes.h"
#include "control/recall.h"
#include "control/vet.h"

#include <stdbool.h>
#include <stdint.h>

#define CONTROL_DEFAULT_CHANNEL "/run/sentinel/dataplane.sock"
#define CONTROL_DEFAULT_SOCKET "/run/sentinel/control.sock"
#define CONTROL_DEFAULT_JOURNAL "/var/lib/sentinel/journal"

struct control_options {
	const char *channel, *socket, *journal, *source_name;
	uint64_t journal_mb, keep_mb;
	struct vet_options vet;
	bool once, realtime, verify, no_sandbox, print_sandbox, help;
};

struct control {
	struct control_options opt;
	struct journal *journal;
	struct drain drain;
	struct vet *vet;
	struct recall *recall;
	struct profile_desk *profile;
	struct blind blind;
	struct latency latency;
	struct nodes_watch nodes;
	uint64_t started_ns;
	_Atomic uint64_t undurable; /* alerts that went out marked durable:false */
	_Atomic uint64_t untold; /* alerts that should have, and found no room with any outlet */
	_Atomic uint64_t lost_untold; /* alerts that are lost, and the journal that shall tell of it is down */
	_Atomic uint64_t attachments;
	_Atomic uint64_t verdicts_shed; /* let go of while the journal was down */
};

uint64_t control_wall_ns(void);
uint64_t control_monotonic_ns(void);
/* control_steady_ns: the wall time at its first call and what has passed since: ages reckoned from it are true however the clock is set meanwhile. */
uint64_t control_steady_ns(void);

#endif
