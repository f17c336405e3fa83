"""Bodies far larger than any buffer."""

import time

import httpx

from support.transfer import CHUNK, Memory, zeros

MEGABYTES = 200


def test_uploads_and_downloads_of_200_mb_take_constant_memory(platform, shared, viewer):
    app = shared("plain").app
    ada = viewer().sign_in(app)
    headers = {"cookie": ada.cookies_for(app)}
    ada.get(app)
    with Memory(platform) as memory:
        up = httpx.post(
            platform.app_url(app, "/upload"), content=zeros(MEGABYTES),
            headers=headers | {"content-length": str(MEGABYTES << 20)}, timeout=120)
        assert up.text == str(MEGABYTES << 20)
        chunked = httpx.post(platform.app_url(app, "/upload"), content=zeros(MEGABYTES), headers=headers, timeout=120)
        assert chunked.text == str(MEGABYTES << 20)
        got = 0
        with httpx.stream("GET", platform.app_url(app, f"/download?mb={MEGABYTES}"), headers=headers, timeout=120) as down:
            assert down.status_code == 200
            for piece in down.iter_raw(len(CHUNK)):
                got += len(piece)
        assert got == MEGABYTES << 20
    assert memory.growth < 48 << 20, f"{memory.growth >> 20} MB more while 600 MB passed"


def test_a_slow_reader_does_not_make_the_platform_hold_the_answer(platform, shared, viewer):
    """Backpressure: a client that stops reading stops the app, not fills the platform."""
    app = shared("plain").app
    ada = viewer().sign_in(app)
    with Memory(platform) as memory:
        with httpx.stream(
            "GET", platform.app_url(app, f"/download?mb={MEGABYTES}"), headers={"cookie": ada.cookies_for(app)}, timeout=60
        ) as down:
            pieces = down.iter_raw(65536)
            next(pieces)
            time.sleep(3)
    assert memory.growth < 48 << 20, f"{memory.growth >> 20} MB were held"


def test_an_answer_streams_as_it_is_made(platform, shared, viewer):
    app = shared("plain").app
    ada = viewer().sign_in(app)
    times = []
    with httpx.stream("GET", platform.app_url(app, "/slow?seconds=1.2"), headers={"cookie": ada.cookies_for(app)}, timeout=30) as slow:
        for _ in slow.iter_raw():
            times.append(time.monotonic())
    assert len(times) >= 3 and times[-1] - times[0] > 0.5, times
