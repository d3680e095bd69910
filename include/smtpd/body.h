/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BODY_H
#define SMTPD_BODY_H

/*
 * The message that a delivery callback is given: read piece by piece, its
 * header alone, or all of it at once; and the fields of a header.
 *
 * A callback that looks for a field, and then reads the message:
 *
 *	struct smtpd_header_field field;
 *	size_t left;
 *	const char *at = smtpd_body_header(body, &left);
 *
 *	if (at == NULL)
 *		return 0;
 *	while (smtpd_header_next(&at, &left, &field)) {
 *		if (smtpd_header_is(&field, "Subject") &&
 *		    smtpd_header_value(&field, buf, sizeof(buf)) >= 0)
 *			remember(buf);
 *	}
 */

#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The message that a delivery callback reads: opaque. */
struct smtpd_body;

/*
 * Read up to SIZE bytes of the message into BUF: dots unstuffed, lines ended by
 * CRLF only, any other byte as it came; each octet as it came where the
 * envelope's encoding is SMTPD_ENCODING_BINARYMIME.  Blocks; the server's
 * deadlines and its minimum rate hold.
 *
 * Return the number of bytes, 0 at the end of the message, or -1 with errno:
 * EINVAL when SIZE is 0 or BUF is NULL; EIO when there is no valid end: the
 * client is gone or too slow, or gave the message up between two chunks; the
 * message is too large, loops, holds what the settings refuse, or was refused
 * by smtpd_reply_rcpt().  After EIO nothing of it may be kept, and the reply of
 * the library replaces the callback's.  Since 0.1.
 */
SMTPD_API ssize_t smtpd_body_read(
    struct smtpd_body *body, void *buf, size_t size);

/* The most octets of smtpd_body_header().  Since 0.2. */
#define SMTPD_BODY_HEADER_MAX 65536

/*
 * The header of BODY, its length in *LEN: all fields with the empty line behind
 * them, if there is one, or the lines within SMTPD_BODY_HEADER_MAX octets where
 * it is longer; a message that begins with neither a field nor an empty line
 * has none.  It is waited for, lasts until the callback returns, and is given
 * once more by smtpd_body_read(), with what follows.
 *
 * Return NULL with errno: EIO as smtpd_body_read(), EINVAL when this is called
 * for the first time after that was, ENOMEM.  Since 0.2.
 */
SMTPD_API const char *smtpd_body_header(struct smtpd_body *body, size_t *len);

/*
 * Read the rest of BODY, at most MAX octets, into memory: a NUL is put behind
 * them, and their number into *LEN.  It belongs to the caller, who frees it
 * with free().
 *
 * Return NULL with errno: EIO as smtpd_body_read(), EMSGSIZE when there is more
 * than MAX, ENOMEM.  What was read then is gone.  Since 0.2.
 */
SMTPD_API char *smtpd_body_slurp(
    struct smtpd_body *body, size_t max, size_t *len);

/* One field of a header (RFC 5322, 2.2): pointers into its text, which is as it
 * came. */
struct smtpd_header_field {
	const char *name; /* without the colon */
	size_t name_len;
	const char *value; /* behind the colon, folded or not, without the last
	                    * line end */
	size_t value_len;
	const char *raw; /* the whole field with its line ends */
	size_t raw_len;
};

/*
 * Take the next field from the header at *AT, *LEFT octets, into FIELD, and
 * move both past it.  Lines end with CRLF or LF; what follows the header may
 * follow here.  Return false when no field is next, as at the empty line: FIELD
 * is undefined then.  Since 0.2.
 */
SMTPD_API bool smtpd_header_next(
    const char **at, size_t *left, struct smtpd_header_field *field);

/* Whether FIELD is called NAME, in any case of letters.  Since 0.2. */
SMTPD_API bool smtpd_header_is(
    const struct smtpd_header_field *field, const char *name);

/* Write the value of FIELD to BUF of SIZE bytes, unfolded (RFC 5322, 2.2),
 * without white space around it.  Return its length, or -1 with errno ERANGE
 * when it has no room with its NUL.  Since 0.2. */
SMTPD_API int smtpd_header_value(
    const struct smtpd_header_field *field, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
