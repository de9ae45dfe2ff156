/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker/conn.h"

/* flow->app: [0] the conn, [1] what is known of a flow that has none. */
enum conn_past { PAST_NONE, PAST_MISSED, PAST_EVICTED };

static void
list_init(struct conn *head)
{
	head->prev = head->next = head;
}

static void
list_remove(struct conn *c)
{
	c->prev->next = c->next;
	c->next->prev = c->prev;
}

static void
list_append(struct conn *head, struct conn *c)
{
	c->prev = head->prev;
	c->next = head;
	head->prev->next = c;
	head->prev = c;
}

void
conn_pool_init(struct conn_pool *p, struct conn *mem, uint32_t n)
{
	p->conns = mem;
	p->n = n;
	list_init(&p->used);
	list_init(&p->free);
	for (uint32_t i = 0; i < n; i++) {
		mem[i].flow = NULL;
		list_append(&p->free, &mem[i]);
	}
}

struct conn *
conn_of(const struct flow *f)
{
	return (struct conn *)(uintptr_t)f->app[0];
}

struct conn *
conn_get(struct conn_pool *p, struct flow *f, bool *evicted)
{
	struct conn *c = conn_of(f);
	*evicted = false;
	if (c == NULL) {
		c = p->free.next;
		if (c == &p->free) {
			c = p->used.next;
			*evicted = true;
		}
	}
	if (p->used.prev != c) {
		list_remove(c);
		list_append(&p->used, c);
	}
	return c;
}

void
conn_fresh(struct conn *c, bool midstream)
{
	http1_init(&c->http, midstream);
	join_init(&c->join, midstream);
	c->n_early = 0;
	c->has_ws = c->ws_opaque = c->engine = c->sequencer = false;
	c->changed_over = 0;
	for (unsigned d = 0; d < 2; d++) {
		struct conn_side *s = &c->side[d];
		s->proto = CONN_HTTP;
		s->body = BODY_NONE;
		s->coding = CODING_NONE;
		s->started = midstream;
		s->preface = 0;
		s->doubt = false;
		s->message = 0;
		s->block = 0;
		s->status = ANSWER_STATUS_NONE;
		s->has_block_hash = false;
		s->unsynced = CTR_ST_SKIP_UNSYNCED;
		inflate_init(&s->inflate, INFLATE_MESSAGES, true, true);
	}
}

void
conn_bind(struct conn *c, struct flow *f, uint8_t feeds, bool midstream)
{
	if (c->flow != NULL) {
		c->flow->app[0] = 0;
		c->flow->app[1] = PAST_EVICTED;
	}
	c->flow = f;
	c->feeds = feeds;
	f->app[0] = (uint64_t)(uintptr_t)c;
	conn_fresh(c, midstream || f->app[1] != PAST_NONE);
	if (f->app[1] == PAST_EVICTED)
		c->side[0].unsynced = c->side[1].unsynced = CTR_ST_SKIP_NO_STATE;
}

void
conn_missed_bytes(struct flow *f)
{
	if (f->app[1] == PAST_NONE)
		f->app[1] = PAST_MISSED;
}

void
conn_put(struct conn_pool *p, struct conn *c)
{
	c->flow->app[0] = 0;
	c->flow = NULL;
	list_remove(c);
	list_append(&p->free, c);
}
