// Claims of the map by keys: J and K go from one to the next, Enter opens its passage, arrows go
// within it, so that each is one stop. Which of them are shown stands in the address.

import { enterClaim, passageIsOpen } from "console/run/passage";

const main = document.getElementById("run");
const analysis = document.getElementById("analysis");
const aside = main.querySelector(".aside");
const FIELD = "show";

const claims = () => [...analysis.querySelectorAll(".claim")].filter((claim) => claim.offsetParent);

// ---- from claim to claim ----

// Down to the foot, which holds on to the map's edge and covers what is below it.
const scrollsAlone = () => aside.scrollHeight > aside.clientHeight;

// From the letters, which stand above it, down to the foot, which holds on to the map's edge and
// covers what is below it.
function roomOf() {
  const { top, bottom } = aside.getBoundingClientRect();
  const foot = aside.querySelector(".again-foot");
  const isHeld = foot && getComputedStyle(foot).position === "sticky";
  return {
    top: top + (parseFloat(getComputedStyle(aside).scrollPaddingTop) || 0),
    bottom: bottom - (isHeld ? foot.offsetHeight : 0),
  };
}

function reveal(row) {
  const [box, room] = [row.getBoundingClientRect(), roomOf()];
  if (!scrollsAlone()) row.scrollIntoView({ block: "nearest", behavior: "instant" });
  else if (box.top < room.top) aside.scrollTop += box.top - room.top - 8;
  else if (box.bottom > room.bottom) aside.scrollTop += Math.min(box.bottom - room.bottom + 8, box.top - room.top - 8);
}

// Where the map scrolls alone nothing else moves for it.
export function revealBeside(part) {
  if (scrollsAlone() && part.checkVisibility()) reveal(part);
}

// The one that is lit is in view; who goes back from its passage is where they came from.
let moved = null; // how far the map was scrolled, and is

function showLit(row) {
  const from = moved?.to === aside.scrollTop ? moved.from : aside.scrollTop;
  revealBeside(row);
  moved = { from, to: aside.scrollTop };
}

document.getElementById("passage").addEventListener("left", () => {
  if (moved?.to === aside.scrollTop) aside.scrollTop = moved.from;
  moved = null;
});

export function stepClaim(step) {
  const all = claims();
  if (!all.length) return;
  const from = passageIsOpen() ? analysis.querySelector(".claim.is-lit") : document.activeElement.closest?.(".claim");
  let at = all.indexOf(from);
  for (let tries = 0; tries < all.length; tries += 1) {
    at = at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length;
    if (!passageIsOpen()) {
      const row = all[at].querySelector(".claim-says");
      row.focus({ preventScroll: true });
      reveal(all[at]);
      return;
    }
    if (!enterClaim(all[at])) continue; // what nobody said has no passage
    showLit(all[at]);
    return;
  }
}

// One that a link leads to, whatever was chosen to be shown.
export function showClaim(claim) {
  const all = analysis.querySelector('.mapped input[value="all"]');
  if (!claim.offsetParent && all) all.click();
  for (const quotes of claim.querySelectorAll("details")) quotes.open = true;
  claim.querySelector(".claim-says").focus({ preventScroll: true });
  reveal(claim);
}

main.addEventListener("click", (event) => {
  if (event.target.closest("[data-passage-next]")) stepClaim(1);
  const row = event.target.closest("#analysis .claim-says");
  // Whoever marks its words to copy them opens nothing.
  if (row && getSelection().isCollapsed) enterClaim(row.closest(".claim"));
});

// ---- within a claim: one stop, arrows from part to part ----

const STOPS = ".claim-says, a, summary, button, input:not(.ruling-note)";
const stopsOf = (claim) => [...claim.querySelectorAll(STOPS)].filter((stop) => stop.checkVisibility?.() ?? true);

function stopAt(stop) {
  for (const other of stop.closest(".claim").querySelectorAll(STOPS)) other.tabIndex = other === stop ? 0 : -1;
}

analysis.addEventListener("focusin", ({ target }) => {
  if (target.matches(STOPS) && target.closest(".claim")) stopAt(target);
});

analysis.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const claim = target.closest(".claim");
  if (!claim || !target.matches(STOPS) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "Enter" && target.matches(".claim-says")) {
    event.preventDefault();
    enterClaim(claim);
    return;
  }
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  const next = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (!step && !next) return;
  event.preventDefault(); // an arrow goes on and rules nothing
  if (next) {
    stepClaim(next);
    return;
  }
  const stops = stopsOf(claim);
  stops[(stops.indexOf(target) + step + stops.length) % stops.length].focus();
});

// ---- which are shown ----

const shown = () => analysis.querySelector(`.mapped input[name^="show-"]:checked`);

function tellAddress() {
  const address = new URL(location.href);
  const value = shown()?.value ?? "all";
  if (value === "all") address.searchParams.delete(FIELD);
  else address.searchParams.set(FIELD, value);
  history.replaceState(history.state, "", address);
}

// A letter that is pressed again shows all, as its own filter does.
let was = null;
analysis.addEventListener("pointerdown", () => {
  was = shown();
});
analysis.addEventListener("click", ({ target }) => {
  if (!target.matches('.mapped input[name^="show-"]')) return;
  if (target === was && target.value !== "all") analysis.querySelector('.mapped input[value="all"]').checked = true;
  was = null;
  tellAddress();
});
analysis.addEventListener("change", ({ target }) => {
  if (!target.matches('.mapped input[name^="show-"]')) return;
  tellAddress();
  // One that was cut by the edge is whole, and what comes after it is seen.
  target.closest(".map-filters label")?.scrollIntoView({ block: "nearest", inline: "center" });
});
// A wheel that turns one way only moves the row, as far as it goes.
analysis.addEventListener(
  "wheel",
  (event) => {
    const row = event.target.closest(".map-filters");
    if (!row || event.deltaX || event.ctrlKey) return;
    const before = row.scrollLeft;
    row.scrollLeft += event.deltaY;
    if (row.scrollLeft !== before) event.preventDefault();
  },
  { passive: false },
);

// ---- parts of the page are replaced while a run goes on ----

let open = new Map();
main.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target !== analysis) return;
  open = new Map(Array.from(analysis.querySelectorAll("details[data-keep]"), (one) => [one.dataset.keep, one.open]));
});
main.addEventListener("htmx:oobAfterSwap", () => {
  for (const one of analysis.querySelectorAll("details[data-keep]")) one.open = open.get(one.dataset.keep) ?? one.open;
});

function dress() {
  for (const row of analysis.querySelectorAll(".claim-says")) stopAt(row);
  const wanted = new URL(location.href).searchParams.get(FIELD);
  const filter = wanted && analysis.querySelector(`.mapped input[value="${CSS.escape(wanted)}"]`);
  if (filter) filter.checked = true;
}
new MutationObserver(dress).observe(analysis, { childList: true });
dress();
