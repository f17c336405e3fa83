"""One app of each framework, pushed with nothing but its code and packages: recognised, built, healthy, and used in a browser."""

import json

import pytest
from playwright.sync_api import sync_playwright

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


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("sample", APPS)
def test_an_app_of_code_and_packages_alone_is_live(platform, browser, command, tmp_path, sample):
    name, packages, files = APPS[sample]
    repository = Repository(tmp_path / "checkout", platform, f"framework-{sample}")
    (repository.folder / "requirements.txt").write_text(packages + "\n")
    for file, text in files.items():
        (repository.folder / file).write_text(text)
    repository.commit(name)
    push = repository.push()
    assert push.ok, push.text
    assert f"recognised {name} in {next(iter(files))}" in push.said and "web.1 is healthy" in push.said, push.said
    try:
        page = browser.new_page()
        failed = []
        page.on("response", lambda answer: failed.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
        page.goto(platform.app_url(repository.app, "/"))
        page.locator("input[name=username]").fill("admin")
        page.locator("input[type=password]").fill(platform.password)
        page.locator("input[type=password]").press("Enter")
        page.get_by_text("ahoy 42").first.wait_for(timeout=60_000)
        assert failed == []
        page.close()
    finally:
        # They are large, and no later journey needs them.
        command("apps", "delete", repository.app, "--yes")
