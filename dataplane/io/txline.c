/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/txline.h"

#include "abi/alert.h"
#include "eth/tx.h"

#include <inttypes.h>
#include <string.h>

void
txline_decimal(struct span be, char *out)
{
	uint32_t limb[8] = {0};
	char digits[80];
	unsigned n = 0;
	for (uint32_t i = 0; i < be.len && be.len <= 32; i++) {
		uint32_t byte = be.len - 1 - i;
		limb[7 - byte / 4] |= (uint32_t)be.p[i] << (8 * (byte % 4));
	}
	for (;;) {
		uint64_t rest = 0;
		bool zero = true;
		for (unsigned i = 0; i < 8; i++) {
			uint64_t v = rest << 32 | limb[i];
			limb[i] = (uint32_t)(v / 10);
			rest = v % 10;
			zero &= limb[i] == 0;
		}
		digits[n++] = (char)('0' + rest);
		if (zero)
			break;
	}
	for (unsigned i = 0; i < n; i++)
		out[i] = digits[n - 1 - i];
	out[n] = '\0';
}

static void
put_hex(FILE *out, const char *key, const uint8_t *p, unsigned n)
{
	fprintf(out, ",\"%s\":", key);
	if (p == NULL) {
		fputs("null", out);
		return;
	}
	fputs("\"0x", out);
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "%02x", p[i]);
	fputc('"', out);
}

static const char *
carrier_name(uint8_t carrier)
{
	switch (carrier) {
	case CARRIER_HTTP_JSONRPC:
		return "http-jsonrpc";
	case CARRIER_HTTP_JSONRPC_BUNDLE:
		return "http-jsonrpc-bundle";
	case CARRIER_HTTP_JSONRPC_PRIVATE:
		return "http-jsonrpc-private";
	default:
		return "offline";
	}
}

void
txline_print(FILE *out, const struct crossing_report *r)
{
	const struct tx *t = r->tx;
	uint8_t hash[32], from[20];
	char value[80];
	if (t == NULL)
		return;
	tx_hash(t, hash);
	bool known = tx_sender(t, from) == 0;
	txline_decimal(t->value, value);
	fputs("{\"event\":\"tx\"", out);
	put_hex(out, "hash", hash, 32);
	put_hex(out, "from", known ? from : NULL, 20);
	fprintf(out, ",\"type\":\"%u\"", t->type);
	put_hex(out, "to", t->to.len ? t->to.p : NULL, 20);
	fprintf(out, ",\"nonce\":\"%" PRIu64 "\",\"value\":\"%s\",\"gas\":\"%" PRIu64 "\"", t->nonce, value, t->gas);
	put_hex(out, "selector", t->to.len && t->data.len >= 4 ? t->data.p : NULL, 4);
	fprintf(out, ",\"raw_len\":\"%u\",\"carrier\":\"%s\",\"direction\":\"%s\",\"first\":%s,\"pending\":true", r->raw_bytes,
		carrier_name(r->where.carrier), r->where.direction == DIR_S2C ? "s2c" : "c2s",
		r->outcome == CROSSING_DUPLICATE ? "false" : "true");
	fprintf(out, ",\"seen_ns\":\"%" PRIu64 "\"}\n", r->where.t_wire_ns);
}
