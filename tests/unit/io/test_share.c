/* SPDX-License-Identifier: BSD-3-Clause */
/* A capture shared among workers is read as by one: every frame once, every datagram whole, every flow in one
 * place. Argument: the folder of the captures. */
#include "harness.h"
#include "io/share.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BURST 64u

static const char *folder;
static const uint32_t seed[4] = {1, 2, 3, 4};
static const struct decode_rules rules = {0};

/* One worker's share, into a stream table of its own; adds what it counted to ctr. */
static void
work(const char *path, uint32_t index, uint32_t n, uint64_t ctr[CTR_COUNT], uint64_t *passed)
{
	static struct share s;
	struct net net;
	struct stream_config c = net_config();
	char err[256];
	struct span frames[BURST];
	uint32_t wire_len[BURST];
	uint64_t now_ns[BURST];
	enum net_link link;
	int got;
	c.verify_checksum = false;
	c.fragment_datagrams = 64;
	net_open(&net, &c);
	assert_int_equal(share_open(&s, path, index, n, seed, &rules, err, sizeof err), 0);
	while ((got = share_next(&s, BURST, frames, wire_len, now_ns, &link)) >= 0) {
		assert_in_range(got, 0, BURST);
		stream_link(net.t, link);
		stream_frames(net.t, (unsigned)got, frames, wire_len, now_ns);
		net_check(&net);
	}
	assert_int_equal(share_next(&s, BURST, frames, wire_len, now_ns, &link), -1);
	assert_false(s.source.broken);
	*passed = s.passed;
	assert_int_equal(net.ctr[CTR_FRAGMENTS_HELD], 0);
	net_close(&net);
	for (unsigned i = 0; i < CTR_COUNT; i++)
		ctr[i] += net.ctr[i];
	source_close(&s.source);
	free(s.spread);
}

static void
shares_add_up(void **state)
{
	static const char *const captures[] = {"encap-fragments.pcap", "encap-fragments-ip6.pcap",
		"encap-fragments-tiny.pcap", "encap-fragments-both.pcap", "encap-fragments-outer.pcap",
		"encap-fragments-twice.pcap", "encap-span.pcap", "encap-erspan3.pcap", "encap-pcapng.pcapng",
		"demo.pcap", "pipelined.pcap"};
	for (unsigned i = 0; i < sizeof captures / sizeof captures[0]; i++) {
		char path[4096];
		uint64_t alone[CTR_COUNT] = {0}, passed;
		snprintf(path, sizeof path, "%s/%s", folder, captures[i]);
		work(path, 0, 1, alone, &passed);
		assert_true(alone[CTR_ACCEPTED] > 0);
		for (uint32_t n = 2; n < 6; n++) {
			uint64_t together[CTR_COUNT] = {0};
			for (uint32_t w = 0; w < n; w++) {
				uint64_t p;
				work(path, w, n, together, &p);
				assert_int_equal(p, passed);
			}
			for (unsigned k = 0; k < CTR_COUNT; k++) {
				if (together[k] != alone[k])
					print_error("%s, %u workers: %s\n", captures[i], n,
						counter_infos[k].name);
				assert_int_equal(together[k], alone[k]);
			}
		}
	}
}

static void
no_such_file(void **state)
{
	static struct share s;
	char err[256];
	assert_int_equal(share_open(&s, "/nonexistent/x.pcap", 0, 2, seed, &rules, err, sizeof err), -ENOENT);
	assert_non_null(strstr(err, "x.pcap"));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_add_up),
		cmocka_unit_test(no_such_file),
	};
	folder = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
