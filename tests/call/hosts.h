/* SPDX-License-Identifier: MIT */
#ifndef CALL_HOSTS_H
#define CALL_HOSTS_H

/* The hosts of a file, mx1.example and up: scripted peers at one port. */

#include "../unit/scripted.h"
#include "script.h"

struct call_hosts {
	struct scripted peers[CALL_HOSTS];
	struct smtpd_target list[CALL_HOSTS];
	size_t count;
};

/* Start as many as S sets, or OTHERWISE; CANCEL is what they may trigger. */
void call_hosts_start(struct call_hosts *h, const struct call_script *s,
    size_t otherwise, struct smtpd_cancel *cancel);

/* End them, and fail the test if one heard something else than it should. */
void call_hosts_finish(struct call_hosts *h);

/* Compare LINE with what came to the hosts that are finished.  Return false if
 * it is about something else. */
bool call_hosts_check(const struct call_hosts *h, const struct call_script *s,
    const struct call_line *line);

#endif
