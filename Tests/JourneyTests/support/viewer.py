"""Somebody with a browser, as far as HTTP goes: cookies, redirects and forms."""

import html.parser
import socket
import urllib.parse

import httpx

_resolve = socket.getaddrinfo


def _localhost(host, *arguments, **extra):
    """RFC 6761 section 6.3: names below localhost are this host. Browsers know, the C library does not."""
    name = host.decode() if isinstance(host, bytes) else host
    return _resolve("127.0.0.1" if name and name.endswith(".localhost") or name == "localhost" else host, *arguments, **extra)


socket.getaddrinfo = _localhost


class Form(html.parser.HTMLParser):
    """The form of a page that asks for a password."""

    def __init__(self, page):
        super().__init__()
        self.forms, self.current = [], None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.current = {"action": attributes.get("action") or "", "fields": {}, "types": {}}
            self.forms.append(self.current)
        elif tag == "input" and self.current is not None and attributes.get("name"):
            self.current["fields"][attributes["name"]] = attributes.get("value") or ""
            self.current["types"][attributes["name"]] = attributes.get("type", "text")

    def handle_endtag(self, tag):
        if tag == "form":
            self.current = None

    @property
    def sign_in(self):
        return next((form for form in self.forms if "password" in form["types"].values()), None)


class Viewer:
    def __init__(self, platform, username="admin", password=None):
        self.platform, self.username, self.password = platform, username, password or platform.password
        self.jar = {}  # host and name to value; host-only, as the platform's cookies are
        self.client = httpx.Client(timeout=60)
        self.set_cookies = []  # every Set-Cookie line seen, with its host

    def request(self, method, url, headers=None, **extra):
        host = urllib.parse.urlsplit(url).hostname
        pairs = [f"{name}={value}" for (at, name), value in self.jar.items() if at == host]
        headers = {"accept": "text/html,*/*;q=0.8", **(headers or {})}
        if pairs:
            headers["cookie"] = "; ".join(pairs + [headers["cookie"]] if "cookie" in headers else pairs)
        answer = self.client.request(method, url, headers=headers, follow_redirects=False, **extra)
        self.client.cookies.clear()
        for line in answer.headers.get_list("set-cookie"):
            self.set_cookies.append((host, line))
            name, _, value = line.split(";")[0].strip().partition("=")
            gone = "max-age=0" in line.lower().replace(" ", "") or not value
            self.jar.pop((host, name), None)
            if not gone:
                self.jar[host, name] = value
        return answer

    def follow(self, method, url, hops=10, **extra):
        """Goes where a browser would go. Returns the answer and the URL it came from."""
        for _ in range(hops):
            answer = self.request(method, url, **extra)
            if answer.status_code not in (301, 302, 303, 307, 308):
                return answer, url
            url = urllib.parse.urljoin(url, answer.headers["location"])
            method, extra = "GET", {}
        raise AssertionError(f"more than {hops} redirects, the last to {url}")

    def open(self, url):
        """Opens a page, signing in on the way where asked to. Returns the answer and the final URL."""
        answer, at = self.follow("GET", url)
        form = Form(answer.text).sign_in if "html" in answer.headers.get("content-type", "") else None
        if form is None:
            return answer, at
        return self.submit(form, at)

    def submit(self, form, at):
        fields = dict(form["fields"])
        for name, kind in form["types"].items():
            if kind == "password":
                fields[name] = self.password
            elif kind in ("text", "email") or name in ("username", "user"):
                fields[name] = self.username
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(at))
        return self.follow("POST", urllib.parse.urljoin(at, form["action"] or at), data=fields, headers={"origin": origin, "referer": at})

    def get(self, app, path="/", **extra):
        """Of an app, once signed in."""
        return self.request("GET", self.platform.app_url(app, path), **extra)

    def sign_in(self, app, path="/"):
        answer, at = self.open(self.platform.app_url(app, path))
        assert answer.status_code == 200, f"{at}: {answer.status_code}\n{answer.text[:800]}"
        return self

    def cookies_for(self, app):
        host = f"{app}.localhost"
        return "; ".join(f"{name}={value}" for (at, name), value in self.jar.items() if at == host)
