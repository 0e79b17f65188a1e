// Presets' cards: another model in one of their seats, chosen where it stands, and the search in all
// of them. A seat is a link to Custom filled with the same panel where no script runs.

import { named, short } from "console/picker/models";
import { open, prepare } from "console/picker/picker";
import { keep, kept, SWAPS } from "console/draft";
import { DOWN, oneStop } from "console/stops";

const form = document.querySelector("form.compose");
const models = document.getElementById("models");
const cards = [...form.querySelectorAll(".preset-card")];
const asked = new Map(); // link -> its model before anything was changed

// ---- a seat ----

const field = document.createElement("input");
Object.assign(field, { type: "text", className: "swap-field", autocomplete: "off", spellcheck: false, hidden: true });
field.dataset.model = field.dataset.waits = "";
prepare(field);
let link = null; // whose seat is being changed

function start(of, query = "") {
  stop();
  link = of;
  const card = of.closest(".preset-card");
  const radio = card.querySelector("[name=preset]");
  if (!radio.checked) {
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
  }
  field.setAttribute("aria-label", `Model of ${of.querySelector(".visually-hidden").textContent.trim()}`);
  field.value = "";
  field.dataset.query = query; // what is looked for once the lists are there
  field.hidden = false;
  of.after(field);
  of.hidden = true;
  field.focus();
  models?.dispatchEvent(new Event("wanted"));
  open(field, query);
}
export { start as exchange };

function stop() {
  if (!link) return;
  const was = link;
  link = null;
  field.hidden = true;
  was.hidden = false;
  if (document.activeElement === document.body || document.activeElement === field) was.focus();
}

function take(of, name) {
  put(of, name);
  store();
  of.dispatchEvent(new Event("change", { bubbles: true })); // the price is another one, and who falls away
}

// The seat reads as it was chosen, and the card that it was changed.
function put(of, name) {
  const title = of.querySelector(".preset-model");
  if (!asked.has(of)) asked.set(of, title.title);
  const row = of.closest("li");
  row.querySelector("[name=swap]")?.remove();
  title.title = name;
  title.textContent = short(name);
  if (name !== asked.get(of)) {
    const swap = document.createElement("input");
    Object.assign(swap, { type: "hidden", name: "swap", value: `${of.dataset.swap}:${name}` });
    row.append(swap);
  }
  const card = of.closest(".preset-card");
  card.querySelector(".preset-changed").hidden = !card.querySelector("[name=swap]");
}

form.addEventListener("click", (event) => {
  const of = event.target.closest("[data-swap]");
  if (!of || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  start(of);
});
function finish() {
  const [of, name] = [link, field.value.trim()];
  if (!of) return;
  stop();
  if (name) take(of, name);
  of.focus();
}
field.addEventListener("change", (event) => {
  event.stopPropagation();
  // Who goes elsewhere after a few letters has not named a model.
  if (document.activeElement === field || named(field.value) || /[:/]/.test(field.value)) finish();
  else stop();
});
field.addEventListener("blur", () => setTimeout(() => document.activeElement !== field && stop()));
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault(); // it is no whole form that is sent
    setTimeout(finish); // unless the list has put a name there
  }
  if (event.key !== "Escape") return;
  setTimeout(stop);
});

// ---- what was changed outlives a reload ----

const all = () => [...form.querySelectorAll("[name=swap]")].map(({ value }) => value);
const store = () => keep(SWAPS, all().join("\n"));

// Of one that has just been saved under a name of its own, there is nothing left to keep.
const saved = new URLSearchParams(location.search).get("saved");
if (all().length) store();
else {
  for (const text of kept(SWAPS).split("\n").filter(Boolean)) {
    const [preset, seat, ...name] = text.split(":");
    if (preset === saved) continue;
    const of = cards.map((card) => card.querySelector(`[data-swap="${CSS.escape(preset)}:${seat}"]`)).find(Boolean);
    if (of && name.length) put(of, name.join(":"));
  }
  store();
}
// Once it is asked, the next question begins with the preset as it is.
form.addEventListener("submit", ({ submitter }) => submitter?.name !== "save" && keep(SWAPS, ""));

// ---- the seats of the chosen card are one stop, those of others none ----

for (const list of form.querySelectorAll(".preset-seats:has([data-swap])")) oneStop(list, DOWN, "[data-swap]");
function stops() {
  for (const card of cards) {
    const [first, ...others] = card.querySelectorAll("[data-swap]");
    if (first) first.tabIndex = card.querySelector("[name=preset]").checked ? 0 : -1;
    for (const other of others) other.tabIndex = -1;
  }
}
form.addEventListener("change", stops);
stops();

// ---- *Web* is as the preset has it, until somebody chooses otherwise ----

const web = form.elements.web;
let isChosen = false;
web?.addEventListener("change", () => (isChosen = true));
form.addEventListener("change", ({ target }) => {
  if (web && !isChosen && target.name === "preset" && target.dataset.web) web.checked = target.dataset.web === "on";
});

// ---- all presets ----

const find = form.querySelector("[data-presets-search]");
if (find) {
  const list = find.closest(".presets-found");
  const found = [...list.querySelectorAll(".preset-card")];
  find.hidden = false;
  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const card of found) card.hidden = !words.every((word) => card.textContent.toLowerCase().includes(word));
    list.querySelector("[data-presets-none]").hidden = found.some((card) => !card.hidden);
  });
  find.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
}
