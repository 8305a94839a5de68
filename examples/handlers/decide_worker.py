#!/usr/bin/env python3
"""A before handler as a worker (`mode: worker`): it stays, and takes one line of JSON after another."""

import json
import sys


def decide(payload):
    if payload["event"]["events_id"] != "clients.create":
        return {}
    client = payload["data"]
    if client["name"].startswith("Test"):
        return {"verdict": "forbid", "message": "test clients are not made here", "field": "name"}
    if client["credit"] is None or client["credit"] > 1000:
        return {"data": {"credit": 1000}, "warnings": ["credit was cut to 1000"]}
    return {}


for line in sys.stdin:  # it ends when standard input does
    request = json.loads(line)
    print(json.dumps({"call": request["call"], "reply": decide(request["payload"])}), flush=True)
