/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes through the ring, checked once more: of the kernel's side only the lengths are believed, and they not either. */
#include "io/keys/probe.h"

#include <string.h>

static bool
endpoint(const struct probes_event *e, unsigned i, struct rlpx_endpoint *out)
{
	static const uint8_t ip4[12] = {[10] = 0xff, [11] = 0xff};
	if (e->port[i] == 0 || e->port[i] > UINT16_MAX || (e->ip_n[i] != 4 && e->ip_n[i] != 16))
		return false;
	if (e->ip_n[i] == 4) {
		memcpy(out->ip, ip4, sizeof ip4);
		memcpy(out->ip + 12, e->ip[i], 4);
	} else {
		memcpy(out->ip, e->ip[i], 16);
	}
	out->port = (uint16_t)e->port[i];
	return true;
}

bool
probe_key(const void *event, size_t n, struct rlpx_key *key, uint32_t *pid)
{
	struct probes_event e;
	static const uint8_t none[PROBES_SECRET_BYTES];
	memset(key, 0, sizeof *key);
	if (n < sizeof e)
		return false;
	memcpy(&e, event, sizeof e);
	bool good = e.magic == PROBES_EVENT_MAGIC && e.row < PROBES_ROWS && memcmp(e.aes, none, sizeof none) != 0;
	if (good) {
		memcpy(key->aes, e.aes, sizeof key->aes);
		memcpy(key->mac, e.mac, sizeof key->mac);
		key->has_mac = true;
		*pid = e.pid;
	}
	/* the one that dialed first; both or none */
	if (good && e.ends && (!endpoint(&e, 0, &key->end[!e.dialed]) || !endpoint(&e, 1, &key->end[e.dialed != 0])))
		memset(key->end, 0, sizeof key->end);
	explicit_bzero(&e, sizeof e);
	return good;
}
