// fetch, EdgeKV and cache.

// bodyData returns the data of a message's body in a form that can cross.
const bodyData = async (message) => {
  if (stateOf(message).data === null) return undefined;
  const data = await takeData(message);
  return data.length === 0 ? undefined : data;
};

const fetchNow = async (request) => {
  const s = stateOf(request), { signal } = s;
  signal?.throwIfAborted();
  const data = await bodyData(request);
  const promise = operate('fetch', [s.method, s.url, s.redirect, s.decompress ?? ''].join('\n'), linesOfHeaders(s.headers), data);
  if (signal === null) return promise;
  const number = lastOperation;
  return new Promise((resolve, reject) => {
    onAbort(signal, () => { host.cancel(number); reject(signal.reason); });
    promise.then(resolve, reject);
  });
};

define('fetch', async function fetch(input, init) {
  const request = new Request(input, init);
  const [head, data] = await fetchNow(request);
  const [status, statusText, url, redirected] = head.split('\n', 4);
  const state = newState(headersOfLines(head.slice(status.length + statusText.length + url.length + redirected.length + 4)), null);
  Object.assign(state, { status: Number(status), statusText, url, redirected: redirected === 'true', type: 'basic', abort: stateOf(request).signal });
  if (!hasNoBody(state.status) && request.method !== 'HEAD') state.data = data;
  return new Response(null, fromHost, state);
});

class EdgeKV {
  #namespace;
  constructor(options) {
    const namespace = options && typeof options === 'object' ? options.namespace ?? options.namespaceId : undefined;
    if (typeof namespace !== 'string' || namespace === '') throw new TypeError('EdgeKV takes an object with a namespace: new EdgeKV({ namespace: "name" }).');
    this.#namespace = namespace;
  }
  async get(key, options) {
    const type = options === undefined ? 'stream' : options?.type;
    if (type !== 'text' && type !== 'json' && type !== 'stream' && type !== 'arrayBuffer') {
      throw new TypeError(`EdgeKV.get: the type is text, json, stream or arrayBuffer, not ${String(type)}.`);
    }
    const asText = type === 'text' || type === 'json';
    const value = await operate('kvGet', this.#namespace, String(key), asText ? 'text' : undefined);
    if (value === undefined) return undefined;
    switch (type) {
      case 'text': return value;
      case 'json': return JSON.parse(value);
      case 'arrayBuffer': return bufferOf(value);
      default: return streamOf(value);
    }
  }
  async put(key, value) {
    let data = value;
    if (value instanceof Response) data = await takeData(value);
    else if (isStream(value)) data = await takeData(new Response(value));
    else if (typeof value !== 'string') data = asBytes(value);
    if (data instanceof HostBody) data = await operate('bytes', data.handle);
    if (data === undefined) throw new TypeError('EdgeKV.put takes a string, an ArrayBuffer, a view of one, a ReadableStream or a Response.');
    await operate('kvPut', this.#namespace, String(key), data);
  }
  async delete(key) { return await operate('kvDelete', this.#namespace, String(key)) !== undefined; }
}
globalClass(EdgeKV);

const cacheKey = (key) => {
  if (key instanceof Request) {
    if (key.method !== 'GET') throw new TypeError(`cache: the key is a GET request, not ${key.method}.`);
    return key.url.split('#')[0];
  }
  return new URL(String(key)).href.split('#')[0];
};

define('cache', Object.freeze({
  async put(key, response) {
    const url = cacheKey(key);
    if (!(response instanceof Response)) throw new TypeError('cache.put takes a Response.');
    if (response.status === 206) throw new TypeError('cache.put takes no partial response (206).');
    let data = stateOf(response).data === null ? undefined : await takeData(response);
    if (data instanceof HostBody) data = await operate('bytes', data.handle);
    await operate('cachePut', url, response.status + '\n' + linesOfHeaders(response.headers), data);
  },
  async get(key) {
    const found = await operate('cacheGet', cacheKey(key));
    if (found === undefined) return undefined;
    const [head, data] = found, status = head.split('\n', 1)[0];
    const state = newState(headersOfLines(head.slice(status.length + 1)), hasNoBody(Number(status)) ? null : data);
    Object.assign(state, { status: Number(status), statusText: '' });
    return new Response(null, fromHost, state);
  },
  async delete(key) { return await operate('cacheDelete', cacheKey(key)) !== undefined; },
}));
