/* SPDX-License-Identifier: BSD-3-Clause */
/* gosym on made programs: each format of .gopclntab, position-independent or not, with and without sections and symbols; and on broken ones. With a folder
 * as argument the programs are written there: what the fuzzer begins with. */
#include "elf_make.h"
#include "io/keys/gosym.h"
#include "io/keys/program.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const unsigned formats[] = {12, 116, 118, 120};
static const char *const names[] = {"1.2", "1.16", "1.18", "1.20"};

/* Every variant: bit 0 position-independent, 1 sections, 2 symbols, 3 without the first address. */
static bool
variant(struct made *m, unsigned format, unsigned bits)
{
	*m = (struct made){.format = formats[format], .pie = bits & 1, .sections = bits & 2, .symtab = bits & 4, .textless = bits & 8, .version = "go1.22.3"};
	if ((m->symtab && !m->sections) || (m->textless && m->format < 118))
		return false;
	make_elf(m);
	return true;
}

static void
every_format(void **state)
{
	unsigned tried = 0;
	for (unsigned i = 0; i < 64; i++) {
		struct made m;
		struct gosym_file f;
		struct gosym_function at;
		const char *why;
		if (!variant(&m, i & 3, i >> 2))
			continue;
		tried++;
		assert_int_equal(gosym_open(&f, m.p, MADE_BYTES, &why), 0);
		assert_string_equal(gosym_format(&f), names[i & 3]);
		assert_string_equal(f.go_version, "go1.22.3");
		assert_int_equal(f.has_symtab, m.symtab);
		for (unsigned k = 0; k < MADE_FUNCTIONS; k++) {
			assert_int_equal(gosym_find_in(&f, GOSYM_FROM_PCLNTAB, made_name[k], &at, &why), 0);
			assert_int_equal(at.vaddr, MADE_TEXT + made_at[k]);
			assert_int_equal(at.offset, MADE_TEXT_OFFSET + made_at[k]);
			assert_int_equal(gosym_find_in(&f, GOSYM_FROM_SYMTAB, made_name[k], &at, &why), m.symtab ? 0 : -ENOENT);
			assert_int_equal(gosym_find(&f, made_name[k], &at, &why), 0);
			assert_int_equal(at.from, m.symtab ? GOSYM_FROM_SYMTAB : GOSYM_FROM_PCLNTAB);
			assert_int_equal(at.offset, MADE_TEXT_OFFSET + made_at[k]);
		}
		assert_int_equal(gosym_find(&f, "main.mai", &at, &why), -ENOENT);
		assert_int_equal(gosym_find(&f, "main.mainn", &at, &why), -ENOENT);
		assert_int_equal(gosym_find(&f, "", &at, &why), -ENOENT);
	}
	assert_int_equal(tried, 2 * 2 * 3 + 2 * 4 * 3);
}

static void
versions(void **state)
{
	static const struct {
		const char *said, *taken;
	} v[] = {{"go1.19.8", "go1.19.8"}, {"devel go1.23-3c6b0d1 Mon", "go1.23-3c6b0d1"}, {"go1.22.3 X:nocoverage", "go1.22.3"}, {"nothing", ""},
		{"go1.99999999999999999999999999999999999999", "go1.999999999999999999999999999"}, {"go2.0", ""}, {"", ""}};
	for (unsigned i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct made m = {.format = 120, .version = v[i].said};
		struct gosym_file f;
		const char *why;
		make_elf(&m);
		assert_int_equal(gosym_open(&f, m.p, MADE_BYTES, &why), 0);
		assert_string_equal(f.go_version, v[i].taken);
	}
}

static void
refusals(void **state)
{
	struct made m = {.format = 120, .version = "go1.22"};
	struct gosym_file f;
	const char *why;
	make_elf(&m);
	assert_int_equal(gosym_open(&f, m.p, 63, &why), -ENOEXEC);
	assert_int_equal(gosym_open(&f, "#!/bin/sh\n", 10, &why), -ENOEXEC);
	assert_int_equal(gosym_open(&f, m.p, GOSYM_FILE_MAX + 1, &why), -EFBIG);
	m.p[4] = 1; /* of 32 bits */
	assert_int_equal(gosym_open(&f, m.p, MADE_BYTES, &why), -ENOEXEC);
	m.no_pclntab = true;
	make_elf(&m);
	assert_int_equal(gosym_open(&f, m.p, MADE_BYTES, &why), -ENOEXEC);
	assert_non_null(strstr(why, "not made by Go"));
}

/* Cut anywhere, on an allocation of that very length. */
static void
cut_short(void **state)
{
	for (unsigned i = 0; i < 64; i++) {
		struct made m;
		if (!variant(&m, i & 3, i >> 2))
			continue;
		for (uint32_t n = 0; n < MADE_BYTES; n += n < 400 ? 1 : 61) {
			uint8_t *p = malloc(n + 1);
			struct gosym_file f;
			struct gosym_function at;
			const char *why;
			memcpy(p, m.p, n);
			if (gosym_open(&f, p, n, &why) == 0 && gosym_find(&f, made_name[2], &at, &why) == 0)
				assert_true(at.offset < n);
			free(p);
		}
	}
}

/* A function where nothing is executed, or nowhere, has no place. */
static void
where_nothing_runs(void **state)
{
	struct made m = {.format = 120, .sections = true, .symtab = true};
	struct gosym_file f;
	struct gosym_function at;
	const char *why;
	make_elf(&m);
	put(&m, 0x1900 + 24 + 8, MADE_DATA, 8);
	put(&m, 0x1900 + 48 + 8, 0x77, 8);
	put(&m, MADE_PCLN_OFFSET + 0x100, 0xffffff, 4);
	assert_int_equal(gosym_open(&f, m.p, MADE_BYTES, &why), 0);
	assert_int_equal(gosym_find_in(&f, GOSYM_FROM_SYMTAB, made_name[0], &at, &why), -ENOENT);
	assert_non_null(strstr(why, "executed"));
	assert_int_equal(gosym_find_in(&f, GOSYM_FROM_SYMTAB, made_name[1], &at, &why), -ENOENT);
}

/* An image of everything that makes one search within another: relocations of no use, marks of a build, tables whose first address is nowhere. */
static uint8_t *
endless(uint32_t n, const struct made *m)
{
	uint8_t *p = calloc(1, n);
	uint32_t marks = n / 2, tables = n - (n / 8);
	struct made head = {.pie = true, .format = 120};
	assert_non_null(p);
	make_elf(&head);
	put(&head, 54, 56, 2);
	put(&head, 40, 0, 8);
	put(&head, 60, 0, 2);
	put(&head, 56, 4, 2);
	make_phdr(&head, 0, 1, 6, 0, 0, n);
	make_phdr(&head, 1, 2, 6, 0x300, 0x300, 48);
	make_phdr(&head, 2, 1, 6, 0, 0, n);
	make_phdr(&head, 3, 1, 6, 0, 0, n); /* once too often */
	put(&head, 0x300, 7, 8); /* DT_RELA, DT_RELASZ */
	put(&head, 0x308, 0x1000, 8);
	put(&head, 0x310, 8, 8);
	put(&head, 0x318, marks - 0x1000, 8);
	memcpy(p, head.p, 0x400);
	for (uint32_t i = marks; i + 32 <= tables; i += 32)
		memcpy(p + i, "\xff Go buildinf:\x08", 16);
	for (uint32_t i = tables; i + 0x400 <= n; i += 0x400)
		memcpy(p + i, m->p + MADE_PCLN_OFFSET, 0x400);
	for (uint32_t i = 0; i < 64; i++) { /* each of them a module for each of these tables */
		uint64_t table = tables + 0x400 * (uint64_t)i;
		memcpy(p + tables - 0x400 + 8 * i, &table, 8);
	}
	return p;
}

static void
work_has_an_end(void **state)
{
	const uint32_t n = 8u << 20;
	struct made m = {.format = 120, .textless = true};
	struct gosym_file f;
	const char *why;
	make_elf(&m);
	uint8_t *p = endless(n, &m);
	assert_int_equal(gosym_open(&f, p, n, &why), -ENOEXEC);
	assert_int_equal(f.segments, 2);
	assert_true(f.rela_bytes > n / 4);
	assert_int_equal(f.steps, 0); /* there is more of it, and it was left alone */
	/* of the marks alone: a few are believed */
	memset(p + n - n / 8, 0, n / 8);
	assert_int_equal(gosym_open(&f, p, n, &why), -ENOEXEC);
	assert_true(f.steps > 0 && f.steps >= GOSYM_STEPS - 64 * 3 * (f.rela_bytes / 24));
	free(p);
}

/* Rows of the table by the Go that made a program. */
static void
rows(void **state)
{
	static const struct {
		unsigned format;
		const char *version;
		int row;
	} v[] = {{120, "go1.22.3", 0}, {118, "go1.18", 0}, {118, NULL, 0}, {116, "go1.17.13", 0}, {116, "go1.16.15", 1}, {116, NULL, -1}, {12, "go1.15", 1},
		{12, NULL, -1}, {12, "go1.2", -1}};
	for (unsigned i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct made m = {.format = v[i].format, .version = v[i].version};
		struct program p = {0};
		char err[256] = "";
		uint32_t name = MADE_PCLN_OFFSET + 0x80 + 13; /* main.main, the last of its three to be overwritten */
		make_elf(&m);
		strcpy((char *)m.p + name, probes_table[0].function);
		put(&m, MADE_PCLN_OFFSET + 0x80 + 13 + 80, 0, 1);
		assert_int_equal(program_rows(m.p, MADE_BYTES, &p, err, sizeof err), 0);
		assert_int_equal(p.row, v[i].row);
		if (p.row >= 0)
			assert_int_equal(p.at.offset, MADE_TEXT_OFFSET + made_at[1]);
		else
			assert_non_null(strstr(err, "which Go made it"));
	}
}

static void
another_cpu(void **state)
{
	struct made m = {.format = 120, .version = "go1.22"};
	struct program p = {0};
	char err[256];
	make_elf(&m);
	put(&m, 18, GOSYM_AARCH64, 2);
	assert_int_equal(program_rows(m.p, MADE_BYTES, &p, err, sizeof err), 0);
	assert_int_equal(p.row, -1);
	assert_non_null(strstr(err, "another CPU"));
}

static int
write_all(const char *folder)
{
	for (unsigned i = 0; i < 64; i++) {
		struct made m;
		char path[4096];
		if (!variant(&m, i & 3, i >> 2))
			continue;
		snprintf(path, sizeof path, "%s/go%s-%u", folder, names[i & 3], i >> 2);
		FILE *f = fopen(path, "wb");
		if (f == NULL || fwrite(m.p, 1, MADE_BYTES, f) != MADE_BYTES || fclose(f) != 0)
			return 1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format),
		cmocka_unit_test(versions),
		cmocka_unit_test(refusals),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(where_nothing_runs),
		cmocka_unit_test(work_has_an_end),
		cmocka_unit_test(rows),
		cmocka_unit_test(another_cpu),
	};
	if (argc > 1)
		return write_all(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
