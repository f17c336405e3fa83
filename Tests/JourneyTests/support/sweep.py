"""Takes away what one test run left behind, and nothing that does not carry its id.

    sweep.py --snapshot              what the host's network looked like before, as JSON
    sweep.py RUN SCRATCH SNAPSHOT    removes processes, containers, mounts, networks and files of the run

A run that ended well has removed everything itself; this is for the ones that were interrupted.
"""

import json
import os
import pathlib
import shutil
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
        root = next((line for line in read(f"/proc/{entry}/mountinfo").splitlines() if line.split()[4:5] == [b"/"]), b"")
        if marks[0] in environment or marks[1] in read(f"/proc/{entry}/cmdline") or marks[1] in root:
            found.append(int(entry))
    return found


def mounts_below(folder):
    table = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    below = [line.split()[4] for line in table]
    return [mount for mount in reversed(below) if mount == str(folder) or mount.startswith(f"{folder}/")]


def remove_containers(arguments):
    """Through the engine itself, so that it takes its network set-up away too."""
    podman = ["podman", *arguments]
    output(*podman, "rm", "--all", "--force", "--time", "0", "--depend")
    output(*podman, "network", "prune", "--force")


def engine_arguments(pid):
    """The global options that make any podman command mean the engine of this process; None where it belongs to none.

    A `podman … system service` has them itself, a container's monitor has them for the day its container ends.
    """
    words = [word.decode(errors="replace") for word in read(f"/proc/{pid}/cmdline").split(b"\0") if word]
    if words and words[0].endswith("conmon"):
        words = [word for mark, word in zip(words, words[1:]) if mark == "--exit-command-arg"]
        return words[: words.index("container")] if "container" in words else None
    if words and words[0].endswith("podman") and "system" in words and "service" in words:
        return words[1 : words.index("system")]
    return None


def engines_of(pids, scratch):
    """Options of each engine of the run: of those that still serve, and as the platforms' start noted them."""
    found = [arguments for pid in pids if (arguments := engine_arguments(pid))]
    for noted in scratch.rglob("podman-arguments.json") if scratch.exists() else []:
        if (arguments := json.loads(noted.read_text())) not in found:
            found.append(arguments)
    return found


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


def bridges_of(scratch):
    """Interfaces that network configurations below the scratch folder name."""
    names = set()
    for file in scratch.rglob("*.json"):
        if file.stat().st_size < 65536 and b'"network_interface"' in (text := read(file)):
            try:
                names.add(json.loads(text).get("network_interface"))
            except ValueError:
                pass
    return names & links()


def remove_firewall(before):
    """Netavark's own chains stay when its last network goes; they go too where they were not there before us."""
    if before.get("netavark") or any(name.startswith(("podman", "moor")) for name in links()):
        return
    for tool in ("iptables", "ip6tables"):
        for table in ("nat", "filter"):
            rules = [line for line in output(tool, "-t", table, "-S").splitlines() if "NETAVARK" in line]
            for rule in rules:
                if rule.startswith("-A") and not rule.startswith("-A NETAVARK"):
                    output(tool, "-t", table, "-D", *rule.split()[1:])
            chains = [rule.split()[1] for rule in rules if rule.startswith("-N")]
            for chain in chains:
                output(tool, "-t", table, "-F", chain)
            for chain in chains:
                output(tool, "-t", table, "-X", chain)


def sweep(run, scratch, before):
    pids = processes_of(run, scratch)
    namespaces = namespaces_of(pids)
    # The platforms first, so that nothing is started anew; then containers through their engine; then whatever is left.
    for pid in pids:
        if b"moor\0serve" in read(f"/proc/{pid}/cmdline"):
            kill(pid, signal.SIGKILL)
    for arguments in engines_of(pids, scratch):
        remove_containers(arguments)
    deadline = time.monotonic() + 10
    while (pids := processes_of(run, scratch)) and time.monotonic() < deadline:
        for pid in pids:
            kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    remove_namespaces(namespaces)
    if scratch.exists():
        for bridge in bridges_of(scratch):
            output("ip", "link", "delete", bridge)
    for mount in mounts_below(scratch):
        output("umount", "--lazy", mount)
    shutil.rmtree(scratch, ignore_errors=True)
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
