// What is shown, as a file: a picture of a chart, or an answer of the service.
import { ask } from "./service.js";

export function save(content, name, type) {
  const file = content instanceof Blob ? content : new Blob([content], { type });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export async function saveAnswer(path, accept, name, query) {
  const response = await ask("GET", path, { accept, query });
  if (response) save(response instanceof Response ? await response.blob() : JSON.stringify(response), name, accept);
}

const LOOKS = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity", "font-size", "font-family"];

// The SVG alone has no style sheet: what it looks like goes into it.
export function pictureOf(svg) {
  const copy = svg.cloneNode(true);
  const [old, fresh] = [svg, copy].map((each) => [each, ...each.querySelectorAll("*")]);
  old.forEach((each, place) => {
    const look = getComputedStyle(each);
    for (const name of LOOKS) fresh[place].setAttribute(name, look.getPropertyValue(name));
  });
  copy.querySelector(".mark")?.remove();
  copy.querySelector(".chosen")?.remove();
  const [, , width, height] = svg.getAttribute("viewBox").split(" ");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [key, value] of Object.entries({ width, height, fill: getComputedStyle(document.body).backgroundColor })) paper.setAttribute(key, value);
  copy.prepend(paper);
  return { text: new XMLSerializer().serializeToString(copy), width: Number(width), height: Number(height) };
}

export async function savePng(svg, name) {
  const { text, width, height } = pictureOf(svg);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * width, 2 * height);
  canvas.toBlob((blob) => save(blob, name));
}
