// Signing in: a password that is looked at before it is sent, and what is kept of before.

import { keeps } from "console/draft";

for (const button of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(button.dataset.shows);
  const show = (isShown) => {
    field.type = isShown ? "text" : "password";
    button.setAttribute("aria-pressed", isShown);
    button.firstChild.data = isShown ? "Hide" : "Show";
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    show(field.type === "password");
    field.focus();
  });
  // As a password it is sent: browsers remember what was typed into fields that are none.
  field.form.addEventListener("submit", () => show(false));
}

for (const note of document.querySelectorAll("[data-if-kept]")) note.hidden = !keeps();
