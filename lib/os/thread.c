/* SPDX-License-Identifier: MIT */
#include "os/thread.h"

#include <limits.h>
#include <link.h>
#include <signal.h>
#include <unistd.h>

/* What lies between the stack and the thread data: the C library's own. */
#define THREAD_SLACK 16384

/* A frame may be larger than a page: it shall not step over the guard. */
#define GUARD_SIZE 65536

size_t
smtpd__thread_stack_min(void)
{
	long min = sysconf(_SC_THREAD_STACK_MIN);

	return min > PTHREAD_STACK_MIN ? (size_t)min
				       : (size_t)PTHREAD_STACK_MIN;
}

/* Add the thread data of one loaded object, with the space to align it. */
static int
add_thread_data(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t *sum = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_TLS)
			*sum += (size_t)(info->dlpi_phdr[i].p_memsz +
			    info->dlpi_phdr[i].p_align);
	}
	return 0;
}

/* A stack that leaves SIZE bytes, in whole pages. */
static size_t
gross_size(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t data = 0;

	if (size < smtpd__thread_stack_min())
		size = smtpd__thread_stack_min();
	dl_iterate_phdr(add_thread_data, &data);
	return (size + data + THREAD_SLACK + page - 1) / page * page;
}

/* What a thread raises by itself must not be blocked: it would be killed
 * without the program's handler. */
static void
fill_mask(sigset_t *mask)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
		SIGSYS, SIGABRT, SIGPROF };

	sigfillset(mask);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(mask, own[i]);
}

/* A new thread inherits the mask of its maker. */
static int
create_blocked(pthread_t *thread, const pthread_attr_t *attr,
    void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int error;

	fill_mask(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(thread, attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int
smtpd__thread_start(
    pthread_t *thread, size_t stack_size, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	int error = pthread_attr_init(&attr);

	if (error != 0)
		return error;
	if (stack_size > 0)
		error =
		    pthread_attr_setstacksize(&attr, gross_size(stack_size));
	if (error == 0)
		error = pthread_attr_setguardsize(&attr, GUARD_SIZE);
	if (error == 0)
		error = create_blocked(thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	return error;
}

void
smtpd__thread_set_name(const char *name)
{
	pthread_setname_np(pthread_self(), name);
}
