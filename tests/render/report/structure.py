"""What a page is made of, read as a browser would, and what is wrong with it for people."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "input", "hr"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def all(self, name: str = "") -> Iterator[Element]:
        """This element and all below it, in order; with `name` only those."""
        if name in ("", self.name):
            yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.all(name)

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Element(tag, {n: v or "" for n, v in attrs}))

    def handle_endtag(self, tag):
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].children.append(data)


def read(page: str) -> Element:
    """The whole page; every element must be closed in order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1, [element.name for element in reader.open]
    return reader.open[0]


def complaints(page: str) -> list[str]:
    """What keeps people or their tools from reading a page; empty when all is well."""
    root = read(page)
    return [*_landmarks(root), *_headings(root), *_names(root), *_tables(root), *_links(root)]


def _landmarks(root: Element) -> Iterator[str]:
    (document,) = root.all("html")
    if not document.attributes.get("lang"):
        yield "no language"
    if [head.text.strip() for head in root.all("head") if any(head.all("title"))] == []:
        yield "no title"
    for name in ("main", "nav", "header", "footer", "h1"):
        if len(list(root.all(name))) != 1:
            yield f"{len(list(root.all(name)))} elements <{name}>"


def _headings(root: Element) -> Iterator[str]:
    levels = [int(e.name[1]) for e in root.all() if e.name in ("h1", "h2", "h3", "h4")]
    for before, after in itertools.pairwise(levels):
        if after > before + 1:
            yield f"h{after} follows h{before}"


def _names(root: Element) -> Iterator[str]:
    for element in root.all():
        given = element.attributes
        if element.name == "img" and "alt" not in given:
            yield "an image without alternative"
        if element.name == "svg" and not (given.get("role") == "img" and given.get("aria-label")):
            yield "a drawing without a name"
        if element.name == "button" and not (element.text.strip() or given.get("aria-label")):
            yield "a button without a name"
        if "tabindex" in given and not (given.get("aria-label") and given.get("role")):
            yield f"<{element.name}> takes the focus without a name"
        if "style" in given:
            yield f"<{element.name}> has a style of its own, which the policy blocks"
        if any(name.startswith("on") for name in given):
            yield f"<{element.name}> has a script of its own"


def _tables(root: Element) -> Iterator[str]:
    for table in root.all("table"):
        if not any(c.text.strip() for c in table.all("caption")):
            yield "a table without a caption"
        if any("scope" not in th.attributes for th in table.all("th")):
            yield "a heading of a table without scope"


def _links(root: Element) -> Iterator[str]:
    identities = [e.attributes["id"] for e in root.all() if "id" in e.attributes]
    if len(identities) != len(set(identities)):
        yield "an id is there twice"
    for link in root.all("a"):
        target = link.attributes.get("href", "")
        if not target.startswith("#") or target[1:] not in identities:
            yield f"a link leads to {target!r}"
    for element in root.all():
        for name in ("src", "href", "xlink:href", "action", "data"):
            value = element.attributes.get(name, "#")
            if not value.startswith(("#", "data:image/png;base64,")):
                yield f"{name}={value[:40]!r} leads out of the file"
