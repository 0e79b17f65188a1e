// Frames from the socket are put in place, in order.
//
// A frame has `n`, its number, and of these what has changed:
//   texts      a list of { id, reset, final, block, line }: HTML that is appended to what is
//              final, HTML of the open block, the unfinished line as text; `reset` empties first
//   fragments  by id of an element, its new inner HTML
//   status     of the run
//   end        there will be no other

const main = document.getElementById("run");

const containers = new Map();
for (const element of document.querySelectorAll("[data-text]")) {
  containers.set(element.dataset.text, {
    final: element.querySelector("[data-final]"),
    block: element.querySelector("[data-block]"),
    line: element.querySelector("[data-line]"),
  });
}

export function apply(frame) {
  const followed = [...document.querySelectorAll("[data-follow]")].filter(isAtBottom);
  for (const text of frame.texts ?? []) applyText(text);
  for (const [id, html] of Object.entries(frame.fragments ?? {})) applyFragment(id, html);
  if (frame.status) main.dataset.status = frame.status;
  for (const element of followed) element.scrollTop = element.scrollHeight;
}

function applyText({ id, reset, final, block, line }) {
  const place = containers.get(id);
  if (!place) return;
  if (reset) place.final.textContent = place.block.textContent = place.line.textContent = "";
  // Text of models: the server has rendered and sanitised it, and the strict
  // content security policy lets nothing run that might have come through.
  if (final) place.final.insertAdjacentHTML("beforeend", final);
  if (block !== undefined) place.block.innerHTML = block;
  if (line !== undefined) place.line.textContent = line;
}

function applyFragment(id, html) {
  const element = document.getElementById(id);
  if (!element) return;
  const open = keptOpen(element);
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.copy : null;
  // Our own templates, in which everything somebody else wrote is escaped.
  element.innerHTML = html;
  for (const details of element.querySelectorAll("details[data-keep]")) {
    if (open.has(details.dataset.keep)) details.open = open.get(details.dataset.keep);
  }
  if (focused) element.querySelector(`[data-copy="${focused}"]`)?.focus();
}

function keptOpen(element) {
  const all = element.querySelectorAll("details[data-keep]");
  return new Map(Array.from(all, (details) => [details.dataset.keep, details.open]));
}

// A reader who has scrolled up stays where they read.
function isAtBottom(element) {
  return element.scrollHeight - element.scrollTop - element.clientHeight < 24;
}
