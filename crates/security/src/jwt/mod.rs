//! Compact signed tokens (JWS, RFC 7515 and 8037) with Ed25519, and their keys.
//!
//! The algorithm follows from the key that `kid` names. What the header says of it must agree, and is otherwise
//! not consulted: there is nothing to downgrade.

mod proven;

use std::fmt;
use std::sync::Arc;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::proven::Proven;
use crate::encoding::{Unwritable, base64url, from_base64url, from_base64url_exact};
use crate::keys::{KEY_LEN, KeyList, KeyListError, NamedKey};

const ALGORITHM: &str = "EdDSA";
const TYPE: &str = "at+jwt";
const SIGNATURE_LEN: usize = 64;
/// Longest token that is looked at, in characters; a request's headers have 16 KiB in all.
pub const TOKEN_MAX: usize = 12 * 1024;

/// Why a token is no token of ours. For logs and metrics; clients learn only that it is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum InvalidToken {
    /// Not three parts of base64url with a header such as ours.
    #[error("malformed")]
    Malformed,
    /// Signed with another algorithm than the key's.
    #[error("wrong_algorithm")]
    WrongAlgorithm,
    /// No key has this id.
    #[error("unknown_key")]
    UnknownKey,
    /// The signature is wrong.
    #[error("bad_signature")]
    BadSignature,
    /// Issued under another public address.
    #[error("wrong_issuer")]
    WrongIssuer,
    /// The claims are not those of its audience.
    #[error("bad_claims")]
    BadClaims,
}

/// The keys of tokens: the first signs, all verify. Cheap to clone.
#[derive(Clone)]
pub struct TokenKeys(Arc<Keys>);

struct Keys {
    current: TokenKey,
    older: Vec<TokenKey>,
    proven: Proven,
}

struct TokenKey {
    kid: String,
    header: String,
    pair: Ed25519KeyPair,
    public: UnparsedPublicKey<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

impl TokenKeys {
    /// Takes keys that are Ed25519 seeds.
    ///
    /// # Errors
    /// [`KeyListError::BadSeed`] for a key of another length than [`KEY_LEN`].
    pub fn new(keys: &KeyList) -> Result<Self, KeyListError> {
        let mut read = keys
            .iter()
            .map(TokenKey::new)
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        Ok(Self(Arc::new(Keys {
            current: read.next().ok_or(KeyListError::Empty)?,
            older: read.collect(),
            proven: Proven::new(),
        })))
    }

    /// Signs a payload with the current key.
    pub(crate) fn sign(&self, payload: &impl Serialize) -> Result<SecretString, Unwritable> {
        let key = &self.0.current;
        let payload = serde_json::to_vec(payload).map_err(|_| Unwritable)?;
        let mut token = format!("{}.{}", key.header, base64url(payload));
        let signature = key.pair.sign(token.as_bytes());
        token.push('.');
        token.push_str(&base64url(signature));
        Ok(token.into())
    }

    /// The payload of a token that one of these keys signed.
    pub(crate) fn verify(&self, token: &str) -> Result<Vec<u8>, InvalidToken> {
        if token.len() > TOKEN_MAX {
            return Err(InvalidToken::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(InvalidToken::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(InvalidToken::Malformed)?;
        let key = self.key_of(header)?;
        let signature = from_base64url_exact::<SIGNATURE_LEN>(signature).ok_or(InvalidToken::Malformed)?;
        let verify = || key.public.verify(signed.as_bytes(), &signature);
        let proven = self.0.proven.or_else(token, verify);
        proven.map_err(|_| InvalidToken::BadSignature)?;
        from_base64url(payload).ok_or(InvalidToken::Malformed)
    }

    fn key_of(&self, header: &str) -> Result<&TokenKey, InvalidToken> {
        // Nearly every token bears a header that we wrote ourselves, and needs no parsing.
        if let Some(key) = self.iter().find(|key| key.header == header) {
            return Ok(key);
        }
        let header = from_base64url(header).ok_or(InvalidToken::Malformed)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| InvalidToken::Malformed)?;
        if header.alg != ALGORITHM {
            return Err(InvalidToken::WrongAlgorithm);
        }
        if header.typ != TYPE {
            return Err(InvalidToken::Malformed);
        }
        self.iter()
            .find(|key| key.kid == header.kid)
            .ok_or(InvalidToken::UnknownKey)
    }

    /// The public halves, as `/.well-known/jwks.json` shows them (RFC 7517).
    pub fn jwks(&self) -> Value {
        let keys: Vec<Value> = self.iter().map(TokenKey::jwk).collect();
        json!({ "keys": keys })
    }

    fn iter(&self) -> impl Iterator<Item = &TokenKey> {
        std::iter::once(&self.0.current).chain(&self.0.older)
    }
}

impl TokenKey {
    fn new(key: &NamedKey) -> Result<Self, KeyListError> {
        let bad = || KeyListError::BadSeed(key.id().to_owned());
        if key.secret().len() != KEY_LEN {
            return Err(bad());
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(key.secret()).map_err(|_| bad())?;
        let header = json!({ "alg": ALGORITHM, "typ": TYPE, "kid": key.id() });
        Ok(Self {
            kid: key.id().to_owned(),
            header: base64url(header.to_string()),
            public: UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref().to_vec()),
            pair,
        })
    }

    fn jwk(&self) -> Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": ALGORITHM,
            "kid": self.kid,
            "x": base64url(self.pair.public_key()),
        })
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|key| &key.kid)).finish()
    }
}

/// Whether an Ed25519 signature (RFC 8032) is good under a public key, for whoever holds only what the JWKS publishes.
pub fn verifies(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(message, signature)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::encoding::base64;
    use crate::keys::testing::list;

    fn keys(bytes: &[u8]) -> TokenKeys {
        TokenKeys::new(&list(bytes)).unwrap()
    }

    fn signed(keys: &TokenKeys) -> String {
        keys.sign(&json!({"a": 1})).unwrap().expose_secret().to_owned()
    }

    fn with_header(token: &str, header: &Value) -> String {
        let (_, rest) = token.split_once('.').unwrap();
        format!("{}.{rest}", base64url(header.to_string()))
    }

    /// A genuine signature over a header of the caller's choice.
    fn signed_with_header(keys: &TokenKeys, header: &str) -> String {
        let signed = format!("{}.{}", base64url(header), base64url("{}"));
        let signature = base64url(keys.0.current.pair.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    #[test]
    fn the_header_is_the_specified_one() {
        let token = signed(&keys(&[1]));
        let header = from_base64url(token.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header, json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "1"}));
    }

    #[test]
    fn rotation_keeps_older_tokens_good_until_their_key_goes() {
        let old = TokenKeys::new(&KeyList::parse(&format!("a:{}", base64([1; 32])).into()).unwrap()).unwrap();
        let text = format!("b:{},a:{}", base64([2; 32]), base64([1; 32]));
        let both = TokenKeys::new(&KeyList::parse(&text.into()).unwrap()).unwrap();
        let new = TokenKeys::new(&KeyList::parse(&format!("b:{}", base64([2; 32])).into()).unwrap()).unwrap();
        let token = signed(&old);
        assert!(both.verify(&token).is_ok());
        assert!(new.verify(&signed(&both)).is_ok());
        assert_eq!(new.verify(&token), Err(InvalidToken::UnknownKey));
    }

    #[test]
    fn the_header_chooses_no_algorithm() {
        let keys = keys(&[1]);
        let token = signed(&keys);
        for alg in ["none", "HS256", "eddsa", ""] {
            let forged = with_header(&token, &json!({"alg": alg, "typ": "at+jwt", "kid": "1"}));
            assert_eq!(keys.verify(&forged), Err(InvalidToken::WrongAlgorithm), "{alg}");
        }
        for header in [
            r#"{"alg":"EdDSA","typ":"JWT","kid":"1"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"1","crit":["exp"]}"#,
            r#"{"alg":"EdDSA","alg":"EdDSA","typ":"at+jwt","kid":"1"}"#,
        ] {
            let forged = signed_with_header(&keys, header);
            assert_eq!(keys.verify(&forged), Err(InvalidToken::Malformed), "{header}");
        }
        let reordered = signed_with_header(&keys, r#"{"typ":"at+jwt","kid":"1","alg":"EdDSA"}"#);
        assert_eq!(keys.verify(&reordered), Ok(b"{}".to_vec()));
    }

    #[test]
    fn a_key_of_the_same_name_is_not_enough() {
        assert_eq!(
            keys(&[2]).verify(&signed(&keys(&[1]))),
            Err(InvalidToken::BadSignature)
        );
    }

    #[test]
    fn other_shapes_are_malformed() {
        let keys = keys(&[1]);
        let token = signed(&keys);
        let (body, _) = token.rsplit_once('.').unwrap();
        let long = "a".repeat(TOKEN_MAX + 1);
        for text in [
            "",
            "..",
            "a.b",
            "a.b.c",
            body,
            &format!("{token}.x"),
            &format!("{token}="),
            &long,
        ] {
            assert_eq!(keys.verify(text), Err(InvalidToken::Malformed), "{text}");
        }
        assert_eq!(keys.verify(&format!("{body}.")), Err(InvalidToken::Malformed));
    }

    #[test]
    fn jwks_show_public_halves_only() {
        // The first test key of RFC 8032, section 7.1.
        let seed = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
        let keys = TokenKeys::new(&KeyList::parse(&format!("k:{seed}").into()).unwrap()).unwrap();
        assert_eq!(
            keys.jwks(),
            json!({"keys": [{
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "k",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            }]})
        );
        assert_eq!(format!("{keys:?}"), r#"["k"]"#);
    }

    #[test]
    fn seeds_have_one_length() {
        let text = format!("a:{}", base64([1; 33]));
        let error = TokenKeys::new(&KeyList::parse(&text.into()).unwrap()).unwrap_err();
        assert_eq!(error, KeyListError::BadSeed("a".into()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn no_character_can_be_changed(position: prop::sample::Index, with in "[A-Za-z0-9_.-]") {
            let keys = keys(&[1, 2]);
            let token = signed(&keys);
            let at = position.index(token.len());
            let mut changed = token.clone();
            changed.replace_range(at..=at, &with);
            prop_assume!(changed != token);
            prop_assert!(keys.verify(&changed).is_err());
        }

        #[test]
        fn garbage_is_refused_without_panic(text in "\\PC{0,40}\\.\\PC{0,40}\\.\\PC{0,90}") {
            prop_assert!(keys(&[1]).verify(&text).is_err());
        }
    }
}
