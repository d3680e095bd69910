/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OS_FD_H
#define SMTPD_OS_FD_H

/* What is done with descriptors of all kinds. */

/* Close FD, unless it is negative, and leave errno as it is. */
void smtpd__fd_close(int fd);

/* Let FD not block, and be closed on exec.  Return 0, or -1 with errno. */
int smtpd__fd_prepare(int fd);

#endif
