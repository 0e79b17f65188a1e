// Small helps for every page: menus that close as menus do, and what htmx is refused.

import "console/copying";
import "console/finding";
import "console/focus";
import "console/keys";
import "console/times";
import "console/under_way";

// Without a network the browser would put its own page in the place of ours. Nobody else hears of
// it: a form that takes itself for sent is not pressed again. A site of this machine needs none.
const IS_HERE = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
addEventListener("submit", (event) => {
  if (navigator.onLine || IS_HERE || event.target.method !== "post") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  cannotBeReached();
}, { capture: true });

addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Whoever signs out leaves nothing half written to the next one at this browser.
addEventListener("submit", ({ target }) => {
  if (!target.matches("[action$='/sign-out']")) return;
  try {
    sessionStorage.clear();
  } catch {
    // Then nothing was kept either.
  }
});

// A link to a field inside something folded unfolds it.
addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field?.matches("input, textarea, select")) return;
  event.preventDefault();
  const fold = field.closest("details");
  if (fold) fold.open = true;
  field.focus();
});

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    event.preventDefault(); // one Esc closes one thing
    menu.open = false;
    menu.querySelector("summary").focus();
  }
}, { capture: true });

// ---- parts of pages, by htmx ----

// Whoever did something and is refused is told so in the page's place, as without htmx. What has no
// such place, as a proxy's word that it found nobody, takes nobody's page away.
addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.isError || !isAct(detail)) return;
  const told = new DOMParser().parseFromString(detail.serverResponse, "text/html");
  if (!told.querySelector("main")) {
    cannotBeReached();
    return;
  }
  detail.shouldSwap = true;
  detail.target = document.querySelector("main");
  detail.selectOverride = "main";
  detail.swapOverride = "outerHTML show:window:top";
});

addEventListener("htmx:sendError", ({ detail }) => {
  if (isAct(detail)) cannotBeReached();
});
addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful) document.getElementById("unreached")?.remove();
});

function cannotBeReached() {
  const notice = document.createElement("p");
  notice.className = "notice notice-bad";
  notice.setAttribute("role", "alert");
  notice.textContent = "Fusion cannot be reached. Try again in a moment.";
  const place = document.createElement("div");
  place.id = "unreached";
  place.className = "messages";
  place.append(notice);
  document.getElementById("messages").replaceChildren(place);
  scrollTo(0, 0);
}

function isAct({ requestConfig }) {
  return ["click", "submit"].includes(requestConfig.triggeringEvent?.type);
}

// A page's middle that has come anew is where whoever asked for it reads on: at once, since whoever
// is quick already writes in its field when it settles.
addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.elt.matches("main")) detail.elt.focus({ preventScroll: true });
});
