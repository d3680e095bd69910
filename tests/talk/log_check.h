/* SPDX-License-Identifier: MIT */
#ifndef TALK_LOG_CHECK_H
#define TALK_LOG_CHECK_H

/* Whether a line of the server's log can be read back into its fields. */

/* What is wrong with LINE; NULL: nothing. */
const char *log_check(const char *line);

#endif
