/* SPDX-License-Identifier: MIT */
#include "milter/values.h"

#include <stdio.h>
#include <string.h>

#include "net/socket.h"

/* The value of one macro for V, which may be written to its text; NULL: it has
 * none now. */
typedef const char *value_fn(struct smtpd_values *v);

struct macro {
	const char *name;
	value_fn *value;
};

const char *
smtpd__values_client_name(const struct smtpd_session *s)
{
	const char *name = smtpd_session_xclient(s, "NAME");

	if (name != NULL && name[0] != '[')
		return name;
	name = smtpd_session_peer_name(s);
	return name != NULL ? name : "unknown";
}

static const char *
write_number(struct smtpd_values *v, unsigned n)
{
	snprintf(v->text, sizeof(v->text), "%u", n);
	return v->text;
}

static const char *
hostname_value(struct smtpd_values *v)
{
	return v->milter->hostname;
}

static const char *
version_value(struct smtpd_values *v)
{
	snprintf(v->text, sizeof(v->text), "libsmtpd %s", smtpd_version());
	return v->text;
}

static const char *
client_value(struct smtpd_values *v)
{
	snprintf(v->text, sizeof(v->text), "%s [%s]",
	    smtpd__values_client_name(v->session),
	    smtpd_session_peer(v->session));
	return v->text;
}

static const char *
client_addr_value(struct smtpd_values *v)
{
	return smtpd_session_peer(v->session);
}

static const char *
client_name_value(struct smtpd_values *v)
{
	return smtpd__values_client_name(v->session);
}

static const char *
client_ptr_value(struct smtpd_values *v)
{
	const char *ptr = smtpd_session_peer_ptr(v->session);

	return ptr != NULL ? ptr : smtpd__values_client_name(v->session);
}

static const char *
client_port_value(struct smtpd_values *v)
{
	struct smtpd_sockaddr a = { .len = 0 };
	socklen_t len;
	const struct sockaddr *from = smtpd_session_sockaddr(v->session, &len);

	if (len > sizeof(a.addr))
		return NULL;
	memcpy(&a.addr, from, len);
	a.len = len;
	return write_number(v, smtpd__socket_port(&a));
}

/* The address that the client has come to. */
static bool
find_local(const struct smtpd_values *v, struct smtpd_sockaddr *out)
{
	return smtpd__socket_local(smtpd_session_fd(v->session), out) == 0 &&
	    !smtpd__socket_is_local(out);
}

static const char *
if_addr_value(struct smtpd_values *v)
{
	struct smtpd_sockaddr a;

	if (!find_local(v, &a))
		return NULL;
	smtpd__socket_host(&a, v->text, sizeof(v->text));
	return v->text;
}

static const char *
daemon_port_value(struct smtpd_values *v)
{
	struct smtpd_sockaddr a;

	return find_local(v, &a) ? write_number(v, smtpd__socket_port(&a))
				 : NULL;
}

static const char *
daemon_name_value(struct smtpd_values *v)
{
	return v->milter->daemon_name;
}

static const char *
mailer_value(struct smtpd_values *v)
{
	return v->milter->mailer;
}

static const char *
tls_version_value(struct smtpd_values *v)
{
	const struct smtpd_tls_info *tls = smtpd_session_tls(v->session);

	return tls != NULL ? tls->version : NULL;
}

static const char *
cipher_value(struct smtpd_values *v)
{
	const struct smtpd_tls_info *tls = smtpd_session_tls(v->session);

	return tls != NULL ? tls->cipher : NULL;
}

/* The bits of the key, which the name of the cipher tells; ChaCha20 has no
 * other than 256. */
static const char *
cipher_bits_value(struct smtpd_values *v)
{
	const char *cipher = cipher_value(v);

	if (cipher == NULL)
		return NULL;
	if (strstr(cipher, "256") != NULL || strstr(cipher, "CHACHA20") != NULL)
		return "256";
	return strstr(cipher, "128") != NULL ? "128" : NULL;
}

static const char *
cert_subject_value(struct smtpd_values *v)
{
	const struct smtpd_tls_info *tls = smtpd_session_tls(v->session);

	return tls != NULL && tls->client_subject[0] != '\0'
	    ? tls->client_subject
	    : NULL;
}

static const char *
auth_authen_value(struct smtpd_values *v)
{
	return smtpd_session_user(v->session);
}

static const char *
auth_type_value(struct smtpd_values *v)
{
	return smtpd_session_mechanism(v->session);
}

static const char *
auth_author_value(struct smtpd_values *v)
{
	const struct smtpd_envelope *e = smtpd_session_envelope(v->session);

	return e != NULL && e->submitter != NULL ? e->submitter->text : NULL;
}

static const char *
id_value(struct smtpd_values *v)
{
	const struct smtpd_envelope *e = smtpd_session_envelope(v->session);

	return e != NULL ? e->id : NULL;
}

static const char *
mail_addr_value(struct smtpd_values *v)
{
	const struct smtpd_envelope *e = smtpd_session_envelope(v->session);

	return e != NULL ? e->sender.text : NULL;
}

static const char *
mail_host_value(struct smtpd_values *v)
{
	const struct smtpd_envelope *e = smtpd_session_envelope(v->session);

	return e != NULL ? e->sender.domain : NULL;
}

static const char *
rcpt_addr_value(struct smtpd_values *v)
{
	return v->rcpt != NULL ? v->rcpt->text : NULL;
}

static const char *
rcpt_host_value(struct smtpd_values *v)
{
	return v->rcpt != NULL ? v->rcpt->domain : NULL;
}

static const struct macro macros[] = {
	{ "_", client_value },
	{ "auth_authen", auth_authen_value },
	{ "auth_author", auth_author_value },
	{ "auth_type", auth_type_value },
	{ "cert_subject", cert_subject_value },
	{ "cipher", cipher_value },
	{ "cipher_bits", cipher_bits_value },
	{ "client_addr", client_addr_value },
	{ "client_name", client_name_value },
	{ "client_port", client_port_value },
	{ "client_ptr", client_ptr_value },
	{ "daemon_addr", if_addr_value },
	{ "daemon_name", daemon_name_value },
	{ "daemon_port", daemon_port_value },
	{ "i", id_value },
	{ "if_addr", if_addr_value },
	{ "if_name", hostname_value },
	{ "j", hostname_value },
	{ "mail_addr", mail_addr_value },
	{ "mail_host", mail_host_value },
	{ "mail_mailer", mailer_value },
	{ "rcpt_addr", rcpt_addr_value },
	{ "rcpt_host", rcpt_host_value },
	{ "rcpt_mailer", mailer_value },
	{ "tls_version", tls_version_value },
	{ "v", version_value },
};

const char *
smtpd__values_find(void *values, const char *name)
{
	struct smtpd_values *v = values;

	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
		if (strcmp(macros[i].name, name) == 0)
			return macros[i].value(v);
	return NULL;
}
