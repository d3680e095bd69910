#!/bin/sh
# Print the names of all conversations beside this script, for meson.
cd "$(dirname "$0")" || exit 1
for file in *.txt; do
	echo "${file%.txt}"
done
