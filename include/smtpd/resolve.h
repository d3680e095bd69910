/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_RESOLVE_H
#define SMTPD_RESOLVE_H

/*
 * From the domain of a mail address to the addresses where its mail goes, in
 * the order they are to be tried (RFC 5321, 5.1; RFC 7505, 3).
 */

#include <smtpd/cancel.h>
#include <smtpd/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* DNS servers and what they answered: opaque.  Any number of threads may use
 * one at a time. */
struct smtpd_resolver;

/* The settings of a resolver; zero or NULL means the default beside each. */
struct smtpd_resolver_settings {
	size_t size; /* SMTPD_RESOLVER_SETTINGS_INIT */

	/* DNS servers, divided by blanks: "192.0.2.53",
	 * "[2001:db8::53]:5353".  Default: those of the system. */
	const char *servers;

	uint32_t timeout_ms; /* for one answer of one server; 5000 */
	uint32_t tries;      /* rounds over all servers; 2 */
	uint32_t total_ms;   /* for one smtpd_resolve(); 60000 */

	uint32_t cache_max;       /* answers that are kept; 4096 */
	uint32_t cache_ttl_max_s; /* an answer is kept no longer; 3600 */
	/* Answers that say no are kept 300 seconds at most. */

	/* Addresses of one domain, in all; at least two of each family are
	 * among them where there are any; 10. */
	uint32_t max_addresses;

	/* Loopback and link-local addresses are good targets: for tests, and
	 * where another program receives on another port.  Other addresses of
	 * this host are good in any case: another program receives there. */
	bool self_is_good;

	/* Private addresses of IPv4 and IPv6 are no targets.  Since
	 * 0.2. */
	bool refuse_private;

	/* Servers besides those on loopback whose AD bit is believed. */
	bool trust_servers;
};

#define SMTPD_RESOLVER_SETTINGS_INIT SMTPD_INIT(smtpd_resolver_settings)

/* The outcome of a look-up. */
enum smtpd_resolve_outcome {
	SMTPD_RESOLVE_FOUND, /* there is at least one target */
	SMTPD_RESOLVE_LATER, /* trouble that may pass */
	SMTPD_RESOLVE_NEVER, /* the DNS says for certain that there is none */
};

/* One address to try. */
struct smtpd_target {
	size_t size;      /* SMTPD_TARGET_INIT */
	const char *host; /* its name in lower case, without a last dot; or
	                   * the address literal */
	uint16_t preference;
	struct sockaddr_storage addr; /* port 0 */
	socklen_t len;
	bool authenticated; /* its address came with AD from a server that
	                     * is believed */
};

#define SMTPD_TARGET_INIT SMTPD_INIT(smtpd_target)

/* The answer.  It belongs to the caller. */
struct smtpd_targets {
	enum smtpd_resolve_outcome outcome;
	const char *status; /* enhanced code when it is not FOUND: "5.1.10" */
	const char *reason; /* a sentence for people, likewise; else "" */
	bool mx;            /* there were MX records, not only addresses */
	bool authenticated; /* so were they, or their absence */
	uint32_t ttl_s;     /* how long this holds; UINT32_MAX: no end */
	size_t count;       /* for smtpd_targets_get() */

	/* All mail hosts, also those without a target here, in order of
	 * preference and name: "mx1.example,mx2.example"; NULL unless FOUND.
	 * Since 0.2. */
	const char *hosts;

	/* LATER, since no DNS server answered at all, or none could be asked.
	 * Since 0.2. */
	bool unanswered;

	/* A DNS server answered, now: not all is from the cache.  Since 0.2. */
	bool answered;
};

/*
 * Make a resolver with a copy of SETTINGS (NULL: all defaults) and of their
 * texts.  Return NULL with errno: ENOMEM, or EINVAL when servers cannot be read
 * or there are none, or the size is wrong.  Since 0.1.
 */
SMTPD_API struct smtpd_resolver *smtpd_resolver_create(
    const struct smtpd_resolver_settings *settings);

/* Free R; no thread may be using it.  NULL is fine.  Since 0.1. */
SMTPD_API void smtpd_resolver_destroy(struct smtpd_resolver *r);

/*
 * Find the targets of DOMAIN: MX by preference, equal ones in random order,
 * IPv6 and IPv4 in turn; without MX its AAAA and A.  DOMAIN is a name in
 * A-labels (or in UTF-8, where the library was built with libidn2), always
 * absolute, or an address literal in brackets.
 *
 * - Null MX: NEVER 5.1.10.  No such domain, or a name that cannot be one:
 *   NEVER 5.1.2, unless it has addresses all the same.  A literal that
 *   cannot be read: NEVER 5.1.3.  An MX whose hosts all have no address, or
 *   none of any kind: NEVER 5.4.4, without falling back to the domain's own.
 * - This host among the MX: it and all that are not preferred to it are left
 *   out; if it was the best: NEVER 5.4.6; if none of the better has an
 *   address: LATER 4.4.4.  Addresses that mean no other host (loopback,
 *   unspecified, link-local) count as this one.
 * - No answer, one that cannot be understood, SERVFAIL, REFUSED and whatever
 *   else is no clear answer, if nothing else was found: LATER 4.4.3.
 * - CANCEL (or NULL) triggered: LATER 4.4.3.
 *
 * Blocks; total_ms at most.  Return NULL with errno: ENOMEM, or EINVAL when
 * DOMAIN is NULL.  Any thread.  Since 0.1.
 */
SMTPD_API struct smtpd_targets *smtpd_resolve(struct smtpd_resolver *r,
    const char *domain, const struct smtpd_cancel *cancel);

/* Target I of T, in the order they are to be tried; NULL from T->count on.
 * They lie side by side, so that smtpd_client_connect() may be given several
 * from there on.  Belongs to T.  Since 0.2. */
SMTPD_API const struct smtpd_target *smtpd_targets_get(
    const struct smtpd_targets *t, size_t i);

/* Free T; NULL is fine.  Since 0.1. */
SMTPD_API void smtpd_targets_free(struct smtpd_targets *t);

#ifdef __cplusplus
}
#endif

#endif
