#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2086 # $small is several words
# Backups of several volumes: writing them, finding them, and what of them is touched by whom.

load helper

small="--record-size 64K --compress none --slot-size 16K"

setup() {
    workdir
    export P small
}

# three [FILE]: a backup of `content` in three volumes.
three() {
    noise 400000 >content
    "$COFFER" backup -q -o "${1:-x.cof}" --volume-size 205000 $small - <content
    [ -e "${1:-x.cof}.003" ]
    [ ! -e "${1:-x.cof}.004" ]
}

restores() {
    "$COFFER" restore -q "${1:-x.cof}" --key "$P/ops.key" -o - "${@:2}" | cmp - content
}

# ---- writing ----

@test "--volume-size: files of at most that size, in all depths as one" {
    noise 400000 >content
    accept backup -o x.cof --volume-size 205000 $small - <content
    prints 'x.cof: .* as .*, in 3 volumes, .*, by CN=db1, opens for CN=ops, CN=rec'
    [ "$(find . -name 'x.cof*' -size +205000c | wc -l)" -eq 0 ]
    [ "$(stat -c %a x.cof x.cof.002 x.cof.003 | sort -u)" = 600 ]
    accept verify x.cof
    prints 'x.cof: intact, .* in 7 records in 3 volumes, .*'
    accept verify --deep --key "$P/rec.key" x.cof
    accept verify --quick x.cof
    prints_not 'not here'
    restores
}

@test "--volume-size into a directory" {
    mkdir dir
    noise 400000 >content
    accept backup --label l -o dir/ --volume-size 205000 $small - <content
    first=$(find dir -name '*.cof')
    [[ $first =~ ^dir/l-.*\.cof$ ]]
    [ -e "$first.002" ]
    [ -e "$first.003" ]
    restores "$first"
}

@test "trees in volumes: list, restore of one file, all of it" {
    mkdir -p tree/sub
    for i in 1 2 3 4; do noise 400000 >"tree/f$i"; done
    echo small >tree/sub/small
    accept backup -o t.cof --volume-size 600K --record-size 256K --compress none tree
    prints '.*, in [3-9] volumes, .*'
    accept list t.cof --key "$P/ops.key"
    prints 'tree/sub/small'
    accept restore t.cof --key "$P/ops.key" -C one tree/sub/small
    [ "$(cat one/tree/sub/small)" = small ]
    accept restore t.cof --key "$P/ops.key" -C all
    diff -r tree all/tree
    accept verify --deep --key "$P/ops.key" t.cof
}

@test "--volume: a list of places with limits" {
    mkdir a b
    noise 400000 >content
    accept backup --volume a/x:150000 --volume b/y:205000 --volume b/ $small - <content
    prints 'a/x: .*, in 3 volumes, .*'
    [ -e b/y ]
    [ "$(find b -name 'backup-*.cof.003' | wc -l)" -eq 1 ]
    refuse 5 'volumes 2 to 3 of a/x are missing; say with --volume-dir where to look' \
        restore a/x --key "$P/ops.key" -o out
    restores a/x --volume-dir b
    accept list --help
    accept verify a/x --volume-dir a --volume-dir b
}

@test "the list is longer than what is needed" {
    echo short | accept backup --volume a --volume b --volume c -
    [ -e a ]
    [ ! -e b ]
    echo short >content
    restores a
}

@test "the last volume has reached its limit: nothing is left" {
    noise 400000 >content
    refuse 6 'b has reached its limit, and no further volume was named; name more with --volume' \
        backup --volume a:205000 --volume b:120000 $small - <content
}

@test "the closing record gets a volume of its own where it does not fit" {
    for size in $(seq 150000 300 165000); do
        noise "$size" >content
        rm -f x.cof x.cof.*
        "$COFFER" backup -q -o x.cof --volume-size 205000 $small - <content
        [ ! -e x.cof.002 ] || break
    done
    [ "$(stat -c %s x.cof.002)" -lt 20000 ] # head and tail, no record
    restores
    accept verify --deep --key "$P/ops.key" x.cof
    prints '.* in 3 records in 2 volumes, .*'
}

@test "a full disk: the next place goes on" {
    noise 4000000 >content
    run on_small_disk 'mkdir there
        "$COFFER" backup -q $small --volume disk/x.cof --volume there/y.cof - <content
        echo "status $?"
        "$COFFER" verify disk/x.cof --volume-dir there | grep -o "intact.*volumes"
        "$COFFER" restore -q disk/x.cof --volume-dir there --key "$P/ops.key" -o - | cmp - content && echo same
        find disk there -type f | sort'
    [ "${lines[0]}" = 'status 0' ]
    [[ ${lines[1]} =~ ^intact.*\ in\ 2\ volumes$ ]]
    [ "${lines[2]}" = same ]
    [ "${lines[3]}" = disk/x.cof ]
    [ "${lines[4]}" = there/y.cof ]
    [ "${#lines[@]}" -eq 5 ]
}

@test "a place without room for a record is left out" {
    noise 400000 >content
    run on_small_disk 'mkdir there; head -c 2000000 /dev/zero 2>&1 >disk/other | grep -q space
        "$COFFER" backup -q $small --volume there/a:205000 --volume disk/b --volume there/c - <content
        echo "status $?"; find disk there -type f | sort
        "$COFFER" restore -q there/a --key "$P/ops.key" -o - | cmp - content && echo same'
    [[ ${lines[0]} =~ ^coffer:\ warning:\ 1\ volume\ was\ left\ out,\ since\ there\ was\ no\ room$ ]]
    [ "${lines[1]}" = 'status 9' ]
    [ "${lines[2]}" = disk/other ]
    [ "${lines[3]}" = there/a ]
    [ "${lines[4]}" = there/c ]
    [ "${lines[5]}" = same ]
}

@test "all disks are full: status 6, and nothing is left" {
    noise 6000000 >content
    run on_small_disk '"$COFFER" backup -q --volume disk/x.cof --volume disk/y.cof - <content; echo "status $?"; find disk -type f'
    [[ ${lines[0]} =~ ^coffer:\ .*(No\ space\ left\ on\ device|no\ volume\ has\ room.*) ]]
    [ "${lines[1]}" = 'status 6' ]
    [ "${#lines[@]}" -eq 2 ]
}

@test "an existing file is not replaced, whichever volume it would be" {
    noise 400000 >content
    for taken in x.cof x.cof.002 x.cof.003; do
        echo precious >"$taken"
        refuse 2 "$taken exists already; use --force to replace it" \
            backup -o x.cof --volume-size 205000 $small - <content
        rm "$taken"
    done
    echo precious >b
    refuse 2 'b exists already; use --force to replace it' backup --volume a --volume b - <content
}

@test "--force replaces volume by volume, and leaves nothing aside" {
    three
    cp content old
    noise 399000 | tr a b >content
    accept backup --force -o x.cof --volume-size 205000 $small - <content
    restores
    [ "$(find . -name '*.tmp' -o -name '*.old' | wc -l)" -eq 0 ]
}

@test "SIGTERM while the second volume is written: nothing is left" {
    mkfifo source
    { noise 1500000; exec sleep 60; } >source &
    feeder=$!
    "$COFFER" backup -o x.cof --volume-size 205000 $small - <source 2>err &
    pid=$!
    for _ in $(seq 300); do
        [ "$(find . -name '.x.cof*.tmp' | wc -l)" -gt 1 ] && break
        sleep 0.1
    done
    [ "$(find . -name '.x.cof*.tmp' | wc -l)" -gt 1 ]
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    end_feeder "$feeder"
    [ "$status" -eq 143 ]
    [ "$(find . -name '*x.cof*' | wc -l)" -eq 0 ]
}

@test "wrong sizes, places and combinations" {
    echo hello >content
    refuse 2 '--volume-size needs a size such as 100G or 4700M' backup -o x --volume-size many - <content
    refuse 2 '--volume-size needs a size such as 100G or 4700M' backup -o x --volume-size 0 - <content
    refuse 2 '--volume needs a file and perhaps a size, such as .*, not x:1X' backup --volume x:1X - <content
    refuse 2 '--volume needs a file and perhaps a size, such as .*, not x:0' backup --volume x:0 - <content
    refuse 2 '--volume needs a file .*, not :1G' backup --volume :1G - <content
    refuse 2 '--volume needs a value that is not empty: FILE\[:SIZE\]' backup --volume '' - <content
    refuse 2 'a volume is a file: several cannot go through a pipe; a file of that name is ./-' backup --volume - - <content
    refuse 2 '--output and --volume exclude each other' backup -o x --volume y - <content
    refuse 2 '-o - and --volume-size: several volumes cannot go through a pipe' backup -o - --volume-size 1G - <content
    refuse 2 'a volume of 1000 bytes has no room for its head and a record: let it have [0-9]+ or more, or choose smaller records' \
        backup -o x --volume-size 1000 - <content
    refuse 2 'a volume of 1000 bytes has no room .*' backup --volume a --volume b:1000 - <content
    refuse 2 'two volumes would be called \./a' backup --volume a --volume ./a - <content
    refuse 6 'cannot create nowhere/b: .*' backup --volume a --volume nowhere/b - <content
    refuse 2 'the directory nowhere/ does not exist' backup --volume a --volume nowhere/ - <content
    refuse 2 'say where the backup goes with -o FILE, -o DIR/, -o - or --volume FILE' backup --volume-size 1G - <content
}

@test "a colon in a name, and sizes of every kind" {
    echo hello >content
    accept backup --volume 'host:x' - <content
    restores 'host:x'
    refuse 6 'cannot create ./a:1/b: No such file or directory' backup --volume './a:1/b' - <content
    mkdir 'a:1'
    accept backup --volume './a:1/b' - <content
    restores './a:1/b'
    accept backup --volume 'y:1T' - <content
    accept backup --volume 'z:1:100G' - <content
    restores 'z:1'
}

# ---- finding ----

@test "volumes have any name, and are anywhere" {
    three
    mkdir shelf other
    mv x.cof.002 shelf/tape
    mv x.cof.003 other/.hidden
    refuse 5 'volumes 2 to 3 of x.cof are missing; .*' restore x.cof --key "$P/ops.key" -o out
    refuse 5 'volume 3 of x.cof is missing; .*' restore x.cof --volume-dir shelf --key "$P/ops.key" -o out
    restores x.cof --volume-dir shelf --volume-dir other
    mv x.cof 1
    mv shelf/tape 3
    mv other/.hidden 2
    restores 1
    mkdir links
    ln -s ../1 links/latest
    restores links/latest
}

@test "a missing, foreign, cut off, lengthened or doubled one is named" {
    three
    three y.cof
    cp x.cof.002 two
    mkdir away
    for verb in "restore --key $P/ops.key -o out" verify "verify --deep --key $P/ops.key"; do
            set -- $verb
        mv x.cof.002 away
        mv two away
        refuse 5 'volume 2 of x.cof is missing; say with --volume-dir where to look' "$1" x.cof "${@:2}"
        cp y.cof.002 x.cof.002
        refuse 5 'volume 2 of x.cof is missing; x.cof.002 belongs to another backup; .*' "$1" x.cof "${@:2}"
        echo nothing >x.cof.002
        refuse 5 'volume 2 of x.cof is missing; x.cof.002 is no volume, or its head is damaged; .*' "$1" x.cof "${@:2}"
        cp x.cof.003 x.cof.002
        mv x.cof.003 away
        refuse 5 'volume 2 of x.cof is missing; x.cof.002 is volume 3; .*' "$1" x.cof "${@:2}"
        mv away/x.cof.003 .
        cp away/two x.cof.002
        truncate -s -10 x.cof.002
        refuse 5 'x.cof.002 is cut off: 10 bytes of its content are missing \(volume 2\)' "$1" x.cof "${@:2}"
        cp away/two x.cof.002
        echo more >>x.cof.002
        refuse 5 'x.cof.002 has bytes behind its end \(volume 2\)' "$1" x.cof "${@:2}"
        rm x.cof.002
        cp away/two one
        cp away/two another
        refuse 5 'x.cof: volume 2 is there twice, as .*another and as .*one; move one of them away' "$1" x.cof "${@:2}"
        rm one another
        mv away/two .
        mv away/x.cof.002 .
    done
}

@test "a hard or symbolic link to a volume is no second one" {
    three
    mv x.cof.002 two
    ln two again
    ln -s two once-more
    restores
}

@test "a bad record says in which volume it is" {
    three
    poke x.cof.002 20000 evil
    refuse 3 'in x.cof.002, volume 2: record [0-9]+ is not the one that was signed: .*' restore x.cof --key "$P/ops.key" -o out
    refuse 3 'x.cof: the content is not the one that was signed: .*' verify x.cof
}

@test "damaged redundant parts of a later volume are warnings" {
    three
    cp x.cof.002 good
    poke x.cof.002 100 x
    warn 9 'a superblock of volume 2 \(x.cof.002\) is damaged; its copy was used' verify x.cof
    cp good x.cof.002
    poke x.cof.002 $(($(stat -c %s good) - 20)) x
    warn 9 'x.cof: the end marks of 1 of 3 volumes are damaged; they are not needed to read the backup' verify x.cof
    rm good
    restores
}

@test "a damaged index and a lost tail: the walk goes through all volumes" {
    three
    cp x.cof.003 three
    # the INDEX of volume 2 stands before its last 48 bytes
    poke x.cof.002 $(($(stat -c %s x.cof.002) - 60)) x
    warn 9 'x.cof: the index is damaged; it was rebuilt by reading the whole backup' restore x.cof --key "$P/ops.key" -o out
    cmp out content
    rm out
    truncate -s -1000 x.cof.003
    call restore x.cof --key "$P/ops.key" -o out
    [ "$status" -eq 9 ]
    cmp out content
}

@test "the manifest is only in the last volume: found by the highest number" {
    noise 400000 >content
    accept backup -o x.cof --slot-size 16K --volume-size 170000 --record-size 4K --compress none -r "$P/ops.crt" -r "$P/rec.crt" \
        --reason "$(printf 'r%.0s' $(seq 1000))" - <content
    for n in 2 3; do [ -e "x.cof.00$n" ]; done
    restores
}

# ---- what needs no later volume ----

@test "info, a quick verify and a rotation work while all later volumes are elsewhere" {
    three
    mkdir away
    mv x.cof.00? away
    accept info x.cof
    prints '  volume 1    .*, this file'
    prints '  volume 2-3  .*, not found here'
    accept info x.cof --json
    [ "$(jq -r '.volumes_missing, .volumes[1].state, .volumes[0].state' <<<"$output" | tr '\n' ' ')" = '2 missing here ' ]
    accept verify --quick x.cof
    prints 'x.cof: signatures are right, .* in 3 volumes \(2 of them not here, and not looked at\), .*'
    accept rotate x.cof --key "$P/ops.key" -r "$P/eve.crt"
    "$COFFER" restore -q x.cof --volume-dir away --key "$P/eve.key" -o - | cmp - content
    accept info x.cof --volume-dir away
    prints '  volume 3    .*, away/x.cof.003'
}

@test "info warns of a volume that is there and wrong; a quick verify refuses it" {
    three
    truncate -s -1 x.cof.002
    warn 9 'x.cof.002 is cut off: 1 bytes .*' info x.cof
    prints '  volumes     NOT AS THEY SHOULD BE: x.cof.002 is cut off: .*'
    refuse 5 'x.cof.002 is cut off: 1 bytes .*' verify --quick x.cof
}

@test "a rotation touches the head of the first volume and nothing else" {
    three
    mark() { stat -c '%n %i %s %y %z' x.cof.002 x.cof.003; sha256sum x.cof.002 x.cof.003; }
    before=$(mark)
    slot=$((16#$(xxd -s 24 -l 8 -p x.cof)))
    tail -c +$((8193 + 2 * slot)) x.cof >body
    sleep 0.1
    accept rotate x.cof --key "$P/ops.key" -r "$P/eve.crt"
    accept rotate x.cof --key "$P/eve.key" -r "$P/ops.crt" -r "$P/rec.crt"
    [ "$before" = "$(mark)" ]
    tail -c +$((8193 + 2 * slot)) x.cof | cmp - body
    restores
}

# ---- directories ----

@test "in a directory later volumes are parts, not backups" {
    mkdir dir
    three dir/x.cof
    echo alone | backup dir/y.cof
    accept verify dir
    prints '2 backups: 2 good, 0 not'
    accept info dir
    accept rotate dir --key "$P/ops.key" --add "$P/eve.crt" --yes
    mkdir parts
    mv dir/x.cof.00? parts
    refuse 5 'there is no backup in parts, only later volumes: name the first one' verify parts
    refuse 5 'parts/x.cof.002 is volume 2 of a backup; name its first volume' verify parts/x.cof.002
    refuse 5 'parts/x.cof.002 is volume 2 .*' rotate parts/x.cof.002 --key "$P/ops.key" -r "$P/eve.crt"
}

@test "a first volume of which a superblock has the wrong role is not passed over in a directory" {
    mkdir dir
    echo alone | backup dir/y.cof
    printf '\002' | dd of=dir/y.cof bs=1 seek=10 conv=notrunc status=none
    warn 9 '.*' verify dir
    prints 'dir/y.cof: intact, .*'
}

@test "prune takes a whole set, or leaves it" {
    mkdir dir
    three dir/x.cof
    sleep 1
    three dir/y.cof
    mkdir away
    mv dir/x.cof.003 away
    warn 9 'dir/x.cof: kept without counting: not all of its volumes are here; say with --volume-dir where to look' \
        prune dir --keep-last 1
    [ -e dir/x.cof.002 ]
    accept prune dir --keep-last 1 --volume-dir away
    prints 'dir/x.cof: removed, .*'
    [ "$(find dir away -type f | sort | tr '\n' ' ')" = 'dir/y.cof dir/y.cof.002 dir/y.cof.003 ' ]
    restores dir/y.cof
}

@test "a backup of several volumes cannot be read from a pipe, but with --volume-dir" {
    three
    cp content ../content
    mkdir away
    mv x.cof.00? away
    "$COFFER" restore -q - --key "$P/ops.key" -o - --volume-dir away <x.cof | cmp - content
    "$COFFER" receive -o r.cof <x.cof >out 2>err && false
    grep -q 'only a whole one can come through a pipe' err
    [ ! -e r.cof ]
}

@test "volumes so small that the list of them does not fit into one fail early" {
    noise 20000000 >content
    refuse 2 'volumes of 50000 bytes are too small for a backup of so many: the list of them does not fit into one; let them be larger' \
        backup -o x.cof --volume-size 50000 --record-size 4K --slot-size 16K --compress none - <content
}

@test "none of the volumes is read into itself" {
    mkdir tree
    noise 1500000 >tree/f
    noise 1500000 >tree/zz
    accept backup -o tree/x.cof --volume-size 900K --record-size 256K --compress none tree
    [ -e tree/x.cof.004 ]
    accept list tree/x.cof --key "$P/ops.key"
    prints_not 'x\.cof'
}

@test "prune leaves a set whose later volume is a symbolic link" {
    mkdir dir
    three dir/x.cof
    sleep 1
    echo newer | backup dir/y.cof
    mv dir/x.cof.002 elsewhere
    ln -s ../elsewhere dir/x.cof.002
    call prune dir --keep-last 1
    [ "$status" -eq 2 ]
    grep -q 'dir/x.cof.002 is a symbolic link; remove what it leads to' <<<"$errors"
    [ -e dir/x.cof ]
    [ -e dir/x.cof.003 ]
    restores dir/x.cof
}

@test "no volume is replaced by what comes out of its backup, nor by a head" {
    three
    sha256sum x.cof* >sums
    for out in x.cof x.cof.002 x.cof.003; do
        refuse 2 "$out belongs to the backup that is read, .*" restore x.cof --key "$P/ops.key" -o "$out" --force
        refuse 2 "$out is a backup, or a volume of one, .*" envelope export x.cof -o "$out" --force
    done
    sha256sum --quiet -c sums
}

@test "a FIFO where a volume should be is none, and nobody waits for it" {
    three
    mkdir away
    mv x.cof.002 away
    mkfifo x.cof.002
    for verb in verify "restore --key $P/ops.key -o out" "rekey --key $P/ops.key -r $P/ops.crt"; do
        set -- $verb
        status=0
        timeout 20 "$COFFER" "$1" x.cof "${@:2}" 2>err || status=$?
        [ "$status" -eq 5 ]
        grep -Eq 'volume 2 of (.*/)?x.cof is missing; (.*/)?x.cof.002 is not a regular file; say with' err
    done
    restores x.cof --volume-dir away
}
