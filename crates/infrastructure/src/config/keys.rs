//! The signing keys of an installation.

use std::path::Path;

use comanda_security::codes::CodeKeys;
use comanda_security::cursor::CursorKeys;
use comanda_security::jwt::TokenKeys;
use comanda_security::keys::{KeyList, KeyListError, MasterKeys, NamedKey};
use comanda_security::refresh::RefreshKeys;

use super::reader::Reader;
use super::settings::{API_KEY_PEPPERS, MASTER_KEYS, Setting, TABLE_CODE_KEYS, TOKEN_KEYS};
use super::{Environment, GeneratedKeys};

const HINT: &str = "write id:key, where the key is the output of `openssl rand -base64 32`";

/// Everything that signs.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Access tokens.
    pub tokens: TokenKeys,
    /// Printed codes.
    pub codes: CodeKeys,
    /// Cursors of lists.
    pub cursors: CursorKeys,
    /// Successors of refresh tokens.
    pub refresh: RefreshKeys,
    /// What sealed secrets are opened with.
    pub master: MasterKeys,
    /// What the secrets of API keys are kept under.
    pub peppers: KeyList,
}

impl Keys {
    /// From the lists of keys.
    ///
    /// # Errors
    /// [`KeyListError`] for token keys that are no seeds, or code keys whose ids are no numbers.
    pub fn new(
        tokens: &KeyList,
        master: KeyList,
        codes: &KeyList,
        peppers: KeyList,
    ) -> Result<Self, KeyListError> {
        let master = MasterKeys::new(master);
        Ok(Self {
            tokens: TokenKeys::new(tokens)?,
            codes: CodeKeys::new(codes)?,
            cursors: CursorKeys::new(&master),
            refresh: RefreshKeys::new(&master),
            master,
            peppers,
        })
    }
}

/// Reads the keys; in development and test, those that are missing come from the data folder.
pub(super) fn read(
    reader: &mut Reader<'_>,
    environment: Option<Environment>,
    data_dir: Option<&Path>,
) -> Option<Keys> {
    let settings = [TOKEN_KEYS, MASTER_KEYS, TABLE_CODE_KEYS, API_KEY_PEPPERS];
    let guarded = environment.is_none_or(Environment::is_guarded);
    let incomplete = settings.iter().any(|setting| !reader.is_given(setting));
    let generated = if incomplete && !guarded {
        generated(reader, data_dir?)
    } else {
        None
    };
    let [tokens, master, codes, peppers] =
        settings.map(|setting| list(reader, &setting, environment, generated.as_ref()));
    if guarded {
        let lists = [
            (TOKEN_KEYS, &tokens),
            (MASTER_KEYS, &master),
            (TABLE_CODE_KEYS, &codes),
            (API_KEY_PEPPERS, &peppers),
        ];
        judge(reader, &lists);
    }
    let tokens = checked(reader, &TOKEN_KEYS, tokens, |keys| TokenKeys::new(keys).map(drop));
    let codes = checked(reader, &TABLE_CODE_KEYS, codes, |keys| {
        CodeKeys::new(keys).map(drop)
    });
    Keys::new(&tokens?, master?, &codes?, peppers?).ok()
}

fn generated(reader: &mut Reader<'_>, data_dir: &Path) -> Option<GeneratedKeys> {
    match reader.files.generated(data_dir) {
        Ok(keys) => Some(keys),
        Err(error) => {
            reader.problem(
                &super::settings::DATA_DIR,
                &format!("cannot hold the generated keys ({error})"),
                "make the folder writable, set another, or set the keys",
            );
            None
        }
    }
}

fn list(
    reader: &mut Reader<'_>,
    setting: &Setting,
    environment: Option<Environment>,
    generated: Option<&GeneratedKeys>,
) -> Option<KeyList> {
    let text = reader.text(setting);
    // Without an environment there is a problem already, and no telling whether a key would be generated.
    if text.is_none() && environment.is_some_and(Environment::is_guarded) {
        reader.missing(setting, HINT);
    }
    let text = text.or_else(|| {
        generated
            .filter(|_| !reader.is_given(setting))?
            .get(setting.name)
            .cloned()
    })?;
    match KeyList::parse(&text) {
        Ok(keys) => Some(keys),
        Err(error) => {
            reader.problem(setting, &format!("is not usable ({error})"), HINT);
            None
        }
    }
}

fn checked(
    reader: &mut Reader<'_>,
    setting: &Setting,
    keys: Option<KeyList>,
    check: impl Fn(&KeyList) -> Result<(), KeyListError>,
) -> Option<KeyList> {
    let keys = keys?;
    match check(&keys) {
        Ok(()) => Some(keys),
        Err(error) => {
            reader.problem(setting, &format!("is not usable ({error})"), HINT);
            None
        }
    }
}

/// No key may be guessable, published, or serve two purposes.
fn judge(reader: &mut Reader<'_>, lists: &[(Setting, &Option<KeyList>)]) {
    let mut seen: Vec<(Setting, NamedKey)> = Vec::new();
    for (setting, keys) in lists {
        for key in keys.iter().flat_map(KeyList::iter) {
            if let Some(weakness) = key.weakness() {
                reader.problem(setting, &format!("has a key {} that {weakness}", key.id()), HINT);
            }
            if let Some((other, same)) = seen.iter().find(|(_, known)| known.same_secret(key)) {
                let fault = format!("has a key {} equal to {} of {}", key.id(), same.id(), other.name);
                reader.problem(setting, &fault, "give each purpose a key of its own");
            }
            seen.push((*setting, key.clone()));
        }
    }
}
