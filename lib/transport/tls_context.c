/* SPDX-License-Identifier: MIT */
#include "transport/tls_context.h"

#include <mbedtls/version.h>

#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/pem.h"
#include "crypto/rng.h"
#include "transport/tls_compat.h"
#include "transport/tls_conn_state.h"
#include "transport/tls_names.h"

/* The longest name that a client may ask for. */
#define SERVER_NAME_MAX 255

#define TICKET_LIFETIME_S     7200
#define TICKET_LIFETIME_MAX_S 604800 /* RFC 8446, 4.6.1 */

/* Tells the tickets of one set of pairs from those of another. */
#define MARK_SIZE SMTPD_SHA256_SIZE

/* The certificate of a host, and its key. */
struct pair {
	mbedtls_x509_crt chain; /* the host's own first */
	mbedtls_pk_context key;
	struct pair *next;
};

/* What a context may take over from the one that it replaces.  Each part has
 * a lock of its own. */
struct secrets {
	atomic_uint refs;
	struct smtpd_rng random;
	mbedtls_ssl_ticket_context tickets;
	bool has_tickets;
};

struct smtpd_tls {
	atomic_uint refs;
	atomic_bool frozen;
	bool is_wrong; /* its settings are: the error says how */
	char error[256];
	struct pair *pairs; /* in the order they were added */
	struct secrets *secrets;
	unsigned char mark[MARK_SIZE]; /* of its tickets, from the pairs */

	/* Shared by all connections, which only read it. */
	mbedtls_ssl_config conf;
	mbedtls_x509_crt client_ca;
};

/* Forward secrecy and authenticated encryption only; the fastest in software
 * first. */
static const int suites[] = {
	SMTPD_TLS_SUITES_OF_1_3
	    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	0,
};

bool
smtpd_tls_supported(void)
{
	/* What was compiled against may not be what is loaded, and 0 means
	 * that it has it. */
	return mbedtls_version_check_feature("MBEDTLS_THREADING_C") == 0;
}

const char *
smtpd_tls_error(const struct smtpd_tls *tls)
{
	return tls->error;
}

/* Keep the reason of a failure: of mbedTLS if CODE is negative, of the system
 * if it is positive. */
static int
fail(struct smtpd_tls *tls, const char *file, const char *what, int code)
{
	struct smtpd_text t;
	char reason[128] = "";

	smtpd__text_init(&t, tls->error, sizeof(tls->error));
	smtpd__text_format(&t, "%s: %s", file, what);
	if (code < 0)
		mbedtls_strerror(code, reason, sizeof(reason));
	else if (code > 0 && strerror_r(code, reason, sizeof(reason)) != 0)
		reason[0] = '\0';
	if (reason[0] != '\0')
		smtpd__text_format(&t, ": %s", reason);
	return -1;
}

/* The same for a setting: no certificate can be added then. */
static void
fail_setting(
    struct smtpd_tls *tls, const char *name, const char *what, int code)
{
	if (!tls->is_wrong)
		fail(tls, name, what, code);
	tls->is_wrong = true;
}

static int
read_file(struct smtpd_tls *tls, const char *file, struct smtpd_pem *pem)
{
	int error = smtpd__pem_read(pem, file);

	return error == 0 ? 0 : fail(tls, file, "cannot be read", error);
}

static int
copy_text(
    struct smtpd_tls *tls, const char *text, size_t len, struct smtpd_pem *pem)
{
	int error = smtpd__pem_copy(pem, text, len);

	return error == 0 ? 0 : fail(tls, "memory", "cannot be copied", error);
}

/*
 * Read all certificates of PEM, which came from FILE.  mbedTLS itself is
 * content with a first whole one, and does not look behind a NUL.
 */
static int
parse_chain(struct smtpd_tls *tls, const char *file,
    const struct smtpd_pem *pem, mbedtls_x509_crt *chain)
{
	int error;

	if (smtpd__pem_has_nul(pem))
		return fail(tls, file, "holds a NUL byte", 0);
	error = mbedtls_x509_crt_parse(chain, pem->text, pem->size);
	if (error < 0)
		return fail(tls, file, "no certificates in PEM", error);
	if (error > 0 || smtpd__pem_breaks_off(pem))
		return fail(tls, file, "not all certificates are whole", 0);
	return 0;
}

/*
 * mbedTLS resumes a session with the suite that it would choose now, whatever
 * the session had (RFC 5246, 7.4.1.3).  That is the same only while there are
 * the same kinds of keys for the same names: a mark of them stands before each
 * ticket.
 */
static int
write_ticket(void *arg, const mbedtls_ssl_session *session,
    unsigned char *start, const unsigned char *end, size_t *len,
    uint32_t *lifetime)
{
	struct smtpd_tls *tls = arg;
	int error;

	if (end - start < MARK_SIZE)
		return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	memcpy(start, tls->mark, MARK_SIZE);
	error = mbedtls_ssl_ticket_write(&tls->secrets->tickets, session,
	    start + MARK_SIZE, end, len, lifetime);
	*len += MARK_SIZE;
	return error;
}

static int
parse_ticket(
    void *arg, mbedtls_ssl_session *session, unsigned char *ticket, size_t len)
{
	struct smtpd_tls *tls = arg;

	if (len < MARK_SIZE || memcmp(ticket, tls->mark, MARK_SIZE) != 0)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	return mbedtls_ssl_ticket_parse(&tls->secrets->tickets, session,
	    ticket + MARK_SIZE, len - MARK_SIZE);
}

static void
secrets_unref(struct secrets *x)
{
	if (x == NULL || atomic_fetch_sub(&x->refs, 1) > 1)
		return;
	mbedtls_ssl_ticket_free(&x->tickets);
	smtpd__rng_free(&x->random);
	free(x);
}

/* With keys for tickets that last LIFETIME seconds; 0: without. */
static struct secrets *
secrets_create(uint32_t lifetime)
{
	struct secrets *x = calloc(1, sizeof(*x));
	int error;

	if (x == NULL)
		return NULL;
	atomic_init(&x->refs, 1);
	mbedtls_ssl_ticket_init(&x->tickets);
	error = smtpd__rng_init(&x->random);
	if (error == 0 && lifetime > 0) {
		x->has_tickets = true;
		error = mbedtls_ssl_ticket_setup(&x->tickets,
		    mbedtls_ctr_drbg_random, &x->random.drbg,
		    MBEDTLS_CIPHER_AES_256_GCM, lifetime);
	}
	if (error == 0)
		return x;
	secrets_unref(x);
	return NULL;
}

/* Its own secrets, or those of the context that it follows.  TLS 1.3 does not
 * keep the client's certificate in a ticket: where it matters there are
 * none. */
static struct secrets *
choose_secrets(const struct smtpd_tls_settings *s)
{
	if (s->no_tickets || s->clients != SMTPD_TLS_CLIENTS_IGNORED)
		return secrets_create(0);
	if (s->tickets_of != NULL && s->tickets_of->secrets->has_tickets) {
		atomic_fetch_add(&s->tickets_of->secrets->refs, 1);
		return s->tickets_of->secrets;
	}
	return secrets_create(s->ticket_lifetime_s != 0 ? s->ticket_lifetime_s
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
	struct smtpd_pem pem = { NULL, 0 };

	if ((unsigned)s->clients >= sizeof(modes) / sizeof(modes[0])) {
		fail_setting(tls, "clients", "no such value", 0);
		return;
	}
	mbedtls_ssl_conf_authmode(&tls->conf, modes[s->clients]);
	if (s->clients == SMTPD_TLS_CLIENTS_DEMANDED &&
	    s->client_ca_file == NULL)
		fail_setting(tls, "client_ca_file",
		    "needed to demand certificates of clients", 0);
	if (s->client_ca_file == NULL)
		return;
	if (read_file(tls, s->client_ca_file, &pem) != 0 ||
	    parse_chain(tls, s->client_ca_file, &pem, &tls->client_ca) != 0)
		tls->is_wrong = true;
	smtpd__pem_free(&pem);
	mbedtls_ssl_conf_ca_chain(&tls->conf, &tls->client_ca, NULL);
}

static void
set_up_version(struct smtpd_tls *tls, const struct smtpd_tls_settings *s)
{
	if (s->min_version != SMTPD_TLS_1_2 && s->min_version != SMTPD_TLS_1_3)
		fail_setting(tls, "min_version", "no such value", 0);
	else if (smtpd_tls_set_min_version(&tls->conf, s->min_version) != 0)
		fail_setting(
		    tls, "min_version", "this mbedTLS has no TLS 1.3", 0);
}

/*
 * The client asks for a host by NAME: all pairs that bear it may serve.  For a
 * name that none bears, the default does.
 */
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
	for (struct pair *p = tls->pairs; p != NULL; p = p->next)
		if (smtpd__tls_names_include(&p->chain, text, len) &&
		    mbedtls_ssl_set_hs_own_cert(ssl, &p->chain, &p->key) != 0)
			return -1;
	return 0;
}

static int
set_up(struct smtpd_tls *tls, const struct smtpd_tls_settings *s)
{
	struct secrets *x;

	if (smtpd_tls_init_crypto() != 0 ||
	    mbedtls_ssl_config_defaults(&tls->conf, MBEDTLS_SSL_IS_SERVER,
		MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return -1;
	x = tls->secrets = choose_secrets(s);
	if (x == NULL)
		return -1;
	mbedtls_ssl_conf_rng(
	    &tls->conf, mbedtls_ctr_drbg_random, &x->random.drbg);
	mbedtls_ssl_conf_ciphersuites(&tls->conf, suites);
	smtpd_tls_set_groups(&tls->conf);
	mbedtls_ssl_conf_sni(&tls->conf, sni_callback, tls);
	if (x->has_tickets)
		mbedtls_ssl_conf_session_tickets_cb(
		    &tls->conf, write_ticket, parse_ticket, tls);
	set_up_version(tls, s);
	set_up_clients(tls, s);
	if (s->ticket_lifetime_s > TICKET_LIFETIME_MAX_S)
		fail_setting(tls, "ticket_lifetime_s", "over 604800", 0);
	return 0;
}

struct smtpd_tls *
smtpd_tls_create(const struct smtpd_tls_settings *settings)
{
	static const struct smtpd_tls_settings defaults;
	struct smtpd_tls *tls;

	if (!smtpd_tls_supported())
		return NULL;
	tls = calloc(1, sizeof(*tls));
	if (tls == NULL)
		return NULL;
	atomic_init(&tls->refs, 1);
	atomic_init(&tls->frozen, false);
	mbedtls_ssl_config_init(&tls->conf);
	mbedtls_x509_crt_init(&tls->client_ca);
	if (set_up(tls, settings != NULL ? settings : &defaults) != 0) {
		smtpd_tls_unref(tls);
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

static void
free_pair(struct pair *p)
{
	mbedtls_x509_crt_free(&p->chain);
	mbedtls_pk_free(&p->key);
	free(p);
}

void
smtpd_tls_unref(struct smtpd_tls *tls)
{
	if (tls == NULL || atomic_fetch_sub(&tls->refs, 1) > 1)
		return;
	mbedtls_ssl_config_free(&tls->conf);
	mbedtls_x509_crt_free(&tls->client_ca);
	while (tls->pairs != NULL) {
		struct pair *p = tls->pairs;

		tls->pairs = p->next;
		free_pair(p);
	}
	secrets_unref(tls->secrets);
	free(tls);
}

/* Whether P may stand beside the first pair as the default: another kind of
 * key for one of the same names. */
static bool
is_beside(const struct pair *first, const struct pair *p)
{
	return mbedtls_pk_get_type(&p->key) !=
	    mbedtls_pk_get_type(&first->key) &&
	    smtpd__tls_names_overlap(&first->chain, &p->chain);
}

static int
check_times(struct smtpd_tls *tls, const struct pair *p, const char *file)
{
	if (mbedtls_x509_time_is_past(&p->chain.valid_to))
		return fail(tls, file, "the certificate has expired", 0);
	if (mbedtls_x509_time_is_future(&p->chain.valid_from))
		return fail(tls, file, "the certificate is not valid yet", 0);
	return 0;
}

static struct pair *
new_pair(void)
{
	struct pair *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	mbedtls_x509_crt_init(&p->chain);
	mbedtls_pk_init(&p->key);
	return p;
}

/* Read CERT and KEY, which came from files of these names, into P. */
static int
parse_pair(struct smtpd_tls *tls, struct pair *p, const char *cert_file,
    const struct smtpd_pem *cert, const char *key_file,
    const struct smtpd_pem *key)
{
	int error;

	if (parse_chain(tls, cert_file, cert, &p->chain) != 0)
		return -1;
	error = smtpd_tls_parse_key(
	    &p->key, key->text, key->size, &tls->secrets->random.drbg);
	if (error != 0)
		return fail(tls, key_file, "not a whole key", error);
	if (smtpd_tls_check_pair(
		&p->chain.pk, &p->key, &tls->secrets->random.drbg) != 0)
		return fail(
		    tls, key_file, "the key belongs to another certificate", 0);
	return check_times(tls, p, cert_file);
}

/* Mix what matters of P to tickets into MARK: the key's kind, the names. */
static int
mark_pair(const struct pair *p, unsigned char *mark)
{
	struct smtpd_tls_names names = smtpd__tls_names(&p->chain);
	const char *name = "";
	size_t len = 0;

	do {
		unsigned char mix[MARK_SIZE + 4 + SERVER_NAME_MAX] = { 0 };
		size_t bits = mbedtls_pk_get_bitlen(&p->key);
		int error;

		memcpy(mix, mark, MARK_SIZE);
		mix[MARK_SIZE] = (unsigned char)mbedtls_pk_get_type(&p->key);
		mix[MARK_SIZE + 1] = (unsigned char)(bits >> 8);
		mix[MARK_SIZE + 2] = (unsigned char)bits;
		memcpy(mix + MARK_SIZE + 4, name,
		    len < SERVER_NAME_MAX ? len : SERVER_NAME_MAX);
		error = smtpd__digest_sha256(mix, sizeof(mix), mark);
		if (error != 0)
			return error;
	} while (smtpd__tls_names_next(&names, &name, &len));
	return 0;
}

/* Put P behind the others, in use where it may be. */
static int
append_pair(struct smtpd_tls *tls, struct pair *p)
{
	struct pair **at = &tls->pairs;
	int error = mark_pair(p, tls->mark);

	if (error == 0 && (*at == NULL || is_beside(*at, p)))
		error =
		    mbedtls_ssl_conf_own_cert(&tls->conf, &p->chain, &p->key);
	if (error != 0)
		return error;
	while (*at != NULL)
		at = &(*at)->next;
	*at = p;
	return 0;
}

static int
add_pair(struct smtpd_tls *tls, const char *cert_file,
    const struct smtpd_pem *cert, const char *key_file,
    const struct smtpd_pem *key)
{
	struct pair *p = new_pair();

	if (p == NULL)
		return fail(tls, cert_file, "cannot be used", ENOMEM);
	if (parse_pair(tls, p, cert_file, cert, key_file, key) != 0) {
		free_pair(p);
		return -1;
	}
	if (append_pair(tls, p) != 0) {
		free_pair(p);
		return fail(tls, cert_file, "cannot be used", ENOMEM);
	}
	return 0;
}

/* What must be so before a certificate is added. */
static int
check_context(struct smtpd_tls *tls)
{
	if (atomic_load(&tls->frozen))
		return fail(tls, "certificate", "the context is in use", 0);
	return tls->is_wrong ? -1 : 0;
}

int
smtpd_tls_add_files(
    struct smtpd_tls *tls, const char *cert_file, const char *key_file)
{
	struct smtpd_pem cert = { NULL, 0 }, key = { NULL, 0 };
	int result = -1;

	if (check_context(tls) != 0)
		return -1;
	if (read_file(tls, cert_file, &cert) == 0 &&
	    read_file(tls, key_file, &key) == 0)
		result = add_pair(tls, cert_file, &cert, key_file, &key);
	smtpd__pem_free(&cert);
	smtpd__pem_free(&key);
	return result;
}

int
smtpd_tls_add_memory(struct smtpd_tls *tls, const char *cert, size_t cert_len,
    const char *key, size_t key_len)
{
	struct smtpd_pem cert_pem = { NULL, 0 }, key_pem = { NULL, 0 };
	int result = -1;

	if (check_context(tls) != 0)
		return -1;
	if (copy_text(tls, cert, cert_len, &cert_pem) == 0 &&
	    copy_text(tls, key, key_len, &key_pem) == 0)
		result = add_pair(tls, "memory", &cert_pem, "memory", &key_pem);
	smtpd__pem_free(&cert_pem);
	smtpd__pem_free(&key_pem);
	return result;
}

/* Seconds since 1970 (the days of the civil calendar, counted from March). */
static time_t
seconds_of(const mbedtls_x509_time *t)
{
	int year = t->mon <= 2 ? t->year - 1 : t->year;
	int month = t->mon <= 2 ? t->mon + 9 : t->mon - 3;
	long days = 365L * year + year / 4 - year / 100 + year / 400 +
	    (153 * month + 2) / 5 + t->day - 1 - 719468;

	return (time_t)days * 86400 + t->hour * 3600 + t->min * 60 + t->sec;
}

time_t
smtpd_tls_expires(const struct smtpd_tls *tls)
{
	time_t first = 0;

	for (const struct pair *p = tls->pairs; p != NULL; p = p->next) {
		time_t t = seconds_of(&p->chain.valid_to);

		if (first == 0 || t < first)
			first = t;
	}
	return first;
}

bool
smtpd__tls_context_freeze(struct smtpd_tls *tls)
{
	if (tls->pairs == NULL)
		return false;
	atomic_store(&tls->frozen, true);
	return true;
}

const mbedtls_ssl_config *
smtpd__tls_context_conf(const struct smtpd_tls *tls)
{
	return &tls->conf;
}
