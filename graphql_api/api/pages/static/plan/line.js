// A task written in one line, and how the service reads it.

import { ask } from "./service.js";
import { element } from "./week.js";

const PAUSE = 300; // milliseconds without a key, after which the service is asked

// The text with what is no title marked; places are in code points.
function marked(text, spans) {
  const letters = [...text];
  const found = [];
  let end = 0;
  for (const span of spans) {
    found.push(letters.slice(end, span.start).join(""));
    found.push(element("mark", span.text, { title: span.kind.toLowerCase() }));
    end = span.end;
  }
  return [...found, letters.slice(end).join("")];
}

// Shows below the line, while somebody writes, what would become of it.
export function readAlong(input, output) {
  let timer = null;
  const read = async (text) => {
    const { spans, ambiguities } = await ask("reading", { text });
    if (input.value === text) output.replaceChildren(...marked(text, spans), ` ${ambiguities.join(" ")}`);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    const text = input.value;
    if (!text.trim()) output.replaceChildren();
    else timer = setTimeout(() => read(text).catch((error) => output.replaceChildren(error.message)), PAUSE);
  });
}
