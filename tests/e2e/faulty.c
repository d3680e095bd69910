/* SPDX-License-Identifier: MIT */
/* Loaded before the C library, this lets one call of a program fail: which one
 * and how, a test says in a page that both have mapped (see faults.py). */
#undef _FILE_OFFSET_BITS /* It would rename what is defined here. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct page {
	char call[32];
	atomic_int error;
	atomic_int countdown; /* 1: the next such call fails; 0: none does */
	atomic_int seen;
	atomic_int failed;
};

static struct page *page;

__attribute__((constructor)) static void
map_page(void)
{
	const char *path = getenv("FAULTS");
	long fd;
	void *p;

	if (path == NULL)
		return;
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		_exit(127);
	p = mmap(
	    NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
	if (p == MAP_FAILED)
		_exit(127);
	syscall(SYS_close, (int)fd);
	page = p;
}

/* Whether CALL is the one that fails, now. */
static bool
fails(const char *call)
{
	if (page == NULL || strcmp(page->call, call) != 0)
		return false;
	atomic_fetch_add(&page->seen, 1);
	if (atomic_load(&page->countdown) <= 0 ||
	    atomic_fetch_sub(&page->countdown, 1) != 1)
		return false;
	atomic_fetch_add(&page->failed, 1);
	errno = atomic_load(&page->error);
	return true;
}

/* A pipe has no disk behind it that could fail. */
static bool
write_fails(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && page != NULL &&
	    atomic_load(&page->error) != EINTR)
		return false;
	return fails("write");
}

/* AP has a mode where FLAGS make a file. */
static int
open_file(int dir, const char *path, int flags, va_list ap)
{
	bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
	mode_t mode = makes ? va_arg(ap, mode_t) : 0;

	if (fails("open"))
		return -1;
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
	va_list ap;
	int fd;

	va_start(ap, flags);
	fd = open_file(dir, path, flags, ap);
	va_end(ap);
	return fd;
}

int
open(const char *path, int flags, ...)
{
	va_list ap;
	int fd;

	va_start(ap, flags);
	fd = open_file(AT_FDCWD, path, flags, ap);
	va_end(ap);
	return fd;
}

ssize_t
read(int fd, void *buf, size_t size)
{
	return fails("read") ? -1 : syscall(SYS_read, fd, buf, size);
}

ssize_t
pread(int fd, void *buf, size_t size, off_t at)
{
	return fails("pread") ? -1 : syscall(SYS_pread64, fd, buf, size, at);
}

ssize_t
write(int fd, const void *buf, size_t size)
{
	return write_fails(fd) ? -1 : syscall(SYS_write, fd, buf, size);
}

ssize_t
writev(int fd, const struct iovec *parts, int n)
{
	return write_fails(fd) ? -1 : syscall(SYS_writev, fd, parts, n);
}

ssize_t
pwrite(int fd, const void *buf, size_t size, off_t at)
{
	return fails("pwrite") ? -1 : syscall(SYS_pwrite64, fd, buf, size, at);
}

int
fsync(int fd)
{
	return fails("sync") ? -1 : (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return fails("sync") ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int
ftruncate(int fd, off_t size)
{
	return fails("truncate") ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int
fallocate(int fd, int mode, off_t from, off_t size)
{
	if (fails("allocate"))
		return -1;
	return (int)syscall(SYS_fallocate, fd, mode, from, size);
}

int
posix_fallocate(int fd, off_t from, off_t size)
{
	if (fails("allocate"))
		return errno;
	return syscall(SYS_fallocate, fd, 0, from, size) == -1 ? errno : 0;
}

int
renameat2(
    int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (fails("rename"))
		return -1;
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return renameat2(from_dir, from, to_dir, to, 0);
}

int
rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	if (fails("link"))
		return -1;
	return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int
unlinkat(int dir, const char *path, int flags)
{
	if (fails("unlink"))
		return -1;
	return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int
unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int
mkdirat(int dir, const char *path, mode_t mode)
{
	if (fails("mkdir"))
		return -1;
	return (int)syscall(SYS_mkdirat, dir, path, mode);
}

int
mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int
socket(int domain, int type, int protocol)
{
	if (fails("socket"))
		return -1;
	return (int)syscall(SYS_socket, domain, type, protocol);
}

int
connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t size)
{
	if (fails("connect"))
		return -1;
	return (int)syscall(SYS_connect, fd, to.__sockaddr__, size);
}

int
accept4(int fd, __SOCKADDR_ARG peer, socklen_t *size, int flags)
{
	if (fails("accept"))
		return -1;
	return (int)syscall(SYS_accept4, fd, peer.__sockaddr__, size, flags);
}

ssize_t
recv(int fd, void *buf, size_t size, int flags)
{
	if (fails("recv"))
		return -1;
	return syscall(SYS_recvfrom, fd, buf, size, flags, NULL, NULL);
}

ssize_t
send(int fd, const void *buf, size_t size, int flags)
{
	if (fails("send"))
		return -1;
	return syscall(SYS_sendto, fd, buf, size, flags, NULL, 0);
}

int
poll(struct pollfd *fds, nfds_t n, int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	if (fails("poll"))
		return -1;
	return (int)syscall(SYS_ppoll, fds, n, ms < 0 ? NULL : &time, NULL, 0);
}

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
    struct addrinfo **found)
{
	int (*next)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);

	*(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
	return fails("getaddrinfo") ? EAI_SYSTEM
				    : next(name, service, hints, found);
}

int
pthread_create(
    pthread_t *id, const pthread_attr_t *attr, void *(*run)(void *), void *data)
{
	int (*next)(
	    pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	*(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
	return fails("thread") ? errno : next(id, attr, run, data);
}

/* By their second name, which programs for large files call them by. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int dir, const char *path, int flags, ...)
    __attribute__((alias("openat")));
ssize_t pread64(int fd, void *buf, size_t size, off_t at)
    __attribute__((alias("pread")));
ssize_t pwrite64(int fd, const void *buf, size_t size, off_t at)
    __attribute__((alias("pwrite")));
int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off_t from, off_t size)
    __attribute__((alias("fallocate")));
int posix_fallocate64(int fd, off_t from, off_t size)
    __attribute__((alias("posix_fallocate")));

/* A sanitizer has an allocator of its own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

void *
malloc(size_t size)
{
	return fails("memory") ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails("memory") ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	return fails("memory") ? NULL : __libc_realloc(p, size);
}
#endif
