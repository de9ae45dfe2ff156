/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/hex.h"
#include "wire/jsontext.h"

#include <string.h>

#define DIGITS(h) h, h + 1, h + 2, h + 3, h + 4, h + 5, h + 6, h + 7, h + 8, h + 9
#define LETTERS 10, 11, 12, 13, 14, 15
#define NONE6 255, 255, 255, 255, 255, 255
#define NONE7 NONE6, 255
#define NONE16 NONE7, NONE7, 255, 255

/* clang-format off */
const uint8_t hex_value[256] = {
	NONE16, NONE16, NONE16, /* controls, punctuation */
	DIGITS(0), NONE6, /* 0x30 */
	255, LETTERS, NONE7, 255, 255, /* 0x40 */
	NONE16, /* 0x50 */
	255, LETTERS, NONE7, 255, 255, /* 0x60 */
	NONE16, /* 0x70 */
	NONE16, NONE16, NONE16, NONE16, NONE16, NONE16, NONE16, NONE16,
};
/* clang-format on */

static size_t
decode_scalar(const uint8_t *in, size_t n, uint8_t *out)
{
	size_t i = 0;
	for (; i + 2 <= n; i += 2) {
		unsigned hi = hex_value[in[i]], lo = hex_value[in[i + 1]];
		if ((hi | lo) > 15)
			break;
		*out++ = (uint8_t)(hi << 4 | lo);
	}
	return i;
}

void
hex_encode(const uint8_t *in, size_t n, char *out)
{
	static const char digit[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digit[in[i] >> 4];
		out[2 * i + 1] = digit[in[i] & 15];
	}
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("ssse3"))) static size_t
decode_ssse3(const uint8_t *in, size_t n, uint8_t *out)
{
	const __m128i pairs = _mm_set1_epi16(0x0110); /* high digit * 16 + low digit */
	size_t i = 0;
	for (; i + 16 <= n; i += 16) {
		__m128i v = _mm_loadu_si128((const void *)(in + i));
		__m128i d = _mm_sub_epi8(v, _mm_set1_epi8('0'));
		__m128i l = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
		__m128i is_d = _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d);
		__m128i is_l = _mm_cmpeq_epi8(_mm_min_epu8(l, _mm_set1_epi8(5)), l);
		__m128i nibs = _mm_or_si128(
			_mm_and_si128(is_d, d), _mm_and_si128(is_l, _mm_add_epi8(l, _mm_set1_epi8(10))));
		__m128i bytes = _mm_maddubs_epi16(nibs, pairs);
		_mm_storel_epi64((void *)(out + i / 2), _mm_packus_epi16(bytes, bytes));
		unsigned good = (unsigned)_mm_movemask_epi8(_mm_or_si128(is_d, is_l));
		if (good != 0xffff)
			return i + ((size_t)__builtin_ctz(~good) & ~(size_t)1);
	}
	return i + decode_scalar(in + i, n - i, out + i / 2);
}

/* Digits of 32 bytes to nibbles; *good has a set bit for each byte that is a digit. */
__attribute__((target("avx2"), always_inline)) static inline __m256i
nibbles_avx2(__m256i v, uint32_t *good)
{
	__m256i d = _mm256_sub_epi8(v, _mm256_set1_epi8('0'));
	__m256i l = _mm256_sub_epi8(_mm256_or_si256(v, _mm256_set1_epi8(0x20)), _mm256_set1_epi8('a'));
	__m256i is_d = _mm256_cmpeq_epi8(_mm256_min_epu8(d, _mm256_set1_epi8(9)), d);
	__m256i is_l = _mm256_cmpeq_epi8(_mm256_min_epu8(l, _mm256_set1_epi8(5)), l);
	*good = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(is_d, is_l));
	return _mm256_blendv_epi8(_mm256_add_epi8(l, _mm256_set1_epi8(10)), d, is_d);
}

__attribute__((target("avx2"))) static size_t
decode_avx2(const uint8_t *in, size_t n, uint8_t *out)
{
	const __m256i pairs = _mm256_set1_epi16(0x0110);
	size_t i = 0;
	for (; i + 64 <= n; i += 64) {
		uint32_t good0, good1;
		__m256i a = nibbles_avx2(_mm256_loadu_si256((const void *)(in + i)), &good0);
		__m256i b = nibbles_avx2(_mm256_loadu_si256((const void *)(in + i + 32)), &good1);
		__m256i packed =
			_mm256_packus_epi16(_mm256_maddubs_epi16(a, pairs), _mm256_maddubs_epi16(b, pairs));
		_mm256_storeu_si256((void *)(out + i / 2), _mm256_permute4x64_epi64(packed, 0xd8));
		uint64_t good = good0 | (uint64_t)good1 << 32;
		if (good != UINT64_MAX)
			return i + ((size_t)__builtin_ctzll(~good) & ~(size_t)1);
	}
	for (; i + 32 <= n; i += 32) {
		uint32_t good;
		__m256i a = nibbles_avx2(_mm256_loadu_si256((const void *)(in + i)), &good);
		__m256i packed = _mm256_packus_epi16(_mm256_maddubs_epi16(a, pairs), _mm256_setzero_si256());
		packed = _mm256_permute4x64_epi64(packed, 0xd8);
		_mm_storeu_si128((void *)(out + i / 2), _mm256_castsi256_si128(packed));
		if (good != UINT32_MAX)
			return i + ((size_t)__builtin_ctz(~good) & ~(size_t)1);
	}
	return i + decode_scalar(in + i, n - i, out + i / 2);
}

#define AVX512 "avx512f,avx512bw,avx512vl,avx512vbmi"

/* One table look-up per 64 digits: VPERMI2B takes seven bits of each byte, the eighth is checked beside it.
 * Returns the bytes; *bad has a set bit for each byte that is not a digit. */
__attribute__((target(AVX512), always_inline)) static inline __m256i
bytes_avx512(__m512i v, __m512i low, __m512i high, uint64_t *bad)
{
	__m512i nibs = _mm512_permutex2var_epi8(low, v, high);
	*bad = _mm512_movepi8_mask(_mm512_or_si512(nibs, v));
	return _mm512_cvtepi16_epi8(_mm512_maddubs_epi16(nibs, _mm512_set1_epi16(0x0110)));
}

__attribute__((target(AVX512))) static size_t
decode_avx512(const uint8_t *in, size_t n, uint8_t *out)
{
	const __m512i low = _mm512_loadu_si512(hex_value), high = _mm512_loadu_si512(hex_value + 64);
	uint64_t bad, bad1;
	size_t i = 0;
	for (; i + 128 <= n; i += 128) {
		__m256i a = bytes_avx512(_mm512_loadu_si512(in + i), low, high, &bad);
		__m256i b = bytes_avx512(_mm512_loadu_si512(in + i + 64), low, high, &bad1);
		_mm256_storeu_si256((void *)(out + i / 2), a);
		_mm256_storeu_si256((void *)(out + i / 2 + 32), b);
		if (bad | bad1) {
			unsigned at =
				bad ? (unsigned)__builtin_ctzll(bad) : 64 + (unsigned)__builtin_ctzll(bad1);
			return i + (at & ~1u);
		}
	}
	if (i + 64 <= n) {
		__m256i a = bytes_avx512(_mm512_loadu_si512(in + i), low, high, &bad);
		_mm256_storeu_si256((void *)(out + i / 2), a);
		if (bad)
			return i + ((size_t)__builtin_ctzll(bad) & ~(size_t)1);
		i += 64;
	}
	if (i + 2 > n)
		return i;
	__mmask64 some = UINT64_MAX >> (64 - (n - i));
	__m256i a = bytes_avx512(_mm512_maskz_loadu_epi8(some, in + i), low, high, &bad);
	size_t good = (size_t)__builtin_ctzll(bad | ~some) & ~(size_t)1; /* n - i < 64: there is a bit */
	_mm256_mask_storeu_epi8(out + i / 2, (__mmask32)((1u << good / 2) - 1), a);
	return i + good;
}
#endif

static struct hex_impl impls[4] = {{"scalar", decode_scalar}};
static unsigned n_impls = 1;

hex_fn *hex_decode = decode_scalar;

static void
find_impls(void)
{
	if (n_impls > 1)
		return;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("ssse3"))
		impls[n_impls++] = (struct hex_impl){"ssse3", decode_ssse3};
	if (__builtin_cpu_supports("avx2"))
		impls[n_impls++] = (struct hex_impl){"avx2", decode_avx2};
	if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl"))
		impls[n_impls++] = (struct hex_impl){"avx512vbmi", decode_avx512};
#endif
}

const struct hex_impl *
hex_impls(unsigned *n)
{
	find_impls();
	*n = n_impls;
	return impls;
}

void
hex_init(void)
{
	find_impls();
	hex_decode = impls[n_impls - 1].decode;
	json_text_init();
}
