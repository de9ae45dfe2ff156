/* SPDX-License-Identifier: BSD-3-Clause */
/* bpf_why: what a user can do about a refusal of the kernel's bpf(). */
#ifndef IO_BPF_WHY_H
#define IO_BPF_WHY_H

#include <stddef.h>

/* bpf_why: a sentence for an errno of bpf() or of netlink in its service; looks at lockdown and capabilities. Valid until the next call; for start-up,
 * of one thread. */
const char *bpf_why(int err);

/* bpf_why_listen makes libbpf keep its last warning instead of printing it; bpf_why_heard: that, without its newline, or "". */
void bpf_why_listen(void);
const char *bpf_why_heard(void);
/* bpf_why_hush: libbpf prints as it did before. */
void bpf_why_hush(void);

#endif
