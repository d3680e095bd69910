/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_BUDGET_H
#define SMTPD_BASE_BUDGET_H

/*
 * How much many may take together: memory that each of them alone may want a
 * lot of.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Any thread may use it at any time. */
struct smtpd_budget {
	uint64_t max;
	atomic_uint_fast64_t taken;
};

/* Take N, to be given back; false: so much is not left. */
bool smtpd__budget_take(struct smtpd_budget *b, uint64_t n);

/* Give back N that was taken. */
void smtpd__budget_give(struct smtpd_budget *b, uint64_t n);

#endif
