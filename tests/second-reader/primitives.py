"""Hashes, ciphers and the conventions of docs/format.md, sections 1 to 3. Calls no code of Kiez."""

import blake3
from nacl import bindings as sodium
from nacl.exceptions import CryptoError


class Refused(Exception):
    """What was read breaks a rule of the format."""


def require(holds, why):
    if not holds:
        raise Refused(why)


def hash32(data):
    return blake3.blake3(data).digest()


def keyed(key, data, length=32):
    return blake3.blake3(data, key=key).digest(length=length)


def derive(context, data):
    return blake3.blake3(data, derive_key_context=context).digest()


def verify(key, message, signature, why):
    """libsodium is strict as the format asks: no small order, no malleable s."""
    try:
        sodium.crypto_sign_open(signature + message, key)
    except (CryptoError, ValueError) as error:
        raise Refused(f"wrong signature: {why}") from error


def seal(key, nonce, aad, plain):
    return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, aad, nonce, key)


def unseal(key, nonce, aad, sealed, why):
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, aad, nonce, key)
    except (CryptoError, ValueError) as error:
        raise Refused(f"{why} does not open") from error


DOCUMENTS = ["group", "own", "vote", "proposal", "board", "meeting", "help", "strategy"]


def document_id(body):
    """Section 2. Gives its bytes and how it is written."""
    start = body.at
    kind = body.choice(8)
    who = body.take(0 if kind == 0 else 32 if kind < 3 else 16)
    name = DOCUMENTS[kind] + ("/" + who.hex() if who else "")
    return body.data[start : body.at], name


class GroupKey:
    """Section 3."""

    def __init__(self, key):
        require(len(key) == 32, "a group key has 32 bytes")
        self.bytes = key
        self.id = derive("kiez 1 group key id", key)
        self.payload = derive("kiez 1 payload key", key)
        self.nonce = derive("kiez 1 nonce key", key)
        self.session = derive("kiez 1 session key", key)
        self.bundle = derive("kiez 1 bundle key", key)


class Bytes:
    """Takes values from the front. All numbers in their shortest form."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        require(count <= len(self.data) - self.at, "cut off")
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self):
        return self.take(1)[0]

    def done(self):
        return self.at == len(self.data)

    def unsigned(self, bits=64):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                require(byte != 0 or shift == 7, "a number is not in its shortest form")
                require(value < 1 << bits, "a number is too large")
                return value
            require(shift < 70, "a number is too large")

    def signed(self):
        start = self.at
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
            require(shift < 70, "a number is too large")
        if byte & 64:
            value -= 1 << shift
        require(-(1 << 63) <= value < 1 << 63, "a number is too large")
        require(signed(value) == self.data[start : self.at], "a number is not in its shortest form")
        return value

    def blob(self):
        return self.take(self.unsigned())

    def text(self):
        try:
            return self.blob().decode()
        except UnicodeDecodeError as error:
            raise Refused("a text is not UTF-8") from error

    def flag(self):
        byte = self.byte()
        require(byte < 2, "neither yes nor no")
        return byte == 1

    def choice(self, variants):
        number = self.unsigned(32)
        require(number < variants, "an unknown variant")
        return number

    def list(self, item):
        count = self.unsigned()
        require(count <= len(self.data) - self.at, "cut off")
        return [item() for _ in range(count)]

    def set(self, item):
        values = self.list(item)
        require(all(a < b for a, b in zip(values, values[1:])), "a set is not ascending")
        return values

    def map(self, key, value):
        pairs = self.list(lambda: (key(), value()))
        keys = [k for k, _ in pairs]
        require(all(a < b for a, b in zip(keys, keys[1:])), "a map is not ascending")
        return dict(pairs)


def unsigned(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value):
    out = bytearray()
    while True:
        byte = value & 127
        value >>= 7
        if (value == 0 and not byte & 64) or (value == -1 and byte & 64):
            out.append(byte)
            return bytes(out)
        out.append(byte | 128)


def blob(data):
    return unsigned(len(data)) + data


def text(value):
    return blob(value.encode())
