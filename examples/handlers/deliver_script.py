#!/usr/bin/env python3
"""An after handler as a script: exit status 0 = delivered, 3 = hopeless, anything else = try again.

The scripts folder is the working folder, and the only place where a script may write.
"""

import fcntl
import json
import os
import sys

event = json.load(sys.stdin)["event"]
known_path = "known.json"

with open(known_path + ".lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)  # other clients' events run beside this one
    known = json.load(open(known_path)) if os.path.exists(known_path) else {}
    key = f"{event['events_id'].rpartition('.')[0]}/{event['object_id']}"
    number = [event.get("era", 0), event["seq"]]
    if known.get(key, [0, 0]) >= number:
        sys.exit(0)  # a late repeat
    with open("provisioned.txt", "a") as log:  # here your softswitch learns what has happened
        print(event["seq"], event["events_id"], event["object_id"], file=log)
    known[key] = number
    with open(known_path + ".new", "w") as new:
        json.dump(known, new)
    os.replace(known_path + ".new", known_path)
