// Which questions are listed, and in which order.

const FILTERS = ["by-stage", "by-tag", "by-kind", "by-flip"];
const SETTLED = ["right", "not judged"];

function chosen(id) {
  return $(id) ? $(id).value : "";
}

function wanted() {
  const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const [stage, tag, kind, flip] = FILTERS.map(chosen);
  return (item) =>
    fitsStage(item, stage) &&
    (!tag || item.tags.includes(tag)) &&
    (!kind || item.answerable === (kind === "yes")) &&
    fitsFlip(item, flip) &&
    words.every((word) => haystack(item).includes(word));
}

function fitsStage(item, stage) {
  return stage === "*" ? !SETTLED.includes(item.stage) : !stage || item.stage === stage;
}

function fitsFlip(item, flip) {
  return !flip || (item.flip !== null && (flip === "*" || item.flip.direction === flip));
}

function haystack(item) {
  item.haystack ??= [
    item.id,
    item.question,
    item.stage,
    item.answer,
    item.withheld,
    item.near || "",
    ...item.answers.flat(),
    ...item.tags,
    ...item.evidence.map((row) => row.doc),
    ...item.citations.map((citation) => citation.doc || ""),
    ...item.history.map((turn) => turn.content),
  ]
    .join("\n")
    .toLowerCase();
  return item.haystack;
}

const ORDERS = {
  unsure: (a, b) => a.confidence - b.confidence,
  sure: (a, b) => b.confidence - a.confidence,
  slow: (a, b) => (b.ms ?? -1) - (a.ms ?? -1),
  words: (a, b) => a.question.localeCompare(b.question),
};

function listed() {
  const found = data.items.filter(wanted());
  const order = ORDERS[chosen("order")];
  return order ? found.sort(order) : found;
}

function clearFilters() {
  $("find").value = "";
  for (const id of FILTERS) if ($(id)) $(id).value = "";
}
