/* SPDX-License-Identifier: BSD-3-Clause */
/* attach: the dataplane's end of the channel (abi/channel.h), served by the main lcore between its other duties: one control
 * and one peer with keys at a time, a newer one replaces the older. It never waits: a peer that does not read is hung up. */
#ifndef IO_ATTACH_H
#define IO_ATTACH_H

#include "abi/memory.h"
#include "abi/ring.h"
#include "abi/stats.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What control is given. The fds stay the caller's. */
struct attach_offer {
	const struct ring_producer *rings;
	uint32_t n_rings;
	uint8_t epoch[8];
	int stats_fd, bundle_fd;
	uint64_t generation, bundle_bytes;
	/* memory: control's memory has come, whole and checked, on the main lcore. The page is the callee's, to be given back with
	 * memory_unmap, from any thread. NULL: pages are dropped. */
	void (*memory)(void *ctx, const struct memory_page *page, size_t bytes);
	void *memory_ctx;
	/* keys: text of a key log has come, which is gone after the call; 0 or -errno. NULL: it is refused. */
	int (*keys)(void *ctx, const char *text, size_t n);
	void *keys_ctx;
	/* profile: the text of a profile has come, which is gone after the call; an enum channel_status, with a sentence in said. NULL: refused. */
	int (*profile)(void *ctx, const char *text, size_t n, char *said, size_t said_cap);
	void *profile_ctx;
	struct stats_page *stats; /* for the sentence; NULL: nowhere */
};

struct attach {
	int listen_fd, pending_fd, control_fd, keys_fd; /* -1: none. pending: connected, has not said HELLO */
	uint64_t pending_since_ns;
	uint32_t version; /* of the channel, as agreed with control_fd */
	uint64_t attached; /* how often a control has attached */
	uint64_t memories, memories_refused; /* pages that came, and of these those that were not as they must be */
	uint64_t keys, keys_refused, profiles, profiles_refused; /* texts that came, and of these those that were not taken */
	uid_t uid; /* besides root, who may bring keys */
	char path[108];
};

/* attach_open: 0, or -errno with a sentence in err (a busy path, no permission, ...). */
int attach_open(struct attach *a, const char *path, char *err, size_t err_cap);
/* attach_poll takes connections, answers HELLO, notices the end of a control. */
void attach_poll(struct attach *a, const struct attach_offer *offer, uint64_t now_ns);
/* attach_close hangs up and removes the socket's file. */
void attach_close(struct attach *a);

#endif
