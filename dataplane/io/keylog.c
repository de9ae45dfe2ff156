/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/keylog.h"

#include "wire/hex.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYLOG_LINE_MIN 76u /* of a line with a session, its end included */

/* ---- a line ---- */

struct line {
	const char *start, *p, *end;
	const char *why, *where;
};

static bool
wrong(struct line *l, const char *where, const char *why)
{
	l->where = where;
	l->why = why;
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word; empty at the end or before a comment. */
static void
next_word(struct line *l, const char **word, size_t *n)
{
	while (l->p < l->end && is_blank(*l->p))
		l->p++;
	*word = l->p;
	if (l->p < l->end && *l->p == '#')
		l->p = l->end;
	else
		while (l->p < l->end && !is_blank(*l->p))
			l->p++;
	*n = *word < l->end && **word == '#' ? 0 : (size_t)(l->p - *word);
}

static bool
is_absent(const char *word, size_t n)
{
	return n == 1 && *word == '-';
}

static bool
read_secret(struct line *l, const char *word, size_t n, uint8_t out[32])
{
	for (size_t i = 0; i < n; i++) {
		if (hex_value[(uint8_t)word[i]] > 15)
			return wrong(l, word + i, "not a hex digit");
	}
	if (n != 64)
		return wrong(l, word, n == 0 ? "a secret is missing" : "a secret has 64 hex digits");
	for (unsigned i = 0; i < 32; i++)
		out[i] =
			(uint8_t)(hex_value[(uint8_t)word[2 * i]] << 4 | hex_value[(uint8_t)word[2 * i + 1]]);
	return true;
}

static bool
read_port(struct line *l, const char *p, const char *end, uint16_t *port)
{
	uint32_t v = 0;
	if (p == end || end - p > 5)
		return wrong(l, p, "a port is 1 to 65535");
	for (const char *q = p; q < end; q++) {
		if (*q < '0' || *q > '9')
			return wrong(l, q, "not a digit of a port");
		v = v * 10 + (uint32_t)(*q - '0');
	}
	if (v == 0 || v > 65535)
		return wrong(l, p, "a port is 1 to 65535");
	*port = (uint16_t)v;
	return true;
}

static bool
read_address(const char *p, const char *end, bool ip6, uint8_t out[16])
{
	char text[INET6_ADDRSTRLEN];
	size_t n = (size_t)(end - p);
	if (n == 0 || n >= sizeof text || memchr(p, 0, n) != NULL)
		return false;
	memcpy(text, p, n);
	text[n] = 0;
	if (ip6)
		return inet_pton(AF_INET6, text, out) == 1;
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	return inet_pton(AF_INET, text, out + 12) == 1;
}

static bool
read_endpoint(struct line *l, const char *word, size_t n, struct rlpx_endpoint *out)
{
	const char *end = word + n, *colon = end;
	bool ip6 = n > 0 && *word == '[';
	memset(out, 0, sizeof *out);
	if (is_absent(word, n))
		return true;
	if (n == 0)
		return wrong(l, word, "an endpoint is missing (- if it is not known)");
	while (colon > word && *--colon != ':')
		;
	if (*colon != ':' || (ip6 && (colon == word || colon[-1] != ']')))
		return wrong(l, word, "an endpoint is ip:port or [ip6]:port");
	if (!read_address(word + ip6, colon - ip6, ip6, out->ip))
		return wrong(l, word, "not an address");
	return read_port(l, colon + 1, end, &out->port);
}

static bool
read_fields(struct line *l, struct rlpx_key *out)
{
	const char *word;
	size_t n;
	next_word(l, &word, &n);
	if (!read_secret(l, word, n, out->aes))
		return false;
	next_word(l, &word, &n);
	out->has_mac = !is_absent(word, n);
	if (out->has_mac && !read_secret(l, word, n, out->mac))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		next_word(l, &word, &n);
		if (!read_endpoint(l, word, n, &out->end[i]))
			return false;
	}
	next_word(l, &word, &n);
	if (n == 0)
		return true;
	out->has_nonces = true;
	if (!read_secret(l, word, n, out->nonce[0]))
		return false;
	next_word(l, &word, &n);
	if (!read_secret(l, word, n, out->nonce[1]))
		return false;
	next_word(l, &word, &n);
	return n == 0 || wrong(l, word, "more than a session has");
}

int
keylog_line(const char *line, size_t n, struct rlpx_key *out, unsigned *column, const char **why)
{
	if (n > 0 && line[n - 1] == '\r')
		n--;
	struct line l = {line, line, line + n, NULL, line};
	const char *word;
	memset(out, 0, sizeof *out);
	next_word(&l, &word, &n);
	if (n == 0)
		return 0;
	bool known = n == 4 && memcmp(word, "rlpx", 4) == 0;
	if (known ? read_fields(&l, out) : wrong(&l, word, "a line begins with rlpx, or is a comment"))
		return 1;
	*column = (unsigned)(l.where - line) + 1;
	*why = l.why;
	return -1;
}

/* ---- sessions ---- */

static bool
known_session(const struct keylog *k, const struct rlpx_key *s)
{
	for (uint32_t i = k->n; i > 0; i--) {
		if (memcmp(&k->list[i - 1], s, sizeof *s) == 0)
			return true;
	}
	return false;
}

bool
keylog_add(struct keylog *k, const struct rlpx_key *s)
{
	if (known_session(k, s))
		return false;
	if (k->n == k->max) {
		explicit_bzero(k->list++, sizeof *k->list);
		k->n--;
		k->first_number++;
		k->dropped++;
	}
	if (k->list + k->n == k->room + 2 * (size_t)k->max) {
		memmove(k->room, k->list, k->n * sizeof *k->list);
		explicit_bzero(k->room + k->n, ((size_t)(k->list - k->room)) * sizeof *k->list);
		k->list = k->room;
	}
	memcpy(&k->list[k->n++], s, sizeof *s); /* with its padding: sessions are compared by bytes */
	return true;
}

static void
mistake(struct keylog *k, unsigned column, const char *why)
{
	char text[512], from[64] = "";
	k->mistakes++;
	if (k->from > 0)
		snprintf(from, sizeof from, " (lines counted from byte %llu on)", (unsigned long long)k->from);
	snprintf(text, sizeof text, "%s:%u:%u: %s%s", k->path, k->line, column, why, from);
	k->complain(k->ctx, text);
}

static bool
end_line(struct keylog *k)
{
	struct rlpx_key s;
	unsigned column = KEYLOG_LINE_MAX + 1;
	const char *why = "a line is too long";
	int got = k->overlong ? -1 : keylog_line(k->text, k->n_text, &s, &column, &why);
	if (got < 0)
		mistake(k, column, why);
	bool fresh = got > 0 && keylog_add(k, &s);
	explicit_bzero(&s, sizeof s);
	k->n_text = 0;
	k->overlong = false;
	k->line++;
	return fresh;
}

int
keylog_feed(struct keylog *k, const char *text, size_t n)
{
	int fresh = 0;
	for (const char *end = text + n; text < end;) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));
		size_t take = (size_t)((lf ? lf : end) - text);
		if (take > KEYLOG_LINE_MAX - k->n_text)
			k->overlong = true;
		else
			memcpy(k->text + k->n_text, text, take);
		if (!k->overlong)
			k->n_text += (uint32_t)take;
		if (lf != NULL)
			fresh += end_line(k);
		text += take + (lf != NULL);
	}
	return fresh;
}

/* ---- text from elsewhere ---- */

/* Where the last `lines` lines begin. */
static const char *
last_lines(const char *text, const char *end, uint32_t lines)
{
	const char *p = end > text && end[-1] == '\n' ? end - 1 : end;
	while (p > text) {
		if (p[-1] == '\n' && --lines == 0)
			return p;
		p--;
	}
	return text;
}

int
keylog_text(struct keylog *k, const char *text, size_t n, uint64_t *mistakes)
{
	const char *end = text + n, *why;
	struct rlpx_key s;
	unsigned column;
	int fresh = 0;
	*mistakes = 0;
	for (const char *p = last_lines(text, end, k->max); p < end;) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((lf ? lf : end) - p);
		int got = len > KEYLOG_LINE_MAX ? -1 : keylog_line(p, len, &s, &column, &why);
		*mistakes += got < 0;
		fresh += got > 0 && keylog_add(k, &s);
		p += len + (lf != NULL);
	}
	explicit_bzero(&s, sizeof s);
	return fresh;
}

static char *
write_hex(char *p, const uint8_t b[32])
{
	static const char digit[] = "0123456789abcdef";
	for (unsigned i = 0; i < 32; i++) {
		*p++ = digit[b[i] >> 4];
		*p++ = digit[b[i] & 15];
	}
	return p;
}

static char *
write_endpoint(char *p, const struct rlpx_endpoint *e)
{
	static const uint8_t ip4[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];
	if (e->port == 0)
		return stpcpy(p, " -");
	bool v4 = memcmp(e->ip, ip4, sizeof ip4) == 0;
	inet_ntop(v4 ? AF_INET : AF_INET6, e->ip + (v4 ? 12 : 0), text, sizeof text);
	return p + sprintf(p, v4 ? " %s:%u" : " [%s]:%u", text, e->port);
}

size_t
keylog_write(const struct rlpx_key *s, char out[KEYLOG_LINE_MAX + 1])
{
	char *p = write_hex(stpcpy(out, "rlpx "), s->aes);
	p = stpcpy(p, " ");
	p = s->has_mac ? write_hex(p, s->mac) : stpcpy(p, "-");
	for (unsigned i = 0; i < 2; i++)
		p = write_endpoint(p, &s->end[i]);
	for (unsigned i = 0; i < 2 && s->has_nonces; i++)
		p = write_hex(stpcpy(p, " "), s->nonce[i]);
	p = stpcpy(p, "\n");
	return (size_t)(p - out);
}

/* ---- the file ---- */

/* What is wrong with the file as a whole is told when it begins, not at each reading. */
static int
refuse_file(struct keylog *k, int err, const char *why)
{
	char text[512];
	if (strcmp(k->complained, why) != 0) {
		snprintf(k->complained, sizeof k->complained, "%s", why);
		snprintf(text, sizeof text, "%s: %s", k->path, why);
		k->complain(k->ctx, text);
	}
	return -err;
}

static int
check_file(struct keylog *k, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return refuse_file(k, EINVAL, "not a regular file");
	if (st->st_uid != geteuid() && st->st_uid != 0 && geteuid() != 0)
		return refuse_file(k, EPERM, "belongs to another user");
	if ((st->st_mode & 0177) != 0)
		return refuse_file(k, EPERM, "holds secrets: its mode must be 0600 or less");
	return 0;
}

static void
from_beginning(struct keylog *k)
{
	k->offset = k->from = 0;
	k->line = 1;
	k->n_text = 0;
	k->overlong = false;
}

static int
open_file(struct keylog *k)
{
	struct stat st;
	int fd = open(k->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return refuse_file(k, errno, strerror(errno));
	int rc = fstat(fd, &st) != 0 ? -errno : check_file(k, &st);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	if (k->fd >= 0)
		close(k->fd);
	k->fd = fd;
	k->dev = st.st_dev;
	k->ino = st.st_ino;
	k->complained[0] = 0;
	from_beginning(k);
	return 0;
}

/* Looks back from `size`, not further than `least`, for where the last `max` lines begin that are no comments; `least` if there are not so many. */
static uint64_t
look_back(struct keylog *k, uint64_t least, uint64_t size)
{
	char text[8192], next = '#'; /* what follows: nothing yet */
	uint64_t at = size, lines = 0;
	while (at > least) {
		size_t n = at - least < sizeof text ? (size_t)(at - least) : sizeof text;
		if (pread(k->fd, text, n, (off_t)(at - n)) != (ssize_t)n)
			break;
		for (size_t i = n; i > 0 && lines < k->max; next = text[--i])
			if (text[i - 1] == '\n' && next != '#' && next != '\n' && next != '\r' && ++lines == k->max)
				least = at - n + i;
		at = lines == k->max ? least : at - n;
	}
	explicit_bzero(text, sizeof text);
	return least;
}

/* What makes room for others before it is read is not read. */
static void
skip_ahead(struct keylog *k, uint64_t size)
{
	const uint64_t longest = (uint64_t)k->max * (KEYLOG_LINE_MAX + 1), shortest = (uint64_t)k->max * KEYLOG_LINE_MIN;
	if (size < k->offset || size - k->offset <= shortest)
		return;
	uint64_t least = size - k->offset > longest ? size - longest : k->offset, at = look_back(k, least, size);
	if (at == k->offset)
		return;
	from_beginning(k);
	k->offset = k->from = at;
}

/* Until where the file ends now: who appends without end is read at the next turn. */
static int
read_rest(struct keylog *k)
{
	char text[8192];
	struct stat st;
	int fresh = 0;
	if (fstat(k->fd, &st) != 0)
		return -errno;
	skip_ahead(k, (uint64_t)st.st_size);
	for (;;) {
		uint64_t left = (uint64_t)st.st_size > k->offset ? (uint64_t)st.st_size - k->offset : 0;
		ssize_t n = pread(k->fd, text, left < sizeof text ? (size_t)left : sizeof text, (off_t)k->offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			explicit_bzero(text, sizeof text);
			return n == 0 ? fresh : -errno;
		}
		k->offset += (uint64_t)n;
		fresh += keylog_feed(k, text, (size_t)n);
	}
}

static bool
was_replaced(const struct keylog *k)
{
	struct stat st;
	if (k->held)
		return false;
	return k->fd < 0 || (stat(k->path, &st) == 0 && (st.st_dev != k->dev || st.st_ino != k->ino));
}

int
keylog_read(struct keylog *k)
{
	struct stat st;
	int fresh = 0, more = 0;
	if (k->fd >= 0) {
		if (fstat(k->fd, &st) != 0)
			return -errno;
		int rc = k->held ? 0 : check_file(k, &st);
		if (rc != 0)
			return rc;
		if ((uint64_t)st.st_size < k->offset) {
			from_beginning(k);
			k->reopened++;
		}
		fresh = read_rest(k);
		if (fresh < 0)
			return fresh;
	}
	if (was_replaced(k)) {
		k->reopened += k->fd >= 0;
		int rc = open_file(k);
		if (rc != 0)
			return fresh > 0 ? fresh : rc;
		more = read_rest(k);
	}
	return more < 0 ? more : fresh + more;
}

int
keylog_begin(struct keylog *k, const char *name, uint32_t max, keylog_complain complain, void *ctx)
{
	memset(k, 0, sizeof *k);
	k->fd = -1;
	k->max = max ? max : KEYLOG_SESSIONS_DEFAULT;
	k->complain = complain;
	k->ctx = ctx;
	if (k->max > RLPX_KEYS_MAX)
		return -EINVAL;
	from_beginning(k);
	k->path = strdup(name);
	k->list = k->room = calloc(2 * (size_t)k->max, sizeof *k->list);
	if (k->path == NULL || k->list == NULL) {
		keylog_close(k);
		return -ENOMEM;
	}
	return 0;
}

int
keylog_open(struct keylog *k, const char *path, uint32_t max, keylog_complain complain, void *ctx)
{
	int rc = keylog_begin(k, path, max, complain, ctx);
	if (rc != 0)
		return rc;
	rc = keylog_read(k);
	if (rc < 0)
		keylog_close(k);
	return rc < 0 ? rc : 0;
}

void
keylog_hold(struct keylog *k)
{
	k->held = true;
}

void
keylog_close(struct keylog *k)
{
	if (k->fd >= 0)
		close(k->fd);
	if (k->room != NULL)
		explicit_bzero(k->room, 2 * (size_t)k->max * sizeof *k->room);
	free(k->room);
	free(k->path);
	explicit_bzero(k, sizeof *k);
	k->fd = -1;
}

struct rlpx_keys *
keylog_table(const struct keylog *k, uint64_t seed)
{
	size_t bytes = (rlpx_keys_bytes(k->n) + 63) & ~(size_t)63;
	void *mem = aligned_alloc(64, bytes);
	return mem == NULL ? NULL : rlpx_keys_build(mem, k->list, k->n, k->first_number, seed);
}
