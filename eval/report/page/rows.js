// The list of questions: rows are made as they are reached, details as they are opened.

const BATCH = 60;
let shown = [];
let made = 0;

function showList() {
  shown = listed();
  made = 0;
  $("items").replaceChildren();
  const count = shown.length.toLocaleString("en");
  $("count").textContent = `${count} of ${many(data.items.length, "question")}`;
  if (!shown.length) $("items").append(el("li", { class: "nothing" }, "No question fits."));
  showMore();
}

function showMore(until = made + BATCH) {
  const next = shown.slice(made, until);
  $("items").append(...next.map(rowOf));
  made += next.length;
  $("more").hidden = made >= shown.length;
}

function rowOf(item) {
  const row = el("li", { class: "item", "data-number": item.number, "data-stage": item.stage });
  const properties = { type: "button", class: "row", "aria-expanded": "false" };
  const words = [
    el("span", { class: "question", dir: "auto" }, item.question),
    el("span", { class: "gist", dir: "auto" }, gistOf(item)),
  ];
  const stage = span(item.stage === "right" ? "hidden" : "stage", item.stage);
  row.append(el(
    "button",
    { ...properties, "aria-controls": `item-${item.number}`, click: () => toggle(row, item) },
    el("span", { class: "dot", "aria-hidden": "true" }),
    span("words", words),
    span("chips", flipChip(item), stage),
    confidenceOf(item),
  ));
  return row;
}

function gistOf(item) {
  return item.abstained ? "abstained" : item.answer.replace(/\s*\[\d+\]/g, "");
}

function flipChip(item) {
  return item.flip ? span(`direction ${item.flip.direction}`, item.flip.direction) : null;
}

function confidenceOf(item) {
  const told = number(item.confidence, 2);
  const fill = span("fill");
  fill.style.width = `${Math.round(100 * item.confidence)}%`;
  const meter = el("span", { class: "meter", "aria-hidden": "true" }, fill);
  return el("span", { class: "confidence", title: `confidence ${told}` }, meter, span("num", told));
}

function toggle(row, item) {
  if (row.querySelector(".detail")) closeRow(row);
  else openRow(row, item);
}

function openRow(row, item) {
  const detail = detailOf(item);
  detail.id = `item-${item.number}`;
  row.append(detail);
  row.firstChild.setAttribute("aria-expanded", "true");
  link(item.id);
}

function closeRow(row) {
  row.querySelector(".detail").remove();
  row.firstChild.setAttribute("aria-expanded", "false");
  link("section-items");
}

function link(name) {
  try {
    history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  } catch {
    // half a character has no address
  }
}
