/* SPDX-License-Identifier: BSD-3-Clause */
/* load_pcap: the load generator's traffic as a capture file. */
#include "load/load.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"usage: load_pcap FILE [--transactions N] [--connections N] [--hit-every N] [--seed N]\n"
	"  Writes a pcap file of clients that submit transactions to a node over HTTP; one in --hit-every of them (0: none)\n"
	"  asks Aave V3 for a flash loan. The same arguments give the same file.\n"
	"  example: load_pcap storm.pcap --transactions 20000 --hit-every 2\n";

static int
write_pcap(const struct load *l, const char *path)
{
	const uint32_t head[6] = {0xa1b23c4du, 2 | 4 << 16, 0, 0, 262144, 1};
	FILE *f = fopen(path, "wb");
	if (f == NULL)
		return -errno;
	bool ok = fwrite(head, sizeof head, 1, f) == 1;
	for (uint32_t i = 0; i < l->frames && ok; i++) {
		const uint32_t record[4] = {(uint32_t)(l->now_ns[i] / 1000000000u), (uint32_t)(l->now_ns[i] % 1000000000u), l->frame[i].len,
			l->wire_len[i]};
		ok = fwrite(record, sizeof record, 1, f) == 1 && fwrite(l->frame[i].p, 1, l->frame[i].len, f) == l->frame[i].len;
	}
	if (fclose(f) != 0 || !ok)
		return -(errno ? errno : EIO);
	return 0;
}

static int
bad(const char *what)
{
	fprintf(stderr, "load_pcap: %s (--help shows what there is)\n", what);
	return 2;
}

int
main(int argc, char **argv)
{
	struct load_config c = {.transactions = 10000, .connections = 64, .seed = 1, .hit_every = 100};
	const struct {
		const char *flag;
		uint32_t *value;
	} options[] = {{"--transactions", &c.transactions}, {"--connections", &c.connections}, {"--hit-every", &c.hit_every},
		{"--seed", &c.seed}};
	const char *path = NULL;
	struct load l;
	for (int i = 1; i < argc; i++) {
		size_t k = 0;
		while (k < sizeof options / sizeof options[0] && strcmp(argv[i], options[k].flag) != 0)
			k++;
		if (strcmp(argv[i], "--help") == 0)
			return fputs(usage_text, stdout) < 0;
		if (k < sizeof options / sizeof options[0]) {
			char *end = NULL;
			unsigned long v = i + 1 < argc ? strtoul(argv[i + 1], &end, 10) : 0;
			if (end == NULL || *end != '\0' || end == argv[i + 1] || v > UINT32_MAX)
				return bad("an option without its number");
			*options[k].value = (uint32_t)v;
			i++;
		} else if (argv[i][0] == '-' || path != NULL) {
			return bad(argv[i]);
		} else {
			path = argv[i];
		}
	}
	if (path == NULL)
		return bad("no file named");
	int rc = load_make(&l, &c);
	if (rc == 0)
		rc = write_pcap(&l, path);
	if (rc != 0) {
		fprintf(stderr, "load_pcap: %s: %s\n", path, strerror(-rc));
		return 1;
	}
	load_free(&l);
	return 0;
}
