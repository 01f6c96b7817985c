// What checking a citation gave, in a sign and in words.

import { el, icon } from "./dom.js";

const WORDS = { verified: "verified", unsupported: "unsupported", not_found: "not found" };
const ABOUT = {
  verified: "the quote bears the sentence out",
  unsupported: "the quote does not bear the sentence out",
  not_found: "there is no such passage",
};

export function wordOf(verdict) {
  return WORDS[verdict] || verdict;
}

/** Fills a node with the sign and the word. */
export function showVerdict(node, verdict) {
  node.dataset.verdict = verdict;
  node.title = ABOUT[verdict] || "";
  node.append(icon(verdict), el("span", { class: "verdict-word" }, wordOf(verdict)));
}
