/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules/document.h"

#include <yaml.h>

struct reader {
	struct rule_set *s;
	const char *file;
	yaml_parser_t parser;
	uint32_t n_nodes;
	const char *text; /* without byte order mark */
	size_t len;
	size_t at, chars; /* byte and character index of the place last asked for */
};

static struct place
place_of(const struct reader *r, const yaml_mark_t *m)
{
	return (struct place){r->file, (uint32_t)m->line + 1, (uint32_t)m->column + 1};
}

/* libyaml's index counts characters, and only grows. */
static uint32_t
byte_of(struct reader *r, const yaml_mark_t *m)
{
	while (r->chars < m->index && r->at < r->len) {
		r->at++;
		while (r->at < r->len && ((unsigned char)r->text[r->at] & 0xc0) == 0x80)
			r->at++;
		r->chars++;
	}
	return (uint32_t)r->at;
}

static bool
next_event(struct reader *r, yaml_event_t *e)
{
	if (yaml_parser_parse(&r->parser, e))
		return true;
	const yaml_mark_t *m = r->parser.problem_mark.line || r->parser.problem_mark.column
				       ? &r->parser.problem_mark
				       : &r->parser.mark;
	diag_error(r->s, place_of(r, m), "not YAML: %s%s%s",
		r->parser.problem ? r->parser.problem : "out of memory", r->parser.context ? ", " : "",
		r->parser.context ? r->parser.context : "");
	return false;
}

static bool
refuse(struct reader *r, yaml_event_t *e, const char *what)
{
	diag_error(r->s, place_of(r, &e->start_mark), "%s", what);
	return false;
}

static bool
plain_enough(struct reader *r, yaml_event_t *e, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		return refuse(r, e, "an anchor (write the value out; named lists belong under `lists`)");
	if (tag != NULL)
		return refuse(r, e, "a tag (drop it: the language knows what each key holds)");
	if (r->n_nodes++ >= YAML_NODES_MAX)
		return refuse(r, e, "too many values for one file (split the pack)");
	return true;
}

static struct yaml_node *
node_new(struct reader *r, yaml_event_t *e, enum yaml_kind kind)
{
	struct yaml_node *n = ARENA_NEW(&r->s->arena, struct yaml_node);
	n->kind = kind;
	n->at = place_of(r, &e->start_mark);
	n->offset = byte_of(r, &e->start_mark);
	return n;
}

static struct yaml_node *
scalar(struct reader *r, yaml_event_t *e)
{
	if (!plain_enough(r, e, e->data.scalar.anchor, e->data.scalar.tag))
		return NULL;
	if (memchr(e->data.scalar.value, 0, e->data.scalar.length) != NULL) {
		refuse(r, e, "a NUL character");
		return NULL;
	}
	struct yaml_node *n = node_new(r, e, YAML_SCALAR);
	n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	n->text = arena_copy(&r->s->arena, e->data.scalar.value, e->data.scalar.length);
	n->len = (uint32_t)e->data.scalar.length;
	return n;
}

static struct yaml_node *node(struct reader *r, yaml_event_t *e, unsigned depth);

static struct yaml_node *
collection(struct reader *r, yaml_event_t *e, enum yaml_kind kind, yaml_event_type_t end, unsigned depth)
{
	struct yaml_node *n = node_new(r, e, kind), **tail = &n->first;
	if (depth >= YAML_DEPTH_MAX) {
		refuse(r, e, "nested too deep");
		return NULL;
	}
	for (uint32_t count = 0;; count++) {
		yaml_event_t child;
		if (!next_event(r, &child))
			return NULL;
		if (child.type == end) {
			yaml_event_delete(&child);
			n->n = kind == YAML_MAPPING ? count / 2 : count;
			return n;
		}
		*tail = node(r, &child, depth + 1);
		yaml_event_delete(&child);
		if (*tail == NULL)
			return NULL;
		tail = &(*tail)->next;
	}
}

static struct yaml_node *
node(struct reader *r, yaml_event_t *e, unsigned depth)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return scalar(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return plain_enough(r, e, e->data.sequence_start.anchor, e->data.sequence_start.tag)
			       ? collection(r, e, YAML_SEQUENCE, YAML_SEQUENCE_END_EVENT, depth)
			       : NULL;
	case YAML_MAPPING_START_EVENT:
		return plain_enough(r, e, e->data.mapping_start.anchor, e->data.mapping_start.tag)
			       ? collection(r, e, YAML_MAPPING, YAML_MAPPING_END_EVENT, depth)
			       : NULL;
	case YAML_ALIAS_EVENT:
		refuse(r, e, "an alias (write the value out; named lists belong under `lists`)");
		return NULL;
	default:
		refuse(r, e, "nothing where a value belongs");
		return NULL;
	}
}

static bool
expect(struct reader *r, yaml_event_type_t type, const char *what)
{
	yaml_event_t e;
	if (!next_event(r, &e))
		return false;
	bool ok = e.type == type;
	if (!ok)
		refuse(r, &e, what);
	yaml_event_delete(&e);
	return ok;
}

static struct yaml_node *
document(struct reader *r)
{
	yaml_event_t e;
	if (!expect(r, YAML_STREAM_START_EVENT, "not YAML") ||
		!expect(r, YAML_DOCUMENT_START_EVENT, "an empty file (a pack begins with `pack: NAME`)") ||
		!next_event(r, &e))
		return NULL;
	struct yaml_node *root = node(r, &e, 0);
	yaml_event_delete(&e);
	if (root == NULL || !expect(r, YAML_DOCUMENT_END_EVENT, "more than one value") ||
		!expect(r, YAML_STREAM_END_EVENT, "a second document (one pack a file)"))
		return NULL;
	return root;
}

struct yaml_node *
yaml_read(struct rule_set *s, const char *file, const char *text, size_t n)
{
	struct reader r = {.s = s, .file = file, .text = text, .len = n};
	if (!yaml_parser_initialize(&r.parser)) {
		diag_error(s, ((struct place){file, 0, 0}), "out of memory");
		return NULL;
	}
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		r.text += 3;
		r.len -= 3;
	}
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.text, r.len);
	struct yaml_node *root = document(&r);
	yaml_parser_delete(&r.parser);
	return root;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Past the quote, or the header line of a block scalar. */
static size_t
first_of_text(const char *file_text, size_t len, size_t i)
{
	if (i < len && (file_text[i] == '"' || file_text[i] == '\''))
		return i + 1;
	if (i < len && (file_text[i] == '|' || file_text[i] == '>'))
		while (i < len && file_text[i] != '\n')
			i++;
	return i;
}

/* Folding changes nothing but white space: the n-th other character of the text is the n-th in the file, as
 * long as they agree (escapes end that). */
struct place
yaml_place(const struct yaml_node *node, const char *file_text, size_t file_len, uint32_t at)
{
	struct place p = node->at;
	size_t i = first_of_text(file_text, file_len, node->offset);
	for (uint32_t k = 0; k <= at && k < node->len; k++) {
		if (is_space(node->text[k]))
			continue;
		while (i < file_len && is_space(file_text[i]))
			i++;
		if (i >= file_len || file_text[i] != node->text[k])
			return node->at;
		if (k < at)
			i++;
	}
	if (at < node->len && is_space(node->text[at]))
		return node->at;
	for (size_t j = node->offset; j < i; j++) {
		if (file_text[j] == '\n') {
			p.line++;
			p.column = 1;
		} else if (((unsigned char)file_text[j] & 0xc0) != 0x80) {
			p.column++;
		}
	}
	return p;
}
