#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The home: where it is, who may write it, and making it.

load helper

@test "init makes a home and says what is where" {
    accept init --home new --name db1 -r "$P/ops.crt" -r "$P/rec.crt"
    prints "new/signing.key  signs this host's backups; no passphrase, (root|readable by you) only"
    prints 'new/signing.crt  CN=db1, until [0-9]{4}-[0-9]{2}-[0-9]{2}, SHA256:([0-9A-F]{2}:){31}[0-9A-F]{2}  \(write this down\)'
    prints 'new/recipients   CN=ops, CN=rec'
    prints 'new/trusted      CN=db1'
    [ "$(stat -c %a new)" = 700 ]
    [ "$(stat -c %a new/signing.key)" = 600 ]
    [ "$(ls new)" = $'recipients\nsigning.crt\nsigning.key\ntrusted' ]
    [ "$(ls new/recipients)" = $'ops.crt\nrec.crt' ]
    [ "$(ls new/trusted)" = db1.crt ]
    cmp new/trusted/db1.crt new/signing.crt
    openssl x509 -in new/signing.crt -noout -text | grep -q 'ASN1 OID: prime256v1'
}

@test "a home may lie as deep as a name is long" {
    local deep
    deep=$(printf 'a/%.0s' {1..1990})home
    accept init --home "$deep"
    [ "$(stat -c %a a)" = 700 ]
    [ -e "$deep/signing.key" ]
}

@test "the signing certificate lasts three years, or as long as is said" {
    accept init --home a
    openssl x509 -in a/signing.crt -noout -checkend $((1095 * 86400))
    run ! openssl x509 -in a/signing.crt -noout -checkend $((1097 * 86400))
    accept init --home b --days 10 --type rsa-3072
    openssl x509 -in b/signing.crt -noout -checkend $((9 * 86400))
    run ! openssl x509 -in b/signing.crt -noout -checkend $((11 * 86400))
    openssl x509 -in b/signing.crt -noout -text | grep -q 'Public-Key: (3072 bit)'
}

@test "its name is the host's unless another is said" {
    accept init --home a
    prints "a/signing.crt  CN=$(hostname | cut -c1-64), .*"
}

@test "init without recipients says what to do" {
    accept init --home a
    prints 'a/recipients   nobody yet: put the certificates of those who shall open backups into it'
    COFFER_HOME=a refuse 2 'there are no recipients: name certificates with -r, or put them into a/recipients' \
        backup -o x - </dev/null
}

@test "init never overwrites a signing key" {
    accept init --home a
    refuse 2 'a/signing.key exists already, and is never overwritten; .*' init --home a
    refuse 2 'a/signing.key exists already, and is never overwritten; .*' \
        init --home a -r "$P/ops.crt"
}

@test "init into a home that was made before" {
    mkdir -m 700 a a/recipients
    cp "$P/ops.crt" a/recipients
    accept init --home a --name x -r "$P/rec.crt"
    [ "$(ls a/recipients)" = $'ops.crt\nrec.crt' ]
}

@test "certificates with the same name get names of their own" {
    certificate one --cn same
    certificate two --cn same
    certificate odd --cn '../x y,z'
    accept init --home a -r one.crt -r two.crt -r odd.crt
    [ "$(ls a/recipients | wc -l)" -eq 3 ]
    [ -e a/recipients/same.crt ]
    [ -e a/recipients/same-2.crt ]
    [ ! -e a/x ]
}

@test "init makes the directories above, for us alone" {
    accept init --home x/y/home
    [ "$(stat -c %a x)" = 700 ]
    [ "$(stat -c %a x/y)" = 700 ]
}

@test "a refused recipient: nothing is left of the home" {
    certificate weak --type rsa1024
    certificate old --to-day -1
    echo hello >text.crt
    refuse 7 '.*text.crt.*no certificate.*' init --home x/new -r text.crt
    refuse 7 '.*' init --home x/new -r weak.crt
    refuse 7 '.*expired.*' init --home x/new -r old.crt
    refuse 6 '.*none.crt.*' init --home x/new -r none.crt
    mkdir empty
    refuse 7 'empty holds no certificate' init --home x/new -r empty
}

@test "bad options of init: nothing is left of the home" {
    refuse 2 'unknown type of key: use .*' init --home new --type dsa
    refuse 2 '--days needs a number from 1 to 36500' init --home new --days 0
    refuse 2 '--days needs a number from 1 to 36500' init --home new --days 36501
    refuse 2 '--days needs a number from 1 to 36500' init --home new --days 1y
    refuse 2 '--days needs a number from 1 to 36500' init --home new --days -1
    refuse 2 '.*' init --home new --name "$(printf 'x%.0s' {1..65})"
}

@test "a home that is a file" {
    echo hello >file
    refuse 2 'the home file is not a directory' init --home file
    refuse 2 'the home file is not a directory' verify --home file x
    refuse 6 'cannot (make|look at) file/.*' init --home file/x
}

@test "--home must exist, but for init" {
    refuse 2 '--home none: there is no such directory; coffer init makes it' verify --home none x
}

@test "\$COFFER_HOME, and --home before it" {
    accept init --home a --name a
    accept init --home b --name b
    unset COFFER_HOME
    echo hello | COFFER_HOME=a accept backup -o x.cof -r "$P/ops.crt" -
    prints 'x.cof: .*, by CN=a, .*'
    echo hello | COFFER_HOME=a accept backup --home b -o y.cof -r "$P/ops.crt" -
    prints 'y.cof: .*, by CN=b, .*'
}

@test "without a home: what is needed is asked for" {
    COFFER_HOME=none refuse 2 'there are no recipients: name certificates with -r, or put them into none/recipients' \
        backup -o x - </dev/null
    COFFER_HOME=none refuse 2 'there is no signing key: name one with --sign-key, or make one in none with coffer init' \
        backup -o x -r "$P/ops.crt" - </dev/null
}

@test "for others than root the home is ~/.config/coffer" {
    [ "$(id -u)" -eq 0 ] # the suite runs as root
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR" "$BATS_TEST_TMPDIR"
    install -d -o nobody -m 700 nobody
    install -m 755 "$COFFER" ./coffer
    setpriv --reuid nobody --clear-groups env -u COFFER_HOME HOME="$PWD/nobody" ./coffer init -q
    [ -e nobody/.config/coffer/signing.key ]
}

# ---- who may write it ----

@test "a home that group or others can write is refused" {
    cp -r "$P/home" home
    echo hello | "$COFFER" backup -q -o x.cof -
    for mode in 0720 0702 0777 1777; do
        chmod "$mode" home
        refuse 7 '.*/home can be written by others, .*; chmod go-w it' verify --home home x.cof
    done
    chmod 0755 home
    accept verify --home home x.cof
}

@test "so is what lies in it" {
    cp -r "$P/home" home
    echo hello | "$COFFER" backup -q -o x.cof -
    for thing in trusted trusted/db1.crt; do
        chmod o+w "home/$thing"
        refuse 7 ".*home/$thing can be written by others, .*" verify --home home x.cof
        chmod o-w "home/$thing"
    done
    for thing in recipients recipients/ops.crt signing.key signing.crt; do
        chmod g+w "home/$thing"
        refuse 7 ".*home/$thing can be written by others, .*" backup --home home -o y.cof - </dev/null
        chmod g-w "home/$thing"
    done
    echo quiet >home/options
    chmod o+w home/options
    refuse 7 '.*home/options can be written by others, .*' verify --home home x.cof
}

@test "a home in a directory that others can write is refused, but for a sticky one" {
    mkdir above
    cp -r "$P/home" above/home
    echo hello | "$COFFER" backup -q -o x.cof -
    chmod 0777 above
    refuse 7 '.*/above can be written by others, .*' verify --home above/home x.cof
    chmod 1777 above
    accept verify --home above/home x.cof
}

@test "a home of somebody else is refused" {
    [ "$(id -u)" -eq 0 ] # the suite runs as root
    cp -r "$P/home" home
    chown nobody home
    refuse 7 '.*/home belongs to another user, .*' verify --home home x.cof
    chown root home
    chown nobody home/trusted
    refuse 7 '.*home/trusted belongs to another user, .*' verify --home home x.cof
}

@test "init does not make a home where others can write" {
    mkdir -m 0777 above
    refuse 7 '.*/above can be written by others, .*' init --home above/home
}
