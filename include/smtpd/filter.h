/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_FILTER_H
#define SMTPD_FILTER_H

/*
 * Filters: they see a whole message before anybody answers it, and may refuse
 * it, change its header, its body and its envelope.  milter.h has one that asks
 * other programs.
 *
 * All that a server has are a chain, in the order in which they were added.
 * Each sees the message as those before have left it; the delivery callback
 * sees it last, and is called only if no filter refused the message.  To each
 * the message is as long as it likes: the first sees it while it comes, the
 * others read a copy, of which the first 65536 octets are in memory, and the
 * rest in a file without a name in settings.temp_directory.  Without filters
 * nothing is copied.
 *
 * A filter that marks messages:
 *
 *	static int
 *	mark(struct smtpd_session *s, struct smtpd_body *body, void *user)
 *	{
 *		if (smtpd_session_add_field(s, "X-Seen-By", user) == -1)
 *			return smtpd_reply(s, 451, "4.3.0", "Try again later");
 *		return 0;
 *	}
 *
 *	const struct smtpd_filter filter = {
 *		SMTPD_FILTER_INIT, .end = mark, .user = name
 *	};
 *
 *	smtpd_server_add_filter(srv, &filter);
 */

#include <smtpd/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The calls of a filter for one message, each on the thread of the session;
 * NULL for one that it does not need.  Each returns 0 to go on, or the code
 * that smtpd_reply() set, 4xx or 5xx: then that is the reply to the message,
 * and the filter is not called again for it, nor are those behind.
 */
struct smtpd_filter {
	size_t size; /* SMTPD_FILTER_INIT */

	/* A message begins.  Here the filter may read BODY by itself, as a
	 * delivery callback does: smtpd_body_header() shows the header, and
	 * what smtpd_body_read() gives here is not given to data. */
	int (*begin)(struct smtpd_session *s,
	    const struct smtpd_envelope *envelope, struct smtpd_body *body,
	    void *user) SMTPD_NOEXCEPT;

	/* The next LEN octets of the message, at least 1. */
	int (*data)(struct smtpd_session *s, struct smtpd_body *body,
	    const void *data, size_t len, void *user) SMTPD_NOEXCEPT;

	/* The message is whole and valid.  Not called for one that is not. */
	int (*end)(struct smtpd_session *s, struct smtpd_body *body,
	    void *user) SMTPD_NOEXCEPT;

	void *user; /* given to each of them */
};

#define SMTPD_FILTER_INIT SMTPD_INIT(smtpd_filter)

/* Add a copy of FILTER behind the filters of SRV.  Before start.  Return 0 or
 * -1.  Since 0.2. */
SMTPD_API int smtpd_server_add_filter(
    struct smtpd_server *srv, const struct smtpd_filter *filter);

/*
 * Add a filter that removes the Authentication-Results fields of each message
 * that claim to be from the host called ID, or cannot be read so far as that
 * (RFC 8601, 5): what comes with that id is said by filters behind it, as
 * milters, or by the program.  A message whose header is longer than
 * SMTPD_BODY_HEADER_MAX octets is refused, 552 5.3.4.  Once; before start.
 * Return 0 or -1.  Since 0.2.
 */
SMTPD_API int smtpd_server_claim_auth_results(
    struct smtpd_server *srv, const char *id);

/*
 * The following change the message for those behind a filter, and may be called
 * by one while it is asked: else they return -1 with errno EINVAL.
 */

/*
 * Add field NAME with VALUE on top of the header, above those that were added
 * before.  A line end in VALUE, LF or CRLF, folds the field, and is dropped at
 * its end; a tab is put behind it unless a space or a tab is there.  Return 0,
 * or -1 with errno: EINVAL when NAME is no name of a field (RFC 5322, 2.2), or
 * VALUE has another control byte than HT; ENOMEM.  Since 0.2.
 */
SMTPD_API int smtpd_session_add_field(
    struct smtpd_session *s, const char *name, const char *value);

/*
 * Change the header in `end`, when the whole message is there.  Insert a field
 * before field AT of all, counted from 0; SIZE_MAX: behind the last.  Or
 * replace field I, counted from 0, of those called NAME in any case of letters,
 * with VALUE; NULL removes it.  VALUE is as above, but stands directly behind
 * the colon: it begins with a space where one is wanted.  All other fields stay
 * byte for byte as they are.
 *
 * Return 0, or -1 with errno: EINVAL as above; ENOENT, there is no such field;
 * EMSGSIZE, the header is longer than SMTPD_BODY_HEADER_MAX octets; ENOMEM.
 * Since 0.2.
 */
SMTPD_API int smtpd_session_insert_field(
    struct smtpd_session *s, size_t at, const char *name, const char *value);
SMTPD_API int smtpd_session_change_field(
    struct smtpd_session *s, const char *name, size_t i, const char *value);

/*
 * Replace the body in `end`, piece by piece: LEN octets at DATA, lines ended by
 * CRLF, are the next, and what the first call begins is the body once the
 * filter returned 0.  smtpd_session_keep_body() forgets the pieces: the body
 * stays.
 * Return 0, or -1 with errno: EINVAL; EMSGSIZE as above; what the system says
 * when they cannot be kept, and then the message is refused (451 4.3.0).  Since
 * 0.2.
 */
SMTPD_API int smtpd_session_replace_body(
    struct smtpd_session *s, const void *data, size_t len);
SMTPD_API void smtpd_session_keep_body(struct smtpd_session *s);

/* Let ADDRESS, "" or one with a domain, be the sender of the envelope.  Return
 * 0, or -1 with errno EINVAL when it is none.  Since 0.2. */
SMTPD_API int smtpd_session_set_sender(
    struct smtpd_session *s, const char *address);

/*
 * Add a recipient behind the others, with PARAMS as RCPT has them, divided by
 * spaces; NULL: none.  It goes the way of RCPT, whose handlers and limits hold;
 * LMTP has no reply for it.  Return 0, or -1 with errno EACCES when it was
 * refused.  Since 0.2.
 */
SMTPD_API int smtpd_session_add_rcpt(
    struct smtpd_session *s, const char *address);
SMTPD_API int smtpd_session_add_rcpt_params(
    struct smtpd_session *s, const char *address, const char *params);

/*
 * Remove recipient I of the envelope, counted from 0.  It stays there as one
 * that is `removed`, so that the others keep their numbers: nothing is
 * delivered to it, and LMTP gives it the reply to the message.  A message all
 * of whose recipients are removed is not delivered, and answered with 250.
 * Return 0, or -1 with errno EINVAL.  Since 0.2.
 */
SMTPD_API int smtpd_session_remove_rcpt(struct smtpd_session *s, size_t i);

/* Ask those who deliver the message to set it aside, because of REASON: it
 * stands in the envelope.  smtpd_queue_deliver() holds such a message until it
 * is released.  Return 0, or -1 with errno ENOMEM.  Since 0.2. */
SMTPD_API int smtpd_session_quarantine(
    struct smtpd_session *s, const char *reason);

/* Drop the message once the filter returned 0: neither the filters behind nor
 * the delivery callback see it, and it is answered with 250.  Return 0 or -1.
 * Since 0.2. */
SMTPD_API int smtpd_session_discard(struct smtpd_session *s);

#ifdef __cplusplus
}
#endif

#endif
