/* SPDX-License-Identifier: MIT */
#ifndef DKIM_KEYS_H
#define DKIM_KEYS_H

/*
 * The keys of --dkim: read at the start, on SIGHUP and when a file has changed,
 * and compared with the DNS by --check.
 */

#include <stdbool.h>
#include <stddef.h>

#include <smtpd/dkim.h>

#include "file_stamp.h"
#include "log.h"
#include "text_list.h"

struct dkim_keys {
	/* For the caller to set.  They outlive this. */
	struct log *log;
	const struct text_list *specs; /* each DOMAIN:SELECTOR:KEYFILE */
	const char *fields;            /* NULL: the library's */
	bool subdomains;

	struct smtpd_dkim *dkim;   /* NULL: there are no keys */
	struct file_stamp *stamps; /* of their files */
};

/* Room for a domain and a selector with their NULs. */
#define DKIM_NAMES_SIZE 512

/* The parts of SPEC; the first two are copied to NAMES. */
struct dkim_spec {
	char names[DKIM_NAMES_SIZE];
	const char *domain;
	const char *selector;
	const char *file; /* points into SPEC */
};

/* Divide SPEC, "DOMAIN:SELECTOR:KEYFILE".  Return 0, or -1 when it is none. */
int dkim_keys_divide(const char *spec, struct dkim_spec *out);

/* Read all keys, with a warning in the log of each that others may read.
 * Return 0, or an exit status with the reason in WHY of SIZE bytes. */
int dkim_keys_load(struct dkim_keys *k, char *why, size_t size);

/* Read all keys again.  Return true if they are others now; if one cannot be
 * read the old ones stay in use, with a warning in the log. */
bool dkim_keys_reload(struct dkim_keys *k);

/* The same if one of their files was changed or replaced since they were read
 * last.  One that is written at that moment fails, and is read when it is
 * whole. */
bool dkim_keys_look(struct dkim_keys *k);

/* Ask the DNS for each key, and log an error for each that it does not have,
 * which keeps nothing from starting.  Return 0, or EX_CONFIG. */
int dkim_keys_check(
    const struct dkim_keys *k, const struct smtpd_resolver_settings *resolver);

/* Free what K holds. */
void dkim_keys_finish(struct dkim_keys *k);

#endif
