// Both texts scroll together: what both say comes level where it can. Pairs that stand in the
// same order on both sides are the fixed points; between two of them it goes by the part.

import { bodies, partnersOf, placeOf, statements } from "console/compare/statements";

const MOST_POINTS = 400; // of very long texts every second pair, or third
const together = document.getElementById("scroll-together");

export function scrollTogether(changed) {
  bodies.forEach((body, side) => {
    body.addEventListener("scroll", () => {
      changed({ isScroll: true });
      const wasLed = body.dataset.led;
      delete body.dataset.led;
      if (!wasLed && together.checked) lead(side);
    }, { passive: true });
  });
}

function lead(side) {
  const [body, other] = [bodies[side], bodies[1 - side]];
  const at = body.scrollTop;
  const points = fixedPoints(side);
  const next = points.findIndex(([from]) => from > at);
  const [a, x] = points[next - 1];
  const [b, y] = points[next];
  const to = Number.isFinite(b) ? x + ((at - a) / (b - a)) * (y - x) : x;
  const before = other.scrollTop;
  other.scrollTop = Math.round(to);
  if (other.scrollTop !== before) other.dataset.led = "yes";
}

// [place here, place there], rising on both sides, from the beginning to the end.
function fixedPoints(side) {
  const end = [bodies[side], bodies[1 - side]].map((body) => body.scrollHeight - body.clientHeight);
  const pairs = [];
  for (const [number, said] of statements(side)) {
    const mine = said.dataset.with && placeOf(side, number);
    const theirs = mine && placeOf(1 - side, partnersOf(said)[0]);
    if (theirs) pairs.push([mine.top, theirs.top]);
  }
  const step = Math.ceil(pairs.length / MOST_POINTS);
  const inside = rising(pairs.filter((_, number) => number % step === 0));
  const reached = inside.filter(([a, b]) => a > 0 && b > 0 && a < end[0] && b < end[1]);
  return [[0, 0], ...reached, end, [Infinity, end[1]]];
}

// The most pairs that stand in the same order on both sides.
function rising(pairs) {
  const best = pairs.map(() => ({ length: 1, before: -1 }));
  let last = -1;
  for (let i = 0; i < pairs.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const follows = pairs[j][1] < pairs[i][1] && pairs[j][0] < pairs[i][0];
      if (follows && best[j].length >= best[i].length) best[i] = { length: best[j].length + 1, before: j };
    }
    if (last < 0 || best[i].length > best[last].length) last = i;
  }
  const kept = [];
  for (let i = last; i >= 0; i = best[i].before) kept.unshift(pairs[i]);
  return kept;
}
