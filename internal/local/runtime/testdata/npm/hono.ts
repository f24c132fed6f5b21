import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bodyLimit } from "hono/body-limit";
import { contextStorage, getContext } from "hono/context-storage";
import { getCookie, setCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import { sign, verify } from "hono/jwt";
import { logger } from "hono/logger";
import { prettyJSON } from "hono/pretty-json";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { streamSSE, streamText } from "hono/streaming";
import { timing } from "hono/timing";

type User = { id: string; name: string };
const users: User[] = Array.from({ length: 10 }, (_, i) => ({ id: String(i), name: `user ${i}` }));

const app = new Hono();
app.use(contextStorage());
app.use(logger(() => {}));
app.use(requestId());
app.use(timing());
app.use(secureHeaders());
app.use("/api/*", cors({ origin: "https://app.example", credentials: true }));
app.use("/api/*", prettyJSON());
app.use("/page", etag());
app.use("/admin/*", basicAuth({ username: "ann", password: "secret" }));
app.use("/upload", bodyLimit({ maxSize: 10, onError: (c) => c.text("too large", 413) }));

app.get("/", (c) => c.text(`hello from ${getContext().req.path}`));
app.get("/api/users/:id", (c) => {
  const user = users.find((u) => u.id === c.req.param("id"));
  if (!user) throw new HTTPException(404, { message: "no such user" });
  return c.json({ user, query: c.req.query("q") ?? null });
});
app.post("/api/users", async (c) => c.json({ created: await c.req.json<User>() }, 201));
app.get("/page", (c) => c.html(html`<p title="${'"quoted" & <marked>'}">page</p>`));
app.get("/cookie", (c) => {
  setCookie(c, "seen", "1", { path: "/", httpOnly: true, sameSite: "Lax" });
  return c.text(getCookie(c, "seen") ?? "first visit");
});
app.get("/jwt", async (c) => {
  const token = await sign({ sub: "ann", exp: 4102444800 }, "key", "HS256");
  return c.json({ token, payload: await verify(token, "key", "HS256") });
});
app.get("/admin/x", (c) => c.text("inside"));
app.post("/upload", async (c) => c.text(await c.req.text()));
app.get("/stream", (c) => streamText(c, async (s) => {
  for (const word of ["one", "two", "three"]) {
    await s.writeln(word);
    await s.sleep(1);
  }
}));
app.get("/events", (c) => streamSSE(c, async (s) => {
  await s.writeSSE({ data: "first", event: "tick", id: "1" });
}));
app.onError((error, c) => error instanceof HTTPException ? error.getResponse() : c.text(`failed: ${error.message}`, 500));
app.get("/fail", () => { throw new Error("on purpose"); });

export default app;
