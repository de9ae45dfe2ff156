/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/journal_private.h"

#include <errno.h>
#include <string.h>

bool
journal_name_ok(const char *name)
{
	size_t n = strlen(name);
	return n >= 1 && n < JOURNAL_CONSUMER_NAME_MAX &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static struct consumer_slot *
find(struct journal *j, const char *name)
{
	for (uint32_t i = 0; i < j->n_consumers; i++) {
		struct consumer_slot *s = &j->consumers[i];
		if (!s->gone && strcmp(s->c.name, name) == 0)
			return s;
	}
	return NULL;
}

static void
changed(struct journal *j, struct consumer_slot *s)
{
	s->version++;
	atomic_store_explicit(&j->dirty, true, memory_order_relaxed);
}

static struct consumer_slot *
make(struct journal *j, const char *name, uint64_t start, uint64_t now_ns)
{
	if (j->n_consumers == JOURNAL_CONSUMERS_MAX)
		return NULL;
	struct consumer_slot *s = &j->consumers[j->n_consumers++];
	*s = (struct consumer_slot){.c = {.start = start, .acked = start, .created_ns = now_ns}};
	/* Events and cursors run together; counted apart, so that the one can tell on the other. */
	s->c.start_rows = j->shown.rows - (j->shown.head - start);
	strcpy(s->c.name, name);
	return s;
}

int
journal_subscribe(struct journal *j, const char *name, uint64_t start, uint64_t now_ns, uint64_t *acked)
{
	if (!journal_name_ok(name))
		return -EINVAL;
	pthread_mutex_lock(&j->lock);
	struct consumer_slot *s = find(j, name);
	if (s == NULL) {
		s = make(j, name, start < j->shown.head ? start : j->shown.head, now_ns);
		if (s != NULL)
			changed(j, s);
	}
	if (s != NULL)
		*acked = s->c.acked;
	pthread_mutex_unlock(&j->lock);
	return s != NULL ? 0 : -ENOSPC;
}

bool
journal_settled(struct journal *j, const char *name)
{
	pthread_mutex_lock(&j->lock);
	const struct consumer_slot *s = find(j, name);
	bool settled = s == NULL || s->durable == s->version || j->down;
	pthread_mutex_unlock(&j->lock);
	return settled;
}

int
journal_ack(struct journal *j, const char *name, uint64_t cursor)
{
	int rc = 0;
	pthread_mutex_lock(&j->lock);
	struct consumer_slot *s = find(j, name);
	if (s == NULL) {
		rc = -ENOENT;
	} else if (cursor > j->shown.head) {
		rc = -ERANGE;
	} else if (cursor > s->c.acked) {
		s->c.acked = cursor;
		changed(j, s);
	}
	pthread_mutex_unlock(&j->lock);
	return rc;
}

int
journal_forget(struct journal *j, const char *name)
{
	pthread_mutex_lock(&j->lock);
	struct consumer_slot *s = find(j, name);
	if (s != NULL) {
		s->gone = true;
		changed(j, s);
	}
	pthread_mutex_unlock(&j->lock);
	return s != NULL ? 0 : -ENOENT;
}

unsigned
journal_consumers(struct journal *j, struct journal_consumer *out, unsigned max)
{
	unsigned n = 0;
	pthread_mutex_lock(&j->lock);
	for (uint32_t i = 0; i < j->n_consumers && n < max; i++)
		if (!j->consumers[i].gone)
			out[n++] = j->consumers[i].c;
	pthread_mutex_unlock(&j->lock);
	return n;
}

void
consumers_take(struct journal *j, struct consumer_changes *out)
{
	out->n = 0;
	if (!atomic_exchange_explicit(&j->dirty, false, memory_order_relaxed))
		return;
	pthread_mutex_lock(&j->lock);
	/* Those that went first: a name may have come back. */
	for (int going = 1; going >= 0; going--)
		for (uint32_t i = 0; i < j->n_consumers; i++)
			if (j->consumers[i].version != j->consumers[i].durable &&
				j->consumers[i].gone == (going == 1))
				out->slot[out->n++] = j->consumers[i];
	pthread_mutex_unlock(&j->lock);
}

static void
settle(struct journal *j, const struct consumer_slot *done)
{
	for (uint32_t i = 0; i < j->n_consumers; i++) {
		struct consumer_slot *s = &j->consumers[i];
		if (s->gone != done->gone || strcmp(s->c.name, done->c.name) != 0)
			continue;
		s->durable = done->version;
		if (done->gone)
			*s = j->consumers[--j->n_consumers];
		return;
	}
}

void
consumers_settle(struct journal *j, const struct consumer_changes *done)
{
	if (done->n == 0)
		return;
	pthread_mutex_lock(&j->lock);
	for (unsigned i = 0; i < done->n; i++)
		settle(j, &done->slot[i]);
	pthread_mutex_unlock(&j->lock);
}

void
consumers_expire(struct journal *j, uint64_t last)
{
	for (uint32_t i = 0; i < j->n_consumers; i++) {
		struct consumer_slot *s = &j->consumers[i];
		if (s->gone || s->c.acked >= last)
			continue;
		s->c.expired += last - s->c.acked;
		s->c.acked = last;
		changed(j, s);
	}
}

void
consumers_clamp(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	for (uint32_t i = 0; i < j->n_consumers; i++) {
		struct consumer_slot *s = &j->consumers[i];
		if (!s->gone && s->c.acked > j->shown.head) {
			s->c.acked = j->shown.head;
			changed(j, s);
		}
	}
	pthread_mutex_unlock(&j->lock);
}
