/* SPDX-License-Identifier: MIT */
#include "queue/control/tls_stats.h"

#include <string.h>

/* Fields of a line: its letter, and five behind tabs. */
#define FIELDS_MAX 6

/* Divide LINE at tabs, in place.  Return how many fields it has. */
static size_t
split_fields(char *line, char *fields[FIELDS_MAX])
{
	size_t n = 0;

	while (line != NULL && n < FIELDS_MAX) {
		fields[n++] = line;
		line = strchr(line, '\t');
		if (line != NULL)
			*line++ = '\0';
	}
	return n;
}

/* The domain, the kind of its policy, and sessions. */
static void
begin_domain(
    struct smtpd_control_output *a, char *fields[FIELDS_MAX], bool json)
{
	if (!json) {
		smtpd__control_output_format(a, "tls %s %s: %s good, %s failed",
		    fields[1], fields[2], fields[3], fields[4]);
		return;
	}
	smtpd__control_output_add(a, "{\"tls_domain\":");
	smtpd__control_output_json(a, fields[1]);
	smtpd__control_output_add(a, ",\"policy\":");
	smtpd__control_output_json(a, fields[2]);
	smtpd__control_output_format(a,
	    ",\"good\":%s,\"failed\":%s,\"failures\":[", fields[3], fields[4]);
}

static void
add_failure(struct smtpd_control_output *a, char *fields[FIELDS_MAX], bool json,
    bool first)
{
	if (!json) {
		smtpd__control_output_format(a, ", %s %s%s%s", fields[5],
		    fields[1], fields[2][0] != '\0' ? " at " : "", fields[2]);
		return;
	}
	smtpd__control_output_add(a, first ? "{\"type\":" : ",{\"type\":");
	smtpd__control_output_json(a, fields[1]);
	smtpd__control_output_add(a, ",\"host\":");
	smtpd__control_output_json(a, fields[2][0] != '\0' ? fields[2] : NULL);
	smtpd__control_output_format(a, ",\"count\":%s}", fields[5]);
}

void
smtpd__tls_stats_add(struct smtpd_control_output *answer, char *text, bool json)
{
	const char *end = json ? "]}\n" : "\n";
	bool begun = false, first = true;

	for (char *line = text, *next; line != NULL && *line != '\0';
	    line = next) {
		char *fields[FIELDS_MAX];
		size_t n;

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		n = *line == 'P' ? 0 : split_fields(line, fields);
		if (n == 5) {
			if (begun)
				smtpd__control_output_add(answer, end);
			begin_domain(answer, fields, json);
			begun = first = true;
		} else if (n == 6 && begun) {
			add_failure(answer, fields, json, first);
			first = false;
		}
	}
	if (begun)
		smtpd__control_output_add(answer, end);
}
