// What a seat writes in a second and what that has cost so far, by its count of tokens, which comes
// as data. The count grows in steps: how fast that is, is known in the moment of a step only.

import { now } from "console/run/clocks";
import { all, named, write } from "console/run/figures";

const known = new Map(); // name of a count -> what was made of it
const SOON = 1; // seconds in which a first burst says nothing

const count = (name) => Number(named(name)[0]?.textContent.replace(/\D/g, ""));

// As `money` in engine/usage.py.
function money(amount) {
  if (amount < 0.0001) return "<$0.0001";
  return `≈ $${amount.toFixed(amount >= 10 ? 2 : 4)}`;
}

function rate(name, from) {
  const tokens = count(name);
  const before = known.get(name);
  const seconds = now() - from;
  if (before?.tokens !== tokens && seconds >= SOON && tokens) {
    known.set(name, { tokens, rate: Math.round(tokens / seconds) });
  }
  return known.get(name)?.rate;
}

export function tellRates() {
  for (const figure of all("rateOf")) {
    const told = rate(figure.dataset.rateOf, Number(figure.dataset.from));
    if (told) write(figure, `${told} tok/s`);
  }
  for (const figure of all("costOf")) {
    const told = count(figure.dataset.costOf) * Number(figure.dataset.each);
    if (told) write(figure, money(told));
  }
}
