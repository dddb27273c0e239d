#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Restoring files never reaches outside the target, whatever a signed backup holds and whatever is in
# the target; and a catalog that says something else than the archive is refused.

load helper

setup_file() {
    people
    H=$BATS_FILE_TMPDIR/hostile
    mkdir "$BATS_FILE_TMPDIR/outside"
    echo precious >"$BATS_FILE_TMPDIR/outside/victim"
    /usr/bin/python3 "$here/hostile.py" "$H" "$BATS_FILE_TMPDIR/outside/victim"
}

setup() {
    workdir
    H=$BATS_FILE_TMPDIR/hostile
    outside=$BATS_FILE_TMPDIR/outside
}

teardown() {
    [ "$(find "$outside" -mindepth 1)" = "$outside/victim" ]
    [ "$(cat "$outside/victim")" = precious ]
    [ "$(stat -c %h "$outside/victim")" -eq 1 ]
}

# attack NAME STATUS PATTERN [ARG...]: into out, which stays without a temporary file.
attack() {
    local name=$1 expected=$2 pattern=$3
    shift 3
    call restore -q "$H/$name.cof" --key "$H/alice.key" --trust "$H/maker.crt" -C out "$@"
    [ "$status" -eq "$expected" ] || wrong "should end with $expected" "$name"
    [[ "$(sentences)" =~ $pattern ]] || wrong "should say: $pattern" "$name"
    [ -z "$(find . -name '.coffer-*')" ]
}

holds() {
    attack "$1" 0 '^$'
    find out -mindepth 1 -printf '%P %y %l\n' | sort
}

@test "the tree that the others are made of is restored" {
    holds good
    [ "$(stat -c %h out/b)" -eq 2 ]
    [ "$(cat out/c)" = b ]
    [ "$(stat -c %s out/e)" -eq 5000 ]
    [ "$(readlink out/a/l)" = f ]
}

@test "a name with .. in it" {
    attack dotdot 5 'a path is not well-formed$'
    [ ! -e out ]
    attack dotdot-inside 5 'a path is not well-formed$'
}

@test "an absolute name" {
    attack absolute 5 'a path is not well-formed$'
}

@test "a symbolic link, then a file through it" {
    attack link-dir 6 ': a is no directory, or a symbolic link, through which nothing is written$'
    [ -L out/a ]
    rm -r out
    attack link-dir-deep 6 'through which nothing is written$'
    rm -r out
    attack link-up 6 'through which nothing is written$'
}

@test "a symbolic link to a symbolic link, then a file through both" {
    attack link-to-link 6 'through which nothing is written$'
}

@test "--force and --keep-going do not follow either" {
    attack link-dir 6 'through which nothing is written$' --force
    attack link-dir 6 'through which nothing is written$' --force
    rm -r out
    warn 9 '.*: a/x/y/evil is not restored: a is no directory, .*' restore -q "$H/link-dir-deep.cof" \
        --key "$H/alice.key" --trust "$H/maker.crt" -C out --keep-going --force
}

@test "a symbolic link in other letters: where case does not count, it is not followed either" {
    holds link-case
    [ -L out/A ]
    [ "$(cat out/a/evil)" = evil ]
}

@test "symbolic links in the target, at the place of a directory" {
    mkdir out
    ln -s "$outside" out/d
    attack dir-then-file 2 'd exists already and is no directory; --force replaces it$'
    attack dir-then-file 0 '^$' --force
    [ ! -L out/d ]
    [ "$(cat out/d/evil)" = evil ]
}

@test "symbolic links in the target, at the place of a file" {
    mkdir out
    ln -s "$outside/victim" out/victim
    attack dir-then-file 2 'victim exists already; --force replaces it, --skip-old-files leaves it$'
    attack dir-then-file 0 '^$' --skip-old-files
    [ -L out/victim ]
    attack dir-then-file 0 '^$' --force
    [ ! -L out/victim ]
    [ "$(cat out/victim)" = evil ]
}

@test "a dangling symbolic link in the target, at the place of a file" {
    mkdir out
    ln -s "$outside/new" out/victim
    attack dir-then-file 2 'victim exists already'
    attack dir-then-file 0 '^$' --force
    [ ! -L out/victim ]
}

@test "a symbolic link in the target, on the way to a part that is restored" {
    mkdir out
    ln -s "$outside" out/d
    attack dir-then-file 6 'd is no directory, or a symbolic link' d/evil
    [ -L out/d ]
}

@test "the target itself may be a symbolic link: that is the user's" {
    mkdir real
    ln -s real out
    attack good 0 '^$'
    [ "$(cat real/b)" = b ]
}

@test "a hard link to something outside" {
    attack hard-up 5 'its link target is not well-formed$'
    attack hard-absolute 5 'its link target is not well-formed$'
}

@test "a hard link through a symbolic link" {
    attack hard-through-link 6 'through which nothing is written$'
}

@test "a hard link to a symbolic link is one more link, and not what it leads to" {
    holds hard-to-link
    [ -L out/b ]
    [ "$(stat -c %i out/a)" = "$(stat -c %i out/b)" ]
}

@test "a file that others can reach by another name is replaced, not written into" {
    mkdir out
    echo mine >mine
    ln mine out/victim
    attack dir-then-file 0 '^$' --force
    [ "$(cat mine)" = mine ]
}

@test "a FIFO or a device in the target, at the place of a file, is not written into" {
    mkdir out
    mkfifo out/victim
    attack dir-then-file 2 'victim exists already'
    attack dir-then-file 0 '^$' --force
    [ -f out/victim ]
    rm out/victim
    mknod out/victim c 1 3
    attack dir-then-file 0 '^$' --force
    [ "$(cat out/victim)" = evil ]
}

@test "a device or a FIFO of the same backup, then a file through it" {
    attack device-then-file 6 ': x is no directory, or a symbolic link, through which nothing is written$'
    [ -c out/x ]
    rm -r out
    attack fifo-then-file 6 ': x is no directory, or a symbolic link, through which nothing is written$'
    [ -p out/x ]
}

@test "names with newlines and escapes reach the disk, but no terminal" {
    holds names
    [ -e "out/"$'\e[31mred' ]
    [ -e "out/new"$'\n'line ]
    attack names 2 'x1B' # they exist now
    run ! grep -q $'\e' "$BATS_TEST_TMPDIR/stderr"
    call list "$H/names.cof" --key "$H/alice.key" --trust "$H/maker.crt"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/stdout")" -eq 4 ]
    grep -Fqx 'new\x0Aline' "$BATS_TEST_TMPDIR/stdout"
    grep -Fqx 'rtl\u{202E}exe' "$BATS_TEST_TMPDIR/stdout"
    run ! grep -q $'\e' "$BATS_TEST_TMPDIR/stdout"
}

@test "set-user-ID does not come without the owner" {
    cp /bin/true t
    chown 1234:4321 t
    chmod 6755 t
    mkdir src
    mv t src/t
    "$COFFER" backup -q -o x.cof src
    accept restore -q x.cof --key "$P/ops.key" -C a
    [ "$(stat -c %a:%u:%g a/src/t)" = 6755:1234:4321 ]
    accept restore -q x.cof --key "$P/ops.key" -C b --no-same-owner
    [ "$(stat -c %a:%u:%g b/src/t)" = 755:0:0 ]
}

@test "devices need root, and other files are no worse for them" {
    mkdir src
    mknod src/null c 1 3
    echo x >src/x
    "$COFFER" backup -q -o x.cof src
    accept restore -q x.cof --key "$P/ops.key" -C a
    [ "$(stat -c %t:%T a/src/null)" = 1:3 ]
    chmod 755 "$BATS_TEST_TMPDIR" .
    mkdir -m 777 b
    cp "$P/ops.key" k
    cp "$P/home/signing.crt" .
    chmod 644 x.cof signing.crt
    chown 65534 k
    status=0
    errors=$(env -u COFFER_HOME HOME=. setpriv --reuid 65534 --regid 65534 --clear-groups "$COFFER" restore -q x.cof --key k -C b \
        --trust signing.crt --keep-going 2>&1) || status=$?
    [ "$status" -eq 9 ] || wrong "as nobody"
    grep -q 'src/null is not restored: cannot create the device src/null: only root may' <<<"$errors"
    [ "$(cat b/src/x)" = x ]
    [ ! -e b/src/null ]
}

# ---- a catalog that lies ----

@test "a catalog that lies about a path, type, size or link (CA-2)" {
    for lie in path type size target; do
        rm -rf out
        attack "lie-$lie" 3 ': the catalog is wrong about '
        attack "lie-$lie" 3 ': the catalog is wrong about ' --force --keep-going
    done
}

@test "a catalog whose records do not fit together (CA-1, CA-3, CA-4)" {
    for lie in item:3 length:5 order:5 place:5 missing:5 record:5; do
        rm -rf out
        attack "lie-${lie%:*}" "${lie#*:}" ': the catalog is not as it must be: '
        call list "$H/lie-${lie%:*}.cof" --key "$H/alice.key" --trust "$H/maker.crt"
        [ "$status" -eq "${lie#*:}" ]
    done
}

@test "verify --deep finds whatever would not be restored" {
    for lie in path:3 type:3 size:3 target:3 length:3 order:5 item:3 place:5 missing:5 record:5; do
        call verify --deep --key "$H/alice.key" --trust "$H/maker.crt" "$H/lie-${lie%:*}.cof"
        [ "$status" -eq "${lie#*:}" ] || [ "$status" -eq 5 ] || wrong "should find it" "lie-$lie"
    done
    for name in dotdot absolute hard-up hard-absolute hard-through-link; do
        call verify --deep --key "$H/alice.key" --trust "$H/maker.crt" "$H/$name.cof"
        [ "$status" -eq 5 ] || wrong "should find it" "$name"
    done
    for name in good hard-to-link names link-dir; do
        accept verify -q --deep --key "$H/alice.key" --trust "$H/maker.crt" "$H/$name.cof"
    done
}

@test "a part is held against its catalog as well" {
    attack lie-size 3 'the catalog is wrong about e: it is of another size$' e
    attack lie-size 0 '^$' b
}
