/* SPDX-License-Identifier: MIT */
#include "server/registration.h"

#include <smtpd/replies.h>

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "grammar/param.h"
#include "server/server_error.h"
#include "server/server_state.h"
#include "server/verb_other.h"

#define VERB_FLAGS_KNOWN                                                    \
	(SMTPD_VERB_HELLO | SMTPD_VERB_TRANSACTION | SMTPD_VERB_PIPELINED | \
	    SMTPD_VERB_SECRET)

int
smtpd__registration_check(struct smtpd_server *srv)
{
	bool closed;

	pthread_mutex_lock(&srv->lock);
	closed = srv->closed;
	pthread_mutex_unlock(&srv->lock);
	if (!closed)
		return 0;
	return smtpd__server_error_set(
	    srv, EBUSY, "the server has started already");
}

void
smtpd__registration_close(struct smtpd_server *srv)
{
	pthread_mutex_lock(&srv->lock);
	srv->closed = true;
	pthread_mutex_unlock(&srv->lock);
}

int
smtpd_server_set_data(
    struct smtpd_server *srv, void *data, void (*destroy)(void *))
{
	if (smtpd__registration_check(srv) == -1)
		return -1;
	smtpd__owned_set(&srv->own, data, destroy);
	return 0;
}

void *
smtpd_server_data(const struct smtpd_server *srv)
{
	return srv->own.data;
}

/* Write the upper case of VERB to NAME.  Return 0, or -1 when it cannot be a
 * verb. */
static int
read_verb_name(
    struct smtpd_server *srv, const char *verb, char name[SMTPD_VERB_MAX + 1])
{
	size_t len;

	if (verb == NULL)
		return smtpd__server_error_null(srv, "verb");
	len = strlen(verb);
	for (size_t i = 0; i < len && i < SMTPD_VERB_MAX; i++) {
		if (!smtpd__text_is_alpha((unsigned char)verb[i]))
			len = 0;
		name[i] = (char)smtpd__text_to_upper((unsigned char)verb[i]);
	}
	if (len == 0 || len > SMTPD_VERB_MAX)
		return smtpd__server_error_set(srv, EINVAL,
		    "\"%s\" is not a verb: 1 to %d letters", verb,
		    SMTPD_VERB_MAX);
	name[len] = '\0';
	return 0;
}

/* The states in which a verb with FLAGS may stand. */
static unsigned
states_for(unsigned flags)
{
	if ((flags & SMTPD_VERB_TRANSACTION) != 0)
		return SMTPD_STATE_MAIL | SMTPD_STATE_RCPT;
	if ((flags & SMTPD_VERB_HELLO) != 0)
		return SMTPD_STATE_ANY & ~(unsigned)SMTPD_STATE_START;
	return SMTPD_STATE_ANY;
}

static unsigned
traits_for(unsigned flags)
{
	return ((flags & SMTPD_VERB_PIPELINED) != 0 ? 0 : SMTPD_TRAIT_LAST) |
	    ((flags & SMTPD_VERB_SECRET) != 0 ? SMTPD_TRAIT_SECRET : 0);
}

/* Add verb NAME with FLAGS, and FN to its handlers unless it is NULL. */
static int
add_verb(struct smtpd_server *srv, const char name[SMTPD_VERB_MAX + 1],
    unsigned flags, smtpd_handler_fn *fn, void *user)
{
	struct smtpd_verb new = {
		.states = states_for(flags),
		.traits = traits_for(flags),
		.act = smtpd__verb_other_custom,
	};
	struct smtpd_verb *verb;

	memcpy(new.name, name, sizeof(new.name));
	verb = smtpd__verb_table_add(&srv->config.verbs, &new);
	if (verb == NULL ||
	    (fn != NULL && smtpd__verb_table_add_handler(verb, fn, user) == -1))
		return smtpd__server_error_memory(srv);
	return 0;
}

int
smtpd_server_add_verb(struct smtpd_server *srv, const char *name,
    unsigned flags, smtpd_handler_fn *fn, void *user)
{
	char upper[SMTPD_VERB_MAX + 1];

	if (smtpd__registration_check(srv) == -1 ||
	    read_verb_name(srv, name, upper) == -1)
		return -1;
	if ((flags & ~(unsigned)VERB_FLAGS_KNOWN) != 0)
		return smtpd__server_error_set(
		    srv, EINVAL, "verb %s has unknown flags", upper);
	if (smtpd__verb_table_find(&srv->config.verbs, upper) != NULL)
		return smtpd__server_error_set(
		    srv, EEXIST, "verb %s exists already", upper);
	return add_verb(srv, upper, flags, fn, user);
}

int
smtpd_server_add_handler(struct smtpd_server *srv, const char *verb,
    smtpd_handler_fn *fn, void *user)
{
	char upper[SMTPD_VERB_MAX + 1];
	struct smtpd_verb *known;

	if (smtpd__registration_check(srv) == -1 ||
	    read_verb_name(srv, verb, upper) == -1)
		return -1;
	if (fn == NULL)
		return smtpd__server_error_null(srv, "handler");
	known = smtpd__verb_table_find(&srv->config.verbs, upper);
	if (known == NULL)
		return add_verb(srv, upper, 0, fn, user);
	if (smtpd__verb_table_add_handler(known, fn, user) == -1)
		return smtpd__server_error_memory(srv);
	known->decided = true;
	return 0;
}

int
smtpd_server_add_check(struct smtpd_server *srv, const char *verb,
    smtpd_handler_fn *fn, void *user)
{
	struct smtpd_verb *known = verb != NULL
	    ? smtpd__verb_table_find(&srv->config.verbs, verb)
	    : NULL;

	if (smtpd__registration_check(srv) == -1)
		return -1;
	if (fn == NULL)
		return smtpd__server_error_null(srv, "handler");
	if (known == NULL)
		return smtpd__server_error_set(
		    srv, EINVAL, "there is no such verb");
	if (smtpd__verb_table_add_handler(known, fn, user) == -1)
		return smtpd__server_error_memory(srv);
	return 0;
}

int
smtpd_server_add_keyword_if(struct smtpd_server *srv, const char *keyword,
    smtpd_keyword_fn *fn, void *user)
{
	if (smtpd__registration_check(srv) == -1)
		return -1;
	if (keyword == NULL || keyword[0] == '\0')
		return smtpd__server_error_set(
		    srv, EINVAL, "a keyword must not be empty");
	for (const char *c = keyword; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			return smtpd__server_error_set(
			    srv, EINVAL, "a keyword is printable ASCII");
	}
	if (smtpd__keywords_add(&srv->config.keywords, keyword, fn, user) == 0)
		return 0;
	if (errno == ENOSPC)
		return smtpd__server_error_set(
		    srv, ENOSPC, "no room for keyword \"%s\"", keyword);
	return smtpd__server_error_memory(srv);
}

int
smtpd_server_add_keyword(struct smtpd_server *srv, const char *keyword)
{
	return smtpd_server_add_keyword_if(srv, keyword, NULL, NULL);
}

/* The parameters of VERB that the program registered; NULL: it takes none. */
static struct smtpd_names *
find_params(struct smtpd_server_config *c, const char *verb)
{
	if (smtpd__text_same(verb, "MAIL"))
		return &c->mail_params;
	if (smtpd__text_same(verb, "RCPT"))
		return &c->rcpt_params;
	return NULL;
}

int
smtpd_server_add_param(
    struct smtpd_server *srv, const char *verb, const char *name)
{
	struct smtpd_names *list;

	if (smtpd__registration_check(srv) == -1)
		return -1;
	if (verb == NULL || name == NULL)
		return smtpd__server_error_null(
		    srv, verb == NULL ? "verb" : "name");
	if (!smtpd__param_name_is_valid(name))
		return smtpd__server_error_set(
		    srv, EINVAL, "\"%s\" is not a parameter's name", name);
	list = find_params(&srv->config, verb);
	if (list == NULL)
		return smtpd__server_error_set(
		    srv, EINVAL, "%s takes no parameters", verb);
	if (smtpd__names_add(list, name) == -1)
		return smtpd__server_error_memory(srv);
	return 0;
}

/* Add the network that TEXT names to LIST. */
static int
add_network(
    struct smtpd_server *srv, struct smtpd_networks *list, const char *text)
{
	struct smtpd_network network;

	if (smtpd__registration_check(srv) == -1)
		return -1;
	if (text == NULL)
		return smtpd__server_error_null(srv, "network");
	if (smtpd__network_parse(text, &network) == -1)
		return smtpd__server_error_set(srv, EINVAL,
		    "\"%s\" is not a network: use 192.0.2.0/24, "
		    "2001:db8::/32, an address, or local",
		    text);
	if (smtpd__network_list_add(list, &network) == -1)
		return smtpd__server_error_memory(srv);
	return 0;
}

int
smtpd_server_add_proxy(struct smtpd_server *srv, const char *network)
{
	return add_network(srv, &srv->config.proxies, network);
}

int
smtpd_server_add_xclient(struct smtpd_server *srv, const char *network)
{
	return add_network(srv, &srv->config.xclients, network);
}

int
smtpd_server_set_deliver(
    struct smtpd_server *srv, smtpd_deliver_fn *fn, void *user)
{
	if (smtpd__registration_check(srv) == -1)
		return -1;
	if (fn == NULL)
		return smtpd__server_error_null(srv, "delivery callback");
	srv->config.deliver = fn;
	srv->config.deliver_user = user;
	return 0;
}

int
smtpd_server_add_events(
    struct smtpd_server *srv, const struct smtpd_events *events)
{
	if (smtpd__registration_check(srv) == -1)
		return -1;
	if (events == NULL)
		return smtpd__server_error_null(srv, "events");
	if (smtpd__events_add(&srv->config.events, events) == -1)
		return smtpd__server_error_errno(
		    srv, errno, "cannot add the events");
	return 0;
}

int
smtpd_server_add_filter(
    struct smtpd_server *srv, const struct smtpd_filter *filter)
{
	if (smtpd__registration_check(srv) == -1)
		return -1;
	if (filter == NULL)
		return smtpd__server_error_null(srv, "filter");
	if (smtpd__filters_add(&srv->config.filters, filter) == -1)
		return smtpd__server_error_errno(
		    srv, errno, "cannot add the filter");
	return 0;
}

int
smtpd_server_set_reply_text(
    struct smtpd_server *srv, const char *name, const char *text)
{
	if (smtpd__registration_check(srv) == -1)
		return -1;
	if (name == NULL || text == NULL)
		return smtpd__server_error_null(
		    srv, name == NULL ? "name" : "text");
	if (smtpd__replies_set(&srv->config.replies, name, text) == -1)
		return smtpd__server_error_errno(srv, errno, name);
	return 0;
}

const struct smtpd_reply_text *
smtpd_server_reply_text(const struct smtpd_server *srv, size_t i)
{
	return i < SMTPD_REPLY_NONE ? &srv->config.replies.list[i] : NULL;
}
