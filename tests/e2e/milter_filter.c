/* SPDX-License-Identifier: MIT */
/*
 * milter_filter ADDRESS [OPTION...]: a filter on libmilter that does to each
 * message what that asks for.  A field "X-Do: WORDS" is an order:
 *
 *	connect|helo|mail|rcpt|data|header|eoh|body|end DECISION
 *	add NAME VALUE, insert I NAME VALUE, change NAME I VALUE
 *	rcpt+ ADDRESS, rcpt- ADDRESS, from ADDRESS, quarantine REASON
 *	replace N (a new body of N octets), progress N
 *
 * in the order of the fields; a body of N octets is "new body" and lines.
 * Decisions: continue accept reject tempfail discard, or a reply "550 5.7.1 x".
 * Those of connect to rcpt come from the address of the sender, as
 * mail=reject@..., since there is no message yet.
 *
 * Options: no-reply (to nothing that can go without), skip (the rest of the
 * body), leading-space, few (only the end of a message), macros (a list of
 * them), log=FILE (what it was told).
 */
#include <libmilter/mfapi.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool no_reply, skip, leading_space, few, macros;
static const char *log_path;

#define ORDERS_MAX 64

struct message {
	char orders[ORDERS_MAX][2048];
	int norders;
	char sender[512];
	size_t octets;
	unsigned sum;
};

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
note(const char *format, ...)
{
	FILE *f = log_path != NULL ? fopen(log_path, "a") : NULL;
	va_list ap;

	if (f == NULL)
		return;
	va_start(ap, format);
	vfprintf(f, format, ap);
	va_end(ap);
	fputc('\n', f);
	fclose(f);
}

static sfsistat
decision(SMFICTX *ctx, const char *word)
{
	char code[4], enhanced[16], text[256];

	if (strcmp(word, "accept") == 0)
		return SMFIS_ACCEPT;
	if (strcmp(word, "reject") == 0)
		return SMFIS_REJECT;
	if (strcmp(word, "tempfail") == 0)
		return SMFIS_TEMPFAIL;
	if (strcmp(word, "discard") == 0)
		return SMFIS_DISCARD;
	if (sscanf(word, "%3s %15s %255[^\n]", code, enhanced, text) == 3) {
		if (strchr(text, '|') != NULL) {
			char *second = strchr(text, '|');

			*second++ = '\0';
			smfi_setmlreply(
			    ctx, code, enhanced, text, second, NULL);
		} else
			smfi_setreply(ctx, code, enhanced, text);
		return code[0] == '4' ? SMFIS_TEMPFAIL : SMFIS_REJECT;
	}
	return SMFIS_CONTINUE;
}

/* The decision of STAGE by the sender "stage=word@...". */
static sfsistat
by_sender(SMFICTX *ctx, const char *stage)
{
	const struct message *m = smfi_getpriv(ctx);
	size_t len = strlen(stage);
	char word[64] = "";

	if (m != NULL && strncmp(m->sender, stage, len) == 0 &&
	    m->sender[len] == '=')
		sscanf(m->sender + len + 1, "%63[a-z]", word);
	return decision(ctx, word);
}

/* The decision of STAGE by the orders of the message. */
static sfsistat
by_order(SMFICTX *ctx, const char *stage)
{
	const struct message *m = smfi_getpriv(ctx);
	size_t len = strlen(stage);

	for (int i = 0; m != NULL && i < m->norders; i++)
		if (strncmp(m->orders[i], stage, len) == 0 &&
		    m->orders[i][len] == ' ')
			return decision(ctx, m->orders[i] + len + 1);
	return SMFIS_CONTINUE;
}

static void
note_macros(SMFICTX *ctx, const char *stage)
{
	static const char *const names[] = { "j", "i", "v", "_",
		"{daemon_name}", "{client_addr}", "{client_name}",
		"{client_ptr}", "{tls_version}", "{cipher}", "{cipher_bits}",
		"{auth_authen}", "{auth_type}", "{mail_addr}", "{mail_host}",
		"{mail_mailer}", "{rcpt_addr}", "{rcpt_host}",
		"{rcpt_mailer}" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[32];
		const char *value;

		snprintf(name, sizeof(name), "%s", names[i]);
		value = smfi_getsymval(ctx, name);
		if (value != NULL)
			note("%s %s=%s", stage, names[i], value);
	}
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	(void)address;
	note("connect %s", host);
	note_macros(ctx, "connect");
	return no_reply ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
	note("helo %s", name);
	note_macros(ctx, "helo");
	if (strncmp(name, "reject", 6) == 0)
		return SMFIS_REJECT;
	return no_reply ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	struct message *m = calloc(1, sizeof(*m));
	size_t len = strlen(argv[0]);

	free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, m);
	if (m == NULL)
		return SMFIS_TEMPFAIL;
	snprintf(
	    m->sender, sizeof(m->sender), "%.*s", (int)len - 2, argv[0] + 1);
	note("mail %s", argv[0]);
	for (int i = 1; argv[i] != NULL; i++)
		note("mail param %s", argv[i]);
	note_macros(ctx, "mail");
	if (no_reply)
		return SMFIS_NOREPLY;
	return by_sender(ctx, "mail");
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	note("rcpt %s", argv[0]);
	note_macros(ctx, "rcpt");
	if (no_reply)
		return SMFIS_NOREPLY;
	return by_sender(ctx, "rcpt");
}

static sfsistat
on_data(SMFICTX *ctx)
{
	note("data");
	if (no_reply)
		return SMFIS_NOREPLY;
	return by_sender(ctx, "data");
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct message *m = smfi_getpriv(ctx);

	note("header %s:%s", name, value);
	if (m != NULL && strcasecmp(name, "X-Do") == 0 &&
	    m->norders < ORDERS_MAX)
		snprintf(m->orders[m->norders++], sizeof(m->orders[0]), "%s",
		    value + strspn(value, " "));
	if (no_reply)
		return SMFIS_NOREPLY;
	return by_order(ctx, "header");
}

static sfsistat
on_eoh(SMFICTX *ctx)
{
	note("eoh");
	if (no_reply)
		return SMFIS_NOREPLY;
	return by_order(ctx, "eoh");
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	struct message *m = smfi_getpriv(ctx);

	for (size_t i = 0; i < len; i++)
		m->sum = m->sum * 31 + data[i];
	m->octets += len;
	if (no_reply)
		return SMFIS_NOREPLY;
	if (skip)
		return SMFIS_SKIP;
	return by_order(ctx, "body");
}

static void
replace(SMFICTX *ctx, long octets)
{
	static char line[] = "0123456789012345678901234567890123456789012345678"
			     "90123456789\r\n";
	static char first[] = "new body\r\n";

	smfi_replacebody(ctx, (unsigned char *)first, sizeof(first) - 1);
	for (; octets > 0; octets -= (long)sizeof(line) - 1)
		smfi_replacebody(ctx, (unsigned char *)line, sizeof(line) - 1);
}

/* Carry out ORDER. */
static void
obey(SMFICTX *ctx, char *order)
{
	char verb[32] = "", a[1024] = "", b[1024] = "", rest[2048] = "";
	int n = 0;

	sscanf(order, "%31s %n", verb, &n);
	if (strcmp(verb, "add") == 0) {
		sscanf(order + n, "%1023s %2047[^\1]", a, rest);
		smfi_addheader(ctx, a, rest);
	} else if (strcmp(verb, "insert") == 0) {
		sscanf(order + n, "%1023s %1023s %2047[^\1]", b, a, rest);
		smfi_insheader(ctx, (int)strtol(b, NULL, 10), a, rest);
	} else if (strcmp(verb, "change") == 0) {
		sscanf(order + n, "%1023s %1023s %2047[^\1]", a, b, rest);
		smfi_chgheader(
		    ctx, a, (int)strtol(b, NULL, 10), rest[0] ? rest : NULL);
	} else if (strcmp(verb, "rcpt+") == 0)
		smfi_addrcpt(ctx, order + n);
	else if (strcmp(verb, "rcpt-") == 0)
		smfi_delrcpt(ctx, order + n);
	else if (strcmp(verb, "from") == 0)
		smfi_chgfrom(ctx, order + n, NULL);
	else if (strcmp(verb, "quarantine") == 0)
		smfi_quarantine(ctx, order + n);
	else if (strcmp(verb, "replace") == 0)
		replace(ctx, atol(order + n));
	else if (strcmp(verb, "progress") == 0)
		for (int i = (int)strtol(order + n, NULL, 10); i > 0; i--)
			smfi_progress(ctx);
}

static sfsistat
on_end(SMFICTX *ctx)
{
	struct message *m = smfi_getpriv(ctx);

	if (m == NULL)
		return SMFIS_CONTINUE;
	note("end %zu %u", m->octets, m->sum);
	note_macros(ctx, "end");
	for (int i = 0; i < m->norders; i++)
		obey(ctx, m->orders[i]);
	return by_order(ctx, "end");
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	(void)ctx;
	note("abort");
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	note("close");
	free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
    unsigned long f2, unsigned long f3, unsigned long *out_actions,
    unsigned long *out_steps, unsigned long *out2, unsigned long *out3)
{
	(void)f2;
	(void)f3;
	static char at_mail[] = "i {mail_addr}", at_connect[] = "j";

	note("negotiate %lx %lx", actions, steps);
	*out_actions = actions;
	*out_steps = 0;
	*out2 = *out3 = 0;
	if (no_reply)
		*out_steps |= steps &
		    (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL |
			SMFIP_NR_RCPT | SMFIP_NR_DATA | SMFIP_NR_HDR |
			SMFIP_NR_EOH | SMFIP_NR_BODY);
	if (skip)
		*out_steps |= steps & SMFIP_SKIP;
	if (leading_space)
		*out_steps |= steps & SMFIP_HDR_LEADSPC;
	if (few)
		*out_steps |= SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NORCPT |
		    SMFIP_NODATA | SMFIP_NOEOH | SMFIP_NOBODY;
	if (macros) {
		smfi_setsymlist(ctx, SMFIM_ENVFROM, at_mail);
		smfi_setsymlist(ctx, SMFIM_CONNECT, at_connect);
	}
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	static char name[] = "milter_filter";
	struct smfiDesc desc = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY |
		    SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT |
		    SMFIF_QUARANTINE | SMFIF_CHGFROM | SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_helo,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_eoh,
		.xxfi_body = on_body,
		.xxfi_eom = on_end,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_data = on_data,
		.xxfi_negotiate = on_negotiate,
	};

	if (argc < 2)
		return 64;
	for (int i = 2; i < argc; i++) {
		no_reply = no_reply || strcmp(argv[i], "no-reply") == 0;
		skip = skip || strcmp(argv[i], "skip") == 0;
		leading_space =
		    leading_space || strcmp(argv[i], "leading-space") == 0;
		few = few || strcmp(argv[i], "few") == 0;
		macros = macros || strcmp(argv[i], "macros") == 0;
		if (strncmp(argv[i], "log=", 4) == 0)
			log_path = argv[i] + 4;
	}
	if (smfi_setconn(argv[1]) == MI_FAILURE ||
	    smfi_register(desc) == MI_FAILURE)
		return 70;
	return smfi_main() == MI_SUCCESS ? 0 : 70;
}
