/* SPDX-License-Identifier: BSD-3-Clause */
/* One direction of a session. The input's bytes are plaintext: the harness makes frames of them and encrypts
 * them, so that the engine gets behind the cipher; or they are the stream itself (MODE_RAW). The stream is
 * fed in the pieces that the input says, with holes, with a key that comes late, with slabs and windows taken
 * away. Without damage, pieces must give what the whole gives; with it, every byte must still be accounted
 * for (rlpx_rig.h).
 *
 * Input: mode, number of cuts, cuts (one byte each), then the frames: kind, two bytes of length, bytes. */
#include "tests/unit/wire/rlpx_peer.h"
#include "tests/unit/wire/rlpx_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MODE_RAW 1
#define MODE_MIDSTREAM 2
#define MODE_LATE 4
#define MODE_DAMAGE 8
#define MODE_MACS 16
#define MODE_ONE 32 /* the other direction's Hello comes first */

struct log {
	uint32_t n, sum;
};

static struct rig rig;
static struct rlpx_keys *keys;
static struct rlpx_key key;
static struct rlpx_search elsewhere;
static const struct rlpx_endpoint ends[2] = {{{1}, 1}, {{2}, 2}};

static void
note(void *ctx, struct rlpx *r, unsigned dir, struct span payload)
{
	struct log *l = ctx;
	const struct rlpx_message *m = rlpx_last(r, dir);
	assert(payload.len <= RIG_OUT && m->eth >= -1 && m->eth < 22 && m->wire_bytes > 0);
	assert(m->id >= RLPX_BASE_IDS || payload.len == 0);
	uint32_t v = l->sum ^ m->id * 2654435761u ^ (uint32_t)(m->eth + 1);
	for (uint32_t i = 0; i < payload.len; i++)
		v = (v ^ payload.p[i]) * 16777619u;
	l->sum = v;
	l->n++;
}

static void
begin(void)
{
	if (keys != NULL)
		return;
	rig_init(&rig, 4, 4096, note, NULL);
	rig.slab_max = 1u << 16;
	rig.arena.search_slice = 512; /* long searches go on from call to call */
	rig.arena.out_cap = 1u << 16;
	memset(&key, 0, sizeof key);
	key.aes[3] = 7;
	key.has_mac = key.has_nonces = true;
	struct rlpx_key list[2] = {key, key};
	list[0].aes[3] = 8;
	list[0].end[0] = ends[0];
	list[0].end[1] = ends[1];
	keys = rlpx_keys_build(aligned_alloc(64, 65536), list, 2, 1, 3);
}

/* One frame or message out of the input. */
static void
put(struct peer *p, uint8_t kind, struct span in)
{
	switch (kind & 7) {
	case 0:
		peer_body(p, in);
		break;
	case 1:
		if (in.len > 0)
			peer_message(p, in.p[0], (struct span){in.p + 1, in.len - 1}, true);
		break;
	case 2: { /* any header data */
		uint32_t n = in.len < 13 ? in.len : 13;
		peer_frame(p, (struct span){in.p, n}, (struct span){in.p + n, in.len - n});
		break;
	}
	case 3:
		peer_chunks(p, 0x12, in, 1 + (kind >> 3), 20 + (kind >> 3) * 16u);
		break;
	case 4: {
		uint8_t hello[8] = {0};
		memcpy(hello, in.p, in.len < 8 ? in.len : 8);
		peer_hello(p, 5, hello[0] & 1 ? "bsc/1 eth/68 snap/1" : "eth/66 eth/67");
		break;
	}
	case 5: { /* Hello as it is */
		struct span body = peer_pack(0, in, false);
		peer_body(p, body);
		free((void *)(uintptr_t)body.p);
		break;
	}
	case 6: { /* a long message of little */
		static uint8_t zero[70000];
		peer_message(p, 0x10 + (kind >> 3),
			(struct span){zero, in.len * 30u < sizeof zero ? in.len * 30u : sizeof zero}, true);
		break;
	}
	default: /* not of the keystream */
		peer_put(p, in.p, in.len);
	}
}

static void
make_stream(struct peer *p, uint8_t mode, const uint8_t *data, size_t size)
{
	struct rlpx_key k = key;
	k.has_nonces = mode & MODE_MACS;
	peer_init(p, &k, 0, 200);
	if (mode & MODE_RAW) {
		p->n = 0;
		peer_put(p, data, (uint32_t)size);
		return;
	}
	/* the peer's MACs cost the square of the stream's length */
	uint32_t most = mode & MODE_MACS ? 2500 : 24000;
	while (size >= 3 && p->n < most) {
		uint32_t n = (uint32_t)data[1] << 8 | data[2];
		uint8_t kind = data[0];
		data += 3;
		size -= 3;
		n = n < size ? n : (uint32_t)size;
		n = n < most / 4 ? n : most / 4;
		put(p, kind, (struct span){data, n});
		data += n;
		size -= n;
	}
}

static void
search_off(struct rlpx *r)
{
	if (!rlpx_search_begin(r, 0, &rig.arena, &elsewhere))
		return;
	for (unsigned i = 0; i < elsewhere.n_keys; i++)
		elsewhere.end[i] = elsewhere.end[i] < 4096 ? elsewhere.end[i] : elsewhere.first[i] + 4096;
	rlpx_search_run(&elsewhere, 1u << 14);
	rlpx_search_end(r, &rig.arena, &elsewhere);
}

/* What a cut byte does beside cutting. */
static void
damage(struct rlpx *r, uint8_t cut, struct span *in)
{
	struct rlpx other;
	struct framer_out o;
	uint64_t gap = cut & 15;
	switch (cut >> 4) {
	case 8:
		in->len -= gap < in->len ? (uint32_t)gap : in->len;
		in->p += gap;
		rig_gap(&rig, r, 0, gap);
		break;
	case 9:
		rig_gap(&rig, r, 0, cut & 1 ? UINT64_MAX : 1ull << (cut & 14) * 4);
		break;
	case 10:
		rig_steal_slabs(&rig);
		break;
	case 11:
		rlpx_init(&other, &rig.arena, cut & 1, ends, NULL);
		rlpx_end(&other, 0, &rig.arena, &o);
		rlpx_end(&other, 1, &rig.arena, &o);
		break;
	case 12:
		search_off(r);
		break;
	default:
		break;
	}
}

static struct log
play(const struct peer *p, uint8_t mode, const uint8_t *cuts, size_t n_cuts)
{
	struct rlpx r;
	struct log log = {0};
	memset(rig.given, 0, sizeof rig.given);
	memset(rig.parsed, 0, sizeof rig.parsed);
	memset(rig.skipped, 0, sizeof rig.skipped);
	rig.ctx = &log;
	rig.arena.keys = mode & MODE_LATE ? NULL : keys;
	rig.arena.eager = mode & MODE_DAMAGE;
	rig.arena.check_macs = mode & MODE_MACS;
	rlpx_init(&r, &rig.arena, mode & MODE_MIDSTREAM, ends, NULL);
	if (mode & MODE_ONE) {
		struct peer b;
		peer_init(&b, &key, 1, 200);
		peer_hello(&b, 5, "bsc/1 eth/68 eth/67");
		rig_feed(&rig, &r, 1, (struct span){b.out, b.n});
		peer_free(&b);
	}
	struct span in = {p->out, p->n};
	for (size_t i = 0; i < n_cuts && in.len > 0; i++) {
		uint32_t n = (cuts[i] & 0x80) && (mode & MODE_DAMAGE)
				     ? 0
				     : 1 + (cuts[i] & 0x3f) * (cuts[i] & 0x40 ? 23u : 1u);
		n = n < in.len ? n : in.len;
		rig_feed(&rig, &r, 0, (struct span){in.p, n});
		in.p += n;
		in.len -= n;
		if (mode & MODE_DAMAGE)
			damage(&r, cuts[i], &in);
		if (i == n_cuts / 2)
			rig.arena.keys = keys;
	}
	rig_feed(&rig, &r, 0, in);
	rig.arena.keys = keys;
	rig_poll(&rig, &r);
	rig_end(&rig, &r);
	assert(rig.slabs_out == 0 && rig.windows.used.next == &rig.windows.used);
	return log;
}

/* A Hello as the input has it; capabilities that both sides list are where they are for either. */
static void
hellos(struct span in)
{
	struct rlpx_hello a, b;
	struct rlpx_eth one, two;
	uint32_t half = in.len / 2;
	if (!rlpx_hello_parse(in, &a) && !rlpx_hello_parse((struct span){in.p, half}, &a))
		return;
	assert(a.n_caps <= RLPX_CAPS_MAX);
	if (!rlpx_hello_parse((struct span){in.p + half, in.len - half}, &b))
		b = a;
	bool known = rlpx_hello_eth(&a, &b, &one);
	assert(known == rlpx_hello_eth(&b, &a, &two));
	assert(one.first == two.first && one.version == two.version && one.ids == two.ids &&
		known == (one.first > 0));
}

/* The MAC of what came in two pieces is that of the whole. */
static void
macs(struct span in)
{
	struct rlpx_mac a, b;
	uint8_t of_a[16], of_b[16];
	uint32_t cut = in.len > 0 ? in.p[0] % (in.len + 1) : 0;
	rlpx_mac_init(&a, key.mac, key.nonce[0], in);
	rlpx_mac_init(&b, key.mac, key.nonce[0], (struct span){in.p, cut});
	rlpx_mac_update(&b, in.p + cut, in.len - cut);
	rlpx_mac_frame(&a, of_a);
	rlpx_mac_frame(&b, of_b);
	assert(memcmp(of_a, of_b, 16) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	begin();
	uint8_t mode = data[0];
	size_t n_cuts = data[1] < size - 2 ? data[1] : size - 2;
	const uint8_t *cuts = data + 2;
	struct peer p;
	make_stream(&p, mode, cuts + n_cuts, size - 2 - n_cuts);
	struct log a = play(&p, mode, cuts, n_cuts);
	/* what one cut of the stream gives every other gives, while it is in step */
	uint64_t bad = rig.arena.counts[RLPX_N_BAD_HEADER];
	if (!(mode & (MODE_MIDSTREAM | MODE_LATE | MODE_DAMAGE))) {
		struct log b = play(&p, mode, cuts, 0);
		bool in_step = rig.arena.counts[RLPX_N_BAD_HEADER] == bad;
		assert(!in_step || (a.n == b.n && a.sum == b.sum));
	}
	struct span raw = {cuts + n_cuts, (uint32_t)(size - 2 - n_cuts)};
	rlpx_looks_like(raw);
	hellos(raw);
	if (raw.len < 500)
		macs(raw);
	peer_free(&p);
	return 0;
}
