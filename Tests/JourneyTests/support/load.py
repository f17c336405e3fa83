"""Constant load: requests leave on a schedule, whether or not earlier ones have been answered."""

import asyncio
import collections
import time


class Load:
    """`rate` GET requests a second to one path, over kept connections and, every tenth, a fresh one."""

    def __init__(self, port, host, path="/", headers=(), rate=40, connections=16):
        self.port, self.host, self.path, self.headers = port, host, path, list(headers)
        self.rate, self.connections = rate, connections
        self.statuses = collections.Counter()
        self.bodies = collections.Counter()
        self.lost = []
        self.latencies = []
        self.sent = 0

    def request(self, close):
        lines = [f"GET {self.path} HTTP/1.1", f"Host: {self.host}", "Accept: */*", *self.headers]
        return ("\r\n".join(lines + (["Connection: close"] if close else [])) + "\r\n\r\n").encode()

    async def run(self, seconds, stop=None):
        """For so many seconds, or until the event is set."""
        idle = asyncio.Queue()
        for _ in range(self.connections):
            idle.put_nowait(None)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        running = set()
        while loop.time() - begin < seconds and not (stop and stop.is_set()):
            task = asyncio.create_task(self._one(idle, self.sent % 10 == 9))
            running.add(task)
            task.add_done_callback(running.discard)
            self.sent += 1
            await asyncio.sleep(max(0, begin + self.sent / self.rate - loop.time()))
        await asyncio.gather(*running)
        while not idle.empty():
            if connection := idle.get_nowait():
                connection[1].close()

    async def _one(self, idle, close):
        begin = time.monotonic()
        connection = await idle.get()
        kept = None
        try:
            async with asyncio.timeout(30):
                if close and connection:
                    connection[1].close()
                    connection = None
                connection = connection or await asyncio.open_connection("127.0.0.1", self.port)
                reader, writer = connection
                writer.write(self.request(close))
                status, body, keep = await self._answer(reader)
                self.statuses[status] += 1
                self.bodies[body[:80]] += 1
                self.latencies.append(time.monotonic() - begin)
                if keep and not close:
                    kept = connection
                else:
                    writer.close()
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.lost.append(f"{time.monotonic():.3f} {type(error).__name__}: {error}")
            if connection:
                connection[1].close()
        finally:
            idle.put_nowait(kept)

    async def _answer(self, reader):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = b""
        if fields.get("transfer-encoding", "").lower() == "chunked":
            while size := int((await reader.readline()).split(b";")[0], 16):
                body += (await reader.readexactly(size + 2))[:-2]
            while (await reader.readline()).strip():
                pass
        elif "content-length" in fields:
            body = await reader.readexactly(int(fields["content-length"]))
        else:
            body = await reader.read()
            return status, body, False
        return status, body, fields.get("connection", "").lower() != "close"
