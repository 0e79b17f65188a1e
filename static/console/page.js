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

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
