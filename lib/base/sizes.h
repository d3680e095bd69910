/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_BASE_SIZES_H
#define SMTPD_BASE_SIZES_H

/*
 * The sizes of texts that several parts keep in arrays, each with its NUL.
 * That of reasons, SMTPD_REASON_SIZE, is public.
 */

/* The name of a host. */
#define SMTPD_HOSTNAME_SIZE 256

/* An address of mail: a local part of 64 octets, "@", a domain. */
#define SMTPD_MAILBOX_SIZE (64 + 1 + SMTPD_HOSTNAME_SIZE)

/* An IP address, also an IPv6 one with the name of an interface as its scope;
 * or the word for a client on a UNIX socket. */
#define SMTPD_ADDRESS_TEXT_SIZE 80

/* The words of the system, or of mbedTLS, for an error. */
#define SMTPD_ERROR_TEXT_SIZE 128

/* The name of a TLS session that may be resumed. */
#define SMTPD_TLS_KEY_SIZE 1024

#endif
