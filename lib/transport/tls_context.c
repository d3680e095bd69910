/* SPDX-License-Identifier: MIT */
#include "transport/tls_context.h"

#include <mbedtls/version.h>

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/sized.h"
#include "base/text.h"
#include "crypto/pem.h"
#include "transport/tls_compat.h"
#include "transport/tls_conn_state.h"
#include "transport/tls_fault.h"
#include "transport/tls_pairs.h"
#include "transport/tls_tickets.h"

/* The longest name that a client may ask for. */
#define SERVER_NAME_MAX 255

#define TICKET_LIFETIME_S     7200
#define TICKET_LIFETIME_MAX_S 604800 /* RFC 8446, 4.6.1 */

struct smtpd_tls {
	atomic_uint refs;
	atomic_bool frozen;
	bool is_wrong; /* its settings are: the error says how */
	struct smtpd_tls_fault error;
	struct smtpd_tls_pairs pairs;
	struct smtpd_tls_ticket_use tickets;

	/* Shared by all connections, which only read it. */
	mbedtls_ssl_config conf;
	mbedtls_x509_crt client_ca;
	bool cbc_suites;
	mbedtls_ssl_config starttls; /* a copy of conf, but for the suites,
	                              * that owns nothing */
};

/* Forward secrecy and authenticated encryption only; the fastest in software
 * first. */
#define GOOD_SUITES                                              \
	SMTPD_TLS_SUITES_OF_1_3                                  \
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,   \
	    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,     \
	    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,     \
	    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, \
	    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,       \
	    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384

static const int suites[] = { GOOD_SUITES, 0 };

/* What schannel of Windows before 10 and Java 7 have with an RSA key. */
static const int cbc_suites[] = {
	GOOD_SUITES,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
	0,
};

bool
smtpd_tls_supported(void)
{
	/* The library that is loaded may be another one than at compile time;
	 * 0 means that it has the feature. */
	return mbedtls_version_check_feature("MBEDTLS_THREADING_C") == 0;
}

const char *
smtpd_tls_error(const struct smtpd_tls *tls)
{
	return tls->error.text;
}

/* Refuse a setting: no certificate can be added then. */
static void
refuse_setting(struct smtpd_tls *tls, const char *name, const char *what)
{
	if (!tls->is_wrong)
		smtpd__tls_fault_set(&tls->error, name, what, 0);
	tls->is_wrong = true;
}

static int
read_source(struct smtpd_tls *tls, struct smtpd_tls_source *source)
{
	int error;

	if (source->file == NULL)
		return smtpd__tls_fault_set(
		    &tls->error, "file", "its name is missing", 0);
	error = smtpd__pem_read(&source->pem, source->file);
	return error == 0 ? 0
			  : smtpd__tls_fault_set(&tls->error, source->file,
				"cannot be read", error);
}

/* Its own tickets, or those of the context that it follows.  TLS 1.3 does not
 * keep the client's certificate in a ticket: where it matters there are none.
 */
static struct smtpd_tls_tickets *
choose_tickets(const struct smtpd_tls_settings *s)
{
	const struct smtpd_tls *before = s->tickets_of;

	if (s->no_tickets || s->clients != SMTPD_TLS_CLIENTS_IGNORED)
		return smtpd__tls_tickets_create(0);
	if (before != NULL && before->tickets.tickets->enabled)
		return smtpd__tls_tickets_ref(before->tickets.tickets);
	return smtpd__tls_tickets_create(s->ticket_lifetime_s != 0
		? s->ticket_lifetime_s
		: TICKET_LIFETIME_S);
}

static void
set_up_clients(struct smtpd_tls *tls, const struct smtpd_tls_settings *s)
{
	static const int modes[] = {
		[SMTPD_TLS_CLIENTS_IGNORED] = MBEDTLS_SSL_VERIFY_NONE,
		[SMTPD_TLS_CLIENTS_ASKED] = MBEDTLS_SSL_VERIFY_OPTIONAL,
		[SMTPD_TLS_CLIENTS_DEMANDED] = MBEDTLS_SSL_VERIFY_REQUIRED,
	};
	struct smtpd_tls_source ca = { .file = s->client_ca_file };

	if ((unsigned)s->clients >= sizeof(modes) / sizeof(modes[0])) {
		refuse_setting(tls, "clients", "no such value");
		return;
	}
	mbedtls_ssl_conf_authmode(&tls->conf, modes[s->clients]);
	if (s->clients == SMTPD_TLS_CLIENTS_DEMANDED && ca.file == NULL)
		refuse_setting(tls, "client_ca_file",
		    "needed to demand certificates of clients");
	if (ca.file == NULL)
		return;
	if (read_source(tls, &ca) == -1 ||
	    smtpd__tls_pairs_parse_chain(&ca, &tls->client_ca, &tls->error) ==
		-1)
		tls->is_wrong = true;
	smtpd__pem_free(&ca.pem);
	mbedtls_ssl_conf_ca_chain(&tls->conf, &tls->client_ca, NULL);
}

static void
set_up_version(struct smtpd_tls *tls, const struct smtpd_tls_settings *s)
{
	if (s->min_version != SMTPD_TLS_1_2 && s->min_version != SMTPD_TLS_1_3)
		refuse_setting(tls, "min_version", "no such value");
	else if (smtpd_tls_set_min_version(&tls->conf, s->min_version) != 0)
		refuse_setting(
		    tls, "min_version", "this mbedTLS has no TLS 1.3");
}

/* The client asks for a host by NAME.  For a name that no certificate bears,
 * the default is used. */
static int
sni_callback(
    void *arg, mbedtls_ssl_context *ssl, const unsigned char *name, size_t len)
{
	struct smtpd_tls *tls = arg;
	struct smtpd_tls_conn *conn = (struct smtpd_tls_conn *)ssl;
	const char *text = (const char *)name;
	struct smtpd_text t;

	if (len > SERVER_NAME_MAX)
		return -1;
	free(conn->server_name);
	conn->server_name = malloc(len + 1);
	if (conn->server_name == NULL)
		return -1;
	smtpd__text_init(&t, conn->server_name, len + 1);
	smtpd__text_filtered(&t, text, len);
	return smtpd__tls_pairs_choose(&tls->pairs, ssl, text, len);
}

static int
set_up(struct smtpd_tls *tls, const struct smtpd_tls_settings *s)
{
	if (smtpd_tls_init_crypto() != 0 ||
	    mbedtls_ssl_config_defaults(&tls->conf, MBEDTLS_SSL_IS_SERVER,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return -1;
	tls->tickets.tickets = choose_tickets(s);
	if (tls->tickets.tickets == NULL)
		return -1;
	tls->tickets.mark = tls->pairs.mark;
	tls->pairs.conf = &tls->conf;
	tls->pairs.any_date = s->any_date;
	tls->cbc_suites = s->cbc_suites;
	tls->pairs.drbg = &tls->tickets.tickets->random.drbg;
	mbedtls_ssl_conf_rng(
	    &tls->conf, mbedtls_ctr_drbg_random, tls->pairs.drbg);
	mbedtls_ssl_conf_ciphersuites(&tls->conf, suites);
	smtpd_tls_set_groups(&tls->conf);
	mbedtls_ssl_conf_sni(&tls->conf, sni_callback, tls);
	smtpd__tls_tickets_set(&tls->conf, &tls->tickets);
	set_up_version(tls, s);
	set_up_clients(tls, s);
	if (s->ticket_lifetime_s > TICKET_LIFETIME_MAX_S)
		refuse_setting(tls, "ticket_lifetime_s", "over 604800");
	return 0;
}

struct smtpd_tls *
smtpd_tls_create(const struct smtpd_tls_settings *settings)
{
	struct smtpd_tls_settings known;
	struct smtpd_tls *tls;

	if (smtpd__sized_copy(&known, sizeof(known), settings) == -1)
		return NULL;
	if (!smtpd_tls_supported()) {
		errno = ENOTSUP;
		return NULL;
	}
	tls = calloc(1, sizeof(*tls));
	if (tls == NULL)
		return NULL;
	atomic_init(&tls->refs, 1);
	atomic_init(&tls->frozen, false);
	mbedtls_ssl_config_init(&tls->conf);
	mbedtls_x509_crt_init(&tls->client_ca);
	if (set_up(tls, &known) == -1) {
		smtpd_tls_unref(tls);
		errno = ENOMEM;
		return NULL;
	}
	return tls;
}

struct smtpd_tls *
smtpd_tls_ref(struct smtpd_tls *tls)
{
	atomic_fetch_add(&tls->refs, 1);
	return tls;
}

void
smtpd_tls_unref(struct smtpd_tls *tls)
{
	if (tls == NULL || atomic_fetch_sub(&tls->refs, 1) > 1)
		return;
	mbedtls_ssl_config_free(&tls->conf);
	mbedtls_x509_crt_free(&tls->client_ca);
	smtpd__tls_pairs_free(&tls->pairs);
	smtpd__tls_tickets_unref(tls->tickets.tickets);
	free(tls);
}

/* Check what must be so before a certificate is added. */
static int
check_context(struct smtpd_tls *tls)
{
	if (atomic_load(&tls->frozen)) {
		smtpd__tls_fault_set(
		    &tls->error, "certificate", "the context is in use", 0);
		errno = EBUSY;
		return -1;
	}
	if (!tls->is_wrong) {
		tls->error.text[0] = '\0';
		return 0;
	}
	errno = EINVAL;
	return -1;
}

/* Add the pair, and copy the configuration that knows it. */
static int
add_pair(struct smtpd_tls *tls, const struct smtpd_tls_source *cert,
    const struct smtpd_tls_source *key)
{
	int result = smtpd__tls_pairs_add(&tls->pairs, cert, key, &tls->error);

	tls->starttls = tls->conf;
	if (tls->cbc_suites)
		mbedtls_ssl_conf_ciphersuites(&tls->starttls, cbc_suites);
	return result;
}

int
smtpd_tls_add_files(
    struct smtpd_tls *tls, const char *cert_file, const char *key_file)
{
	struct smtpd_tls_source cert = { .file = cert_file };
	struct smtpd_tls_source key = { .file = key_file };
	int result = -1;

	if (check_context(tls) == -1)
		return -1;
	if (read_source(tls, &cert) == 0 && read_source(tls, &key) == 0)
		result = add_pair(tls, &cert, &key);
	smtpd__pem_free(&cert.pem);
	smtpd__pem_free(&key.pem);
	return result;
}

int
smtpd_tls_add_memory(struct smtpd_tls *tls, const char *cert, size_t cert_len,
    const char *key, size_t key_len)
{
	struct smtpd_tls_source cert_source = { .file = "memory" };
	struct smtpd_tls_source key_source = { .file = "memory" };
	int result = -1;

	if (check_context(tls) == -1)
		return -1;
	if (cert == NULL || key == NULL)
		return smtpd__tls_fault_set(
		    &tls->error, "memory", "no certificate, or no key", 0);
	if (smtpd__pem_copy(&cert_source.pem, cert, cert_len) == 0 &&
	    smtpd__pem_copy(&key_source.pem, key, key_len) == 0)
		result = add_pair(tls, &cert_source, &key_source);
	else
		smtpd__tls_fault_set(
		    &tls->error, "memory", "cannot be copied", ENOMEM);
	smtpd__pem_free(&cert_source.pem);
	smtpd__pem_free(&key_source.pem);
	return result;
}

int64_t
smtpd_tls_expires_s(const struct smtpd_tls *tls)
{
	return smtpd__tls_pairs_expire_s(&tls->pairs);
}

bool
smtpd__tls_context_freeze(struct smtpd_tls *tls)
{
	if (tls->pairs.first == NULL)
		return false;
	atomic_store(&tls->frozen, true);
	return true;
}

const struct smtpd_tls_pairs *
smtpd__tls_context_pairs(const struct smtpd_tls *tls)
{
	return &tls->pairs;
}

const mbedtls_ssl_config *
smtpd__tls_context_conf(const struct smtpd_tls *tls, bool starttls)
{
	return starttls ? &tls->starttls : &tls->conf;
}
