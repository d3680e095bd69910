/* SPDX-License-Identifier: MIT */
/* The resolver with every allocation failing once; linked with --wrap. */

#include <errno.h>
#include <stdlib.h>

#include <smtpd/resolve.h>

#include "dns_server.h"
#include "failing.h"

#include "test.h"

static void
answer(void *user, const struct dns_query *q, struct dns_reply *r)
{
	(void)user;
	if (q->type == 15)
		dns_mx(&r->p, q->name, 300, 10, "mx.test");
	else
		dns_address(&r->p, q->name, 300,
		    q->type == 1 ? "198.51.100.1" : "2001:db8::1");
}

/* Without memory for the cache or for trimming it goes on; else there is no
 * result, but never a wrong one. */
static void
no_failure_to_allocate_is_missed(void **state)
{
	struct dns_server *s = dns_server_start(answer, NULL);
	const struct smtpd_resolver_settings settings = {
		SMTPD_RESOLVER_SETTINGS_INIT, .servers = dns_server_address(s)
	};
	unsigned without = 0;
	int n;

	(void)state;
	for (n = 0; n < 200; n++) {
		struct smtpd_resolver *r;
		struct smtpd_targets *t = NULL;
		bool failed;

		failing_after(n);
		r = smtpd_resolver_create(&settings);
		if (r == NULL)
			assert_int_equal(errno, ENOMEM);
		else
			t = smtpd_resolve(r, "good.test", NULL);
		failed = failing_ended();
		without += t == NULL;
		if (t != NULL)
			assert_int_equal(t->count, 2);
		smtpd_targets_free(t);
		smtpd_resolver_destroy(r);
		if (!failed)
			break;
	}
	assert_in_range(n, 10, 100);
	assert_true(without >= 8);
	dns_server_stop(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_failure_to_allocate_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
