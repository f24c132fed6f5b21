function ({ host, globalClass, DOMException, asBytes, bufferOf, internalKey }) {
  // call runs an operation outside. Bytes are base64 on the way.
  const call = (operation, args) => {
    const plain = {};
    for (const [name, value] of Object.entries(args)) {
      const bytes = value === undefined ? undefined : asBytes(value);
      plain[name] = bytes === undefined ? value : bytes.toBase64();
    }
    try {
      return JSON.parse(host.crypto(operation, JSON.stringify(plain)));
    } catch (error) {
      const [, name, message] = /^(\w+Error): ([^]*)$/.exec(error.message) ?? [null, 'OperationError', error.message];
      throw new DOMException(message, name);
    }
  };
  const bufferOfText = (text) => text === undefined ? new ArrayBuffer(0) : bufferOf(Uint8Array.fromBase64(text));

  const names = ['AES-CBC', 'AES-CTR', 'AES-GCM', 'AES-KW', 'ECDH', 'ECDSA', 'Ed25519', 'HKDF', 'HMAC', 'PBKDF2', 'RSA-OAEP', 'RSA-PSS', 'RSASSA-PKCS1-v1_5', 'X25519',
    'MD5', 'SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512'];
  const nameOf = (algorithm) => {
    const name = String(typeof algorithm === 'object' && algorithm !== null ? algorithm.name : algorithm);
    const known = names.find((n) => n.toLowerCase() === name.toLowerCase());
    if (known === undefined) throw new DOMException(`The algorithm ${JSON.stringify(name)} is not supported.`, 'NotSupportedError');
    return known;
  };
  const hashOf = (algorithm) => algorithm?.hash === undefined ? undefined : nameOf(algorithm.hash);
  const required = (value, what) => {
    if (value === undefined) throw new TypeError(`The algorithm needs ${what}.`);
    return value;
  };

  let materialOf;
  class CryptoKey {
    #material; #type; #extractable; #algorithm; #usages;
    constructor(key, material, type, extractable, algorithm, usages) {
      if (key !== internalKey) throw new TypeError('Illegal constructor');
      this.#material = material;
      this.#type = type;
      this.#extractable = extractable;
      this.#algorithm = algorithm;
      this.#usages = usages;
    }
    get type() { return this.#type; }
    get extractable() { return this.#extractable; }
    get algorithm() { return this.#algorithm; }
    get usages() { return this.#usages; }
    static { materialOf = (key) => key.#material; }
  }
  globalClass(CryptoKey);

  const usagesFor = {
    secret: { HMAC: ['sign', 'verify'], HKDF: ['deriveKey', 'deriveBits'], PBKDF2: ['deriveKey', 'deriveBits'], AES: ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'] },
    private: { 'RSA-OAEP': ['decrypt', 'unwrapKey'], ECDH: ['deriveKey', 'deriveBits'], X25519: ['deriveKey', 'deriveBits'], other: ['sign'] },
    public: { 'RSA-OAEP': ['encrypt', 'wrapKey'], ECDH: [], X25519: [], other: ['verify'] },
  };
  const allowedUsages = (type, name) => usagesFor[type][name] ?? usagesFor[type][name.startsWith('AES') ? 'AES' : 'other'] ?? [];

  const makeKey = (answer, material, type, given, extractable, usages) => {
    const algorithm = { name: nameOf(given) };
    if (hashOf(given) !== undefined) algorithm.hash = { name: hashOf(given) };
    if (given.namedCurve !== undefined) algorithm.namedCurve = given.namedCurve;
    if (algorithm.name.startsWith('RSA')) {
      algorithm.modulusLength = answer.length;
      algorithm.publicExponent = Uint8Array.fromBase64(answer.publicExponent);
    } else if (type === 'secret' && answer.length !== undefined && !/^(HKDF|PBKDF2)$/.test(algorithm.name)) algorithm.length = answer.length;
    return new CryptoKey(internalKey, material, type, extractable, algorithm, usages);
  };

  const checkUsages = (type, name, usages) => {
    const allowed = allowedUsages(type, name);
    for (const usage of usages) {
      if (!allowed.includes(usage)) throw new DOMException(`A ${type} ${name} key cannot be used to ${usage}.`, 'SyntaxError');
    }
    if (usages.length === 0 && type !== 'public') throw new DOMException('The key has no usages.', 'SyntaxError');
  };

  // use checks a key and returns the arguments that it brings.
  const use = (key, algorithm, usage) => {
    if (!(key instanceof CryptoKey)) throw new TypeError('The key is no CryptoKey.');
    const name = nameOf(algorithm);
    if (key.algorithm.name !== name) throw new DOMException(`The key is for ${key.algorithm.name}, not for ${name}.`, 'InvalidAccessError');
    if (!key.usages.includes(usage)) throw new DOMException(`The key cannot be used to ${usage}.`, 'InvalidAccessError');
    return { alg: name, key: materialOf(key), hash: hashOf(algorithm) ?? key.algorithm.hash?.name, curve: key.algorithm.namedCurve };
  };
  const bytesOf = (data, what = 'The data') => {
    const bytes = asBytes(data);
    if (bytes === undefined) throw new TypeError(`${what} must be an ArrayBuffer or a view of one.`);
    return bytes;
  };
  const cipherArguments = (algorithm) => ({
    iv: algorithm.iv === undefined ? algorithm.counter : bytesOf(algorithm.iv, 'iv'), aad: algorithm.additionalData, tagLength: algorithm.tagLength,
    length: algorithm.length, label: algorithm.label,
  });
  const deriveBits = (algorithm, key, length, usage) => {
    const args = use(key, algorithm, usage);
    if (args.alg === 'ECDH' || args.alg === 'X25519') {
      if (!(algorithm.public instanceof CryptoKey)) throw new TypeError('The algorithm needs public, a CryptoKey.');
      const { public: theirs } = algorithm;
      if (theirs.type !== 'public' || theirs.algorithm.name !== args.alg || theirs.algorithm.namedCurve !== args.curve) {
        throw new DOMException('public must be a public key of the same algorithm and curve.', 'InvalidAccessError');
      }
      args.public = materialOf(theirs);
    } else {
      args.hash = hashOf(required(algorithm, 'hash'));
      args.salt = required(algorithm.salt, 'a salt');
      args.info = algorithm.info;
      args.iterations = algorithm.iterations;
      if (length === null || length === undefined) throw new DOMException('The length is missing.', 'OperationError');
    }
    return bufferOfText(call('derive', { ...args, length: length ?? 0 }).data);
  };
  const jwkAlgorithm = ({ name, hash, length }) => {
    const bits = hash?.name.slice(4);
    return { HMAC: 'HS' + bits, 'RSASSA-PKCS1-v1_5': 'RS' + bits, 'RSA-PSS': 'PS' + bits, 'RSA-OAEP': 'RSA-OAEP' + (bits === '1' ? '' : '-' + bits),
      'AES-GCM': `A${length}GCM`, 'AES-CBC': `A${length}CBC`, 'AES-CTR': `A${length}CTR`, 'AES-KW': `A${length}KW` }[name];
  };

  // checkJWK fails if a JWK says of itself that it is for something else.
  const checkJWK = ({ alg, key_ops: operations }, key) => {
    const fitting = jwkAlgorithm(key.algorithm);
    if (alg !== undefined && fitting !== undefined && alg !== fitting) throw new DOMException(`The JWK is for ${alg} (alg), not for ${fitting}.`, 'DataError');
    const missing = operations === undefined ? undefined : key.usages.find((usage) => !operations.includes(usage));
    if (missing !== undefined) throw new DOMException(`The JWK is not for ${missing} (key_ops).`, 'DataError');
  };

  class SubtleCrypto {
    constructor(key) { if (key !== internalKey) throw new TypeError('Illegal constructor'); }
    async digest(algorithm, data) { return bufferOfText(call('digest', { hash: nameOf(algorithm), data: bytesOf(data) }).data); }
    async sign(algorithm, key, data) {
      return bufferOfText(call('sign', { ...use(key, algorithm, 'sign'), saltLength: algorithm.saltLength, data: bytesOf(data) }).data);
    }
    async verify(algorithm, key, signature, data) {
      return call('verify', { ...use(key, algorithm, 'verify'), saltLength: algorithm.saltLength, signature: bytesOf(signature, 'The signature'), data: bytesOf(data) }).ok === true;
    }
    async encrypt(algorithm, key, data) { return bufferOfText(call('encrypt', { ...use(key, algorithm, 'encrypt'), ...cipherArguments(algorithm), data: bytesOf(data) }).data); }
    async decrypt(algorithm, key, data) { return bufferOfText(call('decrypt', { ...use(key, algorithm, 'decrypt'), ...cipherArguments(algorithm), data: bytesOf(data) }).data); }
    async deriveBits(algorithm, key, length) { return deriveBits(algorithm, key, length, 'deriveBits'); }
    async deriveKey(algorithm, key, derived, extractable, usages) {
      const length = derived.length ?? (nameOf(derived) === 'HMAC' ? (/512|384/.test(hashOf(derived)) ? 1024 : 512) : 256);
      return this.importKey('raw', deriveBits(algorithm, key, length, 'deriveKey'), derived, extractable, usages);
    }
    async generateKey(algorithm, extractable, usages) {
      const name = nameOf(algorithm);
      const answer = call('generate', { alg: name, hash: hashOf(algorithm), curve: algorithm.namedCurve, length: algorithm.modulusLength ?? algorithm.length });
      if (answer.type === 'secret') {
        checkUsages('secret', name, usages);
        return makeKey(answer, answer.key, 'secret', algorithm, extractable, usages);
      }
      const mine = (type) => usages.filter((usage) => allowedUsages(type, name).includes(usage));
      checkUsages('private', name, mine('private'));
      return {
        privateKey: makeKey(answer, answer.key, 'private', algorithm, extractable, mine('private')),
        publicKey: makeKey(answer, answer.public, 'public', algorithm, true, mine('public')),
      };
    }
    async importKey(format, data, algorithm, extractable, usages) {
      const name = nameOf(algorithm), args = { alg: name, format, curve: algorithm?.namedCurve ?? data?.crv };
      if (format === 'jwk' && data?.ext === false && extractable) throw new DOMException('The JWK is not extractable (ext).', 'DataError');
      if (format === 'jwk') args.jwk = data; else args.data = bytesOf(data, 'The key');
      const answer = call('import', args);
      checkUsages(answer.type, name, usages);
      const key = makeKey(answer, answer.key ?? '', answer.type, typeof algorithm === 'string' ? { name } : algorithm, !!extractable, [...usages]);
      if (format === 'jwk') checkJWK(data, key);
      return key;
    }
    async exportKey(format, key) {
      if (!(key instanceof CryptoKey)) throw new TypeError('The key is no CryptoKey.');
      if (!key.extractable) throw new DOMException('The key is not extractable.', 'InvalidAccessError');
      const answer = call('export', { format, type: key.type, key: materialOf(key) });
      if (format !== 'jwk') return bufferOfText(answer.data);
      const jwk = { ...answer.jwk, key_ops: [...key.usages], ext: key.extractable }, alg = jwkAlgorithm(key.algorithm);
      if (alg !== undefined) jwk.alg = alg;
      return jwk;
    }
    async wrapKey(format, key, wrapping, algorithm) {
      const exported = await this.exportKey(format, key);
      const bytes = format === 'jwk' ? new TextEncoder().encode(JSON.stringify(exported)) : exported;
      return bufferOfText(call('encrypt', { ...use(wrapping, algorithm, 'wrapKey'), ...cipherArguments(algorithm), data: bytesOf(bytes) }).data);
    }
    async unwrapKey(format, wrapped, wrapping, algorithm, unwrapped, extractable, usages) {
      const bytes = bufferOfText(call('decrypt', { ...use(wrapping, algorithm, 'unwrapKey'), ...cipherArguments(algorithm), data: bytesOf(wrapped) }).data);
      return this.importKey(format, format === 'jwk' ? JSON.parse(new TextDecoder().decode(bytes)) : bytes, unwrapped, extractable, usages);
    }
  }
  globalClass(SubtleCrypto);
  return { CryptoKey, SubtleCrypto, subtle: new SubtleCrypto(internalKey) };
}
