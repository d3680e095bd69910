/* SPDX-License-Identifier: MIT */
#include "resolve/targets.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/text.h"

#define REASON_MAX 512

struct found {
	struct smtpd_targets targets; /* first, as it is what is freed */
	struct smtpd_target list[];   /* the names follow, then all hosts */
};

struct none {
	struct smtpd_targets targets; /* likewise */
	char reason[REASON_MAX];
};

static void
write_address(const struct smtpd_ip *ip, struct smtpd_target *to)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&to->addr;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&to->addr;

	if (ip->family == AF_INET) {
		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, ip->bytes, 4);
		to->len = sizeof(*in);
		return;
	}
	in6->sin6_family = AF_INET6;
	memcpy(&in6->sin6_addr, ip->bytes, 16);
	to->len = sizeof(*in6);
}

static int
compare_hosts(const void *a, const void *b)
{
	const struct smtpd_mx_host *x = a, *y = b;

	if (x->preference != y->preference)
		return x->preference < y->preference ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Write the names of the COUNT at HOSTS, each once, to OUT. */
static void
write_hosts(struct smtpd_mx_host *hosts, size_t count, char *out, size_t size)
{
	struct smtpd_text t;

	smtpd__text_init(&t, out, size);
	qsort(hosts, count, sizeof(*hosts), compare_hosts);
	for (size_t i = 0; i < count; i++)
		if (hosts[i].name[0] != '\0' &&
		    (i == 0 || strcmp(hosts[i].name, hosts[i - 1].name) != 0))
			smtpd__text_format(
			    &t, "%s%s", t.len > 0 ? "," : "", hosts[i].name);
}

struct smtpd_targets *
smtpd__targets_found(
    struct smtpd_mx_host *hosts, size_t count, const struct smtpd_mx_list *list)
{
	size_t size = 1;
	struct found *f;
	char *name;

	for (size_t i = 0; i < count; i++)
		size += strlen(hosts[i].name) + 1;
	f = calloc(1,
	    sizeof(*f) + size +
		list->count * (sizeof(f->list[0]) + sizeof(hosts[0].name)));
	if (f == NULL)
		return NULL;
	name = (char *)&f->list[list->count];
	for (size_t i = 0; i < list->count; i++) {
		const struct smtpd_mx_host *host = &hosts[list->at[i].host];
		struct smtpd_target *to = &f->list[i];

		to->size = sizeof(*to);
		to->host = memcpy(name, host->name, strlen(host->name) + 1);
		name += sizeof(host->name);
		to->preference = host->preference;
		to->authenticated = list->at[i].authenticated;
		write_address(&list->at[i].ip, to);
	}
	f->targets.outcome = SMTPD_RESOLVE_FOUND;
	f->targets.status = "";
	f->targets.reason = "";
	f->targets.count = list->count;
	f->targets.hosts = name;
	write_hosts(hosts, count, name, size);
	return &f->targets;
}

struct smtpd_targets *
smtpd__targets_socket(const char *path)
{
	size_t size = strlen(path) + 1;
	struct sockaddr_un *un;
	struct found *f;

	if (size > sizeof(un->sun_path))
		return NULL;
	f = calloc(1, sizeof(*f) + sizeof(f->list[0]) + size);
	if (f == NULL)
		return NULL;
	f->list[0].size = sizeof(f->list[0]);
	f->list[0].host = memcpy(&f->list[1], path, size);
	un = (struct sockaddr_un *)&f->list[0].addr;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, size);
	f->list[0].len = sizeof(*un);
	f->targets.outcome = SMTPD_RESOLVE_FOUND;
	f->targets.status = "";
	f->targets.reason = "";
	f->targets.ttl_s = UINT32_MAX;
	f->targets.count = 1;
	f->targets.hosts = f->list[0].host;
	return &f->targets;
}

struct smtpd_targets *
smtpd__targets_none(enum smtpd_resolve_outcome outcome, const char *status,
    const char *format, ...)
{
	struct none *n = calloc(1, sizeof(*n));
	struct smtpd_text text;
	va_list ap;

	if (n == NULL)
		return NULL;
	smtpd__text_init(&text, n->reason, sizeof(n->reason));
	va_start(ap, format);
	smtpd__text_vformat(&text, format, ap);
	va_end(ap);
	n->targets.outcome = outcome;
	n->targets.status = status;
	n->targets.reason = n->reason;
	return &n->targets;
}

const struct smtpd_target *
smtpd_targets_get(const struct smtpd_targets *t, size_t i)
{
	return i < t->count ? &((const struct found *)t)->list[i] : NULL;
}

void
smtpd_targets_free(struct smtpd_targets *t)
{
	free(t);
}
