/* SPDX-License-Identifier: BSD-3-Clause */
/* tap: the programs of io/bpf/tap.bpf.c on interfaces of this network namespace. They stay when the process ends, and are found again by looking at
 * every interface: nothing is pinned and no file is kept. All programs share one filter and one set of counters.
 *
 * Where they go: both directions of an interface, but of the loopback, where every frame passes both, egress alone. A bridge is made promiscuous, so
 * that its ingress is all that its ports send, and its egress what the host sends: a frame is cloned once, whatever ports come and go. Ports of a bridge
 * that is tapped are not. */
#ifndef IO_TAP_TAP_H
#define IO_TAP_TAP_H

#include "io/bpf/tap.h"
#include "io/filter_table.h"
#include "io/tap/link.h"

#include <stdbool.h>

#define TAP_PLACES_MAX 512u
#define TAP_MTU 3400u /* of the capture device: an XDP program can still be put on its peer */

struct tap_place {
	char interface[16];
	int index;
	bool ingress, egress;
};

/* What there is. */
struct tap {
	struct link *links;
	int n_links;
	int prog_fd; /* sentinel_tap's; -1: nothing is attached */
	struct filter_table_map map;
	struct tap_book *book;
	struct tap_place place[TAP_PLACES_MAX];
	unsigned places;
	int capture; /* the capture device's interface index; 0: gone */
};

/* Each of these returns 0 or -errno with a sentence and the next step in err.
 * tap_find looks for what is attached; it is no error if nothing is. -ENOENT: it is of another version of this program, and tap_detach alone may follow.
 * tap_forget gives memory and descriptors back, and changes nothing. */
int tap_find(struct tap *t, char *err, size_t err_cap);
void tap_forget(struct tap *t);

/* tap_attach puts the programs onto the interfaces of the comma-separated list that do not have them, with the capture device `to` and its peer
 * `read`, made if missing. filter: NULL keeps the one that is in use (nothing in use: every TCP segment). If it fails, what it had made
 * is taken away again. */
int tap_attach(struct tap *t, const char *on, const char *to, const char *read, const struct filter *filter, char *err, size_t err_cap);

/* tap_detach takes everything away that tap_attach has made, and nothing else; of another version's, if it cannot read what that has made, all that is ours by
 * handle, priority and name, the clsact qdiscs that are empty without it, and the veth pair. */
int tap_detach(struct tap *t, char *err, size_t err_cap);

/* tap_lock: held until the process ends: one change at a time in a network namespace. By a file in /run/sentinel-tap, which root alone can open. */
int tap_lock(char *err, size_t err_cap);

#endif
