/* SPDX-License-Identifier: MIT */

/* Reads the case that its argument names, as README says. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "grammar/sts_policy.h"
#include "grammar/sts_record.h"
#include "grammar/tlsrpt_record.h"

#define LINE_SIZE 1024

struct sts_case {
	const char *path;
	unsigned line;
	bool failed;
	char text[2 * SMTPD_STS_POLICY_MAX];
	struct smtpd_text policy;
	char id[LINE_SIZE];
	size_t ids;
	char rua[8 * LINE_SIZE];
	size_t ruas;
};

static void
expect(struct sts_case *c, const char *wanted, const char *found)
{
	if (strcmp(wanted, found) == 0)
		return;
	fprintf(stderr, "%s:%u: wanted %s, found %s\n", c->path, c->line,
	    wanted, found);
	c->failed = true;
}

/* Undo what README says of bytes, in place.  Return the length. */
static size_t
unescape(char *s)
{
	char *to = s;
	const char *at = s;

	while (*at != '\0') {
		char digits[3] = { 0 };

		if (*at != '\\') {
			*to++ = *at++;
			continue;
		}
		switch (at[1]) {
		case 't':
			*to++ = '\t';
			break;
		case 'r':
			*to++ = '\r';
			break;
		case 'n':
			*to++ = '\n';
			break;
		default:
			memcpy(digits, at + 2, 2);
			*to++ = (char)strtoul(digits, NULL, 16);
			at += 2;
		}
		at += 2;
	}
	return (size_t)(to - s);
}

static void
add_line(struct sts_case *c, char *s, const char *end)
{
	unsigned long times = 1;
	size_t len;

	if (*s == '*') {
		times = strtoul(s + 1, &s, 10);
		s++;
	}
	len = unescape(s);
	while (times-- > 0) {
		smtpd__text_bytes(&c->policy, s, len);
		smtpd__text_add(&c->policy, end);
	}
}

static void
add_sts_record(struct sts_case *c, char *s)
{
	char id[SMTPD_STS_ID_SIZE];
	const size_t len = unescape(s);

	if (!smtpd__sts_record_is(s, len))
		return;
	if (smtpd__sts_record_read(s, len, id) == -1 || ++c->ids > 1)
		snprintf(c->id, sizeof(c->id), "none");
	else
		snprintf(c->id, sizeof(c->id), "%s", id);
}

static void
add_tlsrpt_record(struct sts_case *c, char *s)
{
	struct smtpd_tlsrpt_record record;
	const size_t len = unescape(s);
	struct smtpd_text t;

	if (!smtpd__tlsrpt_record_is(s, len))
		return;
	smtpd__text_init(&t, c->rua, sizeof(c->rua));
	if (smtpd__tlsrpt_record_read(s, len, &record) == -1 || ++c->ruas > 1) {
		smtpd__text_add(&t, "none");
		return;
	}
	for (size_t i = 0; i < record.count; i++)
		smtpd__text_format(&t, "%s%s%s", i > 0 ? " " : "",
		    record.rua[i].https ? "" : "mailto:", record.rua[i].to);
}

static void
check_policy(struct sts_case *c, const char *wanted)
{
	struct smtpd_sts_policy p;
	char found[LINE_SIZE];
	const char *fault =
	    smtpd__sts_policy_read(c->policy.at, c->policy.len, &p);

	if (fault != NULL)
		snprintf(found, sizeof(found), "invalid");
	else
		snprintf(found, sizeof(found), "%s %lu",
		    smtpd__sts_policy_word(p.mode), (unsigned long)p.max_age_s);
	expect(c, wanted, found);
}

static void
check_host(struct sts_case *c, const char *host, bool wanted)
{
	struct smtpd_sts_policy p;

	smtpd__sts_policy_read(c->policy.at, c->policy.len, &p);
	expect(c, wanted ? "allowed" : "not allowed",
	    smtpd__sts_policy_allows(&p, host) ? "allowed" : "not allowed");
}

static void
run_line(struct sts_case *c, char *s)
{
	char *rest = s[0] != '\0' && s[1] == ' ' ? s + 2 : s + 1;

	if (strncmp(s, "= id ", 5) == 0)
		expect(c, s + 5, c->id);
	else if (strncmp(s, "= rua ", 6) == 0)
		expect(c, s + 6, c->rua);
	else if (*s == '=')
		check_policy(c, rest);
	else if (*s == 'T')
		add_sts_record(c, rest);
	else if (*s == 'R')
		add_tlsrpt_record(c, rest);
	else if (*s == 'P' || *s == 'L' || *s == 'E')
		add_line(c, rest, *s == 'P' ? "\r\n" : *s == 'L' ? "\n" : "");
	else if (*s == '+' || *s == '-')
		check_host(c, rest, *s == '+');
	else if (*s != '#' && *s != '\0')
		expect(c, "a line as README has it", s);
}

int
main(int argc, char **argv)
{
	static struct sts_case c = { .id = "none", .rua = "none" };
	char line[LINE_SIZE];
	FILE *file;

	if (argc != 2 || (file = fopen(argv[1], "r")) == NULL) {
		fprintf(stderr, "usage: sts CASE\n");
		return 2;
	}
	c.path = argv[1];
	smtpd__text_init(&c.policy, c.text, sizeof(c.text));
	while (fgets(line, sizeof(line), file) != NULL) {
		c.line++;
		line[strcspn(line, "\n")] = '\0';
		run_line(&c, line);
	}
	fclose(file);
	return c.failed;
}
