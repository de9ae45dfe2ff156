/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/* What tap.bpf.c and io/tap have in common beside io/bpf/table.h. */
#ifndef IO_BPF_TAP_H
#define IO_BPF_TAP_H

#include "io/bpf/table.h"

#define TAP_FRAME_MAX 1600u /* bytes of a frame that is handed on as it is */
#define TAP_PIECE 1380u	    /* payload of a piece of a larger one; a multiple of 12 (of three sums over words) */
#define TAP_PIECES_MAX 256u /* of the largest frame that is cut: 353 kB; TCP makes none larger than 131 kB unless gso_max_size was raised */
#define TAP_MARK 0x5e717800u /* of a clone: its lowest bits say which piece it becomes */
#define TAP_MARK_WHOLE 0x5e717a00u /* of one that is to be cut */

/* counters beside those of enum steer_counter */
#define TAP_FAILED STEER_PASSED_NO_SOCKET /* the nodes', but the capture device did not take it */
#define TAP_SLICED STEER_PASSED_OWN	  /* of what was taken: handed on in pieces; a tap asks for no address of its own host */

#define TAP_BOOK_MAX 512
#define TAP_BRIDGES_MAX 64

/* What `attach` has made, for `detach`. */
struct tap_book {
	unsigned int made_pair; /* the capture device and its peer */
	unsigned int to;	/* interface index of the capture device */
	unsigned int n;
	unsigned int made_clsact[TAP_BOOK_MAX]; /* on these interfaces */
	unsigned int bridges;
	unsigned int made_promiscuous[TAP_BRIDGES_MAX]; /* these */
};

#endif
