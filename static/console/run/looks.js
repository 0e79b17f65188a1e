// Looks at one run: what fills the window, and what stands below it. The address says which. On a
// phone one part is shown at a time, and the rail is its tabs.
// Nothing changes its place by itself: a page goes from one look to the other when it is asked to.

import { reachWideThings, showSeat } from "console/run/columns";
import { closePassage, passageIsOpen } from "console/run/passage";
import { openSeat } from "console/run/sheet";
import { ACROSS, DOWN, oneStop } from "console/stops";

const main = document.getElementById("run");
const room = main.querySelector(".room");
const desk = room.querySelector(".desk");
const parts = { answers: main.querySelector(".answers"), result: main.querySelector(".outcome") };
const fused = document.getElementById("fused-answer");
const rail = main.querySelector(".rail");
const aside = main.querySelector(".aside");
const PANES = ".seat-body, .fused, .aside";
const NARROW = matchMedia("(width <= 62.5em)"); // there the page scrolls, not its parts
const OVER = matchMedia("(width < 75em)"); // there a passage lies over the map
const PHONE = matchMedia("(width <= 43.75em)");
// Where the fused answer has room beside every seat it is the first column of the answers: the
// style sheet keeps that room.
const FROM = { 6: 144.375, 7: 163.75, 8: 179.375 }; // em
const WIDE = matchMedia(`(width >= ${FROM[main.querySelector(".seats").dataset.count] ?? 125}em)`);

// Where there is room for them beside the result too, the answers stand there.
const WIDEST = matchMedia("(width >= 143.75em)");

function keepingScrolled(change) {
  // What is taken out of a document and put back has forgotten how far it was scrolled.
  const panes = Array.from(main.querySelectorAll(PANES), (pane) => [pane, pane.scrollTop]);
  change();
  for (const [pane, top] of panes) pane.scrollTop = top;
}

function placeFused() {
  if (WIDE.matches && main.dataset.look === "answers") {
    if (fused.parentElement !== desk) parts.answers.before(fused);
  } else if (fused.parentElement === desk) parts.result.prepend(fused);
}
function placeAnswers() {
  if (main.dataset.look !== "result") return;
  if (WIDEST.matches) desk.append(parts.answers);
  else room.after(parts.answers);
}
WIDE.addEventListener("change", () => keepingScrolled(placeFused));
WIDEST.addEventListener("change", () => keepingScrolled(placeAnswers));
placeFused();
placeAnswers();

// A part is told apart from a place in the page: the browser scrolls to that.
function tellAddress(look, part) {
  const address = new URL(location.href);
  address.searchParams.set("look", look);
  if (part) address.searchParams.set("part", part);
  else address.searchParams.delete("part");
  address.hash = "";
  history.replaceState(history.state, "", address);
}

// Where one was last in each look: whoever has the focus in what goes below has it there.
const places = {};
for (const [look, part] of Object.entries(parts)) part.addEventListener("focusin", ({ target }) => (places[look] = target));

function place(look) {
  const usual = look === "answers" ? main.querySelector(".seat:not(.is-spine) .seat-body") : fused;
  return places[look]?.isConnected && places[look].checkVisibility() ? places[look] : usual;
}

function showLook(look) {
  const isSkipping = document.activeElement.matches(".skips a");
  if (PHONE.matches) {
    showTab(look === "answers" ? main.querySelector(".seat.is-current").id : "fused-answer", false);
    return;
  }
  fill(look);
  if (isSkipping || document.activeElement === document.body) place(look).focus({ preventScroll: true });
}

function fill(look) {
  if (main.dataset.look === look) return;
  const [shown, other] = look === "answers" ? [parts.answers, parts.result] : [parts.result, parts.answers];
  keepingScrolled(() => {
    main.dataset.look = look;
    desk.append(shown);
    room.after(other);
    placeFused();
    placeAnswers();
  });
  for (const link of main.querySelectorAll("[data-look-of]")) {
    if (link.dataset.lookOf === look) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  tellAddress(look);
  if (!PHONE.matches) scrollTo({ top: 0, behavior: "instant" });
}

// Sources and receipt stand in the map's place; Back, here or the browser's, leads to where one was.
const BESIDE = new Set(["sources", "receipt"]);
const isBeside = (part = main.dataset.part) => BESIDE.has(part);
const standing = () => (isBeside() ? main.dataset.part : "analysis");
const downs = new Map(); // part -> how far the pane was scrolled in it
let before = null; // where one was when they came

function stand(part) {
  if (part === standing()) return;
  downs.set(standing(), aside.scrollTop);
  main.dataset.part = part;
  aside.scrollTop = downs.get(part) ?? 0;
  tellTab();
}

function remember() {
  before = { look: main.dataset.look, part: main.dataset.part, focused: document.activeElement };
}

function forget() {
  before = null;
  if (history.state?.beside) history.replaceState({ ...history.state, beside: false }, "");
  if (isBeside() && !PHONE.matches) stand("analysis");
}

export function back() {
  if (!isBeside()) return false;
  if (history.state?.beside) history.back();
  else lead(before?.look ?? main.dataset.look, before?.part ?? "analysis");
  return true;
}

function lead(look, part) {
  const focused = before?.focused;
  before = null;
  if (PHONE.matches) showTab(part, false);
  else {
    stand(isBeside(part) ? part : "analysis");
    fill(look);
    tellAddress(look, isBeside(part) ? part : "");
  }
  focused?.focus({ preventScroll: true });
  if (document.activeElement === document.body) place(look).focus({ preventScroll: true });
}

// The browser went to another entry of this page: its address says what is shown.
const first = { look: main.dataset.look, part: main.dataset.part };
addEventListener("popstate", () => {
  const wanted = new URL(location.href).searchParams;
  const look = wanted.get("look") in parts ? wanted.get("look") : first.look;
  const part = wanted.get("part") ?? before?.part ?? (PHONE.matches ? first.part : "analysis");
  const isThere = PHONE.matches || isBeside(part) ? part === main.dataset.part : !isBeside();
  if (look !== main.dataset.look || !isThere) lead(look, part);
});
aside.querySelector("[data-beside-back]").addEventListener("click", back);

// Where a page has come with its part, keys act in it, and it is marked once one is pressed.
function come(pane, isLoaded) {
  if (isLoaded) {
    pane.classList.add("is-quiet");
    addEventListener("keydown", () => pane.classList.remove("is-quiet"), { once: true });
  }
  pane.focus({ preventScroll: true });
}

// A part of the run, by the id of its element: where it stands fills the window.
// What stands in another's place has an entry of its own.
export function showPart(id, { isAsked = false, isEntry = true, isLoaded = false } = {}) {
  if (isBeside(id) && passageIsOpen() && OVER.matches) {
    closePassage(() => showPart(id, { isEntry }));
    return;
  }
  if (isBeside(id) && !isBeside()) {
    remember();
    if (isEntry) history.pushState({ ...history.state, beside: true }, "");
  }
  if (PHONE.matches) {
    if (!isBeside(id)) forget();
    showTab(id, isAsked, isLoaded);
    return;
  }
  if (id.startsWith("seat-")) {
    if (parts.answers.parentElement !== desk) {
      forget();
      fill("answers");
    }
    openSeat(id);
    return;
  }
  if (isBeside(id)) stand(id);
  else if (id === "analysis") forget();
  if (id !== "fused-answer" || fused.parentElement !== desk) fill("result");
  if (id !== "fused-answer") tellAddress("result", isBeside(id) ? id : "");
  const card = document.getElementById(id).closest(".card");
  if (NARROW.matches) card.scrollIntoView({ behavior: "instant" });
  come(card.closest(".fused, .aside"), isLoaded);
}

// ---- on a phone: one part, and the rail above it ----

const scrolled = new Map(); // part -> where the page was left

// What was waited for begins at the top of the window; who looks around stays where they are.
function showTab(id, isAsked, isLoaded = false) {
  const look = id.startsWith("seat-") ? "answers" : "result";
  scrolled.set(main.dataset.part, scrollY);
  main.dataset.part = id;
  if (look === "answers") showSeat(id);
  fill(look);
  tellAddress(look, id);
  tellTab();
  // As it was left; what is come to anew begins below the tabs, wherever one was.
  const heads = [...room.children].filter((head) => head !== desk && head.getClientRects().length);
  const above = Math.max(...heads.map((head) => head.getBoundingClientRect().bottom)) + parseFloat(getComputedStyle(main).rowGap);
  const top = isAsked ? above + scrollY : (scrolled.get(id) ?? Math.min(scrollY, above + scrollY));
  scrollTo({ top, behavior: "instant" });
  reachWideThings();
  const part = document.getElementById(id);
  come(part.querySelector(".seat-body") ?? part.closest(".fused, .aside"), isLoaded);
}

function tellTab() {
  for (const link of rail.querySelectorAll("[data-part]")) {
    const { part } = link.dataset;
    if ((PHONE.matches || isBeside(part)) && part === main.dataset.part) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
PHONE.addEventListener("change", tellTab);
tellTab();

const ready = main.querySelector(".fused-ready[data-part]");
addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab, another window
  const link = event.target.closest?.("[data-look-of], a[data-part]");
  if (!link) return;
  event.preventDefault();
  if (link.dataset.part) {
    showPart(link.dataset.part, { isAsked: link === ready });
    if (link.matches(".skips a")) document.getElementById(link.hash.slice(1))?.focus({ preventScroll: link.hash !== "#follow-prompt" });
  } else {
    forget();
    showLook(link.dataset.lookOf);
  }
});

// ---- one stop for the keyboard, arrows within ----

oneStop(rail, PHONE.matches ? ACROSS : DOWN);
oneStop(main.querySelector(".looks"), ACROSS);
// At a run's end there is one more.
function tabs() {
  const fusions = main.querySelector(".fusion-tabs ol");
  if (fusions) oneStop(fusions, ACROSS);
}
main.addEventListener("htmx:oobAfterSwap", tabs);
tabs();

// The fusion before the one that is shown, or after it.
export function stepFusion(step) {
  const all = [...main.querySelectorAll(".fusion-tabs ol a")];
  all[all.findIndex((link) => link.matches("[aria-current]")) + step]?.click();
}

// ---- states in the rail are those of the parts themselves ----

const DONE = { done: "✓", running: "…", waiting: "waits", writing: "writing", failed: "✕" };

function tell(part, word, state = "") {
  const link = rail.querySelector(`[data-part="${part}"]`);
  if (!link) return;
  const told = link.querySelector(".rail-state");
  if (told.textContent !== word) told.textContent = word;
  if (state) link.dataset.state = state;
}

// One that was there when the page was opened is no news, whatever else of the run goes on.
let isAwaited = false;

function tellStates() {
  const state = main.querySelector(".fused-state")?.dataset.state;
  isAwaited ||= state !== "done";
  tell("fused-answer", DONE[state] ?? "", state);
  ready?.classList.toggle("is-there", state === "done" && isAwaited);
  // What stands in goes by its own name.
  if (ready && state === "done") ready.firstChild.data = `${document.getElementById("fused-title").textContent} ready`;
  const compared = main.querySelector("#analysis > .card-head")?.dataset.state;
  tell("analysis", DONE[compared] ?? "", compared);
  tell("sources", main.querySelector("#sources [data-count]")?.dataset.count ?? "");
  tell("receipt", main.querySelector("#receipt tfoot td:last-child")?.textContent ?? "");
}
const told = new MutationObserver(tellStates);
for (const id of ["fused-head", "analysis", "sources", "receipt"]) {
  const part = document.getElementById(id);
  if (part) told.observe(part, { childList: true });
}
tellStates();

// ---- what is ready is told until one has come to it ----

if (ready) {
  const atHalf = { rootMargin: "0px 0px -50% 0px" };
  const reached = new IntersectionObserver(([{ isIntersecting }]) => {
    ready.classList.toggle("is-reached", isIntersecting);
  }, atHalf);
  reached.observe(fused);
}
