//! Conversations with servers, which gix would wait for and listen to without end.

use super::clone_source::Address;
use super::patience::Patient;
use super::progress::Meter;
use super::web::Web;
use gix::bstr::ByteSlice;
use gix::protocol::transport::Protocol;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::protocol::transport::client::git::{ConnectMode, blocking_io::Connection};
use gix::url::{ArgumentSafety, Scheme};
use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// Where git's own server listens.
const GIT_PORT: u16 = 9418;
/// How long one address of a server may take to accept: a second and a third try of the network,
/// and some more.
const CONNECT: Duration = Duration::from_secs(20);
/// The program that speaks ssh.
const SSH: &str = "ssh";
/// How long ssh may take from its start to an open channel, and how it notices a line that is dead:
/// three questions without an answer. A person that could be asked for a password is not there.
const SSH_OPTIONS: [&str; 10] = [
    "-o",
    "SendEnv=GIT_PROTOCOL",
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=60",
    "-o",
    "ServerAliveInterval=20",
    "-o",
    "ServerAliveCountMax=3",
];
/// Bytes of a line of ssh's that are kept: one is a sentence.
const MOST_OF_A_LINE: usize = 500;
/// How long ssh's last words are waited for once it closed its output.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A conversation with this server, if it is by a transport of ours; over the web at `url`, to
/// which the address may have moved.
pub(super) fn open(
    address: &Address,
    url: &gix::Url,
    meter: &Arc<Meter>,
) -> Result<Option<Box<dyn Transport + Send>>, gix::Error> {
    match address.url.scheme {
        Scheme::Git => Ok(Some(daemon(address, meter).map_err(gix::Error::from_error)?)),
        Scheme::Ssh => Ok(Some(ssh(SSH.as_ref(), address, meter)?)),
        Scheme::Http | Scheme::Https => {
            Ok(Some(Box::new(http::connect_http(Web::new(meter), url.clone(), Protocol::V2, false))))
        }
        _ => Ok(None),
    }
}

fn daemon(address: &Address, meter: &Arc<Meter>) -> io::Result<Box<dyn Transport + Send>> {
    let url = &address.url;
    let host = url.host().unwrap_or_default();
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    for target in (host, url.port.unwrap_or(GIT_PORT)).to_socket_addrs()? {
        match TcpStream::connect_timeout(&target, CONNECT) {
            Ok(socket) => {
                let read = BufReader::new(Patient::new(socket.try_clone()?, meter));
                let write = Patient::new(socket, meter);
                let (path, here) = (url.path.clone(), Some((host, url.port)));
                return Ok(Box::new(
                    Connection::new(read, write, Protocol::V2, path, here, ConnectMode::Daemon, false)
                        .custom_url(Some(url.to_bstring())),
                ));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn ssh(program: &OsStr, address: &Address, meter: &Arc<Meter>) -> Result<Box<dyn Transport + Send>, gix::Error> {
    use gix::protocol::transport::client;
    let mut command = ssh_command(program, address).map_err(gix::Error::from_error)?;
    let mut child = command.spawn().map_err(|source| {
        gix::Error::from_error(client::Error::InvokeProgram { source, command: command.get_program().to_owned() })
    })?;
    let closed = || gix::Error::from_error(io::Error::other("ssh has no input or output"));
    let (input, output) = child.stdin.take().zip(child.stdout.take()).ok_or_else(closed)?;
    let said = child.stderr.take().map(last_words);
    let read = BufReader::new(Program { output: Patient::new(output, meter), said, child });
    let (write, path) = (Patient::new(input, meter), address.url.path.clone());
    let here = None::<(String, Option<u16>)>;
    let talk = Connection::new(read, write, Protocol::V2, path, here, ConnectMode::Process, false);
    Ok(Box::new(talk.custom_url(Some(address.url.to_bstring()))))
}

/// What git itself would run; gix's own is not to be had without its way of waiting.
fn ssh_command(program: &OsStr, address: &Address) -> io::Result<Command> {
    let url = &address.url;
    let refused =
        |what: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("{what} could be taken for an option"));
    let whom = match (url.user_as_argument(), url.host_as_argument()) {
        (ArgumentSafety::Dangerous(_), _) => return Err(refused("the user's name")),
        (ArgumentSafety::Usable(user), ArgumentSafety::Usable(host) | ArgumentSafety::Dangerous(host)) => {
            format!("{user}@{host}")
        }
        (ArgumentSafety::Absent, ArgumentSafety::Usable(host)) => host.to_owned(),
        (_, ArgumentSafety::Dangerous(_) | ArgumentSafety::Absent) => return Err(refused("the host's name")),
    };
    let path = gix::url::expand_path::for_shell(url.path.clone());
    if path.trim().first() == Some(&b'-') {
        return Err(refused("the path"));
    }
    let mut command = Command::new(program);
    command
        .args(SSH_OPTIONS)
        .args(url.port.map(|port| format!("-p{port}")))
        .arg(whom)
        .arg(format!("git-upload-pack {}", gix::quote::single(path.as_ref())))
        .env("GIT_PROTOCOL", "version=2")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

/// What a program writes; it ends with this.
struct Program {
    output: Patient<ChildStdout>,
    said: Option<Receiver<String>>,
    child: Child,
}

impl Read for Program {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.output.read(buffer)?;
        // It ends before the conversation does: why, it says beside.
        let said = self.said.take_if(|_| count == 0).and_then(|said| said.recv_timeout(LAST_WORDS).ok());
        match said {
            Some(said) if !said.is_empty() => Err(io::Error::other(said)),
            _ => Ok(count),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has mostly ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last line that a program says of what goes wrong, once it ended.
fn last_words(from: ChildStderr) -> Receiver<String> {
    let (send, said) = mpsc::channel();
    std::thread::spawn(move || {
        let mut last = Vec::new();
        let (mut reader, mut line) = (BufReader::new(from), Vec::new());
        while matches!(reader.by_ref().take(MOST_OF_A_LINE as u64).read_until(b'\n', &mut line), Ok(1..)) {
            if !line.trim().is_empty() {
                last = line.trim().to_vec();
            }
            line.clear();
        }
        // Nobody may be there any more.
        let _ = send.send(last.to_str_lossy().into_owned());
    });
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use domain::ids::RepositoryId;
    use git_fixture::{ADA, GitRepo};
    use gix::protocol::transport::Service;
    use std::path::{Path, PathBuf};

    fn address(url: &str) -> Address {
        Address::parse(&Source { id: RepositoryId(1), url: url.to_owned(), token: None }).expect("a URL")
    }

    fn arguments(url: &str) -> Vec<String> {
        let command = ssh_command(SSH.as_ref(), &address(url)).expect("a command");
        command.get_args().skip(SSH_OPTIONS.len()).map(|it| it.to_string_lossy().into_owned()).collect()
    }

    /// In the place of ssh: a program that does this, `$command` being what the other side is to
    /// run. Another process writes it: one that is forked off meanwhile would keep ours open for
    /// writing, and a program that is can't be run.
    fn program(folder: &Path, does: &str) -> PathBuf {
        let path = folder.join(does.len().to_string());
        let text = format!("#!/bin/sh\nfor command; do :; done\n{does}\n");
        let written =
            Command::new("sh").args(["-c", r#"printf %s "$0" > "$1" && chmod 755 "$1""#, &text]).arg(&path).status();
        assert!(written.expect("sh").success());
        path
    }

    /// What the other side has, or what is said of why it can't be asked.
    fn refs(program: &Path, address: &Address, meter: &Arc<Meter>) -> Result<(), String> {
        let mut talk = ssh(program.as_ref(), address, meter).map_err(|error| error.to_string())?;
        let greeting = talk.handshake(Service::UploadPack, &[]);
        greeting.map(|_| ()).map_err(|error| super::super::error::chain(&gix::Error::from_error(error)))
    }

    #[test]
    fn ssh_is_asked_for_the_repository_as_git_asks_it() {
        assert_eq!(arguments("git@host:shop.git"), ["git@host", "git-upload-pack 'shop.git'"]);
        assert_eq!(arguments("ssh://host:22022/a'b"), ["-p22022", "host", r"git-upload-pack '/a'\''b'"]);
        assert_eq!(arguments("ssh://ada@host/~ada/x"), ["ada@host", "git-upload-pack '~ada/x'"]);
    }

    #[test]
    fn nothing_of_a_url_becomes_an_option_of_ssh() {
        for url in ["ssh://-oProxyCommand=id@host/x", "ssh://-oProxyCommand=id/x", "host:-x"] {
            let source = Source { id: RepositoryId(1), url: url.to_owned(), token: None };
            let taken = Address::parse(&source).is_ok_and(|it| ssh_command(SSH.as_ref(), &it).is_ok());
            assert!(!taken, "{url}");
        }
    }

    #[test]
    fn what_ssh_runs_is_talked_to_and_what_it_says_at_last_is_why_it_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let repo = GitRepo::init(folder.path().join("work"));
        repo.commit(ADA, "2026-02-03T04:05:06Z", &[("a.py", "one\n")], "One");
        let address = address(&format!("ssh://host{}", repo.git_dir().display()));
        let meter = Arc::new(Meter::default());
        assert_eq!(refs(&program(folder.path(), "eval \"$command\""), &address, &meter), Ok(()));
        let refusing = "echo Warning >&2; echo 'ada@host: Permission denied (publickey).' >&2; exit 255";
        let why = refs(&program(folder.path(), refusing), &address, &meter).expect_err("it ended");
        assert!(why.contains("Permission denied (publickey)."), "{why}");
    }

    #[test]
    fn an_ssh_that_says_nothing_ends_once_nobody_waits_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        // It is waited for in the end: this takes as long where it was not ended.
        let silent = program(folder.path(), "exec sleep 1000");
        let meter = Arc::new(Meter::default());
        meter.call_off();
        let why = refs(&silent, &address("ssh://host/x"), &meter).expect_err("it was called off");
        assert!(why.contains("called off"), "{why}");
    }
}
