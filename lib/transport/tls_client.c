/* SPDX-License-Identifier: MIT */
#include "transport/tls_client.h"

#include <mbedtls/version.h>

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sizes.h"
#include "base/text.h"
#include "transport/tls_alert.h"
#include "transport/tls_compat.h"
#include "transport/tls_conn_state.h"
#include "transport/tls_dane.h"
#include "transport/tls_names.h"
#include "transport/tls_trust.h"

struct client_conn {
	struct smtpd_tls_conn conn; /* first: destroyed as such */
	struct smtpd_trust *trust;
	const char *const *names; /* until the handshake is over */
	size_t nnames;
	const struct smtpd_tlsa_set *tlsa; /* likewise; NULL: none */
	struct smtpd_tls_dane dane;
	struct smtpd_client_tls_info info;
	bool has_name;
	unsigned char address[16]; /* the name is an address of so many */
	size_t address_len;        /* bytes; 0: it is none */
	bool legacy_signatures;
	bool saw_certificate; /* so no earlier session was resumed */
	bool chose_pss;       /* the server did, and we refused it */
	struct smtpd_tls_outcome outcome;
	char key[SMTPD_TLS_KEY_SIZE];
};

/* Called for each certificate, and not at all when a session is resumed.  That
 * at depth 0 is the server's own, and those that it sent follow. */
static int
see_certificate(void *arg, mbedtls_x509_crt *cert, int depth, uint32_t *flags)
{
	struct client_conn *cc = arg;

	(void)flags;
	cc->saw_certificate = true;
	if (depth == 0 && cc->tlsa != NULL)
		cc->dane = smtpd__tls_dane_judge(
		    cert, cc->tlsa, cc->names, cc->nnames);
	return 0;
}

struct smtpd_trust *
smtpd__tls_client_trust_nobody(void)
{
	return smtpd__tls_trust_create_empty();
}

struct smtpd_tls_conn *
smtpd__tls_client_create(struct smtpd_trust *t, struct smtpd_wire *w,
    const struct smtpd_tls_client_settings *set)
{
	struct client_conn *cc = calloc(1, sizeof(*cc));
	const char *asked =
	    set->server_name != NULL ? set->server_name : set->host;

	if (cc == NULL)
		return NULL;
	cc->trust = t;
	cc->names = set->names;
	cc->nnames = set->nnames;
	cc->tlsa = set->tlsa;
	cc->address_len = smtpd__tls_names_address(set->host, cc->address);
	/* An address is no name to be asked for. */
	cc->has_name = set->host[0] != '\0' && cc->address_len == 0;
	cc->legacy_signatures = set->legacy_signatures;
	snprintf(cc->key, sizeof(cc->key), "%s", set->key);
	if (smtpd__tls_conn_init(&cc->conn,
		smtpd__tls_trust_conf(t, set->legacy_signatures), w) == -1 ||
	    mbedtls_ssl_set_hostname(
		&cc->conn.ssl, cc->has_name ? asked : NULL) != 0) {
		smtpd__tls_conn_destroy(&cc->conn);
		return NULL;
	}
	mbedtls_ssl_set_verify(&cc->conn.ssl, see_certificate, cc);
	smtpd__tls_sessions_offer(
	    smtpd__tls_trust_sessions(t), cc->key, &cc->conn.ssl, &cc->outcome);
	return &cc->conn;
}

/* What FLAGS, the result of a verification, are in reports. */
static enum smtpd_tls_failure
classify_flags(uint32_t flags)
{
	const uint32_t dates =
	    MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;

	if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0)
		return SMTPD_TLS_FAILURE_CERTIFICATE_NOT_TRUSTED;
	if ((flags & dates) != 0)
		return SMTPD_TLS_FAILURE_CERTIFICATE_EXPIRED;
	if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0)
		return SMTPD_TLS_FAILURE_CERTIFICATE_HOST_MISMATCH;
	return SMTPD_TLS_FAILURE_VALIDATION;
}

/* Describe in one line FLAGS, the result of the verification. */
static void
explain_flags(struct client_conn *cc, uint32_t flags)
{
	char lines[512] = ""; /* without flags nothing is written */
	struct smtpd_text t;
	size_t len;

	smtpd__text_init(&t, cc->outcome.reason, sizeof(cc->outcome.reason));
	if (flags == 0) {
		smtpd__text_add(&t, "there is no name to check it against");
		return;
	}
	if (cc->nnames > 0 && (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
		smtpd__text_add(&t, "it bears none of the required names");
		flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
	}
	if (mbedtls_x509_crt_verify_info(lines, sizeof(lines), "", flags) < 0)
		lines[0] = '\0';
	for (const char *s = lines; *s != '\0'; s += len + (s[len] != '\0')) {
		len = strcspn(s, "\n");
		if (t.len > 0 && len > 0)
			smtpd__text_add(&t, "; ");
		smtpd__text_filtered(&t, s, len);
	}
	if (t.len == 0)
		smtpd__text_add(&t, "the certificate is bad");
}

/* Whether the certificate bears one of the names that it must, or the name, or
 * address, of the host; FLAGS are the result of the verification. */
static bool
bears_name(const struct client_conn *cc, uint32_t flags)
{
	const mbedtls_x509_crt *cert = mbedtls_ssl_get_peer_cert(&cc->conn.ssl);

	for (size_t i = 0; cert != NULL && i < cc->nnames; i++)
		if (smtpd__tls_names_include(
			cert, cc->names[i], strlen(cc->names[i])))
			return true;
	if (cc->nnames > 0)
		return false;
	if (cc->address_len > 0)
		return cert != NULL &&
		    smtpd__tls_names_include_address(
			cert, cc->address, cc->address_len);
	return cc->has_name && (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) == 0;
}

static void
verify_server(struct client_conn *cc)
{
	uint32_t flags = mbedtls_ssl_get_verify_result(&cc->conn.ssl);
	bool bears = bears_name(cc, flags);

	flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
	if (!bears && (cc->has_name || cc->address_len > 0 || cc->nnames > 0))
		flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	if (flags == 0 && bears) {
		cc->outcome.reached = SMTPD_TLS_REACHED_VERIFIED;
		return;
	}
	cc->outcome.failure = classify_flags(flags);
	explain_flags(cc, flags);
}

/* The records decide alone. */
static void
conclude_dane(struct client_conn *cc)
{
	struct smtpd_tls_outcome *v = &cc->outcome;
	struct smtpd_text t;

	if (cc->dane.record == NULL) {
		v->failure = SMTPD_TLS_FAILURE_VALIDATION;
		snprintf(
		    v->reason, sizeof(v->reason), "no TLSA record matches it");
		return;
	}
	smtpd__text_init(&t, v->record, sizeof(v->record));
	smtpd__tlsa_write(cc->dane.record, &t);
	if (cc->dane.flags == 0) {
		v->reached = SMTPD_TLS_REACHED_DANE;
		return;
	}
	v->failure = classify_flags(cc->dane.flags);
	explain_flags(cc, cc->dane.flags);
}

static void
gather_info(struct client_conn *cc)
{
	struct smtpd_tls_outcome *v = &cc->outcome;

	smtpd__tls_conn_name_cipher(&cc->conn);
	cc->info.version = mbedtls_ssl_get_version(&cc->conn.ssl);
	cc->info.cipher = cc->conn.info.cipher;
	cc->info.resumed = !cc->saw_certificate;
	if (cc->saw_certificate) {
		*v = (struct smtpd_tls_outcome){
			.reached = SMTPD_TLS_REACHED_ENCRYPTED
		};
		if (cc->tlsa != NULL)
			conclude_dane(cc);
		else
			verify_server(cc);
	}
	cc->info.verified = v->reached > SMTPD_TLS_REACHED_ENCRYPTED;
	cc->info.reason = v->reason;
	cc->info.tlsa = v->reached == SMTPD_TLS_REACHED_DANE ? v->record : "";
}

enum smtpd_io_status
smtpd__tls_client_handshake(
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size)
{
	struct client_conn *cc = (struct client_conn *)conn;
	enum smtpd_io_status status;
	int result = smtpd__tls_conn_shake_hands(conn, deadline);

	if (result == 0) {
		gather_info(cc);
		return SMTPD_IO_OK;
	}
	status = smtpd__tls_conn_status(conn, result);
	cc->chose_pss =
	    status == SMTPD_IO_TLS && smtpd_tls_is_pss_refused(result);
	reason[0] = '\0';
	if (status == SMTPD_IO_TLS)
		smtpd__tls_alert_explain(&conn->ssl, result, reason, size);
	return status;
}

bool
smtpd__tls_client_needs_legacy(const struct smtpd_tls_conn *conn)
{
	const struct client_conn *cc = (const struct client_conn *)conn;

	return cc->chose_pss && !cc->legacy_signatures;
}

const struct smtpd_client_tls_info *
smtpd__tls_client_info(const struct smtpd_tls_conn *conn)
{
	return &((const struct client_conn *)conn)->info;
}

const struct smtpd_tls_outcome *
smtpd__tls_client_outcome(const struct smtpd_tls_conn *conn)
{
	return &((const struct client_conn *)conn)->outcome;
}

void
smtpd__tls_client_keep(struct smtpd_tls_conn *conn)
{
	struct client_conn *cc = (struct client_conn *)conn;

	smtpd__tls_sessions_store(smtpd__tls_trust_sessions(cc->trust), cc->key,
	    &conn->ssl, &cc->outcome);
}
