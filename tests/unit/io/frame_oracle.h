/* SPDX-License-Identifier: BSD-3-Clause */
/* frame_oracle: what io/bpf/judge.bpf.h shall say of a frame, said again by other means: a cursor over the bytes and the filter's own
 * lists instead of tables. And frames to ask of: stacks of headers that mostly fit together, with every kind of fault. */
#ifndef TESTS_FRAME_ORACLE_H
#define TESTS_FRAME_ORACLE_H

#include "abi/steer.h"
#include "worker/filter.h"

#include <stddef.h>
#include <stdint.h>

#define ORACLE_FRAME_MAX 2048u

struct oracle_rng {
	uint64_t s;
};

uint32_t oracle_random(struct oracle_rng *r, uint32_t below);

/* oracle_says: the place where the frame counts; enum steer_counter, without NO_SOCKET, UNREADY and TORN. */
int oracle_says(const uint8_t *frame, size_t n, const struct filter *f, uint16_t vxlan_port);

/* oracle_frame makes a frame of 14 bytes or more; returns its length. Addresses, ports and VLANs come from a few, so that filters of oracle_filter
 * meet them. */
size_t oracle_frame(struct oracle_rng *r, uint8_t out[ORACLE_FRAME_MAX]);

void oracle_filter(struct oracle_rng *r, struct filter *f);

#endif
