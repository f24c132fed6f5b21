import { Suspense, use } from "react";
import { renderToReadableStream, renderToString } from "react-dom/server.browser";

function Item({ name, n }: { name: string; n: number }) {
  return <li className="item" data-n={n}>{name} &amp; {n}</li>;
}

function Page({ items }: { items: string[] }) {
  return (
    <html lang="en">
      <head><title>Shop</title></head>
      <body><h1>{`<Shop>`}</h1><ul>{items.map((name, i) => <Item key={name} name={name} n={i} />)}</ul></body>
    </html>
  );
}

function Slow({ promise }: { promise: Promise<string> }) {
  return <b>{use(promise)}</b>;
}

const later = (value: string) => new Promise<string>((resolve) => setTimeout(() => resolve(value), 5));

export default {
  async fetch(request: Request): Promise<Response> {
    const headers = { "content-type": "text/html; charset=utf-8" };
    const { pathname } = new URL(request.url);
    if (pathname === "/string") return new Response(renderToString(<Page items={["a", "b"]} />), { headers });
    if (pathname === "/suspense") {
      const promise = later("arrived");
      const stream = await renderToReadableStream(<main><Suspense fallback={<i>wait</i>}><Slow promise={promise} /></Suspense></main>);
      if (request.headers.has("x-whole")) await stream.allReady;
      return new Response(stream, { headers });
    }
    return new Response(await renderToReadableStream(<Page items={Array.from({ length: 3 }, (_, i) => `item ${i}`)} />), { headers });
  },
};
