/* SPDX-License-Identifier: MIT */
/*
 * lookup SERVERS DOMAIN...: print what the library finds, a line for each
 * target and one for each domain without any.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include <smtpd.h>

static void
print_target(const char *domain, const struct smtpd_target *t)
{
	const struct sockaddr_in *in = (const void *)&t->addr;
	const struct sockaddr_in6 *in6 = (const void *)&t->addr;
	char text[INET6_ADDRSTRLEN];

	inet_ntop(in->sin_family,
	    in->sin_family == AF_INET ? (const void *)&in->sin_addr
				      : (const void *)&in6->sin6_addr,
	    text, sizeof(text));
	printf("%s %u %s %s\n", domain, t->preference, t->host, text);
}

static int
look_up(struct smtpd_resolver *r, const char *domain)
{
	struct smtpd_targets *t = smtpd_resolve(r, domain, NULL);

	if (t == NULL)
		return -1;
	if (t->outcome != SMTPD_RESOLVE_FOUND)
		printf("%s %s %s\n", domain,
		    t->outcome == SMTPD_RESOLVE_NEVER ? "never" : "later",
		    t->status);
	for (size_t i = 0; i < t->count; i++)
		print_target(domain, smtpd_targets_get(t, i));
	smtpd_targets_free(t);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT,
		.servers = argc > 1 ? argv[1] : "",
		.timeout_ms = 2000,
	};
	struct smtpd_resolver *r = smtpd_resolver_create(&settings);
	int status = 0;

	if (r == NULL) {
		perror("lookup");
		return 1;
	}
	for (int i = 2; i < argc && status == 0; i++)
		status = look_up(r, argv[i]);
	smtpd_resolver_destroy(r);
	return status == 0 ? 0 : 1;
}
