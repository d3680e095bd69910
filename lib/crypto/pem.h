/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_CRYPTO_PEM_H
#define SMTPD_CRYPTO_PEM_H

/* A text in PEM as mbedTLS wants it, its NUL counted. */

#include <stdbool.h>
#include <stddef.h>

struct smtpd_pem {
	unsigned char *text; /* NULL: none */
	size_t size;
};

/* Read all of FILE, or copy LEN bytes of TEXT.  Return 0 or an errno; PEM is to
 * be freed in any case. */
int smtpd__pem_read(struct smtpd_pem *pem, const char *file);
int smtpd__pem_copy(struct smtpd_pem *pem, const char *text, size_t len);

/* Whether there is a NUL in it, behind which mbedTLS would not look. */
bool smtpd__pem_has_nul(const struct smtpd_pem *pem);

/* Whether it ends within one of its blocks, as a file that is being written. */
bool smtpd__pem_breaks_off(const struct smtpd_pem *pem);

/* Free it, and leave no trace of a key. */
void smtpd__pem_free(struct smtpd_pem *pem);

#endif
