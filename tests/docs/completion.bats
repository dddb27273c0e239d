#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Completion, as each shell itself would offer it.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    mkdir -p work/folder
    cd work || return 1
    touch ops.crt ops.key
}

# offered WORD...: what bash offers for the last word, one a line
offered() {
    # shellcheck disable=SC2016  # for the inner shell
    bash --norc -c '
        . "$1"
        shift
        COMP_WORDS=(coffer "$@")
        COMP_CWORD=$#
        complete -p coffer >/dev/null && _coffer
        printf "%s\n" "${COMPREPLY[@]}"' bash "$COMPLETION_BASH" "$@"
}

# What --help shows of a verb.
shown() {
    "$COFFER" "$1" --help | grep -oE '^  (-[A-Za-z0-9], |    )--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+'
}

@test "bash completes verbs" {
    [ "$(offered rec)" = receive ]
    [ "$(offered ver)" = verify ]
    [ "$(offered '' | grep -v ^- | sort)" = "$("$COFFER" help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort)" ]
    [ "$(offered help back)" = backup ]
}

@test "bash completes every option of every verb, and no other" {
    for verb in $("$COFFER" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
        [ "$verb" != help ] || continue
        [ "$(offered "$verb" -- | sort)" = "$(shown "$verb" | sort)" ] || {
            echo "$verb"
            return 1
        }
    done
}

@test "bash completes values: words, files, and nothing where it cannot know" {
    [ "$(offered backup --digest sha3)" = sha384 ]
    [[ $(offered backup --compress '') == *zstd*none* ]]
    [ "$(offered keygen --type p38)" = p384 ]
    [ "$(offered backup -r ops.c)" = ops.crt ]
    [ "$(offered restore --key ops.k)" = ops.key ]
    [ -z "$(offered backup --label o)" ]
}

@test "bash completes operands, and options no more behind --" {
    [ "$(offered verify fol)" = folder ]
    [ -z "$(offered verify -- --q)" ]
    [ -z "$(offered nonsense --q)" ]
}

@test "bash knows the function by complete, and the file is clean" {
    # shellcheck disable=SC2016
    run bash --norc -c '. "$1"; complete -p coffer' bash "$COMPLETION_BASH"
    [ "$output" = "complete -F _coffer coffer" ]
    shellcheck "$COMPLETION_BASH" --shell=bash
}

@test "fish completes verbs, options and values" {
    export HOME=$BATS_TEST_TMPDIR
    try() { fish --no-config -c "source '$COMPLETION_FISH'; complete -C '$1'" | cut -f1; }
    [ "$(try 'coffer rec')" = receive ]
    [ "$(try 'coffer backup --exclude-c')" = --exclude-caches ]
    [ "$(try 'coffer backup --digest sha3')" = sha384 ]
    [ "$(try 'coffer restore --key ops.k')" = ops.key ]
    for verb in $("$COFFER" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
        [ "$verb" != help ] || continue
        [ "$(try "coffer $verb --" | sort)" = "$(shown "$verb" | sort)" ] || {
            echo "$verb"
            return 1
        }
    done
}

@test "zsh completes verbs, options and values" {
    cp "$COMPLETION_ZSH" "$BATS_TEST_TMPDIR/_coffer"
    run /usr/bin/python3 "$BATS_TEST_DIRNAME/zsh.py" "$BATS_TEST_TMPDIR" 'coffer rec' \
        'coffer backup --exclude-c' 'coffer backup --digest sha3' 'coffer restore --key ops.k'
    echo "$output"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = 'coffer receive' ]
    [ "${lines[1]}" = 'coffer backup --exclude-caches' ]
    [ "${lines[2]}" = 'coffer backup --digest sha384' ]
    [ "${lines[3]}" = 'coffer restore --key ops.key' ]
}
