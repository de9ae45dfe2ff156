/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of a key log, at once and cut in two: the same sessions and mistakes; and each session, written out
 * again, reads as itself. */
#include "io/keylog.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hear(void *ctx, const char *text)
{
	assert(strlen(text) > 4 && memcmp(text, "log:", 4) == 0);
}

static void
begin(struct keylog *k)
{
	int rc = keylog_begin(k, "log", 16, hear, NULL);
	assert(rc == 0);
}

static char *
put_hex(char *p, const uint8_t *b)
{
	for (unsigned i = 0; i < 32; i++)
		p += sprintf(p, "%02x", b[i]);
	return p;
}

static char *
put_end(char *p, const struct rlpx_endpoint *e)
{
	char text[INET6_ADDRSTRLEN];
	if (e->port == 0)
		return p + sprintf(p, " -");
	inet_ntop(AF_INET6, e->ip, text, sizeof text);
	return p + sprintf(p, " [%s]:%u", text, e->port);
}

static void
write_and_read(const struct rlpx_key *k)
{
	char line[KEYLOG_LINE_MAX + 1], *p = line + sprintf(line, "rlpx ");
	struct rlpx_key again;
	unsigned column;
	const char *why;
	p = put_hex(p, k->aes);
	*p++ = ' ';
	if (k->has_mac)
		p = put_hex(p, k->mac);
	else
		*p++ = '-';
	p = put_end(put_end(p, &k->end[0]), &k->end[1]);
	for (unsigned i = 0; k->has_nonces && i < 2; i++) {
		*p++ = ' ';
		p = put_hex(p, k->nonce[i]);
	}
	assert(keylog_line(line, (size_t)(p - line), &again, &column, &why) == 1);
	assert(memcmp(&again, k, sizeof again) == 0);
	size_t n = keylog_write(k, line);
	assert(n <= KEYLOG_LINE_MAX && line[n - 1] == '\n');
	assert(keylog_line(line, n - 1, &again, &column, &why) == 1);
	assert(memcmp(&again, k, sizeof again) == 0);
}

/* Brought by another process: the same sessions, but that a last line needs no end, and that only so many lines are looked at. */
static void
as_text(const struct keylog *a, const char *data, size_t size)
{
	struct keylog c;
	uint64_t mistakes;
	char *text = malloc(size ? size : 1);
	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	begin(&c);
	int fresh = keylog_text(&c, text, size, &mistakes);
	assert(fresh >= 0 && c.n <= c.max && (uint32_t)fresh == c.n && mistakes <= c.max && c.dropped == 0);
	if (a->line <= c.max && (size == 0 || data[size - 1] == '\n')) {
		assert(c.n == a->n && mistakes == a->mistakes);
		for (uint32_t i = 0; i < c.n; i++)
			assert(memcmp(&a->list[i], &c.list[i], sizeof c.list[i]) == 0);
	}
	keylog_close(&c);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keylog a, b;
	begin(&a);
	begin(&b);
	const char *text = (const char *)data;
	size_t cut = size > 0 ? data[0] % (size + 1) : 0;
	int whole = keylog_feed(&a, text, size);
	int parts = keylog_feed(&b, text, cut);
	parts += keylog_feed(&b, text + cut, size - cut);
	assert(whole == parts && a.n == b.n && a.mistakes == b.mistakes && a.line == b.line &&
		a.dropped == b.dropped);
	assert(a.n <= a.max && a.n_text <= KEYLOG_LINE_MAX);
	for (uint32_t i = 0; i < a.n; i++) {
		assert(memcmp(&a.list[i], &b.list[i], sizeof a.list[i]) == 0);
		write_and_read(&a.list[i]);
	}
	as_text(&a, text, size);
	keylog_close(&a);
	keylog_close(&b);
	return 0;
}
