// The source pane: a document's text with exactly the quoted characters marked.
// A panel beside the answer where there is room, a dialog over all of it on a phone.

import { read } from "./api.js";
import { $, announce, el, headings } from "./dom.js";
import { parted } from "./offsets.js";

const narrow = matchMedia("(max-width: 63.99rem)");
let shown = null;
let origin = null;

/**
 * Opens `{doc, start, end, collection}`, and perhaps `quote`, `title`, `locator` and `n`.
 * Closing gives the focus back to `from`.
 */
export async function openSource(place, from) {
  shown = place;
  origin = from;
  $("source-title").textContent = place.title || place.doc || `Citation ${place.n}`;
  $("source-locator").textContent = headings(place.locator, place.title);
  $("source-place").textContent = "";
  $("source-text").replaceChildren();
  $("source-whole").hidden = $("source-link").hidden = true;
  tell(null);
  show();
  $("source-title").focus({ preventScroll: true });
  if (place.doc) await load(false);
  else tell(`The answer’s marker [${place.n}] names no passage that was found, so there is nothing to show.`);
}

async function load(isWhole) {
  const place = shown;
  try {
    const found = await read(place, isWhole);
    if (shown === place) present(found, place, isWhole);
  } catch (error) {
    if (shown === place) tell(error.message, place.quote);
  }
}

function present(found, place, isWhole) {
  $("source-title").textContent = found.title || found.id;
  $("source-place").textContent = placeOf(found, place);
  const isAll = found.window_start === 0 && found.window_end === found.characters;
  $("source-whole").hidden = isWhole || isAll;
  $("source-link").hidden = false;
  $("source-link").href = addressOf(place);
  const mark = showText(found, place);
  if (mark) mark.scrollIntoView({ block: "center" });
  announce(mark ? "Source opened, the quote is marked" : "Source opened");
}

function placeOf(found, place) {
  const size = found.characters.toLocaleString("en");
  if (place.start === null) return `${found.id}, ${size} characters`;
  return `${found.id}, characters ${place.start}–${place.end} of ${size}`;
}

function showText(found, place) {
  const isSpan = place.start !== null;
  const start = isSpan ? place.start - found.window_start : 0;
  const [before, marked, after] = parted(found.text, start, isSpan ? start + place.end - place.start : 0);
  const isChanged = isSpan && place.quote !== undefined && marked !== place.quote;
  const inner = isSpan && !isChanged && marked ? el("mark", {}, marked) : el("span", {}, marked);
  $("source-text").replaceChildren(
    ...cut(found.window_start > 0),
    before,
    inner,
    after,
    ...cut(found.window_end < found.characters),
  );
  tell(isChanged ? "The document has changed since: other words stand there now. Quoted was:" : null, place.quote);
  if (isChanged) inner.scrollIntoView({ block: "center" });
  return inner.matches("mark") ? inner : null;
}

function cut(isCut) {
  return isCut ? [el("span", { class: "cut", "aria-hidden": "true" }, "…")] : [];
}

function addressOf(place) {
  const query = new URLSearchParams({ doc: place.doc });
  if (place.start !== null) {
    query.set("start", place.start);
    query.set("end", place.end);
  }
  if (place.collection !== "default") query.set("collection", place.collection);
  return `./?${query}`;
}

function tell(trouble, quote) {
  $("source-notice").hidden = !trouble;
  $("source-trouble").textContent = trouble || "";
  $("source-quote").textContent = quote || "";
  $("source-quote").hidden = !quote;
  if (trouble) announce(trouble);
}

function show() {
  const pane = $("source");
  if (!pane.open) narrow.matches ? pane.showModal() : pane.show();
  document.body.classList.add("with-source");
}

function onClose() {
  if (!shown) return;
  shown = null;
  document.body.classList.remove("with-source");
  (origin?.isConnected ? origin : $("question")).focus();
}

export function closeSource() {
  $("source").close();
  onClose(); // at once: when the event comes, the focus may be elsewhere already
}

export function startSource() {
  const pane = $("source");
  pane.addEventListener("close", () => pane.open || onClose()); // open again: it only changed its form
  $("source-close").addEventListener("click", closeSource);
  $("source-whole").addEventListener("click", () => {
    load(true);
    $("source-text").focus({ preventScroll: true });
  });
  document.addEventListener("keydown", (event) => {
    const isBusy = pane.matches(":modal") || document.querySelector(":popover-open");
    if (event.key === "Escape" && pane.open && !isBusy) closeSource();
  });
  narrow.addEventListener("change", () => {
    if (!pane.open) return;
    pane.close();
    show();
  });
}

/** Opens what the page's own address names, if it names a document. */
export function openAddressed() {
  const query = new URLSearchParams(location.search);
  const doc = query.get("doc");
  if (!doc) return;
  const isSpan = ["start", "end"].every((name) => /^\d+$/.test(query.get(name) || ""));
  const [start, end] = isSpan ? [Number(query.get("start")), Number(query.get("end"))] : [null, null];
  openSource({ doc, start, end, collection: query.get("collection") || "default" }, $("question"));
}
