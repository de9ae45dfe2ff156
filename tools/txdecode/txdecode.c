/* SPDX-License-Identifier: BSD-3-Clause */
#include "txdecode/txdecode.h"

#include "eth/tx.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"usage: sentinelctl tx decode [--chain N]\n"
	"  Reads transactions in hex, one a line, from standard input; prints one JSON object a line:\n"
	"  \"ok\" (it decodes) with its fields, hash and sender, and \"valid\" (the newest fork's rules).\n"
	"  --chain N   valid means valid on chain N (default: on any chain)\n"
	"examples:\n"
	"  echo 0x02f8...c0 | sentinelctl tx decode --chain 1\n"
	"  sentinelctl tx decode < raws.txt | jq -r 'select(.valid) | .hash'\n";

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Number of bytes, or -1 with a reason. */
static int64_t
from_hex(const char *p, size_t n, uint8_t *out, const char **why)
{
	if (n >= 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		p += 2;
		n -= 2;
	}
	*why = "an odd number of hex digits";
	if (n % 2 != 0)
		return -1;
	*why = "a character that is no hex digit";
	for (size_t i = 0; i < n; i += 2) {
		int hi = nibble(p[i]), lo = nibble(p[i + 1]);
		if (hi < 0 || lo < 0)
			return -1;
		out[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	return (int64_t)(n / 2);
}

static void
put_hex(FILE *out, const char *key, struct span s, bool present)
{
	static const char digit[] = "0123456789abcdef";
	fprintf(out, ",\"%s\":", key);
	if (!present) {
		fputs("null", out);
		return;
	}
	fputs("\"0x", out);
	for (uint32_t i = 0; i < s.len; i++) {
		fputc(digit[s.p[i] >> 4], out);
		fputc(digit[s.p[i] & 15], out);
	}
	fputc('"', out);
}

static void
put_u64(FILE *out, const char *key, uint64_t v, bool present)
{
	if (present)
		fprintf(out, ",\"%s\":\"%" PRIu64 "\"", key, v);
	else
		fprintf(out, ",\"%s\":null", key);
}

/* Big-endian, at most 32 bytes, in decimal: nine digits at a time. */
static void
put_int(FILE *out, const char *key, struct span be, bool present)
{
	uint32_t limb[8] = {0}, group[9];
	unsigned n = 0;
	if (!present || be.len > 32) {
		fprintf(out, ",\"%s\":null", key);
		return;
	}
	for (uint32_t i = 0; i < be.len; i++) {
		uint32_t at = be.len - 1 - i;
		limb[7 - at / 4] |= (uint32_t)be.p[i] << (8 * (at % 4));
	}
	bool zero;
	do {
		uint64_t rest = 0;
		zero = true;
		for (unsigned i = 0; i < 8; i++) {
			uint64_t v = rest << 32 | limb[i];
			limb[i] = (uint32_t)(v / 1000000000u);
			rest = v % 1000000000u;
			zero &= limb[i] == 0;
		}
		group[n++] = (uint32_t)rest;
	} while (!zero);
	fprintf(out, ",\"%s\":\"%" PRIu32, key, group[--n]);
	while (n > 0)
		fprintf(out, "%09" PRIu32, group[--n]);
	fputc('"', out);
}

static void
put_identity(FILE *out, const struct tx *t, uint64_t chain)
{
	uint8_t hash[32], from[20], created[20];
	tx_hash(t, hash);
	bool known = tx_sender(t, from) == 0;
	put_hex(out, "hash", (struct span){hash, 32}, true);
	put_hex(out, "from", (struct span){from, 20}, known);
	if (known && t->to.len == 0)
		tx_created(from, t->nonce, created);
	put_hex(out, "created", (struct span){created, 20}, known && t->to.len == 0);
	const char *why = tx_valid(t, chain);
	fprintf(out, ",\"valid\":%s,\"invalid_reason\":", why ? "false" : "true");
	fprintf(out, why ? "\"%s\"" : "null", why);
}

static void
put_fields(FILE *out, const struct tx *t)
{
	bool typed = t->type != TX_LEGACY, dynamic = t->type >= TX_1559;
	put_u64(out, "type", t->type, true);
	if (typed)
		put_int(out, "chain_id", t->chain_id_be, true);
	else
		put_u64(out, "chain_id", t->chain_id, t->has_chain_id && t->chain_id != UINT64_MAX);
	put_u64(out, "nonce", t->nonce, true);
	put_int(out, "gas_price", t->fee_cap, !dynamic);
	put_int(out, "max_priority_fee_per_gas", t->tip_cap, dynamic);
	put_int(out, "max_fee_per_gas", t->fee_cap, dynamic);
	put_u64(out, "gas", t->gas, true);
	put_hex(out, "to", t->to, t->to.len == 20);
	put_int(out, "value", t->value, true);
	put_hex(out, "input", t->data, true);
	put_hex(out, "selector", (struct span){t->data.p, 4}, t->to.len == 20 && t->data.len >= 4);
	put_u64(out, "access_list_entries", t->n_access, typed);
	put_int(out, "max_fee_per_blob_gas", t->blob_fee_cap, t->type == TX_4844);
	put_u64(out, "blob_hashes", t->n_blobs, t->type == TX_4844);
	put_u64(out, "sidecar_version", t->network_version - 1u, t->network_version != 0);
	put_u64(out, "sidecar_blobs", t->n_sidecar_blobs, t->network_version != 0);
	put_u64(out, "authorizations", t->n_auth, t->type == TX_7702);
	put_int(out, "v", t->v, true);
	put_int(out, "r", t->r, true);
	put_int(out, "s", t->s, true);
	put_u64(out, "raw_len", tx_consensus_len(t), true);
}

static int
answer_error(FILE *out, const char *why)
{
	fprintf(out, "{\"ok\":false,\"valid\":false,\"error\":\"%s\"}\n", why);
	return -EINVAL;
}

int
txdecode_line(const char *line, size_t len, uint64_t chain, uint8_t *raw, FILE *out)
{
	struct tx t;
	const char *why;
	while (len > 0 && isspace((unsigned char)line[0])) {
		line++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	if (len > TXDECODE_LINE_MAX)
		return answer_error(out, tx_strerror(TX_ERR_OVERSIZE));
	int64_t n = from_hex(line, len, raw, &why);
	if (n < 0)
		return answer_error(out, why);
	int rc = tx_decode((struct span){raw, (uint32_t)n}, &t);
	if (rc != 0)
		return answer_error(out, tx_strerror(rc));
	fputs("{\"ok\":true", out);
	put_identity(out, &t, chain);
	put_fields(out, &t);
	fputs(",\"error\":null}\n", out);
	return 0;
}

static int
parse_chain(const char *s, uint64_t *chain)
{
	char *end;
	errno = 0;
	*chain = strtoull(s, &end, 10);
	return errno != 0 || end == s || *end != '\0' || !isdigit((unsigned char)s[0]) || *chain == 0 ? -EINVAL : 0;
}

static int
decode_stream(FILE *in, uint64_t chain)
{
	char *line = malloc(TXDECODE_LINE_MAX + 2);
	uint8_t *raw = malloc(TXDECODE_LINE_MAX / 2 + 1);
	size_t n = 0;
	bool over = false;
	int c = 0, rc = line && raw ? 0 : 1;
	while (rc == 0 && c != EOF) {
		c = getc_unlocked(in);
		if (c != '\n' && c != EOF) {
			over |= n > TXDECODE_LINE_MAX;
			if (!over)
				line[n++] = (char)c;
			continue;
		}
		if (over)
			answer_error(stdout, tx_strerror(TX_ERR_OVERSIZE));
		else if (n > 0 || c == '\n')
			txdecode_line(line, n, chain, raw, stdout);
		n = 0;
		over = false;
	}
	if (rc != 0 || ferror(in) || fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "sentinelctl tx decode: %s\n", rc ? "no memory" : strerror(errno));
		rc = 1;
	}
	free(line);
	free(raw);
	return rc;
}

int
cmd_tx_decode(int argc, char **argv)
{
	uint64_t chain = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage_text, stdout);
			return 0;
		}
		if (strcmp(argv[i], "--chain") == 0 && i + 1 < argc && parse_chain(argv[i + 1], &chain) == 0) {
			i++;
			continue;
		}
		if (strcmp(argv[i], "--chain") == 0)
			fprintf(stderr, "sentinelctl tx decode: --chain needs a chain number, like 1\n%s", usage_text);
		else
			fprintf(stderr, "sentinelctl tx decode: unknown argument %s\n%s", argv[i], usage_text);
		return 2;
	}
	return decode_stream(stdin, chain);
}
