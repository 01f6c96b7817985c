// The questions of this visit; choosing one shows its conversation again.

import { $, el } from "./dom.js";
import { asked, forget } from "./store.js";

export function showHistory(choose) {
  const turns = asked();
  $("past").hidden = !turns.length;
  $("questions").replaceChildren(
    ...turns.map((turn) => {
      const button = el("button", { type: "button", class: "asked", dir: "auto" }, turn.question);
      if (turn.answer.abstained) button.append(el("small", {}, "not answered"));
      button.addEventListener("click", () => {
        $("history").hidePopover();
        choose(turn);
      });
      return el("li", {}, button);
    }).reverse(),
  );
}

export function startHistory(choose) {
  $("forget").addEventListener("click", () => {
    forget();
    $("history").hidePopover();
    showHistory(choose);
    $("question").focus();
  });
  showHistory(choose);
}
