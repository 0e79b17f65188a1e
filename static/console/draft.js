// What is being written outlives a reload, a refusal and a sign-in, in this tab, for whoever
// wrote it: somebody else may be the next to sign in here.

export const COMPOSE = "fusion-draft";
export const followOf = (path) => `fusion-follow:${path}`;

const own = (name) => `${name}:${document.body.dataset.reader}`;

export function keep(name, text) {
  try {
    if (text) sessionStorage.setItem(own(name), text);
    else sessionStorage.removeItem(own(name));
  } catch {
    // Not kept where nothing may be stored.
  }
}

export function kept(name) {
  try {
    return sessionStorage.getItem(own(name)) ?? "";
  } catch {
    return "";
  }
}
