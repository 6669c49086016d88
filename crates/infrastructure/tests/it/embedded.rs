//! The private cluster: its life, its death, and who may have it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use comanda_infrastructure::postgres::embedded::{
    EmbeddedError, EmbeddedOptions, EmbeddedPostgres, shared_test_cluster,
};
use tokio_postgres::NoTls;

/// A folder in `/tmp`, which PostgreSQL's account can reach, removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(format!("/tmp/comanda-it-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        // Whatever the umask: PostgreSQL's account must pass.
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Self(path)
    }

    fn options(&self) -> EmbeddedOptions {
        EmbeddedOptions {
            data_dir: self.0.clone(),
            bin_dir: None,
            durable: false,
        }
    }

    fn start(&self) -> EmbeddedPostgres {
        EmbeddedPostgres::start(&self.options()).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A reaper may just be touching its lock files.
        for _ in 0..50 {
            if fs::remove_dir_all(&self.0).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Runs statements; gives the first column of the last one's first row.
fn sql(url: &str, statements: &str) -> Result<Option<String>, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(statements).await?;
        drop(client);
        connection.await.unwrap()?;
        Ok(messages.iter().rev().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    })
}

fn postmaster(base: &Path) -> Option<u32> {
    let text = fs::read_to_string(base.join("postgres/pgdata/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

fn within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs [`in_a_process_of_its_own`] in a new process on `dir`.
fn other_process(task: &str, dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::in_a_process_of_its_own", "--nocapture"])
        .env("COMANDA_IT_TASK", task)
        .env("COMANDA_IT_DIR", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// What [`other_process`] runs. Without a task, as in an ordinary run of the tests, there is nothing to do.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how the parent test tells its child what to do"
)]
fn in_a_process_of_its_own() {
    let (Ok(task), Ok(dir)) = (std::env::var("COMANDA_IT_TASK"), std::env::var("COMANDA_IT_DIR")) else {
        return;
    };
    let dir = PathBuf::from(dir);
    let shared;
    let owned;
    let url = if task == "share" {
        shared = shared_test_cluster(&dir, None).unwrap();
        shared.url("postgres")
    } else {
        let options = EmbeddedOptions {
            data_dir: dir.clone(),
            bin_dir: None,
            durable: true,
        };
        owned = EmbeddedPostgres::start(&options).unwrap();
        owned.url("postgres")
    };
    // One at a time: even `if not exists` fails when two create the table at once.
    let create = "create table if not exists t (n int); insert into t values (7)";
    sql(&url, &format!("select pg_advisory_lock(1); {create}")).unwrap();
    fs::write(dir.join(format!("ready-{}", std::process::id())), "").unwrap();
    // Until the parent kills us. Not for ever, should the parent be killed itself.
    std::thread::sleep(Duration::from_secs(20));
}

fn wait_until_ready(child: &Child, dir: &Path) {
    let ready = dir.join(format!("ready-{}", child.id()));
    within(Duration::from_secs(20), "the other process is ready", || {
        ready.exists()
    });
}

#[test]
fn keeps_its_data_over_a_restart() {
    let scratch = Scratch::new("restart");
    let cluster = scratch.start();
    sql(&cluster.url("postgres"), "create database comanda").unwrap();
    let url = cluster.url("comanda");
    sql(&url, "create table t (n int); insert into t values (42)").unwrap();
    cluster.stop().unwrap();
    assert!(sql(&url, "select 1").is_err());
    assert_eq!(postmaster(&scratch.0), None);

    let cluster = scratch.start();
    assert!(!cluster.adopted());
    assert_eq!(
        sql(&cluster.url("comanda"), "select n from t")
            .unwrap()
            .as_deref(),
        Some("42")
    );
    drop(cluster);
    assert_eq!(postmaster(&scratch.0), None);
}

#[test]
fn is_made_as_we_want_it() {
    let scratch = Scratch::new("settings");
    let cluster = scratch.start();
    let ask = |question: &str| sql(&cluster.url("postgres"), question).unwrap().unwrap();
    assert_eq!(ask("show data_checksums"), "on");
    assert_eq!(ask("show server_encoding"), "UTF8");
    assert_eq!(ask("show listen_addresses"), "");
    assert_eq!(ask("show timezone"), "UTC");
    assert_eq!(ask("select lower('ÑANDÚ')"), "ñandú");
}

#[test]
fn a_durable_cluster_leaves_nothing_out() {
    let scratch = Scratch::new("durable");
    let cluster = EmbeddedPostgres::start(&EmbeddedOptions {
        durable: true,
        ..scratch.options()
    })
    .unwrap();
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(
            sql(&cluster.url("postgres"), &format!("show {setting}"))
                .unwrap()
                .as_deref(),
            Some("on")
        );
    }
}

#[test]
fn lives_in_a_folder_with_a_long_and_odd_name() {
    let scratch = Scratch::new("odd");
    let data_dir = scratch.0.join(format!("it's \"é\", $HOME {}", "x".repeat(90)));
    let cluster = EmbeddedPostgres::start(&EmbeddedOptions {
        data_dir,
        ..scratch.options()
    })
    .unwrap();
    let folder = sql(&cluster.url("postgres"), "show unix_socket_directories")
        .unwrap()
        .unwrap();
    assert!(folder.contains("/tmp/comanda-"), "{folder}");
    drop(cluster);
    fs::remove_dir_all(folder.trim_matches('"')).unwrap();

    let data_dir = scratch.0.join("it's \"é\", $HOME");
    let cluster = EmbeddedPostgres::start(&EmbeddedOptions {
        data_dir,
        ..scratch.options()
    })
    .unwrap();
    assert_eq!(
        sql(&cluster.url("postgres"), "select 1").unwrap().as_deref(),
        Some("1")
    );
}

#[test]
fn is_adopted_after_its_owner_was_killed() {
    let scratch = Scratch::new("adopt");
    let mut owner = other_process("own", &scratch.0);
    wait_until_ready(&owner, &scratch.0);
    owner.kill().unwrap();
    owner.wait().unwrap();
    let survivor = postmaster(&scratch.0);

    let cluster = scratch.start();
    assert!(cluster.adopted());
    assert_eq!(postmaster(&scratch.0), survivor);
    assert_eq!(
        sql(&cluster.url("postgres"), "select n from t")
            .unwrap()
            .as_deref(),
        Some("7")
    );
    cluster.stop().unwrap();
    assert_eq!(postmaster(&scratch.0), None);
}

#[test]
fn recovers_after_both_were_killed() {
    let scratch = Scratch::new("recover");
    let mut owner = other_process("own", &scratch.0);
    wait_until_ready(&owner, &scratch.0);
    owner.kill().unwrap();
    owner.wait().unwrap();
    let pid = postmaster(&scratch.0).unwrap();
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -9 {pid}")])
        .status()
        .unwrap();
    assert!(killed.success());

    let cluster = scratch.start();
    assert!(!cluster.adopted());
    assert_eq!(
        sql(&cluster.url("postgres"), "select n from t")
            .unwrap()
            .as_deref(),
        Some("7")
    );
}

#[test]
fn a_process_id_that_went_to_another_program_does_not_matter() {
    let scratch = Scratch::new("reused");
    let cluster = scratch.start();
    let pid_file = scratch.0.join("postgres/pgdata/postmaster.pid");
    let text = fs::read_to_string(&pid_file).unwrap();
    cluster.stop().unwrap();
    let rest: Vec<&str> = text.lines().skip(1).collect();
    fs::write(
        &pid_file,
        format!("{}\n{}\n", std::process::id(), rest.join("\n")),
    )
    .unwrap();
    assert!(!scratch.start().adopted());
}

#[test]
fn a_second_owner_is_refused_and_told_who_the_first_is() {
    let scratch = Scratch::new("second");
    let mut owner = other_process("own", &scratch.0);
    wait_until_ready(&owner, &scratch.0);
    let error = EmbeddedPostgres::start(&scratch.options()).unwrap_err();
    assert!(
        matches!(error, EmbeddedError::InUse { pid: Some(pid), .. } if pid == owner.id()),
        "{error}"
    );
    assert!(
        error.to_string().contains(&format!("process {}", owner.id())),
        "{error}"
    );
    owner.kill().unwrap();
    owner.wait().unwrap();
    scratch.start().stop().unwrap();
}

#[test]
fn a_lock_file_without_its_process_is_nobodys() {
    let scratch = Scratch::new("stale");
    fs::write(
        scratch.0.join("postgres.lock"),
        "4194304\nof a longer text than ours",
    )
    .unwrap();
    let cluster = scratch.start();
    let written = fs::read_to_string(scratch.0.join("postgres.lock")).unwrap();
    assert_eq!(written, format!("{}\n", std::process::id()));
    drop(cluster);
}

#[test]
fn an_unfinished_initdb_is_done_again() {
    let scratch = Scratch::new("unfinished");
    scratch.start().stop().unwrap();
    let base = scratch.0.join("postgres");
    fs::rename(base.join("pgdata"), base.join("pgdata.new")).unwrap();
    fs::remove_file(base.join("pgdata.new/global/pg_control")).unwrap();

    let cluster = scratch.start();
    assert_eq!(
        sql(&cluster.url("postgres"), "select 1").unwrap().as_deref(),
        Some("1")
    );
    assert!(!base.join("pgdata.new").exists());
}

#[test]
fn says_what_to_install() {
    let scratch = Scratch::new("missing");
    let empty = scratch.0.join("empty");
    fs::create_dir(&empty).unwrap();
    let options = EmbeddedOptions {
        bin_dir: Some(empty),
        ..scratch.options()
    };
    let text = EmbeddedPostgres::start(&options).unwrap_err().to_string();
    assert!(text.contains("apt install postgresql"), "{text}");
}

#[test]
fn a_failure_shows_the_end_of_the_log() {
    let scratch = Scratch::new("broken");
    scratch.start().stop().unwrap();
    fs::write(
        scratch.0.join("postgres/pgdata/postgresql.auto.conf"),
        "no_such_setting = 1\n",
    )
    .unwrap();
    let text = EmbeddedPostgres::start(&scratch.options())
        .unwrap_err()
        .to_string();
    assert!(text.contains("no_such_setting"), "{text}");
}

#[test]
fn many_processes_share_one_cluster_and_the_last_one_ends_it() {
    let scratch = Scratch::new("shared");
    let mut users: Vec<Child> = (0..4).map(|_| other_process("share", &scratch.0)).collect();
    for user in &users {
        wait_until_ready(user, &scratch.0);
    }
    let first = postmaster(&scratch.0);
    assert!(first.is_some());
    let kill = |user: &mut Child| {
        user.kill().unwrap();
        user.wait().unwrap();
    };
    users.iter_mut().skip(1).for_each(kill);
    // Longer than the reaper waits: one user is enough to keep the cluster.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(postmaster(&scratch.0), first);
    users.iter_mut().take(1).for_each(kill);
    within(Duration::from_secs(5), "the cluster is gone", || {
        postmaster(&scratch.0).is_none()
    });

    let cluster = shared_test_cluster(&scratch.0, None).unwrap();
    assert_eq!(
        sql(&cluster.url("postgres"), "select count(*) from t")
            .unwrap()
            .as_deref(),
        Some("4")
    );
    drop(cluster);
    within(Duration::from_secs(5), "the cluster is gone again", || {
        postmaster(&scratch.0).is_none()
    });
}

#[test]
fn a_broken_shared_cluster_is_made_anew() {
    let scratch = Scratch::new("renewed");
    drop(shared_test_cluster(&scratch.0, None).unwrap());
    within(Duration::from_secs(5), "the cluster is gone", || {
        postmaster(&scratch.0).is_none()
    });
    fs::remove_file(scratch.0.join("postgres/pgdata/global/pg_control")).unwrap();
    let cluster = shared_test_cluster(&scratch.0, None).unwrap();
    assert_eq!(
        sql(&cluster.url("postgres"), "select 1").unwrap().as_deref(),
        Some("1")
    );
    drop(cluster);
    within(Duration::from_secs(5), "the cluster is gone again", || {
        postmaster(&scratch.0).is_none()
    });
}
