/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/rlpx_hello.h"

#include "wire/rlpx_frame.h"

#include <string.h>

#define ETH_IDS_MAX 22u

/* Capabilities and their numbers of messages. What sorts behind eth does not matter for eth's place. */
static const struct {
	char name[RLPX_CAP_NAME];
	uint32_t version;
	uint8_t ids;
} lengths[] = {
	{"bsc", 1, 2},
	{"bsc", 2, 4},
	{"diff", 1, 4},
	{"eth", 62, 8},
	{"eth", 63, 17},
	{"eth", 64, 17},
	{"eth", 65, 17},
	{"eth", 66, 17},
	{"eth", 67, 17},
	{"eth", 68, 17},
	{"eth", 69, 18},
	{"eth", 70, 18},
	{"eth", 71, 20},
	{"eth", 72, 22},
};

static uint8_t
ids_of(const struct rlpx_cap *c)
{
	for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		if (lengths[i].version == c->version && memcmp(lengths[i].name, c->name, RLPX_CAP_NAME) == 0)
			return lengths[i].ids;
	}
	return 0;
}

uint8_t
rlpx_eth_ids(uint32_t version)
{
	struct rlpx_cap c = {"eth", version};
	uint8_t ids = ids_of(&c);
	return ids ? ids : ETH_IDS_MAX;
}

static bool
parse_cap(struct span in, struct rlpx_hello *h)
{
	struct rlpx_rlp name, version;
	uint32_t v;
	if (!rlpx_rlp_next(&in, &name) || name.list || !rlpx_rlp_next(&in, &version) ||
		!rlpx_rlp_u32(&version, &v))
		return false;
	if (name.payload.len == 0 || name.payload.len > RLPX_CAP_NAME || h->n_caps == RLPX_CAPS_MAX) {
		h->more = true;
		return true;
	}
	struct rlpx_cap *c = &h->caps[h->n_caps++];
	memset(c, 0, sizeof *c);
	memcpy(c->name, name.payload.p, name.payload.len);
	c->version = v;
	return true;
}

bool
rlpx_hello_parse(struct span payload, struct rlpx_hello *h)
{
	struct rlpx_rlp list, version, client, caps, cap;
	memset(h, 0, sizeof *h);
	if (!rlpx_rlp_next(&payload, &list) || !list.list)
		return false;
	if (!rlpx_rlp_next(&list.payload, &version) || !rlpx_rlp_u32(&version, &h->p2p_version))
		return false;
	if (!rlpx_rlp_next(&list.payload, &client) || client.list || !rlpx_rlp_next(&list.payload, &caps) ||
		!caps.list)
		return false;
	while (caps.payload.len > 0) {
		if (!rlpx_rlp_next(&caps.payload, &cap) || !cap.list || !parse_cap(cap.payload, h))
			return false;
	}
	return true;
}

static bool
lists(const struct rlpx_hello *h, const struct rlpx_cap *c)
{
	for (uint32_t i = 0; i < h->n_caps; i++) {
		if (memcmp(&h->caps[i], c, sizeof *c) == 0)
			return true;
	}
	return false;
}

/* Is c the highest shared version of its name, and the first mention of it? */
static bool
is_chosen(const struct rlpx_hello *a, const struct rlpx_hello *b, uint32_t index)
{
	const struct rlpx_cap *c = &a->caps[index];
	if (!lists(b, c))
		return false;
	for (uint32_t i = 0; i < a->n_caps; i++) {
		const struct rlpx_cap *o = &a->caps[i];
		if (memcmp(o->name, c->name, RLPX_CAP_NAME) != 0)
			continue;
		if ((o->version > c->version && lists(b, o)) || (o->version == c->version && i < index))
			return false;
	}
	return true;
}

bool
rlpx_hello_eth(const struct rlpx_hello *a, const struct rlpx_hello *b, struct rlpx_eth *eth)
{
	static const char name[RLPX_CAP_NAME] = "eth";
	uint32_t first = RLPX_BASE_IDS;
	bool known = !(a->more && b->more);
	*eth = (struct rlpx_eth){0};
	for (uint32_t i = 0; i < a->n_caps; i++) {
		const struct rlpx_cap *c = &a->caps[i];
		int order = memcmp(c->name, name, RLPX_CAP_NAME);
		if (order > 0 || !is_chosen(a, b, i))
			continue;
		if (order == 0) {
			eth->version = c->version <= UINT8_MAX ? (uint8_t)c->version : 0;
			eth->ids = rlpx_eth_ids(c->version);
			continue;
		}
		known = known && ids_of(c) > 0;
		first += ids_of(c);
	}
	if (eth->ids == 0 || !known)
		return false;
	eth->first = (uint16_t)first;
	return true;
}

bool
rlpx_hello_eth_alone(const struct rlpx_hello *h, struct rlpx_eth *eth)
{
	static const char name[RLPX_CAP_NAME] = "eth";
	bool offered = false, before = h->more;
	for (uint32_t i = 0; i < h->n_caps; i++) {
		int order = memcmp(h->caps[i].name, name, RLPX_CAP_NAME);
		offered = offered || order == 0;
		before = before || order < 0;
	}
	*eth = (struct rlpx_eth){0};
	if (!offered || before)
		return false;
	eth->first = RLPX_BASE_IDS;
	eth->ids = ETH_IDS_MAX;
	return true;
}
