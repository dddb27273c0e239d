#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is installed can be used: a program is built with pkg-config against the shared library, and
# one against the static, and both run.  usage: install.sh BUILD-FOLDER VERSION CC...
set -u
build=$1
version=$2
shift 2
root=$(mktemp -d "${TMPDIR:-/tmp}/coffer-install.XXXXXX") || exit 1
trap 'rm -rf "$root"' EXIT
number=0
failed=0

holds() { # TEXT COMMAND...
    number=$((number + 1))
    text=$1
    shift
    if "$@" >"$root/said" 2>&1; then
        echo "ok $number - $text"
    else
        failed=1
        echo "not ok $number - $text"
        sed 's/^/#   /' "$root/said"
    fi
}

needed() { # the libraries that libcoffer itself is linked with
    pkg-config --print-requires-private libcoffer | sed 's/ .*//'
}

cat >"$root/program.c" <<'END'
#include <coffer/coffer.h>
#include <stdio.h>
int main(void)
{
    cof_error err = COF_ERROR_INIT;
    return cof_init(&err) == COF_OK && puts(cof_version()) >= 0 ? 0 : 1;
}
END

holds "it installs" meson install -C "$build" --no-rebuild --destdir "$root/to"
pc=$(find "$root/to" -name libcoffer.pc)
PKG_CONFIG_PATH=${pc%/*}
PKG_CONFIG_SYSROOT_DIR=$root/to
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
holds "pkg-config knows the version" test "$(pkg-config --modversion libcoffer)" = "$version"
# shellcheck disable=SC2046  # lists of options
holds "a program is built with the shared library" \
    "$@" "$root/program.c" -o "$root/shared" $(pkg-config --cflags --libs libcoffer)
library=$(dirname "$(find "$root/to" -name 'libcoffer.so.0')")
holds "and runs" test "$(LD_LIBRARY_PATH=$library "$root/shared")" = "$version"
# shellcheck disable=SC2046
holds "a program is built with the static library" "$@" "$root/program.c" -o "$root/static" \
    $(pkg-config --cflags libcoffer) "$library/libcoffer.a" \
    $(PKG_CONFIG_SYSROOT_DIR='' pkg-config --libs $(needed))
holds "and runs" test "$("$root/static")" = "$version"
holds "the command is installed, and tells the version" \
    sh -c "\"$(find "$root/to" -path "*/bin/coffer")\" --version | grep -qF '$version'"
echo "1..$number"
exit "$failed"
