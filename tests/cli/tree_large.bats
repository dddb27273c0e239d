# SPDX-License-Identifier: Apache-2.0
#
# A backup of many files: nothing is lost, and it costs neither memory nor space.

load helper

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
    /usr/bin/python3 - "$COFFER" <<'PYTHON'
import resource, subprocess, sys
subprocess.run([sys.argv[1], "backup", "-q", "-o", "b.cof", "t"], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
sys.exit(used > 96 * 1024 and "used %d KiB" % used)
PYTHON
    mkdir a
    tar -cf - t | zstd -3 -q >t.tar.zst
    [ $((100 * $(stat -c %s b.cof))) -le $((103 * $(stat -c %s t.tar.zst))) ]
    accept verify --deep --key "$P/ops.key" b.cof
    "$COFFER" restore -q b.cof --key "$P/ops.key" -o - | bsdtar -xpf - -C a
    /usr/bin/python3 "$here/tree_compare.py" t a/t --no-xattrs
}
