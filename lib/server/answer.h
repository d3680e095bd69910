/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SERVER_ANSWER_H
#define SMTPD_SERVER_ANSWER_H

/*
 * The one reply to each command: it is set by the library or by a handler,
 * logged and counted when it refuses, and sent.
 */

#include <stdarg.h>

#include "server/replies.h"
#include "server/session_state.h"

/* Set reply KEY with ARGUMENT (or NULL) unless a handler has set one. */
void smtpd__answer_say(
    struct smtpd_session *s, enum smtpd_reply_key key, const char *argument);

/* Set reply KEY, whatever was set before, and count it in COUNTER. */
void smtpd__answer_refuse(struct smtpd_session *s, enum smtpd_counter counter,
    enum smtpd_reply_key key, const char *argument);

/* The same with a number for argument. */
void smtpd__answer_refuse_limit(struct smtpd_session *s,
    enum smtpd_counter counter, enum smtpd_reply_key key, uint64_t limit);

/* Refuse an address outside ASCII with KEY, or because this server takes
 * none. */
void smtpd__answer_refuse_non_ascii(
    struct smtpd_session *s, enum smtpd_reply_key key);

/* Refuse with KEY, whose argument is the protocol, and close: this client
 * breaks a rule that honest ones keep. */
void smtpd__answer_cut_off(struct smtpd_session *s, enum smtpd_reply_key key);

/*
 * Write a reply that the program gives, CODE, ENHANCED (or NULL) and FORMAT, to
 * R.  Return CODE, or what smtpd__answer_mistake() does.
 */
SMTPD_PRINTF(5, 0)
int smtpd__answer_write(struct smtpd_session *s, struct smtpd_reply *r,
    int code, const char *enhanced, const char *format, va_list ap);

/* Tell the operator of a handler's mistake, and let R refuse: the client may
 * try again later.  Return the code of R. */
SMTPD_PRINTF(3, 4)
int smtpd__answer_mistake(
    struct smtpd_session *s, struct smtpd_reply *r, const char *format, ...);

/* Tell the operator of a handler that called CALL where it can do nothing. */
void smtpd__answer_misplaced(const struct smtpd_session *s, const char *call);

/*
 * Check a handler's RESULT.  Return true if the library should carry on:
 * RESULT is 0, or a reply of class GOOD, 2 or 3.  Anything inconsistent is
 * answered with 451.
 */
bool smtpd__answer_check(struct smtpd_session *s, int result, int good);

/* Count one more error of the client: beyond some number each costs time, and
 * at last the session. */
void smtpd__answer_punish(struct smtpd_session *s);

/* Count one more command that does nothing for a message.  Return true when
 * there were too many: each is an error then. */
bool smtpd__answer_is_idle(struct smtpd_session *s);

/* Put the reply that is set into the output; 421 closes the session. */
void smtpd__answer_send(struct smtpd_session *s);

/* Put reply KEY with ARGUMENT into the output, beside the one that is set: to a
 * command that came before the end of a message. */
void smtpd__answer_send_aside(
    struct smtpd_session *s, enum smtpd_reply_key key, const char *argument);

/* Put the server's name before the text that is set, unless it is there (RFC
 * 5321, 4.2; RFC 5321, 4.1.1.1). */
void smtpd__answer_lead_with_name(struct smtpd_session *s);

/* Send the reply to the command in LINE (NULL: there was none), if one is set;
 * a refusal is logged, and counts as an error of the client, or as a part of
 * one when it is temporary. */
void smtpd__answer_finish(
    struct smtpd_session *s, const struct smtpd_command_line *line);

/* Send the reply that is set, which is that of RCPT to the message of the
 * command in LINE.  A refusal is logged, but no error of the client: what it
 * said was right. */
void smtpd__answer_finish_rcpt(struct smtpd_session *s,
    const struct smtpd_command_line *line, const struct smtpd_rcpt *rcpt);

/* What stands in a reply with CODE and no text. */
const char *smtpd__answer_word(int code);

/* At the end of a session log how many refusals had no line of their own. */
void smtpd__answer_log_rest(const struct smtpd_session *s);

#endif
