/* SPDX-License-Identifier: BSD-3-Clause */
/* ns per message of http1, for heads as real clients send them: the best of many short runs, for other load
 * on the machine only ever adds. usage: bench_http1 [RUNS] */
#include "wire/http1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ETHERS                                                                                          \
	"POST / HTTP/1.1\r\nHost: 127.0.0.1:8545\r\nContent-Type: application/json\r\nContent-Length: " \
	"300\r\n"                                                                                       \
	"Accept: */*\r\nUser-Agent: ethers/6.13.4 (node)\r\nAccept-Encoding: gzip, deflate, br\r\n"     \
	"Connection: keep-alive\r\nAccept-Language: *\r\nSec-Fetch-Mode: cors\r\n\r\n"
#define CURL                                                                                    \
	"POST / HTTP/1.1\r\nHost: 127.0.0.1:8545\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n" \
	"Content-Type: application/json\r\nContent-Length: 300\r\n\r\n"
#define GETH                                                                    \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nVary: Origin\r\n" \
	"Date: Wed, 01 Jan 2025 00:00:00 GMT\r\nContent-Length: 300\r\n\r\n"

static const struct {
	const char *name, *head;
} heads[] = {{"ethers", ETHERS}, {"curl", CURL}, {"geth answer", GETH}};

static double
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Feeds a message in the pieces that `cut` makes of it; returns the heads read. */
static unsigned
message(struct http1 *h, const uint8_t *p, uint32_t n, uint32_t cut)
{
	unsigned read = 0;
	for (uint32_t at = 0; at < n;) {
		uint32_t to = at < cut && cut < n ? cut : n;
		while (at < to) {
			struct framer_out out;
			at += http1_feed(h, 0, (struct span){p + at, to - at}, &out);
			read += out.verdict == FRAMER_MESSAGE;
		}
	}
	return read;
}

static double
best(const char *head, uint32_t body, uint32_t cut, unsigned runs)
{
	static uint8_t buf[4096];
	static struct http1 h;
	uint32_t n = (uint32_t)strlen(head);
	memcpy(buf, head, n);
	memset(buf + n, 'x', body);
	const unsigned rounds = 2000;
	double least = 1e30;
	for (unsigned k = 0; k < runs; k++) {
		unsigned read = 0;
		http1_init(&h, false);
		double t = now_ns();
		for (unsigned i = 0; i < rounds; i++)
			read += message(&h, buf, n + body, cut);
		t = (now_ns() - t) / rounds;
		if (read != rounds) {
			fprintf(stderr, "%u of %u heads read\n", read, rounds);
			exit(1);
		}
		least = t < least ? t : least;
	}
	return least;
}

int
main(int argc, char **argv)
{
	unsigned runs = argc > 1 ? (unsigned)atoi(argv[1]) : 500;
	printf("%-12s %6s %12s %14s %14s\n", "client", "bytes", "ns/message", "head|body", "cut in a line");
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		uint32_t n = (uint32_t)strlen(heads[i].head);
		printf("%-12s %6u %12.1f %14.1f %14.1f\n", heads[i].name, n,
			best(heads[i].head, 300, UINT32_MAX, runs), best(heads[i].head, 300, n, runs),
			best(heads[i].head, 300, n / 2, runs));
	}
	return 0;
}
