/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the profile reader, shared by profile.c (cores, sizes), profile_ports.c, profile_feeds.c (feeds,
 * chains, protocols, keys) and profile_nodes.c. Nobody else includes this. */
#ifndef IO_PROFILE_PRIVATE_H
#define IO_PROFILE_PRIVATE_H

#include "io/profile.h"

#include <yaml.h>

struct parse {
	const char *name;
	yaml_document_t doc;
	struct topology *t;
	char *err;
	size_t err_cap;
	void *ctx; /* of the group that is being read */
};

/* profile_complain writes "file:line:column: ..." and returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int profile_complain(
	struct parse *p, const yaml_mark_t *at, const char *fmt, ...);

/* profile_text: the text of a scalar, without NUL in it; NULL of anything else. */
const char *profile_text(const yaml_node_t *n);

/* profile_each_key calls fn for every key of a mapping, once each; `ctx` is the key's node. */
typedef int (*profile_key_fn)(struct parse *p, const yaml_node_t *value, const char *key, void *ctx);
int profile_each_key(struct parse *p, const yaml_node_t *n, profile_key_fn fn);

/* What a scalar says: a number within topology_limit's limits of `key`; the place of a word in the NULL-ended list; true or false. 0, or -EINVAL. */
int profile_u32(struct parse *p, const yaml_node_t *n, const char *key, uint32_t *out);
int profile_choice(struct parse *p, const yaml_node_t *n, const char *key, const char *const *names, unsigned *out);
int profile_bool(struct parse *p, const yaml_node_t *n, const char *key, bool *out);

/* profile_ports reads the list of ports (profile_ports.c). */
int profile_ports(struct parse *p, const yaml_node_t *value);

/* profile_unknown complains of a key; key_node: its node. */
int profile_unknown(struct parse *p, const void *key_node, const char *key, const char *known);

/* The keys that profile_feeds.c knows; 1 if `key` is none of them, else 0 or -EINVAL. */
int profile_feeds_key(struct parse *p, const yaml_node_t *value, const char *key);
#define PROFILE_FEEDS_KEYS "feeds, chains, protocols, rlpx_keys"

/* The keys that profile_nodes.c knows, as above. */
int profile_nodes_key(struct parse *p, const yaml_node_t *value, const char *key);
#define PROFILE_NODES_KEYS "nodes"

/* profile_filter.c's key, in the same way. */
int profile_filter_key(struct parse *p, const yaml_node_t *value, const char *key);
#define PROFILE_FILTER_KEYS "filter"

#endif
