"""An app's page in Chromium, for somebody who signs in. A journey that fails there tells what the page went through."""

import contextlib
import shlex
import time

from playwright.sync_api import sync_playwright


@contextlib.contextmanager
def chromium(neighbour, folder):
    """On the neighbour, to whom names below localhost are this host."""
    script = folder / "chromium"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(neighbour.inside)} /usr/bin/chromium "$@"\n')
    script.chmod(0o755)
    names = ",".join(f"MAP {name} {neighbour.host}" for name in ("localhost", "*.localhost"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=script, args=["--no-sandbox", f"--host-resolver-rules={names}"])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def signed_in(browser, command, app, path="/", username="admin", password=None):
    """Opens a page of the app, signing in on the way. No answer may be of the 500s until the end."""
    tab = Tab(browser.new_page())
    try:
        tab.page.goto(command.platform.app_url(app, path))
        tab.page.locator("input[name=username]").fill(username)
        tab.page.locator("input[type=password]").fill(password or command.platform.password)
        tab.page.locator("input[type=password]").press("Enter")
        yield tab
        assert tab.broken == []
    except Exception as error:
        log = command("logs", "--app", app, check=False)
        raise AssertionError(f"{error}\n\n{tab.story()}\n\nThe app's log:\n{log.stdout}{log.stderr}") from error
    finally:
        tab.page.close()


class Tab:
    def __init__(self, page):
        self.page, self.begin = page, time.monotonic()
        self.sockets = []  # each as it is told: URL, times and numbers of frames
        self.broken = []  # answers of the 500s
        self.events = []
        self.waiting = {}  # requests without an end, with when they began
        page.on("console", lambda message: self.note(f"console: {message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.note(f"error in the page: {error}"))
        page.on("request", lambda request: self.waiting.update({request: self.now}))
        page.on("requestfinished", lambda request: self.waiting.pop(request, None))
        page.on("requestfailed", lambda request: self.note(f"{request.failure}: {request.method} {request.url}, {self.begun(request)}"))
        page.on("response", self.answered)
        page.on("websocket", self.opened)
        page.on("crash", lambda _: self.note("the page crashed"))

    @property
    def now(self):
        return f"{time.monotonic() - self.begin:.2f} s"

    def note(self, text):
        self.events.append(f"{self.now}: {text}")

    def begun(self, request):
        return f"begun at {self.waiting.pop(request, '?')}"

    def answered(self, answer):
        if answer.status >= 400:
            self.note(f"{answer.status}: {answer.request.method} {answer.url}")
        if answer.status >= 500:
            self.broken.append(f"{answer.status} {answer.url}")

    def opened(self, socket):
        told = {"url": socket.url, "opened": self.now, "sent": 0, "received": 0}
        self.sockets.append(told)

        def count(kind):
            return lambda _: told.update({kind: told[kind] + 1, "last": self.now})

        socket.on("framesent", count("sent"))
        socket.on("framereceived", count("received"))
        socket.on("socketerror", lambda error: told.update(error=error))
        socket.on("close", lambda _: told.update(closed=self.now))

    def story(self):
        """All that happened, in seconds since the page was asked for."""
        try:
            text = self.page.inner_text("body", timeout=5000)
        except Exception as error:
            text = f"cannot be read: {error}"
        return "\n".join([
            f"At {self.now} the page at {self.page.url} says:", text, "", "What happened:", *self.events,
            *(f"without an answer: {request.method} {request.url}, {self.begun(request)}" for request in list(self.waiting)),
            *(f"WebSocket: {told}" for told in self.sockets)])
