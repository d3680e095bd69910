/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_NAME_TABLE_H
#define SMTPD_BASE_NAME_TABLE_H

/* Things by name.  A thing has a node in it. */

#include <stdint.h>

struct smtpd_named {
	struct smtpd_named *next;
	const char *name; /* the thing's own */
	uint32_t hash;
};

struct smtpd_name_table {
	struct smtpd_named **buckets;
	uint32_t size; /* a power of 2 */
	uint32_t count;
	uint32_t seed;
};

/* Begin an empty table; who does not know SEED cannot choose names that are
 * slow to find.  Return 0, or -1 without memory. */
int smtpd__name_table_init(struct smtpd_name_table *t, uint32_t seed);
void smtpd__name_table_finish(struct smtpd_name_table *t);

/* NULL: there is none. */
struct smtpd_named *smtpd__name_table_find(
    const struct smtpd_name_table *t, const char *name);

/* Add NODE, whose name is set and not in T. */
void smtpd__name_table_add(
    struct smtpd_name_table *t, struct smtpd_named *node);

/* Take out NODE, which is in T. */
void smtpd__name_table_remove(
    struct smtpd_name_table *t, struct smtpd_named *node);

#endif
