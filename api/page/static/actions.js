// What one can do with an answer: say what it was worth, and take it along.

import { giveFeedback } from "./api.js";
import { copied, plainText } from "./copy.js";
import { announce, made } from "./dom.js";

export function actionsOf(answer) {
  const part = made("actions");
  const said = part.querySelector(".said");
  const form = part.querySelector("form");
  const thumbs = [...part.querySelectorAll("[data-thumb]")];
  let thumb = null;

  function tell(words) {
    said.textContent = words;
    announce(words);
  }

  async function give(more = {}) {
    try {
      await giveFeedback({ receipt: answer.receipt, thumb, ...more });
      tell("Thank you.");
      return true;
    } catch (error) {
      tell(error.message);
      return false;
    }
  }

  for (const button of thumbs) {
    button.addEventListener("click", async () => {
      thumb = button.dataset.thumb;
      for (const each of thumbs) each.setAttribute("aria-pressed", String(each === button));
      if (await give()) form.hidden = false;
    });
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [correction, comment] = ["correction", "comment"].map((name) => form.elements[name].value.trim());
    if (!correction && !comment) form.hidden = true;
    else if (await give({ correction: correction || null, comment: comment || null })) form.hidden = true;
    if (form.hidden) thumbs.find((each) => each.dataset.thumb === thumb).focus();
  });
  form.querySelector(".cancel").addEventListener("click", () => {
    form.hidden = true;
    thumbs.find((each) => each.dataset.thumb === thumb).focus();
  });
  part.querySelector(".copy").addEventListener("click", async () => {
    tell((await copied(plainText(answer))) ? "Copied." : "It could not be copied.");
  });
  return part;
}
