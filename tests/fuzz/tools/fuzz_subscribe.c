/* SPDX-License-Identifier: BSD-3-Clause */
/* What a WebSocket server can say to sentinelctl subscribe: the first byte chooses between the head of its answer (no overrun on an exact
 * allocation, no accepting without the key, printable reasons), a whole connection (handshake right, then frames as they come, in pieces of
 * any size), and an address on the command line. */
#include "sentinelctl/ws_client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char accept_key[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_printable(const char *why)
{
	size_t n = strnlen(why, WS_WHY);
	assert(n > 0 && n < WS_WHY);
	for (size_t i = 0; i < n; i++)
		assert(why[i] >= 0x20 && why[i] < 0x7f);
}

static void
handshake(const uint8_t *data, size_t n)
{
	char *head = malloc(n ? n : 1), why[WS_WHY] = "";
	assert(head != NULL);
	memcpy(head, data, n);
	enum ws_result r = ws_handshake_check(head, n, accept_key, head, n, why);
	assert(r == WS_DONE || r == WS_LOST || r == WS_REFUSED);
	if (r == WS_DONE)
		assert(memmem(head, n, " 101", 4) != NULL && memmem(head, n, accept_key, sizeof accept_key - 1) != NULL);
	else
		check_printable(why);
	free(head);
}

struct seen {
	uint64_t messages, bytes;
};

static void
on_message(void *user, const uint8_t *head, size_t head_bytes, uint64_t bytes)
{
	struct seen *s = user;
	assert(bytes <= WS_MESSAGE_MAX_BYTES);
	assert(head_bytes == (bytes < WS_HEAD_BYTES ? bytes : WS_HEAD_BYTES));
	uint8_t sum = 0;
	for (size_t i = 0; i < head_bytes; i++)
		sum ^= head[i];
	s->bytes += bytes + (sum & 0);
	s->messages++;
}

static void
frames(const uint8_t *data, size_t n)
{
	static const volatile sig_atomic_t go_on = 0;
	struct seen seen = {0};
	struct ws_client c = {.stop = &go_on, .on_message = on_message, .user = &seen};
	int pair[2];
	enum ws_result r = WS_DONE;
	int ok = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	assert(ok == 0);
	ok = ws_client_adopt(&c, pair[0]) == WS_DONE;
	assert(ok);
	size_t piece = n > 0 ? 1 + data[0] * 16u : 1, all = n;
	while (r == WS_DONE && n > 0) {
		size_t k = piece < n ? piece : n;
		if (send(pair[1], data, k, MSG_NOSIGNAL) != (ssize_t)k)
			break;
		data += k;
		n -= k;
		r = ws_client_poll(&c, 0);
		uint8_t drain[4096];
		while (recv(pair[1], drain, sizeof drain, 0) > 0)
			;
	}
	assert(r == WS_DONE || r == WS_LOST);
	if (r == WS_LOST)
		check_printable(c.why);
	assert(seen.bytes + 2 * seen.messages <= all && c.wire_bytes <= all);
	close(pair[1]);
	ws_client_close(&c, true);
}

static void
address(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);
	struct ws_url u;
	assert(text != NULL);
	memcpy(text, data, n);
	text[n] = '\0';
	if (ws_url_parse(text, &u) == NULL) {
		assert(u.host[0] != '\0' && atoi(u.port) >= 1 && atoi(u.port) <= 65535 && u.path[0] == '/');
		assert(strpbrk(u.path, " \r\n\t") == NULL && strpbrk(u.host, " \r\n\t/@") == NULL);
	}
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'h')
		handshake(data + 1, size - 1);
	else if (data[0] == 'u')
		address(data + 1, size - 1);
	else
		frames(data + 1, size - 1);
	return 0;
}
