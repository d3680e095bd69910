/* SPDX-License-Identifier: MIT */
#include "zone.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TTL 300

/* Aliases that one answer follows at most. */
#define FOLLOWED 16

#define NXDOMAIN 3

static _Noreturn void
refuse_line(const struct zone *z, int number, const char *text)
{
	fprintf(
	    stderr, "%s:%d: cannot be understood: %s\n", z->path, number, text);
	exit(1);
}

static void
read_record(struct zone *z, int number, const char *text)
{
	struct zone_record *r = &z->records[z->nrecords++];
	int skip = 0;

	if (z->nrecords == ZONE_RECORDS)
		refuse_line(z, number, "too many records");
	r->ttl = DEFAULT_TTL;
	if (sscanf(text, "%127s %u %15s %n", r->name, &r->ttl, r->type,
		&skip) != 3 &&
	    sscanf(text, "%127s %15s %n", r->name, r->type, &skip) != 2)
		refuse_line(z, number, text);
	snprintf(r->data, sizeof(r->data), "%s", text + skip);
}

static void
add_line(struct zone *z, struct zone_lines *lines, int number, const char *text)
{
	struct zone_line *line = &lines->at[lines->count];
	size_t len = strcspn(text, " ");

	if (lines->count == ZONE_LINES || len == 0 ||
	    len >= sizeof(line->word) || strlen(text) >= sizeof(line->rest))
		refuse_line(z, number, text);
	line->number = number;
	snprintf(line->word, sizeof(line->word), "%.*s", (int)len, text);
	snprintf(line->rest, sizeof(line->rest), "%s",
	    text + len + (text[len] == ' '));
	lines->count++;
}

static void
read_line(struct zone *z, int number, const char *text)
{
	if (text[0] == '\0' || text[0] == '#')
		return;
	if (strncmp(text, "= ", 2) == 0)
		add_line(z, &z->settings, number, text + 2);
	else if (strncmp(text, "> ", 2) == 0)
		add_line(z, &z->steps, number, text + 2);
	else
		read_record(z, number, text);
}

void
zone_read(struct zone *z, const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;
	int number = 0;

	memset(z, 0, sizeof(*z));
	z->path = path;
	if (file == NULL)
		refuse_line(z, 0, "cannot be opened");
	while (getline(&text, &room, file) >= 0) {
		text[strcspn(text, "\n")] = '\0';
		read_line(z, ++number, text);
	}
	free(text);
	fclose(file);
}

const char *
zone_setting(const struct zone *z, const char *name, const char *otherwise)
{
	for (size_t i = 0; i < z->settings.count; i++)
		if (strcmp(z->settings.at[i].word, name) == 0)
			return z->settings.at[i].rest;
	return otherwise;
}

unsigned
zone_number(const struct zone *z, const char *name, unsigned otherwise)
{
	const char *text = zone_setting(z, name, NULL);

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void
set_rcode(struct dns_reply *r, unsigned code)
{
	r->p.at[3] = (unsigned char)((r->p.at[3] & 0xf0) | code);
}

/* As a server that has no idea of the zone, and names others. */
static void
say_lame(const struct dns_query *q, struct dns_reply *r)
{
	size_t data;

	dns_begin(&r->p, q->id, DNS_QR);
	dns_question(&r->p, q->name, q->type);
	data = dns_open(&r->p, DNS_AUTHORITY, "test", 2, 60);
	dns_name(&r->p, "ns.test");
	dns_close(&r->p, data);
}

/* Do what RECORD says if it is no record.  Return whether that is all. */
static bool
is_over(const struct zone_record *record, const struct dns_query *q,
    struct dns_reply *r)
{
	const char *type = record->type;
	unsigned code = (unsigned)strtoul(record->data, NULL, 10);
	bool over = true;

	if (strcmp(type, "RCODE") == 0 ||
	    (strcmp(type, "NOADDRESS") == 0 && q->type != 15)) {
		set_rcode(r, code);
	} else if (strcmp(type, "SILENT") == 0) {
		r->how = DNS_SILENT;
	} else if (strcmp(type, "NORA") == 0) {
		r->p.at[3] &= (unsigned char)~DNS_RA;
		r->p.at[2] &= (unsigned char)~(DNS_AA >> 8);
		over = false;
	} else if (strcmp(type, "NOSIX") == 0 && q->type == 28) {
		r->how = DNS_SILENT;
	} else if (strcmp(type, "NOFOUR") == 0 && q->type == 1) {
		r->how = DNS_SILENT;
	} else if (strcmp(type, "NOMX") == 0 && q->type == 15) {
		set_rcode(r, 3);
	} else if (strcmp(type, "LAME") == 0) {
		say_lame(q, r);
	} else if (strcmp(type, "EDNS") == 0 && q->edns) {
		set_rcode(r, code);
		if (strcmp(record->data, "SILENT") == 0)
			r->how = DNS_SILENT;
	} else if (strcmp(type, "CUT") == 0 && !q->tcp) {
		r->p.at[2] |= DNS_TC >> 8;
	} else {
		over = false;
		if (strcmp(type, "AD") == 0)
			r->p.at[3] |= DNS_AD;
	}
	return over;
}

static void
add_mx(const struct zone_record *record, struct dns_reply *r)
{
	char host[sizeof(record->data)];
	unsigned preference;

	if (sscanf(record->data, "%u %127s", &preference, host) != 2)
		abort();
	dns_mx(&r->p, record->name, record->ttl, preference,
	    strcmp(host, ".") == 0 ? "" : host);
}

/* Add RECORD to R if it has TYPE. */
static void
add_record(const struct zone_record *record, unsigned type, struct dns_reply *r)
{
	if (strcmp(record->type, "MX") == 0 && type == 15)
		add_mx(record, r);
	else if ((strcmp(record->type, "A") == 0 && type == 1) ||
	    (strcmp(record->type, "AAAA") == 0 && type == 28))
		dns_address(&r->p, record->name, record->ttl, record->data);
}

/* Follow the aliases of NAME, each in R; only the first if the zone is not set
 * otherwise.  Return where they lead, or NULL if the resolver is to ask. */
static const char *
follow(const struct zone *z, const char *name, struct dns_reply *r)
{
	for (size_t i = 0, hops = 0; i < z->nrecords; i++) {
		const struct zone_record *record = &z->records[i];

		if (strcmp(record->name, name) != 0 ||
		    strcmp(record->type, "CNAME") != 0)
			continue;
		dns_cname(&r->p, name, record->data);
		if (zone_number(z, "follow", 0) == 0 || ++hops == FOLLOWED)
			return NULL;
		name = record->data;
		i = (size_t)-1;
	}
	return name;
}

void
zone_answer(void *user, const struct dns_query *q, struct dns_reply *r)
{
	const struct zone *z = user;
	bool known = false;
	const char *name;

	for (size_t i = 0; i < z->nrecords; i++)
		if (strcmp(z->records[i].name, q->name) == 0 &&
		    is_over(&z->records[i], q, r))
			return;
	name = follow(z, q->name, r);
	if (name == NULL)
		return;
	for (size_t i = 0; i < z->nrecords; i++)
		if (strcmp(z->records[i].name, name) == 0) {
			known = true;
			add_record(&z->records[i], q->type, r);
		}
	if (!known)
		set_rcode(r, NXDOMAIN);
	if (!known || r->p.at[7] == 0)
		dns_soa(&r->p, "test", 86400, 86400);
}
