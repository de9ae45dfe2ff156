/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/status_ports.h"

#include "control/status_json.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static void
set_driver(json_t *o, const char from[24])
{
	char name[25] = "";
	memcpy(name, from, 24);
	for (char *c = name; *c != '\0'; c++)
		*c = isprint((unsigned char)*c) ? *c : '?';
	json_object_set_new(o, "driver", name[0] != '\0' ? json_string(name) : json_null());
}

static json_t *
link_of(uint32_t flags)
{
	if ((flags & PORT_GONE) != 0)
		return json_string("gone");
	if ((flags & PORT_LINK_KNOWN) == 0)
		return json_null();
	return json_string((flags & PORT_LINK_UP) != 0 ? "up" : "down");
}

static json_t *
warnings_of(uint32_t flags)
{
	json_t *list = json_array();
	bool down = (flags & (PORT_LINK_KNOWN | PORT_LINK_UP | PORT_GONE)) == PORT_LINK_KNOWN;
	const struct {
		bool is;
		const char *word;
	} all[] = {{(flags & PORT_GONE) != 0, "gone"}, {down, "link_down"}, {(flags & PORT_RSS_REFUSED) != 0, "rss_refused"},
		{(flags & PORT_FAR) != 0, "far"}};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i].is)
			json_array_append_new(list, json_string(all[i].word));
	return list;
}

void
status_port_info(json_t *o, const struct stats_port_info *p, uint32_t workers)
{
	uint32_t flags = __atomic_load_n(&p->flags, __ATOMIC_RELAXED), queues = __atomic_load_n(&p->queues, __ATOMIC_RELAXED);
	int32_t socket = __atomic_load_n(&p->socket, __ATOMIC_RELAXED);
	uint32_t mbps = __atomic_load_n(&p->link_mbps, __ATOMIC_RELAXED);
	set_driver(o, p->driver);
	status_json_set(o, "queues", queues);
	json_object_set_new(o, "spread", json_string((flags & PORT_RSS) != 0 ? "port" : workers > 1 ? "worker" : "one"));
	json_object_set_new(o, "link", link_of(flags));
	status_json_set(o, "link_downs", __atomic_load_n(&p->link_downs, __ATOMIC_RELAXED));
	if (mbps != 0)
		status_json_set(o, "link_mbps", mbps);
	else
		json_object_set_new(o, "link_mbps", json_null());
	if (socket >= 0)
		status_json_set(o, "socket", (uint64_t)socket);
	else
		json_object_set_new(o, "socket", json_null());
	json_object_set_new(o, "timestamps", json_boolean((flags & PORT_HW_TIME) != 0));
	status_json_set(o, "timestamp_steps", __atomic_load_n(&p->hw_time_steps, __ATOMIC_RELAXED));
	json_object_set_new(o, "checksum", json_string((flags & PORT_VERIFY_CHECKSUM) != 0 ? "verify" : "trust"));
	json_object_set_new(o, "warnings", warnings_of(flags));
}
