/* SPDX-License-Identifier: MIT */
#include "queue/verify.h"

#include <smtpd/address.h>

#include <errno.h>
#include <string.h>

#include "queue/delivery/expand.h"
#include "queue/delivery/route.h"
#include "queue/submit.h"

/* Targets that are longer are cut off. */
#define ROUTE_SIZE 1024

/* Copy TEXT, as a submission would take it, to *OUT.  Return 0, or -1 with
 * errno. */
static int
copy_address(struct smtpd_verification *v, const char *text, bool sender,
    const char **out)
{
	unsigned fix = v->queue->delivery.settings.fix;
	char whole[SMTPD_ADDRESS_MAX], buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;

	if (text != NULL && (fix & SMTPD_FIX_ADDRESSES) != 0)
		text = smtpd__submit_complete(
		    v->queue, text, sender, whole, sizeof(whole));
	errno = EINVAL;
	if (text == NULL ||
	    smtpd_address_parse(text, buf, sizeof(buf), &a) == -1)
		return -1;
	*out = smtpd__arena_text(&v->arena, a.text, strlen(a.text));
	errno = ENOMEM;
	return *out != NULL ? 0 : -1;
}

/* Set the envelope to that of the message.  Return 0, or -1 with errno. */
static int
find_rcpts(
    struct smtpd_verification *v, const char *sender, const char *address)
{
	v->rcpt = (struct smtpd_outgoing_rcpt){ SMTPD_OUTGOING_RCPT_INIT };
	v->envelope = (struct smtpd_outgoing_envelope){
		SMTPD_OUTGOING_ENVELOPE_INIT,
		.sender = "",
		.rcpts = &v->rcpt,
		.nrcpts = 1,
	};
	if (sender == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (*sender != '\0' &&
	    copy_address(v, sender, true, &v->envelope.sender) == -1)
		return -1;
	if (copy_address(v, address, false, &v->rcpt.address) == -1)
		return -1;
	return smtpd__expand_envelope(
	    &v->queue->delivery.settings, &v->arena, &v->envelope);
}

/* Report the recipient ADDRESS. */
static void
report_rcpt(const struct smtpd_verification *v, const char *address,
    smtpd_recipient_fn *found, void *user)
{
	const struct smtpd_route_entry *e =
	    smtpd__route_table_match(v->table, v->envelope.sender, address);
	char route[ROUTE_SIZE] = "mx";
	struct smtpd_text t;

	if (e != NULL) {
		smtpd__text_init(&t, route, sizeof(route));
		smtpd__route_table_describe(e, &t);
	}
	found(
	    &(struct smtpd_queue_recipient){
		.address = address,
		.route = route,
		.refused =
		    e != NULL && e->targets[0].set.kind == SMTPD_ROUTE_ERROR,
	    },
	    user);
}

int
smtpd_queue_verify(struct smtpd_queue *q, const char *sender,
    const char *address, smtpd_recipient_fn *found, void *user)
{
	struct smtpd_verification v = { .queue = q };
	int status, error;

	if (q == NULL || found == NULL) {
		errno = EINVAL;
		return -1;
	}
	smtpd__arena_init(&v.arena, NULL, 0, SIZE_MAX);
	status = find_rcpts(&v, sender, address);
	error = errno;
	v.table = smtpd__route_table(q->delivery.router);
	for (size_t i = 0; status == 0 && i < v.envelope.nrcpts; i++)
		report_rcpt(&v, v.envelope.rcpts[i].address, found, user);
	smtpd__route_table_unref(v.table);
	smtpd__arena_reset(&v.arena);
	errno = error;
	return status;
}
