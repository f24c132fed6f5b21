// Request and Response.

const fromHost = {};
const newState = (headers, data) => ({ headers, data, stream: null, used: false });

const methodOf = (method) => {
  method = String(method);
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new TypeError(`"${method}" is no HTTP method.`);
  const upper = method.toUpperCase();
  if (upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK') throw new TypeError(`The method ${upper} is not allowed.`);
  return /^(DELETE|GET|HEAD|OPTIONS|POST|PUT)$/.test(upper) ? upper : method;
};

const urlOf = (input) => {
  const url = new URL(input);
  if (url.username || url.password) throw new TypeError('The URL of a Request has no user name and no password.');
  return url.href;
};

class Request extends Body {
  constructor(input, init, state) {
    if (init === fromHost) { super(state); return; }
    init ??= {};
    const from = input instanceof Request ? stateOf(input) : null;
    const s = newState(null, null);
    super(s);
    s.url = from ? from.url : urlOf(input);
    s.method = init.method !== undefined ? methodOf(init.method) : from ? from.method : 'GET';
    s.redirect = init.redirect ?? from?.redirect ?? 'follow';
    if (s.redirect !== 'follow' && s.redirect !== 'manual' && s.redirect !== 'error') throw new TypeError(`redirect is follow, manual or error, not ${s.redirect}.`);
    const signal = init.signal !== undefined ? init.signal : from?.signal ?? null;
    if (signal !== null && !(signal instanceof AbortSignal)) throw new TypeError('signal is an AbortSignal.');
    s.signal = signal === null ? null : AbortSignal.any([signal]);
    if (init.duplex !== undefined && init.duplex !== 'half') throw new TypeError(`duplex is half, not ${init.duplex}.`);
    s.decompress = init.decompress ?? from?.decompress;
    s.headers = new Headers(init.headers ?? from?.headers);
    if (init.body !== undefined && init.body !== null) {
      if (s.method === 'GET' || s.method === 'HEAD') throw new TypeError(`A request with the method ${s.method} cannot have a body.`);
      setBody(s, init.body);
      if (from && from.data !== null) from.used = true;
    } else if (from && from.data !== null) {
      if (s.method === 'GET' || s.method === 'HEAD') throw new TypeError(`A request with the method ${s.method} cannot have a body.`);
      if (input.bodyUsed || from.stream?.locked) throw new TypeError('The body of the Request was read already.');
      s.data = from.data;
      from.used = true;
      if (from.stream && from.stream !== from.data) useUp(from.stream);
    }
  }
  get redirect() { return stateOf(this).redirect; }
  get signal() { return stateOf(this).signal ??= new AbortController().signal; }
  get cache() { return 'default'; }
  get credentials() { return 'same-origin'; }
  get destination() { return ''; }
  get integrity() { return ''; }
  get keepalive() { return false; }
  get mode() { return 'cors'; }
  get referrer() { return 'about:client'; }
  get referrerPolicy() { return ''; }
  get duplex() { return 'half'; }
  clone() {
    const s = stateOf(this);
    const data = cloneData(this);
    const signal = s.signal === null ? null : AbortSignal.any([s.signal]);
    return new Request(null, fromHost, { ...s, headers: new Headers(s.headers), data, stream: null, used: false, signal });
  }
}
Object.defineProperties(Request.prototype, { url: stateGetters.url, method: stateGetters.method });
globalClass(Request);

const hasNoBody = (status) => status === 101 || status === 204 || status === 205 || status === 304;

class Response extends Body {
  constructor(body, init, state) {
    if (init === fromHost) { super(state); return; }
    const s = { headers: null, data: null, stream: null, used: false, status: 200, statusText: '' };
    super(s);
    if (init === undefined || init === null) {
      s.headers = new Headers();
    } else {
      const { status, statusText } = init;
      if (status !== undefined) {
        s.status = Number(status) & 0xFFFF;
        if (s.status < 200 || s.status > 599) throw new RangeError(`A Response has a status from 200 to 599, not ${status}.`);
      }
      if (statusText !== undefined && statusText !== '') {
        s.statusText = String(statusText);
        if (/[^\t\x20-\x7E\x80-\xFF]/.test(s.statusText)) throw new TypeError('Invalid statusText.');
      }
      s.headers = new Headers(init.headers);
    }
    if (body === undefined || body === null) return;
    if (s.status !== 200 && hasNoBody(s.status)) throw new TypeError(`A Response with the status ${s.status} cannot have a body.`);
    setBody(s, body);
  }
  get ok() { const { status } = stateOf(this); return status >= 200 && status < 300; }
  get url() { return stateOf(this).url ?? ''; }
  get redirected() { return stateOf(this).redirected ?? false; }
  get type() { return stateOf(this).type ?? 'default'; }
  clone() {
    const s = stateOf(this);
    const data = cloneData(this);
    return new Response(null, fromHost, { ...s, headers: new Headers(s.headers), data, stream: null, used: false });
  }
  static json(value, init) {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError('The value has no JSON.');
    const response = new Response(text, init);
    if (init?.headers === undefined || !new Headers(init.headers).has('content-type')) response.headers.set('content-type', 'application/json');
    return response;
  }
  static redirect(url, status = 302) {
    const parsed = new URL(url).href;
    if (![301, 302, 303, 307, 308].includes(status)) throw new RangeError(`The status of a redirect is 301, 302, 303, 307 or 308, not ${status}.`);
    const response = new Response(null, { status, headers: { location: parsed } });
    freezeHeaders(response.headers);
    return response;
  }
  static error() {
    const response = new Response(null);
    Object.assign(stateOf(response), { status: 0, type: 'error' });
    freezeHeaders(response.headers);
    return response;
  }
}
Object.defineProperties(Response.prototype, { status: stateGetters.status, statusText: stateGetters.statusText });
globalClass(Response);
