/* SPDX-License-Identifier: BSD-3-Clause */
/* ws_client: a WebSocket client (RFC 6455) over plain TCP that hands on the beginning of each message and drops the rest. It offers no
 * extension and no subprotocol, answers pings, masks with fresh random keys, and holds no message: memory stays the same whatever the
 * server sends. Everything that a server says is untrusted; `why` holds printable ASCII only. */
#ifndef SENTINELCTL_WS_CLIENT_H
#define SENTINELCTL_WS_CLIENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wslay/wslay.h>

#define WS_MESSAGE_MAX_BYTES (32u << 20) /* geth's own limit; a longer message ends the connection with code 1009 */
#define WS_HEAD_BYTES (64u << 10)	 /* of a message, handed on */
#define WS_WHY 384

struct ws_url {
	char host[256], port[6], path[2048]; /* host without the brackets of IPv6; path with its query, "/" at least */
	bool ip6;
};

/* ws_url_parse: ws://HOST:PORT[/PATH]. NULL, or a sentence (static) that says what is wrong with it. */
const char *ws_url_parse(const char *text, struct ws_url *url);

enum ws_result {
	WS_DONE,    /* as asked */
	WS_LOST,    /* failed, and may work later: nobody there, hung up, overloaded */
	WS_REFUSED, /* failed, and trying again will not help: not a WebSocket server, forbidden */
	WS_STOPPED, /* *stop was set */
};

/* A message: its first bytes (at most WS_HEAD_BYTES) and its whole length. Called from ws_client_poll. */
typedef void ws_message_fn(void *user, const uint8_t *head, size_t head_bytes, uint64_t bytes);

struct ws_client {
	/* set before ws_client_connect */
	const struct ws_url *url;
	const volatile sig_atomic_t *stop; /* signals that set it are blocked, and let in while this waits */
	ws_message_fn *on_message;
	void *user;
	int patience_ms; /* for each address to connect and shake hands */

	int fd;
	wslay_event_context_ptr frames;
	uint8_t *in, *head; /* received and not looked at; the beginning of the message under way */
	size_t in_at, in_n, head_n;
	uint64_t message_bytes, wire_bytes; /* so far: of the message under way; received on this and all earlier connections */
	int64_t heard_ms;		    /* when bytes came last, ws_now_ms */
	bool too_long, frame_is_control;
	char address[64], why[WS_WHY], closing[160];
};

/* ws_now_ms: a clock that only goes forward. */
int64_t ws_now_ms(void);
/* ws_printable copies n bytes, at most cap - 1, all else than printable ASCII as '?'; always terminated. */
void ws_printable(char *out, size_t cap, const void *in, size_t n);
/* ws_sleep_until waits; true as soon as *stop is set. */
bool ws_sleep_until(int64_t until_ms, const volatile sig_atomic_t *stop);

/* ws_handshake_check judges the head of a server's answer (up to and with its empty line) against the Sec-WebSocket-Accept that was due.
 * Writes why when the result is not WS_DONE. `body`: what came behind the head. */
enum ws_result ws_handshake_check(const char *head, size_t n, const char *accept, const char *body, size_t body_n, char why[WS_WHY]);

/* ws_client_connect tries each address of the name. On anything but WS_DONE the client is closed and `why` says why. */
enum ws_result ws_client_connect(struct ws_client *c);
/* ws_client_adopt takes a non-blocking socket whose handshake is done. WS_DONE, or WS_LOST with the socket closed. */
enum ws_result ws_client_adopt(struct ws_client *c, int fd);
/* ws_client_text and ws_client_ping queue a message, which the next ws_client_poll sends. WS_DONE or WS_LOST. */
enum ws_result ws_client_text(struct ws_client *c, const char *text);
enum ws_result ws_client_ping(struct ws_client *c);
/* ws_client_poll sends and receives until something came or `until_ms`. On WS_LOST the caller closes. */
enum ws_result ws_client_poll(struct ws_client *c, int64_t until_ms);
/* ws_client_close: with `farewell` a close frame first, and up to a second for the server's. Safe on a closed client. */
void ws_client_close(struct ws_client *c, bool farewell);

#endif
