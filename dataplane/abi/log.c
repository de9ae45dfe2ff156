/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *name;
static bool journal;

void
log_begin(const char *program)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	unsigned long long dev, ino;
	name = program;
	journal = stream != NULL && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
		  st.st_ino == ino;
}

bool
log_admit(struct log_kind *k, uint64_t now_ns, uint64_t *left_out)
{
	uint64_t back = now_ns > k->filled_ns ? (now_ns - k->filled_ns) / LOG_EVERY_NS : 0;
	if (back >= k->spent) {
		k->spent = 0;
		k->filled_ns = now_ns;
	} else {
		k->spent -= (uint32_t)back;
		k->filled_ns += back * LOG_EVERY_NS;
	}
	if (k->spent >= LOG_BURST) {
		k->left_out++;
		return false;
	}
	k->spent++;
	*left_out = k->left_out;
	k->left_out = 0;
	return true;
}

size_t
log_escape(char *out, size_t cap, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0, fits = 0;
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		bool plain = *p >= ' ' && *p <= '~' && !(p[0] == '\\' && p[1] == 'x');
		size_t need = plain ? 1 : 4;
		if (n + need > cap - 1) {
			memcpy(out + fits, "...", 4);
			return fits + 3;
		}
		if (plain) {
			out[n] = (char)*p;
		} else {
			out[n] = '\\';
			out[n + 1] = 'x';
			out[n + 2] = hex[*p >> 4];
			out[n + 3] = hex[*p & 15];
		}
		n += need;
		fits = n + 3 <= cap - 1 ? n : fits;
	}
	out[n] = '\0';
	return n;
}

static bool
admitted(struct log_kind *k, uint64_t *left_out)
{
	struct timespec ts;
	*left_out = 0;
	if (k == NULL)
		return true;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	pthread_mutex_lock(&lock);
	bool may = log_admit(k, (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec, left_out);
	pthread_mutex_unlock(&lock);
	return may;
}

void
log_say(struct log_kind *kind, enum log_weight weight, const char *fmt, ...)
{
	char raw[2 * LOG_LINE_MAX], line[LOG_LINE_MAX];
	uint64_t left_out;
	int before = errno, n = 0;
	if (!admitted(kind, &left_out))
		return;
	if (journal)
		n = snprintf(line, sizeof line, "<%d>", (int)weight);
	else if (name != NULL)
		n = snprintf(line, sizeof line, "%s: ", name);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	char more[64];
	int m = left_out > 0 ? snprintf(more, sizeof more, " (%llu more like it were not written)", (unsigned long long)left_out) : 0;
	size_t at = (size_t)n + log_escape(line + n, sizeof line - (size_t)(n + m) - 1, raw);
	memcpy(line + at, more, (size_t)m);
	at += (size_t)m;
	line[at++] = '\n';
	(void)!write(STDERR_FILENO, line, at);
	errno = before;
}
