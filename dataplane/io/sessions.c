/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/sessions.h"

#include "abi/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LOOK_EVERY_NS 5000000u
#define SEARCH_BLOCKS (1u << 20) /* about 4 ms */

static void
complain(void *ctx, const char *text)
{
	(void)ctx;
	LOG(LOG_WARN, "%s", text);
}

static void
wipe(struct rlpx_keys *keys)
{
	if (keys != NULL)
		explicit_bzero(keys, rlpx_keys_bytes(rlpx_keys_count(keys)));
	free(keys);
}

static void
publish(struct sessions *s)
{
	struct rlpx_keys *keys = keylog_table(&s->log, s->seed);
	if (keys == NULL) {
		complain(NULL, "no memory for a longer table of RLPx sessions; the one before stays in use");
		return;
	}
	s->changed = false;
	s->old = s->keys;
	s->keys = keys;
	for (uint32_t i = 0; i < s->workers; i++)
		worker_keys(s->worker[i], keys);
}

int
sessions_open(struct sessions *s, const char *path)
{
	memset(s, 0, sizeof *s);
	if (getrandom(&s->seed, sizeof s->seed, 0) != sizeof s->seed)
		return -EIO;
	int rc = path != NULL ? keylog_open(&s->log, path, 0, complain, NULL) : keylog_begin(&s->log, "sentinel-keys", 0, complain, NULL);
	keylog_hold(&s->log);
	s->file = path != NULL;
	s->open = rc == 0;
	s->changed = s->open && s->log.n > 0;
	return rc;
}

int
sessions_text(void *sessions, const char *text, size_t n)
{
	struct sessions *s = sessions;
	uint64_t mistakes;
	if (!s->open)
		return -EBADMSG;
	int fresh = keylog_text(&s->log, text, n, &mistakes);
	if (mistakes > 0 && s->mistakes == 0)
		complain(NULL, "the process that brings keys sent lines that are no sessions; they are left out, this one time said");
	s->mistakes += mistakes;
	s->changed |= fresh > 0;
	return mistakes > 0 && fresh == 0 ? -EBADMSG : 0;
}

void
sessions_add(struct sessions *s, struct worker *w)
{
	s->worker[s->workers++] = w;
}

static bool
taken(const struct sessions *s)
{
	for (uint32_t i = 0; i < s->workers; i++)
		if (!worker_keys_taken(s->worker[i], s->keys))
			return false;
	return true;
}

static void
look(struct sessions *s)
{
	if (s->old != NULL && !taken(s))
		return; /* one at a time */
	wipe(s->old);
	s->old = NULL;
	if (s->file && keylog_read(&s->log) > 0)
		s->changed = true;
	if (s->changed)
		publish(s);
}

bool
sessions_turn(struct sessions *s, uint64_t now_ns)
{
	bool more = false;
	if (!s->open)
		return false;
	if (now_ns - s->looked_ns >= LOOK_EVERY_NS) {
		look(s);
		s->looked_ns = now_ns;
	}
	for (uint32_t i = 0; i < s->workers; i++)
		more |= worker_search_run(s->worker[i], SEARCH_BLOCKS);
	return more;
}

void
sessions_close(struct sessions *s)
{
	if (!s->open)
		return;
	wipe(s->old);
	wipe(s->keys);
	s->old = s->keys = NULL;
	keylog_close(&s->log);
	s->open = false;
}
