/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments of any offset, length and order, against a model that keeps every byte and says for each datagram
 * what its first versions are. Only what the memory of whole datagrams changes (fragment.h) is left to the
 * module's own word: the model begins every datagram anew with an identification of its own. */
#include "harness.h"
#include "net/fragment.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IDS 4u
#define AGE 1000000u

struct model {
	uint8_t bytes[65536], there[65536 / 8];
	uint32_t total, reach, held, generation;
	uint8_t next;
	bool first;
};

static struct model model[IDS];
static uint64_t ctr[CTR_COUNT];

static void
restart(struct model *m)
{
	memset(m->there, 0, sizeof m->there);
	m->total = m->reach = m->held = 0;
	m->first = false;
	m->generation++;
}

/* What the module must answer. */
static enum sentinel_counter
judge(struct model *m, const struct fragment *f, bool *differs)
{
	uint32_t n = f->payload.len, end = f->off + n, added = 0;
	*differs = false;
	if (n == 0 || end > 65535 || (f->more && n % 8 != 0))
		return CTR_UNDEC_FRAGMENT_BAD;
	if (m->total != 0 && (end > m->total || (!f->more && end != m->total)))
		return CTR_UNDEC_FRAGMENT_BAD;
	if (!f->more && end < m->reach)
		return CTR_UNDEC_FRAGMENT_BAD;
	for (uint32_t at = 0; at < n; at += 8) {
		uint32_t u = (f->off + at) / 8, k = n - at < 8 ? n - at : 8;
		if (m->there[u]) {
			*differs |= memcmp(m->bytes + u * 8, f->payload.p + at, k) != 0;
			continue;
		}
		m->there[u] = 1;
		memcpy(m->bytes + u * 8, f->payload.p + at, k);
		added++;
	}
	if (added == 0)
		return *differs ? CTR_UNDEC_FRAGMENT_OVERLAP : CTR_FRAGMENTS_DUPLICATE;
	m->total = f->more ? m->total : end;
	m->reach = m->reach < end ? end : m->reach;
	if (f->off == 0 && !m->first) {
		m->first = true;
		m->next = f->next;
	}
	for (uint32_t u = 0; m->total != 0 && u < (m->total + 7) / 8; u++) {
		if (!m->there[u])
			return CTR_FRAGMENTS_HELD;
	}
	return m->total != 0 ? CTR_ACCEPTED : CTR_FRAGMENTS_HELD;
}

static void
add(struct fragments *t, struct model *m, struct fragment *f)
{
	struct datagram_whole out;
	bool differs;
	uint64_t conflicts = ctr[CTR_FRAGMENT_CONFLICTS], joined = ctr[CTR_FRAGMENTS_JOINED];
	uint8_t *exact = malloc(f->payload.len ? f->payload.len : 1);
	CHECK(exact != NULL);
	if (f->payload.len)
		memcpy(exact, f->payload.p, f->payload.len);
	f->payload.p = exact;
	enum sentinel_counter want = judge(m, f, &differs), got = fragments_add(t, f, 1000, &out);
	CHECK(got == want);
	CHECK(ctr[CTR_FRAGMENT_CONFLICTS] == conflicts + differs);
	ctr[got]++;
	m->held += got == CTR_FRAGMENTS_HELD;
	if (got == CTR_ACCEPTED) {
		CHECK(out.bytes.len == m->total && memcmp(out.bytes.p, m->bytes, m->total) == 0);
		CHECK(out.next == m->next && !out.mixed);
		CHECK(ctr[CTR_FRAGMENTS_JOINED] == joined + m->held);
		restart(m);
	}
	free(exact);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t source[65536 + 65536 + 256];
	const struct fragments_config c = {IDS * 2, IDS * 2 * FRAGMENT_BLOCKS_DATAGRAM, AGE};
	const uint64_t seed[6] = {1, 2, 3, 4, 5, 6};
	static void *mem;
	struct fragments t;
	uint64_t total = 0;
	if (mem == NULL) {
		mem = aligned_alloc(64, fragments_bytes(&c));
		CHECK(mem != NULL);
		for (uint32_t i = 0; i < sizeof source; i++)
			source[i] = (uint8_t)(i * 2654435761u >> 13);
	}
	memset(ctr, 0, sizeof ctr);
	for (unsigned i = 0; i < IDS; i++) {
		restart(&model[i]);
		model[i].generation = 0;
	}
	fragments_init(&t, mem, &c, seed, ctr);
	for (; size >= 6; data += 6, size -= 6) {
		uint32_t who = data[0] & 3, off = ((uint32_t)data[1] << 8 | data[2]) & 0x1fff,
			 len = (uint32_t)data[3] << 8 | data[4];
		if (data[0] & 4)
			off &= 31;
		if (data[0] & 8)
			len &= 0xf8;
		if (!(data[0] & 64))
			len &= 0xfff;
		struct fragment f = {.ip = {{1, who}, {3, 4}},
			.id = model[who].generation,
			.off = off * 8,
			.next = data[5],
			.more = data[0] & 16,
			.payload = {source + off * 8 + (data[0] & 32 ? data[5] : 0), len}};
		f.ip6 = true;
		add(&t, &model[who], &f);
		total++;
		CHECK(ctr[CTR_FRAGMENTS_HELD] ==
			model[0].held + model[1].held + model[2].held + model[3].held);
	}
	fragments_expire(&t, IDS * 2, 1000 + AGE);
	fragments_flush(&t);
	CHECK(ctr[CTR_FRAGMENTS_HELD] == 0 && t.n_free == c.blocks);
	CHECK(total == ctr[CTR_ACCEPTED] + ctr[CTR_FRAGMENTS_JOINED] + ctr[CTR_FRAGMENTS_DUPLICATE] +
			       ctr[CTR_UNDEC_FRAGMENT_AGE] + ctr[CTR_UNDEC_FRAGMENT_BAD] +
			       ctr[CTR_UNDEC_FRAGMENT_OVERLAP]);
	return 0;
}
