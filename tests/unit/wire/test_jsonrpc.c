/* SPDX-License-Identifier: BSD-3-Clause */
/* What each form of request yields, by tables; the caps; cuts at every byte; slabs that are refused or taken
 * back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/wire/jsonrpc_rig.h"

#define LEN(a) (sizeof(a) / sizeof *(a))

/* Expected items as the rig writes them: kind:state:pos/len:hex. */
struct row {
	const char *body, *items;
	enum jsonrpc_status status;
	unsigned messages;
};

#define RAW(hex) "1:0:0/0:" hex "\n"
#define DONE JSONRPC_DONE
#define BAD JSONRPC_MALFORMED
#define SEND "\"method\":\"eth_sendRawTransaction\""

static void
check_row(const struct row *row)
{
	struct rig r;
	rig_init(&r, 4096);
	size_t n = strlen(row->body);
	rig_run(&r, row->body, n);
	if (strcmp(r.log, row->items) != 0)
		fail_msg("%s\ngave     %s\nexpected %s", row->body, r.log, row->items);
	if (r.status != row->status || r.messages != row->messages)
		fail_msg("%s: status %d, %u messages", row->body, r.status, r.messages);
	/* at every byte: in two pieces, and in single bytes */
	for (size_t cut = 0; cut <= n; cut++) {
		rig_begin(&r);
		rig_feed(&r, row->body, cut, false);
		rig_feed(&r, row->body + cut, n - cut, true);
		if (strcmp(r.log, row->items) != 0 || r.status != row->status || r.messages != row->messages)
			fail_msg("%s\ncut at %zu gave %s(%d)", row->body, cut, r.log, r.status);
		assert_int_equal(r.slabs_out, 0);
	}
	rig_begin(&r);
	for (size_t i = 0; i < n; i++)
		rig_feed(&r, row->body + i, 1, i + 1 == n);
	if (n > 0)
		assert_string_equal(r.log, row->items);
	rig_free(&r);
}

static void
check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_row(&rows[i]);
}

static void
methods(void **state)
{
	static const struct row rows[] = {
		{"{" SEND ",\"params\":[\"0x0102\"],\"id\":1,\"jsonrpc\":\"2.0\"}", RAW("0102"), DONE, 1},
		{"{\"method\":\"eth_sendRawTransactionSync\",\"params\":[\"0x0102\",5000]}", RAW("0102"),
			DONE, 1},
		{"{\"method\":\"eth_sendRawTransactionConditional\",\"params\":[\"0x0102\",{"
		 "\"knownAccounts\":{}}]}",
			RAW("0102"), DONE, 1},
		{"{\"method\":\"eth_sendPrivateTransaction\",\"params\":[{\"tx\":\"0xab\",\"preferences\":{"
		 "\"tx\":\"0xff\"}}]}",
			"2:0:0/0:ab\n", DONE, 1},
		{"{\"method\":\"eth_sendPrivateRawTransaction\",\"params\":[\"0xab\",{\"fast\":true}]}",
			"2:0:0/0:ab\n", DONE, 1},
		{"{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x01\",\"02\",\"0X03\"],"
		 "\"blockNumber\":\"0x1\"}]}",
			"3:0:0/3:01\n3:0:1/3:02\n3:0:2/3:03\n", DONE, 1},
		{"{\"method\":\"eth_sendBundle\",\"params\":[[\"0x01\",\"0x02\"],\"0x99\",0,0]}",
			"3:0:0/2:01\n3:0:1/2:02\n", DONE, 1},
		{"{\"method\":\"eth_sendTransaction\",\"params\":[{\"from\":\"0x01\",\"data\":\"0x02\"}]}",
			"4:4:0/0:\n", DONE, 1},
		{"{\"method\":\"eth_sendTransactionSync\",\"params\":[{\"from\":\"0x01\"},9]}", "4:4:0/0:\n",
			DONE, 1},
		{"{\"method\":\"eth_sendUnsignedTransaction\",\"params\":[{\"from\":\"0x01\"}]}",
			"4:4:0/0:\n", DONE, 1},
		{"{\"method\":\"eth_sendTransaction\",\"params\":[\"0x01\"]}", "", DONE, 1},
		{"{\"method\":\"eth_sendPrivateTransaction\",\"params\":[{\"x\":1}]}", "", DONE, 1},
		{"{\"method\":\"eth_sendPrivateTransaction\",\"params\":[5]}", "2:1:0/0:\n", DONE, 1},
		{"{\"method\":\"eth_cancelBundle\",\"params\":[{\"replacementUuid\":\"0x01\"}]}", "", DONE,
			1},
		{"{\"method\":\"eth_callBundle\",\"params\":[{\"txs\":[\"0x01\"]}]}", "", DONE, 1},
		{"{\"method\":\"eth_call\",\"params\":[{\"data\":\"0x0102\",\"tx\":\"0x01\"},\"latest\"]}",
			"", DONE, 1},
		{"{\"method\":\"eth_getTransactionReceipt\",\"params\":[\"0x0102\"]}", "", DONE, 1},
		{"{\"method\":\"eth_sendrawtransaction\",\"params\":[\"0x0102\"]}", "", DONE, 1},
		{"{\"method\":\"eth_sendRawTransaction\\u0000\",\"params\":[\"0x0102\"]}", "", DONE, 1},
	};
	check_rows(rows, LEN(rows));
}

#define MEV "{\"method\":\"mev_sendBundle\",\"params\":[{\"version\":\"v0.1\",\"body\":"

static void
mev_share(void **state)
{
	static const struct row rows[] = {
		{MEV "[{\"tx\":\"0x01\",\"canRevert\":false},{\"hash\":\"0xaa\"},{\"tx\":\"0x02\"}]}]}",
			"3:0:0/3:01\n3:3:1/3:\n3:0:2/3:02\n", DONE, 1},
		{MEV "[{\"bundle\":{\"body\":[{\"tx\":\"0x01\"},{\"bundle\":{\"body\":[{\"tx\":\"0x02\"}]}}]}"
		     "},{\"tx\":\"0x03\"}]}]}",
			"3:0:0/3:01\n3:0:1/3:02\n3:0:2/3:03\n", DONE, 1},
		/* an element's tx stands for its hash; the last body, tx and bundle of a spelling count */
		{MEV "[{\"hash\":\"0xaa\",\"tx\":\"0x01\"}]}]}", "3:0:0/1:01\n", DONE, 1},
		{MEV "[{\"tx\":\"0x01\"}],\"body\":[{\"tx\":\"0x02\",\"tx\":\"0x03\"}]}]}", "3:0:0/1:03\n",
			DONE, 1},
		{MEV "[{\"tx\":\"0x01\"}],\"Body\":[{\"tx\":\"0x02\",\"TX\":\"0x03\"}]}]}",
			"3:0:0/2:01\n3:0:1/2:03\n", DONE, 1},
		{MEV "[{\"tx\":\"0x01\"},{\"bundle\":{\"body\":[{\"tx\":\"0x02\"}]},\"bundle\":{\"body\":[{"
		     "\"tx\":\"0x03\"}]}}]}]}",
			"3:0:0/2:01\n3:0:1/2:03\n", DONE, 1},
		{MEV "[{\"bundle\":{\"body\":[{\"tx\":\"0x02\"}],\"body\":[{\"tx\":\"0x04\"}]}}]}]}",
			"3:0:0/1:04\n", DONE, 1},
		{MEV "[{\"tx\":\"0x01\",\"bundle\":{\"body\":[{\"tx\":\"0x02\"}]},\"tx\":\"0x03\"},{\"tx\":"
		     "\"0x04\"}]}]}",
			"3:0:0/3:02\n3:0:1/3:03\n3:0:2/3:04\n", DONE, 1},
		/* only the element's own keys count */
		{MEV "[{\"x\":{\"tx\":\"0x01\"}},[{\"tx\":\"0x01\"}],\"0x01\",7,null]}]}", "", DONE, 1},
		{MEV "[{\"tx\":5},{\"tx\":\"0x1\"},{\"tx\":null}]}]}", "3:1:0/2:\n3:1:1/2:\n", DONE, 1},
	};
	check_rows(rows, LEN(rows));
}

static void
go_semantics(void **state)
{
	static const struct row rows[] = {
		/* keys: any case, escapes, Go's folding letters; the method's name exactly */
		{"{\"METHOD\":\"eth_sendRawTransaction\",\"PaRaMs\":[\"0x01\"]}", RAW("01"), DONE, 1},
		{"{\"m\\u0065thod\":\"eth_sendR\\u0061wTransaction\",\"param\\u0073\":[\"0x01\"]}", RAW("01"),
			DONE, 1},
		{"{" SEND ",\"param\xc5\xbf\":[\"0x01\"]}", RAW("01"), DONE, 1},
		{"{" SEND ",\"PARAM\\u017F\":[\"0x01\"]}", RAW("01"), DONE, 1},
		{"{" SEND ",\"param\xc5\":[\"0x01\"]}", "", DONE, 1},
		{"{" SEND ",\"param\xc5\\u00bf\":[\"0x01\"]}", "", DONE, 1},
		{"{" SEND ",\"params\xe2\x84\xaa\":[\"0x01\"]}", "", DONE, 1},
		{"{" SEND ",\"params\\u0000\":[\"0x01\"]}", "", DONE, 1},
		{"{" SEND ",\"params \":[\"0x01\"]}", "", DONE, 1},
		{"{" SEND ",\"\":1,\"params\":[\"0x01\"]}", RAW("01"), DONE, 1},
		/* order, duplicates */
		{"{\"params\":[\"0x01\"],\"id\":null," SEND "}", RAW("01"), DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\"],\"params\":[\"0x02\"]}", RAW("02"), DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\"],\"params\":null}", "", DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\"],\"params\":[]}", "", DONE, 1},
		{"{" SEND ",\"method\":\"eth_call\",\"params\":[\"0x01\"]}", "", DONE, 1},
		{"{\"method\":\"eth_call\",\"params\":[\"0x01\"]," SEND "}", RAW("01"), DONE, 1},
		{"{" SEND ",\"method\":null,\"params\":[\"0x01\"]}", RAW("01"), DONE, 1},
		{"{" SEND ",\"method\":[\"eth_call\"],\"params\":[\"0x01\"],\"method\":7}", RAW("01"), DONE,
			1},
		{"{\"method\":\"eth_sendPrivateTransaction\",\"params\":[{\"tx\":\"0x01\",\"Tx\":\"0x02\","
		 "\"tx\":null}]}",
			"2:0:0/0:01\n2:0:0/0:02\n", DONE, 1},
		{"{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x01\",\"0x02\"],\"TXS\":[\"0x03\"]}"
		 "]}",
			"3:0:0/3:01\n3:0:1/3:02\n3:0:2/3:03\n", DONE, 1},
		{"{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x01\"],\"tx\":\"0x09\",\"txs\":["
		 "\"0x03\"],\"tx\":\"0x08\"}]}",
			"3:0:0/1:03\n", DONE, 1},
		{"{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x01\"],\"txs\":null}]}", "", DONE,
			1},
		/* hex */
		{"{" SEND ",\"params\":[\"0XaBcDeF\"]}", RAW("abcdef"), DONE, 1},
		{"{" SEND ",\"params\":[\"0\\u0078\\u0030\\u0031f\\u0046\"]}", RAW("01ff"), DONE, 1},
		{"{" SEND ",\"params\":[\"\\u0030x01\"]}", RAW("01"), DONE, 1},
		{"{" SEND ",\"params\":[\"0102\"]}", RAW("0102"), DONE, 1},
		{"{" SEND ",\"params\":[\"0x\"]}", RAW(""), DONE, 1},
		{"{" SEND ",\"params\":[\"\"]}", RAW(""), DONE, 1},
		{"{" SEND ",\"params\":[\"0x0g\"]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[\"0x0x01\"]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\\n\"]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\\u0161\"]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\xff\"]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[ \"hello \\\" world, this is not hex at all\" ]}", "1:1:0/0:\n", DONE,
			1},
		{"{" SEND ",\"params\":[{\"x\":\"0x01\"}]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[null]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[[\"0x01\"]]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[1,\"0x01\"]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":\"0x01\"}", "", DONE, 1},
		{"{" SEND ",\"params\":[]}", "", DONE, 1},
		{"{" SEND "}", "", DONE, 1},
		{"{\"a\":{" SEND ",\"params\":[\"0x01\"]}}", "", DONE, 1},
		/* by name */
		{"{" SEND ",\"params\":{\"bytes\":\"0x01\"}}", RAW("01"), DONE, 1},
		{"{\"method\":\"eth_sendBundle\",\"params\":{\"bundle\":{\"txs\":[\"0x01\"]}}}",
			"3:0:0/1:01\n", DONE, 1},
		{"{" SEND ",\"params\":{\"other\":\"0x01\"}}", "", DONE, 1},
		/* hash-only */
		{"{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x"
		 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"0x01\",3]}]}",
			"3:3:0/3:\n3:0:1/3:01\n3:1:2/3:\n", DONE, 1},
	};
	check_rows(rows, LEN(rows));
}

#define UNSIGNED "\"method\":\"eth_sendTransaction\""
#define PRIVATE "\"method\":\"eth_sendPrivateTransaction\""
#define BUNDLE "\"method\":\"eth_sendBundle\""

/* What one node passes over may be what another takes: keys in another case, and parameters of other names.
 */
static void
other_readers(void **state)
{
	static const struct row rows[] = {
		{"{" SEND ",\"params\":[\"0x01\"],\"Params\":[]}", RAW("01"), DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\"],\"param\\u017f\":null}", RAW("01"), DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\"],\"param\xc5\xbf\":[{}]}", RAW("01") "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\"],\"p\\u0061rams\":[\"0x02\"]}", RAW("02"), DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\"],\"Params\":[\"0x02\"],\"PARAMS\":[\"0x03\"]}",
			RAW("01") RAW("03"), DONE, 1},
		{"{" SEND ",\"Params\":[\"0x01\"],\"params\":[\"0x02\"]}", RAW("01") RAW("02"), DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\"],\"Params\":[\"0x02\"],\"params\":[\"0x03\"]}",
			RAW("02") RAW("03"), DONE, 1},
		/* what lies below such a key is not there for who passes over it */
		{"{" PRIVATE ",\"Params\":[{\"tx\":\"0x01\",\"Tx\":\"0x02\"}]}", "2:0:0/0:02\n", DONE, 1},
		{"{" PRIVATE ",\"params\":[{\"Tx\":\"0x01\",\"x\":1,\"tx\":\"0x02\",\"tx\":\"0x03\"}]}",
			"2:0:0/0:01\n2:0:0/0:03\n", DONE, 1},
		{"{" PRIVATE ",\"params\":[{\"Tx\":\"0x01\"}],\"Params\":[{\"tx\":\"0x02\"}]}",
			"2:0:0/0:02\n", DONE, 1},
		{"{" PRIVATE ",\"params\":[{\"Tx\":\"0x01\"},0],\"params\":[{\"tx\":\"0x02\"}]}",
			"2:0:0/0:01\n2:0:0/0:02\n", DONE, 1},
		{MEV "[{\"bundle\":{\"body\":[{\"tx\":\"0x01\"}]},\"Bundle\":{\"body\":[{\"tx\":\"0x02\"}],"
		     "\"body\":[]}}"
		     ",{\"tx\":\"0x03\",\"hash\":\"0xaa\",\"Hash\":\"0xaa\"}]}]}",
			"3:0:0/2:01\n3:0:1/2:03\n", DONE, 1},
		{"[{" SEND ",\"Params\":[\"0x01\"]},{" SEND ",\"params\":[\"0x02\"],\"Params\":[]},{" SEND
		 ",\"params\":[\"0x03\"],\"params\":[\"0x04\"]}]",
			RAW("01") RAW("02") RAW("04"), DONE, 3},
		/* two methods */
		{"{" SEND ",\"params\":[\"0x01\"],\"Method\":\"eth_chainId\"}", RAW("01"), DONE, 1},
		{"{\"Method\":\"eth_chainId\"," SEND ",\"params\":[\"0x01\"]}", RAW("01"), DONE, 1},
		{"{\"method\":\"eth_chainId\",\"params\":[\"0x01\"],\"METHOD\":\"eth_sendRawTransaction\"}",
			RAW("01"), DONE, 1},
		{"{" SEND ",\"Method\":\"eth_chainId\",\"method\":\"eth_call\",\"params\":[\"0x01\"]}", "",
			DONE, 1},
		{"{" SEND ",\"Method\":\"eth_sendRawTransactionSync\",\"params\":[\"0x01\"]}", RAW("01"),
			DONE, 1},
		{"{" SEND
		 ",\"Method\":\"eth_sendBundle\",\"params\":[\"0x01\"],\"Params\":[{\"txs\":[\"0x02\"]}]}",
			"3:0:0/1:02\n" RAW("01") "1:1:0/0:\n", DONE, 1},
		{"[{" SEND ",\"Method\":\"eth_chainId\",\"params\":[\"0x01\"]},{\"params\":[\"0x02\"]}]",
			RAW("01"), DONE, 2},
		/* a subscription that was none */
		{"{\"method\":\"eth_subscribe\",\"params\":[\"0x0102\"]," SEND "}", RAW("0102"), DONE, 1},
		{"{\"method\":\"eth_subscribe\",\"params\":[\"F801\"]," SEND "}", RAW("f801"), DONE, 1},
		{"{\"method\":\"eth_subscribe\",\"params\":[\"\\u0030\\u00780102\"]," SEND "}", RAW("0102"),
			DONE, 1},
		{"{\"method\":\"eth_subscribe\",\"params\":[\"c\\u0030\"]," SEND "}", RAW("c0"), DONE, 1},
		{"{\"method\":\"eth_subscribe\",\"params\":[\"0x01zz\"]," SEND "}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"Method\":\"eth_subscribe\",\"params\":[\"0x0102\",true]}", RAW("0102"), DONE,
			1},
		/* by name */
		{"{" SEND ",\"params\":{\"bytes\":\"0x01\",\"request\":\"\"}}", RAW("01") RAW(""), DONE, 1},
		{"{" SEND ",\"params\":{\"bytes\":\"0x01\",\"tx\":null}}", RAW("01") "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":{\"bytes\":\"0x01\",\"Bytes\":\"\"}}", RAW("01") RAW(""), DONE, 1},
		{"{" SEND ",\"params\":{\"bytes\":\"0x01\",\"tx\":\"0x02\",\"bytes\":\"0x03\"}}",
			RAW("02") RAW("03"), DONE, 1},
		{"{" SEND ",\"params\":{\"bytes\":\"0x01\",\"tx\":\"0x02\"},\"params\":[\"0x03\"]}",
			RAW("03"), DONE, 1},
		{"{" PRIVATE
		 ",\"params\":{\"request\":{\"tx\":\"0x01\"},\"bundle\":{\"tx\":\"0x02\"},\"tx\":7}}",
			"2:0:0/0:01\n2:0:0/0:02\n2:1:0/0:\n", DONE, 1},
		{"{" BUNDLE ",\"params\":{\"bundle\":{\"txs\":[\"0x01\"]},\"request\":{\"txs\":[\"0x02\"]},"
		 "\"tx\":[\"0x03\"]}}",
			"3:0:0/3:01\n3:0:1/3:02\n3:0:2/3:03\n", DONE, 1},
		{"{" UNSIGNED ",\"params\":{\"request\":{\"from\":\"0x01\"},\"tx\":null}}", "4:4:0/0:\n",
			DONE, 1},
	};
	check_rows(rows, LEN(rows));
}

/* alloy's Bytes (reth) takes an array of numbers as well. */
static void
numbers(void **state)
{
	static const struct row rows[] = {
		{"{" SEND ",\"params\":[[2,248,0,255]]}", RAW("02f800ff"), DONE, 1},
		{"{" SEND ",\"params\":[[ 2 , 248\n]]}", RAW("02f8"), DONE, 1},
		{"{\"params\":[[2,248],{}]," SEND "}", RAW("02f8"), DONE, 1},
		{"{" SEND ",\"params\":{\"bytes\":[2,248],\"request\":[[2,248]]}}", RAW("02f8") "1:1:0/0:\n",
			DONE, 1},
		{"{" PRIVATE ",\"params\":[{\"tx\":[2,1],\"Tx\":[2,2],\"tx\":[2,3]}]}",
			"2:0:0/0:0202\n2:0:0/0:0203\n", DONE, 1},
		{"{" PRIVATE ",\"params\":[[2,1],{\"tx\":[3]}]}", "2:0:0/0:0201\n", DONE, 1},
		{"{" BUNDLE ",\"params\":[{\"txs\":[[2,1],\"0x02\",[],[3,256],[4]]}]}",
			"3:0:0/5:0201\n3:0:1/5:02\n3:0:2/5:\n3:1:3/5:\n3:0:4/5:04\n", DONE, 1},
		{"{" BUNDLE ",\"params\":[[[2,1],7,\"0x02\"]]}", "3:0:0/3:0201\n3:1:1/3:\n3:0:2/3:02\n", DONE,
			1},
		{"{" BUNDLE ",\"params\":[[\"0x02\",7]]}", "3:0:0/2:02\n3:1:1/2:\n", DONE, 1},
		{"{" BUNDLE ",\"params\":[[7,\"0x02\"]]}", "", DONE, 1},
		{MEV "[{\"tx\":[2,1],\"hash\":\"0xaa\"},{\"bundle\":{\"body\":[{\"tx\":[2,2]},{\"tx\":[2,2.5]"
		     ",\"tx\":[2,3]}]}},{\"tx\":\"0x04\"}]}]}",
			"3:0:0/4:0201\n3:0:1/4:0202\n3:0:2/4:0203\n3:0:3/4:04\n", DONE, 1},
		{"{" BUNDLE ",\"params\":[{\"txs\":[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,"
		 "22,23,24,25,26,27,28,29,30,31,32]]}]}",
			"3:3:0/1:\n", DONE, 1},
		/* no bytes */
		{"{" SEND ",\"params\":[[]]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[[2,256]]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[[2,4294967298]]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[[2,-0]]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[[2,1e1]]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[[2,null,3]]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[[2,\"0x01\",3]],\"x\":[\"0x01\"]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[[2,[3,{\"tx\":[4]}],5],{\"tx\":[4]}]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[[-2,3]]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[2,3]}", "1:1:0/0:\n", DONE, 1},
		{"{" SEND ",\"params\":[[2,01]]}", "", BAD, 0},
		{"{" SEND ",\"params\":[[2,]]}", "", BAD, 0},
	};
	check_rows(rows, LEN(rows));
}

/* Nethermind puts a zero before an odd number of digits. */
static void
odd_digits(void **state)
{
	static const struct row rows[] = {
		{"{" SEND ",\"params\":[\"0x2f8ab\"]}", RAW("02f8ab"), DONE, 1},
		{"{" SEND ",\"params\":[\"2f8aB\"]}", RAW("02f8ab"), DONE, 1},
		{"{" SEND ",\"params\":[\"\\u0030x2f\\u0038\"]}", RAW("02f8"), DONE, 1},
		{"{\"params\":{\"bytes\":\"0x2f8\",\"tx\":\"0x102\"}," SEND "}", RAW("02f8") RAW("0102"), DONE, 1},
		{"{" SEND ",\"params\":[\"0\"]}", RAW("00"), DONE, 1},
		{"{" SEND ",\"params\":[\"0x1\"]}", RAW("01"), DONE, 1},
		{"{" SEND ",\"params\":[\"0x2f8g\"]}", "1:1:0/0:\n", DONE, 1},
		{"{" PRIVATE ",\"params\":[{\"tx\":\"0x2f8\"}]}", "2:1:0/0:\n", DONE, 1},
		{"{" BUNDLE ",\"params\":[{\"txs\":[\"0x2f8\"]}]}", "3:1:0/1:\n", DONE, 1},
	};
	check_rows(rows, LEN(rows));
}

static void
grammar(void **state)
{
	static const struct row rows[] = {
		{"", "", DONE, 0},
		{" \r\n\t", "", DONE, 0},
		{"null", "", DONE, 0},
		{"-0.5e+10", "", DONE, 0},
		{"\"" SEND "\"", "", DONE, 0},
		{"{}", "", DONE, 1},
		{"[]", "", DONE, 0},
		{" { } trailing {", "", DONE, 1},
		{"[{},[{}],{}, null , 5, \"x\" ]", "", DONE, 2},
		{"[{" SEND ",\"params\":[\"0x01\"]},[1],{\"params\":[\"0x02\"]," SEND "}]",
			RAW("01") RAW("02"), DONE, 2},
		{" \n{ " SEND " ,\t\"params\"\r: [ \"0x01\" ] , \"id\" : 1.5E-7 } x", RAW("01"), DONE, 1},
		{"[{" SEND ",\"params\":[\"0x01\"]},{" SEND ",\"params\":[\"0x02\"]}", RAW("01") RAW("02"),
			BAD, 2},
		{"[{" SEND ",\"params\":[\"0x01\"]},{" SEND ",\"params\":[\"0x02\"],}]", RAW("01"), BAD, 1},
		{"{" SEND ",\"params\":[\"0x01\"]", "", BAD, 0},
		{"{" SEND ",\"params\":[\"0x01\",]}", "", BAD, 0},
		{"{" SEND ",\"params\":[\"0x01\"}}", "", BAD, 0},
		{"{" SEND ",\"params\":[\"0x01\"]]", "", BAD, 0},
		{"{" SEND ",\"params\":[\"0x01\"],\"a\":\"\x01\"}", "", BAD, 0},
		{"{" SEND ",\"params\":[\"0x01\n\"]}", "", BAD, 0},
		{"{" SEND ",\"params\":[\"0x01\"],\"a\":\"\\x\"}", "", BAD, 0},
		{"{" SEND ",\"params\":[\"0x01\"],\"a\":\"\\u12g4\"}", "", BAD, 0},
		{"{" SEND
		 ",\"params\":[\"0x01\"],\"a\":\"\\ud800\\ud800\xff\xc0\\b\\f\\n\\r\\t\\/\\\\\\\"\"}",
			RAW("01"), DONE, 1},
		{"{" SEND ",\"params\":[\"0x01\"],\"a\":\"\x7f\"}", RAW("01"), DONE, 1},
		{"{\"a\":01}", "", BAD, 0},
		{"{\"a\":-}", "", BAD, 0},
		{"{\"a\":1.}", "", BAD, 0},
		{"{\"a\":.5}", "", BAD, 0},
		{"{\"a\":+1}", "", BAD, 0},
		{"{\"a\":1e}", "", BAD, 0},
		{"{\"a\":1e+}", "", BAD, 0},
		{"{\"a\":1e5.0}", "", BAD, 0},
		{"{\"a\":-0.0e-00,\"b\":10e9,\"c\":[0,-1,1.25]}", "", DONE, 1},
		{"{\"a\":tru}", "", BAD, 0},
		{"{\"a\":truex}", "", BAD, 0},
		{"{\"a\":True}", "", BAD, 0},
		{"{\"a\":[true,false,null]}", "", DONE, 1},
		{"{a:1}", "", BAD, 0},
		{"{\"a\" 1}", "", BAD, 0},
		{"{\"a\":1 \"b\":2}", "", BAD, 0},
		{"{,}", "", BAD, 0},
		{"[,]", "", BAD, 0},
		{"[1,]", "", BAD, 0},
		{"[1 2]", "", BAD, 0},
		{"{\"a\":}", "", BAD, 0},
		{"}", "", BAD, 0},
		{"\xef\xbb\xbf{}", "", BAD, 0},
		{"{}\x01", "", DONE, 1},
		{"\v{}", "", BAD, 0},
		{"{\"a\":'b'}", "", BAD, 0},
		{"{\"a\":1}/**/", "", DONE, 1},
		{"1x", "", DONE, 0},
		{"-", "", BAD, 0},
		{"1e", "", BAD, 0},
		{"tr", "", BAD, 0},
		{"\"abc", "", BAD, 0},
	};
	check_rows(rows, LEN(rows));
}

static char *
repeat(char *at, const char *what, unsigned n)
{
	size_t len = strlen(what);
	for (unsigned i = 0; i < n; i++, at += len)
		memcpy(at, what, len);
	*at = 0;
	return at;
}

static void
depth_cap(void **state)
{
	struct rig r;
	rig_init(&r, 4096);
	char *body = malloc(100000);
	for (int over = 0; over < 2; over++) {
		/* the request is one, the rest lie in an ignored key, before and after params */
		char *at = body + sprintf(body, "{" SEND ",\"x\":");
		at = repeat(at, "[{\"\":", JSONRPC_DEPTH_MAX / 2 - 1);
		at = repeat(at, over ? "[[" : "[", 1);
		at = repeat(at, over ? "]]" : "]", 1);
		at = repeat(at, "}]", JSONRPC_DEPTH_MAX / 2 - 1);
		at += sprintf(at, ",\"params\":[\"0x01\"]}");
		rig_run(&r, body, (size_t)(at - body));
		assert_int_equal(r.status, over ? JSONRPC_TOO_DEEP : JSONRPC_DONE);
		assert_string_equal(r.log, over ? "" : RAW("01"));
		assert_int_equal(rig_feed(&r, "{}", 2, true), r.status);
	}
	/* a bracket of the wrong kind at the deepest level that is told apart */
	char *at = repeat(body, "[", JSONRPC_DEPTH_EXACT);
	strcpy(at, "}");
	assert_int_equal(rig_run(&r, body, (size_t)(at - body) + 1), JSONRPC_MALFORMED);
	free(body);
	rig_free(&r);
}

static void
items_cap(void **state)
{
	struct rig r;
	rig_init(&r, 4096);
	char *body = malloc(10000);
	char *at = body + sprintf(body, "{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x01\"");
	at = repeat(at, ",\"0x02\"", JSONRPC_ITEMS_MAX + 2);
	at += sprintf(at, "]}]}");
	rig_run(&r, body, (size_t)(at - body));
	assert_int_equal(r.n_items, JSONRPC_ITEMS_MAX + 3);
	assert_non_null(strstr(r.log, "3:0:0/131:01\n3:0:1/131:02\n"));
	assert_non_null(strstr(r.log, "3:0:127/131:02\n3:2:128/131:\n3:2:129/131:\n3:2:130/131:\n"));
	/* a second list starts from nothing */
	at -= 3;
	at += sprintf(at, ",\"txs\":[\"0x07\"]}]}");
	rig_run(&r, body, (size_t)(at - body));
	assert_string_equal(r.log, "3:0:0/1:07\n");
	/* one list does not crowd out another, whatever the method turns out to be */
	for (unsigned m = 0; m < 3; m++) {
		static const char *const names[] = {
			"eth_sendBundle", "mev_sendBundle", "eth_sendPrivateTransaction"};
		at = body + sprintf(body, "{\"params\":[{\"txs\":[\"0x01\"");
		at = repeat(at, ",\"0x02\"", JSONRPC_ITEMS_MAX + 9);
		at += sprintf(at, "],\"body\":[{\"tx\":\"0x03\"}");
		at = repeat(at, ",{\"tx\":\"04\"}", JSONRPC_ITEMS_MAX + 1);
		at += sprintf(at, "],\"tx\":\"0x05\"}],\"method\":\"%s\"}", names[m]);
		rig_run(&r, body, (size_t)(at - body));
		assert_int_equal(r.status, JSONRPC_DONE);
		const char *in[] = {
			"3:0:127/138:02\n3:2:128/138:\n", "3:0:127/130:04\n3:2:128/130:\n", "2:0:0/0:05\n"};
		assert_non_null(strstr(r.log, in[m]));
		assert_int_equal(r.n_items, ((unsigned[]){138, 130, 1})[m]);
	}
	/* overridden keys do not use up the table */
	at = body + sprintf(body, "{\"method\":\"eth_sendBundle\",\"params\":[{\"tx\":\"0x0a\"");
	at = repeat(at, ",\"txs\":[\"0x01\"],\"tx\":\"0x02\"", 300);
	at += sprintf(at, ",\"txs\":[\"0x03\",\"0x04\"]}]}");
	rig_run(&r, body, (size_t)(at - body));
	assert_string_equal(r.log, "3:0:0/2:03\n3:0:1/2:04\n");
	free(body);
	rig_free(&r);
}

/* Lists that do not override each other share the places: the last one has them if it needs them, the others
 * are counted. */
static void
crowd(void **state)
{
	struct rig r;
	rig_init(&r, 4096);
	char *body = malloc(40000), *at;
	static const char *const shape[][3] = {
		{"[{\"txs\":[\"0x01\"", "],\"Txs\":[\"0x07\"", "]}]"},
		{"{\"bundle\":{\"txs\":[\"0x01\"", "]},\"request\":{\"txs\":[\"0x07\"", "]}}"},
		{"[[\"0x01\"", "]],\"Params\":[[\"0x07\"", "]]"},
	};
	for (unsigned i = 0; i < LEN(shape); i++) {
		for (unsigned more = 0; more < 300; more += 127) {
			at = body + sprintf(body, "{" BUNDLE ",\"params\":%s", shape[i][0]);
			at = repeat(at, ",\"0x02\"", JSONRPC_ITEMS_MAX - 2);
			at += sprintf(at, "%s", shape[i][1]);
			at = repeat(at, ",\"0x08\"", more);
			at += sprintf(at, "%s}", shape[i][2]);
			rig_run(&r, body, (size_t)(at - body));
			assert_int_equal(r.status, JSONRPC_DONE);
			unsigned n = JSONRPC_ITEMS_MAX + more;
			char first[40], last[40];
			sprintf(first, more ? "3:0:0/%u:07\n3:0:1/%u:08\n" : "3:0:0/%u:01\n3:0:1/%u:02\n", n,
				n);
			sprintf(last, more ? "3:2:%u/%u:\n" : "3:0:%u/%u:07\n", n - 1, n);
			assert_int_equal(r.n_items, n);
			assert_memory_equal(r.log, first, strlen(first));
			assert_string_equal(r.log + r.log_len - strlen(last), last);
		}
	}
	/* within a nested list */
	at = body + sprintf(body, MEV "[{\"tx\":\"0x01\"}");
	at = repeat(at, ",{\"tx\":\"0x02\"}", JSONRPC_ITEMS_MAX - 2);
	at += sprintf(at, "],\"Body\":[{\"bundle\":{\"body\":[{\"tx\":\"0x03\"},{\"hash\":\"0xaa\",\"tx\":"
			  "\"0x04\",\"tx\":\"0x05\"}],"
			  "\"body\":[{\"tx\":\"0x06\"},{\"hash\":\"0xaa\",\"tx\":\"0x07\"}]}}]}]}");
	rig_run(&r, body, (size_t)(at - body));
	assert_int_equal(r.n_items, JSONRPC_ITEMS_MAX + 1);
	assert_memory_equal(r.log, "3:0:0/129:06\n3:0:1/129:07\n3:2:2/129:\n", 37);
	/* what counts once a name and a spelling never is for want of room */
	at = body + sprintf(body, "{" SEND ",\"params\":{\"bytes\":\"0x01\"");
	at = repeat(at,
		",\"tx\":\"\",\"Tx\":{\"tx\":\"\",\"tx\":[1]},\"request\":{\"txs\":[\"\",\"\",\"\"],\"body\":"
		"[{\"tx\":\"\"},{\"Tx\":\"\"}]}",
		300);
	at += sprintf(at, ",\"Bytes\":\"0x02\",\"bundle\":\"0x03\"}}");
	rig_run(&r, body, (size_t)(at - body));
	assert_string_equal(r.log, RAW("01") RAW("") "1:1:0/0:\n1:1:0/0:\n" RAW("02") RAW("03"));
	free(body);
	rig_free(&r);
}

static void
nesting_cap(void **state)
{
	struct rig r;
	rig_init(&r, 4096);
	char body[2000], *at = body + sprintf(body, MEV "[");
	unsigned deep = JSONRPC_NEST_MAX + 2;
	at = repeat(at, "{\"bundle\":{\"body\":[{\"tx\":\"0x01\"},", deep);
	at += sprintf(at, "{\"tx\":\"0x02\"}");
	at = repeat(at, "]}}", deep);
	at += sprintf(at, ",{\"tx\":\"0x03\"}]}]}");
	rig_run(&r, body, (size_t)(at - body));
	assert_int_equal(r.status, JSONRPC_DONE);
	/* the list of params[0] and those within it up to the cap; what lies deeper is one item */
	assert_int_equal(r.n_items, JSONRPC_NEST_MAX - 1 + 1 + 1);
	assert_non_null(strstr(r.log, "3:0:6/9:01\n3:2:7/9:\n3:0:8/9:03\n"));
	rig_free(&r);
}

static void
raw_cap(void **state)
{
	struct rig r;
	rig_init(&r, JSONRPC_RAW_MAX + 65536);
	size_t digits = 2 * (size_t)JSONRPC_RAW_MAX;
	char *body = malloc(digits + 200);
	char *at = body + sprintf(body, "[{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"");
	memset(at, 'a', digits);
	at += digits;
	at += sprintf(at, "aa\",\"0x05\"]}]},{" SEND ",\"params\":[\"0x07\"]}]");
	for (size_t piece = 300; piece <= digits; piece += digits / 3) {
		rig_begin(&r);
		for (size_t i = 0, n = (size_t)(at - body); i < n; i += piece)
			rig_feed(&r, body + i, n - i < piece ? n - i : piece, n - i <= piece);
		assert_int_equal(r.status, JSONRPC_DONE);
		assert_string_equal(r.log, "3:2:0/2:\n3:0:1/2:05\n" RAW("07"));
		assert_int_equal(r.slabs_out, 0);
	}
	free(body);
	rig_free(&r);
}

static void
count_sink(void *ctx, const struct jsonrpc_item *it)
{
	uint64_t *sum = ctx;
	sum[0]++;
	sum[1] += it->raw.len;
	for (uint32_t i = 0; i < it->raw.len; i++)
		sum[2] += it->raw.p[i] != 0xaa;
}

static void
largest(void **state)
{
	struct rig r;
	rig_init(&r, 65536);
	size_t digits = 2 * (size_t)JSONRPC_RAW_MAX;
	char *body = malloc(digits + 200);
	char *at = body + sprintf(body, "{" SEND ",\"params\":[\"0x");
	memset(at, 'a', digits);
	at += digits;
	at += sprintf(at, "\"]}");
	uint64_t sum[3] = {0};
	uint32_t messages = 0;
	enum jsonrpc_status s = JSONRPC_MORE;
	for (size_t i = 0, n = (size_t)(at - body); i < n; i += 1460)
		s = jsonrpc_feed(&r.j, &r.a,
			(struct span){(uint8_t *)body + i, n - i < 1460 ? (uint32_t)(n - i) : 1460},
			n - i <= 1460, count_sink, sum, &messages);
	assert_int_equal(s, JSONRPC_DONE);
	assert_int_equal(sum[0], 1);
	assert_int_equal(sum[1], JSONRPC_RAW_MAX);
	assert_int_equal(sum[2], 0);
	assert_int_equal(r.slabs_out, 0);
	free(body);
	rig_free(&r);
}

static const char bundle3[] = "{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x0102\",\"zz\","
			      "\"0x0304050607\",\"0x08\"]}]}";

static void
slab_refused(void **state)
{
	struct rig r;
	rig_init(&r, 4096);
	r.slab_cap_max = 0;
	size_t cut = (size_t)(strstr(bundle3, "050607") - bundle3);
	rig_begin(&r);
	rig_feed(&r, bundle3, cut, false);
	rig_feed(&r, bundle3 + cut, strlen(bundle3) - cut, true);
	assert_string_equal(r.log, "3:5:0/4:\n3:1:1/4:\n3:5:2/4:\n3:0:3/4:08\n");
	/* too small for the second of them */
	r.slab_cap_max = 4;
	rig_begin(&r);
	for (size_t i = 0; i < strlen(bundle3); i++)
		rig_feed(&r, bundle3 + i, 1, i + 1 == strlen(bundle3));
	assert_string_equal(r.log, "3:0:0/4:0102\n3:1:1/4:\n3:5:2/4:\n3:0:3/4:08\n");
	assert_int_equal(r.slabs_out, 0);
	/* scratch used up: a slab takes over within the call */
	rig_free(&r);
	rig_init(&r, 3);
	rig_run(&r, bundle3, strlen(bundle3));
	assert_string_equal(r.log, "3:0:0/4:0102\n3:1:1/4:\n3:0:2/4:0304050607\n3:0:3/4:08\n");
	assert_true(r.slabs_got > 0);
	assert_int_equal(r.slabs_out, 0);
	rig_free(&r);
}

static void
slab_stolen(void **state)
{
	struct rig r;
	rig_init(&r, 4096);
	size_t n = strlen(bundle3);
	for (size_t cut = 0; cut < n; cut++) {
		rig_begin(&r);
		rig_feed(&r, bundle3, cut, false);
		rig_steal(&r);
		rig_feed(&r, bundle3 + cut, n - cut, true);
		assert_int_equal(r.status, JSONRPC_DONE);
		assert_int_equal(r.n_items, 4);
		assert_non_null(strstr(r.log, "3:1:1/4:\n"));
		/* lost if a byte of it had been decoded by then, whole if not */
		for (unsigned i = 0; i < 4; i++) {
			static const char *const hex[] = {"0102\"", NULL, "0304050607", "08\""},
						 *const whole[] = {"3:0:0/4:0102\n", NULL,
							 "3:0:2/4:0304050607\n", "3:0:3/4:08\n"};
			if (hex[i] == NULL)
				continue;
			size_t at = (size_t)(strstr(bundle3, hex[i]) - bundle3);
			char lost[16];
			sprintf(lost, "3:5:%u/4:\n", i);
			assert_non_null(strstr(r.log, cut >= at + 2 ? lost : whole[i]));
		}
		assert_int_equal(r.slabs_out, 0);
	}
	/* taken by the scanner's own demand for a larger one */
	r.steal_in_get = true;
	rig_begin(&r);
	for (size_t i = 0; i < n; i++)
		rig_feed(&r, bundle3 + i, 1, i + 1 == n);
	assert_int_equal(r.status, JSONRPC_DONE);
	assert_int_equal(r.n_items, 4);
	assert_true(r.steals > 0);
	assert_int_equal(r.slabs_out, 0);
	rig_free(&r);
}

static void
cut_short(void **state)
{
	static const struct {
		const char *body, *items;
	} rows[] = {
		{"", ""},
		{"{" SEND, ""},
		{"{" SEND ",\"params\":[", ""},
		{"{" SEND ",\"params\":[\"0x", "1:6:0/0:\n"},
		{"{" SEND ",\"params\":[\"0x0102\"", "1:6:0/0:\n"},
		{"{" SEND ",\"params\":[\"0x0102\"],\"params\":", "1:6:0/0:\n"},
		{"{" SEND ",\"params\":[\"zz", "1:6:0/0:\n"},
		{"{\"params\":[\"0x0102", ""},
		{"{" SEND ",\"params\":[[2,24", "1:6:0/0:\n"},
		{"{" SEND ",\"params\":[[2,24,", "1:6:0/0:\n"},
		{"{" SEND ",\"params\":[[2,\"", "1:6:0/0:\n"},
		{"{" SEND ",\"params\":[[", "1:6:0/0:\n"},
		{"{\"method\":\"eth_call\",\"params\":[\"0x0102", ""},
		{"{\"method\":\"eth_sendTransaction\",\"params\":[{\"from\":\"", "4:6:0/0:\n"},
		{"{\"method\":\"eth_sendBundle\",\"params\":[{\"txs\":[\"0x01\",\"0x02",
			"3:6:0/2:\n3:6:1/2:\n"},
		{"[{" SEND ",\"params\":[\"0x01\"]},{" SEND ",\"params\":[\"0x02", RAW("01") "1:6:0/0:\n"},
		{"{" SEND ",\"params\":[\"0x0102\"]}", RAW("0102")},
	};
	struct rig r;
	rig_init(&r, 4096);
	for (size_t i = 0; i < LEN(rows); i++) {
		for (int steal = 0; steal < 2; steal++) {
			rig_begin(&r);
			rig_feed(&r, rows[i].body, strlen(rows[i].body), false);
			if (steal)
				rig_steal(&r);
			jsonrpc_cut(&r.j, &r.a, rig_sink, &r);
			assert_string_equal(r.log, rows[i].items);
			assert_int_equal(r.slabs_out, 0);
			jsonrpc_cut(&r.j, &r.a, rig_sink, &r);
			rig_feed(&r, "{" SEND ",\"params\":[\"0x01\"]}", 50, true);
			assert_string_equal(r.log, rows[i].items);
		}
	}
	rig_free(&r);
}

/* Items in scratch lie one behind the other and stay until the owner resets it. */
static void
scratch_is_shared(void **state)
{
	static const char body[] =
		"[{" SEND ",\"params\":[\"0x0102\"]},{\"method\":\"eth_call\",\"params\":[\"0x55\"]},"
		"{" SEND ",\"params\":[\"0x0304\"]}]";
	struct rig r;
	rig_init(&r, 16);
	r.a.scratch_used = 3;
	uint32_t messages = 0;
	jsonrpc_feed(&r.j, &r.a, (struct span){(const uint8_t *)body, sizeof body - 1}, true, rig_sink, &r,
		&messages);
	assert_int_equal(messages, 3);
	assert_int_equal(r.a.scratch_used, 7);
	assert_memory_equal(r.a.scratch + 3, "\1\2\3\4", 4);
	assert_int_equal(r.slabs_got, 0);
	rig_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(methods),
		cmocka_unit_test(mev_share),
		cmocka_unit_test(go_semantics),
		cmocka_unit_test(other_readers),
		cmocka_unit_test(numbers),
		cmocka_unit_test(odd_digits),
		cmocka_unit_test(grammar),
		cmocka_unit_test(depth_cap),
		cmocka_unit_test(items_cap),
		cmocka_unit_test(crowd),
		cmocka_unit_test(nesting_cap),
		cmocka_unit_test(raw_cap),
		cmocka_unit_test(largest),
		cmocka_unit_test(slab_refused),
		cmocka_unit_test(slab_stolen),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(scratch_is_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
