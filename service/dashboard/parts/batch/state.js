// What the page of a batch shows: its runs, as last loaded, and what its address asks for.
import { element } from "../charts/elements.js";
import { projectQuery, root } from "../service/service.js";

export const head = () => element("live-head");
export const id = head().dataset.batch;
export const state = { runs: null, band: null, top: new Map() };
export const jobAddress = (job) => `${root}jobs/${job}?${projectQuery()}`;
export const nameOf = (at) => state.runs.names?.[at] ?? `…${state.runs.ids[at].slice(-8)}`;

export function askedInAddress() {
  const address = new URLSearchParams(location.search);
  return { where: address.get("where") ?? "", metric: address.get("metric") ?? "", mode: address.get("mode") ?? "" };
}

// Of the parameters that differ, those that matter most first.
export const names = () => [...new Set([...Object.keys(state.runs.importance), ...Object.keys(state.runs.parameters)])];
