/** External pictures in a note. Their server would learn who reads the note, so they are loaded only on click. */

/** Replaces a link to a picture by a button that loads it. Pictures in `wanted` are shown at once. */
export function offerPicture(link: HTMLAnchorElement, wanted: Set<string>): void {
  const alt = (link.textContent ?? "").replace(/ ↗$/, "");
  const address = link.getAttribute("href") ?? "";
  // the sanitizer removes addresses that are not absolute URLs, such as a file next to the note
  if (!URL.canParse(address))
    return link.replaceWith(element("span", "picture-offer", `${alt} is not available.`));
  if (new URL(address).protocol !== "https:") return link.classList.remove("image-link");
  if (wanted.has(address)) return link.replaceWith(picture(address, alt));
  const offer = element("span", "picture-offer", alt === "Picture" ? "A picture" : alt);
  const button = element("button", "button small", "Load image");
  button.type = "button";
  button.title = address;
  button.addEventListener("click", () => {
    wanted.add(address);
    offer.replaceWith(picture(address, alt));
  });
  offer.append(element("span", "picture-host", `from ${new URL(address).host}`), button);
  link.replaceWith(offer);
}

function picture(address: string, alt: string): HTMLImageElement {
  const image = document.createElement("img");
  image.className = "picture";
  image.alt = alt;
  image.referrerPolicy = "no-referrer";
  image.src = address;
  image.addEventListener("error", () =>
    image.replaceWith(
      element("span", "picture-offer", `${alt} could not be loaded from ${new URL(address).host}.`),
    ),
  );
  return image;
}

function element<Tag extends "span" | "button">(
  tag: Tag,
  className: string,
  text: string,
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
