/* SPDX-License-Identifier: BSD-3-Clause */
/* A capture file of any bytes: every frame lies inside the file and behind the one before, the count is kept, a second reading gives
 * the same, and reading ends. */
#include "io/source.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t
read_all(struct source *s, const uint8_t *data, size_t size)
{
	struct source_frame f;
	const uint8_t *last = data;
	size_t header = s->ng ? 8 : 16; /* before a frame, at least */
	uint64_t sum = 0, n = 0;
	while (source_next(s, &f)) {
		if (f.bytes.p < last + header || f.bytes.p + f.bytes.len > data + size || f.wire_len < f.bytes.len ||
			f.bytes.len > SOURCE_FRAME_MAX || f.link > NET_LINK_OTHER)
			abort();
		for (uint32_t i = 0; i < f.bytes.len; i++)
			sum = sum * 31 + f.bytes.p[i];
		sum = sum * 31 + f.t_ns;
		last = f.bytes.p + f.bytes.len;
		if (++n != s->frames || n > size / header)
			abort();
	}
	if (!s->broken && s->at != size)
		abort();
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s;
	struct source_frame f;
	char err[128];
	if (source_open_memory(&s, "fuzz", data, size, err, sizeof err) != 0) {
		if (memchr(err, 0, sizeof err) == NULL || source_next(&s, &f) != 0)
			abort();
		return 0;
	}
	uint64_t first = read_all(&s, data, size);
	bool broken = s.broken;
	source_rewind(&s);
	if (read_all(&s, data, size) != first || s.broken != broken)
		abort();
	source_close(&s);
	if (source_next(&s, &f) != 0)
		abort();
	return 0;
}
