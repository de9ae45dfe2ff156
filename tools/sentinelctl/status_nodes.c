/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/status_nodes.h"

#include "sentinelctl/status_coverage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s != NULL ? s : "";
}

/* Milliseconds in the unit that a human would choose. */
static const char *
age(char out[32], const json_t *o, const char *key)
{
	uint64_t ms = status_num(o, key);
	if (text_of(o, key)[0] == '\0')
		return "never";
	if (ms < 120000)
		snprintf(out, 32, "%" PRIu64 ".%01u s", ms / 1000, (unsigned)(ms / 100 % 10));
	else if (ms < 7200000)
		snprintf(out, 32, "%" PRIu64 " min", ms / 60000);
	else
		snprintf(out, 32, "%" PRIu64 " h", ms / 3600000);
	return out;
}

static void
print_state(const json_t *o, const char *missing, FILE *out)
{
	char t[32];
	const char *state = text_of(o, "state");
	if (strcmp(state, "silent") == 0)
		fprintf(out, "SILENT for %s", age(t, o, "last_seen_ms"));
	else
		fprintf(out, "%s", state);
	if (missing[0] != '\0')
		fprintf(out, ", ONE DIRECTION ONLY: missing is what %s", strcmp(missing, "to_node") == 0 ? "it is sent" : "it sends");
}

/* Of the bytes that went by; of the hashes that the node returned. */
static void
print_coverage(const json_t *f, FILE *out)
{
	uint64_t read = status_num(f, "bytes_from") + status_num(f, "bytes_to"), gap = status_num(f, "gap_from") + status_num(f, "gap_to");
	uint64_t hashes = status_num(f, "hashes"), good = status_num(f, "hashes_scanned") + status_num(f, "hashes_duplicate");
	if (read + gap > 0)
		fprintf(out, "  %5.1f %% read", 100.0 * (double)read / (double)(read + gap));
	if (hashes > 0)
		fprintf(out, "  by its word %5.1f %%", 100.0 * (double)(good < hashes ? good : hashes) / (double)hashes);
}

static void
print_feed(const json_t *f, FILE *out)
{
	char t[32];
	fprintf(out, "  %-10s %8.1f tx/s %9.1f kB/s  last %-8s ", text_of(f, "feed"), strtod(text_of(f, "tx_per_s"), NULL),
		strtod(text_of(f, "bytes_per_s"), NULL) / 1000, age(t, f, "last_seen_ms"));
	print_state(f, "", out);
	print_coverage(f, out);
	fputc('\n', out);
}

static void
print_node(const json_t *n, FILE *out)
{
	size_t i;
	json_t *f;
	fprintf(out, "node %-15s ", text_of(n, "name"));
	print_state(n, text_of(n, "missing"), out);
	fputc('\n', out);
	json_array_foreach(json_object_get(n, "feeds"), i, f)
	{
		/* Connections on which nothing was said yet count as nothing. */
		if (status_num(f, "bytes_from") + status_num(f, "bytes_to") > 0)
			print_feed(f, out);
	}
}

static void
print_clock(const json_t *c, FILE *out)
{
	if (status_num(c, "steps") > 0)
		fprintf(out, "clock      the system's clock was set %s times, last by %s ns\n", text_of(c, "steps"), text_of(c, "last_step_ns"));
	if (status_num(c, "jumps") > 0)
		fprintf(out, "clock      the CPU's counter has jumped %s times\n", text_of(c, "jumps"));
}

void
status_nodes_print(const json_t *status, FILE *out)
{
	size_t i;
	json_t *n, *nodes = json_object_get(status, "nodes");
	/* Without named nodes all is "other", which the rest of the screen tells of. */
	if (json_array_size(nodes) > 1)
		json_array_foreach(nodes, i, n) print_node(n, out);
	print_clock(json_object_get(status, "clock"), out);
}
