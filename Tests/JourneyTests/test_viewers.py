"""The viewer: sign-in, what the app is told, and what it cannot be told by anybody else."""

import json
import urllib.parse

import httpx
import pytest
import websockets.sync.client

from support.browser import signed_in
from support.viewer import Form

SPOOFED = {
    "X-Moor-Viewer": "forged", "x-moor-anything": "forged", "X-Forwarded-User": "root", "X-FORWARDED-EMAIL": "root@example.com",
    "X-Forwarded-Preferred-Username": "root", "X-Forwarded-Groups": "admins", "X-Forwarded-Access-Token": "forged",
    "plotly-user-data": '{"username":"root"}', "Kid": "forged", "RStudio-Connect-Credentials": '{"user":"root"}',
    "X-SP-UserId": "root", "X-SP-UserGroups": "admins", "X-Auth-Request-User": "root", "Remote-User": "root",
}
SPOOFED_COOKIES = "kcIdToken=Zm9yZ2Vk; moor_session=forged; moor_app_theme=dark; theme=light"


def fields(answer):
    """The header fields an app saw, names in lower case, repeated ones as they came."""
    return [(name.lower(), value) for name, value in answer]


def test_a_viewer_is_sent_to_sign_in_and_comes_back_to_the_exact_page(platform, shared, viewer, person):
    app = shared("plain").app
    grace = viewer(*person())
    wanted = platform.app_url(app, "/path/to?page=2&filter=a%20b%2Fc")
    answer = grace.request("GET", wanted)
    assert answer.status_code in (302, 303, 307)
    answer, at = grace.follow("GET", wanted)
    assert urllib.parse.urlsplit(at).hostname == "localhost" and Form(answer.text).sign_in
    answer, at = grace.submit(Form(answer.text).sign_in, at)
    # The plain app answers only /path with the path itself; what counts is where the browser stands.
    assert at == wanted and answer.status_code == 200
    # One sign-in serves the next app too, without a form.
    other = shared("socket").app
    answer, at = grace.open(platform.app_url(other, "/"))
    assert answer.text == "ready\n" and at == platform.app_url(other, "/")


def test_cookies_are_host_only_and_out_of_scripts_reach(platform, shared, viewer):
    ada = viewer().sign_in(shared("plain").app)
    for host, line in ada.set_cookies:
        attributes = line.lower()
        assert "domain=" not in attributes, line
        assert "httponly" in attributes or "csrf" in attributes, line
        assert "samesite" in attributes, line


def test_a_program_without_a_session_gets_401(platform, shared):
    answer = httpx.get(platform.app_url(shared("plain").app, "/"), headers={"accept": "application/json"})
    assert answer.status_code == 401
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        websockets.sync.client.connect(platform.app_url(shared("socket").app, "/").replace("http", "ws"))
    assert refused.value.response.status_code in (401, 302, 303, 403)


def test_the_password_form_is_guarded(platform, shared, viewer, person):
    """Wrong passwords are limited with a clear 429, and the account's owner is not locked out from elsewhere."""
    name, password = person()
    guesser = viewer(name, "not the password")
    statuses = []
    for _ in range(30):
        answer, at = guesser.follow("GET", platform.app_url(shared("plain").app))
        form = Form(answer.text).sign_in
        answer, at = guesser.submit(form, at)
        statuses.append(answer.status_code)
        if answer.status_code == 429:
            break
    assert statuses[-1] == 429, statuses
    assert "again" in answer.text, "it does not say what to do"


def test_a_sign_in_form_from_another_site_is_refused(platform, viewer):
    mallory = viewer()
    answer, at = mallory.follow("GET", platform.app_url("nowhere-at-all"))
    page = mallory.request("GET", platform.url("/sign-in")) if not Form(answer.text).sign_in else answer
    form = Form(page.text).sign_in
    assert form, page.text[:500]
    fields = {name: "" for name in form["fields"]}
    for name, kind in form["types"].items():
        if kind == "password":
            fields[name] = platform.password
        elif kind == "text":
            fields[name] = "admin"
    answer = httpx.post(
        urllib.parse.urljoin(platform.url("/sign-in"), form["action"] or "/sign-in"), data=fields,
        headers={"origin": "http://evil.example.com", "sec-fetch-site": "cross-site"})
    assert answer.status_code in (400, 403), answer.status_code
    assert not any("moor_session" in line for line in answer.headers.get_list("set-cookie"))


def test_every_family_of_viewer_headers_reaches_the_app(platform, shared, viewer, person):
    app = shared("plain").app
    name, password = person("zoe", name="Zoë Weiß", groups=["ops", "science"])
    seen = dict(fields(viewer(name, password).sign_in(app).get(app, "/headers").json()))
    assert seen["x-forwarded-user"] == name and seen["x-forwarded-email"] == f"{name}@example.com"
    assert seen["x-forwarded-preferred-username"] == name and sorted(seen["x-forwarded-groups"].split(",")) == ["ops", "science"]
    plotly = json.loads(seen["plotly-user-data"])
    assert plotly["username"] == name and plotly["email"] == f"{name}@example.com" and sorted(plotly["groups"]) == ["ops", "science"]
    assert seen["plotly-user-data"].isascii()
    assert json.loads(seen["rstudio-connect-credentials"]) == {"user": name, "groups": ["ops", "science"]}
    assert seen["x-sp-userid"] == name and seen["x-sp-usergroups"] == "ops,science"
    assert seen["x-moor-viewer"].count(".") == 2 and seen["kid"] and "kcIdToken=" in seen["cookie"]
    assert "moor_" not in seen["cookie"]
    assert seen["x-forwarded-host"] == f"{app}.localhost:{platform.port}" and seen["x-forwarded-proto"] == "http"


def test_spoofed_headers_never_reach_the_app(platform, shared, viewer, person, command):
    app = shared("plain").app
    name, password = person("eve")
    eve = viewer(name, password).sign_in(app)
    seen = fields(eve.get(app, "/headers", headers=SPOOFED | {"cookie": SPOOFED_COOKIES}).json())
    assert not [pair for pair in seen if "forged" in pair[1] or "root" in pair[1] or "admins" in pair[1] or "Zm9yZ2Vk" in pair[1]], seen
    names = [field for field, _ in seen]
    assert len(names) == len(set(names)), "a field came twice"
    assert "theme=light" in dict(seen)["cookie"], "the app's own cookies pass"
    # The same for somebody whom nobody knows.
    command("access", "public", "--app", app)
    try:
        answer = httpx.get(platform.app_url(app, "/headers"), headers=SPOOFED | {"cookie": SPOOFED_COOKIES})
        seen = fields(answer.json())
        assert not {name.lower() for name in SPOOFED} & {field for field, _ in seen}, seen
        assert not [pair for pair in seen if "forged" in pair[1] or "Zm9yZ2Vk" in pair[1]], seen
    finally:
        command("access", "signed-in", "--app", app)


def test_access_is_public_or_for_anybody_signed_in_or_for_those_named(platform, checkout, viewer, person, command):
    repository = checkout("plain")
    repository.deploy()
    app = repository.app
    named, other = person("nina"), person("otto")

    def status(who=None):
        if who is None:
            return httpx.get(platform.app_url(app, "/"), headers={"accept": "application/json"}).status_code
        return viewer(*who).open(platform.app_url(app, "/"))[0].status_code

    assert (status(), status(named), status(other)) == (401, 200, 200)
    command("access", "public", "--app", app)
    assert (status(), status(other)) == (200, 200)
    command("access", "add", named[0], "--app", app)
    command("access", "named", "--app", app)
    assert (status(), status(named), status(other)) == (401, 200, 403)
    # A cookie gained earlier is worth nothing once the access is taken away.
    nina = viewer(*named).sign_in(app)
    command("access", "remove", named[0], "--app", app)
    assert nina.get(app).status_code == 403
    command("access", "signed-in", "--app", app)
    assert status(other) == 200


def test_dash_enterprise_auth_knows_the_viewer_in_both_modes(platform, shared, viewer, person, command):
    app = shared("dash").app
    name, password = person("zoe", name="Zoë Weiß", groups=["ops", "science"])
    zoe = viewer(name, password).sign_in(app)
    five = zoe.get(app, "/whoami").json()
    assert five["jwks"] and five["username"] == name, five
    assert five["data"]["preferred_username"] == name and five["data"]["email"] == f"{name}@example.com"
    assert five["data"]["name"] == "Zoë Weiß" and sorted(five["data"]["groups"]) == ["ops", "science"]
    assert five["logout"]
    verified = zoe.get(app, "/verified").json()
    assert verified["preferred_username"] == name and verified["exp"] > verified["iat"]
    command("config", "set", "DASH_JWKS_URL=", "--app", app)
    try:
        four = zoe.get(app, "/whoami").json()
        assert not four["jwks"] and four["username"] == name, four
        assert four["data"] == {"username": name, "email": f"{name}@example.com", "groups": four["data"]["groups"]}
        assert sorted(four["data"]["groups"]) == ["ops", "science"]
    finally:
        command("config", "unset", "DASH_JWKS_URL", "--app", app)


def test_a_websocket_echoes_and_carries_the_viewer(platform, shared, viewer):
    app = shared("socket").app
    ada = viewer().sign_in(app)
    with websockets.sync.client.connect(
        platform.app_url(app, "/").replace("http", "ws"), additional_headers={"cookie": ada.cookies_for(app)}, max_size=4 << 20
    ) as socket:
        for message in ("hello", "ü" * 1000, b"\x00\xff" * 500_000):
            socket.send(message)
            assert socket.recv(timeout=20) == message
        socket.ping().wait(10)


def test_a_browser_signs_in_and_the_dash_app_greets_its_viewer(platform, browser, command, shared, person):
    app = shared("dash").app
    name, password = person("grace", name="Grace Hopper")
    wanted = platform.app_url(app, "/deep/page?tab=2")
    with signed_in(browser, command, app, "/deep/page?tab=2", name, password) as tab:
        page = tab.page
        page.wait_for_url(wanted)
        page.wait_for_function("document.querySelector('#greeting')?.textContent.includes('Hello')")
        assert page.inner_text("#greeting") == "Hello Grace Hopper"
        assert page.inner_text("#page") == wanted
        echoed = page.evaluate(
            """() => new Promise((resolve, reject) => {
                const socket = new WebSocket(`ws://${location.host}/echo`)
                socket.onopen = () => socket.send('ahoy')
                socket.onmessage = (event) => resolve(event.data)
                socket.onerror = reject
                setTimeout(() => reject(new Error('no echo')), 10000)
            })"""
        )
        assert echoed == "ahoy"
        assert page.evaluate("document.cookie") == "", "a script can read our cookies"
