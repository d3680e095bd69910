/* SPDX-License-Identifier: MIT */
#include "resolve/mx.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "os/random.h"

/* Of each family so many are kept, whatever the order. */
#define FAMILY_MIN 2

/* How many there are of each family. */
struct tally {
	size_t six;
	size_t four;
};

static void
swap_hosts(struct smtpd_mx_host *a, struct smtpd_mx_host *b)
{
	const struct smtpd_mx_host kept = *a;

	*a = *b;
	*b = kept;
}

/* Shuffled, and then sorted so that equal ones stay as they are. */
void
smtpd__mx_sort(struct smtpd_mx_host *hosts, size_t count)
{
	for (size_t i = count; i > 1; i--)
		swap_hosts(
		    &hosts[i - 1], &hosts[smtpd__random_below((uint32_t)i)]);
	for (size_t i = 1; i < count; i++)
		for (size_t k = i;
		    k > 0 && hosts[k - 1].preference > hosts[k].preference; k--)
			swap_hosts(&hosts[k - 1], &hosts[k]);
}

static int
make_room(struct smtpd_mx_list *list, size_t more)
{
	size_t room = list->count + more;
	struct smtpd_mx_address *at;

	if (room <= list->room)
		return 0;
	room += room / 2;
	at = realloc(list->at, room * sizeof(*at));
	if (at == NULL)
		return -1;
	list->at = at;
	list->room = room;
	return 0;
}

static void
append_address(struct smtpd_mx_list *list, size_t host, int family,
    const struct smtpd_dns_answer *answer, size_t record)
{
	struct smtpd_mx_address *to = &list->at[list->count++];

	memset(to, 0, sizeof(*to));
	to->host = host;
	to->authenticated = answer->authenticated;
	to->ip.family = family;
	memcpy(to->ip.bytes, answer->records[record].address,
	    family == AF_INET ? 4 : 16);
}

/* The numbers below COUNT in random order. */
static void
shuffle_records(size_t *order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t k = smtpd__random_below((uint32_t)i + 1);

		order[i] = order[k];
		order[k] = i;
	}
}

static size_t
smaller_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

int
smtpd__mx_add(struct smtpd_mx_list *list, size_t host,
    const struct smtpd_dns_answer *six, const struct smtpd_dns_answer *four,
    size_t max)
{
	size_t six_order[SMTPD_DNS_RECORDS_MAX];
	size_t four_order[SMTPD_DNS_RECORDS_MAX];
	size_t sixes = smaller_of(six->count, max);
	size_t fours = smaller_of(four->count, max);

	if (make_room(list, sixes + fours) != 0)
		return -1;
	shuffle_records(six_order, six->count);
	shuffle_records(four_order, four->count);
	for (size_t i = 0; i < sixes || i < fours; i++) {
		if (i < sixes)
			append_address(list, host, AF_INET6, six, six_order[i]);
		if (i < fours)
			append_address(
			    list, host, AF_INET, four, four_order[i]);
	}
	return 0;
}

void
smtpd__mx_cut(struct smtpd_mx_list *list, size_t host)
{
	while (list->count > 0 && list->at[list->count - 1].host >= host)
		list->count--;
}

static struct tally
count_families(const struct smtpd_mx_list *list)
{
	struct tally n = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		if (list->at[i].ip.family == AF_INET6)
			n.six++;
		else
			n.four++;
	}
	return n;
}

bool
smtpd__mx_is_full(const struct smtpd_mx_list *list, size_t max)
{
	const struct tally n = count_families(list);
	size_t least = smaller_of(FAMILY_MIN, max / 2);

	return list->count >= max && n.six >= least && n.four >= least;
}

/* Walk through the list with places set aside for the family that has not
 * had its least yet. */
void
smtpd__mx_limit(struct smtpd_mx_list *list, size_t max)
{
	const struct tally n = count_families(list);
	size_t least = smaller_of(FAMILY_MIN, max / 2);
	size_t owed_six = smaller_of(n.six, least);
	size_t owed_four = smaller_of(n.four, least);
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		bool six = list->at[i].ip.family == AF_INET6;
		size_t *own = six ? &owed_six : &owed_four;
		size_t other = six ? owed_four : owed_six;

		if (*own == 0 && kept + other >= max)
			continue;
		if (*own > 0)
			--*own;
		list->at[kept++] = list->at[i];
	}
	list->count = kept;
}
