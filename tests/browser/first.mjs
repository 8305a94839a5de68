// The door: who is let in, what is kept of a form whose session has ended, and the pages that are nobody's.
import { api, assert, base, go, look, password, shot, signIn, walk } from "./harness.mjs";

await walk({}, async (page, context) => {
  const answer = await page.goto(`${base}/resellers?q=a`);
  assert.equal(answer.status(), 401);
  await look(page);
  await shot(page, "sign-in");
  await page.getByLabel("Login").fill("admin");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("the login or the password is wrong").waitFor();
  assert.equal(await page.getByLabel("Login").inputValue(), "admin", "the login is not typed twice");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL("**/resellers?q=a");

  // A form whose session has ended meanwhile.
  await go(page, "/resellers/new");
  await page.getByLabel("Name").fill("Kept <b>&amp; \u00e9");
  await context.clearCookies({ name: "hookswitch_session" });
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("What you typed is kept").waitFor();
  await look(page);
  await page.getByLabel("Login").fill("admin");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Send it now" }).click();
  await page.getByText("was created").waitFor();
  const [reseller] = await api("companies.search", { order: ["-id"], limit: 1 });
  assert.equal(reseller.name, "Kept <b>&amp; \u00e9");

  await go(page, "/no/such/page", 404);
  await go(page, "/resellers/999", 404);
  await go(page, "/resellers/abc", 404);
  await go(page, "/clients/99999999999999999999", 404);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/login");
  assert.equal((await page.goto(`${base}/resellers`)).status(), 401);
});

// Another site can't act in a reader's name, and nobody can read a page without a session.
for (const [headers, status] of [[{ origin: "https://elsewhere.example" }, 403], [{ "sec-fetch-site": "cross-site" }, 403], [{}, 401]]) {
  const answer = await fetch(`${base}/resellers/new`, { method: "POST", headers, body: "name=x" });
  assert.equal(answer.status, status);
  assert.match(answer.headers.get("content-security-policy"), /default-src 'none'/);
}

// The colours are chosen without a script, and remembered.
await walk({ javaScriptEnabled: false }, async (page) => {
  await signIn(page);
  await page.getByRole("button", { name: "Dark" }).click();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await go(page, "/resellers");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
});
