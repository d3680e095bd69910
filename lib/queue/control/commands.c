/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "queue/control/commands.h"
#include "queue/control/text.h"

/* A part of an answer ends after so many messages, or octets. */
#define PART_MESSAGES 1000
#define PART_OCTETS   262144

/* And so much of a message. */
#define PART_CONTENT 1048576

/* What can be asked. */
struct verb {
	const char *name;
	int (*run)(struct smtpd_control_request *r);
	bool needs_argument;
	bool takes_argument;
	bool takes_json;
	bool in_parts;
	bool changes;
};

int
smtpd__control_request_fail(struct smtpd_control_request *r, int error,
    const char *reason, const char *what)
{
	snprintf(
	    r->end, r->size, "%s%s%s", what, *what != '\0' ? ": " : "", reason);
	return error;
}

int
smtpd__control_request_fail_errno(
    struct smtpd_control_request *r, int error, const char *what)
{
	return smtpd__control_request_fail(r, error, strerror(error), what);
}

struct smtpd_queued_message *
smtpd__control_request_find(struct smtpd_control_request *r)
{
	uint64_t id;

	if (smtpd__id_parse(r->argument, &id) == -1)
		return NULL;
	return smtpd__spool_find(r->spool, id);
}

int
smtpd__control_request_no_message(struct smtpd_control_request *r)
{
	return smtpd__control_request_fail(
	    r, ENOENT, "there is no such message", r->argument);
}

/* Have DESCRIBE tell of MESSAGE. */
static int
describe(struct smtpd_control_request *r,
    const struct smtpd_queued_message *message,
    void (*to)(
	struct smtpd_control_output *, const struct smtpd_control_snapshot *))
{
	struct smtpd_control_snapshot v;
	int error = 0;

	if (smtpd__control_snapshot_init(&v, r->spool, r->hooks, message) == 0)
		to(r->answer, &v);
	else
		error = smtpd__control_request_fail_errno(r, errno, "");
	smtpd__control_snapshot_finish(&v);
	return error;
}

static int
describe_one(struct smtpd_control_request *r,
    void (*to)(
	struct smtpd_control_output *, const struct smtpd_control_snapshot *))
{
	struct smtpd_queued_message *message = smtpd__control_request_find(r);
	int error;

	if (message == NULL)
		return smtpd__control_request_no_message(r);
	error = describe(r, message, to);
	smtpd__spool_unpin(r->spool, message);
	return error;
}

static int
run_show(struct smtpd_control_request *r)
{
	return describe_one(r,
	    r->json ? smtpd__control_json_message
		    : smtpd__control_text_message);
}

static int
run_why(struct smtpd_control_request *r)
{
	return describe_one(
	    r, r->json ? smtpd__control_json_why : smtpd__control_text_why);
}

/* Where a list goes on: what it has added up so far, and behind which id. */
struct list_place {
	struct smtpd_control_text_totals totals;
	uint64_t id;
};

/* Numbers in the text of a place, but for the id. */
#define PLACE_NUMBERS (2 + SMTPD_SNAPSHOT_DONE)

static uint64_t *
place_number(struct list_place *p, size_t i)
{
	if (i == 0)
		return &p->totals.messages;
	return i == 1 ? &p->totals.bytes : &p->totals.states[i - 2];
}

static void
write_place(struct smtpd_control_request *r, struct list_place *p)
{
	struct smtpd_text t;

	smtpd__text_init(&t, r->end, r->size);
	smtpd__text_add(&t, "@");
	smtpd__text_number(&t, p->id);
	for (size_t i = 0; i < PLACE_NUMBERS; i++) {
		smtpd__text_add(&t, ",");
		smtpd__text_number(&t, *place_number(p, i));
	}
}

static int
read_place(const char *text, struct list_place *p)
{
	char *end;

	memset(p, 0, sizeof(*p));
	if (text == NULL)
		return 0;
	p->id = strtoull(text + 1, &end, 10);
	for (size_t i = 0; i < PLACE_NUMBERS; i++) {
		if (*end != ',')
			return -1;
		*place_number(p, i) = strtoull(end + 1, &end, 10);
	}
	return *end == '\0' ? 0 : -1;
}

/* One message of a list, unless it is over. */
static int
list_one(struct smtpd_control_request *r,
    const struct smtpd_queued_message *message,
    struct smtpd_control_text_totals *totals)
{
	struct smtpd_control_snapshot v;
	int error = 0;

	if (smtpd__control_snapshot_init(&v, r->spool, r->hooks, message) ==
	    -1) {
		error = smtpd__control_request_fail_errno(r, errno, "");
	} else if (v.state != SMTPD_SNAPSHOT_DONE &&
	    (v.copy->flags & SMTPD_MESSAGE_REMOVED) == 0) {
		totals->messages++;
		totals->bytes += message->size;
		totals->states[v.state]++;
		if (r->json)
			smtpd__control_json_message(r->answer, &v);
		else
			smtpd__control_text_line(r->answer, &v);
	}
	smtpd__control_snapshot_finish(&v);
	return error;
}

static int
run_list(struct smtpd_control_request *r)
{
	struct list_place place;
	struct smtpd_queued_message *message;
	int error = 0;

	if (read_place(r->from, &place) == -1)
		return smtpd__control_request_fail(
		    r, EINVAL, "no place in a list", r->from);
	if (r->from == NULL && !r->json)
		smtpd__control_text_head(r->answer);
	for (int n = 0; error == 0 && !r->answer->failed; n++) {
		if (n == PART_MESSAGES || r->answer->total > PART_OCTETS) {
			write_place(r, &place);
			return 0;
		}
		message = smtpd__spool_next(r->spool, place.id);
		if (message == NULL)
			break;
		place.id = message->id;
		error = list_one(r, message, &place.totals);
		smtpd__spool_unpin(r->spool, message);
	}
	if (error == 0 && !r->json)
		smtpd__control_text_totals(r->answer, &place.totals);
	return error;
}

static int
run_ids(struct smtpd_control_request *r)
{
	uint64_t id = r->from != NULL ? strtoull(r->from + 1, NULL, 10) : 0;
	char text[SMTPD_ID_SIZE];

	for (int n = 0; n < PART_MESSAGES; n++) {
		struct smtpd_queued_message *message =
		    smtpd__spool_next(r->spool, id);

		if (message == NULL)
			return 0;
		id = message->id;
		smtpd__spool_unpin(r->spool, message);
		smtpd__id_write(id, text);
		smtpd__control_output_format(r->answer, "%s\n", text);
	}
	snprintf(r->end, r->size, "@%llu", (unsigned long long)id);
	return 0;
}

/* Write a part of LOADED that begins at OFFSET. */
static int
write_content(struct smtpd_control_request *r,
    const struct smtpd_loaded_message *loaded, uint64_t offset)
{
	uint64_t end = offset + PART_CONTENT;
	char buf[16384];
	ssize_t n = 0;

	while (offset < end && !r->answer->failed) {
		n = smtpd__loaded_message_read(
		    loaded, offset, buf, sizeof(buf));
		if (n <= 0)
			break;
		smtpd__control_output_bytes(r->answer, buf, (size_t)n);
		offset += (uint64_t)n;
	}
	if (n == -1)
		return smtpd__control_request_fail_errno(r, errno, r->argument);
	if (n > 0)
		snprintf(r->end, r->size, "@%llu", (unsigned long long)offset);
	return 0;
}

static int
run_cat(struct smtpd_control_request *r)
{
	uint64_t from = r->from != NULL ? strtoull(r->from + 1, NULL, 10) : 0;
	struct smtpd_queued_message *message = smtpd__control_request_find(r);
	struct smtpd_loaded_message loaded;
	int error;

	if (message == NULL)
		return smtpd__control_request_no_message(r);
	if (smtpd__spool_load(r->spool, message, &loaded) == 0) {
		error = write_content(r, &loaded, from);
		smtpd__loaded_message_finish(&loaded);
	} else {
		error =
		    smtpd__control_request_fail_errno(r, errno, r->argument);
	}
	smtpd__spool_unpin(r->spool, message);
	return error;
}

static int
hand_on_damage(void *user, const void *data, size_t len)
{
	struct smtpd_control_output *a = user;
	const char *line = data;

	/* A line may name what stands in a damaged record. */
	for (size_t at = 0; at < len;) {
		const char *end = memchr(line + at, '\n', len - at);
		size_t n = end != NULL ? (size_t)(end - line) - at : len - at;

		smtpd__control_output_shown(a, line + at, n);
		if (end != NULL)
			smtpd__control_output_add(a, "\n");
		at += n + (end != NULL);
	}
	return smtpd__control_output_end(a);
}

static int
run_check(struct smtpd_control_request *r)
{
	struct smtpd_spool_damage damage;

	if (smtpd__spool_check(r->spool, &damage, hand_on_damage, r->answer) ==
	    -1)
		return smtpd__control_request_fail_errno(
		    r, errno, "the check was broken off");
	smtpd__control_output_format(r->answer,
	    "%llu messages whole, %llu damaged, %llu in quarantine\n",
	    (unsigned long long)damage.messages,
	    (unsigned long long)damage.damaged,
	    (unsigned long long)damage.quarantine);
	return damage.damaged == 0
	    ? 0
	    : smtpd__control_request_fail(r, EBADMSG, "there is damage", "");
}

static const struct verb verbs[] = {
	{ .name = "list", run_list, .takes_json = true, .in_parts = true },
	{ .name = "ids", run_ids, .in_parts = true },
	{ .name = "show",
	    run_show,
	    .needs_argument = true,
	    .takes_json = true },
	{ .name = "cat", run_cat, .needs_argument = true, .in_parts = true },
	{ .name = "why", run_why, .needs_argument = true, .takes_json = true },
	{ .name = "flush",
	    smtpd__control_change_flush,
	    .takes_argument = true,
	    .changes = true },
	{ .name = "hold",
	    smtpd__control_change_hold,
	    .needs_argument = true,
	    .changes = true },
	{ .name = "release",
	    smtpd__control_change_release,
	    .needs_argument = true,
	    .changes = true },
	{ .name = "remove",
	    smtpd__control_change_remove,
	    .needs_argument = true,
	    .changes = true },
	{ .name = "check", run_check },
};

static const struct verb *
find_verb(const char *word)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, word) == 0)
			return &verbs[i];
	return NULL;
}

bool
smtpd__control_commands_changes(const char *const *words, size_t count)
{
	const struct verb *verb = count > 0 ? find_verb(words[0]) : NULL;

	return verb != NULL && verb->changes;
}

/* Read the words behind the verb.  Return 0 or -1. */
static int
read_words(struct smtpd_control_request *r, const struct verb *verb,
    const char *const *words, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (verb->takes_json && strcmp(words[i], "--json") == 0)
			r->json = true;
		else if (verb->in_parts && words[i][0] == '@')
			r->from = words[i];
		else if ((verb->needs_argument || verb->takes_argument) &&
		    r->argument == NULL && words[i][0] != '-')
			r->argument = words[i];
		else
			return -1;
	}
	return verb->needs_argument && r->argument == NULL ? -1 : 0;
}

int
smtpd__control_commands_run(struct smtpd_spool *s,
    const struct smtpd_control_hooks *hooks, const char *const *words,
    size_t count, smtpd_write_fn *write, void *user, char *end, size_t size)
{
	static const struct smtpd_control_hooks none;
	const struct verb *verb = count > 0 ? find_verb(words[0]) : NULL;
	struct smtpd_control_output answer;
	struct smtpd_control_request r = {
		.spool = s,
		.hooks = hooks != NULL ? hooks : &none,
		.answer = &answer,
		.end = end,
		.size = size,
	};
	int error;

	end[0] = '\0';
	if (verb == NULL)
		return smtpd__control_request_fail(&r, EINVAL,
		    "there is no such request", count > 0 ? words[0] : "");
	if (read_words(&r, verb, words, count) == -1)
		return smtpd__control_request_fail(&r, EINVAL,
		    verb->needs_argument ? "one message is to be named"
					 : "it does not take that",
		    verb->name);
	smtpd__control_output_init(&answer, write, user);
	error = verb->run(&r);
	if (smtpd__control_output_end(&answer) == -1 && error == 0)
		return smtpd__control_request_fail_errno(&r, EPIPE, "");
	return error;
}
