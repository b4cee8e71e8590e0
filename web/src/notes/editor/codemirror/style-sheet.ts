/** Makes CodeMirror use constructed style sheets: the content security policy forbids inserted `<style>` elements. */

import { StyleModule } from "style-mod";

/** CodeMirror uses them only for a root without a `head`, such as a shadow root: this object passes for one. */
const headless = {
  ownerDocument: document,
  get adoptedStyleSheets() {
    return document.adoptedStyleSheets;
  },
  set adoptedStyleSheets(sheets) {
    document.adoptedStyleSheets = sheets;
  },
} as unknown as ShadowRoot;

// not available in tests without a browser, where nothing is changed
if ("adoptedStyleSheets" in document) {
  const mount = StyleModule.mount.bind(StyleModule);
  StyleModule.mount = (root, modules, options) =>
    mount(root === document ? headless : root, modules, options);
}
