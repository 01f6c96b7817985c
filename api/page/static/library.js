// The documents that can be asked, while nothing was asked yet.

import { documents } from "./api.js";
import { $, el, many } from "./dom.js";
import { openSource } from "./source.js";

const FIRST = 12;
const MORE = 100;

let wanted = null;

export async function showLibrary(collection) {
  wanted = collection;
  $("library").hidden = true;
  const page = await documents(collection, FIRST).catch(() => null); // asking says what is wrong
  if (!page || wanted !== collection) return;
  $("documents").replaceChildren();
  add(page, collection);
}

function add(page, collection) {
  $("library").hidden = !page.documents.length;
  $("documents").append(...page.documents.map((row) => rowOf(row, collection)));
  const more = $("more-documents");
  more.hidden = page.next === null;
  more.textContent = `${many(page.total - $("documents").children.length, "more document")}`;
  more.onclick = async () => {
    more.disabled = true;
    await documents(collection, MORE, page.next).then((next) => add(next, collection), () => {});
    more.disabled = false;
  };
}

function rowOf(row, collection) {
  const button = el("button", { type: "button", class: "link", dir: "auto" }, row.title || row.id);
  const place = { doc: row.id, start: null, end: null, title: row.title, collection };
  button.addEventListener("click", () => openSource(place, button));
  return el("li", {}, button);
}
