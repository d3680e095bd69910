/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_OUTGOING_H
#define SMTPD_OUTGOING_H

/*
 * The envelope of a message that goes out: what a client sends as MAIL and
 * RCPT, and what a queue stores beside the content.
 */

#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One recipient. */
struct smtpd_outgoing_rcpt {
	size_t size;         /* SMTPD_OUTGOING_RCPT_INIT */
	const char *address; /* local@domain */
	const char *notify;  /* NOTIFY= and ORCPT= (RFC 3461; RFC 6533), as */
	const char *orcpt;   /* on the wire; NULL: none */
};

#define SMTPD_OUTGOING_RCPT_INIT SMTPD_INIT(smtpd_outgoing_rcpt)

/* Sender, recipients, and what MAIL says of the message. */
struct smtpd_outgoing_envelope {
	size_t size;        /* SMTPD_OUTGOING_ENVELOPE_INIT */
	const char *sender; /* local@domain; "" for the null sender */

	/* NRCPTS recipients, all of the size that the first one has. */
	const struct smtpd_outgoing_rcpt *rcpts;
	size_t nrcpts;

	const char *ret;   /* RET= and ENVID= (RFC 3461), as on the wire; */
	const char *envid; /* NULL: none */
	bool eight_bit;    /* the content has bytes outside ASCII */
	bool utf8;         /* the header may have UTF-8 (RFC 6531): the message
	                    * goes to no host without SMTPUTF8, unless a queue
	                    * finds that it has none */
	bool utf8_wanted;  /* it has, though nobody said so: SMTPUTF8 is said
	                    * where it is offered; a queue finds that out.
	                    * Since 0.2 */
	bool long_lines;   /* the body may have lines of more than 998 octets; a
	                    * queue finds that out.  Since 0.2 */
	bool requiretls;   /* REQUIRETLS (RFC 8689): a queue sends it to no host
	                    * without that, and without TLS by a certificate
	                    * that the domain vouches for.  Since 0.2 */
	bool tls_optional; /* its header says "TLS-Required: No" (RFC 8689, 3):
	                    * policies of domains are of no account; a queue
	                    * finds that out.  Since 0.2 */
};

#define SMTPD_OUTGOING_ENVELOPE_INIT SMTPD_INIT(smtpd_outgoing_envelope)

#ifdef __cplusplus
}
#endif

#endif
