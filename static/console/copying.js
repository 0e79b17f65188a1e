// Copies text, also where a browser gives pages no clipboard, as over plain http: through a field.

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyThroughField(text);
  }
}

function copyThroughField(text) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  let copied = false;
  try {
    copied = document.execCommand("copy");
  } catch {
    // Then it is said that nothing was copied.
  }
  field.remove();
  focused?.focus({ preventScroll: true });
  return copied;
}

// A button copies the element that `data-copy` names, or the code it stands with.
function sourceOf(button) {
  const id = button.dataset.copy;
  return id ? document.getElementById(id) : button.closest(".code").querySelector("code");
}

// What to mark for whoever has to copy by hand: what is seen of it.
function shownOf(button, source) {
  if (source.select || !source.hidden) return source;
  return button.closest(".seat, .fused, .fusion")?.querySelector(".reading");
}

function mark(element) {
  if (element?.select) element.select();
  else if (element) getSelection().selectAllChildren(element);
  return Boolean(element);
}

addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copy], .code > .copy");
  if (!button) return;
  const source = sourceOf(button);
  const label = button.dataset.label ?? (button.dataset.label = button.textContent);
  if (await copy(source.value ?? source.textContent)) button.textContent = "Copied";
  else button.textContent = mark(shownOf(button, source)) ? "Press Ctrl C" : "Not copied";
  setTimeout(() => (button.textContent = label), 2000);
});
