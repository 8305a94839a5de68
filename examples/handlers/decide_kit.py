"""A before handler with Flask and the kit for Python: refuses test clients, cuts a high credit."""

import os

import hookswitch  # pip install ./kits/python
from flask import Flask, abort, request

CREDIT_MAX = 1000

app = Flask(__name__)


@app.post("/")
def decide():
    try:
        payload = hookswitch.verify(os.environ["HOOKSWITCH_SECRET"], request.headers, request.get_data())
    except hookswitch.Forged:
        abort(401)
    client = payload["data"]
    if payload["event"]["events_id"] != "clients.create":
        return hookswitch.allow()
    if client["name"].startswith("Test"):
        return hookswitch.forbid("test clients are not made here", code="TEST", field="name")
    if client["credit"] is None or client["credit"] > CREDIT_MAX:
        return hookswitch.modify({"credit": CREDIT_MAX}, warnings=[f"credit was cut to {CREDIT_MAX}"])
    return hookswitch.allow()


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "5000")))
