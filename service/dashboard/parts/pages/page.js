// Every page: the theme's switch, what is live, texts to copy.
import { post, say, root, projectQuery } from "../service/service.js";
import { keepLive } from "../service/live.js";

const theme = document.getElementById("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const other = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
  document.documentElement.dataset.bsTheme = other;
  try { localStorage.setItem("gradyard-theme", other); } catch { /* for this page alone */ }
  document.dispatchEvent(new Event("theme"));
});

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).textContent);
    say("Copied.");
  }
  if (event.target.closest("[data-action='eight-stages']")) trainEightStages(event.target.closest("button"));
});

async function trainEightStages(button) {
  const stages = ["numpy", "tensor", "autograd", "function", "nn", "optim", "module", "dynamic"];
  button.disabled = true;
  const jobs = stages.map((stage) => ({ stage, name: `tutorial: ${stage}`, seed: 10, init: "normal" }));
  const batch = await post("batches", { name: "The tutorial's eight stages", jobs });
  if (batch) location.assign(`${root}compare?${projectQuery({ batch: batch.id })}`);
  else button.disabled = false;
}

const menu = document.getElementById("menu");
document.addEventListener("click", (event) => { if (menu && !menu.contains(event.target)) menu.open = false; });
menu?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

keepLive();
