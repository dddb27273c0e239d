#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
#
# Damaged and tampered backups: what has a second copy is recovered, with a warning and every byte
# right; all else is refused, and no output file of any name is left.

load common

setup_file() {
    load common
    sample
}

setup() {
    copy_of_sample
}

@test "a damaged superblock: the other copy is used, and it says so" {
    damage b.cof 100 8
    recovered "$content" 9 b.cof "${with[@]}"
    [[ $output == *"superblock A is damaged"* ]]
    damage b.cof 4200 8
    refused 5 b.cof "${with[@]}"
}

@test "a damaged envelope slot: the other copy is used, and it says so" {
    places b.cof
    damage b.cof $((8192 + 300)) 64
    recovered "$content" 9 b.cof "${with[@]}"
    [[ $output == *"the envelope is damaged"* ]]
    damage b.cof $((8192 + slot + 300)) 64
    refused 5 b.cof "${with[@]}"
}

@test "damaged tails: one copy is enough, and so is the manifest in the envelope" {
    places b.cof
    damage b.cof $((size - 64)) 64
    recovered "$content" 9 b.cof "${with[@]}"
    [[ $output == *"trailer at the end is damaged"* ]]
    damage b.cof $((first + 60)) 8
    recovered "$content" 9 b.cof "${with[@]}"
    [[ $output == *"first copy of the tail is damaged"* ]]
    damage b.cof $((second + 60)) 8
    recovered "$content" 9 b.cof "${with[@]}"
    [[ $output == *"no usable tail"* ]]
}

@test "a backup cut off in its tail" {
    places b.cof
    truncate -s $((second + 10)) b.cof
    recovered "$content" 9 b.cof "${with[@]}"
    truncate -s $((first - 100)) b.cof
    refused 5 b.cof "${with[@]}"
}

@test "a damaged index is not needed" {
    places b.cof
    index=$(number b.cof $((first + 32 + 16 + 8)) 8)
    cp b.cof header.cof
    damage header.cof $((body + index)) 32
    recovered "$content" 9 header.cof "${with[@]}"
    damage b.cof $((body + index + 32 + 24 + 64 + 40)) 1
    recovered "$content" 9 b.cof "${with[@]}"
    [[ $output == *"record 1 or its entry"* ]]
}

@test "one changed bit in a record: nothing comes out" {
    places b.cof
    cp b.cof tag.cof
    damage b.cof $((body + 1000)) 1
    refused 3 b.cof "${with[@]}"
    [[ $output == *"record 0 or its entry"* ]]
    damage tag.cof $((body + 32 + $(number tag.cof $((body + 12)) 4) - 1)) 1
    refused 3 tag.cof "${with[@]}"
    run recover tag.cof "${with[@]}" -o -
    [[ $output != *"recovered"* ]]
    [ "$(recover tag.cof "${with[@]}" -o - 2>/dev/null | wc -c)" -eq 0 ]
}

@test "a changed frame header: nothing comes out" {
    places b.cof
    for field in 0 2 3 4 6 8 12 23 31; do
        cp "$BATS_FILE_TMPDIR/sample.cof" b.cof
        damage b.cof $((body + field)) 1
        run recover b.cof "${with[@]}" -o out
        echo "field $field: $output"
        [ "$status" -eq 3 ] || [ "$status" -eq 5 ]
        [ "$(echo out*)" = 'out*' ]
    done
}

@test "two records changed for each other: nothing comes out" {
    backup n.cof rsa-maker --compress none --record-size 65536 <"$content"
    places n.cof
    frame=$((32 + 65536 + 16))
    cp n.cof swapped.cof
    dd if=n.cof of=swapped.cof bs=4096 iflag=skip_bytes,count_bytes oflag=seek_bytes conv=notrunc status=none \
        skip=$((body + 32)) count=$((frame - 32)) seek=$((body + frame + 32))
    dd if=n.cof of=swapped.cof bs=4096 iflag=skip_bytes,count_bytes oflag=seek_bytes conv=notrunc status=none \
        skip=$((body + frame + 32)) count=$((frame - 32)) seek=$((body + 32))
    refused 3 swapped.cof "${with[@]}"
}

@test "the body of another backup under this head: refused" {
    backup other.cof rsa-maker --record-size 65536 <"$content"
    places other.cof
    { head -c "$body" b.cof && tail -c "+$((body + 1))" other.cof; } >mixed.cof
    refused 3 mixed.cof "${with[@]}"
}
