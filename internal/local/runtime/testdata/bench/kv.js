const kv = new EdgeKV({ namespace: "demo" });

export default {
  async fetch() {
    const { n } = await kv.get("seeded", { type: "json" });
    await kv.put("seeded", JSON.stringify({ n: n + 1 }));
    return Response.json({ n });
  },
};
