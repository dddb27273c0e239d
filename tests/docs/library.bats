#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The examples of the library: a program that seals its own objects, one that checks them, and Python.

load ../cli/helper

@test "an application's own objects are sealed, and checked without a private key" {
    "$SEAL" orders.cof "$P/ops.crt" "$P/home/signing.key" 1000
    [ "$("$VERIFY" orders.cof "$P/home/signing.crt")" = "intact, by CN=db1" ]
    accept verify -q orders.cof
    accept restore -q orders.cof --key "$P/ops.key" -o orders
    [ "$(wc -l <orders)" -eq 1000 ]
    [ "$(tail -n 1 orders)" = $'1000\tcoffee\t450' ]
}

@test "with a private key they are read back" {
    "$SEAL" orders.cof "$P/ops.crt" "$P/home/signing.key" 1000
    [ "$("$VERIFY" orders.cof "$P/home/signing.crt" "$P/ops.key" | tail -n 1)" = "1000 orders in $(
        "$COFFER" restore -q orders.cof --key "$P/ops.key" -o - | wc -c) bytes" ]
}

@test "what fails leaves no file, and one sentence" {
    run --separate-stderr "$SEAL" orders.cof "$P/ops.crt" "$P/none.key" 1000
    [ "$status" -eq 1 ]
    [[ "$stderr" =~ ^seal:\ .*none\.key.*$ ]]
    run --separate-stderr "$SEAL" orders.cof "$P/ops.crt" "$P/home/signing.key" 0
    [ "$status" -eq 1 ]
    [ ! -e orders.cof ]
}

@test "what was changed, or is by somebody else, is refused" {
    "$SEAL" orders.cof "$P/ops.crt" "$P/home/signing.key" 1000
    run --separate-stderr "$VERIFY" orders.cof "$P/ops.crt"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"(AUTH)" ]]
    run --separate-stderr "$VERIFY" orders.cof "$P/home/signing.crt" "$P/eve.key"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *"(NO_MATCH)" ]]
    poke orders.cof 42000 changed
    run --separate-stderr "$VERIFY" orders.cof "$P/home/signing.crt"
    [ "$status" -eq 1 ]
}

@test "Python through ctypes" {
    echo hello | backup x.cof
    [ "$(/usr/bin/python3 "$RESTORE" x.cof "$P/home/signing.crt" "$P/ops.key")" = hello ]
    run --separate-stderr /usr/bin/python3 "$RESTORE" x.cof "$P/home/signing.crt" "$P/eve.key"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *RuntimeError* ]]
}
