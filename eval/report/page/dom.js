// Small things that the rest is made of. Data reaches the page as text nodes and attributes alone.

const data = JSON.parse(document.getElementById("data").textContent);
data.items.forEach((item, number) => Object.assign(item, { number }));

function $(id) {
  return document.getElementById(id);
}

function el(name, properties, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties || {})) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function span(name, ...children) {
  return el("span", { class: name }, ...children);
}

function pairs(rows) {
  const told = rows.map(([name, value, about]) =>
    el("div", { title: about }, el("dt", {}, name), el("dd", {}, value)),
  );
  return el("dl", { class: "scores" }, told);
}

function number(value, digits = 3) {
  return value === null || value === undefined ? "n/a" : value.toFixed(digits).replace("-", "−");
}

function many(count, thing) {
  return `${count.toLocaleString("en")} ${thing}${count === 1 ? "" : "s"}`;
}

function later(work, milliseconds) {
  let waiting;
  return () => {
    clearTimeout(waiting);
    waiting = setTimeout(work, milliseconds);
  };
}
