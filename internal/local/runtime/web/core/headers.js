// Headers. Those that come from outside are lines of name and value, taken apart
// when one is asked for.

// Names and short values repeat from request to request, and checking one takes
// longer than finding it.
const remember = (known, check) => (text) => {
  const checked = check(String(text));
  if (typeof text === 'string' && text.length < 64) {
    if (known.size >= 512) known.clear();
    known.set(text, checked);
  }
  return checked;
};
const knownNames = new Map(), knownValues = new Map();
const newName = remember(knownNames, (name) => {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) throw new TypeError(`Invalid header name: "${name}"`);
  return name.toLowerCase();
});
const newValue = remember(knownValues, (value) => {
  const trimmed = value.charCodeAt(0) > 0x20 && value.charCodeAt(value.length - 1) > 0x20 ? value : value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (/[^\x01-\x09\x0B\x0C\x0E-\xFF]/.test(trimmed)) throw new TypeError(`Invalid header value: ${JSON.stringify(value)}`);
  return trimmed;
});

// A list is what headers hold: names and values in turns, or the lines that they
// come as. Searching a few names one by one, copying and joining them is work of
// the engine itself, which a Map would leave to code. A copy of headers has the
// same list until one of both changes: own says that a list may change in place.
// several says that a name may be in it more than once, frozen that it may not
// change at all.
const newList = (all, several) => ({ all, several, lines: null, own: true, frozen: false, sorted: null });
const sharedList = (all) => {
  const list = newList(all, false);
  list.own = false;
  return list;
};

// What most responses start with.
const TEXT_TYPE = 'text/plain;charset=UTF-8', emptyList = sharedList([]), textList = sharedList(['content-type', TEXT_TYPE]);

// parsed takes the lines of a list apart if it has any, and returns the list.
const parsed = (list) => {
  if (list.lines === null) return list;
  list.all = list.lines.split('\n');
  list.all.pop(); // what follows the last line
  list.several = true;
  list.lines = null;
  return list;
};

// changeable returns what may change instead of a list that may not in place.
const changeable = (list) => {
  if (list.frozen) throw new TypeError('These headers are immutable: make a new Response or Request with a copy of them.');
  const { all } = list.lines === null ? list : parsed(list);
  return { all: all.length === 0 ? [] : all.slice(0, all.length), several: list.several, lines: null, own: true, frozen: false, sorted: null };
};

// placeOf is where a list has a name, from a place on; -1 if it has not. A value
// may be like the name.
const placeOf = (all, name, from) => {
  let at = all.indexOf(name, from);
  while (at % 2 === 1) at = all.indexOf(name, at + 1);
  return at;
};

// dropName takes a name out of a list, from a place on.
const dropName = (all, name, from) => {
  for (let at = placeOf(all, name, from); at >= 0; at = placeOf(all, name, at)) all.splice(at, 2);
};

// valueAt is the value of the name at a place, together with those of the same
// name that follow.
const valueAt = (list, at) => {
  const { all } = list;
  let value = all[at + 1];
  if (list.several) for (let next = placeOf(all, all[at], at + 2); next >= 0; next = placeOf(all, all[at], next + 2)) value += ', ' + all[next + 1];
  return value;
};

// sortedPairs are the pairs that iterating gives: by name, values of one name in
// one, but for cookies.
const sortedPairs = (list) => {
  const pairs = [], { all, several } = list;
  for (let at = 0; at < all.length; at += 2) {
    const name = all[at];
    if (!several || name === 'set-cookie') pairs.push([name, all[at + 1]]);
    else if (placeOf(all, name, 0) === at) pairs.push([name, valueAt(list, at)]);
  }
  return pairs.length > 1 ? pairs.sort((a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0) : pairs;
};

const isEnumerable = Object.prototype.propertyIsEnumerable;

// The methods that code calls most do the usual case themselves, since a call
// costs about as much as what it calls does.
let headersOfLines, linesOfHeaders, freezeHeaders, setContentType, iterateHeaders;
class Headers {
  #list = emptyList;
  constructor(init) {
    if (init === undefined) return;
    if (init === null || (typeof init !== 'object' && typeof init !== 'function')) throw new TypeError('Headers takes a record, a list of pairs or Headers.');
    if (#list in init && init[Symbol.iterator] === iterateHeaders) {
      const list = init.#list;
      this.#list = list.frozen ? { ...list, frozen: false } : list;
      list.own = false;
      return;
    }
    if (init[Symbol.iterator] !== undefined && init[Symbol.iterator] !== null) {
      for (const pair of init) {
        const both = typeof pair === 'object' && pair !== null ? Array.from(pair) : [];
        if (both.length !== 2) throw new TypeError('Headers takes pairs of a name and a value.');
        this.append(both[0], both[1]);
      }
      return;
    }
    const keys = Reflect.ownKeys(init);
    for (let i = 0; i < keys.length; i++) {
      const name = keys[i];
      if (!isEnumerable.call(init, name)) continue;
      if (typeof name === 'symbol') throw new TypeError('Header names are strings.');
      this.append(name, init[name]);
    }
  }
  append(name, value) {
    name = knownNames.get(name) ?? newName(name);
    value = knownValues.get(value) ?? newValue(value);
    const list = this.#list.own ? this.#list : (this.#list = changeable(this.#list)), { all } = list;
    if (!list.several && all.indexOf(name, 0) >= 0) list.several = true;
    list.sorted = null;
    all.push(name, value);
  }
  set(name, value) {
    name = knownNames.get(name) ?? newName(name);
    value = knownValues.get(value) ?? newValue(value);
    const list = this.#list.own ? this.#list : (this.#list = changeable(this.#list)), { all } = list;
    list.sorted = null;
    let at = all.indexOf(name, 0);
    if (at % 2 === 1) at = placeOf(all, name, at);
    if (at < 0) {
      all.push(name, value);
      return;
    }
    all[at + 1] = value;
    if (list.several) dropName(all, name, at + 2);
  }
  delete(name) {
    name = knownNames.get(name) ?? newName(name);
    const list = this.#list.own ? this.#list : (this.#list = changeable(this.#list));
    list.sorted = null;
    dropName(list.all, name, 0);
  }
  get(name) {
    name = knownNames.get(name) ?? newName(name);
    const list = this.#list.lines === null ? this.#list : parsed(this.#list), { all } = list;
    let at = all.indexOf(name, 0);
    if (at % 2 === 1) at = placeOf(all, name, at);
    return at < 0 ? null : list.several ? valueAt(list, at) : all[at + 1];
  }
  has(name) {
    name = knownNames.get(name) ?? newName(name);
    return placeOf(parsed(this.#list).all, name, 0) >= 0;
  }
  getSetCookie() { return parsed(this.#list).all.filter((_, i, all) => i % 2 === 1 && all[i - 1] === 'set-cookie'); }
  static {
    pairIterators(this, (headers) => headers.#list.sorted ?? (headers.#list.sorted = sortedPairs(parsed(headers.#list))));
    iterateHeaders = this.prototype[Symbol.iterator];
    headersOfLines = (lines) => {
      const headers = new Headers();
      headers.#list = sharedList(null);
      headers.#list.lines = lines;
      return headers;
    };
    linesOfHeaders = (headers) => {
      const { lines, all } = headers.#list;
      return lines !== null ? lines : all.length === 0 ? '' : all.join('\n') + '\n';
    };
    // setContentType sets a type that needs no check, unless there is one.
    setContentType = (headers, type) => {
      if (headers.#list === emptyList) headers.#list = type === TEXT_TYPE ? textList : newList(['content-type', type], false);
      else if (!headers.has('content-type')) headers.append('content-type', type);
    };
    freezeHeaders = (headers) => {
      headers.#list = { ...headers.#list, own: false, frozen: true };
    };
  }
}
globalClass(Headers);
