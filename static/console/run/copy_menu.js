// The arrow beside *Copy*: as rich text or as Markdown, with the marks that say whose a sentence
// is or without, or a link that leads to it; and the text itself can be pinned. One menu serves all arrows; what is chosen there of the
// first holds for every *Copy*.

import { choose, chosen, copy, copyContent } from "console/copying";
import { addressOf, partOf } from "console/run/parts";
import { canBePinned, isPinned, pin, textOf } from "console/run/pins";

const menu = document.getElementById("copy-menu");
const withMarks = menu.querySelector("input");
const pins = menu.querySelector("[data-pin-this]");
let arrow = null;

const buttonOf = (one) => one.parentElement.querySelector(".copy");

function open(from) {
  arrow = from;
  const { form, marks } = chosen();
  for (const one of menu.querySelectorAll("[data-copy-form]")) {
    one.setAttribute("aria-pressed", String(one.dataset.copyForm === form));
  }
  withMarks.checked = marks;
  withMarks.closest("label").hidden = !buttonOf(from).dataset.copyMarked;
  const text = textOf(from);
  pins.hidden = !canBePinned(text);
  pins.textContent = isPinned(text) ? "Unpin" : "Pin";
  menu.showPopover();
  const at = from.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8));
  const above = at.bottom + menu.offsetHeight + 8 > innerHeight;
  menu.style.left = `${left}px`;
  menu.style.top = `${above ? at.top - menu.offsetHeight - 4 : at.bottom + 4}px`;
  menu.querySelector(`[data-copy-form="${form}"]`).focus();
}

function close() {
  menu.hidePopover();
  buttonOf(arrow)?.focus({ preventScroll: true });
}

addEventListener("click", ({ target }) => {
  const from = target.closest?.("[data-copy-as]");
  if (from) open(from);
});

// A button and its arrow are one stop of the keyboard: the arrow key down is the way to the menu.
addEventListener("keydown", (event) => {
  const pair = event.key === "ArrowDown" && event.target.closest?.(".copy-pair");
  if (!pair || event.defaultPrevented) return;
  event.preventDefault();
  open(pair.querySelector("[data-copy-as]"));
});

menu.addEventListener("click", ({ target }) => {
  if (target.closest("[data-copy-link]")) {
    const button = buttonOf(arrow);
    close();
    copyContent(button, { plain: addressOf(partOf(button)) });
    return;
  }
  if (target === pins) {
    pin(textOf(arrow));
    close();
    return;
  }
  const form = target.closest("[data-copy-form]")?.dataset.copyForm;
  if (!form) return;
  choose({ form });
  const button = buttonOf(arrow);
  close();
  copy(button);
});

menu.addEventListener("keydown", (event) => {
  const stops = [...menu.querySelectorAll("button, input")].filter((stop) => !stop.closest("[hidden]"));
  const at = stops.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: stops.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  stops.at(to % stops.length).focus();
});

withMarks.addEventListener("change", () => choose({ marks: withMarks.checked }));
