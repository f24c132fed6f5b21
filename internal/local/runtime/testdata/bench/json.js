// Reads a list of products, filters, maps, sorts and groups it.
export default {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const least = Number(searchParams.get("min") ?? 0);
    const { items } = await request.json();
    const offers = items
      .filter((item) => item.price >= least && !item.discontinued)
      .map(({ id, name, price, tags, stock }) => ({
        id,
        name: name.toUpperCase(),
        price: Math.round(price * 113) / 100,
        tags: [...new Set(tags)].sort(),
        stock: stock?.count ?? 0,
      }))
      .sort((a, b) => b.price - a.price);
    const byTag = {};
    for (const { id, tags } of offers) {
      for (const tag of tags) (byTag[tag] ??= []).push(id);
    }
    const total = offers.reduce((sum, { price, stock }) => sum + price * stock, 0);
    return new Response(JSON.stringify({ count: offers.length, total: +total.toFixed(2), byTag, offers }), {
      headers: { "content-type": "application/json", "x-agent": request.headers.get("user-agent") ?? "none" },
    });
  },
};
