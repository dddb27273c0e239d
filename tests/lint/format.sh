#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every C file is as clang-format leaves it.  usage: format.sh ROOT CLANG-FORMAT
set -u
cd "$1" || exit 1
"$2" --version >/dev/null || exit 1
found=$(find src cli include sqlite examples tests fuzz bench -name '*.[ch]' 2>/dev/null | sort |
    xargs "$2" --dry-run -Werror 2>&1 | sed -n 's/^\([^ :]*\):[0-9]*:[0-9]*: error.*/\1/p' | uniq)
number=0
failed=0
for file in $(find src cli include sqlite examples tests fuzz bench -name '*.[ch]' 2>/dev/null | sort); do
    number=$((number + 1))
    case "
$found
" in
    *"
$file
"*)
        failed=1
        echo "not ok $number - $file"
        ;;
    *) echo "ok $number - $file" ;;
    esac
done
echo "1..$number"
exit "$failed"
