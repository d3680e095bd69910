/* SPDX-License-Identifier: MIT */
#include "receive.h"

#include <glib.h>

#include "describe.h"

/* The first room for a message; it grows twofold. */
#define ROOM_MIN 16384

/* A message while it comes. */
struct incoming {
	struct store *store;
	char *octets;
	size_t size, room; /* the room is reserved in the store */
};

int
receive_auth(struct smtpd_session *s, const struct smtpd_auth_request *r,
    struct smtpd_scram_key *key, void *user)
{
	const char *name = *r->user != '\0' ? r->user : r->identity;

	(void)key;
	(void)user;
	if (smtpd_session_set_user(s, *name != '\0' ? name : "token") == -1)
		return SMTPD_AUTH_UNAVAILABLE;
	return SMTPD_AUTH_ACCEPTED;
}

static int
accept_any(
    struct smtpd_session *s, const struct smtpd_command *command, void *user)
{
	(void)s;
	(void)command;
	(void)user;
	return 0;
}

/* Change the room to SIZE octets.  Return 0 or -1. */
static int
set_room(struct incoming *in, size_t size)
{
	char *octets;

	if (size > in->room && store_reserve(in->store, size - in->room) == -1)
		return -1;
	octets = g_try_realloc(in->octets, size + 1);
	if (octets == NULL) {
		if (size > in->room)
			store_release(in->store, size - in->room);
		return -1;
	}
	if (size < in->room)
		store_release(in->store, in->room - size);
	in->octets = octets;
	in->room = size;
	return 0;
}

/* Read the whole message.  Return 1, 0 when there is no room, or -1 when it has
 * no valid end. */
static int
read_octets(struct incoming *in, struct smtpd_body *body)
{
	ssize_t n;

	do {
		if (in->size == in->room &&
		    set_room(in, in->room == 0 ? ROOM_MIN : 2 * in->room) == -1)
			return 0;
		n = smtpd_body_read(
		    body, in->octets + in->size, in->room - in->size);
		if (n > 0)
			in->size += (size_t)n;
	} while (n > 0);
	return n == 0 ? 1 : -1;
}

/* PARAMS as the client said them. */
static char *
copy_params(const struct smtpd_params *params)
{
	GString *out = g_string_new(NULL);
	const struct smtpd_param *param;

	for (size_t i = 0; (param = smtpd_params_get(params, i)) != NULL; i++)
		g_string_append_printf(out, "%s%s%s%s", i > 0 ? " " : "",
		    param->name, param->value != NULL ? "=" : "",
		    param->value != NULL ? param->value : "");
	return g_string_free(out, FALSE);
}

static void
copy_envelope(const struct smtpd_envelope *envelope, struct arrival *a)
{
	a->sender = envelope->sender.text;
	a->params = copy_params(envelope->params);
	a->rcpts = g_new0(char *, envelope->nrcpts + 1);
	a->rcpt_params = g_new0(char *, envelope->nrcpts + 1);
	for (size_t i = 0; i < envelope->nrcpts; i++) {
		const struct smtpd_rcpt *rcpt =
		    smtpd_envelope_rcpt(envelope, i);

		a->rcpts[i] = g_strdup(rcpt->address.text);
		a->rcpt_params[i] = copy_params(rcpt->params);
	}
}

/* Make the message of what came; the room becomes a part of its cost. */
static struct message *
make_message(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct incoming *in)
{
	const struct smtpd_tls_info *tls = smtpd_session_tls(s);
	struct message *m = message_new();
	struct arrival a = {
		.time_ms = g_get_real_time() / 1000,
		.peer = smtpd_session_peer(s),
		.helo = smtpd_session_helo(s),
		.tls = tls != NULL ? tls->version : NULL,
		.user = smtpd_session_user(s),
	};

	copy_envelope(envelope, &a);
	m->id = g_strdup(envelope->id);
	m->octets = in->octets;
	m->size = in->size;
	describe_arrival(m, &a);
	g_free(a.params);
	g_strfreev(a.rcpts);
	g_strfreev(a.rcpt_params);
	m->cost = in->room + message_cost(m) - m->size;
	return m;
}

static int
capture_message(struct smtpd_session *s, const struct smtpd_envelope *envelope,
    struct smtpd_body *body, void *user)
{
	struct incoming in = { .store = user };
	int done = read_octets(&in, body);

	if (done == 1 && set_room(&in, in.size) == 0) {
		struct message *m = make_message(s, envelope, &in);

		if (store_reserve(in.store, m->cost - in.room) == 0) {
			store_add(in.store, m);
			return 0;
		}
		in.octets = NULL;
		message_free(m);
	}
	g_free(in.octets);
	store_release(in.store, in.room);
	return smtpd_reply(s, 452, "4.3.1",
	    "No room for this message: others are being received or read");
}

int
receive_register(struct smtpd_server *srv, struct store *store)
{
	if (smtpd_server_add_handler(srv, "RCPT", accept_any, NULL) == -1)
		return -1;
	return smtpd_server_set_deliver(srv, capture_message, store);
}
