/* SPDX-License-Identifier: MIT */
#include "base/budget.h"

bool
smtpd__budget_take(struct smtpd_budget *b, uint64_t n)
{
	uint64_t before = atomic_fetch_add(&b->taken, n);

	if (before <= b->max && n <= b->max - before)
		return true;
	smtpd__budget_give(b, n);
	return false;
}

void
smtpd__budget_give(struct smtpd_budget *b, uint64_t n)
{
	atomic_fetch_sub(&b->taken, n);
}
