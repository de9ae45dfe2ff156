/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/profile_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int
profile_complain(struct parse *p, const yaml_mark_t *at, const char *fmt, ...)
{
	int n = snprintf(p->err, p->err_cap, "%s:%zu:%zu: ", p->name, at->line + 1, at->column + 1);
	va_list ap;
	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < p->err_cap)
		vsnprintf(p->err + n, p->err_cap - (size_t)n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

const char *
profile_text(const yaml_node_t *n)
{
	const char *s = n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
	return s != NULL && strlen(s) == n->data.scalar.length ? s : NULL;
}

int
profile_u32(struct parse *p, const yaml_node_t *n, const char *key, uint32_t *out)
{
	const char *s = profile_text(n);
	char *end;
	if (s == NULL || !isdigit((unsigned char)s[0]))
		return profile_complain(p, &n->start_mark, "%s must be a number", key);
	errno = 0;
	unsigned long long v = strtoull(s, &end, 10);
	if (*end != '\0' || errno != 0 || v > UINT32_MAX)
		return profile_complain(p, &n->start_mark, "%s must be a number below 4294967296, not %.40s", key, s);
	char sentence[128];
	if (topology_limit(key, (uint32_t)v, sentence, sizeof sentence) != 0)
		return profile_complain(p, &n->start_mark, "%s", sentence);
	*out = (uint32_t)v;
	return 0;
}

int
profile_choice(struct parse *p, const yaml_node_t *n, const char *key, const char *const *names, unsigned *out)
{
	const char *s = profile_text(n);
	for (unsigned i = 0; s != NULL && names[i] != NULL; i++) {
		if (strcmp(s, names[i]) == 0) {
			*out = i;
			return 0;
		}
	}
	return profile_complain(p, &n->start_mark, "%s must be %s%s%s or %s", key, names[0], names[2] ? ", " : "", names[2] ? names[1] : "",
		names[2] ? names[2] : names[1]);
}

int
profile_bool(struct parse *p, const yaml_node_t *n, const char *key, bool *out)
{
	static const char *const names[] = {"false", "true", NULL};
	unsigned v = 0;
	int rc = profile_choice(p, n, key, names, &v);
	if (rc == 0)
		*out = v;
	return rc;
}

static int
take_cpus(struct parse *p, const yaml_node_t *n, const char *key)
{
	if (n->type != YAML_SEQUENCE_NODE)
		return profile_complain(p, &n->start_mark, "%s must be a list of CPU numbers", key);
	p->t->workers = 0;
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&p->doc, *i);
		if (p->t->workers == TOPOLOGY_WORKERS_MAX)
			return profile_complain(p, &item->start_mark, "%s: more than %u workers", key, TOPOLOGY_WORKERS_MAX);
		int rc = profile_u32(p, item, key, &p->t->worker_cpu[p->t->workers]);
		if (rc != 0)
			return rc;
		p->t->workers++;
	}
	return 0;
}

int
profile_each_key(struct parse *p, const yaml_node_t *n, profile_key_fn fn)
{
	if (n->type != YAML_MAPPING_NODE)
		return profile_complain(p, &n->start_mark, "expected `key: value` lines here");
	for (yaml_node_pair_t *i = n->data.mapping.pairs.start; i < n->data.mapping.pairs.top; i++) {
		const yaml_node_t *k = yaml_document_get_node(&p->doc, i->key), *v = yaml_document_get_node(&p->doc, i->value);
		const char *key = profile_text(k);
		if (key == NULL)
			return profile_complain(p, &k->start_mark, "a key must be a word");
		for (yaml_node_pair_t *j = n->data.mapping.pairs.start; j < i; j++) {
			const char *other = profile_text(yaml_document_get_node(&p->doc, j->key));
			if (other != NULL && strcmp(other, key) == 0)
				return profile_complain(p, &k->start_mark, "%.40s is given twice", key);
		}
		int rc = fn(p, v, key, (void *)(uintptr_t)k);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
profile_unknown(struct parse *p, const void *key_node, const char *key, const char *known)
{
	return profile_complain(p, &((const yaml_node_t *)key_node)->start_mark, "unknown key %.40s; known are %s", key, known);
}

static int
cores_key(struct parse *p, const yaml_node_t *v, const char *key, void *k)
{
	if (strcmp(key, "main") == 0)
		return profile_u32(p, v, "cores.main", &p->t->main_cpu);
	if (strcmp(key, "correlator") == 0)
		return profile_u32(p, v, "cores.correlator", &p->t->correlator_cpu);
	if (strcmp(key, "workers") == 0)
		return take_cpus(p, v, "cores.workers");
	return profile_unknown(p, k, key, "main, correlator, workers");
}

static int
ring_key(struct parse *p, const yaml_node_t *v, const char *key, void *k)
{
	if (strcmp(key, "slots") == 0)
		return profile_u32(p, v, "ring.slots", &p->t->ring_slots);
	if (strcmp(key, "evidence_mb") == 0)
		return profile_u32(p, v, "ring.evidence_mb", &p->t->evidence_mb);
	return profile_unknown(p, k, key, "slots, evidence_mb");
}

static int
number_key(struct parse *p, const yaml_node_t *v, const char *key, void *k)
{
	struct topology *t = p->t;
	const struct {
		const char *key;
		uint32_t *out;
	} numbers[] = {{"memory_mb", &t->memory_mb}, {"mtu", &t->mtu}, {"vxlan_port", &t->vxlan_port}, {"flows", &t->flows_max}, {"seen", &t->seen_entries},
		{"pipe_mb", &t->pipe_mb}};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (strcmp(key, numbers[i].key) == 0)
			return profile_u32(p, v, key, numbers[i].out);
	return profile_unknown(p, k, key, "huge_pages, memory_mb, idle, checksum, mtu, vxlan_port, cores, ports, flows, seen, pipe_mb, ring, " PROFILE_FEEDS_KEYS ", " PROFILE_NODES_KEYS ", " PROFILE_FILTER_KEYS);
}

static int
top_key(struct parse *p, const yaml_node_t *v, const char *key, void *k)
{
	static const char *const idle[] = {"spin", "pause", "sleep", NULL}, *const checksum[] = {"trust", "verify", NULL};
	unsigned choice = 0;
	int rc;
	if (strcmp(key, "cores") == 0)
		return profile_each_key(p, v, cores_key);
	if (strcmp(key, "ring") == 0)
		return profile_each_key(p, v, ring_key);
	if (strcmp(key, "ports") == 0)
		return profile_ports(p, v);
	if (strcmp(key, "huge_pages") == 0)
		return profile_bool(p, v, key, &p->t->huge_pages);
	if (strcmp(key, "idle") == 0) {
		rc = profile_choice(p, v, key, idle, &choice);
		p->t->idle = (enum idle_policy)choice;
		return rc;
	}
	if (strcmp(key, "checksum") == 0) {
		rc = profile_choice(p, v, key, checksum, &choice);
		p->t->verify_checksum = choice == 1;
		return rc;
	}
	rc = profile_nodes_key(p, v, key);
	if (rc <= 0)
		return rc;
	rc = profile_filter_key(p, v, key);
	if (rc <= 0)
		return rc;
	rc = profile_feeds_key(p, v, key);
	return rc <= 0 ? rc : number_key(p, v, key, k);
}

/* libyaml's time grows with the square of the open brackets, and a profile may come while the box runs. Brackets in strings count as well: nobody
 * needs so many. */
static bool
too_deep(const char *text, size_t n, yaml_mark_t *at)
{
	unsigned depth = 0;
	*at = (yaml_mark_t){0};
	for (size_t i = 0; i < n; i++) {
		at->column++;
		if (text[i] == '\n') {
			at->line++;
			at->column = 0;
		} else if (text[i] == '[' || text[i] == '{') {
			if (++depth > PROFILE_DEPTH_MAX)
				return true;
		} else if ((text[i] == ']' || text[i] == '}') && depth > 0) {
			depth--;
		}
	}
	return false;
}

int
profile_parse(const char *name, const char *text, size_t n, struct topology *t, char *err, size_t err_cap)
{
	struct parse p = {.name = name, .t = t, .err = err, .err_cap = err_cap};
	yaml_parser_t parser;
	yaml_mark_t at;
	int rc = 0;
	if (too_deep(text, n, &at)) {
		at.column--;
		return profile_complain(&p, &at, "more than %u brackets are open here", PROFILE_DEPTH_MAX);
	}
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	if (!yaml_parser_load(&parser, &p.doc)) {
		rc = profile_complain(&p, &parser.problem_mark, "%s", parser.problem ? parser.problem : "not YAML");
		yaml_parser_delete(&parser);
		return rc;
	}
	const yaml_node_t *root = yaml_document_get_root_node(&p.doc);
	bool nothing = root == NULL || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0);
	if (!nothing)
		rc = profile_each_key(&p, root, top_key);
	yaml_document_delete(&p.doc);
	yaml_parser_delete(&parser);
	return rc;
}

int
profile_load(const char *path, struct topology *t, char *err, size_t err_cap)
{
	FILE *f = fopen(path, "re");
	if (f == NULL) {
		snprintf(err, err_cap, "cannot read the box profile %s: %s", path, strerror(errno));
		return -errno;
	}
	char *text = malloc(PROFILE_BYTES_MAX + 1);
	errno = 0;
	size_t n = text ? fread(text, 1, PROFILE_BYTES_MAX + 1, f) : 0;
	int rc = text == NULL ? -ENOMEM : ferror(f) ? (errno == EISDIR ? -EISDIR : -EIO) : n > PROFILE_BYTES_MAX ? -EFBIG : 0;
	fclose(f);
	if (rc != 0)
		snprintf(err, err_cap, "cannot read the box profile %s: %s", path, strerror(-rc));
	else
		rc = profile_parse(path, text, n, t, err, err_cap);
	free(text);
	return rc;
}
