"""The tide of the next day as a drawing, computed with NumPy."""

import time

import numpy as np
from flask import Flask

app = Flask(__name__)


def heights(start, hours):
    """Metres above chart datum: the moon's part and the sun's, which beat against each other."""
    return 2.5 + 1.6 * np.cos(2 * np.pi * (start + hours) / 12.4206) + 0.5 * np.cos(2 * np.pi * (start + hours) / 12.0)


@app.get("/")
def page():
    hours = np.linspace(0, 24, 97)
    metres = heights(time.time() / 3600, hours)
    points = " ".join(f"{x * 25:.1f},{200 - y * 40:.1f}" for x, y in zip(hours, metres))
    return f"""<!doctype html><meta charset="utf-8"><title>Tides</title>
<h1>The next 24 hours</h1>
<p>High water: {metres.max():.2f} m. Low water: {metres.min():.2f} m.</p>
<svg viewBox="0 0 600 200" style="max-width: 40rem; background: #eef6ff">
<polyline points="{points}" fill="none" stroke="#1565c0" stroke-width="3"/></svg>"""


@app.get("/api/tides")
def api():
    return {"metres": [round(float(y), 2) for y in heights(time.time() / 3600, np.arange(24))]}
