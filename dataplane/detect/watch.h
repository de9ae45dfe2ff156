/* SPDX-License-Identifier: BSD-3-Clause */
/* watch: the armed contracts: addresses whose code, or whose delegation, was flagged when it was deployed, and those that operators watch. A call to one of them is
 * an alert by itself. Two tables of fixed size, so that what costs nothing never displaces what does: contracts of deployments and delegations that are in no block yet have one of
 * their own, in which the one that was armed longest ago makes room; included and operators' ones have the other, in which operators' ones stay and else the one used longest ago makes
 * room. Lookups take constant time. One owner, no clock, no allocation: memory is the caller's; hashing is keyed. */
#ifndef DETECT_WATCH_H
#define DETECT_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCH_PROTECTED_MAX 4u
#define WATCH_PENDING_TTL_NS (24ull * 3600 * 1000000000)
#define WATCH_KEPT_TTL_NS (30ull * 24 * 3600 * 1000000000)

enum watch_flag {
	WATCH_INCLUDED = 1 << 0,   /* its deployment is in a block */
	WATCH_OPERATOR = 1 << 1,   /* an operator watches it */
	WATCH_DELEGATED = 1 << 2,  /* an account that delegated to flagged code (EIP-7702) */
	WATCH_REMEMBERED = 1 << 3, /* handed over by control: its alert was made before this start */
	WATCH_TEMPLATE = 1 << 4,   /* a published artifact */
	WATCH_ACCEPTED = 1 << 5,   /* a node accepted its deployment: it makes room after those that none did */
	WATCH_FLASH = 1 << 6	   /* its code can take a flash loan */
};

struct watch_entry {
	uint8_t address[20];
	uint8_t deployer[20];	 /* zero: not known */
	uint8_t deploy_hash[32]; /* of the transaction; zero: not known */
	uint8_t rival_hash[32];	 /* of the last other one that would make it (same sender and nonce); zero: none */
	uint64_t chain_id;
	uint64_t since_ns; /* its deployment was seen; 0: not seen */
	uint64_t last_ns;  /* last used */
	uint64_t providers, reasons;
	uint64_t deploy_nonce;
	uint32_t score, learned;
	uint32_t flags; /* enum watch_flag */
	uint32_t n_protected;
	uint8_t protected_[WATCH_PROTECTED_MAX][20]; /* protected contracts whose addresses are in its code */
};

#define WATCH_COUNTS(_) \
	_(ARMED, "contracts that were armed") \
	_(INCLUDED, "armed contracts whose deployment came into a block") \
	_(FORGOTTEN, "armed contracts whose deployment was dropped or replaced") \
	_(EVICTED_PENDING, "armed contracts of deployments in no block that made room for newer ones") \
	_(EVICTED_KEPT, "armed contracts that made room for newer ones") \
	_(REFUSED, "operators' contracts for which there is no room") \
	_(AGED, "armed contracts that nobody called for too long")
enum watch_count {
#define _(id, help) WATCH_N_##id,
	WATCH_COUNTS(_)
#undef _
	WATCH_N_COUNT
};

struct watch_config {
	uint32_t n_pending, n_kept; /* entries, powers of two in [16, 2^20] */
	uint8_t key[16];	    /* secret */
	uint64_t *counts;	    /* WATCH_N_COUNT */
};

struct watch;

/* watch_bytes: memory for these, 0: out of range. watch_init lays it out in mem (64-byte aligned). */
size_t watch_bytes(const struct watch_config *c);
struct watch *watch_init(void *mem, const struct watch_config *c);

/* watch_find: the entry of an address on a chain, or NULL. Chain 0 is any, of an entry (operators may not say) and of who asks (transactions
 * without one are good on every chain). Good until the next call that changes the set. */
const struct watch_entry *watch_find(const struct watch *w, const uint8_t address[20], uint64_t chain_id);

/* watch_arm adds an entry, or adds to the one that is there (flags, earliest since_ns, protected contracts, the higher score). Returns it, or NULL: an
 * operator's for which there is no room, since all the others in its place are operators' too. */
const struct watch_entry *watch_arm(struct watch *w, const struct watch_entry *e, uint64_t now_ns);

/* watch_used: somebody called it. */
void watch_used(struct watch *w, const uint8_t address[20], uint64_t chain_id, uint64_t now_ns);

/* watch_accepted: a node accepted its deployment. */
void watch_accepted(struct watch *w, const uint8_t address[20], uint64_t chain_id);

/* watch_included: its deployment is in a block: it moves to what is kept. watch_excluded: its block left the chain, it is pending again. watch_forget: the deployment with that hash was dropped or
 * replaced; what another one would make all the same, what is included, or an operator's, stays. */
void watch_included(struct watch *w, const uint8_t address[20], uint64_t chain_id, uint64_t now_ns);
void watch_excluded(struct watch *w, const uint8_t address[20], uint64_t chain_id, uint64_t now_ns);
void watch_forget(struct watch *w, const uint8_t address[20], uint64_t chain_id, const uint8_t deploy_hash[32]);

/* watch_unwatch: operators no longer watch it; stays if it is armed by itself. */
void watch_unwatch(struct watch *w, const uint8_t address[20], uint64_t chain_id);
/* watch_unwatch_all: of every operator's entry, before their list is handed over anew. */
void watch_unwatch_all(struct watch *w);

/* watch_age looks at `budget` places and ends what is too old. */
void watch_age(struct watch *w, uint64_t now_ns, uint32_t budget);

uint32_t watch_population(const struct watch *w, bool kept);

#endif
