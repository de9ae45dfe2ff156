/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/txline.h"

#include "abi/alert.h"
#include "abi/decimal.h"
#include "eth/tx.h"
#include "wire/hex.h"

#include <inttypes.h>

#define HEX_MAX 32u

/* n at most HEX_MAX. */
static void
put_hex(FILE *out, const char *key, const uint8_t *p, unsigned n)
{
	fprintf(out, ",\"%s\":", key);
	if (p == NULL) {
		fputs("null", out);
		return;
	}
	char digits[2 * HEX_MAX];
	hex_encode(p, n, digits);
	fprintf(out, "\"0x%.*s\"", (int)(2 * n), digits);
}

void
txline_print(FILE *out, const struct crossing_report *r)
{
	const struct tx *t = r->tx;
	uint8_t hash[32], from[20];
	char value[DECIMAL_TEXT_MAX];
	if (t == NULL)
		return;
	tx_hash(t, hash);
	bool known = tx_sender(t, from) == 0;
	decimal_write(t->value.p, t->value.len, value);
	fputs("{\"event\":\"tx\"", out);
	put_hex(out, "hash", hash, 32);
	put_hex(out, "from", known ? from : NULL, 20);
	fprintf(out, ",\"type\":\"%u\"", t->type);
	put_hex(out, "to", t->to.len ? t->to.p : NULL, 20);
	fprintf(out, ",\"nonce\":\"%" PRIu64 "\",\"value\":\"%s\",\"gas\":\"%" PRIu64 "\"", t->nonce, value, t->gas);
	put_hex(out, "selector", t->to.len && t->data.len >= 4 ? t->data.p : NULL, 4);
	fprintf(out, ",\"raw_len\":\"%u\",\"carrier\":\"%s\",\"direction\":\"%s\",\"first\":%s,\"pending\":%s", r->raw_bytes,
		alert_carrier_name(r->where.carrier), alert_direction_name(r->where.direction),
		r->outcome == CROSSING_DUPLICATE ? "false" : "true", r->where.trust & TRUST_INCLUDED ? "false" : "true");
	if (r->where.bundle_len > 0)
		fprintf(out, ",\"bundle\":{\"id\":\"%" PRIu64 "\",\"pos\":\"%u\",\"len\":\"%u\"}", r->where.bundle, r->where.bundle_pos,
			r->where.bundle_len);
	fprintf(out, ",\"seen_ns\":\"%" PRIu64 "\"}\n", r->where.t_wire_ns);
}
