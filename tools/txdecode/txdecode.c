/* SPDX-License-Identifier: BSD-3-Clause */
#include "txdecode/txdecode.h"

#include "txdecode/put.h"

#include "eth/rlp.h"
#include "eth/tx.h"
#include "wire/hex.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: sentinelctl tx decode [--chain N]\n"
	"  Reads transactions in hex, one a line, from standard input; prints one JSON object a line:\n"
	"  \"ok\" (it decodes) with its fields, hash and sender, and \"valid\" (the newest fork's rules).\n"
	"  --chain N   valid means valid on chain N (default: on any chain)\n"
	"examples:\n"
	"  echo 0x02f8...c0 | sentinelctl tx decode --chain 1\n"
	"  sentinelctl tx decode < raws.txt | jq -r 'select(.valid) | .hash'\n";

/* Number of bytes, or -1 with a reason. */
static int64_t
from_hex(const char *p, size_t n, uint8_t *out, const char **why)
{
	if (n >= 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		p += 2;
		n -= 2;
	}
	*why = n % 2 != 0 ? "an odd number of hex digits" : "a character that is no hex digit";
	if (n % 2 != 0 || hex_decode((const uint8_t *)p, n, out) != n)
		return -1;
	return (int64_t)(n / 2);
}

/* `payload` of a list is taken apart by `each`, which writes one element; the decoder has checked its form.
 */
static void
put_list(FILE *out, const char *key, struct span payload, bool present,
	void (*each)(FILE *, struct rlp_item *))
{
	struct rlp_item it;
	const char *comma = "";
	fprintf(out, ",\"%s\":%s", key, present ? "[" : "null");
	while (present && rlp_next(&payload, &it)) {
		fputs(comma, out);
		each(out, &it);
		comma = ",";
	}
	if (present)
		putc_unlocked(']', out);
}

static void
put_string_item(FILE *out, struct rlp_item *it)
{
	put_hex_value(out, it->payload);
}

static struct span
next_payload(struct rlp_item *list)
{
	struct rlp_item it = {0};
	rlp_next(&list->payload, &it);
	return it.payload;
}

static void
put_access(FILE *out, struct rlp_item *entry)
{
	fputs("{\"address\":", out);
	put_hex_value(out, next_payload(entry));
	put_list(out, "storage_keys", next_payload(entry), true, put_string_item);
	putc_unlocked('}', out);
}

static void
put_authorization(FILE *out, struct rlp_item *entry)
{
	struct span chain = next_payload(entry);
	fputs("{\"address\":", out);
	put_hex_value(out, next_payload(entry));
	put_int(out, "chain_id", chain, true);
	put_int(out, "nonce", next_payload(entry), true);
	put_int(out, "y_parity", next_payload(entry), true);
	put_int(out, "r", next_payload(entry), true);
	put_int(out, "s", next_payload(entry), true);
	putc_unlocked('}', out);
}

static void
put_identity(FILE *out, const struct tx *t, uint64_t chain)
{
	uint8_t hash[32], from[20], created[20];
	tx_hash(t, hash);
	bool known = tx_sender(t, from) == 0;
	put_hex(out, "hash", (struct span){hash, 32}, true);
	put_hex(out, "from", (struct span){from, 20}, known);
	put_hex(out, "sender", (struct span){from, 20}, known);
	if (known && t->to.len == 0)
		tx_created(from, t->nonce, created);
	put_hex(out, "created", (struct span){created, 20}, known && t->to.len == 0);
	const char *why = tx_rules(t, chain);
	if (why == NULL && !known)
		why = "bad signature";
	if (why == NULL)
		fputs(",\"valid\":true,\"invalid_reason\":null", out);
	else
		fprintf(out, ",\"valid\":false,\"invalid_reason\":\"%s\"", why);
}

static void
put_fields(FILE *out, const struct tx *t)
{
	bool typed = t->type != TX_LEGACY, dynamic = t->type >= TX_1559;
	uint8_t chain[32];
	put_u64(out, "type", t->type, true);
	put_int(out, "chain_id", (struct span){chain, tx_chain_id(t, chain)}, t->has_chain_id);
	put_u64(out, "nonce", t->nonce, true);
	put_int(out, "gas_price", t->fee_cap, !dynamic);
	put_int(out, "max_priority_fee_per_gas", t->tip_cap, dynamic);
	put_int(out, "max_fee_per_gas", t->fee_cap, dynamic);
	put_u64(out, "gas", t->gas, true);
	put_hex(out, "to", t->to, t->to.len == 20);
	put_int(out, "value", t->value, true);
	put_hex(out, "input", t->data, true);
	put_hex(out, "selector", (struct span){t->data.p, 4}, t->to.len == 20 && t->data.len >= 4);
	put_list(out, "access_list", t->access_list, typed, put_access);
	put_int(out, "max_fee_per_blob_gas", t->blob_fee_cap, t->type == TX_4844);
	put_list(out, "blob_hashes", t->blob_hashes, t->type == TX_4844, put_string_item);
	put_u64(out, "sidecar_version", t->network_version - 1u, t->network_version != 0);
	put_u64(out, "sidecar_blobs", t->n_sidecar_blobs, t->network_version != 0);
	put_list(out, "authorizations", t->auth_list, t->type == TX_7702, put_authorization);
	put_int(out, "v", t->v, true);
	put_int(out, "r", t->r, true);
	put_int(out, "s", t->s, true);
	put_u64(out, "raw_len", tx_consensus_len(t), true);
	put_swaps(out, t);
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
	return errno != 0 || end == s || *end != '\0' || !isdigit((unsigned char)s[0]) || *chain == 0
		       ? -EINVAL
		       : 0;
}

/* A line being collected. What is longer than any transaction is thrown away but for that fact. */
struct collector {
	char *line;
	uint8_t *raw;
	size_t n;
	bool over;
};

static void
end_line(struct collector *c, uint64_t chain)
{
	if (c->over)
		answer_error(stdout, tx_strerror(TX_ERR_OVERSIZE));
	else
		txdecode_line(c->line, c->n, chain, c->raw, stdout);
	c->n = 0;
	c->over = false;
}

static void
collect(struct collector *c, const char *p, size_t n, uint64_t chain)
{
	while (n > 0) {
		const char *end = memchr(p, '\n', n);
		size_t k = end ? (size_t)(end - p) : n;
		if (c->over || k > TXDECODE_LINE_MAX - c->n) {
			c->over = true;
		} else {
			memcpy(c->line + c->n, p, k);
			c->n += k;
		}
		if (end == NULL)
			return;
		end_line(c, chain);
		p += k + 1;
		n -= k + 1;
	}
}

static int
failed(const char *what, int err)
{
	fprintf(stderr, "sentinelctl tx decode: %s: %s\n", what, strerror(err));
	return 1;
}

/* Answers leave before more input is waited for: whoever feeds line by line can read line by line. */
static int
decode_stream(struct collector *c, uint64_t chain)
{
	static char buf[1 << 16];
	for (;;) {
		if (fflush(stdout) != 0 || ferror(stdout))
			return failed("cannot write standard output", errno);
		ssize_t n = read(STDIN_FILENO, buf, sizeof buf);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed("cannot read standard input", errno);
		if (n == 0)
			break;
		collect(c, buf, (size_t)n, chain);
	}
	if (c->n > 0 || c->over)
		end_line(c, chain);
	return fflush(stdout) != 0 || ferror(stdout) ? failed("cannot write standard output", errno) : 0;
}

int
cmd_tx_decode(int argc, char **argv)
{
	uint64_t chain = 0;
	hex_init();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage_text, stdout);
			return fflush(stdout) == 0 ? 0 : failed("cannot write standard output", errno);
		}
		if (strcmp(argv[i], "--chain") == 0 && i + 1 < argc &&
			parse_chain(argv[i + 1], &chain) == 0) {
			i++;
			continue;
		}
		if (strcmp(argv[i], "--chain") == 0)
			fprintf(stderr, "sentinelctl tx decode: --chain needs a chain number, like 1 (--help shows what there is)\n");
		else
			fprintf(stderr, "sentinelctl tx decode: unknown argument %s (--help shows what there is)\n", argv[i]);
		return 2;
	}
	struct collector c = {.line = malloc(TXDECODE_LINE_MAX), .raw = malloc(TXDECODE_LINE_MAX / 2)};
	int rc = c.line && c.raw ? decode_stream(&c, chain) : failed("cannot start", ENOMEM);
	free(c.line);
	free(c.raw);
	return rc;
}
