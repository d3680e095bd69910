/* SPDX-License-Identifier: MIT */
#include "milter/macros.h"

#include <stdio.h>
#include <string.h>

/* The longest name of a macro. */
#define NAME_SIZE 64

/* What filters get that name none, as other mail servers have it. */
static const char *const defaults[SMTPD_MILTER_STAGES] = {
	[SMTPD_MILTER_AT_CONNECT] =
	    "j _ v daemon_name daemon_addr daemon_port if_name if_addr "
	    "client_addr client_name client_port client_ptr",
	[SMTPD_MILTER_AT_HELO] = "tls_version cipher cipher_bits cert_subject",
	[SMTPD_MILTER_AT_MAIL] =
	    "i mail_addr mail_host mail_mailer auth_type auth_authen "
	    "auth_author client_addr client_name client_port client_ptr",
	[SMTPD_MILTER_AT_RCPT] = "i rcpt_addr rcpt_host rcpt_mailer",
	[SMTPD_MILTER_AT_DATA] = "i",
	[SMTPD_MILTER_AT_END] = "i",
	[SMTPD_MILTER_AT_EOH] = "i",
};

/* Append NAME, without braces, and its value, if it has one. */
static void
write_macro(struct smtpd_packet_writer *w, const char *name,
    smtpd_macro_fn *value, void *user)
{
	char braced[NAME_SIZE + 2];
	const char *text = value(user, name);

	if (text == NULL)
		return;
	snprintf(braced, sizeof(braced), "{%s}", name);
	smtpd__packet_add_text(w, name[1] == '\0' ? name : braced);
	smtpd__packet_add_text(w, text);
}

/* Copy the next name of *LIST, without braces, to NAME of NAME_SIZE bytes, and
 * move *LIST past it.  Return false when there is none.  One that is too long
 * is "". */
static bool
next_name(const char **list, char *name)
{
	static const char between[] = " \t,";
	const char *at = *list + strspn(*list, between);
	size_t len = strcspn(at, between);

	*list = at + len;
	if (len == 0)
		return false;
	if (len > 2 && at[0] == '{' && at[len - 1] == '}') {
		at++;
		len -= 2;
	}
	if (len >= NAME_SIZE)
		len = 0;
	memcpy(name, at, len);
	name[len] = '\0';
	return true;
}

void
smtpd__macros_write(struct smtpd_packet_writer *w,
    const struct smtpd_negotiated *agreed, enum smtpd_milter_stage stage,
    enum smtpd_milter_command command, smtpd_macro_fn *value, void *user)
{
	const char *list =
	    agreed->listed[stage] ? agreed->macros[stage] : defaults[stage];
	const size_t before = w->out.len;
	const char letter = (char)command;
	char name[NAME_SIZE];
	size_t empty;

	smtpd__packet_begin(w, SMTPD_MILTER_MACRO);
	smtpd__packet_add_bytes(w, &letter, 1);
	empty = w->out.len;
	while (next_name(&list, name))
		if (name[0] != '\0')
			write_macro(w, name, value, user);
	if (w->out.len == empty)
		w->out.len = before;
	else
		smtpd__packet_end(w);
}
