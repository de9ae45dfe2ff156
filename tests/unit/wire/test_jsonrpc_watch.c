/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told of requests beside their items: which they were, what they are for, blocks of the engine API;
 *by tables, cut at every byte. A line an event: Q ID KIND SUBSCRIPTION ITEMS [batch] [cut]	I INDEX STATE
 *RAW	and blocks as in answer_rig.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/wire/answer_rig.h"

#define LEN(a) (sizeof(a) / sizeof *(a))

struct row {
	const char *body, *log;
	enum jsonrpc_status status;
	bool stream;
};

static void
on_request(void *ctx, const struct jsonrpc_request *q)
{
	struct answer_rig *r = ctx;
	put(r, "Q ");
	put_id(r, q->id);
	put(r, "%u %u %u%s%s\n", q->kind, q->subscription, q->n_items, q->batch ? " batch" : "",
		q->cut ? " cut" : "");
	assert_int_equal(q->method != NULL, q->kind != JSONRPC_OTHER);
}

static void
on_block(void *ctx, const struct json_block_event *e)
{
	struct answer_rig *r = ctx;
	put_block(r, e);
	r->log[r->log_len - 1] = '\n';
}

static void
on_item(void *ctx, const struct jsonrpc_item *it)
{
	struct answer_rig *r = ctx;
	put(r, "I ");
	put_id(r, it->id);
	put(r, "%u %u ", it->index, it->state);
	put_hex(r, it->raw);
	r->log[r->log_len - 1] = '\n';
}

static const struct jsonrpc_watch watch = {on_request, on_block};
static struct jsonrpc j;

static void
feed(struct answer_rig *r, const char *p, size_t n, bool last)
{
	uint8_t *copy = malloc(n ? n : 1);
	memcpy(copy, p, n);
	r->a.scratch_used = 0;
	r->status = jsonrpc_feed(
		&j, &r->a, (struct span){n ? copy : NULL, (uint32_t)n}, last, on_item, r, &r->messages);
	free(copy);
}

static void
begin(struct answer_rig *r, bool stream)
{
	r->log_len = 0;
	r->begun = r->ended = 0;
	memset(&j, 0xa5, sizeof j);
	if (stream)
		jsonrpc_init_stream(&j);
	else
		jsonrpc_init(&j);
}

static void
check_row(const struct row *row)
{
	struct answer_rig r;
	size_t n = strlen(row->body);
	answer_rig_init(&r, 1 << 16);
	r.a.watch = &watch;
	for (size_t cut = 0; cut <= n + 1; cut++) {
		begin(&r, row->stream);
		if (cut <= n)
			feed(&r, row->body, cut, false);
		for (size_t i = 0; i < n && cut > n; i++) /* single bytes */
			feed(&r, row->body + i, 1, i + 1 == n);
		if (cut <= n)
			feed(&r, row->body + cut, n - cut, true);
		r.log[r.log_len] = 0;
		if (strcmp(r.log, row->log) != 0 || r.status != row->status)
			fail_msg("%s\ncut at %zu gave (%d)\n%sexpected\n%s", row->body, cut, r.status, r.log,
				row->log);
		assert_int_equal(r.slabs_out, 0);
		assert_int_equal(r.begun, r.ended);
	}
	answer_rig_free(&r);
}

static void
check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_row(&rows[i]);
}

#define DONE JSONRPC_DONE
#define BAD JSONRPC_MALFORMED
#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "0222222222222222222222222222222222222222222222222222222222222222"

static void
requests(void **state)
{
	static const struct row rows[] = {
		{"{\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x0102\"]}",
			"Q 2:1:31 1 0 1\nI 2:1:31 0 0 0102\n", DONE},
		{"{\"params\":[\"0x0102\"],\"method\":\"eth_sendRawTransaction\",\"id\":\"\\u0061\\u00e9\"}",
			"Q 3:3:a9c361 1 0 1\nI 3:3:a9c361 0 0 0102\n", DONE},
		{"{\"id\":1,\"id\":\"b\",\"method\":\"eth_sendRawTransaction\",\"params\":[7]}",
			"Q 3:1:62 1 0 1\nI 3:1:62 0 1 -\n", DONE},
		{"{\"method\":\"eth_call\",\"params\":[{\"data\":\"0x01\"}]}", "Q 0:0:0 0 0 0\n", DONE},
		{"{\"id\":null,\"method\":\"eth_sendTransaction\",\"params\":[{}]}",
			"Q 1:0:0 4 0 1\nI 1:0:0 0 4 -\n", DONE},
		{"[{\"id\":1,\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x01\",\"0x02\"]}]},7,{"
		 "\"id\":2}]",
			"Q 2:1:31 3 0 2 batch\nI 2:1:31 0 0 01\nI 2:1:31 1 0 02\nQ 2:1:32 0 0 0 batch\n",
			DONE},
		{"{\"id\":12.5,\"method\":\"eth_getRawTransactionByHash\",\"params\":[\"0x" H1 "\"]}",
			"Q 2:4:352e3231 5 0 0\n", DONE},
		{"{\"id\":123456789,\"method\":\"txpool_content\"}", "Q 2:9:66ca40cb1dbdacc 6 0 0\n", DONE},
		{"{\"id\":true,\"method\":\"eth_fillTransaction\"}", "Q 4:0:0 7 0 0\n", DONE},
		{"{\"id\":{\"id\":3},\"method\":\"eth_getFilterChanges\"}", "Q 4:0:0 8 0 0\n", DONE},
		/* of one that is damaged nothing is told */
		{"[{\"id\":1},{\"id\":2,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x0102\"]",
			"Q 2:1:31 0 0 0 batch\n", BAD},
		/* a node's socket: one after the other */
		{"{\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x01\"]}{\"id\":2}\n[{\"id\":"
		 "3}] "
		 "{\"id\":4,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x02\"]}",
			"Q 2:1:31 1 0 1\nI 2:1:31 0 0 01\nQ 2:1:32 0 0 0\nQ 2:1:33 0 0 0 batch\nQ 2:1:34 1 0 "
			"1\nI 2:1:34 0 0 "
			"02\n",
			DONE, true},
		/* how a key of the one before was spelled says nothing of the next one's */
		{"{\"Params\":7,\"ID\":1} "
		 "[{\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x01\"],\"Params\":[],"
		 "\"Method\":\"x\",\"id\":2}]",
			"Q 2:1:31 0 0 0\nQ 2:1:32 1 0 1 batch\nI 2:1:32 0 0 01\n", DONE, true},
		/* two spellings of method: the one that carries transactions */
		{"{\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x01\"],\"Method\":\"eth_"
		 "subscribe\"}",
			"Q 2:1:31 1 0 1\nI 2:1:31 0 0 01\n", DONE},
		{"{\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[{\"tx\":\"0x01\"}],\"Method\":"
		 "\"eth_sendPrivateTransaction\"}",
			"Q 2:1:31 2 0 2\nI 2:1:31 0 0 01\nI 2:1:31 1 1 -\n", DONE},
		{"{\"id\":1} x", "Q 2:1:31 0 0 0\n", BAD, true},
		{"{\"id\":1} x", "Q 2:1:31 0 0 0\n", DONE, false},
	};
	check_rows(rows, LEN(rows));
}

#define SUBSCRIBE(params) "{\"id\":1,\"method\":\"eth_subscribe\",\"params\":[" params "]}"

static void
subscriptions(void **state)
{
	static const struct row rows[] = {
		{SUBSCRIBE("\"newPendingTransactions\""), "Q 2:1:31 9 2 0\n", DONE},
		{SUBSCRIBE("\"newPendingTransactions\",false"), "Q 2:1:31 9 2 0\n", DONE},
		{SUBSCRIBE("\"newPending\\u0054ransactions\" , true"), "Q 2:1:31 9 3 0\n", DONE},
		{SUBSCRIBE("\"alchemy_pendingTransactions\",{\"toAddress\":[\"0x01\"]}"), "Q 2:1:31 9 3 0\n",
			DONE},
		{SUBSCRIBE("\"mevblocker_partialPendingTransactions\""), "Q 2:1:31 9 3 0\n", DONE},
		{"{\"id\":1,\"method\":\"subscribe\",\"params\":[\"newTxs\",{\"include\":[\"raw_tx\"]}]}",
			"Q 2:1:31 9 3 0\n", DONE},
		{SUBSCRIBE("\"newHeads\""), "Q 2:1:31 9 4 0\n", DONE},
		{SUBSCRIBE("\"logs\",{}"), "Q 2:1:31 9 5 0\n", DONE},
		{SUBSCRIBE("\"a name that is longer than any that we know of\""), "Q 2:1:31 9 1 0\n", DONE},
		{SUBSCRIBE(""), "Q 2:1:31 9 1 0\n", DONE},
		/* the method comes too late to tell that the parameter is a name */
		{"{\"params\":[\"newHeads\"],\"id\":1,\"method\":\"eth_subscribe\"}", "Q 2:1:31 9 1 0\n",
			DONE},
	};
	check_rows(rows, LEN(rows));
}

#define PAYLOAD                                                                      \
	"{\"parentHash\":\"0x" H2                                                    \
	"\",\"blockNumber\":\"0x1b4\",\"timestamp\":\"0x5\",\"extraData\":\"0x00\"," \
	"\"baseFeePerGas\":\"0x3b9aca00\",\"blockHash\":\"0x" H1                     \
	"\",\"transactions\":[\"0x02aa\",\"0x01\",5],\"withdrawals\":[]}"
#define TXS "B begin\nB tx 0 0 02aa\nB tx 1 0 01\nB tx 2 1 -\n"
#define END(how) "B end " how " 3 1f " H1 " " H2 " 436 5 000000003b9aca00 "
#define NEW "{\"jsonrpc\":\"2.0\",\"method\":\"engine_newPayloadV4\",\"params\":["

static void
engine(void **state)
{
	static const struct row rows[] = {
		{NEW PAYLOAD "],\"id\":1}", TXS END("0") "- 0\nQ 2:1:31 10 0 0\n", DONE},
		{NEW PAYLOAD ",[\"0x" H1 "\",\"0x" H2 "\",\"0x01\",null],\"0x" H1 "\",[]],\"id\":1}",
			TXS END("0") H1 H2 " 2\nQ 2:1:31 10 0 0\n", DONE},
		/* the method last: the block is shown, and counts */
		{"{\"params\":[" PAYLOAD "],\"id\":1,\"method\":\"engine_newPayloadV1\"}",
			TXS END("0") "- 0\nQ 2:1:31 10 0 0\n", DONE},
		/* ... or does not */
		{"{\"params\":[" PAYLOAD "],\"id\":1,\"method\":\"eth_call\"}",
			TXS "B end 2 3 0 0 0 - 0\nQ 2:1:31 0 0 0\n", DONE},
		{"{\"params\":[" PAYLOAD "],\"id\":1}", TXS "B end 2 3 0 0 0 - 0\nQ 2:1:31 0 0 0\n", DONE},
		/* another method first: nobody looks */
		{"{\"method\":\"eth_call\",\"params\":[" PAYLOAD "],\"id\":1}", "Q 2:1:31 0 0 0\n", DONE},
		{"{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x01\"],\"transactions\":[\"0x02\"],"
		 "\"timestamp\":\"0x1\"}]}",
			"Q 0:0:0 3 0 1\nI 0:0:0 0 0 01\n", DONE},
		/* overridden */
		{NEW "{\"transactions\":[\"0x01\"]}],\"params\":[" PAYLOAD "]}",
			"B begin\nB tx 0 0 01\nB end 2 1 0 0 0 - 0\n" TXS END("0") "- 0\nQ 0:0:0 10 0 0\n",
			DONE},
		{NEW "{\"transactions\":[\"0x01\"],\"transactions\":[]}]}",
			"B begin\nB tx 0 0 01\nB end 2 1 0 0 0 - 0\nB begin\nB end 0 0 0 0 0 - 0\nQ 0:0:0 10 "
			"0 0\n",
			DONE},
		{NEW "{\"blockHash\":\"0x" H2 "\",\"BLOCKHASH\":\"0x" H1
		     "\",\"blockNumber\":\"0x1\",\"blockNumber\":\"0xz\"}]}",
			"B begin\nB end 0 0 1 " H1 " 0 0 - 0\nQ 0:0:0 10 0 0\n", DONE},
		{NEW "]}", "B begin\nB end 0 0 0 0 0 - 0\nQ 0:0:0 10 0 0\n", DONE},
		/* damaged */
		{NEW "{\"blockHash\":\"0x" H1 "\",\"transactions\":[\"0x01\",]}]}",
			"B begin\nB tx 0 0 01\nB tx 1 1 -\nB end 1 2 1 " H1 " 0 0 - 0\n", BAD},
		{"{\"method\":\"engine_forkchoiceUpdatedV3\",\"params\":[{\"headBlockHash\":\"0x" H1
		 "\",\"safeBlockHash\":\"0x" H2 "\",\"finalizedBlockHash\":\"0x" H1 "\"},null],\"id\":2}",
			"B heads 0 0 e0 " H1 " " H2 " " H1 " 0 0 - 0\nQ 2:1:32 11 0 0\n", DONE},
		{"{\"method\":\"engine_forkchoiceUpdatedV3\",\"params\":[{\"headBlockHash\":\"0x01\"},{"
		 "\"timestamp\":\"0x1\"}]}",
			"B heads 0 0 0 0 0 - 0\nQ 0:0:0 11 0 0\n", DONE},
		{"{\"method\":\"engine_getPayloadV3\",\"params\":[\"0x0000000021f32cc1\"],\"id\":2}",
			"Q 2:1:32 12 0 0\n", DONE},
		{"[" NEW PAYLOAD "],\"id\":1}," NEW PAYLOAD "],\"id\":2}]",
			TXS END("0") "- 0\nQ 2:1:31 10 0 0 batch\n" TXS END(
				"0") "- 0\nQ 2:1:32 10 0 0 batch\n",
			DONE},
	};
	check_rows(rows, LEN(rows));
}

static void
cut_log(const char *body, const char *log)
{
	struct answer_rig r;
	answer_rig_init(&r, 1 << 12);
	r.a.watch = &watch;
	for (size_t piece = 1; piece < 4096; piece *= 16) {
		begin(&r, false);
		for (size_t i = 0, n = strlen(body); i < n; i += piece)
			feed(&r, body + i, n - i < piece ? n - i : piece, false);
		assert_int_equal(r.status, JSONRPC_MORE);
		jsonrpc_cut(&j, &r.a, on_item, &r);
		r.log[r.log_len] = 0;
		assert_string_equal(r.log, log);
		assert_int_equal(r.slabs_out, 0);
	}
	answer_rig_free(&r);
}

static void
cut_off(void **state)
{
	cut_log("{\"id\":1,\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x01",
		"Q 2:1:31 1 0 1 cut\nI 2:1:31 0 6 -\n");
	cut_log("[{\"id\":1},{\"id\":2", "Q 2:1:31 0 0 0 batch\nQ 2:1:32 0 0 0 batch cut\n");
	cut_log("[{\"id\":1},", "Q 2:1:31 0 0 0 batch\n");
	cut_log("", "");
	cut_log(NEW "{\"blockHash\":\"0x" H1 "\",\"transactions\":[\"0x01\",\"0x02",
		"B begin\nB tx 0 0 01\nB tx 1 6 -\nB end 1 2 1 " H1 " 0 0 - 0\nQ 0:0:0 10 0 0 cut\n");
	cut_log("{\"params\":[{\"blockHash\":\"0x" H1 "\",\"transactions\":[\"0x01\"",
		"B begin\nB tx 0 0 01\nB end 1 1 0 0 0 - 0\nQ 0:0:0 0 0 0 cut\n");
}

/* A block of 4,000 transactions, each of them shown; versioned hashes beyond the cap are counted. */
static void
large(void **state)
{
	struct answer_rig r;
	char *body = malloc(2u << 20), *at = stpcpy(body, NEW "{\"transactions\":[");
	unsigned n = 4000, hashes = JSONRPC_ITEMS_MAX + 7;
	for (unsigned i = 0; i < n; i++)
		at += sprintf(at, "%s\"0x02%0*x\"", i ? "," : "", 200, i);
	at = stpcpy(at, "]},[");
	for (unsigned i = 0; i < hashes; i++)
		at += sprintf(at, "%s\"0x%064x\"", i ? "," : "", i);
	at = stpcpy(at, "]],\"id\":1}");
	answer_rig_init(&r, 1 << 16);
	r.a.watch = &watch;
	begin(&r, false);
	for (char *p = body; p < at; p += 1448)
		feed(&r, p, (size_t)(at - p) < 1448 ? (size_t)(at - p) : 1448, at - p <= 1448);
	r.log[r.log_len] = 0;
	assert_int_equal(r.status, DONE);
	unsigned txs = 0;
	for (char *p = r.log; (p = strstr(p, "B tx ")) != NULL; p++, txs++)
		assert_int_equal(
			strtoul(strchr(p + 5, '2') ? strstr(p, " 0 02") + 5 + 190 : "", NULL, 16), txs);
	assert_int_equal(txs, n);
	assert_non_null(strstr(r.log, " 7\nQ 2:1:31 10 0 0\n"));
	assert_non_null(strstr(r.log, "B end 0 4000 0 0 0 "));
	free(body);
	answer_rig_free(&r);
}

/* There is one second parameter, however many follow. */
static void
many_params(void **state)
{
	struct answer_rig r;
	char *body = malloc(1u << 16), *log = NULL;
	answer_rig_init(&r, 1 << 12);
	r.a.watch = &watch;
	for (unsigned params = 0; params < 600; params += 100) {
		char *at = stpcpy(body, NEW "{\"transactions\":[\"0x01\"]},[]");
		for (unsigned i = 0; i < params; i++)
			at += sprintf(at, ",[\"0x%064x\"]", i);
		at = stpcpy(at, "],\"id\":1}");
		begin(&r, false);
		feed(&r, body, (size_t)(at - body), true);
		r.log[r.log_len] = 0;
		assert_int_equal(r.status, DONE);
		if (params == 0)
			log = strdup(r.log);
		assert_string_equal(r.log, log);
	}
	free(log);
	free(body);
	answer_rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(subscriptions),
		cmocka_unit_test(engine),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(large),
		cmocka_unit_test(many_params),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
