/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/http1_line.h"

#include "wire/http1_value.h"

#include <string.h>

/* Of a status line that is beyond doubt. Bounds the work on lines made of beginnings of status lines. */
#define REASON_MAX 64u

enum field {
	FIELD_NONE,
	FIELD_LENGTH,
	FIELD_TE,
	FIELD_ENCODING,
	FIELD_TYPE,
	FIELD_UPGRADE,
	FIELD_EXTENSIONS
};
enum field_state { STATE_EMPTY, STATE_GOOD, STATE_OTHER };

/* RFC 9110 tokens. */
static const uint8_t token[256] = {
	['!'] = 1,
	['#'] = 1,
	['$'] = 1,
	['%'] = 1,
	['&'] = 1,
	['\''] = 1,
	['*'] = 1,
	['+'] = 1,
	['-'] = 1,
	['.'] = 1,
	['0' ... '9'] = 1,
	['A' ... 'Z'] = 1,
	['^'] = 1,
	['_'] = 1,
	['`'] = 1,
	['a' ... 'z'] = 1,
	['|'] = 1,
	['~'] = 1,
};

#ifdef __SSE2__
static inline __m128i
load16(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

static inline uint32_t
equal16(__m128i v, char c)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)));
}

/* One bit for each byte that no token has. */
static inline uint32_t
not_token16(__m128i v)
{
	__m128i visible = _mm_cmpgt_epi8(v, _mm_set1_epi8(0x20)); /* 0x80 and up are negative */
	__m128i low = _mm_or_si128(v, _mm_set1_epi8(0x20));	  /* [ ] to { } */
	__m128i bad = _mm_or_si128(
		_mm_cmpeq_epi8(low, _mm_set1_epi8('{')), _mm_cmpeq_epi8(low, _mm_set1_epi8('}')));
	bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
	bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
	bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8(',')));
	bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, _mm_set1_epi8('/')));
	bad = _mm_or_si128(
		bad, _mm_cmpeq_epi8(_mm_and_si128(v, _mm_set1_epi8((char)0xfe)), _mm_set1_epi8('(')));
	__m128i from_colon = _mm_sub_epi8(v, _mm_set1_epi8(':')); /* : ; < = > ? @ */
	bad = _mm_or_si128(bad, _mm_cmpeq_epi8(_mm_min_epu8(from_colon, _mm_set1_epi8(6)), from_colon));
	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(bad, _mm_xor_si128(visible, _mm_set1_epi8(-1))));
}
#endif

/* Length of the token that the line begins with. */
static uint32_t
token_len(const uint8_t *p, uint32_t n, const uint8_t *limit)
{
	uint32_t i = 0;
#ifdef __SSE2__
	for (; i < n && limit - (p + i) >= 16; i += 16) {
		uint32_t m = not_token16(load16(p + i));
		if (m != 0) {
			i += (uint32_t)__builtin_ctz(m);
			return i < n ? i : n;
		}
	}
	if (i > n)
		return n;
#endif
	while (i < n && token[p[i]])
		i++;
	return i;
}

/* HTTP/1.x, x being one digit. */
static bool
is_version(const uint8_t *p)
{
	return memcmp(p, "HTTP/1.", 7) == 0 && p[7] >= '0' && p[7] <= '9';
}

static bool
status_line(struct http1_dir *d, const uint8_t *p, uint32_t n)
{
	uint32_t i = 8;
	while (i < n && p[i] == ' ')
		i++;
	if (i == 8 || n - i < 3 || (n - i > 3 && p[i + 3] != ' '))
		return false;
	uint16_t status = 0;
	for (uint32_t k = i; k < i + 3; k++) {
		if (p[k] < '0' || p[k] > '9')
			return false;
		status = (uint16_t)(status * 10 + (p[k] - '0'));
	}
	if (status < 100)
		return false;
	d->head = (struct http1_head){.status = status, .json = true, .minor = p[7] - '0'};
	return true;
}

static uint8_t
kind_of(const uint8_t *method, uint32_t n)
{
	if (n == 4 && memcmp(method, "HEAD", 4) == 0)
		return HTTP1_KIND_HEAD;
	if (n == 7 && memcmp(method, "CONNECT", 7) == 0)
		return HTTP1_KIND_CONNECT;
	return HTTP1_KIND_OTHER;
}

static bool
request_line(struct http1_dir *d, const uint8_t *p, uint32_t n, const uint8_t *limit)
{
	uint32_t method = token_len(p, n, limit);
	/* METHOD SP target SP HTTP/1.x, and no other space */
	if (method == 0 || n < method + 11 || p[method] != ' ' || p[n - 9] != ' ' || !is_version(p + n - 8))
		return false;
	uint32_t target = n - 9 - (method + 1);
	if (target == 0 || (target > 1 ? memchr(p + method + 1, ' ', target) != NULL : p[method + 1] == ' '))
		return false;
	d->head = (struct http1_head){.request = true, .json = true, .minor = p[n - 1] - '0'};
	d->head.post = method == 4 && memcmp(p, "POST", 4) == 0;
	d->kind = kind_of(p, method);
	return true;
}

bool
http1_start_line(struct http1_dir *d, const uint8_t *p, uint32_t n, const uint8_t *limit)
{
	bool response = n >= 12 && is_version(p);
	if (d->role != HTTP1_UNKNOWN && response != (d->role == HTTP1_RESPONSES))
		return false;
	if (response ? !status_line(d, p, n) : !request_line(d, p, n, limit))
		return false;
	d->field = FIELD_NONE;
	d->te = HTTP1_TE_NONE;
	d->length_bad = false;
	return true;
}

static bool
names_json(struct value v)
{
	if (v.n >= 16 && is_name(v.p, "application/json", 16))
		return true;
	for (uint32_t i = 0; i + 4 <= v.n; i++) {
		if (is_name(v.p + i, "json", 4))
			return true;
	}
	return false;
}

/* "chunked", or a list that ends in it. */
static bool
is_chunked(struct value v)
{
	const uint8_t *comma = memrchr(v.p, ',', v.n);
	return equal_fold(comma ? trim(comma + 1, v.p + v.n) : v, "chunked");
}

/* The header's value, or the first part of it that is not empty. */
static void
first_value(struct http1_dir *d, struct value v)
{
	bool good = false;
	if (v.n == 0) {
		d->field_state = STATE_EMPTY;
		return;
	}
	switch (d->field) {
	case FIELD_LENGTH:
		good = number(v, &d->field_value);
		break;
	case FIELD_TE:
		good = is_chunked(v);
		break;
	case FIELD_ENCODING:
		d->field_value = value_coding(v);
		good = d->field_value == HTTP1_IDENTITY;
		break;
	case FIELD_TYPE:
		good = names_json(v);
		break;
	case FIELD_UPGRADE:
		d->head.websocket |= value_websocket(v);
		break;
	case FIELD_EXTENSIONS:
		d->field_value = 0;
		if (!d->head.request) /* there it is only an offer */
			value_extensions(&d->head.extensions, v, &d->field_value);
		break;
	default:
		break;
	}
	d->field_state = good ? STATE_GOOD : STATE_OTHER;
}

static void
coding_continued(struct http1_dir *d, struct value v)
{
	d->field_value = value_codings((enum http1_coding)d->field_value, value_coding(v));
	d->field_state = d->field_value == HTTP1_IDENTITY ? STATE_GOOD : STATE_OTHER;
}

/* A further line of the header: its text is joined to what there is by a space (Go). */
static bool
continued(struct http1_dir *d, struct value v)
{
	if (d->head_bytes == 0) /* right below the start line */
		return false;
	if (d->field == FIELD_NONE || v.n == 0)
		return true;
	if (d->field_state == STATE_EMPTY)
		first_value(d, v);
	else if (d->field == FIELD_UPGRADE)
		d->head.websocket |= value_websocket(v);
	else if (d->field == FIELD_EXTENSIONS && !d->head.request)
		value_extensions(&d->head.extensions, v, &d->field_value);
	else if (d->field == FIELD_ENCODING)
		coding_continued(d, v);
	else if (d->field != FIELD_TYPE)
		d->field_state = STATE_OTHER;
	else if (names_json(v))
		d->field_state = STATE_GOOD;
	return true;
}

static void
length_end(struct http1_dir *d)
{
	if (d->field_state == STATE_EMPTY)
		return;
	if (d->field_state == STATE_OTHER || (d->head.has_length && d->head.content_length != d->field_value))
		d->length_bad = true;
	d->head.has_length = true;
	d->head.content_length = d->field_value;
}

void
http1_header_end(struct http1_dir *d)
{
	switch (d->field) {
	case FIELD_LENGTH:
		length_end(d);
		break;
	case FIELD_TE:
		d->te = d->field_state == STATE_GOOD ? HTTP1_TE_CHUNKED : HTTP1_TE_OTHER;
		break;
	case FIELD_ENCODING:
		if (d->field_state == STATE_EMPTY)
			break;
		d->head.encoded |= d->field_state == STATE_OTHER;
		d->head.coding = value_codings(d->head.coding, (enum http1_coding)d->field_value);
		break;
	case FIELD_TYPE:
		d->head.json = d->field_state != STATE_OTHER;
		break;
	default:
		break;
	}
	d->field = FIELD_NONE;
}

static enum field
field_of(struct http1_dir *d, const uint8_t *p, uint32_t n)
{
	switch (n) {
	case 7:
		if (!is_name(p, "upgrade", 7))
			return FIELD_NONE;
		d->head.upgrade = true;
		return FIELD_UPGRADE;
	case 12:
		return is_name(p, "content-type", 12) ? FIELD_TYPE : FIELD_NONE;
	case 14:
		return is_name(p, "content-length", 14) ? FIELD_LENGTH : FIELD_NONE;
	case 16:
		return is_name(p, "content-encoding", 16) ? FIELD_ENCODING : FIELD_NONE;
	case 17:
		return is_name(p, "transfer-encoding", 17) ? FIELD_TE : FIELD_NONE;
	case 24:
		return is_name(p, "sec-websocket-extensions", 24) ? FIELD_EXTENSIONS : FIELD_NONE;
	default:
		return FIELD_NONE;
	}
}

bool
http1_header_line(struct http1_dir *d, const uint8_t *p, uint32_t n, const uint8_t *limit)
{
	if (is_blank(p[0]))
		return continued(d, trim(p, p + n));
	if (d->field != FIELD_NONE)
		http1_header_end(d);
	uint32_t name = token_len(p, n, limit);
	if (name == 0 || name == n || p[name] != ':')
		return false;
	d->field = field_of(d, p, name);
	if (d->field != FIELD_NONE)
		first_value(d, trim(p + name + 1, p + n));
	return true;
}

#ifdef __SSE2__
/* Lengths of names that matter. */
#define INTERESTING (1u << 7 | 1u << 12 | 1u << 14 | 1u << 16 | 1u << 17 | 1u << 24)

/* The common case, without what can only be decided line by line: names up to 31 bytes, nothing continued. */
const uint8_t *
http1_header_lines(struct http1_dir *d, const uint8_t *p, const uint8_t *end)
{
	while (end - p >= 32) {
		__m128i low = load16(p), high = load16(p + 16);
		uint32_t stop = not_token16(low);
		if (stop == 0)
			stop = not_token16(high) << 16;
		if (stop == 0)
			break;
		uint32_t name = (uint32_t)__builtin_ctz(stop);
		if (name == 0 || p[name] != ':')
			break;
		uint32_t lf_mask = equal16(low, '\n') | equal16(high, '\n') << 16;
		const uint8_t *lf = lf_mask ? p + __builtin_ctz(lf_mask) : http1_find_lf(p + 32, end);
		if (lf == NULL || lf - p > HTTP1_LINE_MAX)
			break;
		if (d->field != FIELD_NONE)
			http1_header_end(d);
		if (INTERESTING >> name & 1) {
			d->field = field_of(d, p, name);
			if (d->field != FIELD_NONE)
				first_value(d, trim(p + name + 1, lf[-1] == '\r' ? lf - 1 : lf));
		}
		p = lf + 1;
	}
	return p;
}
#else
const uint8_t *
http1_header_lines(struct http1_dir *d, const uint8_t *p, const uint8_t *end)
{
	return p;
}
#endif

bool
http1_is_header(const uint8_t *p, uint32_t n, const uint8_t *limit)
{
	uint32_t name = token_len(p, n, limit);
	return name > 0 && name < n && p[name] == ':';
}

bool
http1_trailer_line(struct http1_dir *d, const uint8_t *p, uint32_t n, const uint8_t *limit)
{
	return is_blank(p[0]) ? d->head_bytes > 0 : http1_is_header(p, n, limit);
}

static const struct {
	char text[9];
	uint8_t len;
} methods[] = {{"POST ", 5}, {"GET ", 4}, {"OPTIONS ", 8}, {"PUT ", 4}, {"HEAD ", 5}, {"DELETE ", 7},
	{"PATCH ", 6}, {"CONNECT ", 8}, {"TRACE ", 6}};

/* Follows a start line byte by byte: how much of the pattern was met. */
struct matcher {
	const uint8_t *p;
	uint32_t n, i;
};

enum match { MATCH_NO, MATCH_SO_FAR, MATCH_YES };

static enum match
text(struct matcher *m, const char *t, uint32_t len)
{
	uint32_t k = m->n - m->i < len ? m->n - m->i : len;
	if (memcmp(m->p + m->i, t, k) != 0)
		return MATCH_NO;
	m->i += k;
	return k == len ? MATCH_YES : MATCH_SO_FAR;
}

static enum match
version(struct matcher *m)
{
	enum match r = text(m, "HTTP/1.", 7);
	if (r != MATCH_YES)
		return r;
	if (m->i == m->n)
		return MATCH_SO_FAR;
	uint8_t c = m->p[m->i++];
	return c == '0' || c == '1' ? MATCH_YES : MATCH_NO;
}

static enum match
match_status(struct matcher *m)
{
	enum match r = version(m);
	if (r != MATCH_YES)
		return r;
	if ((r = text(m, " ", 1)) != MATCH_YES)
		return r;
	for (unsigned k = 0; k < 3; k++, m->i++) {
		if (m->i == m->n)
			return MATCH_SO_FAR;
		uint8_t c = m->p[m->i];
		if (c < (k == 0 ? '1' : '0') || c > (k == 0 ? '5' : '9'))
			return MATCH_NO;
	}
	if (m->i == m->n)
		return MATCH_SO_FAR;
	if (m->p[m->i] == '\r')
		return m->n == m->i + 1 ? MATCH_YES : MATCH_NO;
	if (m->p[m->i] != ' ')
		return MATCH_NO;
	for (uint32_t from = m->i; m->i < m->n; m->i++) {
		uint8_t c = m->p[m->i];
		if (m->i - from > REASON_MAX)
			return MATCH_NO;
		if (c == '\r')
			return m->n == m->i + 1 ? MATCH_YES : MATCH_NO;
		if (c < 0x20 && c != '\t')
			return MATCH_NO;
	}
	return MATCH_SO_FAR;
}

static enum match
match_method(struct matcher *m)
{
	for (unsigned k = 0; k < sizeof methods / sizeof methods[0]; k++) {
		enum match r = text(m, methods[k].text, methods[k].len);
		if (r != MATCH_NO)
			return r;
	}
	return MATCH_NO;
}

static enum match
match_request(struct matcher *m)
{
	enum match r = match_method(m);
	if (r != MATCH_YES)
		return r;
	uint32_t from = m->i;
	while (m->i < m->n && m->p[m->i] > 0x20 && m->p[m->i] < 0x7f)
		m->i++;
	if (m->i == m->n)
		return MATCH_SO_FAR;
	if (m->i == from || m->p[m->i++] != ' ')
		return MATCH_NO;
	if ((r = version(m)) != MATCH_YES)
		return r;
	if (m->i == m->n)
		return MATCH_SO_FAR;
	return m->p[m->i] == '\r' && m->n == m->i + 1 ? MATCH_YES : MATCH_NO;
}

static enum match
match_start(const uint8_t *p, uint32_t n, uint8_t role)
{
	enum match q = MATCH_NO, s = MATCH_NO;
	if (role != HTTP1_RESPONSES)
		q = match_request(&(struct matcher){p, n, 0});
	if (role != HTTP1_REQUESTS)
		s = match_status(&(struct matcher){p, n, 0});
	return q > s ? q : s;
}

bool
http1_is_start(const uint8_t *p, uint32_t n, uint8_t role)
{
	return match_start(p, n, role) == MATCH_YES;
}

bool
http1_maybe_start(const uint8_t *p, uint32_t n, uint8_t role)
{
	return match_start(p, n, role) != MATCH_NO;
}

static bool
ends_json(uint8_t c)
{
	return c == '}' || c == ']';
}

/* A message may begin right behind the JSON text that was the body of the one before. */
static const uint8_t *
start_behind_json(const uint8_t *p, uint32_t n, uint8_t role)
{
	const uint8_t *end = p + n;
	for (const uint8_t *q = end; q > p; q--) {
		if (ends_json(q[-1]) && q < end && (*q >= 'A' && *q <= 'Z') &&
			http1_is_start(q, (uint32_t)(end - q), role))
			return q;
	}
	return NULL;
}

const uint8_t *
http1_find_start(const uint8_t *p, uint32_t n, uint8_t role)
{
	if (n < 12 || p[n - 1] != '\r')
		return NULL;
	if (http1_is_start(p, n, role))
		return p;
	return start_behind_json(p, n, role);
}

const uint8_t *
http1_find_beginning(const uint8_t *p, uint32_t n, uint8_t role)
{
	if (n <= HTTP1_LINE_MAX && http1_maybe_start(p, n, role))
		return p;
	const uint8_t *end = p + n;
	const uint8_t *from = n > HTTP1_LINE_MAX ? end - HTTP1_LINE_MAX : p;
	for (const uint8_t *q = end - 1; q > from; q--) {
		if (ends_json(q[-1]) && http1_maybe_start(q, (uint32_t)(end - q), role))
			return q;
	}
	return NULL;
}

/* Any token is a method: a node answers 405 and goes on reading requests. */
static int
looks_like_request(struct span in)
{
	const uint8_t *end = in.p + in.len;
	uint32_t method = token_len(in.p, in.len, end);
	if (method == in.len)
		return -1;
	if (method == 0 || in.p[method] != ' ')
		return 0;
	const uint8_t *target = in.p + method + 1;
	const uint8_t *p = target;
	while (p<end && * p> 0x20 && *p != 0x7f)
		p++;
	if (p == end)
		return p == target || (method == 3 && memcmp(in.p, "PRI", 3) == 0) ? -1 : 1;
	if (p == target || *p != ' ')
		return 0;
	struct matcher m = {p + 1, (uint32_t)(end - p - 1), 0};
	if (text(&m, "HTTP/1.", 7) == MATCH_NO)
		return 0;
	return m.i == 7 ? 1 : -1;
}

int
http1_looks_like(struct span in)
{
	while (in.len > 0 && (*in.p == '\r' || *in.p == '\n')) {
		in.p++;
		in.len--;
	}
	if (in.len == 0)
		return -1;
	struct matcher m = {in.p, in.len, 0};
	switch (text(&m, "HTTP/1.", 7)) {
	case MATCH_SO_FAR:
		return -1;
	case MATCH_YES:
		if (in.len == 7)
			return -1;
		return in.p[7] >= '0' && in.p[7] <= '9' && (in.len == 8 || in.p[8] == ' ') ? 1 : 0;
	default:
		return looks_like_request(in);
	}
}

bool
http1_surely(struct span in)
{
	static const char *const begins[] = {"HTTP/1.", "POST /", "POST http", "GET /", "GET http", "PUT /", "HEAD /", "OPTIONS /", "OPTIONS *", "DELETE /", "PATCH /"};
	if (http1_looks_like(in) != 1)
		return false;
	while (in.len > 0 && (*in.p == '\r' || *in.p == '\n')) {
		in.p++;
		in.len--;
	}
	for (unsigned i = 0; i < sizeof begins / sizeof begins[0]; i++) {
		size_t n = strlen(begins[i]);
		if (in.len >= n && memcmp(in.p, begins[i], n) == 0)
			return true;
	}
	/* a target that has ended has the version behind it, or it would not look like a request */
	const uint8_t *method = memchr(in.p, ' ', in.len);
	return method != NULL && memchr(method + 1, ' ', in.len - (size_t)(method + 1 - in.p)) != NULL;
}
