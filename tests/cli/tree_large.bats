# SPDX-License-Identifier: Apache-2.0
#
# A backup of many files, and one of a very large hole: nothing is lost, and they cost neither memory nor
# space.

load helper

# Where there is memory for it: a disk may take minutes to remove so many files.
setup() {
    workdir
    if [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -gt 6000000 ]; then
        memory=$(mktemp -d /dev/shm/coffer-large.XXXXXX)
        cd "$memory" || return 1
    fi
    backup=$BATS_TEST_TMPDIR/b.cof
}

teardown() {
    cd /
    [ -z "${memory:-}" ] || rm -rf "$memory"
}

# lean ARG...: the command does it in at most 96 MiB, and 32 more for each processor above two, and says
# how much it took
lean() {
    /usr/bin/python3 - "$COFFER" "$@" <<'PYTHON'
import os, resource, subprocess, sys
most = 96 + 32 * max(0, len(os.sched_getaffinity(0)) - 2)
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print("# %s: %d KiB" % (sys.argv[2], used))
bounded = "COFFER_SLOW" not in os.environ  # sanitizers keep what is given back
sys.exit(bounded and used > most * 1024 and "used %d KiB" % used)
PYTHON
}

# lean_all TREE: made, verified, listed and restored, with nothing different
lean_all() {
    lean backup -q -o "$backup" "$1"
    lean verify -q "$backup"
    lean verify -q --deep --key "$P/ops.key" "$backup"
    lean list "$backup" --key "$P/ops.key"
    lean restore -q "$backup" --key "$P/ops.key" -C out
    /usr/bin/python3 "$here/tree_compare.py" "$1" "out/$1"
}

@test "70,000 files: nothing different, bounded memory, hardly larger than tar and zstd" {
    /usr/bin/python3 - <<'PYTHON'
import glob, os, random, sysconfig
random.seed(1)
text = b"".join(open(p, "rb").read()
                for p in sorted(glob.glob(sysconfig.get_path("stdlib") + "/**/*.py", recursive=True)))
for d in range(700):
    os.makedirs("t/dir%02d/sub%d" % (d // 10, d % 10))
    for i in range(100):
        size = int(random.lognormvariate(8.3, 1.3))
        at = random.randrange(len(text) - 1)
        with open("t/dir%02d/sub%d/file_%05d.py" % (d // 10, d % 10, d * 100 + i), "wb") as f:
            f.write(text[at:at + size])
PYTHON
    lean_all t
    tar -cf - t | zstd -3 -q >t.tar.zst
    echo "# $(stat -c %s "$backup") bytes, tar and zstd $(stat -c %s t.tar.zst)"
    [ $((100 * $(stat -c %s "$backup"))) -le $((103 * $(stat -c %s t.tar.zst))) ]
    lean restore -q "$backup" --key "$P/ops.key" -C part t/dir33/sub3/file_33333.py 't/dir4?/sub0'
    [ "$(find part -type f | wc -l)" -eq 1001 ]
    cmp t/dir33/sub3/file_33333.py part/t/dir33/sub3/file_33333.py
}

@test "64 GiB of which 1 MiB is no hole" {
    mkdir s
    truncate -s 64G s/sparse
    noise | dd of=s/sparse bs=1M seek=40000 conv=notrunc status=none
    lean_all s
    [ "$(stat -c %s "$backup")" -lt 1200000 ]
    [ "$(du -k out/s/sparse | cut -f1)" -lt 2048 ]
}
