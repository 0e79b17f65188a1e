// What is being written outlives a reload, a refusal and a sign-in, in this tab, for whoever
// wrote it: somebody else may be the next to sign in here.

export const COMPOSE = "fusion-draft";
export const ANSWERS = "fusion-answers";
export const SWAPS = "fusion-seats";
export const followOf = (path) => `fusion-follow:${path}`;
export const againOf = (path) => `fusion-again:${path}`;

const own = (name) => `${name}:${document.body.dataset.reader}`;

export function keep(name, text) {
  try {
    if (text) sessionStorage.setItem(own(name), text);
    else sessionStorage.removeItem(own(name));
  } catch {
    // Not kept where nothing may be stored.
  }
}

// Whether anything is kept in this tab, whoever wrote it.
export function keeps() {
  try {
    return Object.keys(sessionStorage).some((name) => /^fusion-(draft|answers|seats|follow|again):/.test(name));
  } catch {
    return false;
  }
}

export function kept(name) {
  try {
    return sessionStorage.getItem(own(name)) ?? "";
  } catch {
    return "";
  }
}
