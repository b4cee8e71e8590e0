/** Markdown to safe HTML. Model text and note text are untrusted: nothing in them may run scripts or load resources. */

import DOMPurify from "dompurify";
import {
  Lexer,
  Marked,
  type Links,
  type MarkedExtension,
  type Token,
  type Tokens,
  type TokensList,
} from "marked";

export const escape = (text: string) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Loading an external picture would tell its server that the note is being read, so it becomes a link. */
function imageLink({ href, text }: Tokens.Image): string {
  return `<a href="${escape(href)}" class="image-link">${escape(text || "Picture")} ↗</a>`;
}

const purifier = DOMPurify(window);
purifier.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "INPUT")
    node.setAttribute("aria-label", node.hasAttribute("checked") ? "Done" : "To do");
  if (node.tagName !== "A") return;
  const href = node.getAttribute("href");
  if (href === null) return;
  if (!URL.canParse(href, location.href)) return node.removeAttribute("href");
  if (!isOwnPage(href)) {
    node.setAttribute("target", "_blank");
    node.setAttribute("title", href);
  }
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

/**
 * Whether a link stays in the app. Its prefix is not enough: browsers treat a backslash as a slash and ignore tabs and
 * line breaks (https://url.spec.whatwg.org/#url-parsing), so that `/\host` and `/<tab>/host` lead to another site.
 */
function isOwnPage(href: string): boolean {
  return href.startsWith("/") && new URL(href, location.href).origin === location.origin;
}

const CLASSES = new Set(["image-link", "wiki-link"]);
/** The class that names code's language. */
const LANGUAGE = /^language-[\w+#-]+$/;
const ALLOWED = {
  ALLOWED_TAGS: [
    ..."a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i input kbd li mark ol p pre s strong sub sup".split(
      " ",
    ),
    ..."table tbody td th thead tr ul".split(" "),
  ],
  ALLOWED_ATTR: ["href", "class", "title", "start", "type", "checked", "disabled", "align"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|\/(?!\/)|#)/i,
  ADD_URI_SAFE_ATTR: ["type", "start", "align", "class"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};
purifier.addHook("uponSanitizeAttribute", (node, attribute) => {
  if (attribute.attrName === "class")
    attribute.keepAttr =
      CLASSES.has(attribute.attrValue) || (node.tagName === "CODE" && LANGUAGE.test(attribute.attrValue));
  if (attribute.attrName === "type")
    attribute.keepAttr = node.tagName === "INPUT" && attribute.attrValue === "checkbox";
});
purifier.addHook("uponSanitizeElement", (node) => {
  // only a task's checkbox, never a field that could ask for input
  if (node instanceof Element && node.tagName === "INPUT" && node.getAttribute("type") !== "checkbox")
    node.remove();
});

/** A dialect of Markdown: its lexer, and its renderer to sanitised HTML. */
export interface Dialect {
  /** `links`: link definitions from elsewhere; the result's `links` contains them and those of `text`. */
  lex(text: string, links?: Links): TokensList;
  render(tokens: Token[]): string;
}

export function dialect(...more: MarkedExtension[]): Dialect {
  const marked = new Marked({ gfm: true, renderer: { image: imageLink } }, ...more);
  return {
    lex(text, links) {
      const lexer = new Lexer(marked.defaults);
      Object.assign(lexer.tokens.links, links);
      lexer.lex(text);
      return lexer.tokens;
    },
    render: (tokens) => purifier.sanitize(marked.parser(tokens), ALLOWED),
  };
}

/** The dialect of answers: GitHub Flavored Markdown, as models write it. */
export const answers = dialect();
