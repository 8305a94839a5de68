// What a Hookswitch handler needs besides its own rules: is the call genuine, how to answer, has this event been seen.
// Nothing but Node.js (18 or later).
import { createHmac, timingSafeEqual } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";

/** A call that is older, or newer, than this many seconds is taken for one that somebody has kept and sends again. */
export const TOLERANCE_S = 300;
/** Lines of what was seen that no longer count, before the file is written anew. */
const STALE_LINES_MAX = 10_000;

/** The call was not signed with this secret, or not lately. Answer it with 401. */
export class Forged extends Error {}

/** Checks the signature of a call and gives its payload; throws Forged. See index.d.ts. */
export function verify(secret, headers, body, { toleranceS = TOLERANCE_S, now = Date.now() / 1000 } = {}) {
  const given = lowerCase(headers);
  const sent = given["webhook-timestamp"] ?? "";
  if (!/^\d+$/.test(sent) || Math.abs(now - Number(sent)) > toleranceS) {
    throw new Forged("the time of the call is missing or too far from now");
  }
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
  const signed = Buffer.concat([Buffer.from(`${given["webhook-id"] ?? ""}.${sent}.`), bytes]);
  const expected = [secret].flat().map((one) => signature(one, signed));
  // While a secret is rotated there are two, separated by a blank.
  const signatures = (given["webhook-signature"] ?? "").split(" ");
  if (!signatures.some((one) => expected.some((good) => isEqual(one, good)))) throw new Forged("the signature is missing or wrong");
  const payload = JSON.parse(bytes.toString("utf8"));
  if (payload === null || typeof payload !== "object" || Array.isArray(payload)) throw new Forged("the body is no object");
  return payload;
}

function lowerCase(headers) {
  const pairs = typeof headers.entries === "function" ? [...headers.entries()] : Object.entries(headers);
  return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(" ") : value]));
}

function signature(secret, signed) {
  const key = secret.replace(/^whsec_/, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key)) throw new TypeError("the secret is whsec_ and base64, as Hookswitch has shown it");
  return `v1,${createHmac("sha256", Buffer.from(key, "base64")).update(signed).digest("base64")}`;
}

function isEqual(one, other) {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The reply of a before handler that has nothing against it. */
export function allow({ warnings = [] } = {}) {
  return warnings.length ? { warnings } : {};
}

/** The reply of a before handler that says no. */
export function forbid(message, { code, field } = {}) {
  return { verdict: "forbid", message, ...(code === undefined ? {} : { code }), ...(field === undefined ? {} : { field }) };
}

/** The reply of a before handler that changes these keys of `data`; what is not named stays. */
export function modify(data, { warnings = [] } = {}) {
  return { data, ...allow({ warnings }) };
}

/**
 * What an after handler has heard, so that a repeat is done once and a late one never overwrites newer state. Of each object the
 * highest `era` and `seq` are kept, a line of JSON each, in a file that is only ever appended to, flushed before `once` is
 * done; now and then it is written anew without what no longer counts.
 */
export class Seen {
  #path;
  #file;
  #known = new Map();
  #turns = new Map();
  #stale = 0;

  constructor(path) {
    this.#path = path;
    if (existsSync(path)) readFileSync(path, "utf8").split("\n").forEach((line) => this.#read(line));
    this.#file = openSync(path, "a");
  }

  /** Does the work unless this event, or a newer one of its object, was heard; gives whether it was done. */
  async once(payload, work) {
    const { event } = payload;
    const key = `${event.events_id.slice(0, event.events_id.lastIndexOf("."))}/${event.object_id}`;
    const number = [event.era ?? 0, event.seq];
    const before = this.#turns.get(key);
    const turn = (async () => {
      await before?.catch(() => {});
      if (!isHigher(number, this.#known.get(key))) return false;
      await work();
      this.#note(key, number);
      return true;
    })();
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  close() {
    closeSync(this.#file);
  }

  #read(line) {
    try {
      const [key, era, seq] = JSON.parse(line);
      if (this.#known.has(key)) this.#stale += 1;
      if (isHigher([era, seq], this.#known.get(key))) this.#known.set(key, [era, seq]);
    } catch {
      // The last line, cut off by a crash: its event was not answered, and comes again.
    }
  }

  #note(key, number) {
    if (this.#known.has(key)) this.#stale += 1;
    this.#known.set(key, number);
    // A line that was cut off before is ended first.
    writeSync(this.#file, `\n${JSON.stringify([key, ...number])}\n`);
    fsyncSync(this.#file);
    if (this.#stale > STALE_LINES_MAX) this.#writeAnew();
  }

  #writeAnew() {
    const next = `${this.#path}.new`;
    const file = openSync(next, "w");
    for (const [key, number] of this.#known) writeSync(file, `${JSON.stringify([key, ...number])}\n`);
    fsyncSync(file);
    closeSync(file);
    renameSync(next, this.#path);
    closeSync(this.#file);
    this.#file = openSync(this.#path, "a");
    this.#stale = 0;
  }
}

function isHigher([era, seq], known) {
  return known === undefined || era > known[0] || (era === known[0] && seq > known[1]);
}
