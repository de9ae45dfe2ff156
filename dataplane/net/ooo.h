/* SPDX-License-Identifier: BSD-3-Clause */
/* ooo: bytes held out of order, per direction a list of slabs sorted by offset that neither overlap nor lie
 * below the in-order point. The slabs are one pool per core; counts per direction live in the flow. No policy
 * here: who calls has made room. */
#ifndef NET_OOO_H
#define NET_OOO_H

#include "abi/span.h"
#include "net/range.h"

#define OOO_SLAB_BYTES 2048u
#define OOO_SLAB_DATA (OOO_SLAB_BYTES - 20u)

struct ooo_slab {
	uint64_t off;
	uint32_t next;
	uint32_t owner; /* whoever holds it says who he is; NET_NONE: free */
	uint16_t len;
	bool first; /* of its segment: counts as a segment, with what was put behind it */
	uint8_t data[OOO_SLAB_DATA];
};

struct ooo_pool {
	struct ooo_slab *slabs;
	uint32_t n, n_free, free, hand;
};

void ooo_init(struct ooo_pool *p, void *mem, uint32_t n);
/* ooo_slabs_for: how many slabs n bytes take. */
uint32_t ooo_slabs_for(uint32_t n);

/* ooo_extends: n bytes at off, where nothing is held, fit into the slab that ends there: they take no other, and are no segment more. */
bool ooo_extends(const struct ooo_pool *p, const struct flow *f, unsigned dir, uint64_t off, uint32_t n);

/* ooo_hold copies bytes to offset off, where nothing is held; the pool has ooo_slabs_for(bytes.len) free, or they extend a slab. */
void ooo_hold(struct ooo_pool *p, struct flow *f, unsigned dir, uint32_t owner, uint64_t off, struct span bytes);

/* ooo_owner: whose the next slab is, of all in turn; NET_NONE: nobody's. */
uint32_t ooo_owner(struct ooo_pool *p);

/* ooo_first: the first run held, or NULL. Valid until ooo_drop_first. */
const struct ooo_slab *ooo_first(const struct ooo_pool *p, const struct flow *f, unsigned dir);
void ooo_drop_first(struct ooo_pool *p, struct flow *f, unsigned dir);

/* ooo_next: the first run held that ends behind off, or NULL. */
const struct ooo_slab *ooo_next(const struct ooo_pool *p, const struct flow *f, unsigned dir, uint64_t off);

/* ooo_covered counts how many of the bytes at off are held; *r is made to cover those that are held as
 * others. */
uint32_t ooo_covered(
	const struct ooo_pool *p, const struct flow *f, unsigned dir, uint64_t off, struct span bytes, struct stream_range *r);

/* ooo_end: offset behind the last byte held; 0 if none is. */
uint64_t ooo_end(const struct ooo_pool *p, const struct flow *f, unsigned dir);

#endif
