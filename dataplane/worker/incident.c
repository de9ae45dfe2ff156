/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/incident.h"

#include "eth/keccak.h"

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

void
incident_key(struct alert_record *r)
{
	static const char domain[] = "sentinel.incident.v1";
	uint8_t fixed[9] = {r->class_};
	for (unsigned i = 0; i < 8; i++)
		fixed[1 + i] = (uint8_t)(r->chain_id >> (56 - 8 * i));
	struct span parts[4] = {{(const uint8_t *)domain, sizeof domain - 1}, {fixed, sizeof fixed}};
	bool per_tx = r->class_ == CLASS_SWAP || r->class_ == CLASS_OTHER || !(r->has & HAS_FROM);
	struct place place = place_of(r);
	unsigned n = 2;
	if (!(r->has & HAS_HASH)) {
		parts[n++] = (struct span){(const uint8_t *)&place, sizeof place};
	} else if (per_tx) {
		parts[n++] = (struct span){r->hash, 32};
	} else {
		parts[n++] = (struct span){r->from, 20};
		if (r->has & HAS_TO)
			parts[n++] = (struct span){r->to, 20};
		else
			parts[n++] = (struct span){r->created, 20};
	}
	keccak256(parts, n, r->dedupekey);
}

static struct incident *
find(struct incidents *t, const uint8_t *key, uint64_t now_ns, bool *live)
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
		else if (oldest->used && i->last_ns < oldest->last_ns)
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
	struct incident *i = *slot = find(t, r->dedupekey, now_ns, &live);
	if (!live)
		return INCIDENT_NEW;
	bool same_tx = find_tx(i, r->hash) < INCIDENT_TXS;
	bool more = i->message == message ? r->grade >= i->grade : r->grade > i->grade;
	if (same_tx && i->generation == r->generation && !more)
		return INCIDENT_REPEAT;
	r->supersedes_seq = i->seq;
	r->supersedes_ring = i->ring;
	r->has |= HAS_SUPERSEDES;
	return INCIDENT_UPDATE;
}

void
incident_reported(
	struct incident *i, const struct alert_record *r, uint64_t message, uint32_t ring, uint64_t now_ns)
{
	memcpy(i->key, r->dedupekey, sizeof i->key);
	if (!(r->has & HAS_SUPERSEDES))
		memset(i->last_tx, 0, sizeof i->last_tx);
	unsigned k = find_tx(i, r->hash);
	memmove(i->last_tx[1], i->last_tx[0], (k < INCIDENT_TXS ? k : INCIDENT_TXS - 1) * sizeof i->last_tx[0]);
	memcpy(i->last_tx[0], r->hash, sizeof i->last_tx[0]);
	i->message = message;
	i->generation = r->generation;
	i->seq = r->seq;
	i->ring = ring;
	i->last_ns = now_ns;
	i->grade = r->grade;
	i->used = 1;
}
