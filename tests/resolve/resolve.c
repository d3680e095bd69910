/* SPDX-License-Identifier: MIT */
/*
 * Resolve the domains of a zone that a file has, and compare.  README has the
 * form of the files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <smtpd/resolve.h>

#include "../unit/resolved.h"
#include "../unit/test.h"
#include "os/clock.h"
#include "zone.h"

/* Whatever takes longer than this waited for something it must not. */
#define LONG_MS 5000

static struct zone zone;

struct world {
	struct dns_server *server;
	struct smtpd_resolver *resolver;
	struct smtpd_targets *found; /* the last */
	unsigned asked;              /* questions that it took */
};

static void
set_up(struct world *w)
{
	struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.timeout_ms = zone_number(&zone, "timeout_ms", 400),
		.tries = zone_number(&zone, "tries", 1),
		.total_ms = 3000,
		.self_is_good = zone_number(&zone, "self_is_good", 0) != 0,
		.refuse_private = zone_number(&zone, "refuse_private", 0) != 0,
	};

	w->server = dns_server_start(zone_answer, &zone);
	settings.servers = dns_server_address(w->server);
	w->resolver = smtpd_resolver_create(&settings);
	assert_non_null(w->resolver);
}

/* Write the domain that TEXT begins with to OUT, \r, \n and \xff in it as
 * bytes, "" as nothing.  Return what follows it. */
static const char *
read_domain(const char *text, char *out)
{
	if (strncmp(text, "\"\" ", 3) == 0)
		text += 2;
	while (*text != ' ' && *text != '\0') {
		unsigned byte;

		if (sscanf(text, "\\x%2x", &byte) == 1) {
			*out++ = (char)byte;
			text += 4;
		} else if (*text == '\\') {
			*out++ = text[1] == 'n' ? '\n' : '\r';
			text += 2;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
	return text + (*text == ' ');
}

static void
compare(const struct zone_line *line, const char *want, const char *got)
{
	size_t len = strlen(want);
	bool begins = len > 0 && want[len - 1] == '*';

	if (begins ? strncmp(want, got, len - 1) != 0 : strcmp(want, got) != 0)
		fail_msg("%s:%d: %s %s, not %s", zone.path, line->number,
		    line->word, got, want);
}

/* "expect DOMAIN found ADDRESS...", or "later STATUS", or "never STATUS" */
static void
expect(struct world *w, const struct zone_line *line)
{
	char domain[sizeof(line->rest)], got[4096];
	const char *want = read_domain(line->rest, domain);
	unsigned before = dns_server_questions(w->server);
	uint64_t begin = smtpd__clock_ms();

	smtpd_targets_free(w->found);
	w->found = smtpd_resolve(w->resolver, domain, NULL);
	assert_non_null(w->found);
	w->asked = dns_server_questions(w->server) - before;
	compare(line, want, resolved_text(w->found, got, sizeof(got)));
	if (!resolved_is_sound(w->found, w->asked > 0))
		fail_msg(
		    "%s:%d: %s", zone.path, line->number, w->found->reason);
	assert_in_range(smtpd__clock_ms() - begin, 0, LONG_MS);
}

/* Write target N of what was found: its host, preference, and whether that is
 * authenticated. */
static void
write_target(const struct world *w, size_t n, char *out, size_t size)
{
	const struct smtpd_target *target;

	assert_in_range(n, 1, w->found->count);
	target = smtpd_targets_get(w->found, n - 1);
	snprintf(out, size, "%zu %u %s%s", n, target->preference, target->host,
	    target->authenticated ? " authenticated" : "");
}

/* Something about what was found last. */
static void
check_found(const struct world *w, const struct zone_line *line)
{
	const struct smtpd_targets *t = w->found;
	char got[400] = "";

	if (strcmp(line->word, "asked") == 0)
		snprintf(got, sizeof(got), "%u", w->asked);
	else if (strcmp(line->word, "count") == 0)
		snprintf(got, sizeof(got), "%zu", t->count);
	else if (strcmp(line->word, "ttl") == 0)
		snprintf(got, sizeof(got), "%u", (unsigned)t->ttl_s);
	else if (strcmp(line->word, "reason") == 0)
		snprintf(got, sizeof(got), "%s", t->reason);
	else if (strcmp(line->word, "by") == 0)
		snprintf(got, sizeof(got), "%s%s", t->mx ? "mx" : "address",
		    t->authenticated ? " authenticated" : "");
	else if (strcmp(line->word, "unanswered") == 0)
		snprintf(got, sizeof(got), "%d", t->unanswered);
	else if (strcmp(line->word, "target") == 0)
		write_target(
		    w, strtoul(line->rest, NULL, 10), got, sizeof(got));
	else
		fail_msg("%s:%d: no such step", zone.path, line->number);
	compare(line, line->rest, got);
}

static void
resolves_as_written(void **state)
{
	struct world w = { .found = NULL };

	(void)state;
	set_up(&w);
	for (size_t i = 0; i < zone.steps.count; i++) {
		const struct zone_line *line = &zone.steps.at[i];

		if (strcmp(line->word, "expect") == 0)
			expect(&w, line);
		else
			check_found(&w, line);
	}
	assert_non_null(w.found);
	smtpd_targets_free(w.found);
	smtpd_resolver_destroy(w.resolver);
	dns_server_stop(w.server);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolves_as_written),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: resolve FILE\n");
		return 1;
	}
	zone_read(&zone, argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
