/* SPDX-License-Identifier: BSD-3-Clause */
/* Transactions that are looked into further than at their first call. */
#include "load/load_private.h"

#include <string.h>

#define MULTICALLS_MAX 4u

static uint8_t *
word(uint8_t *p, uint64_t v)
{
	memset(p, 0, 32);
	for (unsigned i = 0; i < 8; i++)
		p[24 + i] = (uint8_t)(v >> (56 - 8 * i));
	return p + 32;
}

static uint8_t *
word_address(struct load_maker *m, uint8_t *p)
{
	memset(p, 0, 12);
	load_random_bytes(m, p + 12, 20);
	return p + 32;
}

/* swapExactTokensForTokens(uint256,uint256,address[],address,uint256) over three tokens */
static uint32_t
swap(struct load_maker *m, uint8_t *data)
{
	static const uint8_t selector[] = {0x38, 0xed, 0x17, 0x39};
	uint8_t *p = data + 4;
	memcpy(data, selector, 4);
	p = word(p, load_random(m) >> 20);
	p = word(p, load_random(m) >> 24);
	p = word(p, 0xa0);
	p = word_address(m, p);
	p = word(p, 1900000000);
	p = word(p, 3);
	for (unsigned i = 0; i < 3; i++)
		p = word_address(m, p);
	return (uint32_t)(p - data);
}

/* (address,bytes)[] under a selector: aggregate's, or one that nobody knows. Each call is a swap. */
static uint32_t
calls(struct load_maker *m, bool known, uint8_t *data)
{
	static const uint8_t aggregate[] = {0x25, 0x2d, 0xba, 0x42};
	uint8_t one[512] = {0}, *p = data + 4;
	uint32_t n = 1 + (uint32_t)(load_random(m) % MULTICALLS_MAX), len = swap(m, one), padded = (len + 31) / 32 * 32;
	load_random_bytes(m, data, 4);
	data[0] |= 0x81;
	if (known)
		memcpy(data, aggregate, 4);
	p = word(p, 32);
	p = word(p, n);
	for (uint32_t i = 0; i < n; i++)
		p = word(p, 32 * n + i * (96 + padded));
	for (uint32_t i = 0; i < n; i++) {
		p = word_address(m, p);
		p = word(p, 64);
		p = word(p, len);
		swap(m, one);
		memcpy(p, one, padded);
		p += padded;
	}
	return (uint32_t)(p - data);
}

/* Init code of a contract that serves executeOperation(address,uint256,uint256,address,bytes) and calls Aave's pool with flashLoanSimple's selector. */
static uint32_t
creation(struct load_maker *m, uint8_t *data)
{
	static const uint8_t init[] = {0x60, 0x5c, 0x80, 0x60, 0x0b, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3};
	static const uint8_t dispatch[] = {0x60, 0x00, 0x35, 0x60, 0xe0, 0x1c, 0x80, 0x63, 0x1b, 0x11, 0xd0, 0xff, 0x14, 0x60, 0x1b, 0x57, 0x63, 0x11, 0x22, 0x33,
		0x44, 0x14, 0x60, 0x22, 0x57, 0x00, 0x00, 0x5b, 0x60, 0x01, 0x60, 0x00, 0x52, 0x00, 0x5b};
	static const uint8_t ask[] = {0x63, 0x42, 0xb0, 0xb7, 0x7c, 0x60, 0xe0, 0x1b, 0x60, 0x00, 0x52, 0x60, 0x00, 0x60, 0x00, 0x60, 0xa4, 0x60, 0x00, 0x60, 0x00, 0x73};
	static const uint8_t end[] = {0x5a, 0xf1, 0x50, 0x00};
	uint8_t *p = data;
	memcpy(p, init, sizeof init);
	p += sizeof init;
	memcpy(p, dispatch, sizeof dispatch);
	p += sizeof dispatch;
	memcpy(p, ask, sizeof ask);
	p += sizeof ask;
	memcpy(p, load_hit_address, 20);
	p += 20;
	memcpy(p, end, sizeof end);
	p += sizeof end;
	uint32_t rest = 32 * (uint32_t)(load_random(m) % 40); /* behind the code, as what a compiler writes there */
	load_random_bytes(m, p, rest);
	return (uint32_t)(p - data) + rest;
}

uint32_t
load_rich(struct load_maker *m, uint8_t *data, uint8_t to[20], bool *creates)
{
	static const uint8_t router[20] = {0x7a, 0x25, 0x0d, 0x56, 0x30, 0xb4, 0xcf, 0x53, 0x97, 0x39, 0xdf, 0x2c, 0x5d, 0xac, 0xb4, 0xc6, 0x59, 0xf2, 0x48, 0x8d};
	uint64_t kind = load_random(m) % 4;
	*creates = kind == 0;
	if (kind == 0)
		return creation(m, data);
	if (kind == 1)
		memcpy(to, router, 20);
	return kind == 1 ? swap(m, data) : calls(m, kind == 2, data);
}
