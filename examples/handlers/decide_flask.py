"""A before handler with Flask: refuses test clients, cuts a high credit."""

import base64
import hashlib
import hmac
import os
import time

from flask import Flask, abort, request

CREDIT_MAX = 1000
SECRET = base64.b64decode(os.environ["HOOKSWITCH_SECRET"].removeprefix("whsec_"))

app = Flask(__name__)


@app.before_request
def check_signature():
    """Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`; there may be two signatures while a secret is rotated."""
    sent = request.headers.get("webhook-timestamp", "0")
    if not sent.isdigit() or abs(time.time() - int(sent)) > 300:
        abort(401)
    signed = f"{request.headers.get('webhook-id', '')}.{sent}.".encode() + request.get_data()
    expected = "v1," + base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    given = request.headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(one, expected) for one in given):
        abort(401)


@app.post("/")
def decide():
    payload = request.get_json()
    if payload["event"]["events_id"] != "clients.create":
        return {}  # allow, unchanged
    client = payload["data"]
    if client["name"].startswith("Test"):
        return {"verdict": "forbid", "message": "test clients are not made here", "code": "TEST", "field": "name"}
    if client["credit"] is None or client["credit"] > CREDIT_MAX:
        return {"data": {"credit": CREDIT_MAX}, "warnings": [f"credit was cut to {CREDIT_MAX}"]}
    return {}


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "5000")))
