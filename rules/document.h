/* SPDX-License-Identifier: BSD-3-Clause */
/* document: the YAML that rules are written in: one document of mappings, sequences and scalars, all of them
 * text. No aliases, anchors, tags or second documents: what a file says is what stands in it. */
#ifndef RULES_DOCUMENT_H
#define RULES_DOCUMENT_H

#include "rules/set.h"

#define YAML_DEPTH_MAX 16u
#define YAML_NODES_MAX (2u << 20)

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
	enum yaml_kind kind;
	bool quoted; /* scalar in quotes, or a block scalar */
	struct place at;
	const char *text; /* scalar: NUL-terminated, without inner NUL */
	uint32_t len;
	uint32_t n;			/* sequence: items; mapping: pairs */
	uint32_t offset;		/* of its first byte in the file */
	struct yaml_node *first, *next; /* children: items, or key, value, key, value ... */
};

/* yaml_read: the tree, in the set's arena, or NULL with a diagnostic. */
struct yaml_node *yaml_read(struct rule_set *s, const char *file, const char *text, size_t n);

/* yaml_place: where byte `at` of a scalar's text stands in the file; the scalar's own place if that cannot be
 * told. */
struct place yaml_place(const struct yaml_node *node, const char *file_text, size_t file_len, uint32_t at);

#endif
