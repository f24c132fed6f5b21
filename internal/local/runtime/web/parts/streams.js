function (ponyfill, { globalClass, define, encodeUTF8, TextDecoder }) {
  const { TransformStream } = ponyfill;
  class TextEncoderStream {
    #transform;
    constructor() {
      let held = '';
      this.#transform = new TransformStream({
        transform(chunk, controller) {
          let text = held + String(chunk);
          const last = text.charCodeAt(text.length - 1);
          held = last >= 0xD800 && last < 0xDC00 ? text.slice(-1) : '';
          text = held ? text.slice(0, -1) : text;
          if (text) controller.enqueue(encodeUTF8(text));
        },
        flush(controller) { if (held) controller.enqueue(encodeUTF8('\uFFFD')); },
      });
    }
    get encoding() { return 'utf-8'; }
    get readable() { return this.#transform.readable; }
    get writable() { return this.#transform.writable; }
  }
  class TextDecoderStream {
    #decoder; #transform;
    constructor(label, options) {
      const decoder = this.#decoder = new TextDecoder(label, options);
      this.#transform = new TransformStream({
        transform(chunk, controller) {
          const text = decoder.decode(chunk, { stream: true });
          if (text) controller.enqueue(text);
        },
        flush(controller) {
          const text = decoder.decode();
          if (text) controller.enqueue(text);
        },
      });
    }
    get encoding() { return this.#decoder.encoding; }
    get fatal() { return this.#decoder.fatal; }
    get ignoreBOM() { return this.#decoder.ignoreBOM; }
    get readable() { return this.#transform.readable; }
    get writable() { return this.#transform.writable; }
  }
  const all = { ...ponyfill, TextEncoderStream, TextDecoderStream };
  for (const [name, type] of Object.entries(all)) define(name, type);
  return all;
}
