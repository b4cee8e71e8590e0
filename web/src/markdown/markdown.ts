/** Markdown to safe HTML. Model text and note text are untrusted: nothing in them may run scripts or load resources. */

import DOMPurify from "dompurify";
import {
  type Hooks,
  Marked,
  Tokenizer,
  type Links,
  type MarkedExtension,
  type MarkedOptions,
  type Token,
  type Tokens,
  type TokensList,
} from "marked";

import { BoundedLexer, bounds } from "./bounds.ts";
import { cjk, withCjk } from "./cjk.ts";
import { details } from "./details.ts";
import { beginsMarkup, HTML_ELEMENTS, settleTags } from "./html-tags.ts";
import { CLASS_DISPLAY, CLASS_INLINE, maskFormulas, math } from "./math.ts";

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
  // code is written from left to right whatever surrounds it, and does not decide the direction of what does
  if (node.tagName === "CODE" || node.tagName === "PRE") node.setAttribute("dir", "ltr");
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

const CLASSES = new Set(["image-link", "wiki-link", CLASS_INLINE, CLASS_DISPLAY]);
/** The class that names code's language. */
const LANGUAGE = /^language-[\w+#-]+$/;
const ALLOWED = {
  ALLOWED_TAGS: [...HTML_ELEMENTS, "details", "summary", "input", "span"],
  ALLOWED_ATTR: ["href", "class", "title", "start", "type", "checked", "disabled", "align", "dir", "open"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|\/(?!\/)|#)/i,
  ADD_URI_SAFE_ATTR: ["type", "start", "align", "class", "dir", "open"],
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

/** Reads emphasis as `cjk.ts` says, and none inside formulas: both are rules and hooks that marked has for this. */
class DialectLexer extends BoundedLexer {
  /** The text that inline elements are read from; the hook gets it with parts of it masked. */
  #source = "";

  constructor(options: MarkedOptions) {
    const mask = (masked: string) => maskFormulas(this.#source, masked);
    super({ ...options, hooks: { emStrongMask: mask } as Hooks });
    const { tokenizer } = this as unknown as { tokenizer: Tokenizer };
    tokenizer.rules = withCjk(tokenizer.rules);
  }

  protected override pieceTokens(piece: string, tokens: Token[]): Token[] {
    this.#source = piece;
    return super.pieceTokens(piece, tokens);
  }
}

/** What differs from marked: tags that are text begin no HTML, so that the words beside them are read as Markdown. */
const asWritten: MarkedExtension = {
  tokenizer: {
    html(source) {
      return beginsMarkup(source) ? Tokenizer.prototype.html.call(this, source) : undefined;
    },
    tag(source) {
      if (!beginsMarkup(source) || source.startsWith("<!--")) return undefined;
      const tag = Tokenizer.prototype.tag.call(this, source);
      // an anchor that is never closed is no link, and text is escaped wherever it is
      this.lexer.state.inLink &&= /<\/a\s*>/i.test(source);
      this.lexer.state.inRawBlock = false;
      return tag;
    },
    del(source, masked, before) {
      // "about 5" is written ~5: one tilde strikes nothing out
      return source.startsWith("~~") ? Tokenizer.prototype.del.call(this, source, masked, before) : undefined;
    },
  },
};

export function dialect(...more: MarkedExtension[]): Dialect {
  const marked = new Marked(
    { gfm: true, renderer: { image: imageLink } },
    asWritten,
    details,
    math(escape),
    cjk,
    bounds,
    ...more,
  );
  return {
    lex(text, links) {
      const lexer = new DialectLexer(marked.defaults);
      Object.assign(lexer.tokens.links, links);
      lexer.lex(text);
      settleTags(lexer.tokens, escape);
      return lexer.tokens;
    },
    render: (tokens) => purifier.sanitize(marked.parser(tokens), ALLOWED),
  };
}

/** The dialect of answers: GitHub Flavored Markdown, as models write it: a line break is one. */
export const answers = dialect({ breaks: true });
