/* SPDX-License-Identifier: BSD-3-Clause */
/* What each form of answer yields, by tables; a real transaction in every form that nodes send; the caps;
 * cuts at every byte; slabs that are refused or taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/wire/answer_rig.h"

#define LEN(a) (sizeof(a) / sizeof *(a))

/* A transaction of ethers': signed, and as its members. */
#define HASH "cc6c5c687fbb1092adebfe5e8af5a4fc972b7082737ccfb13195838efd91badd"
#define RAW                                                                                                  \
	"02f89d0103036482520894222222222222222222222222222222222222222205821234f838f79433333333333333333333" \
	"333333"                                                                                             \
	"33333333333333e1a0444444444444444444444444444444444444444444444444444444444444444401a02562d9ab257c" \
	"32f7"                                                                                               \
	"db640aad6b0c3f5d5da3959d97c7dbeaefadb06832e173aca066c4cb87d5f3ad4945f9ae78e8edfd68d7094c95dc34e8eb" \
	"e18f"                                                                                               \
	"7408bcb4071b"
#define TO "\"to\":\"0x2222222222222222222222222222222222222222\""
#define KEYS "\"storageKeys\":[\"0x4444444444444444444444444444444444444444444444444444444444444444\"]"
#define LIST "\"accessList\":[{\"address\":\"0x3333333333333333333333333333333333333333\"," KEYS "}]"
#define R "\"r\":\"0x2562d9ab257c32f7db640aad6b0c3f5d5da3959d97c7dbeaefadb06832e173ac\""
#define S "\"s\":\"0x66c4cb87d5f3ad4945f9ae78e8edfd68d7094c95dc34e8ebe18f7408bcb4071b\""
#define FEES "\"gasPrice\":\"0x64\",\"maxFeePerGas\":\"0x64\",\"maxPriorityFeePerGas\":\"0x3\""
#define REST                                                                                             \
	"\"gas\":\"0x5208\"," FEES ",\"hash\":\"0x" HASH "\",\"input\":\"0x1234\",\"nonce\":\"0x3\"," TO \
	",\"transactionIndex\":null,\"value\":\"0x5\",\"type\":\"0x2\"," LIST                            \
	",\"chainId\":\"0x1\",\"v\":\"0x1\""
#define SIGNED REST "," R "," S ",\"yParity\":\"0x1\""
#define PENDING                                              \
	"{\"blockHash\":null,\"blockNumber\":null,\"from\":" \
	"\"0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a\"," SIGNED "}"
#define T_OK "T 0 0 pending " HASH " " RAW "\n"
#define T_MINED "T 0 0 mined " HASH " " RAW "\n"
#define T_UNSIGNED "T 0 3 pending " HASH " -\n"

#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "0222222222222222222222222222222222222222222222222222222222222222"
#define OTHER_1 "R 2:1:31 5 4:0:0\n"
#define OTHER_LONG "R 2:1:31 5 0:0:0\n" /* too long to name a subscription */
#define PUSH                                                                                          \
	"{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"0xcd\"," \
	"\"result\":"

/* ids: the ids in front of each line, too. */
struct row {
	const char *body, *log;
	enum jsonrpc_status status;
	unsigned messages;
	bool stream, ids;
};

static void
same(const struct answer_rig *r, const struct row *row, const char *how, size_t at)
{
	r->log[r->log_len] = 0;
	if (strcmp(r->log, row->log) != 0 || r->status != row->status || r->messages != row->messages)
		fail_msg("%s %zu\n%s\ngave (status %d, %u messages)\n%sexpected\n%s", how, at, row->body,
			r->status, r->messages, r->log, row->log);
	assert_int_equal(r->slabs_out, 0);
}

static void
check_row(const struct row *row)
{
	struct answer_rig r;
	answer_rig_init(&r, 1 << 16);
	size_t n = strlen(row->body);
	r.ids = row->ids;
	answer_rig_begin(&r, row->stream);
	answer_rig_feed(&r, row->body, n, true);
	same(&r, row, "whole", n);
	for (size_t cut = 0; cut <= n; cut++) {
		answer_rig_begin(&r, row->stream);
		answer_rig_feed(&r, row->body, cut, false);
		answer_rig_feed(&r, row->body + cut, n - cut, true);
		same(&r, row, "cut at", cut);
	}
	for (size_t piece = 1; piece < 40 && n > 0; piece += piece < 4 ? 1 : 7) {
		answer_rig_begin(&r, row->stream);
		for (size_t i = 0; i < n; i += piece)
			answer_rig_feed(&r, row->body + i, n - i < piece ? n - i : piece, i + piece >= n);
		same(&r, row, "pieces of", piece);
	}
	/* no scratch at all: everything goes through slabs */
	answer_rig_free(&r);
	answer_rig_init(&r, 0);
	r.ids = row->ids;
	answer_rig_begin(&r, row->stream);
	answer_rig_feed(&r, row->body, n, true);
	same(&r, row, "no scratch", 0);
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

static void
responses(void **state)
{
	static const struct row rows[] = {
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x" H1 "\"}", "R 2:1:31 2 " H1 "\n", DONE, 1},
		{"{\"result\":\"" H1 "\",\"id\":\"a\\u0062c\"}", "R 3:3:636261 2 " H1 "\n", DONE, 1},
		{"{\"id\":1,\"result\":null}", "R 2:1:31 1\n", DONE, 1},
		{"{\"id\":null,\"result\":true}", "R 1:0:0 5 4:0:0\n", DONE, 1},
		{"{\"id\":-1.5e3,\"result\":{}}", "R 2:6:3365352e312d 5 4:0:0\n", DONE, 1},
		{"{\"id\":[1],\"result\":\"0x12\"}", "R 4:0:0 5 3:4:32317830\n", DONE, 1},
		/* a result's text is what names a subscription, hex or not */
		{"{\"id\":1,\"result\":\"0x1\"}", "R 2:1:31 5 3:3:317830\n", DONE, 1},
		{"{\"id\":1,\"result\":\"aZ\\u0039z\"}", "R 2:1:31 5 3:4:7a395a61\n", DONE, 1},
		{"{\"id\":1,\"result\":\"\"}", "R 2:1:31 5 3:0:0\n", DONE, 1},
		{"{\"id\":1,\"result\":77}", "R 2:1:31 5 2:2:3737\n", DONE, 1},
		/* bytes that may be a transaction, and bytes that are none */
		{"{\"id\":1,\"result\":\"0x" RAW "\"}", "R 2:1:31 3 " RAW "\n", DONE, 1},
		{"{\"id\":1,\"result\":\"0x" H1 H1 H1 "\"}", OTHER_LONG, DONE, 1},
		{"{\"id\":1,\"result\":\"0x" H1 "0\"}", OTHER_LONG, DONE, 1},
		{"{\"id\":1,\"result\":\"0x02" H2 "\"}", OTHER_LONG, DONE, 1},
		/* the last of several counts; an error stands against a result */
		{"{\"id\":1,\"result\":\"0x" H1 "\",\"result\":null,\"id\":2}", "R 2:1:32 1\n", DONE, 1},
		{"{\"id\":1,\"error\":null,\"result\":\"0x" H1 "\"}", "R 2:1:31 2 " H1 "\n", DONE, 1},
		{"{\"id\":1,\"error\":{\"code\":-32000,\"message\":\"nonce too "
		 "low\",\"data\":{\"code\":1,\"message\":"
		 "\"x\"}},\"result\":null}",
			"R 2:1:31 6 2 -32000 6e6f6e636520746f6f206c6f77\n", DONE, 1},
		{"{\"error\":\"already \\u006bnown\",\"id\":1}",
			"R 2:1:31 6 1 0 616c7265616479206b6e6f776e\n", DONE, 1},
		{"{\"id\":1,\"error\":{\"message\":\"\",\"code\":99999999999}}",
			"R 2:1:31 6 0 2147483647 -\n", DONE, 1},
		{"{\"id\":1,\"error\":{\"code\":7,\"code\":-320.05}}", "R 2:1:31 6 0 -320 -\n", DONE, 1},
		{"{\"id\":1,\"error\":{\"code\":-32e2,\"code\":33e-1}}", "R 2:1:31 6 0 33 -\n", DONE, 1},
		{"{\"id\":3,\"method\":\"x\",\"params\":[\"0x" H1 "\",{\"result\":1}]}", "R 2:1:33 0\n", DONE,
			1},
		/* batches */
		{"[{\"id\":1,\"result\":null},{\"id\":2,\"result\":\"0x" H1 "\"}]",
			"R 2:1:31 1\nR 2:1:32 2 " H1 "\n", DONE, 2},
		{"[]", "", DONE, 0},
		{"[[{\"id\":1,\"result\":null}],7,null]", "", DONE, 0},
		{"{}", "", DONE, 1},
		{"7", "", DONE, 0},
		{"", "", DONE, 0},
		{"{\"id\":1,\"result\":nul}", "", BAD, 0},
		{"{\"id\":1,\"result\":null", "", BAD, 0},
	};
	check_rows(rows, LEN(rows));
}

static void
transactions(void **state)
{
	static const struct row rows[] = {
		{"{\"id\":1,\"result\":" PENDING "}", T_OK OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":{\"blockHash\":\"0x" H1 "\",\"blockNumber\":\"0x10\"," SIGNED "}}",
			T_MINED OTHER_1, DONE, 1},
		{PUSH PENDING "}}", "N " T_OK, DONE, 1},
		/* Alchemy: the result first */
		{"{\"method\":\"eth_subscription\",\"params\":{\"result\":" PENDING
		 ",\"subscription\":\"0x1\"}}",
			"N " T_OK, DONE, 1},
		/* txpool_content, lists, anything around it */
		{"{\"id\":1,\"result\":{\"pending\":{\"0xaa\":{\"3\":" PENDING "}},\"queued\":{}}}",
			T_OK OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":[[{\"x\":{\"y\":[" PENDING "]}}]," PENDING "]}", T_OK T_OK OTHER_1,
			DONE, 1},
		{PUSH "{\"txHash\":\"0x" HASH "\",\"txContents\":" PENDING ",\"rawTx\":\"0x" RAW "\"}}}",
			"N H 0 0 " HASH "\nN " T_OK "N W 3 " RAW "\n", DONE, 1},
		{PUSH "\"0x" RAW "\"}}", "N W 0 " RAW "\n", DONE, 1},
		{"{\"id\":1,\"result\":{\"raw_tx\":\"" RAW "\",\"rawTx\":\"0x1234\",\"txHash\":\"0x" HASH
		 "\"}}",
			"W 3 " RAW "\n" OTHER_1, DONE, 1},
		/* data for input, gasLimit for gas, any case, unknown members of any kind, members behind a
		   nested object */
		{"{\"id\":1,\"result\":{\"GASLIMIT\":\"0x5208\",\"x\":{\"hash\":\"0x" H1
		 "\",\"value\":\"0x9\"},\"MaxFeePerGas\":\"0x64\",\"maxPRIORITYFeePerGas\":\"0x3\",\"HASH\":"
		 "\"" HASH "\",\"data\":\"0X1234\",\"nonce\":\"0x03\"," TO
		 ",\"value\":\"0x0005\",\"typ\\u0065\":\"2\"," LIST ",\"chainId\":\"0x1\",\"y\":[1,{}]," R
		 "," S ",\"v\":\"0x1\"}}",
			T_OK OTHER_1, DONE, 1},
		/* the last of several counts */
		{"{\"id\":1,\"result\":{\"nonce\":\"0x9\"," LIST ",\"input\":\"0xffff\"," SIGNED "}}",
			T_OK OTHER_1, DONE, 1},
		/* keys before the address, and named twice */
		{"{\"id\":1,\"result\":{" SIGNED ",\"accessList\":[{\"storageKeys\":[\"0x" H1 "\"]," KEYS
		 ",\"z\":[[]],\"address\":\"0x3333333333333333333333333333333333333333\"}]}}",
			T_OK OTHER_1, DONE, 1},
		/* templates: no signature, or one of zeros */
		{PUSH "{" REST "}}}", "N " T_UNSIGNED, DONE, 1},
		{"{\"id\":1,\"result\":{\"raw\":\"0x" RAW "\",\"tx\":{" REST
		 ",\"r\":\"0x0\",\"s\":\"0x0\"}}}",
			T_UNSIGNED OTHER_1, DONE, 1},
		/* no hash: nobody vouches for it; a wrong one: somebody lies */
		{"{\"id\":1,\"result\":{" SIGNED ",\"hash\":\"0x" H1 "\"}}",
			"T 0 2 pending " H1 " -\n" OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":{\"gas\":\"0x5208\"," FEES
		 ",\"input\":\"0x1234\",\"nonce\":\"0x3\"," TO ",\"value\":\"0x5\",\"type\":\"0x2\"," LIST
		 ",\"chainId\":\"0x1\",\"v\":\"0x1\"," R "," S "}}",
			"T 0 1 pending - " RAW "\n" OTHER_1, DONE, 1},
		/* a member that is not what it should be */
		{"{\"id\":1,\"result\":{" SIGNED ",\"value\":\"zz\"}}", "T 1 4 pending " HASH " -\n" OTHER_1,
			DONE, 1},
		{"{\"id\":1,\"result\":{" SIGNED ",\"accessList\":[{" KEYS "}]}}",
			"T 1 4 pending " HASH " -\n" OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":{" SIGNED ",\"accessList\":[7]}}",
			"T 1 4 pending " HASH " -\n" OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":{" SIGNED ",\"to\":\"0x22\"}}", "T 0 4 pending " HASH " -\n" OTHER_1,
			DONE, 1},
		{"{\"id\":1,\"result\":{" SIGNED ",\"type\":\"0x7e\"}}", "T 0 5 pending " HASH " -\n" OTHER_1,
			DONE, 1},
		/* not transactions: a trace, a call, members in params and in an error */
		{"{\"id\":1,\"result\":{\"from\":\"0x11\",\"gas\":\"0x1\",\"gasUsed\":\"0x1\",\"to\":"
		 "\"0x22\",\"input\":\"0x\","
		 "\"output\":\"0x\",\"value\":\"0x0\",\"type\":\"CALL\"}}",
			OTHER_1, DONE, 1},
		{"{\"id\":1,\"params\":[" PENDING "],\"error\":{\"code\":1,\"data\":" PENDING "}}",
			"R 2:1:31 6 0 1 -\n", DONE, 1},
		{"[" PENDING "]", "", DONE, 1},
	};
	check_rows(rows, LEN(rows));
}

#define FULL_BLOCK                                                          \
	"\"number\":\"0x1b4\",\"hash\":\"0x" H1 "\",\"parentHash\":\"0x" H2 \
	"\",\"nonce\":\"0x0000000000000042\""
#define END_FULL "B end 0 1 7 " H1 " " H2 " 436 0 - 0\n"
#define PAYLOAD                                                                                             \
	"{\"parentHash\":\"0x" H2 "\",\"logsBloom\":\"0x00\",\"blockNumber\":\"0x1\",\"gasLimit\":\"0x1\"," \
	"\"timestamp\":\"0x65\",\"baseFeePerGas\":\"0x7\",\"blockHash\":\"0x" H1 "\",\"transactions\":["

static void
blocks(void **state)
{
	static const struct row rows[] = {
		{"{\"id\":1,\"result\":{" FULL_BLOCK ",\"transactions\":[" PENDING "]}}",
			"B begin\n" T_OK END_FULL OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":{\"transactions\":[\"0x" HASH "\"]," FULL_BLOCK "}}",
			"B begin\nH 1 0 " HASH "\n" END_FULL OTHER_1, DONE, 1},
		{PUSH "{" FULL_BLOCK "}}}", "N B end 0 0 7 " H1 " " H2 " 436 0 - 0\n", DONE, 1},
		{"{\"id\":1,\"result\":{\"executionPayload\":" PAYLOAD "\"0x" RAW
		 "\",\"0x01\",7,\"0x1\"],\"withdrawals\":[]},"
		 "\"blockValue\":\"0x123\",\"blobsBundle\":{\"blobs\":[\"0x" H1
		 "\"]},\"shouldOverrideBuilder\":false}}",
			"B begin\nB tx 0 0 " RAW "\nB tx 1 0 01\nB tx 3 1 -\nB end 0 4 11f " H1 " " H2
			" 1 101 0000000000000007 - 0\nV 0123\n" OTHER_1,
			DONE, 1},
		/* getPayloadV1: the payload is the result */
		{"{\"id\":1,\"result\":" PAYLOAD "]}}",
			"B begin\nB end 0 0 11f " H1 " " H2 " 1 101 0000000000000007 - 0\n" OTHER_1, DONE, 1},
		/* named twice; in no block */
		{"{\"id\":1,\"result\":{\"transactions\":[\"0x01\"],\"transactions\":[\"0x02\"]}}",
			"B begin\nB tx 0 0 01\nB end 2 1 0 0 0 - 0\nB begin\nB tx 0 0 02\nB end 0 1 0 0 0 - "
			"0\n" OTHER_1,
			DONE, 1},
		{"{\"id\":1,\"result\":{\"payloadStatus\":{\"status\":\"VALID\",\"latestValidHash\":\"0x" H1
		 "\",\"validationError\":null},\"payloadId\":null}}",
			"S 1 " H1 "\n" OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":{\"status\":\"SYN\\u0043ING\",\"latestValidHash\":null,"
		 "\"validationError\":null}}",
			"S 3 -\n" OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":{\"status\":\"INVALID_BLOCK_HASH\",\"latestValidHash\":null}}",
			"S 5 -\n" OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":{\"status\":\"0x1\",\"latestValidHash\":null}}", OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":{\"status\":\"VALID\"}}", OTHER_1, DONE, 1},
		/* damaged within: the block is over */
		{"{\"id\":1,\"result\":{" FULL_BLOCK ",\"transactions\":[\"0x" HASH "\",}",
			"B begin\nH 1 0 " HASH "\nB end 1 2 7 " H1 " " H2 " 436 0 - 0\n", BAD, 0},
	};
	check_rows(rows, LEN(rows));
}

static void
hashes(void **state)
{
	static const struct row rows[] = {
		{PUSH "\"0x" H1 "\"}}", "N H 0 0 " H1 "\n", DONE, 1},
		{PUSH "\"0x" H1 "00\"}}", "", DONE, 1},
		{"{\"id\":1,\"result\":[\"0x" H1 "\",\"" H2 "\",null,\"0x12\",\"0x" H2 "\"]}",
			"H 2 0 " H1 "\nH 2 1 " H2 "\nH 2 4 " H2 "\n" OTHER_1, DONE, 1},
		{"{\"id\":1,\"result\":{\"x\":[\"0x" H1 "\"],\"txHash\":\"0x" H1 "\"}}", OTHER_1, DONE, 1},
	};
	check_rows(rows, LEN(rows));
}

static void
ids_and_streams(void **state)
{
	static const struct row rows[] = {
		{PUSH "\"0x" H1 "\"}}", "0:0:0 3:4:64637830 N H 0 0 " H1 "\n", DONE, 1, false, true},
		{"{\"params\":{\"result\":\"0x" H1 "\",\"subscription\":7}}", "0:0:0 0:0:0 N H 0 0 " H1 "\n",
			DONE, 1, false, true},
		{"{\"params\":{\"subscription\":7,\"result\":\"0x" H1 "\"}}", "0:0:0 2:1:37 N H 0 0 " H1 "\n",
			DONE, 1, false, true},
		{"{\"id\":\"long enough\",\"result\":[\"0x" H1 "\"]}",
			"3:11:709f51b0e33e4fab 0:0:0 H 2 0 " H1
			"\n3:11:709f51b0e33e4fab 0:0:0 R 3:11:709f51b0e33e4fab 5 4:0:0\n",
			DONE, 1, false, true},
		{"{\"id\":\"\\ud83d\\ude00\",\"result\":null}{\"id\":\"\xf0\x9f\x98\x80\",\"result\":null}",
			"R 3:4:80989ff0 1\nR 3:4:80989ff0 1\n", DONE, 2, true, false},
		/* geth's IPC: one after the other, with a line end or nothing between */
		{"{\"id\":1,\"result\":null}{\"id\":2,\"result\":null}\n[{\"id\":3,\"result\":null}] 7 "
		 "{\"id\":4,\"result\":null}\n",
			"R 2:1:31 1\nR 2:1:32 1\nR 2:1:33 1\nR 2:1:34 1\n", DONE, 4, true, false},
		{"{\"id\":1,\"result\":null}]", "R 2:1:31 1\n", BAD, 1, true, false},
		/* what follows a message's value is not looked at */
		{"{\"id\":1,\"result\":null}{\"id\":2,", "R 2:1:31 1\n", DONE, 1, false, false},
	};
	check_rows(rows, LEN(rows));
}

/* ---- caps ---- */

static char *
repeat(char *at, const char *what, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		at = stpcpy(at, what);
	return at;
}

static void
caps(void **state)
{
	struct answer_rig r;
	char *body = malloc(8u << 20), *at;
	answer_rig_init(&r, 1 << 20);
	/* objects in each other: as deep as there are frames, and one too deep */
	for (unsigned n = ANSWER_FRAMES - 3; n <= ANSWER_FRAMES; n++) {
		at = repeat(stpcpy(body, "{\"id\":1,\"result\":"), "{\"a\":", n);
		at = repeat(stpcpy(at, PENDING), "}", n + 1);
		answer_rig_run(&r, body, (size_t)(at - body));
		assert_int_equal(r.status, DONE);
		assert_int_equal(r.n_tx[TXFIELDS_OK], n < ANSWER_FRAMES - 1);
		assert_int_equal(r.j.passed_over, n >= ANSWER_FRAMES - 1);
	}
	/* lists in each other */
	for (unsigned n = ANSWER_NEST - 5; n <= ANSWER_NEST + 5; n++) {
		at = repeat(stpcpy(body, "{\"id\":1,\"result\":"), "[", n);
		at = stpcpy(repeat(stpcpy(at, PENDING), "]", n), "}");
		answer_rig_run(&r, body, (size_t)(at - body));
		assert_int_equal(r.status, DONE);
		assert_int_equal(r.n_tx[TXFIELDS_OK],
			n + 5 <= ANSWER_NEST); /* with message, object, list, entry, keys */
		assert_int_equal(r.j.passed_over > 0, n + 5 > ANSWER_NEST);
	}
	/* more members than there are places: the transaction is one that was not read */
	at = repeat(stpcpy(body, "{\"id\":1,\"result\":{"), "\"v\":\"0x1\",", ANSWER_RECS);
	at = stpcpy(at, SIGNED "}}");
	answer_rig_run(&r, body, (size_t)(at - body));
	assert_int_equal(r.txs, 0); /* not even that it was one is known */
	assert_int_equal(r.j.passed_over, 1);
	at = stpcpy(body, "{\"id\":1,\"result\":{" SIGNED);
	at = stpcpy(repeat(at, ",\"v\":\"0x1\"", ANSWER_RECS), "}}");
	answer_rig_run(&r, body, (size_t)(at - body));
	assert_int_equal(r.n_tx[TXFIELDS_OVERSIZE], 1);
	/* nesting bombs */
	at = repeat(body, "[", JSONRPC_DEPTH_MAX);
	answer_rig_run(&r, body, (size_t)(at - body));
	assert_int_equal(r.status, BAD);
	at = repeat(body, "{\"result\":", JSONRPC_DEPTH_MAX + 1);
	answer_rig_run(&r, body, (size_t)(at - body));
	assert_int_equal(r.status, JSONRPC_TOO_DEEP);
	free(body);
	answer_rig_free(&r);
}

/* Calldata of 128 KiB, a megabyte of result, and beyond the cap. */
static void
sizes(void **state)
{
	static const unsigned digits[] = {262144, 2 * (JSONRPC_RAW_MAX - 100), 2 * JSONRPC_RAW_MAX + 2};
	struct answer_rig r;
	char *body = malloc(8u << 20);
	for (unsigned i = 0; i < LEN(digits); i++) {
		for (unsigned piece = 1448; piece < 8u << 20; piece *= 5000) {
			char *at = stpcpy(body, "{\"id\":1,\"result\":\"0x02");
			memset(at, 'a', digits[i] - 2);
			at = stpcpy(at + digits[i] - 2, "\"}");
			size_t n = (size_t)(at - body);
			answer_rig_init(&r, 1 << 12);
			answer_rig_begin(&r, false);
			for (size_t k = 0; k < n; k += piece)
				answer_rig_feed(&r, body + k, n - k < piece ? n - k : piece, n - k <= piece);
			assert_int_equal(r.status, DONE);
			assert_int_equal(r.slabs_out, 0);
			assert_memory_equal(r.log, i == 2 ? "R 2:1:31 4" : "R 2:1:31 3", 10);
			if (i < 2)
				assert_int_equal(r.log_len, digits[i] + 12);
			answer_rig_free(&r);
		}
	}
	free(body);
}

/* ---- buffers, and messages that end early ---- */

static void
no_buffer(void **state)
{
	static const char body[] = "{\"id\":1,\"result\":" PENDING "}";
	struct answer_rig r;
	answer_rig_init(&r, 16);
	r.slab_cap_max = 16;
	answer_rig_run(&r, body, sizeof body - 1);
	r.log[r.log_len] = 0;
	assert_string_equal(r.log, "T 5 7 pending - -\n" OTHER_1);
	/* taken back at each point */
	r.slab_cap_max = JSONRPC_RAW_MAX;
	for (size_t cut = 1; cut < sizeof body - 1; cut++) {
		answer_rig_begin(&r, false);
		answer_rig_feed(&r, body, cut, false);
		bool held = r.slab != NULL;
		answer_rig_steal(&r);
		answer_rig_feed(&r, body + cut, sizeof body - 1 - cut, true);
		assert_int_equal(r.status, DONE);
		assert_int_equal(r.txs, 1);
		assert_int_equal(r.n_tx[TXFIELDS_OK], !held);
		assert_int_equal(r.n_tx[TXFIELDS_LOST], held);
		assert_int_equal(r.slabs_out, 0);
	}
	answer_rig_free(&r);
}

static void
cut_log(const char *body, const char *log)
{
	struct answer_rig r;
	answer_rig_init(&r, 1 << 12);
	for (size_t piece = 1; piece < 4096; piece *= 16) {
		answer_rig_begin(&r, false);
		for (size_t i = 0, n = strlen(body); i < n; i += piece)
			answer_rig_feed(&r, body + i, n - i < piece ? n - i : piece, false);
		assert_int_equal(r.status, JSONRPC_MORE);
		answer_cut(&r.j, &r.a, answer_rig_sink, &r);
		r.log[r.log_len] = 0;
		assert_string_equal(r.log, log);
		assert_int_equal(r.slabs_out, 0);
		assert_int_equal(answer_rig_feed(&r, "{\"id\":1,\"result\":1}", 19, true), BAD);
		assert_string_equal(r.log, log);
		answer_cut(&r.j, &r.a, answer_rig_sink, &r);
		assert_string_equal(r.log, log);
	}
	answer_rig_free(&r);
}

static void
cut_off(void **state)
{
	cut_log("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x12", "R 2:1:31 7\n");
	cut_log("[{\"id\":1,\"result\":null},", "R 2:1:31 1\n");
	cut_log("[{\"id\":1,\"result\":null},{\"id\":2", "R 2:1:31 1\nR 2:1:32 7\n");
	cut_log("{\"id\":1,\"result\":{\"hash\":\"0x" HASH "\",\"gas\":\"0x1\",\"input\":\"0x12",
		"T 6 7 pending " HASH " -\nR 2:1:31 7\n");
	cut_log("{\"id\":1,\"result\":{\"hash\":\"0x" HASH
		"\",\"gas\":\"0x1\",\"accessList\":[{\"storageKeys\":[\"0x11",
		"T 6 7 pending " HASH " -\nR 2:1:31 7\n");
	cut_log("{\"id\":1,\"result\":{\"hash\":\"0x" HASH "\",\"parentHash\":\"0x" H1
		"\",\"transactions\":[\"0x" H2 "\",\"0x12",
		"B begin\nH 1 0 " H2 "\nB end 1 2 3 " HASH " " H1 " 0 0 - 0\nR 2:1:31 7\n");
	cut_log("{\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"0x1\",\"result\":\"0x11",
		"");
	cut_log("  ", "");
}

static void
errors(void **state)
{
	static const struct {
		const char *message;
		enum answer_error error;
	} rows[] = {
		{"already known", ANSWER_ERR_KNOWN},
		{"AlreadyKnown", ANSWER_ERR_KNOWN},
		{"transaction already imported", ANSWER_ERR_KNOWN},
		{"Known transaction", ANSWER_ERR_KNOWN},
		{"nonce too low: next nonce 5, tx nonce 4", ANSWER_ERR_NONCE_LOW},
		{"Nonce too low", ANSWER_ERR_NONCE_LOW},
		{"NONCE_TOO_LOW", ANSWER_ERR_NONCE_LOW},
		{"OldNonce, Current nonce: 3, nonce of rejected tx: 2", ANSWER_ERR_NONCE_LOW},
		{"replacement transaction underpriced", ANSWER_ERR_UNDERPRICED},
		{"transaction underpriced: tip needed 1, tip permitted 0", ANSWER_ERR_UNDERPRICED},
		{"FeeTooLow, MaxFeePerGas too low", ANSWER_ERR_UNDERPRICED},
		{"Insufficient funds for gas * price + value", ANSWER_ERR_FUNDS},
		{"InsufficientFunds, Account balance: 0", ANSWER_ERR_FUNDS},
		{"Upfront cost exceeds account balance", ANSWER_ERR_FUNDS},
		{"intrinsic gas too low", ANSWER_ERR_OTHER},
		{"", ANSWER_ERR_OTHER},
		{"already know", ANSWER_ERR_OTHER},
	};
	for (unsigned i = 0; i < LEN(rows); i++)
		assert_int_equal(answer_error_of((struct span){(const uint8_t *)rows[i].message,
					 (uint32_t)strlen(rows[i].message)}),
			rows[i].error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses),
		cmocka_unit_test(transactions),
		cmocka_unit_test(blocks),
		cmocka_unit_test(hashes),
		cmocka_unit_test(ids_and_streams),
		cmocka_unit_test(caps),
		cmocka_unit_test(sizes),
		cmocka_unit_test(no_buffer),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
