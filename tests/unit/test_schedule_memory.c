/* SPDX-License-Identifier: MIT */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "failing.h"
#include "queue/schedule/state.h"
#include "schedule_fixture.h"

#include "test.h"

static void
no_schedule_is_made_by_halves(void **state)
{
	struct smtpd_schedule *s;
	int n = 0;

	(void)state;
	do {
		failing_after(n++);
		s = smtpd__schedule_create(&world_defaults);
		assert_int_equal(failing_ended(), s == NULL);
	} while (s == NULL);
	assert_int_equal(n, 4);
	smtpd__schedule_destroy(s);
	smtpd__schedule_destroy(NULL);
}

/* Insert a new message, the Nth allocation fails.  Return whether all went
 * well. */
static bool
make_and_insert(struct world *w, const char *domain, uint32_t due, int n)
{
	struct smtpd_delivery_job *job;
	int status;

	failing_after(n);
	job = world_make(w, domain, 0);
	if (job == NULL) {
		assert_true(failing_ended());
		return false;
	}
	job->due = due;
	status = smtpd__schedule_insert(w->schedule, job, w->now);
	assert_int_equal(failing_ended(), status == -1);
	assert_int_equal(job->state == SMTPD_JOB_OUT, status == -1);
	return status == 0;
}

static void
mail_is_inserted_or_left_out(void **state)
{
	struct world w;
	int n = 0;

	(void)state;
	world_begin(&w, NULL, 0);
	do
		world_check(&w);
	while (!make_and_insert(&w, "a.example", 0, n++));
	assert_in_range(n, 6, 9);
	n = 0;
	do
		world_check(&w);
	while (!make_and_insert(&w, "b.example", 100, n++));
	world_end(&w);
}

static void
what_was_taken_can_always_go_back(void **state)
{
	enum {
		COUNT = 1000
	};
	static struct smtpd_delivery_job *jobs[COUNT];
	static struct smtpd_site *sites[COUNT];
	struct smtpd_schedule_settings settings = world_defaults;
	struct world w;
	char name[16];

	(void)state;
	settings.workers = COUNT;
	world_begin(&w, &settings, 0);
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "%d", i);
		world_mail(&w, name);
	}
	for (int i = 0; i < COUNT; i++)
		jobs[i] = world_take(&w, &sites[i]);
	for (int i = 0; i < COUNT; i++)
		world_mail(&w, "other.example");
	failing_after(0);
	for (int i = 0; i < COUNT; i++) {
		jobs[i]->due = i % 3 == 0 ? 100 : 0;
		if (i % 3 == 1)
			smtpd__schedule_put_back(w.schedule, jobs[i], w.now);
		else
			assert_int_equal(
			    smtpd__schedule_insert(w.schedule, jobs[i], w.now),
			    0);
		smtpd__schedule_leave(w.schedule, sites[i], w.now);
	}
	assert_false(failing_ended());
	world_end(&w);
}

static void
a_site_can_always_be_closed(void **state)
{
	struct world w;
	char name[16];

	(void)state;
	world_begin(&w, NULL, 0);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "%d", i);
		world_mail(&w, name);
	}
	for (int i = 0; i < 500; i++) {
		struct smtpd_site *site;
		struct smtpd_delivery_job *job = world_take(&w, &site);

		failing_after(0);
		world_defer(&w, job, site, SMTPD_SITE_DOWN);
		assert_true(failing_ended());
		assert_int_equal(world_site_info(job).failures, 1);
		assert_null(world_site_info(job).why);
	}
	world_take_none(&w);
	world_end(&w);
}

static void
who_cannot_be_bound_has_left(void **state)
{
	static const char *const names[] = { "mx", NULL };
	struct world w;

	(void)state;
	world_begin(&w, NULL, 0);
	world_mail(&w, "a.example");
	for (int i = 0; i < 2; i++) {
		bool bound;
		int n = 0;

		do {
			struct smtpd_site *site;
			struct smtpd_delivery_job *job = world_take(&w, &site);

			failing_after(n++);
			bound = smtpd__destination_bind(w.schedule,
			    job->destination, names[i], w.now, &site);
			assert_int_equal(failing_ended(), !bound);
			assert_int_equal(site != NULL, bound);
			smtpd__schedule_put_back(w.schedule, job, w.now);
			if (bound)
				smtpd__schedule_leave(w.schedule, site, w.now);
			world_check(&w);
		} while (!bound);
		assert_in_range(n, 2, 3);
	}
	world_end(&w);
}

static void
a_table_goes_on_without_memory(void **state)
{
	enum {
		COUNT = 1000
	};
	static struct smtpd_named nodes[COUNT];
	static char names[COUNT][16];
	struct smtpd_name_table t;

	(void)state;
	assert_int_equal(smtpd__name_table_init(&t, 5), 0);
	for (int i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "%d", i);
		nodes[i].name = names[i];
		failing_after(0);
		smtpd__name_table_add(&t, &nodes[i]);
	}
	failing_ended();
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(
		    smtpd__name_table_find(&t, names[i]), &nodes[i]);
	smtpd__name_table_finish(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_schedule_is_made_by_halves),
		cmocka_unit_test(mail_is_inserted_or_left_out),
		cmocka_unit_test(what_was_taken_can_always_go_back),
		cmocka_unit_test(a_site_can_always_be_closed),
		cmocka_unit_test(who_cannot_be_bound_has_left),
		cmocka_unit_test(a_table_goes_on_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
