/* SPDX-License-Identifier: BSD-3-Clause */
/* blind: how long nobody looked. Of the dataplane: from the last frame that one dataplane could have judged to
 * the first that its successor could have, or counts as missed by the port.
 * Of control: from the last sign of life of one control to its successor's first look at the rings; alerts wait in the rings meanwhile. Counted, summed
 * up and noted in the audit trail ("blind"), over restarts of both.
 *
 * What is kept lies in the journal's folder, in a file of one page that is mapped, and survives the end of the process. Signs of life get there by a
 * thread of their own, 20 ms late at most: a store to a page that the kernel has just written to the disk may wait for the disk, and the drain
 * must not. After a loss of power they may be half a minute old: times are then overstated, never understated. */
#ifndef CONTROL_BLIND_H
#define CONTROL_BLIND_H

#include "abi/stats.h"
#include "control/journal.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum blind_who { BLIND_DATAPLANE, BLIND_CONTROL, BLIND_WHO };

struct blind_times {
	uint64_t count, total_ns, last_ns, max_ns;
	uint64_t last_at_ns; /* when the last one was over */
};

/* The file. */
struct blind_page {
	uint64_t magic;
	uint64_t alive_ns; /* control's last sign of life; 0: none yet */
	uint8_t epoch[8];  /* the last dataplane that was attached */
	uint64_t seen_ns;  /* until when it judged, as far as is known; 0: there was none */
	struct blind_times who[BLIND_WHO];
};

struct blind {
	struct blind_page *page; /* of its own if the file cannot be had */
	bool kept;
	struct blind_page alone;
	_Atomic uint64_t alive_ns, seen_ns; /* of the page, as they are now */
	pthread_t keeper;
	_Atomic bool keeping;
	uint64_t before_ns;  /* control's predecessor was alive until then; 0: there was none, or it is accounted for */
	uint64_t started_ns;
};

/* blind_open: 0, or -errno: times are counted all the same, but not kept. */
int blind_open(struct blind *b, const char *dir, uint64_t now_ns);
void blind_close(struct blind *b);

/* blind_alive: control looks at the rings now, and the dataplane of this page is attached, or NULL. From the drain's thread, often. */
void blind_alive(struct blind *b, const struct stats_page *page, uint64_t now_ns);
/* blind_came: a dataplane has attached. blind_gone: the one of this page has hung up. */
void blind_came(struct blind *b, const struct stats_page *page, struct journal *j, uint64_t now_ns);
void blind_gone(struct blind *b, const struct stats_page *page);

/* blind_status: {"dataplane":{"count","total_ms","last_ms","max_ms","last_at_ns"},"control":{...},"kept":BOOL}. From any thread. */
json_t *blind_status(const struct blind *b);

#endif
