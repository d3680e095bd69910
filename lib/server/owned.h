/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_OWNED_H
#define SMTPD_SERVER_OWNED_H

/*
 * Data of the program that a server, a session or a transaction keeps, with
 * the function that gets rid of it.
 */

/* All zero: nothing is kept. */
struct smtpd_owned {
	void *data;
	void (*destroy)(void *); /* NULL: nothing is to be done */
};

/* Destroy what is kept, and keep DATA instead. */
void smtpd__owned_set(
    struct smtpd_owned *own, void *data, void (*destroy)(void *));

/* Destroy what is kept. */
void smtpd__owned_clear(struct smtpd_owned *own);

#endif
