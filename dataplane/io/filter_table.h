/* SPDX-License-Identifier: BSD-3-Clause */
/* filter_table: the memory that a BPF program of io/bpf shares with this process: its filter and its counters, mapped once; afterwards a
 * change is stores and a reading is loads, without a system call. One thread changes a filter. */
#ifndef IO_FILTER_TABLE_H
#define IO_FILTER_TABLE_H

#include "io/bpf/table.h"
#include "worker/filter.h"

#include <stddef.h>
#include <stdint.h>

struct filter_table_map {
	struct table_state *state;	   /* NULL: not mapped */
	const struct table_counts *counts; /* TABLE_CPUS_MAX of them */
};

/* filter_table_open maps the maps `state` and `counts` of a loaded program. 0 or -errno (-ENOENT: it has no such maps, or of another size: the
 * program of another version). */
int filter_table_open(struct filter_table_map *m, int prog_fd, const char *state, const char *counts);
void filter_table_close(struct filter_table_map *m);

/* filter_table_memory maps one more array of the program's into *out, filter_table_unmap gives such memory back (NULL: none). */
int filter_table_memory(int prog_fd, const char *name, uint32_t value_bytes, uint32_t entries, int protection, void **out);
void filter_table_unmap(void *memory, size_t bytes);

/* filter_table_fill writes a filter in the form that programs read. vxlan_port: as the profile's, 0 = none. Not seq. */
void filter_table_fill(struct filter_table *t, const struct filter *f, uint16_t vxlan_port);

/* filter_table_set makes *f the filter, at once and whole for every frame that is judged from now on. */
void filter_table_set(struct filter_table_map *m, const struct filter *f, uint16_t vxlan_port);

/* filter_table_get reads back what judges; ports, addresses and vlans beyond the maxima of struct filter are left out (there are none but by
 * other hands). */
void filter_table_get(const struct filter_table_map *m, struct filter *f);

/* filter_table_counts adds up the CPUs' counters. */
void filter_table_counts(const struct filter_table_map *m, uint64_t out[STEER_COUNT]);

#endif
