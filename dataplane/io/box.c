/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/box.h"

#include "abi/event.h"
#include "detect/ruleset_event.h"
#include "eth/tx.h"
#include "io/keylog.h"
#include "io/lifeline.h"
#include "io/txobj.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define INCIDENTS 16384u
#define LIVES 65536u
#define KEPT_BYTES (32ull << 20)
#define ARMED 16384u
#define IN_FLIGHT 65536u
#define HUGE_BYTES ((size_t)2 << 20)

/* Large tables lie on huge pages where the system gives them: looking a transaction up must not cost a page walk. */
void *
box_alloc(size_t bytes)
{
	size_t align = bytes >= HUGE_BYTES ? HUGE_BYTES : 64, n = (bytes + align - 1) & ~(align - 1);
	void *p = aligned_alloc(align, n ? n : 64);
	if (p == NULL)
		return NULL;
	if (align == HUGE_BYTES)
		madvise(p, n, MADV_HUGEPAGE);
	memset(p, 0, bytes);
	return p;
}

const struct protect *
box_protect(const struct protocols *p, void *(*alloc)(size_t))
{
	static uint8_t addresses[PROTOCOLS_ADDRESSES_MAX][20];
	errno = 0;
	if (p == NULL || p->n_addresses == 0)
		return NULL;
	for (uint32_t i = 0; i < p->n_addresses; i++)
		memcpy(addresses[i], p->address[i].address, 20);
	void *mem = alloc(protect_bytes());
	if (mem == NULL)
		errno = ENOMEM;
	return mem != NULL ? protect_init(mem, addresses, p->n_addresses) : NULL;
}

static int
read_file(const char *path, uint8_t **bytes, size_t *n)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = fstat(fd, &st) != 0	       ? -errno
		 : !S_ISREG(st.st_mode)	       ? -EINVAL
		 : st.st_size > BUNDLE_BYTES_MAX ? -EFBIG
						 : 0;
	size_t want = rc == 0 ? (size_t)st.st_size : 0, got = 0;
	*bytes = rc == 0 ? aligned_alloc(64, (want + 64) & ~(size_t)63) : NULL;
	if (rc == 0 && *bytes == NULL)
		rc = -ENOMEM;
	while (rc == 0 && got < want) {
		ssize_t k = read(fd, *bytes + got, want - got);
		if (k <= 0)
			rc = k < 0 ? -errno : -EIO;
		else
			got += (size_t)k;
	}
	close(fd);
	*n = got;
	return rc;
}

static bool
vector_holds(struct detect *d, const struct ruleset *r, uint32_t i, const char **why)
{
	static uint8_t raw[TX_BYTES_MAX + 4096];
	static char err[256];
	uint32_t rule;
	bool expect;
	struct span text;
	struct rule_facts facts;
	ruleset_vector(r, i, &rule, &expect, &text);
	ruleset_vector_facts(r, i, &facts);
	*why = expect ? "should match and does not" : "should not match and does";
	if (text.len == 0)
		return ruleset_event_holds(r, rule, &facts) == expect;
	int n = txobj_parse((const char *)text.p, text.len, raw, sizeof raw, err, sizeof err);
	struct tx t;
	if (n < 0 || tx_decode((struct span){raw, (uint32_t)n}, &t) != 0) {
		*why = n < 0 ? err : "does not decode";
		return false;
	}
	struct finding f[DETECT_FINDINGS_MAX];
	detect_facts(d, &facts);
	int hits = detect_tx(d, &t, (uint32_t)facts.number[SCALAR_BUNDLE_LEN], f);
	detect_facts(d, NULL);
	bool found = false;
	for (int k = 0; k < hits; k++)
		found |= f[k].rule_index == rule;
	return hits >= 0 && found == expect;
}

unsigned
bundle_check(const struct ruleset *r, FILE *out)
{
	unsigned failed = 0;
	struct detect *d = detect_new(r);
	if (d == NULL) {
		fprintf(out, "cannot make a matcher: %s\n", strerror(errno));
		return 1;
	}
	for (uint32_t i = 0; i < ruleset_vectors(r); i++) {
		const char *why;
		if (vector_holds(d, r, i, &why))
			continue;
		uint32_t rule;
		bool expect;
		struct span text;
		struct ruleset_rule meta;
		ruleset_vector(r, i, &rule, &expect, &text);
		ruleset_rule(r, rule, &meta);
		fprintf(out, "rule %u (%s): vector %u %s: %.*s\n", meta.id, meta.name, i, why,
			(int)(text.len < 200 ? text.len : 200), (const char *)text.p);
		failed++;
	}
	detect_free(d);
	return failed;
}

int
bundle_load(struct bundle_file *b, const char *path, bool unchecked)
{
	char err[512];
	memset(b, 0, sizeof *b);
	int rc = read_file(path, &b->bytes, &b->n);
	if (rc != 0) {
		fprintf(stderr, "sentinel-dataplane: cannot read the rule bundle %s: %s (sentinel-rulec compile makes one)\n", path,
			rc == -EINVAL ? "not a regular file" : strerror(-rc));
		free(b->bytes);
		return rc;
	}
	b->rules = ruleset_load((struct span){b->bytes, (uint32_t)b->n}, err, sizeof err);
	if (b->rules == NULL) {
		fprintf(stderr, "sentinel-dataplane: rule bundle %s refused: %s (sentinel-rulec compile makes one)\n", path, err);
		free(b->bytes);
		return -EPROTO;
	}
	unsigned failed = unchecked ? 0 : bundle_check(b->rules, stderr);
	if (failed) {
		fprintf(stderr, "sentinel-dataplane: rule bundle %s refused: %u of its vectors fail\n", path, failed);
		bundle_unload(b);
		return -EPROTO;
	}
	return 0;
}

void
bundle_unload(struct bundle_file *b)
{
	ruleset_free(b->rules);
	free(b->bytes);
	b->rules = NULL;
	b->bytes = NULL;
}

static int
print_alert(void *ctx, struct alert_record *r, enum ring_lane lane, struct span evidence)
{
	struct box *b = ctx;
	static const uint8_t epoch[8];
	struct ruleset_rule rule;
	ruleset_rule(b->rules, r->rule_index, &rule);
	r->seq = ++b->seq[lane];
	struct event_context x = {
		.source = "urn:sentinel:offline",
		.epoch = epoch,
		.ring_id = lane,
		.durable = false,
		.deterministic = true,
		.rule = {rule.id, rule.rev, rule.name},
	};
	int n = event_alert(b->line, EVENT_BYTES_MAX, &x, r, evidence);
	if (n < 0 || printf("{\"event\":\"alert\",\"alert\":%.*s}\n", n, b->line) < 0) {
		if (b->error == 0)
			b->error = n < 0 ? -n : errno;
		b->lost++;
		b->stats->lcore[0].c[CTR_RING_LOST_FULL]++;
		return -ENOBUFS;
	}
	b->printed++;
	b->stats->lcore[0].c[CTR_RING_PUBLISHED]++;
	return 0;
}

/* A worker never gives its memory back; the box it was made for does. */
static _Thread_local struct box *making;

static void *
alloc_for_worker(size_t bytes)
{
	if (making->n_memory == BOX_MEMORY_MAX)
		return NULL;
	void *p = box_alloc(bytes);
	if (p != NULL)
		making->memory[making->n_memory++] = p;
	return p;
}

static struct worker *
make_worker(struct box *b, const struct topology *profile)
{
	struct worker_config c;
	worker_config_default(&c);
	c.stream.flows_max = 1u << 18;
	if (profile != NULL)
		c.feeds = profile->feeds;
	c.protect = b->protect;
	c.rlpx_search_at_once = true;
	c.code_all = true;
	c.pipe_bytes = 32u << 20; /* a burst of nothing but longest findings must fit */
	making = b;
	struct worker *w = worker_new(&c, b->rules, b->stats->lcore[0].c, alloc_for_worker);
	making = NULL;
	return w;
}

static void
print_life(void *ctx, enum life_event_kind kind, const struct life_tx *t, const struct life_block *block)
{
	const struct box *b = ctx;
	if (b->print_lives)
		lifeline_print(stdout, b->lives.life, kind, t, block, b->lives.now_ns);
}

void
box_print_lives(struct box *b)
{
	b->print_lives = b->lives.senders = true;
}

static bool
make_lives(struct box *b)
{
	struct lives_config c = {.n_txs = LIVES, .event = correlator_life, .ctx = &b->correlator};
	b->lives_memory = box_alloc(lives_bytes(&c));
	if (b->lives_memory == NULL)
		return false;
	lives_init(&b->lives, b->lives_memory, &c, b->stats->lcore[0].c);
	return true;
}

/* The key is the same in every run, so that the same input gives the same alerts. */
static bool
make_correlator(struct box *b)
{
	struct correlator_config c = {.rules = b->rules, .counters = b->stats->lcore[0].c, .outlet = print_alert, .outlet_ctx = b, .key = {1},
		.incidents = INCIDENTS, .kept_bytes = KEPT_BYTES, .armed_pending = ARMED, .armed_kept = ARMED, .in_flight = IN_FLIGHT,
		.protect = b->protect, .lives = &b->lives, .patient = true, .each = true};
	b->correlator_memory = box_alloc(correlator_bytes(&c));
	if (b->correlator_memory == NULL)
		return false;
	correlator_init(&b->correlator, b->correlator_memory, &c);
	b->correlator.listener = print_life;
	b->correlator.listener_ctx = b;
	return true;
}

struct box *
box_new(const struct ruleset *rules, const struct topology *profile)
{
	struct box *b = calloc(1, sizeof *b);
	if (b == NULL)
		return NULL;
	b->rules = rules;
	b->protect = profile != NULL ? box_protect(&profile->protocols, box_alloc) : NULL;
	b->stats = box_alloc(sizeof *b->stats);
	b->line = malloc(EVENT_BYTES_MAX);
	if (b->stats == NULL || b->line == NULL || !make_lives(b) || !make_correlator(b)) {
		box_free(b);
		errno = ENOMEM;
		return NULL;
	}
	b->stats->lcores = 1;
	b->stats->ports = 1;
	b->stats->counters = CTR_COUNT;
	b->worker = make_worker(b, profile);
	if (b->worker == NULL) {
		int e = errno;
		box_free(b);
		errno = e;
		return NULL;
	}
	correlator_add(&b->correlator, worker_pipe(b->worker));
	return b;
}

static void
complain(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "sentinel-dataplane: %s\n", text);
}

int
box_keys(struct box *b, const char *path)
{
	struct keylog log;
	uint64_t seed;
	int rc = getrandom(&seed, sizeof seed, 0) == sizeof seed ? keylog_open(&log, path, RLPX_KEYS_MAX, complain, NULL) : -EIO;
	if (rc != 0)
		return rc;
	b->keys = keylog_table(&log, seed);
	keylog_close(&log);
	if (b->keys == NULL)
		return -ENOMEM;
	worker_keys(b->worker, b->keys);
	return 0;
}

void
box_free(struct box *b)
{
	if (b->worker != NULL)
		worker_delete(b->worker);
	for (unsigned i = 0; i < b->n_memory; i++)
		free(b->memory[i]);
	free(b->correlator_memory);
	free((void *)(uintptr_t)b->protect);
	free(b->lives_memory);
	if (b->keys != NULL)
		explicit_bzero(b->keys, rlpx_keys_bytes(rlpx_keys_count(b->keys)));
	free(b->keys);
	free(b->stats);
	free(b->line);
	free(b);
}

void
box_drain(struct box *b)
{
	while (correlator_poll(&b->correlator, 64, 0) > 0)
		;
}

void
box_finish(struct box *b)
{
	box_drain(b);
	correlator_finish(&b->correlator, 0);
}

static void
print_lower(FILE *out, const char *name)
{
	for (; *name; name++)
		fputc(tolower((unsigned char)*name), out);
}

uint64_t
box_summary(const struct box *b, FILE *out)
{
	struct identity id[IDENTITIES];
	struct identity_delivery d = {.journaled = b->printed, .lost = b->lost};
	uint64_t off = 0;
	identities_evaluate(b->stats, &d, id);
	fputs("{\"event\":\"summary\",\"counters\":{", out);
	const char *comma = "";
	for (unsigned i = 0; i < CTR_COUNT; i++) {
		fprintf(out, "%s\"", comma);
		print_lower(out, counter_infos[i].name);
		fprintf(out, "\":\"%llu\"", (unsigned long long)stats_sum(b->stats, (enum sentinel_counter)i));
		comma = ",";
	}
	fputs("},\"identities\":{", out);
	for (unsigned i = 0; i < IDENTITIES; i++) {
		fprintf(out, "%s\"%s\":{\"left\":\"%llu\",\"right\":\"%llu\",\"residual\":\"%lld\"}", i ? "," : "", id[i].name,
			(unsigned long long)id[i].left, (unsigned long long)id[i].right, (long long)id[i].residual);
		off += (uint64_t)llabs((long long)id[i].residual);
	}
	fputs("}", out);
	if (b->lines > 0)
		fprintf(out, ",\"lines\":\"%llu\",\"bad_lines\":\"%llu\"", (unsigned long long)b->lines,
			(unsigned long long)b->bad_lines);
	fprintf(out, ",\"residual\":\"%llu\",\"generation\":\"%llu\"}\n", (unsigned long long)off,
		(unsigned long long)ruleset_generation(b->rules));
	return off;
}
