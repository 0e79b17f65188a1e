// A field that names a model has the list to choose from: what that takes is only brought once
// somebody is in such a field. Where it cannot be had (after an upgrade the server has files of its
// own version only), the field is one like any other, until somebody comes again.

let isBrought = false;

async function bring(models) {
  const style = document.createElement("link");
  Object.assign(style, { rel: "stylesheet", href: models.dataset.style });
  document.head.append(style);
  try {
    await import("console/picker/picker");
    models.dispatchEvent(new Event("wanted")); // htmx fetches it
  } catch {
    style.remove();
    isBrought = false;
  }
}

addEventListener("focusin", ({ target }) => {
  if (isBrought || !target.matches?.("[data-model]")) return;
  const models = document.getElementById("models");
  if (!models?.dataset.style) return; // on the first page the sample stands below where one asks, whose list comes by itself
  isBrought = true;
  bring(models);
});
document.body.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (target.id === "models") isBrought = detail.successful;
});

// Who pressed there waits for the list; who came by the keyboard may be passing by.
addEventListener("pointerdown", ({ target }) => {
  if (target.matches?.("[data-model]")) target.dataset.waits = "";
});
