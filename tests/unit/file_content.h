/* SPDX-License-Identifier: MIT */
#ifndef UNIT_FILE_CONTENT_H
#define UNIT_FILE_CONTENT_H

/* A large content that is read from a file of the test's. */

#include "journal/content.h"

struct file_content {
	struct smtpd_content_reader reader;
	struct smtpd_journal journal;
	int fd;
};

/* Have C read from FD, which stays the caller's. */
void file_content_init(struct file_content *c, int fd);

#endif
