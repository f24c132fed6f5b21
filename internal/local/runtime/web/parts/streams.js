function (ponyfill, { globalClass, define, asBytes, encodeUTF8, operate, TextDecoder }) {
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
          if (asBytes(chunk) === undefined) throw new TypeError('A chunk must be an ArrayBuffer or a view of one.');
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
  // A codec runs outside, by its number.
  let lastCodec = 0;
  const codec = (mode, format) => {
    format = String(format);
    if (!['gzip', 'deflate', 'deflate-raw'].includes(format)) throw new TypeError(`The formats are gzip, deflate and deflate-raw, not ${JSON.stringify(format)}.`);
    const number = String(++lastCodec), kind = `${mode} ${format}`;
    const pass = async (chunk, controller) => {
      const bytes = await operate('codec', number, kind, chunk);
      if (bytes !== undefined && bytes.length > 0) controller.enqueue(bytes);
    };
    return new TransformStream({
      transform(chunk, controller) {
        const bytes = asBytes(chunk);
        if (bytes === undefined || bytes.buffer instanceof SharedArrayBuffer) throw new TypeError('A chunk must be an ArrayBuffer or a view of one.');
        return pass(bytes, controller);
      },
      flush: (controller) => pass(undefined, controller),
    });
  };
  class CompressionStream {
    #transform;
    constructor(format) { this.#transform = codec('compress', format); }
    get readable() { return this.#transform.readable; }
    get writable() { return this.#transform.writable; }
  }
  class DecompressionStream {
    #transform;
    constructor(format) { this.#transform = codec('decompress', format); }
    get readable() { return this.#transform.readable; }
    get writable() { return this.#transform.writable; }
  }
  const own = { TextEncoderStream, TextDecoderStream, CompressionStream, DecompressionStream };
  for (const type of Object.values(own)) globalClass(type);
  const all = { ...ponyfill, ...own };
  for (const [name, type] of Object.entries(ponyfill)) define(name, type);
  return all;
}
