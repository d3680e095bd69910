/* SPDX-License-Identifier: MIT */
#include "transport/tls_conn.h"

#include <mbedtls/version.h>

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "os/pages.h"
#include "transport/tls_alert.h"
#include "transport/tls_compat.h"
#include "transport/tls_conn_state.h"
#include "transport/tls_context.h"

/* So many bytes at the beginning of a buffer for records are kept. */
#define FIRST_IN_RECORD 64

static enum smtpd_io_status
send_corked(struct smtpd_tls_conn *conn)
{
	size_t len = conn->cork_len;

	conn->cork_len = 0;
	conn->status = len > 0 ? smtpd__wire_write(conn->wire, conn->cork, len)
			       : SMTPD_IO_OK;
	return conn->status;
}

/* Read bytes for mbedTLS.  It sees any failure but an end as a time-out, and a
 * rest as one that is over soon: what it was is in conn->status. */
static int
read_wire(void *arg, unsigned char *buf, size_t size)
{
	struct smtpd_tls_conn *conn = arg;
	size_t got = 0;

	if (send_corked(conn) == SMTPD_IO_OK)
		conn->status = smtpd__wire_read(
		    conn->wire, (char *)buf, size, conn->deadline, &got);
	if (conn->status == SMTPD_IO_OK)
		return (int)got;
	if (conn->status == SMTPD_IO_REST)
		return MBEDTLS_ERR_SSL_WANT_READ;
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
	conn->status = smtpd__wire_write(conn->wire, (const char *)buf, len);
	return conn->status == SMTPD_IO_OK ? (int)len : MBEDTLS_ERR_SSL_TIMEOUT;
}

void
smtpd__tls_conn_cork(struct smtpd_tls_conn *conn, char *buf, size_t size)
{
	conn->cork = buf;
	conn->cork_size = size;
	conn->cork_len = 0;
}

enum smtpd_io_status
smtpd__tls_conn_uncork(struct smtpd_tls_conn *conn)
{
	enum smtpd_io_status status = send_corked(conn);

	smtpd__tls_conn_cork(conn, NULL, 0);
	return status;
}

int
smtpd__tls_conn_init(struct smtpd_tls_conn *conn,
    const mbedtls_ssl_config *conf, struct smtpd_wire *w)
{
	conn->wire = w;
	mbedtls_ssl_init(&conn->ssl);
	if (mbedtls_ssl_setup(&conn->ssl, conf) != 0)
		return -1;
	mbedtls_ssl_set_bio(&conn->ssl, conn, write_wire, read_wire, NULL);
	return 0;
}

struct smtpd_tls_conn *
smtpd__tls_conn_create(
    struct smtpd_tls *context, bool starttls, struct smtpd_wire *w)
{
	struct smtpd_tls_conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		return NULL;
	conn->context = smtpd_tls_ref(context);
	if (smtpd__tls_conn_init(
		conn, smtpd__tls_context_conf(context, starttls), w) != 0) {
		smtpd__tls_conn_destroy(conn);
		return NULL;
	}
	return conn;
}

void
smtpd__tls_conn_destroy(struct smtpd_tls_conn *conn)
{
	if (conn == NULL)
		return;
	mbedtls_ssl_free(&conn->ssl);
	smtpd_tls_unref(conn->context);
	free(conn->server_name);
	free(conn->client);
	free(conn);
}

/* Whether RESULT of mbedTLS only asks to be called again. */
static bool
asks_again(int result)
{
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
	if (result == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
		return true;
#endif
	return result == MBEDTLS_ERR_SSL_WANT_READ ||
	    result == MBEDTLS_ERR_SSL_WANT_WRITE;
}

int
smtpd__tls_conn_shake_hands(struct smtpd_tls_conn *conn, uint64_t deadline)
{
	int result;

	conn->deadline = deadline;
	do {
		result = mbedtls_ssl_handshake(&conn->ssl);
	} while (asks_again(result));
	return result;
}

enum smtpd_io_status
smtpd__tls_conn_status(const struct smtpd_tls_conn *conn, int result)
{
	if (conn->status != SMTPD_IO_OK)
		return conn->status;
	if (result == 0 || result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return SMTPD_IO_CLOSED;
	return SMTPD_IO_TLS;
}

/* mbedTLS says "TLS-ECDHE-..." and "TLS1-3-...": IANA "TLS_". */
void
smtpd__tls_conn_name_cipher(struct smtpd_tls_conn *conn)
{
	const char *name = mbedtls_ssl_get_ciphersuite(&conn->ssl);
	struct smtpd_text t;

	smtpd__text_init(&t, conn->cipher, sizeof(conn->cipher));
	if (strncmp(name, "TLS1-3-", 7) == 0) {
		smtpd__text_add(&t, "TLS_");
		name += 7;
	}
	for (; *name != '\0'; name++)
		smtpd__text_byte(&t, *name == '-' ? '_' : *name);
	conn->info.cipher = conn->cipher;
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

	conn->info.client_subject = conn->info.client_fingerprint = "";
	if (cert == NULL ||
	    smtpd__digest_sha256(cert->raw.p, cert->raw.len, hash) != 0)
		return;
	if (mbedtls_x509_dn_gets(subject, sizeof(subject), &cert->subject) < 0)
		subject[0] = '\0';
	conn->client = malloc(hex_len + strlen(subject) + 1);
	if (conn->client == NULL)
		return;
	smtpd__text_init(&t, conn->client, hex_len);
	for (size_t i = 0; i < sizeof(hash); i++)
		smtpd__text_format(&t, "%02x", hash[i]);
	smtpd__text_init(&t, conn->client + hex_len, strlen(subject) + 1);
	smtpd__text_filtered(&t, subject, strlen(subject));
	conn->info.client_fingerprint = conn->client;
	conn->info.client_subject = conn->client + hex_len;
	conn->info.client_verified =
	    mbedtls_ssl_get_verify_result(&conn->ssl) == 0;
}

static void
gather_info(struct smtpd_tls_conn *conn)
{
	conn->info.version = mbedtls_ssl_get_version(&conn->ssl);
	conn->info.server_name =
	    conn->server_name != NULL ? conn->server_name : "";
	smtpd__tls_conn_name_cipher(conn);
	describe_client(conn);
}

static void
explain_failure(const struct smtpd_tls_conn *conn, enum smtpd_io_status status,
    int result, char *reason, size_t size)
{
	if (status == SMTPD_IO_TLS)
		smtpd__tls_alert_explain(&conn->ssl, result, reason, size);
	else
		snprintf(reason, size, "%s",
		    status == SMTPD_IO_TIMEOUT      ? "took too long"
			: status == SMTPD_IO_CLOSED ? "the client went"
						    : "the connection failed");
}

enum smtpd_io_status
smtpd__tls_conn_handshake(
    struct smtpd_tls_conn *conn, uint64_t deadline, char *reason, size_t size)
{
	enum smtpd_io_status status;
	int result = smtpd__tls_conn_shake_hands(conn, deadline);

	if (result == 0) {
		gather_info(conn);
		return SMTPD_IO_OK;
	}
	status = smtpd__tls_conn_status(conn, result);
	explain_failure(conn, status, result, reason, size);
	return status;
}

enum smtpd_io_status
smtpd__tls_conn_read(struct smtpd_tls_conn *conn, char *buf, size_t size,
    uint64_t deadline, size_t *got)
{
	int result;

	conn->deadline = deadline;
	do {
		result =
		    mbedtls_ssl_read(&conn->ssl, (unsigned char *)buf, size);
	} while (asks_again(result) && conn->status != SMTPD_IO_REST);
	if (result <= 0)
		return smtpd__tls_conn_status(conn, result);
	*got = (size_t)result;
	return SMTPD_IO_OK;
}

enum smtpd_io_status
smtpd__tls_conn_write(struct smtpd_tls_conn *conn, const char *buf, size_t len)
{
	while (len > 0) {
		int result = mbedtls_ssl_write(
		    &conn->ssl, (const unsigned char *)buf, len);

		if (asks_again(result))
			continue;
		if (result < 0)
			return smtpd__tls_conn_status(conn, result);
		buf += result;
		len -= (size_t)result;
	}
	return SMTPD_IO_OK;
}

/* Of 34 KB, most of it the buffers, an idle connection needs what stands first
 * in each: the counter of the records that came, and small records. */
void
smtpd__tls_conn_save_memory(struct smtpd_tls_conn *conn)
{
	mbedtls_ssl_context *ssl = &conn->ssl;
	bool shook_hands = conn->info.version != NULL;

	if (!shook_hands || !smtpd_tls_has_buffers_of_header(ssl) ||
	    SMTPD_TLS_FIELD(ssl, in_left) > 0 ||
	    SMTPD_TLS_FIELD(ssl, out_left) > 0)
		return;
	if (SMTPD_TLS_IN_SIZE > FIRST_IN_RECORD)
		smtpd__pages_release(
		    SMTPD_TLS_FIELD(ssl, in_buf) + FIRST_IN_RECORD,
		    SMTPD_TLS_IN_SIZE - FIRST_IN_RECORD);
	if (SMTPD_TLS_OUT_SIZE > FIRST_IN_RECORD)
		smtpd__pages_release(
		    SMTPD_TLS_FIELD(ssl, out_buf) + FIRST_IN_RECORD,
		    SMTPD_TLS_OUT_SIZE - FIRST_IN_RECORD);
}

void
smtpd__tls_conn_close(struct smtpd_tls_conn *conn)
{
	mbedtls_ssl_close_notify(&conn->ssl);
}

const struct smtpd_tls_info *
smtpd__tls_conn_info(const struct smtpd_tls_conn *conn)
{
	return &conn->info;
}
