"""A site with Julia's downloads in small, for tests: bin/versions.json and one archive, as the Julia project lays them out.

    julia_site.py make FOLDER    writes FOLDER/bin, where it is not there yet

The Julia in the archive is a real one, but not the Julia project's own build: it is Debian 11's julia 1.5.3 with the libraries
that it stands on, put into the shape of an official archive, as the project's own site cannot be reached from where tests run.
"""

import concurrent.futures
import hashlib
import json
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

DEBIAN = "http://deb.debian.org/debian/"
VERSION = "1.5.3"
NAME = f"julia-{VERSION}-linux-x86_64.tar.gz"
# What the base image has itself.
HERE = {"libc6", "libgcc-s1", "libstdc++6", "libcrypt1"}
START = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
libraries=$here/../lib/x86_64-linux-gnu
export LD_LIBRARY_PATH="$libraries:$libraries/openblas-pthread"
exec "$here/julia-debian" "$@"
"""


def get(path):
    with urllib.request.urlopen(DEBIAN + path, timeout=120) as answer:
        return answer.read()


def packages():
    known = {}
    for block in lzma.decompress(get("dists/bullseye/main/binary-amd64/Packages.xz")).decode().split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+): (.*)$", block, re.M))
        if fields:
            known[fields["Package"]] = fields
    wanted, open_names = {}, ["julia", "libopenblas0-pthread"]
    while open_names:
        name = open_names.pop()
        if name in wanted or name in HERE or name not in known:
            continue
        wanted[name] = known[name]
        open_names += [re.split(r"[ (|:]", part.strip())[0] for part in known[name].get("Depends", "").split(",") if part.strip()]
    return wanted.values()


def unpack(package, folder):
    data = get(package["Filename"])
    if hashlib.sha256(data).hexdigest() != package["SHA256"]:
        sys.exit(f"{package['Filename']} is not what Debian's list says")
    file = folder / f"{package['Package']}.deb"
    file.write_bytes(data)
    subprocess.run(["dpkg-deb", "--extract", file, folder / "root"], check=True)


def make(site, folder):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda package: unpack(package, folder), packages()))
    root, julia = folder / "root", folder / f"julia-{VERSION}"
    shutil.copytree(root / "usr/lib", julia / "lib", symlinks=True)
    shutil.copytree(root / "lib/x86_64-linux-gnu", julia / "lib/x86_64-linux-gnu", symlinks=True, dirs_exist_ok=True)
    shutil.copytree(root / "usr/share/julia", julia / "share/julia", symlinks=True, ignore=shutil.ignore_patterns("test", "base.cache"))
    shutil.copytree(root / "etc/julia", julia / "etc/julia")
    (julia / "bin").mkdir()
    shutil.copy(root / "usr/bin/julia", julia / "bin/julia-debian")
    (julia / "bin/julia").write_text(START)
    (julia / "bin/julia").chmod(0o755)
    place = site / "bin/linux/x64/1.5" / NAME
    place.parent.mkdir(parents=True)
    subprocess.run(["tar", "--create", "--use-compress-program", "gzip -1", "--file", place, "--directory", folder, julia.name], check=True)
    with open(place, "rb") as archive:
        digest = hashlib.file_digest(archive, "sha256").hexdigest()
    path = f"https://julia.example.com/bin/linux/x64/1.5/{NAME}"
    file = {"url": path, "triplet": "x86_64-linux-gnu", "kind": "archive", "arch": "x86_64", "os": "linux", "extension": "tar.gz",
            "version": VERSION, "sha256": digest, "size": place.stat().st_size}
    versions = {
        VERSION: {"files": [file], "stable": True},
        # What is on no site, what is not what its checksum says, and what nobody is given unasked.
        "1.4.0": {"files": [file | {"version": "1.4.0", "url": path.replace(VERSION, "1.4.0").replace("1.5/", "1.4/")}], "stable": True},
        "1.3.0": {"files": [file | {"version": "1.3.0", "sha256": "0" * 64}], "stable": True},
        "1.6.0-rc1": {"files": [file | {"version": "1.6.0-rc1"}], "stable": False},
    }
    (site / "bin/versions.json").write_text(json.dumps(versions))


target = pathlib.Path(sys.argv[2])
if not target.exists():
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        scratch = pathlib.Path(scratch)
        make(scratch / "site", scratch)
        try:
            # Whole or not at all: others may make it at the same time.
            os.rename(scratch / "site", target)
        except OSError:
            if not target.exists():
                raise
