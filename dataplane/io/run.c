/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/run.h"

#include "io/txobj.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAID_MAX 20u
#define BUNDLE_MAX 100u /* what relays take */
#define LINE_MAX_BYTES ((size_t)64 << 20)
#define RAW_CAP TX_NETWORK_BYTES_MAX

struct run {
	struct box *box;
	const char *path;
	uint64_t line_no, bytes, total;
	uint64_t now_ns;
	time_t progress_at;
	uint64_t bundles; /* so far */
	bool progress, shown, bad;
	uint8_t *raw; /* RAW_CAP */
	char err[256];
};

static void
complain(struct run *r, const char *where, const char *what)
{
	r->bad = true;
	if (r->box->bad_lines < SAID_MAX)
		fprintf(stderr, "%s:%llu: %s%s\n", r->path, (unsigned long long)r->line_no, where, what);
	else if (r->box->bad_lines == SAID_MAX)
		fprintf(stderr, "%s: there are more bad lines; the summary counts them\n", r->path);
}

/* Something that says what it does or who it is: any other object is a mistake, not an empty transaction. */
static bool
is_transaction(const json_t *o)
{
	static const char *const fields[] = {"raw", "hash", "from", "to", "input", "data", "value", "nonce", NULL};
	for (const char *const *f = fields; *f != NULL; f++)
		if (json_object_get(o, *f) != NULL)
			return true;
	return false;
}

/* The transaction of `o` into r->raw, checked; its length, or a negative number after a complaint. */
static int
read_tx(struct run *r, const json_t *o, struct claim *c, const char *where)
{
	struct tx t;
	int n;
	if (json_is_string(o)) {
		memset(c, 0, sizeof *c);
		n = txobj_bytes(o, "raw", r->raw, 0, RAW_CAP, r->err, sizeof r->err);
	} else if (json_is_object(o) && !is_transaction(o)) {
		n = -EINVAL;
		snprintf(r->err, sizeof r->err, "no transaction: it has neither raw nor hash, from, to, input, value or nonce");
	} else {
		n = txobj_json(o, r->raw, RAW_CAP, c, r->err, sizeof r->err);
	}
	if (n < 0) {
		complain(r, where, r->err);
		return n;
	}
	int rc = tx_decode((struct span){r->raw, (uint32_t)n}, &t);
	if (rc != 0) {
		snprintf(r->err, sizeof r->err, "%s: %s", json_is_string(o) || json_object_get(o, "raw") ? "raw" : "transaction",
			tx_strerror(rc));
		complain(r, where, r->err);
		return -EINVAL;
	}
	return n;
}

static void
judge(struct run *r, int n, const struct claim *c, uint32_t bundle_len, uint32_t bundle_pos)
{
	struct crossing where = {
		.claim = c->has != 0 ? c : NULL,
		.t_wire_ns = r->now_ns,
		.carrier = CARRIER_OFFLINE,
		.direction = DIR_UNKNOWN,
		.trust = bundle_len ? TRUST_BUNDLE : 0,
		.bundle = bundle_len ? r->bundles : 0,
		.bundle_len = bundle_len,
		.bundle_pos = bundle_pos,
	};
	worker_raw(r->box->worker, (struct span){r->raw, (uint32_t)n}, &where);
	box_drain(r->box);
}

/* A bundle element that names a transaction without holding it. */
static bool
only_hash(const json_t *o, uint8_t hash[32])
{
	char ignored[256];
	if (json_is_object(o)) {
		if (json_object_size(o) != 1)
			return false;
		o = json_object_get(o, "hash");
	}
	return o != NULL && txobj_bytes(o, "hash", hash, 32, 32, ignored, sizeof ignored) == 32;
}

static void
run_bundle(struct run *r, const json_t *list)
{
	uint64_t *ctr = r->box->stats->lcore[0].c;
	struct claim c;
	size_t i, n = json_array_size(list);
	const json_t *o;
	uint8_t hash[32];
	char where[40];
	if (!json_is_array(list) || n == 0 || n > BUNDLE_MAX) {
		complain(r, "", "bundle must be a list of 1 to 100 transactions or hashes");
		return;
	}
	r->bundles++;
	json_array_foreach((json_t *)(uintptr_t)list, i, o) {
		if (only_hash(o, hash)) {
			ctr[CTR_TX_CROSSED]++;
			ctr[CTR_TX_UNSCANNED_HASH_ONLY]++;
			correlator_bundle_hash(&r->box->correlator, hash, r->bundles, (uint32_t)i, (uint32_t)n, r->now_ns);
			continue;
		}
		snprintf(where, sizeof where, "bundle[%zu]: ", i);
		int bytes = read_tx(r, o, &c, where);
		if (bytes >= 0)
			judge(r, bytes, &c, (uint32_t)n, (uint32_t)i);
	}
}

/* Decimal seconds with up to nine digits after the point; no binary fraction in between. */
static int
seconds(const char *s, uint64_t *ns)
{
	uint64_t whole = 0, part = 0, unit = 1000000000u;
	const char *p = s;
	for (; *p >= '0' && *p <= '9' && whole < 10000000000u; p++)
		whole = whole * 10 + (uint64_t)(*p - '0');
	if (p == s || whole >= 10000000000u)
		return -EINVAL;
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++) {
			unit /= 10;
			part += (uint64_t)(*p - '0') * unit;
		}
		if (p[-1] == '.')
			return -EINVAL;
	}
	*ns = whole * 1000000000u + part;
	return *p == '\0' ? 0 : -EINVAL;
}

static int
take_seen(struct run *r, const json_t *o)
{
	const json_t *v = json_object_get(o, "seen");
	char number[64];
	if (v == NULL || json_is_null(v))
		return 0;
	if (json_is_integer(v))
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v)) /* a double holds Unix seconds to the microsecond */
		snprintf(number, sizeof number, "%.6f", json_real_value(v));
	if (seconds(json_is_string(v) ? json_string_value(v) : json_is_number(v) ? number : "", &r->now_ns) == 0)
		return 0;
	complain(r, "", "seen must be Unix seconds in decimal, like 1700000000.25");
	return -EINVAL;
}

static void
run_line(struct run *r, const char *text, size_t n)
{
	struct claim c;
	json_t *o = txobj_load(text, n, r->err, sizeof r->err);
	if (o == NULL) {
		complain(r, "", r->err);
		return;
	}
	if (!json_is_object(o)) {
		complain(r, "", "a line must be an object: a transaction, {\"raw\":...} or {\"bundle\":[...]}");
	} else if (take_seen(r, o) == 0) {
		const json_t *bundle = json_object_get(o, "bundle");
		int bytes = bundle != NULL ? -1 : read_tx(r, o, &c, "");
		if (bundle != NULL)
			run_bundle(r, bundle);
		else if (bytes >= 0)
			judge(r, bytes, &c, 0, 0);
	}
	json_decref(o);
}

static void
show_progress(struct run *r)
{
	if (!r->progress || (r->line_no & 255) != 0 || time(NULL) < r->progress_at)
		return;
	r->progress_at = time(NULL) + 1;
	r->shown = true;
	if (r->total)
		fprintf(stderr, "\r%s: %3.0f %%", r->path, 100.0 * (double)r->bytes / (double)r->total);
	else
		fprintf(stderr, "\r%s: %llu lines", r->path, (unsigned long long)r->line_no);
}

static bool
is_blank(const char *s, size_t n)
{
	while (n > 0 && strchr(" \t\r\n", s[n - 1]) != NULL && s[n - 1] != '\0')
		n--;
	return n == 0;
}

/* A line with its newline, grown into *line; 0 at the end. Of a line longer than LINE_MAX_BYTES only the length is told. */
static size_t
next_line(FILE *f, char **line, size_t *cap)
{
	size_t n = 0;
	int c;
	while ((c = getc_unlocked(f)) != EOF) {
		if (n == *cap && n < LINE_MAX_BYTES) {
			char *more = realloc(*line, *cap ? 2 * *cap : 1u << 16);
			if (more == NULL)
				return 0;
			*line = more;
			*cap = *cap ? 2 * *cap : 1u << 16;
		}
		if (n < *cap)
			(*line)[n] = (char)c;
		n++;
		if (c == '\n')
			break;
	}
	return n;
}

static int
run_lines(struct run *r, FILE *f)
{
	char *line = NULL;
	size_t cap = 0, n;
	errno = 0;
	while (!ferror(stdout) && (n = next_line(f, &line, &cap)) > 0) {
		r->line_no++;
		r->bytes += (uint64_t)n;
		r->bad = false;
		if (n > LINE_MAX_BYTES) {
			r->box->lines++;
			complain(r, "", "longer than 64 MB");
		} else if (!is_blank(line, n)) {
			r->box->lines++;
			run_line(r, line, n);
		}
		r->box->bad_lines += r->bad;
		show_progress(r);
	}
	int e = !ferror(f) ? 0 : errno != EINVAL && errno != 0 ? errno : EIO;
	if (e == 0 && !feof(f) && !ferror(stdout))
		e = ENOMEM;
	free(line);
	if (r->shown)
		fputs("\n", stderr);
	return e != 0 ? -e : r->box->bad_lines ? -EINVAL : 0;
}

int
run_file(struct box *b, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	struct run r = {.box = b, .path = standard ? "stdin" : path, .progress = isatty(2) && !isatty(1),
		.progress_at = time(NULL) + 2};
	FILE *f = standard ? stdin : fopen(path, "re");
	r.raw = malloc(RAW_CAP);
	int rc = f == NULL ? -errno : r.raw == NULL ? -ENOMEM : 0;
	if (rc == 0) {
		if (!standard && fseek(f, 0, SEEK_END) == 0) {
			r.total = (uint64_t)ftell(f);
			rewind(f);
		}
		rc = run_lines(&r, f);
	}
	if (rc != 0 && rc != -EINVAL)
		fprintf(stderr, "sentinel-dataplane: cannot read %s: %s\n", r.path, strerror(-rc));
	if (f != NULL && !standard)
		fclose(f);
	free(r.raw);
	return rc;
}
