/* SPDX-License-Identifier: MIT */
#include "queue/control/commands.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/id.h"
#include "queue/control/change.h"
#include "queue/control/check.h"
#include "queue/control/json.h"
#include "queue/control/list.h"
#include "queue/control/request.h"
#include "queue/control/show.h"
#include "queue/control/stats.h"
#include "queue/control/text.h"

/* So much of an id at least names a message. */
#define PREFIX_MIN 4

enum argument {
	ARGUMENT_NONE,
	ARGUMENT_OPTIONAL,
	ARGUMENT_NEEDED,
};

/* Verbs that describe messages do so by one of two functions; NULL: the verb
 * knows no --json. */
struct verb {
	const char *name;
	int (*run)(struct smtpd_control_request *r);
	enum argument argument;
	smtpd_control_describe_fn *text, *json;
	bool has_json; /* by itself */
	bool in_parts;
	bool changes;
	bool hold;
};

static const struct verb verbs[] = {
	{ "list", smtpd__control_list_messages,
	    .text = smtpd__control_text_line,
	    .json = smtpd__control_json_message, .in_parts = true },
	{ "ids", smtpd__control_list_ids, .in_parts = true },
	{ "show", smtpd__control_show_message, ARGUMENT_NEEDED,
	    .text = smtpd__control_text_message,
	    .json = smtpd__control_json_message },
	{ "why", smtpd__control_show_message, ARGUMENT_NEEDED,
	    .text = smtpd__control_text_why, .json = smtpd__control_json_why },
	{ "cat", smtpd__control_show_content, ARGUMENT_NEEDED,
	    .in_parts = true },
	{ "flush", smtpd__control_change_flush, ARGUMENT_OPTIONAL,
	    .changes = true },
	{ "hold", smtpd__control_change_hold, ARGUMENT_NEEDED, .changes = true,
	    .hold = true },
	{ "release", smtpd__control_change_hold, ARGUMENT_NEEDED,
	    .changes = true },
	{ "remove", smtpd__control_change_remove, ARGUMENT_NEEDED,
	    .changes = true },
	{ "check", smtpd__control_check_spool, .argument = ARGUMENT_NONE },
	{ "stats", smtpd__control_stats_show, .has_json = true,
	    .in_parts = true },
};

static const struct verb *
find_verb(const char *const *words, size_t count)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (count > 0 && strcmp(verbs[i].name, words[0]) == 0)
			return &verbs[i];
	return NULL;
}

bool
smtpd__control_commands_changes(const char *const *words, size_t count)
{
	const struct verb *verb = find_verb(words, count);

	return verb != NULL && verb->changes;
}

/* Read the words behind the verb into R.  Return 0 or -1. */
static int
read_words(struct smtpd_control_request *r, const struct verb *verb)
{
	for (size_t i = 1; i < r->call->count; i++) {
		const char *word = r->call->words[i];

		if ((verb->json != NULL || verb->has_json) &&
		    strcmp(word, "--json") == 0)
			r->json = true;
		else if (verb->in_parts && word[0] == '@')
			r->from = word;
		else if (verb->argument != ARGUMENT_NONE &&
		    r->argument == NULL && word[0] != '-')
			r->argument = word;
		else
			return -1;
	}
	r->describe = r->json ? verb->json : verb->text;
	r->hold = verb->hold;
	return verb->argument == ARGUMENT_NEEDED && r->argument == NULL ? -1
									: 0;
}

/* The message of SPOOL whose id begins with TEXT, pinned; NULL: there is none,
 * or *SEVERAL. */
static struct smtpd_queued_message *
find_message(struct smtpd_spool *s, const char *text, bool *several)
{
	struct smtpd_queued_message *message, *found = NULL;
	char name[SMTPD_ID_SIZE];
	uint64_t id = 0;

	*several = false;
	if (smtpd__id_parse(text, &id) == 0)
		return smtpd__spool_find(s, id);
	if (strlen(text) < PREFIX_MIN)
		return NULL;
	id = 0;
	while (!*several && (message = smtpd__spool_next(s, id)) != NULL) {
		id = message->id;
		smtpd__id_write(id, name);
		if (strncasecmp(name, text, strlen(text)) != 0) {
			smtpd__spool_unpin(s, message);
			continue;
		}
		*several = found != NULL;
		if (found != NULL)
			smtpd__spool_unpin(s, found);
		found = message;
	}
	if (*several) {
		smtpd__spool_unpin(s, found);
		found = NULL;
	}
	return found;
}

int
smtpd__control_commands_run(struct smtpd_spool *s,
    const struct smtpd_control_hooks *hooks,
    const struct smtpd_control_call *call)
{
	static const struct smtpd_control_hooks none;
	const struct verb *verb = find_verb(call->words, call->count);
	struct smtpd_control_output answer;
	struct smtpd_control_request r = {
		.spool = s,
		.hooks = hooks != NULL ? hooks : &none,
		.call = call,
		.answer = &answer,
	};
	bool several = false;
	int error;

	call->end[0] = '\0';
	if (verb == NULL)
		return smtpd__control_request_fail(&r, EINVAL,
		    "unknown command", call->count > 0 ? call->words[0] : "");
	if (read_words(&r, verb) == -1)
		return smtpd__control_request_fail(&r, EINVAL,
		    verb->argument != ARGUMENT_NEEDED ? "takes no such argument"
			: verb->changes
			? "needs a message id, a domain or an address"
			: "needs the id of one message",
		    verb->name);
	if (r.argument != NULL)
		r.message = find_message(s, r.argument, &several);
	if (several)
		return smtpd__control_request_fail(&r, EINVAL,
		    "the ids of several messages begin so", r.argument);
	if (r.message == NULL && verb->argument == ARGUMENT_NEEDED &&
	    !verb->changes)
		return smtpd__control_request_fail(
		    &r, ENOENT, "no such message", r.argument);
	smtpd__control_output_init(&answer, call->write, call->user);
	error = verb->run(&r);
	if (r.message != NULL)
		smtpd__spool_unpin(s, r.message);
	if (smtpd__control_output_end(&answer) == -1 && error == 0)
		return smtpd__control_request_fail(&r, EPIPE, NULL, "");
	return error;
}
