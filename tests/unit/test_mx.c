/* SPDX-License-Identifier: MIT */

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "resolve/mx.h"

#include "test.h"

static struct smtpd_dns_answer *
make_answer(size_t count)
{
	struct smtpd_dns_answer *a =
	    calloc(1, smtpd__dns_message_answer_size(count));

	assert_non_null(a);
	a->count = count;
	for (size_t i = 0; i < count; i++)
		a->records[i].address[3] = (unsigned char)i;
	return a;
}

static void
add(struct smtpd_mx_list *list, size_t host, size_t six, size_t four,
    size_t max)
{
	struct smtpd_dns_answer *sixes = make_answer(six);
	struct smtpd_dns_answer *fours = make_answer(four);

	assert_int_equal(smtpd__mx_add(list, host, sixes, fours, max), 0);
	free(sixes);
	free(fours);
}

/* The families in order: "6464". */
static void
must_be(const struct smtpd_mx_list *list, const char *want)
{
	char got[64];
	size_t n;

	for (n = 0; n < list->count && n < sizeof(got) - 1; n++)
		got[n] = list->at[n].ip.family == AF_INET6 ? '6' : '4';
	got[n] = '\0';
	assert_string_equal(got, want);
}

/* RFC 5321, 5.2 */
static void
families_take_turns(void **state)
{
	static const struct {
		size_t six, four;
		const char *want;
	} cases[] = {
		{ 2, 2, "6464" },
		{ 3, 1, "6466" },
		{ 1, 3, "6444" },
		{ 0, 2, "44" },
		{ 2, 0, "66" },
		{ 0, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtpd_mx_list list = { 0 };

		add(&list, 0, cases[i].six, cases[i].four, 10);
		must_be(&list, cases[i].want);
		free(list.at);
	}
}

static void
each_address_is_there_once(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct smtpd_mx_list list = { 0 };
		int seen[2][7] = { 0 };

		add(&list, 0, 7, 7, 10);
		for (size_t i = 0; i < list.count; i++)
			seen[list.at[i].ip.family == AF_INET]
			    [list.at[i].ip.bytes[3]]++;
		for (size_t i = 0; i < 14; i++)
			assert_int_equal(seen[i / 7][i % 7], 1);
		free(list.at);
	}
}

static void
each_address_comes_first_at_times(void **state)
{
	int first[4] = { 0 };

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct smtpd_mx_list list = { 0 };

		add(&list, 0, 0, 4, 10);
		first[list.at[0].ip.bytes[3]]++;
		free(list.at);
	}
	for (int i = 0; i < 4; i++)
		assert_true(first[i] > 10);
}

/* RFC 5321, 5.1 */
static void
hosts_are_in_order_of_preference(void **state)
{
	static const uint16_t given[] = { 20, 10, 65535, 10, 0, 20, 10, 5 };
	static const uint16_t want[] = { 0, 5, 10, 10, 10, 20, 20, 65535 };
	int second[8] = { 0 };

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct smtpd_mx_host hosts[8];

		for (size_t i = 0; i < 8; i++) {
			hosts[i].preference = given[i];
			hosts[i].name[0] = (char)i;
		}
		smtpd__mx_sort(hosts, 8);
		for (size_t i = 0; i < 8; i++)
			assert_int_equal(hosts[i].preference, want[i]);
		second[(int)hosts[2].name[0]]++;
	}
	assert_true(second[1] > 20 && second[3] > 20 && second[6] > 20);
	assert_int_equal(second[1] + second[3] + second[6], 200);
	smtpd__mx_sort(NULL, 0);
}

static void
a_cut_takes_a_host_and_all_behind(void **state)
{
	struct smtpd_mx_list list = { 0 };

	(void)state;
	add(&list, 0, 1, 1, 10);
	add(&list, 1, 0, 2, 10);
	add(&list, 2, 2, 0, 10);
	smtpd__mx_cut(&list, 3);
	must_be(&list, "644466");
	smtpd__mx_cut(&list, 1);
	must_be(&list, "64");
	smtpd__mx_cut(&list, 0);
	must_be(&list, "");
	free(list.at);
}

struct limit_case {
	size_t hosts[3][2]; /* IPv6 and IPv4 of each */
	size_t max;
	bool full;
	const char *want;
};

static const struct limit_case limits[] = {
	{ { { 1, 1 }, { 1, 1 } }, 10, false, "6464" },
	{ { { 2, 2 }, { 2, 2 }, { 2, 2 } }, 10, true, "6464646464" },
	{ { { 0, 9 }, { 0, 9 } }, 10, false, "4444444444" },
	{ { { 0, 10 }, { 3, 0 } }, 10, true, "4444444466" },
	{ { { 0, 10 }, { 0, 5 }, { 1, 0 } }, 10, false, "4444444446" },
	{ { { 9, 0 }, { 9, 0 }, { 0, 9 } }, 10, true, "6666666644" },
	{ { { 5, 0 }, { 0, 5 } }, 4, true, "6644" },
	{ { { 5, 0 }, { 0, 5 } }, 3, true, "664" },
	{ { { 5, 0 }, { 0, 5 } }, 2, true, "64" },
	{ { { 5, 0 }, { 0, 5 } }, 1, true, "6" },
};

static void
of_each_family_two_are_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct limit_case *c = &limits[i];
		struct smtpd_mx_list list = { 0 };

		for (size_t h = 0; h < 3; h++)
			add(&list, h, c->hosts[h][0], c->hosts[h][1], 10);
		assert_int_equal(smtpd__mx_is_full(&list, c->max), c->full);
		smtpd__mx_limit(&list, c->max);
		must_be(&list, c->want);
		free(list.at);
	}
}

static void
one_host_gives_no_more_than_can_be_taken(void **state)
{
	struct smtpd_mx_list list = { 0 };

	(void)state;
	add(&list, 0, 200, 200, 3);
	must_be(&list, "646464");
	free(list.at);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_take_turns),
		cmocka_unit_test(each_address_is_there_once),
		cmocka_unit_test(each_address_comes_first_at_times),
		cmocka_unit_test(hosts_are_in_order_of_preference),
		cmocka_unit_test(a_cut_takes_a_host_and_all_behind),
		cmocka_unit_test(of_each_family_two_are_left),
		cmocka_unit_test(one_host_gives_no_more_than_can_be_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
