//! Conversations with a mail server, step by step: each has its time, and an answer is known by
//! what it answers.

use super::bounded::Bounded;
use super::error::{MailError, Step};
use lettre::address::Envelope;
use lettre::message::Message;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Tls, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::{SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
use lettre::{Address, transport::smtp::Error as SmtpError};
use percent_encoding::percent_decode_str;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::Url;

/// How long things may take. RFC 5321 allows minutes, but a mail that waits is tried again anyway.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// A connection to one address of the server: it may have others.
    connection: Duration,
    /// A step of a conversation: greeting, encryption, signing in, a command. A server that says
    /// nothing holds a worker for as long.
    step: Duration,
    /// All that comes before the text of a mail, also where a server says a little now and then.
    whole: Duration,
    /// The text, and the answer to it: some look into it first. RFC 5321 (4.5.3.2.6) asks for ten
    /// minutes, for who hangs up earlier sends again what was taken. Filters take one or two;
    /// half of the ten holds one of few places for mails half as long.
    text: Duration,
    /// The goodbye, on which nothing depends any more.
    goodbye: Duration,
}

/// What mail servers are given.
const PATIENCE: Patience = Patience {
    connection: Duration::from_secs(10),
    step: Duration::from_secs(30),
    whole: Duration::from_secs(60),
    text: Duration::from_mins(5),
    goodbye: Duration::from_secs(1),
};

/// The mail server that is configured.
#[derive(Debug)]
pub(super) struct SmtpServer {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    hello: ClientId,
    /// Its name, and port where one is configured.
    shown: String,
    patience: Patience,
}

impl SmtpServer {
    /// The server of `smtp://user:password@host:587?tls=required` or `smtps://…`; a path is the
    /// name that it is greeted by.
    ///
    /// # Errors
    /// What is wrong with it, in words that never repeat a password.
    pub(super) fn of(url: &Url) -> Result<Self, String> {
        let named = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no host")?;
        let host = named.trim_matches(['[', ']']).to_owned();
        let asked = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let parameters = || TlsParameters::new(host.clone()).map_err(|error| error.to_string());
        let (tls, port) = match (url.scheme(), asked.as_deref()) {
            ("smtps", None | Some("required" | "opportunistic")) => (Tls::Wrapper(parameters()?), SUBMISSIONS_PORT),
            ("smtp", None) => (Tls::None, SMTP_PORT),
            ("smtp", Some("required")) => (Tls::Required(parameters()?), SUBMISSION_PORT),
            ("smtp", Some("opportunistic")) => (Tls::Opportunistic(parameters()?), SUBMISSION_PORT),
            ("smtp" | "smtps", Some(_)) => return Err("its tls is neither required nor opportunistic".to_owned()),
            _ => return Err("it begins with neither smtp:// nor smtps://".to_owned()),
        };
        let credentials = match url.password() {
            None if url.username().is_empty() => None,
            None => return Err("it names a user without a password".to_owned()),
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
        };
        let name = url.path().trim_matches('/');
        let hello = if name.is_empty() { ClientId::default() } else { ClientId::Domain(name.to_owned()) };
        let shown = url.port().map_or_else(|| named.to_owned(), |port| format!("{named}:{port}"));
        let port = url.port().unwrap_or(port);
        Ok(Self { host, port, tls, credentials, hello, shown, patience: PATIENCE })
    }

    /// Its name, and port where one is configured.
    pub(super) fn name(&self) -> &str {
        &self.shown
    }

    /// Sends a mail.
    pub(super) async fn send(&self, message: &Message) -> Result<(), MailError> {
        let text = message.formatted();
        let mut server = self.converse(async |server| self.announce(server, message.envelope(), &text).await).await?;
        let answer = match timeout(self.patience.text, server.message(&text)).await {
            Ok(answer) => answer.map(drop).map_err(|error| MailError::from_smtp(&self.shown, Step::Text, &error)),
            Err(_) => {
                let reason = silence(Step::Text, self.patience.text);
                Err(MailError::Unanswered { server: self.shown.clone(), reason })
            }
        };
        if !answer.as_ref().is_err_and(MailError::may_have_arrived) {
            self.part(server).await;
        }
        answer
    }

    /// Signs in, and asks whether it would take a mail of this sender, without sending one.
    pub(super) async fn check(&self, from: &Address) -> Result<(), MailError> {
        let asked = self.converse(async |server| {
            let sender = Mail::new(Some(from.clone()), self.for_letters(server, Some(from), &[])?);
            self.step(Step::Sender, server.command(sender)).await.map(drop)
        });
        self.part(asked.await?).await;
        Ok(())
    }

    /// Connects and talks, in the time that there is for what comes before a text.
    async fn converse(
        &self,
        talk: impl AsyncFnOnce(&mut AsyncSmtpConnection) -> Result<(), MailError>,
    ) -> Result<AsyncSmtpConnection, MailError> {
        let conversation = async {
            let mut server = self.connect().await?;
            let said = talk(&mut server).await;
            Ok((server, said))
        };
        let ended = timeout(self.patience.whole, conversation).await;
        let (server, said) = ended
            .map_err(|_| self.unreachable(&format!("no end after {} seconds", self.patience.whole.as_secs())))??;
        match said {
            Ok(()) => Ok(server),
            Err(error) => {
                if !matches!(error, MailError::Unreachable { .. }) {
                    self.part(server).await;
                }
                Err(error)
            }
        }
    }

    /// Says goodbye. What the server says then changes nothing any more: a mail that it took is
    /// sent, whatever follows.
    async fn part(&self, mut server: AsyncSmtpConnection) {
        let _ = timeout(self.patience.goodbye, server.quit()).await;
    }

    /// Connects, greets, encrypts and signs in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let greeting = async |stream| AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await;
        let tcp = self.open().await.map_err(|error| self.unreachable(&error))?;
        let stream = self.encrypted(tcp).await?;
        let mut server = self.step(Step::Greeting, greeting(stream)).await?;
        let upgrade = match &self.tls {
            Tls::Required(parameters) => Some(parameters),
            Tls::Opportunistic(parameters) => server.can_starttls().then_some(parameters),
            Tls::None | Tls::Wrapper(_) => None,
        };
        if let Some(parameters) = upgrade {
            self.step(Step::Encryption, server.starttls(parameters.clone(), &self.hello)).await?;
        }
        if let Some(credentials) = &self.credentials {
            self.step(Step::SignIn, server.auth(DEFAULT_MECHANISMS, credentials)).await?;
        }
        Ok(server)
    }

    /// A connection to the first of its addresses that answers.
    async fn open(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let look_up = tokio::net::lookup_host((self.host.as_str(), self.port));
        let late = |what: &str| io::Error::new(io::ErrorKind::TimedOut, format!("{what} took too long"));
        let addresses = timeout(self.patience.step, look_up).await.map_err(|_| late("looking up its address"))??;
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
        for address in addresses {
            match timeout(self.patience.connection, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok((stream, address)),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = late("connecting"),
            }
        }
        Err(failure)
    }

    /// The connection, encrypted where it is to be from its beginning.
    async fn encrypted(&self, (tcp, address): (TcpStream, SocketAddr)) -> Result<Box<dyn AsyncTokioStream>, MailError> {
        if !matches!(self.tls, Tls::Wrapper(_)) {
            return Ok(Box::new(Bounded::new(tcp, address)));
        }
        let handshake = async {
            let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
            let config = client_config().map_err(io::Error::other)?;
            TlsConnector::from(Arc::new(config)).connect(name, tcp).await
        };
        let stream = timeout(self.patience.step, handshake).await.map_err(|_| self.silent(Step::Encryption))?;
        Ok(Box::new(Bounded::new(stream.map_err(|error| self.unreachable(&error))?, address)))
    }

    /// Says from whom a mail is and to whom, its one recipient, until the server wants its text.
    async fn announce(
        &self,
        server: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        text: &[u8],
    ) -> Result<(), MailError> {
        let mut parameters = self.for_letters(server, envelope.from(), envelope.to())?;
        if !text.is_ascii() && server.server_info().supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let sender = Mail::new(envelope.from().cloned(), parameters);
        self.step(Step::Sender, server.command(sender)).await?;
        for address in envelope.to() {
            self.step(Step::Recipient, server.command(Rcpt::new(address.clone(), Vec::new()))).await?;
        }
        self.step(Step::Data, server.command(Data)).await.map(drop)
    }

    /// What MAIL has to say where addresses have other letters than ASCII's.
    fn for_letters(
        &self,
        server: &AsyncSmtpConnection,
        from: Option<&Address>,
        to: &[Address],
    ) -> Result<Vec<MailParameter>, MailError> {
        let other = |address: &&Address| !address.to_string().is_ascii();
        let (to, from) = (to.iter().find(other), from.filter(other));
        if server.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Ok(to.or(from).map(|_| MailParameter::SmtpUtfEight).into_iter().collect());
        }
        // First the recipient's, which is refused whoever writes. Ours refuses nobody's.
        match (to, from) {
            (Some(address), _) => {
                let reason = "the mail server takes no such letters (SMTPUTF8)".to_owned();
                Err(MailError::BadAddress { address: address.to_string(), reason })
            }
            (None, Some(address)) => {
                Err(MailError::BadSender { server: self.shown.clone(), address: address.to_string() })
            }
            (None, None) => Ok(Vec::new()),
        }
    }

    async fn step<T>(&self, step: Step, work: impl Future<Output = Result<T, SmtpError>>) -> Result<T, MailError> {
        match timeout(self.patience.step, work).await {
            Ok(done) => done.map_err(|error| MailError::from_smtp(&self.shown, step, &error)),
            Err(_) => Err(self.silent(step)),
        }
    }

    fn silent(&self, step: Step) -> MailError {
        self.unreachable(&silence(step, self.patience.step))
    }

    fn unreachable(&self, reason: &dyn Display) -> MailError {
        MailError::Unreachable { server: self.shown.clone(), reason: reason.to_string() }
    }
}

fn silence(step: Step, waited: Duration) -> String {
    format!("no answer to {} within {} seconds", step.what(), waited.as_secs())
}

/// A part of a URL.
fn decoded(text: &str) -> Result<String, String> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(Into::into).map_err(|_| "its user or password is not UTF-8".to_owned())
}

/// Whom this machine trusts, as lettre has it for what is encrypted later.
fn client_config() -> Result<ClientConfig, tokio_rustls::rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{Shutdown, TcpListener};
    use std::thread;

    /// A server that says this, and then nothing more until the client hangs up.
    fn server(says: impl FnOnce(&mut std::net::TcpStream) + Send + 'static) -> SmtpServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            says(&mut stream);
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let url = Url::parse(&format!("smtp://127.0.0.1:{port}")).expect("a URL");
        SmtpServer::of(&url).expect("it can be used")
    }

    /// A server that takes every mail: it says `hello` to EHLO, and to the text what this says.
    fn taking(hello: &'static str, after_text: impl FnOnce(&mut std::net::TcpStream) + Send + 'static) -> SmtpServer {
        server(move |stream| {
            let lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
            stream.write_all(b"220 mx\r\n").expect("a client");
            for line in lines {
                let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                    "EHLO" => hello,
                    "DATA" => "354 Go on",
                    "." => return after_text(stream),
                    "MAIL" | "RCPT" => "250 OK",
                    "QUIT" => "221 Bye",
                    _ => continue,
                };
                if write!(stream, "{answer}\r\n").is_err() {
                    return;
                }
            }
        })
    }

    fn a_mail(from: &str, to: &str) -> Message {
        let address = |text: &str| text.parse::<Address>().expect("an address");
        let envelope = Envelope::new(Some(address(from)), vec![address(to)]);
        let builder = Message::builder().envelope(envelope.expect("an envelope")).from(address(from).into());
        builder.to(address(to).into()).body("It fails.".to_owned()).expect("a mail")
    }

    #[tokio::test]
    async fn a_sender_that_the_server_does_not_understand_refuses_nobodys_address() {
        let (from, to) = ("fläwless@example.com", "ada@example.com");
        let plain = || taking("250 mx", |_| {});
        let told = plain().send(&a_mail(from, to)).await.expect_err("MAIL_FROM can't be said to it");
        assert!(!told.is_about_the_address() && told.is_worth_a_retry(), "{told}");
        assert!(told.to_string().contains("MAIL_FROM") && told.to_string().contains(from), "{told}");
        let checked = plain().check(&from.parse().expect("an address")).await.expect_err("nor by a check");
        assert_eq!(checked.to_string().split_once(' ').map(|it| it.1), told.to_string().split_once(' ').map(|it| it.1));
        let theirs = plain().send(&a_mail(to, "adä@example.com")).await.expect_err("nor can hers");
        assert!(theirs.is_about_the_address() && !theirs.is_worth_a_retry(), "{theirs}");
        let knows = taking("250-mx\r\n250 SMTPUTF8", |_| {});
        knows.check(&from.parse().expect("an address")).await.expect("it understands it");
    }

    #[tokio::test]
    async fn the_answer_to_a_text_is_waited_for_longer_than_all_before_it() {
        let slow = taking("250 mx", |stream| {
            thread::sleep(Duration::from_millis(1_500));
            stream.write_all(b"250 Kept\r\n").expect("it waits");
        });
        let slow = SmtpServer { patience: in_ms(1_000, 1_000), ..slow };
        slow.send(&a_mail("flawless@example.com", "ada@example.com")).await.expect("it was kept");
    }

    #[tokio::test]
    async fn a_text_that_is_not_answered_may_have_arrived() {
        let mail = a_mail("flawless@example.com", "ada@example.com");
        let short = Patience { text: Duration::from_millis(50), ..PATIENCE };
        let silent = SmtpServer { patience: short, ..taking("250 mx", |_| {}) };
        let hangs_up = taking("250 mx", |stream| stream.shutdown(Shutdown::Both).expect("a stream"));
        for (server, why) in [(silent, "no answer to the mail's text within"), (hangs_up, "incomplete response")] {
            let said = server.send(&mail).await.expect_err("it does not say so");
            assert!(said.may_have_arrived() && said.is_worth_a_retry() && !said.is_about_the_address(), "{said}");
            assert!(said.to_string().contains(why), "{said}");
        }
        let before = SmtpServer { patience: in_ms(50, 60_000), ..server(|_| {}) };
        assert!(!before.send(&mail).await.expect_err("it says nothing").may_have_arrived());
    }

    fn in_ms(step: u64, whole: u64) -> Patience {
        Patience { step: Duration::from_millis(step), whole: Duration::from_millis(whole), ..PATIENCE }
    }

    async fn refusal(server: &SmtpServer) -> String {
        let from = "flawless@example.com".parse().expect("an address");
        server.check(&from).await.expect_err("it does not get so far").to_string()
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_left_after_a_step() {
        let silent = SmtpServer { patience: in_ms(50, 60_000), ..server(|_| {}) };
        let said = refusal(&silent).await;
        assert!(said.contains("no answer to the greeting within"), "{said}");
        let greets_only = server(|stream| stream.write_all(b"220 mx\r\n").expect("a client"));
        let stalls = SmtpServer { patience: in_ms(50, 60_000), ..greets_only };
        let said = refusal(&stalls).await;
        assert!(said.contains("no answer to the greeting within"), "{said}");
    }

    #[tokio::test]
    async fn a_server_that_says_a_little_now_and_then_is_left_in_the_end() {
        let drips = server(|stream| {
            while stream.write_all(b"220-x\r\n").is_ok() {
                thread::sleep(Duration::from_millis(5))
            }
        });
        let said = refusal(&SmtpServer { patience: in_ms(60_000, 100), ..drips }).await;
        assert!(said.contains("no end after"), "{said}");
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_not_held() {
        let endless = server(|stream| while stream.write_all(&[b'2'; 65_536]).is_ok() {});
        let said = refusal(&endless).await;
        assert!(said.contains("it says more than 256 KiB at once"), "{said}");
    }
}
