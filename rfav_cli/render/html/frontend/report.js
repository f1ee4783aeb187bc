// A page that holds its own data.

import { mount } from "./main.js";

const source = {
  manifest: async () => JSON.parse(document.getElementById("rfav-manifest").textContent),
  block: async (run, name) => {
    const text = atob(document.getElementById(`rfav-${run}-${name}`).textContent);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  },
};

mount(document.body, source);
