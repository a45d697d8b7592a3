//! A way to the database that can be cut, stopped, slowed down or lost.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Open.
    Open,
    /// New connections are refused, old ones are reset.
    Refused,
    /// Nothing comes through, in either direction; what was sent waits.
    Stalled,
    /// Nothing comes through, and nothing of these connections ever will: the other side is gone
    /// without a word, and its end of them is closed once the way is open again.
    Vanished,
    /// Each packet takes this long.
    Slow(Duration),
}

/// For how long a lost connection is kept silent: longer than any patience of the server's.
const SILENCE: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Towards {
    Database,
    Client,
}

/// The proxy. Ends when dropped.
pub struct Proxy {
    pub port: u16,
    way: watch::Sender<Way>,
    listener: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Proxy {
    /// Leads to this port of loopback.
    pub async fn start(to: u16) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let (way, seen) = watch::channel(Way::Open);
        let listener = tokio::spawn(async move {
            while let Ok((client, _)) = socket.accept().await {
                let seen = seen.clone();
                tokio::spawn(async move { _ = connect(client, SocketAddr::from(([127, 0, 0, 1], to)), seen).await });
            }
        });
        Self { port, way, listener }
    }

    /// Changes how the way is from now on.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn connect(client: TcpStream, to: SocketAddr, mut way: watch::Receiver<Way>) -> std::io::Result<()> {
    if *way.borrow_and_update() == Way::Refused {
        client.set_zero_linger()?;
        return Ok(());
    }
    let _ = way.wait_for(|way| !matches!(way, Way::Stalled | Way::Vanished)).await;
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut up = tokio::spawn(pass(from_client, to_server, way.clone(), Towards::Database));
    let mut down = tokio::spawn(pass(from_server, to_client, way.clone(), Towards::Client));
    tokio::select! {
        _ = &mut up => down.abort(),
        _ = &mut down => up.abort(),
        _ = way.wait_for(|way| *way == Way::Refused) => {
            up.abort();
            down.abort();
        }
    }
    Ok(())
}

/// Passes bytes on until an end hangs up.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut way: watch::Receiver<Way>,
    towards: Towards,
) -> std::io::Result<()> {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let count = tokio::select! {
            count = from.read(&mut bytes) => count?,
            () = vanished(way.clone()) => return lost(to, way, towards).await,
        };
        if count == 0 {
            return Ok(());
        }
        let now = *way.borrow_and_update();
        match now {
            Way::Slow(time) => tokio::time::sleep(time).await,
            Way::Stalled => _ = way.wait_for(|way| *way != Way::Stalled).await,
            Way::Open | Way::Refused | Way::Vanished => {}
        }
        to.write_all(&bytes[..count]).await?;
    }
}

async fn vanished(mut way: watch::Receiver<Way>) {
    if way.wait_for(|way| *way == Way::Vanished).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One direction of a connection whose other side is gone without a word: the database closes its
/// end once it is back, the client is told nothing.
async fn lost(mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>, towards: Towards) -> std::io::Result<()> {
    let _ = way.wait_for(|way| *way != Way::Vanished).await;
    if towards == Towards::Database {
        to.shutdown().await?;
    }
    tokio::time::sleep(SILENCE).await;
    Ok(())
}
