// Two looks at one run: what fills the window, and what stands below it. The address says which.
// Nothing changes its place by itself: a page goes from one look to the other when it is asked to.

import { openSeat } from "console/run/sheet";

const main = document.getElementById("run");
const room = main.querySelector(".room");
const desk = room.querySelector(".desk");
const parts = { answers: main.querySelector(".answers"), result: main.querySelector(".outcome") };
const rail = main.querySelector(".rail");
const PANES = ".seat-body, .fused, .aside";
const NARROW = matchMedia("(max-width: 1000px)"); // there the page scrolls, not its parts

export function showLook(look) {
  if (main.dataset.look === look) return;
  // What is taken out of a document and put back has forgotten how far it was scrolled.
  const panes = Array.from(main.querySelectorAll(PANES), (pane) => [pane, pane.scrollTop]);
  const [shown, other] = look === "answers" ? [parts.answers, parts.result] : [parts.result, parts.answers];
  desk.append(shown);
  room.after(other);
  main.dataset.look = look;
  for (const [pane, top] of panes) pane.scrollTop = top;
  for (const link of main.querySelectorAll("[data-look-of]")) {
    if (link.dataset.lookOf === look) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const address = new URL(location.href);
  address.searchParams.set("look", look);
  address.hash = "";
  history.replaceState(history.state, "", address);
  scrollTo({ top: 0, behavior: "instant" });
}

// A part of the run, by the id of its element: where it stands fills the window.
export function showPart(id) {
  if (id.startsWith("seat-")) {
    showLook("answers");
    openSeat(id);
    return;
  }
  showLook("result");
  const card = document.getElementById(id).closest(".card");
  const pane = card.closest(".fused, .aside");
  if (NARROW.matches) card.scrollIntoView({ behavior: "instant" });
  else if (pane.matches(".aside")) {
    pane.scrollTop += card.getBoundingClientRect().top - pane.getBoundingClientRect().top;
  }
  pane.focus({ preventScroll: true });
}

main.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab, another window
  const link = event.target.closest("[data-look-of], a[data-part]");
  if (!link) return;
  event.preventDefault();
  if (link.dataset.part) showPart(link.dataset.part);
  else showLook(link.dataset.lookOf);
});

// ---- the rail: one stop for the keyboard, arrows within ----

const stops = [...rail.querySelectorAll("a, button")];

function stopAt(stop) {
  for (const other of stops) other.tabIndex = other === stop ? 0 : -1;
}
stopAt(stops[0]);
rail.addEventListener("focusin", ({ target }) => stopAt(target));
rail.addEventListener("keydown", (event) => {
  const at = stops.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: stops.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  stops.at(to % stops.length).focus();
});

// ---- states in the rail are those of the parts themselves ----

const DONE = { done: "✓", running: "…", waiting: "waits", writing: "writing", failed: "✕" };

function tell(part, word) {
  const state = rail.querySelector(`[data-part="${part}"] .rail-state`);
  if (state && state.textContent !== word) state.textContent = word;
}

function tellStates() {
  tell("fused-answer", DONE[main.querySelector(".fused-state")?.dataset.state] ?? "");
  tell("analysis", DONE[main.querySelector("#analysis > .card-head")?.dataset.state] ?? "");
  tell("receipt", main.querySelector("#receipt tfoot td:last-child")?.textContent ?? "");
}
const told = new MutationObserver(tellStates);
for (const id of ["fused-head", "analysis", "receipt"]) {
  const part = document.getElementById(id);
  if (part) told.observe(part, { childList: true });
}
tellStates();

// ---- what is ready is told until one has come to it ----

const ready = main.querySelector(".fused-ready");
if (ready) {
  const atHalf = { rootMargin: "0px 0px -50% 0px" };
  const reached = new IntersectionObserver(([{ isIntersecting }]) => {
    ready.classList.toggle("is-reached", isIntersecting);
  }, atHalf);
  reached.observe(parts.result.querySelector(".fused"));
}

// ---- an address that names a part opens it ----

const named = rail.querySelector(`[data-part="${CSS.escape(location.hash.slice(1))}"]`);
if (named && new URL(location.href).searchParams.has("look")) showPart(named.dataset.part);
