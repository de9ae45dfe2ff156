/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/jsontext.h"

static const uint8_t *
skip_scalar(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p != '"' && *p != '\\' && *p >= 0x20)
		p++;
	return p;
}

#if defined(__x86_64__)
#include <immintrin.h>

static const uint8_t *
skip_sse2(const uint8_t *p, const uint8_t *end)
{
	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const void *)p);
		__m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
						   _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
			_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v));
		unsigned m = (unsigned)_mm_movemask_epi8(hit);
		if (m)
			return p + __builtin_ctz(m);
	}
	return skip_scalar(p, end);
}

__attribute__((target("avx2"), always_inline)) static inline uint32_t
hits_avx2(const uint8_t *p)
{
	__m256i v = _mm256_loadu_si256((const void *)p);
	__m256i hit = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')),
					      _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'))),
		_mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v));
	return (uint32_t)_mm256_movemask_epi8(hit);
}

__attribute__((target("avx2"))) static const uint8_t *
skip_avx2(const uint8_t *p, const uint8_t *end)
{
	for (; end - p >= 64; p += 64) {
		uint64_t m = hits_avx2(p) | (uint64_t)hits_avx2(p + 32) << 32;
		if (m)
			return p + __builtin_ctzll(m);
	}
	return skip_sse2(p, end);
}

#define AVX512 "avx512f,avx512bw"

__attribute__((target(AVX512), always_inline)) static inline uint64_t
hits_avx512(__m512i v)
{
	return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"')) |
	       _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\')) |
	       _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20));
}

__attribute__((target(AVX512))) static const uint8_t *
skip_avx512(const uint8_t *p, const uint8_t *end)
{
	for (; end - p >= 64; p += 64) {
		uint64_t m = hits_avx512(_mm512_loadu_si512(p));
		if (m)
			return p + __builtin_ctzll(m);
	}
	if (p == end)
		return end;
	__mmask64 some = UINT64_MAX >> (64 - (end - p));
	uint64_t m = hits_avx512(_mm512_maskz_loadu_epi8(some, p)) & some;
	return m ? p + __builtin_ctzll(m) : end;
}
#endif

static struct json_text_impl impls[4] = {{"scalar", skip_scalar}};
static unsigned n_impls = 1;

json_text_fn *json_text_skip = skip_scalar;

const struct json_text_impl *
json_text_impls(unsigned *n)
{
	*n = n_impls;
	if (n_impls > 1)
		return impls;
#if defined(__x86_64__)
	impls[n_impls++] = (struct json_text_impl){"sse2", skip_sse2};
	if (__builtin_cpu_supports("avx2"))
		impls[n_impls++] = (struct json_text_impl){"avx2", skip_avx2};
	if (__builtin_cpu_supports("avx512bw"))
		impls[n_impls++] = (struct json_text_impl){"avx512bw", skip_avx512};
#endif
	*n = n_impls;
	return impls;
}

void
json_text_init(void)
{
	unsigned n;
	const struct json_text_impl *all = json_text_impls(&n);
	json_text_skip = all[n - 1].skip;
}
