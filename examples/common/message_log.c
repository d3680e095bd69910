/* SPDX-License-Identifier: MIT */
#include "message_log.h"

#include <limits.h>
#include <stdio.h>

#include <smtpd/address.h>

/* Room for a path, and the name of its field. */
#define PLACE_SIZE (PATH_MAX + 16)

static double
seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) +
	    (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

/* Write the user at the other end of a UNIX socket, " uid=1000", or "" to
 * BUF. */
static const char *
user_field(const struct smtpd_session *s, char *buf, size_t size)
{
	uid_t uid;

	buf[0] = '\0';
	if (smtpd_session_uid(s, &uid) == 0)
		snprintf(buf, size, " uid=%lu", (unsigned long)uid);
	return buf;
}

/* Write " NAME=VALUE", or "" where VALUE is NULL, to BUF. */
static const char *
text_field(const char *name, const char *value, char *buf, size_t size)
{
	char text[600];

	buf[0] = '\0';
	if (value != NULL)
		snprintf(buf, size, " %s=%s", name,
		    smtpd_address_escape(value, text, sizeof(text)));
	return buf;
}

/* Write place K of the mail of recipient I of ENVELOPE, " mailbox=<...>", or ""
 * to BUF.  Return false when there is none. */
static bool
place_field(const struct message_info *f, const struct smtpd_envelope *envelope,
    size_t i, size_t k, char *buf, size_t size)
{
	char place[PATH_MAX], text[PATH_MAX];

	buf[0] = '\0';
	if (f->place == NULL || i >= envelope->nrcpts ||
	    smtpd_envelope_code(envelope, i) >= 300 ||
	    !f->place(f->user, i, k, place, sizeof(place)))
		return false;
	snprintf(buf, size, " mailbox=<%s>",
	    smtpd_address_escape(place, text, sizeof(text)));
	return true;
}

static int
code_for(const struct message_info *f, const struct smtpd_envelope *envelope,
    size_t i)
{
	return f->code != 0 ? f->code : smtpd_envelope_code(envelope, i);
}

/* One line for recipient I and each of its places from K on, or for it alone
 * where it is not the first and has none. */
static void
log_recipient(struct log *log, const struct smtpd_session *s,
    const struct smtpd_envelope *envelope, const struct message_info *f,
    size_t i, size_t k)
{
	char to[600], place[PLACE_SIZE];

	smtpd_address_escape(
	    smtpd_envelope_rcpt(envelope, i)->address.text, to, sizeof(to));
	for (; place_field(f, envelope, i, k, place, sizeof(place)) || k == 0;
	    k++)
		log_line(log, SMTPD_LOG_INFO,
		    "recipient id=%s to=<%s>%s session=%llu status=%d", f->id,
		    to, place, (unsigned long long)smtpd_session_id(s),
		    code_for(f, envelope, i));
}

void
message_log(struct log *log, const struct smtpd_session *s,
    const struct smtpd_envelope *envelope, const struct message_info *f)
{
	const struct smtpd_tls_info *tls = smtpd_session_tls(s);
	const struct smtpd_rcpt *first = smtpd_envelope_rcpt(envelope, 0);
	char from[600], to[600], helo[300], uid[32], place[PLACE_SIZE];
	char user[620], origin[620], name[620];

	if (log_level(log) < SMTPD_LOG_INFO)
		return;
	place_field(f, envelope, 0, 0, place, sizeof(place));
	log_line(log, SMTPD_LOG_INFO,
	    "%s id=%s from=<%s> to=<%s>%s nrcpt=%zu size=%llu peer=%s%s%s%s%s "
	    "helo=<%s> session=%llu status=%d delay=%.3f tls=%s%s%s",
	    f->what, f->id,
	    smtpd_address_escape(envelope->sender.text, from, sizeof(from)),
	    smtpd_address_escape(
		first != NULL ? first->address.text : "", to, sizeof(to)),
	    place, envelope->nrcpts, (unsigned long long)f->size,
	    smtpd_session_peer(s),
	    text_field("name", smtpd_session_peer_name(s), name, sizeof(name)),
	    user_field(s, uid, sizeof(uid)),
	    text_field("user", smtpd_session_user(s), user, sizeof(user)),
	    /* From where a filter has it. */
	    text_field("origin", smtpd_session_xforward(s, "ADDR"), origin,
		sizeof(origin)),
	    smtpd_address_escape(smtpd_session_helo(s), helo, sizeof(helo)),
	    (unsigned long long)smtpd_session_id(s), code_for(f, envelope, 0),
	    seconds_since(&f->begun), tls != NULL ? tls->version : "none",
	    tls != NULL ? " cipher=" : "", tls != NULL ? tls->cipher : "");
	for (size_t i = 0; i < envelope->nrcpts; i++)
		log_recipient(log, s, envelope, f, i, i == 0 ? 1 : 0);
}
