//! A mail server on loopback that keeps what it is given and misbehaves on demand.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How the server behaves from the next command on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Takes every mail.
    #[default]
    Accept,
    /// Says 451 to every recipient: try again later.
    Later,
    /// Says 550 to every recipient: no such user.
    NoSuchUser,
    /// Reads the mail, and says 550 because of what it holds, without a status code of its own.
    ContentRefused,
    /// The same, with a NUL in its words.
    RefusedWithNul,
    /// Reads the mail and hangs up without keeping it or answering.
    DropBeforeAccepting,
    /// Keeps the mail and hangs up before saying so.
    DropAfterAccepting,
    /// Takes every mail after this long.
    Delay(Duration),
    /// Refuses what it is told there in these words, and goes on; its greeting where that is empty.
    Refuse {
        /// A verb, or `.` for the text.
        at: &'static str,
        /// Code and words.
        says: &'static str,
    },
    /// Takes connections and says nothing until it is in another mode, then hangs up.
    Silent,
    /// Hangs up before it says anything.
    HangUp,
}

/// A mail as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Address of the envelope's sender.
    pub(crate) from: String,
    /// Addresses of the envelope's recipients.
    pub(crate) to: Vec<String>,
    /// The message, dots unstuffed.
    pub(crate) raw: Vec<u8>,
}

impl Received {
    /// A header's value, unfolded and decoded by an independent reader of mail.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let message = self.parsed();
        let text = message.header_raw(name)?.trim().replace("\r\n ", " ").replace("\r\n\t", " ");
        Some(text)
    }

    /// The message as an independent reader of mail understands it.
    pub(crate) fn parsed(&self) -> mail_parser::Message<'_> {
        mail_parser::MessageParser::default().parse(&self.raw).expect("a mail that can be parsed")
    }

    /// The decoded plain text part.
    pub(crate) fn text(&self) -> String {
        self.parsed().body_text(0).expect("a text part").into_owned()
    }

    /// The decoded HTML part.
    pub(crate) fn html(&self) -> String {
        self.parsed().body_html(0).expect("an HTML part").into_owned()
    }
}

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    login: Option<(String, String)>,
    mails: Vec<Received>,
    refused: Vec<String>,
    full: Vec<String>,
    attempts: usize,
    connections: usize,
}

/// The server; it ends when dropped.
#[derive(Debug)]
pub(crate) struct SmtpServer {
    port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl SmtpServer {
    /// A server that takes mail from anybody.
    pub(crate) async fn start() -> Self {
        Self::listen(None).await
    }

    /// A server that takes mail only after this user and password.
    pub(crate) async fn with_login(user: &str, password: &str) -> Self {
        Self::listen(Some((user.to_owned(), password.to_owned()))).await
    }

    async fn listen(login: Option<(String, String)>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port on loopback");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State { login, ..State::default() }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                // A client that hangs up ends the conversation; that is not this server's trouble.
                tokio::spawn(async move { converse(stream, &shared).await.ok() });
            }
        });
        Self { port, state, task }
    }

    /// Its port on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `SMTP_URL` without credentials.
    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// `SMTP_URL` with credentials.
    pub(crate) fn url_as(&self, user: &str, password: &str) -> String {
        format!("smtp://{user}:{password}@127.0.0.1:{}", self.port)
    }

    /// Changes how it behaves.
    pub(crate) fn set(&self, mode: Mode) {
        self.lock().mode = mode;
    }

    /// Says 550 to this recipient from now on: no such user.
    pub(crate) fn refuse(&self, address: &str) {
        self.lock().refused.push(address.to_owned());
    }

    /// Says from now on whether the mailbox of this recipient is full.
    pub(crate) fn set_full(&self, address: &str, is_full: bool) {
        let mut state = self.lock();
        state.full.retain(|one| one != address);
        if is_full {
            state.full.push(address.to_owned());
        }
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        self.lock().connections
    }

    /// Stops listening: from now on connections are refused.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        // The port is closed once the task has ended; that it was aborted is known.
        let _ = (&mut self.task).await;
    }

    /// The mails since the last call, in the order of their arrival.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.lock().mails)
    }

    /// The mails since the last call of [`Self::take`], which go on being new.
    pub(crate) fn unread(&self) -> Vec<Received> {
        self.lock().mails.clone()
    }

    /// How often a mail was tried, whatever became of it.
    pub(crate) fn attempts(&self) -> usize {
        self.lock().attempts
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds this")
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection, from greeting to `QUIT`.
async fn converse(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    let mut from = String::new();
    let mut to = Vec::new();
    let mut signed_in = state.lock().unwrap().login.is_none();
    let greeted_in = {
        let mut state = state.lock().unwrap();
        state.connections += 1;
        state.mode
    };
    match greeted_in {
        Mode::HangUp => return Ok(()),
        Mode::Silent => {
            while state.lock().unwrap().mode == Mode::Silent {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            return Ok(());
        }
        Mode::Refuse { at: "", says } => return write.write_all(format!("{says}\r\n").as_bytes()).await,
        _ => write.write_all(b"220 test.example ESMTP\r\n").await?,
    }
    while let Some(line) = read_line(&mut lines).await? {
        let line = String::from_utf8_lossy(&line).into_owned();
        let (verb, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
        let (mode, login) = {
            let state = state.lock().unwrap();
            (state.mode, state.login.clone())
        };
        let answer = match verb.to_ascii_uppercase().as_str() {
            verb if matches!(mode, Mode::Refuse { at, .. } if at == verb) => {
                let Mode::Refuse { says, .. } = mode else { continue };
                says.to_owned()
            }
            "EHLO" if login.is_some() => "250-test.example\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN".to_owned(),
            "EHLO" => "250-test.example\r\n250 8BITMIME".to_owned(),
            "HELO" | "NOOP" => "250 OK".to_owned(),
            "RSET" => {
                from.clear();
                to.clear();
                "250 OK".to_owned()
            }
            "AUTH" => {
                let given = credentials(rest, &mut lines, &mut write).await?;
                signed_in = given.is_some() && given == login;
                if signed_in { "235 Welcome" } else { "535 5.7.8 Wrong user or password" }.to_owned()
            }
            "MAIL" if !signed_in => "530 5.7.0 Sign in first".to_owned(),
            "MAIL" => {
                state.lock().unwrap().attempts += 1;
                from = address(rest);
                "250 OK".to_owned()
            }
            "RCPT" if mode == Mode::Later => "451 4.7.1 Greylisted, try again later".to_owned(),
            "RCPT" if mode == Mode::NoSuchUser => "550 5.1.1 No such user here".to_owned(),
            "RCPT" if state.lock().unwrap().refused.contains(&address(rest)) => {
                "550 5.1.1 No such user here".to_owned()
            }
            "RCPT" if state.lock().unwrap().full.contains(&address(rest)) => "552 5.2.2 The mailbox is full".to_owned(),
            "RCPT" => {
                to.push(address(rest));
                "250 OK".to_owned()
            }
            "DATA" if to.is_empty() => "503 Say who it is for".to_owned(),
            "DATA" => {
                write.write_all(b"354 Go on\r\n").await?;
                let Some(raw) = read_data(&mut lines).await? else { return Ok(()) };
                if mode == Mode::DropBeforeAccepting {
                    return Ok(());
                }
                if mode == Mode::ContentRefused {
                    write.write_all(b"550 Message content rejected as spam\r\n").await?;
                    continue;
                }
                if mode == Mode::RefusedWithNul {
                    write.write_all(b"550 Message content\0 rejected\r\n").await?;
                    continue;
                }
                if let Mode::Refuse { at: ".", says } = mode {
                    write.write_all(format!("{says}\r\n").as_bytes()).await?;
                    continue;
                }
                if let Mode::Delay(time) = mode {
                    tokio::time::sleep(time).await;
                }
                let mail = Received { from: std::mem::take(&mut from), to: std::mem::take(&mut to), raw };
                state.lock().unwrap().mails.push(mail);
                if mode == Mode::DropAfterAccepting {
                    return Ok(());
                }
                "250 Kept".to_owned()
            }
            "QUIT" => {
                write.write_all(b"221 Bye\r\n").await?;
                return Ok(());
            }
            _ => "502 Not known here".to_owned(),
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

/// One line without its end; `None` when the client hung up.
async fn read_line(lines: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if lines.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    while line.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
        line.pop();
    }
    Ok(Some(line))
}

/// The message up to the lonely dot, dots unstuffed; `None` when the client hung up within.
async fn read_data(lines: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    let mut raw = Vec::new();
    while let Some(line) = read_line(lines).await? {
        match line.as_slice() {
            b"." => return Ok(Some(raw)),
            [b'.', rest @ ..] => raw.extend_from_slice(rest),
            all => raw.extend_from_slice(all),
        }
        raw.extend_from_slice(b"\r\n");
    }
    Ok(None)
}

/// What `AUTH PLAIN` or `AUTH LOGIN` gives: user and password. `None` for nonsense.
async fn credentials(
    rest: &str,
    lines: &mut (impl AsyncBufReadExt + Unpin),
    write: &mut (impl AsyncWriteExt + Unpin),
) -> std::io::Result<Option<(String, String)>> {
    let mut words = rest.split_whitespace();
    let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
    let mut said = words.next().map(|word| word.as_bytes().to_vec());
    // What wasn't said with the command is asked for: "Username:" and "Password:" where there are
    // two answers.
    let prompts: &[&str] = if mechanism == "LOGIN" { &["VXNlcm5hbWU6", "UGFzc3dvcmQ6"] } else { &[""] };
    let mut answers = Vec::new();
    for prompt in prompts {
        let answer = match said.take() {
            Some(word) => word,
            None => {
                write.write_all(format!("334 {prompt}\r\n").as_bytes()).await?;
                read_line(lines).await?.unwrap_or_default()
            }
        };
        answers.push(decode(&answer));
    }
    let pair = match (mechanism.as_str(), answers.as_slice()) {
        ("LOGIN", [user, password]) => Some((user.clone(), password.clone())),
        ("PLAIN", [both]) => {
            let mut parts = both.splitn(3, '\0').skip(1);
            parts.next().zip(parts.next()).map(|(user, password)| (user.to_owned(), password.to_owned()))
        }
        _ => None,
    };
    Ok(pair)
}

/// Base64, as text; empty for nonsense.
fn decode(text: &[u8]) -> String {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `ada@example.com` of `FROM:<ada@example.com> BODY=8BITMIME`.
fn address(rest: &str) -> String {
    let inside = rest.split_once('<').map_or(rest, |(_, inside)| inside);
    inside.split_once('>').map_or(inside, |(address, _)| address).to_owned()
}
