// What every walk through the web section needs: a browser, somebody who is signed in, the API to set things up and to look behind
// the pages, and a look at each page for what must hold on all of them.
//
// A walk is run by a test in Rust (tests/src/pages), which starts the server and says where it is. With HOOKSWITCH_WRITE_SCREENSHOTS=1
// the pictures go into docs/pages, else into target/pages.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// The packages lie where ./test has put them, not beside this file.
const installed = createRequire(join(process.env.MODULES, "package.json"));
const { chromium } = installed("playwright-core");
const axe = readFileSync(installed.resolve("axe-core/axe.min.js"), "utf8");

export { assert };
export const base = process.env.BASE;
export const password = process.env.PASSWORD;
const key = process.env.KEY;
const pictures = process.env.PICTURES;
const PAGE_BYTES_MAX = 100_000;

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--force-prefers-reduced-motion"];

/** Calls a method of the Core API as the admin (or by another key, or on another node); throws what it is refused with. */
export async function api(method, params = {}, by = key, at = base) {
  const answer = await fetch(`${at}/api/`, {
    method: "POST",
    headers: { "X-Api-Key": by, "Content-Type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = await answer.json();
  if (error) throw Object.assign(new Error(`${method}: ${error.message}`), error);
  return result;
}

/** Waits until this gives something that is true, and gives that. */
export async function until(what, look, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((go) => setTimeout(go, 50));
  }
}

/** Runs a walk in a browser of its own; `sets` are those of a context, such as `javaScriptEnabled` or `viewport`. */
export async function walk(sets, steps) {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...sets });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const faults = [];
    page.on("console", (message) => {
      // A page that says 4xx on purpose is told of by the browser too.
      if (message.type() === "error" && !/the server responded with a status of 4/.test(message.text())) faults.push(message.text());
    });
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("dialog", (dialog) => { faults.push(`a script of somebody's ran: ${dialog.message()}`); dialog.dismiss(); });
    await steps(page, context);
    assert.deepEqual(faults, [], "the browser complained");
  } finally {
    await browser.close();
  }
}

/** Signs in by the form. */
export async function signIn(page, login = "admin", by = password) {
  await page.goto(`${base}/login`);
  await page.getByLabel("Login").fill(login);
  await page.getByLabel("Password").fill(by);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
}

/** Goes to a page of ours and looks at it. */
export async function go(page, path, status = 200) {
  const answer = await page.goto(base + path);
  assert.equal(answer.status(), status, `${path}: ${await page.locator("main").innerText()}`);
  const { length } = await answer.body();
  assert.ok(length < PAGE_BYTES_MAX, `${path} has ${length} bytes`);
  await look(page, path);
}

/** What must hold on every page: light, nothing cut off at the side, no serious fault that axe finds, a title and one heading. */
export async function look(page, what = page.url()) {
  const length = Buffer.byteLength(await page.content());
  assert.ok(length < PAGE_BYTES_MAX, `${what} has ${length} bytes`);
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${what} is ${wide} wide in a window of ${window}`);
  assert.equal(await page.locator("h1").count(), 1, `${what}: one heading of the first order`);
  if (page.context()._options?.javaScriptEnabled !== false) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    const bad = violations.filter((one) => ["serious", "critical"].includes(one.impact));
    assert.deepEqual(bad.map((one) => `${one.id}: ${one.help} ${one.nodes.map((node) => node.html).slice(0, 3).join(" | ")}`), [], what);
  }
}

/** A picture for docs/pages. */
export async function shot(page, name) {
  mkdirSync(pictures, { recursive: true });
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: "disabled" });
}
