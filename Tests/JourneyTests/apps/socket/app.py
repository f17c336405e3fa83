"""Echoes what a WebSocket sends; any other request is told that it is well."""

import asyncio
import http
import os
import signal

from websockets.asyncio.server import serve


def plain(connection, request):
    if "upgrade" not in request.headers.get("Connection", "").lower():
        return connection.respond(http.HTTPStatus.OK, "ready\n")


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with serve(echo, "0.0.0.0", int(os.environ["PORT"]), process_request=plain, max_size=4 << 20):
        await stop.wait()


asyncio.run(main())
