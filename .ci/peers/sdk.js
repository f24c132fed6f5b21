// The official TypeScript SDK with endpoint, protocol and time-outs set, nothing else. What
// it uploads by itself goes to an address that it has built in, by HTTPS alone:
// see redirect.js.
'use strict';
const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { info, modules, step } = require('./common');
const esa = require(`${modules}/@alicloud/esa20240910`);
const { $OpenApiUtil } = require(`${modules}/@alicloud/openapi-core`);
const { RuntimeOptions } = require(`${modules}/@darabonba/typescript`);

// For machines that are busy: milliseconds.
const patience = { readTimeout: 60_000, connectTimeout: 60_000 };

async function main() {
  const host = new URL(info.endpoint).host;
  const client = new esa.default(new $OpenApiUtil.Config({
    accessKeyId: info.access_key_id, accessKeySecret: info.access_key_secret,
    endpoint: host, protocol: 'http', regionId: 'cn-hangzhou', ...patience,
  }));
  const uploader = new esa.default(new $OpenApiUtil.Config({
    accessKeyId: info.access_key_id, accessKeySecret: info.access_key_secret, endpoint: 'esa.cn-hangzhou.aliyuncs.com', regionId: 'cn-hangzhou', ...patience,
  }));
  const call = async (name, request, params) => (await client[name](new esa[request](params))).body;

  const instance = await step('plan instances', async () => {
    const body = await call('listUserRatePlanInstances', 'ListUserRatePlanInstancesRequest', {});
    return body.instanceInfo[0].instanceId;
  });
  const siteId = await step('a site', async () => {
    const made = await call('createSite', 'CreateSiteRequest', { siteName: 'sdk.example', accessType: 'NS', coverage: 'overseas', instanceId: instance });
    assert.equal((await call('verifySite', 'VerifySiteRequest', { siteId: made.siteId })).passed, true);
    const list = await call('listSites', 'ListSitesRequest', { siteName: 'sdk.example' });
    assert.equal(list.sites[0].status, 'active');
    return made.siteId;
  });
  await step('records', async () => {
    const made = await call('createRecord', 'CreateRecordRequest', {
      siteId, recordName: 'www.sdk.example', type: 'A/AAAA', ttl: 1, proxied: true, bizName: 'web',
      data: new esa.CreateRecordRequestData({ value: '203.0.113.1' }),
    });
    await call('updateRecord', 'UpdateRecordRequest', {
      recordId: made.recordId, type: 'A/AAAA', ttl: 1, proxied: true, bizName: 'web', data: new esa.UpdateRecordRequestData({ value: '203.0.113.2' }),
    });
    const list = await call('listRecords', 'ListRecordsRequest', { siteId });
    assert.equal(list.records[0].data.value, '203.0.113.2');
    await assert.rejects(call('createRecord', 'CreateRecordRequest', {
      siteId, recordName: 'www', type: 'TXT', ttl: 1, data: new esa.CreateRecordRequestData({ value: 'x' }),
    }), (error) => error.code === 'InvalidParameter.InvalidRecordNameSuffix');
  });
  await step('rules', async () => {
    const made = await call('createCacheRule', 'CreateCacheRuleRequest', {
      siteId, ruleName: 'static', rule: '(http.request.uri.path.extension in {"css" "js"})', ruleEnable: 'on',
      edgeCacheMode: 'override_origin', edgeCacheTtl: '3600',
    });
    const list = await call('listCacheRules', 'ListCacheRulesRequest', { siteId, configType: 'rule' });
    assert.equal(Number(list.configs[0].configId), Number(made.configId));
    await assert.rejects(call('createCacheRule', 'CreateCacheRuleRequest', { siteId, ruleName: 'bad', rule: '(http.host not in {"a"})', ruleEnable: 'on' }),
      (error) => error.code === 'CompileRuleError');
  });
  await step('a pool and a load balancer', async () => {
    const pool = await call('createOriginPool', 'CreateOriginPoolRequest', {
      siteId, name: 'pool', origins: [new esa.CreateOriginPoolRequestOrigins({ name: 'a', address: '203.0.113.9', weight: 50 })],
    });
    await call('createLoadBalancer', 'CreateLoadBalancerRequest', {
      siteId, name: 'lb.sdk.example', defaultPools: [pool.id], fallbackPool: pool.id, steeringPolicy: 'order',
      monitor: new esa.CreateLoadBalancerRequestMonitor({ type: 'HTTP', path: '/' }), regionPools: JSON.stringify({ ENAM: [pool.id] }),
    });
    await assert.rejects(call('deleteOriginPool', 'DeleteOriginPoolRequest', { siteId, id: pool.id }), (error) => error.code === 'DependedByOthers');
  });
  await step('key-value pairs', async () => {
    await call('createKvNamespace', 'CreateKvNamespaceRequest', { namespace: 'sdk', description: 'by the SDK' });
    await call('putKv', 'PutKvRequest', { namespace: 'sdk', key: 'k', value: 'v + 中文' });
    assert.equal((await call('getKv', 'GetKvRequest', { namespace: 'sdk', key: 'k' })).value, 'v + 中文');
    const batch = await call('batchPutKv', 'BatchPutKvRequest', { namespace: 'sdk', kvList: [new esa.BatchPutKvRequestKvList({ key: 'b', value: '2' })] });
    assert.deepEqual(batch.successKeys, ['b']);
  });
  await step('a file of key-value pairs', async () => {
    const file = JSON.stringify({ Namespace: 'sdk', KvList: [{ Key: 'from-file', Value: 'x'.repeat(3_000_000) }] });
    const answer = await uploader.batchPutKvWithHighCapacityAdvance(new esa.BatchPutKvWithHighCapacityAdvanceRequest({
      namespace: 'sdk', urlObject: Readable.from(Buffer.from(file)),
    }), new RuntimeOptions({}));
    assert.deepEqual(answer.body.successKeys, ['from-file']);
  });
  await step('a file of purges', async () => {
    const answer = await uploader.uploadFileAdvance(new esa.UploadFileAdvanceRequest({
      siteId, type: 'file', uploadTaskName: 'sdk', urlObject: Readable.from(Buffer.from('https://www.sdk.example/a\n')),
    }), new RuntimeOptions({}));
    assert.ok(answer.body.uploadId);
  });
  await step('a purge', async () => {
    const made = await call('purgeCaches', 'PurgeCachesRequest', { siteId, type: 'file', content: new esa.PurgeCachesRequestContent({ files: ['https://www.sdk.example/'] }) });
    assert.ok(made.taskId);
  });
  await step('tags', async () => {
    await call('tagResources', 'TagResourcesRequest', {
      regionId: 'cn-hangzhou', resourceType: 'site', resourceId: [String(siteId)], tag: [new esa.TagResourcesRequestTag({ key: 'env', value: 'test' })],
    });
    const list = await call('listTagResources', 'ListTagResourcesRequest', { regionId: 'cn-hangzhou', resourceType: 'site', resourceId: [String(siteId)] });
    assert.equal(list.tagResources[0].tagValue, 'test');
  });
  await step('a routine', async () => {
    await call('createRoutine', 'CreateRoutineRequest', { name: 'sdk-routine', description: 'by the SDK' });
    assert.equal((await call('getRoutine', 'GetRoutineRequest', { name: 'sdk-routine' })).hasAssets, false);
    const slot = await call('getRoutineStagingCodeUploadInfo', 'GetRoutineStagingCodeUploadInfoRequest', { name: 'sdk-routine' });
    assert.ok(slot.ossPostConfig.Url || slot.ossPostConfig.url);
    await call('deleteRoutine', 'DeleteRoutineRequest', { name: 'sdk-routine' });
  });
  await step('the end of the site', async () => {
    await call('deleteSite', 'DeleteSiteRequest', { siteId });
    await assert.rejects(call('getSite', 'GetSiteRequest', { siteId }), (error) => error.code === 'SiteNotFound');
  });
}

main().catch((error) => { console.error(error); process.exit(1); });
