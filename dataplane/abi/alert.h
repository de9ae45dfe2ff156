/* SPDX-License-Identifier: BSD-3-Clause */
/* The alert record: what one slot of an alert ring carries. Plain bytes, host byte order for integers,
 * big-endian byte strings where Ethereum has them (value). No pointers: the raw transaction lies in the
 * ring's evidence region at (evidence_at, evidence_len). Any change of size or order is a new
 * ALERT_ABI_VERSION. Readers copy the record once, call alert_record_check, then use it. */
#ifndef ABI_ALERT_H
#define ABI_ALERT_H

#include <stddef.h>
#include <stdint.h>

#define ALERT_ABI_VERSION 2

enum alert_kind { ALERT_KIND_ALERT = 1, ALERT_KIND_RETRACT = 2, ALERT_KIND_DRILL = 3, ALERT_KIND_MAX = 3 };

enum alert_grade { GRADE_WATCH = 1, GRADE_PAGE = 2, GRADE_PAUSE = 3, GRADE_MAX = 3 };

enum alert_class {
	CLASS_FLASH_LOAN = 1,	/* a transaction that asks for a flash loan */
	CLASS_FLASH_DEPLOY = 2, /* a deployment whose code can take one */
	CLASS_SWAP = 3,
	CLASS_SANDWICH = 4,
	CLASS_ADMIN = 5,
	CLASS_OTHER = 6,
	CLASS_ARMED_CALL = 7,	/* a call to a contract that was flagged when it was deployed, or that operators watch */
	CLASS_DISPLACEMENT = 8, /* somebody else's transaction inside a dearer one */
	CLASS_MAX = 8
};

enum alert_severity { SEVERITY_INFO = 1, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL, SEVERITY_MAX = 5 };

/* How the transaction travelled. */
enum carrier {
	CARRIER_HTTP_JSONRPC = 1,
	CARRIER_HTTP_JSONRPC_BUNDLE = 2,
	CARRIER_HTTP_JSONRPC_PRIVATE = 3,
	CARRIER_OFFLINE = 4,	     /* rules run, vectors: no wire */
	CARRIER_HTTP_TXOBJECT = 5,   /* an object in a node's answer, whose bytes have its hash */
	CARRIER_HTTP_RAW = 6,	     /* bytes in a node's answer */
	CARRIER_ENGINE_BLOCK = 7,    /* a block between consensus client and node */
	CARRIER_WS_JSONRPC = 8,
	CARRIER_WS_JSONRPC_BUNDLE = 9,
	CARRIER_WS_JSONRPC_PRIVATE = 10,
	CARRIER_WS_TXOBJECT = 11,
	CARRIER_WS_RAW = 12,
	CARRIER_WS_SUBSCRIPTION_FULL = 13,
	CARRIER_WS_SUBSCRIPTION_RAW = 14,
	CARRIER_RLPX_TRANSACTIONS = 15,
	CARRIER_RLPX_POOLED = 16,
	CARRIER_RLPX_BLOCKBODY = 17,
	CARRIER_IPC_JSONRPC = 18, /* bare JSON, without HTTP or WebSocket around it */
	CARRIER_IPC_JSONRPC_BUNDLE = 19,
	CARRIER_IPC_JSONRPC_PRIVATE = 20,
	CARRIER_IPC_TXOBJECT = 21,
	CARRIER_IPC_RAW = 22,
	CARRIER_IPC_SUBSCRIPTION_FULL = 23,
	CARRIER_IPC_SUBSCRIPTION_RAW = 24,
	CARRIER_GRPC_TXPOOL = 25,
	CARRIER_ARBITRUM_FEED = 26,
	CARRIER_MAX = 26
};

enum direction { DIR_C2S = 0, DIR_S2C = 1, DIR_UNKNOWN = 2, DIR_MAX = 2 };

/* Trust flags, X-macro so that their JSON names are made in one place. _(ID, "name", "help") */
#define TRUST_FLAGS(_) \
	_(GAP_BEFORE, "gap_before", "stream bytes were missing earlier in this flow") \
	_(MIDSTREAM, "midstream", "the flow was picked up without its beginning") \
	_(ONE_DIRECTION, "one_direction", "only one direction of the flow has been seen") \
	_(NOT_ACKED, "not_acked", "the receiver has not acknowledged these bytes") \
	_(OVERLAP_CONFLICT, "overlap_conflict", "two versions of the same stream bytes crossed") \
	_(TRUNCATED, "truncated", "part of the transaction was not captured") \
	_(INVALID, "invalid", "no node would accept this transaction as it stands") \
	_(SENDER_SKIPPED, "sender_skipped", "the sender was not recovered: budget spent") \
	_(NO_EVIDENCE, "no_evidence", "the raw transaction did not fit the evidence budget") \
	_(BUNDLE, "bundle", "the transaction is part of a bundle") \
	_(AHEAD, "ahead", "read out of order: bytes in front of it in the stream had not come yet") \
	_(INCLUDED, "included", "read from a block, or ordered already: too late to keep it out") \
	_(MAC_UNVERIFIED, "mac_unverified", "of an RLPx session whose message authentication was not checked, or failed") \
	_(NODE_SAID, "node_said", "a node's word: an object or bytes in what it sent, not a submission")

enum trust_flag_bit {
#define _(id, name, help) TRUST_BIT_##id,
	TRUST_FLAGS(_)
#undef _
	TRUST_BIT_COUNT
};
enum trust_flag {
#define _(id, name, help) TRUST_##id = 1u << TRUST_BIT_##id,
	TRUST_FLAGS(_)
#undef _
};

/* Why: what the finding rests on, named. Of deployments they are the parts of the score. _(ID, "name", weight in the score, "help") */
#define ALERT_REASONS(_) \
	_(CALLBACK, "callback", 250, "its dispatcher serves a flash-loan callback") \
	_(ENTRY, "entry", 250, "it calls a flash-loan entry point") \
	_(PROVIDER, "provider_address", 100, "it holds the address of a flash-loan provider") \
	_(MANY_PROVIDERS, "many_providers", 50, "it can borrow from more than one provider") \
	_(TARGET, "protected_address", 150, "it holds the address of a protected contract") \
	_(SELFDESTRUCT, "selfdestruct", 100, "it can destroy itself") \
	_(CONSTRUCTOR, "constructor_calls", 100, "it acts while it is being deployed") \
	_(NO_RUNTIME, "no_runtime", 100, "it leaves no code behind") \
	_(NESTED, "nested_code", 50, "it carries the code of another contract") \
	_(PROXY, "proxy", 0, "it only delegates to another contract") \
	_(FACTORY, "factory_call", 0, "it is deployed through a factory") \
	_(DRAINS, "drains", 100, "it takes tokens out: transfers and approvals beside swaps") \
	_(OWNER_ONLY, "owner_only", 50, "it serves its deployer alone") \
	_(LEARNED, "learned", 0, "the learned score is above its threshold") \
	_(TEMPLATE, "known_template", 0, "it is a published artifact") \
	_(DELEGATION, "delegation", 0, "an EIP-7702 authorization delegates to it") \
	_(ARMED, "armed", 0, "it calls a contract that is watched") \
	_(NESTED_CALL, "nested_call", 0, "found in a call inside its calldata") \
	_(FEE_ORDER, "fee_order", 0, "fees put it around its victim") \
	_(BUNDLE_ORDER, "bundle_order", 0, "its bundle puts it around its victim") \
	_(PACKED, "packed_calldata", 0, "pool or token found in calldata of unknown form") \
	_(PARTIAL, "partial", 0, "the back leg has not been seen yet") \
	_(STORM, "storm", 0, "one of many equal findings on one target, told together")
enum alert_reason_bit {
#define _(id, name, weight, help) REASON_BIT_##id,
	ALERT_REASONS(_)
#undef _
	REASON_BIT_COUNT
};
#define REASON(id) (1ull << REASON_BIT_##id)
enum alert_reason_weight {
#define _(id, name, weight, help) WEIGHT_##id = weight,
	ALERT_REASONS(_)
#undef _
};

/* Who lends: bits of `providers`. _(ID, "name") */
#define ALERT_PROVIDERS(_) \
	_(AAVE_V1, "aave-v1") \
	_(AAVE_V2, "aave-v2") \
	_(AAVE_V3, "aave-v3") \
	_(SPARK, "sparklend") \
	_(BALANCER_V2, "balancer-v2") \
	_(BALANCER_V3, "balancer-v3") \
	_(UNISWAP_V2, "uniswap-v2") \
	_(PANCAKE_V2, "pancake-v2") \
	_(UNISWAP_V3, "uniswap-v3") \
	_(PANCAKE_V3, "pancake-v3") \
	_(PANCAKE_INFINITY, "pancake-infinity") \
	_(UNISWAP_V4, "uniswap-v4") \
	_(DYDX, "dydx") \
	_(MAKER, "maker") \
	_(ERC3156, "erc-3156") \
	_(GHO, "gho") \
	_(CRVUSD, "crvusd") \
	_(WETH10, "weth10") \
	_(MORPHO, "morpho") \
	_(MOOLAH, "moolah") \
	_(BENTOBOX, "bentobox") \
	_(DODO, "dodo") \
	_(EULER, "euler") \
	_(IRON_BANK, "iron-bank")
enum alert_provider {
#define _(id, name) PROVIDER_##id,
	ALERT_PROVIDERS(_)
#undef _
	PROVIDER_COUNT
};

/* How a protected contract is touched. */
#define ALERT_TOUCHES(_) \
	_(TO, "to", "it is the recipient") \
	_(CALLDATA, "calldata", "its address is in the calldata, at any alignment") \
	_(CODE, "init_code", "its address is in code that is deployed") \
	_(CALL, "nested_call", "a call inside the calldata goes to it") \
	_(ARMED, "armed_code", "its address was in the code that is called")
enum alert_touch_bit {
#define _(id, name, help) TOUCH_BIT_##id,
	ALERT_TOUCHES(_)
#undef _
	TOUCH_BIT_COUNT
};
#define TOUCH(id) (1u << TOUCH_BIT_##id)

/* What pause-grade still lacks. The second half is asked of the operator's node by control: what it could not check stays listed beside a pause. */
#define ALERT_LACKS(_) \
	_(RULE, "rule", "no rule that found it may pause") \
	_(PROTECTED, "protected", "no protected contract is touched") \
	_(EVIDENCE, "evidence", "the evidence is not clean") \
	_(ACKED, "acked", "its receiver has not acknowledged the bytes") \
	_(ACCEPTED, "accepted", "no node has accepted it, nor is it in a block") \
	_(NONCE, "nonce", "whether its nonce can be used next was not checked") \
	_(FUNDS, "funds", "whether its sender can pay was not checked") \
	_(FEE, "fee", "whether its fee is above the base fee was not checked") \
	_(SIMULATION, "simulation", "it was not simulated")
enum alert_lack_bit {
#define _(id, name, help) LACK_BIT_##id,
	ALERT_LACKS(_)
#undef _
	LACK_BIT_COUNT
};
#define LACK(id) (1u << LACK_BIT_##id)
#define LACKS_UNCHECKED (LACK(NONCE) | LACK(FUNDS) | LACK(FEE) | LACK(SIMULATION)) /* these alone do not keep the dataplane from pause-grade */

/* What has become of an incident. */
enum alert_ending { ENDING_OPEN, ENDING_INCLUDED, ENDING_DROPPED, ENDING_REPLACED, ENDING_REORGED, ENDING_MAX = ENDING_REORGED };

/* What keeps an alert below pause-grade: the evidence is not clean, or the transaction is not known to be viable. Anyone on the
 * mirrored network can forge a segment, but not what its receiver acknowledges, nor a whole connection seen from its
 * beginning in both directions without a hole. */
#define TRUST_BELOW_PAUSE \
	(TRUST_GAP_BEFORE | TRUST_MIDSTREAM | TRUST_ONE_DIRECTION | TRUST_NOT_ACKED | TRUST_OVERLAP_CONFLICT | TRUST_TRUNCATED | \
		TRUST_INVALID | TRUST_SENDER_SKIPPED | TRUST_AHEAD | TRUST_MAC_UNVERIFIED)

/* Which optional fields of alert_record are present. */
enum alert_has {
	HAS_FROM = 1 << 0,
	HAS_TO = 1 << 1, /* absent: contract creation */
	HAS_SELECTOR = 1 << 2,
	HAS_CHAIN_ID = 1 << 3,
	HAS_NONCE = 1 << 4,
	HAS_CREATED = 1 << 5, /* address of the contract a creation would make */
	HAS_SUPERSEDES = 1 << 6,
	HAS_HASH = 1 << 7,
	HAS_ARMED = 1 << 8, /* armed: the contract that is armed, or called; created2 ones too */
	HAS_POOL = 1 << 9,
	HAS_SCORE = 1 << 10,
	HAS_ALL = (1 << 11) - 1
};

enum related_role {
	ROLE_FRONT = 1,
	ROLE_VICTIM = 2,
	ROLE_BACK = 3,
	ROLE_DEPLOY = 4,
	ROLE_BUNDLE = 5,
	ROLE_SAME = 6,	  /* an equal finding on the same target, told with this one */
	ROLE_REPLACED = 7, /* had the sender and nonce before, or has them now */
	ROLE_MAX = 7
};

/* What a node said of it when it was submitted, as far as that was known by then. */
enum node_verdict { NODE_UNASKED, NODE_ACCEPTED, NODE_REFUSED, NODE_VERDICT_MAX = NODE_REFUSED };

#define ALERT_RELATED_MAX 12
#define ALERT_PROTOCOLS_MAX 4
#define ALERT_SCORE_MAX 1000u

struct alert_related {
	uint8_t hash[32];
	uint32_t role; /* enum related_role */
	uint32_t pad;
};

struct alert_record {
	/* identity: id = epoch-ring-seq */
	uint64_t seq;	     /* from 1, one per record offered to the ring; a gap is a loss */
	uint32_t lost_before; /* records lost just before this one, and why */
	uint8_t lost_reason; /* enum loss_reason of ring.h, 0 if none */
	uint8_t kind;
	uint8_t grade;
	uint8_t severity;
	uint64_t generation; /* of the rule bundle that judged */
	uint32_t rule_id;
	uint32_t rule_rev;
	uint32_t rule_index; /* index into the bundle's rule table */
	uint8_t class_;
	uint8_t carrier;
	uint8_t direction;
	uint8_t tx_type; /* 0..4 */
	uint32_t has;	/* enum alert_has */
	uint32_t trust; /* enum trust_flag */
	/* transaction */
	uint8_t hash[32];
	uint8_t from[20];
	uint8_t to[20];
	uint8_t created[20];
	uint8_t selector[4];
	uint8_t value[32];
	uint8_t fee_cap[32]; /* gasPrice or maxFeePerGas, wei */
	uint8_t tip_cap[32]; /* gasPrice or maxPriorityFeePerGas, wei */
	uint64_t chain_id;
	uint64_t nonce;
	uint64_t gas;
	uint32_t raw_len; /* consensus form, bytes */
	uint32_t data_len;
	/* incident */
	uint8_t dedupekey[32];
	uint64_t supersedes_seq; /* with HAS_SUPERSEDES: seq on ring supersedes_ring of the same epoch */
	/* evidence: bytes [evidence_at, evidence_at + evidence_len) of the ring's evidence stream */
	uint64_t evidence_at;
	uint32_t evidence_len; /* 0: none */
	uint32_t n_related;
	struct alert_related related[ALERT_RELATED_MAX];
	uint8_t protocols[ALERT_PROTOCOLS_MAX][20];
	uint32_t n_protocols;
	/* flow; addresses as IPv6, IPv4 mapped ::ffff:a.b.c.d; zero ports if offline */
	uint16_t src_port;
	uint16_t dst_port;
	uint8_t src_ip[16];
	uint8_t dst_ip[16];
	uint32_t bundle_len; /* transactions in the bundle, 0 if none */
	uint32_t bundle_pos;
	/* times, ns since the Unix epoch */
	uint64_t t_wire_ns;
	uint64_t t_emitted_ns;
	uint32_t supersedes_ring;
	uint8_t grade_wanted; /* the rule's own grade; above `grade` if the evidence did not carry it */
	uint8_t node;	      /* enum node_verdict */
	uint8_t pad[2];
	uint64_t t_announced_ns; /* when its hash was first announced; 0: it was not, before its bytes */
	/* detection */
	uint64_t reasons;   /* mask of enum alert_reason_bit */
	uint64_t providers; /* mask of enum alert_provider */
	uint32_t score;	    /* with HAS_SCORE: of the named reasons, 0..1000 */
	uint32_t learned;   /* with HAS_SCORE: of the model, 0..1000 */
	uint32_t lacks;	    /* mask of enum alert_lack_bit: what pause-grade would still take */
	uint8_t touches[ALERT_PROTOCOLS_MAX]; /* of each of protocols: mask of enum alert_touch_bit; 0: the rule's own, not a protected one */
	uint8_t armed[20];
	uint8_t pool[20];
	uint64_t t_armed_ns; /* when the armed contract's deployment was seen; 0: it was not, or operators watch it */
	uint32_t n_same;     /* equal findings that the incident stands for, this one among them; 0: one */
	uint32_t n_victims;
	uint8_t ending; /* enum alert_ending */
	uint8_t pad2[7];
	uint64_t t_ended_ns; /* 0 while open */
	uint64_t t_cause_ns; /* of the frame that made it be told now: t_wire_ns, or later; 0: none did */
	uint8_t reserved[136];
};

_Static_assert(sizeof(struct alert_record) == 1216, "alert ABI");
_Static_assert(offsetof(struct alert_record, hash) == 48, "alert ABI");
_Static_assert(offsetof(struct alert_record, dedupekey) == 272, "alert ABI");
_Static_assert(offsetof(struct alert_record, related) == 328, "alert ABI");
_Static_assert(offsetof(struct alert_record, t_wire_ns) == 936, "alert ABI");
_Static_assert(offsetof(struct alert_record, reasons) == 968, "alert ABI");
_Static_assert(offsetof(struct alert_record, t_ended_ns) == 1064, "alert ABI");
_Static_assert(offsetof(struct alert_record, t_cause_ns) == 1072, "alert ABI");



#define ALERT_TX_TYPE_MAX 4
#define ALERT_TX_BYTES_MAX (2621440u) /* raw_len, data_len: no HTTP node takes more than half of 5 MiB in hex */

/* alert_record_check returns 0 if every enum, count and length of `r` (a private copy) is in range, lost_before
 * and lost_reason agree and what it supersedes has a seq; else -EINVAL. It reads nothing but *r. Seqs are compared by
 * ring_read, which knows the ring: one that is superseded may lie on the other lane, whose seqs run ahead. */
int alert_record_check(const struct alert_record *r);

/* The names of enum values in JSON, for every formatter. A value out of range is "unknown". Static lifetime. */
const char *alert_grade_name(unsigned grade);
const char *alert_class_name(unsigned class_);
const char *alert_severity_name(unsigned severity);
const char *alert_carrier_name(unsigned carrier);
const char *alert_direction_name(unsigned direction);
const char *alert_role_name(unsigned role);
/* alert_node_name: of enum node_verdict; "unasked" for values out of range. */
const char *alert_node_name(unsigned verdict);
const char *alert_ending_name(unsigned ending);
/* alert_reason_name, alert_touch_name, alert_provider_name, alert_lack_name: of a bit. */
const char *alert_reason_name(unsigned bit);
const char *alert_touch_name(unsigned bit);
const char *alert_provider_name(unsigned bit);
const char *alert_lack_name(unsigned bit);

#endif
