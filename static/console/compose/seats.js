// The seats of a panel of one's own: as many as are wanted, and names that may have been meant.

import { putName } from "console/picker/models";

const form = document.querySelector("form.compose");

const seats = [...form.querySelectorAll(".custom-seat")];
const add = form.querySelector("[data-add-seat]");
const inputs = seats.map((seat) => seat.querySelector("input"));
// Of each seat: its model, and then its options.
const controls = seats.map((seat) => [...seat.querySelectorAll("input, select, textarea")]);
const wrongs = seats.map((seat) => seat.querySelector(".seat-wrong"));
const folds = seats.map((seat) => seat.querySelector("details"));
let shown = Math.max(3, controls.findLastIndex((all) => all.some((one) => one.value)) + 1);

function show() {
  seats.forEach((seat, index) => {
    seat.hidden = index >= shown;
    seat.querySelector("[data-remove-seat]").hidden = shown === 1;
  });
  add.hidden = shown === seats.length;
}
function mark(input, error) {
  input.removeAttribute("aria-invalid");
  if (!error) return;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", error.id);
}
// What is filled in, and what was said about it.
function takeOver(to, from) {
  wrongs[to].replaceChildren(...(wrongs[from]?.childNodes ?? []));
  controls[to].forEach((control, n) => {
    const other = controls[from]?.[n];
    control.value = other?.value ?? "";
    // What is rarely filled in is seen where it is.
    if (control.value) control.closest("[data-option]")?.removeAttribute("hidden");
    // What is said of the whole panel is said of every model.
    if (!n && document.getElementById("panel-error")) return;
    if (!n) return mark(control, wrongs[to].querySelector(".error"));
    control.removeAttribute("aria-invalid");
    control.parentElement.querySelector(".error")?.remove();
    const said = other?.parentElement.querySelector(".error");
    if (!said) return;
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", said.id);
    control.parentElement.append(said);
  });
  folds[to].open = folds[from]?.open ?? false;
}
add.addEventListener("click", () => {
  shown += 1;
  show();
  inputs[shown - 1].focus();
});
seats.forEach((seat, index) =>
  seat.querySelector("[data-remove-seat]").addEventListener("click", () => {
    for (let i = index; i < seats.length; i += 1) takeOver(i, i + 1);
    shown -= 1;
    show();
    inputs[Math.min(index, shown - 1)].focus();
  }),
);
show();

// ---- a name that may have been meant is taken by a press ----
for (const near of form.querySelectorAll(".near")) near.hidden = false;
form.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-name]");
  if (!button) return;
  const input = button.closest(".custom-seat, .field").querySelector("input");
  putName(input, button.dataset.name);
  input.focus();
});

// ---- where Custom is all there is, the first models of a list fill its panel ----
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "models" || !("prefills" in event.target.dataset)) return;
  const names = [...event.target.querySelectorAll(".prefill")].map((data) => data.value);
  if (!names.length || inputs.some((input) => input.value) || form.elements.judge.value) return;
  names.forEach((name, index) => (inputs[index].value = name));
  shown = names.length;
  form.elements.judge.value = names[0];
  show();
});
