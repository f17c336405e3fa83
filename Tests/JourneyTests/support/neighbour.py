"""A machine beside this one, as far as the network goes: a namespace that is reached over a link of its own.

From builds no port of this host answers. What an admin's mirror serves is elsewhere, and so must be what stands in for it.
"""

import contextlib
import ipaddress
import pathlib
import secrets
import subprocess
import sys

from .platform import ROOT

CHANNEL = pathlib.Path(__file__).with_name("conda_channel.py")


class Neighbour:
    def __init__(self):
        # Addresses that RFC 2544 sets aside for tests of networks; four of them, so that runs beside each other differ.
        block = ipaddress.ip_address("198.18.0.0") + 4 * secrets.randbelow(1 << 15)
        self.host, self.address = str(block + 1), str(block + 2)

    @property
    def settings(self):
        """The platform's, with the neighbour's channel in conda-forge's place."""
        return {"MOOR_CONDA_CHANNELS": "conda-forge", "MOOR_CONDA_MIRRORS": f"conda-forge=http://{self.address}"}

    @contextlib.contextmanager
    def serving_conda(self):
        """The channel of conda_channel.py, made once among the build products as the Swift tests do."""
        channel, link = str(ROOT / ".build/conda-channel"), f"jc{secrets.token_hex(4)}"
        subprocess.run([sys.executable, CHANNEL, "make", channel], check=True)
        # The link and the namespace go with the process, and it ends with its standard input.
        process = subprocess.Popen(
            ["unshare", "--net", sys.executable, CHANNEL, "serve", channel, "", "80"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with process:
            assert process.stdout.readline() == b"80\n"
            here = ["ip", "-batch", "-"]
            there = ["nsenter", "--net", "--target", str(process.pid), *here]
            for command, lines in [
                (here, f"link add {link} type veth peer name eth0 netns {process.pid}\naddr add {self.host}/30 dev {link}\nlink set {link} up"),
                (there, f"addr add {self.address}/30 dev eth0\nlink set eth0 up\nroute add default via {self.host}"),
            ]:
                subprocess.run(command, input=lines, text=True, check=True)
            yield
