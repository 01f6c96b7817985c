// All that is known of one question.

function detailOf(item) {
  const main = [historyOf(item), flipOf(item), answerOf(item), expectedOf(item), contextsOf(item)];
  const aside = [passagesOf(item), scoresOf(item), factsOf(item)];
  return el(
    "div",
    { class: "detail", role: "region", "aria-label": item.question },
    el("div", { class: "detail-main" }, main),
    el("div", { class: "detail-aside" }, aside),
  );
}

function part(title, ...children) {
  return el("section", {}, el("h4", {}, title), ...children);
}

function quoted(name, ...children) {
  return el("p", { class: `answer ${name}`, dir: "auto" }, ...children);
}

function historyOf(item) {
  if (!item.history.length) return null;
  const turns = [...item.history, { role: "user", content: item.question }];
  return part("The conversation", turns.map(turnOf));
}

function turnOf(turn) {
  const who = el("b", {}, turn.role);
  return el("p", { class: `turn ${turn.role}`, dir: "auto" }, who, " ", turn.content);
}

function flipOf(item) {
  if (!item.flip) return null;
  const causes = item.flip.causes.map((cause) => el("li", { class: "cause" }, cause));
  return part(
    item.flip.direction === "lost" ? "Lost: it was right in the base" : "Won: it was wrong in the base",
    quoted("before", item.flip.before),
    el("ul", { class: "causes" }, causes),
  );
}

function answerOf(item) {
  return part(
    item.abstained ? "It abstained" : "It answered",
    quoted(item.abstained ? "abstained" : "", cited(item.answer, item.citations)),
    item.short ? el("p", { class: "note" }, "In short: ", el("b", {}, item.short)) : null,
    item.withheld ? el("p", { class: "label" }, "What it would have said") : null,
    item.withheld ? quoted("withheld", item.withheld) : null,
    item.doubts.map(([text, verdict]) =>
      el("p", { class: "doubt" }, el("b", {}, verdict.replace("_", " ")), " ", text),
    ),
  );
}

// "[2]" becomes a button that shows what is cited; all else stays text.
function cited(text, citations) {
  const known = new Set(citations.map((each) => `[${each.n}]`));
  const pieces = text.split(/(\[\d+\])/);
  return pieces.map((piece) => (known.has(piece) ? markerOf(piece.slice(1, -1)) : piece));
}

function markerOf(number) {
  const show = (event) => showMark(event.currentTarget.closest(".detail"), number);
  const properties = { type: "button", class: "marker", "aria-label": `Show citation ${number}` };
  return el("button", { ...properties, click: show }, number);
}

function expectedOf(item) {
  if (!item.answerable) {
    const near = item.near ? ["; it seems to be about ", el("b", {}, item.near)] : [];
    return part("Expected", el("p", {}, "An abstention: the documents do not say", ...near, "."));
  }
  const answers = item.answers.map(([text, ...others]) =>
    el("li", { dir: "auto" }, el("b", {}, text), others.map((other) => span("or", other))),
  );
  return answers.length ? part("Expected", el("ul", { class: "expected" }, answers)) : null;
}

function contextsOf(item) {
  const lost = item.evidence.filter((row) => row.quote !== null).map(lostEvidence);
  if (!item.contexts.length && !lost.length) return null;
  const legend = [el("mark", { class: "cited" }, "cited"), " ", span("evidence", "gold evidence")];
  return part(
    "In the documents",
    el("p", { class: "note" }, legend),
    item.contexts.map((context) => contextOf(context, item.citations)),
    lost,
  );
}

function lostEvidence(row) {
  const status = span("stage", `gold evidence, ${row.status}`);
  return el(
    "figure",
    {},
    el("figcaption", {}, el("b", {}, row.doc), status),
    el("blockquote", { class: "context lost", dir: "auto" }, row.quote),
  );
}

function passagesOf(item) {
  if (!item.passages.length) return null;
  const title = `Retrieved, ${many(item.passages.length, "passage")}`;
  return part(title, el("ol", { class: "passages" }, item.passages.map(passageOf)));
}

function passageOf([place, score, isEvidence, isCited]) {
  const [doc, start, end, snippet] = data.places[place];
  return el(
    "li",
    {},
    el("p", {}, el("b", {}, doc), span("place", `${start}–${end}`), span("num", number(score))),
    el("p", { class: "snippet", dir: "auto" }, snippet),
    isEvidence ? span("tag proof", "evidence") : null,
    isCited ? span("tag used", "cited") : null,
  );
}

function scoresOf(item) {
  const known = data.metrics.map((metric, at) => [metric.title, item.scores[at], metric.about]);
  const told = known.filter(([, score]) => score !== null);
  return part("Scores", pairs(told.map(([title, score, about]) => [title, number(score), about])));
}

function factsOf(item) {
  const facts = [
    ["id", item.id],
    ["tags", item.tags.join(", ")],
    ["confidence", number(item.confidence)],
    ["milliseconds", item.ms === null ? "" : number(item.ms, 1)],
    ["filter", item.filter],
    ["warnings", item.warnings.join(", ")],
  ];
  return part("About it", pairs(facts.filter(([, value]) => value)));
}
