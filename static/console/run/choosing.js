// A field that names a model has the list to choose from: what that takes is only brought once
// somebody is in such a field.

let isBrought = false;

addEventListener("focusin", async ({ target }) => {
  if (isBrought || !target.matches?.("[data-model]")) return;
  const models = document.getElementById("models");
  if (!models?.dataset.style) return; // of a page that brings its list by itself
  isBrought = true;
  const style = document.createElement("link");
  Object.assign(style, { rel: "stylesheet", href: models.dataset.style });
  document.head.append(style);
  await import("console/picker/picker");
  models.dispatchEvent(new Event("wanted"));
});

// Who pressed there waits for the list; who came by the keyboard may be passing by.
addEventListener("pointerdown", ({ target }) => {
  if (target.matches?.("[data-model]")) target.dataset.waits = "";
});
