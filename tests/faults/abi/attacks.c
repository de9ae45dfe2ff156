/* SPDX-License-Identifier: BSD-3-Clause */
#include "attacks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096u
#define SHARED_VALIDATE 0x03

static uint8_t poison[PAGE];

static bool
mapped(void *map, size_t bytes)
{
	if (map == MAP_FAILED)
		return false;
	munmap(map, bytes);
	return true;
}

static bool
maps_writable(int fd, size_t bytes, int prot, int flags)
{
	return mapped(mmap(NULL, bytes, prot, flags, fd, 0), bytes);
}

static bool
mmap_rw(const struct target *t)
{
	return maps_writable(t->fd, t->bytes, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static bool
mmap_w(const struct target *t)
{
	return maps_writable(t->fd, PAGE, PROT_WRITE, MAP_SHARED);
}

static bool
mmap_rwx(const struct target *t)
{
	return maps_writable(t->fd, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED);
}

static bool
mmap_validate(const struct target *t)
{
	return maps_writable(t->fd, PAGE, PROT_READ | PROT_WRITE, SHARED_VALIDATE);
}

static bool
mprotect_made_writable(const struct target *t, int first_prot)
{
	void *map = mmap(NULL, t->bytes, first_prot, MAP_SHARED, t->fd, 0);
	if (map == MAP_FAILED)
		return false;
	bool bad = mprotect(map, t->bytes, PROT_READ | PROT_WRITE) == 0 || mprotect(map, PAGE, PROT_WRITE) == 0;
	munmap(map, t->bytes);
	return bad;
}

static bool
mprotect_read(const struct target *t)
{
	return mprotect_made_writable(t, PROT_READ);
}

static bool
mprotect_none(const struct target *t)
{
	return mprotect_made_writable(t, PROT_NONE);
}

static bool
pkey_mprotect_read(const struct target *t)
{
	return syscall(SYS_pkey_mprotect, t->map, PAGE, PROT_READ | PROT_WRITE, -1) == 0;
}

/* A second mapping of the same pages, out of the first one (old size 0), and a grown one. */
static bool
mremap_copy(const struct target *t)
{
	void *map = mremap(t->map, 0, t->bytes, MREMAP_MAYMOVE);
	if (map == MAP_FAILED)
		return false;
	bool bad = mprotect(map, PAGE, PROT_READ | PROT_WRITE) == 0;
	munmap(map, t->bytes);
	return bad;
}

static bool
mremap_grown(const struct target *t)
{
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, t->fd, 0);
	if (map == MAP_FAILED)
		return false;
	void *grown = mremap(map, PAGE, t->bytes, MREMAP_MAYMOVE);
	if (grown == MAP_FAILED) {
		munmap(map, PAGE);
		return false;
	}
	bool bad = mprotect(grown, t->bytes, PROT_READ | PROT_WRITE) == 0;
	munmap(grown, t->bytes);
	return bad;
}

static bool
remap_pages(const struct target *t)
{
	void *map = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, t->fd, 0);
	if (map == MAP_FAILED)
		return false;
	syscall(SYS_remap_file_pages, map, PAGE, 0, 1, 0);
	bool bad = mprotect(map, PAGE, PROT_READ | PROT_WRITE) == 0;
	munmap(map, 2 * PAGE);
	return bad;
}

static bool
write_at(int fd)
{
	struct iovec iov = {poison, sizeof poison};
	bool bad = pwrite(fd, poison, sizeof poison, 0) > 0;
	bad |= pwritev(fd, &iov, 1, 0) > 0;
	bad |= pwritev2(fd, &iov, 1, 0, 0) > 0;
	if (lseek(fd, 0, SEEK_SET) == 0)
		bad |= write(fd, poison, sizeof poison) > 0 || writev(fd, &iov, 1) > 0;
	return bad;
}

static bool
write_calls(const struct target *t)
{
	return write_at(t->fd);
}

static bool
write_appends(const struct target *t)
{
	int flags = fcntl(t->fd, F_GETFL);
	fcntl(t->fd, F_SETFL, flags | O_APPEND);
	bool bad = write(t->fd, poison, 1) > 0;
	fcntl(t->fd, F_SETFL, flags);
	return bad;
}

static bool
reopened(const struct target *t, int flags)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", t->fd);
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool bad = write_at(fd) || maps_writable(fd, t->bytes, PROT_READ | PROT_WRITE, MAP_SHARED) ||
		ftruncate(fd, 0) == 0;
	close(fd);
	return bad;
}

static bool
reopen_rdwr(const struct target *t)
{
	return reopened(t, O_RDWR);
}

static bool
reopen_wronly(const struct target *t)
{
	return reopened(t, O_WRONLY);
}

static bool
reopen_trunc(const struct target *t)
{
	return reopened(t, O_RDWR | O_TRUNC);
}

/* The mapping as a file. */
static bool
reopen_map_files(const struct target *t)
{
	char path[96];
	snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", (unsigned long)t->map, (unsigned long)t->map + t->bytes);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool bad = write_at(fd) || maps_writable(fd, t->bytes, PROT_READ | PROT_WRITE, MAP_SHARED);
	close(fd);
	return bad;
}

/* FOLL_FORCE: what a debugger writes with, which overrules PROT_READ on private mappings. */
static bool
proc_self_mem(const struct target *t)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool bad = pwrite(fd, poison, 64, (off_t)(uintptr_t)t->map) > 0;
	close(fd);
	return bad;
}

static bool
vm_writev(const struct target *t)
{
	struct iovec from = {poison, 64}, to = {t->map, 64};
	return process_vm_writev(getpid(), &from, 1, &to, 1, 0) > 0;
}

/* The kernel as the one who writes: read(2) into the mapping. */
static bool
read_into(const struct target *t)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0 || write(ends[1], poison, 64) != 64)
		return true;
	bool bad = read(ends[0], t->map, 64) > 0;
	close(ends[0]);
	close(ends[1]);
	return bad;
}

static bool
size_changes(const struct target *t)
{
	const off_t sizes[] = {0, 1, PAGE, (off_t)t->bytes - 1, (off_t)t->bytes + 1, (off_t)t->bytes * 2};
	char path[64];
	bool bad = false;
	snprintf(path, sizeof path, "/proc/self/fd/%d", t->fd);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		if (sizes[i] == (off_t)t->bytes)
			continue;
		bad |= ftruncate(t->fd, sizes[i]) == 0;
		bad |= truncate(path, sizes[i]) == 0;
	}
	bad |= fallocate(t->fd, 0, 0, (off_t)t->bytes + 1) == 0;
	bad |= fallocate(t->fd, 0, (off_t)t->bytes, PAGE) == 0;
	bad |= fallocate(t->fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE) == 0;
	bad |= fallocate(t->fd, FALLOC_FL_INSERT_RANGE, 0, PAGE) == 0;
	struct stat st;
	return bad || fstat(t->fd, &st) != 0 || st.st_size != (off_t)t->bytes;
}

static bool
punches(const struct target *t)
{
	bool bad = fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE) == 0;
	bad |= fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8, 8) == 0;
	bad |= fallocate(t->fd, FALLOC_FL_ZERO_RANGE, 0, PAGE) == 0;
	bad |= fallocate(t->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, (off_t)t->bytes) == 0;
	return bad;
}

static bool
madvise_remove(const struct target *t)
{
	bool bad = madvise(t->map, PAGE, MADV_REMOVE) == 0;
	void *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
	if (shared != MAP_FAILED) {
		bad |= madvise(shared, PAGE, MADV_REMOVE) == 0;
		munmap(shared, PAGE);
	}
	void *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, t->fd, 0);
	if (own != MAP_FAILED) {
		bad |= madvise(own, PAGE, MADV_REMOVE) == 0;
		munmap(own, PAGE);
	}
	return bad;
}

/* Allowed, and must leave the file alone: the caller compares. */
static bool
advice(const struct target *t)
{
	madvise(t->map, t->bytes, MADV_DONTNEED);
	madvise(t->map, t->bytes, MADV_FREE);
	madvise(t->map, t->bytes, 21); /* MADV_PAGEOUT */
	posix_fadvise(t->fd, 0, 0, POSIX_FADV_DONTNEED);
	return madvise(t->map, PAGE, 23) == 0; /* MADV_POPULATE_WRITE */
}

static bool
private_copy(const struct target *t)
{
	uint8_t *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, t->fd, 0);
	if (own == MAP_FAILED)
		return false;
	memset(own, 0x5a, PAGE);
	msync(own, PAGE, MS_SYNC);
	munmap(own, PAGE);
	return false; /* the caller compares */
}

static bool
adds_seals(const struct target *t)
{
	static const int seals[] = {F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_FUTURE_WRITE, 0};
	bool bad = false;
	for (size_t i = 0; i < sizeof seals / sizeof seals[0]; i++)
		bad |= fcntl(t->fd, F_ADD_SEALS, seals[i]) == 0;
	return bad;
}

static int
source_file(void)
{
	int fd = memfd_create("source", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, poison, sizeof poison) != sizeof poison) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool
copies_into(const struct target *t)
{
	int from = source_file();
	off_t off = 0, to = 0;
	lseek(t->fd, 0, SEEK_SET);
	bool bad = sendfile(t->fd, from, &off, 64) > 0;
	off = 0;
	bad |= copy_file_range(from, &off, t->fd, &to, 64, 0) > 0;
	close(from);
	return bad;
}

static bool
splices_into(const struct target *t)
{
	int ends[2];
	off_t to = 0;
	if (pipe2(ends, O_CLOEXEC) != 0 || write(ends[1], poison, 64) != 64)
		return true;
	bool bad = splice(ends[0], NULL, t->fd, &to, 64, SPLICE_F_MOVE) > 0;
	close(ends[0]);
	close(ends[1]);
	return bad;
}

/* The file's own page in a pipe, and bytes written behind it: they must not land in the page. */
static bool
dirty_pipe(const struct target *t)
{
	int ends[2];
	off_t from = 0;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return true;
	for (unsigned i = 0; i < 16; i++) {
		if (write(ends[1], poison, PAGE) != PAGE || read(ends[0], poison, PAGE) != PAGE)
			break;
	}
	if (splice(t->fd, &from, ends[1], NULL, 1, 0) == 1 && write(ends[1], poison, 64) != 64)
		fprintf(stderr, "pipe full\n");
	struct iovec iov = {t->map, PAGE};
	vmsplice(ends[1], &iov, 1, SPLICE_F_GIFT | SPLICE_F_NONBLOCK);
	close(ends[0]);
	close(ends[1]);
	return false; /* the caller compares */
}

const struct attack attacks_oneway[] = {
	{"mmap shared, read-write", mmap_rw},
	{"mmap shared, write only", mmap_w},
	{"mmap shared, read-write-execute", mmap_rwx},
	{"mmap shared-validate, read-write", mmap_validate},
	{"mprotect of a read-only mapping", mprotect_read},
	{"mprotect of a mapping without rights", mprotect_none},
	{"pkey_mprotect", pkey_mprotect_read},
	{"mremap to a second mapping, mprotect", mremap_copy},
	{"mremap to a larger mapping, mprotect", mremap_grown},
	{"remap_file_pages, mprotect", remap_pages},
	{"write, writev, pwrite, pwritev, pwritev2", write_calls},
	{"write with O_APPEND", write_appends},
	{"reopen /proc/self/fd read-write; write, mmap, ftruncate", reopen_rdwr},
	{"reopen /proc/self/fd write-only; write, mmap, ftruncate", reopen_wronly},
	{"reopen /proc/self/fd with O_TRUNC", reopen_trunc},
	{"reopen /proc/self/map_files read-write; write, mmap", reopen_map_files, true}, /* takes a capability */
	{"write through /proc/self/mem", proc_self_mem, true},
	{"process_vm_writev to itself", vm_writev, true},
	{"read(2) into the mapping", read_into, true},
	{"ftruncate, truncate, fallocate: shrink and grow", size_changes},
	{"fallocate: punch, zero", punches},
	{"madvise MADV_REMOVE, shared and private", madvise_remove},
	{"madvise DONTNEED, FREE, PAGEOUT, POPULATE_WRITE; fadvise", advice, true},
	{"private mapping written", private_copy, true},
	{"F_ADD_SEALS", adds_seals},
	{"sendfile, copy_file_range into it", copies_into},
	{"splice into it", splices_into},
	{"splice its page out and write behind it", dirty_pipe, true},
};
const unsigned attacks_oneway_n = sizeof attacks_oneway / sizeof attacks_oneway[0];

const struct attack attacks_size[] = {
	{"ftruncate, truncate, fallocate: shrink and grow", size_changes},
	{"F_ADD_SEALS", adds_seals},
};
const unsigned attacks_size_n = sizeof attacks_size / sizeof attacks_size[0];
