// Elements with a text, which is never read as HTML.
export function text(tag, content, look) {
  return Object.assign(document.createElement(tag), { textContent: content, ...(look ? { className: look } : {}) });
}
