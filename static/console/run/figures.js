// Elements whose words change all the time: clocks, counts, what is made of counts. They stand beside
// the texts, never in them, and are known by heart: to look for them among all that models have
// written, ten times a second and with every frame, costs more than to show the frame.

const main = document.getElementById("run");
const KINDS = ["since", "until", "figure", "rateOf", "costOf"];
const MARKED = "[data-since], [data-until], [data-figure], [data-rate-of], [data-cost-of]";
const known = new Map(KINDS.map((kind) => [kind, new Set()]));

// Those with `data-<kind>`.
export const all = (kind) => known.get(kind);

export function named(name) {
  return [...all("figure")].filter(({ dataset }) => dataset.figure === name);
}

export function write(element, text) {
  const { firstChild } = element;
  if (!firstChild) element.textContent = text;
  else if (firstChild.data !== text) firstChild.data = text;
}

// In a part of the page that has come anew.
export function lookIn(part) {
  for (const some of known.values()) {
    for (const one of some) if (!one.isConnected) some.delete(one);
  }
  for (const one of part.querySelectorAll(MARKED)) {
    for (const kind of KINDS) if (kind in one.dataset) known.get(kind).add(one);
  }
}

for (const type of ["htmx:afterSwap", "htmx:oobAfterSwap"]) addEventListener(type, () => lookIn(main));
lookIn(main);
