/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_THREAD_H
#define SMTPD_OS_THREAD_H

/*
 * The threads of the library: they run no signal handler of the program, bear a
 * name, and have the stack that they were promised.
 */

#include <pthread.h>
#include <stddef.h>

/* The least stack that the system makes a thread with. */
size_t smtpd__thread_stack_min(void);

/*
 * Run RUN with ARG on a new thread, with at least STACK_SIZE bytes of stack (0:
 * the system's default) beside what the C library takes out of it for the
 * static thread data of the program.  All signals are blocked there, but those
 * that a fault of the thread itself raises, and SIGPROF.  Return 0 or an errno
 * value.
 */
int smtpd__thread_start(
    pthread_t *thread, size_t stack_size, void *(*run)(void *), void *arg);

/* Let the calling thread be called NAME, at most 15 bytes. */
void smtpd__thread_set_name(const char *name);

#endif
