/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_POLICY_STS_FILE_H
#define SMTPD_POLICY_STS_FILE_H

/*
 * Policies of MTA-STS in a directory, a file for each domain, so that they
 * outlive the process: whoever keeps us from fetching one anew while we start
 * must not win by that.  A file is replaced as a whole.  doc/queue-format.md
 * has its form.
 */

#include <stddef.h>
#include <stdint.h>

#include "grammar/sts_policy.h"
#include "grammar/sts_record.h"

struct smtpd_sts_stored {
	char id[SMTPD_STS_ID_SIZE];
	uint64_t fetched_s; /* since 1970 */
	const char *text;
	size_t len;
};

/* Open DIRECTORY, which is made when it is not there.  Return its descriptor,
 * or -1 with errno. */
int smtpd__sts_file_open(const char *directory);

/* Call EACH for each policy in directory FD; files that are none, or are half
 * written, are removed.  What cannot be read now is left alone: it may be a
 * policy. */
void smtpd__sts_file_read_all(int fd,
    void (*each)(
	void *user, const char *domain, const struct smtpd_sts_stored *stored),
    void *user);

/* Write the policy of DOMAIN, which is normalised; return 0 when it is durable,
 * or -1 with errno, and the one before is there still.  One thread at a time.
 */
int smtpd__sts_file_write(
    int fd, const char *domain, const struct smtpd_sts_stored *stored);

void smtpd__sts_file_remove(int fd, const char *domain);

#endif
