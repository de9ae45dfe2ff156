/* SPDX-License-Identifier: BSD-3-Clause */
/* The channel: the Unix socket on which control attaches to the dataplane, opened by the dataplane
 * before its sandbox. Control sends HELLO{version min, max}; the dataplane answers WELCOME{version, epoch,
 * pid, n_rings} followed by one RING message per ring with three fds (ring, evidence, cursor), one STATS
 * message with one fd, and one BUNDLE_META message with one fd: a sealed memory file that holds the loaded
 * rule bundle, of which control reads the metadata. The same order again whenever it reconnects; one
 * control at a time, a newer connection replaces the older. EOF on the socket tells control that the
 * dataplane has gone. A new bundle is a new BUNDLE_META message. From version 2 on control sends a MEMORY message with one
 * fd (abi/memory.h) once it has been offered everything, and again whenever operators change their watch list; it
 * says nothing else after HELLO but, from version 3 on, PROFILE messages with one fd: the text of a profile that shall hold from now on. The dataplane answers each with SAID, and
 * its sentence stands in the stats page (stats_said). From version 3 on HELLO says who it is: a peer with CHANNEL_ROLE_KEYS gets WELCOME and nothing more, sends KEYS
 * messages with one fd each, lines of a key log (io/keylog.h), and gets SAID for each; one such peer at a time, beside control, and only root, or the user who started the dataplane.
 * The version is the highest that both know. The socket is SOCK_SEQPACKET: a message
 * arrives whole or not at all, with its own fds, so that no half message has to be kept for a peer that
 * stalls. Messages are fixed-size; anything else ends the connection. */
#ifndef ABI_CHANNEL_H
#define ABI_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#define CHANNEL_MAGIC 0x4c4e4843u
#define CHANNEL_VERSION_MIN 1
#define CHANNEL_VERSION_MAX 3
#define CHANNEL_VERSION_MEMORY 2 /* the first that has CHANNEL_MEMORY */
#define CHANNEL_VERSION_ROLES 3 /* the first that has roles, CHANNEL_KEYS, CHANNEL_PROFILE and CHANNEL_SAID */
#define CHANNEL_FDS_MAX 3
#define CHANNEL_KEYS_BYTES_MAX (4u << 20) /* of text in one message: far more than 4096 sessions */
#define CHANNEL_PROFILE_BYTES_MAX 65536u

enum channel_role { CHANNEL_ROLE_CONTROL, CHANNEL_ROLE_KEYS };
/* What became of a PROFILE or KEYS message. PARTLY: the rest takes a restart. */
enum channel_status { CHANNEL_OK, CHANNEL_PARTLY, CHANNEL_REFUSED, CHANNEL_STATUS_MAX = CHANNEL_REFUSED };

enum channel_type {
	CHANNEL_HELLO = 1,
	CHANNEL_WELCOME = 2,
	CHANNEL_RING = 3,
	CHANNEL_STATS = 4,
	CHANNEL_BUNDLE_META = 5,
	CHANNEL_MEMORY = 6, /* control -> dataplane */
	CHANNEL_KEYS = 7,   /* keys -> dataplane */
	CHANNEL_PROFILE = 8, /* control -> dataplane */
	CHANNEL_SAID = 9,    /* dataplane -> who sent KEYS or PROFILE */
	CHANNEL_TYPE_MAX = 9
};

struct channel_msg {
	uint32_t magic;
	uint16_t type;
	uint16_t n_fds;
	union {
		struct {
			uint32_t version_min, version_max;
			uint32_t role; /* enum channel_role; before version 3 always 0 */
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
		struct {
			uint64_t number, bytes; /* as the page says */
		} memory;
		struct {
			uint64_t number, bytes; /* number: the sender's own, told again in SAID; bytes: of the text */
		} blob;			       /* KEYS, PROFILE */
		struct {
			uint64_t number;
			uint32_t status; /* enum channel_status */
		} said;
		uint8_t bytes[48];
	} u;
};
_Static_assert(sizeof(struct channel_msg) == 56, "channel ABI");

/* channel_listen makes a listening socket at `path`, mode 0660, non-blocking, close-on-exec; a stale socket
 * file that nobody answers is replaced, a live one is -EADDRINUSE. Connections are taken with accept4.
 * Returns the fd or -errno. */
int channel_listen(const char *path);
/* channel_connect returns a connected non-blocking fd or -errno. */
int channel_connect(const char *path);
/* channel_send sends one message and its fds (at most CHANNEL_FDS_MAX); magic and n_fds are filled in. 0 or
 * -errno; -EAGAIN: the peer does not read. */
int channel_send(int fd, const struct channel_msg *m, const int *fds, unsigned n_fds);
/* channel_recv receives one message. Returns 1; 0 if nothing is there yet; -EPIPE at the end; -EPROTO if it
 * is no message: wrong size, magic or type, or not the fds of its type (they are closed). Fds are stored in
 * fds[max] (close-on-exec), their number in *n_fds; if a message has more than max it is refused. */
int channel_recv(int fd, struct channel_msg *m, int *fds, unsigned max, unsigned *n_fds);
/* channel_msg_check: 0 if the first `bytes` of *m are a message of this version, else -EPROTO. */
int channel_msg_check(const struct channel_msg *m, size_t bytes);

#endif
