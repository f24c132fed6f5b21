import { AutoRouter, cors, error, json, withParams } from "itty-router";

const { preflight, corsify } = cors({ origin: "https://app.example" });
const router = AutoRouter({ before: [preflight], finally: [corsify] });

router
  .get("/items/:id", withParams, ({ id, query }) => ({ id, query }))
  .post("/items", async (request) => json(await request.json(), { status: 201 }))
  .get("/files/:path+", ({ params }) => params.path)
  .get("/throws", () => { throw new Error("on purpose"); })
  .get("/teapot", () => error(418, "short and stout"));

export default router;
