/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <string.h>

#include "milter/changes.h"
#include "milter/decision.h"

/* All that a filter may do. */
static const struct smtpd_negotiated all = {
	.version = SMTPD_MILTER_VERSION,
	.actions = SMTPD_MILTER_ACTIONS,
};

static void
must_be_decision(const struct smtpd_decision *v)
{
	must(strlen(v->text) < sizeof(v->text));
	must(strlen(v->enhanced) < sizeof(v->enhanced));
	if (v->kind == SMTPD_DECISION_REFUSE)
		must(v->code >= 400 && v->code <= 599);
}

/* What a filter sent as one packet, in each place where it may stand. */
static void
try_packet(const struct smtpd_packet *p, struct smtpd_changes *changes)
{
	struct smtpd_packet copy = *p;
	struct smtpd_negotiated agreed;
	struct smtpd_decision v = { 0 };

	if (smtpd__negotiate_read(&copy, &agreed) == NULL)
		must(agreed.version >= SMTPD_MILTER_VERSION_MIN &&
		    agreed.version <= SMTPD_MILTER_VERSION);
	copy = *p;
	if (smtpd__decision_read(&copy, &v))
		must_be_decision(&v);
	copy = *p;
	smtpd__changes_add(changes, &copy, &all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;
	struct smtpd_changes changes = { 0 };
	struct smtpd_packet p;
	size_t left = size, wanted;

	while (
	    smtpd__packet_find(at, left, &p, &wanted) == SMTPD_PACKET_WHOLE) {
		must(wanted <= left && p.data + p.len == at + wanted);
		try_packet(&p, &changes);
		at += wanted;
		left -= wanted;
	}
	must(changes.count <= SMTPD_CHANGES_MAX);
	for (size_t i = 0; i < changes.count; i++)
		must(changes.list[i].name != NULL);
	smtpd__changes_finish(&changes);
	return 0;
}
