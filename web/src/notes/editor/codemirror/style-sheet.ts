/** The field's looks as a sheet made by script: the page's policy allows no `<style>` that was not in the page. */

import { StyleModule } from "style-mod";

/** CodeMirror makes such a sheet only for a root without a `head`, which a shadow root is: so the document passes for one. */
const headless = {
  ownerDocument: document,
  get adoptedStyleSheets() {
    return document.adoptedStyleSheets;
  },
  set adoptedStyleSheets(sheets) {
    document.adoptedStyleSheets = sheets;
  },
} as unknown as ShadowRoot;

// where there are no sheets made by script (in tests without a browser), all stays as it is
if ("adoptedStyleSheets" in document) {
  const mount = StyleModule.mount.bind(StyleModule);
  StyleModule.mount = (root, modules, options) =>
    mount(root === document ? headless : root, modules, options);
}
