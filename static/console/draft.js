// What is being written outlives a reload, a refusal and a sign-in, in this tab.

export const COMPOSE = "fusion-draft";
export const followOf = (path) => `fusion-follow:${path}`;

export function keep(name, text) {
  try {
    if (text) sessionStorage.setItem(name, text);
    else sessionStorage.removeItem(name);
  } catch {
    // Not kept where nothing may be stored.
  }
}

export function kept(name) {
  try {
    return sessionStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}
