/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/apply.h"

#include "abi/channel.h"
#include "io/profile.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TAKE_NS 1000000
#define TAKE_TURNS 100u

/* ---- what is told ---- */

static void
digest_of(const char *text, size_t n, uint8_t digest[32])
{
	struct sha256_ctx sha;
	sha256_init(&sha);
	sha256_update(&sha, n, (const uint8_t *)text);
	sha256_digest(&sha, SHA256_DIGEST_SIZE, digest);
}

static void
tell_start(struct stats_profile *page, const char *path)
{
	char *text = malloc(PROFILE_BYTES_MAX);
	FILE *f = fopen(path, "re");
	if (f != NULL && text != NULL) {
		digest_of(text, fread(text, 1, PROFILE_BYTES_MAX, f), page->started);
		memcpy(page->runs, page->started, sizeof page->runs);
		char *whole = realpath(path, NULL);
		snprintf(page->path, sizeof page->path, "%s", whole != NULL ? whole : path);
		free(whole);
	}
	if (f != NULL)
		fclose(f);
	free(text);
}

static void
tell_change(struct apply *a, const char *text, size_t n, uint32_t waiting)
{
	struct stats_profile *p = a->page;
	struct timespec now;
	if (p == NULL)
		return;
	__atomic_store_n(&p->changing, p->changing + 1, __ATOMIC_RELAXED);
	atomic_thread_fence(memory_order_release);
	digest_of(text, n, p->runs);
	clock_gettime(CLOCK_REALTIME, &now);
	p->applied_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	p->waiting = waiting;
	__atomic_store_n(&p->changing, p->changing + 1, __ATOMIC_RELEASE);
}

/* A list that grows by names while they fit. */
struct names {
	char *out;
	size_t at, cap;
	unsigned n;
	bool full;
};

static void
put_name(struct names *l, const char *key, const char *name)
{
	size_t left = l->cap - l->at;
	int n = l->n == 0 ? snprintf(l->out + l->at, left, "%s=%s", key, name) : snprintf(l->out + l->at, left, ",%s", name);
	l->full |= n < 0 || (size_t)n + 1 >= left; /* with its newline */
	if (l->full) {
		l->out[l->at] = '\0';
		return;
	}
	l->at += (size_t)n;
	l->n++;
}

static void
end_names(struct names *l)
{
	if (l->n > 0) {
		l->out[l->at++] = '\n';
		l->out[l->at] = '\0';
	}
	l->n = 0;
}

__attribute__((format(printf, 3, 4))) static int
refuse(char *said, size_t cap, const char *format, ...)
{
	va_list ap;
	int n = snprintf(said, cap, "error=");
	va_start(ap, format);
	if (n > 0 && (size_t)n < cap)
		vsnprintf(said + n, cap - (size_t)n, format, ap);
	va_end(ap);
	for (char *c = said; *c != '\0'; c++) /* what is quoted of the text */
		*c = (unsigned char)*c < ' ' ? ' ' : *c;
	return CHANNEL_REFUSED;
}

/* ---- set up ---- */

void
apply_init(struct apply *a, const struct topology *base, const struct topology *is, uint32_t cpus, const char *path, struct stats_profile *page)
{
	memset(a, 0, sizeof *a);
	a->base = *base;
	a->is = *is;
	a->cpus = cpus;
	a->page = page;
	if (path != NULL && page != NULL)
		tell_start(page, path);
}

void
apply_worker(struct apply *a, struct worker *w)
{
	a->worker[a->workers++] = w;
}

void
apply_with(struct apply *a, enum profile_part part, apply_part fn, void *ctx)
{
	a->part[part].fn = fn;
	a->part[part].ctx = ctx;
}

/* ---- feeds ---- */

static bool
all_have(const struct apply *a, const struct feeds *feeds)
{
	for (uint32_t i = 0; i < a->workers; i++)
		if (!worker_feeds_taken(a->worker[i], feeds))
			return false;
	return true;
}

static bool
settled(const struct apply *a)
{
	return a->used == NULL || all_have(a, a->used);
}

static void
publish(struct apply *a, const struct feeds *want)
{
	struct feeds *next = a->used == &a->table[0] ? &a->table[1] : &a->table[0];
	*next = *want;
	a->used = next;
	for (uint32_t i = 0; i < a->workers; i++)
		worker_feeds(a->worker[i], next);
	for (unsigned i = 0; i < TAKE_TURNS && !settled(a); i++)
		nanosleep(&(struct timespec){.tv_nsec = TAKE_NS}, NULL);
}

/* ---- a profile ---- */

static bool
can(const struct apply *a, enum profile_part part)
{
	return part == PROFILE_FEEDS || (part != PROFILE_RESTART && a->part[part].fn != NULL);
}

/* What will run: what takes a restart is as it was. */
static const struct topology *
mixed(const struct apply *a, const struct topology *want)
{
	static struct topology t; /* the main lcore's alone */
	unsigned n;
	const struct profile_field *f = profile_fields(&n);
	t = a->is;
	for (unsigned i = 0; i < n; i++)
		if (can(a, f[i].part))
			profile_copy(&f[i], &t, want);
	return &t;
}

/* 0, or the sentence why not is in err. *parts: bit per part that has something to take up. */
static int
look(const struct apply *a, const struct topology *want, unsigned *parts, char *err, size_t cap)
{
	unsigned n;
	const struct profile_field *f = profile_fields(&n);
	*parts = 0;
	for (unsigned i = 0; i < n; i++)
		if (can(a, f[i].part) && profile_differ(&f[i], &a->is, want))
			*parts |= 1u << f[i].part;
	for (unsigned p = PROFILE_FEEDS + 1; p < PROFILE_PARTS; p++) {
		if (!(*parts >> p & 1))
			continue;
		int rc = a->part[p].fn(a->part[p].ctx, mixed(a, want), false, err, cap);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static void
take_up(struct apply *a, const struct topology *want, unsigned parts)
{
	if (parts >> PROFILE_FEEDS & 1)
		publish(a, &want->feeds);
	for (unsigned p = PROFILE_FEEDS + 1; p < PROFILE_PARTS; p++)
		if (parts >> p & 1)
			a->part[p].fn(a->part[p].ctx, want, true, NULL, 0);
}

/* Returns how many fields wait for a restart. */
static uint32_t
say(struct apply *a, const struct topology *want, char *said, size_t cap)
{
	unsigned n;
	const struct profile_field *f = profile_fields(&n);
	struct names list = {.out = said, .cap = cap};
	uint32_t waiting = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!can(a, f[i].part) || !profile_differ(&f[i], &a->is, want))
			continue;
		put_name(&list, "applied", f[i].name);
		profile_copy(&f[i], &a->is, want);
	}
	end_names(&list);
	for (unsigned i = 0; i < n; i++) {
		if (!profile_differ(&f[i], &a->is, want))
			continue;
		put_name(&list, "restart", f[i].name);
		waiting++;
	}
	end_names(&list);
	return waiting;
}

int
apply_profile(void *apply, const char *text, size_t n, char *said, size_t cap)
{
	struct apply *a = apply;
	static struct topology want; /* the main lcore's alone */
	char err[512] = "";
	unsigned parts;
	said[0] = '\0';
	want = a->base;
	if (n > PROFILE_BYTES_MAX)
		return refuse(said, cap, "a profile has at most %u bytes", PROFILE_BYTES_MAX);
	if (profile_parse("profile", text, n, &want, err, sizeof err) != 0 || topology_check(&want, a->cpus, err, sizeof err) != 0)
		return refuse(said, cap, "%s", err[0] != '\0' ? err : "no memory");
	if (a->from_file && want.ports > 0)
		return refuse(said, cap, "this dataplane reads a capture (--source): take the ports out of the profile");
	if (!a->from_file && want.ports == 0)
		return refuse(said, cap, "the profile names no ports: there would be nothing to read");
	if (look(a, &want, &parts, err, sizeof err) != 0)
		return refuse(said, cap, "%s", err);
	if (!settled(a))
		return refuse(said, cap, "a worker has not taken up the profile before yet; try again, and look at `sentinelctl status` if that stays");
	take_up(a, mixed(a, &want), parts);
	uint32_t waiting = say(a, &want, said, cap);
	tell_change(a, text, n, waiting);
	return waiting > 0 ? CHANNEL_PARTLY : CHANNEL_OK;
}
