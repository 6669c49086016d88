"""Signs requests to Comanda and verifies its webhooks, with nothing but the standard library.

Run with the path of signing-vectors.json, it recomputes every vector and prints what it found, one JSON line each.
"""

import base64
import hashlib
import hmac
import json
import re
import struct
import sys

_KEPT = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def _respell(text):
    raw, out, at = text.encode(), "", 0
    while at < len(raw):
        byte, at = raw[at], at + 1
        if byte == ord("%"):
            digits = raw[at : at + 2].decode("latin-1")
            if not re.fullmatch("[0-9A-Fa-f]{2}", digits):
                raise ValueError("the query has an invalid escape")
            byte, at = int(digits, 16), at + 2
        out += chr(byte) if byte in _KEPT else "%%%02X" % byte
    return out


def canonical_query(query):
    pairs = [piece.partition("=") for piece in query.split("&") if piece]
    return "&".join("=".join(pair) for pair in sorted((_respell(name), _respell(value)) for name, _, value in pairs))


def canonical_form(method, path, query, body, timestamp, nonce, key_id):
    fields = ["comanda-request-signature", "1", method.upper(), path, canonical_query(query),
              hashlib.sha256(body).hexdigest(), str(timestamp), nonce, key_id]
    return b"".join(struct.pack(">I", len(field)) + field for field in (text.encode() for text in fields))


def sign(secret, method, path, query, body, timestamp, nonce, key_id):
    key = base64.urlsafe_b64decode(secret.removeprefix("cmds_") + "=")
    canonical = canonical_form(method, path, query, body, timestamp, nonce, key_id)
    return {
        "X-Key-Id": key_id,
        "X-Timestamp": str(timestamp),
        "X-Nonce": nonce,
        "X-Signature-Version": "1",
        "X-Signature": hmac.new(key, canonical, hashlib.sha256).hexdigest(),
    }


def verify_webhook(keys, message_id, timestamp, signatures, body, now, tolerance=300):
    """Whether one of the signatures was made with one of the keys, and in time."""
    if not message_id or "." in message_id or not re.fullmatch("[0-9]+", timestamp):
        return False
    if abs(now - int(timestamp)) > tolerance:
        return False
    content = b".".join([message_id.encode(), timestamp.encode(), body])
    for given in signatures.split(" "):
        version, _, encoded = given.partition(",")
        try:
            given = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        for key in keys:
            prefix, _, encoded = key.partition("_")
            key = base64.b64decode(encoded)
            if (prefix, version) == ("whsec", "v1"):
                if hmac.compare_digest(hmac.new(key, content, hashlib.sha256).digest(), given):
                    return True
            elif (prefix, version) == ("whpk", "v1a") and _ed25519_verifies(key, content, given):
                return True
    return False


# Ed25519 (RFC 8032), which the standard library lacks: points as x, y of the curve -x² + y² = 1 + dx²y².
_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P


def _add(one, other):
    (x, y), (u, v) = one, other
    product = _D * x * y * u * v % _P
    return (
        (x * v + y * u) * pow(1 + product, -1, _P) % _P,
        (y * v + x * u) * pow(1 - product, -1, _P) % _P,
    )


def _times(number, point):
    result = (0, 1)
    while number:
        if number & 1:
            result = _add(result, point)
        point, number = _add(point, point), number >> 1
    return result


def _point(encoded):
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if y >= _P or (x * x - square) % _P or (x == 0 and sign):
        return None
    return (_P - x if x & 1 != sign else x, y)


_BASE = _point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


def _ed25519_verifies(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    owner, commitment = _point(public), _point(signature[:32])
    factor = int.from_bytes(signature[32:], "little")
    if owner is None or commitment is None or factor >= _L:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % _L
    return _times(factor, _BASE) == _add(commitment, _times(challenge, owner))


def _request(vector):
    body = base64.b64decode(vector["body"])
    given = [vector[name] for name in ("method", "path", "query")] + [body]
    given += [vector[name] for name in ("timestamp", "nonce", "key_id")]
    accepted = False
    canonical = canonical_form(*given)
    for secret in vector["secrets"]:
        signed = sign(secret, *given)["X-Signature"]
        accepted = accepted or hmac.compare_digest(signed, vector["signature"])
    return {"canonical": canonical.hex(), "accepted": accepted}


def _webhook(vector):
    body = base64.b64decode(vector["body"])
    given = [vector[name] for name in ("keys", "id", "timestamp", "signatures")]
    return {"accepted": verify_webhook(*given, body, vector["now"])}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        vectors = json.load(file)
    for kind, check in (("requests", _request), ("webhooks", _webhook)):
        for vector in vectors[kind]:
            print(json.dumps({"name": vector["name"], **check(vector)}))
