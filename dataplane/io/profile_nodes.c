/* SPDX-License-Identifier: BSD-3-Clause */
/* What the profile says of the nodes beside the box. */
#include "io/profile_private.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_TEXT_MAX 64u /* "[address]:port" and more */

/* A decimal number from 1 to max, and nothing behind it. 0: it is none. */
static uint32_t
number(const char *s, uint32_t max)
{
	char *end;
	errno = 0;
	if (s == NULL || !isdigit((unsigned char)s[0]))
		return 0;
	unsigned long v = strtoul(s, &end, 10);
	return *end == '\0' && errno == 0 && v <= max ? (uint32_t)v : 0;
}

static bool
take_ip(const char *s, uint8_t ip[16])
{
	memset(ip, 0, 16);
	if (inet_pton(AF_INET6, s, ip) == 1)
		return true;
	memset(ip, 0, 10);
	ip[10] = ip[11] = 0xff;
	return inet_pton(AF_INET, s, ip + 12) == 1;
}

/* "192.0.2.2", "192.0.2.2:8545", "2001:db8::2" or "[2001:db8::2]:8545". */
static bool
take_place(const char *s, struct node_place *p)
{
	char text[PLACE_TEXT_MAX];
	if (s == NULL || strlen(s) >= sizeof text)
		return false;
	strcpy(text, s);
	char *ip = text, *port = NULL, *colon = strchr(text, ':');
	if (text[0] == '[') {
		char *close = strchr(text, ']');
		if (close == NULL || close[1] != ':')
			return false;
		ip = text + 1;
		*close = '\0';
		port = close + 2;
		if (strchr(ip, ':') == NULL)
			return false;
	} else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
		*colon = '\0';
		port = colon + 1;
	}
	p->port = port != NULL ? (uint16_t)number(port, 65535) : 0;
	return (port == NULL || p->port != 0) && take_ip(ip, p->ip);
}

static int
take_address(struct parse *p, const yaml_node_t *item, unsigned node)
{
	struct nodes *all = &p->t->nodes;
	const char *s = profile_text(item);
	struct node_place place = {.node = (uint8_t)node};
	if (!take_place(s, &place))
		return profile_complain(p, &item->start_mark,
			"nodes.%s.addresses: an address is 192.0.2.2, 192.0.2.2:8545, 2001:db8::2 or [2001:db8::2]:8545%s%.60s", all->name[node],
			s ? ", not " : "", s ? s : "");
	for (unsigned i = 0; i < all->n_places; i++)
		if (memcmp(all->place[i].ip, place.ip, 16) == 0 && all->place[i].port == place.port)
			return profile_complain(p, &item->start_mark, "nodes.%s.addresses: %s is an address of nodes.%s already", all->name[node], s,
				all->name[all->place[i].node]);
	if (all->n_places == NODES_PLACES_MAX)
		return profile_complain(p, &item->start_mark, "nodes.%s.addresses: more than %u addresses in all", all->name[node], NODES_PLACES_MAX);
	all->place[all->n_places++] = place;
	return 0;
}

static bool
is_list(const yaml_node_t *v)
{
	return v->type == YAML_SEQUENCE_NODE && v->data.sequence.items.start < v->data.sequence.items.top;
}

static int
take_addresses(struct parse *p, const yaml_node_t *v, unsigned node)
{
	if (!is_list(v))
		return profile_complain(p, &v->start_mark, "nodes.%s.addresses must be a list of addresses", p->t->nodes.name[node]);
	for (yaml_node_item_t *i = v->data.sequence.items.start; i < v->data.sequence.items.top; i++) {
		int rc = take_address(p, yaml_document_get_node(&p->doc, *i), node);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
take_feeds(struct parse *p, const yaml_node_t *v, unsigned node)
{
	struct nodes *all = &p->t->nodes;
	if (!is_list(v))
		return profile_complain(p, &v->start_mark, "nodes.%s.feeds must be a list of feeds", all->name[node]);
	for (yaml_node_item_t *i = v->data.sequence.items.start; i < v->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&p->doc, *i);
		const char *s = profile_text(item);
		unsigned f = NODE_FEED_HTTP;
		while (f < NODE_FEED_COUNT && (s == NULL || strcmp(s, node_feed_name(f)) != 0))
			f++;
		if (f == NODE_FEED_COUNT)
			return profile_complain(p, &item->start_mark,
				"nodes.%s.feeds: a feed is http, websocket, rlpx, engine, grpc, arbitrum or ipc%s%.40s", all->name[node], s ? ", not " : "",
				s ? s : "");
		if (all->feeds[node] >> f & 1)
			return profile_complain(p, &item->start_mark, "nodes.%s.feeds names %s twice", all->name[node], s);
		all->feeds[node] |= 1u << f;
	}
	return 0;
}

/* Of the node that was named last. */
static int
one_key(struct parse *p, const yaml_node_t *v, const char *key, void *k)
{
	struct nodes *all = &p->t->nodes;
	unsigned node = all->n;
	if (strcmp(key, "addresses") == 0)
		return take_addresses(p, v, node);
	if (strcmp(key, "feeds") == 0)
		return take_feeds(p, v, node);
	if (strcmp(key, "silence_s") != 0)
		return profile_unknown(p, k, key, "addresses, silence_s, feeds");
	all->silence_s[node] = number(profile_text(v), NODES_SILENCE_MAX_S);
	if (all->silence_s[node] == 0)
		return profile_complain(p, &v->start_mark, "nodes.%s.silence_s must be seconds from 1 to %u", all->name[node], NODES_SILENCE_MAX_S);
	return 0;
}

static bool
is_name(const char *s)
{
	size_t n = strlen(s);
	return n > 0 && n < STATS_NODE_NAME_BYTES && s[0] != '-' && strcmp(s, "other") != 0 && strcmp(s, "all") != 0 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static int
node_key(struct parse *p, const yaml_node_t *v, const char *key, void *k)
{
	struct nodes *all = &p->t->nodes;
	const yaml_mark_t *at = &((const yaml_node_t *)k)->start_mark;
	unsigned before = all->n_places;
	if (!is_name(key))
		return profile_complain(p, at, "nodes: a name has 1 to %u letters, digits, '.', '_' or '-', which is not the first, and is neither other nor all, not %.40s",
			STATS_NODE_NAME_BYTES - 1, key);
	if (all->n == NODES_MAX)
		return profile_complain(p, at, "nodes: more than %u", NODES_MAX);
	strcpy(all->name[++all->n], key);
	int rc = profile_each_key(p, v, one_key);
	if (rc == 0 && all->n_places == before)
		return profile_complain(p, at, "nodes.%s has no addresses", key);
	return rc;
}

int
profile_nodes_key(struct parse *p, const yaml_node_t *v, const char *key)
{
	return strcmp(key, "nodes") == 0 ? profile_each_key(p, v, node_key) : 1;
}
