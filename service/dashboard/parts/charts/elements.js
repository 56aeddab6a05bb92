// Elements of the page and of its pictures. Their text is never read as HTML.
const NS = "http://www.w3.org/2000/svg";

export const element = (id) => document.getElementById(id);

export function text(tag, content, look) {
  return Object.assign(document.createElement(tag), { textContent: content, ...(look ? { className: look } : {}) });
}

export function drawn(name, attributes = {}, text) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}
