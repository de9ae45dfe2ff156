/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/blind.h"

#include "abi/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC 0x31444e494c424553ull /* "SEBLIND1" */
#define PAGE_BYTES 4096
#define KEEP_EVERY_NS 20000000

static uint64_t
load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static void
store(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static void
keep(struct blind *b)
{
	store(&b->page->alive_ns, atomic_load_explicit(&b->alive_ns, memory_order_relaxed));
	store(&b->page->seen_ns, atomic_load_explicit(&b->seen_ns, memory_order_relaxed));
}

static void *
keeper(void *blind)
{
	struct blind *b = blind;
	while (atomic_load_explicit(&b->keeping, memory_order_relaxed)) {
		keep(b);
		nanosleep(&(struct timespec){.tv_nsec = KEEP_EVERY_NS}, NULL);
	}
	return NULL;
}

int
blind_open(struct blind *b, const char *dir, uint64_t now_ns)
{
	char path[4096];
	memset(b, 0, sizeof *b);
	b->page = &b->alone;
	b->started_ns = now_ns;
	if ((size_t)snprintf(path, sizeof path, "%s/blind", dir) >= sizeof path)
		return -ENAMETOOLONG;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	/* its blocks are taken now: a store to a page of a full disk would kill */
	int rc = posix_fallocate(fd, 0, PAGE_BYTES);
	void *p = rc == 0 ? mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
	rc = rc != 0 ? -rc : p == MAP_FAILED ? -errno : 0;
	close(fd);
	if (rc != 0)
		return rc;
	b->page = p;
	b->kept = true;
	if (b->page->magic != MAGIC) {
		memset(b->page, 0, sizeof *b->page);
		b->page->magic = MAGIC;
	}
	b->before_ns = b->page->alive_ns;
	atomic_store(&b->alive_ns, b->page->alive_ns);
	atomic_store(&b->seen_ns, b->page->seen_ns);
	atomic_store(&b->keeping, true);
	rc = pthread_create(&b->keeper, NULL, keeper, b);
	if (rc != 0)
		atomic_store(&b->keeping, false);
	return -rc;
}

void
blind_close(struct blind *b)
{
	if (atomic_exchange(&b->keeping, false)) {
		pthread_join(b->keeper, NULL);
		keep(b);
	}
	if (b->kept)
		munmap(b->page, PAGE_BYTES);
	b->page = &b->alone;
	b->kept = false;
}

/* Until when a dataplane certainly judged: its word at an orderly end, else what the slowest of its workers last said. */
static uint64_t
judged_until(const struct stats_page *s)
{
	uint64_t until = 0, ended = load(&s->ended_ns);
	uint32_t n = __atomic_load_n(&s->lcores, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < n && i < STATS_LCORES_MAX; i++) {
		const struct stats_lcore *l = &s->lcore[i];
		uint64_t beat = atomic_load_explicit(&((struct stats_lcore *)(uintptr_t)l)->heartbeat_ns, memory_order_relaxed);
		if (l->role == STATS_ROLE_WORKER && (until == 0 || beat < until))
			until = beat;
	}
	return ended != 0 ? ended : until;
}

static void
add(struct blind *b, enum blind_who who, uint64_t from_ns, uint64_t to_ns, struct journal *j, uint64_t now_ns)
{
	static const char *const names[] = {"dataplane", "control"};
	struct blind_times *t = &b->page->who[who];
	uint64_t ns = to_ns > from_ns ? to_ns - from_ns : 0; /* a clock that was set back tells nothing */
	char detail[192];
	store(&t->count, t->count + 1);
	store(&t->total_ns, t->total_ns + ns);
	store(&t->last_ns, ns);
	store(&t->last_at_ns, to_ns);
	if (ns > t->max_ns)
		store(&t->max_ns, ns);
	LOG(LOG_WARN, "%s was away for %" PRIu64 ".%03u s%s", who == BLIND_DATAPLANE ? "the dataplane" : "sentinel-control",
		ns / 1000000000u, (unsigned)(ns / 1000000u % 1000),
		who == BLIND_DATAPLANE ? ": what crossed meanwhile was not judged" : "; alerts waited in the rings");
	snprintf(detail, sizeof detail, "{\"who\":\"%s\",\"from_ns\":\"%" PRIu64 "\",\"to_ns\":\"%" PRIu64 "\"}", names[who], from_ns, to_ns);
	journal_note(j, now_ns, "blind", detail);
}

void
blind_alive(struct blind *b, const struct stats_page *page, uint64_t now_ns)
{
	atomic_store_explicit(&b->alive_ns, now_ns, memory_order_relaxed);
	if (page != NULL)
		blind_gone(b, page);
}

void
blind_came(struct blind *b, const struct stats_page *page, struct journal *j, uint64_t now_ns)
{
	struct blind_page *p = b->page;
	bool same = memcmp(p->epoch, page->epoch, sizeof p->epoch) == 0;
	uint64_t ready = load(&page->ready_ns);
	if (b->before_ns != 0) /* what came up after this control did was not kept waiting by it */
		add(b, BLIND_CONTROL, b->before_ns, same || ready < b->started_ns ? now_ns : b->started_ns, j, now_ns);
	b->before_ns = 0;
	uint64_t seen_ns = atomic_load_explicit(&b->seen_ns, memory_order_relaxed);
	if (!same && seen_ns != 0)
		add(b, BLIND_DATAPLANE, seen_ns, ready != 0 ? ready : now_ns, j, now_ns);
	memcpy(p->epoch, page->epoch, sizeof p->epoch);
	atomic_store_explicit(&b->seen_ns, judged_until(page), memory_order_relaxed);
}

void
blind_gone(struct blind *b, const struct stats_page *page)
{
	uint64_t until = judged_until(page);
	if (until != 0)
		atomic_store_explicit(&b->seen_ns, until, memory_order_relaxed);
}

static json_t *
times(const struct blind_times *t)
{
	const struct {
		const char *key;
		uint64_t v;
	} fields[] = {{"count", load(&t->count)}, {"total_ms", load(&t->total_ns) / 1000000u}, {"last_ms", load(&t->last_ns) / 1000000u},
		{"max_ms", load(&t->max_ns) / 1000000u}, {"last_at_ns", load(&t->last_at_ns)}};
	json_t *o = json_object();
	char text[24];
	for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		snprintf(text, sizeof text, "%" PRIu64, fields[i].v);
		json_object_set_new(o, fields[i].key, json_string(text));
	}
	return o;
}

json_t *
blind_status(const struct blind *b)
{
	return json_pack("{s:o,s:o,s:b}", "dataplane", times(&b->page->who[BLIND_DATAPLANE]), "control", times(&b->page->who[BLIND_CONTROL]), "kept",
		b->kept);
}
