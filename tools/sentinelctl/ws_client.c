/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/ws_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN_BYTES (256u << 10)
#define RCVBUF_BYTES (16 << 20)
#define READS_AT_A_TIME 64
#define FAREWELL_MS 1000
#define PENDING_MAX 64
#define HANDSHAKE_MAX_BYTES (16u << 10)
#define KEY_CHARS BASE64_ENCODE_RAW_LENGTH(16)
#define ACCEPT_CHARS BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE)

int64_t
ws_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
ws_printable(char *out, size_t cap, const void *in, size_t n)
{
	const uint8_t *p = in;
	size_t i = 0;
	for (; i < n && i + 1 < cap; i++)
		out[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '?';
	out[i] = '\0';
}

/* ---- waiting ---- */

/* Signals come in only while this waits, so none is missed between a look at *stop and the wait. */
static int
wait_for(struct pollfd *fd, int64_t until_ms, const volatile sig_atomic_t *stop)
{
	sigset_t none;
	sigemptyset(&none);
	for (;;) {
		int64_t left = until_ms - ws_now_ms();
		left = left < 0 ? 0 : left;
		struct timespec t = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
		int n = ppoll(fd, fd != NULL, &t, &none);
		if (n > 0) /* the kernel lets no signal in when something is ready: a flood must not keep them out */
			ppoll(NULL, 0, &(struct timespec){0}, &none);
		if (*stop)
			return -EINTR;
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}

bool
ws_sleep_until(int64_t until_ms, const volatile sig_atomic_t *stop)
{
	return wait_for(NULL, until_ms, stop) == -EINTR;
}

/* ---- address ---- */

static const char *
parse_authority(const char *at, const char *end, struct ws_url *u)
{
	const char *colon = memrchr(at, ':', (size_t)(end - at));
	u->ip6 = *at == '[';
	if (u->ip6) {
		const char *close = memchr(at, ']', (size_t)(end - at));
		struct in6_addr a;
		if (close == NULL)
			return "an IPv6 address needs its closing bracket";
		if ((size_t)(close - at - 1) >= sizeof u->host)
			return "the host is too long";
		memcpy(u->host, at + 1, (size_t)(close - at - 1));
		char plain[sizeof u->host];
		snprintf(plain, sizeof plain, "%.*s", (int)strcspn(u->host, "%"), u->host);
		if (inet_pton(AF_INET6, plain, &a) != 1)
			return "between the brackets goes an IPv6 address";
		if (close + 1 == end)
			return "the port is missing (geth and Erigon: 8546; ws://HOST:PORT)";
		if (close[1] != ':')
			return "behind the brackets goes :PORT";
		colon = close + 1;
	} else {
		if (colon == NULL)
			return "the port is missing (geth and Erigon: 8546; ws://HOST:PORT)";
		if (memchr(at, ':', (size_t)(colon - at)) != NULL)
			return "an IPv6 address goes in brackets: ws://[::1]:8546";
		if (colon == at)
			return "the host is missing (ws://HOST:PORT)";
		if ((size_t)(colon - at) >= sizeof u->host)
			return "the host is too long";
		memcpy(u->host, at, (size_t)(colon - at));
	}
	size_t digits = (size_t)(end - colon - 1);
	if (digits < 1 || digits > 5 || strspn(colon + 1, "0123456789") < digits)
		return "the port is a number from 1 to 65535";
	memcpy(u->port, colon + 1, digits);
	unsigned long port = strtoul(u->port, NULL, 10);
	return port < 1 || port > 65535 ? "the port is a number from 1 to 65535" : NULL;
}

const char *
ws_url_parse(const char *text, struct ws_url *u)
{
	memset(u, 0, sizeof *u);
	for (const char *p = text; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return "an address has no blanks, control characters or letters beyond ASCII (write those as %XX)";
	if (strncasecmp(text, "wss://", 6) == 0)
		return "wss:// is encrypted, so the box could not read this connection off the wire; use the node's plain ws:// port";
	if (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0)
		return "subscriptions need the node's WebSocket port, ws://HOST:PORT (geth: --ws, port 8546)";
	if (strncasecmp(text, "ws://", 5) != 0)
		return "the address is ws://HOST:PORT[/PATH]";
	const char *at = text + 5, *end = at + strcspn(at, "/?#");
	if (strchr(end, '#') != NULL)
		return "a WebSocket address has no #fragment";
	if (memchr(at, '@', (size_t)(end - at)) != NULL)
		return "user names and passwords in the address are not supported";
	const char *why = parse_authority(at, end, u);
	if (why != NULL)
		return why;
	if (snprintf(u->path, sizeof u->path, "%s%s", *end == '/' ? "" : "/", end) >= (int)sizeof u->path)
		return "the path is too long";
	return NULL;
}

/* ---- connecting ---- */

static enum ws_result
fail(struct ws_client *c, enum ws_result r, const char *what, const char *detail)
{
	snprintf(c->why, sizeof c->why, "%s%s%s", what, detail ? ": " : "", detail ? detail : "");
	return r;
}

/* A big fixed buffer beats the kernel's own tuning (up to tcp_rmem[2]) only where the limit allows one; else tuning is better left on. */
static void
widen_receive_buffer(int fd)
{
	int want = RCVBUF_BYTES, got = 0;
	socklen_t n = sizeof got;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof want) == 0)
		return;
	int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return;
	setsockopt(probe, SOL_SOCKET, SO_RCVBUF, &want, sizeof want);
	getsockopt(probe, SOL_SOCKET, SO_RCVBUF, &got, &n);
	close(probe);
	if (got >= RCVBUF_BYTES)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof want);
}

static enum ws_result
connect_to(struct ws_client *c, const struct addrinfo *a)
{
	getnameinfo(a->ai_addr, a->ai_addrlen, c->address, sizeof c->address, NULL, 0, NI_NUMERICHOST);
	c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return fail(c, WS_LOST, "no socket", strerror(errno));
	widen_receive_buffer(c->fd); /* before the window scale is agreed on */
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	int err = connect(c->fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
	if (err == EINPROGRESS) {
		socklen_t n = sizeof err;
		struct pollfd p = {.fd = c->fd, .events = POLLOUT};
		int rc = wait_for(&p, ws_now_ms() + c->patience_ms, c->stop);
		if (rc == -EINTR)
			return WS_STOPPED;
		if (rc == 0)
			err = ETIMEDOUT;
		else if (rc < 0)
			err = -rc;
		else if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0)
			err = errno;
	}
	if (err == ECONNREFUSED)
		return fail(c, WS_LOST, "connection refused: no one listens there. Is the node running with its WebSocket on "
					"(geth: --ws --ws.addr ADDRESS --ws.port 8546)?", NULL);
	if (err == ETIMEDOUT)
		return fail(c, WS_LOST, "no answer: a wrong address, or a firewall between", NULL);
	return err == 0 ? WS_DONE : fail(c, WS_LOST, "cannot connect", strerror(err));
}

static enum ws_result
send_all(struct ws_client *c, const char *p, size_t n, int64_t until_ms)
{
	while (n > 0) {
		ssize_t w = send(c->fd, p, n, MSG_NOSIGNAL);
		if (w >= 0) {
			p += w;
			n -= (size_t)w;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return fail(c, WS_LOST, "cannot send", strerror(errno));
		int rc = wait_for(&(struct pollfd){.fd = c->fd, .events = POLLOUT}, until_ms, c->stop);
		if (rc == -EINTR)
			return WS_STOPPED;
		if (rc <= 0)
			return fail(c, WS_LOST, "takes no request", NULL);
	}
	return WS_DONE;
}

/* More of the answer into c->in. WS_LOST with an empty why: its end. */
static enum ws_result
receive_some(struct ws_client *c, size_t cap, int64_t until_ms)
{
	for (;;) {
		ssize_t n = recv(c->fd, c->in + c->in_n, cap - c->in_n, 0);
		if (n > 0) {
			c->in_n += (size_t)n;
			c->wire_bytes += (uint64_t)n;
			return WS_DONE;
		}
		if (n == 0)
			return fail(c, WS_LOST, "", NULL);
		if (errno != EAGAIN && errno != EINTR)
			return fail(c, WS_LOST, "the connection broke during the handshake", strerror(errno));
		int rc = wait_for(&(struct pollfd){.fd = c->fd, .events = POLLIN}, until_ms, c->stop);
		if (rc == -EINTR)
			return WS_STOPPED;
		if (rc <= 0)
			return fail(c, WS_LOST, "accepts connections but does not answer the WebSocket handshake", NULL);
	}
}

/* ---- handshake ---- */

/* The value of header `name`: of its first line; counts the lines. */
static unsigned
header(const char *head, size_t n, const char *name, const char **value, size_t *value_n)
{
	unsigned count = 0;
	size_t name_n = strlen(name);
	const char *end = head + n, *line = memchr(head, '\n', n);
	*value = "";
	*value_n = 0;
	while (line != NULL && ++line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		const char *stop = next ? next : end;
		if ((size_t)(stop - line) > name_n && line[name_n] == ':' && strncasecmp(line, name, name_n) == 0 && count++ == 0) {
			const char *v = line + name_n + 1;
			while (v < stop && (*v == ' ' || *v == '\t'))
				v++;
			while (stop > v && (stop[-1] == '\r' || stop[-1] == ' ' || stop[-1] == '\t'))
				stop--;
			*value = v;
			*value_n = (size_t)(stop - v);
		}
		line = next;
	}
	return count;
}

/* Whether a comma-separated list has `token`. */
static bool
has_token(const char *v, size_t n, const char *token)
{
	size_t token_n = strlen(token);
	while (n > 0) {
		const char *comma = memchr(v, ',', n);
		size_t item = comma ? (size_t)(comma - v) : n, skip = 0, len = item;
		while (skip < len && (v[skip] == ' ' || v[skip] == '\t'))
			skip++;
		while (len > skip && (v[len - 1] == ' ' || v[len - 1] == '\t'))
			len--;
		if (len - skip == token_n && strncasecmp(v + skip, token, token_n) == 0)
			return true;
		if (comma == NULL)
			return false;
		v += item + 1;
		n -= item + 1;
	}
	return false;
}

static enum ws_result
refused_by_status(unsigned status, const char *body, size_t n, char why[WS_WHY])
{
	const char *next = "is this the node's WebSocket port (geth: --ws, port 8546)?";
	enum ws_result r = WS_REFUSED;
	char said[96];
	while (n > 0 && (body[n - 1] == '\n' || body[n - 1] == '\r'))
		n--;
	ws_printable(said, sizeof said, body, n);
	if (status == 403)
		next = "the node does not accept this client: list it in geth's --ws.origins, and where HTTP shares the port the host's name in "
		       "--http.vhosts, or call the node by its IP address";
	else if (status == 401 || status == 407)
		next = "it wants credentials: port 8551 is for a consensus client only; use the node's public WebSocket port (geth: 8546)";
	else if (status == 404)
		next = "nothing at this path: geth's --ws.rpcprefix says which it is";
	else if (status >= 300 && status < 400)
		next = "it redirects: give the address it redirects to";
	else if (status == 408 || status == 425 || status == 429 || status >= 500) {
		next = "the node, or a proxy before it, cannot now";
		r = WS_LOST;
	}
	snprintf(why, WS_WHY, "not a WebSocket answer but HTTP %u%s%s%s: %s", status, said[0] ? " (\"" : "", said, said[0] ? "\")" : "", next);
	return r;
}

static enum ws_result
refuse(char why[WS_WHY], const char *what)
{
	snprintf(why, WS_WHY, "not a WebSocket server: %s", what);
	return WS_REFUSED;
}

enum ws_result
ws_handshake_check(const char *head, size_t n, const char *accept, const char *body, size_t body_n, char why[WS_WHY])
{
	const char *v;
	size_t v_n;
	unsigned status = 0;
	if (n < 13 || memcmp(head, "HTTP/1.", 7) != 0 || head[8] != ' ' || (head[12] != ' ' && head[12] != '\r'))
		return refuse(why, "it does not speak HTTP/1.1");
	for (int i = 9; i < 12; i++) {
		if (head[i] < '0' || head[i] > '9')
			return refuse(why, "it does not speak HTTP/1.1");
		status = status * 10 + (unsigned)(head[i] - '0');
	}
	if (status != 101)
		return refused_by_status(status, body, body_n, why);
	header(head, n, "Upgrade", &v, &v_n);
	if (!has_token(v, v_n, "websocket"))
		return refuse(why, "its answer upgrades to something else");
	header(head, n, "Connection", &v, &v_n);
	if (!has_token(v, v_n, "upgrade"))
		return refuse(why, "its answer has no Connection: Upgrade");
	if (header(head, n, "Sec-WebSocket-Accept", &v, &v_n) != 1 || v_n != strlen(accept) || memcmp(v, accept, v_n) != 0)
		return refuse(why, "its Sec-WebSocket-Accept does not fit our key (a cache or proxy between?)");
	if (header(head, n, "Sec-WebSocket-Extensions", &v, &v_n) != 0 && v_n > 0)
		return refuse(why, "it uses an extension that was not offered");
	if (header(head, n, "Sec-WebSocket-Protocol", &v, &v_n) != 0)
		return refuse(why, "it chose a subprotocol that was not offered");
	return WS_DONE;
}

static void
make_key(char key[KEY_CHARS + 1], char accept[ACCEPT_CHARS + 1])
{
	uint8_t random[16], digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx sha;
	if (getrandom(random, sizeof random, 0) != sizeof random)
		abort();
	base64_encode_raw(key, sizeof random, random);
	key[KEY_CHARS] = '\0';
	sha1_init(&sha);
	sha1_update(&sha, KEY_CHARS, (const uint8_t *)key);
	sha1_update(&sha, 36, (const uint8_t *)"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	sha1_digest(&sha, sizeof digest, digest);
	base64_encode_raw(accept, sizeof digest, digest);
	accept[ACCEPT_CHARS] = '\0';
}

static enum ws_result
shake_hands(struct ws_client *c)
{
	char key[KEY_CHARS + 1], accept[ACCEPT_CHARS + 1], request[3072];
	const struct ws_url *u = c->url;
	int64_t until_ms = ws_now_ms() + c->patience_ms;
	make_key(key, accept);
	/* no Origin: that is for browsers, and geth lets clients without one in */
	int n = snprintf(request, sizeof request,
		"GET %s HTTP/1.1\r\nHost: %s%.*s%s:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
		"Sec-WebSocket-Version: 13\r\nUser-Agent: sentinelctl\r\n\r\n",
		u->path, u->ip6 ? "[" : "", (int)strcspn(u->host, "%"), u->host, u->ip6 ? "]" : "", u->port, key);
	enum ws_result r = send_all(c, request, (size_t)n, until_ms);
	const uint8_t *end = NULL;
	while (r == WS_DONE && (end = memmem(c->in, c->in_n, "\r\n\r\n", 4)) == NULL && c->in_n < HANDSHAKE_MAX_BYTES &&
		(c->in_n < 5 || memcmp(c->in, "HTTP/", 5) == 0))
		r = receive_some(c, HANDSHAKE_MAX_BYTES, until_ms);
	if (r == WS_LOST && c->why[0] == '\0')
		return c->in_n == 0 ? fail(c, WS_LOST, "hung up without an answer", NULL) : refuse(c->why, "it hung up in mid-answer");
	if (r != WS_DONE)
		return r;
	size_t head = end ? (size_t)(end + 4 - c->in) : c->in_n;
	if (end == NULL)
		return refuse(c->why, c->in_n < HANDSHAKE_MAX_BYTES ? "it does not speak HTTP/1.1" : "the head of its answer has no end");
	if (head < 13 || memcmp(c->in + 8, " 101", 4) != 0) {
		/* an error's text says what the node thinks of us: worth a moment */
		int64_t moment_ms = ws_now_ms() + 500;
		while (c->in_n < head + 512 && receive_some(c, head + 512, moment_ms) == WS_DONE)
			;
	}
	c->in_at = head;
	return ws_handshake_check((char *)c->in, head, accept, (char *)c->in + head, c->in_n - head, c->why);
}

/* ---- frames ---- */

static ssize_t
take_bytes(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *user)
{
	struct ws_client *c = user;
	size_t n = c->in_n - c->in_at;
	(void)flags;
	if (n == 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	n = n < len ? n : len;
	memcpy(buf, c->in + c->in_at, n);
	c->in_at += n;
	return (ssize_t)n;
}

static ssize_t
send_bytes(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *user)
{
	struct ws_client *c = user;
	ssize_t n;
	(void)flags;
	do
		n = send(c->fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		wslay_event_set_error(ctx, errno == EAGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
	return n;
}

static int
make_mask(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, void *user)
{
	(void)ctx;
	(void)user;
	return getrandom(buf, len, 0) == (ssize_t)len ? 0 : -1;
}

static bool
is_control(uint8_t opcode)
{
	return (opcode & 8) != 0;
}

static void
on_frame(wslay_event_context_ptr ctx, const struct wslay_event_on_frame_recv_start_arg *arg, void *user)
{
	struct ws_client *c = user;
	c->frame_is_control = is_control(arg->opcode);
	if (c->frame_is_control)
		return;
	if (arg->opcode != WSLAY_CONTINUATION_FRAME)
		c->message_bytes = c->head_n = 0;
	/* wslay looks at each frame alone when it does not buffer */
	c->message_bytes += arg->payload_length;
	if (c->message_bytes > WS_MESSAGE_MAX_BYTES && !c->too_long) {
		c->too_long = true;
		wslay_event_shutdown_read(ctx);
		wslay_event_queue_close(ctx, WSLAY_CODE_MESSAGE_TOO_BIG, NULL, 0);
	}
}

static void
on_chunk(wslay_event_context_ptr ctx, const struct wslay_event_on_frame_recv_chunk_arg *arg, void *user)
{
	struct ws_client *c = user;
	size_t room = WS_HEAD_BYTES - c->head_n, n = arg->data_length < room ? arg->data_length : room;
	(void)ctx;
	if (c->frame_is_control || n == 0)
		return;
	memcpy(c->head + c->head_n, arg->data, n);
	c->head_n += n;
}

static void
on_whole(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
	struct ws_client *c = user;
	(void)ctx;
	if (arg->opcode == WSLAY_CONNECTION_CLOSE) {
		size_t n = arg->msg_length > 2 ? arg->msg_length - 2 : 0;
		char said[124];
		ws_printable(said, sizeof said, n ? arg->msg + 2 : (const uint8_t *)"", n);
		if (arg->status_code != 0)
			snprintf(c->closing, sizeof c->closing, " with code %u%s%s", arg->status_code, n ? ": " : "", said);
	} else if (!is_control(arg->opcode) && !c->too_long) {
		c->on_message(c->user, c->head, c->head_n, c->message_bytes);
	}
}

static enum ws_result
start_frames(struct ws_client *c)
{
	const struct wslay_event_callbacks callbacks = {take_bytes, send_bytes, make_mask, on_frame, on_chunk, NULL, on_whole};
	if (wslay_event_context_client_init(&c->frames, &callbacks, c) != 0) {
		c->frames = NULL;
		return fail(c, WS_LOST, "out of memory", NULL);
	}
	wslay_event_config_set_no_buffering(c->frames, 1);
	wslay_event_config_set_max_recv_msg_length(c->frames, WS_MESSAGE_MAX_BYTES);
	c->heard_ms = ws_now_ms();
	return WS_DONE;
}

/* ---- the connection ---- */

static enum ws_result
prepare(struct ws_client *c)
{
	c->in_at = c->in_n = c->head_n = 0;
	c->message_bytes = 0;
	c->too_long = c->frame_is_control = false;
	c->closing[0] = '\0';
	c->why[0] = '\0';
	c->in = malloc(IN_BYTES);
	c->head = malloc(WS_HEAD_BYTES);
	return c->in && c->head ? WS_DONE : fail(c, WS_LOST, "out of memory", NULL);
}

enum ws_result
ws_client_adopt(struct ws_client *c, int fd)
{
	c->fd = fd;
	enum ws_result r = prepare(c);
	if (r == WS_DONE)
		r = start_frames(c);
	if (r != WS_DONE)
		ws_client_close(c, false);
	return r;
}

static enum ws_result
connect_address(struct ws_client *c, const struct addrinfo *a)
{
	enum ws_result r = prepare(c);
	if (r == WS_DONE)
		r = connect_to(c, a);
	if (r == WS_DONE)
		r = shake_hands(c);
	if (r == WS_DONE)
		r = start_frames(c);
	if (r != WS_DONE)
		ws_client_close(c, false);
	return r;
}

/* Looks the name up in a thread of libc's: a dead resolver must not hold up the end. What it writes to outlives us, for it cannot be
 * called off. 0, EAI_INTR: stopped, or another EAI_*. */
static int
look_up(struct ws_client *c, struct addrinfo **list)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	static struct ws_url url;
	static struct gaicb lookup, *wanted = &lookup;
	url = *c->url;
	lookup = (struct gaicb){.ar_name = url.host, .ar_service = url.port, .ar_request = &hints};
	int rc = getaddrinfo_a(GAI_NOWAIT, &wanted, 1, NULL);
	while (rc == 0 && (rc = gai_error(&lookup)) == EAI_INPROGRESS) {
		if (ws_sleep_until(ws_now_ms() + 2, c->stop))
			return EAI_INTR;
		rc = 0;
	}
	*list = lookup.ar_result;
	return rc;
}

enum ws_result
ws_client_connect(struct ws_client *c)
{
	struct addrinfo *list;
	c->why[0] = '\0';
	c->fd = -1;
	int rc = look_up(c, &list);
	if (rc == EAI_INTR)
		return WS_STOPPED;
	if (rc != 0)
		return fail(c, WS_LOST, "cannot find this host", rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	enum ws_result r = WS_LOST;
	for (const struct addrinfo *a = list; a != NULL && r != WS_DONE && r != WS_STOPPED; a = a->ai_next)
		r = connect_address(c, a);
	freeaddrinfo(list);
	return r;
}

static enum ws_result
queue(struct ws_client *c, uint8_t opcode, const char *text)
{
	const struct wslay_event_msg m = {opcode, (const uint8_t *)text, strlen(text)};
	return wslay_event_queue_msg(c->frames, &m) == 0 ? WS_DONE : fail(c, WS_LOST, "cannot send any more", NULL);
}

enum ws_result
ws_client_text(struct ws_client *c, const char *text)
{
	return queue(c, WSLAY_TEXT_FRAME, text);
}

enum ws_result
ws_client_ping(struct ws_client *c)
{
	return queue(c, WSLAY_PING, "");
}

/* After the frames were read and ours written: is the connection still good? */
static enum ws_result
judge(struct ws_client *c)
{
	if (wslay_event_get_close_received(c->frames))
		return fail(c, WS_LOST, "the node closed the connection", c->closing[0] ? c->closing + 1 : NULL);
	if (c->too_long)
		return fail(c, WS_LOST, "the node sent a message of more than 32 MiB", NULL);
	if (wslay_event_get_queued_msg_count(c->frames) > PENDING_MAX)
		return fail(c, WS_LOST, "the node does not read what it is sent", NULL);
	if (wslay_event_get_read_enabled(c->frames))
		return WS_DONE;
	switch (wslay_event_get_status_code_sent(c->frames)) {
	case WSLAY_CODE_MESSAGE_TOO_BIG:
		return fail(c, WS_LOST, "the node sent a message of more than 32 MiB", NULL);
	case WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA:
		return fail(c, WS_LOST, "the node sent text that is not UTF-8", NULL);
	default:
		return fail(c, WS_LOST, "the node broke the WebSocket protocol", NULL);
	}
}

/* 1: bytes came; 0: none there; WS_LOST otherwise as -1 with why. */
static int
receive(struct ws_client *c)
{
	c->in_at = 0;
	c->in_n = 0;
	ssize_t n = recv(c->fd, c->in, IN_BYTES, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		fail(c, WS_LOST, n == 0 ? "the node hung up" : "the connection broke", n == 0 ? NULL : strerror(errno));
		return -1;
	}
	c->in_n = (size_t)n;
	c->wire_bytes += (uint64_t)n;
	c->heard_ms = ws_now_ms();
	return 1;
}

enum ws_result
ws_client_poll(struct ws_client *c, int64_t until_ms)
{
	/* what came behind the handshake is there already */
	bool there = c->in_at < c->in_n;
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	wslay_event_send(c->frames);
	if (wslay_event_want_write(c->frames))
		p.events |= POLLOUT;
	int rc = there ? 1 : wait_for(&p, until_ms, c->stop);
	if (rc == -EINTR)
		return WS_STOPPED;
	if (rc < 0)
		return fail(c, WS_LOST, "cannot wait", strerror(-rc));
	for (int i = 0; i < READS_AT_A_TIME && rc > 0; i++) {
		rc = there ? 1 : receive(c);
		there = false;
		if (rc < 0)
			return WS_LOST;
		if (rc == 0)
			break;
		/* a failure turns reading off, which judge sees once the close frame that says so has gone out */
		wslay_event_recv(c->frames);
		wslay_event_send(c->frames);
		enum ws_result r = judge(c);
		if (r != WS_DONE)
			return r;
	}
	return WS_DONE;
}

/* A node that goes on sending would get a reset for what is unread, and the reset could overtake our close frame. */
static void
say_farewell(struct ws_client *c)
{
	int64_t until_ms = ws_now_ms() + FAREWELL_MS;
	const volatile sig_atomic_t go_on = 0;
	if (wslay_event_queue_close(c->frames, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0) != 0)
		return;
	while (!wslay_event_get_close_received(c->frames) && ws_now_ms() < until_ms) {
		wslay_event_send(c->frames);
		short events = POLLIN | (wslay_event_want_write(c->frames) ? POLLOUT : 0);
		if (wait_for(&(struct pollfd){.fd = c->fd, .events = events}, until_ms, &go_on) <= 0 || receive(c) < 0)
			return;
		wslay_event_recv(c->frames);
		if (!wslay_event_get_read_enabled(c->frames))
			return;
	}
}

void
ws_client_close(struct ws_client *c, bool farewell)
{
	char why[WS_WHY]; /* that of the end, not of what came in the farewell */
	memcpy(why, c->why, sizeof why);
	if (farewell && c->frames != NULL)
		say_farewell(c);
	memcpy(c->why, why, sizeof why);
	if (c->frames != NULL)
		wslay_event_context_free(c->frames);
	if (c->fd >= 0)
		close(c->fd);
	free(c->in);
	free(c->head);
	c->frames = NULL;
	c->in = c->head = NULL;
	c->fd = -1;
}
