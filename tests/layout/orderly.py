"""What is looked at on a page whatever it shows: what hinders somebody, what is cut off, how far it
is by the keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

AXE = {"resultTypes": ["violations", "incomplete"]}
# Where axe cannot tell how a text stands out, it is computed here: of one letter ("short"), of
# figures on a shape of their own ("pseudo"), above the shadow at the edge of a column ("gradient",
# which is no darker than a hair line), of labels above fields that cannot be seen ("overlap"), of
# marks that the foot of a pane lies over ("obscured"), and of the foot of a list that lies over
# fields ("obscuring").
TEXTS = {
    *("shortTextContent", "pseudoContent", "bgGradient", "bgOverlap"),
    *("elmPartiallyObscured", "elmPartiallyObscuring"),
}
# Signs (a tick, a pen, an arrow) are pictures: what they are has to be seen, not read.
SIGNS = {"nonBmp"}
CONTRAST = """selectors => {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) =>
    [...[r, g, b].map((part, i) => part * a + below[i] * (1 - a)), 1];
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((part) => {
      const c = part / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  // From the text down to the first ground that nothing shines through.
  const grounds = (element) => {
    const found = [];
    for (let at = element; at; at = at.parentElement) {
      const shape = getComputedStyle(at, "::before");
      if (shape.content !== "none" && shape.position === "absolute")
        found.push(rgba(shape.backgroundColor));
      found.push(rgba(getComputedStyle(at).backgroundColor));
      if (found.some((colour) => colour[3] === 1)) break;
    }
    return found;
  };
  return selectors.map((selector) => {
    const element = document.querySelector(selector);
    const paper = [255, 255, 255, 1];
    const ground = grounds(element).reduceRight((below, one) => over(one, below), paper);
    const text = rgba(getComputedStyle(element).color);
    for (let at = element; at; at = at.parentElement) text[3] *= getComputedStyle(at).opacity;
    const [dark, bright] = [light(over(text, ground)), light(ground)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  });
}"""
# Text whose box hides a part of it, unless dots say so and a title says the whole.
CUT = """() => [...document.querySelectorAll("body *")].filter((element) => {
  if (!element.checkVisibility({ visibilityProperty: true })) return false;
  const { overflowX, overflowY, clipPath, textOverflow } = getComputedStyle(element);
  if (clipPath !== "none" || !element.innerText?.trim()) return false; // heard, not seen
  const hides = (overflow) => ["hidden", "clip"].includes(overflow);
  const across = hides(overflowX) && element.scrollWidth > element.clientWidth + 1;
  const down = hides(overflowY) && element.scrollHeight > element.clientHeight + 1;
  const is_told = textOverflow === "ellipsis" && element.closest("[title]");
  return down || (across && !is_told);
}).map((element) => element.outerHTML.slice(0, 160))"""
WIDER = """() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"""


# What can be acted on and lies where nothing scrolls to it.
UNREACHABLE = """() => [...document.querySelectorAll(
  "a[href], button, input, select, textarea, summary, [tabindex='0']")].filter((element) => {
  if (!element.checkVisibility({ visibilityProperty: true })) return false;
  const box = element.getBoundingClientRect();
  if (box.width <= 1 || box.height <= 1) return false;
  for (let at = element.parentElement; at; at = at.parentElement) {
    const { left, right } = at.getBoundingClientRect();
    if (box.right <= right + 1 && box.left >= left - 1) continue;
    const { overflowX } = getComputedStyle(at);
    if (["auto", "scroll"].includes(overflowX)) return false;
    if (["hidden", "clip"].includes(overflowX)) return true;
  }
  return box.left < -1 || box.right > document.documentElement.clientWidth + 1;
}).map((element) => element.outerHTML.slice(0, 160))"""
# Text of a script that runs from right to left, in a block or a span that does not.
MISDIRECTED = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const [first] = node.data.match(/\\p{L}/u) ?? [];
    const holder = node.parentElement;
    if (!first || !/[\\u0590-\\u08ff]/.test(first)) continue;
    if (holder.closest("script, style, option, title, annotation, pre, code")) continue;
    if (!holder.checkVisibility()) continue;
    if (getComputedStyle(holder).direction !== "rtl") found.push(holder.outerHTML.slice(0, 160));
  }
  return found;
}"""


def hindrances(page: Page, *, but: Sequence[str] = ()) -> list[str]:
    """What axe finds, and of what it leaves to people whatever is not explained above; `but` are
    rules that say nothing here."""
    options = AXE | {"rules": {rule: {"enabled": False} for rule in but}}
    response = Axe().run(page, options=options).response
    wrong = [_told(rule, node) for rule in response["violations"] for node in rule["nodes"]]
    texts: list[tuple[str, float, str]] = []
    for rule in response["incomplete"]:
        for node in rule["nodes"]:
            [selector] = node["target"]
            if least := _least_contrast(rule["id"], node):
                texts.append((selector, least, _told(rule, node)))
            else:
                wrong.append(_told(rule, node))
    ratios = page.evaluate(CONTRAST, [selector for selector, _, _ in texts])
    for (_, least, told), ratio in zip(texts, ratios, strict=True):
        if ratio < least:
            wrong.append(f"{ratio:.2f} : 1, {told}")
    return wrong


def cut(page: Page) -> list[str]:
    return list(page.evaluate(CUT))


def _least_contrast(rule: str, node: dict[str, Any]) -> float:
    """0 where it is no question of contrast, or one of a kind that nobody has looked at."""
    keys = {(check["data"] or {}).get("messageKey") for check in node["any"]}
    if rule != "color-contrast":
        return 0
    return 4.5 if keys <= TEXTS else 3 if keys <= SIGNS else 0


def _told(rule: dict[str, Any], node: dict[str, Any]) -> str:
    return f"{rule['id']}: {node['html'][:160]}"


def stops_until(page: Page, start: str, goal: str, at_most: int) -> int:
    """How often Tab is pressed from `start` until the focus is at or in `goal`."""
    page.locator(start).focus()
    is_there = "goal => !!document.activeElement.closest(goal)"
    for pressed in range(1, at_most + 1):
        page.keyboard.press("Tab")
        if page.evaluate(is_there, goal):
            return pressed
    return at_most + 1
