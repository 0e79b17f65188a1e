// Small helps for every page: copy buttons, and menus that close as menus do.

addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    const source = document.getElementById(button.dataset.copy);
    const text = source.value ?? source.textContent;
    const label = button.dataset.label ?? (button.dataset.label = button.textContent);
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // No clipboard without https or permission: mark the text for the keyboard.
      if (source.select) source.select();
      button.textContent = source.select ? "Press Ctrl C" : "Not allowed";
    }
    setTimeout(() => (button.textContent = label), 2000);
  }
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
  field.closest("details").open = true;
  field.focus();
});

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
