import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Forged, Seen, allow, forbid, modify, verify } from "../index.mjs";

// The example of the Standard Webhooks specification.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SENT = 1614265330;
const BODY = '{"test": 2432232314}';
const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const headers = (changed = {}) => ({ "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": String(SENT), "WEBHOOK-SIGNATURE": SIGNATURE, ...changed });
const event = (seq, more = {}) => ({ event: { events_id: "clients.update", object_id: 1, seq, ...more } });
const folder = mkdtempSync(join(tmpdir(), "hookswitch-"));
after(() => rmSync(folder, { recursive: true }));

test("a genuine call gives its payload, whatever the case and kind of its headers", () => {
  assert.deepEqual(verify(SECRET, headers(), BODY, { now: SENT + 299 }), { test: 2432232314 });
  assert.ok(verify(SECRET, new Headers(headers()), Buffer.from(BODY), { now: SENT }));
});

test("two signatures and two secrets, while one takes another's place", () => {
  const other = `whsec_${Buffer.alloc(32, "x").toString("base64")}`;
  assert.ok(verify([other, SECRET], headers({ "WEBHOOK-SIGNATURE": `v1,other ${SIGNATURE}` }), BODY, { now: SENT }));
});

test("whatever is changed is forged", () => {
  for (const [given, body, now] of [
    [headers({ "Webhook-Id": "msg_other" }), BODY, SENT], [headers({ "webhook-timestamp": String(SENT + 1) }), BODY, SENT],
    [headers({ "webhook-timestamp": "soon" }), BODY, SENT], [headers({ "webhook-timestamp": "" }), BODY, SENT],
    [headers({ "WEBHOOK-SIGNATURE": "" }), BODY, SENT], [headers(), `${BODY} `, SENT], [headers(), BODY, SENT + 301],
    [headers(), BODY, SENT - 301], [{}, BODY, SENT],
  ]) assert.throws(() => verify(SECRET, given, body, { now }), Forged);
  assert.throws(() => verify("whsec_not base64", headers(), BODY, { now: SENT }), TypeError);
});

test("replies are as the contract has them", () => {
  assert.deepEqual(allow(), {});
  assert.deepEqual(allow({ warnings: ["w"] }), { warnings: ["w"] });
  assert.deepEqual(forbid("no"), { verdict: "forbid", message: "no" });
  assert.deepEqual(forbid("no", { code: "C", field: "name" }), { verdict: "forbid", message: "no", code: "C", field: "name" });
  assert.deepEqual(modify({ credit: null }, { warnings: ["w"] }), { data: { credit: null }, warnings: ["w"] });
});

test("each event is new once, and none after a newer one of the same object; the era counts first", async () => {
  const seen = new Seen(join(folder, "one"));
  const heard = async (...events) => Promise.all(events.map((one) => seen.once(one, () => {})));
  assert.deepEqual(await heard(event(1), event(1), event(3), event(2)), [true, false, true, false]);
  assert.deepEqual(await heard(event(2, { object_id: 2 }), event(1, { events_id: "clients.accounts.update" })), [true, true]);
  assert.deepEqual(await heard(event(2, { era: 1 }), event(9), event(3, { era: 1 })), [true, false, true]);
});

test("what failed comes again, and what is known survives a restart and a line that was cut off", async () => {
  const path = join(folder, "two");
  const seen = new Seen(path);
  await assert.rejects(seen.once(event(1), () => { throw new Error("the softswitch is away"); }));
  assert.equal(await seen.once(event(1), () => {}), true);
  seen.close();
  appendFileSync(path, '["clients/1",0,');
  const again = new Seen(path);
  assert.equal(await again.once(event(1), () => {}), false);
  assert.equal(await again.once(event(2), () => {}), true);
  assert.equal(await new Seen(path).once(event(2), () => {}), false);
});

test("the file is written anew without what no longer counts", async () => {
  const path = join(folder, "three");
  appendFileSync(path, Array.from({ length: 10_500 }, (_, seq) => `["clients/1",0,${seq}]\n`).join(""));
  const seen = new Seen(path);
  assert.equal(await seen.once(event(20_000), () => {}), true);
  assert.equal(readFileSync(path, "utf8").trim().split("\n").length, 1);
  assert.equal(await seen.once(event(20_000), () => {}), false);
  assert.equal(await seen.once(event(20_001), () => {}), true);
});
