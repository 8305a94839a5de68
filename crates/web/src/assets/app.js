// What makes pages nicer for who has JavaScript. Everything works without it, but for live updates.
"use strict";

// A refused form is read from its summary.
document.querySelector("[data-focus]")?.focus();

// Keys: / to the search, g and a letter to a section, as the navigation has them.
const places = { o: "/", h: "/provisioning/handlers", l: "/provisioning/logs", d: "/provisioning/deliveries",
  e: "/provisioning/events", c: "/clients", a: "/accounts", p: "/packages", t: "/transactions", s: "/status" };
let going = 0;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "/") {
    const box = document.querySelector(".filters input:not([type=hidden])");
    if (box) { event.preventDefault(); box.focus(); }
  } else if (event.key === "g") {
    going = Date.now();
  } else if (places[event.key] && Date.now() - going < 1500) {
    location.href = places[event.key];
  }
});

// Copy what a button names; such a button is of no use without a script, and may be hidden until then.
document.querySelectorAll("[data-copy][hidden]").forEach((button) => { button.hidden = false; });
const copy = async (text) => {
  if (navigator.clipboard) { await navigator.clipboard.writeText(text); return; }
  // Over plain http a browser has the old way only.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
};
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  await copy(source.value ?? source.textContent);
  const words = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = words; }, 1500);
});

// Filters count at once where one chooses.
document.querySelectorAll("form.filters select").forEach((select) => {
  select.addEventListener("change", () => select.form.requestSubmit());
});

// Live: the same page is asked for again, and what is new in it is taken over. Rows gather behind a button, unless live mode is on;
// parts with data-live="part" are replaced as they are.
const EVERY_MS = 2000;
const rows = document.querySelector('[data-live="rows"]');
const parts = [...document.querySelectorAll('[data-live="part"][id]')];
if (rows || parts.length) {
  const toggle = document.querySelector("[data-live-toggle]");
  let gathered = [];
  const fresh = document.createElement("button");
  fresh.type = "button";
  fresh.dataset.fresh = "";
  fresh.hidden = true;
  fresh.addEventListener("click", () => putIn());
  rows?.parentElement.before(fresh);

  const putIn = () => {
    const body = document.querySelector('table[data-live="rows"] tbody');
    if (!body) { location.reload(); return; }
    for (const row of gathered.reverse()) { row.classList.add("new"); body.prepend(row); setTimeout(() => row.classList.remove("new"), 50); }
    while (body.rows.length > 200) body.lastElementChild.remove();
    gathered = [];
    fresh.hidden = true;
  };
  const known = () => new Set([...document.querySelectorAll('[data-live="rows"] tr[data-key]'), ...gathered].map((row) => row.dataset.key));
  const take = (page) => {
    for (const part of parts) {
      const now = page.getElementById(part.id);
      if (now && now.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) part.innerHTML = now.innerHTML;
    }
    if (!rows) return;
    const seen = known();
    const news = [...page.querySelectorAll('[data-live="rows"] tr[data-key]')].filter((row) => !seen.has(row.dataset.key));
    gathered = [...news, ...gathered].slice(0, 200);
    if (gathered.length && toggle?.checked) putIn();
    fresh.textContent = `${gathered.length} new`;
    fresh.hidden = !gathered.length;
  };
  const look = async () => {
    try {
      if (!document.hidden && !(new URLSearchParams(location.search).get("offset"))) {
        const answer = await fetch(location.href, { headers: { "X-Live": "1" }, signal: AbortSignal.timeout(8000) });
        if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      }
    } catch { /* The next look may succeed. */ }
    setTimeout(look, EVERY_MS);
  };
  if (toggle) {
    toggle.checked = sessionStorage.getItem("live") === "on";
    toggle.addEventListener("change", () => { sessionStorage.setItem("live", toggle.checked ? "on" : "off"); if (toggle.checked && gathered.length) putIn(); });
    toggle.closest("[hidden]")?.removeAttribute("hidden");
  }
  setTimeout(look, EVERY_MS);
}
