/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests and answers in any order on a few connections with a pool that is far too small, against a plain
 * list: the same verdicts, the same counts, and in the end an empty pool. Input: 3 bytes an action. */
#include "wire/join.h"

#include <stdlib.h>
#include <string.h>

#define CONNS 3u
#define POOL 12u
#define MODEL_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int ok)
{
	if (!ok)
		abort();
}

/* What waits, the oldest first. */
static struct waiting {
	unsigned conn, message, id, kind;
	struct join_ref ref;
} model[MODEL_MAX];
static unsigned n_model;

static void
drop(unsigned at)
{
	memmove(&model[at], &model[at + 1], (--n_model - at) * sizeof *model);
}

static void
drop_conn(unsigned conn, unsigned up_to)
{
	for (unsigned i = 0; i < n_model;) {
		if (model[i].conn == conn && model[i].message <= up_to)
			drop(i);
		else
			i++;
	}
}

static struct json_id
id_of(unsigned n)
{
	return (struct json_id){.kind = JSON_ID_NUMBER, .len = 1, .text = '0' + n};
}

static void
ask(struct join_pool *p, struct join *conns, unsigned conn, unsigned message, unsigned id, unsigned kind)
{
	struct jsonrpc_request r = {.id = id_of(id), .kind = (uint8_t)kind};
	if (n_model == POOL)
		drop(0);
	struct join_ref ref = join_request(p, &conns[conn], message, &r, 1 + n_model);
	require(ref.slot != 0 && join_set(p, ref, 7, NULL) == 0);
	model[n_model++] = (struct waiting){conn, message, id, kind, ref};
}

/* The first of the model with this id, in this message if message != 0; or n_model. */
static unsigned
find(unsigned conn, unsigned message, unsigned id)
{
	unsigned i = 0;
	while (i < n_model && !(model[i].conn == conn && model[i].id == id && (message == 0 || model[i].message == message)))
		i++;
	return i;
}

static void
answer(struct join_pool *p, struct join *conns, unsigned conn, bool http, unsigned message, unsigned id)
{
	struct answer_event e = {.kind = ANSWER_RESPONSE, .id = id_of(id), .result = ANSWER_ERROR};
	struct join *j = &conns[conn];
	bool settled = message != 0 && j->matched == message, doubt = j->doubt;
	unsigned at = http && message == 0 ? n_model : find(conn, message, id), number = message;
	if (at == n_model && http && j->ids == JOIN_IDS_TELL && !settled)
		at = find(conn, 0, id);
	struct join_outcome o = join_answer(p, j, http, message, &e);
	if (at == n_model) {
		require(o.verdict == JOIN_UNKNOWN && o.reason != JOIN_KNOWN && o.reason < JOIN_REASONS);
		require(o.message == message || (o.message == 0 && doubt && j->responses == message - 1));
		return;
	}
	struct waiting found = model[at];
	require(o.kind == found.kind && o.verdict == (o.kind == JSONRPC_RAW ? JOIN_REFUSED : JOIN_OTHER));
	require(o.fate == 7 && o.message == found.message);
	require(join_set(p, found.ref, 0, NULL) != 0);
	drop(at);
	if (!http)
		return;
	require(j->matched == found.message && !j->unaligned && (!j->doubt || found.message <= j->hole));
	if (found.message != number) {
		require(j->responses == found.message);
		drop_conn(conn, found.message - 1);
	}
}

static void
lose(struct join_pool *p, struct join *j, unsigned conn, bool over)
{
	unsigned before = j->n;
	bool keeps = j->ids == JOIN_IDS_TELL && !over;
	if (over)
		join_http_over(p, j, JOIN_GAP);
	else
		join_http_lost(p, j, JOIN_GAP);
	require(j->n == (keeps ? before : 0) && j->doubt);
	if (!keeps)
		drop_conn(conn, UINT32_MAX);
}

static void
act(struct join_pool *p, struct join *conns, const uint8_t *d)
{
	unsigned conn = d[0] % CONNS, id = d[1] % (d[2] & 2 ? 8 : 64), what = d[0] / CONNS % 8;
	struct join *j = &conns[conn];
	bool http = conn > 0; /* one that is found by id alone */
	switch (what) {
	case 0:
	case 1:
		if (!http || j->requests > 0)
			ask(p, conns, conn, http ? j->requests : 0, id,
				d[2] & 1 ? JSONRPC_RAW : JSONRPC_OTHER);
		break;
	case 2:
		join_http_request(j);
		break;
	case 3:
	case 4:
		answer(p, conns, conn, http, http ? j->responses : 0, id);
		break;
	case 5: {
		uint32_t before = j->responses, n = join_http_response(j);
		require(n == 0 || n == before + 1);
		break;
	}
	case 6:
		if (j->responses > 0 && (!j->doubt || j->matched == j->responses))
			drop_conn(conn, j->responses);
		else if (j->responses > JOIN_DOUBT)
			drop_conn(conn, j->responses - JOIN_DOUBT);
		join_http_end(p, j, j->responses);
		break;
	default:
		if (d[2] > 200 && http)
			lose(p, j, conn, d[2] > 240);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct join_pool p;
	struct join conns[CONNS];
	void *mem = malloc(join_pool_bytes(POOL));
	join_pool_init(&p, mem, POOL);
	for (unsigned i = 0; i < CONNS; i++)
		join_init(&conns[i], i == 2);
	n_model = 0;
	for (size_t i = 0; i + 3 <= size; i += 3) {
		act(&p, conns, data + i);
		unsigned n = 0;
		for (unsigned k = 0; k < CONNS; k++)
			n += conns[k].n;
		require(n == n_model);
		require(p.added == p.answered + p.unanswered + p.unread + p.evicted[0] + p.evicted[1] + n);
	}
	for (unsigned i = 0; i < CONNS; i++)
		join_clear(&p, &conns[i]);
	for (unsigned i = 0; i < POOL; i++) { /* every entry can be had again */
		struct jsonrpc_request r = {.id = id_of(i)};
		require(join_request(&p, &conns[0], 0, &r, 0).slot != 0 &&
			p.evicted[0] + p.evicted[1] <= p.added);
	}
	require(conns[0].n == POOL && p.free == 0);
	free(mem);
	return 0;
}
