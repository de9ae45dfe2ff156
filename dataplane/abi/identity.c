/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/identity.h"

/* In the order of counters.h: a new reason is a new line here. */
const struct identity_term identity_terms[] = {
	{ID_WIRE, SIDE_RIGHT, +1, CTR_FRAMES},

	{ID_FRAMES, SIDE_LEFT, +1, CTR_FRAMES},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_NOTOURS_LINK},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_NOTOURS_ETHERTYPE},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_NOTOURS_PROTO},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_ETHER},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_VLAN},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_IP4},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_IP6},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_TUNNEL},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_NESTING},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_FRAGMENT_BAD},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_FRAGMENT_OVERLAP},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_FRAGMENT_AGE},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_FRAGMENT_DATAGRAMS},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_FRAGMENT_BYTES},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_FRAGMENTS_HELD},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_FRAGMENTS_JOINED},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_FRAGMENTS_DUPLICATE},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_TCP},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_TRUNCATED},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_CHECKSUM},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_UNDEC_SPREAD_FULL},
	{ID_FRAMES, SIDE_RIGHT, +1, CTR_ACCEPTED},

	{ID_ADVANCED, SIDE_LEFT, +1, CTR_ST_ADVANCED},
	{ID_ADVANCED, SIDE_RIGHT, +1, CTR_ST_GAP},
	{ID_ADVANCED, SIDE_RIGHT, +1, CTR_ST_PARSED},
	{ID_ADVANCED, SIDE_RIGHT, +1, CTR_ST_SKIP_UNSYNCED},
	{ID_ADVANCED, SIDE_RIGHT, +1, CTR_ST_SKIP_OPAQUE},
	{ID_ADVANCED, SIDE_RIGHT, +1, CTR_ST_SKIP_LOST},
	{ID_ADVANCED, SIDE_RIGHT, +1, CTR_ST_SKIP_NO_STATE},
	{ID_ADVANCED, SIDE_RIGHT, +1, CTR_ST_SKIP_ENDED},
	{ID_ADVANCED, SIDE_RIGHT, +1, CTR_ST_BUFFERED},

	{ID_RECEIVED, SIDE_LEFT, +1, CTR_ST_RECEIVED},
	{ID_RECEIVED, SIDE_RIGHT, +1, CTR_ST_ADVANCED},
	{ID_RECEIVED, SIDE_RIGHT, -1, CTR_ST_GAP},
	{ID_RECEIVED, SIDE_RIGHT, +1, CTR_ST_OOO_HELD},
	{ID_RECEIVED, SIDE_RIGHT, +1, CTR_ST_DUP},
	{ID_RECEIVED, SIDE_RIGHT, +1, CTR_ST_DROP_OOO_CAP},
	{ID_RECEIVED, SIDE_RIGHT, +1, CTR_ST_DROP_FLOW_TABLE},
	{ID_RECEIVED, SIDE_RIGHT, +1, CTR_ST_DROP_WINDOW},
	{ID_RECEIVED, SIDE_RIGHT, +1, CTR_ST_DROP_CLOSED},

	{ID_TRANSACTIONS, SIDE_LEFT, +1, CTR_TX_CROSSED},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_SCANNED},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_DUPLICATE},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_UNSCANNED_HEX},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_UNSCANNED_RLP},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_UNSCANNED_OVERSIZE},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_UNSCANNED_UNSIGNED},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_UNSCANNED_GAP},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_UNSCANNED_NO_BUFFER},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_UNSCANNED_HASH_ONLY},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_UNSCANNED_CONFLICT},
	{ID_TRANSACTIONS, SIDE_RIGHT, +1, CTR_TX_UNSCANNED_SCAN_ERROR},

	{ID_FINDINGS, SIDE_LEFT, +1, CTR_FINDINGS},
	{ID_FINDINGS, SIDE_RIGHT, +1, CTR_SUPPRESSED_RING_FULL},
	{ID_FINDINGS, SIDE_RIGHT, +1, CTR_SUPPRESSED_OVER},
	{ID_FINDINGS, SIDE_RIGHT, +1, CTR_SUPPRESSED_REPEAT},
	{ID_FINDINGS, SIDE_RIGHT, +1, CTR_ALERTS},
	{ID_FINDINGS, SIDE_RIGHT, +1, CTR_UPDATES},

	{ID_ALERTS, SIDE_LEFT, +1, CTR_ALERTS},
	{ID_ALERTS, SIDE_LEFT, +1, CTR_UPDATES},
	{ID_ALERTS, SIDE_RIGHT, +1, CTR_RING_PUBLISHED},
	{ID_ALERTS, SIDE_RIGHT, +1, CTR_RING_LOST_FULL},

	{ID_DELIVERY, SIDE_LEFT, +1, CTR_RING_PUBLISHED},
	{ID_DELIVERY, SIDE_LEFT, +1, CTR_RING_LOST_FULL},
};
const unsigned identity_terms_n = sizeof identity_terms / sizeof identity_terms[0];

static const char *const names[IDENTITIES] = {
	[ID_WIRE] = "1_wire",
	[ID_FRAMES] = "2_frames",
	[ID_ADVANCED] = "3_stream_advanced",
	[ID_RECEIVED] = "3_stream_received",
	[ID_TRANSACTIONS] = "4_transactions",
	[ID_FINDINGS] = "5_findings",
	[ID_ALERTS] = "6_alerts",
	[ID_DELIVERY] = "6_delivery",
};

static void
add_ports(const struct stats_page *s, struct identity *wire)
{
	uint32_t n = __atomic_load_n(&s->ports, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < n && i < STATS_PORTS_MAX; i++) {
		const struct stats_port *p = &s->port[i];
		wire->left += __atomic_load_n(&p->wire, __ATOMIC_RELAXED);
		wire->right += __atomic_load_n(&p->missed, __ATOMIC_RELAXED) +
			       __atomic_load_n(&p->errors, __ATOMIC_RELAXED) +
			       __atomic_load_n(&p->no_mbuf, __ATOMIC_RELAXED);
	}
}

void
identities_evaluate(
	const struct stats_page *s, const struct identity_delivery *d, struct identity out[IDENTITIES])
{
	for (unsigned i = 0; i < IDENTITIES; i++)
		out[i] = (struct identity){.name = names[i]};
	add_ports(s, &out[ID_WIRE]);
	for (unsigned i = 0; i < identity_terms_n; i++) {
		const struct identity_term *t = &identity_terms[i];
		uint64_t v = stats_sum(s, t->counter);
		uint64_t *side = t->side == SIDE_LEFT ? &out[t->identity].left : &out[t->identity].right;
		*side += t->sign < 0 ? -v : v;
	}
	struct identity *delivery = &out[ID_DELIVERY];
	delivery->right = d != NULL ? d->journaled + d->lost + d->in_flight : delivery->left;
	for (unsigned i = 0; i < IDENTITIES; i++)
		out[i].residual = (int64_t)(out[i].left - out[i].right);
}
