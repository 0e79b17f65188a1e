// Every block of code gets a button that copies it.

const main = document.getElementById("run");

function offerCopy(pre) {
  if (pre.parentElement.matches(".code")) return;
  const block = document.createElement("div");
  block.className = "code";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button-small button-quiet copy";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  pre.replaceWith(block);
  block.append(button, pre);
}

function offerIn(root) {
  if (root.matches(".reading pre")) offerCopy(root);
  for (const pre of root.querySelectorAll(".reading pre")) offerCopy(pre);
}

// Blocks come while a run goes on, and the open one is replaced with every step.
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) offerIn(node);
  }
}).observe(main, { childList: true, subtree: true });

offerIn(main);
