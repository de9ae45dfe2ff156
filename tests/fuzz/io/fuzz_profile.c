/* SPDX-License-Identifier: BSD-3-Clause */
/* A box profile of any bytes: what is accepted stays within the topology's tables; what is refused says where. */
#include "io/profile.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct topology t;
	char err[160];
	topology_default(&t);
	memset(err, 'x', sizeof err);
	int rc = profile_parse("box.yaml", (const char *)data, size, &t, err, sizeof err);
	if (t.workers > TOPOLOGY_WORKERS_MAX || t.ports > TOPOLOGY_PORTS_MAX || t.idle > IDLE_SLEEP)
		abort();
	for (uint32_t i = 0; i < t.ports; i++)
		if (memchr(t.port[i].device, 0, sizeof t.port[i].device) == NULL)
			abort();
	if (rc != 0 && (memchr(err, 0, sizeof err) == NULL || strncmp(err, "box.yaml:", 9) != 0))
		abort();
	/* whatever it says, the check that follows bears it */
	if (rc == 0 && topology_check(&t, 4, err, sizeof err) == 0 && (t.workers == 0 || t.main_cpu > 3))
		abort();
	return 0;
}
