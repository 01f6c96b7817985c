// The conversation: what is asked, in which order, and what the keys do.

import { ask, Trouble } from "./api.js";
import { $, announce, many, scrollTo } from "./dom.js";
import { showHistory, startHistory } from "./history.js";
import { showLibrary } from "./library.js";
import { closeSource, openAddressed, startSource } from "./source.js";
import { asked, remember } from "./store.js";
import { Turn } from "./turn.js";

const field = $("question");
const most = Math.min(10, Number($("ask").dataset.maxHistory));
const lastTurns = 2 * Math.floor(most / 2);

let conversation = newName();
let said = [];
let running = null;

function newName() {
  return Date.now().toString(36);
}

function chosen(id) {
  return $(id) ? $(id).value : null;
}

function collection() {
  return chosen("collection") || "default";
}

async function submit(event) {
  event?.preventDefault();
  const question = field.value.trim();
  if (!question || running) return;
  for (const failed of document.querySelectorAll(".turn:has(.failed)")) failed.remove();
  field.value = "";
  fit();
  const turn = new Turn(question, collection());
  begin();
  scrollTo(turn.node, "start");
  await follow(turn);
  end();
}

async function follow(turn) {
  const body = {
    question: turn.question,
    collection: turn.collection,
    backend: chosen("backend"),
    history: lastTurns ? said.slice(-lastTurns) : [],
  };
  const on = {
    passages: ({ hits }) => turn.found(hits),
    token: ({ text }) => turn.said(text),
  };
  try {
    answered(turn, await ask(body, on, running.signal));
  } catch (error) {
    failed(turn, error);
  }
}

function answered(turn, answer) {
  if (!turn.node.isConnected) return; // another conversation has begun
  turn.answered(answer);
  const top = turn.heading.getBoundingClientRect().top;
  if (top > 0 && top < innerHeight) scrollTo(turn.node, "start");
  listen(turn.question, answer);
  const { question, collection } = turn;
  remember({ conversation, collection, question, answer });
  showHistory(choose);
  announce(
    answer.abstained
      ? "Not answered by these documents"
      : `Answer complete, ${many(answer.citations.length, "citation")}`,
  );
}

function failed(turn, error) {
  if (!turn.node.isConnected) return;
  if (!field.value) field.value = turn.question;
  fit();
  if (error.name === "AbortError") {
    turn.stopped();
    announce("Stopped");
    return;
  }
  const isKnown = error instanceof Trouble;
  const sentence = isKnown ? error.message : "Something went wrong on this page. Reload it and ask again.";
  turn.failed(sentence, isKnown ? error.code : null);
  announce(sentence);
  if (!isKnown) throw error;
}

function listen(question, answer) {
  said.push({ role: "user", content: question }, { role: "assistant", content: answer.answer });
}

function begin() {
  running = new AbortController();
  $("send").hidden = true;
  $("stop").hidden = false;
  document.body.classList.add("asked");
  $("new").hidden = false;
  announce("Searching");
}

function end() {
  const hadFocus = document.activeElement === $("stop");
  running = null;
  $("send").hidden = false;
  $("stop").hidden = true;
  if (hadFocus) field.focus();
}

function restart() {
  running?.abort();
  if ($("source").open) closeSource();
  conversation = newName();
  said = [];
  $("conversation").replaceChildren();
  document.body.classList.remove("asked");
  $("new").hidden = true;
  field.focus();
}

/** Shows the conversation of a turn that was asked before, from there on. */
function choose(turn) {
  restart();
  conversation = turn.conversation;
  document.body.classList.add("asked");
  $("new").hidden = false;
  const told = asked().filter((each) => each.conversation === conversation);
  for (const each of told) {
    const shown = new Turn(each.question, each.collection);
    shown.answered(each.answer);
    listen(each.question, each.answer);
    if (each === turn) requestAnimationFrame(() => goTo(shown));
  }
}

function goTo(turn) {
  turn.heading.focus({ preventScroll: true });
  scrollTo(turn.node, "start");
}

/** The box grows with what is written into it. */
function fit() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

function onKey(event) {
  const isTyping = event.target.matches?.("input, select, textarea");
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "/" && isPlain && !isTyping && !$("source").matches(":modal")) {
    event.preventDefault();
    field.focus();
  }
}

function onFieldKey(event) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
}

$("ask").addEventListener("submit", submit);
field.addEventListener("keydown", onFieldKey);
field.addEventListener("input", fit);
document.addEventListener("keydown", onKey);
$("stop").addEventListener("click", () => running?.abort());
$("new").addEventListener("click", restart);
$("collection")?.addEventListener("change", () => showLibrary(collection()));
startSource();
startHistory(choose);
showLibrary(collection());
fit();
openAddressed();
