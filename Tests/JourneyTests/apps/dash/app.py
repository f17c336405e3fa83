"""A Dash app that asks dash-enterprise-auth who is looking."""

import os

import dash_enterprise_auth
import flask
import jwt
from dash import Dash, Input, Output, dcc, html
from flask_sock import Sock

app = Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Location(id="location"), html.H1(id="greeting"), html.P(id="page")])


@app.callback(Output("greeting", "children"), Output("page", "children"), Input("location", "href"))
def greet(href):
    data = dash_enterprise_auth.get_user_data()
    return f"Hello {data.get('name') or dash_enterprise_auth.get_username()}", href


@server.route("/whoami")
def whoami():
    return flask.jsonify(
        username=dash_enterprise_auth.get_username(),
        data=dash_enterprise_auth.get_user_data(),
        headers=[[name, value] for name, value in flask.request.headers.items()],
        cookies=dict(flask.request.cookies),
        jwks=bool(os.getenv("DASH_JWKS_URL")),
        logout=os.getenv("DASH_LOGOUT_URL"),
    )


@server.route("/verified")
def verified():
    """What any JWT library makes of our own header."""
    token = flask.request.headers["X-Moor-Viewer"]
    key = jwt.PyJWKClient(os.environ["MOOR_JWKS_URL"]).get_signing_key_from_jwt(token)
    return flask.jsonify(jwt.decode(token, key.key, algorithms=["RS256"], audience=os.environ["MOOR_APP"]))


@Sock(server).route("/echo")
def echo(socket):
    while True:
        socket.send(socket.receive())
