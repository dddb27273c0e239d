# SPDX-License-Identifier: Apache-2.0
#
# Backups of files: everything that a file is, told by stock tar; what goes wrong on the way; what is
# left out.  Needs root, for devices and owners.

load helper

# The archive of a backup: archive BACKUP TAR
archive() {
    "$COFFER" restore -q --force "$1" --key "$P/ops.key" -o "$2"
}

# untar TAR DIR: with bsdtar, which knows everything; gnutar TAR DIR: with GNU tar
untar() {
    mkdir "$2"
    bsdtar --xattrs --acls -xpf "$1" -C "$2"
}

gnutar() {
    mkdir "$2"
    tar --xattrs --xattrs-include='*' --acls --numeric-owner --warning=no-unknown-keyword \
        --warning=no-timestamp -xpf "$1" -C "$2"
}

same() {
    /usr/bin/python3 "$here/tree_compare.py" "$@"
}

# names BACKUP: what is in it, one a line
names() {
    archive "$1" "$BATS_TEST_TMPDIR/names.tar"
    bsdtar tf "$BATS_TEST_TMPDIR/names.tar"
}

# state BACKUP PATH: what the catalog says of it
state() {
    "$COFFER" list "$1" --key "$P/ops.key" --json "$2" | head -n 1 |
        /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])'
}

# What every file system here can hold.
odd_tree() {
    mkdir -p "$1/d/e" "$1/empty"
    (
        cd "$1" || exit 1
        echo hello >plain
        touch -d '2001-02-03 04:05:06.123456789' plain
        echo x >$'new\nline'
        echo y >$'bad\xff\xfename'
        echo z >'ünï'
        echo l >' lead and trail '
        echo e >$'\e[31mred'
        : >empty-file
        ln plain hard
        ln plain d/hard
        ln -s plain sym
        ln -s $'dangling\xfe' d/sym
        ln sym symhard
        echo 1 >d/x
        echo 2 >d-e
        chmod 4750 d/x
        chmod 1777 d/e
        chown 1234:4321 d-e
        chown -h 7:8 sym
        mknod chr c 5 1
        mknod blk b 7 300
        mkfifo fifo
    )
}

@test "a tree comes back with everything that it has" {
    odd_tree t
    accept backup -o b.cof t
    prints 'b.cof: 11 files, .* as .*, by CN=db1, opens for CN=ops, CN=rec'
    accept verify --deep --key "$P/ops.key" b.cof
    archive b.cof b.tar
    untar b.tar a
    same t a/t
    gnutar b.tar g
    same t g/t
}

@test "extended attributes and access control lists come back" {
    odd_tree t
    setfattr -n user.one -v value t/plain
    setfattr -n user.bytes -v 0x00010aff00 t/d/x
    setfattr -n user.dir -v x t/d
    setfattr -n trusted.link -v y -h t/d/sym
    setfattr -n user.empty -v '' t/d-e
    setfacl -m u:65534:rw,g:4242:r t/d/x
    setfacl -d -m u:33:rwx,m::rx t/d
    setfacl -m u:1:r t/fifo
    accept backup -o b.cof t
    archive b.cof b.tar
    gnutar b.tar g
    same t g/t
    # A name that tar's own way of writing attributes cannot hold.
    setfattr -n user.a=b -v z t/d/x
    accept backup -o c.cof t
    archive c.cof c.tar
    untar c.tar a
    same t a/t
}

@test "holes come back as holes, 64 GiB of them quickly" {
    mkdir t
    truncate -s 64G t/sparse
    noise | dd of=t/sparse bs=1M seek=33333 conv=notrunc status=none
    truncate -s 10M t/only-hole
    noise 4096 >t/hole-behind
    truncate -s 1M t/hole-behind
    truncate -s 1M t/hole-before
    noise 5000 >>t/hole-before
    accept backup -o b.cof t
    [ "$(stat -c %s b.cof)" -lt 1300000 ]
    archive b.cof b.tar
    untar b.tar a
    same t a/t
    gnutar b.tar g
    same t g/t
}

@test "a file with holes comes back under its name, however long, in any letters" {
    local length
    mkdir t
    for length in 80 95 100 115 200; do
        truncate -s 1M "t/é$(printf "%${length}d" 0)" "t/e$(printf "%${length}d" 0)"
        noise 5000 | tee -a "t/é$(printf "%${length}d" 0)" >>"t/e$(printf "%${length}d" 0)"
    done
    accept backup -o h.cof t
    accept restore -q h.cof --key "$P/ops.key" -C out
    diff -r t out/t
}

@test "paths of 4,000 bytes and more, also 2,000 levels deep" {
    /usr/bin/python3 - <<'PYTHON'
import os
os.mkdir("t")
for name, levels in ((b"n" * 199, 21), (b"a", 2000)):
    fd = os.open("t", os.O_RDONLY)
    for i in range(levels):
        os.mkdir(name, dir_fd=fd)
        down = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = down
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
PYTHON
    (ulimit -n 128 && accept backup -o b.cof t)
    accept verify --deep --key "$P/ops.key" b.cof
    accept restore b.cof --key "$P/ops.key" -C a
    same t a/t
}

@test "the same tree twice is the same archive" {
    odd_tree t
    accept backup -o b.cof t
    accept backup -o c.cof t
    archive b.cof b.tar
    archive c.cof c.tar
    cmp b.tar c.tar
    LC_ALL=C accept backup -o d.cof t
    archive d.cof d.tar
    cmp b.tar d.tar
}

@test "a file that cannot be read: named, status 9, incomplete" {
    mkdir -m 755 t
    echo 1 >t/good
    echo 2 >t/secret
    chmod 600 t/secret
    mkdir -m 700 t/closed
    chmod 644 t/good
    chmod -R a+rX "$P" "$P/.." && chmod 711 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"
    cp -r "$P/home" home && chown -R 65534 home . && chown 0 t/secret t/closed
    as_nobody() {
        setpriv --reuid 65534 --clear-groups --inh-caps=-all env "COFFER_HOME=$PWD/home" "$COFFER" "$@"
    }
    status=0
    as_nobody backup -o b.cof -r "$P/ops.crt" t >out 2>err || status=$?
    [ "$status" -eq 9 ]
    grep -q 'warning: .*t/secret cannot be read: Permission denied$' err
    grep -q 'warning: .*t/closed cannot be listed, and what is in it is missing: Permission denied$' err
    grep -q '^b.cof: 1 file, ' out
    "$COFFER" info --json b.cof --trust "$P/home/signing.crt" | grep -q '"complete": *false'
    [ "$(state b.cof t/secret)" = unreadable ]
    [ "$(state b.cof t/closed)" = unreadable ]
    [ "$(state b.cof t/good)" = ok ]
    accept verify --deep --key "$P/ops.key" b.cof
    # Strict: the first such thing is a failed source, and there is no backup.
    status=0
    as_nobody backup --strict -o c.cof -r "$P/ops.crt" t >out 2>err || status=$?
    [ "$status" -eq 8 ]
    [ ! -s out ] && [ ! -e c.cof ]
}

@test "what does not exist is named, and costs not the rest" {
    mkdir t
    echo 1 >t/a
    warn 9 'gone does not exist' backup -o b.cof t gone
    [ "$(state b.cof gone)" = vanished ]
    warn 9 '.*t/gone does not exist' backup -o c.cof t t/gone
    for file in b.cof c.cof; do
        "$COFFER" info --json "$file" | grep -q '"complete": *false'
    done
    refuse 8 'gone does not exist' backup --strict -o d.cof t gone
    call backup -o e.cof gone
    [ "$status" -eq 8 ] && [ ! -e e.cof ]
}

@test "a file that grows all the time is stored as long as it was" {
    mkdir t
    noise 40000000 >t/log
    (while :; do echo line; done >>t/log) 3>&- &
    local writer=$!
    until [ "$(stat -c %s t/log)" -gt 40000000 ]; do :; done
    warn 9 '.*t/log grew while it was read.*' backup -o b.cof t
    end "$writer"
    accept verify --deep --key "$P/ops.key" b.cof
    archive b.cof b.tar
    untar b.tar a
    [ "$(state b.cof t/log)" = changed ]
    "$COFFER" info --json b.cof | grep -q '"complete": *false'
    warn 9 'b.cof: t/log changed while it was backed up: .*' restore -q b.cof --key "$P/ops.key" -C c
    cmp a/t/log c/t/log
    size=$(stat -c %s a/t/log)
    cmp -n "$size" a/t/log t/log
}

@test "files that come and go all the time do not stop a backup" {
    mkdir -p t/d
    (while :; do
        for i in 1 2 3 4 5 6 7 8 9; do echo $i >t/d/$i; done
        rm -rf t/d/[1-9]
    done) 2>/dev/null 3>&- &
    local writer=$!
    for i in 1 2 3 4 5; do
        call backup -o b$i.cof t
        [ "$status" -eq 0 ] || [ "$status" -eq 9 ] || wrong "should go on" backup
        call verify --deep --key "$P/ops.key" b$i.cof
        [ "$status" -eq 0 ] || wrong "should be intact" verify
    done
    end "$writer"
}

@test "exclude: patterns, also from files" {
    mkdir -p t/src/sub t/cache t/home/me/.cache
    touch t/a.o t/src/b.o t/src/b.c t/src/sub/c.o t/cache/x t/home/me/.cache/y t/cachefile
    printf '# no objects\n\n*.o\n' >patterns
    accept backup -o b.cof --exclude-file patterns --exclude cache/ --exclude '/t/home/*/.cache' t
    [ "$(names b.cof)" = "$(printf '%s\n' t/ t/cachefile t/home/ t/home/me/ t/src/ t/src/b.c t/src/sub/)" ]
    refuse 2 "the pattern '!x' cannot be used.*" backup -o c.cof --exclude '!x' t
    refuse 6 'cannot read the list nothere: No such file or directory' backup -o c.cof \
        --exclude-file nothere t
    refuse 8 'there is nothing to back up.*' backup -o c.cof --exclude t t
}

@test "exclude: caches, by their tag" {
    mkdir -p t/cache/sub t/other
    printf 'Signature: 8a477f597d28d172789f06886806bc55\n' >t/cache/CACHEDIR.TAG
    touch t/cache/x t/cache/sub/y t/other/z
    echo 'no signature' >t/other/CACHEDIR.TAG
    accept backup -o b.cof --exclude-caches t
    [ "$(names b.cof)" = "$(printf '%s\n' t/ t/cache/ t/cache/CACHEDIR.TAG t/other/ \
        t/other/CACHEDIR.TAG t/other/z)" ]
}

@test "one file system: mount points are stored, and nothing in them" {
    mkdir -p t/mnt t/other
    touch t/other/x
    unshare -m sh -c 'mount -t tmpfs none t/mnt && touch t/mnt/hidden &&
        "$COFFER" backup -q -o b.cof --one-file-system t && "$COFFER" backup -q -o c.cof t'
    [ "$(names b.cof)" = "$(printf '%s\n' t/ t/mnt/ t/other/ t/other/x)" ]
    [ "$(names c.cof)" = "$(printf '%s\n' t/ t/mnt/ t/mnt/hidden t/other/ t/other/x)" ]
}

@test "sources from a list, by line or by zero byte" {
    mkdir -p t/d
    touch t/a $'t/new\nline' t/d/x t/d/y
    printf 't/a\n\nt/d/x\n' >list
    accept backup -o b.cof --files-from list
    [ "$(names b.cof)" = "$(printf '%s\n' t/a t/d/x)" ]
    find t -type f -print0 | accept backup -o c.cof --files-from0 -
    [ "$(names c.cof | wc -l)" -eq 4 ]
    : >none
    refuse 2 'the list of what is to be backed up is empty' backup -o d.cof --files-from none
    refuse 2 'backup needs a source.*' backup -o d.cof
    refuse 2 'standard input \(-\) is backed up alone.*' backup -o d.cof t -
}

@test "names inside: no way to the root, nothing twice" {
    mkdir -p t/d u/d
    touch t/d/x u/d/y
    accept backup -o b.cof "$PWD/t"
    [ "$(names b.cof | head -1)" = "${PWD#/}/t/" ]
    (cd t && accept backup -o ../c.cof ../u ./d)
    [ "$(names c.cof)" = "$(printf '%s\n' d/ d/x u/ u/d/ u/d/y)" ]
    (cd t && accept backup -o ../c2.cof .)
    [ "$(names c2.cof)" = "$(printf '%s\n' ./ d/ d/x)" ]
    accept backup -o d.cof t t/d ./t/ t/d/x
    [ "$(names d.cof)" = "$(printf '%s\n' t/ t/d/ t/d/x)" ]
    (cd t && mkdir u && refuse 2 '.* would have the same names inside the backup.*' backup -o e.cof u ../u)
}

@test "the backup does not swallow itself; sockets stay out" {
    mkdir t
    noise >t/data
    /usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("t/sock")'
    "$COFFER" backup -o t/ t >out 2>err
    grep -q '1 socket was left out' err
    [ "$(find t -name '*.cof' -size -1500k | wc -l)" -eq 1 ]
    "$COFFER" backup -q -o - t >t/pipe.cof
    "$COFFER" verify -q t/pipe.cof
    names t/pipe.cof >in
    run ! grep -q pipe.cof in
}

@test "records of a tree are large enough for its catalog" {
    mkdir t
    refuse 2 'a tree needs records of at least 256 KiB' backup -o b.cof --record-size 64K t
    accept backup -o b.cof --record-size 256K t
}
