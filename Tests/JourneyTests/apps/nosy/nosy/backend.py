"""A build that tells everything it was given, and knocks at doors: `doors` has a host, a port and a name on each line."""

import base64
import os
import pathlib
import socket
import sys
import urllib.parse
import zipfile


def say(text):
    print(text, file=sys.stderr, flush=True)


def build_wheel(folder, config_settings=None, metadata_directory=None):
    secret = os.environ.get("BUILD_SECRET", "")
    say(f"nosy was given {len(secret)} characters")
    say(f"nosy says {secret} and {urllib.parse.quote(secret, safe='')} and {base64.b64encode(secret.encode()).decode()}")
    say(f"nosy has {dict(os.environ)}")
    doors = pathlib.Path(__file__).with_name("doors")
    for line in doors.read_text().splitlines() if doors.exists() else []:
        host, port, name = line.split()
        try:
            if host == "gateway":
                routes = [line.split() for line in open("/proc/net/route")][1:]
                address = next(bytes.fromhex(route[2])[::-1] for route in routes if route[1] == "00000000")
                host = socket.inet_ntoa(address)
            socket.create_connection((host, int(port)), 3).close()
            say(f"nosy: {name} open")
        except OSError:
            say(f"nosy: {name} closed")
    name = "nosy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        wheel.writestr("nosy.py", "")
        wheel.writestr("nosy-1.0.dist-info/METADATA", "Metadata-Version: 2.4\nName: nosy\nVersion: 1.0\nLicense-Expression: MIT\n")
        wheel.writestr("nosy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: nosy\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("nosy-1.0.dist-info/RECORD", "")
    sys.exit("the build fails, as it was asked to") if pathlib.Path(__file__).with_name("fails").exists() else None
    return name
