/* SPDX-License-Identifier: MIT */

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include <smtpd/cancel.h>

#include "os/clock.h"
#include "resolve/smarthost.h"

#include "test.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int ended;

/* In place of the C library's: as long as the gate is shut nothing answers. */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
    struct addrinfo **found)
{
	(void)node, (void)service, (void)hints;
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	*found = NULL;
	ended++;
	return EAI_AGAIN;
}

static void *
trigger(void *cancel)
{
	smtpd_cancel_trigger(cancel);
	return NULL;
}

/* S37: a look-up by the system does not hold up the stop. */
static void
a_look_up_by_the_system_can_be_cancelled(void **state)
{
	struct smtpd_cancel *cancel = smtpd_cancel_create();
	struct smtpd_targets *t;
	pthread_t thread;

	(void)state;
	pthread_mutex_lock(&gate);
	assert_int_equal(pthread_create(&thread, NULL, trigger, cancel), 0);
	t = smtpd__smarthost_find(NULL, "relay", cancel);
	assert_non_null(t);
	assert_int_equal(t->outcome, SMTPD_RESOLVE_LATER);
	assert_string_equal(t->reason, "relay: the look-up was cancelled");
	smtpd_targets_free(t);
	pthread_join(thread, NULL);
	assert_int_equal(ended, 0);
	pthread_mutex_unlock(&gate);
	while (ended == 0)
		smtpd__clock_ms();
	smtpd_cancel_destroy(cancel);
}

static void
what_the_system_says_is_told(void **state)
{
	struct smtpd_targets *t = smtpd__smarthost_find(NULL, "relay", NULL);

	(void)state;
	assert_non_null(t);
	assert_int_equal(t->outcome, SMTPD_RESOLVE_LATER);
	assert_string_equal(t->status, "4.4.3");
	smtpd_targets_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_up_by_the_system_can_be_cancelled),
		cmocka_unit_test(what_the_system_says_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
