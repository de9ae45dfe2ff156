/* SPDX-License-Identifier: BSD-3-Clause */
/* rlpx: passive framer for devp2p's RLPx, both directions of a connection. Source: ethereum/devp2p rlpx.md,
 * EIP-8, EIP-706 (snappy).
 *
 *   handshake packet (2-byte size, ECIES) | frame | frame ...      frame = header 16, MAC 16, body padded to
 * 16, MAC 16
 *
 * Headers and bodies are encrypted with AES-256-CTR, zero IV, one keystream per direction that the MACs take
 * no part of. The secrets come from a table of sessions (rlpx_keys.h) that may be replaced at any time. A
 * session is recognised
 *  - by its first frame's header, which names it among any number of sessions,
 *  - by its endpoints, if that header was not seen, or
 *  - by trial of up to RLPX_SEARCH_KEYS sessions (rlpx_search.h), if neither was.
 * While the key or the place in the keystream is not known, the last bytes of each direction are kept in a
 * window (rlpx_window.h); once it is known they are read. So a key that comes late costs nothing that the
 * window still holds.
 *
 * What is read: a whole message at a time, chunked or not, snappy taken off. Hello is read for the message
 * ids of eth; other messages of the base protocol are reported without body. A message in which bytes are
 * missing is lost, the stream is not; if a header is missing the stream is searched for the next one.
 *
 * A node refuses what fails its MAC; a passive reader mostly cannot check it (rlpx_mac.h). Without secrets
 * all bytes are OPAQUE. */
#ifndef WIRE_RLPX_H
#define WIRE_RLPX_H

#include "abi/span.h"
#include "wire/framer.h"
#include "wire/rlpx_frame.h"
#include "wire/rlpx_hello.h"
#include "wire/rlpx_keys.h"
#include "wire/rlpx_mac.h"
#include "wire/rlpx_search.h"
#include "wire/rlpx_window.h"

#include <stdbool.h>
#include <stdint.h>

#define RLPX_MESSAGE_MAX (16u << 20) /* uncompressed: EIP-706 */
#define RLPX_NEAR_BLOCKS                                                                                \
	(1u << 21) /* keystream of 64 MiB of stream at most: a search this long may run on a worker, in \
		      slices */
#define RLPX_FAR_BLOCKS                                                                                     \
	(1ull << 28) /* how far into the keystream a session that was joined in mid-stream is looked for: 4 \
			GiB */
#define RLPX_TRIAL_BLOCKS (1ull << 22) /* the same for sessions that nothing speaks for: 64 MiB */
#define RLPX_ATTEMPTS_MAX 32u /* windows of one connection that other sessions than its own are tried on */
#define RLPX_ATTEMPTS_OWN 240u /* and those of its endpoints: blobs are longer than a window, and have no header in it */

enum rlpx_mac_verdict { RLPX_MAC_UNCHECKED, RLPX_MAC_GOOD, RLPX_MAC_BAD };

/* The message of the last FRAMER_MESSAGE. */
struct rlpx_message {
	uint32_t id;	     /* as on the wire */
	int eth;	     /* message of eth, or -1: not eth's, or eth's place is not known (rlpx_eth) */
	uint32_t wire_bytes; /* of its frames' bodies */
	uint8_t mac;	     /* enum rlpx_mac_verdict; BAD is reported once, later ones are UNCHECKED */
	bool resync;	     /* picked up in mid-stream, or behind a gap */
};

/* What happened, by worker. X-macro: _(id, "help") */
#define RLPX_COUNTS(_)                                                                                    \
	_(SESSIONS, "RLPx sessions whose secret was found")                                               \
	_(FRAMES, "RLPx frame headers read")                                                              \
	_(MESSAGES, "RLPx messages read")                                                                 \
	_(HELLOS, "RLPx Hello messages read")                                                             \
	_(RESYNCS, "times an RLPx direction was found again in its keystream")                            \
	_(SEARCHED, "keystream blocks tried on workers")                                                  \
	_(LOST, "RLPx messages damaged by a gap or by the end of the flow")                               \
	_(ODD_HEADER, "RLPx frame headers that say what no specification does; their sizes are followed") \
	_(BAD_HEADER, "RLPx frame headers that decrypt to none")                                          \
	_(BAD_MESSAGE, "RLPx messages without a message id, or that snappy refuses")                      \
	_(OVERSIZE, "RLPx messages larger than the buffers here")                                         \
	_(NO_BUFFER, "RLPx messages for which no assembly buffer could be had")                           \
	_(MAC_GOOD, "RLPx messages whose MAC was checked")                                                \
	_(MAC_BAD, "RLPx directions in which a MAC was wrong")
enum rlpx_count {
#define _(id, help) RLPX_N_##id,
	RLPX_COUNTS(_)
#undef _
		RLPX_N_COUNT
};

/* What a worker lends to its framers. One per worker. */
struct rlpx_arena {
	const struct rlpx_keys *keys; /* NULL: none yet; may change between any two calls */
	struct rlpx_windows *windows;
	struct rlpx_search *search; /* for short searches; zeroed at start; NULL: all are left to others */
	uint32_t search_slice;	    /* keystream blocks that one call of rlpx_poll may try; about 4 ns each */
	bool eager;		    /* in rlpx_poll: search though little is new (for idle times) */
	bool check_macs;	    /* costs Keccak over all ciphertext */
	uint64_t epoch;		    /* connections initialised so far */
	/* frame: a frame that lies whole in a span is decrypted here. out: where a message's payload is put;
	 * set by the owner before each call, who keeps what it needs. No message larger than out_cap is read.
	 */
	uint8_t *frame, *out;
	uint32_t frame_cap, out_cap;
	/* assembly buffers for frames that come in pieces: as jsonrpc_arena's. slab_get may be asked for up
	 * to 16 MiB and may give NULL. */
	void *ctx;
	uint8_t *(*slab_get)(void *ctx, uint32_t bytes, uint32_t *cap, uint8_t **holder);
	void (*slab_put)(void *ctx, uint8_t *slab);
	uint64_t counts[RLPX_N_COUNT];
};

/* Private to rlpx. Offsets count the stream's bytes, gaps included, since it was picked up. */
struct rlpx_dir {
	uint8_t state;
	bool start_known; /* offset 0 is the stream's first byte */
	bool has_first;	  /* `first` was seen */
	bool skip;	  /* what is left of the frame is passed over */
	bool odd;	  /* the frame's header says what no specification does */
	bool in_chunk;	  /* the frame belongs to the message in chunk */
	bool resync, confirmed, base_known, mac_on, mac_bad;
	bool chunking;
	uint8_t hdr_n, size_n;
	uint16_t handshake; /* bytes of the handshake packet with its prefix; 0: not known */
	uint8_t hdr[16], first[16], want[16], size_bytes[2];
	uint32_t held;		      /* bytes in the window, not parsed yet */
	uint64_t at;		      /* offset of the next byte to parse; the window begins here */
	uint64_t key_at;	      /* keystream byte of the next header or body */
	uint64_t base_at, base_block; /* a header that is known to have been there */
	uint64_t lost_at, tried_at;   /* searching since, last tried at */
	uint64_t sync_at, sync_block; /* found by a search, not used yet */
	bool sync_pending;
	struct rlpx_window *window;
	struct rlpx_frame frame;
	uint32_t pad, got;     /* of the frame: padded body; bytes behind the header taken */
	uint8_t *body, *chunk; /* slabs */
	uint32_t body_cap, chunk_cap, chunk_have, chunk_total, chunk_context;
	struct rlpx_message msg;
	struct rlpx_mac mac;
};

struct rlpx {
	struct rlpx_dir dir[2];
	void *user;		     /* the owner's own */
	struct rlpx_endpoint end[2]; /* [0]: who opened the connection, or is taken to have */
	uint64_t epoch;
	uint64_t keys_seen; /* rlpx_keys_end of the table that was looked into */
	bool has_key;
	bool out_for_search;
	uint8_t attempts;
	uint8_t hellos; /* bit per direction */
	bool no_snappy;
	struct rlpx_eth eth;
	struct rlpx_hello hello; /* of the direction that said it first */
	struct rlpx_key key;
	struct aes256_ctx aes;
};

/* rlpx_looks_like tells whether the first bytes of a direction can be a handshake packet: 1 yes, 0 no, -1 too
 * few bytes to tell. */
int rlpx_looks_like(struct span in);

/* rlpx_init prepares a connection. midstream: its beginning was not seen. end[0] opened it (mid-stream:
 * either). r may not move until rlpx_end was called for both directions. */
void rlpx_init(
	struct rlpx *r, struct rlpx_arena *a, bool midstream, const struct rlpx_endpoint end[2], void *user);

/* rlpx_feed: the framer contract. FRAMER_MESSAGE: a whole message; out.body is its payload (in arena->out),
 * out.last is set, rlpx_last tells the rest. Before each feed and gap rlpx_poll must have returned false:
 * bytes still to be read are lost otherwise. */
uint32_t rlpx_feed(
	struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct span in, struct framer_out *out);

/* rlpx_gap: n bytes of a direction are missing here. One verdict, MESSAGE among them: of a message whose last
 * MAC alone is missing. */
void rlpx_gap(struct rlpx *r, unsigned dir, struct rlpx_arena *a, uint64_t n, struct framer_out *out);

/* rlpx_poll does what new keys and searches make possible without new bytes: true, with one verdict of
 * direction *dir, or false: nothing more for now. Each true resolves bytes, so it ends. Call it before each
 * feed and gap, behind the last feed of a burst, and every few ms for the owners of windows (with
 * arena->eager). */
bool rlpx_poll(struct rlpx *r, struct rlpx_arena *a, unsigned *dir, struct framer_out *out);

/* rlpx_end: the direction has ended. Held bytes are reported as skipped, a message under way is LOST. Calling
 * it again gives MORE. */
void rlpx_end(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct framer_out *out);

/* rlpx_held: bytes of direction `dir` held and not yet reported as parsed or skipped. */
uint32_t rlpx_held(const struct rlpx *r, unsigned dir);

const struct rlpx_message *rlpx_last(const struct rlpx *r, unsigned dir);

/* rlpx_eth: eth's place; first 0: not known. rlpx_learn_eth tells it, for who can judge by what messages say;
 * a Hello overrules it. */
const struct rlpx_eth *rlpx_eth(const struct rlpx *r);
void rlpx_learn_eth(struct rlpx *r, uint32_t first);

/* rlpx_readable: is direction `dir` being read? */
bool rlpx_readable(const struct rlpx *r, unsigned dir);

/* ---- searches off the worker ---- */

/* rlpx_search_begin fills s if direction `dir` waits for a search that is too long for the worker (or if the
 * arena has none). s is then run by anybody; it refers to nothing. One at a time for a connection. */
bool rlpx_search_begin(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct rlpx_search *s);
/* rlpx_search_end takes the result, on the worker, if r is still the connection it was made for. rlpx_poll
 * then goes on. */
void rlpx_search_end(struct rlpx *r, struct rlpx_arena *a, const struct rlpx_search *s);

#endif
