// Pages of the admin: the list of models is brought when somebody comes to a field that names one.
// What is chosen there fills two fields: the model, and the key it is asked by.

const models = document.getElementById("models");
const keys = JSON.parse(document.getElementById("model-keys").textContent);
const isField = (target) => target.matches?.("[data-model]");
const keyOf = (field) => field.form.elements[field.name.replace(/model$/, "credential")];
const placeOf = (field) => field.form.elements[field.name.replace(/model$/, "place")];
const slugOf = (select) => Object.keys(keys).find((slug) => String(keys[slug]) === select?.value) ?? "";

let list = null; // the module, and what it lists
let awaited = null; // what somebody wanted to see in it before it was there

async function bring() {
  const [picker, listed] = await Promise.all([import("console/picker/picker"), import("console/picker/models")]);
  const answer = await fetch(models.dataset.from, { headers: { "HX-Request": "true" } });
  if (!answer.ok || answer.redirected) throw new Error("no list of models");
  models.innerHTML = await answer.text();
  listed.readModels();
  const { activeElement: field } = document;
  if (awaited !== null && isField(field)) picker.open(field, awaited);
  return listed;
}

addEventListener("focusin", ({ target }) => {
  if (!isField(target)) return;
  target.form.dataset.picker = ""; // the list is as wide as it
  target.dataset.at = slugOf(keyOf(target));
  awaited = null;
  // Where it cannot be had, the field is one like any other, until somebody comes again.
  list ??= bring().catch(() => (list = null));
});
addEventListener("click", ({ target }) => isField(target) && (awaited = ""));
addEventListener("keydown", ({ target, key }) => key === "ArrowDown" && isField(target) && (awaited = ""));
addEventListener("input", ({ target }) => isField(target) && (awaited = target.value || null));

addEventListener("change", async ({ target, isTrusted }) => {
  if (!isField(target)) return;
  const select = keyOf(target);
  const listed = await list;
  const found = listed?.named(target.value);
  if (!found || !select) return;
  const [slug, model] = found.way.whole.split(/:(.*)/s);
  // What is typed is a name at the key that stands there, unless it says another.
  if (!(slug in keys) || (isTrusted && select.value && target.value.trim() !== found.way.whole)) return;
  target.value = model;
  target.dataset.at = slug;
  select.value = keys[slug];
  // Who chooses a model wants that one, not what fills a place.
  const place = placeOf(target);
  if (place && !isTrusted) place.value = "";
});
