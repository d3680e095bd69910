/* SPDX-License-Identifier: MIT */
#include "grammar/hops.h"

void
smtpd__hops_init(struct smtpd_hops *h)
{
	h->count = 0;
	h->octets = 0;
	h->done = false;
	h->begun = false;
	h->headless = false;
	smtpd__fields_init(&h->fields);
}

void
smtpd__hops_feed(struct smtpd_hops *h, const char *data, size_t len)
{
	struct smtpd_piece p;

	while (!h->done &&
	    smtpd__fields_next(&h->fields, &data, &len, &p) !=
		SMTPD_FIELDS_NONE) {
		if (!h->begun)
			h->headless = p.part == SMTPD_FIELDS_END && p.len == 0;
		h->begun = true;
		h->octets += p.len;
		if (p.part == SMTPD_FIELDS_END)
			h->done = true;
		else if (smtpd__fields_is_named(&p, "Received"))
			h->count++;
	}
}
