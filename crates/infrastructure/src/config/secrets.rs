//! Keys of development and test: made once per data folder, shared by all its processes.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use comanda_security::entropy::{Entropy, EntropyError};
use comanda_security::keys::generate_key_list;
use secrecy::{ExposeSecret, SecretString};

use super::settings::{API_KEY_PEPPERS, MASTER_KEYS, TABLE_CODE_KEYS, TOKEN_KEYS};

/// The settings that are generated when nobody gives them.
pub const GENERATED: [&str; 4] = [
    TOKEN_KEYS.name,
    MASTER_KEYS.name,
    TABLE_CODE_KEYS.name,
    API_KEY_PEPPERS.name,
];

const FILE: &str = "secrets.toml";
const HEAD: &str =
    "# Generated keys of this data folder. Deleting them makes every token and printed code useless.\n";

/// Values of settings by their names.
pub type GeneratedKeys = BTreeMap<String, SecretString>;

/// Why the generated keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What it answered.
        source: io::Error,
    },
    /// The file is not what we wrote. It is never overwritten: what it held may still be in use.
    #[error("{0} is damaged; mend or remove it")]
    Damaged(PathBuf),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

trait At<T> {
    fn at(self, path: &Path) -> Result<T, SecretsError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, SecretsError> {
        self.map_err(|source| SecretsError::Io {
            path: path.to_owned(),
            source,
        })
    }
}

/// The keys in `<data_dir>/secrets.toml`; those that are not there yet are made and written.
///
/// A lock keeps processes that start at once from making different ones, and a rename puts the file there whole or
/// not at all.
///
/// # Errors
/// [`SecretsError`].
pub fn generated_keys(data_dir: &Path, entropy: &dyn Entropy) -> Result<GeneratedKeys, SecretsError> {
    // Whoever runs the embedded cluster must pass through the folder; the file itself is closed.
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(data_dir)
        .at(data_dir)?;
    let lock_path = data_dir.join("secrets.lock");
    let lock = private(OpenOptions::new().create(true).truncate(false), &lock_path)?;
    lock.lock().at(&lock_path)?;
    let path = data_dir.join(FILE);
    let mut keys = read(&path)?;
    let known = keys.len();
    for name in GENERATED {
        if !keys.contains_key(name) {
            keys.insert(name.to_owned(), generate_key_list("1", entropy)?);
        }
    }
    if keys.len() > known {
        write(data_dir, &path, &keys)?;
    }
    Ok(keys)
}

fn private(options: &mut OpenOptions, path: &Path) -> Result<File, SecretsError> {
    options.write(true).mode(0o600).open(path).at(path)
}

fn read(path: &Path) -> Result<GeneratedKeys, SecretsError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(GeneratedKeys::new()),
        read => read.at(path)?,
    };
    // A parser's complaint would quote the file.
    toml::from_str(&text).map_err(|_| SecretsError::Damaged(path.to_owned()))
}

fn write(data_dir: &Path, path: &Path, keys: &GeneratedKeys) -> Result<(), SecretsError> {
    let exposed: BTreeMap<&str, &str> = keys
        .iter()
        .map(|(name, key)| (name.as_str(), key.expose_secret()))
        .collect();
    let text = toml::to_string(&exposed).map_err(|_| SecretsError::Damaged(path.to_owned()))?;
    let draft = path.with_extension("toml.new");
    let mut file = private(OpenOptions::new().create(true).truncate(true), &draft)?;
    file.write_all(format!("{HEAD}{text}").as_bytes())
        .and_then(|()| file.sync_all())
        .at(&draft)?;
    fs::rename(&draft, path).at(path)?;
    File::open(data_dir)
        .and_then(|folder| folder.sync_all())
        .at(data_dir)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use comanda_security::SystemEntropy;

    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("comanda-secrets-{name}-{}", std::process::id())))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn texts(keys: &GeneratedKeys) -> Vec<(String, String)> {
        keys.iter()
            .map(|(name, key)| (name.clone(), key.expose_secret().to_owned()))
            .collect()
    }

    #[test]
    fn keys_are_made_once_and_closed_to_others() {
        let dir = Scratch::new("once");
        let first = generated_keys(&dir.0.join("deep"), &SystemEntropy::new()).unwrap();
        let again = generated_keys(&dir.0.join("deep"), &SystemEntropy::new()).unwrap();
        assert_eq!(texts(&first), texts(&again));
        assert_eq!(first.len(), GENERATED.len());
        let mode = fs::metadata(dir.0.join("deep").join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn whoever_starts_at_once_gets_the_same() {
        let dir = Scratch::new("race");
        let all: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| texts(&generated_keys(&dir.0, &SystemEntropy::new()).unwrap())))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|keys| *keys == all[0]));
    }

    #[test]
    fn a_missing_key_is_added_and_a_damaged_file_kept() {
        let dir = Scratch::new("add");
        fs::create_dir_all(&dir.0).unwrap();
        let path = dir.0.join(FILE);
        fs::write(&path, "COMANDA_MASTER_KEYS = \"mine\"\n").unwrap();
        let keys = generated_keys(&dir.0, &SystemEntropy::new()).unwrap();
        assert_eq!(keys["COMANDA_MASTER_KEYS"].expose_secret(), "mine");
        assert_eq!(keys.len(), GENERATED.len());
        fs::write(&path, "half a fi").unwrap();
        let error = generated_keys(&dir.0, &SystemEntropy::new()).unwrap_err();
        assert!(matches!(error, SecretsError::Damaged(_)));
        assert_eq!(fs::read_to_string(&path).unwrap(), "half a fi");
    }
}
