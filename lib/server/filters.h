/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_FILTERS_H
#define SMTPD_SERVER_FILTERS_H

/*
 * The filters that a program has added to a server, in order.
 */

#include <smtpd/filter.h>

/* All zero: none. */
struct smtpd_filters {
	struct smtpd_filter *list;
	size_t count;
};

/* Add a copy of FILTER.  Return 0, or -1 with errno EINVAL or ENOMEM. */
int smtpd__filters_add(
    struct smtpd_filters *f, const struct smtpd_filter *filter);

/* Free what F holds. */
void smtpd__filters_finish(struct smtpd_filters *f);

#endif
