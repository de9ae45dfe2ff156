/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/profile.h"

#include "abi/channel.h"
#include "abi/log.h"
#include "abi/shm.h"

#include <errno.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum step {
	FREE,
	HANDED_IN, /* by a client */
	SENT,	   /* to the dataplane */
	ANSWERED,  /* the answer is being noted */
	DONE
};

struct profile_desk {
	pthread_mutex_t lock;
	_Atomic unsigned step; /* changed under the lock; looked at without */
	uint64_t ticket, number; /* of the last client's, of the last message */
	bool abandoned;
	char text[PROFILE_TEXT_MAX];
	size_t n;
	uid_t uid;
	pid_t pid;
	char digest[65];
	uint64_t until_ns; /* monotonic: when the dataplane's time is over */
	uint64_t note;	   /* ticket of the journal; 0: not taken */
	const char *status;
	char said[sizeof((struct stats_said *)0)->text + 1];
};

static uint64_t
wall_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct profile_desk *
profile_desk_new(void)
{
	struct profile_desk *d = calloc(1, sizeof *d);
	struct timespec ts;
	if (d == NULL)
		return NULL;
	pthread_mutex_init(&d->lock, NULL);
	/* a dataplane that outlives this control does not take a number for that of the control before */
	clock_gettime(CLOCK_REALTIME, &ts);
	d->number = (uint64_t)ts.tv_sec << 20;
	return d;
}

void
profile_desk_free(struct profile_desk *d)
{
	if (d == NULL)
		return;
	pthread_mutex_destroy(&d->lock);
	free(d);
}

bool
profile_may(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static void
hex_digest(const char *text, size_t n, char out[65])
{
	struct sha256_ctx sha;
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_init(&sha);
	sha256_update(&sha, n, (const uint8_t *)text);
	sha256_digest(&sha, sizeof digest, digest);
	for (unsigned i = 0; i < sizeof digest; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* ---- clients' side ---- */

int
profile_submit(struct profile_desk *d, const char *text, size_t n, uid_t uid, pid_t pid, uint64_t *ticket)
{
	int rc = -EMSGSIZE;
	if (n == 0 || n > PROFILE_TEXT_MAX)
		return rc;
	pthread_mutex_lock(&d->lock);
	rc = d->step == FREE ? 0 : -EBUSY;
	if (rc == 0) {
		memcpy(d->text, text, n);
		d->n = n;
		d->uid = uid;
		d->pid = pid;
		d->abandoned = false;
		hex_digest(text, n, d->digest);
		*ticket = ++d->ticket;
		atomic_store(&d->step, HANDED_IN);
	}
	pthread_mutex_unlock(&d->lock);
	return rc;
}

/* The names of "key=NAME,NAME" in the dataplane's answer, which is not trusted to be one. */
static json_t *
names_of(const char *said, const char *key)
{
	json_t *list = json_array();
	size_t k = strlen(key);
	for (const char *line = said; line != NULL && *line != '\0'; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncmp(line, key, k) != 0)
			continue;
		for (const char *p = line + k; *p != '\0' && *p != '\n';) {
			size_t n = strcspn(p, ",\n");
			if (n > 0)
				json_array_append_new(list, json_stringn(p, n));
			p += n + (p[n] == ',');
		}
	}
	return list;
}

static json_t *
why_of(const struct profile_desk *d)
{
	if (strcmp(d->status, "applied") == 0 || strcmp(d->status, "partly") == 0)
		return json_null();
	return json_string(strncmp(d->said, "error=", 6) == 0 ? d->said + 6 : d->said);
}

json_t *
profile_answer(struct profile_desk *d, uint64_t ticket)
{
	json_t *o = NULL;
	if (atomic_load(&d->step) != DONE)
		return NULL;
	pthread_mutex_lock(&d->lock);
	if (d->step == DONE && d->ticket == ticket) {
		o = json_pack("{s:s,s:s,s:o,s:o,s:o,s:s,s:b}", "event", "profile", "status", d->status, "applied", names_of(d->said, "applied="),
			"restart", names_of(d->said, "restart="), "why", why_of(d), "digest", d->digest, "audited", d->note != 0);
		atomic_store(&d->step, FREE);
	}
	pthread_mutex_unlock(&d->lock);
	return o;
}

void
profile_abandon(struct profile_desk *d, uint64_t ticket)
{
	pthread_mutex_lock(&d->lock);
	if (d->ticket == ticket)
		d->abandoned = true;
	pthread_mutex_unlock(&d->lock);
}

/* ---- the drain's side; under the lock ---- */

static void
settle(struct profile_desk *d, struct journal *j, const char *status, const char *said)
{
	char detail[256];
	d->status = status;
	snprintf(d->said, sizeof d->said, "%s", said);
	for (char *c = d->said; *c != '\0'; c++)
		*c = *c == '\n' || (*c >= ' ' && *c <= '~') ? *c : '?';
	snprintf(detail, sizeof detail, "{\"digest\":\"%s\",\"status\":\"%s\",\"uid\":\"%ld\",\"pid\":\"%ld\"}", d->digest, status, (long)d->uid,
		(long)d->pid);
	d->note = journal_note(j, wall_ns(), "profile", detail);
	LOG(LOG_NOTE, "a profile of uid %ld (%.12s...): %s", (long)d->uid, d->digest, status);
	atomic_store(&d->step, ANSWERED);
}

static void
send_on(struct profile_desk *d, struct attach *a, struct journal *j, uint64_t now_ns)
{
	char detail[256];
	if (!attach_takes_profile(a)) {
		settle(d, j, "refused", "no dataplane is attached that takes a profile while it runs");
		return;
	}
	int fd = shm_create_fixed("sentinel-profile", d->text, d->n);
	int rc = fd < 0 ? fd : attach_profile(a, fd, ++d->number, d->n);
	if (fd >= 0)
		close(fd);
	if (rc == -EAGAIN) {
		d->number--;
		return;
	}
	if (rc != 0) {
		settle(d, j, "refused", "the profile could not be handed to the dataplane");
		return;
	}
	snprintf(detail, sizeof detail, "{\"digest\":\"%s\",\"bytes\":\"%zu\",\"uid\":\"%ld\",\"pid\":\"%ld\"}", d->digest, d->n, (long)d->uid,
		(long)d->pid);
	journal_note(j, wall_ns(), "profile_asked", detail);
	d->until_ns = now_ns + PROFILE_PATIENCE_NS;
	atomic_store(&d->step, SENT);
}

static bool
noted(const struct profile_desk *d, struct journal *j)
{
	struct journal_status s;
	if (d->note == 0 || journal_noted(j, d->note))
		return true;
	journal_status_get(j, &s);
	return s.down;
}

bool
profile_turn(struct profile_desk *d, struct attach *a, struct journal *j, uint64_t now_ns)
{
	unsigned step = atomic_load_explicit(&d->step, memory_order_relaxed);
	if (step == FREE || (step == DONE && !d->abandoned))
		return false;
	pthread_mutex_lock(&d->lock);
	if (d->step == HANDED_IN)
		send_on(d, a, j, now_ns);
	else if (d->step == SENT && !attach_takes_profile(a))
		settle(d, j, "unknown", "the dataplane went away before it answered: it starts with the profile on its disk");
	else if (d->step == SENT && now_ns >= d->until_ns)
		settle(d, j, "unknown", "the dataplane has not answered; `sentinelctl profile show` tells what runs");
	else if (d->step == ANSWERED && noted(d, j)) {
		if (d->note != 0 && !journal_noted(j, d->note))
			d->note = 0;
		atomic_store(&d->step, DONE);
	}
	bool ready = step != DONE && d->step == DONE;
	if (d->step == DONE && d->abandoned)
		atomic_store(&d->step, FREE);
	pthread_mutex_unlock(&d->lock);
	return ready;
}

void
profile_said(struct profile_desk *d, const struct attach *a, const struct stats_page *page, struct journal *j)
{
	static const char *const names[] = {[CHANNEL_OK] = "applied", [CHANNEL_PARTLY] = "partly", [CHANNEL_REFUSED] = "refused"};
	char said[sizeof page->said.text];
	if (a->said_status > CHANNEL_STATUS_MAX)
		return;
	pthread_mutex_lock(&d->lock);
	if (d->step == SENT && a->said_number == d->number) {
		bool there = page != NULL && atomic_load_explicit(&((struct stats_page *)(uintptr_t)page)->said.number, memory_order_acquire) == d->number;
		memset(said, 0, sizeof said);
		if (there)
			memcpy(said, page->said.text, sizeof said - 1);
		settle(d, j, names[a->said_status], said);
	}
	pthread_mutex_unlock(&d->lock);
}

/* ---- status ---- */

static bool
copy_page(const struct stats_profile *from, struct stats_profile *to)
{
	for (unsigned i = 0; i < 100; i++) {
		uint32_t before = __atomic_load_n(&from->changing, __ATOMIC_ACQUIRE);
		*to = *from;
		atomic_thread_fence(memory_order_acquire);
		if (before % 2 == 0 && __atomic_load_n(&from->changing, __ATOMIC_RELAXED) == before)
			return true;
	}
	return false;
}

static json_t *
digest_text(const uint8_t digest[32])
{
	static const uint8_t none[32];
	char hex[65];
	if (memcmp(digest, none, sizeof none) == 0)
		return json_null();
	for (unsigned i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return json_string(hex);
}

json_t *
profile_status(const struct stats_page *page)
{
	struct stats_profile p;
	char applied[24], waiting[16], path[sizeof p.path];
	if (!copy_page(&page->profile, &p))
		return json_null();
	snprintf(path, sizeof path, "%.*s", (int)sizeof p.path - 1, p.path);
	snprintf(applied, sizeof applied, "%" PRIu64, p.applied_ns);
	snprintf(waiting, sizeof waiting, "%" PRIu32, p.waiting);
	json_t *name = path[0] != '\0' ? json_string(path) : NULL; /* NULL too if it is not UTF-8 */
	return json_pack("{s:o,s:o,s:o,s:s,s:s}", "path", name != NULL ? name : json_null(), "started", digest_text(p.started), "runs",
		digest_text(p.runs), "applied_ns", applied, "waiting", waiting);
}
