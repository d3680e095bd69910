#!/bin/sh
# Print the names of all conversations beside this script, for meson.

usage="usage: tests/talk/list.sh"
case ${1:-} in
-h | --help)
	echo "$usage"
	echo "Print the names of all conversations, for meson."
	exit ;;
?*)
	echo "$usage" >&2
	exit 64 ;;
esac

cd "$(dirname "$0")" || exit 1
for file in *.txt; do
	echo "${file%.txt}"
done
