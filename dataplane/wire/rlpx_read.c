/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/rlpx_private.h"

#include "wire/rlpx_ctr.h"

#include <snappy-c.h>
#include <string.h>

#define MAC 16u
#define ODD_MAX (1u << 20) /* size of a frame whose header says what no specification does */

enum { ID_HELLO = 0 };

static void
put_slab(struct rlpx_arena *a, uint8_t **slab)
{
	if (*slab != NULL)
		a->slab_put(a->ctx, *slab);
	*slab = NULL;
}

static void
drop_chunks(struct rlpx_dir *d, struct rlpx_arena *a)
{
	put_slab(a, &d->chunk);
	d->chunking = false;
}

void
rlpx_read_drop(struct rlpx_dir *d, struct rlpx_arena *a)
{
	put_slab(a, &d->body);
	drop_chunks(d, a);
	d->hdr_n = 0;
	d->skip = false;
}

/* ---- messages ---- */

static void
take_hello(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct span payload)
{
	struct rlpx_hello h;
	if (r->hellos >> dir & 1 || !rlpx_hello_parse(payload, &h))
		return;
	a->counts[RLPX_N_HELLOS]++;
	struct rlpx_eth eth;
	if (r->hellos == 0) {
		r->hello = h;
		if (rlpx_hello_eth_alone(&h, &eth))
			r->eth = eth;
	} else {
		r->no_snappy = h.p2p_version < 5 || r->hello.p2p_version < 5;
		if (rlpx_hello_eth(&r->hello, &h, &eth) || eth.version > 0)
			r->eth = eth;
	}
	r->hellos |= (uint8_t)(1u << dir);
}

/* The message id, an RLP integer, taken off *in. */
static bool
take_id(struct span *in, uint32_t *id)
{
	struct rlpx_rlp item;
	return rlpx_rlp_next(in, &item) && rlpx_rlp_u32(&item, id);
}

enum payload { PAYLOAD_OK, PAYLOAD_BAD, PAYLOAD_OVERSIZE };

static enum payload
copy_payload(struct rlpx_arena *a, struct span in, struct span *payload)
{
	if (in.len > a->out_cap)
		return PAYLOAD_OVERSIZE;
	if (in.len > 0)
		memcpy(a->out, in.p, in.len);
	*payload = (struct span){a->out, in.len};
	return PAYLOAD_OK;
}

static enum payload
unpack_payload(struct rlpx_arena *a, struct span in, struct span *payload)
{
	size_t n;
	if (snappy_uncompressed_length((const char *)in.p, in.len, &n) != SNAPPY_OK)
		return PAYLOAD_BAD;
	if (n > RLPX_MESSAGE_MAX || n > a->out_cap)
		return PAYLOAD_OVERSIZE;
	if (snappy_uncompress((const char *)in.p, in.len, (char *)a->out, &n) != SNAPPY_OK)
		return PAYLOAD_BAD;
	*payload = (struct span){a->out, (uint32_t)n};
	return PAYLOAD_OK;
}

static int
eth_message(const struct rlpx *r, uint32_t id)
{
	uint32_t first = r->eth.first, ids = r->eth.ids ? r->eth.ids : rlpx_eth_ids(0);
	return first > 0 && id >= first && id - first < ids ? (int)(id - first) : -1;
}

/* Reads a whole message. PAYLOAD_BAD: it is none, and nothing was done. */
static enum payload
read_message(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct span in, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	struct rlpx_message m = {.wire_bytes = in.len, .eth = -1, .resync = d->resync};
	enum payload got = PAYLOAD_OK;
	struct span body = {0};
	if (!take_id(&in, &m.id))
		return PAYLOAD_BAD;
	if (m.id >= RLPX_BASE_IDS) {
		m.eth = eth_message(r, m.id);
		got = r->no_snappy ? copy_payload(a, in, &body) : unpack_payload(a, in, &body);
	} else if (m.id == ID_HELLO) {
		take_hello(r, dir, a, in);
	}
	if (got == PAYLOAD_OVERSIZE)
		a->counts[RLPX_N_OVERSIZE]++;
	if (got != PAYLOAD_OK)
		return got;
	m.mac = d->mac_on ? RLPX_MAC_GOOD : d->mac_bad ? RLPX_MAC_BAD : RLPX_MAC_UNCHECKED;
	d->msg = m;
	d->mac_bad = d->resync = false;
	a->counts[RLPX_N_MESSAGES]++;
	a->counts[RLPX_N_MAC_GOOD] += m.mac == RLPX_MAC_GOOD;
	out->verdict = FRAMER_MESSAGE;
	out->body = body;
	out->last = true;
	out->resync = m.resync;
	return got;
}

static void
bad_message(struct rlpx_arena *a, struct framer_out *out)
{
	a->counts[RLPX_N_BAD_MESSAGE]++;
	out->verdict = FRAMER_LOST;
	out->lost = FRAMER_LOST_BAD;
}

/* ---- frames ---- */

/* The first frame of a message in chunks. */
static bool
begin_chunks(struct rlpx_dir *d, struct rlpx_arena *a)
{
	drop_chunks(d, a);
	if (d->frame.total > RLPX_MESSAGE_MAX) {
		a->counts[RLPX_N_OVERSIZE]++;
		return false;
	}
	d->chunk = a->slab_get(a->ctx, d->frame.total, &d->chunk_cap, &d->chunk);
	if (d->chunk == NULL) {
		a->counts[RLPX_N_NO_BUFFER]++;
		return false;
	}
	d->chunking = true;
	d->chunk_have = 0;
	d->chunk_total = d->frame.total;
	d->chunk_context = d->frame.context;
	return true;
}

/* What the header means. Who reads the specification puts chunks together; geth looks at nothing but the size
 * and takes every frame for a message. Either must find its own: a header that says something else is
 * followed as long as messages come of it, and the first chunk of a message is looked at alone (end_chunk).
 * false: there is no header here. */
static bool
parse_header(struct rlpx *r, struct rlpx_dir *d, struct rlpx_arena *a)
{
	uint8_t plain[16];
	rlpx_ctr_xor(&r->aes, d->key_at, d->hdr, plain, 16);
	d->odd = !rlpx_frame_parse(plain, &d->frame);
	if (d->odd) {
		d->frame.context = d->frame.total = 0;
		if (!d->confirmed || d->frame.size == 0 || d->frame.size > ODD_MAX)
			return false;
		a->counts[RLPX_N_ODD_HEADER]++;
	} else if (d->confirmed) {
		d->base_at = d->at - 16;
		d->base_block = d->key_at / 16;
		d->base_known = true;
	}
	d->confirmed = true;
	return true;
}

/* hdr is complete. false: it is none. */
static bool
begin_frame(struct rlpx *r, struct rlpx_dir *d, struct rlpx_arena *a)
{
	if (!parse_header(r, d, a))
		return false;
	a->counts[RLPX_N_FRAMES]++;
	if (d->mac_on)
		rlpx_mac_header(&d->mac, d->hdr, d->want);
	d->key_at += 16;
	d->pad = (d->frame.size + 15) & ~15u;
	d->got = 0;
	d->hdr_n = 0;
	d->skip = false;
	d->state = DIR_FRAME;
	if (d->frame.total > 0)
		d->in_chunk = begin_chunks(d, a);
	else
		d->in_chunk = d->chunking && d->frame.context == d->chunk_context;
	if (d->in_chunk && d->frame.size > d->chunk_total - d->chunk_have) {
		a->counts[RLPX_N_BAD_MESSAGE]++;
		drop_chunks(d, a);
		d->in_chunk = false;
	}
	return true;
}

static void
out_of_step(struct rlpx_dir *d, struct rlpx_arena *a)
{
	rlpx_read_drop(d, a);
	d->state = DIR_SEARCH;
	d->mac_on = false;
	d->resync = true;
	d->lost_at = d->tried_at = d->at;
	d->sync_pending = false;
}

static void
end_chunk(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	bool first = d->chunk_have == 0;
	d->chunk_have += d->frame.size;
	if (first && read_message(r, dir, a, (struct span){d->chunk, d->frame.size}, out) != PAYLOAD_BAD) {
		drop_chunks(d, a);
		return;
	}
	if (d->chunk_have < d->chunk_total)
		return;
	if (read_message(r, dir, a, (struct span){d->chunk, d->chunk_total}, out) == PAYLOAD_BAD)
		bad_message(a, out);
	drop_chunks(d, a);
}

/* The frame is complete; `in_frame`: its plaintext lies in the arena's frame buffer. */
static void
end_frame(struct rlpx *r, unsigned dir, struct rlpx_arena *a, bool in_frame, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	d->key_at += d->pad;
	d->state = DIR_HEADER;
	if (d->skip) {
		d->skip = false;
		d->confirmed = d->confirmed && !d->odd;
		return;
	}
	if (d->in_chunk) {
		end_chunk(r, dir, a, out);
		return;
	}
	struct span body = {in_frame ? a->frame : d->body, d->frame.size};
	bool bad = read_message(r, dir, a, body, out) == PAYLOAD_BAD;
	put_slab(a, &d->body);
	/* with a context it may be a chunk of a message whose beginning is not here */
	if (bad && d->frame.context == 0)
		bad_message(a, out);
	if (bad && d->odd)
		out_of_step(d, a);
}

static void
lose_body(struct rlpx_dir *d, struct rlpx_arena *a)
{
	put_slab(a, &d->body);
	if (d->in_chunk)
		drop_chunks(d, a);
	d->skip = true;
}

/* Where the body is decrypted to. NULL: there was no slab, or it was taken back. *whole, asked at the body's
 * first byte: the frame ends in this span, and may do without one. */
static uint8_t *
frame_buffer(struct rlpx_dir *d, struct rlpx_arena *a, bool *whole)
{
	if (d->in_chunk) {
		*whole = false;
		return d->chunk == NULL ? NULL : d->chunk + d->chunk_have;
	}
	*whole = *whole && d->frame.size <= a->frame_cap;
	if (*whole)
		return a->frame;
	if (d->got == MAC)
		d->body = a->slab_get(a->ctx, d->frame.size, &d->body_cap, &d->body);
	return d->body;
}

/* n bytes of the body, padding included; buffer NULL: only for the MAC. */
static void
take_body(struct rlpx *r, struct rlpx_dir *d, const uint8_t *p, uint32_t n, uint8_t *buffer)
{
	uint32_t from = d->got - MAC, size = d->frame.size;
	if (d->mac_on) {
		rlpx_mac_update(&d->mac, p, n);
		if (from + n == d->pad)
			rlpx_mac_frame(&d->mac, d->want);
	}
	if (buffer != NULL && from < size)
		rlpx_ctr_xor(&r->aes, d->key_at + from, p, buffer + from, n < size - from ? n : size - from);
}

static void
take_mac(struct rlpx_dir *d, struct rlpx_arena *a, const uint8_t *p, uint32_t n, uint32_t from)
{
	if (!d->mac_on || memcmp(d->want + from, p, n) == 0)
		return;
	a->counts[RLPX_N_MAC_BAD]++;
	d->mac_on = false;
	d->mac_bad = true;
}

/* Some bytes of the frame under way, all of one of its parts; how many. *whole: see frame_buffer. */
static uint32_t
frame_bytes(struct rlpx *r, struct rlpx_dir *d, struct rlpx_arena *a, struct span in, bool *whole,
	struct framer_out *out)
{
	uint32_t body_end = MAC + d->pad, left = body_end + MAC - d->got;
	uint32_t n = in.len < left ? in.len : left;
	if (d->got < MAC) {
		n = n < MAC - d->got ? n : MAC - d->got;
		take_mac(d, a, in.p, n, d->got);
	} else if (d->got < body_end) {
		uint8_t *buffer = NULL;
		if (d->got == MAC)
			*whole = in.len >= left;
		if (!d->skip && (buffer = frame_buffer(d, a, whole)) == NULL) {
			a->counts[RLPX_N_NO_BUFFER]++;
			lose_body(d, a);
		}
		n = n < body_end - d->got ? n : body_end - d->got;
		take_body(r, d, in.p, n, buffer);
	} else {
		take_mac(d, a, in.p, n, d->got - body_end);
	}
	d->got += n;
	if (d->skip)
		skip_bytes(out, n, FRAMER_SKIP_LOST);
	else
		out->parsed += n;
	return n;
}

/* The slab may have been taken back between the body and the end of the frame. */
static bool
has_body(const struct rlpx_dir *d, bool whole)
{
	return d->skip || (d->in_chunk ? d->chunk != NULL : whole || d->body != NULL);
}

static void
close_frame(struct rlpx *r, unsigned dir, struct rlpx_arena *a, bool whole, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	if (!has_body(d, whole)) {
		a->counts[RLPX_N_NO_BUFFER]++;
		lose_body(d, a);
	}
	end_frame(r, dir, a, whole, out);
}

/* ---- a direction in step ---- */

static uint32_t
handshake_bytes(struct rlpx_dir *d, const uint8_t *p, uint32_t n, struct framer_out *out)
{
	uint64_t left = d->handshake - d->at;
	uint32_t k = n < left ? n : (uint32_t)left;
	if (d->mac_on)
		rlpx_mac_update(&d->mac, p, k);
	out->parsed += k;
	if (k == left)
		d->state = DIR_HEADER;
	return k;
}

/* More of a header. false: there is none here. */
static bool
header_bytes(struct rlpx *r, struct rlpx_dir *d, struct rlpx_arena *a, const uint8_t *p, uint32_t *n,
	struct framer_out *out)
{
	uint32_t k = *n < 16u - d->hdr_n ? *n : 16u - d->hdr_n;
	memcpy(d->hdr + d->hdr_n, p, k);
	d->hdr_n += (uint8_t)k;
	d->at += k;
	*n = k;
	if (d->hdr_n < 16)
		return true;
	if (begin_frame(r, d, a)) {
		out->parsed += 16;
		return true;
	}
	a->counts[RLPX_N_BAD_HEADER]++;
	out->verdict = FRAMER_LOST;
	out->lost = FRAMER_LOST_BAD;
	skip_bytes(out, 16, FRAMER_SKIP_UNSYNCED);
	out_of_step(d, a);
	return false;
}

uint32_t
rlpx_read_bytes(struct rlpx *r, unsigned dir, struct rlpx_arena *a, struct span in, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	uint32_t at = 0;
	bool whole = false;
	while (at < in.len) {
		uint32_t n = in.len - at;
		if (d->state == DIR_HANDSHAKE) {
			n = handshake_bytes(d, in.p + at, n, out);
			d->at += n;
		} else if (d->state == DIR_HEADER) {
			if (!header_bytes(r, d, a, in.p + at, &n, out))
				return at + n;
			whole = false;
		} else {
			n = frame_bytes(r, d, a, (struct span){in.p + at, n}, &whole, out);
			d->at += n;
			if (d->got == MAC + d->pad + MAC) {
				close_frame(r, dir, a, whole, out);
				if (out->verdict != FRAMER_MORE)
					return at + n;
			}
		}
		at += n;
	}
	return at;
}

/* ---- gaps ---- */

/* The gap takes the rest of the frame and `more` bytes behind it. */
static void
gap_behind(struct rlpx *r, unsigned dir, struct rlpx_arena *a, uint64_t more, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	close_frame(r, dir, a, false, out);
	if (more == 0)
		return;
	if (d->confirmed && d->state == DIR_HEADER) {
		d->base_at = d->at;
		d->base_block = d->key_at / 16;
		d->base_known = true;
	}
	out_of_step(d, a);
	d->at += more;
	d->lost_at = d->tried_at = d->at;
	if (out->verdict == FRAMER_MORE) {
		a->counts[RLPX_N_LOST]++;
		out->verdict = FRAMER_LOST;
		out->lost = FRAMER_LOST_GAP;
	}
}

static void
gap_in_frame(struct rlpx *r, unsigned dir, struct rlpx_arena *a, uint64_t n, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	uint32_t left = MAC + d->pad + MAC - d->got;
	uint64_t to = n < left ? d->got + n : MAC + d->pad + MAC;
	d->mac_on = false;
	/* padding and MACs are not missed */
	if (!d->skip && to > MAC && d->got < MAC + d->frame.size) {
		lose_body(d, a);
		a->counts[RLPX_N_LOST]++;
		out->verdict = FRAMER_LOST;
		out->lost = FRAMER_LOST_GAP;
	}
	d->at += to - d->got;
	d->got = (uint32_t)to;
	if (n >= left)
		gap_behind(r, dir, a, n - left, out);
}

void
rlpx_read_gap(struct rlpx *r, unsigned dir, struct rlpx_arena *a, uint64_t n, struct framer_out *out)
{
	struct rlpx_dir *d = &r->dir[dir];
	d->resync = true;
	if (d->state == DIR_FRAME) {
		gap_in_frame(r, dir, a, n, out);
		return;
	}
	if (d->state == DIR_HANDSHAKE) {
		uint64_t left = d->handshake - d->at;
		d->mac_on = false;
		if (n < left) {
			d->at += n;
			return;
		}
		d->at += left;
		n -= left;
		d->state = DIR_HEADER;
		if (n == 0)
			return;
	}
	if (d->confirmed) {
		d->base_at = d->at - d->hdr_n;
		d->base_block = d->key_at / 16;
		d->base_known = true;
	}
	skip_bytes(out, d->hdr_n, FRAMER_SKIP_UNSYNCED);
	out_of_step(d, a);
	d->at += n;
	d->lost_at = d->tried_at = d->at;
	a->counts[RLPX_N_LOST]++;
	out->verdict = FRAMER_LOST;
	out->lost = FRAMER_LOST_GAP;
}
