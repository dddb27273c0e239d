#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A machine with storage fetches backups from another one over a real ssh, as docs/DATABASES.md says:
# both are this machine, with a server on 127.0.0.1 for nobody else, and keys that are thrown away.
# usage: ssh.sh COFFER
# shellcheck disable=SC2317 # functions are called through holds
set -u
export LC_ALL=C.UTF-8

top=$(mktemp -d "${TMPDIR:-/tmp}/coffer-ssh.XXXXXX") || exit 1
cp "$1" "$top/coffer" || exit 1
# shellcheck source=tests/live/holds.bash
. "$(dirname "$0")/holds.bash"
cd "$top" || exit 1
export PATH=$top:$PATH COFFER_HOME=$top/home
server=

stop() {
    [ -z "$server" ] || kill "$server"
    [ -z "$server" ] || wait "$server"
    cd / && rm -rf "$top"
}
trap stop EXIT

ssh() {
    command ssh -F "$top/config" "$@"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Each has a key of its own, by which the server knows which command it may run: exactly that.
allow() { # NAME COMMAND
    ssh-keygen -q -t ed25519 -N '' -f "$1" &&
        echo "restrict,command=\"COFFER_HOME=$COFFER_HOME $top/$2\" $(cat "$1.pub")" >>authorized_keys &&
        printf 'Host %s\nIdentityFile %s/%s\n' "$1" "$top" "$1" >>config
}

people() {
    coffer keygen ops --type p256 --no-passphrase -q && coffer init --name db1 -r ops.crt -q &&
        cp home/signing.crt db1.crt && mkdir backups
}

serve() {
    local port
    port=$(free_port) && ssh-keygen -q -t ed25519 -N '' -f host || return
    cat >sshd_config <<END
ListenAddress 127.0.0.1
Port $port
HostKey $top/host
PidFile none
AuthorizedKeysFile $top/authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
END
    printf '#!/bin/sh\nseq 9000000\necho $$ >%s/pid\nsleep 1000\n' "$top" >slow && chmod +x slow || return
    allow db1 "coffer backup -q -o - --label shop --stdin-from-command -- seq 100000" &&
        allow failing "coffer backup -q -o - --label bad --stdin-from-command -- sh -c 'seq 100000; exit 1'" &&
        allow hanging "coffer backup -q -o - --label bad --timeout 3s --stdin-from-command -- $top/slow" ||
        return
    cat >>config <<END
Host *
HostName 127.0.0.1
Port $port
User $(id -un)
IdentitiesOnly yes
BatchMode yes
UserKnownHostsFile $top/known_hosts
END
    echo "[127.0.0.1]:$port $(cat host.pub)" >known_hosts
    [ "$(id -u)" != 0 ] || mkdir -p /run/sshd || return # what its start by the system makes
    "$(PATH=$PATH:/usr/sbin type -P sshd)" -D -e -f "$top/sshd_config" 2>log &
    server=$!
    for _ in $(seq 100); do
        grep -q 'Server listening' log && return 0
        sleep 0.1
    done
    return 1
}

pulled() {
    set -o pipefail
    ssh db1 coffer backup -q -o - --label shop --stdin-from-command -- seq 100000 |
        coffer receive -q -o backups/ --trust db1.crt || return
    coffer restore -q backups/shop-*.cof --key ops.key --trust db1.crt -o - | cmp - <(seq 100000)
}

only_that() {
    ssh db1 id >other && coffer verify -q other --trust db1.crt # whatever is asked, it is this backup
}

fails() {
    ! ssh failing | coffer receive -q -o backups/ --trust db1.crt && [ -z "$(find backups -name 'bad-*')" ]
}

# The connection breaks off: nothing is published, and on the other side nothing is left.  To a command
# that writes nothing more sshd says nothing; it is --timeout that ends it.
broken_off() {
    local ssh_pid receive_pid pid
    mkfifo pipe && { coffer receive -q -o backups/ --trust db1.crt <pipe & } && receive_pid=$!
    command ssh -F config hanging >pipe &
    ssh_pid=$!
    for _ in $(seq 200); do
        [ ! -s pid ] || break
        sleep 0.1
    done
    pid=$(cat pid) && kill -0 "$pid" && kill "$ssh_pid" || return
    ! wait "$receive_pid" && [ "$(find backups -type f | wc -l)" -eq 1 ] || return
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

holds "keys" people
holds "a server on 127.0.0.1" serve
holds "a backup is pulled, and can be restored" pulled
holds "with the key of the vault nothing else can be run" only_that
holds "what fails at the source is not published" fails
holds "a connection that breaks off: nothing is published, no process is left" broken_off
holds_end
