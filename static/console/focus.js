// Parts of a page are replaced or go while somebody has the focus in them. Whoever had it there has
// it afterwards in what came in its place: the same control where there is one, else the nearest
// part around it that can have the focus.

const STOPS = "a[href], button, input, select, textarea, summary, [tabindex]";

let last = null;

const around = (element) => (element ? [element, ...around(element.parentElement)] : []);
const wordsOf = (element) => (element.matches("a, button, summary, label, tr") ? element.textContent.trim() : "");

// What tells a control from others of its kind, the surest first.
function marksOf(element) {
  const { id, name = "", value = "", dataset } = element;
  const claim = element.closest("[data-claim]")?.dataset.claim ?? "";
  const fold = element.closest("details[data-keep]")?.dataset.keep ?? "";
  const own = Object.entries(dataset).map(String).join();
  const words = wordsOf(element);
  const of = [element.tagName, claim, fold];
  return [
    id && [...of, "id", id],
    (own || name || words) && [...of, own, name, value, words],
    words && [...of, words],
    name && [...of, name, value],
    own && [...of, own],
    (claim || fold) && of,
  ].map((marks) => marks && JSON.stringify(marks));
}

// What is known of an element, so that what came in its place can be found.
export const describe = (element) => ({ element, marks: marksOf(element), around: around(element.parentElement) });

addEventListener("focusin", ({ target }) => {
  if (target !== document.body) last = describe(target);
});
// Whoever presses beside everything has let go of it.
addEventListener("pointerdown", ({ target }) => {
  if (!target.closest?.(STOPS)) last = null;
});

const isSeen = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? true;

function sameIn(root, marks) {
  const stops = [...root.querySelectorAll(STOPS)].filter((stop) => !stop.disabled && isSeen(stop));
  const known = stops.map((stop) => [stop, marksOf(stop)]);
  for (const [sure, mark] of marks.entries()) {
    const same = mark && known.find(([, others]) => others[sure] === mark);
    if (same) return same[0];
  }
  return null;
}

export function successorOf({ element, marks, around: parts }) {
  if (element.isConnected && isSeen(element)) return element;
  for (const part of parts) {
    const there = part.isConnected ? part : part.id && document.getElementById(part.id);
    if (!there || there === document.body || there === document.documentElement) continue;
    const nearest = there.matches("[tabindex]") ? there : there.querySelector(":scope > [tabindex]");
    const stop = sameIn(there, marks) ?? (nearest && isSeen(nearest) ? nearest : null);
    if (stop) return stop;
  }
  return null;
}

// After anything was replaced.
export function regain() {
  const { activeElement } = document;
  if (!last || (activeElement && activeElement !== document.body && isSeen(activeElement))) return;
  if (!last.element.isConnected || !isSeen(last.element)) successorOf(last)?.focus({ preventScroll: true });
}

for (const type of ["htmx:afterSettle", "htmx:oobAfterSwap"]) addEventListener(type, regain);
