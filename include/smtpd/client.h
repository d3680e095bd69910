/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CLIENT_H
#define SMTPD_CLIENT_H

/*
 * Sending: one connection to one host, and any number of messages over it,
 * one after the other.  It knows no queue: what is tried again, when and
 * where, is the caller's.
 *
 * A client is used by one thread at a time; another may end its waits by the
 * cancel object that it was given.
 */

#include <smtpd/cancel.h>
#include <smtpd/outgoing.h>
#include <smtpd/resolve.h>
#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One connection to a server: opaque. */
struct smtpd_client;

/* The authorities that certificates of servers are checked by, the certificate
 * that servers are shown, and the TLS sessions that can be resumed: opaque,
 * counted by references, shared by any threads. */
struct smtpd_trust;

/*
 * Read the certificates of authorities in CA_FILE (PEM; NULL: the system's
 * bundle).  Return NULL with the reason in ERROR of SIZE bytes.  Where the
 * system has no bundle no certificate is good, and ERROR says so; else it is
 * "".  Since 0.1.
 */
SMTPD_API struct smtpd_trust *smtpd_trust_create(
    const char *ca_file, char *error, size_t size);

/*
 * Have connections show a certificate of our own to servers that ask for one:
 * the chain in CERT_FILE, our own first, with its key in KEY_FILE (PEM both,
 * ECDSA or RSA).  T has one at most, and is not in use yet.  Return 0, or -1
 * with errno and the reason in ERROR of SIZE bytes, and T is as it was: a file
 * cannot be read (the errno of the system) or is not whole, the key belongs to
 * another certificate (EINVAL), T is in use or has one (EBUSY), or there is no
 * TLS (ENOTSUP).  ERROR is "" after 0, unless the certificate is out of its
 * time, which is the server's to judge.  After ENOMEM T is of no more use.
 * Since 0.2.
 */
SMTPD_API int smtpd_trust_add_files(struct smtpd_trust *t,
    const char *cert_file, const char *key_file, char *error, size_t size);

/* One more reference to T, which is returned.  Any thread.  Since 0.1. */
SMTPD_API struct smtpd_trust *smtpd_trust_ref(struct smtpd_trust *t);

/* One reference less; the last frees it.  NULL is fine.  Any thread.
 * Since 0.1. */
SMTPD_API void smtpd_trust_unref(struct smtpd_trust *t);

/* When the connection is encrypted. */
enum smtpd_security {
	SMTPD_SECURITY_OPPORTUNISTIC, /* when STARTTLS is offered, by any
	                               * certificate: the default.  When it is
	                               * refused or the handshake fails, so
	                               * does the connection */
	SMTPD_SECURITY_REQUIRED,  /* always, and the certificate must be good
	                          * and bear the host's name */
	SMTPD_SECURITY_NONE,      /* never */
	SMTPD_SECURITY_ENCRYPTED, /* always, by any certificate.  Since 0.2 */
};

/* How far a message, or a connection, came. */
enum smtpd_phase {
	SMTPD_PHASE_CONNECT,
	SMTPD_PHASE_GREETING,
	SMTPD_PHASE_HELLO,
	SMTPD_PHASE_TLS,
	SMTPD_PHASE_AUTH,
	SMTPD_PHASE_MAIL,
	SMTPD_PHASE_RCPT,
	SMTPD_PHASE_DATA, /* the command, and the message up to its dot; by BDAT
	                   * up to the end of its last chunk */
	SMTPD_PHASE_DOT,  /* after it */
};

/* The outcome for a recipient. */
enum smtpd_outcome {
	SMTPD_OUTCOME_SENT,      /* the server has taken it over */
	SMTPD_OUTCOME_TEMPORARY, /* not now */
	SMTPD_OUTCOME_PERMANENT, /* not ever */
	SMTPD_OUTCOME_IN_DOUBT,  /* the reply to the dot was lost */
};

/* The size of a reason as text in one line, with its NUL.  Since 0.2. */
#define SMTPD_REASON_SIZE 512

/* One result, of a recipient or of a whole connection. */
struct smtpd_result {
	enum smtpd_outcome outcome;
	enum smtpd_phase phase;
	int code;        /* of the server's reply; 0: there was none */
	char status[12]; /* enhanced code, the server's or our own; never "" */

	/* The server's words in one line, as it said them behind the code, an
	 * enhanced code among them; without a code ours.  Behind those that
	 * refuse a token stand, in parentheses, the status that the server gave
	 * for it, and why there is no other.  Printable ASCII; secrets that the
	 * server repeats are "*". */
	char text[SMTPD_REASON_SIZE];
};

/* An address of this host that connections out come from.  Since 0.2. */
struct smtpd_source {
	size_t size;          /* SMTPD_SOURCE_INIT */
	const char *address;  /* IPv4, or IPv6 without brackets */
	const char *hostname; /* for EHLO over it; NULL: that of the settings */
};

#define SMTPD_SOURCE_INIT SMTPD_INIT(smtpd_source)

/* The size of a password or token as text, with its NUL.  Since 0.2. */
#define SMTPD_SECRET_SIZE 8192

/* A request for the secret that a user logs in by, and its answer.  It belongs
 * to the library, and may grow.  Since 0.2. */
struct smtpd_credentials {
	/* The request. */
	const char *user; /* of the settings */
	const char *host; /* that will be connected to, as the target calls it;
	                   * "" */
	bool refused; /* the host has refused SECRET, which was given before, by
	               * 535: another one is wanted */
	const struct smtpd_cancel *cancel; /* of the settings; NULL: none */

	/* The answer. */
	bool is_token; /* SECRET is a bearer token, for OAUTHBEARER and XOAUTH2,
	                * and no password */
	char secret[SMTPD_SECRET_SIZE];
	char reason[SMTPD_REASON_SIZE]; /* why there is none: part of a sentence
	                                 * that logs and reports show */
};

/*
 * Fill in the answer of C.  Called before a connection is opened, on the thread
 * of smtpd_client_connect(), and once more, before a second one, when the host
 * has refused the secret.  It may block until C's cancel is triggered.  Must
 * return 0, or -1 without a secret: then nothing is connected to, which is a
 * temporary failure (4.7.0) in the phase AUTH; or, if the old one was refused,
 * that failure stands.  A queue holds its mail then (4.7.8): it goes by no
 * other target, and does not expire.  The library overwrites the secret when it
 * has logged in.  Since 0.2.
 */
typedef int smtpd_credentials_fn(
    void *user, struct smtpd_credentials *c) SMTPD_NOEXCEPT;

/* The settings of a client; zero or NULL means the default beside each.  The
 * times are in milliseconds; those of RFC 5321, 4.5.3.2 are its minima. */
struct smtpd_client_settings {
	size_t size;          /* SMTPD_CLIENT_SETTINGS_INIT */
	const char *hostname; /* for EHLO; default: the machine's name */
	enum smtpd_security security;
	bool tls_first; /* TLS from the first byte (RFC 8314), whatever
	                 * security says of STARTTLS */
	struct smtpd_trust *trust; /* NULL: the system's authorities where a
	                            * certificate must be good (security, user),
	                            * which the client reads when it needs them;
	                            * otherwise none is found good */

	/* AUTH, only in TLS with a good certificate; NULL: none.  With a
	 * password, the best of SCRAM-SHA-256, PLAIN and LOGIN that is offered
	 * is used, and after 504, 534 or 535 the next; with a token (see
	 * credentials) OAUTHBEARER or XOAUTH2, and after 504 or 534 the
	 * next. */
	const char *user;
	const char *password;

	bool data_only; /* no BDAT, also where CHUNKING is offered */

	uint32_t connect_ms;  /* for one address; 30000 */
	uint32_t stagger_ms;  /* before a second one is tried beside; 3000 */
	uint32_t greeting_ms; /* 300000 */
	uint32_t hello_ms;    /* 300000 */
	uint32_t tls_ms;      /* STARTTLS and the handshake; 120000 */
	uint32_t auth_ms;     /* 300000 */
	uint32_t mail_ms;     /* 300000 */
	uint32_t rcpt_ms;     /* 300000 */
	uint32_t data_ms;     /* 120000 */
	uint32_t block_ms;    /* for each block of the message, and the reply to
	                       * a chunk that is not the last; 180000 */
	uint32_t dot_ms;      /* 600000 */
	uint32_t reset_ms;    /* 20000 */
	uint32_t quit_ms;     /* 5000 */

	const struct smtpd_cancel *cancel;

	/* Ends, in its place, the wait for the reply to the end of a message,
	 * which may have been taken by then.  NULL: cancel does. */
	const struct smtpd_cancel *dot_cancel;

	/* Called with each line of the exchange, without its end, as printable
	 * ASCII; of AUTH only with the mechanism, of the message with nothing.
	 * It must return. */
	void (*exchange)(
	    void *user, bool sent, const char *line) SMTPD_NOEXCEPT;
	void *exchange_user;

	/* How long the server may keep us waiting in all, whatever it says: up
	 * to EHLO and AUTH, and then with each message up to its end, to which
	 * a second is added for each KiB that was sent.  600000.  Since 0.2. */
	uint32_t total_ms;

	/* LMTP (RFC 2033) instead of SMTP: LHLO in the place of EHLO, and a
	 * reply to the message for each recipient that was accepted.
	 * Since 0.2. */
	bool lmtp;

	/* Asked for the password, or the token, in the place of PASSWORD.
	 * NULL: none.  Since 0.2. */
	smtpd_credentials_fn *credentials;
	void *credentials_user;

	/* Mechanisms of AUTH, divided by blanks, that alone are used, in this
	 * order: some of those named above.  NULL: these.  Since 0.2. */
	const char *mechanisms;

	/* The addresses that connections come from, one of each family at most;
	 * a family without one has that of the system's choice.  NULL, 0: none.
	 * Since 0.2. */
	const struct smtpd_source *sources;
	size_t nsources;
};

#define SMTPD_CLIENT_SETTINGS_INIT SMTPD_INIT(smtpd_client_settings)

/* Put up to SIZE bytes of the message into BUF.  Must return how many, 0 at its
 * end, or -1 when it cannot be read. */
typedef ssize_t smtpd_read_fn(
    void *user, void *buf, size_t size) SMTPD_NOEXCEPT;

struct smtpd_outgoing;

/* Return the message that is sent after the present one, or NULL: see NEXT
 * below.  Since 0.2. */
typedef const struct smtpd_outgoing *smtpd_next_fn(void *user) SMTPD_NOEXCEPT;

/* One message to send. */
struct smtpd_outgoing {
	size_t size; /* SMTPD_OUTGOING_INIT */
	const struct smtpd_outgoing_envelope *envelope;

	/* The content, header and body: LENGTH bytes of FD from OFFSET on,
	 * or what READ gives when it is not NULL.  Lines end with CRLF or LF;
	 * a CR without LF is sent as CRLF.  LENGTH is announced as SIZE; 0
	 * with READ: not announced. */
	int fd;
	int64_t offset;
	uint64_t length;
	smtpd_read_fn *read;
	void *read_user;

	/* Send the content only when each recipient was accepted.  DATA waits
	 * for their replies.  Since 0.2. */
	bool all_or_none;

	/*
	 * Where the envelope says eight_bit and the server does not offer
	 * 8BITMIME, or it says long_lines, the body is converted (RFC 6152, 3;
	 * RFC 5321, 4.5.3.1.6): each part that needs it to quoted-printable
	 * or base64, with the same octets when it is decoded; SIZE is that of
	 * what is sent.  A message goes out as it is when that would break a
	 * signature of it or of a part (DKIM, ARC, multipart/signed), or there
	 * are only long lines in a part that can have no encoding;
	 * smtpd_client_conversion() tells.  With bytes outside ASCII in such a
	 * message it is not sent, which is permanent (5.6.3).  Fields with
	 * bytes outside ASCII stay as they are.  The content is read two or
	 * three times: from FD, or by READ, before each of which but the first
	 * REWIND must let it begin anew, and return 0, or -1 when it cannot.
	 * Since 0.2.
	 */
	bool convert;
	int (*rewind)(void *user) SMTPD_NOEXCEPT; /* called with READ_USER */

	/*
	 * Asked, with NEXT_USER, for the message that is sent next over this
	 * connection, when this one was sent up to its end, each recipient was
	 * accepted, and PIPELINING is offered.  Where it gives one, MAIL, RCPT
	 * and DATA of that go out with the end of this one (RFC 2920, 3.1), and
	 * its content with the next smtpd_client_send(), so that a message
	 * costs one round trip.  That must be called with this very struct,
	 * its envelope unchanged, or the connection be left; with another
	 * message it is closed (4.3.5).  NULL: none.  Since 0.2.
	 */
	smtpd_next_fn *next;
	void *next_user;
};

#define SMTPD_OUTGOING_INIT SMTPD_INIT(smtpd_outgoing)

/*
 * Make a client with a copy of SETTINGS (NULL: all defaults), of their texts,
 * and with a reference to trust; cancel and dot_cancel must live as long.
 * Return NULL with errno: ENOMEM, or EINVAL when the size or security is
 * wrong, mechanisms are named that the client does not know, or sources that
 * cannot be.
 * Since 0.1.
 */
SMTPD_API struct smtpd_client *smtpd_client_create(
    const struct smtpd_client_settings *settings);

/*
 * Connect to the first of COUNT addresses at TARGETS that answers with a good
 * greeting, all of one host, at PORT (the address of a UNIX socket has none):
 * say hello, go over to TLS and authenticate, as the settings and the server
 * will have it.  A user whose token was refused by 535 logs in once more, over
 * another connection, if there is another one.  Return 0, or -1 with the
 * reason in smtpd_client_result(); then nothing is open.  A greeting of 5xx, a
 * certificate that is not good enough and a password that is refused are
 * temporary; 5xx to both EHLO and HELO is permanent, for this host; so is 5xx
 * to LHLO.  When the handshake of TLS fails (SMTPD_PHASE_TLS), it is the
 * caller's to decide whether to come again without.  Blocks.  Since 0.1.
 */
SMTPD_API int smtpd_client_connect(struct smtpd_client *c,
    const struct smtpd_target *targets, size_t count, uint16_t port);

/*
 * Send one message over an open connection: MAIL, RCPT and DATA in one flight
 * where PIPELINING is offered.  Where CHUNKING is (RFC 3030), BDAT takes the
 * place of DATA, once a recipient was accepted: one chunk, or for more than 1
 * MiB several, each after the reply to the one before.  The dot is then the end
 * of the last chunk.  smtpd_client_rcpt_result() has a result for each
 * recipient:
 *
 * - 4xx and 421 anywhere are temporary, 5xx is permanent; but 552 to RCPT is
 *   temporary (RFC 5321, 4.5.3.1.10) unless its enhanced code is 5.3.4 or
 *   5.2.2.
 * - A connection that breaks, a deadline, a reply that is none, and CANCEL are
 *   temporary; after the dot they leave the outcome in doubt.
 * - What needs no server to be refused, without a code: 5.1.3 and 5.1.7 for
 *   what is no address, 5.5.4 for a parameter that cannot be sent, 5.6.7 and
 *   5.3.4 for what needs SMTPUTF8 or a larger SIZE than offered.  An address
 *   whose local part is ASCII does not need it: its domain is sent in A-labels.
 *   Content that is not ASCII goes out also where 8BITMIME is not offered,
 *   unless CONVERT is set.
 * - With ALL_OR_NONE, where one is refused the others are temporary too, 4.5.0
 *   without a code.
 * - A chunk that is refused ends the message for all that were accepted.
 * - By LMTP each of them has the reply that is its own.  Where the connection
 *   breaks between two replies, only those that have none are in doubt.
 * - Content that cannot be read to its end is not sent: 4.3.0, temporary.
 * - Where LIMITS is offered (RFC 9422), no more recipients are named than
 *   RCPTMAX says: the others are temporary, 4.5.3 without a code, and may come
 *   in another message.  After as many messages as MAILMAX says the client says
 *   QUIT, and the connection is closed.
 *
 * Return 0 when the connection is good for another message, or -1 when it is
 * closed; with errno EINVAL when MESSAGE or its envelope is not one (its size
 * is not set, say, or CONVERT is, and READ without REWIND), and ENOMEM.
 * Blocks.  Since 0.1.
 */
SMTPD_API int smtpd_client_send(
    struct smtpd_client *c, const struct smtpd_outgoing *message);

/* The result of recipient I in the last smtpd_client_send(); never NULL.
 * Belongs to C until the next one.  Since 0.2. */
SMTPD_API const struct smtpd_result *smtpd_client_rcpt_result(
    const struct smtpd_client *c, size_t i);

/* What was done about the content of a message. */
enum smtpd_conversion {
	SMTPD_CONVERSION_NONE, /* nothing: not asked for, not needed, or the
	                        * content could not be read */
	SMTPD_CONVERSION_DONE,
	SMTPD_CONVERSION_SIGNED, /* nothing, though it was needed: DKIM or ARC
	                          * would break */
	SMTPD_CONVERSION_FIXED,  /* the same: a part must stay as it is */
	SMTPD_CONVERSION_TOO_LARGE, /* the same: without its long lines it would
	                             * be over the server's SIZE */
};

/* The conversion in the last smtpd_client_send().  Since 0.2. */
SMTPD_API enum smtpd_conversion smtpd_client_conversion(
    const struct smtpd_client *c);

/* Send QUIT if a connection is open, and close it; its reply is not waited for
 * longer than quit_ms.  Since 0.1. */
SMTPD_API void smtpd_client_quit(struct smtpd_client *c);

/* Close without a word, and free C; NULL is fine.  Since 0.1. */
SMTPD_API void smtpd_client_destroy(struct smtpd_client *c);

/* How the last smtpd_client_connect() went, or why the connection closed.
 * Belongs to C.  Since 0.1. */
SMTPD_API const struct smtpd_result *smtpd_client_result(
    const struct smtpd_client *c);

/* The address that is, or was last, connected to, as "192.0.2.1" or
 * "2001:db8::1"; "" for none.  Belongs to C.  Since 0.1. */
SMTPD_API const char *smtpd_client_peer(const struct smtpd_client *c);

/*
 * What the server offered for KEYWORD in its last EHLO: its parameters, "" if
 * it has none, NULL if it was not offered.  Belongs to C until the connection
 * closes.  Since 0.1.
 */
SMTPD_API const char *smtpd_client_offers(
    const struct smtpd_client *c, const char *keyword);

/* The TLS of an open connection. */
struct smtpd_client_tls_info {
	const char *version; /* "TLSv1.2" */
	const char *cipher;  /* as IANA names it */
	bool verified;       /* the certificate is good and bears the name */
	bool resumed;        /* an earlier session went on */
	const char *reason;  /* why it was not verified; "" */
	const char *tlsa; /* the TLSA record by which it was: "3 1 1 ..."; "".
	                      * Since 0.2 */
};

/* The TLS of the open connection; NULL: not encrypted.  Belongs to C until the
 * connection closes.  Since 0.1. */
SMTPD_API const struct smtpd_client_tls_info *smtpd_client_tls(
    const struct smtpd_client *c);

#ifdef __cplusplus
}
#endif

#endif
