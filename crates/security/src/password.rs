//! Passwords: Argon2id in PHC strings, and which passwords are accepted.
//!
//! Hashing takes tens of milliseconds and much memory on purpose; callers run it on a blocking pool behind a
//! limit. The password of an unknown user is verified against a dummy, so that it costs the same.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization;

use crate::entropy::{Entropy, EntropyError, fresh};

/// Fewest characters of a password.
pub const PASSWORD_MIN: usize = 10;
/// Most characters of a password.
pub const PASSWORD_MAX: usize = 128;

const SALT_LEN: usize = 16;

/// How dear a guess is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PasswordParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PasswordParams {
    /// 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        }
    }
}

/// Why a hasher cannot be made or a password not be hashed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasswordError {
    /// Argon2 does not accept these parameters.
    #[error("the password parameters are out of range")]
    BadParams,
    /// The memory was not to be had, or the like.
    #[error("hashing failed")]
    Hashing,
    /// There is no randomness for a salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The password was right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verified {
    /// The stored hash was made with other parameters and should be replaced now.
    pub needs_rehash: bool,
}

/// Why a password was refused. For logs; clients learn nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Refused {
    /// There is nobody to compare with.
    #[error("unknown_user")]
    UnknownUser,
    /// Not this password.
    #[error("wrong_password")]
    WrongPassword,
    /// The stored hash cannot be read.
    #[error("unreadable_hash")]
    UnreadableHash,
}

/// Hashes and verifies with the parameters of this installation.
#[derive(Clone)]
pub struct PasswordHasher {
    params: Params,
    dummy: String,
}

impl PasswordHasher {
    /// Takes the parameters and computes the dummy, which costs one hash.
    ///
    /// # Errors
    /// [`PasswordError`] for parameters out of range, or without randomness.
    pub fn new(params: PasswordParams, entropy: &dyn Entropy) -> Result<Self, PasswordError> {
        let params = Params::new(params.memory_kib, params.passes, params.lanes, None)
            .map_err(|_| PasswordError::BadParams)?;
        let mut hasher = Self {
            params,
            dummy: String::new(),
        };
        // Nobody can type it: it is random, and forgotten here.
        let unknown = fresh::<32>(entropy)?;
        hasher.dummy = hasher.hash_bytes(&unknown, entropy)?;
        Ok(hasher)
    }

    /// The PHC string of a password with a fresh salt.
    ///
    /// # Errors
    /// [`PasswordError::Entropy`] without randomness, [`PasswordError::Hashing`] without memory.
    pub fn hash(&self, password: &str, entropy: &dyn Entropy) -> Result<String, PasswordError> {
        self.hash_bytes(normalised(password).as_bytes(), entropy)
    }

    /// Compares a password with the stored PHC string; with none, with the dummy.
    ///
    /// # Errors
    /// [`Refused`], after the same work, whatever the reason.
    pub fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verified, Refused> {
        let (hash, refused) = match stored {
            None => (self.dummy.as_str(), Refused::UnknownUser),
            Some(stored) if !is_complete(stored) => (self.dummy.as_str(), Refused::UnreadableHash),
            Some(stored) => (stored, Refused::WrongPassword),
        };
        let password = normalised(password);
        let right = self.argon2().verify_password(password.as_bytes(), hash).is_ok();
        if right && refused == Refused::WrongPassword {
            Ok(Verified {
                needs_rehash: self.needs_rehash(hash),
            })
        } else {
            Err(refused)
        }
    }

    /// Whether a stored PHC string was made with other parameters than those of now.
    pub fn needs_rehash(&self, stored: &str) -> bool {
        let Ok(hash) = PasswordHash::new(stored) else {
            return true;
        };
        let same = hash.algorithm == Algorithm::Argon2id.ident()
            && hash.version == Some(Version::V0x13.into())
            && Params::try_from(&hash).is_ok_and(|params| {
                (params.m_cost(), params.t_cost(), params.p_cost())
                    == (self.params.m_cost(), self.params.t_cost(), self.params.p_cost())
            });
        !same
    }

    fn hash_bytes(&self, password: &[u8], entropy: &dyn Entropy) -> Result<String, PasswordError> {
        let salt = fresh::<SALT_LEN>(entropy)?;
        self.argon2()
            .hash_password_with_salt(password, &salt)
            .map(|hash| hash.to_string())
            .map_err(|_| PasswordError::Hashing)
    }

    fn argon2(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
    }
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHasher")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

/// Whether a PHC string has all that verifying needs.
fn is_complete(stored: &str) -> bool {
    PasswordHash::new(stored)
        .is_ok_and(|hash| hash.salt.is_some() && hash.hash.is_some() && Params::try_from(&hash).is_ok())
}

/// NFKC, so that the same password typed on another keyboard is the same.
fn normalised(password: &str) -> String {
    password.nfkc().collect()
}

/// Why a password may not be chosen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum PolicyError {
    /// Fewer than [`PASSWORD_MIN`] characters.
    #[error("at least {PASSWORD_MIN} characters are needed")]
    TooShort,
    /// More than [`PASSWORD_MAX`] characters.
    #[error("at most {PASSWORD_MAX} characters are allowed")]
    TooLong,
    /// Among the first that anyone would try.
    #[error("this password is too common")]
    TooCommon,
    /// The user's own e-mail address, or the part before the `@`.
    #[error("the password must not be the e-mail address")]
    OwnEmail,
}

/// Whether a user with this e-mail may choose this password. There are no rules of composition.
///
/// # Errors
/// [`PolicyError`] tells the first rule that is broken.
pub fn check_policy(password: &str, email: &str) -> Result<(), PolicyError> {
    let password = normalised(password);
    let length = password.chars().count();
    if length < PASSWORD_MIN {
        return Err(PolicyError::TooShort);
    }
    if length > PASSWORD_MAX {
        return Err(PolicyError::TooLong);
    }
    let folded = password.to_lowercase();
    let email = normalised(email).to_lowercase();
    let local = email.split('@').next();
    if folded == email || Some(folded.as_str()) == local {
        return Err(PolicyError::OwnEmail);
    }
    if COMMON.lines().any(|common| common == folded) || is_one_character(&folded) {
        return Err(PolicyError::TooCommon);
    }
    Ok(())
}

fn is_one_character(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    characters.all(|c| Some(c) == first)
}

/// Passwords of ten characters or more that guessers try first, in lower case, one a line.
const COMMON: &str = include_str!("common_passwords.txt");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use crate::entropy::testing::Dry;

    const CHEAP: PasswordParams = PasswordParams {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };
    const EMAIL: &str = "leonarda.ruiz@buensabor.demo";

    fn hasher(params: PasswordParams) -> PasswordHasher {
        PasswordHasher::new(params, &SystemEntropy::new()).unwrap()
    }

    #[test]
    fn the_right_password_is_verified_and_others_are_not() {
        let hasher = hasher(CHEAP);
        let stored = hasher.hash("correct horse", &SystemEntropy::new()).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{stored}");
        assert_eq!(
            hasher.verify("correct horse", Some(&stored)),
            Ok(Verified { needs_rehash: false })
        );
        assert_eq!(
            hasher.verify("correct horsf", Some(&stored)),
            Err(Refused::WrongPassword)
        );
        assert_eq!(hasher.verify("", Some(&stored)), Err(Refused::WrongPassword));
        assert_ne!(
            hasher.hash("correct horse", &SystemEntropy::new()).unwrap(),
            stored
        );
    }

    #[test]
    fn nobody_and_nonsense_are_refused_like_a_wrong_password() {
        let hasher = hasher(CHEAP);
        assert_eq!(hasher.verify("correct horse", None), Err(Refused::UnknownUser));
        for nonsense in ["", "$", "plain text", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ"] {
            let verdict = hasher.verify("correct horse", Some(nonsense));
            assert_eq!(verdict, Err(Refused::UnreadableHash), "{nonsense}");
        }
    }

    #[test]
    fn the_spelling_of_a_password_does_not_matter() {
        let hasher = hasher(CHEAP);
        let stored = hasher
            .hash("ma\u{f1}ana \u{fb01}n \u{2460}", &SystemEntropy::new())
            .unwrap();
        assert!(hasher.verify("man\u{303}ana fin 1", Some(&stored)).is_ok());
    }

    #[test]
    fn other_parameters_ask_for_a_new_hash() {
        let stored = hasher(CHEAP)
            .hash("correct horse", &SystemEntropy::new())
            .unwrap();
        for params in [
            PasswordParams {
                memory_kib: 16,
                ..CHEAP
            },
            PasswordParams { passes: 2, ..CHEAP },
            PasswordParams {
                memory_kib: 16,
                lanes: 2,
                ..CHEAP
            },
        ] {
            let now = hasher(params);
            assert_eq!(
                now.verify("correct horse", Some(&stored)),
                Ok(Verified { needs_rehash: true })
            );
        }
        let now = hasher(CHEAP);
        assert!(now.needs_rehash(&stored.replace("argon2id", "argon2i")));
        assert!(now.needs_rehash(&stored.replace("v=19", "v=16")));
        assert!(now.needs_rehash("nonsense"));
        assert!(!now.needs_rehash(&stored));
    }

    #[test]
    fn the_defaults_are_the_specified_ones() {
        let hasher = hasher(PasswordParams::default());
        assert!(
            hasher.dummy.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hasher.dummy
        );
        assert!(!format!("{hasher:?}").contains("argon2id"));
    }

    #[test]
    fn what_cannot_work_is_an_error() {
        let bad = PasswordParams {
            memory_kib: 1,
            ..CHEAP
        };
        let make = |params, entropy: &dyn Entropy| PasswordHasher::new(params, entropy).unwrap_err();
        assert_eq!(make(bad, &SystemEntropy::new()), PasswordError::BadParams);
        assert_eq!(make(CHEAP, &Dry), PasswordError::Entropy(EntropyError));
        assert_eq!(
            hasher(CHEAP).hash("x", &Dry),
            Err(PasswordError::Entropy(EntropyError))
        );
    }

    #[test]
    fn the_policy_counts_characters() {
        assert_eq!(check_policy("ninechars", EMAIL), Err(PolicyError::TooShort));
        assert_eq!(check_policy("ten chars!", EMAIL), Ok(()));
        assert_eq!(check_policy("\u{f1}and\u{fa} \u{1f600} ok", EMAIL), Ok(()));
        assert_eq!(check_policy(&"xy".repeat(64), EMAIL), Ok(()));
        assert_eq!(
            check_policy(&format!("{}z", "xy".repeat(64)), EMAIL),
            Err(PolicyError::TooLong)
        );
        // Ten code points that are nine characters once composed.
        assert_eq!(check_policy("n\u{303}ineword", EMAIL), Err(PolicyError::TooShort));
    }

    #[test]
    fn the_policy_refuses_what_would_be_guessed_first() {
        for password in [
            "1234567890",
            "Password123",
            "QWERTYUIOP",
            "zzzzzzzzzzzz",
            "contrasen\u{303}a",
        ] {
            assert_eq!(
                check_policy(password, EMAIL),
                Err(PolicyError::TooCommon),
                "{password}"
            );
        }
        for password in [
            "leonarda.ruiz@buensabor.demo",
            "Leonarda.Ruiz",
            "\u{ff4c}eonarda.ruiz",
        ] {
            assert_eq!(
                check_policy(password, EMAIL),
                Err(PolicyError::OwnEmail),
                "{password}"
            );
        }
        for demo in ["comanda-demo-manager", "comanda-demo-owner"] {
            assert_eq!(check_policy(demo, EMAIL), Ok(()));
        }
    }

    #[test]
    fn the_list_of_common_passwords_holds_only_what_could_match() {
        for common in COMMON.lines() {
            assert_eq!(normalised(common).to_lowercase(), common);
            assert!(common.chars().count() >= PASSWORD_MIN, "{common}");
        }
    }
}
