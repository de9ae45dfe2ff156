/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/rlpx_frame.h"

const uint8_t rlpx_frame_known[16] = {0, 0, 0, 0xc2, 0x80, 0x80};

bool
rlpx_rlp_next(struct span *in, struct rlpx_rlp *out)
{
	if (in->len == 0)
		return false;
	uint8_t b = in->p[0];
	if (b < 0x80) {
		*out = (struct rlpx_rlp){{in->p, 1}, false};
		in->p++;
		in->len--;
		return true;
	}
	uint32_t head = 1, len = b & 0x3f;
	if (len > 55) {
		uint32_t bytes = len - 55;
		if (bytes > 3 || bytes > in->len - 1 || in->p[1] == 0)
			return false;
		len = 0;
		for (uint32_t i = 0; i < bytes; i++)
			len = len << 8 | in->p[1 + i];
		if (len < 56)
			return false;
		head += bytes;
	}
	if (len > in->len - head || (b == 0x81 && in->p[1] < 0x80))
		return false;
	*out = (struct rlpx_rlp){{in->p + head, len}, b >= 0xc0};
	in->p += head + len;
	in->len -= head + len;
	return true;
}

bool
rlpx_rlp_u32(const struct rlpx_rlp *item, uint32_t *out)
{
	if (item->list || item->payload.len > 4 || (item->payload.len > 0 && item->payload.p[0] == 0))
		return false;
	uint32_t v = 0;
	for (uint32_t i = 0; i < item->payload.len; i++)
		v = v << 8 | item->payload.p[i];
	*out = v;
	return true;
}

bool
rlpx_frame_parse(const uint8_t header[16], struct rlpx_frame *f)
{
	f->size = (uint32_t)header[0] << 16 | (uint32_t)header[1] << 8 | header[2];
	f->context = f->total = 0;
	if (f->size == 0)
		return false;
	struct span rest = {header + 3, 13};
	struct rlpx_rlp list, item;
	if (!rlpx_rlp_next(&rest, &list) || !list.list || list.payload.len == 0)
		return false;
	for (uint32_t i = 0; i < rest.len; i++) {
		if (rest.p[i] != 0)
			return false;
	}
	uint32_t field[3] = {0};
	for (unsigned i = 0; list.payload.len > 0; i++) {
		if (i == 3 || !rlpx_rlp_next(&list.payload, &item) || !rlpx_rlp_u32(&item, &field[i]))
			return false;
	}
	if (field[0] != 0)
		return false;
	f->context = field[1];
	f->total = field[2];
	if (f->total != 0 && f->total <= f->size) /* begun and ended: no chunk */
		f->context = f->total = 0;
	return true;
}
