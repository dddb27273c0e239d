#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script is read by its own shell and by shellcheck.  usage: scripts.sh ROOT
set -u
cd "$1" || exit 1
number=0
failed=0
for file in scripts/* .ci/* tests/*/*; do
    [ -f "$file" ] || continue
    case $(head -n 1 "$file" | tr -d '\0') in
    '#!/bin/sh'*) shell='sh' ;;
    '#!'*bash*) shell='bash' ;;
    *) continue ;;
    esac
    number=$((number + 1))
    if found=$("$shell" -n "$file" 2>&1 && shellcheck -x "$file" 2>&1 &&
        { [ -x "$file" ] || { echo "not executable" && false; }; }); then
        echo "ok $number - $file"
    else
        failed=1
        echo "not ok $number - $file"
        printf '%s\n' "$found" | sed 's/^/#   /'
    fi
done
# "! command" does not end a test of bats, unless it is its last line: such a line tests nothing.
number=$((number + 1))
if found=$(grep -nE '^ *! ' tests/*/*.bats); then
    failed=1
    echo "not ok $number - negations that cannot fail: say \"run !\""
    printf '%s\n' "$found" | sed 's/^/#   /'
else
    echo "ok $number - no negation in a test of bats that cannot fail"
fi
# A failure that is let pass may be the one that the test is there for.
number=$((number + 1))
if found=$(grep -nE '\|\| *(true|:)( |;|\)|$)' tests/*/*.bats tests/*/*.bash); then
    failed=1
    echo "not ok $number - failures that are swallowed: say which status is right"
    printf '%s\n' "$found" | sed 's/^/#   /'
else
    echo "ok $number - no failure in a test of bats is swallowed"
fi
echo "1..$number"
exit "$failed"
