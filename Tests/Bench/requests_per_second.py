"""Authenticated requests a second through the gateway, nginx auth_request and caddy forward_auth, to the same upstream.

The upstream is an app that came through the real pipeline; nginx and caddy proxy to the very address its replica has.
All three: as many event loops as cores, kept connections to the upstream, no access log. The peers ask an authentication
service that always says yes, over kept connections too.
"""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import time

from support.platform import free_port, wait_for
from support.repository import Repository
from support.viewer import Viewer

PAIRS = 7
SECONDS = 4
CONNECTIONS = 64
CORES = os.cpu_count()

NGINX = """
daemon off; worker_processes {cores}; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 100000000; {paths}
    upstream app {{ server {upstream}; keepalive {connections}; keepalive_requests 100000000; }}
    upstream auth {{ server 127.0.0.1:{auth}; keepalive {connections}; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            auth_request /auth; auth_request_set $viewer $upstream_http_x_viewer;
            proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
            proxy_set_header X-Forwarded-User $viewer;
        }}
        location = /auth {{
            internal; proxy_pass http://auth; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_pass_request_body off; proxy_set_header Content-Length "";
        }}
    }}
}}
"""

CADDY = """
{{
    admin off
    auto_https off
    log {{
        level ERROR
    }}
}}
http://:{port} {{
    bind 127.0.0.1
    forward_auth 127.0.0.1:{auth} {{
        uri /auth
        copy_headers X-Viewer
        transport http {{
            keepalive_idle_conns_per_host {connections}
        }}
    }}
    reverse_proxy {upstream} {{
        transport http {{
            keepalive_idle_conns_per_host {connections}
        }}
    }}
}}
"""


def compile_upstream(target):
    """A static program, so that it runs on any base image."""
    source = pathlib.Path(__file__).with_name("upstream.c")
    subprocess.run(["clang", "-O2", "-static", "-o", target, source], check=True)


@contextlib.contextmanager
def program(words, port, **extra):
    """Runs a server until the end of the block; it is stopped by its process id."""
    server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **extra)
    try:
        wait_for(lambda: server.poll() is not None or answers(port), f"{words[0]} listening", 20)
        assert server.poll() is None, f"{words[0]} ended with {server.returncode}"
        yield
    finally:
        server.terminate()
        server.wait(20)


def answers(port):
    import socket

    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wrk(port, headers=(), seconds=SECONDS):
    """Requests a second; any answer that is not a good one is a failure."""
    words = ["wrk", f"-t{CORES}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s"]
    for name, value in headers:
        words += ["-H", f"{name}: {value}"]
    said = subprocess.run([*words, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True).stdout
    assert "Socket errors" not in said and "Non-2xx" not in said, said
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def measure(platform, scratch):
    """Yields (name, peer, aim, better, pairs, unit) for each peer."""
    folder = scratch / "requests"
    folder.mkdir()
    repository = Repository(folder / "app" / "checkout", platform, "upstream")
    repository.write(requirements_txt="", Procfile="web: ./upstream\n")
    compile_upstream(repository.folder / "upstream")
    repository.deploy("The upstream of all three")
    viewer = Viewer(platform).sign_in("upstream")
    [container] = platform.containers("upstream")
    networks = platform.engine_api(f"/containers/{container['Id']}/json")["NetworkSettings"]["Networks"]
    upstream = f"{next(network['IPAddress'] for network in networks.values() if network['IPAddress'])}:5000"

    auth, nginx, caddy = free_port(), free_port(), free_port()
    settings = dict(cores=CORES, folder=folder, upstream=upstream, auth=auth, connections=CONNECTIONS)
    settings["paths"] = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(NGINX.format(port=nginx, **settings))
    (folder / "Caddyfile").write_text(CADDY.format(port=caddy, **settings))
    shutil.copy(repository.folder / "upstream", folder / "auth")
    ours = (platform.port, [("Host", f"upstream.localhost:{platform.port}"), ("Cookie", viewer.cookies_for("upstream"))])
    environment = os.environ | {"GOMAXPROCS": str(CORES), "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (
        program([folder / "auth"], auth, env=os.environ | {"PORT": str(auth)}),
        program(["nginx", "-p", folder, "-c", folder / "nginx.conf"], nginx, stderr=subprocess.DEVNULL),
        program(["caddy", "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"], caddy, env=environment, stderr=subprocess.DEVNULL),
    ):
        for name, port, aim in (("nginx auth_request", nginx, 1.0), ("caddy forward_auth", caddy, 3.0)):
            wrk(*ours, seconds=1), wrk(port, seconds=1)
            pairs = []
            for number in range(PAIRS):
                # Who goes first changes, so that a drift of the machine favours nobody.
                if number % 2:
                    theirs = wrk(port)
                    mine = wrk(*ours)
                else:
                    mine = wrk(*ours)
                    theirs = wrk(port)
                pairs.append((mine, theirs))
                print(f"gateway {mine:.0f} requests/s, {name} {theirs:.0f} requests/s", flush=True)
                time.sleep(0.2)
            yield f"authenticated requests through the gateway, of {name}", version(name.split()[0]) + ", " + name, aim, "higher", pairs, "requests/s"


def version(program):
    words = {"nginx": ["nginx", "-v"], "caddy": ["caddy", "version"]}[program]
    said = subprocess.run(words, capture_output=True, text=True)
    return f"{program} {(said.stdout + said.stderr).strip().split('/')[-1].removeprefix('v')}"
