#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each public header stands on its own, in C17 and in C++.  usage: headers.sh ROOT CC...
set -u
root=$1
shift
number=0
failed=0
for header in "$root"/include/coffer/*.h; do
    name=${header##*/}
    for language in c c++; do
        number=$((number + 1))
        if found=$(echo "#include <coffer/$name>" | "$@" -x "$language" -std="${language}17" \
            -pedantic -Wall -Wextra -Werror -I"$root/include" -fsyntax-only - 2>&1); then
            echo "ok $number - $name in ${language}17"
        else
            failed=1
            echo "not ok $number - $name in ${language}17"
            printf '%s\n' "$found" | sed 's/^/#   /'
        fi
    done
done
echo "1..$number"
exit "$failed"
