// Loaded with --require into a client that has the service's address built in,
// so that it reaches the local ESA unmodified: connections to ESA's hosts, and to
// the local storage that ESA's answers name, go to the local ESA's HTTPS. PEER_TLS is its HOST:PORT.
'use strict';
const net = require('node:net');
const dns = require('node:dns');

const [host, port] = process.env.PEER_TLS.split(':');
const ours = (name) => /^(esa|openplatform)\.([a-z0-9-]+\.)?aliyuncs\.com$|\.oss\.localhost$/.test(name || '');

const lookup = dns.lookup;
dns.lookup = function (name, options, callback) {
  return lookup.call(dns, ours(name) ? host : name, options, callback);
};

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (options && typeof options === 'object' && ours(options.host)) {
    Object.assign(options, { host, port: Number(port) }); // the name in the TLS handshake stays
  }
  return connect.apply(this, args);
};
