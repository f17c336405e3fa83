"""A build that takes as long as a test wants, and needs nothing from outside."""

import pathlib
import sys
import time
import zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    print("the slow build begins", file=sys.stderr, flush=True)
    time.sleep(float(pathlib.Path(__file__).with_name("seconds").read_text()))
    if pathlib.Path(__file__).with_name("fails").exists():
        sys.exit("the slow build fails, as it was asked to")
    name = "slow-1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        wheel.writestr("slow.py", "")
        wheel.writestr("slow-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
        wheel.writestr("slow-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: slow\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("slow-1.0.dist-info/RECORD", "")
    return name
