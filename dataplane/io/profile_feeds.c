/* SPDX-License-Identifier: BSD-3-Clause */
/* What the profile says of feeds, chains and protocols. */
#include "io/profile_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A decimal number from min to max. */
static int
take_number(
	struct parse *p, const yaml_node_t *n, const char *what, uint64_t min, uint64_t max, uint64_t *out)
{
	const char *s = profile_text(n);
	char *end = NULL;
	errno = 0;
	unsigned long long v = s != NULL && isdigit((unsigned char)s[0]) ? strtoull(s, &end, 10) : 0;
	if (end == NULL || *end != '\0' || errno != 0 || v < min || v > max)
		return profile_complain(p, &n->start_mark, "%s must be a number from %llu to %llu%s%.40s",
			what, (unsigned long long)min, (unsigned long long)max, s ? ", not " : "",
			s ? s : "");
	*out = v;
	return 0;
}

/* The elements of a list, at least one, at most max, no two the same. Returns how many, or -EINVAL. */
static int
take_numbers(struct parse *p, const yaml_node_t *n, const char *what, uint64_t max_value, uint64_t *out,
	unsigned max)
{
	unsigned count = 0;
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&p->doc, *i);
		uint64_t v = 0;
		if (count == max)
			return profile_complain(p, &item->start_mark, "%s: more than %u", what, max);
		int rc = take_number(p, item, what, 1, max_value, &v);
		if (rc != 0)
			return rc;
		for (unsigned k = 0; k < count; k++)
			if (out[k] == v)
				return profile_complain(p, &item->start_mark, "%s names %llu twice", what,
					(unsigned long long)v);
		out[count++] = v;
	}
	if (count == 0)
		return profile_complain(p, &n->start_mark, "%s: the list is empty", what);
	return (int)count;
}

static int
take_feed(struct parse *p, const yaml_node_t *v, enum feed f)
{
	struct feeds *feeds = &p->t->feeds;
	const char *s = profile_text(v);
	char what[32];
	snprintf(what, sizeof what, "feeds.%s", feed_name(f));
	if (v->type == YAML_SEQUENCE_NODE) {
		uint64_t ports[FEEDS_PORTS_MAX];
		int n = take_numbers(p, v, what, 65535, ports, FEEDS_PORTS_MAX);
		if (n < 0)
			return n;
		for (int i = 0; i < n; i++)
			feeds->ports[f][i] = (uint16_t)ports[i];
		feeds->n_ports[f] = (uint8_t)n;
		feeds->off[f] = false;
		return 0;
	}
	bool on = s != NULL && (strcmp(s, "true") == 0 || strcmp(s, "auto") == 0);
	if (!on && (s == NULL || (strcmp(s, "false") != 0 && strcmp(s, "off") != 0)))
		return profile_complain(p, &v->start_mark,
			"%s must be true (or auto), false (or off), or a list of ports", what);
	feeds->n_ports[f] = 0;
	feeds->off[f] = !on;
	return 0;
}

static int
feed_key(struct parse *p, const yaml_node_t *v, const char *key, void *k)
{
	char known[128] = "";
	for (unsigned f = 0; f < FEED_COUNT; f++) {
		if (strcmp(key, feed_name(f)) == 0)
			return take_feed(p, v, f);
		snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", f ? ", " : "",
			feed_name(f));
	}
	return profile_unknown(p, k, key, known);
}

static int
take_chains(struct parse *p, const yaml_node_t *v)
{
	struct feeds *feeds = &p->t->feeds;
	if (v->type != YAML_SEQUENCE_NODE)
		return profile_complain(p, &v->start_mark, "chains must be a list of chain ids");
	int n = take_numbers(p, v, "chains", UINT64_MAX - 1, feeds->chain_ids, FEEDS_CHAINS_MAX);
	if (n < 0)
		return n;
	feeds->n_chain_ids = (uint8_t)n;
	return 0;
}

/* 0x and 40 hex digits. */
static bool
take_address(const char *s, uint8_t out[20])
{
	if (s == NULL || strlen(s) != 42 || s[0] != '0' || s[1] != 'x')
		return false;
	for (unsigned i = 0; i < 40; i++) {
		int c = tolower((unsigned char)s[2 + i]);
		if (!isxdigit(c))
			return false;
		unsigned v = (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		out[i / 2] = (uint8_t)(i & 1 ? out[i / 2] | v : v << 4);
	}
	return true;
}

static int
protocol_address(struct parse *p, const yaml_node_t *item, const char *name, unsigned protocol)
{
	struct protocols *all = &p->t->protocols;
	uint8_t address[20];
	const char *s = profile_text(item);
	if (!take_address(s, address))
		return profile_complain(p, &item->start_mark,
			"protocols.%s: an address is 0x and 40 hex digits%s%.50s", name, s ? ", not " : "",
			s ? s : "");
	if (all->n_addresses == PROTOCOLS_ADDRESSES_MAX)
		return profile_complain(p, &item->start_mark, "protocols.%s: more than %u addresses in all",
			name, PROTOCOLS_ADDRESSES_MAX);
	int other = protocols_find(all, address);
	if (other >= 0)
		return profile_complain(p, &item->start_mark,
			"protocols.%s: %s is one of protocols.%s already", name, s, all->name[other]);
	uint32_t at = protocols_at(all, address);
	memmove(&all->address[at + 1], &all->address[at], (all->n_addresses - at) * sizeof all->address[0]);
	memcpy(all->address[at].address, address, 20);
	all->address[at].protocol = (uint8_t)protocol;
	all->n_addresses++;
	return 0;
}

static bool
is_name(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n < PROTOCOLS_NAME_BYTES &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static int
protocol_key(struct parse *p, const yaml_node_t *v, const char *key, void *k)
{
	struct protocols *all = &p->t->protocols;
	const yaml_mark_t *at = &((const yaml_node_t *)k)->start_mark;
	if (!is_name(key))
		return profile_complain(p, at,
			"protocols: a name has 1 to %u letters, digits, '.', '_' or '-', not %.40s",
			PROTOCOLS_NAME_BYTES - 1, key);
	if (all->n == PROTOCOLS_MAX)
		return profile_complain(p, at, "protocols: more than %u names", PROTOCOLS_MAX);
	if (v->type != YAML_SEQUENCE_NODE || v->data.sequence.items.start == v->data.sequence.items.top)
		return profile_complain(p, &v->start_mark, "protocols.%s must be a list of addresses", key);
	unsigned protocol = all->n++;
	strcpy(all->name[protocol], key);
	for (yaml_node_item_t *i = v->data.sequence.items.start; i < v->data.sequence.items.top; i++) {
		int rc = protocol_address(p, yaml_document_get_node(&p->doc, *i), key, protocol);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
take_path(struct parse *p, const yaml_node_t *v, const char *key, char out[TOPOLOGY_PATH_BYTES])
{
	const char *s = profile_text(v);
	if (s == NULL || s[0] == '\0')
		return profile_complain(p, &v->start_mark, "%s must be the name of a file", key);
	if (strlen(s) >= TOPOLOGY_PATH_BYTES)
		return profile_complain(
			p, &v->start_mark, "%s is longer than %u bytes", key, TOPOLOGY_PATH_BYTES - 1);
	strcpy(out, s);
	return 0;
}

int
profile_feeds_key(struct parse *p, const yaml_node_t *v, const char *key)
{
	if (strcmp(key, "feeds") == 0)
		return profile_each_key(p, v, feed_key);
	if (strcmp(key, "chains") == 0)
		return take_chains(p, v);
	if (strcmp(key, "protocols") == 0)
		return profile_each_key(p, v, protocol_key);
	if (strcmp(key, "rlpx_keys") == 0)
		return take_path(p, v, key, p->t->rlpx_keys);
	return 1;
}
