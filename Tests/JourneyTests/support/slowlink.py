"""A TCP link that passes so many bytes of what the client sends, and then no more."""

import socket
import threading


class SlowLink:
    def __init__(self, port, passes):
        self.target, self.left = port, passes
        self.stalled = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.sockets += [client, server]
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source, sink, counted):
        try:
            while data := source.recv(16384):
                if counted:
                    data = data[: max(self.left, 0)]
                    self.left -= len(data)
                if data:
                    sink.sendall(data)
                if counted and self.left <= 0:
                    self.stalled.set()
                    return  # the sender now waits for as long as it likes
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()
        for one in self.sockets:
            one.close()
