# Fills a stopped server's SQLite file with N log rows (default 1,000,000), 5 for each event: two asked, three told.
import sqlite3, sys, json, time, uuid, random
path, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
db = sqlite3.connect(path); db.execute("PRAGMA synchronous=OFF"); db.execute("PRAGMA journal_mode=WAL")
random.seed(1)
events = n // 5
handlers = db.execute("SELECT id, name, type FROM handlers ORDER BY id").fetchall()
before = [h for h in handlers if h[2] == "before"][:2]; after = [h for h in handlers if h[2] == "after"][:3]
clients = [r[0] for r in db.execute("SELECT id FROM clients")]
last_id = db.execute("SELECT value FROM counters WHERE name='log_last_id'").fetchone()[0]
last_row = db.execute("SELECT COALESCE(MAX(row_id),0) FROM events").fetchone()[0]
seqs = dict(db.execute("SELECT clients_id, seq FROM client_seqs"))
end = int(time.time() * 1e6); begin = end - 29 * 86400 * 1_000_000   # spread over 29 days
names = ["clients.create", "clients.update", "clients.update", "clients.update", "clients.archive"]
def v7(us):
    ms = us // 1000; r = random.getrandbits(74)
    return uuid.UUID(int=(ms << 80) | (7 << 76) | ((r >> 62) << 64) | (2 << 62) | (r & ((1 << 62) - 1)))
log, journal, bytes_ = [], [], 0
rid = last_id
def flush():
    db.executemany("INSERT INTO events (row_id,id,dt,events_id,object_id,clients_id,companies_id,seq,body,cause) VALUES (?,?,?,?,?,?,?,?,?,NULL)", journal)
    db.executemany("INSERT INTO executions (id,dt,event_id,events_id,stage,handlers_id,handlers_name,object_id,clients_id,companies_id,handlers_companies_id,attempt,status,duration_us,response_status,error,request,response,changes,shadow) VALUES (?,?,?,?,?,?,?,?,?,1,NULL,?,?,?,?,?,?,?,?,0)", log)
    journal.clear(); log.clear(); db.commit()
for i in range(events):
    us = begin + (end - begin) * i // events
    u = v7(us); c = random.choice(clients); seqs[c] = seqs.get(c, 0) + 1; ev = random.choice(names)
    obj = {"id": c, "name": f"Client {c}", "status": "active", "companies_id": 1, "currencies_id": 1, "credit": 100, "notes": "x" * 200}
    head = {"id": str(u), "dt": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(us // 1000000)), "events_id": ev, "object_id": c, "clients_id": c, "companies_id": 1, "stage": "after", "mode": "live", "seq": seqs[c], "actor": {"type": "user", "id": 1, "login": "admin"}, "cause": None}
    body = json.dumps({"event": head, "data": obj, "object": obj})
    journal.append((last_row + 1 + i, u.bytes, us, ev, c, c, 1, seqs[c], body))
    for stage, h in [("before", x) for x in before] + [("after", x) for x in after]:
        rid += 1
        roll = random.random()
        status, code, err = ("success", 200, None)
        if roll < 0.02: status, code, err = ("failed", 500, "status: it answered with the HTTP status 500")
        elif roll < 0.03 and stage == "before": status, code, err = ("forbidden", 200, "prefix not ours")
        req = body if stage == "before" else None
        resp = '{"ok":true,"ref":"%08x"}' % random.getrandbits(32)
        bytes_ += 400 + len(req or "") + len(resp) + len(err or "")
        log.append((rid, us, u.bytes, ev, stage, h[0], h[1], c, c, 1 if status != "failed" else random.choice([1, 1, 2, 3]), status, random.randint(500, 90000), code, err, req, resp, '{"credit":{"old":1000,"new":250}}' if stage == "before" and roll > 0.9 else None))
    if i % 20000 == 19999: flush(); print(i + 1, flush=True)
flush()
db.execute("UPDATE counters SET value=? WHERE name='log_last_id'", (rid,))
db.execute("UPDATE counters SET value=value+? WHERE name='log_bytes'", (bytes_,))
db.executemany("INSERT INTO client_seqs (clients_id, seq) VALUES (?,?) ON CONFLICT (clients_id) DO UPDATE SET seq=excluded.seq", seqs.items())
db.commit(); db.execute("PRAGMA wal_checkpoint(TRUNCATE)"); print("done", rid)
