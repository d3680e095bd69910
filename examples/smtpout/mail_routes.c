/* SPDX-License-Identifier: MIT */
#include "mail_routes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "blanks.h"
#include "mechanisms.h"
#include "route_target.h"

/* A line of the file with its end, and what is wrong with it. */
#define LINE_SIZE 4096
#define WHY_SIZE  1024

/* A route, and what it points to; it does not move. */
struct mail_route {
	char *text; /* what was given, cut up */
	struct smtpd_route_target targets[SMTPD_ROUTE_TARGETS_MAX];
	struct smtpd_source sources[SMTPD_ROUTE_TARGETS_MAX][SOURCES_MAX];
};

/* What reading needs, and what is wrong. */
struct reader {
	struct mail_routes *routes;
	struct logins *logins;
	char why[WHY_SIZE];
};

/* Read TEXT, another of the targets. */
static int
read_target(struct reader *r, char *text, struct mail_route *item,
    struct smtpd_route *route)
{
	const size_t i = route->ntargets;

	if (i == SMTPD_ROUTE_TARGETS_MAX) {
		snprintf(r->why, sizeof(r->why),
		    "there are more than %d targets", SMTPD_ROUTE_TARGETS_MAX);
		return EX_USAGE;
	}
	if (i > 0 && item->targets[i - 1].mechanisms != NULL &&
	    mechanisms_has(text)) {
		snprintf(r->why, sizeof(r->why),
		    "%s would be a target: divide mechanisms by blanks", text);
		return EX_USAGE;
	}
	route->ntargets++;
	return route_target_read(text, r->logins, &item->targets[i],
	    item->sources[i], r->why, sizeof(r->why));
}

/* Read the targets in TEXT, divided by commas.  The text of an error may have
 * some of its own. */
static int
read_targets(struct reader *r, char *text, struct mail_route *item,
    struct smtpd_route *route)
{
	static const char error[] = "error:";
	int status = 0;

	route->targets = item->targets;
	if (strncmp(text, error, strlen(error)) == 0) {
		item->targets[0] = (struct smtpd_route_target){
			SMTPD_ROUTE_TARGET_INIT,
			.kind = SMTPD_ROUTE_ERROR,
			.text = blanks_trim(text + strlen(error)),
		};
		route->ntargets = 1;
		return 0;
	}
	for (char *next = text; status == 0 && next != NULL;) {
		char *comma = strchr(next, ',');

		if (comma != NULL)
			*comma++ = '\0';
		status = read_target(r, blanks_trim(next), item, route);
		next = comma;
	}
	return status;
}

/* Read one route, TEXT.  Return 0, or an exit status with the reason. */
static int
read_route(struct reader *r, const char *text)
{
	struct mail_routes *all = r->routes;
	struct mail_route *item = calloc(1, sizeof(*item));
	struct smtpd_route *route = &all->list[all->count];
	char *equals;
	int status;

	*route = (struct smtpd_route){ SMTPD_ROUTE_INIT, NULL, NULL, 0 };
	if (item != NULL)
		item->text = strdup(text);
	if (item == NULL || item->text == NULL) {
		free(item);
		snprintf(r->why, sizeof(r->why), "no memory");
		return EX_OSERR;
	}
	all->items[all->count++] = item;
	equals = strchr(item->text, '=');
	if (equals == NULL) {
		snprintf(r->why, sizeof(r->why),
		    "give PATTERN=TARGET, as in example.org=relay.example.net");
		return EX_USAGE;
	}
	*equals = '\0';
	route->pattern = blanks_trim(item->text);
	status = read_targets(r, blanks_trim(equals + 1), item, route);
	if (status == 0 &&
	    smtpd_route_check(route, r->why, sizeof(r->why)) == -1)
		status = errno == ENOMEM ? EX_OSERR : EX_USAGE;
	return status;
}

/* Have room for one more. */
static int
make_room(struct reader *r)
{
	struct mail_routes *all = r->routes;
	const size_t room = all->count + 1;
	struct mail_route **items;
	struct smtpd_route *list;

	/* Twice as much when their number is a power of two. */
	if ((all->count & (all->count - 1)) != 0)
		return 0;
	items = realloc(all->items, 2 * room * sizeof(*items));
	if (items != NULL)
		all->items = items;
	list = realloc(all->list, 2 * room * sizeof(*list));
	if (list != NULL)
		all->list = list;
	if (items == NULL || list == NULL) {
		snprintf(r->why, sizeof(r->why), "no memory");
		return EX_OSERR;
	}
	return 0;
}

static int
add_route(struct reader *r, const char *text)
{
	int status = make_room(r);

	return status == 0 ? read_route(r, text) : status;
}

static int
read_file(struct reader *r, const char *file, char *why, size_t size)
{
	FILE *in = fopen(file, "r");
	char line[LINE_SIZE];
	int status = 0;

	if (in == NULL) {
		snprintf(why, size, "cannot read the routes in %s: %s", file,
		    strerror(errno));
		return EX_NOINPUT;
	}
	for (unsigned n = 1;
	    status == 0 && fgets(line, sizeof(line), in) != NULL; n++) {
		bool whole = strchr(line, '\n') != NULL || feof(in);
		const char *text = blanks_trim(line);

		if (!whole) {
			snprintf(r->why, sizeof(r->why),
			    "the line is longer than %d octets", LINE_SIZE - 2);
			status = EX_CONFIG;
		} else if (*text != '\0' && *text != '#') {
			status = add_route(r, text);
		}
		if (status != 0)
			snprintf(why, size, "%s:%u: %s", file, n, r->why);
	}
	if (status == 0 && ferror(in)) {
		snprintf(why, size, "cannot read %s", file);
		status = EX_NOINPUT;
	}
	fclose(in);
	return status == EX_USAGE ? EX_CONFIG : status;
}

int
mail_routes_read(struct mail_routes *r, const struct text_list *options,
    const char *file, struct logins *logins, char *why, size_t size)
{
	struct reader reader = { .routes = r, .logins = logins };

	*r = (struct mail_routes){ .count = 0 };
	for (size_t i = 0; i < options->count; i++) {
		int status = add_route(&reader, options->items[i]);

		if (status != 0) {
			snprintf(why, size, "--route %s: %s", options->items[i],
			    reader.why);
			return status;
		}
	}
	return file != NULL ? read_file(&reader, file, why, size) : 0;
}

int
mail_routes_put_first(struct mail_routes *r, const char *pattern,
    const struct smtpd_route_target *target)
{
	struct reader reader = { .routes = r };
	struct mail_route *item = calloc(1, sizeof(*item));

	if (item != NULL)
		item->text = strdup(pattern);
	if (item == NULL || item->text == NULL || make_room(&reader) != 0) {
		if (item != NULL)
			free(item->text);
		free(item);
		return -1;
	}
	item->targets[0] = *target;
	memmove(r->items + 1, r->items, r->count * sizeof(*r->items));
	memmove(r->list + 1, r->list, r->count * sizeof(*r->list));
	r->items[0] = item;
	r->list[0] = (struct smtpd_route){ SMTPD_ROUTE_INIT, item->text,
		item->targets, 1 };
	r->count++;
	return 0;
}

void
mail_routes_finish(struct mail_routes *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->items[i]->text);
		free(r->items[i]);
	}
	free(r->items);
	free(r->list);
	*r = (struct mail_routes){ .count = 0 };
}
