"""One app of each framework and buildpack, pushed with nothing but its code and packages: recognised, built, healthy, and used
in a browser."""

import contextlib
import json

import pytest

from support.browser import signed_in
from support.platform import ROOT
from support.repository import Repository

NOTEBOOK = {
    "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "cells": [{"cell_type": "code", "id": "a", "metadata": {}, "execution_count": None, "outputs": [], "source": "print('ahoy', 6 * 7)"}],
}

# The framework's name in the log, its packages, its files, and what to do in the page before the answer must be there.
# Everywhere the answer is computed in the running app, and but for Dash and FastAPI it comes over the page's own connection.
APPS = {
    "dash": ("Dash", "dash==3.0.4", {"app.py": """
from dash import Dash, Input, Output, html
app = Dash(__name__)
server = app.server
app.layout = html.Main([html.Button("Go", id="go"), html.P(id="out")])
@app.callback(Output("out", "children"), Input("go", "n_clicks"))
def answer(clicks):
    return f"ahoy {6 * 7}"
"""}),
    "streamlit": ("Streamlit", "streamlit==1.67.0", {"app.py": """
import streamlit as st
st.write(f"ahoy {6 * 7}")
"""}),
    "gradio": ("Gradio", "gradio==6.31.0", {"app.py": """
import gradio as gr
with gr.Blocks() as demo:
    out = gr.Markdown()
    demo.load(lambda: f"ahoy {6 * 7}", outputs=out)
demo.launch()
"""}),
    "panel": ("Panel", "panel==1.9.4", {"app.py": """
import panel as pn
pn.extension()
pn.pane.Str(f"ahoy {6 * 7}").servable()
"""}),
    "voila": ("Voilà", "voila==0.5.13\nipykernel", {"report.ipynb": json.dumps(NOTEBOOK)}),
    "shiny": ("Shiny", "shiny==1.8.0", {"app.py": """
from shiny import App, render, ui
app_ui = ui.page_fluid(ui.output_text("out"))
def server(input, output, session):
    @render.text
    def out():
        return f"ahoy {6 * 7}"
app = App(app_ui, server)
"""}),
    "fastapi": ("FastAPI", "fastapi==0.165.0", {"main.py": """
from fastapi import FastAPI, WebSocket
from fastapi.responses import HTMLResponse
app = FastAPI()
PAGE = "<p id=out></p><script>new WebSocket(`ws://${location.host}/ws`).onmessage = e => out.textContent = e.data</script>"
@app.get("/", response_class=HTMLResponse)
def index():
    return PAGE
@app.websocket("/ws")
async def answer(socket: WebSocket):
    await socket.accept()
    await socket.send_text(f"ahoy {6 * 7}")
    await socket.receive_text()
"""}),
}

# Those that can do nothing without one.
SOCKETS = {"streamlit", "panel", "shiny", "fastapi"}


@pytest.fixture
def live(browser, command, platform, tmp_path):
    """`with live(files, *words) as tab`: a page of the app of these files, whose push said these words."""

    @contextlib.contextmanager
    def push(app, files, *words):
        repository = Repository(tmp_path / "checkout", platform, app)
        for file, text in files.items():
            (repository.folder / file).write_text(text)
        repository.commit(app)
        push = repository.push(seconds=300)
        assert push.ok, push.text
        try:
            for said in [*words, "web.1 is healthy"]:
                assert said in push.said, push.said
            with signed_in(browser, command, app) as tab:
                yield tab
        finally:
            # They are large, and no later journey needs them.
            command("apps", "delete", app, "--yes")

    return push


@pytest.mark.parametrize("sample", APPS)
def test_an_app_of_code_and_packages_alone_is_live(live, sample):
    name, packages, files = APPS[sample]
    said = ["buildpack pip: found requirements.txt", f"recognised {name} in {next(iter(files))}"]
    with live(f"framework-{sample}", {"requirements.txt": packages + "\n", **files}, *said) as tab:
        tab.page.get_by_text("ahoy 42").first.wait_for(timeout=60_000)
        assert tab.sockets or sample not in SOCKETS


def test_a_conda_app_is_live(live, neighbour):
    """The buildpack's own example; its packages come over the network from what stands in for conda-forge."""
    files = {path.name: path.read_text() for path in (ROOT / "buildpacks/conda/example").iterdir()}
    neighbour.serve_conda()
    said = ["buildpack conda: found environment.yml", "recognised Flask in app.py", "packages from conda-forge", "+ numpy=2.3.5"]
    with live("buildpack-conda", files, *said) as tab:
        text = tab.page.get_by_text("High water").inner_text()
        low, high = sorted(float(word) for word in text.split() if word[0].isdigit())
        assert 0 < low < 2.5 < high < 5


def test_a_shiny_app_in_r_is_live(live):
    app = """
library(shiny)
ui <- fluidPage(numericInput("n", "Number", 1), textOutput("out"))
server <- function(input, output, session) output$out <- renderText(paste("ahoy", tibble::tibble(n = 6 * input$n)$n))
shinyApp(ui, server)
"""
    files = {"app.R": app, "DESCRIPTION": "Package: ahoy\nVersion: 1.0\nImports:\n    shiny,\n    tibble\n"}
    with live("buildpack-r", files, "buildpack r: found DESCRIPTION", "+ tibble=", "recognised Shiny for R in app.R") as tab:
        tab.page.get_by_text("ahoy 6", exact=True).wait_for(timeout=60_000)
        tab.page.get_by_label("Number").fill("7")
        tab.page.get_by_text("ahoy 42", exact=True).wait_for()
        # The page may have another way than the one that is asked for here.
        [socket] = tab.sockets
        assert socket["sent"] >= 2 and socket["received"] >= 2 and "closed" not in socket, socket


def test_an_app_with_a_dockerfile_is_live(live):
    files = {
        "Dockerfile": 'FROM localhost/moor-base\nCOPY app.py /srv/\nEXPOSE 8050\nCMD ["python3", "/srv/app.py"]\n',
        # RFC 6455 with nothing but the standard library; frames of less than 126 bytes.
        "app.py": """
import base64, hashlib, http.server, os
PAGE = b"<p id=out></p><script>const socket = new WebSocket(`ws://${location.host}/socket`); "
PAGE += b"socket.onopen = () => socket.send('7'); socket.onmessage = (event) => out.textContent = event.data</script>"
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if "Upgrade" in self.headers:
            return self.socket()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)
    def socket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        kind, length = self.rfile.read(2)
        mask = self.rfile.read(4)
        number = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(length & 127)))
        text = f"ahoy {6 * int(number)}".encode()
        self.wfile.write(bytes([0x81, len(text)]) + text)
        self.rfile.read()
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""}
    said = ["buildpack dockerfile: found Dockerfile", "the image exposes port 8050"]
    with live("buildpack-dockerfile", files, *said) as tab:
        tab.page.get_by_text("ahoy 42").wait_for()
        [socket] = tab.sockets
        assert (socket["sent"], socket["received"]) == (1, 1), socket
