"""Takes connections and never answers."""

import os
import socket
import time

listener = socket.create_server(("0.0.0.0", int(os.environ["PORT"])), backlog=64)
print("listening, but saying nothing", flush=True)
kept = []
while True:
    kept.append(listener.accept())
    time.sleep(0)
