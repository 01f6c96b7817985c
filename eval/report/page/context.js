// A citation in its document: what is cited is marked, what is gold evidence underlined.

function contextOf(context, citations) {
  const quote = el("blockquote", { class: "context", dir: "auto" });
  const text = data.pieces[context.piece];
  const marks = context.marks.map((numbers) => markOf(numbers, citations));
  let at = context.at;
  if (context.before) quote.append("…");
  for (const [length, isEvidence, mark] of context.runs) {
    const part = text.slice(at, at + length);
    const target = mark < 0 ? quote : marks[mark];
    if (mark >= 0 && !target.parentNode) quote.append(target);
    target.append(isEvidence ? el("span", { class: "evidence", title: "gold evidence" }, part) : part);
    at += length;
  }
  if (context.after) quote.append("…");
  return el("figure", {}, captionOf(context, citations), quote);
}

function markOf(numbers, citations) {
  const verdicts = citations.filter((each) => numbers.includes(each.n)).map((each) => each.verdict);
  const verified = verdicts.every((verdict) => verdict === "verified");
  return el("mark", {
    "data-n": numbers.join(", "),
    class: verified ? "cited" : "cited doubtful",
    tabindex: "-1",
    title: `citation ${numbers.join(", ")}: ${verdicts.join(", ")}`,
  });
}

function captionOf(context, citations) {
  const own = citations.filter((each) => context.marks.flat().includes(each.n));
  const title = own.map((each) => each.title).find(Boolean);
  const locators = [...new Set(own.map((each) => each.locator).filter(Boolean))];
  return el(
    "figcaption",
    {},
    el("b", {}, title || context.doc),
    title && title !== context.doc ? el("span", {}, context.doc) : null,
    locators.map((locator) => el("span", {}, locator)),
  );
}

function showMark(detail, number) {
  const marks = [...detail.querySelectorAll("mark[data-n]")];
  const mark = marks.find((each) => each.dataset.n.split(", ").includes(number));
  if (!mark) return;
  glide(mark, "center");
  mark.focus({ preventScroll: true });
}

function glide(node, block) {
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  node.scrollIntoView({ block, behavior: isCalm ? "auto" : "smooth" });
}
