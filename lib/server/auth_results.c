/* SPDX-License-Identifier: MIT */
#include "server/auth_results.h"

#include <errno.h>
#include <stdio.h>

#include "grammar/auth_results.h"
#include "server/answer.h"
#include "server/filter_run.h"
#include "server/server_error.h"
#include "server/server_state.h"

/* Whether ITEM is a field to be removed. */
static bool
is_forged(const struct smtpd_header_item *item, const char *id)
{
	const char *at = item->text;
	size_t left = item->len;
	struct smtpd_header_field field;

	return smtpd_header_next(&at, &left, &field) &&
	    smtpd_header_is(&field, "Authentication-Results") &&
	    smtpd__auth_results_is_of(field.value, field.value_len, id);
}

static int
remove_forged(struct smtpd_session *s, struct smtpd_body *body, void *user)
{
	struct smtpd_filter_run *r = s->filter_run;

	(void)body;
	if (smtpd__filter_run_load(r) == -1) {
		if (errno == EMSGSIZE)
			smtpd__answer_refuse(s, SMTPD_COUNTER_REFUSED_CONTENT,
			    SMTPD_REPLY_HEADER_TOO_LONG, NULL);
		else
			smtpd__answer_refuse(s, SMTPD_COUNTER_ERRORS,
			    SMTPD_REPLY_NO_MEMORY, NULL);
		return s->ws->reply.code;
	}
	for (size_t i = r->header.count; i-- > 0;)
		if (is_forged(&r->header.items[i], user))
			smtpd__header_list_remove(&r->header, i);
	return 0;
}

int
smtpd_server_claim_auth_results(struct smtpd_server *srv, const char *id)
{
	char *claimed = srv->config.claimed_id;
	const struct smtpd_filter filter = {
		SMTPD_FILTER_INIT,
		.end = remove_forged,
		.user = claimed,
	};

	if (id == NULL || id[0] == '\0' ||
	    snprintf(claimed, sizeof(srv->config.claimed_id), "%s", id) >=
		(int)sizeof(srv->config.claimed_id))
		return smtpd__server_error_set(
		    srv, EINVAL, "an id for results is the name of a host");
	return smtpd_server_add_filter(srv, &filter);
}
