// What happens when one clicks, types, or arrives by a link.

function named(hash) {
  try {
    return data.items.find((item) => item.id === decodeURIComponent(hash.slice(1)));
  } catch {
    return undefined;
  }
}

function arrive() {
  const item = named(location.hash);
  if (item) reveal(item);
}

function reveal(item) {
  if (!shown.includes(item)) {
    clearFilters();
    refresh();
  }
  showMore(Math.max(made, shown.indexOf(item) + 1));
  const row = $("items").querySelector(`[data-number="${item.number}"]`);
  if (!row.querySelector(".detail")) openRow(row, item);
  row.scrollIntoView({ block: "start" });
  row.firstChild.focus({ preventScroll: true });
}

function stageBars() {
  return document.querySelectorAll("button.stage-bar");
}

function refresh() {
  for (const bar of stageBars()) {
    bar.setAttribute("aria-pressed", String(bar.dataset.stage === chosen("by-stage")));
  }
  showList();
}

function chooseStage(event) {
  const stage = event.currentTarget.dataset.stage;
  const again = chosen("by-stage") === stage;
  $("by-stage").value = again ? "" : stage;
  refresh();
  if (!again) glide($("section-items"), "start");
}

function followItem(event) {
  const target = event.target.closest("a[data-item]");
  const item = target && data.items.find((each) => each.id === target.dataset.item);
  if (!item) return;
  event.preventDefault();
  reveal(item);
}

function onKey(event) {
  const isTyping = event.target.matches("input, select, textarea");
  if (event.key === "/" && !isTyping) {
    event.preventDefault();
    $("find").focus();
  } else if (event.key === "Escape") {
    const row = event.target.closest(".item");
    if (row && row.querySelector(".detail")) {
      closeRow(row);
      row.firstChild.focus();
    }
  } else if (event.target.matches(".row")) step(event);
}

function step(event) {
  const row = event.target.parentNode;
  const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
  if (!next) return;
  event.preventDefault();
  next.firstChild.focus();
}

function listen() {
  $("find").addEventListener("input", later(refresh, 80));
  for (const id of [...FILTERS, "order"]) $(id)?.addEventListener("change", refresh);
  $("clear").addEventListener("click", () => {
    clearFilters();
    refresh();
    $("find").focus();
  });
  $("more").addEventListener("click", () => showMore());
  for (const bar of stageBars()) bar.addEventListener("click", chooseStage);
  document.addEventListener("click", followItem);
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", arrive);
}

function loadWhenReached() {
  const look = (seen) => seen.some((each) => each.isIntersecting) && showMore();
  new IntersectionObserver(look, { rootMargin: "600px" }).observe($("more"));
}

startTheme();
listen();
refresh();
loadWhenReached();
arrive();
