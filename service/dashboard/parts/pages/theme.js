// Before the first paint: light or dark as it was chosen here, else as the system has it.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const chosen = () => { try { return localStorage.getItem("gradyard-theme"); } catch { return null; } };
const show = () => {
  document.documentElement.dataset.bsTheme = chosen() || (dark.matches ? "dark" : "light");
  document.documentElement.classList.add("scripts");
};
show();
dark.addEventListener("change", () => { show(); document.dispatchEvent(new Event("theme")); });
