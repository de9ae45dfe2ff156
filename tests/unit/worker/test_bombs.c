/* SPDX-License-Identifier: BSD-3-Clause */
/* Compressed messages that grow beyond all measure, in every protocol: the counter says so, the next message on the same connection is read,
 * what is said beside is read, and no more was decompressed than the caps allow. */
#include "bombs.h"

#include "tests/unit/wire/rlpx_peer.h"
#include "wire/inflate.h"
#include "wire/rlpx.h"
#include "worker/worker_private.h"

/* What zlib has written, in all. */
static uint64_t inflated;
int __real_inflate(z_stream *z, int flush);
int __wrap_inflate(z_stream *z, int flush);
int
__wrap_inflate(z_stream *z, int flush)
{
	uInt room = z->avail_out;
	int rc = __real_inflate(z, flush);
	inflated += room - z->avail_out;
	return rc;
}

/* ---- HTTP ---- */

static const struct coding {
	const char *name;
	int wbits;
} codings[] = {{"gzip", 31}, {"deflate", 15}, {"deflate", -15}};
#define CODINGS (sizeof codings / sizeof *codings)

/* A request or an answer with this body. */
static void
add_coded(struct text *t, unsigned dir, const char *coding, const struct text *body)
{
	text_add(t, "%s\r\nContent-Type: application/json\r\nContent-Encoding: %s\r\nContent-Length: %u\r\n\r\n",
		dir == 0 ? "POST / HTTP/1.1\r\nHost: node" : "HTTP/1.1 200 OK", coding, body->n);
	add_bytes(t, body->p, body->n);
}

static void
add_asking(struct text *t)
{
	struct text body = {0};
	text_add(&body, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"eth_getRawTransactionByHash\",\"params\":[\"0x%064d\"]}", 7);
	text_post(t, "", &body);
	text_free(&body);
}

/* A whole compressed body with one fresh transaction: what is asked for with an id of 7, or a submission. */
static void
says_coded_one(struct scene *s, unsigned dir, const struct coding *c)
{
	struct text plain = {0}, packed = {0}, t = {0};
	z_stream z;
	deflater(&z, c->wbits);
	if (dir == 0) {
		add_fresh(s, &plain);
	} else {
		struct span tx = rig_tx(TO_WATCHED, s->nonce++, 300);
		text_add(&plain, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"0x");
		text_hex(&plain, tx);
		text_add(&plain, "\"}");
		free((void *)(uintptr_t)tx.p);
		add_asking(&t);
		rig_say(&s->g, &s->f, 0, text_span(&t));
		t.n = 0;
	}
	add_deflated(&packed, &z, plain.p, plain.n, 0, Z_FINISH);
	add_coded(&t, dir, c->name, &packed);
	says_one(s, &s->f, dir, text_span(&t));
	if (dir == 0)
		rig_answer(&s->g, &s->f);
	deflateEnd(&z);
	text_free(&plain);
	text_free(&packed);
	text_free(&t);
}

static void
http_bomb(unsigned dir, const struct coding *c)
{
	struct scene s;
	struct text bomb = {0}, t = {0};
	uint64_t cap = dir == 0 ? INFLATE_MAX_REQUEST : INFLATE_RATIO_FREE;
	z_stream z;
	scene_begin(&s, NULL, true);
	deflater(&z, c->wbits);
	static const char begin[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"0x";
	add_deflated(&bomb, &z, begin, sizeof begin - 1, 0, Z_NO_FLUSH);
	add_deflated(&bomb, &z, NULL, 80u << 20, '0', Z_FINISH);
	deflateEnd(&z);
	if (dir == 1) {
		add_asking(&t);
		rig_say(&s.g, &s.f, 0, text_span(&t));
		t.n = 0;
		cap += (uint64_t)INFLATE_RATIO_MAX * bomb.n / 8; /* it ends early */
	}
	inflated = 0;
	add_coded(&t, dir, c->name, &bomb);
	rig_say(&s.g, &s.f, dir, text_span(&t));
	if (dir == 0)
		rig_answer(&s.g, &s.f);
	assert_int_equal(s.g.c[CTR_INFLATE_BOMBS], 1);
	assert_int_equal(s.g.c[CTR_BODIES_ENCODED], 1);
	assert_true(inflated <= cap + PLAIN_BYTES);
	says_coded_one(&s, dir, c);
	submits_one(&s, &s.f);
	scene_end(&s);
	text_free(&bomb);
	text_free(&t);
}

static void
http_bombs(void **state)
{
	for (unsigned i = 0; i < CODINGS; i++)
		for (unsigned dir = 0; dir < 2; dir++)
			http_bomb(dir, &codings[i]);
}

/* Each member harmless, all of them together not. */
static void
gzip_members_without_end(void **state)
{
	struct scene s;
	struct text bomb = {0}, t = {0};
	z_stream z;
	deflater(&z, 31);
	for (unsigned i = 0; i < 200; i++) {
		deflateReset(&z);
		add_deflated(&bomb, &z, NULL, 1u << 20, ' ', Z_FINISH);
	}
	deflateEnd(&z);
	scene_begin(&s, NULL, true);
	inflated = 0;
	add_coded(&t, 0, "gzip", &bomb);
	rig_say(&s.g, &s.f, 0, text_span(&t));
	rig_answer(&s.g, &s.f);
	assert_int_equal(s.g.c[CTR_INFLATE_BOMBS], 1);
	assert_true(inflated <= INFLATE_MAX_REQUEST + PLAIN_BYTES);
	says_coded_one(&s, 0, &codings[0]);
	scene_end(&s);
	text_free(&bomb);
	text_free(&t);
}

/* ---- WebSocket ---- */

static const char *const agreed[] = {"Sec-WebSocket-Extensions: permessage-deflate\r\n",
	"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"};

/* A compressed message with one transaction: behind n times `fill`. */
static void
says_packed_one(struct scene *s, struct rig_flow *f, unsigned dir, z_stream *z, bool takeover, size_t n)
{
	struct text plain = {0}, t = {0};
	if (dir == 0)
		add_fresh(s, &plain);
	else
		add_pushed(s, &plain);
	add_packed_frame(&t, z, takeover, dir == 0, literal(""), n, ' ', text_span(&plain));
	says_one(s, f, dir, text_span(&t));
	text_free(&plain);
	text_free(&t);
}

static void
websocket_bomb(unsigned dir, bool takeover)
{
	struct scene s;
	struct text t = {0};
	z_stream z;
	scene_begin(&s, NULL, true);
	ws_open(&s.g, &s.f, 3, agreed[!takeover]);
	deflater(&z, -15);
	says_packed_one(&s, &s.f, dir, &z, takeover, 0);
	/* what a node takes is read, padded as it may be */
	says_packed_one(&s, &s.f, dir, &z, takeover, 20u << 20);
	assert_int_equal(s.g.c[CTR_INFLATE_BOMBS], 0);
	inflated = 0;
	add_packed_frame(&t, &z, takeover, dir == 0, literal("{\"id\":[\""), 48u << 20, '0', literal("\"]}"));
	rig_say(&s.g, &s.f, dir, text_span(&t));
	assert_int_equal(s.g.c[CTR_INFLATE_BOMBS], 1);
	assert_true(inflated <= (takeover ? 49u << 20 : INFLATE_MAX_MESSAGE + PLAIN_BYTES));
	says_packed_one(&s, &s.f, dir, &z, takeover, 0);
	says_packed_one(&s, &s.f, !dir, &z, false, 0); /* the other direction has a history of its own */
	assert_int_equal(s.g.c[CTR_BODIES_OPAQUE], 0);
	assert_int_equal(s.g.c[CTR_INFLATE_BAD], 0);
	assert_int_equal(s.g.c[CTR_BODIES_ENCODED], 5);
	scene_end(&s);
	deflateEnd(&z);
	text_free(&t);
}

static void
websocket_bombs(void **state)
{
	for (unsigned dir = 0; dir < 2; dir++)
		for (unsigned takeover = 0; takeover < 2; takeover++)
			websocket_bomb(dir, takeover);
}

/* So long that no receiver has a history behind it: the next is not guessed at, and one that refers to nothing is read. */
static void
history_has_an_end(void **state)
{
	struct scene s;
	struct text t = {0}, plain = {0};
	z_stream z;
	scene_begin(&s, NULL, true);
	ws_open(&s.g, &s.f, 3, agreed[0]);
	deflater(&z, -15);
	says_packed_one(&s, &s.f, 0, &z, true, 0);
	inflated = 0;
	add_packed_frame(&t, &z, true, true, literal("{\"id\":[\""), 300u << 20, '0', literal("\"]}"));
	rig_say(&s.g, &s.f, 0, text_span(&t));
	assert_int_equal(s.g.c[CTR_INFLATE_BOMBS], 1);
	assert_true(inflated <= INFLATE_MAX_HISTORY + PLAIN_BYTES);
	deflateReset(&z);
	says_packed_one(&s, &s.f, 0, &z, true, 0);
	scene_end(&s);
	deflateEnd(&z);
	text_free(&t);
	text_free(&plain);
}

/* More messages begin than there are decompressors: who waits longest loses his message, and nothing but that. */
static void
all_decompressors_taken(void **state)
{
	enum { SLOW = 12, POOL = 4 };
	struct worker_config c = scene_config();
	struct scene s;
	struct rig_flow slow[SLOW];
	struct text t[SLOW] = {0};
	z_stream z;
	c.inflates = POOL;
	scene_begin(&s, &c, true);
	deflater(&z, -15);
	for (unsigned i = 0; i < SLOW; i++) {
		struct text plain = {0};
		ws_open(&s.g, &slow[i], 10 + i, agreed[1]);
		add_fresh(&s, &plain);
		add_packed_frame(&t[i], &z, false, true, literal(""), 0, ' ', text_span(&plain));
		rig_say(&s.g, &slow[i], 0, (struct span){(uint8_t *)t[i].p, t[i].n - 40});
		text_free(&plain);
	}
	/* a fresh one is read */
	says_coded_one(&s, 0, &codings[0]);
	assert_int_equal(s.g.c[CTR_INFLATE_STOLEN], 0);
	for (unsigned i = 0; i < SLOW; i++)
		rig_say(&s.g, &slow[i], 0, (struct span){(uint8_t *)t[i].p + t[i].n - 40, 40});
	assert_int_equal(s.g.c[CTR_INFLATE_STOLEN], SLOW - (POOL - 1));
	assert_int_equal(s.g.c[CTR_TX_SCANNED], 1 + POOL - 1);
	for (unsigned i = 0; i < SLOW; i++) {
		says_packed_one(&s, &slow[i], 0, &z, false, 0);
		text_free(&t[i]);
	}
	deflateEnd(&z);
	scene_end(&s);
}

/* ---- RLPx ---- */

#define ETH_FIRST 0x10u
#define TRANSACTIONS (ETH_FIRST + 2)

static const struct rlpx_key secrets = {.aes = {1, 2, 3}, .mac = {4, 5, 6}, .nonce = {{7}, {8}}, .has_mac = true, .has_nonces = true};

/* A session on a connection, and how much of what its peers wrote was said. */
struct session {
	struct rig_flow f;
	struct peer peer[2];
	uint32_t said[2];
};

static void *keys_memory;

static void
session_say(struct scene *s, struct session *x, unsigned dir)
{
	rig_say(&s->g, &x->f, dir, (struct span){x->peer[dir].out + x->said[dir], x->peer[dir].n - x->said[dir]});
	x->said[dir] = x->peer[dir].n;
}

static void
rlpx_scene(struct scene *s, const struct worker_config *c, bool half)
{
	scene_begin(s, c, half);
	keys_memory = aligned_alloc(64, (rlpx_keys_bytes(1) + 63) & ~(size_t)63);
	worker_keys(s->g.w, rlpx_keys_build(keys_memory, &secrets, 1, 1, 1));
}

static void
rlpx_scene_end(struct scene *s)
{
	scene_end(s);
	free(keys_memory);
}

static void
session_open(struct scene *s, struct session *x, unsigned number)
{
	memset(x, 0, sizeof *x);
	rig_open(&s->g, &x->f, number);
	for (unsigned d = 0; d < 2; d++) {
		peer_init(&x->peer[d], &secrets, d, 400);
		session_say(s, x, d);
	}
	for (unsigned d = 0; d < 2; d++) {
		peer_hello(&x->peer[d], 5, "eth/68");
		session_say(s, x, d);
	}
}

static void
session_close(struct session *x)
{
	peer_free(&x->peer[0]);
	peer_free(&x->peer[1]);
}

/* The payload of Transactions with n fresh ones of about `each` bytes. */
static struct span
transactions(struct scene *s, unsigned n, uint32_t each)
{
	size_t cap = (size_t)n * (each + 300) + 64;
	struct rlp_out o = {malloc(cap), 0, cap, false};
	size_t list = rlp_list_begin(&o);
	for (unsigned i = 0; i < n; i++) {
		struct span tx = rig_tx(TO_WATCHED, s->nonce++, each);
		rlp_put_string(&o, tx);
		free((void *)(uintptr_t)tx.p);
	}
	rlp_list_end(&o, list);
	return (struct span){o.p, (uint32_t)o.n};
}

static void
session_says_one(struct scene *s, struct session *x, unsigned dir)
{
	struct span payload = transactions(s, 1, 300);
	uint64_t before = s->g.c[CTR_TX_SCANNED];
	peer_message(&x->peer[dir], TRANSACTIONS, payload, true);
	session_say(s, x, dir);
	assert_int_equal(s->g.c[CTR_TX_SCANNED], before + 1);
	free((void *)(uintptr_t)payload.p);
}

/* A frame whose body is a message id and whatever stands behind it. */
static void
body_of(struct peer *p, struct span rest)
{
	struct text t = {0};
	add_bytes(&t, (const uint8_t[]){TRANSACTIONS}, 1);
	add_bytes(&t, rest.p, rest.len);
	peer_body(p, text_span(&t));
	text_free(&t);
}

/* snappy of n zeros, which then claims to hold `claim` bytes. */
static struct span
snapped(uint32_t n, uint64_t claim)
{
	uint8_t *zeros = calloc(1, n + 1);
	size_t len = snappy_max_compressed_length(n);
	uint8_t *packed = malloc(len + 16), head[10];
	snappy_compress((const char *)zeros, n, (char *)packed, &len);
	uint32_t old = 0, k = 0;
	while (packed[old++] & 0x80)
		;
	for (; claim >= 0x80; claim >>= 7)
		head[k++] = (uint8_t)(claim | 0x80);
	head[k++] = (uint8_t)claim;
	memmove(packed + k, packed + old, len - old);
	memcpy(packed, head, k);
	free(zeros);
	return (struct span){packed, (uint32_t)(len - old + k)};
}

static void
snappy_bombs_and_lies(void **state)
{
	static const struct {
		uint32_t n;
		uint64_t claim;
		enum sentinel_counter counter;
	} bombs[] = {
		{12u << 20, 12u << 20, CTR_RLPX_OVERSIZE},	   /* as told, more than is read */
		{17u << 20, 17u << 20, CTR_RLPX_OVERSIZE},	   /* more than any node takes */
		{100, 16u << 20, CTR_RLPX_OVERSIZE},		   /* less than told */
		{100, 3u << 20, CTR_RLPX_BAD_MESSAGE},
		{3u << 20, 100, CTR_RLPX_BAD_MESSAGE},		   /* more than told */
		{3u << 20, 0, CTR_RLPX_BAD_MESSAGE},
		{100, UINT32_MAX, CTR_RLPX_OVERSIZE},
		{100, (uint64_t)UINT32_MAX + 101, CTR_RLPX_BAD_MESSAGE}, /* 100, to whoever forgets the carry */
		{100, UINT64_MAX, CTR_RLPX_BAD_MESSAGE},
		{3u << 20, 3u << 20, CTR_ETH_MALFORMED},	   /* true, and nothing but zeros */
	};
	for (unsigned i = 0; i < sizeof bombs / sizeof *bombs; i++) {
		struct scene s;
		struct session x;
		rlpx_scene(&s, NULL, true);
		session_open(&s, &x, 3);
		session_says_one(&s, &x, 0);
		struct span bomb = snapped(bombs[i].n, bombs[i].claim);
		for (unsigned dir = 0; dir < 2; dir++) {
			uint64_t lost = s.g.c[CTR_ST_SKIP_LOST];
			body_of(&x.peer[dir], bomb);
			session_say(&s, &x, dir);
			assert_int_equal(s.g.c[bombs[i].counter], dir + 1);
			assert_int_equal(s.g.c[CTR_ST_SKIP_LOST], lost);
			session_says_one(&s, &x, dir);
		}
		assert_int_equal(s.g.c[CTR_RLPX_MAC_BAD] + s.g.c[CTR_RLPX_RESYNCS] + s.g.c[CTR_RLPX_BAD_HEADER], 0);
		free((void *)(uintptr_t)bomb.p);
		rlpx_scene_end(&s);
		session_close(&x);
	}
}

/* Frames larger than any buffer, and payloads that say the same element over and over. */
static void
rlpx_frames_beyond_buffers(void **state)
{
	struct scene s;
	struct session x;
	rlpx_scene(&s, NULL, true);
	s.g.segment = 60000;
	s.g.unchecked = true;
	session_open(&s, &x, 3);
	uint32_t n = (5u << 19) + 1;
	uint8_t *junk = calloc(1, n);
	peer_body(&x.peer[0], (struct span){junk, n});
	session_say(&s, &x, 0);
	assert_int_equal(s.g.c[CTR_RLPX_NO_BUFFER], 1);
	session_says_one(&s, &x, 0);
	/* an empty list a million times */
	memset(junk, 0xc0, n);
	junk[0] = 0xf9 + 1;
	junk[1] = (uint8_t)((n - 4) >> 16);
	junk[2] = (uint8_t)((n - 4) >> 8);
	junk[3] = (uint8_t)(n - 4);
	peer_message(&x.peer[0], TRANSACTIONS, (struct span){junk, n}, true);
	session_say(&s, &x, 0);
	assert_true(s.g.c[CTR_ETH_OVER] + s.g.c[CTR_ETH_MALFORMED] >= 1);
	session_says_one(&s, &x, 0);
	free(junk);
	rlpx_scene_end(&s);
	session_close(&x);
}

/* The first chunk of a message of `total` bytes. */
static void
chunk_begins(struct peer *p, uint32_t total, uint32_t context, struct span body)
{
	uint8_t data[13];
	struct rlp_out o = {data, 0, sizeof data, false};
	size_t list = rlp_list_begin(&o);
	rlp_put_u64(&o, 0);
	rlp_put_u64(&o, context);
	if (total > 0)
		rlp_put_u64(&o, total);
	rlp_list_end(&o, list);
	peer_frame(p, (struct span){data, (uint32_t)o.n}, body);
}

/* Messages in chunks that never end hold buffers: those of whoever comes last are there all the same. */
static void
chunks_that_never_end(void **state)
{
	enum { SESSIONS = 8 };
	static uint8_t junk[5000] = {0xff};
	struct scene s;
	struct session x[SESSIONS];
	struct span piece = {junk, 5000};
	rlpx_scene(&s, NULL, false);
	for (unsigned i = 0; i < SESSIONS; i++) {
		session_open(&s, &x[i], 10 + i);
		chunk_begins(&x[i].peer[0], 2u << 20, 3, piece);
		for (unsigned k = 0; k < 3; k++)
			chunk_begins(&x[i].peer[0], 0, 3, piece);
		session_say(&s, &x[i], 0);
		session_says_one(&s, &x[i], 0); /* between the chunks */
	}
	worker_housekeep(s.g.w, s.g.now_ns);
	assert_int_equal(s.g.c[CTR_SLABS_STOLEN], SESSIONS - s.g.config.slabs[2]);
	/* one that does end is put together */
	struct span payload = transactions(&s, 4, 20000);
	uint64_t before = s.g.c[CTR_TX_SCANNED];
	peer_chunks(&x[0].peer[1], TRANSACTIONS, payload, 3, 700);
	session_say(&s, &x[0], 1);
	assert_int_equal(s.g.c[CTR_TX_SCANNED], before + 4);
	free((void *)(uintptr_t)payload.p);
	/* a message that could never be held, and chunks that are more than they said */
	chunk_begins(&x[0].peer[1], 16u << 20, 4, piece);
	chunk_begins(&x[0].peer[1], (16u << 20) + 1, 5, piece);
	chunk_begins(&x[0].peer[1], 8000, 6, piece);
	chunk_begins(&x[0].peer[1], 0, 6, piece);
	session_say(&s, &x[0], 1);
	assert_int_equal(s.g.c[CTR_RLPX_NO_BUFFER], 1);
	assert_int_equal(s.g.c[CTR_RLPX_OVERSIZE], 1);
	assert_true(s.g.c[CTR_RLPX_BAD_MESSAGE] >= 1);
	for (unsigned i = 0; i < SESSIONS; i++) {
		session_says_one(&s, &x[i], 1);
		session_says_one(&s, &x[i], 0);
		assert_int_equal(s.g.c[CTR_RLPX_MAC_BAD], 0);
	}
	rlpx_scene_end(&s);
	for (unsigned i = 0; i < SESSIONS; i++)
		session_close(&x[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_bombs),
		cmocka_unit_test(gzip_members_without_end),
		cmocka_unit_test(websocket_bombs),
		cmocka_unit_test(history_has_an_end),
		cmocka_unit_test(all_decompressors_taken),
		cmocka_unit_test(snappy_bombs_and_lies),
		cmocka_unit_test(rlpx_frames_beyond_buffers),
		cmocka_unit_test(chunks_that_never_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
