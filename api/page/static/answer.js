// An answer: its sentences with their citations, what they quote, and how sure it is.

import { el, headings, made } from "./dom.js";
import { openSource } from "./source.js";
import { showVerdict, wordOf } from "./verdicts.js";

/** The answer's sentences in their paragraphs, each followed by its citations' buttons. */
export function answerOf(answer, collection) {
  if (answer.abstained) {
    const told = made("abstained");
    told.querySelector(".abstention").textContent = answer.passages.length
      ? "The nearest passages stand below; none of them says it surely enough."
      : "Nothing was found that comes near.";
    return told;
  }
  const body = document.createDocumentFragment();
  for (const sentences of paragraphs(answer)) {
    const paragraph = el("p", { dir: "auto" });
    for (const sentence of sentences) {
      if (paragraph.hasChildNodes()) paragraph.append(" ");
      const text = sentence === answer.sentences[0] ? marked(sentence.text, answer.short) : [sentence.text];
      paragraph.append(el("span", { class: "sentence" }, ...text), ...chipsOf(sentence, answer, collection));
    }
    body.append(paragraph);
  }
  return body;
}

/** A sentence in which the very words that answer are marked, where they stand in it. */
function marked(text, short) {
  const words = short ? short.text.replace(/\s+/g, " ") : "";
  const at = words ? placeOf(words, text) : -1;
  if (at < 0) return [text];
  const mark = el("mark", { class: "short", title: "The words that answer" }, words);
  return [text.slice(0, at), mark, text.slice(at + words.length)];
}

/** Where words first stand as words, not within others; -1 where they do not. */
function placeOf(words, text) {
  let at = text.indexOf(words);
  while (at >= 0 && [text.slice(0, at).at(-1), text[at + words.length]].some(isOfWord)) at = text.indexOf(words, at + 1);
  return at;
}

function isOfWord(sign) {
  return sign !== undefined && /[\p{L}\p{N}]/u.test(sign);
}

/** A line end between two sentences of the answer's text begins a paragraph. */
function paragraphs(answer) {
  const found = [];
  let at = 0;
  for (const sentence of answer.sentences) {
    const next = answer.answer.indexOf(sentence.text, at);
    const isNew = next >= 0 && answer.answer.slice(at, next).includes("\n");
    if (isNew || !found.length) found.push([]);
    found.at(-1).push(sentence);
    if (next >= 0) at = next + sentence.text.length;
  }
  return found;
}

function chipsOf(sentence, answer, collection) {
  const cited = sentence.citations
    .map((n) => answer.citations.find((each) => each.n === n))
    .filter(Boolean);
  if (cited.length) return cited.map((citation) => chipOf(citation, collection));
  if (sentence.verdict === "no_claim") return [];
  const none = el("span", { class: "chip none" });
  showVerdict(none, sentence.verdict);
  return [none];
}

function chipOf(citation, collection) {
  const chip = el("button", { type: "button", class: "chip" }, el("span", { class: "n" }, `[${citation.n}]`));
  showVerdict(chip, citation.verdict);
  const where = citation.title || citation.doc || "no passage";
  chip.setAttribute("aria-label", `Citation ${citation.n}, ${wordOf(citation.verdict)}: ${where}`);
  chip.addEventListener("click", () => openSource({ ...citation, collection }, chip));
  return chip;
}

/** The list of what is quoted, under the answer. */
export function sourcesOf(answer, collection) {
  const rows = answer.citations.map((citation) => {
    const row = made("cited");
    row.querySelector(".n").textContent = citation.n;
    row.querySelector("blockquote").textContent = citation.quote ?? "";
    row.querySelector("blockquote").hidden = citation.quote === null || isSaid(citation.quote, answer);
    whence(row, citation, { ...citation, collection });
    showVerdict(row.querySelector(".verdict"), citation.verdict);
    return row;
  });
  return rows.length ? [el("ol", { class: "sources", "aria-label": "Quoted" }, ...rows)] : [];
}

/** Whether the answer has the quote word for word, so that nobody needs to read it twice. */
function isSaid(quote, answer) {
  return answer.sentences.some((sentence) => sentence.text === quote);
}

/** Says where a quote or a passage stands; its title opens it. */
export function whence(row, { title, doc, locator, n }, place) {
  const link = row.querySelector(".link");
  link.textContent = title || doc || `Marker ${n} names no passage`;
  link.addEventListener("click", () => openSource(place, link));
  row.querySelector(".locator").textContent = headings(locator, title);
}

export function factsOf(answer) {
  const facts = made("facts");
  const given = answer.confidence.toFixed(2);
  facts.querySelector(".gauge rect").setAttribute("width", 100 * answer.confidence);
  facts.querySelector(".number").textContent = given;
  facts.querySelector(".words").textContent = answer.abstained ? "too unsure to answer" : sureness(answer.confidence);
  facts.querySelector(".backend").textContent = answer.backend;
  const { total, ...parts } = answer.timings_ms;
  facts.querySelector(".took").textContent = duration(total);
  facts.querySelector(".took").title = Object.entries(parts)
    .map(([name, ms]) => `${name} ${duration(ms)}`)
    .join(", ");
  const warnings = answer.warnings.map((each) => el("li", { "data-code": each.code }, each.message));
  facts.querySelector(".warnings").append(...warnings);
  return facts;
}

function sureness(confidence) {
  if (confidence >= 0.8) return "very likely right";
  if (confidence >= 0.6) return "probably right";
  if (confidence >= 0.4) return "may be right: look at the source";
  return "doubtful: look at the source";
}

function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
