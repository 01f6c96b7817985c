// Small things that the rest is made of. Text reaches the page as text nodes and attributes alone.

export const $ = (id) => document.getElementById(id);

export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** A copy of a template's content. */
export function made(template) {
  return $(template).content.cloneNode(true);
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Tell a screen reader how things stand. */
export function announce(said) {
  $("state").textContent = said;
}

export function scrollTo(node, block) {
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  node.scrollIntoView({ block, behavior: isCalm ? "auto" : "smooth" });
}

/** "1 document", "1,200 documents". */
export function many(count, thing) {
  return `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;
}

/** The headings above a passage, without the title that is shown anyway. */
export function headings(locator, title) {
  const parts = (locator || "").split(" > ").filter(Boolean);
  if (parts[0] === title) parts.shift();
  return parts.join(" › ");
}
