/* SPDX-License-Identifier: MIT */
#include "trust_files.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <smtpd/tls.h>

#include "complain.h"

/* Add our own certificate to TRUST.  Return 0, or -1 with errno and WHY. */
static int
add_certificate(const struct settings *s, struct log *log,
    struct smtpd_trust *trust, char *why, size_t size)
{
	if (s->client_cert == NULL)
		return 0;
	if (smtpd_trust_add_files(
		trust, s->client_cert, s->client_key, why, size) == -1)
		return -1;
	if (why[0] != '\0')
		log_line(log, SMTPD_LOG_WARNING,
		    "hosts may refuse our certificate: %s", why);
	return 0;
}

/* Look at the authorities for policies, which libcurl reads each time, and says
 * then only that a policy cannot be had. */
static int
check_policy_authorities(const struct settings *s)
{
	struct smtpd_trust *trust;
	char why[1024];

	if (s->mta_sts_ca == NULL || !smtpd_tls_supported())
		return 0;
	if (access(s->mta_sts_ca, R_OK) == -1)
		return complain(PROGRAM, EX_NOINPUT, "--mta-sts-ca %s: %s",
		    s->mta_sts_ca, strerror(errno));
	trust = smtpd_trust_create(s->mta_sts_ca, why, sizeof(why));
	smtpd_trust_unref(trust);
	return trust != NULL
	    ? 0
	    : complain(PROGRAM, EX_NOINPUT, "--mta-sts-ca: %s", why);
}

int
trust_files_load(
    const struct settings *s, struct log *log, struct smtpd_trust **out)
{
	struct smtpd_trust *trust;
	char why[1024];
	int status = 0;

	*out = NULL;
	if (!smtpd_tls_supported())
		return s->client_cert == NULL
		    ? 0
		    : complain(PROGRAM, EX_CONFIG,
			  "--client-cert: the library was built without TLS");
	trust = smtpd_trust_create(s->tls_ca, why, sizeof(why));
	if (trust == NULL)
		return complain(PROGRAM, EX_NOINPUT, "%s", why);
	if (why[0] != '\0')
		log_line(log, SMTPD_LOG_WARNING,
		    "no certificate of a host is good: %s: --tls-ca", why);
	if (add_certificate(s, log, trust, why, sizeof(why)) == -1) {
		status = errno == EINVAL ? EX_CONFIG : EX_NOINPUT;
		smtpd_trust_unref(trust);
		return complain(PROGRAM, status, "%s", why);
	}
	status = check_policy_authorities(s);
	if (status != 0) {
		smtpd_trust_unref(trust);
		return status;
	}
	*out = trust;
	return 0;
}

struct smtpd_trust *
trust_files_reload(const struct settings *s, struct log *log)
{
	struct smtpd_trust *trust;
	char why[1024];

	if (!smtpd_tls_supported())
		return NULL;
	trust = smtpd_trust_create(s->tls_ca, why, sizeof(why));
	if (trust == NULL || why[0] != '\0' ||
	    add_certificate(s, log, trust, why, sizeof(why)) == -1) {
		log_line(log, SMTPD_LOG_WARNING,
		    "the old authorities of hosts stay in use, and our own "
		    "certificate: %s",
		    why);
		smtpd_trust_unref(trust);
		return NULL;
	}
	log_line(log, SMTPD_LOG_INFO, "read the authorities of hosts again");
	return trust;
}
