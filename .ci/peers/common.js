// What the checks share: where the local ESA is, and how a step is told.
'use strict';
const path = require('node:path');

// info is the line that `esa-mcp local` printed.
exports.info = JSON.parse(process.env.PEER_INFO);
// modules is where the peers are installed.
exports.modules = path.join(process.env.PEER_HOME, 'node_modules');

exports.step = async function step(what, run) {
  try {
    const result = await run();
    console.log(`ok   ${what}`);
    return result;
  } catch (error) {
    console.error(`FAIL ${what}`);
    throw error;
  }
};

// page gets an address of the local edge by its HTTPS.
exports.page = function page(host, path) {
  const edge = new URL(exports.info.edge_tls);
  return new Promise((resolve, reject) => {
    require('node:https').get({
      host: edge.hostname, port: edge.port, path, servername: host, headers: { host },
      ca: require('node:fs').readFileSync(exports.info.ca_file),
    }, (res) => {
      let body = '';
      res.on('data', (chunk) => { body += chunk; });
      res.on('end', () => resolve({ status: res.statusCode, body }));
    }).on('error', reject);
  });
};
