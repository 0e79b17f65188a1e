// Bars in the margins, at the lines that a sentence fills, and ribbons between what belongs
// together. All is measured first and drawn after, once a frame.

import { bodies, measure, panes, partnersOf, placeOf, statements, texts } from "console/compare/statements";

const SVG = "http://www.w3.org/2000/svg";
const WITH_BAR = new Set(["only", "opposed", "reworded", "linked"]);
const ribbons = document.querySelector(".ribbons");
const LINE_GAP = 15; // pixels, less than there is between two paragraphs
let isAsked = false;
let isLaidOut = false;

export function draw({ isScroll = false } = {}) {
  isLaidOut &&= isScroll;
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    if (!isLaidOut) {
      measure();
      panes.forEach((_, side) => drawBars(side));
    }
    isLaidOut = true;
    drawRibbons();
  });
}

function drawBars(side) {
  const drawn = [];
  for (const [number, said] of statements(side)) {
    const state = said.dataset.said;
    const at = WITH_BAR.has(state) && placeOf(side, number);
    if (!at) continue;
    const edge = getComputedStyle(said).direction === "rtl" ? "right" : "left";
    const before = drawn.at(-1);
    const goesOn = before?.state === state && before.edge === edge;
    // Lines that follow one another have one bar.
    if (goesOn && at.top - before.bottom < LINE_GAP) before.bottom = Math.max(before.bottom, at.bottom);
    else drawn.push({ state, edge, ...at });
  }
  for (const bar of texts[side].querySelectorAll(".bar")) bar.remove();
  texts[side].append(...drawn.map(({ state, edge, top, bottom }) => {
    const bar = document.createElement("span");
    bar.className = "bar";
    bar.dataset.bar = state;
    bar.style.top = `${top + 2}px`;
    bar.style.height = `${bottom - top - 4}px`;
    bar.style[edge] = state === "opposed" ? "0.75rem" : "1.15rem";
    return bar;
  }));
}

function drawRibbons() {
  const area = ribbons.getBoundingClientRect();
  if (!area.width) return;
  const seen = bodies.map((body) => body.getBoundingClientRect());
  const from = texts.map((text) => text.getBoundingClientRect().top);
  const at = (side, number) => {
    const place = placeOf(side, number);
    return place && { top: place.top + from[side], bottom: place.bottom + from[side] };
  };
  const paths = [];
  for (const [number, said] of statements(0)) {
    const one = said.dataset.with && at(0, number);
    if (!one) continue;
    for (const partner of partnersOf(said)) {
      const two = at(1, partner);
      const isOpposed = said.dataset.said === "opposed";
      const hidden = [one, two].filter((place, side) => !place || isOutside(place, seen[side]));
      // What both say is tied where both can be seen; a contradiction also leads out of view.
      if (!two || hidden.length > (isOpposed ? 1 : 0)) continue;
      const kind = isOpposed ? "is-opposed" : said.classList.contains("is-lit") ? "is-lit" : "is-shared";
      const shape = isOpposed ? thread : ribbon;
      paths.push([shape(within(one, seen[0], area), within(two, seen[1], area), area.width), kind]);
    }
  }
  ribbons.replaceChildren(...paths.map(([d, kind]) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("class", kind);
    return path;
  }));
}

const isOutside = (at, pane) => at.bottom < pane.top || at.top > pane.bottom;

// What lies beyond the edge of its pane is tied to the edge.
function within(at, pane, area) {
  const keep = (y) => Math.round(Math.min(Math.max(y, pane.top), pane.bottom) - area.top);
  return { top: keep(at.top), bottom: keep(at.bottom) };
}

function ribbon(one, two, width) {
  const half = width / 2;
  return `M0 ${one.top}C${half} ${one.top} ${half} ${two.top} ${width} ${two.top}`
    + `V${two.bottom}C${half} ${two.bottom} ${half} ${one.bottom} 0 ${one.bottom}Z`;
}

function thread(one, two, width) {
  const [a, b] = [one, two].map(({ top, bottom }) => (top + bottom) / 2);
  return `M0 ${a}C${width / 2} ${a} ${width / 2} ${b} ${width} ${b}`;
}
