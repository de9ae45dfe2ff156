/* SPDX-License-Identifier: BSD-3-Clause */
/* What sentinel-keys keeps, and what it believes of what comes out of the kernel. */
#include "io/keys/probe.h"
#include "io/keys/reader.h"
#include "io/keys/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct store s;

static struct rlpx_key
key(uint32_t number)
{
	struct rlpx_key k;
	memset(&k, 0, sizeof k);
	memcpy(k.aes, &number, sizeof number);
	k.aes[31] = 1;
	return k;
}

/* The first and the last line's number; how many lines. */
static unsigned
lines(const char *text, size_t n, uint32_t *first, uint32_t *last)
{
	unsigned count = 0;
	for (const char *p = text; p < text + n; count++) {
		struct rlpx_key k;
		unsigned column;
		const char *why, *lf = memchr(p, '\n', (size_t)(text + n - p));
		assert_non_null(lf);
		assert_int_equal(keylog_line(p, (size_t)(lf - p), &k, &column, &why), 1);
		memcpy(count == 0 ? first : last, k.aes, 4);
		p = lf + 1;
	}
	return count;
}

static void
newest(void **state)
{
	const unsigned all = 2 * STORE_MAX + 7;
	size_t n;
	uint64_t next;
	uint32_t first = 0, last = 0;
	memset(&s, 0, sizeof s);
	assert_null(store_text(&s, 0, &n, &next));
	for (uint32_t i = 0; i < all; i++) {
		struct rlpx_key k = key(i);
		assert_true(store_add(&s, &k));
		assert_false(store_add(&s, &k));
	}
	char *text = store_text(&s, 0, &n, &next);
	assert_int_equal(lines(text, n, &first, &last), STORE_MAX);
	assert_int_equal(first, all - STORE_MAX);
	assert_int_equal(last, all - 1);
	assert_int_equal(next, all);
	store_wipe(text, n);
	text = store_text(&s, next - 2, &n, &next);
	assert_int_equal(lines(text, n, &first, &last), 2);
	assert_int_equal(first, all - 2);
	store_wipe(text, n);
	assert_null(store_text(&s, next, &n, &next));
	assert_null(store_text(&s, UINT64_MAX, &n, &next));
}

static struct keylog
log_of(uint32_t from, uint32_t n)
{
	struct keylog log = {.list = calloc(n, sizeof *log.list), .n = n, .max = n};
	assert_non_null(log.list);
	for (uint32_t i = 0; i < n; i++)
		log.list[i] = key(from + i);
	return log;
}

/* Two logs that know more together than is kept: a new line of one takes one place, not those of the other. */
static void
logs(void **state)
{
	size_t n;
	uint64_t next;
	uint32_t first = 0, last = 0;
	memset(&s, 0, sizeof s);
	struct keylog old = log_of(0, STORE_MAX), other = log_of(STORE_MAX, STORE_MAX);
	store_log(&s, &old, STORE_MAX - 1);
	assert_int_equal(s.end, STORE_MAX - 1);
	store_log(&s, &other, 10 * STORE_MAX); /* more than it keeps */
	assert_int_equal(s.end, 2 * STORE_MAX - 1);
	old.list[STORE_MAX - 1] = key(77777777);
	store_log(&s, &old, 1);
	store_log(&s, &old, 0);
	store_log(&s, &old, -1);
	assert_int_equal(s.end, 2 * STORE_MAX);
	char *text = store_text(&s, 0, &n, &next);
	assert_int_equal(lines(text, n, &first, &last), STORE_MAX);
	assert_int_equal(first, STORE_MAX + 1);
	assert_int_equal(last, 77777777);
	store_wipe(text, n);
	free(old.list);
	free(other.list);
}

static struct probes_event
event(void)
{
	struct probes_event e = {.magic = PROBES_EVENT_MAGIC, .row = 0, .pid = 77, .dialed = 1, .ends = 1, .ip_n = {4, 16}, .port = {1, 65535}};
	memset(e.aes, 0xaa, sizeof e.aes);
	memset(e.mac, 0xbb, sizeof e.mac);
	memset(e.ip[0], 4, 4);
	memset(e.ip[1], 6, 16);
	return e;
}

static void
events(void **state)
{
	struct probes_event e = event();
	struct rlpx_key k;
	uint32_t pid = 0;
	for (unsigned dialed = 0; dialed < 2; dialed++) {
		e.dialed = (uint8_t)dialed;
		assert_true(probe_key(&e, sizeof e, &k, &pid));
		assert_int_equal(pid, 77);
		assert_true(k.has_mac && !k.has_nonces);
		assert_memory_equal(k.aes, e.aes, 32);
		assert_memory_equal(k.mac, e.mac, 32);
		const struct rlpx_endpoint *local = &k.end[!dialed], *remote = &k.end[dialed];
		assert_memory_equal(local->ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\4\4\4\4", 16);
		assert_memory_equal(remote->ip, e.ip[1], 16);
		assert_int_equal(local->port, 1);
		assert_int_equal(remote->port, 65535);
	}
	e.ends = 0;
	assert_true(probe_key(&e, sizeof e, &k, &pid));
	assert_int_equal(k.end[0].port + k.end[1].port, 0);
}

static void
odd_events(void **state)
{
	struct rlpx_key k, none;
	uint32_t pid;
	memset(&none, 0, sizeof none);
	for (unsigned i = 0; i < 9; i++) {
		struct probes_event e = event();
		size_t n = sizeof e;
		e.magic ^= i == 0;
		e.row = i == 1 ? PROBES_ROWS : 0;
		n -= i == 2;
		if (i == 3)
			memset(e.aes, 0, sizeof e.aes);
		e.ip_n[0] = i == 4 ? 5 : 4;
		e.ip_n[1] = i == 5 ? 0 : 16;
		e.port[0] = i == 6 ? 0 : 1;
		e.port[1] = i == 7 ? 65536 : 1;
		bool good = i >= 4;
		assert_int_equal(probe_key(&e, n, &k, &pid), good);
		if (!good)
			assert_memory_equal(&k, &none, sizeof k);
		else
			assert_int_equal(k.end[0].port != 0 && k.end[1].port != 0, i == 8); /* both or none */
	}
}

static void
answers(void **state)
{
	const struct program_id id = {1, 2, 1000, 3};
	for (unsigned i = 0; i < 11; i++) {
		struct reader_answer a = {.program = {.row = 0, .at = {.offset = 999}}};
		memset(a.program.go_version, 'x', sizeof a.program.go_version);
		a.program.at.offset += i == 1;
		a.program.row = i == 2 ? PROBES_ROWS : i == 3 ? -2 : i == 4 || i == 5 ? -1 : 0;
		strcpy(a.err, i == 5 || i == 7 || i == 3 ? "why" : "");
		a.rc = i == 6 || i == 7 ? -5 : i == 8 ? 5 : 0;
		if (i == 9)
			a.program.at.from = (enum gosym_from)7;
		assert_int_equal(reader_believe(&a, &id), i == 0 || i == 5 || i == 7 || i == 10);
		assert_int_equal(a.program.go_version[GOSYM_VERSION_MAX - 1], 0);
		assert_true(program_same(&a.program.id, &id));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest),
		cmocka_unit_test(logs),
		cmocka_unit_test(events),
		cmocka_unit_test(answers),
		cmocka_unit_test(odd_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
