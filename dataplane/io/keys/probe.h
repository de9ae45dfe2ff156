/* SPDX-License-Identifier: BSD-3-Clause */
/* probe: the BPF program rlpx_keys in the kernel, its ring, and its attachments to programs. */
#ifndef IO_KEYS_PROBE_H
#define IO_KEYS_PROBE_H

#include "io/keys/program.h"
#include "wire/rlpx_keys.h"

/* A session that a node has just made, wiped after the call. */
typedef void probe_session(void *ctx, const struct rlpx_key *key, uint32_t pid);

struct probe;
struct bpf_link;

struct probe_counters {
	uint64_t seen, lost, refused, odd; /* calls; no room in the ring; not as they must be, in the kernel; and here */
	uint64_t others;		   /* calls of other users' processes */
};

/* Whose processes are nodes; n 0: anybody's. */
struct probe_users {
	uint32_t user[PROBES_USERS_MAX];
	unsigned n;
};

/* probe_open loads the program. NULL with a sentence in err that says what to do: no right, no uprobes, ... */
struct probe *probe_open(probe_session *session, void *ctx, const struct probe_users *users, char *err, size_t cap);
void probe_close(struct probe *p);

/* probe_attach places a probe into an open program that program_read knows, in all its processes, those to come too. NULL with err. probe_detach takes
 * it out; NULL is allowed. */
struct bpf_link *probe_attach(struct probe *p, int fd, const struct program *program, char *err, size_t cap);
void probe_detach(struct bpf_link *link);

/* probe_fd is readable when there is something to take; probe_take takes it. */
int probe_fd(const struct probe *p);
void probe_take(struct probe *p);
struct probe_counters probe_count(const struct probe *p);

/* probe_key makes a session of what came through the ring, `n` bytes; false: it is none. */
bool probe_key(const void *event, size_t n, struct rlpx_key *key, uint32_t *pid);

#endif
