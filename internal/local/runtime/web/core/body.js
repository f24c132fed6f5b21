// Bodies: what Request and Response have in common. A body's data is null, a
// text, bytes, a HostBody or a stream.

// The streams are loaded when the first is used.
let streamClasses = null;
const streams = () => streamClasses ??= loadPart('streams')(loadPart('ponyfill')(), { globalClass, define, asBytes, encodeUTF8, operate, TextDecoder });
const isStream = (value) => streamClasses !== null && value instanceof streamClasses.ReadableStream;
defineLazy(['ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader', 'ReadableStreamDefaultController',
  'ReadableByteStreamController', 'ReadableStreamBYOBRequest', 'WritableStream', 'WritableStreamDefaultWriter',
  'WritableStreamDefaultController', 'TransformStream', 'TransformStreamDefaultController', 'ByteLengthQueuingStrategy',
  'CountQueuingStrategy', 'TextEncoderStream', 'TextDecoderStream', 'CompressionStream', 'DecompressionStream'], streams);

// dataBehind knows what the streams that the runtime made are made of, so that a
// body which is passed on whole never becomes a stream.
const dataBehind = new WeakMap();

const wellFormed = (text) => text.isWellFormed() ? text : text.toWellFormed();

// extract returns the data and the content type of a body's source.
const extract = (source) => {
  if (source === null || source === undefined) return [null, null];
  if (typeof source === 'string') return [wellFormed(source), TEXT_TYPE];
  if (isStream(source)) {
    if (source.locked || streamUsed(source)) throw new TypeError('The stream is locked or was read already.');
    return [takeBehind(source) ?? source, null];
  }
  const bytes = asBytes(source);
  if (bytes !== undefined) return [bytes.slice(), null];
  if (source instanceof Blob) return [bytesOfBlob(source), source.type || null];
  if (source instanceof URLSearchParams) return [source.toString(), 'application/x-www-form-urlencoded;charset=UTF-8'];
  if (source instanceof FormData) {
    const [form, boundary] = encodeMultipart(source);
    return [form, 'multipart/form-data; boundary=' + boundary];
  }
  return [String(source).toWellFormed(), TEXT_TYPE];
};

// streamUsed reports whether a stream was read from.
const streamUsed = (stream) => stream._disturbed === true;

// readHost reads a body that the machine's other side holds, until a signal says
// to stop.
const readHost = (kind, body, signal) => {
  const promise = operate(kind, body.handle);
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject);
  });
};

// streamSource is what a stream of data reads.
const streamSource = (data, signal) => ({
  type: 'bytes',
  start(controller) {
    if (signal?.aborted) controller.error(signal.reason);
    else if (signal) onAbort(signal, () => { try { controller.error(signal.reason); } catch (error) { /* it has ended */ } });
  },
  async pull(controller) {
    let bytes;
    if (data instanceof HostBody) bytes = await readHost('read', data, signal);
    else if (data !== null) { bytes = typeof data === 'string' ? encodeUTF8(data) : data.slice(); data = null; }
    if (bytes !== undefined && bytes.length > 0) return controller.enqueue(bytes);
    controller.close();
    controller.byobRequest?.respond(0);
  },
});

// streamOf makes a stream of data. Most streams are only passed on, from one
// Response to the next, so what reads is made when it is first asked for: until
// then a stream has no more than the polyfill's own fields.
const streamOf = (data, signal) => {
  const { ReadableStream } = streamClasses ?? streams();
  const stream = signal ? new ReadableStream(streamSource(data, signal), { highWaterMark: 0 }) : {
    __proto__: ReadableStream.prototype,
    _state: 'readable', _reader: undefined, _storedError: undefined, _disturbed: false,
    get _readableStreamController() {
      const controller = new ReadableStream(streamSource(data), { highWaterMark: 0 })._readableStreamController;
      controller._controlledReadableByteStream = this;
      Object.defineProperty(this, '_readableStreamController', { value: controller, writable: true });
      return controller;
    },
  };
  dataBehind.set(stream, data);
  return stream;
};

// takeBehind uses up a stream for what it is made of; undefined if that is not
// known, or if the stream is locked or was read from.
const takeBehind = (stream) => {
  const data = dataBehind.get(stream);
  if (data === undefined || stream._reader !== undefined || stream._disturbed) return undefined;
  stream._reader = usedUp;
  return data;
};

// useUp locks a stream for good, as if it had been read: its data went elsewhere.
const useUp = (stream) => { stream._reader = usedUp; };
const usedUp = {};

const readAll = async (stream) => {
  const reader = stream.getReader(), chunks = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks.length === 0 ? new Uint8Array(0) : concatBytes(chunks);
    chunks.push(chunkBytes(value));
  }
};

const chunkBytes = (chunk) => {
  const bytes = asBytes(chunk);
  if (bytes === undefined) throw new TypeError(`A body's stream must give bytes, not ${typeof chunk === 'string' ? 'text: pipe it through a TextEncoderStream' : typeof chunk}.`);
  return bytes;
};

// setBody gives a message whose state is s the body of a source that is not null.
// Texts and what another message had, which most are, take the short way.
const setBody = (s, source) => {
  if (typeof source === 'string') {
    s.data = wellFormed(source);
    setContentType(s.headers, TEXT_TYPE);
    return;
  }
  const behind = takeBehind(source);
  if (behind !== undefined) { s.data = behind; return; }
  const [data, type] = extract(source);
  s.data = data;
  if (type !== null) setContentType(s.headers, type);
};

// stateOf returns the state object of a Request or Response. stateGetters are the
// getters that code reads most, made here to spare them that call.
let stateOf, stateGetters;
class Body {
  #state;
  constructor(state) { this.#state = state; }
  get headers() { return this.#state.headers; }
  get bodyUsed() {
    const s = this.#state;
    if (s.used) return true;
    const stream = s.stream ?? (typeof s.data === 'object' && isStream(s.data) ? s.data : null);
    return stream !== null && streamUsed(stream);
  }
  get body() {
    const s = this.#state, { data } = s;
    if (s.stream === null && data !== null) {
      if (typeof data === 'object' && isStream(data)) s.stream = data;
      else {
        s.stream = streamOf(data, s.abort);
        if (s.used) useUp(s.stream);
      }
    }
    return s.stream;
  }
  async text() {
    const data = await takeData(this);
    if (typeof data === 'string') return data.charCodeAt(0) === 0xFEFF ? data.slice(1) : data;
    if (data instanceof HostBody) return await readHost('text', data, this.#state.abort) ?? '';
    if (data.length === 0) return '';
    const text = decodeUTF8(data);
    return text.charCodeAt(0) === 0xFEFF ? text.slice(1) : text;
  }
  async json() { return JSON.parse(await this.text()); }
  async bytes() {
    const data = await takeData(this);
    if (typeof data === 'string') return encodeUTF8(data);
    if (data instanceof HostBody) return await readHost('bytes', data, this.#state.abort) ?? new Uint8Array(0);
    return data;
  }
  async arrayBuffer() { return bufferOf(await this.bytes()); }
  async blob() { return new Blob([await this.bytes()], { type: this.headers.get('content-type') ?? '' }); }
  async formData() {
    const type = this.headers.get('content-type') ?? '', bytes = await this.bytes();
    if (/^multipart\/form-data\b/i.test(type)) {
      const boundary = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
      if (!boundary) throw new TypeError('The content type multipart/form-data has no boundary.');
      return decodeMultipart(bytes, boundary[1] ?? boundary[2]);
    }
    if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
      const form = new FormData();
      for (const [name, value] of new URLSearchParams('?' + decodeUTF8(bytes))) form.append(name, value);
      return form;
    }
    throw new TypeError(`A body of type "${type}" is no form.`);
  }
  static {
    stateOf = (message) => message.#state;
    stateGetters = Object.getOwnPropertyDescriptors({
      get url() { return this.#state.url; },
      get method() { return this.#state.method; },
      get status() { return this.#state.status; },
      get statusText() { return this.#state.statusText; },
    });
  }
}

// takeData marks the body as used and returns its data in one piece: text, bytes
// or a HostBody.
const takeData = (message) => {
  const s = stateOf(message);
  s.abort?.throwIfAborted();
  if (message.bodyUsed || s.stream?.locked) throw new TypeError('The body was read already, and it can be read only once: clone() it before.');
  if (s.data === null) return '';
  s.used = true;
  if (isStream(s.data)) return readAll(s.data);
  if (s.stream !== null) useUp(s.stream);
  return s.data;
};

// cloneData gives two messages the same body.
const cloneData = (message) => {
  const s = stateOf(message);
  if (message.bodyUsed || s.stream?.locked) throw new TypeError('The body was read already: clone() before that.');
  if (s.data === null || typeof s.data === 'string' || s.data instanceof Uint8Array) return s.data;
  const [mine, theirs] = message.body.tee();
  s.data = s.stream = mine;
  return theirs;
};
