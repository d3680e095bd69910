/* SPDX-License-Identifier: MIT */
#include "auth.h"

#include <errno.h>
#include <string.h>

static void
saw_request(struct host *h, const struct smtpd_auth_request *r)
{
	struct bytes b = { 0 };

	bytes_format(&b, "auth %s %s", r->mechanism, r->user);
	if (r->identity[0] != '\0')
		bytes_format(&b, " for %s", r->identity);
	if (r->password != NULL)
		bytes_format(&b, " password %s", r->password);
	if (r->token != NULL)
		bytes_format(&b, " token %s", r->token);
	host_saw(h, &b);
}

/* What only a handler of AUTH may do. */
static int
ask_more(struct smtpd_session *s)
{
	char answer[16];

	errno = 0;
	smtpd_session_challenge(s, "more", 4, answer, sizeof(answer));
	return errno == EINVAL ? SMTPD_AUTH_ACCEPTED : SMTPD_AUTH_REFUSED;
}

int
auth_on_request(struct smtpd_session *s, const struct smtpd_auth_request *r,
    struct smtpd_scram_key *key, void *user)
{
	const char *shown = r->password != NULL ? r->password : r->token;
	const char *name = r->token != NULL ? r->identity : r->user;

	saw_request(user, r);
	if (strcmp(name, "later") == 0)
		return SMTPD_AUTH_UNAVAILABLE;
	if (strcmp(r->user, "asks") == 0)
		return ask_more(s);
	if (strcmp(r->user, "locked") == 0)
		return smtpd_reply(s, 535, "5.7.8", "locked");
	if (strcmp(r->user, "bug") == 0)
		return 77;
	if (strcmp(r->user, "empty key") == 0)
		return SMTPD_AUTH_KEY;
	if (shown == NULL && strcmp(r->user, "key") == 0)
		return smtpd_scram_key_make(key, "pencil", 0) == 0
		    ? SMTPD_AUTH_KEY
		    : SMTPD_AUTH_UNAVAILABLE;
	if (shown == NULL || strcmp(shown, "pencil") != 0)
		return SMTPD_AUTH_REFUSED;
	if (r->identity[0] != '\0' &&
	    (strcmp(r->user, "boss") == 0 ||
		(r->token != NULL && strcmp(r->identity, "boss") != 0)))
		smtpd_session_set_user(s, r->identity);
	return SMTPD_AUTH_ACCEPTED;
}

/* X-TWO asks for two words; what is said of others counts for nothing. */
int
auth_on_command(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	char one[16], two[16];

	(void)user;
	if (strncmp(command->argument, "X-TWO", 5) != 0) {
		smtpd_session_set_user(s, "nobody");
		return 0;
	}
	if (smtpd_session_challenge(s, "", 0, one, sizeof(one)) == -1 ||
	    smtpd_session_challenge(s, "two", 3, two, sizeof(two)) == -1)
		return smtpd_reply(s, 250, "2.0.0", "is replaced");
	if (strcmp(one, two) == 0 || smtpd_session_set_user(s, two) == -1)
		return smtpd_reply(s, 535, "5.7.8", "not that");
	return smtpd_reply(s, 235, "2.7.0", "welcome");
}
