// Who looks elsewhere is told by the tab: its title says how far the run is, its icon whether it
// goes on, is ready or failed. When a run is long and its tab hidden, a message of the browser is
// offered, once.

import { regain } from "console/focus";
import { isOver } from "console/run/socket";

const figure = document.querySelector("#run [data-figure=in-title]");
const KEPT = "fusion.tell";
const LONG = 20_000;

// ---- title and icon ----

const asked = document.title.replace(/^[^·]*· /, "");
const icon = document.querySelector("link[rel=icon]");
const SIGNS = {
  Ready: '<circle cx="24" cy="24" r="8" fill="#14733f"/><path d="M20 24l3 3 5-6" stroke="#fff" stroke-width="2.4" fill="none"/>',
  Failed: '<circle cx="24" cy="24" r="8" fill="#b3261e"/><path d="M21 21l6 6m0-6l-6 6" stroke="#fff" stroke-width="2.4"/>',
  Stopped: '<circle cx="24" cy="24" r="8" fill="#8a5a00"/><path d="M21 21h6v6h-6z" fill="#fff"/>',
};
const RUNNING = '<circle cx="24" cy="24" r="8" fill="#3a49c9"/><path d="M20 24h.1M24 24h.1M28 24h.1" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/>';
const RINGS = '<g fill="none" stroke-width="3"><circle cx="11.5" cy="12" r="7.2" stroke="#2f6bff"/><circle cx="20.5" cy="12" r="7.2" stroke="#e0662b"/><circle cx="16" cy="20" r="7.2" stroke="#12a08f"/></g>';

function tellTab() {
  const word = figure.textContent;
  document.title = `${word} · ${asked}`;
  const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${RINGS}${SIGNS[word] ?? RUNNING}</svg>`;
  icon.href = `data:image/svg+xml,${encodeURIComponent(drawn)}`;
  if (word in SIGNS) notify(word);
}

// ---- a message ----

const offer = document.getElementById("tell-me");
let isNotified = false;

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return "asked"; // where nothing may be stored, it would be offered with every run
  }
}

function keep(answer) {
  try {
    localStorage.setItem(KEPT, answer);
  } catch {
    // Then nothing is offered.
  }
}

function offerWhenHidden() {
  if (!document.hidden || isOver() || kept() !== null) return;
  if (window.Notification?.permission !== "default") return;
  offer.hidden = false;
}

function notify(word) {
  offer.hidden = true;
  if (isNotified || kept() !== "yes" || !document.hidden) return;
  isNotified = true;
  if (window.Notification?.permission !== "granted") return;
  const note = new Notification(`${word}: ${asked.replace(/ · Fusion$/, "")}`, { tag: location.pathname });
  note.addEventListener("click", () => {
    window.focus();
    note.close();
  });
}

if (figure) {
  new MutationObserver(tellTab).observe(figure, { childList: true, characterData: true, subtree: true });
  tellTab();
  setTimeout(offerWhenHidden, LONG);
  document.addEventListener("visibilitychange", () => setTimeout(offerWhenHidden, document.hidden ? LONG : 0));
  offer.addEventListener("click", async () => {
    offer.hidden = true;
    regain();
    keep("asked");
    if ((await Notification.requestPermission()) === "granted") keep("yes");
  });
}
