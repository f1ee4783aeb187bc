// The tab of TensorBoard: its iframe has an empty page, whose <base> is where the plugin answers.

import { mount } from "./main.js";
import { h } from "./dom.js";

const source = {
  interval: 4,
  // TensorBoard makes the frame anew when its page is loaded again; a tab of the browser keeps this as long as it is open.
  memory: {
    read: () => stored((storage) => storage.getItem("rfav")),
    write: (text) => stored((storage) => storage.setItem("rfav", text)),
  },
  manifest: async () => (await got("manifest")).json(),
  block: async (run, name, revision) => (await got(`block?${new URLSearchParams({ run, name, revision })}`)).arrayBuffer(),
};

/** Use the storage, which a browser may keep from a frame in a notebook of another address. */
function stored(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

async function got(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response;
}

/** TensorBoard calls this once the tab is opened. */
export async function render() {
  document.documentElement.lang = "en";
  await new Promise((loaded) => {
    document.head.append(h("link", { rel: "stylesheet", href: "style.css", onload: loaded, onerror: loaded }));
  });
  await mount(document.body, source);
}
