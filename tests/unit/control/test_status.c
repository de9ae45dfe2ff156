/* SPDX-License-Identifier: BSD-3-Clause */
/* What control says of a dataplane's stats page, whatever stands in it. */
#include "fixture.h"

#include "abi/stats.h"
#include "control/control.h"
#include "control/status.h"

#include <jansson.h>

#define BIG (64ull << 20)

struct box {
	char *dir;
	struct stats_page *stats;
	int stats_fd;
	struct control c;
	json_t *said;
};

static void
start(struct box *x)
{
	*x = (struct box){.dir = folder_new()};
	x->c.opt = (struct control_options){.channel = "nowhere", .source_name = "urn:test:a:b"};
	x->c.journal = journal_of(x->dir, BIG, BIG);
	x->stats = stats_create(&x->stats_fd);
	assert_non_null(x->stats);
	drain_init(&x->c.drain);
}

static void
attach(struct box *x)
{
	struct dataplane d = {.pid = 1, .stats = stats_attach(x->stats_fd)};
	assert_non_null(d.stats);
	memcpy(d.epoch, EPOCH_A, sizeof d.epoch);
	drain_attach(&x->c.drain, &d, x->c.journal);
}

static json_t *
said(struct box *x, const char *key)
{
	json_decref(x->said);
	x->said = status_build(&x->c, 0);
	assert_non_null(x->said);
	return json_object_get(x->said, key);
}

static void
end(struct box *x)
{
	json_decref(x->said);
	drain_end(&x->c.drain);
	journal_close(x->c.journal);
	stats_detach(x->stats);
	close(x->stats_fd);
	folder_free(x->dir);
}

static void
is_text(const json_t *o, const char *key, const char *text)
{
	assert_non_null(json_string_value(json_object_get(o, key)));
	assert_string_equal(json_string_value(json_object_get(o, key)), text);
}

static void
test_no_dataplane(void **state)
{
	struct box x;
	(void)state;
	start(&x);
	assert_null(said(&x, "protocols"));
	assert_false(json_is_true(json_object_get(said(&x, "dataplane"), "attached")));
	end(&x);
}

static void
test_protocols(void **state)
{
	struct box x;
	(void)state;
	start(&x);
	attach(&x);
	assert_int_equal(json_array_size(said(&x, "protocols")), 0);
	assert_true(json_is_array(said(&x, "protocols")));
	x.stats->protocol[0] = (struct stats_protocol){"aave-v3", 120, 3, 15, 0};
	x.stats->protocol[1] = (struct stats_protocol){"all", UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 2, 0};
	x.stats->protocol[2] = (struct stats_protocol){"not told yet", 1, 1, 1, 0};
	x.stats->protocols = 2;
	json_t *list = said(&x, "protocols");
	assert_int_equal(json_array_size(list), 2);
	is_text(json_array_get(list, 0), "name", "aave-v3");
	is_text(json_array_get(list, 0), "included", "120");
	is_text(json_array_get(list, 0), "announced_only", "3");
	is_text(json_array_get(list, 0), "never_seen", "15");
	is_text(json_array_get(list, 1), "name", "all");
	is_text(json_array_get(list, 1), "included", "18446744073709551615");
	is_text(json_array_get(list, 1), "announced_only", "18446744073709551614");
	is_text(json_array_get(list, 1), "never_seen", "18446744073709551613");
	end(&x);
}

/* The page is another process's: names without end, bytes that are no text, more of them than there is room
 * for. */
static void
test_hostile_page(void **state)
{
	static const char wild[32] = "a\"b\\c\n\x1b[2J\xff\xc3\x28";
	struct box x;
	char text[STATS_PROTOCOLS_MAX];
	(void)state;
	start(&x);
	attach(&x);
	memset(x.stats->protocol[0].name, 'n', sizeof x.stats->protocol[0].name);
	x.stats->protocol[0].included = UINT64_MAX; /* right behind the name */
	memcpy(x.stats->protocol[1].name, wild, sizeof wild);
	memset(x.stats->port[0].name, 'p', sizeof x.stats->port[0].name);
	x.stats->port[0].wire = UINT64_MAX;
	x.stats->protocols = x.stats->ports = x.stats->lcores = UINT32_MAX;
	json_t *list = said(&x, "protocols");
	assert_int_equal(json_array_size(list), STATS_PROTOCOLS_MAX);
	memset(text, 'n', 32);
	text[32] = '\0';
	is_text(json_array_get(list, 0), "name", text);
	is_text(json_array_get(list, 1), "name", "a\"b\\c\?\?[2J\?\?(");
	is_text(json_array_get(list, 2), "name", "");
	list = said(&x, "ports");
	assert_int_equal(json_array_size(list), STATS_PORTS_MAX);
	memset(text, 'p', 32);
	is_text(json_array_get(list, 0), "name", text);
	assert_int_equal(json_array_size(said(&x, "lcores")), STATS_LCORES_MAX);
	x.stats->port[0].wire = 1ull << 63; /* a residual that has no opposite */
	is_text(json_object_get(said(&x, "identities"), "1_wire"), "residual", "-9223372036854775808");
	is_text(x.said, "residual", "9223372036854775808");
	end(&x);
}

/* A port of a machine with two sockets, whose link is down; and what any bytes in its place give. */
static void
test_port_info(void **state)
{
	struct box x;
	start(&x);
	struct stats_port_info *p = &x.stats->port_info[0];
	x.stats->ports = 1;
	x.stats->lcores = 4;
	strcpy(p->driver, "net_ice");
	p->flags = PORT_LINK_KNOWN | PORT_RSS | PORT_FAR | PORT_HW_TIME;
	p->queues = 2;
	p->socket = 1;
	p->link_downs = 3;
	attach(&x);
	json_t *o = json_array_get(said(&x, "ports"), 0);
	assert_string_equal(json_string_value(json_object_get(o, "driver")), "net_ice");
	assert_string_equal(json_string_value(json_object_get(o, "queues")), "2");
	assert_string_equal(json_string_value(json_object_get(o, "spread")), "port");
	assert_string_equal(json_string_value(json_object_get(o, "link")), "down");
	assert_string_equal(json_string_value(json_object_get(o, "link_downs")), "3");
	assert_string_equal(json_string_value(json_object_get(o, "socket")), "1");
	assert_true(json_is_null(json_object_get(o, "link_mbps")));
	assert_true(json_is_true(json_object_get(o, "timestamps")));
	json_t *w = json_object_get(o, "warnings");
	assert_int_equal(json_array_size(w), 2);
	assert_string_equal(json_string_value(json_array_get(w, 0)), "link_down");
	assert_string_equal(json_string_value(json_array_get(w, 1)), "far");
	p->flags = PORT_LINK_KNOWN | PORT_LINK_UP | PORT_RSS_REFUSED;
	o = json_array_get(said(&x, "ports"), 0);
	assert_string_equal(json_string_value(json_object_get(o, "link")), "up");
	assert_string_equal(json_string_value(json_object_get(o, "spread")), "worker");
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "warnings"), 0)), "rss_refused");
	memset(p, 0xff, sizeof *p);
	o = json_array_get(said(&x, "ports"), 0);
	assert_string_equal(json_string_value(json_object_get(o, "link")), "gone");
	assert_true(json_is_null(json_object_get(o, "socket")));
	assert_int_equal(strlen(json_string_value(json_object_get(o, "driver"))), 24);
	end(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_dataplane),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_hostile_page),
		cmocka_unit_test(test_port_info),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
