/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keys/store.h"

#include <stdlib.h>
#include <string.h>

bool
store_add(struct store *s, const struct rlpx_key *key)
{
	for (uint64_t i = s->end; i > s->first; i--)
		if (memcmp(&s->list[(i - 1) % STORE_MAX], key, sizeof *key) == 0)
			return false;
	memcpy(&s->list[s->end++ % STORE_MAX], key, sizeof *key); /* with its padding: sessions are compared by bytes */
	if (s->end - s->first > STORE_MAX)
		s->first++;
	return true;
}

void
store_log(struct store *s, const struct keylog *log, int fresh)
{
	uint32_t n = fresh < 0 ? 0 : (uint32_t)fresh < log->n ? (uint32_t)fresh : log->n;
	for (uint32_t i = log->n - n; i < log->n; i++)
		store_add(s, &log->list[i]);
}

char *
store_text(const struct store *s, uint64_t from, size_t *n, uint64_t *next)
{
	from = from < s->first ? s->first : from;
	*n = 0;
	*next = s->end;
	if (from >= s->end)
		return NULL;
	char *text = malloc((size_t)(s->end - from) * KEYLOG_LINE_MAX + 1);
	for (uint64_t i = from; text != NULL && i < s->end; i++)
		*n += keylog_write(&s->list[i % STORE_MAX], text + *n);
	return text;
}

void
store_wipe(char *text, size_t n)
{
	if (text != NULL)
		explicit_bzero(text, n);
	free(text);
}
