"""Vaults as other programs write them, after their documentation: files, and where each link in them leads.

A link's place is the file that has it. What it leads to is a file, or None for a link to a note that is not there.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import quote

WORDS = {
    "English": ["Garden plan", "Reading list", "C# notes", "v1.2", "Q&A (draft)", "Meeting 3", "Index cards"],
    "Arabic": ["خطة الحديقة", "قائمة القراءة", "ملاحظات", "اجتماع ٣", "مُلَخَّص", "أفكار", "رحلة إلى مراكش"],
    "Chinese": ["花园计划", "阅读清单", "笔记", "会议 3", "总结(草稿)", "想法", "旅行"],
}


@dataclass
class Vault:
    files: dict[str, str] = field(default_factory=dict[str, str])
    links: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, str | None]])
    """The file with the link, the link as a request names it, the file that it leads to."""

    def link(self, source: str, target: str | None, text: str, written: str | None = None) -> None:
        """`text`: the link; `written`: how it stands in the file, where that is more."""
        self.files[source] = self.files.get(source, "") + f"\n\nSee {written or text}."
        self.links.append((source, text, target))


def _files(names: list[str], folders: list[str], head: Callable[[str], str]) -> Vault:
    vault = Vault()
    for place, name in enumerate(names):
        vault.files[f"{folders[place % len(folders)]}{name}.md"] = head(name)
    return vault


def _pairs(vault: Vault) -> list[tuple[str, str]]:
    files = list(vault.files)
    return [*pairwise(files), (files[-1], files[0])]


def _stem(file: str) -> str:
    return file.rpartition("/")[2].removesuffix(".md")


def _relative(source: str, target: str) -> str:
    """The path of one file from the folder of another."""
    up = "../" * source.count("/")
    return up + target


def obsidian(words: list[str]) -> Vault:
    """Links by file name, path, heading, block; embedded; relative Markdown links, as both settings of it write them.
    The same file name in two folders: the nearest, or with its folder."""
    vault = _files(words, ["", "Projects/", "Projects/Deep/"], lambda name: f"---\ntags: [a]\n---\n# Heading of {name}")
    for source, target in _pairs(vault):
        stem, path = _stem(target), target.removesuffix(".md")
        for text in (
            *(f"[[{stem}]]", f"[[{stem}|shown]]", f"[[{stem}#Part one]]", f"[[{stem}#^b1]]", f"[[{stem}^b1]]"),
            *(f"[[{path}]]", f"[[{path}.md]]", f"[[{stem}.md]]", f"[[{path}#Part|shown]]"),
        ):
            vault.link(source, target, text)
        vault.link(source, target, f"[[{stem}]]", f"![[{stem}]]")
        relative = _relative(source, target)
        encoded = quote(relative)
        vault.link(source, target, encoded, f"[shown]({encoded})")
        vault.link(source, target, f"{encoded}#part", f"[shown]({encoded}#part)")
        bracketed = relative.replace("&", "%26").replace("#", "%23")
        vault.link(source, target, bracketed, f"[t](<{bracketed}>)")
        vault.link(source, target, encoded, f"[shown][ref {len(vault.links)}]\n\n[ref {len(vault.links)}]: {encoded}")
        vault.link(source, None, f"[[Not {stem}]]")
    for folder in ("North/", "South/"):
        vault.files[f"{folder}Daily.md"] = "Same name"
        vault.link(f"{folder}From.md", f"{folder}Daily.md", "[[Daily]]")
    vault.link("North/From.md", "South/Daily.md", "[[South/Daily]]")
    vault.link("North/From.md", "South/Daily.md", "../South/Daily.md", "[t](../South/Daily.md)")
    return vault


def zettlr(words: list[str]) -> Vault:
    """Links by the id in the file's name, or by the whole name."""
    ids = {name: f"2024010112{place:04}" for place, name in enumerate(words)}
    vault = _files([f"{ids[name]} {name}" for name in words], ["", "zettel/"], lambda name: f"# {name[15:]}")
    for source, target in _pairs(vault):
        vault.link(source, target, f"[[{_stem(target)[:14]}]]")
        vault.link(source, target, f"[[{_stem(target)}]]")
        vault.link(source, target, quote(_relative(source, target)), f"[t]({quote(_relative(source, target))})")
        vault.link(source, None, "[[20991231235959]]")
    return vault


def dendron(words: list[str]) -> Vault:
    """Hierarchies by dots; the label before the name; a heading, a block; another vault."""
    names = ["root", *(f"proj.a{place}.{'-'.join(word.lower().split())}" for place, word in enumerate(words))]
    names = [name.replace("#", "").replace("&", "").replace("(", "").replace(")", "") for name in names]
    vault = _files(names, ["vault/"], lambda name: f"---\nid: {abs(hash(name))}\ntitle: Title of {name}\n---\n")
    for source, target in _pairs(vault):
        name = _stem(target)
        vault.link(source, target, f"[[{name}]]")
        vault.link(source, target, f"[[{name}#part]]")
        vault.link(source, target, f"[[{name}#^block]]")
        vault.link(source, target, f"[[dendron://vault/{name}]]")
        vault.link(source, target, f"[[{name}#a:#*]]", f"![[{name}#a:#*]]")
        if "." in name:
            vault.link(source, target, f"[[The label|{name}]]")
            vault.link(source, target, f"[[The label|{name}#part]]")
        vault.link(source, None, f"[[proj.missing.{name}]]")
    return vault


def logseq(words: list[str]) -> Vault:
    """Pages by name, namespaces in the names of files, tags of several words, journals by their date."""
    vault = _files(words, ["pages/"], lambda name: f"- block of {name}")
    vault.files["pages/Area___Sub page.md"] = "- a namespace"
    vault.files["pages/Old%2FNamespace.md"] = "- as older versions wrote it"
    vault.files["journals/2024_01_02.md"] = "- a day"
    vault.files["journals/2024_11_23.md"] = "- another day"
    source = f"pages/{words[0]}.md"
    vault.link(source, "pages/Area___Sub page.md", "[[Area/Sub page]]")
    vault.link(source, "pages/Old%2FNamespace.md", "[[Old/Namespace]]")
    vault.link(source, "journals/2024_01_02.md", "[[Jan 2nd, 2024]]")
    vault.link(source, "journals/2024_11_23.md", "[[2024-11-23]]")
    vault.link("journals/2024_01_02.md", "journals/2024_11_23.md", "[[Nov 23rd, 2024]]")
    for before, target in _pairs(vault):
        if before.startswith("pages") and target.startswith("pages") and not {"_", "%"} & set(target):
            vault.link(before, target, f"[[{_stem(target).upper()}]]")
            vault.link(before, target, f"[[{_stem(target)}]]", f"#[[{_stem(target)}]]")
            vault.link(before, target, f"../{quote(target)}", f"[shown](../{quote(target)})")
    return vault


def jekyll(words: list[str]) -> Vault:
    """Posts by permalink, with and without the ending of pages; pages by relative path."""
    slugs = {f"post-{place}": word for place, word in enumerate(words)}
    vault = Vault({f"_posts/2024-03-{place + 1:02}-{slug}.md": f"# {slugs[slug]}" for place, slug in enumerate(slugs)})
    vault.files |= {f"pages/about {word}.md": f"---\nlayout: page\n---\nAbout {word}" for word in words}
    for source, target in _pairs(vault):
        stem = _stem(target)
        if target.startswith("_posts"):
            date, slug = stem[:10].replace("-", "/"), stem[11:]
            for url in (f"/{date}/{slug}.html", f"/{date}/{slug}/", f"/{date}/{slug}"):
                vault.link(source, target, url, f"[post]({url})")
            vault.link(source, target, f"[[{slugs[slug]}]]")
        relative = quote(_relative(source, target))
        vault.link(source, target, relative, f"[page]({relative})")
    return vault


def quartz(words: list[str]) -> Vault:
    """Links from the root without an ending, the page of a folder, spaces as dashes in addresses."""
    vault = _files(words, ["", "notes/"], lambda name: f"---\ntitle: Title of {name}\naliases: []\n---\n")
    vault.files["guides/index.md"] = "---\ntitle: All guides\n---\n"
    for source, target in _pairs(vault):
        path, stem = target.removesuffix(".md"), _stem(target)
        if target == "guides/index.md":
            vault.link(source, target, "[[guides/index]]")
            vault.link(source, target, "[[guides/]]")
            vault.link(source, target, "/guides/", "[all](/guides/)")
            continue
        vault.link(source, target, f"[[{path}]]")
        vault.link(source, target, f"[[/{path}|shown]]")
        vault.link(source, target, f"/{quote(path.replace(' ', '-'))}", f"[t](/{quote(path.replace(' ', '-'))})")
        vault.link(source, target, f"[[{stem}#part]]")
        vault.link(source, target, f"[[Title of {stem}]]")
    return vault


DIALECTS = {maker.__name__: maker for maker in (obsidian, zettlr, dendron, logseq, jekyll, quartz)}


def shuffled(files: dict[str, str], seed: int) -> dict[str, str]:
    """The files in another order: of a zip nobody knows it."""
    names = list(files)
    random.Random(seed).shuffle(names)
    return {name: files[name] for name in names}
