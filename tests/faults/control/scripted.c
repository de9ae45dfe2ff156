/* SPDX-License-Identifier: BSD-3-Clause */
/* scripted: the dataplane's end of the rings and the channel, told on standard input what to publish.
 *
 * usage: scripted --channel PATH
 * A line of input is one record, words KEY=VALUE: lane (0 critical, 1 normal), numbers (decimal or 0x), or
 * bytes in hex without 0x. The line "done" says source_done; the end of the input ends it. What control sends
 * of its memory is printed, a line of JSON a page:
 * {"memory":N,"armed":[{...}],"incidents":[{...}]}; each record published as {"published":"<id>"}; the
 * attachment as {"attached":N}. */
#include "abi/event.h"
#include "abi/ring.h"
#include "abi/shm.h"
#include "abi/stats.h"
#include "io/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct box {
	struct ring_producer ring[LANE_COUNT];
	struct stats_page *stats;
	struct attach attach;
	struct attach_offer offer;
	uint64_t attached;
};

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec ts;
	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static const struct {
	const char *name;
	size_t at, size;
	bool hex;
} fields[] = {
#define NUMBER(name, field)                                                                                  \
	{                                                                                                    \
		name, offsetof(struct alert_record, field), sizeof(((struct alert_record *)0)->field), false \
	}
#define BYTES(name, field)                                                                                  \
	{                                                                                                   \
		name, offsetof(struct alert_record, field), sizeof(((struct alert_record *)0)->field), true \
	}
	NUMBER("kind", kind), NUMBER("grade", grade), NUMBER("wanted", grade_wanted), NUMBER("class", class_),
	NUMBER("has", has), NUMBER("trust", trust), NUMBER("chain", chain_id), NUMBER("nonce", nonce),
	NUMBER("gas", gas), NUMBER("lacks", lacks), NUMBER("reasons", reasons),
	NUMBER("providers", providers), NUMBER("score", score), NUMBER("ending", ending),
	NUMBER("protocols", n_protocols), NUMBER("rule", rule_id), NUMBER("node", node), BYTES("hash", hash),
	BYTES("from", from), BYTES("to", to), BYTES("value", value), BYTES("fee", fee_cap),
	BYTES("dedupekey", dedupekey), BYTES("armed", armed), BYTES("protocol", protocols[0]),
	BYTES("touches", touches)};

static bool
take_hex(const char *text, uint8_t *out, size_t n)
{
	if (strlen(text) != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned byte;
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		out[i] = (uint8_t)byte;
	}
	return true;
}

static bool
take_word(struct alert_record *r, unsigned *lane, char *word)
{
	char *value = strchr(word, '=');
	if (value == NULL)
		return false;
	*value++ = '\0';
	uint64_t v = strtoull(value, NULL, 0);
	if (strcmp(word, "lane") == 0) {
		*lane = v != 0;
		return true;
	}
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (strcmp(word, fields[i].name) != 0)
			continue;
		uint8_t *at = (uint8_t *)r + fields[i].at;
		if (fields[i].hex)
			return take_hex(value, at, fields[i].size);
		memcpy(at, &v, fields[i].size); /* little-endian hosts, as all of this */
		return true;
	}
	return false;
}

static int
publish(struct box *b, char *line)
{
	static const uint8_t evidence[] = {0x02, 0xf8, 0x01};
	struct alert_record r = {.kind = ALERT_KIND_ALERT,
		.grade = GRADE_PAGE,
		.grade_wanted = GRADE_PAUSE,
		.severity = SEVERITY_HIGH,
		.class_ = CLASS_FLASH_LOAN,
		.carrier = CARRIER_HTTP_JSONRPC,
		.generation = 7,
		.rule_id = 1001,
		.rule_rev = 1,
		.has = HAS_HASH | HAS_FROM | HAS_TO | HAS_NONCE,
		.raw_len = 300,
		.t_wire_ns = now_ns(CLOCK_REALTIME)};
	unsigned lane = LANE_NORMAL;
	r.t_emitted_ns = r.t_wire_ns;
	for (char *rest, *word = strtok_r(line, " \n", &rest); word != NULL;
		word = strtok_r(NULL, " \n", &rest)) {
		if (!take_word(&r, &lane, word)) {
			fprintf(stderr, "scripted: what is %s?\n", word);
			return -1;
		}
	}
	b->stats->lcore[1].c[CTR_FINDINGS]++;
	b->stats->lcore[1].c[CTR_ALERTS]++;
	if (ring_publish(&b->ring[lane], &r, (struct span){evidence, sizeof evidence}) != 0)
		return -1;
	b->stats->lcore[1].c[CTR_RING_PUBLISHED]++;
	char id[64];
	event_id(b->offer.epoch, lane, r.seq, id);
	printf("{\"published\":\"%s\"}\n", id);
	return 0;
}

static void
print_hex(const char *name, const uint8_t *p, size_t n)
{
	printf("\"%s\":\"", name);
	for (size_t i = 0; i < n; i++)
		printf("%02x", p[i]);
	printf("\"");
}

static void
take_memory(void *ctx, const struct memory_page *p, size_t bytes)
{
	const struct memory_armed *a = memory_armed(p);
	const struct memory_incident *live = memory_incidents(p);
	(void)ctx;
	printf("{\"memory\":%" PRIu64 ",\"armed\":[", p->number);
	for (uint32_t i = 0; i < p->n_armed; i++) {
		printf("%s{", i ? "," : "");
		print_hex("address", a[i].address, 20);
		printf(",\"flags\":%" PRIu32 ",\"score\":%" PRIu32 ",\"chain\":%" PRIu64
		       ",\"protected\":%" PRIu32 ",",
			a[i].flags, a[i].score, a[i].chain_id, a[i].n_protected);
		print_hex("deployer", a[i].deployer, 20);
		printf("}");
	}
	printf("],\"incidents\":[");
	for (uint32_t i = 0; i < p->n_incidents; i++) {
		printf("%s{", i ? "," : "");
		print_hex("dedupekey", live[i].dedupekey, 32);
		printf(",\"grade\":%u,\"seq\":%" PRIu64 ",\"ending\":%u,\"hashes\":%u}", live[i].grade,
			live[i].seq, live[i].ending, live[i].n_hashes);
	}
	printf("]}\n");
	memory_unmap(p, bytes);
}

static int
open_box(struct box *b, const char *channel)
{
	static const char bundle[] = "no rules";
	char err[256];
	if (getrandom(b->offer.epoch, sizeof b->offer.epoch, 0) != sizeof b->offer.epoch)
		return -1;
	b->stats = stats_create(&b->offer.stats_fd);
	b->offer.bundle_fd = shm_create_fixed("bundle", bundle, sizeof bundle);
	b->offer.bundle_bytes = sizeof bundle;
	b->offer.generation = 7;
	b->offer.memory = take_memory;
	if (b->stats == NULL || b->offer.bundle_fd < 0)
		return -1;
	memcpy(b->stats->epoch, b->offer.epoch, sizeof b->stats->epoch);
	b->stats->lcores = 2;
	b->stats->lcore[1].role = STATS_ROLE_CORRELATOR;
	b->stats->started_ns = now_ns(CLOCK_REALTIME);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		if (ring_create(&b->ring[i], b->offer.epoch, i, (enum ring_lane)i, 4096, 1u << 22) != 0)
			return -1;
	b->offer.rings = b->ring;
	b->offer.n_rings = LANE_COUNT;
	if (attach_open(&b->attach, channel, err, sizeof err) == 0)
		return 0;
	fprintf(stderr, "scripted: %s\n", err);
	return -1;
}

/* 1: go on; 0: the end; -1: wrong. */
static int
take_input(struct box *b)
{
	static char buf[1 << 16];
	static size_t n;
	ssize_t got = read(STDIN_FILENO, buf + n, sizeof buf - 1 - n);
	if (got == 0)
		return 0;
	if (got < 0)
		return errno == EAGAIN ? 1 : -1;
	n += (size_t)got;
	for (char *end; (end = memchr(buf, '\n', n)) != NULL;) {
		*end = '\0';
		if (strcmp(buf, "done") == 0)
			__atomic_store_n(&b->stats->source_done, 1, __ATOMIC_RELEASE);
		else if (publish(b, buf) != 0)
			return -1;
		size_t used = (size_t)(end + 1 - buf);
		memmove(buf, end + 1, n - used);
		n -= used;
	}
	return 1;
}

int
main(int argc, char **argv)
{
	static struct box b;
	int rc = 1;
	if (argc != 3 || strcmp(argv[1], "--channel") != 0) {
		fputs("usage: scripted --channel PATH\n", stderr);
		return 2;
	}
	if (open_box(&b, argv[2]) != 0)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	while (rc == 1) {
		attach_poll(&b.attach, &b.offer, now_ns(CLOCK_MONOTONIC));
		if (b.attach.attached != b.attached) {
			b.attached = b.attach.attached;
			printf("{\"attached\":%" PRIu64 "}\n", b.attached);
		}
		atomic_store(&b.stats->lcore[0].heartbeat_ns, now_ns(CLOCK_REALTIME));
		rc = take_input(&b);
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	attach_close(&b.attach);
	return rc == 0 ? 0 : 1;
}
