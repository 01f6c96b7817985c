// Light or dark: as the device wishes, until one chooses.

const THEME = "seedrag-eval-theme";

function prefersDark() {
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : prefersDark();
}

function stored(work) {
  try {
    return work(localStorage);
  } catch {
    return null; // a page opened from a file may have no storage
  }
}

function useTheme(name) {
  if (name === "dark" || name === "light") document.documentElement.dataset.theme = name;
  $("theme").setAttribute("aria-pressed", String(isDark()));
}

function startTheme() {
  useTheme(stored((storage) => storage.getItem(THEME)));
  $("theme").addEventListener("click", switchTheme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => useTheme(null));
}

function switchTheme() {
  const next = isDark() ? "light" : "dark";
  stored((storage) => storage.setItem(THEME, next));
  useTheme(next);
}
