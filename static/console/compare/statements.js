// Statements of the two texts: where they stand, and what belongs to them on the other side.
// Nothing of a text changes while it is read, so what it is made of is looked up once, and where
// it lies is measured when the page is laid out anew, not while it scrolls.

const main = document.getElementById("compare");
const SIDES = ["left", "right"];
export const panes = [...main.querySelectorAll(".pane")];
export const bodies = panes.map((pane) => pane.querySelector(".pane-body"));
export const texts = panes.map((pane) => pane.querySelector(".pane-text"));

// A statement is several elements where emphasis or a link stands in it.
const pieces = texts.map((text) => {
  const found = new Map();
  for (const piece of text.querySelectorAll("[data-said]")) {
    const { number } = piece.dataset;
    if (!found.has(number)) found.set(number, []);
    found.get(number).push(piece);
  }
  return found;
});
let places = [new Map(), new Map()];

const sideOf = (element) => SIDES.indexOf(element.closest(".pane").dataset.side);
export const partnersOf = (said) => said.dataset.with.split(" ");

// [number, its first element] of every statement of a side.
export function statements(side) {
  return [...pieces[side]].map(([number, [first]]) => [number, first]);
}

export const first = (side, number) => pieces[side].get(number)[0];

export function measure() {
  places = texts.map((text, side) => {
    const { top } = text.getBoundingClientRect();
    return new Map([...pieces[side]].map(([number, all]) => [number, extentOf(all, top)]));
  });
}

// From the top of the first line to the end of the last, from the beginning of the text.
function extentOf(all, from) {
  const boxes = all.map((piece) => piece.getBoundingClientRect()).filter((box) => box.height);
  if (!boxes.length) return null;
  const top = Math.min(...boxes.map((box) => box.top)) - from;
  return { top, bottom: Math.max(...boxes.map((box) => box.bottom)) - from };
}

// Null where it is not shown.
export const placeOf = (side, number) => places[side].get(number);

function light(side, number) {
  for (const piece of pieces[side].get(number)) piece.classList.add("is-lit");
}

// What was pressed stays where it is; its counterpart comes beside it.
export function show(said) {
  const side = sideOf(said);
  const partners = partnersOf(said);
  for (const lit of main.querySelectorAll(".is-lit")) lit.classList.remove("is-lit");
  light(side, said.dataset.number);
  for (const number of partners) light(1 - side, number);
  const partner = first(1 - side, partners[0]);
  if (getComputedStyle(panes[1 - side]).display === "none") {
    main.querySelector(`.pane-tabs [value="${SIDES[1 - side]}"]`).checked = true;
    partner.scrollIntoView({ block: "center" });
    return;
  }
  const body = bodies[1 - side];
  const before = body.scrollTop;
  body.scrollTop += partner.getBoundingClientRect().top - said.getBoundingClientRect().top;
  // This scrolling is ours, and takes nobody along.
  if (body.scrollTop !== before) body.dataset.led = "yes";
}
