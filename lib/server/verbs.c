/* SPDX-License-Identifier: MIT */
#include "server/verbs.h"

#include <string.h>

#include "server/auth_offer.h"
#include "server/verb_auth.h"
#include "server/verb_bdat.h"
#include "server/verb_data.h"
#include "server/verb_hello.h"
#include "server/verb_mail.h"
#include "server/verb_other.h"
#include "server/verb_xclient.h"

#define ANY    SMTPD_STATE_ANY
#define START  (unsigned)SMTPD_STATE_START
#define HELLO  SMTPD_STATE_HELLO
#define MAIL   SMTPD_STATE_MAIL
#define RCPT   SMTPD_STATE_RCPT
#define LAST   SMTPD_TRAIT_LAST
#define IDLE   SMTPD_TRAIT_IDLE
#define PLAIN  SMTPD_TRAIT_PLAIN
#define SECRET SMTPD_TRAIT_SECRET
#define USERS  SMTPD_TRAIT_USERS
#define SMTP   SMTPD_TRAIT_SMTP
#define LMTP   SMTPD_TRAIT_LMTP
#define TELLS  SMTPD_TRAIT_TELLS
#define OCTETS SMTPD_TRAIT_OCTETS

/*
 * A line may have 512 octets (RFC 5321, 4.5.3.1.4), and what the extensions add
 * to it: SIZE 26 (RFC 1870), BODY 17 (RFC 6152, 2), SMTPUTF8 10, or 9 for VRFY
 * and EXPN (RFC 6531, 3.1), AUTH 500 (RFC 4954, 3), BY 17 (RFC 2852, 3),
 * HOLDUNTIL 34 (RFC 4865, 3), MT-PRIORITY 15 (RFC 6710, 3), REQUIRETLS 11 (RFC
 * 8689, 2); RET 9 and an ENVID of 100 characters, NOTIFY 29 and an ORCPT of 500
 * (RFC 3461, 4).
 */
#define MAIL_OCTETS (512 + 26 + 17 + 10 + 500 + 17 + 34 + 15 + 11 + 9 + 107)
#define RCPT_OCTETS (512 + 29 + 507)
#define LOOK_OCTETS (512 + 9)
#define AUTH_OCTETS SMTPD_AUTH_LINE_MAX

/* Most frequent first: it is searched from its beginning. */
static const struct {
	const char *name;
	unsigned states;
	unsigned traits;
	uint32_t octets;
	smtpd_verb_fn *act;
} verbs[] = {
	{ "MAIL", HELLO, USERS, MAIL_OCTETS, smtpd__verb_mail_mail },
	{ "RCPT", MAIL | RCPT, 0, RCPT_OCTETS, smtpd__verb_mail_rcpt },
	{ "DATA", MAIL | RCPT, LAST | PLAIN, 0, smtpd__verb_data },
	{ "BDAT", ANY, OCTETS, 0, smtpd__verb_bdat },
	{ "QUIT", ANY, PLAIN, 0, smtpd__verb_other_quit },
	{ "EHLO", ANY, LAST | IDLE | SMTP, 0, smtpd__verb_hello_ehlo },
	{ "HELO", ANY, LAST | IDLE | SMTP, 0, smtpd__verb_hello_helo },
	{ "LHLO", ANY, LAST | IDLE | LMTP, 0, smtpd__verb_hello_ehlo },
	{ "STARTTLS", ANY & ~START, LAST | PLAIN, 0,
	    smtpd__verb_hello_starttls },
	{ "AUTH", ANY, LAST | SECRET, AUTH_OCTETS, smtpd__verb_auth },
	{ "RSET", ANY, IDLE | PLAIN, 0, smtpd__verb_other_rset },
	{ "NOOP", ANY, IDLE, 0, smtpd__verb_other_custom },
	{ "HELP", ANY, IDLE, 0, smtpd__verb_other_help },
	{ "VRFY", ANY, IDLE | USERS, LOOK_OCTETS, smtpd__verb_other_lookup },
	{ "EXPN", ANY, IDLE | USERS, LOOK_OCTETS, smtpd__verb_other_lookup },
	{ "SEND", ANY, IDLE, 0, smtpd__verb_other_refused },
	{ "SOML", ANY, IDLE, 0, smtpd__verb_other_refused },
	{ "SAML", ANY, IDLE, 0, smtpd__verb_other_refused },
	{ "TURN", ANY, IDLE, 0, smtpd__verb_other_refused },
	{ "XCLIENT", ANY, LAST | TELLS, 0, smtpd__verb_xclient_xclient },
	{ "XFORWARD", ANY, TELLS, 0, smtpd__verb_xclient_xforward },
};

int
smtpd__verbs_install(struct smtpd_verb_table *t)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		struct smtpd_verb verb = {
			.states = verbs[i].states,
			.traits = verbs[i].traits,
			.octets = verbs[i].octets,
			.act = verbs[i].act,
		};

		memcpy(verb.name, verbs[i].name, strlen(verbs[i].name) + 1);
		if (smtpd__verb_table_add(t, &verb) == NULL)
			return -1;
	}
	return 0;
}
