/* SPDX-License-Identifier: MIT */
#include "queue/delivery/sign.h"

#include <errno.h>

#include "base/id.h"
#include "dkim/message.h"

void
smtpd__sign_init(struct smtpd_signing *s, const struct smtpd_logger *logger,
    const char *domain)
{
	pthread_mutex_init(&s->lock, NULL);
	s->dkim = NULL;
	s->logged = false;
	s->logger = logger;
	s->domain = domain;
	atomic_init(&s->signed_count, 0);
	atomic_init(&s->unsigned_count, 0);
}

void
smtpd__sign_set(struct smtpd_signing *s, struct smtpd_dkim *dkim)
{
	struct smtpd_dkim *old;

	if (dkim != NULL)
		smtpd_dkim_ref(dkim);
	pthread_mutex_lock(&s->lock);
	old = s->dkim;
	s->dkim = dkim;
	s->logged = false;
	pthread_mutex_unlock(&s->lock);
	smtpd_dkim_unref(old);
}

void
smtpd__sign_destroy(struct smtpd_signing *s)
{
	smtpd_dkim_unref(s->dkim);
	pthread_mutex_destroy(&s->lock);
}

/* The signer at present, with a reference; or NULL. */
static struct smtpd_dkim *
get_signer(struct smtpd_signing *s)
{
	struct smtpd_dkim *dkim;

	pthread_mutex_lock(&s->lock);
	dkim = s->dkim != NULL ? smtpd_dkim_ref(s->dkim) : NULL;
	pthread_mutex_unlock(&s->lock);
	return dkim;
}

int
smtpd__sign_begin(struct smtpd_sign *s, struct smtpd_signing *signing,
    uint64_t id, struct smtpd_spool_content *content)
{
	struct smtpd_dkim *dkim = signing != NULL ? get_signer(signing) : NULL;

	*s = (struct smtpd_sign){
		.signing = signing,
		.id = id,
		.content = content,
		.through = dkim == NULL,
	};
	if (dkim == NULL)
		return 0;
	s->message = smtpd_dkim_begin(dkim, signing->domain);
	smtpd_dkim_unref(dkim);
	return s->message != NULL ? 0 : -1;
}

/* The first message that is not signed is told to the operator, who may have
 * forgotten a domain; the others would be too many. */
static void
log_unsigned(struct smtpd_sign *s, const char *reason)
{
	char id[SMTPD_ID_SIZE];
	bool first;

	pthread_mutex_lock(&s->signing->lock);
	first = !s->signing->logged;
	s->signing->logged = true;
	pthread_mutex_unlock(&s->signing->lock);
	atomic_fetch_add(&s->signing->unsigned_count, 1);
	smtpd__id_write(s->id, id);
	smtpd__logger_write(s->signing->logger,
	    first ? SMTPD_LOG_INFO : SMTPD_LOG_DEBUG,
	    "id=%s is not signed: %s%s", id, reason,
	    first ? " (the next ones are logged as debug)" : "");
}

static void
abandon_signing(struct smtpd_sign *s, const char *reason)
{
	log_unsigned(s, reason);
	smtpd_dkim_free(s->message);
	s->message = NULL;
}

/* It is known how long the signature will be: leave room for it, and let
 * through what was held back. */
static int
let_through(struct smtpd_sign *s)
{
	size_t room =
	    s->message != NULL ? smtpd__dkim_message_room(s->message) : 0;
	int status = 0;

	if (s->message != NULL && room == 0)
		abandon_signing(s, smtpd_dkim_reason(s->message));
	if (room > 0)
		status = smtpd__spool_content_reserve(s->content, room);
	if (status == 0)
		status = smtpd__spool_content_write(
		    s->content, s->header.data, s->header.len);
	smtpd__pack_free(&s->header);
	s->through = true;
	return status;
}

int
smtpd__sign_write(void *sign, const void *data, size_t len)
{
	struct smtpd_sign *s = sign;

	if (s->message != NULL && smtpd_dkim_write(s->message, data, len) == -1)
		return -1;
	if (s->through)
		return smtpd__spool_content_write(s->content, data, len);
	smtpd__pack_bytes(&s->header, data, len);
	if (s->header.failed) {
		errno = ENOMEM;
		return -1;
	}
	if (smtpd__dkim_message_has_header(s->message))
		return let_through(s);
	if (s->header.len <= SMTPD_SIGN_HEADER_MAX)
		return 0;
	abandon_signing(s, "its header is too long");
	return let_through(s);
}

bool
smtpd__sign_will_sign(const struct smtpd_sign *s)
{
	return s->through && s->message != NULL;
}

static void
log_failure(const struct smtpd_sign *s)
{
	char id[SMTPD_ID_SIZE];

	smtpd__id_write(s->id, id);
	smtpd__logger_write(s->signing->logger, SMTPD_LOG_ERROR,
	    "id=%s cannot be signed: %s", id, smtpd_dkim_reason(s->message));
}

int
smtpd__sign_end(struct smtpd_sign *s)
{
	const char *fields;

	if (!s->through &&
	    (smtpd__dkim_message_end_header(s->message) == -1 ||
		let_through(s) == -1))
		return -1;
	if (s->message == NULL)
		return 0;
	fields = smtpd_dkim_end(s->message);
	if (fields == NULL) {
		int error = errno;

		if (error == EIO)
			log_failure(s);
		errno = error;
		return -1;
	}
	if (smtpd__spool_content_fill(s->content, fields) == -1)
		return -1;
	atomic_fetch_add(&s->signing->signed_count, 1);
	return 0;
}

void
smtpd__sign_finish(struct smtpd_sign *s)
{
	int error = errno;

	smtpd_dkim_free(s->message);
	s->message = NULL;
	smtpd__pack_free(&s->header);
	errno = error;
}
