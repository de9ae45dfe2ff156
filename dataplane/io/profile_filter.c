/* SPDX-License-Identifier: BSD-3-Clause */
/* What the profile says of the filter. */
#include "io/filter_text.h"
#include "io/profile_private.h"

#include <string.h>

static int
take_list(struct parse *p, const yaml_node_t *v, const char *key, int (*add)(struct filter *, const char *, char *, size_t))
{
	char why[160];
	if (v->type != YAML_SEQUENCE_NODE)
		return profile_complain(p, &v->start_mark, "filter.%s must be a list; leave it out for any", key);
	if (v->data.sequence.items.start == v->data.sequence.items.top)
		return profile_complain(p, &v->start_mark, "filter.%s: the list is empty; leave it out for any", key);
	for (yaml_node_item_t *i = v->data.sequence.items.start; i < v->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&p->doc, *i);
		const char *s = profile_text(item);
		if (s == NULL)
			return profile_complain(p, &item->start_mark, "filter.%s: an element is a word, not a list or a mapping", key);
		int rc = add(&p->t->filter, s, why, sizeof why);
		if (rc != 0)
			return profile_complain(p, &item->start_mark, "filter.%s: %s", key, why);
	}
	return 0;
}

static int
filter_key(struct parse *p, const yaml_node_t *v, const char *key, void *k)
{
	static const struct {
		const char *key;
		int (*add)(struct filter *, const char *, char *, size_t);
	} known[] = {{"ports", filter_text_port}, {"addresses", filter_text_address}, {"vlans", filter_text_vlan}, {"tunnels", filter_text_tunnel}};
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(key, known[i].key) == 0)
			return take_list(p, v, key, known[i].add);
	return profile_unknown(p, k, key, "ports, addresses, vlans, tunnels");
}

int
profile_filter_key(struct parse *p, const yaml_node_t *v, const char *key)
{
	if (strcmp(key, "filter") != 0)
		return 1;
	p->t->filter.given = true;
	return profile_each_key(p, v, filter_key);
}
