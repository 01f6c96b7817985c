// The passages that were found, with what each was ranked by.

import { el, made, many } from "./dom.js";
import { whence } from "./answer.js";

export function passagesOf(hits, collection, isOpen) {
  const part = made("passages");
  const details = part.querySelector("details");
  details.open = isOpen;
  details.querySelector("summary").textContent = isOpen ? "The nearest passages" : `${many(hits.length, "passage")} found`;
  details.querySelector("ol").append(...hits.map((hit) => passageOf(hit, collection)));
  return part;
}

function passageOf(hit, collection) {
  const row = made("passage");
  whence(row, hit, { ...hit, quote: hit.text, collection });
  row.querySelector(".excerpt").textContent = hit.text;
  row.querySelector(".signals").append(
    ...Object.entries({ score: hit.score, ...hit.signals }).map(([name, value]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, rounded(value))),
    ),
  );
  return row;
}

function rounded(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}
