"""The standard library's server with a route for each thing a journey looks at. `VERSION` tells releases apart."""

import http.server
import json
import os
import signal
import socket
import sys
import time
import urllib.parse

VERSION = "one"
CHUNK = bytes(64 * 1024)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/headers":
            self.answer(json.dumps([[name, value] for name, value in self.headers.items()]), "application/json")
        elif url.path == "/env":
            self.answer(json.dumps(dict(os.environ)), "application/json")
        elif url.path == "/replica":
            self.answer(socket.gethostname())
        elif url.path == "/path":
            self.answer(self.path)
        elif url.path == "/slow":
            self.stream(self.slowly(float(query["seconds"])))
        elif url.path == "/download":
            self.stream(CHUNK for _ in range(int(query["mb"]) * 16))
        elif url.path == "/exit":
            self.answer("bye")
            os._exit(3)
        else:
            self.answer(VERSION)

    def do_POST(self):
        left = int(self.headers.get("Content-Length", 0))
        got = 0
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                while size:
                    piece = self.rfile.read(min(size, 65536))
                    got, size = got + len(piece), size - len(piece)
                self.rfile.readline()
            self.rfile.readline()
        while left and (piece := self.rfile.read(min(left, 65536))):
            got, left = got + len(piece), left - len(piece)
        self.answer(str(got))

    def slowly(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            yield f"{VERSION}\n".encode()
            time.sleep(0.2)

    def answer(self, text, kind="text/plain"):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, pieces):
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


def stop(*_):
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
time.sleep(float(os.environ.get("START_SECONDS", "0")))
print(f"plain {VERSION} listens on {os.environ['PORT']}", flush=True)
Server(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
