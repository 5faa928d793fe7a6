// Opens the source page at the quotation. Pictures above it change its place while they load, so the page goes there again
// once they are in.
export async function show(quote) {
  if (!quote) return;
  const pictures = [...(quote.closest("#viewer, #panel-content") ?? document).querySelectorAll("img")];
  quote.scrollIntoView({ block: "center" });
  await Promise.allSettled(pictures.map((picture) => picture.decode()));
  quote.scrollIntoView({ block: "center" });
}

if (document.querySelector("#viewer")) show(document.querySelector("#quote"));
