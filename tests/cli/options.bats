#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How the command line is read: verbs, options, operands, the home's options file.

load helper

@test "without a verb it says where help is" {
    refuse 2 'say what to do; see coffer help'
}

@test "an unknown verb, and an unknown option before it" {
    refuse 2 "there is no verb 'bakcup'; see coffer help" bakcup
    refuse 2 "there is no option '--verbose'; see coffer help" --verbose
    refuse 2 "there is no verb 'x'; see coffer help" help x
    refuse 2 "there is no verb '\\\\x1B\[31m'; see coffer help" $'\e[31m'
}

@test "--version is one line" {
    accept --version
    prints 'coffer [0-9]+\.[0-9]+\.[0-9]+'
}

@test "help lists every verb" {
    accept help
    for verb in init keygen backup restore verify info receive rotate; do
        prints "  $verb +[A-Z].*"
    done
    accept --help
    accept -h
}

@test "each verb explains itself, the same with help, --help and -h" {
    for verb in init keygen backup restore verify info receive rotate; do
        accept help "$verb"
        prints "Usage: coffer $verb .*"
        help=$output
        accept "$verb" --help
        [ "$output" = "$help" ]
        accept "$verb" -h
        [ "$output" = "$help" ]
    done
}

@test "help is at most 80 columns wide" {
    for verb in init keygen backup restore verify info receive rotate; do
        accept help "$verb"
        [ -z "$(grep -E '^.{81,}$' <<<"$output")" ]
    done
}

@test "every option that help names is understood" {
    for verb in init keygen backup restore verify info receive rotate; do
        accept help "$verb"
        for option in $(grep -oE '^  (-.,|   ) --[a-z-]+' <<<"$output" | grep -oE -- '--[a-z-]+'); do
            call "$verb" "$option=" --no-such-option
            [[ $errors =~ "$option takes no value"|"$option needs a value that is not empty" ]]
        done
    done
}

@test "an unknown option: one sentence, a hint, status 2" {
    refuse 2 'unknown option --no-such-thing' verify --no-such-thing
    [ "$(grep '^Try: ' <<<"$errors")" = 'Try: coffer verify --help' ]
    refuse 2 'unknown option -x' backup -x
    refuse 2 'unknown option --add' backup --add ops.crt -o x -
}

@test "names are not abbreviated" {
    refuse 2 'unknown option --out: did you mean --output\?' backup --out x -
    refuse 2 'unknown option --outputs: did you mean --output\?' backup --outputs=x -
}

@test "a value is missing, empty, superfluous, or there twice" {
    refuse 2 '--output needs a value: FILE\|DIR/\|-' backup --output
    refuse 2 '-o needs a value: FILE\|DIR/\|-' backup - -o
    refuse 2 '--output needs a value that is not empty: FILE\|DIR/\|-' backup --output= -
    refuse 2 '--label needs a value that is not empty: TEXT' backup --label '' -o x -
    refuse 2 '--force takes no value' backup --force=yes -o x -
    refuse 2 '--output was given twice' backup -o x --output y -
}

@test "options that exclude each other" {
    refuse 2 '--quick and --deep exclude each other' verify --quick --deep x
    refuse 2 '--key-passphrase-file and --key-passphrase-fd exclude each other' \
        verify --key-passphrase-file x --key-passphrase-fd 3 x
    refuse 2 '--sign-passphrase-fd and --sign-passphrase-file exclude each other' \
        backup --sign-passphrase-fd 3 --sign-passphrase-file=x -o x -
    refuse 2 '--no-passphrase and --new-passphrase-file exclude each other' \
        keygen --no-passphrase --new-passphrase-file x y
}

@test "operands: too few, too many" {
    refuse 2 'restore needs a FILE' restore -o x
    refuse 2 "keygen takes one NAME, not also 'y'" keygen x y
    refuse 2 'verify needs a FILE or DIR' verify
    refuse 2 'rotate needs a FILE or DIR' rotate --key k
    refuse 2 'keygen needs a NAME' keygen
    refuse 2 "init takes only options, not 'x'" init x
    refuse 2 "receive takes only options, not 'x'" receive x
}

@test "all spellings of an option, before and after operands" {
    for spelling in '--output x.cof -' '--output=x.cof -' '-o x.cof -' '-ox.cof -' '- -o x.cof' \
        '-qo x.cof -' '-qox.cof -' '-o x.cof -- -'; do
        # shellcheck disable=SC2086
        echo hello | "$COFFER" backup -q $spelling
        [ -s x.cof ]
        rm x.cof
    done
}

@test "everything after -- is an operand" {
    refuse 2 "keygen takes one NAME, not also '--cn'" keygen -- x --cn
}

@test "the home's options count where the command line says nothing" {
    cp -r "$P/home" home
    printf '%s\n' '# for every run' '' 'compress=none' '--label nightly' 'digest  sha384' >home/options
    echo hello | COFFER_HOME=home accept backup -o ./ -
    ls nightly-*.cof
    echo hello | COFFER_HOME=home accept backup -o ./ --label other -
    ls other-*.cof
    echo hello | accept backup --home home -o ./ --label again -
    ls again-*.cof
}

@test "the command line replaces the home's list, and its whole group" {
    cp -r "$P/home" home
    printf 'recipient %s\n' "$P/ops.crt" "$P/rec.crt" >home/options
    echo hello | accept backup --home home -o both.cof -
    prints '.*, opens for CN=ops, CN=rec'
    echo hello | accept backup --home home -r "$P/eve.crt" -o eve.cof -
    prints '.*, opens for CN=eve'
    printf 'trust %s\n' "$P/home/signing.crt" >home/options
    rm home/trusted/*
    accept verify --home home both.cof
    call verify --home home --trust "$P/eve.crt" both.cof
    [ "$status" -eq 3 ]
    call verify --home home --trust-custodian "$P/home/signing.crt" both.cof
    [ "$status" -eq 3 ]
}

@test "options of other verbs are left to these; of no verb, refused" {
    cp -r "$P/home" home
    echo 'compress none' >home/options
    echo hello | "$COFFER" backup --home home -q -o x.cof -
    accept verify --home home x.cof
    for line in 'compres none' 'force' '--yes' 'home /tmp' 'reset-custody' 'output x' '-r x'; do
        echo "$line" >home/options
        call verify --home home x.cof
        case $line in
        output*) [ "$status" -eq 0 ] ;; # backup takes it from the home
        *)
            [ "$status" -eq 2 ]
            [[ $errors =~ 'coffer: home/options, line 1: unknown option '.*', or one that counts only on the command line' ]]
            ;;
        esac
    done
}

@test "mistakes in the options file name the line" {
    cp -r "$P/home" home
    printf '%s\n' '# one' 'quiet' 'label' >home/options
    refuse 2 'home/options, line 3: label needs a value: TEXT' backup --home home -o x -
    printf '%s\n' 'quiet=1' >home/options
    refuse 2 'home/options, line 1: quiet takes no value' backup --home home -o x -
    printf '%s\n' 'label a' 'label b' >home/options
    refuse 2 'home/options, line 2: --label was given twice' backup --home home -o x -
}

@test "a full standard output is an error" {
    status=0
    "$COFFER" help >/dev/full 2>err || status=$?
    [ "$status" -eq 6 ]
    grep -qx 'coffer: cannot write to standard output: No space left on device' err
}

@test "a closed standard output is an error" {
    status=0
    "$COFFER" help >&- 2>err || status=$?
    [ "$status" -eq 6 ]
    grep -q '^coffer: cannot write to standard output: ' err
}

@test "a closed standard input is a failed source, not an empty one" {
    call backup -o x.cof - <&-
    [ "$status" -eq 8 ]
    [ ! -e x.cof ]
}
