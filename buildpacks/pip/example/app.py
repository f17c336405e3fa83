"""A small Dash app that greets its viewer by name."""

from datetime import datetime

import pandas as pd
import plotly.graph_objects as go
from dash import Dash, Input, Output, dcc, html
from flask import request

# Ships sighted in an imagined harbour, by month and kind.
SHIPS = pd.DataFrame(
    {
        "Sailing boats": [4, 5, 9, 16, 28, 41, 52, 49, 31, 17, 8, 5],
        "Ferries": [22, 21, 24, 27, 30, 34, 36, 36, 31, 27, 23, 22],
        "Freighters": [14, 13, 15, 16, 15, 14, 13, 13, 15, 17, 16, 15],
    },
    index=["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
)
COLOURS = {"Sailing boats": "#1f7a8c", "Ferries": "#e07a3f", "Freighters": "#5b6c8f"}

app = Dash(__name__, title="Hello from Moorage")
server = app.server  # what gunicorn serves

app.layout = html.Main(
    [
        dcc.Location(id="location"),
        html.H1(id="greeting"),
        html.P("This app was pushed with git. Moorage signed you in and told it who you are."),
        dcc.Checklist(list(SHIPS), list(SHIPS), id="kinds", inline=True, className="kinds"),
        dcc.Graph(id="chart", config={"displayModeBar": False}),
        html.Footer("Edit app.py, commit, push: the next version takes over without a lost request."),
    ]
)


def viewer() -> str:
    """The viewer's user name, as the platform passes it on with each request."""
    return request.headers.get("X-Forwarded-Preferred-Username") or "stranger"


@app.callback(Output("greeting", "children"), Input("location", "pathname"))
def greet(_path):
    hour = datetime.now().hour
    part = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    return f"Good {part}, {viewer()}."


@app.callback(Output("chart", "figure"), Input("kinds", "value"))
def draw(kinds):
    figure = go.Figure()
    for kind in kinds:
        figure.add_scatter(
            x=SHIPS.index, y=SHIPS[kind], name=kind, mode="lines", stackgroup="all", line={"color": COLOURS[kind], "shape": "spline"}
        )
    figure.update_layout(
        template="plotly_white",
        height=360,
        margin={"l": 0, "r": 0, "t": 16, "b": 0},
        legend={"orientation": "h", "y": -0.15},
        font={"family": "system-ui, sans-serif"},
        hovermode="x unified",
        yaxis_title="Ships a day",
    )
    return figure


if __name__ == "__main__":
    app.run(debug=True)
