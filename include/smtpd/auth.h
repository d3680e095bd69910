/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_AUTH_H
#define SMTPD_AUTH_H

/*
 * How clients of a server authenticate (RFC 4954): the program names the
 * mechanisms in its settings, and a callback that judges what a client shows.
 *
 * A callback over a table of names with the keys of their passwords, good for
 * SCRAM-SHA-256, PLAIN and LOGIN:
 *
 *	static int
 *	on_auth(struct smtpd_session *s, const struct smtpd_auth_request *r,
 *	    struct smtpd_scram_key *key, void *user)
 *	{
 *		const char *text = find_key(user, r->user);
 *
 *		if (text == NULL || smtpd_scram_key_parse(text, key) == -1)
 *			return SMTPD_AUTH_REFUSED;
 *		return SMTPD_AUTH_KEY;
 *	}
 *
 *	struct smtpd_settings st = { SMTPD_SETTINGS_INIT,
 *		.auth = on_auth,
 *		.auth_user = table,
 *		.auth_mechanisms = "SCRAM-SHA-256 PLAIN LOGIN",
 *		.flags = SMTPD_FLAG_AUTH_REQUIRED };
 *
 * SCRAM-SHA-256-PLUS is not there: mbedTLS 2.28 has no exporter of TLS (RFC
 * 9266, 3), and 3.6 does not give the message that "tls-unique" is made of.
 */

#include <smtpd/version.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct smtpd_session;

/* Octets of SHA-256, and of the longest salt. */
#define SMTPD_SCRAM_HASH_SIZE 32
#define SMTPD_SCRAM_SALT_MAX  64

/*
 * What is stored of a password for SCRAM-SHA-256 (RFC 7677): it proves that a
 * client knows the password, and is no password itself.  With it one can pose
 * as the server, so it is to be kept as secret as a hash.
 */
struct smtpd_scram_key {
	size_t size; /* SMTPD_SCRAM_KEY_INIT */
	uint32_t iterations;
	uint32_t salt_len;
	unsigned char salt[SMTPD_SCRAM_SALT_MAX];
	unsigned char stored_key[SMTPD_SCRAM_HASH_SIZE];
	unsigned char server_key[SMTPD_SCRAM_HASH_SIZE];
};

#define SMTPD_SCRAM_KEY_INIT SMTPD_INIT(smtpd_scram_key)

/* The iterations of a key that is made without a word about them. */
#define SMTPD_SCRAM_ITERATIONS 4096

/*
 * Make the key of PASSWORD with a fresh salt of 16 bytes and ITERATIONS, 4096
 * to 1000000 (0: SMTPD_SCRAM_ITERATIONS), into KEY, whose size is set.  The
 * password is taken as its bytes are, without SASLprep (RFC 5802, 2.2).  Return
 * 0, or -1 with errno: EINVAL, ENOTSUP when the library has no TLS, EIO when
 * the system has no random numbers.  Any thread.  Since 0.2.
 */
SMTPD_API int smtpd_scram_key_make(
    struct smtpd_scram_key *key, const char *password, uint32_t iterations);

/* A buffer of this many bytes is large enough for any key as text. */
#define SMTPD_SCRAM_KEY_TEXT_SIZE 256

/*
 * Write KEY to BUF of SIZE bytes in the form of RFC 5803, which other servers
 * and databases use as well: SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY, the
 * last three in base64.  Return the length, or -1 with errno EINVAL (KEY is
 * none) or ERANGE.  Any thread.  Since 0.2.
 */
SMTPD_API int smtpd_scram_key_write(
    const struct smtpd_scram_key *key, char *buf, size_t size);

/* Read TEXT of that form into KEY, whose size is set.  Return 0, or -1 with
 * errno EINVAL.  Any thread.  Since 0.2. */
SMTPD_API int smtpd_scram_key_parse(
    const char *text, struct smtpd_scram_key *key);

/*
 * What a client says and shows of itself: one of password and token, or with
 * SCRAM neither.  The texts last until the callback returns, and are
 * overwritten then.  Later versions may add members at its end.  Since 0.2.
 */
struct smtpd_auth_request {
	const char *mechanism; /* "PLAIN" */
	const char *user;      /* 1 to 255 bytes without control bytes; with a
	                        * token "" */
	const char *identity;  /* of another, for whom it wants to act; with a
	                        * token, whose it claims that to be; "": none */
	const char *password;  /* PLAIN and LOGIN: 1 to 1023 bytes; NULL */
	const char *token;     /* OAUTHBEARER and XOAUTH2: a bearer token of
	                        * printable ASCII; NULL */
};

/* What the callback found.  Since 0.2. */
enum smtpd_auth_result {
	SMTPD_AUTH_REFUSED,     /* it is not the user: 535 5.7.8 */
	SMTPD_AUTH_ACCEPTED,    /* its password, or token, is right */
	SMTPD_AUTH_KEY,         /* the key was filled: the library judges */
	SMTPD_AUTH_UNAVAILABLE, /* nobody can say now: 454 4.7.0 */
};

/*
 * Judge REQUEST.  Return one of enum smtpd_auth_result, or what smtpd_reply()
 * returned for a 4xx or 5xx, which then is the reply.
 *
 * SMTPD_AUTH_KEY is for passwords and SCRAM: KEY, whose size is set, was filled
 * with that of the user.  With SCRAM, SMTPD_AUTH_REFUSED does not end the
 * exchange: it goes on with a salt that the user would have
 * (settings.auth_secret), and fails at its end, so that nobody learns which
 * users there are.  With a password it costs the work of a key
 * (settings.auth_iterations), so that the time tells that neither; a callback
 * that compares passwords itself takes as long for a user whom there is not.
 *
 * The session is the user's, unless the callback calls
 * smtpd_session_set_user().  A client that gives an identity is refused unless
 * it does.  So with a token the callback always says who that belongs to: it
 * checks that the token is good for the identity, if there is one, and sets the
 * user.  Without that, and without an identity, the session's user is "".
 * Since 0.2.
 */
typedef int smtpd_auth_fn(struct smtpd_session *s,
    const struct smtpd_auth_request *request, struct smtpd_scram_key *key,
    void *user) SMTPD_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
