#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# recover.sh - opens a coffer backup without coffer.
#
# It needs a POSIX shell whose printf is a builtin (dash, bash), the openssl command (3.0 or later),
# GNU coreutils, sed, any POSIX awk (mawk will do), and the decompressor that the backup names: zstd,
# lz4 or gzip. docs/FORMAT.md describes the file, docs/RECOVERY.md the same work by hand; the
# rule ids (RC-8) in this script are those of FORMAT.md.
#
# The order is that of FORMAT.md section 7, and it is the point of the script:
#
#   1. superblock, preamble, envelope: structure and hashes, no secret;
#   2. the manifest's signature under a key that the caller trusts. Certificates that come with the
#      backup are never trusted, they only serve to find the key that a given fingerprint names;
#   3. only then the private key: unwrap the data key, compare its commitment with the signed one;
#   4. the hash of every record, as stored, into the Merkle root that the manifest signs;
#   5. only then plaintext, record by record, each hashed once more before it is decrypted.
#
# About AES-GCM. The openssl command refuses GCM, because it could not check the tag before it
# prints plaintext. GCM's encryption is plain counter mode, and `openssl enc -aes-256-ctr` does it:
# the first counter block for data is nonce || 00000002. (ChaCha20-Poly1305: ChaCha20 from block 1.)
# The tag at the end of each record is therefore not looked at, and it is not needed here: step 4
# has proven every byte of every ciphertext, tags and frame headers included, against a root that
# the maker signed. A tag would only repeat, under a key that every recipient knows, what the
# signature says under one that only the maker has.
#
# About secrets. The data key and all that is derived from it live in shell variables and go to
# other programs through pipes; HMAC is put together from sha256sum for that reason. One exception
# cannot be avoided: `openssl enc` takes raw keys only in its arguments (-K), so while a record is
# decrypted, the key of its segment (65,536 records) can be seen by whoever may list processes on
# this machine. Run this where nobody else is logged in. The working directory (mode 0700, under
# $TMPDIR) holds one record's plaintext at a time: point TMPDIR at a memory file system, such as
# /dev/shm, if the disk must not see it.
#
# About rekeyed backups (epoch 1 and later). Where who rekeyed it is trusted as custodian only, every
# record is sealed again as the first maker sealed it, and compared with what he signed (section 3.9).
# That needs his tags after all: `openssl mac` makes GMAC, and one multiplication in GF(2^128) makes the
# tag of GCM out of it.
#
# Not done here: the links of HISTORY and who decided in it, the GCM tag when reading,
# comparison of not_after and key in the list of recipients with the certificates, and the catalog. A
# tree backup comes out as the pax archive that it is: unpack it with tar.
#
# shellcheck disable=SC2154 # set through eval: fields(), file_N, ends_N
# shellcheck disable=SC2030,SC2031 # addition() reads an old manifest in a subshell on purpose
# shellcheck disable=SC2015 # A && B || die: A and B are tests, never commands that half succeed

set -eu
LC_ALL=C
export LC_ALL
umask 077

usage() {
    cat <<'END'
usage: recover.sh FILE [VOLUME...] --trust CERT|FINGERPRINT --key KEY -o OUT|-
       recover.sh FILE [VOLUME...] --trust CERT|FINGERPRINT --verify
       recover.sh FILE [VOLUME...] [--trust CERT|FINGERPRINT] --list

  FILE, VOLUME...        the backup; of several volumes, all, in order
  --trust CERT|HASH      the maker's certificate, or the SHA-256 of it or of its public key in hex;
                         may be given several times
  --trust-custodian C|H  the same for somebody who may decide on recipients, but not make backups
  --key KEY              private key of a recipient (PEM, DER, PKCS#8; asks for a passphrase)
  --passin ARG           where openssl finds the passphrase, best file:PATH
  --recipient-cert CERT  the certificate of KEY: faster where there are many recipients
  -o OUT                 the plaintext; must not exist. '-' is standard output
  --stream N|NAME        of a backup of several streams, the one with this number or name; other
                         words list them
  --envelope HEAD        take the envelope from this file (a head kept apart)
  --slot 0|1             take the envelope from this slot, whatever the superblock says
  --verify               check everything that needs no private key, write nothing
  --list                 show what the head and the statements say, read no records

exit status: 0 done; 9 done, read the warnings; 1 anything else; 2 usage; 3 not authentic or not
trusted; 4 this key does not open it; 5 not a backup, damaged or unsupported; 6 input/output
END
}

say() { printf 'recover: %s\n' "$*" >&2; }
warn() { warned=1; say "warning: $*"; }
die() {
    status=$1
    shift
    say "$*"
    exit "$status"
}

# Text from the file reaches the terminal only through this.
safe() { printf '%s' "$1" | tr -c ' -~' '?'; }

# --- bytes ----------------------------------------------------------------------------------------
# These answer in a variable: an exit in $(...) would only leave the subshell.

# uint FILE OFFSET WIDTH: $num, big-endian
uint() {
    num=0
    got=0
    for byte in $(od -An -v -tu1 -j "$2" -N "$3" "$1" 2>/dev/null); do
        num=$((num * 256 + byte))
        got=$((got + 1))
    done
    [ "$got" -eq "$3" ] || die 5 "$1 ends too early, at $2"
    [ "$num" -ge 0 ] || die 5 "$1 holds an impossible number at $2"
}

# fields FILE OFFSET SIZE 'NAME:AT:WIDTH ...': many integers of a structure in variables, at once;
# false if the file ends there, or a number is over 2^53
fields() {
    values=$(od -An -v -tu1 -j "$2" -N "$3" "$1" 2>/dev/null | awk -v size="$3" -v names="$4" '
        { for (i = 1; i <= NF; i++) b[n++] = $i }
        END {
            if (n != size) exit
            count = split(names, f, " ")
            for (i = 1; i <= count; i++) {
                split(f[i], p, ":")
                v = 0
                for (k = 0; k < p[3]; k++) v = v * 256 + b[p[2] + k]
                if (v > 9007199254740991) exit
                all = all sprintf("%s=%.0f ", p[1], v)
            }
            print all
        }')
    [ -n "$values" ] && eval "$values"
}

# cut_out FILE OFFSET LENGTH: the bytes, on standard output
cut_out() {
    dd if="$1" bs=1048576 iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none
}

# hex_of FILE OFFSET LENGTH: $hex (short ranges only)
hex_of() {
    hex=$(od -An -v -tx1 -j "$2" -N "$3" "$1" 2>/dev/null | tr -d ' \n')
    [ "${#hex}" -eq $(($3 * 2)) ] || die 5 "$1 ends too early, at $2"
}

# sha_of FILE OFFSET LENGTH: $sum
sha_of() {
    sum=$(cut_out "$1" "$2" "$3" | sha256sum)
    sum=${sum%% *}
}

# sha_file FILE: $sum
sha_file() {
    sum=$(sha256sum <"$1")
    sum=${sum%% *}
}

# zero FILE OFFSET LENGTH: true if all of it is there and zero
zero() {
    [ "$(cut_out "$1" "$2" "$3" | tr -d '\001-\377' | wc -c)" -eq "$3" ]
}

# same FILE OFFSET FILE OFFSET LENGTH: true if both ranges hold the same bytes
same() {
    sha_of "$1" "$2" "$5"
    one=$sum
    sha_of "$3" "$4" "$5"
    [ "$sum" = "$one" ]
}

# same_files FILE FILE
same_files() {
    sha_file "$1"
    one=$sum
    sha_file "$2"
    [ "$sum" = "$one" ]
}

is_hash() {
    case $1 in
    *[!0-9a-f]*) return 1 ;;
    esac
    [ "${#1}" -eq 64 ]
}

# escapes HEX [XOR]: $esc, the bytes as escapes for printf, each XORed with a constant.
# By the shell alone: this carries keys.
escapes() {
    esc=
    rest=$1
    while [ -n "$rest" ]; do
        next=${rest#??}
        byte=$((0x${rest%"$next"} ^ ${2:-0}))
        esc=$esc\\$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))
        rest=$next
    done
}

# hex_lines_to_escapes: lines of hex to printf escapes, much at a time, nothing secret
hex_lines_to_escapes() {
    awk 'BEGIN {
             for (i = 0; i < 256; i++) e[sprintf("%02x", i)] = sprintf("\\%03o", i)
         }
         { for (i = 1; i < length($0); i += 2) printf "%s", e[substr($0, i, 2)] }'
}

# hash_lines IN OUT: every line of IN is 65 bytes in hex; OUT gets the SHA-256 of each.
# split makes a file of each, so that one sha256sum does for two thousand.
hash_lines() {
    rm -rf "$tmp/hash"
    mkdir "$tmp/hash"
    : >"$2"
    split -l 2048 -a 8 "$1" "$tmp/hash/lines."
    for batch in "$tmp"/hash/lines.*; do
        [ -e "$batch" ] || break
        # shellcheck disable=SC2059 # the escapes are the format: only \ooo is in them
        printf "$(hex_lines_to_escapes <"$batch")" |
            (cd "$tmp/hash" && split -b 65 -a 4 - one. && sha256sum one.*) >"$tmp/hash/sums"
        cut -c 1-64 "$tmp/hash/sums" >>"$2"
        rm -f "$tmp"/hash/one.*
    done
}

# --- HMAC and HKDF --------------------------------------------------------------------------------

# hmac KEY MESSAGE, both hex, the key at most 64 bytes: $mac.
# printf is a builtin (checked below), so no key gets into the arguments of a process.
hmac() {
    padded=$1
    while [ "${#padded}" -lt 128 ]; do
        padded=${padded}00
    done
    escapes "$padded" 0x36
    inner=$esc
    escapes "$padded" 0x5c
    outer=$esc
    escapes "$2"
    # shellcheck disable=SC2059 # as above
    mac=$(printf "$inner$esc" | sha256sum)
    escapes "${mac%% *}"
    # shellcheck disable=SC2059
    mac=$(printf "$outer$esc" | sha256sum)
    mac=${mac%% *}
}

text_hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }

# expand INFO LENGTH: $okm = HKDF-Expand($prk, INFO, LENGTH), INFO in hex, LENGTH at most 32
expand() {
    hmac "$prk" "${1}01"
    okm=$(printf "%.$(($2 * 2))s" "$mac")
}

# --- the shape of CMS messages --------------------------------------------------------------------
# libcrypto accepts more than FORMAT.md allows (another content type, SHA-1, no signed attributes),
# so the outer shape is read from the bytes. The program gets them as decimal numbers.

# shellcheck disable=SC2016 # awk, not shell
der_program='
function bad(why) { print "bad: " why; exit }
# Reads the head of the element at o, which must end at or before end: tag, from, to.
function head(o, end,    k, i, n) {
    if (o + 2 > end) bad("cut off")
    tag = B[o]; k = B[o + 1]; from = o + 2
    if (tag % 32 == 31) bad("long tag")
    if (k < 128) n = k
    else {
        k -= 128
        if (k < 1 || k > 4 || from + k > end) bad("length")
        n = 0
        for (i = 0; i < k; i++) n = n * 256 + B[from + i]
        if (B[from] == 0 || n < 128) bad("length is not minimal")
        from += k
    }
    to = from + n
    if (to > end) bad("element runs over")
}
function need(o, end, t, what) { head(o, end); if (tag != t) bad(what) }
function hexof(a, b,    s) { s = ""; for (; a < b; a++) s = s sprintf("%02x", B[a]); return s }
function oid(o, end, what) { need(o, end, 6, what); return hexof(from, to) }
function outer(type,    f) {
    need(0, N, 48, "ContentInfo")
    if (to != N) bad("bytes after the message")
    if (oid(from, N, "type") != type) bad("another kind of message")
    need(to, N, 160, "content")
    if (to != N) bad("bytes after the content")
    need(from, N, 48, "content")
    if (to != N) bad("bytes after the content")
    need(from, N, 2, "version")
}
# o is an AlgorithmIdentifier of one of the algorithms in list; sets alg, to
function algorithm(o, end, list, what,    e) {
    need(o, end, 48, what); e = to
    alg = oid(from, e, what)
    if (index(list, " " alg " ") == 0) bad(what " is not allowed: " alg)
    from = to; to = e
}
function signer(o, end,    e, a, ae, id, seen) {
    need(o, end, 48, "signer"); e = to
    need(from, e, 2, "signer version")
    head(to, e)
    if (tag != 48 && tag != 128) bad("signer name")
    algorithm(to, e, DIGESTS, "digest")
    need(to, e, 160, "no signed attributes"); o = to; ae = to
    seen = " "
    for (a = from; a < ae; a = to) {
        need(a, ae, 48, "attribute"); to_attribute = to
        id = oid(from, to_attribute, "attribute")
        if (index(seen, " " id " ")) bad("an attribute twice")
        seen = seen id " "
        need(to, to_attribute, 49, "attribute")
        if (to != to_attribute) bad("attribute")
        if (id == "2a864886f70d010903") {
            if (oid(from, to, "contentType") != expected) bad("signed contentType")
        } else if (id == "2a864886f70d010904") need(from, to, 4, "messageDigest")
        else if (id == "2a864886f70d010905") head(from, to)
        else bad("signed attribute " id)
        if (to != to_attribute) bad("attribute with several values")
    }
    if (!index(seen, " 2a864886f70d010903 ")) bad("no contentType")
    if (!index(seen, " 2a864886f70d010904 ")) bad("no messageDigest")
    algorithm(o, e, SIGNATURES, "signature algorithm")
    need(to, e, 4, "signature")
    if (to != e) {
        need(to, e, 161, "after the signature")
        if (to != e) bad("after the unsigned attributes")
        need(from, e, 48, "unsigned attribute"); a = to
        if (oid(from, a, "unsigned attribute") != "2a864886f70d010910020e") bad("unsigned attribute")
        if (a != e) bad("unsigned attributes")
    }
    to = e
}
function signed_data(    o, e, s, l, count) {
    outer("2a864886f70d010702")
    need(to, N, 49, "digest algorithms"); o = to; e = to
    for (s = from; s < e; s = to) algorithm(s, e, DIGESTS, "digest")
    need(o, N, 48, "content"); e = to
    if (oid(from, e, "content type") != expected) bad("not the statement expected")
    need(to, e, 160, "content is missing"); if (to != e) bad("content")
    need(from, e, 4, "content"); if (to != e) bad("content")
    s = from; l = to - from
    need(e, N, 49, "certificates or revocation lists in the message")
    if (to != N) bad("bytes after the signers")
    for (o = from; o < N; o = to) { signer(o, N); count++ }
    if (count < 1 || count > 8) bad("number of signers")
    print count, s, l
}
function wrapped_key(    o, e, a) {
    outer("2a864886f70d0109100117")
    need(to, N, 49, "recipients"); o = to; e = to
    for (a = from; a < e; a = to) {
        head(a, e); a = to
        if (tag == 48) {
            need(from, a, 2, "version"); head(to, a)
            algorithm(to, a, " 2a864886f70d010107 ", "key transport")
        } else if (tag != 161) bad("kind of recipient")
        to = a
    }
    need(o, N, 48, "encrypted content"); o = to
    if (oid(from, o, "content type") != "2a864886f70d010701") bad("content type")
    algorithm(to, o, " 60864801650304012e ", "cipher"); e = to
    need(from, e, 48, "cipher parameters"); if (to != e) bad("cipher parameters")
    need(from, e, 4, "nonce"); if (to - from != 12) bad("nonce")
    need(to, e, 2, "tag length"); if (hexof(from, to) != "10" || to != e) bad("tag length")
    need(e, o, 128, "encrypted key"); if (to - from != 32 || to != o) bad("encrypted key")
    need(o, N, 4, "tag"); if (to - from != 16 || to != N) bad("tag")
    print "ok"
}
{ for (i = 1; i <= NF; i++) B[N++] = $i }
END {
    DIGESTS = " 608648016503040201 608648016503040202 608648016503040203 "
    SIGNATURES = " 2a864886f70d010101 2a864886f70d01010b 2a864886f70d01010c 2a864886f70d01010d" \
        " 2a864886f70d01010a 2a8648ce3d040302 2a8648ce3d040303 2a8648ce3d040304" \
        " 2a8648ce3804 2a8648ce380401 608648016503040302 "
    if (expected == "") wrapped_key(); else signed_data()
}'
custody_oid=69d1a79e8df2d89aadd1af99ac8bc6f299e8270101
manifest_oid=69d1a79e8df2d89aadd1af99ac8bc6f299e8270102

# shape FILE OID: checks the message; $shape is 'signers offset length' of the content, or 'bad: ...'
shape() {
    shape=$(od -An -v -tu1 "$1" | awk -v expected="$2" "$der_program")
}

# --- JSON -----------------------------------------------------------------------------------------
# Flattens one JSON value to lines 'path TAB type TAB value', so that a member can be picked without
# guessing at the text: an array also gives 'path# TAB n TAB length'. Strings stay as written, with
# their escapes. Refuses what RFC 8259 refuses (and numbers that are no plain integers), members
# given twice, and names with anything but [a-z0-9_] in them; what is below "x" is left out.

# shellcheck disable=SC2016
json_program='
function bad(why) { failed = 1; print "bad\tbad\t" why " at " p; exit }
function blank() { while (p <= n && index(" \t\n\r", substr(s, p, 1))) p++ }
function text(    a, c) {
    if (substr(s, p, 1) != "\"") bad("no string")
    a = ++p
    for (;; p++) {
        c = substr(s, p, 1)
        if (c == "" || c < " ") bad("string")
        if (c == "\"") break
        if (c == "\\") { p++; if (p > n || !index("\"\\/bfnrtu", substr(s, p, 1))) bad("escape") }
    }
    return substr(s, a, p++ - a)
}
function out(path, type, v) { if (substr(path, 1, 3) !~ /^\.x([.[#{]|$)/) print path "\t" type "\t" v }
function value(path, depth,    c, k, i, a) {
    if (depth > 8) bad("too deep")
    blank(); c = substr(s, p, 1)
    if (path == ".x" && c != "{") bad("x is no object")
    if (c == "{") {
        p++; blank()
        if (substr(s, p, 1) == "}") { p++; out(path "{}", "o", ""); return }
        for (;;) {
            blank(); k = text()
            if (path !~ /^\.x/ && k !~ /^[a-z0-9_]+$/) bad("member name")
            if ((path "." k) in seen) bad("a member twice")
            seen[path "." k] = 1
            blank(); if (substr(s, p++, 1) != ":") bad("no colon")
            value(path "." k, depth + 1)
            blank(); c = substr(s, p++, 1)
            if (c == "}") return
            if (c != ",") bad("object")
        }
    } else if (c == "[") {
        p++; blank(); i = 0
        if (substr(s, p, 1) == "]") { p++; out(path "#", "n", 0); return }
        for (;;) {
            value(path "[" i++ "]", depth + 1)
            blank(); c = substr(s, p++, 1)
            if (c == "]") { out(path "#", "n", i); return }
            if (c != ",") bad("array")
        }
    } else if (c == "\"") { k = text(); out(path, "s", k) }
    else {
        for (a = p; p <= n && index("{}[],: \t\n\r\"", substr(s, p, 1)) == 0; p++) ;
        k = substr(s, a, p - a)
        if (k == "true" || k == "false") out(path, "b", k)
        else if (k == "null") out(path, "z", k)
        else if (k ~ /^(0|[1-9][0-9]*)$/ && length(k) <= 16 && k + 0 <= 9007199254740991) out(path, "n", k)
        else bad("value")
    }
}
{ s = s (NR > 1 ? "\n" : "") $0 }
END {
    if (failed) exit
    n = length(s); p = 1
    value("", 1); blank()
    if (p <= n) bad("text after the object")
}'

# json FILE OUT MEMBER:TYPES...: flattens FILE; every member named must be there with one of the
# types, inside arrays as often as the array is long, and nothing else (ST-3)
json() {
    json_in=$1
    json_out=$2
    shift 2
    [ "$(tr -dc '\000-\010\013\014\016-\037' <"$json_in" | wc -c)" -eq 0 ] || return 1
    awk "$json_program" <"$json_in" >"$json_out" || return 1
    awk -F '\t' -v members="$*" '
        $1 == "bad" { exit bad = 1 }
        {
            path = $1; sub(/\[[0-9]+\]/, "[]", path)
            times[path]++; types[path] = types[path] $2
            if (path ~ /#$/) len[path] = $3
        }
        END {
            if (bad) exit 1
            count = split(members, m, " ")
            for (i = 1; i <= count; i++) {
                split(m[i], part, ":"); want = 1
                if (part[1] ~ /\[\]/) { q = part[1]; sub(/\[\].*/, "#", q); want = len[q] + 0 }
                if (times[part[1]] + 0 != want) exit 1
                if (want > 0 && types[part[1]] !~ ("^[" part[2] "]+$")) exit 1
                total += want
            }
            exit total != NR
        }' <"$json_out"
}

tab=$(printf '\t')

# --- superblock and preamble (FORMAT.md 2.1, 2.2) -------------------------------------------------

# copy_valid FILE OFFSET: sets $sequence
copy_valid() {
    hex_of "$1" "$2" 8
    [ "$hex" = 89434f464645520a ] || return 1
    sha_of "$1" "$2" 4064
    hex_of "$1" $(($2 + 4064)) 32
    [ "$hex" = "$sum" ] || return 1
    uint "$1" $(($2 + 32)) 8
    sequence=$num
}

# superblock FILE: chooses the copy; sets sb (its offset) and sb_*
superblock() {
    size=$(stat -L -c %s "$1") || die 6 "cannot read $1"
    [ "$size" -ge 8192 ] || die 5 "$1 is no backup: too short"
    seq_a=-1
    seq_b=-1
    copy_valid "$1" 0 && seq_a=$sequence
    copy_valid "$1" 4096 && seq_b=$sequence
    [ "$seq_a" -ge 0 ] || [ "$seq_b" -ge 0 ] || die 5 "$1 is no backup, or both its superblocks are damaged"
    if [ "$seq_a" -lt 0 ]; then
        warn "$1: superblock A is damaged, B is used"
    elif [ "$seq_b" -lt 0 ]; then
        warn "$1: superblock B is damaged, A is used"
    elif ! same "$1" 0 "$1" 4096 4096; then
        [ "$seq_a" -ne "$seq_b" ] || die 5 "$1: two different superblocks with one sequence number"
        same "$1" 512 "$1" 4608 512 && same "$1" 10 "$1" 4106 1 && same "$1" 20 "$1" 4116 12 ||
            die 5 "$1: the two superblocks belong to different backups"
        warn "$1: the superblocks differ: a change of the envelope was interrupted"
    fi
    sb=0
    [ "$seq_b" -le "$seq_a" ] || sb=4096

    fields "$1" "$sb" 96 'version:8:2 sb_role:10:1 sb_active:11:1 incompat:12:4 sb_volume:20:4 sb_slot:24:8
        sb_length:40:8' || die 5 "$1: superblock is not canonical"
    [ "$version" -eq 1 ] || die 5 "$1: format version $version is unknown"
    [ "$sb_role" -le 2 ] || die 5 "$1: role $sb_role is unknown"
    [ "$incompat" -eq 0 ] || die 5 "$1 needs a newer reader"
    hex_of "$1" $((sb + 48)) 32
    sb_sum=$hex
    zero "$1" $((sb + 80)) 432 && zero "$1" $((sb + 1024)) 3040 || die 5 "$1: superblock is not canonical"
    if [ "$sb_role" -eq 2 ]; then
        [ "$sb_slot$sb_length$sb_active" = 000 ] && [ "$sb_volume" -ge 2 ] && zero "$1" $((sb + 48)) 32 ||
            die 5 "$1: superblock is not canonical"
    else
        [ "$sb_volume" -eq 1 ] && [ "$sb_active" -le 1 ] && [ "$sb_length" -le "$sb_slot" ] &&
            [ "$sb_slot" -ge 16384 ] && [ "$sb_slot" -le 16777216 ] && [ $((sb_slot % 4096)) -eq 0 ] ||
            die 5 "$1: superblock is not canonical"
    fi
    sb_head=$((8192 + 2 * sb_slot))
    [ "$size" -ge "$sb_head" ] || die 5 "$1 ends inside its head"
    sha_of "$1" $((sb + 512)) 512
    sb_core=$sum
}

# cipher_names: $cipher_name of openssl, $key_length
cipher_names() {
    case $cipher in
    0) cipher_name=none key_length=0 ;;
    1) cipher_name=aes-256-ctr key_length=32 ;;
    2) cipher_name=aes-128-ctr key_length=16 ;;
    3) cipher_name=aes-192-ctr key_length=24 ;;
    4) cipher_name=chacha20 key_length=32 ;;
    *) die 5 "cipher $cipher is unknown" ;;
    esac
}

# preamble FILE: from the copy that superblock chose
preamble() {
    at=$((sb + 512))
    hex_of "$1" "$at" 16
    uuid=$(printf '%s' "$hex" | sed 's/^\(.\{8\}\)\(....\)\(....\)\(....\)/\1-\2-\3-\4-/')
    fields "$1" "$at" 48 'epoch:16:4 record_size:20:4 created:24:8 cipher:32:1 tree:33:1 schedule:34:1 content:35:1
        protection:36:1 label_length:37:1 reserved:38:2 body_incompat:40:4 reserved_too:44:4' || die 5 "preamble is not canonical"
    [ "$tree" -eq 1 ] && [ "$schedule" -le 1 ] || die 5 "unknown tree hash or key schedule"
    [ $((reserved + body_incompat + reserved_too)) -eq 0 ] || die 5 "the preamble asks for something unknown"
    hex_of "$1" $((at + 80)) 32
    maker=$hex
    [ "$label_length" -le 64 ] && zero "$1" $((at + 112 + label_length)) $((400 - label_length)) ||
        die 5 "preamble is not canonical"
    label=$(cut_out "$1" $((at + 112)) "$label_length" | tr -d '\000')
    [ "${#label}" -eq "$label_length" ] || die 5 "label is not allowed"
    case $label in
    [.-]* | *[!A-Za-z0-9._-]*) die 5 "label is not allowed" ;;
    esac
    [ "$created" -lt 253402300800 ] && [ "$record_size" -ge 4096 ] && [ "$record_size" -le 16777216 ] &&
        [ $((record_size % 4096)) -eq 0 ] || die 5 "preamble is not canonical"
    cipher_names
    case $content in
    1) content_name=stream ;;
    2) content_name=tree ;;
    *) die 5 "content $content is unknown" ;;
    esac
    case $protection in
    1) [ "$cipher" -ne 0 ] && [ "$schedule" -eq 1 ] || die 5 "sealed without a cipher" ;;
    2) [ "$cipher" -eq 0 ] && [ "$schedule" -eq 0 ] || die 5 "signed-only with a cipher" ;;
    *) die 5 "protection $protection is unknown" ;;
    esac
    tag_length=$((protection == 1 ? 16 : 0))
}

# --- envelope (FORMAT.md 2.3) ---------------------------------------------------------------------
# Unpacked into a directory: keys, custody, manifest, recipient.N, signer.N. The functions here
# return 1 with $why instead of ending the script, because another slot may be better.

# unpack FILE OFFSET LIMIT DIRECTORY
unpack() {
    hex_of "$1" "$2" 8
    why="no envelope at $2"
    [ "$hex" = 434f46454e56310a ] || return 1
    why="envelope at $2 has a wrong length"
    fields "$1" $(($2 + 8)) 8 total:0:8 || return 1
    [ "$total" -ge 16 ] && [ "$total" -le "$3" ] || return 1
    rm -rf "$4"
    mkdir "$4"
    cut_out "$1" "$2" "$total" >"$4/envelope"
    pos=16
    last=0
    n_keys=0 n_custody=0 n_history=0 n_recipients=0 n_signers=0 n_manifest=0
    why="envelope at $2 has a bad item"
    while [ "$pos" -lt "$total" ]; do
        [ $((total - pos)) -gt 8 ] || return 1
        fields "$4/envelope" "$pos" 8 'type:0:2 flags:2:2 length:4:4' || return 1
        pos=$((pos + 8))
        [ "$length" -ge 1 ] && [ "$length" -le $((total - pos)) ] && [ "$type" -ge "$last" ] || return 1
        last=$type
        if [ "$type" -ge 1 ] && [ "$type" -le 6 ]; then
            [ "$flags" -eq 32768 ] || return 1
        else
            why="envelope at $2 has an unknown item of type $type"
            [ "$flags" -eq 0 ] || return 1
        fi
        name=
        case $type in
        1) n_keys=$((n_keys + 1)) name=keys bound=262144 ;;
        2) n_custody=$((n_custody + 1)) name=custody bound=1048576 ;;
        3) n_history=$((n_history + 1)) ;;
        4) n_recipients=$((n_recipients + 1)) name=recipient.$n_recipients bound=65536 ;;
        5) n_signers=$((n_signers + 1)) name=signer.$n_signers bound=65536 ;;
        6) n_manifest=$((n_manifest + 1)) name=manifest bound=1048576 ;;
        esac
        if [ -n "$name" ]; then
            [ "$length" -le "$bound" ] || return 1
            cut_out "$4/envelope" "$pos" "$length" >"$4/$name"
        fi
        pos=$((pos + length))
    done
    why="envelope at $2 has too many or too few items"
    [ "$n_signers" -ge 1 ] && [ "$n_signers" -le 64 ] && [ "$n_manifest" -le 1 ] || return 1
    if [ "$protection" -eq 1 ]; then
        [ "$n_keys$n_custody" = 11 ] && [ "$n_recipients" -ge 1 ] && [ "$n_recipients" -le 256 ]
    else
        [ $((n_keys + n_custody + n_history + n_recipients)) -eq 0 ]
    fi
}

# --- trust ----------------------------------------------------------------------------------------

# spki CERT: $key = SHA-256 of its public key; empty if it is no certificate or too weak (SD-10)
spki() {
    key=
    openssl x509 -in "$1" -noout -pubkey -out "$tmp/spki.pem" 2>/dev/null || return 0
    text=$(openssl pkey -pubin -in "$tmp/spki.pem" -noout -text 2>/dev/null) || return 0
    case $text in
    *"NIST CURVE: P-256"* | *"NIST CURVE: P-384"* | *"NIST CURVE: P-521"*) ;;
    *"ASN1 OID"* | *"Field Type"*) return 0 ;;
    *'Public-Key: ('*)
        bits=${text#*Public-Key: (}
        [ "${bits%% *}" -ge 2048 ] || return 0
        ;;
    *) return 0 ;;
    esac
    key=$(openssl pkey -pubin -in "$tmp/spki.pem" -outform DER 2>/dev/null | sha256sum)
    key=${key%% *}
}

# trusted_as ROLE CERT DIRECTORY: notes $key, and its certificate as DIRECTORY/pin.$key (PEM)
trusted_as() {
    trusted="$trusted $key"
    [ "$1" = custodian ] || makers="$makers $key"
    openssl x509 -in "$2" >>"$3/pin.$key"
}

# trust DIRECTORY: collects the hashes of trusted keys: $trusted (any role) and $makers. Sources are
# the certificates given, and the SIGNER items that hold a key named by one of them (it may have been
# renewed) or by a fingerprint.
trust() {
    trusted=''
    makers=''
    rm -f "$1"/pin.*
    for cert in "$tmp"/given/*; do
        [ -e "$cert" ] || continue
        spki "$cert"
        [ -n "$key" ] || die 5 "a certificate given as trusted has a key that is not allowed here"
        trusted_as "${cert##*.}" "$cert" "$1"
    done
    number=0
    while [ "$number" -lt "$n_signers" ]; do
        number=$((number + 1))
        spki "$1/signer.$number"
        [ -n "$key" ] || continue
        sha_file "$1/signer.$number"
        case " $makers $prints_maker " in
        *" $key "* | *" $sum "*)
            trusted_as maker "$1/signer.$number" "$1"
            continue
            ;;
        esac
        case " $trusted $prints_custodian " in
        *" $key "* | *" $sum "*) trusted_as custodian "$1/signer.$number" "$1" ;;
        esac
    done
}

# subject_of KEY DIRECTORY: $subject of a pinned certificate, or of a SIGNER item (a claim)
subject_of() {
    subject='(no certificate)'
    if [ -e "$2/pin.$1" ]; then
        subject=$(openssl x509 -in "$2/pin.$1" -noout -subject -nameopt RFC2253)
    else
        number=0
        while [ "$number" -lt "$n_signers" ]; do
            number=$((number + 1))
            spki "$2/signer.$number"
            [ "$key" = "$1" ] || continue
            subject=$(openssl x509 -in "$2/signer.$number" -noout -subject -nameopt RFC2253)
            break
        done
    fi
    subject=$(safe "${subject#subject=}")
}

# signed MESSAGE PINS OUT: one signature check by stock openssl. -nointern: no certificate of the
# message counts; -noverify: the pins are trusted as they are, chains and dates do not matter.
signed() {
    rm -f "$3" "$tmp/signers.pem"
    openssl cms -verify -inform DER -in "$1" -nointern -noverify -binary -certfile "$2" \
        -signer "$tmp/signers.pem" -out "$3" 2>/dev/null
}

# --- the two statements (FORMAT.md 4) -------------------------------------------------------------

# statement MESSAGE OID JSON: checks the shape, cuts the content out; $signers
statement() {
    shape "$1" "$2"
    why="a signed statement is malformed (${shape#bad: })"
    case $shape in
    bad* | '') return 1 ;;
    esac
    signers=${shape%% *}
    shape=${shape#* }
    cut_out "$1" "${shape% *}" "${shape#* }" >"$3"
}

# custody DIRECTORY: c_*; $custody_good, and if not, $custody_why. Returns 1 if the statement does
# not belong to this backup or envelope, which is no matter of trust.
custody() {
    statement "$1/custody" "$custody_oid" "$1/custody.json" || return 1
    why="the custody statement is malformed"
    json "$1/custody.json" "$1/custody.flat" .type:s .backup:s .epoch:n .core:s .generation:n .scheme:s \
        .keys:s .commitment:s .proof:s .recipients#:n '.recipients[].sha256:s' '.recipients[].spki:s' \
        '.recipients[].subject:s' '.recipients[].not_after:s' '.recipients[].key:s' .previous:sz .by:s \
        .reason:s .time:s || return 1
    while IFS=$tab read -r k _ v; do
        case $k in
        .type) c_type=$v ;;
        .backup) c_backup=$v ;;
        .epoch) c_epoch=$v ;;
        .core) c_core=$v ;;
        .generation) c_generation=$v ;;
        .scheme) c_scheme=$v ;;
        .keys) c_keys=$v ;;
        .commitment) c_commitment=$v ;;
        .proof) c_proof=$v ;;
        .previous) c_previous=$v ;;
        .by) c_by=$v ;;
        '.recipients#') c_recipients=$v ;;
        .reason) c_reason=$v ;;
        .time) c_time=$v ;;
        esac
    done <"$1/custody.flat"
    for k in "$c_keys" "$c_commitment" "$c_proof" "$c_by"; do
        is_hash "$k" || return 1
    done
    [ "$c_type" = coffer.custody.v1 ] && [ "$c_generation" -ge 1 ] || return 1
    if [ "$c_generation" -eq 1 ]; then
        [ "$c_previous" = null ] || return 1
    else
        is_hash "$c_previous" || return 1
    fi
    [ "$c_scheme" = any-of-n ] || return 1
    why="the custody statement belongs to another backup"
    [ "$c_backup" = "$uuid" ] && [ "$c_epoch" -eq "$epoch" ] && [ "$c_core" = "$core" ] || return 1
    why="KEYS is not the message that the custody statement names"
    sha_file "$1/keys"
    [ "$c_keys" = "$sum" ] || return 1
    why="the certificates of the recipients are not those of the custody statement"
    [ "$c_recipients" -eq "$n_recipients" ] || return 1
    number=0
    while [ "$number" -lt "$n_recipients" ]; do
        number=$((number + 1))
        sha_file "$1/recipient.$number"
        openssl x509 -in "$1/recipient.$number" -noout -pubkey >"$tmp/spki.pem" 2>/dev/null || return 1
        key=$(openssl pkey -pubin -in "$tmp/spki.pem" -outform DER | sha256sum)
        printf '.recipients[%d].sha256\ts\t%s\n' $((number - 1)) "$sum"
        printf '.recipients[%d].spki\ts\t%s\n' $((number - 1)) "${key%% *}"
    done >"$tmp/recipients.ours"
    sort "$tmp/recipients.ours" >"$tmp/recipients.a"
    sed -n '/^\.recipients\[[0-9]*\]\.sha256/p; /^\.recipients\[[0-9]*\]\.spki/p' "$1/custody.flat" |
        sort >"$tmp/recipients.b"
    same_files "$tmp/recipients.a" "$tmp/recipients.b" || return 1

    # The verdict: every signature must be good, and `by` be the trusted key of one of the signers.
    custody_good=
    custody_why="the custodian's key is not trusted, or a signature is wrong"
    case " $trusted " in
    *" $c_by "*) ;;
    *) return 0 ;;
    esac
    cat "$1/pin.$c_by" >"$tmp/pins.pem"
    number=0
    while [ "$signers" -gt 1 ] && [ "$number" -lt "$n_signers" ]; do
        number=$((number + 1))
        openssl x509 -in "$1/signer.$number" >>"$tmp/pins.pem" 2>/dev/null || return 0
    done
    signed "$1/custody" "$tmp/pins.pem" "$tmp/custody.out" || return 0
    same_files "$tmp/custody.out" "$1/custody.json" || return 0
    by_signed=
    rm -f "$tmp"/signer.pem.*
    awk -v base="$tmp/signer.pem." '/BEGIN CERT/ { n++ } { print > (base n) }' "$tmp/signers.pem"
    for cert in "$tmp"/signer.pem.*; do
        spki "$cert"
        [ "$key" != "$c_by" ] || by_signed=1
    done
    [ -z "$by_signed" ] || custody_good=1
}

# intact_manifest DIRECTORY: there is no copy of the manifest, or it is signed with a key known here
intact_manifest() {
    [ -e "$1/manifest" ] || return 0
    statement "$1/manifest" "$manifest_oid" "$tmp/copy.json" || return 1
    why="the manifest of the envelope is damaged"
    for cert in "$1"/pin.* "$1"/signer.*; do
        [ ! -e "$cert" ] || openssl x509 -in "$cert" 2>/dev/null
    done >"$tmp/pins.pem"
    signed "$1/manifest" "$tmp/pins.pem" "$tmp/copy.out" && same_files "$tmp/copy.out" "$tmp/copy.json"
}

# manifest MESSAGE DIRECTORY JSON: m_*; checks it against preamble and custody, not the signature
manifest() {
    statement "$1" "$manifest_oid" "$3" || die 5 "manifest: $why"
    [ "$signers" -eq 1 ] || die 5 "the manifest has $signers signers"
    json "$3" "$2/manifest.flat" .type:s .backup:s .epoch:n .core:s .commitment:sz .root:s .records:n \
        .data_records:n .catalog_records:n .lineage_records:n .plain_bytes:n .content:s .complete:b \
        .volumes#:n '.volumes[].bytes:n' '.volumes[].first_record:n' .started:s .finished:s .parents#:n \
        .previous:sz .by:s .tool:s || die 5 "the manifest is malformed"
    : >"$2/volumes"
    while IFS=$tab read -r k _ v; do
        case $k in
        .type) m_type=$v ;;
        .backup) m_backup=$v ;;
        .epoch) m_epoch=$v ;;
        .core) m_core=$v ;;
        .commitment) m_commitment=$v ;;
        .root) m_root=$v ;;
        .records) m_records=$v ;;
        .data_records) m_data=$v ;;
        .catalog_records) m_catalog=$v ;;
        .lineage_records) m_lineage=$v ;;
        .plain_bytes) m_plain=$v ;;
        .content) m_content=$v ;;
        .complete) m_complete=$v ;;
        '.volumes#') m_volumes=$v ;;
        '.parents#') m_parents=$v ;;
        .previous) m_previous=$v ;;
        .finished) m_finished=$v ;;
        .by) m_by=$v ;;
        .tool) m_tool=$v ;;
        esac
    done <"$2/manifest.flat"
    sed -n 's/^\.volumes\[\([0-9]*\)\]\.\([a-z_]*\)\tn\t/\1 \2 /p' "$2/manifest.flat" |
        awk '{ if ($2 == "bytes") b[$1] = $3; else f[$1] = $3; if ($1 + 0 > n) n = $1 + 0 }
             END { for (i = 0; i <= n; i++) print b[i], f[i] }' >"$2/volumes"
    is_hash "$m_root" && is_hash "$m_by" && [ "$m_type" = coffer.manifest.v1 ] && [ "$m_parents" -eq 0 ] &&
        [ "$m_records" -eq $((m_data + m_catalog + m_lineage)) ] && [ "$m_volumes" -ge 1 ] &&
        [ "$m_volumes" -le 65535 ] || die 5 "the manifest contradicts itself"
    if [ "$epoch" -eq 0 ]; then
        [ "$m_lineage" -eq 0 ] && [ "$m_previous" = null ] || die 5 "the manifest contradicts itself"
    else
        [ "$m_lineage" -gt 0 ] && is_hash "$m_previous" || die 5 "the manifest contradicts itself"
    fi
    [ "$m_backup" = "$uuid" ] && [ "$m_epoch" -eq "$epoch" ] && [ "$m_core" = "$core" ] &&
        [ "$m_content" = "$content_name" ] || die 3 "the manifest belongs to another backup"
    if [ "$protection" -eq 1 ]; then
        is_hash "$m_commitment" || die 3 "the manifest does not commit to a key"
        [ -z "$c_commitment" ] || [ "$m_commitment" = "$c_commitment" ] || die 3 "manifest and custody statement commit to different keys"
    else
        [ "$m_commitment" = null ] || die 3 "a signed-only backup that commits to a key"
    fi
}

# --- tail (FORMAT.md 3.6) -------------------------------------------------------------------------

# tail_copy OFFSET LENGTH SUM: true if a good TAIL frame stands at the body offset
tail_copy() {
    at=$((body + $1))
    [ $((at + 96 + $2)) -le "$size" ] || return 1
    hex_of "$last_file" "$at" 32
    [ "$hex" = "c0fe060000000000000000""00$(printf '%08x' "$2")00000000000000000000000000000000" ] || return 1
    sha_of "$last_file" $((at + 32)) "$2"
    [ "$sum" = "$3" ]
}

# trailer OFFSET: reads the one at the body offset: $first $second $length $tail_sum
trailer() {
    at=$((body + $1))
    [ "$1" -ge 96 ] && [ $((at + 64)) -le "$size" ] || return 1
    hex_of "$last_file" "$at" 8
    [ "$hex" = 434f4654524c520a ] || return 1
    fields "$last_file" "$at" 32 'first:8:8 second:16:8 length:24:8' || return 1
    hex_of "$last_file" $((at + 32)) 32
    tail_sum=$hex
    [ "$length" -ge 16 ] && [ "$length" -le 67108864 ] && [ "$second" -eq $((first + 96 + length)) ] &&
        { [ "$1" -eq $((first + 32 + length)) ] || [ "$1" -eq $((second + 32 + length)) ]; }
}

# find_tail HINT: $tail_at, the body offset of a good copy, or nothing; $tail_first. HINT is where
# an (unproven) manifest says that the first copy is.
find_tail() {
    tail_at=
    tail_first=
    if trailer $((size - body - 64)) && [ $((body + second + 96 + length)) -eq "$size" ]; then
        :
    else
        warn "$last_file: the trailer at the end is damaged or missing"
        if [ -n "$1" ]; then
            first=$1
        else
            skim || return 0
        fi
        [ $((body + first + 32)) -le "$size" ] || return 0
        uint "$last_file" $((body + first + 12)) 4
        trailer $((first + 32 + num)) || return 0
        [ $((body + second + 96 + length)) -ge "$size" ] || die 5 "$last_file: bytes after the tail"
    fi
    tail_first=$first
    good_first=
    tail_copy "$first" "$length" "$tail_sum" && good_first=1
    if tail_copy "$second" "$length" "$tail_sum"; then
        tail_at=$second
        [ -n "$good_first" ] || warn "$last_file: the first copy of the tail is damaged"
    elif [ -n "$good_first" ]; then
        tail_at=$first
        warn "$last_file: the second copy of the tail is damaged"
    fi
    if [ -n "$tail_at" ] && ! same "$last_file" $((body + first + 32 + length)) \
        "$last_file" $((body + second + 32 + length)) 64; then
        warn "$last_file: the two trailers differ"
    fi
}

# skim: $first, the offset of the first TAIL frame, by the lengths in the frame headers alone
skim() {
    first=0
    while [ $((body + first + 32)) -le "$size" ]; do
        hex_of "$last_file" $((body + first)) 3
        case $hex in
        c0fe06) return 0 ;;
        c0fe*) ;;
        *) return 1 ;;
        esac
        uint "$last_file" $((body + first + 12)) 4
        first=$((first + 32 + num))
    done
    return 1
}

# tail_manifest OUT: the manifest of the tail at $tail_at; leaves the list of INDEX frames in
# $tmp/tail.index, 48 hex digits a line
tail_manifest() {
    at=$((body + tail_at + 32))
    end=$((at + length))
    hex_of "$last_file" "$at" 8
    [ "$hex" = 434f465441494c0a ] || die 5 "the tail has a wrong magic"
    fields "$last_file" "$at" 16 'indexes:8:4 manifests:12:4' || die 5 "the tail is malformed"
    [ "$manifests" -eq $((epoch + 1)) ] || die 5 "the tail holds $manifests manifests"
    at=$((at + 16))
    [ $((at + 24 * indexes)) -le "$end" ] || die 5 "the tail is malformed"
    cut_out "$last_file" "$at" $((24 * indexes)) | od -An -v -tx1 -w24 | tr -d ' ' >"$tmp/tail.index"
    at=$((at + 24 * indexes))
    out=$1
    while [ "$manifests" -gt 0 ]; do
        manifests=$((manifests - 1))
        [ $((at + 4)) -le "$end" ] || die 5 "the tail is malformed"
        uint "$last_file" "$at" 4
        [ "$num" -ge 1 ] && [ "$num" -le 1048576 ] && [ $((at + 4 + num)) -le "$end" ] || die 5 "the tail is malformed"
        [ -z "$out" ] || cut_out "$last_file" $((at + 4)) "$num" >"$out"
        out=
        at=$((at + 4 + num))
    done
    [ "$at" -eq "$end" ] || die 5 "the tail is malformed"
}

# --- the body (FORMAT.md 3.1 to 3.5) --------------------------------------------------------------
# Pass 1 walks the frames of all volumes and hashes every payload. $tmp/entries gets the 64-byte
# entries in hex, $tmp/records what pass 2 needs. Nothing that stands outside the Merkle tree steers
# it: where an INDEX frame stands and how long it is follows from the records, so a damaged one is
# stepped over, and a wrong guess ends in a wrong root.

# index_due: true if an INDEX frame must stand here, as far as the records tell (IX-1)
index_due() {
    [ "$pending" -gt 0 ] || return 1
    [ $((record % 4096)) -ne 0 ] || return 0
    left=$((volume_bytes - off - 32 - 24 - 64 * pending))
    [ "$left" -eq "$closing" ]
}

# index_frame: compares the frame at $off with what it must be, and steps over it
index_frame() {
    stored=$((24 + 64 * pending))
    [ $((off + 32 + stored)) -le "$volume_bytes" ] || die 5 "volume $volume: the frame at $off is damaged"
    printf 'c0fe04000000000000000000%08x%032x%08x%08x%016x%016x\n' "$stored" 0 "$volume" "$pending" \
        "$index_off" "$index_record" >"$tmp/index.hex"
    tail -n "$pending" "$tmp/entries" >>"$tmp/index.hex"
    # shellcheck disable=SC2059 # as above
    printf "$(hex_lines_to_escapes <"$tmp/index.hex")" >"$tmp/index.ours"
    if ! same "$tmp/index.ours" 0 "$file" $((body + off)) $((32 + stored)); then
        warn "volume $volume: the index frame at $off does not agree with the records; it is not needed"
        cut_out "$file" $((body + off + 56)) $((64 * pending)) | od -An -v -tx1 -w64 | tr -d ' ' |
            awk -v first="$index_record" '
                NR == FNR { if (FNR > 1) ours[FNR - 2] = $0; next }
                ours[FNR - 1] != $0 && n++ < 4 {
                    print "recover: record " first + FNR - 1 " or its entry in that index is damaged"
                }' "$tmp/index.hex" - >&2
    fi
    printf '%08x%08x%016x%016x\n' "$volume" "$pending" "$off" "$index_record" >>"$tmp/walk.index"
    off=$((off + 32 + stored))
    pending=0
    after_index=1
    [ $((record % 4096)) -eq 0 ] || last_index=1
}

# record_frame: the fields of the frame are $1 ... $32, as decimal bytes
record_frame() {
    kind=$3 codec=$4 flags=$5
    stream=$(($7 << 8 | $8))
    plain=$(($9 << 24 | ${10} << 16 | ${11} << 8 | ${12}))
    stored=$((${13} << 24 | ${14} << 16 | ${15} << 8 | ${16}))
    number=$((${17} << 56 | ${18} << 48 | ${19} << 40 | ${20} << 32 | ${21} << 24 | ${22} << 16 | ${23} << 8 | ${24}))
    offset=$((${25} << 56 | ${26} << 48 | ${27} << 40 | ${28} << 32 | ${29} << 24 | ${30} << 16 | ${31} << 8 | ${32}))
    where="volume $volume, record $record at $off"
    [ -z "$last_index" ] || die 5 "$where: an index frame before it does not belong there"
    [ "$codec" -le 3 ] || die 5 "$where: codec $codec is unknown"
    [ "$flags" -le 1 ] && [ "$6" -eq 0 ] || die 5 "$where: the header is damaged"
    [ "$number" -eq "$record" ] || die 5 "$where: the header says record $number"
    case $kind in
    1)
        [ "$stream" -le 65533 ] && data=$((data + 1)) plain_bytes=$((plain_bytes + plain))
        if [ "$stream" -ne "$data_stream" ]; then
            [ "$content" -eq 1 ] && [ "$stream" -gt "$data_stream" ] && [ "$offset" -eq 0 ] &&
                { [ "$data_stream" -ne 0 ] || [ "$data" -eq 1 ]; } ||
                die 5 "$where: is of a stream that has no place there"
            data_stream=$stream
        fi
        ;;
    2) [ "$stream" -eq 65534 ] && catalog=$((catalog + 1)) ;;
    3) [ "$stream" -eq 65535 ] && [ "$codec" -eq 0 ] && [ "$flags" -eq 0 ] && lineage=$((lineage + 1)) ;;
    esac || die 5 "$where: the header is damaged"
    [ "$kind" -eq 3 ] || [ "$lineage" -eq 0 ] || die 5 "$where: stands after the lineage"
    eval "ends=\${ends_$stream:-0}"
    [ "$plain" -ge 1 ] && [ "$plain" -le "$record_size" ] && [ "$offset" -eq "$ends" ] ||
        die 5 "$where: does not follow the record before it"
    eval "ends_$stream=$((offset + plain))"
    if [ "$flags" -eq 1 ]; then
        [ "$protection" -eq 1 ] && [ "$stored" -ge $((tag_length + 4)) ] &&
            [ "$stored" -le $((record_size + 4 + tag_length)) ]
    elif [ "$codec" -eq 0 ]; then
        [ "$stored" -eq $((plain + tag_length)) ]
    else
        [ "$stored" -gt "$tag_length" ] && [ "$stored" -lt $((plain + tag_length)) ]
    fi || die 5 "$where: impossible length"
    [ $((off + 32 + stored)) -le "$volume_bytes" ] || die 5 "$where: crosses the end of the volume"
    if [ "$pending" -eq 0 ]; then
        index_off=$off
        index_record=$record
    fi
    sha_of "$file" $((body + off + 32)) "$stored"
    {
        printf '%02x' "$@"
        printf '%s\n' "$sum"
    } >>"$tmp/entries"
    printf '%s\n' "$stream $codec $flags $plain $stored $record $volume $((body + off + 32)) $sum" >>"$tmp/records"
    record=$((record + 1))
    pending=$((pending + 1))
    off=$((off + 32 + stored))
    after_index=
}

# volume_end: the frame that must stand at $off, 48 bytes
volume_end() {
    hex_of "$file" $((body + off)) 48
    ours=$(printf 'c0fe0500000000000000000000000010%032x%08x%08x%016x' 0 "$volume" 0 "$record")
    [ "$hex" = "$ours" ] || warn "volume $volume: the frame that ends it is damaged"
    off=$((off + 48))
}

# walk: one volume: $file, $body, $volume, $volume_bytes
walk() {
    off=0
    after_index=
    last_index=
    closing=48
    [ "$volume" -lt "$m_volumes" ] || closing=0
    while [ "$off" -lt "$volume_bytes" ]; do
        if index_due; then
            index_frame
            continue
        fi
        if [ $((volume_bytes - off)) -eq 48 ] && [ "$closing" -eq 48 ] && [ "$pending" -eq 0 ]; then
            volume_end
            continue
        fi
        # shellcheck disable=SC2046 # 32 words
        set -- $(od -An -v -tu1 -j $((body + off)) -N 32 "$file" 2>/dev/null)
        [ $# -eq 32 ] || die 5 "volume $volume ends too early, at $off"
        if [ "$1" -ne 192 ] || [ "$2" -ne 254 ]; then
            # The only place where an INDEX frame is not announced: before ancillary frames.
            [ "$pending" -gt 0 ] || die 5 "volume $volume: the frame at $off is damaged"
            index_frame
            continue
        fi
        case $3 in
        1 | 2 | 3) record_frame "$@" ;;
        4)
            [ "$pending" -gt 0 ] || die 5 "volume $volume: an empty index frame at $off"
            index_frame
            ;;
        *)
            [ "$3" -ge 128 ] && [ -n "$after_index" ] || die 5 "volume $volume: the frame at $off is not allowed"
            off=$((off + 32 + (${13} << 24 | ${14} << 16 | ${15} << 8 | ${16})))
            ;;
        esac
    done
    [ "$off" -eq "$volume_bytes" ] && [ "$pending" -eq 0 ] || die 5 "volume $volume does not end where it should"
}

# merkle: $root of the entries in $tmp/entries (RFC 9162 2.1.1). Pairing from the left, with an odd
# last one going up unchanged, gives the same tree as the recursive definition.
merkle() {
    if [ "$record" -eq 0 ]; then
        root=$(sha256sum </dev/null)
        root=${root%% *}
        return
    fi
    sed 's/^/00/' "$tmp/entries" >"$tmp/level.in"
    hash_lines "$tmp/level.in" "$tmp/level"
    count=$record
    while [ "$count" -gt 1 ]; do
        awk 'NR % 2 { left = $0; next } { print "01" left $0 }' "$tmp/level" >"$tmp/level.in"
        hash_lines "$tmp/level.in" "$tmp/level.next"
        [ $((count % 2)) -eq 0 ] || tail -n 1 "$tmp/level" >>"$tmp/level.next"
        mv "$tmp/level.next" "$tmp/level"
        count=$(((count + 1) / 2))
    done
    root=$(cat "$tmp/level")
}

# --- plaintext ------------------------------------------------------------------------------------

# unwrap: $prk from KEYS and the private key, compared with the signed commitment (KS-1). One answer
# for every way to fail.
unwrap() {
    shape "$dir/keys" ''
    [ "$shape" = ok ] || die 5 "KEYS is malformed (${shape#bad: })"
    set -- -inkey "$key_file"
    [ -z "$recipient_cert" ] || set -- "$@" -recip "$recipient_cert"
    [ -z "$passin" ] || set -- "$@" -passin "$passin"
    dek=$({ openssl cms -decrypt -inform DER -in "$dir/keys" "$@" 2>"$tmp/unwrap.err" || echo failed; } |
        od -An -v -tx1 | tr -d ' \n')
    [ "${#dek}" -eq 64 ] || dek=00
    hmac "$core" "$dek"
    prk=$mac
    dek=
    expand "$(text_hex 'coffer v1 commitment')" 32
    [ "$okm" = "$m_commitment" ] || die 4 "the key in $key_file does not open this backup"
}

# check_proof: the custodian knew the data key (CU-6)
check_proof() {
    proof_text=$core$(printf '%016x' "$c_generation")$c_keys
    if [ "$c_previous" = null ]; then
        proof_text=$proof_text$(printf '%064d' 0)
    else
        proof_text=$proof_text$c_previous
    fi
    proof_text=$proof_text$(printf '%08x' "$c_recipients")
    number=0
    while [ "$number" -lt "$n_recipients" ]; do
        number=$((number + 1))
        sha_file "$dir/recipient.$number"
        proof_text=$proof_text$sum
    done
    expand "$(text_hex 'coffer v1 custody')" 32
    hmac "$okm" "$proof_text"
    [ "$mac" = "$c_proof" ] || custody_bad "the custodian did not know the data key (its proof is wrong)"
}

custody_bad() {
    warn "custody: $1"
    say "the list of recipients is not proven; the content is not affected"
}

# segment_keys SEGMENT: $record_key, $base
segment_keys() {
    [ "$1" != "$segment" ] || return 0
    segment=$1
    expand "$info_record$(printf '%016x' "$1")" "$key_length"
    record_key=$okm
    expand "$info_nonce$(printf '%016x' "$1")" 12
    base=$okm
}

# decrypt NUMBER: $tmp/payload to $tmp/sealed
decrypt() {
    segment_keys $(($1 >> 16))
    # record numbers are below 2^48: only the last six bytes of the nonce base change
    low=${base#????????????}
    nonce=${base%"$low"}$(printf '%012x' $((0x$low ^ $1)))
    case $cipher in
    4) iv=01000000$nonce ;;
    *) iv=${nonce}00000002 ;;
    esac
    head -c $((stored - tag_length)) "$tmp/payload" |
        openssl enc -d "-$cipher_name" -K "$record_key" -iv "$iv" -out "$tmp/sealed"
}

# unpad: takes the padding off $tmp/sealed (RC-6)
unpad() {
    have=$((stored - tag_length))
    uint "$tmp/sealed" $((have - 4)) 4
    [ "$num" -le $((have - 4)) ] && zero "$tmp/sealed" $((have - 4 - num)) "$num" ||
        die 5 "record $number: wrong padding"
    truncate -s $((have - 4 - num)) "$tmp/sealed"
}

decompress() {
    case $codec in
    0) mv "$tmp/sealed" "$tmp/plain" ;;
    1) zstd -q -d -c --memory=128MB <"$tmp/sealed" >"$tmp/plain" ;;
    2) lz4 -q -d -c <"$tmp/sealed" >"$tmp/plain" ;;
    3) gzip -q -d -c <"$tmp/sealed" >"$tmp/plain" ;;
    esac
}

# names PLAIN: 'NUMBER LENGTH NAME' of each entry of a catalog record of level 0 (FORMAT.md 3.8); of
# a name what is no printable ASCII is shown as ?.
names() {
    od -An -v -tu1 -w1 "$1" | awk '
        function number(at, len,    v) {
            v = 0
            while (len-- > 0) v = v * 256 + b[at++]
            return v
        }
        { b[NR - 1] = $1 + 0 }
        END {
            if (b[0] != 0) exit
            count = number(4, 4)
            at = 16
            for (n = 0; n < count; n++) {
                shared = number(at + 42, 2); rest = number(at + 44, 2)
                name = substr(name, 1, shared)
                for (i = 0; i < rest; i++) {
                    c = b[at + 48 + i]
                    name = name sprintf("%c", c > 31 && c < 127 ? c : 63)
                }
                printf "%d %d %s\n", number(at + 2, 2), number(at + 34, 8), name
                at += 48 + rest + number(at + 46, 2)
            }
        }'
}

# find_stream: $want_stream becomes a number; the catalog of named streams is asked.
find_stream() {
    [ "$content" -eq 1 ] && [ "$catalog" -gt 0 ] || {
        case $want_stream in
        *[!0-9]*) die 2 "the streams of this backup have no names" ;;
        esac
        return 0
    }
    wanted=$want_stream want_stream=65534 output_was=$output output=$tmp/catalog
    : >"$tmp/names"
    mv "$tmp/records" "$tmp/records.all"
    while read -r line; do
        case $line in
        '65534 '*) ;;
        *) continue ;;
        esac
        printf '%s\n' "$line" >"$tmp/records"
        exec 4>"$tmp/catalog"
        extract
        exec 4>&-
        names "$tmp/catalog" >>"$tmp/names"
    done <"$tmp/records.all"
    mv "$tmp/records.all" "$tmp/records"
    rm -f "$tmp/catalog"
    output=$output_was
    want_stream=$(awk -v wanted="$wanted" '
        $1 == wanted || substr($0, length($1) + length($2) + 3) == wanted { print $1 }' "$tmp/names")
    [ -z "$want_stream" ] || return 0
    [ "$wanted" = 0 ] || say "there is no stream $wanted"
    say "the backup holds these streams (number, bytes, name); take one with --stream:"
    cat "$tmp/names" >&2
    exit 2
}

# --- the first maker of a rekeyed backup (FORMAT.md 3.9) -------------------------------------------

not_first() { die 3 "rekeyed, and not what its first maker signed: $1"; }

# gf_multiply HEX HEX: $product in GF(2^128) as GCM counts bits
gf_multiply() {
    v0=$((0x$(printf %.8s "$2"))) v1=${2#????????}
    v2=${v1#????????} v1=$((0x$(printf %.8s "$v1")))
    v3=$((0x${v2#????????})) v2=$((0x$(printf %.8s "$v2")))
    z0=0 z1=0 z2=0 z3=0
    rest=$1
    while [ -n "$rest" ]; do
        next=${rest#????????}
        word=$((0x${rest%"$next"}))
        rest=$next
        bit=31
        while [ "$bit" -ge 0 ]; do
            if [ $((word >> bit & 1)) -eq 1 ]; then
                z0=$((z0 ^ v0)) z1=$((z1 ^ v1)) z2=$((z2 ^ v2)) z3=$((z3 ^ v3))
            fi
            carry=$((v3 & 1))
            v3=$((v3 >> 1 | (v2 & 1) << 31)) v2=$((v2 >> 1 | (v1 & 1) << 31))
            v1=$((v1 >> 1 | (v0 & 1) << 31)) v0=$((v0 >> 1 ^ carry * 0xe1000000))
            bit=$((bit - 1))
        done
    done
    product=$(printf '%08x%08x%08x%08x' "$z0" "$z1" "$z2" "$z3")
}

# xor HEX HEX, 16 bytes each: $hex
xor() {
    hex=
    one=$1
    two=$2
    while [ -n "$one" ]; do
        hex=$hex$(printf '%08x' $((0x$(printf %.8s "$one") ^ 0x$(printf %.8s "$two"))))
        one=${one#????????}
        two=${two#????????}
    done
}

from_hex() {
    escapes "$1"
    # shellcheck disable=SC2059 # as above
    printf "$esc"
}

# tag_of HEADER CIPHERTEXT KEY NONCE: $hex, of what $cipher makes of it. HEADER is 32 bytes in hex.
tag_of() {
    length=$(stat -c %s "$2")
    {
        from_hex "$1"
        cat "$2"
        head -c $(((16 - length % 16) % 16)) /dev/zero
    } >"$tmp/authenticated"
    if [ "$cipher" -eq 4 ]; then
        # both lengths with the least byte first; a record is shorter than 2^32
        little=$(printf '%08x' "$length" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/')
        from_hex "2000000000000000${little}00000000" >>"$tmp/authenticated"
        mac=$(head -c 32 /dev/zero | openssl enc -e -chacha20 -K "$3" -iv "00000000$4" | od -An -v -tx1 | tr -d ' \n')
        hex=$(openssl mac -macopt "hexkey:$mac" -in "$tmp/authenticated" Poly1305 | tr A-F a-f)
        return
    fi
    mac=$(openssl mac -cipher "${cipher_name%-ctr}-gcm" -macopt "hexkey:$3" -macopt "hexiv:$4" \
        -in "$tmp/authenticated" GMAC | tr A-F a-f)
    hash_key=$(head -c 16 /dev/zero | openssl enc -e "-${cipher_name%-ctr}-ecb" -K "$3" -nopad | od -An -v -tx1 | tr -d ' \n')
    # GMAC has taken all of it for additional data: another last block, which one product sets right
    all=$(stat -c %s "$tmp/authenticated")
    gf_multiply "$(printf '%016x%016x' $((all * 8 ^ 256)) $((length * 8)))" "$hash_key"
    xor "$mac" "$product"
}

# as_first / as_now: the keys and cipher of epoch 0, or of the present epoch
as_first() {
    prk=$prk_first cipher=$cipher_first segment=
    cipher_names
}
as_now() {
    prk=$prk_now cipher=$cipher_now segment=
    cipher_names
}

# check_first NUMBER: is $tmp/sealed what the first maker sealed as this record? (6 of LI-1)
check_first() {
    as_first
    segment_keys $(($1 >> 16))
    low=${base#????????????}
    nonce=${base%"$low"}$(printf '%012x' $((0x$low ^ $1)))
    iv=${nonce}00000002
    [ "$cipher" -ne 4 ] || iv=01000000$nonce
    openssl enc -e "-$cipher_name" -K "$record_key" -iv "$iv" -in "$tmp/sealed" -out "$tmp/first"
    header=$(sed -n "$(($1 + 1))p" "$tmp/entries")
    tag_of "$(printf %.64s "$header")" "$tmp/first" "$record_key" "$nonce"
    from_hex "$hex" >>"$tmp/first"
    sha_file "$tmp/first"
    [ "$sum" = "$(sed -n "$(($1 + 1))p" "$tmp/first.hashes")" ] || not_first "record $1 was changed"
    as_now
}

# lineage_item TYPE LENGTH: steps over one at $at of $tmp/lineage; $value and $num are its place
lineage_item() {
    [ $((at + 8)) -le "$size" ] || die 5 "the lineage ends early"
    hex_of "$tmp/lineage" "$at" 4
    [ "$hex" = "$(printf '%04x0000' "$1")" ] || die 5 "the lineage is malformed at $at"
    uint "$tmp/lineage" $((at + 4)) 4
    [ "$num" -eq "${2:-$num}" ] && [ "$num" -ge 1 ] && { [ "$1" -ne 3 ] || [ "$num" -le 1048576 ]; } ||
        die 5 "the lineage is malformed at $at"
    value=$((at + 8))
    at=$((value + num))
    [ "$at" -le "$size" ] || die 5 "the lineage ends early"
}

# addition EPOCH: preamble and manifest of that epoch, and what has to be equal in them (1 to 3)
addition() {
    old=$tmp/epoch$1
    mkdir "$old"
    lineage_item 2 512
    cut_out "$tmp/lineage" "$value" 512 >"$old/preamble"
    uint "$old/preamble" 16 4
    [ "$num" -eq "$1" ] || not_first "a preamble of another epoch"
    for range in '0 16' '20 12' '33 15' '80 432'; do
        same "$old/preamble" "${range% *}" "$head_file" $((512 + ${range% *})) "${range#* }" ||
            not_first "a preamble of another backup"
    done
    sha_file "$old/preamble"
    core_old=$sum
    lineage_item 3 ''
    cut_out "$tmp/lineage" "$value" "$num" >"$old/cms"
    (epoch=$1 core=$core_old c_commitment='' && manifest "$old/cms" "$old" "$old/json" &&
        echo "$m_by $m_root $m_records $m_previous $m_commitment" >"$old/says") || not_first "a manifest of another backup"
    read -r old_by old_root old_records old_previous old_commitment <"$old/says"
    [ "$old_previous" = "$previous" ] || not_first "manifests do not follow each other"
    sha_file "$old/json"
    previous=$sum
    carried "$old/manifest.flat" >"$old/carried"
    carried "$dir/manifest.flat" | cmp -s - "$old/carried" || not_first "what is said about the content was changed"
    [ "$old_records" = "$begins" ] || not_first "records were added or left out"
}

carried() {
    grep -E '^\.(backup|content|complete|data_records|catalog_records|plain_bytes|started|finished)[^a-z_]' "$1"
}

# begin_addition: LI-3: at $at a record begins; $begins is its number
begin_addition() {
    begins=$(awk -v at="$at" '$1 == 65535 { if (sum == at) { print $6; exit } sum += $4 }' "$tmp/records")
    [ -n "$begins" ] || die 5 "the lineage is malformed: an addition does not begin with a record"
    borders="$borders$at "
}

# prove_first: 1 to 5 of LI-1; leaves $tmp/first.hashes and the keys of epoch 0 for check_first
prove_first() {
    prk_now=$prk cipher_now=$cipher prove=
    exec 4>"$tmp/lineage"
    want=$want_stream
    want_stream=65535
    extract
    want_stream=$want
    exec 4>&-
    size=$(stat -c %s "$tmp/lineage")
    count=$((m_records - m_lineage))
    at=0 previous=null borders=' '
    begin_addition
    lineage_item 1 32
    hex_of "$tmp/lineage" "$value" 32
    dek=$hex
    addition 0
    [ "$old_by" = "$maker" ] && signed "$tmp/epoch0/cms" "$dir/pin.$maker" "$tmp/first.out" &&
        same_files "$tmp/first.out" "$tmp/epoch0/json" || not_first "its first manifest is not signed by the maker"
    uint "$tmp/epoch0/preamble" 32 1
    cipher_first=$num
    hmac "$core_old" "$dek"
    prk_first=$mac
    dek=
    prk=$prk_first
    expand "$(text_hex 'coffer v1 commitment')" 32
    [ "$okm" = "$old_commitment" ] || not_first "its first data key is another"
    prk=$prk_now
    first_root=$old_root
    : >"$tmp/first.hashes"
    done_hashes=0
    while [ "$done_hashes" -lt "$count" ]; do
        n=$((count - done_hashes))
        [ "$n" -le 4096 ] || n=4096
        lineage_item 4 $((8 + 32 * n))
        uint "$tmp/lineage" "$value" 8
        [ "$num" -eq "$done_hashes" ] || die 5 "the lineage is malformed at $at"
        cut_out "$tmp/lineage" $((value + 8)) $((32 * n)) | od -An -v -tx1 -w32 | tr -d ' ' >>"$tmp/first.hashes"
        done_hashes=$((done_hashes + n))
    done
    k=1
    while [ "$k" -lt "$epoch" ]; do
        begin_addition
        addition "$k"
        k=$((k + 1))
    done
    [ "$at" -eq "$size" ] || die 5 "the lineage is malformed: more follows its end"
    awk -v full="$record_size" -v borders="$borders$at " '
        $1 == 65535 { sum += $4; if ($4 != full && !index(borders, " " sum " ")) exit 1 }' "$tmp/records" ||
        die 5 "the lineage is malformed: a record that is not full"
    [ "$m_previous" = "$previous" ] || not_first "its manifest does not follow from its lineage"
    prove_first_root
    rm -f "$tmp/lineage"
    prove=1
}

prove_first_root() {
    mv "$tmp/entries" "$tmp/entries.now"
    head -n "$count" "$tmp/entries.now" | cut -c 1-64 | paste -d '' - "$tmp/first.hashes" >"$tmp/entries"
    head -n "$count" "$tmp/entries.now" | awk 'substr($0, 5, 2) == "03" { exit 1 }' || not_first "records were left out"
    all_records=$record
    record=$count
    merkle
    record=$all_records
    mv "$tmp/entries.now" "$tmp/entries"
    [ "$root" = "$first_root" ] || not_first "records or their hashes were changed"
}

# extract: pass 2, all records of $want_stream to descriptor 4. Each payload is hashed again: the
# file may have been changed since pass 1 (RC-8).
extract() {
    segment=
    written=0
    if [ "$protection" -eq 1 ]; then
        info_record=$(text_hex 'coffer v1 record')
        info_nonce=$(text_hex 'coffer v1 nonce')
    fi
    while read -r stream codec flags plain stored number volume at hash <&3; do
        [ "$stream" -eq "$want_stream" ] || continue
        eval "file=\$file_$volume"
        cut_out "$file" "$at" "$stored" >"$tmp/payload" || die 6 "cannot read record $number, or $tmp is full"
        sha_file "$tmp/payload"
        [ "$sum" = "$hash" ] || die 3 "record $number changed while it was read"
        if [ "$protection" -eq 1 ]; then
            decrypt "$number" || die 1 "openssl cannot decrypt record $number"
            [ -z "$prove" ] || check_first "$number"
        else
            mv "$tmp/payload" "$tmp/sealed"
        fi
        [ "$flags" -eq 0 ] || unpad
        decompress || die 5 "record $number does not decompress"
        [ "$(stat -c %s "$tmp/plain")" -eq "$plain" ] || die 5 "record $number has a wrong length"
        cat "$tmp/plain" >&4 || die 6 "cannot write $output"
        written=$((written + plain))
    done 3<"$tmp/records"
    rm -f "$tmp/plain" "$tmp/sealed" "$tmp/payload"
}

# --- what the caller wants ------------------------------------------------------------------------

files=0
mode=restore
key_file='' recipient_cert='' passin='' output='' head_file='' forced_slot=''
want_stream=0 trust_args=0
warned=0
prints_maker='' prints_custodian=''
part=
tmp=
trap 'rm -rf "${tmp:-}" ${part:+"$part"}' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
tmp=$(mktemp -d "${TMPDIR:-/tmp}/recover.XXXXXXXXXX") || die 6 "cannot make a directory under ${TMPDIR:-/tmp}"
tmp=$(cd "$tmp" && pwd)
mkdir "$tmp/given"

# path ARG: $path, safe as an operand of any command
path() {
    case $1 in
    /* | ./* | ../*) path=$1 ;;
    *) path=./$1 ;;
    esac
}

while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    --list | --verify) mode=${1#--} ;;
    --key | --recipient-cert | --passin | --trust | --trust-custodian | -o | --stream | --envelope | --slot)
        [ $# -ge 2 ] || die 2 "$1 needs a value"
        case $1 in
        --key) path "$2" && key_file=$path ;;
        --recipient-cert) path "$2" && recipient_cert=$path ;;
        --passin) passin=$2 ;;
        -o) if [ "$2" = - ]; then output=-; else path "$2" && output=$path; fi ;;
        --stream) want_stream=$2 ;;
        --envelope) path "$2" && head_file=$path ;;
        --slot) forced_slot=$2 ;;
        --trust | --trust-custodian)
            role=maker
            [ "$1" = --trust ] || role=custodian
            if [ -f "$2" ]; then
                path "$2"
                trust_args=$((trust_args + 1))
                openssl x509 -in "$path" -out "$tmp/given/$trust_args.$role" 2>/dev/null ||
                    die 2 "$2 is no certificate"
            else
                print=$(printf '%s' "${2##*=}" | tr -d ': ' | tr 'A-F' 'a-f')
                print=${print#SH[aA]256}
                is_hash "$print" || die 2 "$2 is neither a file nor a SHA-256 fingerprint"
                eval "prints_$role=\"\$prints_$role $print\""
            fi
            ;;
        esac
        shift
        ;;
    -*) die 2 "unknown option $1; see --help" ;;
    *)
        path "$1"
        [ -f "$path" ] && [ -r "$path" ] || die 6 "cannot read $1"
        files=$((files + 1))
        eval "file_$files=\$path"
        ;;
    esac
    shift
done

[ "$files" -ge 1 ] || {
    usage >&2
    exit 2
}
[ -n "$want_stream" ] || die 2 "--stream needs a number or a name"
case $forced_slot in
'' | 0 | 1) ;;
*) die 2 "--slot is 0 or 1" ;;
esac
case $(openssl version 2>/dev/null) in
'OpenSSL '[3-9].* | 'OpenSSL '[1-9][0-9]*.*) ;;
*) die 1 "the openssl command, version 3.0 or later, is needed" ;;
esac
[ "$(command -v printf)" = printf ] || die 1 "this shell has no printf of its own; use dash or bash"
if [ "$mode" = restore ]; then
    [ -n "$output" ] || die 2 "say where the plaintext goes with -o, or --verify, or --list"
    if [ "$output" != - ] && { [ -e "$output" ] || [ -h "$output" ]; }; then
        die 6 "$output exists already"
    fi
fi

# --- head -----------------------------------------------------------------------------------------

# shellcheck disable=SC2154 # set by eval
[ -n "$head_file" ] || head_file=$file_1
superblock "$head_file"
[ "$sb_role" -ne 2 ] || die 5 "$head_file is a later volume; name the first one first"
core=$sb_core
head_slot=$sb_slot head_active=$sb_active head_length=$sb_length head_sum=$sb_sum
preamble "$head_file"

dir=
custody_good=
if [ -z "$forced_slot" ]; then
    at=$((8192 + head_active * head_slot))
    sha_of "$head_file" "$at" "$head_length"
    if [ "$sum" = "$head_sum" ]; then
        unpack "$head_file" "$at" "$head_slot" "$tmp/slot$head_active" || die 5 "$why"
        [ "$total" -eq "$head_length" ] || die 5 "the envelope is longer than it says"
        dir=$tmp/slot$head_active
        trust "$dir"
        [ "$protection" -eq 2 ] || custody "$dir" || die 3 "$why"
        same "$head_file" 8192 "$head_file" $((8192 + head_slot)) "$head_slot" &&
            zero "$head_file" $((at + head_length)) $((head_slot - head_length)) ||
            warn "the two envelope slots differ: one is damaged, or a change was interrupted"
    fi
fi
if [ -z "$dir" ]; then
    # EN-5: the slot whose custody statement and manifest are good, with the higher generation; of
    # equal ones the inactive, since the active one is known to be damaged
    [ -n "$forced_slot" ] || warn "the envelope is damaged: looking for a good copy in both slots"
    best=-1
    for slot in ${forced_slot:-$((1 - head_active)) $head_active}; do
        at=$((8192 + slot * head_slot))
        unpack "$head_file" "$at" "$head_slot" "$tmp/slot$slot" || continue
        trust "$tmp/slot$slot"
        intact_manifest "$tmp/slot$slot" || continue
        if [ "$protection" -eq 2 ]; then
            best=$slot
            break
        fi
        custody "$tmp/slot$slot" || continue
        [ -n "$custody_good$forced_slot" ] || [ "$mode" = list ] || continue
        if [ "$best" -ge 0 ] && [ "$c_generation" -eq "$best_generation" ]; then
            same_files "$tmp/slot$slot/custody.json" "$tmp/slot$best/custody.json" ||
                die 3 "two different custody statements of one generation"
        elif [ "$best" -lt 0 ] || [ "$c_generation" -gt "$best_generation" ]; then
            best=$slot
            best_generation=$c_generation
        fi
    done
    [ "$best" -ge 0 ] || die 5 "no envelope that can be used: $why"
    dir=$tmp/slot$best
    unpack "$head_file" $((8192 + best * head_slot)) "$head_slot" "$dir" || die 5 "$why"
    trust "$dir"
    [ "$protection" -eq 2 ] || custody "$dir" || die 3 "$why"
    say "the envelope in slot $best is used"
fi

# --- volumes, manifest ----------------------------------------------------------------------------

number=0
while [ "$number" -lt "$files" ]; do
    number=$((number + 1))
    eval "file=\$file_$number"
    [ "$file" = "$head_file" ] || superblock "$file"
    [ "$sb_core" = "$core" ] || die 3 "$file belongs to another backup"
    [ "$sb_volume" -eq "$number" ] || die 5 "$file is volume $sb_volume, not $number"
    eval "body_$number=\$sb_head role_$number=\$sb_role"
done
last_file=$file
body=$sb_head
if [ "$sb_role" -eq 1 ]; then
    [ "$mode" = list ] || die 5 "$file is a head alone: give the file with the records, and --envelope $file"
    [ -e "$dir/manifest" ] || die 5 "$file holds no manifest"
fi

message=
if [ -e "$dir/manifest" ]; then
    message=$dir/manifest
    manifest "$message" "$dir" "$dir/manifest.json"
fi
tail_at='' tail_first=''
if [ "$sb_role" -ne 1 ] && { [ -z "$message" ] || [ "$files" -eq "$m_volumes" ]; }; then
    find_tail "${message:+$(tail -n 1 "$dir/volumes" | cut -d ' ' -f 1)}"
    if [ -n "$tail_at" ]; then
        tail_manifest "$tmp/tail.cms"
        if [ -n "$message" ]; then
            statement "$tmp/tail.cms" "$manifest_oid" "$tmp/tail.json" || die 5 "manifest of the tail: $why"
            same_files "$tmp/tail.json" "$dir/manifest.json" || die 3 "envelope and tail hold different manifests"
        else
            message=$tmp/tail.cms
            manifest "$message" "$dir" "$dir/manifest.json"
        fi
    elif [ -n "$message" ]; then
        warn "$last_file has no usable tail; the manifest of the envelope is used"
    fi
fi
[ -n "$message" ] || die 5 "no manifest: the backup is incomplete"

# The signature. `by` must be the very key that verifies it; in epoch 0 also the preamble's maker.
manifest_good=
prove=
case " $makers " in
*" $m_by "*)
    if signed "$message" "$dir/pin.$m_by" "$tmp/manifest.out" && same_files "$tmp/manifest.out" "$dir/manifest.json"; then
        [ "$epoch" -gt 0 ] || [ "$m_by" = "$maker" ] || die 3 "the manifest is not by the maker of the preamble"
        manifest_good=1
    fi
    ;;
*" $maker "*)
    # LI-4: who rekeyed it is trusted as custodian, and the first maker as maker
    if [ "$epoch" -gt 0 ] && [ -e "$dir/pin.$m_by" ] && signed "$message" "$dir/pin.$m_by" "$tmp/manifest.out" &&
        same_files "$tmp/manifest.out" "$dir/manifest.json"; then
        manifest_good=1 prove=1
    fi
    ;;
esac
if [ "$protection" -eq 1 ] && [ "$c_generation" -eq 1 ] && [ "$epoch" -eq 0 ] && [ "$c_by" != "$m_by" ]; then
    custody_good=
    custody_why="the first custodian is not the maker"
fi

facts() {
    claim=' (claimed: not trusted, not checked)'
    printf 'backup      %s%s\n' "$uuid" "${label:+, label $label}"
    printf 'created     %s, epoch %s, %s\n' "$(date -u -d "@$created" +%Y-%m-%dT%H:%M:%SZ)" "$epoch" "$content_name"
    printf 'finished    %s by %s\n' "$(safe "$m_finished")" "$(safe "$m_tool")"
    printf 'size        %s bytes in %s records, %s volumes%s\n' "$m_plain" "$m_records" "$m_volumes" \
        "$([ "$m_complete" = true ] || echo ', INCOMPLETE')"
    subject_of "$m_by" "$dir"
    printf 'maker       %s, SHA256:%s%s\n' "$subject" "$m_by" "${manifest_good:-$claim}" | sed 's/1$//'
    if [ "$protection" -eq 1 ]; then
        subject_of "$c_by" "$dir"
        printf 'custodian   %s, SHA256:%s%s\n' "$subject" "$c_by" "${custody_good:-$claim}" | sed 's/1$//'
        printf 'generation  %s, %s, "%s"\n' "$c_generation" "$(safe "$c_time")" "$(safe "$c_reason")"
        printf 'cipher      %s\n' "$(echo "$cipher_name" | sed 's/-ctr/-gcm/; s/20/20-poly1305/')"
        number=0
        while [ "$number" -lt "$n_recipients" ]; do
            number=$((number + 1))
            subject=$(openssl x509 -in "$dir/recipient.$number" -noout -subject -nameopt RFC2253)
            printf 'opens for   %s\n' "$(safe "${subject#subject=}")"
        done
    else
        printf 'cipher      none (signed only)\n'
    fi
}

if [ "$mode" = list ]; then
    facts
    exit $((warned * 9))
fi

if [ -z "$manifest_good" ]; then
    case " $makers " in
    *" $m_by "*) die 3 "the manifest's signature is wrong" ;;
    esac
    subject_of "$m_by" "$dir"
    say "the maker is not trusted; the backup claims $subject, SHA256:$m_by"
    die 3 "compare that fingerprint with one from another source and give it with --trust"
fi
facts >&2
[ "$protection" -eq 2 ] || [ -n "$custody_good" ] || custody_bad "$custody_why"
if [ -n "$prove" ]; then
    [ "$mode" = restore ] || die 3 "rekeyed by somebody who is trusted as custodian only: the first maker is proven with --key"
elif [ "$epoch" -gt 0 ]; then
    say "epoch $epoch: the maker shown is who rekeyed; who made the first epoch is only claimed"
fi
[ "$files" -eq "$m_volumes" ] || die 5 "the backup has $m_volumes volumes, $files given"
# MF-5
[ -z "$tail_first" ] || [ "$tail_first" -eq "$(tail -n 1 "$dir/volumes" | cut -d ' ' -f 1)" ] ||
    die 5 "the tail does not stand where the manifest says"

# --- the key, then the records --------------------------------------------------------------------

if [ "$protection" -eq 1 ] && [ "$mode" = restore ]; then
    [ -n "$key_file" ] || die 2 "give the private key of a recipient with --key"
    [ -r "$key_file" ] || die 6 "cannot read $key_file"
    unwrap
    check_proof
fi

record=0 pending=0 data=0 data_stream=0 catalog=0 lineage=0 plain_bytes=0 index_off=0 index_record=0
: >"$tmp/entries"
: >"$tmp/records"
: >"$tmp/walk.index"
volume=0
while read -r volume_bytes first_record <&5; do
    volume=$((volume + 1))
    eval "file=\$file_$volume body=\$body_$volume"
    [ "$record" -eq "$first_record" ] || die 3 "volume $volume does not begin with record $first_record"
    [ $((body + volume_bytes)) -le "$(stat -L -c %s "$file")" ] || die 5 "volume $volume is cut off"
    [ "$volume" -eq "$m_volumes" ] || [ $((body + volume_bytes)) -eq "$(stat -L -c %s "$file")" ] ||
        die 5 "volume $volume is too long"
    walk
done 5<"$dir/volumes"
[ "$record" -eq "$m_records" ] && [ "$data" -eq "$m_data" ] && [ "$catalog" -eq "$m_catalog" ] &&
    [ "$lineage" -eq "$m_lineage" ] && [ "$plain_bytes" -eq "$m_plain" ] ||
    die 3 "the records are not those that the manifest counts"
[ "$content" -ne 1 ] || [ "$data" -eq 0 ] ||
    [ $((catalog > 0)) -eq $((data_stream > 0)) ] || die 5 "named streams and a catalog go together"
merkle
[ "$root" = "$m_root" ] || die 3 "a record is damaged or was changed: the Merkle root is not the signed one"
[ -z "$tail_at" ] || same_files "$tmp/walk.index" "$tmp/tail.index" || warn "the tail lists other index frames than there are"
[ "$m_complete" = true ] || warn "the maker says that the source could not be read completely"
say "verified: $record records, root $root"

if [ -n "$prove" ]; then
    prove_first
    subject_of "$maker" "$dir"
    say "lineage: the first maker is $subject; each record is compared with what he signed"
fi

if [ "$mode" = restore ]; then
    find_stream
    if [ "$output" = - ]; then
        exec 4>&1
    else
        part=$(mktemp "$output.part.XXXXXXXXXX") || die 6 "cannot write $output"
        exec 4>"$part"
    fi
    extract
    exec 4>&-
    if [ "$output" != - ]; then
        sync "$part" || die 6 "cannot write $output"
        # ln does not replace a file that appeared meanwhile; mv is for file systems without links
        ln "$part" "$output" 2>/dev/null || {
            [ ! -e "$output" ] && mv "$part" "$output"
        } || die 6 "cannot publish $output"
        rm -f "$part"
        part=
    fi
    say "recovered: $written bytes"
    [ "$content" -eq 1 ] || say "it is a pax archive: tar -xf"
fi
exit $((warned * 9))
