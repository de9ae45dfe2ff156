/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/status_coverage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN 24 /* bytes of a number with its unit */

uint64_t
status_num(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? strtoull(s, NULL, 10) : 0;
}

bool
status_is_drop(const char *name)
{
	static const char *const drops[] = {/* frames and streams */
		"UNDEC_", "ST_GAP", "ST_DROP_", "ST_SKIP_LOST", "ST_SKIP_NO_STATE",
		/* messages */
		"HTTP_LOST", "JSON_DEPTH", "JSON_TRUNCATED", "WS_LOST", "ANSWERS_DEPTH", "ANSWERS_TRUNCATED",
		"ANSWERS_PASSED_OVER", "BODIES_OPAQUE", "INFLATE_BOMBS", "INFLATE_STOLEN", "L2_BAD",
		"L2_UNREAD", "RLPX_LOST", "RLPX_BAD_HEADER", "RLPX_OVERSIZE", "RLPX_NO_BUFFER",
		"RLPX_WINDOWS_STOLEN", "H2_STREAMS_OVER", "H2_LOST_HEADERS", "GRPC_LOST", "GRPC_OPAQUE",
		"GRPC_OVERSIZE", "GRPC_NO_BUFFER", "ETH_OVER",
		/* transactions and their lives */
		"TX_UNSCANNED_", "SLABS_STOLEN", "FACTS_LEFT_OUT", "SENDERS_NOT_FOR_LIVES", "LIFE_EVICTED",
		"LIFE_RIVALS_FULL", "LIFE_BLOCKS_VOID", "LIFE_BLOCKS_OPEN_LOST", "LIFE_UNREAD",
		"LIFE_LINKS_FULL",
		/* alerts */
		"SUPPRESSED_RING_FULL", "SUPPRESSED_OVER", "SENDERS_SKIPPED", "RING_LOST_",
		"EVIDENCE_OVER_BUDGET", "CURSOR_BAD"};
	for (size_t i = 0; i < sizeof drops / sizeof drops[0]; i++)
		if (strncmp(name, drops[i], strlen(drops[i])) == 0)
			return true;
	return false;
}

/* ---- numbers as people read them ---- */

/* A share that is not all does not read as all, nor one that is not nothing as nothing. */
static const char *
share(uint64_t part, uint64_t all, char text[PLAIN])
{
	double percent = all > 0 ? 100.0 * (double)part / (double)all : 0;
	if (part > 0 && percent < 0.05)
		snprintf(text, PLAIN, "<0.1 %%");
	else if (part < all && percent >= 99.95)
		snprintf(text, PLAIN, ">99.9 %%");
	else
		snprintf(text, PLAIN, "%.1f %%", percent < 100 ? percent : 100.0);
	return text;
}

static const char *
bytes(uint64_t n, char text[PLAIN])
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	double v = (double)n / 1e3;
	size_t u = 0;
	for (; v >= 999.95 && u + 1 < sizeof units / sizeof units[0]; u++)
		v /= 1e3;
	if (n < 1000)
		snprintf(text, PLAIN, "%" PRIu64 " bytes", n);
	else
		snprintf(text, PLAIN, "%.1f %s", v, units[u]);
	return text;
}

static uint64_t
less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* "1 block", "2 blocks". */
static void
count(FILE *out, const char *before, uint64_t n, const char *one, const char *many)
{
	fprintf(out, "%s%" PRIu64 " %s", before, n, n == 1 ? one : many);
}

/* ---- what was read ---- */

static void
print_streams(const json_t *c, FILE *out)
{
	char all[PLAIN], p[PLAIN];
	const struct {
		const char *what;
		uint64_t n;
	} parts[] = {{"RLPx without its secrets", status_num(c, "st_skip_rlpx")},
		{"TLS and what else cannot be read", status_num(c, "st_skip_opaque")},
		{"missing in the capture", status_num(c, "st_gap")},
		{"passed over", status_num(c, "st_skip_unsynced") + status_num(c, "st_skip_lost") +
					status_num(c, "st_skip_no_state") + status_num(c, "st_skip_ended")},
		{"held", status_num(c, "st_buffered")}};
	uint64_t n = status_num(c, "st_advanced");
	fprintf(out, "coverage   %s of streams: %s read", bytes(n, all),
		share(status_num(c, "st_parsed"), n, p));
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (parts[i].n > 0)
			fprintf(out, ", %s %s", share(parts[i].n, n, p), parts[i].what);
	fputc('\n', out);
}

static void
print_rlpx(const json_t *c, FILE *out)
{
	char all[PLAIN], p[PLAIN], unread[PLAIN];
	uint64_t read = status_num(c, "rlpx_bytes"), opaque = status_num(c, "st_skip_rlpx");
	uint64_t connections = status_num(c, "rlpx_connections");
	count(out, "  RLPx       ", connections, "connection", "connections");
	fprintf(out, ", secrets known of %" PRIu64, status_num(c, "rlpx_sessions"));
	if (read + opaque > 0)
		fprintf(out, "; %s of %s read, %s opaque", share(read, read + opaque, p),
			bytes(read + opaque, all), bytes(opaque, unread));
	count(out, "; ", status_num(c, "rlpx_messages"), "message", "messages");
	if (status_num(c, "rlpx_mac_bad") > 0)
		fprintf(out, ", WRONG MACs in %" PRIu64 " directions", status_num(c, "rlpx_mac_bad"));
	fputc('\n', out);
}

/* Feeds of which two counters tell enough. */
static const struct feed_row {
	const char *name, *key, *one, *many, *key2, *one2, *many2;
} feed_rows[] = {
	{"HTTP", "http_requests", "request", "requests", "http_responses", "answer", "answers"},
	{"WebSocket", "ws_connections", "connection", "connections", "ws_messages", "message", "messages"},
	{"IPC", "stream_connections", "connection of bare JSON", "connections of bare JSON", NULL, NULL,
		NULL},
	{"gRPC", "grpc_connections", "connection", "connections", "grpc_messages", "message", "messages"},
	{"Arbitrum", "l2_messages", "sequencer message", "sequencer messages", NULL, NULL, NULL},
};
#define FEED_ROWS (sizeof feed_rows / sizeof feed_rows[0])

static bool
is_there(const json_t *c, const struct feed_row *f)
{
	return status_num(c, f->key) > 0 || (f->key2 != NULL && status_num(c, f->key2) > 0);
}

static void
print_feeds(const json_t *c, FILE *out)
{
	const char *comma = "  none of    ";
	bool rlpx = status_num(c, "rlpx_connections") > 0, missing = false;
	for (size_t i = 0; i < FEED_ROWS; i++) {
		const struct feed_row *f = &feed_rows[i];
		if (!is_there(c, f))
			continue;
		fprintf(out, "  %-9s  ", f->name);
		count(out, "", status_num(c, f->key), f->one, f->many);
		if (f->key2 != NULL)
			count(out, ", ", status_num(c, f->key2), f->one2, f->many2);
		fputc('\n', out);
	}
	if (rlpx)
		print_rlpx(c, out);
	for (size_t i = 0; i < FEED_ROWS; i++) {
		if (is_there(c, &feed_rows[i]))
			continue;
		fprintf(out, "%s%s", comma, feed_rows[i].name);
		comma = ", ";
		missing = true;
	}
	if (!rlpx)
		fprintf(out, "%sRLPx", comma);
	if (missing || !rlpx)
		fputc('\n', out);
	if (status_num(c, "feed_off") > 0)
		count(out, "  left out   ", status_num(c, "feed_off"), "message", "messages");
	if (status_num(c, "feed_off") > 0)
		fputs(" of feeds that the profile does not read there\n", out);
	if (status_num(c, "life_announced") == 0)
		return;
	count(out, "  announced  ", status_num(c, "life_announced"), "transaction", "transactions");
	fprintf(out, " by hash alone; the bytes of %" PRIu64 " came, of %" PRIu64 " they did not in time\n",
		status_num(c, "life_announced_joined"), status_num(c, "life_announced_expired"));
}

/* ---- what the nodes say ---- */

static void
print_node(const json_t *c, FILE *out)
{
	static const char *const missed[][2] = {
		{"node_missed_unread", "read but not scanned (the reasons stand below)"},
		{"node_missed_unsigned", "signed by the node itself"},
		{"node_missed_gap", "with a hole in the submission"},
		{"node_missed_midstream",
			"submitted before the connection was seen, or in a direction that is not"},
		{"node_missed_opaque", "submitted in a compression that is not read"},
		{"node_missed_malformed", "of submissions that are not JSON to their end"},
		{"node_missed_evicted", "forgotten, for too many waited for an answer"},
		{"node_missed_no_such_id", "under an id that no request had"},
	};
	char p[PLAIN];
	uint64_t n = status_num(c, "node_hashes"), duplicate = status_num(c, "node_duplicate"), all = 0;
	for (size_t i = 0; i < sizeof missed / sizeof missed[0]; i++)
		all += status_num(c, missed[i][0]);
	if (n == 0) {
		fputs("nodes      have returned no hash for a submission\n", out);
		return;
	}
	count(out, "nodes      returned ", n, "hash", "hashes");
	fprintf(out,
		" for submissions: %" PRIu64 " scanned (%" PRIu64 " of these seen before), %" PRIu64
		" missed (%s)\n",
		status_num(c, "node_scanned") + duplicate, duplicate, all, share(all, n, p));
	for (size_t i = 0; i < sizeof missed / sizeof missed[0]; i++)
		if (status_num(c, missed[i][0]) > 0)
			fprintf(out, "  %14" PRIu64 "  %s\n", status_num(c, missed[i][0]), missed[i][1]);
}

/* ---- what blocks hold ---- */

static void
print_protocols(const json_t *s, FILE *out)
{
	size_t i;
	json_t *p;
	char text[PLAIN];
	json_array_foreach(json_object_get(s, "protocols"), i, p)
	{
		const char *name = json_string_value(json_object_get(p, "name"));
		uint64_t n = status_num(p, "included"), never = status_num(p, "never_seen"),
			 only = status_num(p, "announced_only");
		fprintf(out, "  %-20.32s %" PRIu64 " included", name ? name : "?", n);
		if (n > 0)
			fprintf(out, ", %" PRIu64 " never seen (%s)", never, share(never, n, text));
		if (only > 0)
			fprintf(out, ", %" PRIu64 " only announced (%s)", only, share(only, n, text));
		fputc('\n', out);
	}
}

/* Numbers are of first inclusions, without those of blocks that turned out invalid. */
static void
print_blocks(const json_t *s, const json_t *c, FILE *out)
{
	char p[3][PLAIN];
	uint64_t blocks = status_num(c, "life_blocks");
	uint64_t n = less(status_num(c, "life_included"), status_num(c, "life_taken_back"));
	uint64_t pending =
		less(status_num(c, "life_included_pending"), status_num(c, "life_taken_back_pending"));
	uint64_t only =
		less(status_num(c, "life_announced_only"), status_num(c, "life_taken_back_announced_only"));
	uint64_t never = less(status_num(c, "life_never_seen"), status_num(c, "life_taken_back_never_seen"));
	if (blocks == 0) {
		fputs("blocks     none seen: what is mined without having been seen pending is not known\n",
			out);
		return;
	}
	count(out, "blocks     ", blocks, "block", "blocks");
	count(out, ", ", n, "transaction included", "transactions included");
	if (n > 0)
		fprintf(out,
			": %" PRIu64 " seen pending (%s), %" PRIu64 " only announced (%s), %" PRIu64
			" never seen (%s)",
			pending, share(pending, n, p[0]), only, share(only, n, p[1]), never,
			share(never, n, p[2]));
	fprintf(out, "\n           %" PRIu64 " replaced, %" PRIu64 " dropped, %" PRIu64 " reorged",
		status_num(c, "life_replaced"), status_num(c, "life_dropped"), status_num(c, "life_reorged"));
	if (status_num(c, "life_blocks_reorged") > 0)
		count(out, "; ", status_num(c, "life_blocks_reorged"), "block left the chain",
			"blocks left the chain");
	if (status_num(c, "life_blocks_invalid") > 0)
		count(out, "; ", status_num(c, "life_blocks_invalid"), "block was invalid",
			"blocks were invalid");
	fputc('\n', out);
	print_protocols(s, out);
}

void
status_coverage_print(const json_t *status, FILE *out)
{
	const json_t *c = json_object_get(status, "counters");
	if (c == NULL)
		return;
	print_streams(c, out);
	print_feeds(c, out);
	print_node(c, out);
	print_blocks(status, c, out);
}
