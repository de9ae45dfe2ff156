/* SPDX-License-Identifier: BSD-3-Clause */
/* The channel: the Unix stream socket on which control attaches to the dataplane, opened by the dataplane
 * before its sandbox. Control sends HELLO{version min, max}; the dataplane answers WELCOME{version, epoch,
 * pid, n_rings} followed by one RING message per ring with three fds (ring, evidence, cursor), one STATS
 * message with one fd, and one BUNDLE_META message with one fd: a sealed memory file that holds the loaded
 * rule bundle, of which control reads the metadata. The same order again whenever it reconnects; one
 * control at a time, a newer connection replaces the older. EOF on the socket tells control that the
 * dataplane has gone. A new bundle is a new BUNDLE_META message. Messages are fixed-size; anything else
 * ends the connection. */
#ifndef ABI_CHANNEL_H
#define ABI_CHANNEL_H

#include <stdint.h>

#define CHANNEL_MAGIC 0x4c4e4843u
#define CHANNEL_VERSION_MIN 1
#define CHANNEL_VERSION_MAX 1

enum channel_type {
	CHANNEL_HELLO = 1,
	CHANNEL_WELCOME = 2,
	CHANNEL_RING = 3,
	CHANNEL_STATS = 4,
	CHANNEL_BUNDLE_META = 5
};

struct channel_msg {
	uint32_t magic;
	uint16_t type;
	uint16_t n_fds;
	union {
		struct {
			uint32_t version_min, version_max;
		} hello;
		struct {
			uint32_t version, n_rings, pid, pad;
			uint8_t epoch[8];
		} welcome;
		struct {
			uint32_t ring_id, lane;
		} ring;
		struct {
			uint64_t generation, bytes;
		} bundle;
		uint8_t bytes[48];
	} u;
};
_Static_assert(sizeof(struct channel_msg) == 56, "channel ABI");

/* channel_listen makes a Unix stream socket at `path`, mode 0660, non-blocking; a stale socket file that
 * nobody answers is replaced, a live one is -EADDRINUSE. Returns the fd or -errno. */
int channel_listen(const char *path);
/* channel_connect returns a connected non-blocking fd or -errno. */
int channel_connect(const char *path);
/* channel_send sends one message and its fds. 0 or -errno. */
int channel_send(int fd, const struct channel_msg *m, const int *fds, unsigned n_fds);
/* channel_recv receives one whole message. Returns 1, 0 if nothing is there yet, -EPIPE at the end, -EPROTO
 * if it is no message. Fds are stored in fds[max] (close-on-exec), their number in *n_fds; surplus ones are closed. */
int channel_recv(int fd, struct channel_msg *m, int *fds, unsigned max, unsigned *n_fds);

#endif
