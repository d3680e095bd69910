/* SPDX-License-Identifier: MIT */
#include "milter/negotiate.h"

#include <string.h>

void
smtpd__negotiate_offer(struct smtpd_packet_writer *w)
{
	smtpd__packet_begin(w, SMTPD_MILTER_NEGOTIATE);
	smtpd__packet_add_u32(w, SMTPD_MILTER_VERSION);
	smtpd__packet_add_u32(w, SMTPD_MILTER_ACTIONS);
	smtpd__packet_add_u32(w, SMTPD_MILTER_STEPS);
	smtpd__packet_end(w);
}

/* Read the lists of macros: a stage and names, again and again. */
static const char *
read_macros(struct smtpd_packet *p, struct smtpd_negotiated *out)
{
	uint32_t stage;

	while (p->len > 0) {
		const char *names = NULL;

		if (smtpd__packet_get_u32(p, &stage))
			names = smtpd__packet_get_text(p);
		if (names == NULL)
			return "a list of macros without an end";
		if (stage >= SMTPD_MILTER_STAGES)
			continue;
		if (strlen(names) >= SMTPD_NEGOTIATE_MACROS_SIZE)
			return "too many macros";
		memcpy(out->macros[stage], names, strlen(names) + 1);
		out->listed[stage] = true;
	}
	return NULL;
}

const char *
smtpd__negotiate_read(struct smtpd_packet *p, struct smtpd_negotiated *out)
{
	*out = (struct smtpd_negotiated){ 0 };
	if (p->command != SMTPD_MILTER_NEGOTIATE)
		return "no negotiation";
	if (!smtpd__packet_get_u32(p, &out->version) ||
	    !smtpd__packet_get_u32(p, &out->actions) ||
	    !smtpd__packet_get_u32(p, &out->steps))
		return "a short negotiation";
	if (out->version < SMTPD_MILTER_VERSION_MIN ||
	    out->version > SMTPD_MILTER_VERSION)
		return "an unknown version";
	if ((out->actions & ~(uint32_t)SMTPD_MILTER_ACTIONS) != 0 ||
	    (out->steps & ~(uint32_t)SMTPD_MILTER_STEPS) != 0)
		return "more than was offered";
	return read_macros(p, out);
}
