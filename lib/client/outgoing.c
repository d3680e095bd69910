/* SPDX-License-Identifier: MIT */
#include "client/outgoing.h"

#include <errno.h>

#include "base/sized.h"

int
smtpd__client_outgoing_copy(const struct smtpd_outgoing *given,
    struct smtpd_outgoing *m, struct smtpd_outgoing_envelope *e)
{
	struct smtpd_outgoing_rcpt rcpt;

	errno = EINVAL;
	if (given == NULL || smtpd__sized_copy(m, sizeof(*m), given) == -1 ||
	    m->envelope == NULL ||
	    smtpd__sized_copy(e, sizeof(*e), m->envelope) == -1 ||
	    (m->convert && m->read != NULL && m->rewind == NULL))
		return -1;
	m->envelope = e;
	if (e->nrcpts == 0)
		return 0;
	return e->rcpts == NULL
	    ? -1
	    : smtpd__sized_copy(&rcpt, sizeof(rcpt), e->rcpts);
}
