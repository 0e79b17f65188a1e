// What a seat writes in a second and what that has cost so far, by its count of tokens, which comes
// as data. The count grows in steps: how fast that is, is known in the moment of a step only.

import { now } from "console/run/clocks";

const main = document.getElementById("run");
const known = new Map(); // name of a count -> what was made of it
const SOON = 1; // seconds in which a first burst says nothing

const figures = () => main.querySelectorAll("[data-rate-of], [data-cost-of]");
const count = (name) => Number(main.querySelector(`[data-figure="${name}"]`)?.textContent.replace(/\D/g, ""));

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
  for (const figure of figures()) {
    const { rateOf, costOf, from, each } = figure.dataset;
    const told = rateOf ? rate(rateOf, Number(from)) : count(costOf) * Number(each);
    const text = rateOf ? told && `${told} tok/s` : told && money(told);
    if (text && figure.textContent !== text) figure.textContent = text;
  }
}
