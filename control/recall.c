/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/recall.h"

#include "abi/log.h"
#include "abi/shm.h"
#include "control/cond.h"
#include "control/control.h"
#include "control/journal_read.h"

#include <jansson.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS 20
#define EVENTS_A_TURN 256u /* then others get at the lock */
#define KEEP_EVERY_NS 200000000u
#define AGE_EVERY_NS 10000000000u
#define AGE_BUDGET 4096u
#define PAGE_PATIENCE_NS 2000000000u /* then a dataplane gets what is known so far */
#define TRY_AGAIN_NS 5000000000u

struct recall {
	struct journal *j;
	struct journal_reader *reader;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	_Atomic bool stop, wanted;
	_Atomic uint64_t want_until; /* cursor */
	/* under the lock */
	struct recall_table table;
	struct recall_store store;
	struct recall_kept kept;
	struct journal_event event;
	bool changed, page_due, failing, said;
	uint64_t version,
		version_failed; /* changes of the watch list; those up to here could not be written */
	uint64_t keep_at_ns, age_at_ns, page_since_ns, pages;
	/* the page that waits to be fetched */
	pthread_mutex_t page_lock;
	_Atomic bool page_ready;
	int page_fd;
	uint64_t page_number, page_bytes;
};

/* ---- following the journal; under the lock ---- */

/* true: there is more. */
static bool
follow(struct recall *r)
{
	unsigned n = 0;
	while (n < EVENTS_A_TURN && r->kept.cursor < journal_head(r->j)) {
		uint64_t at = r->kept.cursor;
		int rc = journal_read(r->reader, &at, 1, &r->event);
		if (rc == -ESTALE)
			at = journal_floor(r->j); /* retired before it was read: nothing is known of it */
		else if (rc < 0)
			return false;
		if (rc == 1)
			recall_table_take(&r->table, &r->event);
		if (at == r->kept.cursor)
			return false;
		r->kept.cursor = at;
		r->changed = true;
		n++;
	}
	return n == EVENTS_A_TURN;
}

/* ---- keeping ---- */

static bool
awaits_file(const struct recall *r)
{
	for (uint32_t i = 0; i < r->kept.n_untold; i++)
		if (!r->kept.untold[i].kept)
			return true;
	return r->kept.watch_changed;
}

static void
keep(struct recall *r, uint64_t now_ns)
{
	bool hurry = awaits_file(r) && !r->failing;
	if (!hurry && (!r->changed || now_ns < r->keep_at_ns))
		return;
	uint64_t version = r->version;
	bool durable = awaits_file(r);
	int rc = recall_store_write(&r->store, &r->table, &r->kept, durable);
	r->failing = rc != 0;
	r->keep_at_ns = now_ns + (rc == 0 ? KEEP_EVERY_NS : TRY_AGAIN_NS);
	if (rc == 0) {
		r->changed = false;
		r->said = false;
		return;
	}
	r->version_failed = version;
	if (!r->said && r->store.db != NULL)
		LOG(LOG_WARN, "cannot write %s (%s): what is armed is known to this process "
			"alone until it can (tried every %llu s)",
			r->store.path, r->store.failure, TRY_AGAIN_NS / 1000000000ull);
	r->said = true;
}

/* What is in the file goes into the audit trail, and out of the file once it is there. */
static void
tell(struct recall *r)
{
	struct recall_kept *k = &r->kept;
	uint32_t n = 0;
	for (uint32_t i = 0; i < k->n_untold; i++) {
		struct recall_untold *u = &k->untold[i];
		if (u->ticket == 0 && (u->kept || r->failing))
			u->ticket = journal_note(r->j, u->time_ns, u->kind, u->detail);
		if (u->ticket != 0 && journal_noted(r->j, u->ticket)) {
			r->changed = true;
			continue;
		}
		if (n != i)
			k->untold[n] = *u;
		n++;
	}
	k->n_untold = n;
}

/* ---- pages ---- */

static void
hand_over(struct recall *r, int fd, uint64_t number, uint64_t bytes)
{
	pthread_mutex_lock(&r->page_lock);
	if (r->page_fd >= 0)
		close(r->page_fd);
	r->page_fd = fd;
	r->page_number = number;
	r->page_bytes = bytes;
	atomic_store_explicit(&r->page_ready, true, memory_order_release);
	pthread_mutex_unlock(&r->page_lock);
}

/* Copied under the lock, written outside. */
static void
make_page(struct recall *r)
{
	size_t bytes;
	uint64_t number = ++r->pages;
	void *page = recall_table_page(&r->table, number, control_steady_ns(), &bytes);
	r->page_due = false;
	pthread_mutex_unlock(&r->lock);
	int fd = page != NULL ? shm_create_fixed("sentinel-memory", page, bytes) : -ENOMEM;
	free(page);
	if (fd >= 0)
		hand_over(r, fd, number, bytes);
	else
		LOG(LOG_WARN, "no memory for a memory page: the dataplane goes on with "
				"what it knows");
	pthread_mutex_lock(&r->lock);
}

static bool
page_is_due(struct recall *r, uint64_t now_ns)
{
	if (!atomic_load_explicit(&r->wanted, memory_order_acquire))
		return r->page_due;
	if (r->page_since_ns == 0)
		r->page_since_ns = now_ns;
	if (r->kept.cursor < atomic_load(&r->want_until) && now_ns - r->page_since_ns < PAGE_PATIENCE_NS)
		return false;
	atomic_store(&r->wanted, false);
	r->page_since_ns = 0;
	return true;
}

/* ---- the thread ---- */

static void
nap(struct recall *r)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += TURN_MS * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&r->wake, &r->lock, &until);
}

static void *
rememberer(void *arg)
{
	struct recall *r = arg;
	pthread_mutex_lock(&r->lock);
	while (!atomic_load_explicit(&r->stop, memory_order_relaxed)) {
		bool more = follow(r);
		uint64_t now_ns = control_monotonic_ns();
		if (now_ns >= r->age_at_ns) {
			recall_table_age(&r->table, control_steady_ns(), AGE_BUDGET);
			r->changed |= r->table.armed_pool.n_dirty + r->table.live_pool.n_dirty > 0;
			r->age_at_ns = now_ns + AGE_EVERY_NS;
		}
		keep(r, now_ns);
		tell(r);
		if (page_is_due(r, now_ns))
			make_page(r);
		if (more) {
			pthread_mutex_unlock(&r->lock);
			sched_yield();
			pthread_mutex_lock(&r->lock);
		} else {
			nap(r);
		}
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

void
recall_want_page(struct recall *r)
{
	atomic_store(&r->want_until, journal_head(r->j));
	atomic_store_explicit(&r->wanted, true, memory_order_release);
	pthread_cond_signal(&r->wake);
}

int
recall_page(struct recall *r, uint64_t *number, uint64_t *bytes)
{
	if (!atomic_load_explicit(&r->page_ready, memory_order_acquire))
		return -1;
	pthread_mutex_lock(&r->page_lock);
	int fd = r->page_fd;
	*number = r->page_number;
	*bytes = r->page_bytes;
	r->page_fd = -1;
	atomic_store(&r->page_ready, false);
	pthread_mutex_unlock(&r->page_lock);
	return fd;
}

/* ---- operators' list ---- */

/* Under the lock; there is room. */
static uint64_t
note_change(struct recall *r, const char *kind, const uint8_t address[20], const char *note, uint32_t uid,
	int64_t pid)
{
	struct recall_untold *u = &r->kept.untold[r->kept.n_untold++];
	char hex[41];
	for (unsigned i = 0; i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02x", address[i]);
	json_t *o = json_pack("{s:s+,s:s}", "address", "0x", hex, "note", note);
	char who[24];
	snprintf(who, sizeof who, "%" PRIu64,
		r->kept.last_untold + 1); /* told twice after a crash: the same n */
	json_object_set_new(o, "n", json_string(who));
	snprintf(who, sizeof who, "%" PRIu32, uid);
	json_object_set_new(o, "uid", json_string(who));
	snprintf(who, sizeof who, "%" PRId64, pid);
	json_object_set_new(o, "pid", json_string(who));
	char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	*u = (struct recall_untold){.n = ++r->kept.last_untold, .time_ns = control_wall_ns()};
	snprintf(u->kind, sizeof u->kind, "%s", kind);
	snprintf(u->detail, sizeof u->detail, "%s", text != NULL ? text : "{}");
	free(text);
	json_decref(o);
	r->kept.watch_changed = r->changed = r->page_due = true;
	r->failing = false; /* try at once */
	pthread_cond_signal(&r->wake);
	return r->version = r->kept.last_untold;
}

int
recall_watch_add(struct recall *r, const uint8_t address[20], const char *note, uint32_t uid, int64_t pid,
	uint64_t *version)
{
	static const uint8_t zero[20];
	if (memcmp(address, zero, 20) == 0)
		return -EINVAL;
	pthread_mutex_lock(&r->lock);
	uint64_t now_ns = control_wall_ns();
	int rc = r->kept.n_untold == RECALL_UNTOLD_MAX ? -EAGAIN
						       : recall_table_watch(&r->table, address, now_ns);
	if (rc == 0) {
		struct recall_watch *w = &r->kept.watch[r->kept.n_watch++];
		*w = (struct recall_watch){.added_ns = now_ns, .uid = uid};
		memcpy(w->address, address, sizeof w->address);
		snprintf(w->note, sizeof w->note, "%s", note);
		*version = note_change(r, "watch_added", address, note, uid, pid);
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}

int
recall_watch_remove(struct recall *r, const uint8_t address[20], uint32_t uid, int64_t pid, uint64_t *version)
{
	pthread_mutex_lock(&r->lock);
	int rc = r->kept.n_untold == RECALL_UNTOLD_MAX ? -EAGAIN : recall_table_unwatch(&r->table, address);
	for (uint32_t i = 0; rc == 0 && i < r->kept.n_watch; i++) {
		struct recall_watch *w = &r->kept.watch[i];
		if (memcmp(w->address, address, sizeof w->address) != 0)
			continue;
		memmove(w, w + 1, (--r->kept.n_watch - i) * sizeof *w);
		break;
	}
	if (rc == 0)
		*version = note_change(r, "watch_removed", address, "", uid, pid);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

int
recall_settled(struct recall *r, uint64_t version)
{
	struct journal_status s;
	journal_status_get(r->j, &s);
	pthread_mutex_lock(&r->lock);
	int rc = r->failing && r->version_failed >= version ? -EIO : 1;
	for (uint32_t i = 0; i < r->kept.n_untold && rc == 1; i++) {
		const struct recall_untold *u = &r->kept.untold[i];
		if (u->n == version &&
			(!u->kept || !(s.down || (u->ticket != 0 && journal_noted(r->j, u->ticket)))))
			rc = 0;
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}

uint32_t
recall_watch_list(struct recall *r, struct recall_watch *out)
{
	pthread_mutex_lock(&r->lock);
	uint32_t n = r->kept.n_watch;
	memcpy(out, r->kept.watch, n * sizeof *out);
	pthread_mutex_unlock(&r->lock);
	return n;
}

void
recall_status_get(struct recall *r, struct recall_status *s)
{
	pthread_mutex_lock(&r->lock);
	const struct recall_table *t = &r->table;
	*s = (struct recall_status){.armed = t->armed_pool.count[RECALL_PENDING],
		.included = t->armed_pool.count[RECALL_INCLUDED],
		.operators = t->armed_pool.count[RECALL_OPERATOR],
		.incidents = t->live_pool.count[RECALL_PENDING],
		.cursor = r->kept.cursor,
		.evicted = t->evicted,
		.evicted_included = t->evicted_included,
		.refused = t->refused,
		.aged = t->aged,
		.dropped = t->dropped,
		.incidents_evicted = t->live_evicted,
		.incidents_aged = t->live_aged,
		.pages = r->pages,
		.failures = r->store.failures};
	memcpy(s->failure, r->store.failure, sizeof s->failure);
	pthread_mutex_unlock(&r->lock);
}

/* ---- start and end ---- */

/* Another journal's cursors mean nothing here. */
static void
match_journal(struct recall *r)
{
	if (r->kept.journal_id != journal_id(r->j) || r->kept.cursor > journal_head(r->j))
		r->kept.cursor = 0;
	r->kept.journal_id = journal_id(r->j);
}

struct recall *
recall_start(struct journal *j, const char *dir, char *err, size_t cap)
{
	struct recall *r = calloc(1, sizeof *r);
	uint64_t seed[2];
	if (r == NULL || getrandom(seed, sizeof seed, 0) != sizeof seed) {
		free(r);
		snprintf(err, cap, "no memory");
		return NULL;
	}
	r->j = j;
	r->page_fd = -1;
	pthread_mutex_init(&r->lock, NULL);
	pthread_mutex_init(&r->page_lock, NULL);
	cond_init_steady(&r->wake);
	r->reader = journal_reader_new(j);
	r->kept.watch = calloc(RECALL_WATCH_MAX, sizeof *r->kept.watch);
	bool ok = r->reader != NULL && r->kept.watch != NULL &&
		  recall_table_new(&r->table, MEMORY_ARMED_MAX, MEMORY_INCIDENTS_MAX, seed) == 0;
	if (ok && recall_store_open(&r->store, dir, &r->table, &r->kept, err, cap) != 0)
		LOG(LOG_WARN, "%s: what is armed is known to this process alone", err);
	if (ok) {
		match_journal(r);
		ok = pthread_create(&r->thread, NULL, rememberer, r) == 0;
		r->running = ok;
	}
	if (ok)
		return r;
	snprintf(err, cap, "no memory for what is armed");
	recall_stop(r);
	return NULL;
}

void
recall_stop(struct recall *r)
{
	if (r == NULL)
		return;
	if (r->running) {
		pthread_mutex_lock(&r->lock);
		atomic_store(&r->stop, true);
		pthread_cond_signal(&r->wake);
		pthread_mutex_unlock(&r->lock);
		pthread_join(r->thread, NULL);
		while (follow(r))
			;
		tell(r);
		recall_store_write(&r->store, &r->table, &r->kept, true);
	}
	recall_store_close(&r->store);
	recall_table_free(&r->table);
	journal_reader_free(r->reader);
	free(r->kept.watch);
	if (r->page_fd >= 0)
		close(r->page_fd);
	pthread_mutex_destroy(&r->lock);
	pthread_mutex_destroy(&r->page_lock);
	pthread_cond_destroy(&r->wake);
	free(r);
}
