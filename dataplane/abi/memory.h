/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory page: what control remembers for the dataplane across restarts of either: which contracts are
 * armed or watched by operators, and which incidents have been told of lately. Control makes it, as one
 * wholly sealed memory file, and sends it with CHANNEL_MEMORY (abi/channel.h): a header, n_armed entries of
 * struct memory_armed, n_incidents of struct memory_incident, and nothing behind them. Each page is the whole
 * of what control knows: what operators have taken from their list is missing in the next one; an armed or
 * live entry that the dataplane has and the page has not is younger than the page, or was dropped for its
 * age. Readers map it, call memory_check once (it cannot change afterwards), then use it. Plain bytes, host
 * byte order for integers, no pointers. */
#ifndef ABI_MEMORY_H
#define ABI_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define MEMORY_MAGIC 0x314d454d544e4553ull /* "SENTMEM1" */
#define MEMORY_VERSION 1
#define MEMORY_ARMED_MAX 65536u
#define MEMORY_INCIDENTS_MAX 16384u
#define MEMORY_PROTECTED_MAX 4u
#define MEMORY_HASHES_MAX 4u

/* Why a contract is in the list, and how sure it is that it exists. */
enum memory_armed_flag {
	MEMORY_INCLUDED =
		1
		<< 0, /* its deployment (or delegation) is in a block; never makes room for one that is not */
	MEMORY_OPERATOR = 1 << 1,   /* an operator watches it: never ages, never makes room */
	MEMORY_DELEGATION = 1 << 2, /* an EIP-7702 authority, whose account runs flagged code */
	MEMORY_ARMED_FLAGS = (1 << 3) - 1
};

struct memory_armed {
	uint8_t address[20]; /* never all zero */
	uint32_t flags;	     /* enum memory_armed_flag; 0: flagged, not included yet */
	uint64_t since_ns; /* when it was armed: wire time of the deployment, or when the operator named it */
	uint64_t last_ns;  /* when it was last heard of, >= since_ns */
	uint64_t chain_id; /* 0: not known, any */
	uint8_t deploy_hash[32];     /* of the transaction that armed it; zero: not known, or operators' */
	uint8_t dedupekey[32];	     /* of the incident that armed it; zero: operators' */
	uint8_t deployer[20];	     /* zero: not known */
	uint32_t score;		     /* of the deployment, 0..ALERT_SCORE_MAX */
	uint64_t reasons, providers; /* masks as in the alert record */
	uint8_t protected_[MEMORY_PROTECTED_MAX][20]; /* protected contracts whose addresses its code holds */
	uint32_t n_protected;
	uint32_t rule_id; /* that flagged it; 0: operators' */
};

struct memory_incident {
	uint8_t dedupekey[32];
	uint8_t hashes[MEMORY_HASHES_MAX]
		      [8]; /* first bytes of the hashes of the last transactions told of, newest first */
	uint8_t epoch[8];  /* with ring and seq: id of its last record */
	uint64_t seq;
	uint64_t last_ns;    /* when that was emitted */
	uint64_t generation; /* of the rules that judged it */
	uint32_t ring;
	uint32_t rule_id;
	uint8_t grade;	/* of the last record */
	uint8_t ending; /* enum alert_ending */
	uint8_t n_hashes;
	uint8_t pad[5];
};

struct memory_page {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes, armed_bytes, incident_bytes; /* sizeof of the three, as the writer has them */
	uint32_t n_armed, n_incidents;
	uint64_t number;  /* pages of this control so far, from 1 */
	uint64_t made_ns; /* wall clock */
	uint8_t reserved[16];
};

_Static_assert(sizeof(struct memory_armed) == 240, "memory ABI");
_Static_assert(offsetof(struct memory_armed, chain_id) == 40, "memory ABI");
_Static_assert(offsetof(struct memory_armed, deployer) == 112, "memory ABI");
_Static_assert(offsetof(struct memory_armed, protected_) == 152, "memory ABI");
_Static_assert(sizeof(struct memory_incident) == 112, "memory ABI");
_Static_assert(offsetof(struct memory_incident, epoch) == 64, "memory ABI");
_Static_assert(offsetof(struct memory_incident, grade) == 104, "memory ABI");
_Static_assert(sizeof(struct memory_page) == 64, "memory ABI");

#define MEMORY_BYTES(armed, incidents)                                                \
	(sizeof(struct memory_page) + (size_t)(armed) * sizeof(struct memory_armed) + \
		(size_t)(incidents) * sizeof(struct memory_incident))
#define MEMORY_BYTES_MAX MEMORY_BYTES(MEMORY_ARMED_MAX, MEMORY_INCIDENTS_MAX)

/* memory_check returns 0 if the n bytes at `map` (aligned to 8) are a whole page: header, counts, sizes, and
 * each entry's fields in range; else -EINVAL. Reads nothing beyond map[n]. The same address or key twice is
 * not looked for. */
int memory_check(const void *map, size_t n);

/* Of a checked page. */
const struct memory_armed *memory_armed(const struct memory_page *p);
const struct memory_incident *memory_incidents(const struct memory_page *p);

/* memory_map maps the file of a CHANNEL_MEMORY message read-only and checks it: the page and *bytes, or NULL
 * + errno (EPROTO: not wholly sealed; EFBIG; EINVAL: memory_check). memory_unmap gives it back; NULL is
 * allowed. */
const struct memory_page *memory_map(int fd, size_t *bytes);
void memory_unmap(const struct memory_page *p, size_t bytes);

#endif
