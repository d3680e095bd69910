/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <mbedtls/version.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "net/pages.h"
#include "net/tls_compat.h"
#include "net/tls_conn.h"

/* The longest name that a client may ask for. */
#define SERVER_NAME_MAX 255

#define TICKET_LIFETIME_S     7200
#define TICKET_LIFETIME_MAX_S 604800 /* RFC 8446, 4.6.1 */

/* Tells the tickets of one set of pairs from those of another. */
#define MARK_SIZE 32

/* The largest file: all authorities of a system are a tenth of it. */
#define FILE_MAX ((off_t)4 << 20)

/* So many bytes at the beginning of a buffer for records are kept. */
#define FIRST_IN_RECORD 64

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
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
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

/* A text for mbedTLS, which wants its NUL counted. */
struct pem {
	unsigned char *text;
	size_t size;
};

/*
 * What differs between mbedTLS 2.28 and 3.6 besides net/tls_compat.h.
 */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
static int
set_min_version(mbedtls_ssl_config *conf, enum smtpd_tls_version version)
{
	mbedtls_ssl_conf_min_tls_version(conf,
	    version == SMTPD_TLS_1_3 ? MBEDTLS_SSL_VERSION_TLS1_3
				     : MBEDTLS_SSL_VERSION_TLS1_2);
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
	return 0;
#else
	return version == SMTPD_TLS_1_3 ? -1 : 0;
#endif
}

static int
parse_key(struct smtpd_tls *tls, mbedtls_pk_context *key, const struct pem *pem)
{
	return mbedtls_pk_parse_key(key, pem->text, pem->size, NULL, 0,
	    mbedtls_ctr_drbg_random, &tls->secrets->drbg);
}

static int
check_pair(struct smtpd_tls *tls, struct pair *p)
{
	return mbedtls_pk_check_pair(&p->chain.pk, &p->key,
	    mbedtls_ctr_drbg_random, &tls->secrets->drbg);
}

static int
digest(const unsigned char *data, size_t len, unsigned char *out)
{
	return mbedtls_sha256(data, len, out, 0);
}
#else
static int
set_min_version(mbedtls_ssl_config *conf, enum smtpd_tls_version version)
{
	mbedtls_ssl_conf_min_version(
	    conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
	return version == SMTPD_TLS_1_3 ? -1 : 0;
}

static int
parse_key(struct smtpd_tls *tls, mbedtls_pk_context *key, const struct pem *pem)
{
	(void)tls;
	return mbedtls_pk_parse_key(key, pem->text, pem->size, NULL, 0);
}

static int
check_pair(struct smtpd_tls *tls, struct pair *p)
{
	(void)tls;
	return mbedtls_pk_check_pair(&p->chain.pk, &p->key);
}

static int
digest(const unsigned char *data, size_t len, unsigned char *out)
{
	return mbedtls_sha256_ret(data, len, out, 0);
}
#endif

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

	smtpd_text_init(&t, tls->error, sizeof(tls->error));
	smtpd_text_format(&t, "%s: %s", file, what);
	if (code < 0)
		mbedtls_strerror(code, reason, sizeof(reason));
	else if (code > 0 && strerror_r(code, reason, sizeof(reason)) != 0)
		reason[0] = '\0';
	if (reason[0] != '\0')
		smtpd_text_format(&t, ": %s", reason);
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

static void
free_pem(struct pem *pem)
{
	if (pem->text != NULL)
		mbedtls_platform_zeroize(pem->text, pem->size);
	free(pem->text);
	pem->text = NULL;
}

/* Room for LEN bytes and a NUL. */
static int
make_pem(struct pem *pem, size_t len)
{
	pem->size = len + 1;
	pem->text = calloc(1, pem->size);
	return pem->text != NULL ? 0 : ENOMEM;
}

/* Read the LEN bytes of a file, all of them.  Return 0 or an errno. */
static int
read_all(int fd, struct pem *pem, size_t len)
{
	size_t at = 0;
	int error = make_pem(pem, len);

	while (error == 0 && at < len) {
		ssize_t n = read(fd, pem->text + at, len - at);

		if (n > 0)
			at += (size_t)n;
		else if (n == 0)
			error = EIO;
		else if (errno != EINTR)
			error = errno;
	}
	return error;
}

static int
read_file(struct smtpd_tls *tls, const char *file, struct pem *pem)
{
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error = 0;

	if (fd < 0)
		return fail(tls, file, "cannot be opened", errno);
	if (fstat(fd, &st) != 0)
		error = errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		error = S_ISDIR(st.st_mode) ? EISDIR : EFBIG;
	else
		error = read_all(fd, pem, (size_t)st.st_size);
	close(fd);
	return error == 0 ? 0 : fail(tls, file, "cannot be read", error);
}

static int
copy_pem(struct smtpd_tls *tls, const char *text, size_t len, struct pem *pem)
{
	if (make_pem(pem, len) != 0)
		return fail(tls, "memory", "cannot be copied", ENOMEM);
	memcpy(pem->text, text, len);
	return 0;
}

/* Whether TEXT, some blocks of PEM, ends within one. */
static bool
breaks_off(const char *text)
{
	static const char end[] = "-----END ";
	const char *next;

	while ((next = strstr(text, end)) != NULL)
		text = next + sizeof(end) - 1;
	text = strstr(text, "-----");
	return text == NULL || strstr(text, "\n-") != NULL;
}

/*
 * Read all certificates of PEM, which came from FILE.  mbedTLS itself is
 * content with a first whole one, and does not look behind a NUL.
 */
static int
parse_chain(struct smtpd_tls *tls, const char *file, const struct pem *pem,
    mbedtls_x509_crt *chain)
{
	const char *text = (const char *)pem->text;
	int error;

	if (strlen(text) != pem->size - 1)
		return fail(tls, file, "holds a NUL byte", 0);
	error = mbedtls_x509_crt_parse(chain, pem->text, pem->size);
	if (error < 0)
		return fail(tls, file, "no certificates in PEM", error);
	if (error > 0 || breaks_off(text))
		return fail(tls, file, "not all certificates are whole", 0);
	return 0;
}

static int sni_callback(
    void *arg, mbedtls_ssl_context *ssl, const unsigned char *name, size_t len);

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
	mbedtls_ctr_drbg_free(&x->drbg);
	mbedtls_entropy_free(&x->entropy);
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
	mbedtls_entropy_init(&x->entropy);
	mbedtls_ctr_drbg_init(&x->drbg);
	mbedtls_ssl_ticket_init(&x->tickets);
	error = mbedtls_ctr_drbg_seed(
	    &x->drbg, mbedtls_entropy_func, &x->entropy, NULL, 0);
	if (error == 0 && lifetime > 0) {
		x->has_tickets = true;
		error = mbedtls_ssl_ticket_setup(&x->tickets,
		    mbedtls_ctr_drbg_random, &x->drbg,
		    MBEDTLS_CIPHER_AES_256_GCM, lifetime);
	}
	if (error == 0)
		return x;
	secrets_unref(x);
	return NULL;
}

/* Its own secrets, or those of the context that it follows.  TLS 1.3 does not
 * keep the client's certificate in a ticket: where it matters there are none. */
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
	struct pem pem = { NULL, 0 };

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
	free_pem(&pem);
	mbedtls_ssl_conf_ca_chain(&tls->conf, &tls->client_ca, NULL);
}

static void
set_up_version(struct smtpd_tls *tls, const struct smtpd_tls_settings *s)
{
	if (s->min_version != SMTPD_TLS_1_2 && s->min_version != SMTPD_TLS_1_3)
		fail_setting(tls, "min_version", "no such value", 0);
	else if (set_min_version(&tls->conf, s->min_version) != 0)
		fail_setting(
		    tls, "min_version", "this mbedTLS has no TLS 1.3", 0);
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
	mbedtls_ssl_conf_rng(&tls->conf, mbedtls_ctr_drbg_random, &x->drbg);
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

/* Whether NAME of LEN bytes is PATTERN, which may begin with "*." for one
 * label. */
static bool
matches(const char *pattern, size_t pattern_len, const char *name, size_t len)
{
	const char *dot;

	if (pattern_len > 2 && pattern[0] == '*' && pattern[1] == '.') {
		dot = memchr(name, '.', len);
		if (dot == NULL || dot == name)
			return false;
		len -= (size_t)(dot - name);
		name = dot;
		pattern++;
		pattern_len--;
	}
	return pattern_len == len && smtpd_same_bytes(pattern, name, len);
}

/* The names that a certificate bears: its alternative ones; or, if it has
 * none, its common name. */
struct names {
	const mbedtls_x509_sequence *alt;
	const mbedtls_x509_name *part; /* of the subject */
};

static struct names
names_of(const mbedtls_x509_crt *c)
{
	if (c->subject_alt_names.buf.p != NULL)
		return (struct names){ .alt = &c->subject_alt_names };
	return (struct names){ .part = &c->subject };
}

static bool
next_name(struct names *n, const char **name, size_t *len)
{
	const mbedtls_x509_buf *found = NULL;

	for (; n->alt != NULL && found == NULL; n->alt = n->alt->next)
		if ((n->alt->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) ==
		    MBEDTLS_X509_SAN_DNS_NAME)
			found = &n->alt->buf;
	for (; n->part != NULL && found == NULL; n->part = n->part->next)
		if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->part->oid) == 0)
			found = &n->part->val;
	if (found == NULL)
		return false;
	*name = (const char *)found->p;
	*len = found->len;
	return true;
}

static bool
bears_name(const mbedtls_x509_crt *c, const char *name, size_t len)
{
	struct names names = names_of(c);
	const char *pattern;
	size_t pattern_len;

	while (next_name(&names, &pattern, &pattern_len))
		if (matches(pattern, pattern_len, name, len))
			return true;
	return false;
}

/* Whether A and B have a name in common. */
static bool
share_name(const mbedtls_x509_crt *a, const mbedtls_x509_crt *b)
{
	struct names names = names_of(a);
	const char *name;
	size_t len;

	while (next_name(&names, &name, &len))
		if (bears_name(b, name, len))
			return true;
	return false;
}

/* Whether P may stand beside the first pair as the default: another kind of
 * key for one of the same names. */
static bool
is_beside(const struct pair *first, const struct pair *p)
{
	return mbedtls_pk_get_type(&p->key) !=
	    mbedtls_pk_get_type(&first->key) &&
	    share_name(&first->chain, &p->chain);
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
    const struct pem *cert, const char *key_file, const struct pem *key)
{
	int error;

	if (parse_chain(tls, cert_file, cert, &p->chain) != 0)
		return -1;
	error = parse_key(tls, &p->key, key);
	if (error != 0)
		return fail(tls, key_file, "not a whole key", error);
	if (check_pair(tls, p) != 0)
		return fail(
		    tls, key_file, "the key belongs to another certificate", 0);
	return check_times(tls, p, cert_file);
}

/* Mix what matters of P to tickets into MARK: the key's kind, the names. */
static int
mark_pair(const struct pair *p, unsigned char *mark)
{
	struct names names = names_of(&p->chain);
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
		error = digest(mix, sizeof(mix), mark);
		if (error != 0)
			return error;
	} while (next_name(&names, &name, &len));
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
add_pair(struct smtpd_tls *tls, const char *cert_file, const struct pem *cert,
    const char *key_file, const struct pem *key)
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
	struct pem cert = { NULL, 0 }, key = { NULL, 0 };
	int result = -1;

	if (check_context(tls) != 0)
		return -1;
	if (read_file(tls, cert_file, &cert) == 0 &&
	    read_file(tls, key_file, &key) == 0)
		result = add_pair(tls, cert_file, &cert, key_file, &key);
	free_pem(&cert);
	free_pem(&key);
	return result;
}

int
smtpd_tls_add_memory(struct smtpd_tls *tls, const char *cert, size_t cert_len,
    const char *key, size_t key_len)
{
	struct pem cert_pem = { NULL, 0 }, key_pem = { NULL, 0 };
	int result = -1;

	if (check_context(tls) != 0)
		return -1;
	if (copy_pem(tls, cert, cert_len, &cert_pem) == 0 &&
	    copy_pem(tls, key, key_len, &key_pem) == 0)
		result = add_pair(tls, "memory", &cert_pem, "memory", &key_pem);
	free_pem(&cert_pem);
	free_pem(&key_pem);
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
smtpd_tls_freeze(struct smtpd_tls *tls)
{
	if (tls->pairs == NULL)
		return false;
	atomic_store(&tls->frozen, true);
	return true;
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
	smtpd_text_init(&t, conn->server_name, len + 1);
	smtpd_text_filtered(&t, text, len);
	for (struct pair *p = tls->pairs; p != NULL; p = p->next)
		if (bears_name(&p->chain, text, len) &&
		    mbedtls_ssl_set_hs_own_cert(ssl, &p->chain, &p->key) != 0)
			return -1;
	return 0;
}

static enum smtpd_io_status
send_corked(struct smtpd_tls_conn *conn)
{
	size_t len = conn->cork_len;

	conn->cork_len = 0;
	conn->status = len > 0 ? smtpd_wire_write(conn->wire, conn->cork, len)
			       : SMTPD_IO_OK;
	return conn->status;
}

/* mbedTLS wants bytes.  Any failure but an end is told as a time-out: what it
 * really was stays in conn->status. */
static int
read_wire(void *arg, unsigned char *buf, size_t size)
{
	struct smtpd_tls_conn *conn = arg;
	size_t got = 0;

	if (send_corked(conn) == SMTPD_IO_OK)
		conn->status = smtpd_wire_read(
		    conn->wire, (char *)buf, size, conn->deadline, &got);
	if (conn->status == SMTPD_IO_OK)
		return (int)got;
	return conn->status == SMTPD_IO_CLOSED ? 0 : MBEDTLS_ERR_SSL_TIMEOUT;
}

static int
write_wire(void *arg, const unsigned char *buf, size_t len)
{
	struct smtpd_tls_conn *conn = arg;

	if (len > conn->cork_size - conn->cork_len &&
	    send_corked(conn) != SMTPD_IO_OK)
		return MBEDTLS_ERR_SSL_TIMEOUT;
	if (len <= conn->cork_size - conn->cork_len) {
		memcpy(conn->cork + conn->cork_len, buf, len);
		conn->cork_len += len;
		return (int)len;
	}
	conn->status = smtpd_wire_write(conn->wire, (const char *)buf, len);
	return conn->status == SMTPD_IO_OK ? (int)len : MBEDTLS_ERR_SSL_TIMEOUT;
}

void
smtpd_tls_cork(struct smtpd_tls_conn *conn, char *buf, size_t size)
{
	conn->cork = buf;
	conn->cork_size = size;
	conn->cork_len = 0;
}

enum smtpd_io_status
smtpd_tls_uncork(struct smtpd_tls_conn *conn)
{
	enum smtpd_io_status status = send_corked(conn);

	smtpd_tls_cork(conn, NULL, 0);
	return status;
}

int
smtpd_tls_conn_init(struct smtpd_tls_conn *conn, const mbedtls_ssl_config *conf,
    struct smtpd_wire *w)
{
	conn->wire = w;
	mbedtls_ssl_init(&conn->ssl);
	if (mbedtls_ssl_setup(&conn->ssl, conf) != 0)
		return -1;
	mbedtls_ssl_set_bio(&conn->ssl, conn, write_wire, read_wire, NULL);
	return 0;
}

struct smtpd_tls_conn *
smtpd_tls_conn_create(struct smtpd_tls *context, struct smtpd_wire *w)
{
	struct smtpd_tls_conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->context = smtpd_tls_ref(context);
	if (smtpd_tls_conn_init(conn, &context->conf, w) != 0) {
		smtpd_tls_conn_destroy(conn);
		return NULL;
	}
	return conn;
}

void
smtpd_tls_conn_destroy(struct smtpd_tls_conn *conn)
{
	if (conn == NULL)
		return;
	mbedtls_ssl_free(&conn->ssl);
	smtpd_tls_unref(conn->context);
	free(conn->server_name);
	free(conn->client);
	free(conn);
}

bool
smtpd_tls_asks_again(int result)
{
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
	if (result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
		return true;
#endif
	return result == MBEDTLS_ERR_SSL_WANT_READ ||
	    result == MBEDTLS_ERR_SSL_WANT_WRITE;
}

enum smtpd_io_status
smtpd_tls_status_of(const struct smtpd_tls_conn *conn, int result)
{
	if (conn->status != SMTPD_IO_OK)
		return conn->status;
	if (result == 0 || result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return SMTPD_IO_CLOSED;
	return SMTPD_IO_TLS;
}

/* mbedTLS says "TLS-ECDHE-..." and "TLS1-3-...": IANA "TLS_". */
void
smtpd_tls_name_cipher(struct smtpd_tls_conn *conn)
{
	const char *name = mbedtls_ssl_get_ciphersuite(&conn->ssl);
	struct smtpd_text t;

	smtpd_text_init(&t, conn->cipher, sizeof(conn->cipher));
	if (strncmp(name, "TLS1-3-", 7) == 0) {
		smtpd_text_add(&t, "TLS_");
		name += 7;
	}
	for (; *name != '\0'; name++)
		smtpd_text_byte(&t, *name == '-' ? '_' : *name);
	conn->facts.cipher = conn->cipher;
}

/* Subject and fingerprint of the client's certificate, in one piece. */
static void
describe_client(struct smtpd_tls_conn *conn)
{
	const mbedtls_x509_crt *cert = mbedtls_ssl_get_peer_cert(&conn->ssl);
	unsigned char hash[32];
	char subject[256];
	struct smtpd_text t;
	const size_t hex_len = 2 * sizeof(hash) + 1;

	conn->facts.client_subject = conn->facts.client_fingerprint = "";
	if (cert == NULL || digest(cert->raw.p, cert->raw.len, hash) != 0)
		return;
	if (mbedtls_x509_dn_gets(subject, sizeof(subject), &cert->subject) < 0)
		subject[0] = '\0';
	conn->client = malloc(hex_len + strlen(subject) + 1);
	if (conn->client == NULL)
		return;
	smtpd_text_init(&t, conn->client, hex_len);
	for (size_t i = 0; i < sizeof(hash); i++)
		smtpd_text_format(&t, "%02x", hash[i]);
	smtpd_text_init(&t, conn->client + hex_len, strlen(subject) + 1);
	smtpd_text_filtered(&t, subject, strlen(subject));
	conn->facts.client_fingerprint = conn->client;
	conn->facts.client_subject = conn->client + hex_len;
	conn->facts.client_verified =
	    mbedtls_ssl_get_verify_result(&conn->ssl) == 0;
}

static void
gather_facts(struct smtpd_tls_conn *conn)
{
	conn->facts.version = mbedtls_ssl_get_version(&conn->ssl);
	conn->facts.server_name =
	    conn->server_name != NULL ? conn->server_name : "";
	smtpd_tls_name_cipher(conn);
	describe_client(conn);
}

static void
explain(enum smtpd_io_status status, int result, char *reason, size_t size)
{
	if (status == SMTPD_IO_TLS)
		mbedtls_strerror(result, reason, size);
	else
		snprintf(reason, size, "%s",
		    status == SMTPD_IO_TIMEOUT      ? "took too long"
			: status == SMTPD_IO_CLOSED ? "the client went"
						    : "the connection failed");
}

enum smtpd_io_status
smtpd_tls_handshake(
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size)
{
	enum smtpd_io_status status;
	int result;

	conn->deadline = deadline;
	do {
		result = mbedtls_ssl_handshake(&conn->ssl);
	} while (smtpd_tls_asks_again(result));
	if (result == 0) {
		gather_facts(conn);
		return SMTPD_IO_OK;
	}
	status = smtpd_tls_status_of(conn, result);
	explain(status, result, reason, size);
	return status;
}

enum smtpd_io_status
smtpd_tls_read(struct smtpd_tls_conn *conn, char *buf, size_t size,
    uint64_t deadline, size_t *got)
{
	int result;

	conn->deadline = deadline;
	do {
		result =
		    mbedtls_ssl_read(&conn->ssl, (unsigned char *)buf, size);
	} while (smtpd_tls_asks_again(result));
	if (result <= 0)
		return smtpd_tls_status_of(conn, result);
	*got = (size_t)result;
	return SMTPD_IO_OK;
}

enum smtpd_io_status
smtpd_tls_write(struct smtpd_tls_conn *conn, const char *buf, size_t len)
{
	while (len > 0) {
		int result = mbedtls_ssl_write(
		    &conn->ssl, (const unsigned char *)buf, len);

		if (smtpd_tls_asks_again(result))
			continue;
		if (result < 0)
			return smtpd_tls_status_of(conn, result);
		buf += result;
		len -= (size_t)result;
	}
	return SMTPD_IO_OK;
}

/* Of 34 KB, most of it the buffers, an idle connection needs what stands first
 * in each: the counter of the records that came, and small records. */
void
smtpd_tls_save_memory(struct smtpd_tls_conn *conn)
{
	mbedtls_ssl_context *ssl = &conn->ssl;
	bool shook_hands = conn->facts.version != NULL;

	if (!shook_hands || SMTPD_TLS_FIELD(ssl, in_left) > 0 ||
	    SMTPD_TLS_FIELD(ssl, out_left) > 0)
		return;
	if (SMTPD_TLS_IN_SIZE > FIRST_IN_RECORD)
		smtpd_pages_release(
		    SMTPD_TLS_FIELD(ssl, in_buf) + FIRST_IN_RECORD,
		    SMTPD_TLS_IN_SIZE - FIRST_IN_RECORD);
	if (SMTPD_TLS_OUT_SIZE > FIRST_IN_RECORD)
		smtpd_pages_release(
		    SMTPD_TLS_FIELD(ssl, out_buf) + FIRST_IN_RECORD,
		    SMTPD_TLS_OUT_SIZE - FIRST_IN_RECORD);
}

void
smtpd_tls_close(struct smtpd_tls_conn *conn)
{
	mbedtls_ssl_close_notify(&conn->ssl);
}

const struct smtpd_tls_facts *
smtpd_tls_conn_facts(const struct smtpd_tls_conn *conn)
{
	return &conn->facts;
}
