// Signs requests to Comanda and verifies its webhooks, with nothing but Node's standard library.
//
// Run with the path of signing-vectors.json, it recomputes every vector and prints what it found, one JSON line each.

import { createHash, createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const UNESCAPED = /[A-Za-z0-9\-._~]/;

function respell(text) {
  const raw = Buffer.from(text);
  let out = "";
  for (let at = 0; at < raw.length; at += 1) {
    let byte = raw[at];
    if (byte === 0x25) {
      const digits = raw.toString("latin1", at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) throw new Error("the query has an invalid escape");
      byte = parseInt(digits, 16);
      at += 2;
    }
    const letter = String.fromCharCode(byte);
    out += UNESCAPED.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

export function canonicalQuery(query) {
  const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
  return query
    .split("&")
    .filter((piece) => piece !== "")
    .map((piece) => piece.split(/=(.*)/s))
    .map(([name, value = ""]) => [respell(name), respell(value)])
    .sort(([name, value], [other, its]) => order(name, other) || order(value, its))
    .map((pair) => pair.join("="))
    .join("&");
}

export function canonicalForm({ method, path, query, body, timestamp, nonce, keyId }) {
  const digest = createHash("sha256").update(body).digest("hex");
  const fields = ["comanda-request-signature", "1", method.toUpperCase(), path, canonicalQuery(query), digest,
    String(timestamp), nonce, keyId];
  return Buffer.concat(fields.map((text) => Buffer.from(text)).flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return [length, field];
  }));
}

export function sign(secret, request) {
  const key = Buffer.from(secret.replace(/^cmds_/, ""), "base64url");
  return {
    "X-Key-Id": request.keyId,
    "X-Timestamp": String(request.timestamp),
    "X-Nonce": request.nonce,
    "X-Signature-Version": "1",
    "X-Signature": createHmac("sha256", key).update(canonicalForm(request)).digest("hex"),
  };
}

function isEqual(one, other) {
  return one.length === other.length && timingSafeEqual(one, other);
}

// A public key of Ed25519 is these bytes and then its own 32.
const ED25519 = Buffer.from("302a300506032b6570032100", "hex");

/** Whether one of the signatures was made with one of the keys, and in time. */
export function verifyWebhook(keys, { id, timestamp, signatures, body }, now, tolerance = 300) {
  if (id === "" || id.includes(".") || !/^[0-9]+$/.test(timestamp)) return false;
  if (Math.abs(now - Number(timestamp)) > tolerance) return false;
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  return signatures.split(" ").some((text) => {
    const [version, encoded = ""] = text.split(",");
    const given = Buffer.from(encoded, "base64");
    return keys.some((key) => {
      const [prefix, secret] = key.split("_");
      const bytes = Buffer.from(secret, "base64");
      if (prefix === "whsec" && version === "v1") {
        return isEqual(createHmac("sha256", bytes).update(content).digest(), given);
      }
      if (prefix === "whpk" && version === "v1a") {
        const owner = createPublicKey({ key: Buffer.concat([ED25519, bytes]), format: "der", type: "spki" });
        return verify(null, content, owner, given);
      }
      return false;
    });
  });
}

function checkRequest(vector) {
  const request = { ...vector, keyId: vector.key_id, body: Buffer.from(vector.body, "base64") };
  const given = Buffer.from(vector.signature);
  const accepted = vector.secrets.some((secret) =>
    isEqual(Buffer.from(sign(secret, request)["X-Signature"]), given));
  return { canonical: canonicalForm(request).toString("hex"), accepted };
}

function checkWebhook(vector) {
  const message = { ...vector, body: Buffer.from(vector.body, "base64") };
  return { accepted: verifyWebhook(vector.keys, message, vector.now) };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const vectors = JSON.parse(readFileSync(process.argv[2], "utf8"));
  for (const [kind, check] of [["requests", checkRequest], ["webhooks", checkWebhook]]) {
    for (const vector of vectors[kind]) console.log(JSON.stringify({ name: vector.name, ...check(vector) }));
  }
}
