/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/profile_private.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define PORT_KEYS "device, interface, args, checksum, steer, queues"

struct taking {
	struct topology_port *port;
	uint32_t number;
};

/* dddd:bb:dd.f or bb:dd.f */
static bool
is_pci(const char *s)
{
	unsigned colons = 0, dots = 0;
	for (; *s; s++) {
		colons += *s == ':';
		dots += *s == '.';
		if (!isxdigit((unsigned char)*s) && *s != ':' && *s != '.')
			return false;
	}
	return colons >= 1 && colons <= 2 && dots == 1;
}

static int
take_device(struct parse *p, const yaml_node_t *n, struct topology_port *port)
{
	const char *s = profile_text(n);
	if (s == NULL || strlen(s) >= sizeof port->device || (!is_pci(s) && strncmp(s, "net_", 4) != 0))
		return profile_complain(p, &n->start_mark,
			"ports: a port is a PCI address (0000:03:00.0), a virtual device (net_af_packet0,iface=eth1), or a mapping with " PORT_KEYS);
	strcpy(port->device, s);
	port->pci = is_pci(s);
	port_find_interface(port);
	return 0;
}

/* As the kernel takes them, and no character that would end the driver's argument. */
static bool
is_interface(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n >= PORT_INTERFACE_BYTES || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (; *s; s++)
		if (!isgraph((unsigned char)*s) || strchr("/:,=", *s) != NULL)
			return false;
	return true;
}

static int
take_interface(struct parse *p, const yaml_node_t *n, struct taking *t)
{
	const char *s = profile_text(n);
	if (s == NULL || !is_interface(s))
		return profile_complain(p, &n->start_mark, "interface must be the name of a network interface (`ip link` lists them)");
	snprintf(t->port->device, sizeof t->port->device, "net_af_xdp%u,iface=%s", t->number, s);
	strcpy(t->port->interface, s);
	return 0;
}

/* Words of key=value; no blanks, which EAL would pass on. */
static int
take_args(struct parse *p, const yaml_node_t *n, struct topology_port *port)
{
	const char *s = profile_text(n);
	bool good = s != NULL && strlen(s) < sizeof port->args && s[0] != ',' && (s[0] == '\0' || s[strlen(s) - 1] != ',');
	for (const char *c = s; good && *c; c++)
		good = isgraph((unsigned char)*c);
	if (!good)
		return profile_complain(p, &n->start_mark, "args must be the driver's arguments, key=value,key=value, without blanks, at most %zu characters",
			sizeof port->args - 1);
	strcpy(port->args, s);
	return 0;
}

static int
port_key(struct parse *p, const yaml_node_t *v, const char *key, void *k)
{
	static const char *const checksum[] = {"trust", "verify", NULL};
	struct taking *t = p->ctx;
	unsigned choice = 0;
	if (strcmp(key, "device") == 0 || strcmp(key, "interface") == 0) {
		if (t->port->device[0] != '\0')
			return profile_complain(p, &v->start_mark, "a port has a device or an interface, not both");
		return key[0] == 'd' ? take_device(p, v, t->port) : take_interface(p, v, t);
	}
	if (strcmp(key, "args") == 0)
		return take_args(p, v, t->port);
	if (strcmp(key, "steer") == 0)
		return profile_bool(p, v, "steer", &t->port->steer);
	if (strcmp(key, "queues") == 0)
		return profile_u32(p, v, "ports.queues", &t->port->queues);
	if (strcmp(key, "checksum") != 0)
		return profile_unknown(p, k, key, PORT_KEYS);
	int rc = profile_choice(p, v, "checksum", checksum, &choice);
	if (rc == 0)
		t->port->checksum = choice == 1 ? PORT_CHECKSUM_VERIFY : PORT_CHECKSUM_TRUST;
	return rc;
}

static int
take_port(struct parse *p, const yaml_node_t *n, struct taking *t)
{
	if (n->type != YAML_MAPPING_NODE)
		return take_device(p, n, t->port);
	p->ctx = t;
	int rc = profile_each_key(p, n, port_key);
	p->ctx = NULL;
	if (rc == 0 && t->port->device[0] == '\0')
		return profile_complain(p, &n->start_mark, "a port needs a device or an interface");
	return rc;
}

int
profile_ports(struct parse *p, const yaml_node_t *n)
{
	if (n->type != YAML_SEQUENCE_NODE)
		return profile_complain(p, &n->start_mark, "ports must be a list of devices");
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
		const yaml_node_t *item = yaml_document_get_node(&p->doc, *i);
		if (p->t->ports == TOPOLOGY_PORTS_MAX)
			return profile_complain(p, &item->start_mark, "ports: more than %u ports", TOPOLOGY_PORTS_MAX);
		struct taking t = {.port = &p->t->port[p->t->ports], .number = p->t->ports};
		memset(t.port, 0, sizeof *t.port);
		int rc = take_port(p, item, &t);
		if (rc != 0)
			return rc;
		p->t->ports++;
	}
	return 0;
}
