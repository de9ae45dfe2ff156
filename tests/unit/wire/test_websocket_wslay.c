/* SPDX-License-Identifier: BSD-3-Clause */
/* wslay both ways: what its sender makes of random messages must come out, and of random frames, good and
 * bad, both must read the same messages. */
#include "tests/unit/wire/websocket_run.h"

#include <wslay/wslay.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct wire {
	uint8_t *p;
	size_t n, cap, at;
	char *log; /* what wslay reads: as ws_run writes it */
	size_t log_len;
	bool bad;
};

static uint64_t seed = 0x9e3779b97f4a7c15ull;

static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return (uint32_t)(seed >> 24) % n;
}

static void
put(struct wire *w, const void *p, size_t n)
{
	if (w->n + n > w->cap) {
		w->cap = 2 * (w->n + n);
		w->p = realloc(w->p, w->cap);
		assert(w->p != NULL);
	}
	memcpy(w->p + w->n, p, n);
	w->n += n;
}

static ssize_t
on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *user)
{
	put(user, data, len);
	return (ssize_t)len;
}

static int
on_mask(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, void *user)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)rnd(256);
	return 0;
}

static ssize_t
on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *user)
{
	struct wire *w = user;
	if (w->at == w->n) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	size_t n = w->n - w->at < len ? w->n - w->at : len;
	memcpy(buf, w->p + w->at, n);
	w->at += n;
	return (ssize_t)n;
}

static void
on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
	struct wire *w = user;
	if (wslay_is_ctrl_frame(arg->opcode))
		return;
	w->log = realloc(w->log, w->log_len + arg->msg_length + 8);
	assert(w->log != NULL);
	w->log_len += (size_t)sprintf(w->log + w->log_len, "<%c%s>",
		arg->opcode == WSLAY_TEXT_FRAME ? 'T' : 'B', arg->rsv & WSLAY_RSV1_BIT ? "z" : "");
	if (arg->msg_length > 0)
		memcpy(w->log + w->log_len, arg->msg, arg->msg_length);
	w->log_len += arg->msg_length;
	w->log[w->log_len++] = '$';
}

static const struct wslay_event_callbacks callbacks = {
	.send_callback = on_send,
	.genmask_callback = on_mask,
	.recv_callback = on_recv,
	.on_msg_recv_callback = on_message,
};

/* A source of one message for wslay_event_queue_fragmented_msg. */
struct source {
	uint8_t *p;
	size_t n, at;
};

static ssize_t
on_read(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, const union wslay_event_msg_source *source,
	int *eof, void *user)
{
	struct source *s = source->data;
	size_t n = 1 + rnd(300);
	n = n < len ? n : len;
	n = n < s->n - s->at ? n : s->n - s->at;
	memcpy(buf, s->p + s->at, n);
	s->at += n;
	*eof = s->at == s->n;
	return (ssize_t)n;
}

/* One random message, through wslay's sender; `want` gets what must be read. */
static void
queue_message(wslay_event_context_ptr ctx, struct wire *w, struct ws_run_dir *want)
{
	static uint8_t payload[70000];
	uint32_t n = rnd(8) ? rnd(400) : rnd(sizeof payload);
	uint8_t op = rnd(2) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME;
	for (uint32_t i = 0; i < n; i++)
		payload[i] = (uint8_t)('a' + rnd(26));
	struct source source = {payload, n, 0};
	struct wslay_event_msg whole = {op, payload, n};
	struct wslay_event_fragmented_msg parts = {op, {.data = &source}, on_read};
	struct wslay_event_msg ping = {rnd(2) ? WSLAY_PING : WSLAY_PONG, payload, n < 125 ? n : 125};
	if (rnd(2))
		assert_int_equal(wslay_event_queue_msg(ctx, &whole), 0);
	else
		assert_int_equal(wslay_event_queue_fragmented_msg(ctx, &parts), 0);
	if (rnd(2))
		assert_int_equal(wslay_event_queue_msg(ctx, &ping), 0);
	assert_int_equal(wslay_event_send(ctx), 0);
	ws_run_text(want, op == WSLAY_TEXT_FRAME ? "<T>" : "<B>");
	ws_run_log(want, payload, n);
	ws_run_text(want, "$");
}

static void
what_wslay_sends(void **state)
{
	for (unsigned round = 0; round < 40; round++) {
		wslay_event_context_ptr ctx;
		struct wire w = {0};
		struct ws_run_dir want = {0};
		struct ws_run r;
		bool client = round & 1;
		assert_int_equal(client ? wslay_event_context_client_init(&ctx, &callbacks, &w)
					: wslay_event_context_server_init(&ctx, &callbacks, &w),
			0);
		for (unsigned m = 0; m < 20; m++)
			queue_message(ctx, &w, &want);
		ws_run_init(&r, client ? WEBSOCKET_CLIENT_DIR0 : WEBSOCKET_CLIENT_DIR1, false, false);
		r.room_len = 1 + rnd(5000);
		for (size_t at = 0; at < w.n;) {
			size_t n = 1 + rnd(rnd(3) ? 40 : 3000);
			n = n < w.n - at ? n : w.n - at;
			ws_run_feed(&r, 0, w.p + at, n);
			at += n;
		}
		ws_run_end(&r, 0);
		assert_int_equal(r.dir[0].parsed, w.n);
		assert_int_equal(r.dir[0].log_len, want.log_len);
		assert_memory_equal(r.dir[0].log, want.log, want.log_len);
		wslay_event_context_free(ctx);
		ws_run_free(&r);
		free(want.log);
		free(w.p);
	}
}

/* Random frames, most of them good, none of them closing. */
static void
random_frames(struct wire *w, bool masked)
{
	static const uint8_t ops[] = {0x81, 0x82, 0x01, 0x02, 0x80, 0x00, 0x89, 0x8a, 0xc1, 0x41};
	uint8_t payload[300], frame[320], mask[4];
	bool open = false;
	for (unsigned i = 0; i < 12; i++) {
		uint8_t first = ops[rnd(sizeof ops)];
		if (rnd(20) > 0 && !(first & 8)) /* where it fits */
			first = open ? first & 0x80 : first & 15 ? first : first | 1;
		if (rnd(60) == 0)
			first ^= (uint8_t)(1 << (4 + rnd(3)));
		if (!(first & 8))
			open = !(first & 0x80);
		uint32_t n = first & 8 && rnd(30) ? rnd(126) : rnd(sizeof payload);
		on_mask(NULL, mask, 4, NULL);
		for (uint32_t k = 0; k < n; k++)
			payload[k] = (uint8_t)('a' + rnd(26));
		put(w, frame, ws_frame(frame, first, payload, n, masked ? mask : NULL, 0));
	}
}

static void
what_wslay_reads(void **state)
{
	unsigned good = 0, bad = 0;
	for (unsigned round = 0; round < 3000; round++) {
		wslay_event_context_ptr ctx;
		struct wire w = {0};
		struct ws_run r;
		bool masked = round & 1;
		random_frames(&w, masked);
		assert_int_equal(masked ? wslay_event_context_server_init(&ctx, &callbacks, &w)
					: wslay_event_context_client_init(&ctx, &callbacks, &w),
			0);
		wslay_event_config_set_allowed_rsv_bits(ctx, WSLAY_RSV1_BIT);
		while (w.at < w.n && wslay_event_get_read_enabled(ctx) && wslay_event_recv(ctx) == 0)
			;
		bool refused = !wslay_event_get_read_enabled(ctx);
		ws_run_init(&r, masked ? WEBSOCKET_CLIENT_DIR0 : WEBSOCKET_CLIENT_DIR1, true, false);
		ws_run_feed(&r, 0, w.p, w.n);
		/* what wslay reads whole is read; if it refuses nothing there may be more (we are the more
		 * liberal) */
		assert_true(r.dir[0].log_len >= w.log_len);
		assert_memory_equal(ws_run_result(&r, 0), w.log ? w.log : "", w.log_len);
		if (!refused)
			assert_int_equal(r.dir[0].lost, 0);
		good += !refused;
		bad += refused;
		wslay_event_context_free(ctx);
		ws_run_free(&r);
		free(w.log);
		free(w.p);
	}
	assert_true(good > 500 && bad > 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_wslay_sends),
		cmocka_unit_test(what_wslay_reads),
	};
	return cmocka_run_group_tests_name("websocket against wslay", tests, NULL, NULL);
}
