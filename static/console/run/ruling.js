// The form of another fusion: what one rules in the map and adds is counted on its button with what
// it costs, and stays as one left it until the fusion is there. Without this it is a plain form.

import { againOf, keep, kept } from "console/draft";
import { revealBeside } from "console/run/claims";
import { showEffect } from "console/run/effect";

const main = document.getElementById("run");
const draft = againOf(location.pathname);
const ACTS = {
  best: "Take the best answer",
  vote: "Count the votes",
  analysis: "Analyse again",
};

const formOf = () => document.getElementById("again-form");
const many = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

function isSet(field) {
  return field.type === "radio" || field.type === "checkbox" ? field.checked : Boolean(field.value.trim());
}

// What was ruled on an earlier fusion and stands is no news.
function isNew(field) {
  if (!/^(?:verdict-|note-|kept$|fact$)/.test(field.name)) return false;
  if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
  return field.value.trim() !== field.defaultValue.trim();
}

// A claim of the map is ruled on once, by its verdict, its note or both.
function counted(form) {
  const claims = new Set();
  let facts = 0;
  for (const field of form.elements) {
    const claim = /^(?:verdict|note)-(.+)$/.exec(field.name)?.[1];
    if (claim && isSet(field) && field.value.trim()) claims.add(claim);
    if (field.name === "kept" && field.checked && !field.closest("[hidden]")) claims.add(field.value);
    if (field.name === "fact" && isSet(field)) facts += 1;
  }
  return { rulings: claims.size, facts };
}

// Of what is changed only when it is asked for; until then it is as before, and not there.
const valueOf = (form, name) => form.elements[name]?.value.trim() ?? "";

// Whom it calls is known but where others are named.
function priceOf(form, has) {
  const way = valueOf(form, "way");
  if (way === "best" || way === "vote") return "";
  const isOther = ["judge", "synthesizer", "preset", "criteria"].some((name) => valueOf(form, name));
  const isFewer = [...form.querySelectorAll("[name=seat]")].some((seat) => seat.checked !== seat.defaultChecked);
  if (isOther || isFewer || way === "analysis") return "";
  return has ? form.dataset.ruled : form.dataset.anew;
}

export function count() {
  const form = formOf();
  if (!form) return;
  for (const row of form.querySelectorAll(".again-kept [data-claim]")) {
    // The map has it as well, and there it can be changed.
    row.hidden = Boolean(form.elements[`note-${row.dataset.claim}`]);
  }
  const { rulings, facts } = counted(form);
  const what = [rulings && many(rulings, "ruling"), facts && many(facts, "fact")].filter(Boolean);
  const act = ACTS[valueOf(form, "way")] ?? (form.dataset.latest === "0" ? "Fuse" : "Fuse again");
  const isRuled = what.length > 0 && [...form.elements].some(isNew);
  const label = document.getElementById("again-label");
  label.textContent = isRuled ? `${act} with ${what.join(" and ")}` : act;
  const price = document.getElementById("again-price");
  const wishes = valueOf(form, "instruction") || valueOf(form, "form_of");
  // Quiet until there is something that it would do otherwise than before.
  label.closest("button").classList.toggle("button-primary", isRuled || Boolean(wishes) || Object.values(ACTS).includes(act));
  const costs = priceOf(form, what.length > 0 || Boolean(wishes));
  if (price) price.textContent = costs ?? "";
  grow(form);
  showEffect(form);
}

// There is always room for one more fact.
function grow(form) {
  const rooms = form.querySelectorAll("textarea[name=fact]");
  const last = rooms[rooms.length - 1];
  if (!last.value.trim() || form.querySelectorAll("[name=fact]").length >= 20) return;
  const next = last.cloneNode();
  next.removeAttribute("id");
  next.value = "";
  next.setAttribute("aria-label", "I add");
  last.after(next);
}

// What was kept of the fusions that there are.
function keptOf(form) {
  const { latest, values } = JSON.parse(kept(draft) || "{}");
  return latest === form.dataset.latest ? values : null;
}

// What is not there to be changed stays as it was left.
function store() {
  const form = formOf();
  const values = {};
  for (const field of form.elements) {
    if (!field.name || field.type === "hidden" || field.type === "submit") continue;
    values[field.name] ??= [];
    if (isSet(field)) values[field.name].push(field.value);
  }
  keep(draft, JSON.stringify({ latest: form.dataset.latest, values: { ...keptOf(form), ...values } }));
}

// Of the fusions that there were then: what was written for an earlier one has been sent.
function restore() {
  const form = formOf();
  const values = form && keptOf(form);
  if (values) {
    // Rows are added meanwhile.
    const fields = Array.from(form.elements);
    for (const field of fields) {
      const were = values[field.name];
      if (!were) continue;
      if (field.type === "radio" || field.type === "checkbox") field.checked = were.includes(field.value);
      else if (field.type === "textarea" && field.name === "fact") {
        const there = new Set(Array.from(form.querySelectorAll("[name=fact]"), (one) => one.value));
        fill(form, were.filter((fact) => !there.has(fact)));
        delete values.fact;
      } else field.value = were[0] ?? "";
    }
  }
  count();
}

function fill(form, facts) {
  for (const fact of facts) {
    const rooms = form.querySelectorAll("textarea[name=fact]");
    rooms[rooms.length - 1].value = fact;
    grow(form);
  }
}

// The foot of the map holds on to its edge while it is folded. What it has to say once it is open
// stands at the map's end: it is gone to, and folding it leads back to the claim that was read.
let wasAt = null;
main.addEventListener("click", ({ target }) => {
  const more = target.closest(":is(.again-more, .again-kept) > summary")?.parentElement;
  if (!more) return;
  const foot = more.closest(".again-foot");
  const aside = foot.closest(".aside");
  if (!more.open && getComputedStyle(foot).position === "sticky") {
    wasAt = aside.scrollTop;
    const goTo = () => {
      aside.scrollTop += foot.getBoundingClientRect().top - aside.getBoundingClientRect().top;
    };
    more.addEventListener("toggle", goTo, { once: true });
  } else if (more.open && wasAt !== null) {
    const at = wasAt;
    wasAt = null;
    more.addEventListener("toggle", () => { aside.scrollTop = at; }, { once: true });
  }
});

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, ({ target }) => {
    if (target.form?.id !== "again-form") return;
    count();
    store();
    // Its note comes with it, and the foot may have grown over that.
    if (kind === "change" && target.closest(".ruling-choice")) revealBeside(target.closest(".claim").querySelector(".ruling-note"));
  });
}
// Whoever takes the pen is going to write.
main.addEventListener("change", ({ target }) => {
  if (target.matches(".ruling-pen:checked")) target.closest(".claim").querySelector(".ruling-note").focus();
});
// At a run's end the form is replaced: who is writing in it goes on where they were.
let left = null;
main.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  const form = formOf();
  if (detail.target.id !== "again" || !form) return;
  const field = form.contains(document.activeElement) ? document.activeElement : null;
  left = {
    isOpen: form.querySelector(".again-more").open,
    name: field?.name,
    place: field ? [...form.querySelectorAll(`[name="${field.name}"]`)].indexOf(field) : -1,
    selection: field?.matches("textarea, input:not([type=radio], [type=checkbox])")
      ? [field.selectionStart, field.selectionEnd]
      : null,
  };
});
function comeBack() {
  const form = formOf();
  if (!left || !form) return;
  form.querySelector(".again-more").open = left.isOpen;
  const field = left.name ? form.querySelectorAll(`[name="${left.name}"]`)[left.place] : null;
  field?.focus({ preventScroll: true });
  if (field && left.selection) field.setSelectionRange(...left.selection);
  left = null;
}
function replaced() {
  restore();
  comeBack();
}
document.addEventListener("htmx:afterSwap", replaced);
document.addEventListener("htmx:oobAfterSwap", replaced);
const map = document.getElementById("analysis");
if (map) new MutationObserver(restore).observe(map, { childList: true });
restore();
