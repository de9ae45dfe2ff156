/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/offline.h"

#include "io/box.h"
#include "io/cost.h"
#include "io/profile.h"
#include "io/run.h"
#include "io/source.h"
#include "io/txline.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: sentinel-dataplane --offline VERB ...\n"
	"  replay CAPTURE... --bundle FILE [--txs] [--lives] [--rlpx-keys FILE]   the whole dataplane over capture files\n"
	"  run --bundle FILE --txs FILE.ndjson       the rules over transactions, one JSON line each\n"
	"  both: --profile FILE  feeds, chains and protected protocols of a box profile; --protect ADDRESS  one more protected contract\n"
	"  check --bundle FILE                       run the vectors of a rule bundle\n"
	"  profile --bundle FILE                     what the rules of a bundle cost\n"
	"NDJSON on stdout. Most people want `sentinelctl replay` and `sentinelctl rules`, which find the bundle themselves.\n"
	"  example: sentinel-dataplane --offline replay capture.pcap --bundle default.bundle --txs\n";

#define PROTECT_OPTIONS 64u

struct args {
	const char *bundle, *txs_file, *keys, *profile;
	const char *protect[PROTECT_OPTIONS];
	unsigned n_protect;
	bool txs, lives;
	char **captures;
	int n_captures;
};

static int
bad(const char *what, const char *arg)
{
	fprintf(stderr, "sentinel-dataplane: %s%s%s (--offline --help shows what there is)\n", what, arg ? ": " : "", arg ? arg : "");
	return 2;
}

/* What a verb takes besides --bundle. */
enum takes { TAKES_CAPTURES = 1, TAKES_TXS = 2, TAKES_TXS_FILE = 4 };
#define TAKES_PROFILE (TAKES_CAPTURES | TAKES_TXS_FILE)

/* Arguments after the verb; options may stand anywhere among the captures, up to a "--". */
static int
parse_args(int argc, char **argv, unsigned takes, struct args *a)
{
	bool words = false;
	memset(a, 0, sizeof *a);
	a->captures = argv;
	for (int i = 1; i < argc; i++) {
		bool option = !words && argv[i][0] == '-' && argv[i][1] != '\0';
		if (option && strcmp(argv[i], "--") == 0) {
			words = true;
		} else if (option && strcmp(argv[i], "--bundle") == 0) {
			if (++i == argc)
				return bad("--bundle needs a file", NULL);
			a->bundle = argv[i];
		} else if (option && strcmp(argv[i], "--lives") == 0 && (takes & TAKES_CAPTURES)) {
			a->lives = true;
		} else if (option && strcmp(argv[i], "--rlpx-keys") == 0 && (takes & TAKES_CAPTURES)) {
			if (++i == argc)
				return bad("--rlpx-keys needs a file", NULL);
			a->keys = argv[i];
		} else if (option && strcmp(argv[i], "--profile") == 0 && (takes & TAKES_PROFILE)) {
			if (++i == argc)
				return bad("--profile needs a file", NULL);
			a->profile = argv[i];
		} else if (option && strcmp(argv[i], "--protect") == 0 && (takes & TAKES_PROFILE)) {
			if (++i == argc)
				return bad("--protect needs an address", NULL);
			if (a->n_protect == PROTECT_OPTIONS)
				return bad("too many --protect; put them into a profile (protocols)", NULL);
			a->protect[a->n_protect++] = argv[i];
		} else if (option && strcmp(argv[i], "--txs") == 0 && (takes & (TAKES_TXS | TAKES_TXS_FILE))) {
			a->txs = true;
			if ((takes & TAKES_TXS_FILE) && ++i == argc)
				return bad("--txs needs a file", NULL);
			a->txs_file = takes & TAKES_TXS_FILE ? argv[i] : NULL;
		} else if (option) {
			return bad("unknown option", argv[i]);
		} else if (!(takes & TAKES_CAPTURES)) {
			return bad("unexpected argument", argv[i]);
		} else {
			a->captures[a->n_captures++] = argv[i];
		}
	}
	return a->bundle ? 0 : bad("--bundle is missing", NULL);
}

/* What a profile and --protect say. 0, or what the process ends with. */
static int
load_profile(const struct args *a, struct topology *t)
{
	char err[512], text[PROTECT_OPTIONS * 64 + 64];
	size_t n = 0;
	topology_default(t);
	if (a->profile != NULL && profile_load(a->profile, t, err, sizeof err) != 0) {
		fprintf(stderr, "sentinel-dataplane: %s\n", err);
		return 1;
	}
	if (a->n_protect == 0)
		return 0;
	n += (size_t)snprintf(text + n, sizeof text - n, "protocols: {protected: [");
	for (unsigned i = 0; i < a->n_protect; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s\"%.44s\"", i ? ", " : "", a->protect[i]);
	n += (size_t)snprintf(text + n, sizeof text - n, "]}");
	if (profile_parse("--protect", text, n, t, err, sizeof err) == 0)
		return 0;
	fprintf(stderr, "sentinel-dataplane: %s\n", err);
	return 2;
}

static void
print_crossing(void *ctx, const struct crossing_report *r)
{
	txline_print(stdout, r);
}

struct replay {
	struct box *box;
	struct span frames[WORKER_BURST];
	uint32_t wire_len[WORKER_BURST];
	uint64_t now_ns[WORKER_BURST];
	unsigned n;
	enum net_link link; /* of the frames */
	uint64_t last_ns, housekept_ns, shown;
	time_t progress_at;
	bool progress;
};

static void
replay_burst(struct replay *r)
{
	struct box *b = r->box;
	if (r->n == 0)
		return;
	worker_link(b->worker, r->link);
	worker_frames(b->worker, r->n, r->frames, r->wire_len, r->now_ns);
	b->stats->port[0].delivered += r->n;
	b->stats->port[0].wire += r->n;
	r->last_ns = r->now_ns[r->n - 1];
	r->n = 0;
	if (r->last_ns - r->housekept_ns > 5000000ull) {
		worker_housekeep(b->worker, r->last_ns);
		r->housekept_ns = r->last_ns;
	}
	box_drain(b);
}

static void
end_input(struct replay *r)
{
	worker_housekeep(r->box->worker, r->last_ns);
	worker_flush(r->box->worker, r->last_ns);
	box_drain(r->box);
}

static void
replay_progress(struct replay *r, const struct source *s, const char *path)
{
	if (!r->progress || time(NULL) < r->progress_at)
		return;
	r->progress_at = time(NULL) + 1;
	fprintf(stderr, "\r%s: %3.0f %%", path, s->bytes ? 100.0 * (double)s->at / (double)s->bytes : 100.0);
	r->shown++;
}

static int
replay_file(struct replay *r, const char *path)
{
	struct source s;
	char err[512];
	struct source_frame f;
	int rc = source_open(&s, path, err, sizeof err);
	if (rc != 0) {
		fprintf(stderr, "sentinel-dataplane: %s\n", err);
		return rc;
	}
	while (!ferror(stdout) && source_next(&s, &f)) {
		/* A file that begins before the last one ended is another recording, not its continuation. */
		if (f.t_ns + 1000000000ull < r->last_ns) {
			replay_burst(r);
			end_input(r);
			r->last_ns = r->housekept_ns = f.t_ns;
		}
		if (f.link != r->link)
			replay_burst(r);
		r->link = f.link;
		r->frames[r->n] = f.bytes;
		r->wire_len[r->n] = f.wire_len;
		r->now_ns[r->n] = f.t_ns;
		if (++r->n == WORKER_BURST) {
			replay_burst(r);
			replay_progress(r, &s, path);
		}
	}
	replay_burst(r);
	if (s.broken) {
		fprintf(stderr, "sentinel-dataplane: %s: ends inside a record after %llu frames; what was whole was read\n", path,
			(unsigned long long)s.frames);
		rc = -EIO;
	}
	source_close(&s);
	return rc;
}

/* Whether what went to stdout did not get there; says why. `error`: of an earlier write, or 0. */
static bool
output_failed(int error)
{
	if (fflush(stdout) != 0 && error == 0)
		error = errno;
	if (error == 0 && !ferror(stdout))
		return false;
	fprintf(stderr, "sentinel-dataplane: cannot write the output: %s\n", strerror(error ? error : EIO));
	return true;
}

static int
finish(struct box *b, int rc)
{
	uint64_t residual = box_summary(b, stdout);
	if (output_failed(b->error))
		rc = -EIO;
	if (residual != 0)
		fprintf(stderr, "sentinel-dataplane: the accounting does not add up (residual %llu): this is a bug, please report it\n",
			(unsigned long long)residual);
	return rc == 0 && residual == 0 ? 0 : 1;
}

static int
cmd_replay(int argc, char **argv)
{
	struct args a;
	static struct topology profile;
	struct bundle_file bundle;
	int rc = parse_args(argc, argv, TAKES_CAPTURES | TAKES_TXS, &a);
	if (rc != 0)
		return rc;
	if (a.n_captures == 0)
		return bad("replay needs at least one capture file", NULL);
	if ((rc = load_profile(&a, &profile)) != 0)
		return rc;
	if (bundle_load(&bundle, a.bundle, false) != 0)
		return 1;
	struct replay r = {.box = box_new(bundle.rules, &profile), .progress = isatty(2) && !isatty(1), .progress_at = time(NULL) + 2};
	if (r.box == NULL) {
		fprintf(stderr, "sentinel-dataplane: cannot start: %s\n", strerror(errno));
		bundle_unload(&bundle);
		return 1;
	}
	if (a.keys != NULL && box_keys(r.box, a.keys) != 0) {
		box_free(r.box);
		bundle_unload(&bundle);
		return 1;
	}
	if (a.lives)
		box_print_lives(r.box);
	if (a.txs)
		worker_listen(r.box->worker, print_crossing, NULL);
	for (int i = 0; i < a.n_captures; i++) {
		int e = replay_file(&r, a.captures[i]);
		rc = rc ? rc : e;
	}
	if (r.shown)
		fputs("\n", stderr);
	end_input(&r);
	box_finish(r.box);
	rc = finish(r.box, rc);
	box_free(r.box);
	bundle_unload(&bundle);
	return rc;
}

static int
cmd_run(int argc, char **argv)
{
	struct args a;
	static struct topology profile;
	struct bundle_file bundle;
	int rc = parse_args(argc, argv, TAKES_TXS_FILE, &a);
	if (rc != 0)
		return rc;
	if (a.txs_file == NULL)
		return bad("run needs --txs FILE.ndjson", NULL);
	if ((rc = load_profile(&a, &profile)) != 0)
		return rc;
	if (bundle_load(&bundle, a.bundle, false) != 0)
		return 1;
	struct box *b = box_new(bundle.rules, &profile);
	if (b == NULL) {
		fprintf(stderr, "sentinel-dataplane: cannot start: %s\n", strerror(errno));
		bundle_unload(&bundle);
		return 1;
	}
	rc = run_file(b, a.txs_file);
	box_finish(b);
	rc = finish(b, rc);
	box_free(b);
	bundle_unload(&bundle);
	return rc;
}

static int
cmd_check(int argc, char **argv)
{
	struct args a;
	struct bundle_file bundle;
	int rc = parse_args(argc, argv, 0, &a);
	if (rc != 0)
		return rc;
	if (bundle_load(&bundle, a.bundle, true) != 0)
		return 1;
	unsigned failed = bundle_check(bundle.rules, stderr), n = ruleset_vectors(bundle.rules);
	printf("{\"event\":\"check\",\"rules\":\"%u\",\"patterns\":\"%u\",\"vectors\":\"%u\",\"failed\":\"%u\"}\n",
		ruleset_rules(bundle.rules), ruleset_patterns(bundle.rules), n, failed);
	bundle_unload(&bundle);
	return output_failed(0) || failed ? 1 : 0;
}

static int
cmd_profile(int argc, char **argv)
{
	struct args a;
	struct bundle_file bundle;
	int rc = parse_args(argc, argv, 0, &a);
	if (rc != 0)
		return rc;
	if (bundle_load(&bundle, a.bundle, false) != 0)
		return 1;
	rc = cost_print(bundle.rules, stdout);
	bundle_unload(&bundle);
	return output_failed(0) || rc != 0 ? 1 : 0;
}

int
offline_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int, char **);
	} verbs[] = {{"replay", cmd_replay}, {"run", cmd_run}, {"check", cmd_check}, {"profile", cmd_profile}};
	if (argc < 1)
		return bad("--offline needs a verb", NULL);
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage_text, stdout);
			return 0;
		}
	}
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(argv[0], verbs[i].name) == 0)
			return verbs[i].run(argc, argv);
	return bad("unknown verb", argv[0]);
}
