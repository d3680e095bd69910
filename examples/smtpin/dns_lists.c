/* SPDX-License-Identifier: MIT */
#include "dns_lists.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <smtpd/address.h>

#include "complain.h"

/* How long all lists together are waited for. */
#define LOOKUP_MS 3000

/* One question, on a thread of its own. */
struct question {
	const struct dns_lists *lists;
	const struct dns_list *list;
	const char *address;
	const struct smtpd_cancel *cancel;
	pthread_t thread;
	bool asked; /* there is a thread */
	bool listed;
};

/* Whether answer TEXT of LIST means that the address is listed: lists answer in
 * 127/8, but for 127.255.255, which says that they do not want to be asked. */
static bool
is_listed(const struct dns_list *list, const char *text)
{
	static const char error[] = "127.255.255.";

	if (list->reply[0] != '\0')
		return strncmp(text, list->reply, strlen(list->reply)) == 0;
	return strncmp(text, "127.", 4) == 0 &&
	    strncmp(text, error, sizeof(error) - 1) != 0;
}

static void *
ask_list(void *arg)
{
	struct question *q = arg;
	struct smtpd_records *found = NULL;
	char name[512];

	if (smtpd_lookup_reverse(
		q->address, q->list->zone, name, sizeof(name)) == 0)
		found = smtpd_lookup(q->lists->resolver, name, SMTPD_LOOKUP_A,
		    LOOKUP_MS, q->cancel);
	for (size_t i = 0; found != NULL && i < found->count; i++)
		q->listed = q->listed ||
		    is_listed(q->list, smtpd_records_get(found, i));
	smtpd_records_free(found);
	return NULL;
}

/* Ask all lists side by side about the client of S.  Return the first that
 * allows it, or else the first that has it, or NULL. */
static const struct dns_list *
ask_lists(const struct dns_lists *d, struct smtpd_session *s)
{
	struct question questions[DNS_LISTS_MAX];
	const struct dns_list *found = NULL;

	for (size_t i = 0; i < d->count; i++) {
		struct question *q = &questions[i];

		*q = (struct question){
			.lists = d,
			.list = &d->lists[i],
			.address = smtpd_session_peer(s),
			.cancel = smtpd_session_cancel(s),
		};
		q->asked = i + 1 < d->count &&
		    pthread_create(&q->thread, NULL, ask_list, q) == 0;
		if (!q->asked)
			ask_list(q);
	}
	for (size_t i = 0; i < d->count; i++) {
		if (questions[i].asked)
			pthread_join(questions[i].thread, NULL);
		if (questions[i].listed && found == NULL)
			found = &d->lists[i];
	}
	return found;
}

static bool
is_address(const char *peer)
{
	return strpbrk(peer, ".:") != NULL && strncmp(peer, "127.", 4) != 0 &&
	    strcmp(peer, "::1") != 0;
}

static int
judge_client(struct smtpd_session *s, void *user)
{
	const struct dns_lists *d = user;
	const struct dns_list *found;

	if (!is_address(smtpd_session_peer(s)))
		return 0;
	found = ask_lists(d, s);
	if (found == NULL)
		return 0;
	log_line(d->log, SMTPD_LOG_INFO, "%s session=%llu peer=%s zone=%s",
	    found->allows ? "allowed by a DNS list" : "refused by a DNS list",
	    (unsigned long long)smtpd_session_id(s), smtpd_session_peer(s),
	    found->zone);
	if (found->allows)
		return 0;
	return smtpd_reply(s, 554, "5.7.1",
	    "Client address [%s] is listed by %s", smtpd_session_peer(s),
	    found->zone);
}

/* Read TEXT of OPTION.  Return 0 or EX_USAGE. */
static int
read_list(struct dns_lists *d, const char *program, const char *option,
    const char *text, bool allows)
{
	struct dns_list *list = &d->lists[d->count];
	size_t len = strcspn(text, "=");
	const char *reply = text[len] == '=' ? text + len + 1 : "";

	if (d->count == DNS_LISTS_MAX)
		return complain(program, EX_USAGE,
		    "%s %s: there are more than %d lists", option, text,
		    DNS_LISTS_MAX);
	if (len == 0 || len >= sizeof(list->zone) || text[len - 1] == '.' ||
	    strlen(reply) >= sizeof(list->reply) ||
	    strspn(reply, "0123456789.") != strlen(reply))
		return complain(program, EX_USAGE,
		    "%s %s: say the zone of a list, and the beginning of the "
		    "answers that count: zen.example.org=127.0.0.2",
		    option, text);
	snprintf(list->zone, sizeof(list->zone), "%.*s", (int)len, text);
	snprintf(list->reply, sizeof(list->reply), "%s", reply);
	list->allows = allows;
	d->count++;
	return 0;
}

int
dns_lists_add(struct dns_lists *d, const char *program,
    const struct text_list *deny, const struct text_list *allow,
    const char *servers, struct smtpd_server *srv)
{
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = servers,
	};
	const struct smtpd_events events = {
		SMTPD_EVENTS_INIT,
		.connect = judge_client,
		.user = d,
	};
	int status = 0;

	/* Those that allow come first: what they have is not refused. */
	for (size_t i = 0; status == 0 && i < allow->count; i++)
		status =
		    read_list(d, program, "--dnswl", allow->items[i], true);
	for (size_t i = 0; status == 0 && i < deny->count; i++)
		status =
		    read_list(d, program, "--dnsbl", deny->items[i], false);
	if (status != 0 || d->count == 0)
		return status;
	d->resolver = smtpd_resolver_create(&settings);
	if (d->resolver == NULL)
		return complain(program, errno == ENOMEM ? EX_OSERR : EX_CONFIG,
		    "there is no DNS server to ask lists: name one in "
		    "/etc/resolv.conf, or by --list-dns");
	if (smtpd_server_add_events(srv, &events) == -1)
		return complain(program, EX_OSERR, "no memory");
	return 0;
}

void
dns_lists_finish(struct dns_lists *d)
{
	smtpd_resolver_destroy(d->resolver);
}
