#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file is as clang-format leaves it.  usage: format.sh ROOT CLANG-FORMAT
set -u
cd "$1" || exit 1
clang_format=$2
number=0
failed=0
find src cli include tests fuzz bench -name '*.[ch]' 2>/dev/null | sort >"${TMPDIR:-/tmp}/format.$$"
while read -r file; do
    number=$((number + 1))
    if "$clang_format" --dry-run -Werror "$file" >/dev/null 2>&1; then
        echo "ok $number - $file"
    else
        failed=1
        echo "not ok $number - $file"
    fi
done <"${TMPDIR:-/tmp}/format.$$"
rm -f "${TMPDIR:-/tmp}/format.$$"
echo "1..$number"
exit "$failed"
