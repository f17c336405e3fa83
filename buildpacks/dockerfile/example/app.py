"""The time, on the port that the image exposes."""

import datetime
import http.server
import os


class Clock(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        page = f"<!doctype html><title>Clock</title><h1>{datetime.datetime.now():%H:%M:%S}</h1>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Clock).serve_forever()
