/* SPDX-License-Identifier: MIT */
#include "resolve/smarthost.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "resolve/hostname.h"
#include "resolve/resolver.h"
#include "resolve/targets.h"

#define ADDRESSES_MAX 8

/* Write HOST, an address with or without brackets and tag, as a literal of
 * the kind that FORMAT makes; whether it is one. */
static bool
make_literal(const char *host, const char *before, char *out)
{
	size_t len = strlen(host);
	struct smtpd_text t;
	struct smtpd_ip ip;

	if (len > 0 && *host == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	smtpd__text_init(&t, out, SMTPD_DNS_HOST_MAX);
	smtpd__text_add(&t, before);
	smtpd__text_bytes(&t, host, len);
	smtpd__text_byte(&t, ']');
	return !t.cut && smtpd__ip_parse_literal(out, &ip) == 0;
}

int
smtpd__smarthost_normalise(const char *host, char *out)
{
	if (make_literal(host, "[", out) || make_literal(host, "[IPv6:", out))
		return 0;
	return smtpd__hostname_normalise(host, out);
}

/* The addresses of an answer of the system. */
static struct smtpd_targets *
list_addresses(const char *host, const struct addrinfo *found)
{
	struct smtpd_mx_address addresses[ADDRESSES_MAX];
	struct smtpd_mx_list l = { .at = addresses };
	struct smtpd_mx_host name = { .preference = 0 };
	struct smtpd_text t;

	smtpd__text_init(&t, name.name, sizeof(name.name));
	smtpd__text_add(&t, host);
	memset(addresses, 0, sizeof(addresses));
	for (; found != NULL && l.count < ADDRESSES_MAX;
	    found = found->ai_next) {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;

		if (found->ai_family == AF_INET) {
			memcpy(&in, found->ai_addr, sizeof(in));
			addresses[l.count++].ip =
			    smtpd__ip_make(AF_INET, &in.sin_addr);
		} else if (found->ai_family == AF_INET6) {
			memcpy(&in6, found->ai_addr, sizeof(in6));
			addresses[l.count++].ip =
			    smtpd__ip_make(AF_INET6, &in6.sin6_addr);
		}
	}
	return smtpd__targets_found(&name, 1, &l);
}

static struct smtpd_targets *
ask_system(const char *host)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int error = getaddrinfo(host, NULL, &hints, &found);
	struct smtpd_targets *t;

	if (error != 0)
		return smtpd__targets_none(error == EAI_NONAME
			? SMTPD_RESOLVE_NEVER
			: SMTPD_RESOLVE_LATER,
		    "4.4.3", "%s: %s", host, gai_strerror(error));
	t = list_addresses(host, found);
	freeaddrinfo(found);
	return t;
}

struct smtpd_targets *
smtpd__smarthost_find(struct smtpd_resolver *r, const char *host,
    const struct smtpd_cancel *cancel)
{
	struct smtpd_targets *known, *t;

	if (*host == '[')
		return smtpd_resolve(r, host, cancel);
	if (strchr(host, '.') == NULL)
		return ask_system(host);
	known = smtpd__resolver_host(r, host, cancel);
	if (known == NULL || known->outcome == SMTPD_RESOLVE_FOUND ||
	    smtpd_cancel_is_triggered(cancel))
		return known;
	t = ask_system(host);
	if (t != NULL && t->outcome == SMTPD_RESOLVE_FOUND) {
		smtpd_targets_free(known);
		return t;
	}
	smtpd_targets_free(t);
	return known;
}
