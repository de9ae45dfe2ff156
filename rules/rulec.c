/* SPDX-License-Identifier: BSD-3-Clause */
/* sentinel-rulec: YAML packs in, a bundle or diagnostics out. Short-lived; limits itself before it reads. */
#include "rules/rulec_sandbox.h"
#include "rules/set.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__ /* gcc */
#define ADDRESS_SANITIZER
#elif defined(__has_feature) /* clang */
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER
#endif
#endif

static const char usage[] =
	"usage: sentinel-rulec compile PATH -o FILE [--generation N]\n"
	"       sentinel-rulec lint PATH [--json]\n"
	"       sentinel-rulec --print-sandbox      the system calls that it may make, each with its reason\n"
	"\n"
	"PATH is a pack (a YAML file) or a folder of packs (*.yaml), with the weights of the learned score\n"
	"(one *.weights) and the hashes of known templates (*.templates) beside them. The same files and\n"
	"generation give the same bundle, byte for byte.\n"
	"\n"
	"  -o, --output FILE   where the bundle goes; - is standard output\n"
	"  --generation N      number that every alert of this bundle carries (default 1)\n"
	"  --json              one JSON object a line, last a summary\n"
	"\n"
	"examples:\n"
	"  sentinel-rulec lint rules/packs\n"
	"  sentinel-rulec compile rules/packs -o rules.bundle --generation 7\n"
	"\n"
	"exit status: 0 good; 1 the rules have errors, or a file cannot be read or written; 2 wrong usage\n";

struct options {
	bool compile, json;
	const char *path, *output;
	uint64_t generation;
};

static int
wrong_usage(const char *what, const char *arg)
{
	fprintf(stderr, "sentinel-rulec: %s%s%s (--help shows what there is)\n", what, arg ? " " : "",
		arg ? arg : "");
	return 2;
}

static bool
generation_read(const char *text, uint64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == 0 && *out > 0;
}

/* 0: go on; else an exit status, from 1 up by one. */
static int
options_read(int argc, char **argv, struct options *o)
{
	if (argc < 2)
		return wrong_usage("no command", NULL);
	o->compile = strcmp(argv[1], "compile") == 0;
	if (!o->compile && strcmp(argv[1], "lint") != 0)
		return wrong_usage("unknown command", argv[1]);
	for (int i = 2; i < argc; i++) {
		const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		bool output = strcmp(a, "-o") == 0 || strcmp(a, "--output") == 0;
		if (o->compile && (output || strcmp(a, "--generation") == 0)) {
			if (value == NULL)
				return wrong_usage("no value for", a);
			if (output)
				o->output = value;
			else if (!generation_read(value, &o->generation))
				return wrong_usage("--generation takes a number from 1, not", value);
			i++;
		} else if (!o->compile && strcmp(a, "--json") == 0) {
			o->json = true;
		} else if (a[0] == '-' && a[1] != 0) {
			return wrong_usage("unknown option", a);
		} else if (o->path != NULL) {
			return wrong_usage("a second path:", a);
		} else {
			o->path = a;
		}
	}
	if (o->path == NULL)
		return wrong_usage("no path of rules", NULL);
	if (o->compile && o->output == NULL)
		return wrong_usage("no -o FILE", NULL);
	return 0;
}

static void
limit(int what, rlim_t most)
{
	struct rlimit r;
	if (getrlimit(what, &r) == 0 && r.rlim_cur > most) {
		r.rlim_cur = most;
		r.rlim_max = r.rlim_max > most ? most : r.rlim_max;
		setrlimit(what, &r);
	}
}

/* Packs may come from anybody: they get so much of the machine and no more. */
static void
confine(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, 300);
	limit(RLIMIT_NOFILE, 64);
	limit(RLIMIT_FSIZE, BUNDLE_LEN_MAX);
#ifndef ADDRESS_SANITIZER /* which reserves terabytes */
	limit(RLIMIT_AS, (rlim_t)4 << 30);
#endif
}

static void
put_json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		putchar(*s);
	}
	putchar('"');
}

static void
put_diag(const struct diag *d, bool json)
{
	const char *kind = d->kind == DIAG_ERROR ? "error" : "warning";
	if (json) {
		fputs("{\"event\":\"diagnostic\",\"severity\":\"", stdout);
		printf("%s\",\"file\":", kind);
		put_json_string(d->at.file);
		if (d->at.line > 0)
			printf(",\"line\":\"%u\",\"column\":\"%u\"", d->at.line, d->at.column);
		else
			fputs(",\"line\":null,\"column\":null", stdout);
		fputs(",\"what\":", stdout);
		put_json_string(d->text);
		puts("}");
	} else if (d->at.line > 0) {
		fprintf(stderr, "%s:%u:%u: %s: %s\n", d->at.file, d->at.line, d->at.column, kind, d->text);
	} else {
		fprintf(stderr, "%s: %s: %s\n", d->at.file, kind, d->text);
	}
}

static uint32_t
patterns_of(const struct rule_set *s)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->n_rules; i++)
		n += s->rules[i].n_patterns;
	return n;
}

static void
put_diags(const struct rule_set *s, bool json)
{
	for (uint32_t i = 0; i < s->n_diags; i++)
		put_diag(&s->diags[i], json);
	if (!json && s->n_errors + s->n_warnings > s->n_diags)
		fprintf(stderr, "... and %u more\n", s->n_errors + s->n_warnings - s->n_diags);
	if (json)
		printf("{\"event\":\"summary\",\"rules\":\"%u\",\"patterns\":\"%u\",\"errors\":\"%u\","
		       "\"warnings\":\"%u\"}\n",
			s->n_rules, patterns_of(s), s->n_errors, s->n_warnings);
	else
		fprintf(stderr, "%u rules, %u patterns: %u errors, %u warnings\n", s->n_rules, patterns_of(s),
			s->n_errors, s->n_warnings);
}

static int
write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? -errno : -EIO;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Into what is there and is no file: a device, a pipe. */
static int
write_into(const char *path, const uint8_t *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = write_all(fd, p, n);
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	return rc;
}

/* The whole bundle under its name, or nothing. A link stays one: what it names is replaced. */
static int
write_file(const char *path, const uint8_t *p, size_t n)
{
	char target[PATH_MAX], temp[PATH_MAX];
	struct stat st;
	if (strcmp(path, "-") == 0)
		return write_all(STDOUT_FILENO, p, n);
	if (stat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			return write_into(path, p, n);
		if (realpath(path, target) == NULL)
			return -errno;
		path = target;
	}
	if ((size_t)snprintf(temp, sizeof temp, "%s.new-XXXXXX", path) >= sizeof temp)
		return -ENAMETOOLONG;
	int fd = mkostemp(temp, O_CLOEXEC), rc;
	if (fd < 0)
		return -errno;
	rc = write_all(fd, p, n);
	if (rc == 0 && (fchmod(fd, 0644) != 0 || fsync(fd) != 0))
		rc = -errno;
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(temp, path) != 0)
		rc = -errno;
	if (rc != 0)
		unlink(temp);
	return rc;
}

static int
compile(struct rule_set *s, const struct options *o)
{
	uint8_t *bytes = NULL;
	size_t n = 0;
	struct bundle b;
	char err[256];
	rule_set_lint(s, false);
	int rc = rule_set_compile(s, o->generation, &bytes, &n);
	put_diags(s, false);
	if (rc != 0)
		return 1;
	if (!bundle_open(&b, (struct span){bytes, (uint32_t)n}, err, sizeof err)) {
		fprintf(stderr,
			"sentinel-rulec: its own bundle is refused: %s (report this with the packs)\n", err);
		free(bytes);
		return 1;
	}
	rc = write_file(o->output, bytes, n);
	if (rc != 0)
		fprintf(stderr, "sentinel-rulec: cannot write %s: %s\n", o->output, strerror(-rc));
	free(bytes);
	return rc != 0;
}

int
main(int argc, char **argv)
{
	struct options o = {.generation = 1};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage, stdout);
			return 0;
		}
		if (strcmp(argv[i], "--print-sandbox") == 0)
			return confine_print(&rulec_sandbox_table, stdout) == 0 && fflush(stdout) == 0 ? 0 : 1;
	}
	int rc = options_read(argc, argv, &o);
	if (rc != 0)
		return rc;
	confine();
	char err[256];
	if (rulec_sandbox_enter(o.compile ? o.output : NULL, err, sizeof err) != 0) {
		fprintf(stderr, "sentinel-rulec: %s\n", err);
		return 1;
	}
	struct rule_set *s = rule_set_new();
	rule_set_load(s, o.path);
	if (o.compile) {
		rc = compile(s, &o);
	} else {
		rule_set_lint(s, true);
		put_diags(s, o.json);
		rc = s->n_errors > 0;
	}
	rule_set_free(s);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "sentinel-rulec: cannot write standard output: %s\n", strerror(errno));
		rc = 1;
	}
	return rc;
}
