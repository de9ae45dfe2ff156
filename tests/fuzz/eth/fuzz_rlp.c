/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever is read lies where it may, and written again it is the same bytes: the writer knows canonical
 * forms only. */
#include "eth/rlp.h"

#include <stdlib.h>

#define DEPTH_MAX 64

static void
walk(struct span in, struct rlp_out *out, unsigned depth)
{
	struct rlp_item it;
	while (in.len > 0) {
		struct span before = in;
		if (!rlp_next(&in, &it)) {
			if (in.p != before.p || in.len != before.len)
				abort(); /* refused, yet something was taken */
			rlp_put_raw(out, in);
			return;
		}
		if (it.payload.p < before.p || it.payload.p + it.payload.len != in.p ||
			in.p + in.len != before.p + before.len || it.payload.p - before.p != it.header)
			abort();
		if (!it.list) {
			rlp_put_string(out, it.payload);
			continue;
		}
		size_t begin = rlp_list_begin(out);
		if (depth < DEPTH_MAX)
			walk(it.payload, out, depth + 1);
		else
			rlp_put_raw(out, it.payload);
		rlp_list_end(out, begin);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 << 20)
		return 0;
	uint8_t *again = malloc(size + 1);
	if (again == NULL)
		return 0;
	struct rlp_out out = {again, 0, size, false};
	walk((struct span){data, (uint32_t)size}, &out, 0);
	if (out.full || out.n != size || (size > 0 && memcmp(again, data, size) != 0))
		abort();
	free(again);
	return 0;
}
