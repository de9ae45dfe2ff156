/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/incident.h"

#include "eth/keccak.h"

#include <stddef.h>
#include <string.h>

#define WAYS 4u

size_t
incidents_bytes(uint32_t n)
{
	return (size_t)n * sizeof(struct incident);
}

void
incidents_init(struct incidents *t, void *mem, uint32_t n)
{
	t->slots = mem;
	t->n = n;
	memset(mem, 0, incidents_bytes(n));
}

/* Host byte order will do: such a key is never compared with another box's. */
struct place {
	uint64_t t_wire_ns;
	uint32_t raw_len;
	uint16_t port[2];
	uint8_t ip[2][16];
};
_Static_assert(sizeof(struct place) == 48, "no padding in what is digested");

static struct place
place_of(const struct alert_record *r)
{
	struct place p = {
		.t_wire_ns = r->t_wire_ns, .raw_len = r->raw_len, .port = {r->src_port, r->dst_port}};
	memcpy(p.ip[0], r->src_ip, 16);
	memcpy(p.ip[1], r->dst_ip, 16);
	return p;
}

static const char domain[] = "sentinel.incident.v1";

static struct span
class_and_chain(uint8_t out[9], uint8_t class_, uint64_t chain_id)
{
	out[0] = class_;
	for (unsigned i = 0; i < 8; i++)
		out[1 + i] = (uint8_t)(chain_id >> (56 - 8 * i));
	return (struct span){out, 9};
}

void
incident_key_of(uint8_t class_, uint64_t chain_id, const uint8_t attacker[20], const uint8_t target[20], uint8_t out[32])
{
	uint8_t fixed[9];
	const struct span parts[4] = {{(const uint8_t *)domain, sizeof domain - 1}, class_and_chain(fixed, class_, chain_id), {attacker, 20}, {target, 20}};
	keccak256(parts, 4, out);
}

/* What the victim of a displacement is told apart by. */
static const uint8_t *
victim_of(const struct alert_record *r)
{
	for (uint32_t i = 0; i < r->n_related; i++)
		if (r->related[i].role == ROLE_VICTIM)
			return r->related[i].hash;
	return NULL;
}

/* Attacker and target, 20 bytes each; false: the transaction is the incident. */
static bool
parties_of(const struct alert_record *r, const uint8_t **attacker, const uint8_t **target)
{
	const uint8_t *recipient = r->has & HAS_TO ? r->to : r->created;
	*attacker = r->from;
	*target = recipient;
	switch (r->class_) {
	case CLASS_SWAP:
	case CLASS_OTHER:
		return false;
	case CLASS_ARMED_CALL:
		*attacker = *target = r->armed;
		return r->has & HAS_ARMED;
	case CLASS_SANDWICH:
		*attacker = r->has & HAS_ARMED ? r->armed : r->from;
		*target = r->pool;
		return (r->has & HAS_POOL) && (r->has & (HAS_ARMED | HAS_FROM));
	case CLASS_DISPLACEMENT:
		*attacker = recipient;
		*target = victim_of(r);
		return *target != NULL;
	case CLASS_FLASH_DEPLOY:
		if (!(r->has & HAS_ARMED))
			return r->has & HAS_FROM;
		*attacker = *target = r->armed;
		return true;
	default:
		return r->has & HAS_FROM;
	}
}

void
incident_key(struct alert_record *r)
{
	uint8_t fixed[9];
	const uint8_t *attacker, *target;
	struct span parts[3] = {{(const uint8_t *)domain, sizeof domain - 1}, class_and_chain(fixed, r->class_, r->chain_id)};
	struct place place = place_of(r);
	if (!(r->has & HAS_HASH)) {
		parts[2] = (struct span){(const uint8_t *)&place, sizeof place};
		keccak256(parts, 3, r->dedupekey);
	} else if (parties_of(r, &attacker, &target)) {
		incident_key_of(r->class_, r->chain_id, attacker, target, r->dedupekey);
	} else {
		parts[2] = (struct span){r->hash, 32};
		keccak256(parts, 3, r->dedupekey);
	}
}

struct incident *
incident_find(struct incidents *t, const uint8_t key[32], uint64_t now_ns, bool *live)
{
	uint32_t h;
	memcpy(&h, key + 16, sizeof h);
	struct incident *set = &t->slots[(h & (t->n - 1)) & ~(WAYS - 1)], *oldest = set;
	for (struct incident *i = set; i < set + WAYS; i++) {
		if (i->used && memcmp(i->key, key, sizeof i->key) == 0) {
			*live = now_ns < i->last_ns || now_ns - i->last_ns < INCIDENT_TTL_NS;
			return i;
		}
		if (!i->used)
			oldest = i;
		else if (oldest->used && (i->accepted != oldest->accepted ? oldest->accepted : i->last_ns < oldest->last_ns))
			oldest = i;
	}
	*live = false;
	return oldest;
}

static unsigned
find_tx(const struct incident *i, const uint8_t *hash)
{
	unsigned k = 0;
	while (k < INCIDENT_TXS && memcmp(i->last_tx[k], hash, sizeof i->last_tx[k]) != 0)
		k++;
	return k;
}

enum incident_verdict
incident_judge(struct incidents *t, struct alert_record *r, uint64_t message, uint64_t now_ns,
	struct incident **slot)
{
	bool live;
	struct incident *i = *slot = incident_find(t, r->dedupekey, now_ns, &live);
	if (!live) {
		if (memcmp(i->key, r->dedupekey, sizeof i->key) == 0)
			i->used = 0; /* of the old one nothing is kept */
		return INCIDENT_NEW;
	}
	bool same_tx = find_tx(i, r->hash) < INCIDENT_TXS;
	bool more = i->message == message ? r->grade >= i->grade : r->grade > i->grade;
	if (i->lost)
		return INCIDENT_NEW;
	if (same_tx && (i->generation == r->generation || i->remembered) && !more && (i->remembered || i->last.kind != ALERT_KIND_RETRACT))
		return INCIDENT_REPEAT;
	if (i->held || i->remembered)
		return INCIDENT_NEW;
	r->supersedes_seq = i->seq;
	r->supersedes_ring = i->ring;
	r->has |= HAS_SUPERSEDES;
	return INCIDENT_UPDATE;
}

static void
take(struct incident *i, const struct alert_record *r, uint64_t message, uint64_t now_ns)
{
	bool same_key = memcmp(i->key, r->dedupekey, sizeof i->key) == 0;
	uint32_t open = same_key ? i->open : 0; /* of one that was forgotten for its age: they are part of the new one, too */
	if (!same_key || !i->used) {
		memset(i, 0, offsetof(struct incident, last));
		i->open = open;
	}
	memcpy(i->key, r->dedupekey, sizeof i->key);
	unsigned k = find_tx(i, r->hash);
	memmove(i->last_tx[1], i->last_tx[0], (k < INCIDENT_TXS ? k : INCIDENT_TXS - 1) * sizeof i->last_tx[0]);
	memcpy(i->last_tx[0], r->hash, sizeof i->last_tx[0]);
	i->message = message;
	i->generation = r->generation;
	i->last_ns = now_ns;
	i->grade = r->grade;
	i->used = 1;
	i->last = *r;
}

void
incident_reported(
	struct incident *i, const struct alert_record *r, uint64_t message, uint32_t ring, uint64_t now_ns)
{
	take(i, r, message, now_ns);
	i->seq = r->seq;
	i->ring = ring;
	i->held = i->remembered = i->lost = false;
}

void
incident_hold(struct incident *i, const struct alert_record *r, uint64_t message, uint64_t now_ns)
{
	take(i, r, message, now_ns);
	i->held = true;
	i->remembered = i->lost = false;
}

void
incident_lose(struct incident *i, const struct alert_record *r, uint64_t message, uint64_t now_ns)
{
	incident_hold(i, r, message, now_ns);
	i->lost = true;
}

void
incident_remember(
	struct incidents *t, const uint8_t dedupekey[32], uint8_t grade, uint32_t ring, const uint8_t (*last_txs)[8], uint32_t n_txs, uint64_t last_ns)
{
	bool live;
	struct incident *i = incident_find(t, dedupekey, last_ns, &live);
	if (live || (i->used && (i->accepted || i->last_ns >= last_ns)))
		return; /* what is known here is newer */
	memset(i, 0, sizeof *i);
	memcpy(i->key, dedupekey, sizeof i->key);
	for (uint32_t k = 0; k < n_txs && k < INCIDENT_TXS; k++)
		memcpy(i->last_tx[k], last_txs[k], sizeof i->last_tx[k]);
	i->grade = grade;
	i->ring = ring;
	i->last_ns = last_ns;
	i->used = 1;
	i->remembered = true;
}

struct incident *
incident_at(struct incidents *t, uint32_t slot, const uint8_t key[8])
{
	if (slot >= t->n || !t->slots[slot].used || memcmp(t->slots[slot].key, key, 8) != 0)
		return NULL;
	return &t->slots[slot];
}
