/* SPDX-License-Identifier: MIT */
#include "queue/delivery/route_pattern.h"

#include <smtpd/address.h>

#include <string.h>

#include "resolve/hostname.h"

/* Write DOMAIN so that two spellings of it are the same; whether it is one. */
static bool
normalise_domain(const char *domain, char *out)
{
	char name[SMTPD_DNS_HOST_MAX];

	if (*domain == '[')
		return smtpd_ascii_lower(domain, out, SMTPD_HOSTNAME_SIZE) >= 0;
	if (smtpd__hostname_normalise(domain, name) == -1 ||
	    strlen(name) >= SMTPD_HOSTNAME_SIZE)
		return false;
	memcpy(out, name, strlen(name) + 1);
	return true;
}

static bool
normalise_address(const char *text, struct smtpd_route_address *out)
{
	char buf[SMTPD_ADDRESS_MAX];
	struct smtpd_address a;

	return smtpd_address_parse(text, buf, sizeof(buf), &a) == 0 &&
	    a.domain[0] != '\0' &&
	    smtpd_address_local_key(a.local, out->local, sizeof(out->local)) >=
	    0 &&
	    normalise_domain(a.domain, out->domain);
}

void
smtpd__route_pattern_address(const char *text, struct smtpd_route_address *out)
{
	if (!normalise_address(text, out))
		*out = (struct smtpd_route_address){ .local = "" };
}

int
smtpd__route_pattern_parse(
    const char *text, struct smtpd_route_pattern *out, struct smtpd_text *error)
{
	static const char from[] = "from:";
	const char *what = text;
	bool good;

	*out = (struct smtpd_route_pattern){ .kind = SMTPD_PATTERN_ALL };
	out->from =
	    smtpd__text_same_bytes(text, from, strnlen(text, strlen(from)));
	out->from = out->from && strlen(text) >= strlen(from);
	if (out->from)
		what += strlen(from);
	if (strcmp(what, "*") == 0)
		return 0;
	if (strchr(what, '@') != NULL) {
		out->kind = SMTPD_PATTERN_ADDRESS;
		good = normalise_address(what, &out->address);
	} else if (*what == '.') {
		out->kind = SMTPD_PATTERN_BELOW;
		good = normalise_domain(what + 1, out->address.domain);
	} else {
		out->kind = SMTPD_PATTERN_DOMAIN;
		good = normalise_domain(what, out->address.domain);
	}
	if (good)
		return 0;
	smtpd__text_format(error,
	    "\"%s\" is not a domain, .domain, an address, * or from: and one "
	    "of these",
	    text);
	return -1;
}

/* Whether DOMAIN is below PARENT. */
static bool
is_below(const char *domain, const char *parent)
{
	size_t len = strlen(domain), parent_len = strlen(parent);

	return len > parent_len + 1 && domain[len - parent_len - 1] == '.' &&
	    strcmp(domain + len - parent_len, parent) == 0;
}

bool
smtpd__route_pattern_matches(const struct smtpd_route_pattern *p,
    const struct smtpd_route_address *address)
{
	const struct smtpd_route_address *own = &p->address;

	switch (p->kind) {
	case SMTPD_PATTERN_ALL:
		return true;
	case SMTPD_PATTERN_DOMAIN:
		return strcmp(own->domain, address->domain) == 0;
	case SMTPD_PATTERN_BELOW:
		return is_below(address->domain, own->domain);
	case SMTPD_PATTERN_ADDRESS:
		break;
	}
	return strcmp(own->domain, address->domain) == 0 &&
	    strcmp(own->local, address->local) == 0;
}
