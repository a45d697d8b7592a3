//! What is wrong with a configuration is said by the program before it does anything.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program, run to its end in this folder.
fn command(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
    command.args(arguments).current_dir(folder).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).output().unwrap()
}

/// What the program says on standard error where it refuses to start in this folder.
fn refused(folder: &Path, variables: &[(&str, &str)]) -> String {
    let output = command(folder, &["check"], variables);
    assert!(!output.status.success(), "it has to refuse");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_file_that_cannot_be_read_is_not_taken_for_a_missing_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("flawless.toml")).unwrap();
    let said = refused(folder.path(), &[]);
    assert!(said.contains("flawless.toml is there, but can't be read"), "{said}");
    assert!(!folder.path().join("data").exists(), "nothing is begun with another configuration");
}

#[test]
fn no_secret_of_a_setting_or_an_argument_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flawless.toml"), "port = 3000\nsmtp_url = \"smtp://ada:hunter2@mail\n").unwrap();
    let said = refused(folder.path(), &[]);
    assert!(said.contains("flawless.toml, line 2, column") && said.contains("(smtp_url): it is no TOML"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    std::fs::remove_file(folder.path().join("flawless.toml")).unwrap();
    for arguments in [
        &["repository", "add", "https://ada:hunter2@h/a", "https://ada:hunter2@h/a.git"][..],
        &["repository", "remove", "https://hunter2@h/a.git"],
        &["repository", "add", "https://hunter2@h/a.git", "--name", "https://hunter2@h/a.git"],
        &["repository", "key", "revoke", "https://ab12:hunter2@h/7"],
        &["report", "this-week", "--repository", "https://hunter2@h/a.git"],
        &["blame", "a:1", "--repository", "https://hunter2@h/a.git"],
        &["known-error", "list", "https://hunter2@h/a.git"],
        &["repository", "https://hunter2@h"],
    ] {
        let output = command(folder.path(), arguments, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && !said.is_empty() && !said.contains("hunter2"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_log_level_that_there_is_none_of_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), &[("LOG_LEVEL", "inof")]);
    assert!(said.contains("LOG_LEVEL is \"inof\"") && said.contains("did you mean info?"), "{said}");
    let said = refused(folder.path(), &[("LOG_LEVEL", "info,sqlx")]);
    assert!(said.contains("NAME=trace"), "{said}");
    let said = refused(folder.path(), &[("LOG_LEVEL", "sqlx=loud")]);
    assert!(said.contains("LOG_LEVEL is \"sqlx=loud\", which can't be read"), "{said}");
}

#[test]
fn where_it_cannot_listen_or_write_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let said = |pairs: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
        command.arg("serve").current_dir(folder.path()).env_clear().env("PORT", "0").envs(pairs.iter().copied());
        let output = command.output().unwrap();
        assert!(!output.status.success(), "it has to refuse {pairs:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let host = said(&[("HOST", "256.1.1.1")]);
    assert!(host.contains("HOST is \"256.1.1.1\", which is no address") && !host.contains("another server"), "{host}");
    let elsewhere = said(&[("HOST", "192.0.2.77")]);
    assert!(elsewhere.contains("set HOST to an address of this machine"), "{elsewhere}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let taken = said(&[("PORT", &port)]);
    assert!(taken.contains("is another server running there?"), "{taken}");
    std::fs::write(folder.path().join("file"), "").unwrap();
    let data = said(&[("DATA_DIR", "file/below")]);
    assert!(data.contains("DATA_DIR file/below: file/below can't be made"), "{data}");
}

/// What a server prints in this folder until it serves. It is ended then.
fn printed(folder: &Path, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
    command.arg("serve").current_dir(folder).env_clear().env("PORT", "0").envs(variables.iter().copied());
    let mut server = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(server.stdout.take().unwrap()).lines() {
        said += &(line.unwrap() + "\n");
        // The last that it prints.
        if said.contains("No repository is watched yet") {
            break;
        }
    }
    server.kill().unwrap();
    server.wait().unwrap();
    said
}

#[test]
fn who_takes_the_admin_token_away_is_not_locked_out_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let said = printed(folder.path(), &[("ADMIN_TOKEN", "a-token-of-the-tests")]);
    assert!(said.contains("Flawless is at") && !said.contains("oken"), "{said}");
    let said = printed(folder.path(), &[]);
    assert!(said.contains("ADMIN_TOKEN was set at an earlier start, and is not any more"), "{said}");
    assert!(said.contains("Admin token, shown this once"), "nobody could know it yet: {said}");
    let said = printed(folder.path(), &[]);
    assert!(said.contains("ADMIN_TOKEN was set at an earlier start"), "nobody has signed in with the new one: {said}");
    assert!(said.contains("The admin token is the one that was printed here once. Without it, set"), "{said}");
    assert!(!said.contains("shown this once"), "{said}");
    // With a folder of its own it is shown as ever, and nothing more.
    let other = tempfile::tempdir().unwrap();
    let said = printed(other.path(), &[]);
    assert!(said.contains("Admin token, shown this once") && !said.contains("earlier start"), "{said}");
}

#[test]
fn a_command_in_the_wrong_folder_makes_nothing_there_and_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    for arguments in [
        &["report", "this-week"][..],
        &["repository", "list"],
        &["repository", "keys", "acme/shop"],
        &["repository", "remove", "acme/shop"],
        &["repository", "key", "add", "acme/shop"],
        &["repository", "key", "revoke", "ab12"],
        &["known-error", "list", "acme/shop"],
        &["known-error", "remove", "acme/shop", "1"],
        &["blame", "a.py:1", "--repository", "acme/shop"],
    ] {
        let output = command(folder.path(), arguments, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        let names = said.contains(&data) && said.contains("DATA_DIR=/path/to/data");
        assert!(!output.status.success() && names, "{arguments:?}: {said}");
    }
    for name in ["check", "doctor"] {
        let output = command(folder.path(), &[name], &[("HOME", "/nowhere"), ("SMTP_URL", "smtp://127.0.0.1:9")]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("warn  data: ") && said.contains(&data), "{said}");
        assert!(said.contains("FAIL  mail: 127.0.0.1:9") && !said.contains("database: it answers"), "{said}");
        let said = String::from_utf8(command(folder.path(), &[name], &[]).stdout).unwrap();
        assert!(said.contains("mails are written to data/outbox"), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
    // There is a folder, but no database in it.
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let output = command(folder.path(), &["repository", "list"], &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("data/flawless.db is not there"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path().join("data")).unwrap().count(), 0, "nothing was made");
}

#[test]
fn what_is_no_repository_is_not_watched() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    for (url, says) in [
        ("empty", "there is no git repository in this directory; name a folder with .git in it"),
        ("file:///nowhere/shop.git", "does not exist"),
        ("ftp://example.com/shop.git", "is not an address that can be cloned"),
    ] {
        let output = command(folder.path(), &["repository", "add", url], &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "{url}: {said}");
    }
}

#[test]
fn a_repository_that_gets_another_name_says_which_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let add = |name: &str| {
        let arguments = ["repository", "add", "https://git.example.com/acme/platform.git", "--name", name];
        let output = command(folder.path(), &arguments, &[]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!add("acme/platform").contains("It was"));
    let renamed = add("acme/two");
    let says = "It was acme/platform; for another key: `flawless repository key add acme/two`.";
    assert!(renamed.contains(says), "{renamed}");
    assert!(!add("acme/two").contains("It was"));
}

#[test]
fn the_demo_names_its_flag_where_the_port_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let path = std::env::var("PATH").unwrap();
    let output = command(folder.path(), &["demo", "--exit", "--port", &port], &[("PATH", &path)]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("name another by --port") && !said.contains("Set PORT"), "{said}");
}

/// Variables and arguments of a server that has begun to work.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn of_server(arguments: &[&str], variables: &[(&str, &str)]) -> [String; 2] {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("PORT", "0").envs(variables.iter().copied());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begins = (0..400).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        folder.path().join("data").exists()
    });
    let read = |name| std::fs::read(format!("/proc/{}/{name}", child.id())).unwrap();
    let found = ["environ", "cmdline"].map(|name| String::from_utf8(read(name)).unwrap().replace('\0', "\n"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(begins, "it did not begin");
    found
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn the_server_keeps_little_memory_unless_somebody_says_how_much() {
    for arguments in [&[][..], &["serve"][..]] {
        let [variables, told] = of_server(arguments, &[]);
        assert!(variables.contains("GLIBC_TUNABLES=glibc.malloc.arena_max="), "{variables}");
        // glibc ends each of its settings where it has read it.
        assert!(variables.contains("glibc.malloc.trim_threshold="), "{variables}");
        assert_eq!(told.lines().skip(1).collect::<Vec<_>>(), arguments, "begun as before");
    }
    let [variables, _] = of_server(&["serve"], &[("MALLOC_ARENA_MAX", "7")]);
    assert!(variables.contains("MALLOC_ARENA_MAX=7") && !variables.contains("GLIBC_TUNABLES"), "{variables}");
}
