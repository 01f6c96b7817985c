// One question and what becomes of it: searched, written, answered, stopped or failed.

import { actionsOf } from "./actions.js";
import { answerOf, factsOf, sourcesOf } from "./answer.js";
import { $, made, many } from "./dom.js";
import { passagesOf } from "./passages.js";

let made_so_far = 0;

export class Turn {
  constructor(question, collection) {
    this.question = question;
    this.collection = collection;
    this.node = made("turn").firstElementChild;
    this.heading = this.node.querySelector(".question");
    this.heading.textContent = question;
    this.heading.id = `asked-${(made_so_far += 1)}`;
    this.node.setAttribute("aria-labelledby", this.heading.id);
    $("conversation").append(this.node);
    this.#course("Searching");
  }

  found(hits) {
    this.#course(`Reading ${many(hits.length, "passage")}`);
  }

  said(text) {
    this.#course("Writing");
    this.#part(".answer").append(text);
  }

  answered(answer) {
    const { collection } = this;
    this.#course(null);
    this.node.classList.toggle("is-abstained", answer.abstained);
    this.#part(".answer").replaceChildren(answerOf(answer, collection));
    this.#part(".after").replaceChildren(
      ...sourcesOf(answer, collection),
      factsOf(answer),
      actionsOf(answer),
      passagesOf(answer.passages, collection, answer.abstained),
    );
  }

  stopped() {
    this.#course(null);
    this.failed("Stopped. What stands above was not checked.");
  }

  failed(sentence, code = null) {
    this.#course(null);
    const told = made("failed");
    told.querySelector(".sentence").textContent = sentence;
    const about = told.querySelector(".about");
    about.hidden = code === null;
    about.href = `docs#problem-${code}`;
    this.#part(".after").replaceChildren(told);
  }

  #part(selector) {
    return this.node.querySelector(selector);
  }

  #course(word) {
    this.#part(".course").hidden = word === null;
    const shown = this.#part(".course-word");
    if (shown.textContent !== word) shown.textContent = word || "";
  }
}
