/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CRYPTO_SECRET_H
#define SMTPD_CRYPTO_SECRET_H

/* Memory that holds passwords and keys: forgotten after use, and compared in a
 * time that says nothing about it. */

#include <stdbool.h>
#include <stddef.h>

/* Overwrite LEN bytes at DATA, even if nothing reads them again. */
void smtpd__secret_wipe(void *data, size_t len);

/* Overwrite and free TEXT; NULL is fine. */
void smtpd__secret_free(char *text);

/* Whether LEN bytes at A and at B are equal. */
bool smtpd__secret_same(const void *a, const void *b, size_t len);

#endif
