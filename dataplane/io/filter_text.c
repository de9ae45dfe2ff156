/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/filter_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static int
refuse(char *err, size_t cap, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err, cap, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Digits alone, 0..max; -1 if it is not that. */
static long
number(const char *s, long max)
{
	if (s[0] == '\0' || strspn(s, "0123456789") != strlen(s) || strlen(s) > 6)
		return -1;
	long v = strtol(s, NULL, 10);
	return v <= max ? v : -1;
}

static bool
clean_behind(const struct filter_prefix *p)
{
	for (unsigned i = p->bits; i < 128; i++)
		if (p->address[i / 8] & (0x80u >> (i % 8)))
			return false;
	return true;
}

int
filter_text_prefix(const char *text, struct filter_prefix *out, char *err, size_t cap)
{
	char host[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	memset(out, 0, sizeof *out);
	if (n == 0 || n >= sizeof host)
		return refuse(err, cap, "an address is 192.0.2.2, 10.0.0.0/8 or 2001:db8::/32, not %.50s", text);
	memcpy(host, text, n);
	host[n] = '\0';
	bool four = inet_pton(AF_INET, host, out->address + 12) == 1;
	if (four)
		out->address[10] = out->address[11] = 0xff;
	else if (inet_pton(AF_INET6, host, out->address) != 1)
		return refuse(err, cap, "an address is 192.0.2.2, 10.0.0.0/8 or 2001:db8::/32, not %.50s", text);
	long bits = slash != NULL ? number(slash + 1, four ? 32 : 128) : four ? 32 : 128;
	if (bits < 0)
		return refuse(err, cap, "%.50s: behind the slash stands a number from 0 to %u", text, four ? 32 : 128);
	out->bits = (uint8_t)(four ? bits + 96 : bits);
	if (!clean_behind(out))
		return refuse(err, cap, "%.50s has bits behind the prefix; leave them 0, or the slash away", text);
	return 0;
}

static int
add_number(uint16_t *list, uint8_t *n, unsigned max, const char *what, const char *text, long min, long most, char *err, size_t cap)
{
	long v = number(text, most);
	if (v < min)
		return refuse(err, cap, "a %s is a number from %ld to %ld, not %.40s", what, min, most, text);
	for (unsigned i = 0; i < *n; i++)
		if (list[i] == v)
			return refuse(err, cap, "%s %ld is named twice", what, v);
	if (*n == max) {
		refuse(err, cap, "more than %u %ss", max, what);
		return -E2BIG;
	}
	list[(*n)++] = (uint16_t)v;
	return 0;
}

static int
add_prefix(struct filter_prefix *list, uint8_t *n, unsigned max, const char *text, char *err, size_t cap)
{
	struct filter_prefix p;
	int rc = filter_text_prefix(text, &p, err, cap);
	if (rc != 0)
		return rc;
	for (unsigned i = 0; i < *n; i++)
		if (memcmp(&list[i], &p, sizeof p) == 0)
			return refuse(err, cap, "%.50s is named twice", text);
	if (*n == max) {
		refuse(err, cap, "more than %u addresses", max);
		return -E2BIG;
	}
	list[(*n)++] = p;
	return 0;
}

int
filter_text_port(struct filter *f, const char *text, char *err, size_t cap)
{
	return add_number(f->port, &f->ports, FILTER_PORTS_MAX, "port", text, 1, 65535, err, cap);
}

int
filter_text_vlan(struct filter *f, const char *text, char *err, size_t cap)
{
	return add_number(f->vlan, &f->vlans, FILTER_VLANS_MAX, "VLAN", text, 0, 4094, err, cap);
}

int
filter_text_address(struct filter *f, const char *text, char *err, size_t cap)
{
	return add_prefix(f->address, &f->addresses, FILTER_ADDRESSES_MAX, text, err, cap);
}

int
filter_text_tunnel(struct filter *f, const char *text, char *err, size_t cap)
{
	return add_prefix(f->tunnel, &f->tunnels, FILTER_TUNNELS_MAX, text, err, cap);
}

int
filter_text_list(struct filter *f, const char *text, int (*add)(struct filter *, const char *, char *, size_t), char *err, size_t cap)
{
	for (;;) {
		char element[64];
		size_t n = strcspn(text, ",");
		if (n >= sizeof element)
			return refuse(err, cap, "%.40s... is no element of a list", text);
		memcpy(element, text, n);
		element[n] = '\0';
		int rc = add(f, element, err, cap);
		if (rc != 0 || text[n] == '\0')
			return rc;
		text += n + 1;
	}
}

void
filter_text_show(const struct filter_prefix *p, char out[FILTER_TEXT_PREFIX])
{
	static const uint8_t four[12] = {[10] = 0xff, [11] = 0xff};
	bool is4 = p->bits >= 96 && memcmp(p->address, four, sizeof four) == 0;
	char host[INET6_ADDRSTRLEN];
	inet_ntop(is4 ? AF_INET : AF_INET6, p->address + (is4 ? 12 : 0), host, sizeof host);
	unsigned bits = p->bits - (is4 ? 96u : 0u);
	if (bits == (is4 ? 32 : 128))
		snprintf(out, FILTER_TEXT_PREFIX, "%s", host);
	else
		snprintf(out, FILTER_TEXT_PREFIX, "%s/%u", host, bits);
}

__attribute__((format(printf, 3, 4))) static void
append(char *out, size_t cap, const char *fmt, ...)
{
	size_t n = strlen(out);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(out + n, cap - n, fmt, ap);
	va_end(ap);
}

static void
append_prefixes(char *out, size_t cap, const char *what, const struct filter_prefix *list, unsigned n)
{
	char text[FILTER_TEXT_PREFIX];
	append(out, cap, "%s", what);
	for (unsigned i = 0; i < n; i++) {
		filter_text_show(&list[i], text);
		append(out, cap, " %s", text);
	}
}

void
filter_text_print(const struct filter *f, char *out, size_t cap)
{
	if (cap == 0)
		return;
	out[0] = '\0';
	append(out, cap, f->ports ? "ports" : "any port");
	for (unsigned i = 0; i < f->ports; i++)
		append(out, cap, " %u", f->port[i]);
	if (f->addresses > 0)
		append_prefixes(out, cap, ", addresses", f->address, f->addresses);
	else
		append(out, cap, ", any address");
	append(out, cap, f->vlans ? ", VLANs" : ", any VLAN");
	for (unsigned i = 0; i < f->vlans; i++)
		append(out, cap, " %u", f->vlan[i]);
	if (f->tunnels > 0)
		append_prefixes(out, cap, ", tunnels of", f->tunnel, f->tunnels);
}
