/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/bpf_why.h"

#include <bpf/libbpf.h>

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char heard[256];
static libbpf_print_fn_t before;

/* "none [integrity] confidentiality" */
static bool
locked_down(void)
{
	char text[128] = "";
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	if (f == NULL)
		return false;
	bool read = fgets(text, sizeof text, f) != NULL;
	fclose(f);
	return read && strstr(text, "[confidentiality]") != NULL;
}

const char *
bpf_why(int err)
{
	static char text[192];
	switch (err < 0 ? -err : err) {
	case EPERM:
	case EACCES:
		if (locked_down())
			return "the kernel is locked down (/sys/kernel/security/lockdown): boot with lockdown=integrity at most";
		if (geteuid() != 0)
			return "this takes root, or the capabilities CAP_BPF and CAP_NET_ADMIN";
		return "not permitted, even for root: a container? it needs the capabilities CAP_BPF and CAP_NET_ADMIN";
	case ENOSYS:
		return "the kernel is built without BPF (CONFIG_BPF_SYSCALL)";
	case EBUSY:
	case EEXIST:
		return "another program is there already";
	case EOPNOTSUPP:
		return "neither the interface's driver nor the kernel's generic path knows it; take a newer kernel";
	case ERANGE:
	case EMSGSIZE:
		return "the interface's MTU is too large for it: a frame must fit into a page (ip link set dev IF mtu 1500)";
	case ENOMEM:
		return "no memory, or not enough may be locked (ulimit -l; LimitMEMLOCK= of a systemd unit)";
	case EINVAL:
	case E2BIG:
		return "the kernel does not know what the program uses: Linux 5.15 or newer is needed, with CONFIG_BPF_JIT and CONFIG_XDP_SOCKETS";
	default:
		snprintf(text, sizeof text, "%s", strerror(err < 0 ? -err : err));
		return text;
	}
}

__attribute__((format(printf, 2, 0))) static int
keep(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(heard, sizeof heard, fmt, ap);
	heard[strcspn(heard, "\n")] = '\0';
	return 0;
}

void
bpf_why_listen(void)
{
	heard[0] = '\0';
	before = libbpf_set_print(keep);
}

const char *
bpf_why_heard(void)
{
	return heard;
}

void
bpf_why_hush(void)
{
	libbpf_set_print(before);
}
