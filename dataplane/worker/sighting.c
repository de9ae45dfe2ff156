/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/sighting.h"

#include <string.h>

/* Big-endian minimal integer of <= 32 bytes into a 32-byte word. */
static void
put_word(uint8_t out[32], struct span s)
{
	memset(out, 0, 32);
	if (s.len <= 32 && s.len > 0)
		memcpy(out + 32 - s.len, s.p, s.len);
}

static void
record_crossing(struct alert_record *r, const struct crossing *x)
{
	r->t_wire_ns = x->t_wire_ns;
	r->carrier = x->carrier;
	r->direction = x->direction;
	r->trust = x->trust;
	r->bundle_len = x->bundle_len;
	r->bundle_pos = x->bundle_pos;
	r->src_port = x->src_port;
	r->dst_port = x->dst_port;
	memcpy(r->src_ip, x->src_ip, 16);
	memcpy(r->dst_ip, x->dst_ip, 16);
}

void
record_tx(struct alert_record *r, const struct tx *t, const uint8_t hash[32])
{
	r->tx_type = t->type;
	r->nonce = t->nonce;
	r->gas = t->gas;
	r->data_len = t->data.len;
	r->has |= HAS_NONCE | HAS_HASH;
	if (t->has_chain_id) {
		r->chain_id = t->chain_id;
		r->has |= HAS_CHAIN_ID;
	}
	if (t->to.len == 20) {
		memcpy(r->to, t->to.p, 20);
		r->has |= HAS_TO;
		if (t->data.len >= 4) {
			memcpy(r->selector, t->data.p, 4);
			r->has |= HAS_SELECTOR;
		}
	}
	put_word(r->value, t->value);
	put_word(r->fee_cap, t->fee_cap);
	put_word(r->tip_cap, t->tip_cap);
	memcpy(r->hash, hash, 32);
}

void
record_sender(struct alert_record *r, const struct tx *t, const uint8_t *from)
{
	if (from == NULL) {
		r->trust |= TRUST_INVALID;
		return;
	}
	memcpy(r->from, from, 20);
	r->has |= HAS_FROM;
	r->trust &= ~(uint32_t)TRUST_SENDER_SKIPPED;
	if (t->to.len == 0) {
		tx_created(r->from, t->nonce, r->created);
		r->has |= HAS_CREATED;
	}
	if (tx_rules(t, 0) != NULL)
		r->trust |= TRUST_INVALID;
}

static void
record_claim(struct alert_record *r, const struct claim *c)
{
	if (c->has & CLAIM_HASH)
		memcpy(r->hash, c->hash, 32);
	if (c->has & CLAIM_FROM) {
		memcpy(r->from, c->from, 20);
		r->has |= HAS_FROM;
	}
	if (c->has & CLAIM_NO_NONCE) {
		r->has &= ~(uint32_t)(HAS_NONCE | HAS_CREATED);
		memset(r->created, 0, sizeof r->created);
	}
	if (c->has & CLAIM_NO_CHAIN) {
		r->has &= ~(uint32_t)HAS_CHAIN_ID;
		r->chain_id = 0;
	}
	if (!(r->has & HAS_TO) && (r->has & HAS_FROM) && (r->has & HAS_NONCE)) {
		tx_created(r->from, r->nonce, r->created);
		r->has |= HAS_CREATED;
	}
}

void
record_touches(struct alert_record *r, const struct touched *touched, uint32_t n)
{
	r->n_protocols = n < ALERT_PROTOCOLS_MAX ? n : ALERT_PROTOCOLS_MAX;
	memset(r->protocols, 0, sizeof r->protocols);
	memset(r->touches, 0, sizeof r->touches);
	for (uint32_t i = 0; i < r->n_protocols; i++) {
		memcpy(r->protocols[i], touched[i].address, 20);
		r->touches[i] = touched[i].how;
	}
}

void
sighting_begin(struct sighting *s, const struct tx_msg *m, bool hurry)
{
	memset(s, 0, offsetof(struct sighting, record));
	s->m = m;
	s->hurry = hurry;
	s->raw = tx_msg_raw(m);
	s->decoded = s->raw.len > 0 && tx_decode(s->raw, &s->tx) == 0;
	s->has_hash = s->decoded || (m->claim.has & CLAIM_HASH);
	if (m->claim.has & CLAIM_HASH)
		memcpy(s->hash, m->claim.hash, 32);
	else if (s->decoded)
		tx_hash(&s->tx, s->hash);
	if (m->claim.has & CLAIM_FROM) {
		memcpy(s->from, m->claim.from, 20);
		s->has_from = s->named = true;
	}
	if (s->decoded && s->tx.has_chain_id && !(m->claim.has & CLAIM_NO_CHAIN))
		s->chain_id = s->tx.chain_id;
}

void
sighting_record(struct sighting *s)
{
	struct alert_record *r = &s->record;
	const struct tx_msg *m = s->m;
	if (s->has_record)
		return;
	s->has_record = true;
	memset(r, 0, sizeof *r);
	r->kind = ALERT_KIND_ALERT;
	r->raw_len = m->claim.has & CLAIM_UNSIGNED ? 0 : m->tx_bytes;
	record_crossing(r, &m->where);
	if (sighting_included(s)) {
		r->ending = ENDING_INCLUDED;
		r->t_ended_ns = r->t_wire_ns;
	}
	if (s->decoded)
		record_tx(r, &s->tx, s->hash);
	else
		r->trust |= TRUST_TRUNCATED;
}

bool
sighting_included(const struct sighting *s)
{
	const struct crossing *x = &s->m->where;
	bool offered = x->carrier == CARRIER_ENGINE_BLOCK && (x->trust & TRUST_NODE_SAID);
	return (x->trust & TRUST_INCLUDED) && x->carrier != CARRIER_RLPX_BLOCKBODY && !offered;
}

void
sighting_claims(struct sighting *s)
{
	if (s->m->claim.has != 0)
		record_claim(&s->record, &s->m->claim);
}
