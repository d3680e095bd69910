/* SPDX-License-Identifier: MIT */
#include "certificate.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <time.h>

#define DAY 86400

static int
make_key(gnutls_x509_privkey_t key)
{
	return gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
	    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
}

static int
set_names(gnutls_x509_crt_t cert)
{
	static const char name[] = "localhost";
	static const unsigned char v4[4] = { 127, 0, 0, 1 };
	static const unsigned char v6[16] = { [15] = 1 };
	int error = gnutls_x509_crt_set_dn_by_oid(
	    cert, GNUTLS_OID_X520_COMMON_NAME, 0, name, sizeof(name) - 1);

	if (error >= 0)
		error = gnutls_x509_crt_set_subject_alt_name(cert,
		    GNUTLS_SAN_DNSNAME, name, sizeof(name) - 1,
		    GNUTLS_FSAN_SET);
	if (error >= 0)
		error = gnutls_x509_crt_set_subject_alt_name(cert,
		    GNUTLS_SAN_IPADDRESS, v4, sizeof(v4), GNUTLS_FSAN_APPEND);
	if (error >= 0)
		error = gnutls_x509_crt_set_subject_alt_name(cert,
		    GNUTLS_SAN_IPADDRESS, v6, sizeof(v6), GNUTLS_FSAN_APPEND);
	return error;
}

/* Fill CERT in for KEY and sign it.  It begins yesterday, as clocks differ; its
 * number is another one each time. */
static int
sign_certificate(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key)
{
	struct timespec now;
	unsigned char serial[9] = { 1 };
	int error;

	clock_gettime(CLOCK_REALTIME, &now);
	for (int i = 0; i < 4; i++) {
		serial[1 + i] = (unsigned char)(now.tv_sec >> (24 - 8 * i));
		serial[5 + i] = (unsigned char)(now.tv_nsec >> (24 - 8 * i));
	}
	if ((error = set_names(cert)) < 0 ||
	    (error = gnutls_x509_crt_set_version(cert, 3)) < 0 ||
	    (error = gnutls_x509_crt_set_serial(cert, serial, sizeof(serial))) <
		0 ||
	    (error = gnutls_x509_crt_set_activation_time(
		 cert, now.tv_sec - DAY)) < 0 ||
	    (error = gnutls_x509_crt_set_expiration_time(
		 cert, now.tv_sec + (time_t)3650 * DAY)) < 0 ||
	    (error = gnutls_x509_crt_set_key(cert, key)) < 0)
		return error;
	return gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0);
}

static struct smtpd_tls *
create_tls(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key)
{
	gnutls_datum_t cert_pem = { 0 }, key_pem = { 0 };
	struct smtpd_tls *tls = smtpd_tls_create(NULL);

	if (tls == NULL ||
	    gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &cert_pem) < 0 ||
	    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_pem) <
		0 ||
	    smtpd_tls_add_memory(tls, (char *)cert_pem.data, cert_pem.size,
		(char *)key_pem.data, key_pem.size) == -1) {
		smtpd_tls_unref(tls);
		tls = NULL;
	}
	gnutls_free(cert_pem.data);
	gnutls_free(key_pem.data);
	return tls;
}

struct smtpd_tls *
certificate_make(void)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t cert = NULL;
	struct smtpd_tls *tls = NULL;

	if (gnutls_x509_privkey_init(&key) == 0 &&
	    gnutls_x509_crt_init(&cert) == 0 && make_key(key) == 0 &&
	    sign_certificate(cert, key) == 0)
		tls = create_tls(cert, key);
	gnutls_x509_crt_deinit(cert);
	gnutls_x509_privkey_deinit(key);
	return tls;
}
