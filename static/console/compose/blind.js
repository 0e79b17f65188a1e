// At the seat of whoever can take none of a file: that it is asked without it, *use text instead*,
// and *another model*.

import { open } from "console/picker/picker";
import { exchange } from "console/compose/presets";

const form = document.querySelector("form.compose");

// What stands for a seat of the panel that is chosen: its line in the card, or its field.
function placeOf(seat) {
  const card = form.querySelector("[name=preset]:checked")?.closest(".preset-card");
  const link = card?.querySelector(`[data-swap$=":${seat}"]`);
  if (link) return { place: link.closest("li"), change: () => exchange(link, "image"), name: link.querySelector(".chip").textContent };
  const filled = [...form.querySelectorAll(".custom-seat:not([hidden])")].filter((one) => one.querySelector("input").value.trim());
  const field = filled[seat]?.querySelector("input");
  if (!field || card?.querySelector("[name=preset]").value !== "custom") return null;
  const change = () => {
    field.focus();
    open(field, "image");
  };
  return { place: filled[seat], change, name: field.getAttribute("aria-label") || "this seat" };
}

const chosen = (seat) => form.querySelector(`input[name=as_text][value="${seat}"]`);

function choose(seat) {
  const field = chosen(seat) ?? Object.assign(document.createElement("input"), { type: "hidden", name: "as_text", value: seat });
  if (field.isConnected) field.remove();
  else form.append(field);
  form.dispatchEvent(new Event("change")); // what it costs is asked anew, and what stands at each seat with it
}

function button(words, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

function mark(seat, { place, change, name }, words) {
  const lacks = document.createElement("span");
  lacks.className = "seat-lacks";
  const text = chosen(seat)
    ? button("undo", `No text instead for ${name}`, () => choose(seat))
    : button("use text instead", `Use text instead for ${name}`, () => choose(seat));
  lacks.append(`${words} · `, text);
  if (!chosen(seat)) lacks.append(" · ", button("another model", `Another model for ${name}, one that takes pictures`, change));
  place.append(lacks);
}

// `told` is what came with the price.
export function markBlind(told) {
  const held = document.activeElement?.closest?.(".seat-lacks")?.parentElement;
  for (const old of form.querySelectorAll(".seat-lacks")) old.remove();
  const all = [...told.querySelectorAll(".seat-blind, .seat-textual")];
  const placed = all.map((one) => [Number(one.value), placeOf(Number(one.value)), one.textContent]);
  // What is said at each seat need not be said of all.
  if (placed.length && placed.every(([, where]) => where)) for (const note of told.querySelectorAll(".quote-blind")) note.remove();
  for (const [seat, where, words] of placed) if (where) mark(seat, where, words);
  held?.querySelector(".seat-lacks button")?.focus();
}

// Seats are counted within a panel: of another one nobody has chosen anything.
form?.addEventListener("change", ({ target }) => {
  if (target.name === "preset") for (const one of form.querySelectorAll("input[name=as_text]")) one.remove();
});
