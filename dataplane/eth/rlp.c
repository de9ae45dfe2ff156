/* SPDX-License-Identifier: BSD-3-Clause */
#include "eth/rlp.h"

bool
rlp_long(struct span in, struct rlp_item *out)
{
	uint8_t b = in.p[0];
	uint32_t bytes = (b & 0x3fu) - 55, len = 0;
	if (bytes > in.len - 1 || bytes > 4 || in.p[1] == 0)
		return false;
	for (uint32_t i = 0; i < bytes; i++)
		len = len << 8 | in.p[1 + i];
	if (len < 56 || len > in.len - 1 - bytes)
		return false;
	*out = (struct rlp_item){{in.p + 1 + bytes, len}, 1 + bytes, b >= 0xc0};
	return true;
}

unsigned
rlp_header(uint8_t out[5], uint8_t base, uint32_t len)
{
	if (len < 56) {
		out[0] = (uint8_t)(base + len);
		return 1;
	}
	unsigned bytes = len > 0xffffff ? 4 : len > 0xffff ? 3 : len > 0xff ? 2 : 1;
	out[0] = (uint8_t)(base + 55 + bytes);
	for (unsigned i = 0; i < bytes; i++)
		out[1 + i] = (uint8_t)(len >> (8 * (bytes - 1 - i)));
	return 1 + bytes;
}

void
rlp_put_raw(struct rlp_out *o, struct span s)
{
	if (o->full || s.len > o->cap - o->n) {
		o->full = true;
		return;
	}
	if (s.len > 0)
		memcpy(o->p + o->n, s.p, s.len);
	o->n += s.len;
}

void
rlp_put_string(struct rlp_out *o, struct span s)
{
	uint8_t header[5];
	if (s.len != 1 || s.p[0] >= 0x80)
		rlp_put_raw(o, (struct span){header, rlp_header(header, 0x80, s.len)});
	rlp_put_raw(o, s);
}

void
rlp_put_int(struct rlp_out *o, struct span be)
{
	while (be.len > 0 && be.p[0] == 0) {
		be.p++;
		be.len--;
	}
	rlp_put_string(o, be);
}

void
rlp_put_u64(struct rlp_out *o, uint64_t v)
{
	uint8_t be[8];
	for (unsigned i = 0; i < 8; i++)
		be[i] = (uint8_t)(v >> (56 - 8 * i));
	rlp_put_int(o, (struct span){be, 8});
}

size_t
rlp_list_begin(const struct rlp_out *o)
{
	return o->n;
}

void
rlp_list_end(struct rlp_out *o, size_t begin)
{
	uint8_t header[5];
	size_t len = o->n - begin;
	unsigned h = rlp_header(header, 0xc0, (uint32_t)len);
	if (o->full || h > o->cap - o->n) {
		o->full = true;
		return;
	}
	memmove(o->p + begin + h, o->p + begin, len);
	memcpy(o->p + begin, header, h);
	o->n += h;
}
