/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/filter_table.h"

#include <bpf/bpf.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PROGRAM_MAPS_MAX 16u

static size_t
whole_pages(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return (n + page - 1) / page * page;
}

/* The program's map of this name; its fd, or -errno. */
static int
map_named(int prog_fd, const char *name, uint32_t value_bytes, uint32_t entries)
{
	uint32_t ids[PROGRAM_MAPS_MAX];
	struct bpf_prog_info prog = {.nr_map_ids = PROGRAM_MAPS_MAX, .map_ids = (uintptr_t)ids};
	uint32_t n = sizeof prog;
	if (bpf_obj_get_info_by_fd(prog_fd, &prog, &n) != 0)
		return -errno;
	for (uint32_t i = 0; i < prog.nr_map_ids && i < PROGRAM_MAPS_MAX; i++) {
		struct bpf_map_info map = {0};
		n = sizeof map;
		int fd = bpf_map_get_fd_by_id(ids[i]);
		if (fd < 0)
			return -errno;
		if (bpf_obj_get_info_by_fd(fd, &map, &n) == 0 && strcmp(map.name, name) == 0 && map.value_size == value_bytes &&
			map.max_entries == entries && map.type == BPF_MAP_TYPE_ARRAY && (map.map_flags & BPF_F_MMAPABLE))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

int
filter_table_memory(int prog_fd, const char *name, uint32_t value_bytes, uint32_t entries, int protection, void **out)
{
	int fd = map_named(prog_fd, name, value_bytes, entries);
	if (fd < 0)
		return fd;
	void *mem = mmap(NULL, whole_pages((size_t)value_bytes * entries), protection, MAP_SHARED, fd, 0);
	int rc = mem == MAP_FAILED ? -errno : 0;
	close(fd);
	if (rc == 0)
		*out = mem;
	return rc;
}

void
filter_table_unmap(void *memory, size_t bytes)
{
	if (memory != NULL)
		munmap(memory, whole_pages(bytes));
}

int
filter_table_open(struct filter_table_map *m, int prog_fd, const char *state, const char *counts)
{
	void *s = NULL, *c = NULL;
	*m = (struct filter_table_map){0};
	int rc = filter_table_memory(prog_fd, state, sizeof *m->state, 1, PROT_READ | PROT_WRITE, &s);
	m->state = s;
	if (rc == 0)
		rc = filter_table_memory(prog_fd, counts, sizeof *m->counts, TABLE_CPUS_MAX, PROT_READ, &c);
	m->counts = c;
	if (rc != 0)
		filter_table_close(m);
	return rc;
}

void
filter_table_close(struct filter_table_map *m)
{
	filter_table_unmap(m->state, sizeof *m->state);
	filter_table_unmap((void *)(uintptr_t)m->counts, sizeof *m->counts * TABLE_CPUS_MAX);
	*m = (struct filter_table_map){0};
}

static void
fill_prefix(struct table_prefix *out, const struct filter_prefix *p)
{
	uint8_t mask[16] = {0};
	for (unsigned i = 0; i < 128 && i < p->bits; i++)
		mask[i / 8] |= (uint8_t)(0x80u >> (i % 8));
	memcpy(out->mask, mask, sizeof mask);
	memcpy(out->want, p->address, sizeof p->address);
	out->want[0] &= out->mask[0];
	out->want[1] &= out->mask[1];
}

void
filter_table_fill(struct filter_table *t, const struct filter *f, uint16_t vxlan_port)
{
	t->any_port = f->ports == 0;
	t->any_vlan = f->vlans == 0;
	t->udp_tunnel = vxlan_port;
	t->prefixes = f->addresses;
	t->tunnels = f->tunnels;
	memset(t->port, 0, sizeof t->port);
	memset(t->vlan, 0, sizeof t->vlan);
	for (unsigned i = 0; i < f->ports && i < FILTER_PORTS_MAX; i++)
		t->port[f->port[i] / 64] |= 1ull << (f->port[i] % 64);
	for (unsigned i = 0; i < f->vlans && i < FILTER_VLANS_MAX; i++)
		t->vlan[f->vlan[i] / 64 % TABLE_VLAN_WORDS] |= 1ull << (f->vlan[i] % 64);
	for (unsigned i = 0; i < f->addresses && i < FILTER_ADDRESSES_MAX; i++)
		fill_prefix(&t->prefix[i], &f->address[i]);
	for (unsigned i = 0; i < f->tunnels && i < FILTER_TUNNELS_MAX; i++)
		fill_prefix(&t->tunnel[i], &f->tunnel[i]);
	t->ready = 1;
}

void
filter_table_set(struct filter_table_map *m, const struct filter *f, uint16_t vxlan_port)
{
	uint64_t active = __atomic_load_n(&m->state->active, __ATOMIC_RELAXED);
	struct filter_table *t = &m->state->table[(active + 1) & 1];
	uint64_t odd = t->seq | 1; /* odd already if somebody died here */
	__atomic_store_n(&t->seq, odd, __ATOMIC_RELAXED);
	atomic_thread_fence(memory_order_seq_cst);
	filter_table_fill(t, f, vxlan_port);
	__atomic_store_n(&t->seq, odd + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&m->state->active, active + 1, __ATOMIC_RELEASE);
}

static unsigned
read_bits(const unsigned long long *words, unsigned n, uint16_t *out, unsigned max)
{
	unsigned k = 0;
	for (unsigned i = 0; i < n && k < max; i++)
		if (words[i / 64] >> (i % 64) & 1)
			out[k++] = (uint16_t)i;
	return k;
}

static void
read_prefix(struct filter_prefix *out, const struct table_prefix *p)
{
	memcpy(out->address, p->want, sizeof p->want);
	out->bits = (uint8_t)(__builtin_popcountll(p->mask[0]) + __builtin_popcountll(p->mask[1]));
}

void
filter_table_get(const struct filter_table_map *m, struct filter *f)
{
	const struct filter_table *t = &m->state->table[__atomic_load_n(&m->state->active, __ATOMIC_ACQUIRE) & 1];
	memset(f, 0, sizeof *f);
	f->given = t->ready != 0;
	if (!t->any_port)
		f->ports = (uint8_t)read_bits(t->port, 65536, f->port, FILTER_PORTS_MAX);
	if (!t->any_vlan)
		f->vlans = (uint8_t)read_bits(t->vlan, 4096, f->vlan, FILTER_VLANS_MAX);
	f->addresses = (uint8_t)(t->prefixes < FILTER_ADDRESSES_MAX ? t->prefixes : FILTER_ADDRESSES_MAX);
	f->tunnels = (uint8_t)(t->tunnels < FILTER_TUNNELS_MAX ? t->tunnels : FILTER_TUNNELS_MAX);
	for (unsigned i = 0; i < f->addresses; i++)
		read_prefix(&f->address[i], &t->prefix[i]);
	for (unsigned i = 0; i < f->tunnels; i++)
		read_prefix(&f->tunnel[i], &t->tunnel[i]);
}

void
filter_table_counts(const struct filter_table_map *m, uint64_t out[STEER_COUNT])
{
	memset(out, 0, STEER_COUNT * sizeof out[0]);
	for (unsigned cpu = 0; cpu < TABLE_CPUS_MAX; cpu++)
		for (unsigned i = 0; i < STEER_COUNT; i++)
			out[i] += __atomic_load_n(&m->counts[cpu].c[i], __ATOMIC_RELAXED);
}
