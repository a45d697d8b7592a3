//! A server on loopback that is encrypted: from the first byte, or as a mail server from `STARTTLS`
//! on. What is said inside goes to another one, such as [`SmtpServer`](super::smtp::SmtpServer).

use base64::Engine as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, crypto};

/// How the server encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte: smtps.
    Always,
    /// From `STARTTLS` on.
    Upgraded,
    /// Somebody on the way gives answers of their own beside the one to `STARTTLS`, not encrypted.
    UpgradedWithMore,
    /// Somebody on the way takes the offer of `STARTTLS` out, and reads along.
    TakenOut,
}

/// The server; it ends when dropped.
pub struct EncryptedServer {
    port: u16,
    certificate: PathBuf,
    in_the_clear: Arc<Mutex<String>>,
    task: JoinHandle<()>,
}

impl EncryptedServer {
    /// Encrypts for the mail server at this port, with a certificate for `localhost` of its own
    /// making, which is put into a file of this folder.
    ///
    /// # Panics
    /// Where loopback has no port.
    pub async fn start(encryption: Encryption, inner: u16, folder: &Path) -> Self {
        Self::start_with_years(encryption, inner, folder, 1975..4096).await
    }

    /// The same with a certificate that is good from the first day of one year until that of
    /// another.
    ///
    /// # Panics
    /// Where loopback has no port.
    pub async fn start_with_years(encryption: Encryption, inner: u16, folder: &Path, years: Range<i32>) -> Self {
        let mut wanted = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        wanted.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        wanted.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let signing_key = rcgen::KeyPair::generate().unwrap();
        let made = wanted.self_signed(&signing_key).unwrap();
        let certificate = folder.join("server.pem");
        let encoded = base64::engine::general_purpose::STANDARD.encode(made.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n");
        std::fs::write(&certificate, pem).unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let in_the_clear = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&in_the_clear);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, heard) = (acceptor.clone(), Arc::clone(&heard));
                // A client that hangs up ends the conversation; that is not this server's trouble.
                tokio::spawn(async move { converse(stream, encryption, inner, acceptor, &heard).await.ok() });
            }
        });
        Self { port, certificate, in_the_clear, task }
    }

    /// Its port on `localhost`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The file that makes who reads it trust the server.
    pub fn certificate(&self) -> &str {
        self.certificate.to_str().unwrap()
    }

    /// What was said to it that others on the way can read.
    pub fn heard_in_the_clear(&self) -> String {
        self.in_the_clear.lock().unwrap().clone()
    }
}

impl Drop for EncryptedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(
    stream: TcpStream,
    encryption: Encryption,
    inner: u16,
    acceptor: TlsAcceptor,
    heard: &Mutex<String>,
) -> std::io::Result<()> {
    let mut to_inner = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], inner))).await?;
    if encryption == Encryption::Always {
        let mut stream = acceptor.accept(stream).await?;
        return copy_bidirectional(&mut stream, &mut to_inner).await.map(drop);
    }
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.example ESMTP\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        heard.lock().unwrap().push_str(&line);
        let answer: &[u8] = match (line.trim_end(), encryption) {
            ("STARTTLS", Encryption::UpgradedWithMore) => b"220 Go on\r\n250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n",
            ("STARTTLS", Encryption::Upgraded) => b"220 Go on\r\n",
            (hello, Encryption::Upgraded | Encryption::UpgradedWithMore) if hello.starts_with("EHLO ") => {
                b"250-mail.example\r\n250 STARTTLS\r\n"
            }
            (hello, Encryption::TakenOut) if hello.starts_with("EHLO ") => b"250-mail.example\r\n250 8BITMIME\r\n",
            ("QUIT", _) => b"221 Bye\r\n",
            _ => b"530 5.7.0 Must issue a STARTTLS command first\r\n",
        };
        stream.write_all(answer).await?;
        if line.trim_end() == "STARTTLS" {
            let mut stream = acceptor.accept(stream.into_inner()).await?;
            // Its greeting was given already.
            while to_inner.read_u8().await? != b'\n' {}
            return copy_bidirectional(&mut stream, &mut to_inner).await.map(drop);
        }
        line.clear();
    }
    Ok(())
}
