/* SPDX-License-Identifier: MIT */
#include "listen_interface.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "complain.h"
#include "interface.h"

int
listen_interface_named(
    const char *program, const char *name, struct text_list *list)
{
	size_t before = list->count;

	if (interface_addresses(name, list) == -1) {
		if (errno == ENXIO)
			return complain(program, EX_UNAVAILABLE,
			    "there is no interface \"%s\": \"ip link\" lists "
			    "the interfaces",
			    name);
		return complain(program, EX_OSERR,
		    "cannot find the addresses of interface %s: %s", name,
		    strerror(errno));
	}
	if (list->count == before)
		return complain(program, EX_UNAVAILABLE,
		    "interface %s has no address: give it one, or choose "
		    "another (--interface) or an address (--listen)",
		    name);
	return 0;
}

int
listen_interface_default(const char *program, struct text_list *list)
{
	struct text_list names = { 0 };
	int status = 0;

	if (interface_defaults(&names) == -1)
		status = complain(program, EX_OSERR,
		    "cannot find the default route: %s", strerror(errno));
	else if (names.count == 0)
		status = complain(program, EX_UNAVAILABLE,
		    "no interface leads to the Internet (there is no default "
		    "route): name one (--interface), an address (--listen), or "
		    "--loopback");
	for (size_t i = 0; i < names.count && status == 0; i++)
		status = listen_interface_named(program, names.items[i], list);
	text_list_finish(&names);
	return status;
}
