// A name that was chosen takes its field, and what was said of the one before it goes.

export function putName(input, name) {
  input.value = name;
  input.removeAttribute("aria-invalid");
  const place = input.closest(".custom-seat, .field");
  const told = ":scope > .error, :scope > .near, :scope > .seat-wrong > *";
  for (const element of place?.querySelectorAll(told) ?? []) element.remove();
  input.dispatchEvent(new Event("change", { bubbles: true }));
}
