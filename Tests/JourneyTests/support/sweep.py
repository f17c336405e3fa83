"""Takes away what one test run left behind, and nothing that does not carry its id.

    sweep.py --snapshot              what the host's network looked like before, as JSON
    sweep.py RUN SCRATCH SNAPSHOT    removes processes, containers, mounts, networks and files of the run

A run that ended well has removed everything itself; this is for the ones that were interrupted.
"""

import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def links():
    return {link["ifname"] for link in json.loads(output("ip", "-j", "link") or "[]")}


def firewall(tool="iptables-save"):
    """Rules and chains without their counters."""
    return [line for line in output(tool).splitlines() if line[:1] in "*-:"]


def snapshot():
    return {"links": sorted(links()), "netavark": any("NETAVARK" in line for line in firewall())}


def read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""


def root_mount(pid):
    """What a process has as its root folder, as /proc/pid/mountinfo tells it."""
    return next((line for line in read(f"/proc/{pid}/mountinfo").splitlines() if line.split()[4:5] == [b"/"]), b"")


def processes_of(run, scratch):
    """Processes that have the run's id in their environment or command line, or live on a root below the scratch folder."""
    own = {os.getpid()}
    pid = os.getpid()
    while pid > 1:  # whoever called this carries the id too
        pid = int(read(f"/proc/{pid}/stat").rsplit(b")", 1)[-1].split()[1] or 0) if read(f"/proc/{pid}/stat") else 0
        own.add(pid)
    marks = (f"JOURNEY_RUN={run}".encode(), str(scratch).encode())
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) in own:
            continue
        environment = read(f"/proc/{entry}/environ").split(b"\0")
        if marks[0] in environment or marks[1] in read(f"/proc/{entry}/cmdline") or marks[1] in root_mount(entry):
            found.append(int(entry))
    return found


def mounts_below(folder):
    table = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    below = [line.split()[4] for line in table]
    return [mount for mount in reversed(below) if mount == str(folder) or mount.startswith(f"{folder}/")]


def remove_folder(folder):
    """With what is mounted below it; never through a mount, which may be the host's own."""
    for mount in mounts_below(folder):
        output("umount", "--lazy", mount)
    output("rm", "-rf", "--one-file-system", str(folder))


def engine_of(pid):
    """How to call podman so that it means the engine of this process; None where it belongs to none.

    A `podman … system service` has the options itself, a container's monitor has them for the day its container ends.
    """
    words = [word.decode(errors="replace") for word in read(f"/proc/{pid}/cmdline").split(b"\0") if word]
    if words and words[0].endswith("conmon"):
        words = ["podman"] + [word for mark, word in zip(words, words[1:]) if mark == "--exit-command-arg"]
        end, kind = "container", "monitor"
    elif words and words[0].endswith("podman") and "service" in words:
        end, kind = "system", "service"
    else:
        return None
    if end not in words:
        return None
    environment = read(f"/proc/{pid}/environ").decode(errors="replace").split("\0")
    configuration = [pair for pair in environment if pair.startswith("CONTAINERS_CONF=")]
    return {"kind": kind, "arguments": words[1 : words.index(end)], "environment": dict(pair.split("=", 1) for pair in configuration)}


def engines_of(pids, scratch):
    """Each engine of the run: those that still serve or have containers, and those that the platforms' start noted."""
    noted = [json.loads(file.read_text()) for file in scratch.glob("*/engine.json")]
    engines = {}
    for engine in [*filter(None, map(engine_of, pids)), *noted]:
        engines.setdefault(option(engine, "--root"), engine)
    return list(engines.values())


def option(engine, name):
    arguments = engine["arguments"]
    return arguments[arguments.index(name) + 1] if name in arguments else None


def podman(engine, *words):
    command = ["podman", *engine["arguments"], *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | engine["environment"]).stdout
    except subprocess.TimeoutExpired:
        return ""


def remove_engine(engine):
    """Containers and networks through the engine itself, so that it takes its network set-up away too; then its volatile folders."""
    podman(engine, "rm", "--all", "--force", "--time", "0", "--depend")
    podman(engine, "network", "prune", "--force")
    for name in ("--runroot", "--tmpdir"):
        if (folder := option(engine, name)) and len(pathlib.Path(folder).parts) > 3:
            remove_folder(folder)


def namespaces_of(pids):
    inodes = set()
    for pid in pids:
        try:
            inodes.add(os.stat(f"/proc/{pid}/ns/net").st_ino)
        except OSError:
            pass
    inodes.discard(os.stat("/proc/self/ns/net").st_ino)
    return inodes


def remove_namespaces(inodes):
    folder = pathlib.Path("/run/netns")
    for entry in folder.iterdir() if folder.is_dir() else []:
        if entry.stat().st_ino in inodes:
            output("umount", "--lazy", str(entry))
            entry.unlink(missing_ok=True)


def remove_rules(mark):
    """Every rule and chain that names the mark."""
    for tool in ("iptables", "ip6tables"):
        for table in ("mangle", "nat", "filter"):
            rules = [line.split() for line in output(tool, "-w", "5", "-t", table, "-S").splitlines() if mark in line]
            for words in rules:
                if words[0] == "-A" and mark not in words[1]:
                    subprocess.run([tool, "-w", "5", "-t", table, "-D", *shlex.split(" ".join(words[1:]))], capture_output=True)
            chains = [words[1] for words in rules if words[0] == "-N"]
            for step in ("-F", "-X"):
                for chain in chains:
                    output(tool, "-w", "5", "-t", table, step, chain)


def remove_traces(platforms):
    """Interfaces, firewall rules and the folder of sockets of platforms that have stopped."""
    for name, tag in platforms.items():
        for link in links():
            if link.startswith(f"mr{tag}"):
                output("ip", "link", "delete", link)
        remove_rules(f"mr{tag}")
        remove_folder(f"/run/moorage/{name}")
    if platforms:
        output("rmdir", "--ignore-fail-on-non-empty", "/run/moorage")


def remove_firewall(before):
    """Netavark's own chains, which stay when its last network goes, where they were not there before."""
    if not before.get("netavark") and not any(name.startswith(("podman", "mr")) for name in links()):
        remove_rules("NETAVARK")


def platforms_below(scratch):
    """By the id of each platform with its data below the folder: what its interfaces and chains are called, `mr` and this."""
    tags = {}
    # No deeper than data folders lie: below them are whole file systems, of a base image being made even the host's own.
    for file in [*scratch.glob("platform-id"), *scratch.glob("*/platform-id"), *scratch.glob("*/*/platform-id")]:
        value, name = 0xCBF29CE484222325, read(file).strip()
        for byte in name:
            value = (value ^ byte) * 0x100000001B3 % 2**64
        value, tag = value % 36**5, ""
        for _ in range(5):
            value, digit = divmod(value, 36)
            tag = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + tag
        tags[name.decode()] = tag
    return tags


def sweep(run, scratch, before):
    pids = processes_of(run, scratch)
    namespaces = namespaces_of(pids)
    # The platforms first, so that nothing is started anew; then containers through their engine; then whatever is left.
    for pid in pids:
        if b"moor\0serve" in read(f"/proc/{pid}/cmdline"):
            kill(pid, signal.SIGKILL)
    platforms = platforms_below(scratch)
    for engine in engines_of(pids, scratch):
        remove_engine(engine)
    deadline = time.monotonic() + 10
    while (pids := processes_of(run, scratch)) and time.monotonic() < deadline:
        for pid in pids:
            kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    remove_namespaces(namespaces)
    remove_traces(platforms)
    remove_folder(scratch)
    remove_firewall(before)
    if pids or scratch.exists():
        print(f"could not be removed: {[*pids, *([str(scratch)] if scratch.exists() else [])]}", file=sys.stderr)


def kill(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        pass


if __name__ == "__main__":
    if sys.argv[1] == "--snapshot":
        print(json.dumps(snapshot()))
    else:
        sweep(sys.argv[1], pathlib.Path(sys.argv[2]), json.loads(sys.argv[3] or "{}"))
