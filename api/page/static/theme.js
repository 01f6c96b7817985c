// Light or dark: as the device wishes, until one chooses. Runs before the page is painted.

(() => {
  const KEY = "seedrag-theme";
  const root = document.documentElement;
  const wish = matchMedia("(prefers-color-scheme: dark)");

  function stored(work) {
    try {
      return work(localStorage);
    } catch {
      return null; // storage may be forbidden
    }
  }

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : wish.matches;
  }

  const chosen = stored((storage) => storage.getItem(KEY));
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      stored((storage) => storage.setItem(KEY, root.dataset.theme));
      show();
    });
    wish.addEventListener("change", show);
    show();
  });
})();
