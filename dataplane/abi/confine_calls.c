/* SPDX-License-Identifier: BSD-3-Clause */
#include "abi/confine.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES 512
#define NAME_BYTES 32

/* Looked up before: where a call is refused, a lock or the heap may be in the middle of something. */
static char call_name[NAMES][NAME_BYTES];
static char program_name[64];

static void
learn_names(const char *program)
{
	snprintf(program_name, sizeof program_name, "%s", program);
	for (int i = 0; i < NAMES; i++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
		snprintf(call_name[i], NAME_BYTES, "%s", name != NULL ? name : "");
		free(name);
	}
}

static size_t
append(char *to, size_t at, size_t cap, const char *text)
{
	while (*text != '\0' && at < cap)
		to[at++] = *text++;
	return at;
}

static size_t
append_number(char *to, size_t at, size_t cap, unsigned n)
{
	char digits[12];
	size_t i = sizeof digits;
	digits[--i] = '\0';
	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return append(to, at, cap, digits + i);
}

static void
on_refused(int sig, siginfo_t *info, void *context)
{
	char text[384];
	const size_t cap = sizeof text - 1;
	int nr = info->si_syscall;
	(void)sig;
	(void)context;
	size_t n = append(text, 0, cap, program_name);
	n = append(text, n, cap, ": its sandbox has stopped the system call ");
	n = append(text, n, cap, nr >= 0 && nr < NAMES && call_name[nr][0] != '\0' ? call_name[nr] : "number");
	n = append(text, n, cap, " (");
	n = append_number(text, n, cap, (unsigned)nr);
	n = append(text, n, cap,
		"), which is not on its list (--print-sandbox shows it). The call was not made, and the process ends here: this is a fault of "
		"the program, or somebody else's code is running in it. Report this line\n");
	(void)!write(STDERR_FILENO, text, n);
	_exit(CONFINE_EXIT);
}

static struct scmp_arg_cmp
compare(const struct confine_arg *a)
{
	if (a->op == CONFINE_SELF)
		return SCMP_CMP(a->index, SCMP_CMP_EQ, (uint64_t)getpid());
	if (a->mask == UINT64_MAX)
		return SCMP_CMP(a->index, SCMP_CMP_EQ, a->value);
	return SCMP_CMP(a->index, SCMP_CMP_MASKED_EQ, a->mask, a->value);
}

static int
add_line(scmp_filter_ctx f, const struct confine_call *c)
{
	struct scmp_arg_cmp arg[CONFINE_ARGS_MAX];
	unsigned n = 0;
	int nr = seccomp_syscall_resolve_name(c->name);
	if (nr == __NR_SCMP_ERROR)
		return -EINVAL;
	while (n < CONFINE_ARGS_MAX && c->arg[n].op != CONFINE_ANY) {
		arg[n] = compare(&c->arg[n]);
		n++;
	}
	return seccomp_rule_add_array(f, c->refuse != 0 ? SCMP_ACT_ERRNO((uint32_t)c->refuse) : SCMP_ACT_ALLOW, nr, n, arg);
}

static int
load(const struct confine_table *t, unsigned kinds, char *err, size_t cap)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_TRAP);
	if (f == NULL) {
		snprintf(err, cap, "no memory for the list of system calls");
		return -ENOMEM;
	}
	int rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0)
		rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 1);
	if (rc == 0)
		rc = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (unsigned i = 0; i < t->n && rc == 0; i++) {
		const struct confine_call *c = &t->call[i];
		if (c->kinds == 0 || (c->kinds & kinds) != 0)
			rc = add_line(f, c);
		if (rc != 0)
			snprintf(err, cap, "the list of system calls has a line that cannot be: %s: %s", c->name, strerror(-rc));
	}
	if (rc == 0) {
		rc = seccomp_load(f);
		if (rc != 0)
			snprintf(err, cap,
				"the kernel does not take the list of system calls: %s; it needs CONFIG_SECCOMP_FILTER (--no-sandbox does without)",
				strerror(-rc));
	}
	seccomp_release(f);
	return rc;
}

int
confine_calls(const struct confine_table *t, unsigned kinds, char *err, size_t cap)
{
	struct sigaction a = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};
	sigset_t set;
	sigfillset(&a.sa_mask);
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	learn_names(t->program);
	if (sigaction(SIGSYS, &a, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &set, NULL) != 0) {
		int rc = -errno;
		snprintf(err, cap, "cannot catch refused system calls: %s", strerror(-rc));
		return rc;
	}
	return load(t, kinds, err, cap);
}

int
confine_print(const struct confine_table *t, FILE *out)
{
	fprintf(out, "# %s: the system calls it may make %s\n# call\tcondition\treason\n", t->program, t->after);
	for (unsigned i = 0; i < t->n; i++) {
		const struct confine_call *c = &t->call[i];
		fprintf(out, "%s\t", c->name);
		const char *between = "";
		for (unsigned k = 0; k < CONFINE_ARGS_MAX && c->arg[k].op != CONFINE_ANY; k++) {
			fprintf(out, "%s%s", between, c->arg[k].text);
			between = ", ";
		}
		if (c->kinds != 0) {
			fprintf(out, "%sonly with %s", between, c->kinds_text);
			between = ", ";
		}
		if (c->refuse != 0) {
			fprintf(out, "%sanswered with %s", between, strerrorname_np(c->refuse));
			between = ", ";
		}
		fprintf(out, "%s\t%s\n", *between == '\0' ? "-" : "", c->why);
	}
	return ferror(out) ? -EIO : 0;
}
