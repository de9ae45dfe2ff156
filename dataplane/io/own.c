/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/own.h"

#include "io/kernel_port.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define IP4_MAX 512u /* of all interfaces of the host */
#define UPPER "upper_"

static void
add_name(struct own *o, const char *name)
{
	if (o->names == OWN_NAMES_MAX || strlen(name) >= sizeof o->name[0])
		return;
	for (unsigned i = 0; i < o->names; i++)
		if (strcmp(o->name[i], name) == 0)
			return;
	strcpy(o->name[o->names++], name);
}

static void
add_uppers(struct own *o, const struct sysfs *s, const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/sys/class/net/%s", s->root, name);
	DIR *d = opendir(path);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (strncmp(e->d_name, UPPER, strlen(UPPER)) == 0)
			add_name(o, e->d_name + strlen(UPPER));
	if (d != NULL)
		closedir(d);
}

void
own_open(struct own *o, const struct sysfs *s, const char *interface)
{
	*o = (struct own){.socket = kernel_link_open(), .file = open("/proc/net/if_inet6", O_RDONLY | O_CLOEXEC)};
	add_name(o, interface);
	for (unsigned i = 0; i < o->names; i++)
		add_uppers(o, s, o->name[i]);
}

void
own_close(struct own *o)
{
	if (o->socket >= 0)
		close(o->socket);
	if (o->file >= 0)
		close(o->file);
	o->socket = o->file = -1;
}

static bool
is_ours(const struct own *o, const char *name, size_t n)
{
	for (unsigned i = 0; i < o->names; i++)
		if (strlen(o->name[i]) == n && strncmp(o->name[i], name, n) == 0)
			return true;
	return false;
}

static unsigned
read_ip4(const struct own *o, uint8_t (*out)[16], unsigned max)
{
	struct ifreq all[IP4_MAX];
	struct ifconf c = {.ifc_len = sizeof all, .ifc_req = all};
	unsigned n = 0;
	if (o->socket < 0 || ioctl(o->socket, SIOCGIFCONF, &c) != 0)
		return 0;
	for (unsigned i = 0; i < (unsigned)c.ifc_len / sizeof all[0]; i++) {
		const struct sockaddr_in *a = (const void *)&all[i].ifr_addr;
		size_t label = strnlen(all[i].ifr_name, IFNAMSIZ), name = 0;
		while (name < label && all[i].ifr_name[name] != ':') /* a further address may have a label of its own, "eth0:1" */
			name++;
		if (a->sin_family != AF_INET || !is_ours(o, all[i].ifr_name, name) || n++ >= max)
			continue;
		memset(out[n - 1], 0, 10);
		memset(out[n - 1] + 10, 0xff, 2);
		memcpy(out[n - 1] + 12, &a->sin_addr, 4);
	}
	return n;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "fe80000000000000021122fffe334455 02 40 20 80     eth0" */
static bool
parse_ip6(const struct own *o, const char *line, uint8_t out[16])
{
	char name[IFNAMSIZ + 1];
	if (sscanf(line, "%*32[0-9a-f] %*x %*x %*x %*x %16s", name) != 1 || !is_ours(o, name, strlen(name)))
		return false;
	for (unsigned i = 0; i < 16; i++) {
		int high = hex_digit(line[2 * i]), low = high < 0 ? -1 : hex_digit(line[2 * i + 1]);
		if (low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static unsigned
read_ip6(const struct own *o, uint8_t (*out)[16], unsigned max)
{
	char text[4096];
	uint8_t address[16];
	unsigned n = 0;
	off_t at = 0;
	for (ssize_t got; o->file >= 0 && (got = pread(o->file, text, sizeof text - 1, at)) > 0;) {
		text[got] = '\0';
		size_t whole = 0;
		for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
			*end = '\0';
			whole = (size_t)(end + 1 - text);
			if (parse_ip6(o, line, address) && n++ < max)
				memcpy(out[n - 1], address, sizeof address);
		}
		if (whole == 0)
			break;
		at += (off_t)whole;
	}
	return n;
}

unsigned
own_read(const struct own *o, uint8_t (*out)[16], unsigned max)
{
	unsigned n = read_ip4(o, out, max), four = n < max ? n : max;
	return n + read_ip6(o, out + four, max - four);
}
