/* SPDX-License-Identifier: BSD-3-Clause */
#include "txdecode/put.h"

#include "abi/decimal.h"
#include "wire/hex.h"

#include <inttypes.h>

void
put_hex_value(FILE *out, struct span s)
{
	char digits[256];
	fputs("\"0x", out);
	for (uint32_t i = 0, n; i < s.len; i += n) {
		n = s.len - i < sizeof digits / 2 ? s.len - i : (uint32_t)(sizeof digits / 2);
		hex_encode(s.p + i, n, digits);
		fwrite(digits, 1, 2 * n, out);
	}
	putc_unlocked('"', out);
}

void
put_hex(FILE *out, const char *key, struct span s, bool present)
{
	fprintf(out, ",\"%s\":", key);
	if (present)
		put_hex_value(out, s);
	else
		fputs("null", out);
}

void
put_u64(FILE *out, const char *key, uint64_t v, bool present)
{
	if (present)
		fprintf(out, ",\"%s\":\"%" PRIu64 "\"", key, v);
	else
		fprintf(out, ",\"%s\":null", key);
}

void
put_int(FILE *out, const char *key, struct span be, bool present)
{
	char digits[DECIMAL_TEXT_MAX];
	if (!present || be.len > DECIMAL_BYTES_MAX) {
		fprintf(out, ",\"%s\":null", key);
		return;
	}
	decimal_write(be.p, be.len, digits);
	fprintf(out, ",\"%s\":\"%s\"", key, digits);
}
