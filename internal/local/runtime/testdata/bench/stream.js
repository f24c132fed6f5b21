export default {
  fetch() {
    const encoder = new TextEncoder();
    let n = 0;
    return new Response(new ReadableStream({
      pull(controller) {
        if (n === 10) controller.close();
        else controller.enqueue(encoder.encode(`line ${n++}\n`));
      },
    }));
  },
};
