/* SPDX-License-Identifier: BSD-3-Clause */
#include "sentinelctl/box/box.h"

#include <inttypes.h>
#include <string.h>

static void
source(const struct box *b, struct box_result *r)
{
	char text[64];
	if (sysfs_text(&b->fs, text, sizeof text, "/sys/devices/system/clocksource/clocksource0/current_clocksource") <= 0)
		box_say(r, BOX_UNKNOWN, NULL, "/sys/devices/system/clocksource cannot be read");
	else if (strcmp(text, "tsc") == 0 || strcmp(text, "kvm-clock") == 0 || strcmp(text, "hyperv_clocksource_tsc_page") == 0)
		box_say(r, BOX_PASS, NULL, "the system's clock is read without a system call (%s)", text);
	else
		box_say(r, BOX_WARN, "dmesg | grep -i tsc says why; tsc=reliable on the kernel's command line, if it is", "the clock source is %s: each reading of the clock is a system call", text);
}

static void
synced(const struct box *b, struct box_result *r)
{
	bool yes;
	int64_t error_us;
	int rc = b->calls->clock_synced(&yes, &error_us);
	if (rc != 0)
		box_say(r, BOX_UNKNOWN, NULL, "the kernel does not say whether the clock is synchronised: %s", strerror(-rc));
	else if (!yes)
		box_say(r, BOX_WARN, "apt install chrony, or timedatectl set-ntp true", "the clock is not synchronised: times of alerts cannot be compared with other machines'");
	else
		box_say(r, error_us > 100000 ? BOX_WARN : BOX_PASS, error_us > 100000 ? "chronyc sources" : NULL, "the clock is synchronised to within %" PRId64 " us", error_us);
}

static const struct box_check checks[] = {
	{"clock.source", source, false},
	{"clock.synced", synced, false},
};
const struct box_group box_clock = {checks, sizeof checks / sizeof checks[0]};
