// At the seat of whoever can take none of a file: that it is asked without it, and *another model*.

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

function mark({ place, change, name }, words) {
  const lacks = document.createElement("span");
  lacks.className = "seat-lacks";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "another model";
  button.setAttribute("aria-label", `Another model for ${name}, one that takes pictures`);
  button.addEventListener("click", change);
  lacks.append(`${words} · `, button);
  place.append(lacks);
}

// `told` is what came with the price.
export function markBlind(told) {
  for (const old of form.querySelectorAll(".seat-lacks")) old.remove();
  const placed = [...told.querySelectorAll(".seat-blind")].map((one) => [placeOf(Number(one.value)), one.textContent]);
  // What is said at each seat need not be said of all.
  if (placed.length && placed.every(([where]) => where)) for (const note of told.querySelectorAll(".quote-blind")) note.remove();
  for (const [where, words] of placed) if (where) mark(where, words);
}
